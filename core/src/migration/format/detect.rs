//! Which tool's a folder is: by its files, and by the history tables where files alone do not tell.

use super::{ALL, Format};
use std::fmt;
use thiserror::Error;

/// What the configuration says where the tool is to be found out.
pub const AUTO: &str = "auto";

/// How much of each file is looked at. Marks stand before the first statement.
const BEGINNING_LIMIT_BYTES: usize = 64 * 1024;

/// Why it cannot be told whose a folder is.
#[derive(Clone, Copy, PartialEq, Eq, Error)]
pub enum DetectError {
    /// Nothing speaks for any tool.
    #[error(
        "No file of the folder looks like a migration of a known tool, and the database has no history table of one. Say \
         which it is: --format, or format = \"…\" in the configuration: {}.",
        Names(ALL)
    )]
    Nothing,
    /// The database's history is another tool's than the folder.
    #[error(
        "The folder looks like {}, but the database has the history table of {}. Point Slipway to the folder that belongs \
         to this database, or say which it is: --format, or format = \"…\" in the configuration.",
        folder.names(), database.names()
    )]
    OtherTool {
        /// Whose the folder may be.
        folder: Candidates,
        /// Whose history tables there are.
        database: Candidates,
    },
    /// Several tools may be meant.
    #[error(
        "The migrations may be those of {}. Say which it is: --format, or format = \"…\" in the configuration.",
        candidates.names()
    )]
    Ambiguous {
        /// Which.
        candidates: Candidates,
    },
}

impl fmt::Debug for DetectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DetectError({self})")
    }
}

/// A few of [`ALL`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Candidates {
    /// By their place in it.
    bits: u64,
}

impl Candidates {
    fn of(is: impl Fn(&'static dyn Format) -> bool) -> Self {
        let bits = (0..).zip(ALL).filter(|(_, format)| is(**format)).map(|(at, _): (u32, _)| 1 << at).sum();
        Self { bits }
    }

    /// Which.
    pub fn formats(self) -> impl Iterator<Item = &'static dyn Format> {
        (0..).zip(ALL).filter(move |(at, _): &(u32, _)| self.bits & (1 << at) != 0).map(|(_, format)| *format)
    }

    fn names(self) -> String {
        let formats: Vec<_> = self.formats().collect();
        Names(&formats).to_string()
    }

    fn both(self, other: Self) -> Self {
        Self { bits: self.bits & other.bits }
    }

    fn either(self, other: Self) -> Self {
        Self { bits: self.bits | other.bits }
    }

    fn is_empty(self) -> bool {
        self.bits == 0
    }

    fn only(self) -> Option<&'static dyn Format> {
        if self.bits.count_ones() == 1 { self.formats().next() } else { None }
    }
}

/// `goose, dbmate or sqlx`.
struct Names<'a>(&'a [&'static dyn Format]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, format) in self.0.iter().enumerate() {
            let before = match at {
                0 => "",
                at if at + 1 == self.0.len() => " or ",
                _ => ", ",
            };
            write!(f, "{before}{}", format.name())?;
        }
        Ok(())
    }
}

/// Whose migrations these are. `files` are all files of the folder, names without folder and bytes (the beginnings do);
/// `tables` the tools whose history tables the database has.
///
/// # Errors
/// When that cannot be told, or the history is another tool's than the folder.
pub fn detect(files: &[(String, Vec<u8>)], tables: &[&'static dyn Format]) -> Result<&'static dyn Format, DetectError> {
    let database = Candidates::of(|format| tables.iter().any(|table| table.name() == format.name()));
    let (mut all_files, mut any_file) = (None::<Candidates>, Candidates { bits: 0 });
    for (name, bytes) in files {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(BEGINNING_LIMIT_BYTES)]);
        // Whether the tool allows a byte order mark is for whoever parses the file.
        let text = text.trim_start_matches('\u{feff}');
        let file = Candidates::of(|format| format.recognises(name, text));
        if !file.is_empty() {
            all_files = Some(all_files.map_or(file, |all| all.both(file)));
            any_file = any_file.either(file);
        }
    }
    // A folder in which files speak for different tools may still be one tool's with a file that is not in order.
    let folder = match all_files {
        None if database.is_empty() => return Err(DetectError::Nothing),
        None => return database.only().ok_or(DetectError::Ambiguous { candidates: database }),
        Some(all) if all.is_empty() => any_file,
        Some(all) => all,
    };
    // A mark says more than a name; what is wrong with the file that lacks it is for whoever parses it.
    let marked = Candidates::of(Format::has_marks).both(folder);
    if database.is_empty() {
        let folder = if marked.is_empty() { folder } else { marked };
        return folder.only().ok_or(DetectError::Ambiguous { candidates: folder });
    }
    let both = folder.both(database);
    if both.is_empty() {
        return Err(DetectError::OtherTool { folder, database });
    }
    both.only().ok_or(DetectError::Ambiguous { candidates: both })
}

#[cfg(test)]
mod tests {
    use super::super::by_name;
    use super::*;

    const GOOSE: (&str, &str) = ("1_a.sql", "-- +goose Up\n");
    const DBMATE: (&str, &str) = ("2_a.sql", "-- about\n-- migrate:up\n-- migrate:down\n");
    const PLAIN: (&str, &str) = ("3_a.sql", "SELECT 1;");
    const UP: (&str, &str) = ("4_a.up.sql", "SELECT 1;");
    const DOWN: (&str, &str) = ("4_a.down.sql", "");
    const README: (&str, &str) = ("README.md", "how to use -- +goose and -- migrate:up");

    /// The name of the tool, or the error's sentence.
    fn detected(files: &[(&str, &str)], tables: &[&str]) -> String {
        let files: Vec<_> = files.iter().map(|(n, t)| ((*n).to_owned(), t.as_bytes().to_vec())).collect();
        let tables: Vec<_> = tables.iter().map(|name| by_name(name).unwrap()).collect();
        detect(&files, &tables).map_or_else(|error| error.to_string(), |format| format.name().to_owned())
    }

    #[test]
    fn by_the_files() {
        for (files, expected) in [
            (&[GOOSE, README][..], "goose"),
            (&[DBMATE], "dbmate"),
            (&[PLAIN], "sqlx"),
            (&[PLAIN, UP, DOWN], "sqlx"),
            (&[UP, DOWN, ("5_b.up.json", "{}")], "golang-migrate"),
            (&[("1_a.sql", "\u{feff}-- +goose Up\n"), GOOSE], "goose"),
            (&[("1_a.go", "import \"github.com/pressly/goose/v3\"")], "goose"),
            // A file that is not in order does not make the others' marks doubtful.
            (&[GOOSE, PLAIN], "goose"),
            (&[PLAIN, DBMATE], "dbmate"),
            (&[GOOSE, UP, ("6_a.sql", "\u{0}\u{fffd}")], "goose"),
        ] {
            assert_eq!(detected(files, &[]), expected, "{files:?}");
        }
    }

    #[test]
    fn by_the_history_where_files_do_not_tell() {
        for (files, tables, expected) in [
            (&[UP, DOWN][..], &["sqlx"][..], "sqlx"),
            (&[UP, DOWN], &["golang-migrate"], "golang-migrate"),
            (&[], &["dbmate"], "dbmate"),
            (&[README], &["goose"], "goose"),
            // One file of a goose folder that lacks its mark: the error is for whoever parses it.
            (&[GOOSE, PLAIN], &["goose"], "goose"),
            // An old history beside the one in use.
            (&[DBMATE], &["goose", "dbmate"], "dbmate"),
        ] {
            assert_eq!(detected(files, tables), expected, "{files:?} {tables:?}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_an_error_with_the_way_out() {
        for (files, tables, expected) in [
            (&[][..], &[][..], "No file of the folder looks like a migration of a known tool"),
            (&[UP, DOWN], &[], "The migrations may be those of golang-migrate or sqlx. Say which it is: --format"),
            (&[GOOSE, DBMATE], &[], "The migrations may be those of goose or dbmate."),
            (&[], &["goose", "sqlx"], "The migrations may be those of goose or sqlx."),
            (&[GOOSE], &["dbmate"], "The folder looks like goose, but the database has the history table of dbmate."),
            (
                &[UP],
                &["goose"],
                "The folder looks like golang-migrate or sqlx, but the database has the history table of goose.",
            ),
        ] {
            let says = detected(files, tables);
            assert!(says.starts_with(expected), "{says}");
            assert!(says.contains("--format, or format = \"…\""), "{says}");
        }
    }
}
