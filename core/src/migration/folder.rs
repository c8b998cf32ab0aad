//! A folder of migrations.

use super::format::{Direction, FileName, Format, Half, Lookup, Parsed};
use super::{
    FILE_LIMIT_BYTES, FILES_LIMIT, FOLDER_LIMIT_BYTES, FolderError, MASKED_FROM_CHARS, Migration, MigrationFile,
    SourceFile, Substituted, Version, danger, sql, summary,
};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// What some editors put before the text.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// The unit in which limits are told.
const MIB_BYTES: usize = 1024 * 1024;

/// A folder's migrations in their order. Files are parsed only when somebody asks for their statements.
#[derive(Clone)]
pub struct Folder<'a> {
    format: &'static dyn Format,
    lookup: Lookup<'a>,
    files: Vec<MigrationFile>,
    /// By version, the place in `files`.
    places: BTreeMap<Version, usize>,
}

impl fmt::Debug for Folder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Folder({}, {} migrations)", self.format.name(), self.files.len())
    }
}

/// A folder that is looked at although it is not in order.
#[derive(Clone, Debug)]
pub struct Survey<'a> {
    /// What is in order.
    pub folder: Folder<'a>,
    /// Files whose version another one has, which can be read all the same.
    pub beside: Vec<MigrationFile>,
    /// Why the folder as a whole cannot be used, in the order of the files.
    pub problems: Vec<FolderError>,
}

/// The halves of one migration while a folder is read.
#[derive(Default)]
struct Halves {
    description: String,
    up: Option<SourceFile>,
    down: Option<SourceFile>,
}

impl<'a> Folder<'a> {
    /// Reads the files of one folder, given as name without folder and bytes. Files that the tool does not look at
    /// are ignored; whether it could parse the others matters only when they are pending.
    ///
    /// # Errors
    /// When a name is not in order, two files have one version, a file is no text, or a limit is exceeded.
    pub fn read<I>(format: &'static dyn Format, files: I, lookup: Lookup<'a>) -> Result<Self, FolderError>
    where
        I: IntoIterator<Item = (String, Vec<u8>)>,
    {
        Self::read_with(format, files, lookup, |problem, _| Err(problem))
    }

    /// The same with all that is wrong instead of the first of it, to look at and not to run.
    ///
    /// # Errors
    /// When a limit of the whole folder is exceeded.
    pub fn survey<I>(format: &'static dyn Format, files: I, lookup: Lookup<'a>) -> Result<Survey<'a>, FolderError>
    where
        I: IntoIterator<Item = (String, Vec<u8>)>,
    {
        let (mut problems, mut beside) = (Vec::new(), Vec::new());
        let folder = Self::read_with(format, files, lookup, |problem, file| {
            problems.push(problem);
            beside.extend(file);
            Ok(())
        })?;
        Ok(Survey { folder, beside, problems })
    }

    /// `wrong` is told what is not in order, with the file where only its version is not its own, and says whether that is
    /// the end.
    fn read_with<I>(
        format: &'static dyn Format,
        files: I,
        lookup: Lookup<'a>,
        mut wrong: impl FnMut(FolderError, Option<MigrationFile>) -> Result<(), FolderError>,
    ) -> Result<Self, FolderError>
    where
        I: IntoIterator<Item = (String, Vec<u8>)>,
    {
        let mut found: BTreeMap<Version, Halves> = BTreeMap::new();
        let (mut total, mut count) = (0_usize, 0_usize);
        for (name, bytes) in files {
            let named = match format.file_name(&name) {
                Ok(named) => named,
                Err(reason) => {
                    wrong(FolderError::Name { file: name, reason }, None)?;
                    continue;
                }
            };
            let Some(FileName { version, description, half }) = named else { continue };
            total = total.saturating_add(bytes.len());
            count += 1;
            let too_large = |limit| FolderError::TooLarge { what: "The migrations folder".into(), limit };
            if total > FOLDER_LIMIT_BYTES {
                return Err(too_large(format!("{} MiB", FOLDER_LIMIT_BYTES / MIB_BYTES)));
            }
            if count > FILES_LIMIT {
                return Err(too_large(format!("{FILES_LIMIT} files")));
            }
            let file = match SourceFile::read(name, bytes) {
                Ok(file) => file,
                Err(problem) => {
                    wrong(problem, None)?;
                    continue;
                }
            };
            let halves = found.entry(version.clone()).or_default();
            let place = if half == Half::Down { &mut halves.down } else { &mut halves.up };
            if let Some(other) = place {
                let mut names = [other.file.clone(), file.file.clone()];
                names.sort();
                let [first, second] = names;
                let up = Some(file).filter(|_| half != Half::Down);
                let beside = up.map(|up| MigrationFile { version: version.clone(), description, up, down: None });
                wrong(FolderError::Duplicate { version, first, second }, beside)?;
                continue;
            }
            *place = Some(file);
            if half != Half::Down || halves.description.is_empty() {
                halves.description = description;
            }
        }
        let files = found.into_iter().filter_map(|(version, halves)| {
            let Halves { description, up, down } = halves;
            let up = up.or_else(|| down.as_ref().filter(|_| format.applies_down_alone()).map(SourceFile::nothing))?;
            Some(MigrationFile { version, description, up, down })
        });
        let mut files: Vec<_> = files.collect();
        if format.sorts_by_file_name() {
            files.sort_by(|a, b| a.up.file.cmp(&b.up.file));
        }
        let places = files.iter().enumerate().map(|(place, file)| (file.version.clone(), place)).collect();
        Ok(Self { format, lookup, files, places })
    }

    /// The format.
    #[must_use]
    pub fn format(&self) -> &'static dyn Format {
        self.format
    }

    /// The files in order, whether they can be parsed or not.
    pub fn files(&self) -> impl DoubleEndedIterator<Item = &MigrationFile> {
        self.files.iter()
    }

    /// The file of that version.
    #[must_use]
    pub fn file(&self, version: &Version) -> Option<&MigrationFile> {
        self.places.get(version).map(|place| &self.files[*place])
    }

    /// The migrations in order, without those that cannot be parsed.
    #[must_use]
    pub fn migrations(&self) -> Vec<Migration> {
        self.files.iter().filter_map(|file| self.parse(file).ok()).collect()
    }

    /// The migration of that version.
    ///
    /// # Errors
    /// When its file cannot be parsed.
    pub fn get(&self, version: &Version) -> Option<Result<Migration, FolderError>> {
        self.file(version).map(|file| self.parse(file))
    }

    /// What is wrong with files that cannot be parsed, in order.
    #[must_use]
    pub fn problems(&self) -> Vec<FolderError> {
        self.files.iter().filter_map(|file| self.parse(file).err()).collect()
    }

    /// Whether there is no migration at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// What a file says.
    ///
    /// # Errors
    /// When the tool would refuse the way up. What is wrong with the way back alone is kept in the migration.
    pub fn parse(&self, file: &MigrationFile) -> Result<Migration, FolderError> {
        let read = |source: &SourceFile, direction| {
            if let Some(reason) = self.format.not_sql(&source.file) {
                return Err(FolderError::Name { file: source.file.clone(), reason: reason.to_owned() });
            }
            if source.source.starts_with(BYTE_ORDER_MARK) && !self.format.allows_byte_order_mark() {
                let reason = format!("the file begins with a byte order mark, which {} refuses", self.format.name());
                return Err(FolderError::NotText { file: source.file.clone(), line: 1, reason });
            }
            let parsed = self
                .format
                .parse(&source.source, direction, self.lookup)
                .map_err(|problem| FolderError::Parse { file: source.file.clone(), problem })?;
            refuse_psql_commands(source, &parsed)?;
            Ok(parsed)
        };
        let up = read(&file.up, Direction::Up)?;
        let down_file = file.down.as_ref().or_else(|| (!self.format.has_down_files()).then_some(&file.up));
        let (down, down_problem) = match down_file.map(|source| read(source, Direction::Down)) {
            None => (Parsed::default(), None),
            Some(Ok(down)) => (down, None),
            Some(Err(problem)) => (Parsed::default(), Some(problem)),
        };
        let own_transaction = |parsed: &Parsed| parsed.statements.iter().any(|s| sql::controls_transaction(&s.text));
        let substituted = Substituted::of([up.substituted.as_slice(), down.substituted.as_slice()].concat());
        let shown: Vec<String> = up.statements.iter().map(|statement| substituted.mask(&statement.text)).collect();
        Ok(Migration {
            version: file.version.clone(),
            description: file.description.clone(),
            file: file.up.file.clone(),
            checksum: file.up.checksum.clone(),
            tool_checksum: self.format.checksum(file),
            transactional: up.use_transaction && !own_transaction(&up),
            down_transactional: down.use_transaction && !own_transaction(&down),
            reversible: down.statements.iter().any(|s| !sql::is_empty(&s.text)),
            summary: summary::summary(&shown),
            allowed: danger::allowed(&file.up.source),
            up: up.statements,
            down: down.statements,
            down_problem,
            substituted,
            ignored: danger::ignored(&file.up.source),
        })
    }
}

impl Substituted {
    fn of(mut values: Vec<String>) -> Self {
        values.retain(|value| value.chars().count() >= MASKED_FROM_CHARS);
        // The longest first, so that a value inside another one does not spoil it.
        values.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        values.dedup();
        Self(values)
    }
}

impl SourceFile {
    /// Reads one file.
    ///
    /// # Errors
    /// When it is too large or no text.
    fn read(file: String, bytes: Vec<u8>) -> Result<Self, FolderError> {
        if bytes.len() > FILE_LIMIT_BYTES {
            let limit = format!("{} MiB", FILE_LIMIT_BYTES / MIB_BYTES);
            return Err(FolderError::TooLarge { what: file, limit });
        }
        let not_text = |file: String, bytes: &[u8], at: usize, reason: &str| {
            let line = bytes[..at].iter().filter(|b| **b == b'\n').count() + 1;
            Err(FolderError::NotText { file, line, reason: reason.to_owned() })
        };
        if let Some(at) = bytes.iter().position(|b| *b == 0) {
            return not_text(file, &bytes, at, "a zero byte, so this is no text");
        }
        let checksum = hex::encode(Sha256::digest(&bytes));
        match String::from_utf8(bytes) {
            Ok(source) => Ok(Self { file, source, checksum }),
            Err(error) => not_text(file, error.as_bytes(), error.utf8_error().valid_up_to(), "not UTF-8"),
        }
    }

    /// What applies a migration of which there is only the way back.
    fn nothing(down: &Self) -> Self {
        Self { file: down.file.clone(), source: String::new(), checksum: hex::encode(Sha256::digest([])) }
    }
}

fn refuse_psql_commands(file: &SourceFile, parsed: &Parsed) -> Result<(), FolderError> {
    let Some(found) = parsed.statements.iter().find_map(|statement| sql::psql_command(&statement.text)) else {
        return Ok(());
    };
    let line = file.source.lines().position(|line| line.trim_start().starts_with(found.trim_end()));
    let command = found.split_whitespace().next().unwrap_or(found).to_owned();
    Err(FolderError::PsqlCommand { file: file.file.clone(), line: line.map_or(1, |at| at + 1), command })
}
