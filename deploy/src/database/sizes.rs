//! What migrations may cost, joined with how big the tables are.

use super::{Database, MigrateError};
use slipway_core::plan::PlannedMigration;
use std::collections::BTreeSet;

/// Gives each danger the size of its table.
///
/// # Errors
/// When the database cannot be reached or read.
pub async fn measure(database: &dyn Database, planned: &mut [PlannedMigration]) -> Result<(), MigrateError> {
    let dangers = planned.iter().flat_map(|migration| &migration.dangers);
    let tables: BTreeSet<String> = dangers.filter_map(|danger| danger.table.clone()).collect();
    if tables.is_empty() {
        return Ok(());
    }
    let sizes = database.sizes(&tables).await?;
    for danger in planned.iter_mut().flat_map(|migration| &mut migration.dangers) {
        danger.size = danger.table.as_ref().and_then(|table| sizes.get(table).copied());
    }
    Ok(())
}
