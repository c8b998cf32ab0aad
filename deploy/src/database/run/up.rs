//! Applying pending migrations.

use super::super::error::{DriverError, MigrateError};
use super::left_over::Rest;
use super::session::{HistoryError, Session};
use super::work::{Job, Way, Work};
use super::{Run, RunReport};
use slipway_core::migration::{
    Folder, History, Late, Migration, MigrationFile, Record, RecordState, Version, late_is_refused,
};

/// Applies pending migrations on a session.
pub(in super::super) async fn up<S: Session>(
    session: &mut S,
    folder: &Folder<'_>,
    pending: &[Migration],
    run: &Run<'_>,
) -> Result<RunReport, MigrateError> {
    let mut work =
        Work { session, folder, run, history: History::default(), report: RunReport::default(), unwritten: None };
    work.session.lock(run).await?;
    let outcome = work.up(pending).await;
    work.finish(outcome).await
}

impl<S: Session> Work<'_, S> {
    async fn up(&mut self, pending: &[Migration]) -> Result<(), MigrateError> {
        if pending.is_empty() {
            return Ok(());
        }
        self.open().await?;
        let left_over = self.left_over(pending, false).await?;
        self.note_found().await?;
        for migration in pending {
            if self.history.contains(&migration.version) {
                self.report.found_applied.push(migration.version.clone());
                continue;
            }
            self.refuse_late(migration)?;
            let rest = match &left_over {
                Some((version, rest)) if *version == migration.version => rest.clone(),
                _ => Rest::default(),
            };
            if !self.one(&Job { migration, way: Way::Up, rest: &rest }).await? {
                self.report.found_applied.push(migration.version.clone());
            }
        }
        Ok(())
    }

    /// Reads the history, in tables that are created if need be.
    pub(super) async fn open(&mut self) -> Result<(), MigrateError> {
        let mut retries = 0;
        loop {
            let (what, history) = match self.session.create_tables().await {
                Ok(()) => ("Reading the history table", self.session.history().await),
                Err(error) => ("Finding or creating the history table", Err(error)),
            };
            match history {
                Ok(history) => {
                    self.history = history.unwrap_or_default();
                    return Ok(());
                }
                Err(HistoryError::OtherTool(error)) => return Err(error),
                Err(HistoryError::Driver(error)) if error.is_lock && retries < self.run.options.lock_retry_limit => {
                    retries += 1;
                    self.pause(None, retries).await?;
                }
                Err(HistoryError::Driver(error)) => return Err(self.history_error(what, &error)),
            }
        }
    }

    /// Writes down the files that are applied and of which Slipway has no record yet, so that a later change of them is
    /// noticed.
    pub(super) async fn note_found(&mut self) -> Result<(), MigrateError> {
        let found: Vec<_> = self.folder.files().filter_map(|file| self.found(file)).collect();
        if found.is_empty() {
            return Ok(());
        }
        let tables = self.session.tables();
        let sql = self.session.record_in(&tables).put(&found);
        let mut retries = 0;
        while let Err(error) = self.session.write(sql.clone()).await {
            // Best effort: the first error is the one to be told.
            let _ = self.session.rollback().await;
            if !error.is_lock || retries >= self.run.options.lock_retry_limit {
                return Err(self.history_error("Writing Slipway's own record", &error));
            }
            retries += 1;
            self.pause(None, retries).await?;
        }
        Ok(())
    }

    /// What is to be written down of a file that somebody else applied.
    fn found(&self, file: &MigrationFile) -> Option<Record> {
        let record = self.history.record(&file.version);
        let is_new = self.history.contains(&file.version) && !record.is_some_and(|record| record.state.is_settled());
        is_new.then(|| Record {
            version: file.version.clone(),
            file: file.up.file.clone(),
            checksum: file.up.checksum.clone(),
            state: RecordState::Found,
            statements: 0,
            statements_done: 0,
            error: None,
        })
    }

    fn refuse_late(&self, migration: &Migration) -> Result<(), MigrateError> {
        let newest: Option<&Version> = self.history.newest().filter(|newest| **newest > migration.version);
        match newest {
            Some(newest) if late_is_refused(self.session.format(), self.run.options.late) => {
                Err(MigrateError::OutOfOrder {
                    file: migration.file.clone(),
                    newest: newest.clone(),
                    can_apply: !late_is_refused(self.session.format(), Late::Apply),
                    applied_before: self.report.done.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Gives the locks back, whatever came of the run.
    pub(super) async fn finish(mut self, outcome: Result<(), MigrateError>) -> Result<RunReport, MigrateError> {
        let warnings = if outcome.is_ok() { self.session.warnings().await } else { Ok(Vec::new()) };
        let unlocked = self.session.unlock().await;
        outcome?;
        self.report.warnings.extend(warnings.unwrap_or_else(|error: DriverError| {
            vec![format!("Whether the database is in order could not be looked at: {}.", error.message)]
        }));
        match unlocked {
            Ok(warning) => self.report.warnings.extend(warning),
            Err(error) => self.report.warnings.push(format!("The lock could not be given back: {}.", error.message)),
        }
        Ok(self.report)
    }
}
