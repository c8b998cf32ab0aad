//! `slipway audit verify`: reads the whole hash chain again.

use crate::store::{Store, StoreError};
use slipway_core::audit::{self, Record};
use std::path::Path;

/// How many records are read at once.
const PAGE: u32 = 1_000;

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
    let store = Store::open_to_read(file).await?;
    let mut records: Vec<Record> = Vec::new();
    loop {
        let after = i64::try_from(records.len()).unwrap_or(i64::MAX);
        let page = store.audit_page(after, PAGE).await?;
        if page.is_empty() {
            break;
        }
        records.extend(page);
    }
    Ok(match audit::verify(&records, None) {
        Ok(anchor) => Verified::Whole(anchor),
        Err(broken) => Verified::Broken(broken),
    })
}
