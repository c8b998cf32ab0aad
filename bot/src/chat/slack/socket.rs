//! Socket Mode: deliveries over connections that Slipway opens. An envelope is acknowledged when what it says is durable,
//! and not before; before Slack ends a connection another one is open.

use super::heard::{self, Delivery, Unreadable};
use super::intake::{Intake, Taken};
use crate::chat::entrance::{NOT_CONFIRMED, NOT_READY};
use crate::chat::reread::Reread;
use crate::rest;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::{Value, json};
use slipway_deploy::slack::{Envelope, Slack, SlackError, Socket, SocketMessage};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tracing::{error, info, warn};

/// The longest rest between two tries to connect.
const BACKOFF_LIMIT_MS: i64 = 60_000;
/// After so long a connection is taken for a good one.
const GOOD_AFTER: Duration = Duration::from_secs(30);
/// How many connections are open at once, when one takes over from another. Slack takes 10.
const CONNECTIONS_LIMIT: usize = 3;
/// How many envelopes of a connection are taken in at once.
const ENVELOPES_LIMIT: usize = 32;

/// Deliveries over Socket Mode.
#[derive(Debug)]
pub struct SocketMode {
    /// The client.
    pub slack: Slack,
    /// The app-level token.
    pub token: SecretString,
    /// Takes them in.
    pub intake: Arc<Intake>,
    /// Reads again what may have been missed.
    pub reread: Arc<Reread>,
}

/// How an envelope is acknowledged.
struct Acknowledgement {
    id: String,
    /// What is said with it.
    answer: Option<Value>,
}

/// Why a connection is no longer enough.
enum Ending {
    /// Slack will end it soon, and it still works.
    Soon,
    /// It is over.
    Over,
}

impl SocketMode {
    /// Keeps a connection open for ever.
    pub async fn run(self) {
        let this = Arc::new(self);
        let (wanted, mut wants) = mpsc::channel::<Ending>(CONNECTIONS_LIMIT);
        let mut connections = JoinSet::new();
        let mut failures = 0;
        loop {
            while connections.try_join_next().is_some() {}
            match this.slack.open_socket(&this.token).await {
                Ok(socket) => {
                    let opened = Instant::now();
                    connections.spawn(this.clone().listen(socket, wanted.clone()));
                    let ending = tokio::select! {
                        ending = wants.recv() => ending,
                        // One that ends without a word has a fault of its own.
                        Some(Err(fault)) = connections.join_next() => {
                            error!(%fault, "a Socket Mode connection failed");
                            Some(Ending::Over)
                        }
                    };
                    // One that is cut at once, again and again, is a failure too.
                    failures = if opened.elapsed() >= GOOD_AFTER { 0 } else { failures + 1 };
                    if let Some(Ending::Over) = ending {
                        info!("a Socket Mode connection is over");
                        rest(failures - 1, None).await;
                    }
                    // Those that were to be replaced end by themselves; more than a few are a fault.
                    while connections.len() >= CONNECTIONS_LIMIT {
                        connections.join_next().await;
                    }
                }
                Err(error) => {
                    warn!(%error, "Slack cannot be listened to");
                    rest(
                        failures,
                        error.retry_after().map(|until| until.duration_since(this.intake.entrance.clock.now())),
                    )
                    .await;
                    failures += 1;
                }
            }
        }
    }

    /// Listens until the connection is over, and asks for another one once. What comes is taken in beside what comes next:
    /// while the store is slow each waits for itself, and not for all that came before it.
    async fn listen(self: Arc<Self>, mut socket: Socket, wanted: mpsc::Sender<Ending>) {
        let mut asked = false;
        let mut taking = JoinSet::new();
        loop {
            let message = tokio::select! {
                Some(taken) = taking.join_next() => {
                    if let Err(error) = acknowledge(&mut socket, taken).await {
                        info!(%error, "an envelope could not be acknowledged and comes again");
                        break;
                    }
                    continue;
                }
                message = socket.next(), if taking.len() < ENVELOPES_LIMIT => message,
            };
            match message {
                // What happened while nobody listened is not said again.
                Ok(SocketMessage::Hello) => self.reread.soon(),
                Ok(SocketMessage::Envelope(envelope)) => drop(taking.spawn(self.clone().envelope(envelope))),
                Ok(SocketMessage::Disconnect { reason }) => {
                    info!(reason, "Slack will end a Socket Mode connection");
                    if !asked {
                        asked = true;
                        let _ = wanted.send(Ending::Soon).await;
                    }
                }
                Err(error @ SlackError::BadEnvelope { .. }) => warn!(%error, "an envelope is left with Slack"),
                Err(error) => {
                    info!(%error, "a Socket Mode connection ended");
                    break;
                }
            }
        }
        if !asked {
            let _ = wanted.send(Ending::Over).await;
        }
    }

    /// Takes an envelope in. Gives how it is acknowledged, or nothing where it is to come again.
    async fn envelope(self: Arc<Self>, envelope: Envelope) -> Option<Acknowledgement> {
        let Envelope { id, kind, payload, accepts_response_payload, retry_attempt } = envelope;
        let with = |answer: Option<Value>| Some(Acknowledgement { id: id.clone(), answer });
        let delivery = match read(&kind, payload) {
            Ok(Some(delivery)) => delivery,
            Ok(None) => {
                info!(kind, "an envelope of a kind that this version does not know");
                return with(None);
            }
            // Sent again it would be the same.
            Err(error) => {
                error!(kind, %error, "an envelope cannot be read");
                return with(None);
            }
        };
        if retry_attempt > 0 {
            info!(kind, retry_attempt, "Slack says something again");
        }
        let say = |what: &str| accepts_response_payload.then(|| json!({ "text": what }));
        match self.intake.take(delivery).await {
            Taken::Done | Taken::NotOurs => with(None),
            Taken::Answer(answer) => with(accepts_response_payload.then_some(answer)),
            Taken::Say(what) => with(say(&what)),
            // A command is not sent again: whoever typed it must know.
            Taken::NotConfirmed if kind == COMMANDS => with(say(NOT_CONFIRMED)),
            Taken::NotReady if kind == COMMANDS => with(say(NOT_READY)),
            Taken::NotConfirmed | Taken::NotReady => None,
        }
    }
}

/// Acknowledges what was taken in.
async fn acknowledge(socket: &mut Socket, taken: Result<Option<Acknowledgement>, JoinError>) -> Result<(), SlackError> {
    match taken {
        Ok(Some(Acknowledgement { id, answer })) => socket.acknowledge(&id, answer).await,
        Ok(None) => Ok(()),
        Err(fault) => {
            error!(%fault, "an envelope was not taken in, and comes again");
            Ok(())
        }
    }
}

/// Rests after so many failures and one more; at least for as long as Slack says.
async fn rest(failures: i64, asked: Option<SignedDuration>) {
    if failures < 0 {
        return;
    }
    let backoff = Duration::from_millis(rest::backoff_ms(failures, BACKOFF_LIMIT_MS).unsigned_abs());
    let asked = asked.and_then(|asked| Duration::try_from(asked).ok()).unwrap_or_default();
    tokio::time::sleep(backoff.max(asked).min(Duration::from_millis(BACKOFF_LIMIT_MS.unsigned_abs()))).await;
}

const COMMANDS: &str = "slash_commands";

fn read(kind: &str, payload: Value) -> Result<Option<Delivery>, Unreadable> {
    Ok(Some(match kind {
        COMMANDS => heard::command(payload)?,
        "interactive" => heard::interaction(payload)?,
        "events_api" => heard::event(payload)?,
        _ => return Ok(None),
    }))
}
