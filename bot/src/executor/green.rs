//! Looks at the CI of what waits for it to be green (`--when green`). Nothing is decided here: what is green is put into
//! the inbox, with exactly the commit that was seen.

use super::{Executor, Trouble, no_longer_configured};
use crate::defects::{Panicked, caught, round};
use crate::engine::Incoming;
use crate::store::{Delivery, StoreError};
use slipway_core::facts::CiState;
use slipway_core::ids::{CommitSha, IntentId};
use slipway_core::intent::Intent;
use slipway_deploy::github::Resolution;
use std::time::Duration;
use tracing::info;

/// How often it is looked whether a look is due.
const TICK: Duration = Duration::from_secs(1);
/// How many are looked at in one turn; the others come with the next.
const LOOKS_LIMIT: u32 = 4;
/// How long one look may take.
const LOOK_LIMIT: Duration = Duration::from_secs(30);
/// Between two looks at one of them.
const EVERY_MS: i64 = 30_000;
/// The same where GitHub has lately told by webhooks that there is something to see.
const EVERY_HEARD_MS: i64 = 120_000;
/// For how long webhooks that came are taken for a sign that others will.
const HEARD_LIMIT_MS: i64 = 24 * 60 * 60 * 1_000;
/// How soon it is looked again when a webhook came while it was looked.
const AGAIN_MS: i64 = 500;
/// How long it rests when GitHub cannot be asked.
const AFTER_TROUBLE_MS: i64 = 60_000;

impl Executor {
    /// Looks for ever.
    pub async fn watch_green(self) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let _ = round("looking for green CI", self.look_for_green()).await;
        }
    }

    /// One look at those that are due, beside each other. Without any it asks nobody but the store.
    async fn look_for_green(&self) -> Result<(), StoreError> {
        let due = self.store.intents_to_look_at(self.clock.now_ms(), LOOKS_LIMIT).await?;
        let looks = due.into_iter().map(|intent| self.look_at_one(intent));
        futures::future::join_all(looks).await.into_iter().collect()
    }

    async fn look_at_one(&self, intent: Result<Intent, IntentId>) -> Result<(), StoreError> {
        let began_ms = self.clock.now_ms();
        let intent = match intent {
            Ok(intent) => intent,
            Err(unreadable) => {
                // Given up there, so that it takes no other's place here.
                self.due(&format!("intent/{unreadable}/unreadable"), unreadable.clone(), None).await?;
                return self.store.intent_look_at(&unreadable, began_ms + AFTER_TROUBLE_MS).await;
            }
        };
        let look = caught("a look at CI", self.green_commit(&intent));
        let next_ms = match tokio::time::timeout(LOOK_LIMIT, look).await {
            Ok(Ok(Ok(seen))) => {
                if let Some(commit) = seen {
                    self.green_seen(&intent, commit, began_ms).await?;
                }
                self.next_look_ms(&intent, began_ms).await?
            }
            Ok(Ok(Err(Trouble::Limited { at, .. }))) => at.as_millisecond().max(began_ms + AFTER_TROUBLE_MS),
            Ok(Ok(Err(trouble))) => {
                info!(deferred = %intent.id, %trouble, "CI could not be looked at");
                began_ms + AFTER_TROUBLE_MS
            }
            Ok(Err(Panicked)) | Err(_) => began_ms + AFTER_TROUBLE_MS,
        };
        self.store.intent_look_at(&intent.id, next_ms).await
    }

    /// The commit that its reference means now, if the checks that the environment requires are green.
    async fn green_commit(&self, intent: &Intent) -> Result<Option<CommitSha>, Trouble> {
        let unconfigured = || no_longer_configured(&intent.key);
        let service = self.setup.service(&intent.key.service).ok_or_else(unconfigured)?;
        let environment = self.setup.environment(&intent.key).ok_or_else(unconfigured)?;
        let github = &self.outside.github;
        // A name that is not there may be pushed yet.
        let found = match github.resolve(&service.repository, intent.reference.as_deref()).await? {
            Resolution::Resolved(found) => found,
            Resolution::Unresolved(_) => return Ok(None),
        };
        let checks = github.required_checks(&service.repository, &found.commit, &environment.checks).await?;
        Ok((checks.state == CiState::Green).then_some(found.commit))
    }

    async fn green_seen(&self, intent: &Intent, commit: CommitSha, began_ms: i64) -> Result<(), StoreError> {
        let minute = began_ms.div_euclid(60_000);
        let delivery_key = format!("intent/{}/green/{commit}/{minute}", intent.id);
        self.due(&delivery_key, intent.id.clone(), Some(commit)).await
    }

    async fn due(&self, delivery_key: &str, intent: IntentId, green: Option<CommitSha>) -> Result<(), StoreError> {
        let due = Incoming::IntentDue { intent, green };
        if self.store.deliver(delivery_key, &due, &self.clock).await? == Delivery::Accepted {
            self.signals.inbox.notify_one();
        }
        Ok(())
    }

    /// Webhooks are for speed, looking for the truth: with them it is only slower.
    async fn next_look_ms(&self, intent: &Intent, began_ms: i64) -> Result<i64, StoreError> {
        let repository = self.setup.service(&intent.key.service).map(|service| service.repository.to_string());
        let heard_ms = self.store.github_heard_ms(&repository.unwrap_or_default()).await?;
        Ok(began_ms
            + match heard_ms {
                Some(heard_ms) if heard_ms >= began_ms => AGAIN_MS,
                Some(heard_ms) if began_ms - heard_ms < HEARD_LIMIT_MS => self.setup.pace.poll_ms(EVERY_HEARD_MS),
                _ => self.setup.pace.poll_ms(EVERY_MS),
            })
    }
}
