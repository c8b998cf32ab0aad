//! What goes over the wire: read, and written.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) const DISPATCH: i64 = 0;
pub(super) const HEARTBEAT: i64 = 1;
const IDENTIFY: i64 = 2;
const RESUME: i64 = 6;
pub(super) const RECONNECT: i64 = 7;
pub(super) const INVALID_SESSION: i64 = 9;
pub(super) const HELLO: i64 = 10;
pub(super) const HEARTBEAT_ACK: i64 = 11;

/// Something that Discord says.
#[derive(Debug, Deserialize)]
pub(super) struct Frame {
    pub(super) op: i64,
    #[serde(default)]
    pub(super) d: Value,
    #[serde(default)]
    pub(super) s: Option<u64>,
    #[serde(default)]
    pub(super) t: Option<String>,
}

/// None: it cannot be read.
pub(super) fn read(text: &str) -> Option<Frame> {
    serde_json::from_str(text).ok()
}

/// A sign of life, with the newest event that is stored.
pub(super) fn heartbeat(seq: Option<u64>) -> String {
    json!({ "op": HEARTBEAT, "d": seq }).to_string()
}

/// Begins a session. Holds the token.
pub(super) fn identify(token: &SecretString, intents: u64) -> String {
    let properties = json!({ "os": std::env::consts::OS, "browser": "slipway", "device": "slipway" });
    let said = json!({ "token": bare(token), "intents": intents, "properties": properties, "compress": false });
    json!({ "op": IDENTIFY, "d": said }).to_string()
}

/// Goes on with a session. Holds the token.
pub(super) fn resume(token: &SecretString, session_id: &str, seq: u64) -> String {
    json!({ "op": RESUME, "d": { "token": bare(token), "session_id": session_id, "seq": seq } }).to_string()
}

/// A line end is what a file leaves behind.
fn bare(token: &SecretString) -> &str {
    token.expose_secret().trim()
}
