//! Deployments that are to be asked for later.

use super::{Store, StoreError, Tx, from_json, sql, to_json};
use slipway_core::ids::{EnvironmentKey, EnvironmentName, IntentId, PersonId, ServiceName};
use slipway_core::intent::{Condition, Intent, MESSAGE_KEY_PREFIX, State};
use slipway_core::message::Message;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

/// The key of one's message, the same in each channel.
#[must_use]
pub fn intent_key(id: &IntentId) -> String {
    format!("{MESSAGE_KEY_PREFIX}{id}")
}

fn read(row: &SqliteRow) -> Result<Intent, StoreError> {
    from_json("a deferred deployment", &row.get::<String, _>(0))
}

/// Those that can be read: one that cannot is told and given up when something is due of it, and stops no other until then.
fn read_all(rows: &[SqliteRow]) -> Vec<Intent> {
    rows.iter().filter_map(|row| read(row).ok()).collect()
}

fn due_ms(intent: &Intent) -> Option<i64> {
    intent.due_at().map(|at| at.as_millisecond())
}

/// What it waits for, as a word to look for.
fn condition(intent: &Intent) -> &'static str {
    match intent.condition {
        Condition::Green => "green",
        Condition::Unlocked => "unlocked",
        Condition::At { .. } => "at",
    }
}

impl Store {
    /// Keeps a new one. One that waits for green CI is looked at at once.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intent_put(&self, tx: &mut Tx, intent: &Intent) -> Result<(), StoreError> {
        let asked_ms = intent.asked_at.as_millisecond();
        sqlx::query(sql::INTENT_PUT)
            .bind(intent.id.as_str())
            .bind(intent.key.service.as_str())
            .bind(intent.key.environment.as_str())
            .bind(intent.requester.as_str())
            .bind(condition(intent))
            .bind(to_json(intent)?)
            .bind(asked_ms)
            .bind(due_ms(intent))
            .bind((intent.condition == Condition::Green).then_some(asked_ms))
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Saves the end of one. False: it has ended before, and nothing was saved.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intent_end(&self, tx: &mut Tx, intent: &Intent) -> Result<bool, StoreError> {
        let release = match &intent.state {
            State::Begun { release, .. } => Some(release.as_str()),
            _ => None,
        };
        let ended = sqlx::query(sql::INTENT_END).bind(intent.id.as_str()).bind(to_json(intent)?).bind(release);
        Ok(ended.execute(&mut **tx).await?.rows_affected() == 1)
    }

    /// Saves one that waits on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intent_save(&self, tx: &mut Tx, intent: &Intent) -> Result<(), StoreError> {
        let saves = sqlx::query(sql::INTENT_SAVE).bind(intent.id.as_str()).bind(to_json(intent)?).bind(due_ms(intent));
        saves.execute(&mut **tx).await?;
        Ok(())
    }

    /// Nothing is ever due again of one that cannot be read. Where it was to go and who had asked, unless it has ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intent_give_up(
        &self,
        tx: &mut Tx,
        id: &IntentId,
    ) -> Result<Option<(EnvironmentKey, PersonId)>, StoreError> {
        let row = sqlx::query(sql::INTENT_GIVE_UP).bind(id.as_str()).fetch_optional(&mut **tx).await?;
        Ok(row.map(|row| {
            let text = |at: usize| row.get::<String, _>(at);
            let key = EnvironmentKey { service: ServiceName::new(text(0)), environment: EnvironmentName::new(text(1)) };
            (key, PersonId::new(text(2)))
        }))
    }

    /// One of them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intent_get(&self, tx: &mut Tx, id: &IntentId) -> Result<Option<Intent>, StoreError> {
        let row = sqlx::query(sql::INTENT_GET).bind(id.as_str()).fetch_optional(&mut **tx).await?;
        row.as_ref().map(read).transpose()
    }

    /// Up to two of those whose id begins with a prefix: more than one means it is not unique. One that cannot be read is left
    /// out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intents_by_prefix(&self, tx: &mut Tx, prefix: &str) -> Result<Vec<Intent>, StoreError> {
        let prefix = prefix.to_ascii_uppercase();
        // `~` sorts after every character of a ULID.
        let end = format!("{prefix}~");
        Ok(read_all(&sqlx::query(sql::INTENTS_BY_PREFIX).bind(prefix).bind(end).fetch_all(&mut **tx).await?))
    }

    /// Those that wait, oldest first. One that cannot be read is left out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intents_waiting(&self, tx: &mut Tx, limit: u32) -> Result<Vec<Intent>, StoreError> {
        Ok(read_all(&sqlx::query(sql::INTENTS_WAITING).bind(limit).fetch_all(&mut **tx).await?))
    }

    /// Those that wait for the end of an environment's lock, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intents_behind_lock(&self, tx: &mut Tx, key: &EnvironmentKey) -> Result<Vec<IntentId>, StoreError> {
        let behind = sqlx::query_scalar(sql::INTENTS_BEHIND_LOCK);
        let behind = behind.bind(key.service.as_str()).bind(key.environment.as_str());
        let ids: Vec<String> = behind.fetch_all(&mut **tx).await?;
        Ok(ids.into_iter().map(IntentId::new).collect())
    }

    /// How many wait for an environment, and how many of one person's wait anywhere.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intents_count(
        &self,
        tx: &mut Tx,
        key: &EnvironmentKey,
        person: &PersonId,
    ) -> Result<(usize, usize), StoreError> {
        let counts = sqlx::query(sql::INTENTS_COUNT).bind(key.service.as_str()).bind(key.environment.as_str());
        let row = counts.bind(person.as_str()).fetch_one(&mut **tx).await?;
        let count = |at: usize| usize::try_from(row.get::<i64, _>(at)).unwrap_or(usize::MAX);
        Ok((count(0), count(1)))
    }

    /// Those that are to be looked at by now, each with since when in milliseconds since 1970, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intents_due(&self, now_ms: i64, limit: u32) -> Result<Vec<(IntentId, i64)>, StoreError> {
        let rows = sqlx::query(sql::INTENTS_DUE).bind(now_ms).bind(limit).fetch_all(&self.read).await?;
        Ok(rows.iter().map(|row| (IntentId::new(row.get::<String, _>(0)), row.get(1))).collect())
    }

    /// Those whose CI is to be looked at by now; of one that cannot be read only which it is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intents_to_look_at(
        &self,
        now_ms: i64,
        limit: u32,
    ) -> Result<Vec<Result<Intent, IntentId>>, StoreError> {
        let rows = sqlx::query(sql::INTENTS_TO_LOOK_AT).bind(now_ms).bind(limit).fetch_all(&self.read).await?;
        Ok(rows.iter().map(|row| read(row).map_err(|_| IntentId::new(row.get::<String, _>(1)))).collect())
    }

    /// When the CI of one is looked at next, unless it has ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intent_look_at(&self, id: &IntentId, next_ms: i64) -> Result<(), StoreError> {
        sqlx::query(sql::INTENT_LOOK_AT).bind(id.as_str()).bind(next_ms).execute(&self.write).await?;
        Ok(())
    }

    /// Has the CI of a service's looked at at a moment, unless that happens earlier anyway.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intents_wake(&self, tx: &mut Tx, service: &ServiceName, at_ms: i64) -> Result<(), StoreError> {
        sqlx::query(sql::INTENTS_WAKE).bind(service.as_str()).bind(at_ms).execute(&mut **tx).await?;
        Ok(())
    }

    /// Brings the messages of one up to date.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intent_says(&self, tx: &mut Tx, id: &IntentId, body: &Message) -> Result<(), StoreError> {
        let says = sqlx::query(sql::INTENT_SAYS).bind(intent_key(id)).bind(to_json(body)?);
        says.execute(&mut **tx).await?;
        Ok(())
    }
}
