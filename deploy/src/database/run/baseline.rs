//! Writing down that migrations are applied without running them.

use super::super::error::MigrateError;
use super::session::Session;
use super::work::{Work, record_of};
use super::{Run, RunReport};
use slipway_core::migration::format::Entry;
use slipway_core::migration::{Folder, History, Migration, RecordState};

/// Writes down that migrations are applied, all of them or none.
pub(in super::super) async fn baseline<S: Session>(
    session: &mut S,
    folder: &Folder<'_>,
    done: &[Migration],
    run: &Run<'_>,
) -> Result<RunReport, MigrateError> {
    let mut work =
        Work { session, folder, run, history: History::default(), report: RunReport::default(), unwritten: None };
    work.session.lock(run).await?;
    let outcome = work.baseline(done).await;
    work.finish(outcome).await
}

impl<S: Session> Work<'_, S> {
    async fn baseline(&mut self, done: &[Migration]) -> Result<(), MigrateError> {
        if done.is_empty() {
            return Ok(());
        }
        self.open().await?;
        self.left_over(&[], false).await?;
        self.contradiction(done)?;
        let (found, new): (Vec<_>, Vec<_>) = done.iter().partition(|m| self.history.contains(&m.version));
        let (dialect, tool, tables) = (self.session.dialect(), self.session.format().history(), self.session.tables());
        let rows = new.iter().map(|migration| {
            let checksum = migration.tool_checksum.as_deref();
            let entry = Entry { version: &migration.version, description: &migration.description, checksum, nanos: 0 };
            tool.add(dialect, &tables.history, &entry)
        });
        let mut sql: Vec<_> = rows.collect();
        if tool.keeps_newest_only() {
            // The last of them stands for all, and what is newer already stands for it.
            let last = new.last().filter(|last| self.history.newest().is_none_or(|newest| *newest < last.version));
            sql.drain(..sql.len().saturating_sub(usize::from(last.is_some())));
        }
        let unknown = done.iter().filter(|migration| {
            let version = &migration.version;
            !self.history.contains(version) || self.history.record(version).is_none()
        });
        let records: Vec<_> = unknown.map(|migration| record_of(migration, RecordState::Found, 0)).collect();
        if !records.is_empty() {
            sql.push(self.session.record_in(&tables).put(&records));
        }
        if !sql.is_empty() {
            let prepared = self.session.prepare(self.run.options, true).await;
            prepared.map_err(|error| self.history_error("Preparing the session", &error))?;
            if let Err(error) = self.session.commit_with(sql.join("; ")).await {
                // Best effort: the first error is the one to be told.
                let _ = self.session.rollback().await;
                return Err(self.history_error("Writing the history table", &error));
            }
        }
        self.report.found_applied = found.iter().map(|migration| migration.version.clone()).collect();
        self.report.done = new.iter().map(|migration| migration.version.clone()).collect();
        Ok(())
    }

    /// Refuses what the history says otherwise already.
    fn contradiction(&self, done: &[Migration]) -> Result<(), MigrateError> {
        let refuse = |migration: &Migration, reason: &str| {
            Err(MigrateError::Contradiction { file: migration.file.clone(), reason: reason.to_owned() })
        };
        for migration in done {
            let row = self.history.row(&migration.version);
            let kept = row.and_then(|row| row.checksum.as_deref());
            let ours = migration.tool_checksum.as_deref().map(hex::encode);
            if kept.is_some_and(|kept| ours.is_some_and(|ours| kept != ours)) {
                return refuse(migration, "the history has it with another checksum, so the file was changed since");
            }
            let record = self.history.record(&migration.version);
            if self.history.contains(&migration.version)
                && record.is_some_and(|record| record.checksum != migration.checksum)
            {
                return refuse(migration, "Slipway applied or found another text of this file");
            }
        }
        Ok(())
    }
}
