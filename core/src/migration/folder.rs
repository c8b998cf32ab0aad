//! A folder of migrations.

use super::format::{Direction, FileName, Format, Half, Lookup, Parsed};
use super::{
    FILE_LIMIT_BYTES, FILES_LIMIT, FOLDER_LIMIT_BYTES, FolderError, MASKED_FROM_CHARS, Migration, MigrationFile,
    SourceFile, Substituted, Version, danger, sql, summary,
};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;

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
        let mut found: BTreeMap<Version, Halves> = BTreeMap::new();
        let (mut total, mut count) = (0_usize, 0_usize);
        for (name, bytes) in files {
            let named = format.file_name(&name).map_err(|reason| FolderError::Name { file: name.clone(), reason })?;
            let Some(FileName { version, description, half }) = named else { continue };
            total = total.saturating_add(bytes.len());
            count += 1;
            let too_large = |limit| FolderError::TooLarge { what: "The migrations folder".into(), limit };
            if total > FOLDER_LIMIT_BYTES {
                return Err(too_large(format!("{FOLDER_LIMIT_BYTES} bytes")));
            }
            if count > FILES_LIMIT {
                return Err(too_large(format!("{FILES_LIMIT} files")));
            }
            let file = SourceFile::read(format, name, bytes)?;
            let halves = found.entry(version.clone()).or_default();
            let place = if half == Half::Down { &mut halves.down } else { &mut halves.up };
            if let Some(other) = place {
                let mut names = [other.file.clone(), file.file];
                names.sort();
                let [first, second] = names;
                return Err(FolderError::Duplicate { version, first, second });
            }
            *place = Some(file);
            if half != Half::Down || halves.description.is_empty() {
                halves.description = description;
            }
        }
        let files = found.into_iter().filter_map(|(version, halves)| {
            // A way back alone applies nothing.
            let up = halves.up?;
            Some(MigrationFile { version, description: halves.description, up, down: halves.down })
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
            let parsed = self
                .format
                .parse(&source.source, direction, self.lookup)
                .map_err(|problem| FolderError::Parse { file: source.file.clone(), problem })?;
            refuse_psql_commands(source, &parsed)?;
            Ok(parsed)
        };
        let up = read(&file.up, Direction::Up)?;
        let (down, down_problem) = match read(file.down.as_ref().unwrap_or(&file.up), Direction::Down) {
            Ok(down) => (down, None),
            Err(problem) => (Parsed::default(), Some(problem)),
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
            reversible: down.statements.iter().any(|s| !s.text.is_empty()),
            summary: summary::summary(&shown),
            allowed: danger::allowed(&file.up.source),
            up: up.statements,
            down: down.statements,
            down_problem,
            substituted,
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
    fn read(format: &dyn Format, file: String, bytes: Vec<u8>) -> Result<Self, FolderError> {
        if bytes.len() > FILE_LIMIT_BYTES {
            return Err(FolderError::TooLarge { what: file, limit: format!("{FILE_LIMIT_BYTES} bytes") });
        }
        let not_text = |at: usize, reason: String| {
            let line = bytes[..at].iter().filter(|b| **b == b'\n').count() + 1;
            FolderError::NotText { file: file.clone(), line, reason }
        };
        if bytes.starts_with("\u{feff}".as_bytes()) && !format.allows_byte_order_mark() {
            let reason = format!("the file begins with a byte order mark, which {} refuses", format.name());
            return Err(not_text(0, reason));
        }
        if let Some(at) = bytes.iter().position(|b| *b == 0) {
            return Err(not_text(at, "a zero byte, so this is no text".to_owned()));
        }
        if let Err(error) = std::str::from_utf8(&bytes) {
            return Err(not_text(error.valid_up_to(), "not UTF-8".to_owned()));
        }
        let checksum = hex::encode(Sha256::digest(&bytes));
        let source = String::from_utf8(bytes).unwrap_or_default();
        Ok(Self { file, source, checksum })
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
