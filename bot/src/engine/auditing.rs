//! What goes into the audit log beside what happens to releases: strangers, the start, the daily anchor, and what came
//! too late.

use super::EngineError;
use super::apply::Work;
use crate::store::{AbandonedEffect, InboxRow, StrangerRow};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};
use slipway_core::command::{Mistake, MistakeKind};
use slipway_core::ids::{EnvironmentKey, PersonId, ReleaseId};
use slipway_core::message::cards::audit_anchor;
use slipway_core::person::{Identity, Person};
use slipway_core::release::{Event, Illegal, Release};

/// How many accounts of nobody are told apart within an hour. All others are counted together.
const STRANGERS_LIMIT: i64 = 100;
/// Timers: that one did not come to its time is no news.
const TIMERS: [&str; 2] = ["judge_at", "expire_at"];

const HOUR_S: i64 = 60 * 60;

/// The hour of a moment, in hours since 1970.
pub(crate) fn hour_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(HOUR_S)
}

impl Work<'_> {
    /// The hash of the policies in force.
    pub(super) fn policy_hash(&self) -> Option<String> {
        Some(self.engine.setup.policies().hash().to_owned())
    }

    /// Somebody did something whom Slipway does not know. However often they do, the log grows by one record for each
    /// account and hour, and by one in which the others are counted.
    pub(super) async fn stranger(
        &mut self,
        who: &Identity,
        did: &str,
        channel: &str,
        release: Option<&ReleaseId>,
    ) -> Result<(), EngineError> {
        let store = &self.engine.store;
        let (hour, account) = (hour_of(self.engine.clock.now()), json!(who).to_string());
        let (known, others) = store.strangers_in(self.tx, hour, &account).await?;
        let told_apart = known || others < STRANGERS_LIMIT;
        let times = store.stranger_came(self.tx, hour, if told_apart { &account } else { "" }).await?;
        if told_apart && times == 1 {
            let body = json!({ "who": who, "did": did, "channel": channel, "release": release });
            self.record("unknown_person", body, None).await?;
        }
        Ok(())
    }

    /// An hour is over: how often strangers came again in it.
    pub(super) async fn strangers_counted(&mut self, hour: i64) -> Result<(), EngineError> {
        let counted = self.engine.store.strangers_take(self.tx, hour).await?;
        let again = counted.iter().filter(|row| row.times > 1 || row.who.is_empty());
        let entry =
            |row: &StrangerRow| json!({ "who": serde_json::from_str::<Value>(&row.who).ok(), "times": row.times });
        let people: Vec<_> = again.map(entry).collect();
        if people.is_empty() {
            return Ok(());
        }
        let since = Timestamp::from_second(hour.saturating_mul(HOUR_S)).ok();
        self.record("unknown_people_again", json!({ "hour": since, "people": people }), None).await
    }

    /// The process has started.
    pub(super) async fn started(&mut self, version: &str, configuration: &str) -> Result<(), EngineError> {
        let body = json!({ "version": version, "configuration": configuration });
        self.record("started", body, self.policy_hash()).await
    }

    /// A day's anchor is due: the end of the log goes into the channels, once.
    pub(super) async fn anchor_due(&mut self, day: Date) -> Result<(), EngineError> {
        let channels: Vec<_> = self.engine.setup.audit.anchor.iter().map(ToString::to_string).collect();
        if channels.is_empty() {
            return Ok(());
        }
        let store = &self.engine.store;
        let last = store.audit_anchor_last(self.tx).await?;
        let anchor = store.audit_head(self.tx).await?;
        if !store.audit_anchor_put(self.tx, day, anchor.count).await? {
            return Ok(());
        }
        let since = last.map(|(day, count)| (day, anchor.count.saturating_sub(count)));
        let body = audit_anchor(day, &anchor, since);
        self.proclaim(&channels, &format!("anchor/{day}"), None, &body).await?;
        let body = json!({ "day": day, "count": anchor.count, "head": anchor.head, "channels": channels });
        self.record("anchored", body, None).await
    }

    /// Somebody asked for something that has become impossible.
    pub(super) async fn too_late(
        &mut self,
        person: &PersonId,
        release: &Release,
        illegal: &Illegal,
    ) -> Result<(), EngineError> {
        let Illegal { phase, event, why } = illegal;
        let key = &release.request.key;
        let body = json!({
            "release": release.id, "service": key.service, "environment": key.environment, "person": person,
            "plan": release.digest(), "act": event, "phase": phase, "why": why,
        });
        self.record("too_late", body, self.policy_hash()).await
    }

    /// Somebody may lock or unlock, and the environment is such that they cannot.
    pub(super) async fn cannot(
        &mut self,
        person: &PersonId,
        act: &str,
        key: &EnvironmentKey,
        why: &str,
    ) -> Result<(), EngineError> {
        let body = json!({ "person": person, "act": act, "environment": key, "why": why });
        self.record("refused", body, self.policy_hash()).await
    }

    /// An outcome that the release does not wait for any more. It happened all the same.
    pub(super) async fn outcome_too_late(
        &mut self,
        release: &ReleaseId,
        event: &Event,
        illegal: &Illegal,
    ) -> Result<(), EngineError> {
        let Some(stored) = self.engine.store.release_get(self.tx, release).await? else { return Ok(()) };
        let key = &stored.release.request.key;
        let body = json!({
            "release": release, "service": key.service, "environment": key.environment,
            "plan": stored.release.digest(), "phase": illegal.phase, "event": event,
        });
        self.record("outcome_too_late", body, self.policy_hash()).await
    }

    /// A line of somebody known that is no command. Its words are not kept: whatever somebody tells a bot by mistake
    /// could not be taken out of the chain any more.
    pub(super) async fn mistaken(
        &mut self,
        person: &Person,
        channel: &str,
        mistake: &Mistake,
    ) -> Result<(), EngineError> {
        let mistake = match mistake.kind() {
            MistakeKind::Typed => "typed",
            MistakeKind::NotYet => "not_yet",
        };
        let body = json!({ "person": person.id, "channel": channel, "mistake": mistake });
        self.record("mistaken", body, None).await
    }

    /// What was under way for a release that has ended.
    pub(super) async fn abandoned(
        &mut self,
        release: &Release,
        effects: &[AbandonedEffect],
    ) -> Result<(), EngineError> {
        let listed: Vec<_> = effects
            .iter()
            .filter(|effect| !TIMERS.contains(&effect.kind.as_str()))
            .map(|effect| json!({ "effect": effect.kind, "effect_id": effect.id, "begun": effect.begun }))
            .collect();
        if listed.is_empty() {
            return Ok(());
        }
        let key = &release.request.key;
        let body = json!({
            "release": release.id, "service": key.service, "environment": key.environment,
            "plan": release.digest(), "effects": listed,
        });
        self.record("effects_abandoned", body, self.policy_hash()).await
    }

    /// A delivery that could not be handled.
    pub(super) async fn put_aside(&mut self, row: &InboxRow, error: &EngineError) -> Result<(), EngineError> {
        let incoming: Value = serde_json::from_str(&row.body).unwrap_or_default();
        let body = json!({
            "delivery": row.id, "incoming": incoming["incoming"], "release": incoming["release"],
            "who": incoming["who"], "error": error.to_string(),
        });
        self.record("put_aside", body, None).await
    }
}
