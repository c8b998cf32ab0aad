//! A folder of migrations on the disk.

use super::failed::Failed;
use slipway_core::migration::{FILE_LIMIT_BYTES, FILES_LIMIT, FOLDER_LIMIT_BYTES};
use std::fs::{self, DirEntry, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

/// How many files there may be: two for each migration.
const DISK_FILES_LIMIT: usize = 2 * FILES_LIMIT;
const MIB: usize = 1024 * 1024;

/// The files of a folder that may be migrations, by name. Folders in it are not looked at.
pub(super) fn read(dir: &Path) -> Result<Vec<(String, Vec<u8>)>, Failed> {
    let home = home(dir)?;
    let entries =
        fs::read_dir(dir).map_err(|error| Failed::new(format!("{} cannot be read: {error}.", dir.display())))?;
    let mut files = Vec::new();
    let mut total = 0_usize;
    for entry in entries {
        let entry = entry.map_err(|error| Failed::new(format!("{} cannot be read: {error}.", dir.display())))?;
        let name = match entry.file_name().into_string() {
            Ok(name) => name,
            Err(name) if name.to_string_lossy().ends_with(".sql") => {
                let shown = dir.join(&name);
                return Err(Failed::new(format!("{}: the name is not UTF-8. Rename the file.", shown.display())));
            }
            Err(_) => continue,
        };
        if !may_be_a_migration(&name) {
            continue;
        }
        let Some(path) = regular(&entry, &home)? else { continue };
        if files.len() == DISK_FILES_LIMIT {
            return Err(Failed::new(format!("{} has more than {DISK_FILES_LIMIT} files.", dir.display())));
        }
        let bytes = bytes_of(&path, &entry.path())?;
        total = total.saturating_add(bytes.len());
        if total > FOLDER_LIMIT_BYTES {
            let limit = FOLDER_LIMIT_BYTES / MIB;
            return Err(Failed::new(format!("{} has more than {limit} MiB of migrations.", dir.display())));
        }
        files.push((name, bytes));
    }
    files.sort();
    Ok(files)
}

/// The folder's real place.
fn home(dir: &Path) -> Result<PathBuf, Failed> {
    let shown = dir.display();
    let home = fs::canonicalize(dir).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failed::new(format!(
            "There is no folder {shown}. Name the one with the migrations with --dir, or begin one: slipway migrate new \
             NAME --format goose."
        )),
        _ => Failed::new(format!("{shown} cannot be read: {error}.")),
    })?;
    match home.is_dir() {
        true => Ok(home),
        false => Err(Failed::new(format!("{shown} is no folder. Name the folder with the migrations with --dir."))),
    }
}

/// Every tool's files begin with a number or end so; what else lies there is not even opened.
fn may_be_a_migration(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_digit()) || name.ends_with(".sql")
}

/// The file to read; `None` for a folder. What it is says the folder's own list, so that nothing is opened to find out:
/// opening a pipe would wait for its other end.
fn regular(entry: &DirEntry, home: &Path) -> Result<Option<PathBuf>, Failed> {
    let mut real = entry.path();
    let shown = real.display().to_string();
    let mut kind = entry.file_type().map_err(|error| unreadable(&real, &error))?;
    if kind.is_symlink() {
        let target = fs::canonicalize(&real).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Failed::new(format!("{shown} is a link to a file that is not there. Remove it.")),
            ErrorKind::PermissionDenied => unreadable(&real, &error),
            _ => {
                Failed::new(format!("{shown} is a link that leads to no file, maybe in a circle ({error}). Remove it."))
            }
        })?;
        if !target.starts_with(home) {
            return Err(Failed::new(format!(
                "{shown} is a link to a file outside the folder, which is not followed. Put the file itself into the folder."
            )));
        }
        kind = fs::metadata(&target).map_err(|error| unreadable(&real, &error))?.file_type();
        real = target;
    }
    match (kind.is_dir(), kind.is_file()) {
        (true, _) => Ok(None),
        (false, true) => Ok(Some(real)),
        (false, false) => Err(Failed::new(format!("{shown} is no regular file. Take it out of the folder."))),
    }
}

/// What is in a file, which is shown by the name that it has in the folder.
fn bytes_of(path: &Path, shown: &Path) -> Result<Vec<u8>, Failed> {
    let cannot = |error| unreadable(shown, &error);
    let file = File::open(path).map_err(cannot)?;
    let size = file.metadata().map_err(cannot)?.len();
    if size > FILE_LIMIT_BYTES as u64 {
        let (size, limit) = (size / MIB as u64, FILE_LIMIT_BYTES / MIB);
        return Err(Failed::new(format!(
            "{} has {size} MiB; a migration may have {limit} MiB. Load data by another way, or split the file.",
            shown.display()
        )));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    // A file that grows meanwhile is refused by whoever reads the text.
    file.take(FILE_LIMIT_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failed {
    Failed::new(format!("{} cannot be read: {error}.", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn refused(dir: &Path) -> String {
        read(dir).unwrap_err().words.replace(&*dir.to_string_lossy(), "DIR")
    }

    #[test]
    fn regular_files_directly_in_it_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        for (name, text) in [("2_b.sql", "b"), ("10_c.sql", "c"), ("README.md", "no"), ("1_a.sql", "a")] {
            fs::write(dir.join(name), text).unwrap();
        }
        fs::create_dir(dir.join("3_folder.sql")).unwrap();
        symlink("1_a.sql", dir.join("4_inside.sql")).unwrap();
        symlink("/etc/passwd", dir.join("NOTES.md")).unwrap();
        let names: Vec<_> = read(dir).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["10_c.sql", "1_a.sql", "2_b.sql", "4_inside.sql"]);
    }

    #[test]
    fn links_that_lead_outside_or_nowhere_are_refused_by_name() {
        for (target, says) in [
            ("/etc/passwd", "DIR/1_a.sql is a link to a file outside the folder, which is not followed."),
            ("1_a.sql", "DIR/1_a.sql is a link that leads to no file, maybe in a circle"),
            ("gone.sql", "DIR/1_a.sql is a link to a file that is not there."),
        ] {
            let folder = tempfile::tempdir().unwrap();
            symlink(target, folder.path().join("1_a.sql")).unwrap();
            let said = refused(folder.path());
            assert!(said.starts_with(says), "{said}");
        }
    }

    #[test]
    fn a_huge_file_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("1_a.sql")).unwrap();
        file.set_len(50 * MIB as u64).unwrap();
        let says = "DIR/1_a.sql has 50 MiB; a migration may have 16 MiB. Load data by another way, or split the file.";
        assert_eq!(refused(folder.path()), says);
    }

    #[test]
    fn a_folder_that_is_not_there_or_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let said = refused(&folder.path().join("no"));
        assert!(said.starts_with("There is no folder ") && said.contains("--dir"), "{said}");
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(refused(&file).contains("is no folder"));
    }
}
