//! Locks: taking, handing over and ending one, and what is due of it without anybody asking.

use super::EngineError;
use super::apply::Work;
use super::asked::{Asked, whys};
use crate::chat::direct;
use crate::setup::Rules;
use crate::store::NewMessage;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use slipway_core::command::Whom;
use slipway_core::environment::{self, Due, Environment, Illegal, Lock, LockNews};
use slipway_core::gate::Course;
use slipway_core::ids::{EnvironmentKey, PersonId, ReleaseId};
use slipway_core::message::Message;
use slipway_core::message::cards::{self, answers};
use slipway_core::person::{Directory, Identity, Person};
use slipway_core::policy::{Act, Clears, Decision, Reason};
use std::collections::BTreeSet;

/// What is to be otherwise about a lock that is handed over.
pub(super) struct Change<'a> {
    pub(super) reason: Option<&'a str>,
    pub(super) for_s: Option<u32>,
}

impl Work<'_> {
    /// Takes a lock, or replaces one's own.
    pub(super) async fn lock(
        &mut self,
        asked: &Asked<'_>,
        key: EnvironmentKey,
        reason: &str,
        for_s: Option<u32>,
    ) -> Result<Option<Message>, EngineError> {
        if let Some(refused) = self.may_act(asked.person, Act::Lock, &key).await? {
            return Ok(Some(refused));
        }
        let now = self.engine.clock.now();
        let before = self.environment_now(&key).await?.lock;
        let lock = Lock {
            owner: asked.person.id.clone(),
            reason: reason.to_owned(),
            at: now,
            until: for_s.map(|seconds| after(now, seconds)),
            channel: asked.channel.to_owned(),
            reminded_at: None,
        };
        if let Err(illegal) = self.environment_step(&key, environment::Event::Locked(lock.clone())).await? {
            self.cannot(&asked.person.id, "lock", &key, &illegal.to_string()).await?;
            let Illegal::Locked(owner) = &illegal else {
                return Ok(Some(answers::environment_refuses(&key, &illegal)));
            };
            let Rules { set: policies, changes } = self.engine.setup.rules();
            let may_end = policies.may_act_despite(asked.person, Act::Unlock { owner }, &key, &changes).is_allow();
            return Ok(Some(answers::locked_by_another(&key, owner, may_end)));
        }
        self.record(
            "locked",
            json!({ "environment": key, "lock": lock, "before": before, "by": asked.person.id }),
            None,
        )
        .await?;
        Ok(Some(match before {
            Some(before) => answers::lock_replaced(&key, &before, &lock, now),
            None => answers::locked(&key, &lock, now),
        }))
    }

    /// Ends a lock, if it is one's own or policy lets this person.
    pub(super) async fn unlock(
        &mut self,
        asked: &Asked<'_>,
        key: EnvironmentKey,
    ) -> Result<Option<Message>, EngineError> {
        let environment = self.environment_now(&key).await?;
        let Some(lock) = environment.lock else {
            self.cannot(&asked.person.id, "unlock", &key, &Illegal::NotLocked.to_string()).await?;
            return Ok(Some(answers::environment_refuses(&key, &Illegal::NotLocked)));
        };
        let by = &asked.person.id;
        if let Some(refused) = self.may_act(asked.person, Act::Unlock { owner: &lock.owner }, &key).await? {
            return Ok(Some(refused));
        }
        if let Err(illegal) = self.environment_step(&key, environment::Event::Unlocked { by: by.clone() }).await? {
            self.cannot(by, "unlock", &key, &illegal.to_string()).await?;
            return Ok(Some(answers::environment_refuses(&key, &illegal)));
        }
        self.record("unlocked", json!({ "environment": key, "lock": lock, "by": by }), None).await?;
        if lock.owner != *by {
            self.tell_owner(&key, &lock, cards::lock_taken_away(&key, &lock, by, None)).await?;
        }
        let goes_on = self.nothing_else_holds(&key).await?;
        Ok(Some(answers::unlocked(&key, goes_on)))
    }

    /// How many of those that wait nothing holds any more but each other, in their order.
    async fn nothing_else_holds(&mut self, key: &EnvironmentKey) -> Result<usize, EngineError> {
        let environment = self.engine.store.environment_get(self.tx, key).await?;
        let mut free: BTreeSet<ReleaseId> = environment.running.iter().cloned().collect();
        let running = free.len();
        for waiting in &environment.queue {
            let Some(stored) = self.engine.store.release_get(self.tx, &waiting.release).await? else { continue };
            let Some(verdict) = Box::pin(self.inquiry().ask_gate(&stored.release, &environment)).await? else {
                continue;
            };
            // Old facts are gathered again before it starts. That holds nobody up.
            let is_free = |reason: &Reason| match &reason.clears {
                Clears::Release { id } => free.contains(id),
                _ => false,
            };
            if verdict.course() != Course::Deny && verdict.reasons().iter().all(is_free) {
                free.insert(waiting.release.clone());
            }
        }
        Ok(free.len() - running)
    }

    /// Makes a lock another's: of somebody who may hold one, by its owner or whoever may end it.
    pub(super) async fn hand_over(
        &mut self,
        asked: &Asked<'_>,
        key: EnvironmentKey,
        to: &Whom,
        change: Change<'_>,
    ) -> Result<Message, EngineError> {
        let by = &asked.person.id;
        let Some(before) = self.environment_now(&key).await?.lock else {
            self.cannot(by, "hand_over", &key, &Illegal::NotLocked.to_string()).await?;
            return Ok(answers::environment_refuses(&key, &Illegal::NotLocked));
        };
        // The owner needs nobody's leave.
        if before.owner != *by
            && let Some(refused) = self.may_act(asked.person, Act::Unlock { owner: &before.owner }, &key).await?
        {
            return Ok(refused);
        }
        let people = self.company().await?.people;
        let Some(to) = meant(&people, asked.who, to) else { return Ok(answers::nobody_mentioned()) };
        if let Some(refused) = self.may_get(by, to, &key).await? {
            return Ok(refused);
        }
        let now = self.engine.clock.now();
        let lock = Lock {
            owner: to.id.clone(),
            reason: change.reason.map_or_else(|| before.reason.clone(), str::to_owned),
            at: now,
            until: change.for_s.map_or(before.until, |seconds| Some(after(now, seconds))),
            channel: asked.channel.to_owned(),
            reminded_at: None,
        };
        let handed = environment::Event::HandedOver { lock: lock.clone(), by: by.clone() };
        if let Err(illegal) = self.environment_step(&key, handed).await? {
            self.cannot(by, "hand_over", &key, &illegal.to_string()).await?;
            return Ok(answers::environment_refuses(&key, &illegal));
        }
        let body = json!({ "environment": key, "before": before, "lock": lock, "by": by });
        self.record("lock_handed_over", body, None).await?;
        if before.owner != *by {
            let away = cards::lock_taken_away(&key, &before, by, Some(&to.id));
            self.tell_owner(&key, &before, away).await?;
        }
        Ok(if to.id == *by { answers::locked(&key, &lock, now) } else { answers::lock_handed_over(&key, &lock, now) })
    }

    /// `None` when policy lets this person hold a lock, else the answer to whoever would give them one.
    async fn may_get(
        &mut self,
        by: &PersonId,
        to: &Person,
        key: &EnvironmentKey,
    ) -> Result<Option<Message>, EngineError> {
        let Rules { set: policies, changes } = self.engine.setup.rules();
        let Decision::Deny { reasons } = policies.may_act_despite(to, Act::Lock, key, &changes) else {
            return Ok(None);
        };
        let refused = json!({ "person": by, "act": "hand_over", "to": to.id, "environment": key, "reasons": reasons });
        self.record("refused", refused, Some(policies.hash().to_owned())).await?;
        Ok(Some(answers::lock_not_for(&to.id, &whys(&reasons))))
    }

    /// An environment as it is at this moment: a lock that has run out is ended first, which is a fact of its own.
    pub(super) async fn environment_now(&mut self, key: &EnvironmentKey) -> Result<Environment, EngineError> {
        let environment = self.engine.store.environment_get(self.tx, key).await?;
        let now = self.engine.clock.now();
        if environment.due(now) != Some(Due::RanOut) {
            return Ok(environment);
        }
        if self.environment_step(key, environment::Event::LockRanOut { at: now }).await?.is_ok() {
            self.record("lock_ran_out", json!({ "environment": key, "lock": environment.lock }), None).await?;
        }
        Ok(self.engine.store.environment_get(self.tx, key).await?)
    }

    /// Does what is due of an environment's lock, if anything still is.
    pub(super) async fn lock_due(&mut self, key: &EnvironmentKey) -> Result<(), EngineError> {
        let environment = self.environment_now(key).await?;
        match (&environment.lock, environment.due(self.engine.clock.now())) {
            (Some(lock), Some(Due::Reminder)) => self.remind(&environment, lock).await?,
            // Nothing: the clock has jumped back, or the store did not know yet when something is due.
            _ => self.engine.store.environment_save(self.tx, &environment).await?,
        }
        self.finish().await
    }

    async fn remind(&mut self, environment: &Environment, lock: &Lock) -> Result<(), EngineError> {
        let (key, now) = (&environment.key, self.engine.clock.now());
        if self.environment_step(key, environment::Event::Reminded { at: now }).await?.is_ok() {
            self.record("lock_reminded", json!({ "environment": key, "lock": lock }), None).await?;
            self.tell_owner(key, lock, cards::lock_reminder(environment, lock, now)).await?;
        }
        Ok(())
    }

    async fn tell_owner(&mut self, key: &EnvironmentKey, lock: &Lock, body: Message) -> Result<(), EngineError> {
        self.tell(key, &lock.owner, &lock.channel, body).await
    }

    /// Tells somebody who waits that a lock has ended, where they asked for their release; or somebody that it is theirs.
    pub(super) async fn tell_news(&mut self, key: &EnvironmentKey, news: &LockNews) -> Result<(), EngineError> {
        let mut channel = match &news.end {
            environment::LockEnd::HandedOver { lock, .. } => lock.channel.clone(),
            environment::LockEnd::Unlocked | environment::LockEnd::RanOut => news.before.channel.clone(),
        };
        if let Some((_, release)) = news.places.first()
            && let Some(stored) = self.engine.store.release_get(self.tx, release).await?
        {
            channel = stored.release.request.origin.channel;
        }
        let body = cards::lock_news(key, news, self.engine.clock.now());
        self.tell(key, &news.person, &channel, body).await
    }

    /// Tells one person alone. The moment and the newest audit record make the message's key: of one end of a lock
    /// nobody is told twice, and of the next one again.
    async fn tell(
        &mut self,
        key: &EnvironmentKey,
        person: &PersonId,
        channel: &str,
        body: Message,
    ) -> Result<(), EngineError> {
        let people = self.company().await?.people;
        let (store, configured) = (&self.engine.store, self.engine.setup.channels(&key.service));
        let Some(channel) = direct::where_to(people.get(person), channel, configured) else { return Ok(()) };
        let seq = store.audit_head(self.tx).await?.count;
        let at_ms = self.engine.clock.now_ms();
        let message_key = format!("lock/{}/{}/{at_ms}-{seq}/{person}", key.service, key.environment);
        let message = NewMessage::said(channel, message_key, body).only_for(person.clone());
        Ok(store.message_put(self.tx, &message).await?)
    }
}

fn after(now: Timestamp, seconds: u32) -> Timestamp {
    now + SignedDuration::from_secs(i64::from(seconds))
}

/// The person that somebody means. A mention is one of an account in the chat where it was typed.
fn meant<'a>(people: &'a Directory, by: &Identity, whom: &Whom) -> Option<&'a Person> {
    match whom {
        Whom::Named(name) => people.get(name),
        Whom::Mentioned(id) => people.by_identity(&by.platform().account(id)),
    }
}
