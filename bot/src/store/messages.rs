//! What the channels show.

use super::{Store, StoreError, Tx, from_json, sql, to_json};
use crate::chat::Reply;
use slipway_core::ids::{CommitSha, PersonId, ReleaseId, ServiceName};
use slipway_core::message::Message;
use slipway_core::plan::PlanDigest;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use std::collections::BTreeSet;

/// What the keys of cards begin with.
pub const CARD_KEY_PREFIX: &str = "release/";
/// What the key of an old message begins with that leads to the one in which it goes on. What follows is the chat's id for
/// it.
const LEADS_ON_KEY_PREFIX: &str = "leads-on/";

/// A message to put into a channel.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Which channel, as in the configuration.
    pub channel: String,
    /// Unique in the channel: the same key twice is one message.
    pub key: String,
    /// The release it belongs to.
    pub release: Option<ReleaseId>,
    /// The only one who is to see it.
    pub only_for: Option<PersonId>,
    /// What it says; `None`: drawn when it is published, the card of its release or, in a thread, its details.
    pub body: Option<Message>,
    /// The key of the message of the same channel in whose thread it is.
    pub thread_of: Option<String>,
}

impl NewMessage {
    /// A message for everybody in a channel.
    #[must_use]
    pub fn said(channel: impl Into<String>, key: impl Into<String>, body: Message) -> Self {
        let (channel, key) = (channel.into(), key.into());
        Self { channel, key, release: None, only_for: None, body: Some(body), thread_of: None }
    }

    /// The card of a release.
    #[must_use]
    pub fn card(channel: impl Into<String>, release: &ReleaseId) -> Self {
        let (channel, key) = (channel.into(), card_key(release));
        Self { channel, key, release: Some(release.clone()), only_for: None, body: None, thread_of: None }
    }

    /// All of a release, in the thread of its card.
    #[must_use]
    pub fn details(channel: impl Into<String>, release: &ReleaseId) -> Self {
        let key = format!("details/{release}");
        Self { key, thread_of: Some(card_key(release)), ..Self::card(channel, release) }
    }

    /// The same for one person alone.
    #[must_use]
    pub fn only_for(self, person: PersonId) -> Self {
        Self { only_for: Some(person), ..self }
    }

    /// The same about a release.
    #[must_use]
    pub fn about(self, release: &ReleaseId) -> Self {
        Self { release: Some(release.clone()), ..self }
    }

    /// Whether it is an old message that only leads to the one in which it goes on. It is never posted.
    #[must_use]
    pub fn leads_on(&self) -> bool {
        self.key.starts_with(LEADS_ON_KEY_PREFIX)
    }
}

/// The key of a release's card, the same in each channel.
#[must_use]
pub fn card_key(release: &ReleaseId) -> String {
    format!("{CARD_KEY_PREFIX}{release}")
}

/// What the channel shows of a message.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The chat's id for it.
    pub external_id: &'a str,
    /// The plan, if it is the card of a release that has one.
    pub plan: Option<&'a PlanDigest>,
    /// What the message is to say in which it was before, if it goes on in another one.
    pub left: Option<&'a Message>,
}

/// A message that the channel does not show yet as it should.
#[derive(Clone, Debug)]
pub struct MessageRow {
    /// Its id.
    pub id: i64,
    /// The message.
    pub message: NewMessage,
    /// The revision that is wanted.
    pub wanted: i64,
    /// The chat's id for it, once posted.
    pub external_id: Option<String>,
    /// How often in a row publishing it has failed.
    pub failures: i64,
    /// The chat's id for the message in whose thread it goes.
    pub thread: Option<String>,
    /// Where its chat takes it, when it is an answer.
    pub reply: Option<Reply>,
    /// When posting it was begun, in milliseconds since 1970, if nobody knows how that ended.
    pub posting_since_ms: Option<i64>,
    /// How often it was posted again because somebody had deleted it.
    pub posted_again: i64,
}

/// What a card shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownPlan {
    /// The digest of the plan; empty while it shows none.
    pub digest: String,
    /// Since when, in milliseconds since 1970.
    pub since_ms: i64,
}

/// A message that this version cannot read.
#[derive(Debug)]
pub struct UnreadableMessage {
    /// Its id.
    pub id: i64,
    /// The revision that is wanted.
    pub wanted: i64,
    /// How reading it fails.
    pub error: StoreError,
}

fn read(row: &SqliteRow) -> Result<MessageRow, StoreError> {
    let (body, reply): (Option<String>, Option<String>) = (row.get(5), row.get(10));
    Ok(MessageRow {
        id: row.get(0),
        message: NewMessage {
            channel: row.get(1),
            key: row.get(2),
            release: row.get::<Option<String>, _>(3).map(ReleaseId::new),
            only_for: row.get::<Option<String>, _>(4).map(PersonId::new),
            body: body.map(|body| from_json("a message", &body)).transpose()?,
            thread_of: row.get(9),
        },
        wanted: row.get(6),
        external_id: row.get(7),
        failures: row.get(8),
        thread: row.get(13),
        reply: reply.map(|reply| from_json("where an answer goes", &reply)).transpose()?,
        posting_since_ms: row.get(11),
        posted_again: row.get(12),
    })
}

impl Store {
    /// Adds a message, unless one with its key is there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_put(&self, tx: &mut Tx, message: &NewMessage) -> Result<(), StoreError> {
        self.message_put_for(tx, message, None).await
    }

    /// The same for what a delivery brought about: it goes where the delivery wants its answer, if it says so.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_put_for(
        &self,
        tx: &mut Tx,
        message: &NewMessage,
        delivery: Option<i64>,
    ) -> Result<(), StoreError> {
        let NewMessage { channel, key, release, only_for, body, thread_of } = message;
        sqlx::query(sql::MESSAGE_PUT)
            .bind(channel)
            .bind(key)
            .bind(release.as_ref().map(ReleaseId::as_str))
            .bind(only_for.as_ref().map(PersonId::as_str))
            .bind(body.as_ref().map(to_json).transpose()?)
            .bind(thread_of)
            .bind(delivery)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// The channels in which a message is said, at most so many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_channels(&self, tx: &mut Tx, key: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(sql::MESSAGE_CHANNELS).bind(key).bind(limit).fetch_all(&mut **tx).await?)
    }

    /// A message says something else from now on. Where it was never said it is not said now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_now(&self, tx: &mut Tx, channel: &str, key: &str, body: &Message) -> Result<(), StoreError> {
        sqlx::query(sql::MESSAGE_NOW).bind(channel).bind(key).bind(to_json(body)?).execute(&mut **tx).await?;
        Ok(())
    }

    /// Marks the cards of a release as out of date, and what is in their threads too where more than progress was made.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn cards_touch(&self, tx: &mut Tx, release: &ReleaseId, threads_too: bool) -> Result<(), StoreError> {
        sqlx::query(sql::MESSAGES_TOUCH).bind(release.as_str()).bind(threads_too).execute(&mut **tx).await?;
        Ok(())
    }

    /// Marks the cards of a service's newest releases of a commit as out of date.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn cards_touch_of(
        &self,
        tx: &mut Tx,
        service: &ServiceName,
        commit: &CommitSha,
        limit: u32,
    ) -> Result<(), StoreError> {
        let touched = sqlx::query(sql::MESSAGES_TOUCH_COMMIT).bind(service.as_str()).bind(commit.as_str()).bind(limit);
        touched.execute(&mut **tx).await?;
        Ok(())
    }

    /// Marks the cards in one chat of everything that is under way as out of date, because time has passed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn cards_refresh(&self, platform: &str) -> Result<(), StoreError> {
        sqlx::query(sql::CARDS_REFRESH).bind(platform).execute(&self.write).await?;
        Ok(())
    }

    /// Has the page of one person drawn anew if they have ever opened it, because of what they did.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn home_touch(&self, tx: &mut Tx, channel: &str, key: &str) -> Result<(), StoreError> {
        sqlx::query(sql::HOME_TOUCH).bind(channel).bind(key).execute(&mut **tx).await?;
        Ok(())
    }

    /// Has the page of one person drawn anew.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn home_wanted(&self, channel: &str, key: &str) -> Result<(), StoreError> {
        sqlx::query(sql::HOME_WANTED).bind(channel).bind(key).execute(&self.write).await?;
        Ok(())
    }

    /// Records that a message is about to be posted.
    ///
    /// # Errors
    /// When the store fails; then it must not be posted.
    pub async fn message_posting(&self, id: i64, now_ms: i64) -> Result<(), StoreError> {
        sqlx::query(sql::MESSAGE_POSTING).bind(id).bind(now_ms).execute(&self.write).await?;
        Ok(())
    }

    /// Somebody has deleted a message: it is to be posted again, and what was in its thread after it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_gone(&self, id: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(sql::MESSAGE_THREAD_GONE).bind(id).execute(&mut *tx).await?;
        sqlx::query(sql::MESSAGE_GONE).bind(id).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// Puts a message off because its chat takes no more just now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_paced(&self, id: i64, not_before_ms: i64) -> Result<(), StoreError> {
        sqlx::query(sql::MESSAGE_PACED).bind(id).bind(not_before_ms).execute(&self.write).await?;
        Ok(())
    }

    /// Messages that are out of date in the channels whose names begin so. One that cannot be read, given by its id and
    /// the revision that was wanted, does not keep the others from being shown.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn messages_due(
        &self,
        prefix: &str,
        now_ms: i64,
        limit: u32,
    ) -> Result<Vec<Result<MessageRow, UnreadableMessage>>, StoreError> {
        self.messages_due_beside(&BTreeSet::new(), prefix, now_ms, limit).await
    }

    /// The same without those in channels that are busy: however many are due there, they take no other's place.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn messages_due_beside(
        &self,
        busy: &BTreeSet<String>,
        prefix: &str,
        now_ms: i64,
        limit: u32,
    ) -> Result<Vec<Result<MessageRow, UnreadableMessage>>, StoreError> {
        let due = sqlx::query(sql::MESSAGES_DUE).bind(now_ms).bind(limit).bind(prefix).bind(to_json(busy)?);
        let rows = due.fetch_all(&self.read).await?;
        let unreadable =
            |row: &SqliteRow, error: StoreError| UnreadableMessage { id: row.get(0), wanted: row.get(6), error };
        Ok(rows.iter().map(|row| read(row).map_err(|error| unreadable(row, error))).collect())
    }

    /// Records what the channel shows now, and for a card the plan that it shows. Where the chat has another id for it than
    /// before, it goes on in another message; what the one left behind is to say becomes a message of its own, due at once.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_published(
        &self,
        id: i64,
        revision: i64,
        shown: Shown<'_>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let Shown { external_id, plan, left } = shown;
        let mut tx = self.begin().await?;
        if let Some(left) = left {
            let leads_on = sqlx::query(sql::MESSAGE_LEADS_ON).bind(id).bind(external_id).bind(LEADS_ON_KEY_PREFIX);
            leads_on.bind(to_json(left)?).execute(&mut *tx).await?;
        }
        sqlx::query(sql::MESSAGE_GOES_ON).bind(id).bind(external_id).execute(&mut *tx).await?;
        sqlx::query(sql::MESSAGE_PUBLISHED)
            .bind(id)
            .bind(revision)
            .bind(external_id)
            .bind(plan.map_or("", PlanDigest::as_str))
            .bind(now_ms)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// The digest of the plan that a release's card shows in a channel, empty if it shows none yet; `None` when the
    /// channel shows no card.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_shown_plan(
        &self,
        tx: &mut Tx,
        channel: &str,
        release: &ReleaseId,
    ) -> Result<Option<ShownPlan>, StoreError> {
        let shown = sqlx::query(sql::MESSAGE_SHOWN_PLAN).bind(channel).bind(release.as_str());
        let row = shown.fetch_optional(&mut **tx).await?;
        Ok(row.map(|row| ShownPlan { digest: row.get(0), since_ms: row.get::<Option<i64>, _>(1).unwrap_or(0) }))
    }

    /// Puts a message off after a failure. `maybe_posted`: it may be in the channel all the same.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_later(&self, id: i64, not_before_ms: i64, maybe_posted: bool) -> Result<(), StoreError> {
        let later = sqlx::query(sql::MESSAGE_LATER).bind(id).bind(not_before_ms).bind(maybe_posted);
        later.execute(&self.write).await?;
        Ok(())
    }

    /// Notes that the channel shows nothing of a message any more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_lost(&self, id: i64) -> Result<(), StoreError> {
        sqlx::query(sql::MESSAGE_LOST).bind(id).execute(&self.write).await?;
        Ok(())
    }

    /// Gives a revision of a message up, and what was to be posted in its thread; the next change tries again, as often as a new one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_give_up(&self, id: i64, revision: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(sql::MESSAGE_THREAD_GIVE_UP).bind(id).execute(&mut *tx).await?;
        sqlx::query(sql::MESSAGE_GIVE_UP).bind(id).bind(revision).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// When the next message of such channels is due, in milliseconds since 1970, but for those that are busy.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_next_due_ms(
        &self,
        busy: &BTreeSet<String>,
        prefix: &str,
        now_ms: i64,
    ) -> Result<Option<i64>, StoreError> {
        let next = sqlx::query_scalar(sql::MESSAGES_NEXT_DUE).bind(now_ms).bind(prefix).bind(to_json(busy)?);
        Ok(next.fetch_one(&self.read).await?)
    }

    /// The release whose card a message is. The message is named by its key or by the chat's id for it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_release(
        &self,
        tx: &mut Tx,
        channel: &str,
        message: &str,
    ) -> Result<Option<ReleaseId>, StoreError> {
        let id = sqlx::query_scalar(sql::MESSAGE_RELEASE).bind(channel).bind(message).fetch_optional(&mut **tx).await?;
        Ok(id.map(|id: String| ReleaseId::new(id)))
    }

    /// Whether a message goes on in another one. The message is named by the chat's id for it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_is_earlier(&self, tx: &mut Tx, channel: &str, message: &str) -> Result<bool, StoreError> {
        let earlier = sqlx::query_scalar(sql::MESSAGE_IS_EARLIER).bind(channel).bind(message);
        let count: i64 = earlier.fetch_one(&mut **tx).await?;
        Ok(count > 0)
    }

    /// The release that a message is about, card or not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_about(
        &self,
        tx: &mut Tx,
        channel: &str,
        message: &str,
    ) -> Result<Option<ReleaseId>, StoreError> {
        let id = sqlx::query_scalar(sql::MESSAGE_ABOUT).bind(channel).bind(message).fetch_optional(&mut **tx).await?;
        Ok(id.map(|id: String| ReleaseId::new(id)))
    }

    /// Where a release's card is in one chat: channel and the chat's id for it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn card_place(
        &self,
        release: &ReleaseId,
        platform: &str,
    ) -> Result<Option<(String, String)>, StoreError> {
        let place = sqlx::query(sql::CARD_PLACE).bind(release.as_str()).bind(platform);
        Ok(place.fetch_optional(&self.read).await?.map(|row| (row.get(0), row.get(1))))
    }

    /// The posted cards of everything that waits, in one chat, newest first: channel and the chat's id for each.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn cards_waiting(&self, platform: &str, limit: u32) -> Result<Vec<(String, String)>, StoreError> {
        let rows = sqlx::query(sql::MESSAGES_OF_WAITING).bind(platform).bind(limit).fetch_all(&self.read).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}
