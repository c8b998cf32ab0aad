//! The gateway's side of a connection: sessions, numbered events, what is said again, and faults that can be asked for.
//!
//! Connections run in real time; how long a session that nobody is connected to can go on is read from the clock.

mod connection;
mod faults;
mod protocol;
mod session;

pub use faults::GatewayFaults;

use crate::slack::Clock;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};
use session::{Frame, Session};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Sessions that are kept. The oldest without a connection goes first.
const SESSIONS_LIMIT: usize = 16;
/// How many heartbeats and resumes are remembered.
const HEARD_LIMIT: usize = 1_000;

/// All sessions of one app.
pub struct Hub {
    token: String,
    app: String,
    bot_user: String,
    guilds: Vec<Value>,
    clock: Clock,
    faults: GatewayFaults,
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

/// What is known of them.
#[derive(Default)]
struct State {
    sessions: Vec<Session>,
    made: u64,
    resume_url: String,
    privileged: u64,
    identifies: u64,
    heartbeats: Vec<Option<u64>>,
    resumes: Vec<u64>,
    closes: Vec<u16>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("app", &self.app).finish_non_exhaustive()
    }
}

impl Hub {
    /// An app's gateway. `guilds` are what `GUILD_CREATE` says of each.
    #[must_use]
    pub fn new(token: String, app: String, bot_user: String, guilds: Vec<Value>, clock: Clock) -> Self {
        let (faults, state) = (GatewayFaults::default(), Mutex::default());
        Self { token, app, bot_user, guilds, clock, faults, state, changes: watch::channel(0).0 }
    }

    /// Where sessions go on: what READY says.
    pub fn resume_at(&self, url: &str) {
        url.clone_into(&mut self.state().resume_url);
    }

    /// Privileged intents that are switched on for the app, of those that can be: GUILD_MEMBERS (1<<1),
    /// GUILD_PRESENCES (1<<8), MESSAGE_CONTENT (1<<15).
    pub fn allow(&self, privileged: u64) {
        self.state().privileged = privileged;
    }

    /// Something happens: whoever asked for `intent` (0: everybody) hears it, now or when the session goes on.
    pub fn dispatch(&self, intent: u64, kind: &str, data: Value) {
        for session in &mut self.state().sessions {
            if intent == 0 || session.intents & intent != 0 {
                session.dispatch(kind, data.clone(), &self.faults);
            }
        }
        self.changed_now();
    }

    /// Answers a request for a connection, `GET /gateway?v=10&encoding=json`.
    pub fn upgrade(self: Arc<Self>, query: &BTreeMap<String, String>, upgrade: WebSocketUpgrade) -> Response {
        let asked = ["v", "encoding", "compress"].map(|name| query.get(name).map(String::as_str));
        let is_known = asked == [Some("10"), Some("json"), None];
        upgrade.on_upgrade(move |mut socket| async move {
            if is_known {
                self.connection(socket).await;
            } else {
                connection::close(&mut socket, protocol::INVALID_VERSION).await;
            }
        })
    }

    /// Whether a session has a connection.
    #[must_use]
    pub fn connected(&self) -> bool {
        self.state().sessions.iter().any(Session::is_connected)
    }

    /// How many sessions can go on.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.state().sessions.len()
    }

    /// How many sessions were begun.
    #[must_use]
    pub fn identifies(&self) -> u64 {
        self.state().identifies
    }

    /// What heartbeats carried.
    #[must_use]
    pub fn heartbeats(&self) -> Vec<Option<u64>> {
        self.state().heartbeats.clone()
    }

    /// After which event sessions were to go on, each time that was asked for.
    #[must_use]
    pub fn resumes(&self) -> Vec<u64> {
        self.state().resumes.clone()
    }

    /// With which codes connections were closed from here.
    #[must_use]
    pub fn closes(&self) -> Vec<u16> {
        self.state().closes.clone()
    }

    /// Failures that can be asked for.
    #[must_use]
    pub fn faults(&self) -> &GatewayFaults {
        &self.faults
    }

    /// All connections end: with this code, or without a word.
    pub fn drop_connections(&self, close_code: Option<u16>) {
        self.tell(&Frame::End(close_code));
    }

    /// Asks all connections to come again.
    pub fn ask_reconnect(&self) {
        self.tell(&Frame::Text(json!({ "op": 7, "d": null }).to_string()));
    }

    /// Asks all connections for a heartbeat.
    pub fn ask_heartbeat(&self) {
        self.tell(&Frame::Text(json!({ "op": 1, "d": null }).to_string()));
    }

    /// Says to all connections that their sessions are invalid. They are forgotten unless they are `resumable`.
    pub fn invalidate(&self, resumable: bool) {
        self.tell(&Frame::Text(protocol::invalid_session(resumable)));
        if !resumable {
            self.forget_sessions();
        }
    }

    /// Says something to all connections that no client can read.
    pub fn garble(&self) {
        self.tell(&Frame::Text("{\"op\":0,".to_owned()));
    }

    /// No session can go on; their connections end without a word.
    pub fn forget_sessions(&self) {
        self.drop_connections(None);
        self.state().sessions.clear();
        self.changed_now();
    }

    /// Waits for the next change.
    pub async fn changed(&self) {
        // The sender lives as long as this.
        let _ = self.changes.subscribe().changed().await;
    }

    /// Waits until it is so.
    pub async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        let mut changes = self.changes.subscribe();
        while !is_so(self) {
            // The sender lives as long as this.
            let _ = changes.changed().await;
        }
    }

    fn tell(&self, frame: &Frame) {
        for session in &mut self.state().sessions {
            session.tell(frame.clone());
        }
        self.changed_now();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed_now(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

/// Remembers the newest.
fn remember<T>(heard: &mut Vec<T>, new: T) {
    if heard.len() >= HEARD_LIMIT {
        heard.remove(0);
    }
    heard.push(new);
}
