//! Reading the audit log from outside, while the bot runs or not: verified, exported. Nothing here writes to it, and
//! nothing is kept of it but the row at hand and its page.

mod export;
mod records;
mod rows;
mod table;
mod verify;

pub use export::{Export, Exported, Format, export};
pub use records::records;
pub use rows::{AuditSource, ROWS_PER_PAGE};
pub use verify::{Verified, verify};

use crate::store::StoreError;
use slipway_core::audit::Broken;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why the audit log was not read to its end.
#[derive(Debug, Error)]
pub enum AuditLogError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file with exported records cannot be read.
    #[error("cannot read {}: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// How it fails.
        error: io::Error,
    },
    /// The chain is broken, and that was not to be overlooked.
    #[error("The audit log is broken: {0}. Nothing was exported; with --broken it is, all the same.")]
    Broken(Broken),
    /// The chain is broken, so it proves nothing.
    #[error("The audit log is broken: {0}. Nothing was judged.")]
    Damaged(Broken),
    /// An export that is only a later piece of the chain.
    #[error("This export begins at record {0}; replay needs the log from record 1: export it without --since.")]
    Piece(u64),
    /// There are more records than fit into memory.
    #[error("The audit log has more than {0} records.")]
    TooLong(usize),
    /// Between the two readings of an export something was changed.
    #[error("The audit log was changed while it was exported: {0}. What was written is not complete.")]
    ChangedMeanwhile(Broken),
    /// The export cannot be written.
    #[error("cannot write the export: {0}")]
    Write(io::Error),
}
