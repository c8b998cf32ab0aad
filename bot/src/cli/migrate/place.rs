//! Which folder, which tool's, and on which database.

use super::failed::Failed;
use super::folder;
use super::out::Out;
use clap::Args;
use clap::builder::PossibleValuesParser;
use secrecy::{ExposeSecret as _, SecretString};
use slipway_core::migration::format::{self, Dialect, Format, Lookup};
use slipway_core::migration::{Folder, FolderError, History, LintOptions, MigrationFile, Survey, Version};
use slipway_deploy::database::{self, Database, DatabaseUrl, MigrateError};
use std::convert::Infallible;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};

/// Where most tools keep them.
const DIR: &str = "migrations";
/// Lets Slipway find out whose the folder is.
const AUTO: &str = "auto";
/// Where the database's address is looked for, one after the other.
const VARIABLES: [&str; 2] = ["DATABASE_URL", GOOSE_VARIABLE];
const GOOSE_VARIABLE: &str = "GOOSE_DBSTRING";

/// Which folder.
#[derive(Clone, Debug, Args)]
pub struct FolderArgs {
    /// The folder with the migrations
    #[arg(long, value_name = "DIR", default_value = DIR)]
    pub dir: PathBuf,
    /// Whose format the folder has
    #[arg(long, value_name = "TOOL", default_value = AUTO, value_parser = formats())]
    pub format: String,
}

/// Which database.
#[derive(Clone, Debug, Args)]
pub struct DatabaseArgs {
    /// The database: postgres://…, user=… host=… dbname=…, or sqlite:PATH [default: $DATABASE_URL, or $GOOSE_DBSTRING]
    #[arg(long, value_name = "URL", value_parser = secret, hide_default_value = true)]
    pub database: Option<SecretString>,
}

impl FolderArgs {
    /// The flags that say the same once more, for a command that can be copied.
    pub(super) fn as_typed(&self) -> String {
        let mut flags = String::new();
        if self.dir != Path::new(DIR) {
            flags.push_str(&format!(" --dir {}", quoted(&self.dir.display().to_string())));
        }
        if self.format != AUTO {
            flags.push_str(&format!(" --format {}", quoted(&self.format)));
        }
        flags
    }
}

impl DatabaseArgs {
    /// The same. An address is repeated only where it says no more than what is shown of it anyway: no password is.
    pub(super) fn as_typed(&self) -> String {
        let Some(typed) = &self.database else { return String::new() };
        let typed = typed.expose_secret().trim();
        let is_shown = DatabaseUrl::parse(typed).is_ok_and(|url| url.to_string() == typed);
        if is_shown { format!(" --database {}", quoted(typed)) } else { " --database …".to_owned() }
    }
}

/// As a shell takes it as one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:+,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

fn formats() -> PossibleValuesParser {
    PossibleValuesParser::new(std::iter::once(AUTO).chain(format::ALL.iter().map(|format| format.name())))
}

/// An address may contain a password, so nothing prints it.
pub(super) fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text))
}

impl DatabaseArgs {
    /// Without an address there is nothing to do.
    pub(super) fn wrong_usage(&self) -> Option<&'static str> {
        let none = self.text().is_none();
        none.then_some("no database is named. Set DATABASE_URL (or GOOSE_DBSTRING), or pass --database URL.")
    }

    fn text(&self) -> Option<SecretString> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        self.database.clone().or_else(|| {
            VARIABLES.into_iter().find_map(|name| {
                let value = set(name)?;
                // goose's own variable for SQLite has the bare path.
                let bare = name == GOOSE_VARIABLE && !value.starts_with("sqlite");
                let sqlite = bare && set("GOOSE_DRIVER").is_some_and(|driver| driver.starts_with("sqlite"));
                Some(SecretString::from(if sqlite { format!("sqlite:{value}") } else { value }))
            })
        })
    }

    /// What the address is one of, as far as its beginning tells. Nothing where there is none.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        let text = self.text()?;
        let sqlite = text.expose_secret().trim_start().to_ascii_lowercase().starts_with("sqlite");
        Some(if sqlite { Dialect::Sqlite } else { Dialect::Postgres })
    }

    /// The address.
    pub(super) fn url(&self) -> Result<DatabaseUrl, Failed> {
        let text = self.text().ok_or_else(|| Failed::new(self.wrong_usage().unwrap_or_default()))?;
        Ok(DatabaseUrl::parse(text.expose_secret())?)
    }
}

/// The variables that a migration substitutes are those of this process.
fn of_the_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

const LOOKUP: Lookup<'static> = &of_the_environment;

impl FolderArgs {
    /// The format that somebody has named.
    pub(super) fn named(&self) -> Option<&'static dyn Format> {
        format::by_name(&self.format)
    }

    /// The folder by itself.
    pub(super) fn read(&self) -> Result<Folder<'static>, Failed> {
        in_order(self.survey()?)
    }

    /// The same to look at, whether it is in order or not.
    pub(super) fn survey(&self) -> Result<Survey<'static>, Failed> {
        let files = folder::read(&self.dir)?;
        match self.named() {
            Some(format) => of(format, files),
            None => of(format::detect(&files, &[])?, files),
        }
    }
}

fn in_order(survey: Survey<'static>) -> Result<Folder<'static>, Failed> {
    match survey.problems.into_iter().next() {
        Some(problem) => Err(problem.into()),
        None => Ok(survey.folder),
    }
}

fn of(format: &'static dyn Format, files: Vec<(String, Vec<u8>)>) -> Result<Survey<'static>, Failed> {
    Ok(Folder::survey(format, files, LOOKUP)?)
}

/// The version that somebody typed as `known` has it: exactly, or else the only one with the same number, so that
/// `00002` and `2` both find what a file or a history writes in another way.
pub(super) fn as_known<'a>(typed: &Version, known: impl Iterator<Item = &'a Version>) -> Option<&'a Version> {
    let known: Vec<_> = known.collect();
    known.iter().find(|version| **version == typed).copied().or_else(|| {
        let number = typed.number()?;
        let mut same = known.iter().filter(|version| version.number() == Some(number)).copied();
        same.next().filter(|_| same.next().is_none())
    })
}

/// A database of SQLite that has no file yet is made by the first run; the folder that it would be in is not.
fn has_a_place(url: &DatabaseUrl) -> Result<(), Failed> {
    let shown = url.to_string();
    let Some(path) = shown.strip_prefix("sqlite:").filter(|path| !path.contains(":memory:")) else { return Ok(()) };
    let path = Path::new(path.strip_prefix("//").unwrap_or(path));
    match path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        None => Ok(()),
        Some(folder) => Err(Failed::new(format!(
            "There is no database {}: its folder {} does not exist. Compare the path, or make the folder first.",
            path.display(),
            folder.display()
        ))),
    }
}

/// A folder and its database.
pub(super) struct Place {
    pub(super) folder: Folder<'static>,
    pub(super) url: DatabaseUrl,
    pub(super) database: Box<dyn Database>,
    pub(super) history: History,
    /// The flags that name both, as they were typed.
    pub(super) typed: String,
}

impl Place {
    /// Reads the folder while it connects to the database. A folder that cannot be read at all is said before anybody
    /// waits for a database.
    pub(super) async fn open(folder: &FolderArgs, database: &DatabaseArgs) -> Result<Self, Failed> {
        let (place, _, problems) = Self::survey(folder, database).await?;
        match problems.into_iter().next() {
            Some(problem) => Err(problem.into()),
            None => Ok(place),
        }
    }

    /// The same to look at, whether the folder is in order or not: with the files whose version another one has, and what is
    /// wrong with the folder.
    pub(super) async fn survey(
        folder: &FolderArgs,
        database: &DatabaseArgs,
    ) -> Result<(Self, Vec<MigrationFile>, Vec<FolderError>), Failed> {
        let url = database.url()?;
        let typed = format!("{}{}", folder.as_typed(), database.as_typed());
        has_a_place(&url)?;
        let (dir, named, at) = (folder.dir.clone(), folder.named(), url.clone());
        let mut reading = tokio::task::spawn_blocking(move || folder::read(&dir));
        let connecting = async move {
            let database = database::open(&at).await?;
            let formats = if named.is_none() { database.formats().await? } else { vec![] };
            Ok::<_, MigrateError>((database, formats))
        };
        tokio::pin!(connecting);
        let mut connected = None;
        let files = loop {
            tokio::select! {
                files = &mut reading => break files.unwrap_or_else(|error| resume_unwind(error.into_panic()))?,
                ended = &mut connecting, if connected.is_none() => connected = Some(ended),
            }
        };
        let (database, formats) = match connected {
            Some(connected) => connected?,
            None => connecting.await?,
        };
        let format = match named {
            Some(format) => format,
            None => format::detect(&files, &formats)?,
        };
        // Checksums of all files take as long as the history does.
        let reading = tokio::task::spawn_blocking(move || of(format, files));
        let (folder, history) = tokio::join!(reading, database.history(format));
        let (folder, history) = (folder.unwrap_or_else(|error| resume_unwind(error.into_panic()))?, history?);
        let Survey { folder, beside, problems } = folder;
        Ok((Self { folder, url, database, history, typed }, beside, problems))
    }

    /// What the dangers of a migration depend on.
    pub(super) async fn lint_options(&self) -> Result<LintOptions, Failed> {
        Ok(LintOptions { dialect: self.database.dialect(), postgres_version: self.database.postgres_version().await? })
    }

    /// `postgres://localhost:5432/goals (goose)`.
    pub(super) fn shown(&self) -> String {
        format!("{} ({})", self.database.shown(), self.folder.format().name())
    }

    /// A database of SQLite that has no file yet is made by the first run.
    pub(super) fn say_if_absent(&self, out: Out) {
        let path = self.database.shown().strip_prefix("sqlite:").filter(|_| self.database.dialect() == Dialect::Sqlite);
        if path.is_some_and(|path| !path.contains(":memory:") && !Path::new(path).exists()) {
            out.line(&format!("The file is not there yet; slipway migrate up{} makes it.", self.typed));
        }
    }

    /// `postgres` or `sqlite`.
    pub(super) fn dialect_name(&self) -> &'static str {
        match self.database.dialect() {
            Dialect::Postgres => "postgres",
            Dialect::Sqlite => "sqlite",
        }
    }
}
