//! What the gateway says to whoever listens.

use serde_json::Value;
use tokio::time::Instant;

/// How a session goes on: what to keep over a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The session.
    pub session_id: String,
    /// The newest event that was acknowledged; what comes after it is said again.
    pub seq: u64,
    /// Where it goes on.
    pub resume_url: String,
}

/// Something that the gateway says.
#[derive(Clone, Debug, PartialEq)]
pub enum GatewayEvent {
    /// A session has begun.
    Ready {
        /// Its name.
        session_id: String,
        /// Where it goes on after a broken connection.
        resume_url: String,
        /// The app as a user.
        user_id: String,
        /// The guilds that the app is in.
        guilds: Vec<String>,
        /// The app.
        application_id: String,
    },
    /// The session goes on, and what was missed has been said.
    Resumed,
    /// Something happened.
    Dispatch {
        /// Its place in the session's order.
        seq: u64,
        /// `MESSAGE_REACTION_ADD`, …
        kind: String,
        /// What happened.
        data: Value,
        /// Whether it happened while nobody listened.
        replayed: bool,
        /// When it was read from the connection.
        came: Instant,
    },
    /// The session is over, and a new one will begin. What was missed between is not said: it must be looked up.
    InvalidSession,
}
