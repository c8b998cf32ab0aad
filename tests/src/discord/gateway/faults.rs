//! Failures that can be asked for.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often the real gateway wants to hear a heartbeat.
const HEARTBEAT_EVERY_MS: u64 = 41_250;
/// How much later one may come.
const HEARTBEAT_GRACE_MS: u64 = 20_000;

/// What the gateway does wrong, and how it paces connections. Everything holds from now on.
#[derive(Debug)]
pub struct GatewayFaults(Mutex<Set>);

/// What is set.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) drop_every: Option<u64>,
    pub(super) no_ack: bool,
    pub(super) invalid_resumable: bool,
    pub(super) refuse_identify: Option<u16>,
    pub(super) silent: bool,
    pub(super) heartbeat_every: Duration,
    pub(super) heartbeat_grace: Duration,
}

impl Default for GatewayFaults {
    fn default() -> Self {
        Self(Mutex::new(Set {
            drop_every: None,
            no_ack: false,
            invalid_resumable: false,
            refuse_identify: None,
            silent: false,
            heartbeat_every: Duration::from_millis(HEARTBEAT_EVERY_MS),
            heartbeat_grace: Duration::from_millis(HEARTBEAT_GRACE_MS),
        }))
    }
}

impl GatewayFaults {
    fn set(&self) -> MutexGuard<'_, Set> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Set {
        self.set().clone()
    }

    /// Each so-many-th event of a connection is lost on the way; it is still said again when the session goes on.
    pub fn drop_every(&self, every: Option<u64>) {
        self.set().drop_every = every;
    }

    /// Heartbeats are not acknowledged.
    pub fn no_ack(&self, is_on: bool) {
        self.set().no_ack = is_on;
    }

    /// No session goes on for now, though all could later.
    pub fn invalid_resumable(&self, is_on: bool) {
        self.set().invalid_resumable = is_on;
    }

    /// No session begins: the connection is closed with this code.
    pub fn refuse_identify(&self, close_code: Option<u16>) {
        self.set().refuse_identify = close_code;
    }

    /// Nothing greets a new connection.
    pub fn silent(&self, is_on: bool) {
        self.set().silent = is_on;
    }

    /// How often new connections are to send a heartbeat.
    pub fn heartbeat_every(&self, every: Duration) {
        self.set().heartbeat_every = every;
    }

    /// How much later a heartbeat may come, before a new connection is closed with 4009.
    pub fn heartbeat_grace(&self, grace: Duration) {
        self.set().heartbeat_grace = grace;
    }
}
