//! The gateway: connections, sessions, and what is sent over them. A placeholder.

use super::options::Clock;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What goes wrong on connections.
#[derive(Debug, Default)]
pub struct GatewayFaults {}

/// All connections and sessions.
pub struct Hub {
    faults: GatewayFaults,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

impl Hub {
    /// An app's gateway.
    #[must_use]
    pub fn new(_token: String, _app: String, _bot_user: String, _guilds: Vec<Value>, _clock: Clock) -> Self {
        Self { faults: GatewayFaults::default() }
    }

    /// Where sessions go on.
    pub fn resume_at(&self, _url: &str) {}

    /// Privileged intents that are switched on.
    pub fn allow(&self, _privileged: u64) {}

    /// Something happens.
    pub fn dispatch(&self, _intent: u64, _kind: &str, _data: Value) {}

    /// Answers a request for a connection.
    pub fn upgrade(self: Arc<Self>, _query: &BTreeMap<String, String>, upgrade: WebSocketUpgrade) -> Response {
        upgrade.on_upgrade(|_| async {})
    }

    /// Whether a session has a connection.
    #[must_use]
    pub fn connected(&self) -> bool {
        false
    }

    /// How many sessions can go on.
    #[must_use]
    pub fn sessions(&self) -> usize {
        0
    }

    /// How many sessions were begun.
    #[must_use]
    pub fn identifies(&self) -> u64 {
        0
    }

    /// Failures that can be asked for.
    #[must_use]
    pub fn faults(&self) -> &GatewayFaults {
        &self.faults
    }

    /// All connections end.
    pub fn drop_connections(&self, _close_code: Option<u16>) {}

    /// No session can go on.
    pub fn forget_sessions(&self) {}

    /// Waits for the next change.
    pub async fn changed(&self) {}
}
