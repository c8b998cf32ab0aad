//! The publisher: makes channels show what they should. Changes are coalesced: a card is drawn from its release
//! as it is at that moment, so however many changes there were, the newest state is shown and the last is never
//! lost.

use super::{Chat, ChatError};
use crate::clock::Clock;
use crate::engine::{Signals, approver_lines};
use crate::executor::DURATIONS_LIMIT;
use crate::rest;
use crate::setup::{Setup, usual_s};
use crate::standing::Standing;
use crate::store::{MessageRow, Store, StoreError};
use futures::future::try_join_all;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use slipway_core::ids::ReleaseId;
use slipway_core::message::Message;
use slipway_core::message::cards::{ReleaseView, release_card};
use slipway_core::plan::PlanDigest;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{error, warn};

/// How many messages are taken at once.
const BATCH_LIMIT: u32 = 50;
/// How long a chat may take to show a message.
const SHOW_LIMIT: Duration = Duration::from_secs(20);
/// How often the elapsed time on the card of a running release is brought up to date.
const REFRESH_EVERY: Duration = Duration::from_secs(5);
/// How often in a row a message may fail before that revision is given up, after about an hour: a chat may be down
/// for a while, and the end of a release changes its card no more.
const FAILURES_LIMIT: i64 = 40;
/// The longest rest after a failure.
const BACKOFF_LIMIT_MS: i64 = 120_000;
/// Changes of messages per second and channel, with a burst of as many.
const CHANGES_PER_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();

/// How it went with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Published {
    /// Nothing is left to do for this revision.
    Done,
    /// The chat did not take it now.
    Later,
}

/// A message, and the plan it shows if it is the card of a release that has one.
type Drawn = (Message, Option<PlanDigest>);

/// The publisher with all it needs.
#[derive(Debug)]
pub struct Publisher {
    store: Store,
    setup: Arc<Setup>,
    clock: Clock,
    signals: Signals,
    chats: Vec<Arc<dyn Chat>>,
    pace: DefaultKeyedRateLimiter<String>,
}

impl Publisher {
    /// A publisher to these chats.
    #[must_use]
    pub fn new(store: Store, setup: Arc<Setup>, clock: Clock, signals: Signals, chats: Vec<Arc<dyn Chat>>) -> Self {
        let pace = RateLimiter::keyed(Quota::per_second(CHANGES_PER_SECOND));
        Self { store, setup, clock, signals, chats, pace }
    }

    /// Publishes for ever.
    pub async fn run(self) {
        let mut refreshed = Instant::now();
        loop {
            if refreshed.elapsed() >= REFRESH_EVERY {
                refreshed = Instant::now();
                if let Err(error) = self.store.cards_refresh().await {
                    error!(%error, "cards could not be refreshed");
                }
            }
            match self.publish_due().await {
                Ok(0) => self.rest().await,
                Ok(_) => {}
                Err(error) => {
                    error!(%error, "messages could not be published");
                    tokio::time::sleep(rest::AFTER_FAILURE).await;
                }
            }
        }
    }

    async fn rest(&self) {
        let due = self.store.message_next_due_ms().await.ok().flatten();
        rest::until_due(&self.signals.messages, due, self.clock.now_ms()).await;
    }

    /// Publishes what is due, in order in each channel, the channels beside each other: one that is slow or down
    /// holds up no other. Gives how many messages were looked at.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn publish_due(&self) -> Result<usize, StoreError> {
        let due = self.store.messages_due(self.clock.now_ms(), BATCH_LIMIT).await?;
        let looked_at = due.len();
        let mut channels: BTreeMap<String, Vec<MessageRow>> = BTreeMap::new();
        for row in due {
            match row {
                Ok(row) => channels.entry(row.message.channel.clone()).or_default().push(row),
                Err(row) => {
                    error!(message = row.id, error = %row.error, "a message cannot be read and is given up");
                    self.store.message_give_up(row.id, row.wanted).await?;
                }
            }
        }
        try_join_all(channels.values().map(|rows| self.publish_in_turn(rows))).await?;
        Ok(looked_at)
    }

    /// Publishes the messages of one channel until one must wait: the others then stay due.
    async fn publish_in_turn(&self, rows: &[MessageRow]) -> Result<(), StoreError> {
        for row in rows {
            self.pace.until_key_ready(&row.message.channel).await;
            if self.publish(row).await? == Published::Later {
                break;
            }
        }
        Ok(())
    }

    async fn publish(&self, row: &MessageRow) -> Result<Published, StoreError> {
        let (body, plan) = match self.body(row).await {
            Ok(Some(drawn)) => drawn,
            Ok(None) => return self.give_up(row).await,
            Err(error @ StoreError::Unreadable { .. }) => {
                error!(message = row.id, %error, "a message cannot be drawn and is given up");
                return self.give_up(row).await;
            }
            Err(error) => return Err(error),
        };
        match self.show(row, &body).await {
            Ok(external_id) => {
                self.store.message_published(row.id, row.wanted, &external_id, plan.as_ref()).await?;
                Ok(Published::Done)
            }
            Err(ChatError::Never(what)) => {
                warn!(channel = row.message.channel, what, "a message cannot be shown");
                self.give_up(row).await
            }
            Err(ChatError::Later { what, .. }) if row.failures + 1 >= FAILURES_LIMIT => {
                error!(channel = row.message.channel, what, "a message is given up until it changes");
                self.give_up(row).await
            }
            Err(ChatError::Later { what, after_ms }) => {
                warn!(channel = row.message.channel, what, "a message is shown later");
                let backoff = rest::backoff_ms(row.failures, BACKOFF_LIMIT_MS);
                self.store.message_later(row.id, self.clock.now_ms() + after_ms.unwrap_or(backoff)).await?;
                Ok(Published::Later)
            }
        }
    }

    async fn give_up(&self, row: &MessageRow) -> Result<Published, StoreError> {
        self.store.message_give_up(row.id, row.wanted).await?;
        Ok(Published::Done)
    }

    async fn show(&self, row: &MessageRow, body: &Message) -> Result<String, ChatError> {
        let platform = row.message.channel.split_once(':').map_or("", |(platform, _)| platform);
        let Some(chat) = self.chats.iter().find(|chat| chat.platform() == platform) else {
            return Err(ChatError::Never(format!("there is no chat for {}", row.message.channel)));
        };
        let shown = chat.show(&row.message, body, row.external_id.as_deref());
        tokio::time::timeout(SHOW_LIMIT, shown).await.unwrap_or_else(|_| {
            let what = format!("it took longer than {} s", SHOW_LIMIT.as_secs());
            Err(ChatError::Later { what, after_ms: None })
        })
    }

    async fn body(&self, row: &MessageRow) -> Result<Option<Drawn>, StoreError> {
        if let Some(body) = &row.message.body {
            return Ok(Some((body.clone(), None)));
        }
        match &row.message.release {
            Some(release) => self.card(release).await,
            None => Ok(None),
        }
    }

    /// A release's card as of now.
    async fn card(&self, id: &ReleaseId) -> Result<Option<Drawn>, StoreError> {
        let Some(stored) = self.store.release(id).await? else { return Ok(None) };
        let release = stored.release;
        let key = &release.request.key;
        let now = self.clock.now();
        let environment = self.store.environment(key).await?;
        let durations = self.store.release_durations_ms(key, DURATIONS_LIMIT).await?;
        let standing = Standing::shown(&self.store, &self.setup, &release, now).await?;
        let approvers = approver_lines(&self.setup, &standing, &release, now);
        let card = release_card(&ReleaseView {
            release: &release,
            environment: Some(&environment),
            people: &standing.people,
            approvers: &approvers,
            now,
            expected_s: usual_s(&durations),
            expected_deploy_s: None,
            next: self.setup.next_environment(key),
        });
        Ok(Some((card, release.digest())))
    }
}
