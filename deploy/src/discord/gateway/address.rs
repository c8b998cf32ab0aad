//! Where the gateway is.

use std::time::Duration;

/// Where the gateway is, and how often it may be asked for a new session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayBot {
    /// Its address, `wss://…`.
    pub url: String,
    /// How many sessions may still be begun.
    pub remaining: u32,
    /// After which time the number is full again.
    pub reset_after: Duration,
    /// How many sessions may begin within 5 s.
    pub max_concurrency: u32,
}
