//! The order of a rehearsal, the same for every kind of database: each up, each down, and up again.

use super::RehearsalError;
use crate::database::error::{DriverError, FailedStatement, cut, excerpt};
use async_trait::async_trait;
use slipway_core::migration::{DownTrial, Migration, MigrationTrial, Schema, Statement, Touched};

/// How many ways back are tried, the newest ones: for each the schema is read twice.
const DOWNS_LIMIT: usize = 50;
/// How many differences are told of one way back.
pub(super) const DIFFERENCES_LIMIT: usize = 5;
/// How much of a message is kept.
const MESSAGE_LIMIT_CHARS: usize = 300;

/// Where migrations are tried.
#[async_trait]
pub(super) trait Stage: Send {
    /// Applies a migration.
    async fn up(&mut self, migration: &Migration) -> Result<Seen, Broken>;
    /// Takes it back.
    async fn down(&mut self, migration: &Migration) -> Result<(), Broken>;
    /// The schema as it is now.
    async fn schema(&mut self) -> Result<Schema, RehearsalError>;
}

/// What a migration does to tables that were there before.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) touched: Vec<Touched>,
    /// Whether there may be more than that.
    pub(super) partial: bool,
}

/// A statement that failed.
#[derive(Debug)]
pub(super) struct Broken {
    /// Counted from 0; the number of statements for the commit.
    pub(super) at: usize,
    pub(super) error: DriverError,
    /// Whether the stage is as it was before the migration.
    pub(super) rolled_back: bool,
}

/// Tries all of them.
pub(super) async fn hold<S: Stage>(
    stage: &mut S,
    pending: &[Migration],
) -> Result<Vec<MigrationTrial>, RehearsalError> {
    let first_back = pending.len().saturating_sub(DOWNS_LIMIT);
    let mut trials = Vec::new();
    let mut changes = Vec::new();
    let mut schema = Schema::default();
    for (at, migration) in pending.iter().enumerate() {
        if at == first_back {
            schema = stage.schema().await?;
        }
        let Seen { touched, partial } =
            stage.up(migration).await.map_err(|broken| failed(migration, &migration.up, &broken))?;
        if at >= first_back {
            let after = stage.schema().await?;
            changes.push(after.changes_since(&schema));
            schema = after;
        }
        let why = format!("only the newest {DOWNS_LIMIT} are");
        let (version, down) = (migration.version.clone(), DownTrial::NotTried { why });
        trials.push(MigrationTrial { version, touched, down, partial });
    }
    let mut reached = pending.len();
    let mut whole = true;
    for (at, changes) in (first_back..pending.len()).zip(changes).rev() {
        let migration = &pending[at];
        if !migration.reversible {
            trials[at].down = DownTrial::None;
            let why = format!("{}, which comes after it, has no way back", migration.file);
            skip(&mut trials[first_back..at], &pending[first_back..at], &why);
            break;
        }
        if let Err(broken) = stage.down(migration).await {
            trials[at].down = cannot_go_back(migration, &broken);
            let why = format!("the way back of {}, which comes after it, did not work", migration.file);
            skip(&mut trials[first_back..at], &pending[first_back..at], &why);
            whole = broken.rolled_back;
            break;
        }
        reached = at;
        let mut expected = schema;
        expected.undo(&changes);
        schema = stage.schema().await?;
        let differences = schema.differences_from(&expected);
        let differences: Vec<_> = differences.iter().take(DIFFERENCES_LIMIT).map(ToString::to_string).collect();
        trials[at].down = if differences.is_empty() { DownTrial::Restores } else { DownTrial::Leaves { differences } };
    }
    if whole {
        again(stage, &pending[reached..], &mut trials[reached..]).await;
    }
    Ok(trials)
}

/// Applies again what was taken back. That it fails is the fault of the way back: the first time it went well.
async fn again<S: Stage>(stage: &mut S, pending: &[Migration], trials: &mut [MigrationTrial]) {
    for (migration, trial) in pending.iter().zip(trials) {
        let Err(broken) = stage.up(migration).await else { continue };
        if not_its_fault(migration, &broken.error).is_some() {
            return;
        }
        let message = shown(migration, &broken.error);
        let difference = format!("{} cannot be applied again after it: {message}", migration.file);
        let mut differences = match &trial.down {
            DownTrial::Leaves { differences } => differences.clone(),
            _ => Vec::new(),
        };
        differences.insert(0, difference);
        trial.down = DownTrial::Leaves { differences };
        return;
    }
}

/// Why the ways back of these are not tried; those that have none stay so.
fn skip(trials: &mut [MigrationTrial], pending: &[Migration], why: &str) {
    for (trial, migration) in trials.iter_mut().zip(pending) {
        trial.down = if migration.reversible { DownTrial::NotTried { why: why.to_owned() } } else { DownTrial::None };
    }
}

pub(super) fn cannot_go_back(migration: &Migration, broken: &Broken) -> DownTrial {
    match not_its_fault(migration, &broken.error) {
        Some(why) => DownTrial::NotTried { why },
        None => DownTrial::Fails { message: shown(migration, &broken.error) },
    }
}

pub(super) fn shown(migration: &Migration, error: &DriverError) -> String {
    cut(&migration.substituted.mask(&error.message), MESSAGE_LIMIT_CHARS)
}

fn failed(migration: &Migration, statements: &[Statement], broken: &Broken) -> RehearsalError {
    if let Some(why) = not_its_fault(migration, &broken.error) {
        return RehearsalError::Unavailable(why);
    }
    RehearsalError::Failed(Box::new(FailedStatement {
        version: migration.version.clone(),
        file: migration.file.clone(),
        statement_index: broken.at + 1,
        total: statements.len(),
        excerpt: statements.get(broken.at).map_or(String::new(), |statement| excerpt(migration, &statement.text)),
        message: shown(migration, &broken.error),
        code: broken.error.code.clone(),
        applied_before: Vec::new(),
        rolled_back: broken.rolled_back,
        lock_retries: 0,
        notes: Vec::new(),
        left_index: None,
    }))
}

/// Why a failure says nothing about how the migration would fare on the database itself: the copy has no rows, and
/// its server is another one.
pub(super) fn not_its_fault(migration: &Migration, error: &DriverError) -> Option<String> {
    let code = error.code.as_deref().unwrap_or_default();
    let message = shown(migration, error);
    let file = &migration.file;
    let low_byte = code.parse::<u32>().map_or(0, |code| code & 0xff);
    if error.is_lost || error.is_lock {
        return Some(format!("{file}: the rehearsal server did not answer any more: {message}"));
    }
    match code {
        // Not null, foreign key and check; what RAISE and ASSERT of the migration itself say; SELECT … INTO STRICT.
        "23502" | "23503" | "23514" | "P0001" | "P0002" | "P0004" | "1299" | "787" | "275" => {
            Some(format!("{file} needs rows, and the copy has none: {message}"))
        }
        // Rights; files of extensions.
        "42501" | "58P01" => Some(format!("{file} needs what the rehearsal server does not have: {message}")),
        "0A000" if message.contains("extension") => {
            Some(format!("{file} needs what the rehearsal server does not have: {message}"))
        }
        "42704" | "22023" if message.contains("role \"") => {
            Some(format!("{file} needs a role that the rehearsal server does not have: {message}"))
        }
        // What a server's databases share may be left from an earlier rehearsal.
        "42710" if ["role \"", "tablespace \"", "subscription \""].iter().any(|word| message.starts_with(word)) => {
            Some(format!("{file} makes what the rehearsal server has already: {message}"))
        }
        "3D000" | "42P04" => Some(format!("{file} speaks of other databases of its server: {message}")),
        "57014" => Some(format!("{file} took too long: {message}")),
        _ if code.len() == 5 && code.starts_with("53") => {
            Some(format!("{file}: the rehearsal server has no room: {message}"))
        }
        // SQLite was stopped by the clock, or by the size that the copy may have.
        _ if code.len() < 5 && matches!(low_byte, 9 | 13) => Some(format!("{file} took too long: {message}")),
        _ => None,
    }
}
