//! What came in.

use super::{Store, StoreError, Tx, from_json, sql, to_json};
use crate::chat::Reply;
use crate::clock::Clock;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

/// How a delivery was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It is durable now.
    Accepted,
    /// It had come before.
    Repeated,
}

/// A delivery that waits.
#[derive(Clone, Debug)]
pub struct InboxRow {
    /// Its place in the order of arrival.
    pub id: i64,
    /// What it says.
    pub body: String,
    /// How often handling it has failed.
    pub attempts: i64,
}

/// Writes a delivery in the transaction of its sender.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    key: &str,
    body: &str,
    received_at: i64,
    reply: Option<&str>,
) -> Result<Delivery, StoreError> {
    let put = sqlx::query(sql::INBOX_PUT).bind(key).bind(body).bind(received_at).bind(reply);
    let done = put.execute(connection).await?;
    Ok(if done.rows_affected() == 1 { Delivery::Accepted } else { Delivery::Repeated })
}

impl Store {
    /// Makes a delivery durable. The key is unique per delivery, so that one that comes twice is handled once.
    ///
    /// # Errors
    /// When it could not be made durable: the sender must not be told that it was.
    pub async fn deliver<T: serde::Serialize>(
        &self,
        key: &str,
        incoming: &T,
        clock: &Clock,
    ) -> Result<Delivery, StoreError> {
        self.deliver_with_reply(key, incoming, None, clock).await
    }

    /// The same with where its chat takes the answer.
    ///
    /// # Errors
    /// When it could not be made durable: the sender must not be told that it was.
    pub async fn deliver_with_reply<T: serde::Serialize>(
        &self,
        key: &str,
        incoming: &T,
        reply: Option<&Reply>,
        clock: &Clock,
    ) -> Result<Delivery, StoreError> {
        let body = to_json(incoming)?;
        let reply = reply.map(to_json).transpose()?;
        let mut tx = self.begin().await?;
        let delivery = put(&mut tx, key, &body, clock.now_ms(), reply.as_deref()).await?;
        tx.commit().await?;
        Ok(delivery)
    }

    /// The oldest delivery that waits.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn inbox_next(&self, tx: &mut Tx) -> Result<Option<InboxRow>, StoreError> {
        let row = sqlx::query(sql::INBOX_NEXT).fetch_optional(&mut **tx).await?;
        // Of a row that holds other kinds of values than it should, what it says cannot be read either: it is put aside as such.
        let read = |row: SqliteRow| InboxRow {
            id: row.get(0),
            body: row.try_get(1).unwrap_or_default(),
            attempts: row.try_get(2).unwrap_or_default(),
        };
        Ok(row.map(read))
    }

    /// Where the chat of a delivery takes the answer, if it says so.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn inbox_reply(&self, tx: &mut Tx, id: i64) -> Result<Option<Reply>, StoreError> {
        let reply: Option<Option<String>> =
            sqlx::query_scalar(sql::INBOX_REPLY).bind(id).fetch_optional(&mut **tx).await?;
        reply.flatten().map(|reply| from_json("where an answer goes", &reply)).transpose()
    }

    /// Where the chat of a delivery takes the answer, if it says so and nothing goes there yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn inbox_unanswered(&self, tx: &mut Tx, id: i64) -> Result<Option<Reply>, StoreError> {
        let reply: Option<String> =
            sqlx::query_scalar(sql::INBOX_UNANSWERED).bind(id).fetch_optional(&mut **tx).await?;
        reply.map(|reply| from_json("where an answer goes", &reply)).transpose()
    }

    /// Marks a delivery as handled, or as given up with a problem.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn inbox_consume(
        &self,
        tx: &mut Tx,
        id: i64,
        now_ms: i64,
        problem: Option<&str>,
    ) -> Result<(), StoreError> {
        sqlx::query(sql::INBOX_CONSUME).bind(id).bind(now_ms).bind(problem).execute(&mut **tx).await?;
        Ok(())
    }

    /// Writes other words in the place of a delivery's: it held something that is not to be kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn inbox_rewrite<T: serde::Serialize>(
        &self,
        tx: &mut Tx,
        id: i64,
        incoming: &T,
    ) -> Result<(), StoreError> {
        sqlx::query(sql::INBOX_REWRITE).bind(id).bind(to_json(incoming)?).execute(&mut **tx).await?;
        Ok(())
    }

    /// Counts a failed try to handle a delivery, outside of the transaction that was undone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn inbox_failed_once(&self, id: i64) -> Result<(), StoreError> {
        sqlx::query(sql::INBOX_FAILED_ONCE).bind(id).execute(&self.write).await?;
        Ok(())
    }

    /// How many deliveries wait.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn inbox_waiting(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(sql::INBOX_WAITING).fetch_one(&self.read).await?)
    }

    /// Forgets handled deliveries received before a moment; those given up stay for somebody to look at.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn inbox_forget(&self, before_ms: i64) -> Result<u64, StoreError> {
        Ok(sqlx::query(sql::INBOX_FORGET).bind(before_ms).execute(&self.write).await?.rows_affected())
    }
}
