//! `/release queue --bump`: a release is put before others that wait, by whom policy lets, and those are told.

use super::EngineError;
use super::apply::Work;
use crate::chat::direct;
use crate::store::NewMessage;
use serde_json::json;
use slipway_core::environment::{self, Bumped, Environment};
use slipway_core::ids::{PersonId, ReleaseId};
use slipway_core::message::Message;
use slipway_core::message::cards::{self, answers};
use slipway_core::person::Person;
use slipway_core::policy::Act;
use slipway_core::release::Release;
use std::collections::BTreeMap;

impl Work<'_> {
    /// Puts a release first, as far as that goes.
    pub(super) async fn bump(&mut self, person: &Person, release: &Release) -> Result<Message, EngineError> {
        let (key, id) = (&release.request.key, &release.id);
        let act = Act::Bump { requester: &release.request.requester };
        if let Some(refused) = self.may_act(person, act, key).await? {
            return Ok(refused);
        }
        let before = self.environment_now(key).await?;
        let passed = before.would_pass(id).map(|passed| passed.into_iter().cloned().collect::<Vec<_>>());
        let by = Bumped { by: person.id.clone(), at: self.engine.clock.now() };
        let stepped = self.environment_step(key, environment::Event::Bumped { release: id.clone(), by }).await?;
        let passed = match stepped.and(passed) {
            Ok(passed) => passed,
            Err(illegal) => {
                self.cannot(&person.id, "bump", key, &illegal.to_string()).await?;
                return Ok(answers::environment_refuses(key, &illegal));
            }
        };
        let body = json!({
            "person": person.id, "service": key.service, "environment": key.environment,
            "release": id, "requester": release.request.requester, "passed": passed,
        });
        self.record("bumped", body, Some(self.engine.setup.policies().hash().to_owned())).await?;
        let after = self.engine.store.environment_get(self.tx, key).await?;
        self.tell_passed(release, &person.id, &after, &passed).await?;
        Ok(cards::bumped(key, id, passed.len()))
    }

    /// Tells each of those who asked for what was passed, once, where theirs are now.
    async fn tell_passed(
        &mut self,
        release: &Release,
        by: &PersonId,
        after: &Environment,
        passed: &[ReleaseId],
    ) -> Result<(), EngineError> {
        let mut theirs: BTreeMap<&PersonId, Vec<(usize, ReleaseId)>> = BTreeMap::new();
        for (place, waiting) in (1..).zip(&after.queue) {
            if passed.contains(&waiting.release) && waiting.requester != *by {
                theirs.entry(&waiting.requester).or_default().push((place, waiting.release.clone()));
            }
        }
        let (key, requester) = (&release.request.key, &release.request.requester);
        let people = self.company().await?.people;
        let engine = self.engine;
        let seq = engine.store.audit_head(self.tx).await?.count;
        for (person, places) in theirs {
            let body = cards::bumped_before(key, (&release.id, requester), by, &places);
            let configured = engine.setup.channels(&key.service);
            let channel = &release.request.origin.channel;
            let Some(channel) = direct::where_to(people.get(person), channel, configured) else { continue };
            // The audit record of it makes the key: of each time they are told once.
            let message = NewMessage::said(channel, format!("bumped/{}/{seq}/{person}", release.id), body);
            engine.store.message_put(self.tx, &message.only_for(person.clone())).await?;
        }
        Ok(())
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
