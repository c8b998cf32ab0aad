//! Taking migrations back.

use super::super::error::MigrateError;
use super::left_over::Rest;
use super::session::Session;
use super::work::{Job, Way, Work};
use super::{Run, RunReport};
use slipway_core::migration::{Folder, History, Migration, Version};

/// Takes migrations back on a session, in the order given.
pub(in super::super) async fn down<S: Session>(
    session: &mut S,
    folder: &Folder<'_>,
    back: &[Migration],
    run: &Run<'_>,
) -> Result<RunReport, MigrateError> {
    for migration in back {
        if let Some(problem) = &migration.down_problem {
            return Err(no_way(migration, format!("its way back cannot be read. {problem}")));
        }
        if !migration.reversible {
            return Err(no_way(migration, "it has no statements that take it back".into()));
        }
    }
    let mut work =
        Work { session, folder, run, history: History::default(), report: RunReport::default(), unwritten: None };
    work.session.lock(run).await?;
    let outcome = work.down(back).await;
    work.finish(outcome).await
}

fn no_way(migration: &Migration, reason: String) -> MigrateError {
    MigrateError::NoWayBack { file: migration.file.clone(), reason }
}

impl<S: Session> Work<'_, S> {
    async fn down(&mut self, back: &[Migration]) -> Result<(), MigrateError> {
        let Some(first) = back.first() else { return Ok(()) };
        self.history = super::history(self.session).await?;
        let left_over = self.left_over(back, true).await?;
        if left_over.is_none() {
            self.is_current(first)?;
        }
        self.open().await?;
        self.note_found().await?;
        for migration in back {
            let rest = match &left_over {
                Some((version, rest)) if *version == migration.version => rest.clone(),
                _ => {
                    self.is_current(migration)?;
                    Rest::default()
                }
            };
            let before = self.folder.files().map(|file| &file.version).filter(|v| **v < migration.version).max();
            let way = Way::Down { before };
            if !self.one(&Job { migration, way, rest: &rest }).await? {
                self.is_current(migration)?;
            }
        }
        Ok(())
    }

    /// Whether it is its turn to be taken back.
    pub(super) fn is_current(&self, migration: &Migration) -> Result<(), MigrateError> {
        match self.history.current() {
            Some(current) if *current == migration.version => Ok(()),
            _ if !self.history.contains(&migration.version) => Err(no_way(migration, "it is not applied".to_owned())),
            current => {
                let current = current.map(Version::as_str).unwrap_or_default();
                Err(no_way(migration, format!("version {current} was applied after it. Take that one back first")))
            }
        }
    }
}
