//! The log as a file: as JSON lines that can be verified like the log itself, or as a table.

use super::rows::{Row, Rows};
use super::{AuditLogError, table};
use crate::store::Store;
use jiff::Timestamp;
use slipway_core::audit::{Broken, Record, Verifier};
use std::io::{self, Write};
use std::path::Path;

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Each record exactly as it is stored, one a line.
    Jsonl,
    /// RFC 4180, with a row of titles.
    Csv,
}

/// What is to be exported.
#[derive(Clone, Debug)]
pub struct Export {
    /// From the first record of this moment or later.
    pub since: Option<Timestamp>,
    /// To the last record before this moment.
    pub until: Option<Timestamp>,
    /// How.
    pub format: Format,
    /// Also when the chain is broken.
    pub even_broken: bool,
}

/// What was exported.
#[derive(Debug, PartialEq, Eq)]
pub struct Exported {
    /// How many records.
    pub count: u64,
    /// What is wrong with the chain, if that was to be overlooked.
    pub broken: Option<Broken>,
}

/// Exports what a store holds, which may be in use: the chain is verified first, and what is written once more. All
/// records between the first and the last are written, so that the chain is not cut where a clock went back.
///
/// # Errors
/// When the store cannot be read, the chain is broken, or the export cannot be written.
pub async fn export(store: &Path, what: &Export, out: &mut dyn Write) -> Result<Exported, AuditLogError> {
    let store = Store::open_to_read(store).await?;
    let (range, broken) = select(&store, what).await?;
    if let Some(broken) = broken.clone().filter(|_| !what.even_broken) {
        return Err(AuditLogError::Broken(broken));
    }
    let mut pen = Pen::new(what.format, out)?;
    let mut count = 0;
    if let Some((first, last)) = range {
        let verifier = broken.is_none().then(|| Verifier::of_a_piece(None));
        count = write(Rows::from_number(store, first), last, verifier, &mut pen).await?;
    }
    pen.end()?;
    Ok(Exported { count, broken })
}

/// The numbers of the first and the last row of an export, and what is wrong with the whole chain.
async fn select(store: &Store, what: &Export) -> Result<(Option<(i64, i64)>, Option<Broken>), AuditLogError> {
    let mut rows = Rows::from_number(store.clone(), i64::MIN);
    let mut verifier = Verifier::new(None);
    let (mut first, mut last) = (None, None);
    loop {
        let page = rows.page().await?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            let at = match verifier.look(row.number, &row.text) {
                Some(record) => Some(record.at),
                None => serde_json::from_slice::<Record>(&row.text).ok().map(|record| record.at),
            };
            // One that has lost its time belongs to those around it.
            let since = at.map_or(what.since.is_none(), |at| what.since.is_none_or(|since| at >= since));
            let until = at.map_or(what.until.is_none(), |at| what.until.is_none_or(|until| at < until));
            if first.is_none() && since {
                first = row.number;
            }
            if first.is_some() && until {
                last = row.number;
            }
        }
    }
    Ok((first.zip(last), verifier.finish().err()))
}

async fn write(
    mut rows: Rows,
    last: i64,
    mut verifier: Option<Verifier>,
    pen: &mut Pen<'_>,
) -> Result<u64, AuditLogError> {
    let mut count = 0;
    loop {
        let page = rows.page().await?;
        let wanted = page.iter().take_while(|row| row.number.is_some_and(|number| number <= last));
        let mut written = 0;
        for row in wanted {
            if let Some(verifier) = &mut verifier
                && verifier.look(row.number, &row.text).is_none()
            {
                break;
            }
            pen.write(row)?;
            written += 1;
        }
        count += written;
        if written == 0 || usize::try_from(written) != Ok(page.len()) {
            break;
        }
    }
    match verifier.map(Verifier::finish) {
        Some(Err(broken)) => Err(AuditLogError::ChangedMeanwhile(broken)),
        Some(Ok(_)) | None => Ok(count),
    }
}

/// Writes rows in a format.
enum Pen<'a> {
    Jsonl(&'a mut dyn Write),
    Csv(Box<csv::Writer<&'a mut dyn Write>>),
}

impl<'a> Pen<'a> {
    fn new(format: Format, out: &'a mut dyn Write) -> Result<Self, AuditLogError> {
        match format {
            Format::Jsonl => Ok(Self::Jsonl(out)),
            Format::Csv => {
                let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
                csv.write_record(table::HEAD).map_err(csv_error)?;
                Ok(Self::Csv(Box::new(csv)))
            }
        }
    }

    fn write(&mut self, row: &Row) -> Result<(), AuditLogError> {
        match self {
            Self::Jsonl(out) => {
                // What Slipway writes has no line breaks in it; what somebody else wrote stays on its line.
                let line: Vec<u8> =
                    row.text.iter().map(|b| if matches!(b, b'\n' | b'\r') { b' ' } else { *b }).collect();
                out.write_all(&line).and_then(|()| out.write_all(b"\n")).map_err(AuditLogError::Write)
            }
            Self::Csv(csv) => csv.write_record(table::cells(row)).map_err(csv_error),
        }
    }

    fn end(self) -> Result<(), AuditLogError> {
        match self {
            Self::Jsonl(out) => out.flush(),
            Self::Csv(mut csv) => csv.flush(),
        }
        .map_err(AuditLogError::Write)
    }
}

fn csv_error(error: csv::Error) -> AuditLogError {
    AuditLogError::Write(match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    })
}
