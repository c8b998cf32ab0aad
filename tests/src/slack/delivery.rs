//! What Slack brings to the app: commands, presses and forms once, events again until they are taken.

use super::http_delivery;
use super::outcome::{Outcome, Then, finished};
use super::server::Shared;
use super::socket;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;

/// Deliveries are remembered up to here; then the oldest half is forgotten.
const DELIVERIES_LIMIT: usize = 10_000;
/// More are not held back.
const HELD_LIMIT: usize = 1_000;

/// What is delivered, and to which address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryKind {
    /// `/slack/commands`.
    Command,
    /// `/slack/interactions`: presses and forms.
    Interaction,
    /// `/slack/events`.
    Event,
}

/// What came of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryAnswer {
    /// It is under way.
    Pending,
    /// The app answered so over HTTP.
    Status(u16),
    /// The app took it over a Socket Mode connection.
    Acknowledged,
    /// The app did not answer in time.
    TimedOut,
    /// Nobody listens, or no connection is open.
    Unreachable,
    /// The connection broke off before the answer.
    ConnectionLost,
}

impl DeliveryAnswer {
    /// The app has it.
    #[must_use]
    pub fn is_taken(self) -> bool {
        matches!(self, Self::Acknowledged | Self::Status(200..=299))
    }

    /// As `X-Slack-Retry-Reason` has it.
    fn reason(self) -> &'static str {
        match self {
            Self::TimedOut => "http_timeout",
            Self::Unreachable | Self::ConnectionLost => "connection_failed",
            _ => "http_error",
        }
    }
}

/// One try to deliver something.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Counts from 0.
    pub number: usize,
    /// What it is.
    pub kind: DeliveryKind,
    /// 0 for the first try, then as `X-Slack-Retry-Num`.
    pub attempt: u32,
    /// As it was sent. A command's is an object of texts, which HTTP has as a form.
    pub payload: Value,
    /// What came of it.
    pub answer: DeliveryAnswer,
}

/// How a delivery is spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mischief {
    /// It comes twice.
    Twice,
    /// Its body is not the one that was signed. Nothing in Socket Mode.
    Tampered,
    /// It was signed ten minutes ago. Nothing in Socket Mode.
    Stale,
    /// It is signed with another secret. Nothing in Socket Mode.
    OtherSecret,
    /// It is not signed. Nothing in Socket Mode.
    Unsigned,
    /// It is for another app.
    OtherApp,
    /// It is of another workspace.
    OtherTeam,
}

/// In which order held deliveries are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they came.
    AsTheyCame,
    /// The last one first.
    Backwards,
}

/// What has been delivered, and what is to happen to the next.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    pub(super) list: Vec<Delivery>,
    /// Numbers of those that were forgotten.
    forgotten: usize,
    pub(super) mischief: VecDeque<Mischief>,
    held: Option<Vec<Outgoing>>,
}

impl Deliveries {
    fn note(&mut self, kind: DeliveryKind, attempt: u32, payload: Value) -> usize {
        if self.list.len() >= DELIVERIES_LIMIT {
            self.list.drain(..DELIVERIES_LIMIT / 2);
            self.forgotten += DELIVERIES_LIMIT / 2;
        }
        let number = self.forgotten + self.list.len();
        self.list.push(Delivery { number, kind, attempt, payload, answer: DeliveryAnswer::Pending });
        number
    }

    pub(super) fn get(&self, number: usize) -> Option<&Delivery> {
        self.list.get(number.checked_sub(self.forgotten)?)
    }

    fn set(&mut self, number: usize, answer: DeliveryAnswer) {
        let index = number.checked_sub(self.forgotten);
        if let Some(delivery) = index.and_then(|index| self.list.get_mut(index)) {
            delivery.answer = answer;
        }
    }

    /// Nothing is sent from now on.
    pub(super) fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Things are sent again; gives those that waited.
    pub(super) fn unhold(&mut self, order: Order) -> Vec<Outgoing> {
        let mut waited = self.held.take().unwrap_or_default();
        if order == Order::Backwards {
            waited.reverse();
        }
        waited
    }
}

/// Something to deliver, and what happens with the answer.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) kind: DeliveryKind,
    pub(super) payload: Value,
    pub(super) then: Then,
}

/// What the app answered; `body` is JSON, or a text that is none, or null.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) answer: DeliveryAnswer,
    pub(super) body: Value,
    /// The app asked not to send it again.
    pub(super) no_retry: bool,
}

impl Answered {
    pub(super) fn without_body(answer: DeliveryAnswer) -> Self {
        Self { answer, body: Value::Null, no_retry: false }
    }
}

/// Counts a delivery that is under way for as long as it lives.
struct Busy<'a>(&'a Shared);

impl<'a> Busy<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.busy.send_modify(|count| *count += 1);
        Self(shared)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.send_modify(|count| *count -= 1);
    }
}

/// Delivers something, unless deliveries are held back.
pub(super) async fn deliver(shared: &Arc<Shared>, outgoing: Outgoing) -> Outcome {
    if let Some(held) = &mut shared.world().deliveries.held {
        if held.len() < HELD_LIMIT {
            held.push(outgoing);
        }
        return Outcome::Held;
    }
    run(shared, outgoing).await
}

/// Delivers an event without waiting for it.
pub(super) fn deliver_event(shared: &Arc<Shared>, payload: Value) {
    let outgoing = Outgoing { kind: DeliveryKind::Event, payload, then: Then::Nothing };
    let shared = Arc::clone(shared);
    // Counted at once, so that nobody believes that all is settled before the task begins.
    shared.busy.send_modify(|count| *count += 1);
    tokio::spawn(async move {
        deliver(&shared, outgoing).await;
        shared.busy.send_modify(|count| *count -= 1);
    });
}

/// Delivers something now: an event up to four times.
pub(super) async fn run(shared: &Arc<Shared>, outgoing: Outgoing) -> Outcome {
    let _busy = Busy::new(shared);
    let mut answered = attempt(shared, &outgoing, 0, "").await;
    if outgoing.kind == DeliveryKind::Event {
        let pauses = shared.world().limits.retry_after;
        for (number, pause) in (1..).zip(pauses) {
            if answered.answer.is_taken() || answered.no_retry {
                break;
            }
            tokio::time::sleep(pause).await;
            answered = attempt(shared, &outgoing, number, answered.answer.reason()).await;
        }
    }
    finished(shared, &outgoing, &answered)
}

/// One try, with the mischief that is due.
pub(super) async fn attempt(shared: &Shared, outgoing: &Outgoing, number: u32, reason: &str) -> Answered {
    let mischief = shared.world().deliveries.mischief.pop_front();
    let first = once(shared, outgoing, number, reason, mischief).await;
    if mischief == Some(Mischief::Twice) {
        once(shared, outgoing, number, reason, None).await;
    }
    first
}

async fn once(
    shared: &Shared,
    outgoing: &Outgoing,
    attempt: u32,
    reason: &str,
    mischief: Option<Mischief>,
) -> Answered {
    let mut payload = outgoing.payload.clone();
    match mischief {
        Some(Mischief::OtherApp) => payload["api_app_id"] = json!("A0OTHERAPP"),
        Some(Mischief::OtherTeam) => {
            // Presses name the workspace in `team`, commands and events in `team_id`, events in two more places.
            let places = ["/team/id", "/team_id", "/context_team_id", "/authorizations/0/team_id"];
            for place in places {
                if let Some(team) = payload.pointer_mut(place) {
                    *team = json!("T0OTHER00");
                }
            }
        }
        _ => {}
    }
    let (socket, record) = {
        let mut world = shared.world();
        let record = world.deliveries.note(outgoing.kind, attempt, payload.clone());
        (world.mode == super::SlackMode::Socket, record)
    };
    let answered = match socket {
        true => socket::envelope(shared, outgoing.kind, &payload, attempt, reason).await,
        false => http_delivery::post(shared, outgoing.kind, &payload, attempt, reason, mischief).await,
    };
    shared.world().deliveries.set(record, answered.answer);
    answered
}
