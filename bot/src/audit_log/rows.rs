//! The rows of the log, page by page: from a store, or from a file that was exported from one.

use super::AuditLogError;
use crate::store::{AuditRow, RECORD_LIMIT_BYTES, Store};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

/// How many records are in memory at once.
pub const ROWS_PER_PAGE: u32 = 100;

/// Where records are read.
#[derive(Clone, Copy, Debug)]
pub enum AuditSource<'a> {
    /// A store, which may be in use.
    Store(&'a Path),
    /// A file of JSON lines, which may be a piece of the chain.
    File(&'a Path),
}

/// A record as it is kept, whatever became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The number under which a store keeps it.
    pub(super) number: Option<i64>,
    /// Its JSON. One of more than [`RECORD_LIMIT_BYTES`] is cut off behind that.
    pub(super) text: Vec<u8>,
}

impl From<AuditRow> for Row {
    fn from(row: AuditRow) -> Self {
        Self { number: Some(row.seq), text: row.text }
    }
}

/// Reads pages until there are no more.
pub(super) enum Rows {
    Store { store: Store, next: Option<i64> },
    File { lines: BufReader<File>, path: PathBuf },
}

impl Rows {
    pub(super) async fn open(source: AuditSource<'_>) -> Result<Self, AuditLogError> {
        match source {
            AuditSource::Store(path) => Ok(Self::from_number(Store::open_to_read(path).await?, i64::MIN)),
            AuditSource::File(path) => match File::open(path) {
                Ok(file) => Ok(Self::File { lines: BufReader::new(file), path: path.to_owned() }),
                Err(error) => Err(AuditLogError::File { path: path.to_owned(), error }),
            },
        }
    }

    /// The rows of a store from a number on.
    pub(super) fn from_number(store: Store, number: i64) -> Self {
        Self::Store { store, next: Some(number) }
    }

    /// The next page; an empty one is the end.
    pub(super) async fn page(&mut self) -> Result<Vec<Row>, AuditLogError> {
        match self {
            Self::Store { next: None, .. } => Ok(Vec::new()),
            Self::Store { store, next: Some(from) } => {
                let rows = store.audit_rows(*from, ROWS_PER_PAGE).await?;
                let next = rows.last().and_then(|row| row.seq.checked_add(1));
                *self = Self::Store { store: store.clone(), next };
                Ok(rows.into_iter().map(Row::from).collect())
            }
            Self::File { lines, path } => {
                let page: io::Result<Vec<_>> = (0..ROWS_PER_PAGE).map_while(|_| next_line(lines).transpose()).collect();
                page.map_err(|error| AuditLogError::File { path: path.clone(), error })
            }
        }
    }
}

/// The next line that is not empty; `None` at the end. What a line has beyond the limit is read over.
fn next_line(lines: &mut BufReader<File>) -> io::Result<Option<Row>> {
    loop {
        let mut text = Vec::new();
        let limit = RECORD_LIMIT_BYTES as u64 + 1;
        if lines.by_ref().take(limit).read_until(b'\n', &mut text)? == 0 {
            return Ok(None);
        }
        if !text.ends_with(b"\n") {
            lines.skip_until(b'\n')?;
        }
        if !text.trim_ascii().is_empty() {
            return Ok(Some(Row { number: None, text: text.trim_ascii_end().to_owned() }));
        }
    }
}
