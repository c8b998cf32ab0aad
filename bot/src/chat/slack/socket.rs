//! Socket Mode: deliveries over connections that Slipway opens. The envelopes of one are taken in beside each other; each
//! is acknowledged when what it says is durable, and not before. Before Slack ends a connection another one is open.

use super::heard::{self, Delivery, Unreadable};
use super::intake::{Intake, Taken};
use crate::chat::entrance::{NOT_CONFIRMED, NOT_READY};
use crate::chat::lanes::{Lanes, caught_at_once};
use crate::chat::reread::Reread;
use crate::rest;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::{Value, json};
use slipway_deploy::slack::{Envelope, Slack, SlackError, Socket, SocketMessage};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{self, JoinSet};
use tokio::time::Instant;
use tracing::{error, info, warn};

/// The longest rest between two tries to connect.
const BACKOFF_LIMIT_MS: i64 = 60_000;
/// After so long a connection is taken for a good one.
const GOOD_AFTER: Duration = Duration::from_secs(30);
/// How many connections are open at once, when one takes over from another. Slack takes 10.
const CONNECTIONS_LIMIT: usize = 3;
/// How many envelopes of one connection are taken in at once. Each takes a few seconds at most.
const ENVELOPES_LIMIT: usize = 64;

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

/// Why a connection is no longer enough.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    /// Slack will end it soon, and it still works.
    Soon,
    /// It is over.
    Over,
}

/// What an envelope is answered by.
struct Asks {
    id: String,
    is_command: bool,
    takes_answer: bool,
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
                    let newest = connections.spawn(this.clone().listen(socket, wanted.clone())).id();
                    let ending = ending(&mut connections, newest, &mut wants).await;
                    // One that is cut at once, again and again, is a failure too.
                    failures = if opened.elapsed() >= GOOD_AFTER { 0 } else { failures + 1 };
                    if ending == Ending::Over {
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

    /// Listens until the connection is over, and asks for another one once. What is under way then is given up: it can be
    /// acknowledged no more, and Slack sends it again or has told whoever asked that it failed.
    async fn listen(self: Arc<Self>, mut socket: Socket, wanted: mpsc::Sender<Ending>) {
        let mut asked = false;
        let mut lanes = Lanes::new(ENVELOPES_LIMIT);
        loop {
            let done = tokio::select! {
                said = socket.next(), if lanes.has_room() => match said {
                    // What happened while nobody listened is not said again.
                    Ok(SocketMessage::Hello) => {
                        self.reread.soon();
                        Ok(())
                    }
                    Ok(SocketMessage::Envelope(envelope)) => self.envelope(&mut socket, envelope, &mut lanes).await,
                    Ok(SocketMessage::Disconnect { reason }) => {
                        info!(reason, "Slack will end a Socket Mode connection");
                        if !asked {
                            asked = true;
                            let _ = wanted.send(Ending::Soon).await;
                        }
                        Ok(())
                    }
                    Err(error @ SlackError::BadEnvelope { .. }) => {
                        warn!(%error, "an envelope is left with Slack");
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
                (asks, taken) = lanes.next() => acknowledge(&mut socket, asks, taken).await,
            };
            if let Err(error) = done {
                info!(%error, "a Socket Mode connection ended: what was not acknowledged comes again");
                break;
            }
        }
        if !asked {
            let _ = wanted.send(Ending::Over).await;
        }
    }

    /// Has an envelope taken in beside the others.
    async fn envelope(
        &self,
        socket: &mut Socket,
        envelope: Envelope,
        lanes: &mut Lanes<Asks, Taken>,
    ) -> Result<(), SlackError> {
        let came = Instant::now();
        let Envelope { id, kind, payload, accepts_response_payload, retry_attempt } = envelope;
        let delivery = match caught_at_once(|| read(&kind, payload)) {
            Some(Ok(Some(delivery))) => delivery,
            Some(Ok(None)) => {
                info!(kind, "an envelope of a kind that this version does not know");
                return socket.acknowledge(&id, None).await;
            }
            // Sent again it would be the same.
            Some(Err(error)) => {
                error!(kind, %error, "an envelope cannot be read");
                return socket.acknowledge(&id, None).await;
            }
            None => return socket.acknowledge(&id, None).await,
        };
        if retry_attempt > 0 {
            info!(kind, retry_attempt, "Slack says something again");
        }
        let (intake, key) = (self.intake.clone(), delivery.heard.lane());
        let asks = Asks { id, is_command: kind == COMMANDS, takes_answer: accepts_response_payload };
        lanes.take(key, asks, async move { intake.take(delivery, came).await });
        Ok(())
    }
}

/// Waits until the newest connection is not enough any more. Those that were replaced may end meanwhile.
async fn ending(connections: &mut JoinSet<()>, newest: task::Id, wants: &mut mpsc::Receiver<Ending>) -> Ending {
    loop {
        tokio::select! {
            wanted = wants.recv() => return wanted.unwrap_or(Ending::Over),
            Some(ended) = connections.join_next_with_id() => {
                // One that ends without a word has a fault of its own.
                let Err(fault) = ended else { continue };
                error!(%fault, "a Socket Mode connection failed");
                if fault.id() == newest {
                    return Ending::Over;
                }
            }
        }
    }
}

/// Acknowledges an envelope with what became of it. `None`: a fault of ours, so it is not known to be durable.
async fn acknowledge(socket: &mut Socket, asks: Asks, taken: Option<Taken>) -> Result<(), SlackError> {
    let Asks { id, is_command, takes_answer } = asks;
    let say = |what: &str| takes_answer.then(|| json!({ "text": what }));
    let answer = match taken.unwrap_or(Taken::NotConfirmed) {
        Taken::Done | Taken::NotOurs => None,
        Taken::Answer(answer) => takes_answer.then_some(answer),
        Taken::Say(what) => say(&what),
        // A command is not sent again: whoever typed it must know.
        Taken::NotConfirmed if is_command => say(NOT_CONFIRMED),
        Taken::NotReady if is_command => say(NOT_READY),
        Taken::NotConfirmed | Taken::NotReady => return Ok(()),
    };
    socket.acknowledge(&id, answer).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_that_fails_without_a_word_is_missed_after_others_have_ended() {
        let (_wanted, mut wants) = mpsc::channel(CONNECTIONS_LIMIT);
        let mut connections = JoinSet::new();
        let (go, goes) = tokio::sync::oneshot::channel::<()>();
        // Two were replaced: one ends as it should, one does not. Then the newest fails.
        connections.spawn(async {});
        connections.spawn(async { panic!("as a test wants it") });
        let newest = connections.spawn(async {
            let _ = goes.await;
            panic!("as a test wants it")
        });
        let newest = newest.id();
        let failed = ending(&mut connections, newest, &mut wants);
        tokio::pin!(failed);
        tokio::select! {
            biased;
            ended = &mut failed => panic!("the newest still works: {ended:?}"),
            () = others_have_ended() => {}
        }
        go.send(()).unwrap();
        assert_eq!(failed.await, Ending::Over);
    }

    /// The test's one thread has run everything else that can run.
    async fn others_have_ended() {
        for _ in 0..10 {
            task::yield_now().await;
        }
    }
}
