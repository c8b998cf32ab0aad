//! Why a command was refused or failed: words for standard error, and a document for `--json`.

use serde_json::{Map, Value, json};
use slipway_core::migration::format::{ALL, DetectError, Format};
use slipway_core::migration::{Folder, FolderError, PendingError};
use slipway_deploy::database::MigrateError;
use std::path::Path;

/// Why a command was refused or failed.
#[derive(Debug)]
pub(super) struct Failed {
    /// For people.
    pub(super) words: String,
    /// What the document's `error` has besides the message.
    error: Box<Map<String, Value>>,
    /// What the document has besides `error`.
    rest: Box<Map<String, Value>>,
}

impl Failed {
    pub(super) fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), error: Box::default(), rest: Box::default() }
    }

    /// With what is known all the same: the fields of an object.
    pub(super) fn beside(mut self, document: Value) -> Self {
        if let Value::Object(fields) = document {
            self.rest = Box::new(fields);
        }
        self
    }

    /// What `--json` prints.
    pub(super) fn document(&self) -> Value {
        let mut error = self.error.clone();
        error.insert("message".to_owned(), json!(self.words));
        let mut document = self.rest.clone();
        document.insert("error".to_owned(), Value::Object(*error));
        Value::Object(*document)
    }

    /// A run that stopped, with the whole truth about it.
    pub(super) fn of_run(error: &MigrateError, dir: &Path, folder: &Folder<'_>, left: usize, back: bool) -> Self {
        let (done, undone) = if back { ("Taken back", "not taken back") } else { ("Applied", "not applied") };
        let before = error.applied_before();
        let said = error.to_string();
        let mut words = match error {
            MigrateError::Failed(failed) => {
                let place = statement_line(folder, error, back)
                    .map_or_else(String::new, |(file, line)| format!("{}:{line}\n", dir.join(file).display()));
                let next = if failed.rolled_back {
                    "Mend the file and run it again."
                } else if failed.left_index.is_some() {
                    "See to what the database says, and run it again; the file need not change."
                } else {
                    "Look at the database; then mend the file and let the run go on with --continue, or finish it by \
                     hand and record it."
                };
                format!("{place}{said}\n  {}\n{next}", failed.excerpt.trim().replace('\n', "\n  "))
            }
            MigrateError::HalfDone(file) if file.can_continue => {
                let way = if file.taking_back { "down" } else { "up" };
                format!("{said} To go on: slipway migrate {way} --continue.")
            }
            MigrateError::OutOfOrder { .. } if !folder.format().history().keeps_newest_only() => {
                format!("{said} To apply it all the same: slipway migrate up --allow-late.")
            }
            _ => said,
        };
        let mut error_fields = Map::new();
        if let MigrateError::Failed(failed) = error {
            error_fields.insert("version".into(), json!(failed.version));
            error_fields.insert("file".into(), json!(failed.file));
            error_fields.insert("statement".into(), json!(failed.statement_index));
            error_fields.insert("statements".into(), json!(failed.total));
            error_fields.insert("code".into(), json!(failed.code));
            error_fields.insert("rolled_back".into(), json!(failed.rolled_back));
            error_fields.insert("excerpt".into(), json!(failed.excerpt));
            if let Some((file, line)) = statement_line(folder, error, back) {
                error_fields.insert("file".into(), json!(file));
                error_fields.insert("line".into(), json!(line));
            }
        }
        words.push_str(&match before.len() {
            0 => format!("\n{done} in this run: nothing; {left} {undone}."),
            n => {
                let last = before.last().map(ToString::to_string).unwrap_or_default();
                format!("\n{done} in this run: {n}, up to {last}; {} {undone}.", left.saturating_sub(n))
            }
        });
        Self { words, error: Box::new(error_fields), rest: Box::default() }
    }
}

/// The file and the line of the statement that failed.
fn statement_line(folder: &Folder<'_>, error: &MigrateError, back: bool) -> Option<(String, usize)> {
    let MigrateError::Failed(failed) = error else { return None };
    let file = folder.file(&failed.version)?;
    let migration = folder.parse(file).ok()?;
    let (statements, name) = match (back, &file.down) {
        (false, _) => (&migration.up, &file.up.file),
        (true, Some(down)) => (&migration.down, &down.file),
        (true, None) => (&migration.down, &file.up.file),
    };
    let statement = statements.get(failed.statement_index.checked_sub(1)?)?;
    Some((name.clone(), statement.line))
}

impl From<MigrateError> for Failed {
    fn from(error: MigrateError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<PendingError> for Failed {
    fn from(error: PendingError) -> Self {
        match error {
            PendingError::Folder(error) => error.into(),
            PendingError::OutOfOrder { ref files, .. } if error.may_be_applied_late() => {
                let it = if files.len() == 1 { "it" } else { "them" };
                Self::new(format!("{error} To apply {it} all the same: slipway migrate up --allow-late."))
            }
            other => Self::new(other.to_string()),
        }
    }
}

impl From<DetectError> for Failed {
    fn from(error: DetectError) -> Self {
        Self::new(match error {
            DetectError::Nothing => format!(
                "No file of the folder looks like a migration of a known tool, and no history table tells whose they are. \
                 Say which: {}.",
                flags(ALL.iter().copied())
            ),
            DetectError::OtherTool { folder, database } => format!(
                "The folder looks like {}, but the database has the history table of {}. Name the folder that belongs to \
                 this database with --dir, or say which tool's the files are: {}.",
                names(folder.formats()),
                names(database.formats()),
                flags(database.formats().chain(folder.formats()))
            ),
            DetectError::Ambiguous { candidates } => format!(
                "Which tool's files these are cannot be told: {} would read them. Say which: {}.",
                names(candidates.formats()),
                flags(candidates.formats())
            ),
        })
    }
}

/// `golang-migrate or sqlx`.
pub(super) fn names(formats: impl Iterator<Item = &'static dyn Format>) -> String {
    either(formats.map(|format| format.name().to_owned()).collect())
}

/// `--format golang-migrate or --format sqlx`.
fn flags(formats: impl Iterator<Item = &'static dyn Format>) -> String {
    either(formats.map(|format| format!("--format {}", format.name())).collect())
}

fn either(mut words: Vec<String>) -> String {
    match words.pop() {
        Some(last) if !words.is_empty() => format!("{} or {last}", words.join(", ")),
        last => last.unwrap_or_default(),
    }
}

impl From<FolderError> for Failed {
    fn from(error: FolderError) -> Self {
        let mut fields = Map::new();
        let (file, line) = match &error {
            FolderError::Parse { file, problem } => (Some(file), Some(problem.line)),
            FolderError::NotText { file, line, .. } | FolderError::PsqlCommand { file, line, .. } => {
                (Some(file), Some(*line))
            }
            FolderError::Name { file, .. } => (Some(file), None),
            FolderError::Duplicate { .. } | FolderError::TooLarge { .. } => (None, None),
        };
        if let Some(file) = file {
            fields.insert("file".into(), json!(file));
        }
        if let Some(line) = line {
            fields.insert("line".into(), json!(line));
        }
        Self { words: error.to_string(), error: Box::new(fields), rest: Box::default() }
    }
}
