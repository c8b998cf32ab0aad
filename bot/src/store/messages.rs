//! What the channels show.

use super::{Store, StoreError, Tx, from_json, sql, to_json};
use slipway_core::ids::{PersonId, ReleaseId};
use slipway_core::message::Message;
use slipway_core::plan::PlanDigest;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

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
    /// What it says; `None`: the card of its release, drawn when it is published.
    pub body: Option<Message>,
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
    let body: Option<String> = row.get(5);
    Ok(MessageRow {
        id: row.get(0),
        message: NewMessage {
            channel: row.get(1),
            key: row.get(2),
            release: row.get::<Option<String>, _>(3).map(ReleaseId::new),
            only_for: row.get::<Option<String>, _>(4).map(PersonId::new),
            body: body.map(|body| from_json("a message", &body)).transpose()?,
        },
        wanted: row.get(6),
        external_id: row.get(7),
        failures: row.get(8),
    })
}

impl Store {
    /// Adds a message, unless one with its key is there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_put(&self, tx: &mut Tx, message: &NewMessage) -> Result<(), StoreError> {
        let NewMessage { channel, key, release, only_for, body } = message;
        sqlx::query(sql::MESSAGE_PUT)
            .bind(channel)
            .bind(key)
            .bind(release.as_ref().map(ReleaseId::as_str))
            .bind(only_for.as_ref().map(PersonId::as_str))
            .bind(body.as_ref().map(to_json).transpose()?)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Marks the cards of a release as out of date.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn cards_touch(&self, tx: &mut Tx, release: &ReleaseId) -> Result<(), StoreError> {
        sqlx::query(sql::MESSAGES_TOUCH).bind(release.as_str()).execute(&mut **tx).await?;
        Ok(())
    }

    /// Marks the cards of everything that is under way as out of date, because time has passed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn cards_refresh(&self) -> Result<(), StoreError> {
        sqlx::query(sql::CARDS_REFRESH).execute(&self.write).await?;
        Ok(())
    }

    /// Messages that are out of date. One that cannot be read, given by its id and the revision that was wanted,
    /// does not keep the others from being shown.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn messages_due(
        &self,
        now_ms: i64,
        limit: u32,
    ) -> Result<Vec<Result<MessageRow, UnreadableMessage>>, StoreError> {
        let rows = sqlx::query(sql::MESSAGES_DUE).bind(now_ms).bind(limit).fetch_all(&self.read).await?;
        let unreadable =
            |row: &SqliteRow, error: StoreError| UnreadableMessage { id: row.get(0), wanted: row.get(6), error };
        Ok(rows.iter().map(|row| read(row).map_err(|error| unreadable(row, error))).collect())
    }

    /// Records what the channel shows now, and for a card the plan that it shows.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_published(
        &self,
        id: i64,
        revision: i64,
        external_id: &str,
        plan: Option<&PlanDigest>,
    ) -> Result<(), StoreError> {
        sqlx::query(sql::MESSAGE_PUBLISHED)
            .bind(id)
            .bind(revision)
            .bind(external_id)
            .bind(plan.map_or("", PlanDigest::as_str))
            .execute(&self.write)
            .await?;
        Ok(())
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
    ) -> Result<Option<String>, StoreError> {
        let shown = sqlx::query_scalar(sql::MESSAGE_SHOWN_PLAN).bind(channel).bind(release.as_str());
        Ok(shown.fetch_optional(&mut **tx).await?)
    }

    /// Puts a message off after a failure.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_later(&self, id: i64, not_before_ms: i64) -> Result<(), StoreError> {
        sqlx::query(sql::MESSAGE_LATER).bind(id).bind(not_before_ms).execute(&self.write).await?;
        Ok(())
    }

    /// Gives a revision of a message up; the next change tries again, as often as a new one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_give_up(&self, id: i64, revision: i64) -> Result<(), StoreError> {
        sqlx::query(sql::MESSAGE_GIVE_UP).bind(id).bind(revision).execute(&self.write).await?;
        Ok(())
    }

    /// When the next message is due, in milliseconds since 1970.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_next_due_ms(&self) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar(sql::MESSAGES_NEXT_DUE).fetch_one(&self.read).await?)
    }

    /// The release whose card a message is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_release(
        &self,
        tx: &mut Tx,
        channel: &str,
        key: &str,
    ) -> Result<Option<ReleaseId>, StoreError> {
        let id: Option<Option<String>> =
            sqlx::query_scalar(sql::MESSAGE_RELEASE).bind(channel).bind(key).fetch_optional(&mut **tx).await?;
        Ok(id.flatten().map(ReleaseId::new))
    }
}
