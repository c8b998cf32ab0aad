//! Rules in a repository: looked at again and again, so that a merge there is all that it takes.

use super::{Lookouts, Timekeeper};
use crate::defects::caught;
use crate::policies::{Keeper, Reloaded, Source};
use std::sync::Arc;
use tracing::{info, warn};

/// How often the repository is looked at, when nothing else is configured.
const LOOK_EVERY_S: i64 = 120;
/// Who the audit log names.
const BY: &str = "repository";

/// Has somebody read the rules again, if they are kept in a repository and it is time. It does not wait for them: what is
/// outside may be slow.
pub(super) fn look(timekeeper: &Timekeeper, lookouts: &Lookouts) {
    let Lookouts { policies, policies_due, .. } = lookouts;
    if !matches!(policies.origin().source, Source::Repository { .. }) {
        return;
    }
    let every_ms = timekeeper.setup.pace.policies_s(LOOK_EVERY_S).saturating_mul(1_000);
    if !policies_due.is_due(timekeeper.clock.now_ms(), every_ms) {
        return;
    }
    tokio::spawn(caught("reading the policies again", read_again(policies.clone())));
}

async fn read_again(policies: Arc<Keeper>) {
    match policies.reload_unless_busy(BY).await {
        Ok(None | Some(Reloaded::Same { .. })) => {}
        Ok(Some(Reloaded::Changed { hash, rules, .. })) => info!(hash, rules, "the policies' repository has changed"),
        Err(error) => warn!(%error, "the policies could not be read again, so those in force stay"),
    }
}
