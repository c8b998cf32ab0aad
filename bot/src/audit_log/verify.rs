//! Reads the whole hash chain again.

use super::rows::Rows;
use super::{AuditLogError, AuditSource};
use slipway_core::audit::{Anchor, Broken, Verifier, Whole};

/// What verification found.
#[derive(Debug)]
pub enum Verified {
    /// The chain is whole.
    Whole(Whole),
    /// It is broken.
    Broken(Broken),
}

/// Verifies a chain, and that it still contains what an anchor saw. The bot may be running meanwhile.
///
/// # Errors
/// When the store or the file cannot be read.
pub async fn verify(source: AuditSource<'_>, anchor: Option<Anchor>) -> Result<Verified, AuditLogError> {
    let mut verifier = match source {
        AuditSource::Store(_) => Verifier::new(anchor),
        AuditSource::File(_) => Verifier::of_a_piece(anchor),
    };
    let mut rows = Rows::open(source).await?;
    while !verifier.is_decided() {
        let page = rows.page().await?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            verifier.look(row.number, &row.text);
        }
    }
    Ok(match verifier.finish() {
        Ok(whole) => Verified::Whole(whole),
        Err(broken) => Verified::Broken(broken),
    })
}
