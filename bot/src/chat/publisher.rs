//! The publisher: makes channels show what they should. Changes are coalesced: a card is drawn from its release
//! as it is at that moment, so however many changes there were, the newest state is shown and the last is never
//! lost.

#[cfg(test)]
mod tests;

use super::drawing::{Drawing, Drawn};
use super::{Chat, ChatError, Outgoing};
use crate::clock::Clock;
use crate::defects::{Panicked, caught, round};
use crate::engine::Signals;
use crate::rest;
use crate::setup::Setup;
use crate::standing::Company;
use crate::store::{MessageRow, Shown, Store, StoreError};
use futures::future::join_all;
use jiff::Timestamp;
use slipway_core::message::Message;
use slipway_core::person::{Directory, Platform};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tracing::{error, info, warn};

/// How many messages are taken at once.
const BATCH_LIMIT: u32 = 50;
/// In how many channels of a chat messages are published beside each other.
const CHANNELS_AT_ONCE_LIMIT: usize = 50;
/// How long a chat may take to show a message.
const SHOW_LIMIT: Duration = Duration::from_secs(20);
/// How often in a row a message may fail before that revision is given up, after about an hour. What is in the channel
/// already is brought up to date however long that takes: the end of a release changes its card no more.
const FAILURES_LIMIT: i64 = 40;
/// The longest rest after a failure.
const BACKOFF_LIMIT_MS: i64 = 120_000;
/// How often what is for chats that are switched off is given up.
const ELSEWHERE_EVERY: Duration = Duration::from_secs(1);
/// How often a message that somebody deletes is posted again.
const POST_AGAIN_LIMIT: i64 = 1;

/// How it went with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Published {
    /// Nothing is left to do for this revision.
    Done,
    /// It must wait.
    Later,
    /// The chat did not take it.
    Failed,
}

/// What is due, by channel.
type Due = BTreeMap<String, Vec<MessageRow>>;

/// The channels of a chat in which something is under way, each by its task.
#[derive(Default)]
struct Channels {
    tasks: JoinSet<()>,
    names: HashMap<Id, String>,
}

impl Channels {
    fn busy(&self) -> BTreeSet<String> {
        self.names.values().cloned().collect()
    }

    /// In how many more something may be begun.
    fn room(&self) -> usize {
        CHANNELS_AT_ONCE_LIMIT.saturating_sub(self.names.len())
    }

    fn begin(&mut self, channel: String, work: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(work);
        self.names.insert(task.id(), channel);
    }

    /// Waits until nothing more is under way in one of them; for ever where there is none.
    async fn one_ends(&mut self) {
        let Some(ended) = self.tasks.join_next_with_id().await else { return std::future::pending().await };
        self.ended(ended);
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.ended(ended);
        }
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                error!(%error, "publishing in a channel ended");
                error.id()
            }
        };
        self.names.remove(&id);
    }
}

/// The publisher with all it needs.
#[derive(Debug)]
pub struct Publisher {
    store: Store,
    setup: Arc<Setup>,
    clock: Clock,
    signals: Signals,
    chats: Vec<Arc<dyn Chat>>,
}

impl Publisher {
    /// A publisher to these chats.
    #[must_use]
    pub fn new(store: Store, setup: Arc<Setup>, clock: Clock, signals: Signals, chats: Vec<Arc<dyn Chat>>) -> Self {
        Self { store, setup, clock, signals, chats }
    }

    /// Publishes for ever, to each chat by itself: one that is slow or down holds up no other.
    pub async fn run(self) {
        let publisher = Arc::new(self);
        let (wanted, wants) = watch::channel(());
        let pass_on = async {
            loop {
                publisher.signals.messages.notified().await;
                wanted.send_replace(());
            }
        };
        let chats = join_all(publisher.chats.iter().map(|chat| publisher.publish_to(chat.as_ref(), wants.clone())));
        tokio::join!(pass_on, chats, publisher.give_up_elsewhere());
    }

    /// Publishes to one chat for ever, with a task for each channel in which something is due: one that is slow, or fails,
    /// holds up no other.
    async fn publish_to(self: &Arc<Self>, chat: &dyn Chat, mut wants: watch::Receiver<()>) {
        let mut refreshed = Instant::now();
        let mut channels = Channels::default();
        loop {
            if refreshed.elapsed() >= chat.refresh_every() {
                refreshed = Instant::now();
                if let Err(error) = self.store.cards_refresh(chat.platform()).await {
                    error!(%error, "cards could not be refreshed");
                }
            }
            wants.mark_unchanged();
            if round("looking for messages", self.begin_due(chat.platform(), &mut channels)).await.is_none() {
                tokio::time::sleep(rest::AFTER_FAILURE).await;
            }
            let (busy, has_room) = (channels.busy(), channels.room() > 0);
            tokio::select! {
                () = channels.one_ends() => {}
                () = self.rest(chat.platform(), &busy, &mut wants), if has_room => {}
            }
        }
    }

    /// Begins to publish in the channels in which something is due and nothing is under way.
    async fn begin_due(self: &Arc<Self>, platform: &str, channels: &mut Channels) -> Result<(), StoreError> {
        let room = channels.room();
        if room == 0 {
            return Ok(());
        }
        let (due, people) = self.due_in(platform, &channels.busy()).await?;
        for (channel, rows) in due.into_iter().take(room) {
            let (publisher, people, name) = (self.clone(), people.clone(), channel.clone());
            channels.begin(channel, async move {
                if let Err(error) = publisher.publish_in_turn(&rows, &people).await {
                    error!(channel = name, %error, "messages could not be published");
                    tokio::time::sleep(rest::AFTER_FAILURE).await;
                }
            });
        }
        Ok(())
    }

    async fn rest(&self, platform: &str, busy: &BTreeSet<String>, wants: &mut watch::Receiver<()>) {
        let now_ms = self.clock.now_ms();
        let due = self.store.message_next_due_ms(busy, &prefix(platform), now_ms).await.ok().flatten();
        rest::until_due(wants.changed(), due, now_ms).await;
    }

    /// Gives up what is for chats that are switched off.
    async fn give_up_elsewhere(&self) {
        let is_off = |platform: &&str| self.chats.iter().all(|chat| chat.platform() != *platform);
        let off: Vec<_> = Platform::ALL.map(Platform::key).into_iter().filter(is_off).collect();
        let mut ticks = tokio::time::interval(ELSEWHERE_EVERY);
        loop {
            ticks.tick().await;
            for platform in &off {
                if let Err(error) = self.publish_due_in(platform).await {
                    error!(%error, "messages could not be given up");
                }
            }
        }
    }

    /// Publishes what is due anywhere. Gives in how many channels something was due.
    ///
    /// # Errors
    /// When the store fails; what it does not fail is published all the same.
    pub async fn publish_due(&self) -> Result<usize, StoreError> {
        let looked_at = join_all(Platform::ALL.map(|platform| self.publish_due_in(platform.key()))).await;
        looked_at.into_iter().sum()
    }

    /// Publishes what is due in one chat, in order in each channel, the channels beside each other.
    async fn publish_due_in(&self, platform: &str) -> Result<usize, StoreError> {
        let (due, people) = self.due_in(platform, &BTreeSet::new()).await?;
        let published = join_all(due.values().map(|rows| self.publish_in_turn(rows, &people))).await;
        published.into_iter().collect::<Result<(), _>>()?;
        Ok(due.len())
    }

    /// What is due in the channels of one chat in which nothing is under way, and for whom it is drawn.
    async fn due_in(&self, platform: &str, busy: &BTreeSet<String>) -> Result<(Due, Arc<Directory>), StoreError> {
        let now = self.clock.now();
        let mut channels = Due::new();
        for row in self.store.messages_due_beside(busy, &prefix(platform), now.as_millisecond(), BATCH_LIMIT).await? {
            match row {
                Ok(row) => channels.entry(row.message.channel.clone()).or_default().push(row),
                Err(row) => {
                    error!(message = row.id, error = %row.error, "a message cannot be read and is given up");
                    self.store.message_give_up(row.id, row.wanted).await?;
                }
            }
        }
        if channels.is_empty() {
            return Ok((channels, Arc::default()));
        }
        Ok((channels, Company::shown(&self.store, &self.setup, now).await?.people))
    }

    /// Publishes the messages of one channel. Behind one that is still to be posted no other is posted: they stay due.
    async fn publish_in_turn(&self, rows: &[MessageRow], people: &Directory) -> Result<(), StoreError> {
        let mut held_up = false;
        for row in rows {
            let is_post = row.external_id.is_none();
            if held_up && is_post && row.message.only_for.is_none() {
                continue;
            }
            let published = match caught("publishing a message", Box::pin(self.publish(row, people))).await {
                Ok(published) => published?,
                Err(Panicked) => {
                    error!(
                        channel = row.message.channel,
                        key = row.message.key,
                        "a message is given up until it changes"
                    );
                    self.give_up(row).await?
                }
            };
            match published {
                Published::Done => {}
                // A chat that is slow would hold up the others, message by message.
                Published::Failed => return Ok(()),
                Published::Later => held_up |= is_post && row.message.only_for.is_none(),
            }
        }
        Ok(())
    }

    async fn publish(&self, row: &MessageRow, people: &Directory) -> Result<Published, StoreError> {
        let platform = row.message.channel.split_once(':').map_or("", |(platform, _)| platform);
        let Some(chat) = self.chats.iter().find(|chat| chat.platform() == platform) else {
            warn!(channel = row.message.channel, "there is no chat for this channel");
            return self.give_up(row).await;
        };
        let mut what = Outgoing {
            message: &row.message,
            external_id: row.external_id.as_deref(),
            thread: row.thread.as_deref(),
            reply: row.reply.as_ref(),
            unsure_since: row.posting_since_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
            plan: None,
            is_first_try: row.failures == 0,
            posted_again: row.posted_again,
            card: None,
        };
        if let Err(wait) = chat.admit(&what) {
            let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX).clamp(1, BACKOFF_LIMIT_MS);
            self.store.message_paced(row.id, self.clock.now_ms() + wait_ms).await?;
            return Ok(Published::Later);
        }
        let drawing = Drawing { store: &self.store, setup: &self.setup, now: self.clock.now() };
        let drawn = match drawing.of(row, people).await {
            Ok(Some(drawn)) => drawn,
            Ok(None) => return self.give_up(row).await,
            Err(error @ StoreError::Unreadable { .. }) => {
                error!(message = row.id, %error, "a message cannot be drawn and is given up");
                return self.give_up(row).await;
            }
            Err(error) => return Err(error),
        };
        what.plan = drawn.plan();
        if let (Some(release), Some(_), Some(_)) = (&row.message.release, &row.message.only_for, &row.message.body) {
            what.card = self.store.card_place(release, chat.platform()).await?;
        }
        if what.external_id.is_none() && row.posting_since_ms.is_none() {
            self.store.message_posting(row.id, self.clock.now_ms()).await?;
        }
        let shown = show(chat.as_ref(), &what, &drawn, people).await;
        let new_id = shown.as_ref().ok().filter(|id| row.external_id.as_ref() != Some(id));
        let (is_new, goes_on) = (new_id.is_some(), new_id.filter(|_| row.external_id.is_some()));
        let left = goes_on.and_then(|id| chat.left_behind(&what, id));
        let published = self.shown(row, (&drawn, left.as_ref()), shown).await?;
        if is_new {
            chat.is_recorded(&what);
        }
        Ok(published)
    }

    async fn shown(
        &self,
        row: &MessageRow,
        (drawn, left): (&Drawn, Option<&Message>),
        shown: Result<String, ChatError>,
    ) -> Result<Published, StoreError> {
        let channel = &row.message.channel;
        match shown {
            Ok(external_id) => {
                let now_ms = self.clock.now_ms();
                let shown = Shown { external_id: &external_id, plan: drawn.plan(), left };
                self.store.message_published(row.id, row.wanted, shown, now_ms).await?;
                Ok(Published::Done)
            }
            Err(ChatError::Gone) if row.posted_again < POST_AGAIN_LIMIT => {
                info!(channel, key = row.message.key, "a message is gone and is posted again");
                self.store.message_gone(row.id).await?;
                Ok(Published::Later)
            }
            Err(ChatError::GoesOn) => {
                self.store.message_posting(row.id, self.clock.now_ms()).await?;
                Ok(Published::Later)
            }
            Err(error @ (ChatError::Gone | ChatError::Never(_))) => {
                warn!(channel, key = row.message.key, %error, "a message cannot be shown");
                // One that is there still shows what it showed: nobody approves under it what it does not show.
                if row.external_id.is_some() && matches!(error, ChatError::Gone) {
                    self.store.message_lost(row.id).await?;
                }
                self.give_up(row).await
            }
            // What one person may have read already is not said again and again.
            Err(ChatError::Later { maybe_taken: true, .. }) if row.message.only_for.is_some() && row.failures > 0 => {
                self.give_up(row).await
            }
            // An old message that leads on says nothing else any more.
            Err(ChatError::Later { what, .. })
                if (row.external_id.is_none() || row.message.leads_on()) && row.failures + 1 >= FAILURES_LIMIT =>
            {
                error!(channel, what, "a message is given up until it changes");
                self.give_up(row).await
            }
            Err(ChatError::Later { what, after_ms, maybe_taken }) => {
                warn!(channel, what, "a message is shown later");
                let backoff = rest::backoff_ms(row.failures, BACKOFF_LIMIT_MS);
                let again_ms = self.clock.now_ms() + after_ms.unwrap_or(backoff);
                self.store.message_later(row.id, again_ms, maybe_taken || row.posting_since_ms.is_some()).await?;
                Ok(Published::Failed)
            }
        }
    }

    async fn give_up(&self, row: &MessageRow) -> Result<Published, StoreError> {
        self.store.message_give_up(row.id, row.wanted).await?;
        Ok(Published::Done)
    }
}

/// What the channels of a chat begin with.
fn prefix(platform: &str) -> String {
    format!("{platform}:")
}

async fn show(chat: &dyn Chat, what: &Outgoing<'_>, drawn: &Drawn, people: &Directory) -> Result<String, ChatError> {
    let shown = async {
        match drawn {
            Drawn::Message { body, .. } => chat.show(what, body, people).await,
            Drawn::Home(parts) => chat.show_home(what, parts, people).await,
        }
    };
    tokio::time::timeout(SHOW_LIMIT, shown).await.unwrap_or_else(|_| {
        let what = format!("it took longer than {} s", SHOW_LIMIT.as_secs());
        Err(ChatError::Later { what, after_ms: None, maybe_taken: true })
    })
}
