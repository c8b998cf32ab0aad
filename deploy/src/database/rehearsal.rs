//! Trying migrations on a copy of the schema, never on the database itself.

use super::{Database, DatabaseUrl, FailedStatement};
use slipway_core::migration::{Folder, Migration, MigrationTrial, Schema};
use thiserror::Error;

/// Why there was no rehearsal, or what it showed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RehearsalError {
    /// It could not be held; that says nothing about the migrations.
    #[error("{0}")]
    Unavailable(String),
    /// A migration failed on the copy.
    #[error("{0}")]
    Failed(Box<FailedStatement>),
}

/// Tries pending migrations on a copy of `real`'s schema on the server `on`: each up, then each down, then up again.
/// `real_url` is the address of `real`; nothing but its schema and its history is read.
///
/// # Errors
/// See [`RehearsalError`].
pub async fn rehearse(
    _real: &dyn Database,
    _real_url: &DatabaseUrl,
    _on: &DatabaseUrl,
    _folder: &Folder<'_>,
    _pending: &[Migration],
) -> Result<Vec<MigrationTrial>, RehearsalError> {
    Err(RehearsalError::Unavailable("not in this version".into()))
}

/// The schema that these migrations give in an empty database on the server `on`.
///
/// # Errors
/// See [`RehearsalError`].
pub async fn reproduce(
    _on: &DatabaseUrl,
    _folder: &Folder<'_>,
    _migrations: &[Migration],
) -> Result<Schema, RehearsalError> {
    Err(RehearsalError::Unavailable("not in this version".into()))
}
