//! Rules in a folder.

use super::{FILE_LIMIT_BYTES, FILES_LIMIT, PoliciesError, SCHEMA};
use std::io;
use std::path::Path;

/// A folder's schema and its `.cedar` files by name.
pub(super) fn read(folder: &Path) -> Result<(String, Vec<(String, String)>), PoliciesError> {
    let failed = |error| PoliciesError::Folder { folder: folder.display().to_string(), error };
    let schema = read_file(&folder.join(SCHEMA)).map_err(failed)?;
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_some_and(|extension| extension == "cedar") {
            files.push((name, read_file(&path).map_err(failed)?));
        }
        if files.len() > FILES_LIMIT {
            return Err(failed(io::Error::other(format!("more than {FILES_LIMIT} .cedar files"))));
        }
    }
    files.sort();
    Ok((schema, files))
}

fn read_file(path: &Path) -> io::Result<String> {
    let size = std::fs::metadata(path).map_err(|error| named(path, &error))?.len();
    if size > FILE_LIMIT_BYTES {
        return Err(named(path, &io::Error::other(format!("larger than {FILE_LIMIT_BYTES} bytes"))));
    }
    std::fs::read_to_string(path).map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
