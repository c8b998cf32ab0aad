//! What a run will do about a file that an earlier one left half done, for whoever decides about that run.

use super::{Database, MigrateError, RunOptions};
use slipway_core::migration::format::Direction;
use slipway_core::migration::{Folder, Outlook, Pending, Version};

/// Looks at the database, and writes into `pending` what a run with these options will do about what is half done.
///
/// # Errors
/// When the database cannot be reached or read.
pub async fn foresee(
    database: &dyn Database,
    folder: &Folder<'_>,
    pending: &mut Pending,
    options: &RunOptions,
) -> Result<(), MigrateError> {
    if pending.half_done.is_empty() {
        return Ok(());
    }
    let seen = match database.foresee(folder, &pending.to_run(), Direction::Up, options).await {
        Ok(seen) => seen,
        Err(MigrateError::HalfDone(file)) => Some((file.version, Outlook::Stops { index: file.invalid_index })),
        Err(error) => return Err(error),
    };
    note(pending, seen);
    Ok(())
}

fn note(pending: &mut Pending, seen: Option<(Version, Outlook)>) {
    let Some((version, outlook)) = seen else { return };
    for half in pending.half_done.iter_mut().filter(|half| half.version == version) {
        half.outlook = Some(outlook.clone());
    }
}
