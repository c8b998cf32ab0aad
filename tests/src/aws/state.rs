//! Everything that the sandbox's AWS remembers.

use super::app_runner::Service;
use super::ecr::Registry;
use super::ecs::Express;
use super::fault::Fault;
use super::logs::Logs;
use super::operation::Pace;
use super::secrets::Secret;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The moment in which a request is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// Of day, for people.
    pub(super) at: Timestamp,
    /// Since the sandbox began, for operations.
    pub(super) ms: u64,
    /// How fast operations go.
    pub(super) pace: Pace,
}

#[derive(Debug)]
pub(super) struct State {
    /// By ARN.
    pub(super) services: BTreeMap<String, Service>,
    pub(super) registry: Registry,
    /// By name.
    pub(super) secrets: BTreeMap<String, Secret>,
    pub(super) faults: Vec<Fault>,
    /// Actions in the order in which they came, refused ones too.
    pub(super) calls: Vec<String>,
    /// Digests of images that say they are not well.
    pub(super) unhealthy: BTreeSet<String>,
    /// Added to the clock of operations by `advance_ms`.
    pub(super) ahead_ms: u64,
    pub(super) pace: Pace,
    /// ECS Express services by ARN.
    pub(super) express: BTreeMap<String, Express>,
    pub(super) logs: Logs,
}

/// An id in UUID form (version 4, as AWS gives them) that follows from its seed.
pub(super) fn uuid(seed: &str) -> String {
    let digits = hex::encode(Sha256::digest(seed));
    let (a, b, c, d, e) = (&digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..32]);
    format!("{a}-{b}-4{c}-8{d}-{e}")
}
