//! `/release queue --bump`: a release is put before others that wait, by whom policy lets, and those are told.

use super::EngineError;
use super::apply::Work;
use crate::chat::direct;
use crate::store::{NewMessage, StoreError};
use serde_json::json;
use slipway_core::environment::{self, Bumped, Environment, Illegal};
use slipway_core::ids::{EnvironmentKey, PersonId, ReleaseId};
use slipway_core::message::Message;
use slipway_core::message::cards::{self, answers};
use slipway_core::person::Person;
use slipway_core::policy::Act;
use slipway_core::release::Release;
use std::collections::{BTreeMap, BTreeSet};

impl Work<'_> {
    /// Puts a release first, as far as that goes; of a group all that wait, each in its environment, or none.
    pub(super) async fn bump(&mut self, person: &Person, release: &Release) -> Result<Message, EngineError> {
        let all = self.bumped_with(release).await?;
        for one in &all {
            let act = Act::Bump { requester: &one.request.requester };
            if let Some(refused) = self.may_act(person, act, &one.request.key).await? {
                return Ok(refused);
            }
        }
        let mut moves = Vec::new();
        let mut is_first = None;
        for one in &all {
            let (key, id) = (&one.request.key, &one.id);
            let before = self.environment_now(key).await?;
            match before.would_pass(id) {
                Ok(passed) => moves.push((one, passed.into_iter().cloned().collect::<Vec<_>>())),
                // It may be so in one environment and not in the next.
                Err(illegal @ Illegal::First(_)) => is_first = is_first.or(Some((key, illegal))),
                Err(illegal) => return self.not_bumped(person, key, &illegal).await,
            }
        }
        if let Some((key, illegal)) = is_first.filter(|_| moves.is_empty()) {
            return self.not_bumped(person, key, &illegal).await;
        }
        for (one, passed) in &moves {
            let (key, id) = (&one.request.key, &one.id);
            let by = Bumped { by: person.id.clone(), at: self.engine.clock.now() };
            let event = environment::Event::Bumped { release: id.clone(), by };
            if let Err(illegal) = self.environment_step(key, event).await? {
                // It has just been found to be possible: rather none than some of them.
                return Err(StoreError::Unreadable { what: "an environment", error: illegal.to_string() }.into());
            }
            let body = json!({
                "person": person.id, "service": key.service, "environment": key.environment,
                "release": id, "requester": one.request.requester, "passed": passed,
            });
            self.record("bumped", body, Some(self.engine.setup.policies().hash().to_owned())).await?;
        }
        let passed = self.tell_passed(&person.id, &moves).await?;
        Ok(cards::bumped(&names(&all), all.first().map_or(&release.id, |first| &first.id), passed))
    }

    /// A release with the others of its group that wait in a queue, in their order. Never empty.
    async fn bumped_with(&mut self, release: &Release) -> Result<Vec<Release>, EngineError> {
        let mut all = Vec::new();
        if let Some(together) = release.request.together.clone() {
            for member in self.members(&together).await? {
                let environment = self.engine.store.environment_get(self.tx, &member.request.key).await?;
                if environment.queue.iter().any(|waiting| waiting.release == member.id) {
                    all.push(member);
                }
            }
        }
        Ok(if all.is_empty() { vec![release.clone()] } else { all })
    }

    async fn not_bumped(
        &mut self,
        person: &Person,
        key: &EnvironmentKey,
        illegal: &Illegal,
    ) -> Result<Message, EngineError> {
        self.cannot(&person.id, "bump", key, &illegal.to_string()).await?;
        Ok(answers::environment_refuses(key, illegal))
    }

    /// Tells each of those who asked for what was passed, once, where theirs are now. Gives how many were passed: what was
    /// asked for together is one.
    async fn tell_passed(&mut self, by: &PersonId, moves: &[(&Release, Vec<ReleaseId>)]) -> Result<usize, EngineError> {
        let mut theirs: BTreeMap<PersonId, Vec<(usize, ReleaseId)>> = BTreeMap::new();
        let mut counted = BTreeSet::new();
        for (bumped, passed) in moves {
            let after = self.engine.store.environment_get(self.tx, &bumped.request.key).await?;
            for (place, waiting) in (1..).zip(&after.queue).filter(|(_, waiting)| passed.contains(&waiting.release)) {
                let stored = self.engine.store.release_get(self.tx, &waiting.release).await?;
                let lead = stored.and_then(|stored| stored.release.follows().cloned());
                let is_new = counted.insert(lead.unwrap_or_else(|| waiting.release.clone()));
                if is_new && waiting.requester != *by {
                    theirs.entry(waiting.requester.clone()).or_default().push((place, waiting.release.clone()));
                }
            }
        }
        let Some((first, _)) = moves.first() else { return Ok(0) };
        let on = names(moves.iter().map(|(bumped, _)| *bumped));
        let people = self.company().await?.people;
        let engine = self.engine;
        let seq = engine.store.audit_head(self.tx).await?.count;
        for (person, places) in &theirs {
            let body = cards::bumped_before(&on, (&first.id, &first.request.requester), by, places);
            let configured = engine.setup.channels(&first.request.key.service);
            let channel = &first.request.origin.channel;
            let Some(channel) = direct::where_to(people.get(person), channel, configured) else { continue };
            // The audit record of it makes the key: of each time they are told once.
            let message = NewMessage::said(channel, format!("bumped/{}/{seq}/{person}", first.id), body);
            engine.store.message_put(self.tx, &message.only_for(person.clone())).await?;
        }
        Ok(counted.len())
    }

    /// Has the cards of those drawn anew whose place in the queue is another than before.
    pub(super) async fn places_changed(
        &mut self,
        before: &Environment,
        after: &Environment,
    ) -> Result<(), EngineError> {
        let place = |of: &Environment, id: &ReleaseId| of.queue.iter().position(|waiting| waiting.release == *id);
        for waiting in &after.queue {
            let was = place(before, &waiting.release);
            if was.is_some() && was != place(after, &waiting.release) {
                self.engine.store.cards_touch(self.tx, &waiting.release, false).await?;
            }
        }
        Ok(())
    }
}

/// `api, web → production`, of one release or of a group.
fn names<'a>(all: impl IntoIterator<Item = &'a Release>) -> String {
    let keys: Vec<_> = all.into_iter().map(|release| &release.request.key).collect();
    let services = keys.iter().map(|key| key.service.as_str());
    keys.first().map_or_else(String::new, |key| cards::services_in(services, &key.environment))
}
