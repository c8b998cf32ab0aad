//! What earlier runs left: a tool's dirty row, a file without a transaction that did not come to its end.

use super::super::error::{HalfDoneFile, MigrateError};
use super::session::{Seen, Session};
use super::sql::{Concurrent, begins_transaction, concurrent, sets_up_session};
use super::work::Work;
use super::{HalfDone, Run, RunReport};
use slipway_core::migration::format::Entry;
use slipway_core::migration::{Folder, Migration, Outlook, Record, RecordState, Statement, Version};

/// What is left to do of a migration. By default, all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rest {
    /// How many of its statements are done.
    pub(super) done: usize,
    /// The invalid index that has to be dropped before the next one, which left it and builds it anew.
    pub(super) drop_first: Option<String>,
}

impl Rest {
    /// Whether the statement at that place, counted from 0, has to run. What an earlier run set for its session is not
    /// there any more.
    pub(super) fn has_to_run(&self, at: usize, statement: &Statement) -> bool {
        at >= self.done || sets_up_session(&statement.text)
    }

    fn outlook(self) -> Outlook {
        match self.drop_first {
            Some(index) => Outlook::Rebuilds { index },
            None => Outlook::GoesOn { statement: self.done + 1 },
        }
    }
}

/// What an index is, a moment before it is dropped.
pub(super) enum StillLeft {
    /// As it was left, or gone.
    Yes,
    /// There is a whole one of its name. Whether it is what the file wants, nobody has looked.
    Whole,
    /// Somebody works on it.
    InHand,
}

/// What a run of these would do about a file that an earlier one left half done, if there is one. Only looks.
pub(in super::super) async fn foresee<S: Session>(
    session: &mut S,
    folder: &Folder<'_>,
    wanted: &[Migration],
    run: &Run<'_>,
    taking_back: bool,
) -> Result<Option<(Version, Outlook)>, MigrateError> {
    let history = super::history(session).await?;
    let mut work = Work { session, folder, run, history, report: RunReport::default(), unwritten: None };
    let left = work.left_over(wanted, taking_back).await?;
    Ok(left.map(|(version, rest)| (version, rest.outlook())))
}

impl<S: Session> Work<'_, S> {
    /// Refuses to run on a database that is not in order; the migration that can be gone on with, if there is one.
    pub(super) async fn left_over(
        &mut self,
        wanted: &[Migration],
        taking_back: bool,
    ) -> Result<Option<(Version, Rest)>, MigrateError> {
        let Some(record) = self.half_done().cloned() else {
            return match self.history.dirty() {
                Some(version) => Err(self.dirty(version)),
                None => Ok(None),
            };
        };
        let same_way = taking_back == (record.state == RecordState::TakingBack);
        let first = if taking_back { wanted.first() } else { wanted.iter().find(|m| m.version == record.version) };
        match first.filter(|migration| same_way && migration.version == record.version) {
            Some(migration) => {
                let rest = self.rest(migration, &record).await?;
                Ok(Some((record.version, rest)))
            }
            None => Err(self.half_done_error(&record, false, None)),
        }
    }

    /// Refuses to run one migration that a record says is half done.
    pub(super) fn refuse_left_over(&self, version: &Version) -> Result<(), MigrateError> {
        match self.half_done().filter(|record| record.version == *version) {
            Some(record) => Err(self.half_done_error(record, false, None)),
            None => Ok(()),
        }
    }

    /// The record of a file that is half done.
    fn half_done(&self) -> Option<&Record> {
        let history = &self.history;
        history.taking_back().or_else(|| history.records().find(|record| history.is_half_done(record)))
    }

    /// What is left to do of a file that is half done, if that is known or can be seen.
    async fn rest(&mut self, migration: &Migration, record: &Record) -> Result<Rest, MigrateError> {
        let down = record.state == RecordState::TakingBack;
        let statements = if down { &migration.down } else { &migration.up };
        let done = record.statements_done;
        let is_same = record.checksum == migration.checksum && record.statements == statements.len();
        if done >= statements.len() {
            return if is_same {
                Ok(Rest { done, drop_first: None })
            } else {
                Err(self.half_done_error(record, false, None))
            };
        }
        let seen = if is_same || record.state == RecordState::Failed {
            self.look(&statements[done].text).await?
        } else {
            Seen::Unknown
        };
        let somebody_looked = self.run.options.half_done == HalfDone::Continue;
        if somebody_looked && !is_same {
            let (file, next) = (&migration.file, done + 1);
            let ran = match done {
                0 => "an earlier run began it".to_owned(),
                1 => "its first statement ran".to_owned(),
                _ => format!("its first {done} statements ran"),
            };
            let warning = format!("{file} was changed after {ran}; the run went on with statement {next}.");
            self.report.warnings.push(warning);
        }
        let failed = record.error.is_some();
        // Of an index that is built beside the traffic the catalog says all there is to know, also after a failure. Only what
        // this very statement left is dropped.
        let is_left = |index: &str| is_same && record.left_index() == Some(index);
        let builds_index = is_same && concurrent(&statements[done].text).is_some();
        let creates_index = is_same && matches!(concurrent(&statements[done].text), Some(Concurrent::Create { .. }));
        match seen {
            Seen::Broken(index) if somebody_looked || !failed || is_left(&index) => {
                Ok(Rest { done, drop_first: Some(index) })
            }
            Seen::Done if !failed && is_same => Ok(Rest { done: done + 1, drop_first: None }),
            Seen::NotDone if !failed || builds_index => Ok(Rest { done, drop_first: None }),
            // Somebody is at work on it at this moment: built beside that it would be there twice, or not at all.
            Seen::Unknown if creates_index => Err(self.half_done_error(record, true, None)),
            _ if somebody_looked => Ok(Rest { done, drop_first: None }),
            Seen::Broken(index) => Err(self.half_done_error(record, true, Some(index))),
            _ => Err(self.half_done_error(record, true, None)),
        }
    }

    /// What has become of an index that an earlier run left and `build` builds anew.
    pub(super) async fn still_left(&mut self, index: &str, build: &str) -> Result<StillLeft, MigrateError> {
        Ok(match self.look(build).await? {
            Seen::Broken(found) if found == index => StillLeft::Yes,
            Seen::NotDone => StillLeft::Yes,
            Seen::Done => StillLeft::Whole,
            Seen::Broken(_) | Seen::Unknown => StillLeft::InHand,
        })
    }

    async fn look(&mut self, statement: &str) -> Result<Seen, MigrateError> {
        match begins_transaction(statement) {
            Some(true) => Ok(Seen::NotDone),
            Some(false) => Ok(Seen::Done),
            None => {
                let seen = self.session.look_for(statement).await;
                seen.map_err(|error| self.history_error("Looking for what an earlier run has done", &error))
            }
        }
    }

    fn half_done_error(&self, record: &Record, can_continue: bool, invalid_index: Option<String>) -> MigrateError {
        let taking_back = record.state == RecordState::TakingBack;
        MigrateError::HalfDone(Box::new(HalfDoneFile {
            version: record.version.clone(),
            file: record.file.clone(),
            taking_back,
            statements_done: record.statements_done,
            total: record.statements,
            error: record.error.clone(),
            can_continue,
            finished: self.sql_of(record, !taking_back),
            undone: self.sql_of_undone(record),
            applied_before: self.report.done.clone(),
            invalid_index,
        }))
    }

    /// The SQL that says a half-done file is applied, or not applied.
    fn sql_of(&self, record: &Record, applied: bool) -> String {
        let sql = if applied { self.sql_of_all(&record.version) } else { self.sql_of_none(&record.version) };
        if sql.is_empty() { format!("put {} back into the folder to see how", record.file) } else { sql }
    }

    /// The SQL that says that nothing of a half-done file has happened.
    fn sql_of_undone(&self, record: &Record) -> String {
        let tables = self.session.tables();
        let forget = self.session.record_in(&tables).delete(&record.version);
        if self.history.dirty().is_none() {
            return forget;
        }
        format!("{}; {forget}", self.sql_of(record, record.state == RecordState::TakingBack))
    }

    fn dirty(&self, version: &Version) -> MigrateError {
        let format = self.session.format();
        let (all, none) = (self.sql_of_all(version), self.sql_of_none(version));
        let mut way_out = format!("{} In SQL: {none} says that nothing of it is there", format.dirty_advice());
        if !all.is_empty() {
            way_out = format!("{way_out}, {all} that all of it is");
        }
        let file = self.folder.file(version).map(|file| file.up.file.clone());
        MigrateError::Dirty { tool: format.name(), version: version.clone(), file, way_out: format!("{way_out}.") }
    }

    fn before(&self, version: &Version) -> Option<&Version> {
        let versions = self.folder.files().map(|file| &file.version);
        versions.filter(|other| *other < version).max()
    }

    /// The SQL that says a migration is applied, as the tool writes it; empty when its file is not there, of which the
    /// tool keeps a checksum.
    fn sql_of_all(&self, version: &Version) -> String {
        let (dialect, tool, tables) = (self.session.dialect(), self.session.format().history(), self.session.tables());
        let Some(file) = self.folder.file(version) else { return String::new() };
        let checksum = self.session.format().checksum(file);
        let entry = Entry { version, description: &file.description, checksum: checksum.as_deref(), nanos: 0 };
        let add = tool.add(dialect, &tables.history, &entry);
        // A row that says it is begun has to go first, where the tool keeps one for each migration.
        if self.history.dirty() == Some(version) && !tool.keeps_newest_only() {
            return format!("{}; {add}", tool.remove(dialect, &tables.history, version, None));
        }
        add
    }

    /// The SQL that says a migration is not applied, as the tool writes it.
    fn sql_of_none(&self, version: &Version) -> String {
        let (dialect, tool, tables) = (self.session.dialect(), self.session.format().history(), self.session.tables());
        tool.remove(dialect, &tables.history, version, self.before(version))
    }
}
