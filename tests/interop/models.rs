//! What the real bot says to the stand-ins, and what they answer, held against what the providers publish: botocore's models
//! of AWS's services, and GitHub's OpenAPI description.

mod aws;
mod github;
mod play;

use slipway_sandbox::traffic::Exchange;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Where a published model is.
fn place(variable: &str) -> PathBuf {
    std::env::var_os(variable).map(PathBuf::from).unwrap_or_else(|| panic!("{variable} is not set: run make interop"))
}

/// Fails with every sentence once.
#[track_caller]
fn none_of(wrong: impl IntoIterator<Item = String>) {
    let wrong: BTreeSet<_> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

/// The calls that were made, each once.
fn calls(exchanges: &[Exchange]) -> BTreeSet<&str> {
    exchanges.iter().map(|exchange| exchange.call.as_str()).collect()
}
