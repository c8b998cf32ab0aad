//! Questions whose answers are outside. They change nothing, so they are no effects of a release.

use super::{NewMessage, Store, StoreError, Tx, from_json, sql, to_json};
use serde::{Deserialize, Serialize};
use slipway_core::ids::EnvironmentKey;
use slipway_core::message::Message;
use sqlx::Row as _;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "question", rename_all = "snake_case")]
pub enum Question {
    /// What the database has of the migrations at the commit that runs.
    MigrationStatus {
        /// Where.
        key: EnvironmentKey,
    },
    /// What is pending of those at a branch, tag or commit; `None` is the default branch.
    MigrationPlan {
        /// Where.
        key: EnvironmentKey,
        /// Untrusted text.
        reference: Option<String>,
    },
    /// Which keys the configuration has, and which differ since what runs was started.
    Configuration {
        /// Where.
        environments: Vec<EnvironmentKey>,
    },
}

/// A question that has no answer yet.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// Its id.
    pub id: i64,
    /// The channel of its message.
    pub channel: String,
    /// The key of its message.
    pub key: String,
    /// What is asked; an error when this version cannot read it.
    pub question: Result<Question, String>,
}

impl Store {
    /// Keeps a question, and a place for its answer. False: so many wait already, and nothing was kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lookup_put(
        &self,
        tx: &mut Tx,
        place: &NewMessage,
        delivery: i64,
        question: &Question,
        (limit, now_ms): (i64, i64),
    ) -> Result<bool, StoreError> {
        let waiting: i64 = sqlx::query_scalar(sql::LOOKUPS_WAITING).fetch_one(&mut **tx).await?;
        if waiting >= limit {
            return Ok(false);
        }
        self.message_put_for(tx, place, Some(delivery)).await?;
        let (channel, key) = (&place.channel, &place.key);
        sqlx::query(sql::MESSAGE_NOT_YET).bind(channel).bind(key).execute(&mut **tx).await?;
        let put = sqlx::query(sql::LOOKUP_PUT).bind(channel).bind(key).bind(to_json(question)?).bind(now_ms);
        put.execute(&mut **tx).await?;
        Ok(true)
    }

    /// The oldest questions that have no answer yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lookups(&self, limit: u32) -> Result<Vec<Lookup>, StoreError> {
        let rows = sqlx::query(sql::LOOKUPS).bind(limit).fetch_all(&self.read).await?;
        let read = |row: &sqlx::sqlite::SqliteRow| Lookup {
            id: row.get(0),
            channel: row.get(1),
            key: row.get(2),
            question: from_json("a question", &row.get::<String, _>(3)).map_err(|error| error.to_string()),
        };
        Ok(rows.iter().map(read).collect())
    }

    /// Answers a question: its message is wanted now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lookup_answered(&self, lookup: &Lookup, answer: &Message) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let answered = sqlx::query(sql::MESSAGE_NOW).bind(&lookup.channel).bind(&lookup.key).bind(to_json(answer)?);
        answered.execute(&mut *tx).await?;
        sqlx::query(sql::LOOKUP_DONE).bind(lookup.id).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }
}
