//! Releases and their events.

use super::unreadable::column;
use super::{Store, StoreError, Tx, from_json, sql, to_json};
use crate::clock::Clock;
use slipway_core::ids::{CommitSha, EnvironmentKey, ReleaseId, ServiceName};
use slipway_core::message::cards::answers;
use slipway_core::release::{Event, Release};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteExecutor};

/// A release as stored.
#[derive(Clone, Debug)]
pub struct StoredRelease {
    /// Its state.
    pub release: Release,
    /// How many events led there.
    pub event_count: i64,
}

fn read(row: &SqliteRow) -> Result<StoredRelease, StoreError> {
    Ok(StoredRelease { release: state(row)?, event_count: row.get(1) })
}

/// What a release is, without the rest of its row.
fn state(row: &SqliteRow) -> Result<Release, StoreError> {
    let state: String = row.try_get(0).map_err(|error| column("a release", &error))?;
    from_json("a release", &state)
}

pub(super) fn read_all(rows: &[SqliteRow]) -> Result<Vec<Release>, StoreError> {
    rows.iter().map(state).collect()
}

async fn get(from: impl SqliteExecutor<'_>, id: &ReleaseId) -> Result<Option<StoredRelease>, StoreError> {
    let row = sqlx::query(sql::RELEASE_GET).bind(id.as_str()).fetch_optional(from).await?;
    row.as_ref().map(read).transpose()
}

async fn known_bad(
    from: impl SqliteExecutor<'_>,
    service: &ServiceName,
    commit: &CommitSha,
) -> Result<Option<Release>, StoreError> {
    let found = sqlx::query(sql::RELEASE_KNOWN_BAD).bind(service.as_str()).bind(commit.as_str());
    let row = found.fetch_optional(from).await?;
    row.as_ref().map(state).transpose()
}

fn ms(at: Option<jiff::Timestamp>) -> Option<i64> {
    at.map(|at| at.as_millisecond())
}

impl Store {
    /// Writes a new release.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn release_insert(&self, tx: &mut Tx, release: &Release) -> Result<(), StoreError> {
        let key = &release.request.key;
        sqlx::query(sql::RELEASE_INSERT)
            .bind(release.id.as_str())
            .bind(key.service.as_str())
            .bind(key.environment.as_str())
            .bind(release.phase.name())
            .bind(to_json(release)?)
            .bind(release.request.at.as_millisecond())
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Saves the state that an event led to, and the event.
    ///
    /// # Errors
    /// When the store fails, or a second release would run in one environment.
    pub async fn release_save(
        &self,
        tx: &mut Tx,
        release: &Release,
        event: &Event,
        clock: &Clock,
    ) -> Result<(), StoreError> {
        let seq: i64 = sqlx::query_scalar(sql::RELEASE_SAVE)
            .bind(release.id.as_str())
            .bind(release.phase.name())
            .bind(to_json(release)?)
            .bind(ms(release.started_at))
            .bind(ms(release.ended_at))
            .fetch_one(&mut **tx)
            .await?;
        sqlx::query(sql::EVENT_INSERT)
            .bind(release.id.as_str())
            .bind(seq)
            .bind(clock.now_ms())
            .bind(to_json(event)?)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// A release, as the transaction sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn release_get(&self, tx: &mut Tx, id: &ReleaseId) -> Result<Option<StoredRelease>, StoreError> {
        get(&mut **tx, id).await
    }

    /// A release, as last committed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn release(&self, id: &ReleaseId) -> Result<Option<StoredRelease>, StoreError> {
        get(&self.read, id).await
    }

    /// The releases whose id begins with a prefix, those that have not ended first, then the newest: one more than are
    /// counted ([`answers::FITTING_LIMIT`]), so that it can be said that there are more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn releases_by_prefix(&self, tx: &mut Tx, prefix: &str) -> Result<Vec<Release>, StoreError> {
        let prefix = prefix.to_ascii_uppercase();
        // `~` sorts after every character of a ULID.
        let end = format!("{prefix}~");
        let limit = i64::try_from(answers::FITTING_LIMIT + 1).unwrap_or(i64::MAX);
        let rows = sqlx::query(sql::RELEASES_BY_PREFIX).bind(prefix).bind(end).bind(limit).fetch_all(&mut **tx).await?;
        read_all(&rows)
    }

    /// The releases that have not ended, oldest first. One that this version cannot read is left out: nobody can do anything
    /// about it, and it is no reason to do nothing about the others.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn releases_open(&self, tx: &mut Tx, limit: u32) -> Result<Vec<Release>, StoreError> {
        let rows = sqlx::query(sql::RELEASES_OPEN).bind(limit).fetch_all(&mut **tx).await?;
        let mut open = Vec::with_capacity(rows.len());
        for row in &rows {
            let id: String = row.try_get(2).unwrap_or_default();
            open.extend(self.unless_unreadable(&format!("release {id}"), read(row))?.map(|stored| stored.release));
        }
        Ok(open)
    }

    /// The releases to an environment that have not ended, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn releases_open_at(
        &self,
        tx: &mut Tx,
        key: &EnvironmentKey,
        limit: u32,
    ) -> Result<Vec<Release>, StoreError> {
        self.releases_of(tx, sql::RELEASES_OPEN_AT, key, limit).await
    }

    /// The newest releases of an environment.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn releases_newest(
        &self,
        tx: &mut Tx,
        key: &EnvironmentKey,
        limit: u32,
    ) -> Result<Vec<Release>, StoreError> {
        self.releases_of(tx, sql::RELEASES_NEWEST, key, limit).await
    }

    /// The releases that went live in an environment, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn releases_succeeded(
        &self,
        tx: &mut Tx,
        key: &EnvironmentKey,
        limit: u32,
    ) -> Result<Vec<Release>, StoreError> {
        self.releases_of(tx, sql::RELEASES_SUCCEEDED, key, limit).await
    }

    /// The first release of an environment that told a target something.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn release_first_deployed(
        &self,
        tx: &mut Tx,
        key: &EnvironmentKey,
    ) -> Result<Option<Release>, StoreError> {
        let statement = sqlx::query(sql::RELEASE_FIRST_DEPLOYED);
        let statement = statement.bind(key.service.as_str()).bind(key.environment.as_str());
        let rows = statement.fetch_all(&mut **tx).await?;
        Ok(read_all(&rows)?.pop())
    }

    /// The newest release of a commit that is marked as known to be bad, as the transaction sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn known_bad_get(
        &self,
        tx: &mut Tx,
        service: &ServiceName,
        commit: &CommitSha,
    ) -> Result<Option<Release>, StoreError> {
        known_bad(&mut **tx, service, commit).await
    }

    /// The same as last committed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn known_bad(&self, service: &ServiceName, commit: &CommitSha) -> Result<Option<Release>, StoreError> {
        known_bad(&self.read, service, commit).await
    }

    async fn releases_of(
        &self,
        tx: &mut Tx,
        statement: &'static str,
        key: &EnvironmentKey,
        limit: u32,
    ) -> Result<Vec<Release>, StoreError> {
        let rows = sqlx::query(statement)
            .bind(key.service.as_str())
            .bind(key.environment.as_str())
            .bind(limit)
            .fetch_all(&mut **tx)
            .await?;
        read_all(&rows)
    }

    /// How long the newest successful runs in an environment took, in milliseconds; before there is one, those in the
    /// service's other environments.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn release_durations_ms(&self, key: &EnvironmentKey, limit: u32) -> Result<Vec<i64>, StoreError> {
        for statement in [sql::RELEASE_DURATIONS, sql::RELEASE_DURATIONS_ELSEWHERE] {
            let durations: Vec<i64> = sqlx::query_scalar(statement)
                .bind(key.service.as_str())
                .bind(key.environment.as_str())
                .bind(limit)
                .fetch_all(&self.read)
                .await?;
            if !durations.is_empty() {
                return Ok(durations);
            }
        }
        Ok(Vec::new())
    }

    /// Everything that happened to a release, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn release_events(&self, id: &ReleaseId) -> Result<Vec<Event>, StoreError> {
        let events: Vec<String> = sqlx::query_scalar(sql::EVENTS_OF).bind(id.as_str()).fetch_all(&self.read).await?;
        events.iter().map(|event| from_json("an event", event)).collect()
    }
}
