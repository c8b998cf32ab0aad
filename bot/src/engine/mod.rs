//! The engine: takes what is in the inbox one by one, each in one transaction with everything that follows
//! from it: the event, the release's next state, its effects, the environment, the audit record.

mod answer;
mod apart;
mod apply;
mod aside;
mod asked;
mod auditing;
mod back;
mod bad;
mod begun;
mod bumping;
mod by_hand;
mod configuration;
mod flow;
mod github;
mod incoming;
mod intents;
mod links;
mod lock_said;
mod locks;
mod lookup;
mod members;
mod migrating;
mod outlook;
mod overriding;
mod places;
mod policies;
mod promoting;
mod questions;
mod ship;
mod tags;
mod taking_back;
#[cfg(test)]
mod tests;
mod together;
mod votes;
mod why;

pub(crate) use auditing::hour_of;
pub use incoming::Incoming;
pub use lookup::approver_lines;
pub use why::{Explanation, Inquiry, Why};

use crate::chat::direct;
use crate::clock::Clock;
use crate::defects::{Panicked, caught, round};
use crate::setup::Setup;
use crate::store::{InboxRow, SeenReaction, Store, StoreError};
use apart::apart;
use slipway_core::release::Release;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tracing::{error, warn};
use votes::{Button, Told};

/// How often handling a delivery may fail before it is given up and kept for somebody to look at.
const HANDLE_ATTEMPTS_LIMIT: i64 = 5;
/// How long the engine rests after a failure of the store.
const REST_AFTER_FAILURE_MS: u64 = 500;
/// How long the engine waits for a signal before it looks by itself.
const LOOK_ANYWAY_MS: u64 = 1_000;

/// Signals between the parts of the process. Losing one costs a second, never an event.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// Something is in the inbox.
    pub inbox: Arc<Notify>,
    /// Effects may be due.
    pub effects: Arc<Notify>,
    /// Messages may be due.
    pub messages: Arc<Notify>,
    /// Somebody asks what only the outside can answer.
    pub lookups: Arc<Notify>,
    /// GitHub told of something, perhaps of a pull request.
    pub pull_requests: Arc<Notify>,
}

/// The engine with all it needs.
#[derive(Clone, Debug)]
pub struct Engine {
    /// The store.
    pub store: Store,
    /// Configuration, people and policies.
    pub setup: Arc<Setup>,
    /// The clock.
    pub clock: Clock,
    /// Signals to the executor and the publisher.
    pub signals: Signals,
}

/// Why a delivery could not be handled. Nothing of it has happened.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the inbox holds cannot be read.
    #[error("the inbox holds something that this version cannot read: {0}")]
    Unreadable(serde_json::Error),
    /// The operating system gives no chance.
    #[error("the operating system gives no random bytes: {0}")]
    NoChance(#[from] getrandom::Error),
    /// One thing led to another without end.
    #[error("more than {} transitions followed from one delivery", apply::CHAIN_LIMIT)]
    Endless,
    /// Handling it panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

impl Engine {
    /// Handles deliveries for ever.
    pub async fn run(self) {
        let started_ms = self.clock.now_ms();
        let mut open_is_judged = false;
        loop {
            if !open_is_judged {
                open_is_judged = self.judges_open(started_ms).await;
            }
            match round("taking a delivery", self.handle_next()).await {
                Some(true) => {}
                Some(false) => {
                    // Both are fine: a signal, or the time to look by itself.
                    let _ = tokio::time::timeout(Duration::from_millis(LOOK_ANYWAY_MS), self.signals.inbox.notified())
                        .await;
                }
                None => tokio::time::sleep(Duration::from_millis(REST_AFTER_FAILURE_MS)).await,
            }
        }
    }

    /// The same until it works, as no timer makes up for it. Nobody waits for that.
    async fn judges_open(&self, started_ms: i64) -> bool {
        round("judging what waits", self.judge_open(started_ms)).await.is_some()
    }

    /// Lets everything that waits be judged again: policy, people and freezes may be others than before the start,
    /// and no timer knows of that.
    async fn judge_open(&self, started_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        let open = self.store.releases_open(&mut tx, lookup::OPEN_LIMIT).await?;
        // One connection writes: `deliver` would wait for this transaction.
        drop(tx);
        for release in open.into_iter().filter(Release::wants_judgement) {
            let judge = Incoming::Judge { release: release.id.clone() };
            self.store.deliver(&format!("start/{started_ms}/{}", release.id), &judge, &self.clock).await?;
        }
        Ok(())
    }

    /// Handles the oldest delivery. False: there is none.
    ///
    /// # Errors
    /// When the store fails; the delivery is still there.
    pub async fn handle_next(&self) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        let Some(row) = self.store.inbox_next(&mut tx).await? else { return Ok(false) };
        let rules = self.setup.rules();
        // Boxed: what all kinds of deliveries need together is much for a stack.
        let handled = caught("handling a delivery", Box::pin(self.handle(tx, &row))).await;
        let handled = handled.unwrap_or_else(|panicked| {
            // The transaction is undone, and so is what it may have put in force.
            self.setup.replace_rules(rules);
            Err(panicked.into())
        });
        match handled {
            Ok(()) => {
                self.signals.effects.notify_one();
                self.signals.messages.notify_one();
            }
            Err(error) => self.failed(&row, &error).await?,
        }
        Ok(true)
    }

    async fn handle(&self, mut tx: crate::store::Tx, row: &InboxRow) -> Result<(), EngineError> {
        let incoming: Incoming = serde_json::from_str(&row.body).map_err(EngineError::Unreadable)?;
        // What somebody does in the conversation with the bot, or on their page, may change what the page shows.
        let sender = incoming.sender().map(|(who, channel)| (who.clone(), channel.to_owned()));
        let home = sender.as_ref().and_then(|(_, channel)| direct::home_beside(channel));
        let mut work = apply::Work::new(self, &mut tx);
        let mut replaced = None;
        match incoming {
            Incoming::Typed { who, channel, text } => apart(|| work.typed(row.id, &who, &channel, &text)).await?,
            Incoming::Pressed { who, channel, message, verb, plan } => {
                let button = Button { message: &message, verb, plan: plan.as_deref() };
                apart(|| work.pressed(row.id, &who, &channel, &button)).await?;
            }
            Incoming::Reacted { who, channel, message, stance, added, at_us, name, found } => {
                let (who, channel, message, at) = (&who, &channel, &message, at_us.unwrap_or(0));
                let seen = SeenReaction { channel, message, who, stance, name: &name, added, at_us: at };
                let told = match (found, at_us) {
                    (true, _) => Told::Found,
                    (false, Some(_)) => Told::Timed,
                    (false, None) => Told::Now,
                };
                apart(|| work.reacted(row.id, &seen, told)).await?;
            }
            Incoming::Happened { release, event } => apart(|| work.happened(&release, event)).await?,
            Incoming::PoliciesChanged { version } => replaced = apart(|| work.policies_changed(version)).await?,
            Incoming::PoliciesRefused { by, mistakes } => apart(|| work.policies_refused(&by, &mistakes)).await?,
            Incoming::MembersSeen { source, members, at } => apart(|| work.members_seen(&source, members, at)).await?,
            Incoming::MembersUnseen { source, what, at, again_at } => {
                apart(|| work.members_unseen(&source, what, at, again_at)).await?;
            }
            Incoming::Judge { release } => apart(|| work.judge_again(&release)).await?,
            Incoming::Started { version, configuration } => apart(|| work.started(&version, &configuration)).await?,
            Incoming::AnchorDue { day } => apart(|| work.anchor_due(day)).await?,
            Incoming::StrangersDue { hour } => apart(|| work.strangers_counted(hour)).await?,
            Incoming::LockDue { environment } => apart(|| work.lock_due(&environment)).await?,
            Incoming::GithubSpoke { repository } => apart(|| work.github_spoke(&repository)).await?,
            Incoming::TargetsSeen { environment, look } => apart(|| work.targets_seen(&environment, look)).await?,
            Incoming::IntentDue { intent, green } => apart(|| work.intent_due(&intent, green)).await?,
            Incoming::PromotionDue { environment } => apart(|| work.promotion_due(&environment)).await?,
            Incoming::FlowSeen { environment, sight } => apart(|| work.flow_seen(&environment, *sight)).await?,
            Incoming::FlowDue { environment } => apart(|| work.flow_due(&environment)).await?,
        }
        if let Some((who, channel)) = &sender {
            work.keep_promise(row.id, who, channel).await?;
        }
        if let Some(home) = home {
            self.store.home_touch(&mut tx, &home, direct::HOME_KEY).await?;
        }
        let consumed = self.store.inbox_consume(&mut tx, row.id, self.clock.now_ms(), None).await;
        let done = match consumed {
            Ok(()) => tx.commit().await.map_err(StoreError::from),
            Err(error) => Err(error),
        };
        // What is in force is what the store says that is in force.
        if let (Err(_), Some(before)) = (&done, replaced) {
            self.setup.replace_rules(before);
        }
        Ok(done?)
    }

    /// Counts the failure; after too many the delivery is put aside, so that it does not stop all others.
    async fn failed(&self, row: &InboxRow, error: &EngineError) -> Result<(), StoreError> {
        if aside::store_is_in_trouble(error) {
            error!(%error, inbox = row.id, "the store is in trouble, the delivery waits");
            tokio::time::sleep(Duration::from_millis(REST_AFTER_FAILURE_MS)).await;
            return Ok(());
        }
        let unreadable = matches!(error, EngineError::Unreadable(_) | EngineError::Endless);
        if unreadable || row.attempts + 1 >= HANDLE_ATTEMPTS_LIMIT {
            error!(%error, inbox = row.id, "a delivery could not be handled and is put aside");
            self.put_aside(row, error).await?;
            self.signals.messages.notify_one();
            return Ok(());
        }
        warn!(%error, inbox = row.id, "a delivery could not be handled, it is tried again");
        self.store.inbox_failed_once(row.id).await?;
        tokio::time::sleep(Duration::from_millis(REST_AFTER_FAILURE_MS)).await;
        Ok(())
    }
}
