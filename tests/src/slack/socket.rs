//! Socket Mode: connections that the app opens, envelopes, and their acknowledgements.

use super::delivery::{Answered, DeliveryAnswer, DeliveryKind};
use super::server::Shared;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Connections of one app at a time.
const CONNECTIONS_LIMIT: usize = 10;
/// Tickets that nobody has used yet.
const TICKETS_LIMIT: usize = 100;
/// How long a ticket can be used, in seconds.
const TICKET_LIFE_S: i64 = 30;
/// Frames that wait for a slow connection.
const FRAMES_LIMIT: usize = 1_000;
/// Pings without an answer, after which a connection is given up.
const SILENT_PINGS_LIMIT: u32 = 3;

/// What a connection is told to do.
#[derive(Debug)]
enum Frame {
    Send(String),
    /// The connection breaks off right after.
    SendAndBreak(String),
    Close,
}

#[derive(Debug)]
struct Link {
    id: u64,
    out: mpsc::Sender<Frame>,
}

/// An envelope that is not acknowledged yet.
#[derive(Debug)]
struct Waiting {
    link: u64,
    taken: oneshot::Sender<Value>,
}

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    tickets: BTreeMap<String, Timestamp>,
    links: Vec<Link>,
    waiting: BTreeMap<String, Waiting>,
    made: u64,
    turn: usize,
    /// So many of the next envelopes break their connection.
    pub(super) breaking: u32,
    /// So many of the next connections break off right after the hello.
    pub(super) hasty: u32,
    /// Acknowledgements of nothing.
    pub(super) strange_acks: u64,
}

impl Sockets {
    pub(super) fn ticket(&mut self, now: Timestamp) -> String {
        self.made += 1;
        let ticket = format!("ticket-{:08x}", self.made);
        while self.tickets.len() >= TICKETS_LIMIT {
            self.tickets.pop_first();
        }
        self.tickets.insert(ticket.clone(), now);
        ticket
    }

    pub(super) fn count(&self) -> usize {
        self.links.len()
    }

    /// Every connection breaks off, without a word.
    pub(super) fn close_all(&mut self) {
        for link in self.links.drain(..) {
            let _ = link.out.try_send(Frame::Close);
        }
    }

    /// Tells all connections that they will end; all but a warning ends them.
    pub(super) fn disconnect(&mut self, reason: &str, app: &str) {
        let said = json!({
            "type": "disconnect", "reason": reason, "debug_info": { "host": "applink-sandbox" },
            "connection_info": { "app_id": app },
        });
        for link in &self.links {
            // A connection that takes nothing any more is about to be given up.
            let frame = if reason == "warning" { Frame::Send } else { Frame::SendAndBreak };
            let _ = link.out.try_send(frame(said.to_string()));
        }
    }

    /// Whether a new connection is to break off. If so, it is counted, and there no more from the same moment on.
    fn breaks_off(&mut self, id: u64) -> bool {
        let hasty = self.hasty > 0;
        if hasty {
            self.hasty -= 1;
            self.leave(id);
        }
        hasty
    }

    fn leave(&mut self, id: u64) {
        self.links.retain(|link| link.id != id);
        self.waiting.retain(|_, waiting| waiting.link != id);
    }

    fn acknowledged(&mut self, text: &str) {
        let said: Value = serde_json::from_str(text).unwrap_or_default();
        let id = said["envelope_id"].as_str().unwrap_or_default();
        match self.waiting.remove(id) {
            // Nobody waits when it comes too late.
            Some(waiting) => drop(waiting.taken.send(said.get("payload").cloned().unwrap_or_default())),
            None => self.strange_acks += 1,
        }
    }
}

/// `GET /link/?ticket=…`.
pub(super) async fn link(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<BTreeMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let now = shared.world().now();
    let ticket = query.get("ticket").map(String::as_str).unwrap_or_default();
    let made = shared.sockets().tickets.remove(ticket);
    if made.is_none_or(|made| now.as_second() - made.as_second() > TICKET_LIFE_S) {
        return StatusCode::NOT_FOUND.into_response();
    }
    upgrade.on_upgrade(move |socket| connected(shared, socket))
}

async fn connected(shared: Arc<Shared>, mut socket: WebSocket) {
    let app = shared.options.app_id.clone();
    let (out, frames) = mpsc::channel(FRAMES_LIMIT);
    let (id, count) = {
        let mut sockets = shared.sockets();
        sockets.made += 1;
        let id = sockets.made;
        if sockets.links.len() < CONNECTIONS_LIMIT {
            sockets.links.push(Link { id, out });
            (id, sockets.links.len())
        } else {
            (id, CONNECTIONS_LIMIT + 1)
        }
    };
    let debug = json!({ "host": "applink-sandbox", "build_number": 10, "approximate_connection_time": 18_060 });
    let mut first = json!({
        "type": "hello", "num_connections": count, "debug_info": debug, "connection_info": { "app_id": app },
    });
    if count > CONNECTIONS_LIMIT {
        first["type"] = json!("disconnect");
        first["reason"] = json!("too_many_websockets");
    }
    let said = socket.send(Message::text(first.to_string())).await.is_ok();
    if said && count <= CONNECTIONS_LIMIT && !shared.sockets().breaks_off(id) {
        converse(&shared, &mut socket, frames).await;
    }
    shared.sockets().leave(id);
}

async fn converse(shared: &Shared, socket: &mut WebSocket, mut frames: mpsc::Receiver<Frame>) {
    let every = shared.world().limits.ping_every;
    let mut ping = tokio::time::interval(every);
    ping.reset();
    let mut silent = 0;
    loop {
        let sent = tokio::select! {
            frame = frames.recv() => match frame {
                Some(Frame::Send(text)) => socket.send(Message::text(text)).await,
                Some(Frame::SendAndBreak(text)) => {
                    let _ = socket.send(Message::text(text)).await;
                    return;
                }
                Some(Frame::Close) | None => return,
            },
            came = socket.recv() => match came {
                Some(Ok(Message::Text(text))) => {
                    shared.sockets().acknowledged(&text);
                    Ok(())
                }
                Some(Ok(Message::Pong(_))) => {
                    silent = 0;
                    Ok(())
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => Ok(()),
            },
            _ = ping.tick() => {
                silent += 1;
                if silent > SILENT_PINGS_LIMIT {
                    return;
                }
                socket.send(Message::Ping("Ping from the sandbox".into())).await
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Sends something over one of the connections and waits for its acknowledgement.
pub(super) async fn envelope(
    shared: &Shared,
    kind: DeliveryKind,
    payload: &Value,
    attempt: u32,
    reason: &str,
) -> Answered {
    let limit = shared.world().limits.answer_within;
    let Some((id, taken)) = send(shared, kind, payload, attempt, reason) else {
        return Answered::without_body(DeliveryAnswer::Unreachable);
    };
    match tokio::time::timeout(limit, taken).await {
        Ok(Ok(body)) => Answered { answer: DeliveryAnswer::Acknowledged, body, no_retry: false },
        Ok(Err(_)) => Answered::without_body(DeliveryAnswer::ConnectionLost),
        Err(_) => {
            shared.sockets().waiting.remove(&id);
            Answered::without_body(DeliveryAnswer::TimedOut)
        }
    }
}

/// Puts an envelope on its way: its id, and where the acknowledgement comes. None: no connection takes it.
fn send(
    shared: &Shared,
    kind: DeliveryKind,
    payload: &Value,
    attempt: u32,
    reason: &str,
) -> Option<(String, oneshot::Receiver<Value>)> {
    let mut sockets = shared.sockets();
    sockets.made += 1;
    let id = format!("{:08x}-0ffb-41f3-a080-d19e85f53649", sockets.made);
    let (name, answers) = match kind {
        DeliveryKind::Command => ("slash_commands", true),
        DeliveryKind::Interaction => ("interactive", payload["type"] == "view_submission"),
        DeliveryKind::Event => ("events_api", false),
    };
    let mut said = json!({
        "envelope_id": id, "payload": payload, "type": name, "accepts_response_payload": answers,
    });
    if kind == DeliveryKind::Event {
        said["retry_attempt"] = json!(attempt);
        said["retry_reason"] = json!(if reason == "http_timeout" { "timeout" } else { reason });
    }
    sockets.turn = sockets.turn.wrapping_add(1);
    let turn = sockets.turn;
    let breaking = sockets.breaking > 0;
    let link = sockets.links.get(turn.checked_rem(sockets.links.len())?)?;
    let frame = if breaking { Frame::SendAndBreak } else { Frame::Send };
    link.out.try_send(frame(said.to_string())).ok()?;
    let number = link.id;
    sockets.breaking = sockets.breaking.saturating_sub(1);
    let (taken, comes) = oneshot::channel();
    sockets.waiting.insert(id.clone(), Waiting { link: number, taken });
    Some((id, comes))
}
