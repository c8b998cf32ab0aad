//! The gateway: connections, sessions, and what is sent over them.

use super::options::Clock;
use axum::extract::ws::WebSocket;
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// What goes wrong on connections.
#[derive(Debug, Default)]
pub struct GatewayFaults {}

/// All connections and sessions.
pub(super) struct Hub {
    sent: Mutex<Vec<(u64, String, Value)>>,
    faults: GatewayFaults,
}

impl Hub {
    pub(super) fn new(_token: String, _app: String, _bot_user: String, _guilds: Vec<Value>, _clock: Clock) -> Self {
        Self { sent: Mutex::default(), faults: GatewayFaults::default() }
    }

    pub(super) fn dispatch(&self, intent: u64, kind: &str, data: Value) {
        if let Ok(mut sent) = self.sent.lock() {
            sent.push((intent, kind.to_owned(), data));
        }
    }

    pub(super) async fn connection(self: Arc<Self>, _socket: WebSocket) {}

    pub(super) fn connected(&self) -> bool {
        false
    }

    pub(super) fn sessions(&self) -> usize {
        0
    }

    pub(super) fn identifies(&self) -> u64 {
        0
    }

    pub(super) fn faults(&self) -> &GatewayFaults {
        &self.faults
    }

    pub(super) fn drop_connections(&self, _close_code: Option<u16>) {}

    pub(super) fn forget_sessions(&self) {}

    pub(super) async fn changed(&self) {}
}
