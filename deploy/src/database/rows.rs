//! Rows of history tables, the same from every database.

use super::record::{StoredRecord, record};
use slipway_core::migration::format::Format;
use slipway_core::migration::{AppliedRow, History, Version};
use sqlx::{FromRow, Row};

/// A row as [`slipway_core::migration::format::HistoryTable::read`] gives it.
#[derive(Debug, FromRow)]
pub(super) struct StoredRow {
    ordinal: i64,
    version: String,
    is_applied: i32,
    is_dirty: i32,
    checksum: Option<String>,
    applied_at: Option<String>,
}

/// What the rows of a tool's table say. One whose version is none says nothing.
pub(super) fn history<'r, R: Row>(format: &dyn Format, rows: &'r [R]) -> Result<History, sqlx::Error>
where
    StoredRow: FromRow<'r, R>,
{
    let applied = |row: StoredRow| {
        Some(AppliedRow {
            ordinal: row.ordinal,
            version: Version::parse(&row.version)?,
            is_applied: row.is_applied != 0,
            is_dirty: row.is_dirty != 0,
            checksum: row.checksum,
            applied_at: row.applied_at,
        })
    };
    let rows = rows.iter().map(StoredRow::from_row).collect::<Result<Vec<_>, _>>()?;
    Ok(History::of(format, rows.into_iter().filter_map(applied).collect()))
}

/// The same with what the rows of Slipway's own table say.
pub(super) fn with_records<'r, R: Row>(history: History, rows: &'r [R]) -> Result<History, sqlx::Error>
where
    StoredRecord: FromRow<'r, R>,
{
    let records = rows.iter().map(StoredRecord::from_row).collect::<Result<Vec<_>, _>>()?;
    Ok(history.with_records(records.into_iter().filter_map(record).collect()))
}
