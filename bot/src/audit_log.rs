//! The whole hash chain, read again: for `slipway audit verify` and `slipway policy replay`.

use crate::store::{Store, StoreError};
use slipway_core::audit::{self, Record};
use std::io::{BufRead, Read as _};
use std::path::Path;

/// How many records are read at once.
const PAGE: u32 = 1_000;
/// How long a line of an export may be. The largest plan is a tenth of it.
const LINE_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// How many records an export may have.
const RECORDS_LIMIT: usize = 5_000_000;

/// What verification found.
#[derive(Debug)]
pub enum Verified {
    /// The chain is whole.
    Whole(audit::Anchor),
    /// It is broken.
    Broken(audit::Broken),
}

/// Verifies the chain in a store. The bot may be running meanwhile.
///
/// # Errors
/// When the store cannot be read.
pub async fn verify(file: &Path) -> Result<Verified, StoreError> {
    Ok(match audit::verify(&read(file).await?, None) {
        Ok(anchor) => Verified::Whole(anchor),
        Err(broken) => Verified::Broken(broken),
    })
}

/// All records in the order of their rows. The bot may be running meanwhile.
///
/// # Errors
/// When the store cannot be read.
pub async fn read(file: &Path) -> Result<Vec<Record>, StoreError> {
    let store = Store::open_to_read(file).await?;
    let mut records: Vec<Record> = Vec::new();
    loop {
        let after = i64::try_from(records.len()).unwrap_or(i64::MAX);
        let page = store.audit_page(after, PAGE).await?;
        if page.is_empty() {
            return Ok(records);
        }
        records.extend(page);
    }
}

/// All records of an export: one on each line, as JSON.
///
/// # Errors
/// The line that is none, or too long; in words.
pub fn read_export(export: impl BufRead) -> Result<Vec<Record>, String> {
    let mut records = Vec::new();
    let mut export = export;
    for number in 1.. {
        let mut line = Vec::new();
        let limit = u64::try_from(LINE_LIMIT_BYTES).unwrap_or(u64::MAX);
        // One byte more than allowed is enough to know that the line is too long.
        let count = export.by_ref().take(limit + 1).read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
        if count == 0 {
            break;
        }
        if count > LINE_LIMIT_BYTES {
            return Err(format!("line {number} has more than {LINE_LIMIT_BYTES} bytes"));
        }
        if records.len() >= RECORDS_LIMIT {
            return Err(format!("it has more than {RECORDS_LIMIT} records"));
        }
        let record = serde_json::from_slice(&line).map_err(|error| format!("line {number} is no record: {error}"))?;
        records.push(record);
    }
    Ok(records)
}
