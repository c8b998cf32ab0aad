//! Rules in a folder, and the cases beside them.

use super::{FILE_LIMIT_BYTES, FILES_LIMIT, PoliciesError, SCHEMA};
use slipway_core::policy::Vocabulary;
use std::io;
use std::path::Path;

/// The file with the names, for a folder by itself.
const VOCABULARY: &str = "vocabulary.toml";
/// The folder with the cases.
const CASES: &str = "tests";

/// A policy folder.
#[derive(Clone, Copy, Debug)]
pub struct Folder<'a>(pub &'a Path);

impl Folder<'_> {
    /// Its schema and its `.cedar` files by name.
    pub(super) fn rules(self) -> Result<(String, Vec<(String, String)>), PoliciesError> {
        let schema = read_file(&self.0.join(SCHEMA)).map_err(|error| self.failed(error))?;
        let files = files(self.0, "cedar").map_err(|error| self.failed(error))?;
        Ok((schema, files))
    }

    /// Teams and environments for the folder by itself.
    ///
    /// # Errors
    /// When the file is not there or has a mistake.
    pub fn vocabulary(self) -> Result<Vocabulary, PoliciesError> {
        let text = read_file(&self.0.join(VOCABULARY)).map_err(|error| {
            let sentence = "without a configuration (--config) it lists the teams and environments that rules may name";
            self.failed(io::Error::new(error.kind(), format!("{error}; {sentence}")))
        })?;
        toml::from_str(&text).map_err(|error| {
            let message = format!("{VOCABULARY}: {error}\nWrite teams = [\"…\"] and environments = [\"…\"].");
            PoliciesError::Mistakes(vec![message])
        })
    }

    /// The case files by name, such as `tests/votes.toml`; none where the folder has none.
    ///
    /// # Errors
    /// When they cannot be read, or are too many or too large.
    pub fn cases(self) -> Result<Vec<(String, String)>, PoliciesError> {
        let folder = self.0.join(CASES);
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let found = files(&folder, "toml").map_err(|error| self.failed(error))?;
        Ok(found.into_iter().map(|(name, text)| (format!("{CASES}/{name}"), text)).collect())
    }

    fn failed(self, error: io::Error) -> PoliciesError {
        PoliciesError::Folder { folder: self.0.display().to_string(), error }
    }
}

fn files(folder: &Path, extension: &str) -> io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_some_and(|found| found == extension) {
            files.push((name, read_file(&path)?));
        }
        if files.len() > FILES_LIMIT {
            return Err(io::Error::other(format!("more than {FILES_LIMIT} .{extension} files")));
        }
    }
    files.sort();
    Ok(files)
}

/// One file, if it is no larger than a policy file may be.
///
/// # Errors
/// When it cannot be read; the error names it.
pub fn read_file(path: &Path) -> io::Result<String> {
    let size = std::fs::metadata(path).map_err(|error| named(path, &error))?.len();
    if size > FILE_LIMIT_BYTES {
        return Err(named(path, &io::Error::other(format!("larger than {FILE_LIMIT_BYTES} bytes"))));
    }
    std::fs::read_to_string(path).map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
