//! One connection, from the greeting to its end.

use super::protocol::{self, Said};
use super::session::{FRAMES_LIMIT, Frame, Link, Session};
use super::{Hub, SESSIONS_LIMIT, State, remember};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Frames that an app may send in [`SENDS_WINDOW_S`].
const SENDS_LIMIT: usize = 120;
const SENDS_WINDOW_S: u64 = 60;
/// The intent with which an app hears of guilds.
const GUILDS: u64 = 1;

/// What a connection is in the middle of.
struct Conversation {
    id: u64,
    out: mpsc::Sender<Frame>,
    has_session: bool,
    sends: VecDeque<Instant>,
    /// Until when a heartbeat must have come.
    until: Instant,
    /// How long after one heartbeat the next one may come.
    allowed: Duration,
}

impl Hub {
    /// Speaks with an app until one of the two ends it.
    pub async fn connection(self: Arc<Self>, mut socket: WebSocket) {
        let id = {
            let mut state = self.state();
            state.made += 1;
            state.made
        };
        let ended = self.converse(id, &mut socket).await;
        let now = self.now();
        for session in self.state().sessions.iter_mut().filter(|session| session.is_linked(id)) {
            session.leave(now);
        }
        if let Some(code) = ended {
            remember(&mut self.state().closes, code);
            close(&mut socket, code).await;
        }
        self.changed_now();
    }

    /// Gives the code to close with, if it is to be closed from here.
    async fn converse(&self, id: u64, socket: &mut WebSocket) -> Option<u16> {
        let faults = self.faults.now();
        let every = faults.heartbeat_every;
        let every_ms = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
        let hello = json!({ "op": 10, "d": { "heartbeat_interval": every_ms, "_trace": ["gateway-sandbox"] } });
        if !faults.silent && socket.send(Message::text(hello.to_string())).await.is_err() {
            return None;
        }
        let (out, mut frames) = mpsc::channel(FRAMES_LIMIT);
        let allowed = every + faults.heartbeat_grace;
        let until = Instant::now() + allowed;
        let mut this = Conversation { id, out, has_session: false, sends: VecDeque::new(), until, allowed };
        loop {
            let until = this.until;
            let sent = tokio::select! {
                frame = frames.recv() => match frame {
                    Some(Frame::Text(text)) => socket.send(Message::text(text)).await,
                    Some(Frame::End(code)) => return code,
                    None => return None,
                },
                came = socket.recv() => match came {
                    Some(Ok(Message::Text(text))) => match self.heard(&mut this, &text) {
                        Ok(answer) => match answer {
                            Some(answer) => socket.send(Message::text(answer)).await,
                            None => Ok(()),
                        },
                        Err(code) => return Some(code),
                    },
                    Some(Ok(Message::Binary(_))) => return Some(protocol::DECODE_ERROR),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    Some(Ok(_)) => Ok(()),
                },
                () = sleep_until(until) => return Some(protocol::SESSION_TIMED_OUT),
            };
            if sent.is_err() {
                return None;
            }
        }
    }

    /// Takes what the app says: gives what to answer at once, or the code to close with.
    fn heard(&self, this: &mut Conversation, text: &str) -> Result<Option<String>, u16> {
        this.count()?;
        let answer = match protocol::read(text)? {
            Said::Heartbeat(seq) => self.beat(this, seq)?,
            Said::Identify { .. } | Said::Resume { .. } if this.has_session => {
                return Err(protocol::ALREADY_AUTHENTICATED);
            }
            Said::Identify { token, intents } => {
                self.identify(this, &token, intents)?;
                None
            }
            Said::Resume { token, session, seq } => self.resume(this, &token, &session, seq)?,
            Said::Other if this.has_session => None,
            Said::Other => return Err(protocol::NOT_AUTHENTICATED),
        };
        self.changed_now();
        Ok(answer)
    }

    fn beat(&self, this: &mut Conversation, seq: Option<u64>) -> Result<Option<String>, u16> {
        let mut state = self.state();
        let newest = state.sessions.iter().find(|session| session.is_linked(this.id)).map(|session| session.seq);
        if newest.is_some_and(|newest| seq > Some(newest)) {
            return Err(protocol::INVALID_SEQ);
        }
        remember(&mut state.heartbeats, seq);
        this.until = Instant::now() + this.allowed;
        Ok((!self.faults.now().no_ack).then(|| json!({ "op": 11 }).to_string()))
    }

    fn identify(&self, this: &mut Conversation, token: &str, intents: u64) -> Result<(), u16> {
        let mut state = self.state();
        state.identifies += 1;
        if let Some(code) = self.faults.now().refuse_identify {
            return Err(code);
        }
        if token != self.token {
            return Err(protocol::AUTHENTICATION_FAILED);
        }
        protocol::check_intents(intents, state.privileged)?;
        this.has_session = true;
        let id = format!("{:032x}", state.made * 0x1_0001 + state.identifies);
        let mut session = Session::begin(id.clone(), intents, Link::new(this.id, this.out.clone()));
        session.dispatch("READY", self.ready(&state, &id), &self.faults);
        for guild in self.guilds.iter().filter(|_| intents & GUILDS != 0) {
            session.dispatch("GUILD_CREATE", guild.clone(), &self.faults);
        }
        if state.sessions.len() >= SESSIONS_LIMIT {
            let oldest = state.sessions.iter().position(|session| !session.is_connected()).unwrap_or_default();
            state.sessions.remove(oldest);
        }
        state.sessions.push(session);
        Ok(())
    }

    fn ready(&self, state: &State, session: &str) -> Value {
        let guilds: Vec<_> =
            self.guilds.iter().map(|guild| json!({ "id": guild["id"], "unavailable": true })).collect();
        let user = json!({
            "id": self.bot_user, "username": "slipway", "discriminator": "0", "global_name": null, "avatar": null,
            "bot": true, "mfa_enabled": false, "verified": true, "email": null, "flags": 0,
        });
        json!({
            "v": 10, "user": user, "guilds": guilds, "session_id": session, "session_type": "normal",
            "resume_gateway_url": state.resume_url, "application": { "id": self.app, "flags": 0 },
            "private_channels": [], "relationships": [], "presences": [], "user_settings": {},
            "geo_ordered_rtc_regions": [], "_trace": ["gateway-sandbox"],
        })
    }

    fn resume(&self, this: &mut Conversation, token: &str, id: &str, seq: u64) -> Result<Option<String>, u16> {
        let (now, faults) = (self.now(), self.faults.now());
        let mut state = self.state();
        if token != self.token {
            return Err(protocol::AUTHENTICATION_FAILED);
        }
        remember(&mut state.resumes, seq);
        state.sessions.retain(|session| session.is_alive(now));
        let Some(session) = state.sessions.iter_mut().find(|session| session.id == id) else {
            return Ok(Some(protocol::invalid_session(false)));
        };
        if faults.invalid_resumable {
            return Ok(Some(protocol::invalid_session(true)));
        }
        if seq > session.seq {
            return Err(protocol::INVALID_SEQ);
        }
        if !session.keeps_after(seq) {
            return Ok(Some(protocol::invalid_session(false)));
        }
        // Another connection that still has the session loses it.
        session.tell(Frame::End(None));
        session.resume(Link::new(this.id, this.out.clone()), seq, &self.faults);
        this.has_session = true;
        Ok(None)
    }
}

impl Conversation {
    /// Counts a frame of the app's.
    fn count(&mut self) -> Result<(), u16> {
        let now = Instant::now();
        let window = Duration::from_secs(SENDS_WINDOW_S);
        while self.sends.front().is_some_and(|sent| now.duration_since(*sent) >= window) {
            self.sends.pop_front();
        }
        self.sends.push_back(now);
        if self.sends.len() > SENDS_LIMIT { Err(protocol::RATE_LIMITED) } else { Ok(()) }
    }
}

pub(super) async fn close(socket: &mut WebSocket, code: u16) {
    // Where nobody hears it the connection is over already.
    let _ = socket.send(Message::Close(Some(CloseFrame { code, reason: reason(code).into() }))).await;
}

fn reason(code: u16) -> &'static str {
    match code {
        protocol::UNKNOWN_OPCODE => "Unknown opcode.",
        protocol::DECODE_ERROR => "Error while decoding payload.",
        protocol::NOT_AUTHENTICATED => "Not authenticated.",
        protocol::AUTHENTICATION_FAILED => "Authentication failed.",
        protocol::ALREADY_AUTHENTICATED => "Already authenticated.",
        protocol::INVALID_SEQ => "Invalid seq.",
        protocol::RATE_LIMITED => "Rate limited.",
        protocol::SESSION_TIMED_OUT => "Session timed out.",
        protocol::INVALID_SHARD => "Invalid shard.",
        protocol::INVALID_VERSION => "Invalid API version.",
        protocol::INVALID_INTENTS => "Invalid intent(s).",
        protocol::DISALLOWED_INTENTS => "Disallowed intent(s).",
        _ => "",
    }
}
