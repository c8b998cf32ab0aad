//! A file without a transaction that stops in the middle: how far it came is written down before anything is said.

use super::super::error::{MESSAGE_LIMIT_CHARS, MigrateError, cut};
use super::session::Session;
use super::work::{Failure, Job, Way, Work};
use slipway_core::migration::{Record, RecordState, statements_done};

impl<S: Session> Work<'_, S> {
    /// Writes down that a statement failed, and says how much of the file is done.
    pub(super) async fn step_failed(&mut self, job: &Job<'_>, mut failure: Failure, lock_retries: u32) -> MigrateError {
        let total = job.statements().len();
        if failure.error.is_lost {
            failure.notes.push(
                "The connection is gone, so whether this statement took effect is not known. The next run looks, and \
                 goes on or says what to do."
                    .to_owned(),
            );
        } else {
            match self.write_down_failure(job, &failure.error.message, failure.left_index.as_deref()).await {
                Some(done) => failure.notes.insert(0, format!("{}.", statements_done(done, total))),
                None => failure.notes.push("That it failed could not be written down.".to_owned()),
            }
        }
        self.failed(job, failure, false, lock_retries)
    }

    pub(super) async fn step_cancelled(
        &mut self,
        job: &Job<'_>,
        notes: Vec<String>,
        left: Option<String>,
    ) -> MigrateError {
        self.write_down_failure(job, "it was stopped as asked", left.as_deref()).await;
        self.cancelled(job, false, notes)
    }

    /// Gives how many statements are done. What the file's own transaction did is taken back, and what was written
    /// down in it with it.
    async fn write_down_failure(&mut self, job: &Job<'_>, message: &str, left: Option<&str>) -> Option<usize> {
        let version = &job.migration.version;
        let message = cut(&job.migration.substituted.mask(message), MESSAGE_LIMIT_CHARS);
        let message = Record::error_with_index(&message, left);
        let state = if matches!(job.way, Way::Up) { RecordState::Failed } else { RecordState::TakingBack };
        self.session.rollback().await.ok()?;
        let tables = self.session.tables();
        let record = self.session.record_in(&tables);
        let mut sql = record.failed(version, state, &message);
        if let Some(done) = self.unwritten.take() {
            sql = format!("{}; {sql}", record.progress(version, done));
        }
        self.session.write(sql).await.ok()?;
        if let Ok(Some(history)) = self.session.history().await {
            self.history = history;
        }
        self.history.record(version).map(|record| record.statements_done)
    }
}
