//! What Discord brings to the app of what people did: over the gateway, or by signed requests. Each once.

use super::http_delivery;
use super::interaction::State;
use super::options::DiscordMode;
use super::rest::respond;
use super::server::Shared;
use crate::deliveries::{self, Busy};
use serde_json::Value;
use std::sync::Arc;

/// What came of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryAnswer {
    /// It is under way.
    Pending,
    /// The app answered so over HTTP.
    Status(u16),
    /// It went over the gateway.
    Dispatched,
    /// The app did not answer in time.
    TimedOut,
    /// Nobody listens.
    Unreachable,
    /// The connection broke off before the answer.
    ConnectionLost,
}

impl DeliveryAnswer {
    /// The app has it.
    #[must_use]
    pub fn is_taken(self) -> bool {
        matches!(self, Self::Dispatched | Self::Status(200..=299))
    }
}

/// One try to deliver something.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Counts from 0.
    pub number: usize,
    /// As it was sent.
    pub payload: Value,
    /// What came of it.
    pub answer: DeliveryAnswer,
}

/// How a delivery is spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mischief {
    /// It comes twice.
    Twice,
    /// Its body is not the one that was signed. Nothing over the gateway.
    Tampered,
    /// It was signed ten minutes ago. Nothing over the gateway.
    Stale,
    /// It is signed with another key. Nothing over the gateway.
    OtherKey,
    /// It is not signed. Nothing over the gateway.
    Unsigned,
    /// It is for another app.
    OtherApp,
    /// It is of another guild.
    OtherGuild,
}

/// What has been delivered, and what is to happen to the next.
pub(super) type Deliveries = deliveries::Deliveries<Delivery, Mischief, Value>;

impl Deliveries {
    fn set(&mut self, number: usize, answer: DeliveryAnswer) {
        if let Some(delivery) = self.get(number) {
            delivery.answer = answer;
        }
    }
}

/// What a person gets.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// With the choices, when they were asked for.
    Answered(Vec<Value>),
    /// It waits until deliveries are let go.
    Held,
    /// The app said nothing in time.
    Lost,
}

/// Delivers an interaction, unless deliveries are held back.
pub(super) async fn deliver(shared: &Arc<Shared>, payload: Value) -> Outcome {
    let now = shared.world().deliveries.unless_held(payload);
    match now {
        Some(payload) => run(shared, payload).await,
        None => Outcome::Held,
    }
}

/// Delivers an interaction now, and waits for the first answer to it as long as Discord does.
pub(super) async fn run(shared: &Arc<Shared>, payload: Value) -> Outcome {
    let _busy = Busy::new(&shared.busy);
    let id = payload["id"].as_str().unwrap_or_default().to_owned();
    let limit = shared.world().limits.answer_within;
    let answered = async {
        let (answer, _) = attempt(shared, &payload).await;
        if answer.is_taken() { first_answer(shared, &id).await } else { None }
    };
    if let Ok(Some(choices)) = tokio::time::timeout(limit, answered).await {
        return Outcome::Answered(choices);
    }
    let mut world = shared.world();
    match world.interaction_mut(&id) {
        // It came in the very last moment.
        Some(known) if known.state != State::Waiting => {}
        Some(known) => known.state = State::Lost,
        None => {}
    }
    match world.interaction(&id).map(|known| known.state.clone()) {
        Some(State::Answered(choices)) => Outcome::Answered(choices),
        _ => Outcome::Lost,
    }
}

/// Waits until the app has answered.
async fn first_answer(shared: &Shared, id: &str) -> Option<Vec<Value>> {
    let mut changes = shared.changes.clone();
    loop {
        changes.mark_unchanged();
        match shared.world().interaction(id)?.state.clone() {
            State::Answered(choices) => return Some(choices),
            State::Lost => return None,
            State::Waiting => {}
        }
        changes.changed().await.ok()?;
    }
}

/// One try, with the mischief that is due: what came of it, and the answer's body.
pub(super) async fn attempt(shared: &Shared, payload: &Value) -> (DeliveryAnswer, Value) {
    let mischief = shared.world().deliveries.mischief.pop_front();
    let first = once(shared, payload, mischief).await;
    if mischief == Some(Mischief::Twice) {
        once(shared, payload, None).await;
    }
    first
}

/// Sends something once, spoilt or not.
pub(super) async fn once(shared: &Shared, payload: &Value, mischief: Option<Mischief>) -> (DeliveryAnswer, Value) {
    let mut payload = payload.clone();
    match mischief {
        Some(Mischief::OtherApp) => payload["application_id"] = "190000000000000001".into(),
        Some(Mischief::OtherGuild) => {
            payload["guild_id"] = "490000000000000001".into();
            payload["guild"]["id"] = "490000000000000001".into();
        }
        _ => {}
    }
    let (url, number) = {
        let mut world = shared.world();
        let number = world.deliveries.note(|number| Delivery {
            number,
            payload: payload.clone(),
            answer: DeliveryAnswer::Pending,
        });
        let url = match &world.mode {
            DiscordMode::Http { url } => Some(url.clone()),
            DiscordMode::Gateway => None,
        };
        if url.is_none() {
            world.dispatch(0, "INTERACTION_CREATE", payload.clone());
            world.deliveries.set(number, DeliveryAnswer::Dispatched);
        }
        (url, number)
    };
    let Some(url) = url else { return (DeliveryAnswer::Dispatched, Value::Null) };
    let limit = shared.world().limits.answer_within;
    let posted = tokio::time::timeout(limit, http_delivery::post(shared, url.as_deref(), &payload, mischief)).await;
    let (answer, body) = posted.unwrap_or((DeliveryAnswer::TimedOut, Value::Null));
    let mut world = shared.world();
    world.deliveries.set(number, answer);
    if answer.is_taken() && body.is_object() {
        let text = |member: &str| payload[member].as_str().unwrap_or_default().to_owned();
        // What is no answer leaves the person waiting, as it does at Discord.
        let _ = respond(&mut world, &text("id"), &text("token"), &body);
    }
    (answer, body)
}
