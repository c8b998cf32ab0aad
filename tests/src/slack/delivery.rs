//! What Slack brings to the app: commands, presses and forms once, events again until they are taken.

use super::http_delivery;
use super::outcome::{Outcome, Then, finished};
use super::server::Shared;
use super::socket;
use crate::deliveries::{self, Busy};
use serde_json::{Value, json};
use std::sync::Arc;

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

/// What has been delivered, and what is to happen to the next.
pub(super) type Deliveries = deliveries::Deliveries<Delivery, Mischief, Outgoing>;

impl Deliveries {
    fn set(&mut self, number: usize, answer: DeliveryAnswer) {
        if let Some(delivery) = self.get(number) {
            delivery.answer = answer;
        }
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

/// Delivers something, unless deliveries are held back.
pub(super) async fn deliver(shared: &Arc<Shared>, outgoing: Outgoing) -> Outcome {
    let now = shared.world().deliveries.unless_held(outgoing);
    match now {
        Some(outgoing) => run(shared, outgoing).await,
        None => Outcome::Held,
    }
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
    let _busy = Busy::new(&shared.busy);
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
        let record = world.deliveries.note(|number| Delivery {
            number,
            kind: outgoing.kind,
            attempt,
            payload: payload.clone(),
            answer: DeliveryAnswer::Pending,
        });
        (world.mode == super::SlackMode::Socket, record)
    };
    let answered = match socket {
        true => socket::envelope(shared, outgoing.kind, &payload, attempt, reason).await,
        false => http_delivery::post(shared, outgoing.kind, &payload, attempt, reason, mischief).await,
    };
    shared.world().deliveries.set(record, answered.answer);
    answered
}
