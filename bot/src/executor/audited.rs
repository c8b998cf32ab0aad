//! What of an effect goes into the audit log. What changes something outside has a record before each try, in the
//! transaction that keeps its intent. Each end is recorded too: with the event that it is for the release, when the
//! engine takes that in, or else here.

use super::{Executor, Job, Trouble};
use crate::store::{EffectRow, UnreadableEffect};
use serde_json::{Value, json};
use slipway_core::audit::Draft;
use slipway_core::release::Release;

/// Something is about to be done outside.
const INTENDED: &str = "intended";
/// The outside refused it, so that try did nothing.
const INTENT_WITHDRAWN: &str = "intent_withdrawn";
/// An effect will not be done, and nothing waits for it.
pub(super) const GIVEN_UP: &str = "effect_given_up";
/// Its release ended while it was under way.
pub(super) const ABANDONED: &str = "effect_abandoned";
/// People were told something.
pub(super) const TOLD: &str = "told";
/// The announcement channels were told.
pub(super) const ANNOUNCED: &str = "announced";
/// GitHub shows where a release stands, or does not take it.
pub(super) const REPORTED: &str = "reported";
/// The tag that a build needed is gone, or somebody else's.
pub(super) const TAG_REMOVED: &str = "build_tag_removed";

impl Job<'_> {
    /// Records what is about to be done; after this the release cannot be cancelled as if nothing had begun.
    pub(crate) async fn intend(&self, intent: &Value) -> Result<(), Trouble> {
        let record = self.record(INTENDED, json!({ "intent": intent }));
        Ok(self.executor.store.effect_intent(self.row, intent, Some(record)).await?)
    }

    /// Keeps how far something has come that was intended before, or what was seen. That is no news for the audit log.
    pub(crate) async fn note(&self, intent: &Value) -> Result<(), Trouble> {
        Ok(self.executor.store.effect_intent(self.row, intent, None).await?)
    }

    /// Takes the intent of this try back: the outside refused, so it did nothing. What an earlier try may have done
    /// stays written down.
    pub(crate) async fn restore_intent(&self) -> Result<(), Trouble> {
        let before = self.row.intent.clone().unwrap_or_default();
        let record = self.record(INTENT_WITHDRAWN, json!({ "intent": before }));
        Ok(self.executor.store.effect_intent(self.row, &before, Some(record)).await?)
    }

    fn record(&self, kind: &str, more: Value) -> Draft {
        self.executor.draft(kind, Some(self.release), about(self.row), more)
    }
}

impl Executor {
    /// A record of an effect that ends without an event for its release.
    pub(super) async fn record_of(&self, row: &EffectRow, kind: &str, more: Value) -> Draft {
        let stored = self.store.release(&row.release).await.ok().flatten();
        self.draft(kind, stored.as_ref().map(|stored| &stored.release), about(row), more)
    }

    /// A record of an effect that says nothing to this version.
    pub(super) fn record_of_unreadable(&self, row: &UnreadableEffect, release: Option<&Release>) -> Draft {
        let about = json!({ "release": row.release, "effect_id": row.id });
        self.draft(GIVEN_UP, release, about, json!({ "what": row.error }))
    }

    fn draft(&self, kind: &str, release: Option<&Release>, about: Value, more: Value) -> Draft {
        let in_force = || self.setup.policies().hash().to_owned();
        let verdict = release.and_then(|release| release.verdict.as_ref());
        let place = release.map(|release| {
            let key = &release.request.key;
            json!({ "service": key.service, "environment": key.environment, "plan": release.digest() })
        });
        let members = [Some(about), place, Some(more)].into_iter().flatten();
        Draft {
            at: self.clock.now(),
            kind: kind.to_owned(),
            body: members.filter_map(|part| part.as_object().cloned()).flatten().collect(),
            policy_hash: Some(verdict.map_or_else(in_force, |verdict| verdict.policy_hash().to_owned())),
        }
    }
}

fn about(row: &EffectRow) -> Value {
    json!({ "release": row.release, "effect": row.effect.name(), "effect_id": row.id, "attempt": row.attempts })
}
