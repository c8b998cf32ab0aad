//! All records at once, verified: for those who put releases together again.

use super::rows::Rows;
use super::{AuditLogError, AuditSource};
use slipway_core::audit::{Record, Verifier};

/// How many records may be in memory at once.
const RECORDS_LIMIT: usize = 5_000_000;

/// The records of a chain from its first one, in order. The bot may be running meanwhile.
///
/// # Errors
/// When the store or the file cannot be read, or the chain is broken, too long, or only a later piece of one.
pub async fn records(source: AuditSource<'_>) -> Result<Vec<Record>, AuditLogError> {
    // In a piece of the chain nothing need be wrong; of a store whose first records are gone something is.
    let mut verifier = match source {
        AuditSource::Store(_) => Verifier::new(None),
        AuditSource::File(_) => Verifier::of_a_piece(None),
    };
    let mut rows = Rows::open(source).await?;
    let mut records = Vec::new();
    while !verifier.is_decided() {
        let page = rows.page().await?;
        if page.is_empty() {
            break;
        }
        records.extend(page.iter().map_while(|row| verifier.look(row.number, &row.text)));
        if records.len() > RECORDS_LIMIT {
            return Err(AuditLogError::TooLong(RECORDS_LIMIT));
        }
    }
    match verifier.finish().map_err(AuditLogError::Damaged)?.first {
        1 => Ok(records),
        first => Err(AuditLogError::Piece(first)),
    }
}
