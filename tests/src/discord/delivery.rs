//! What Discord brings to the app of what people did: over the gateway, or by signed requests. Each once.

use super::http_delivery;
use super::interaction::State;
use super::options::DiscordMode;
use super::rest::respond;
use super::server::Shared;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Arc;

/// Deliveries are remembered up to here; then the oldest half is forgotten.
const DELIVERIES_LIMIT: usize = 10_000;
/// More are not held back.
const HELD_LIMIT: usize = 1_000;

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
    held: Option<Vec<Value>>,
}

impl Deliveries {
    fn note(&mut self, payload: Value) -> usize {
        if self.list.len() >= DELIVERIES_LIMIT {
            self.list.drain(..DELIVERIES_LIMIT / 2);
            self.forgotten += DELIVERIES_LIMIT / 2;
        }
        let number = self.forgotten + self.list.len();
        self.list.push(Delivery { number, payload, answer: DeliveryAnswer::Pending });
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
    pub(super) fn unhold(&mut self, order: Order) -> Vec<Value> {
        let mut waited = self.held.take().unwrap_or_default();
        if order == Order::Backwards {
            waited.reverse();
        }
        waited
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

/// Delivers an interaction, unless deliveries are held back.
pub(super) async fn deliver(shared: &Arc<Shared>, payload: Value) -> Outcome {
    if let Some(held) = &mut shared.world().deliveries.held {
        if held.len() < HELD_LIMIT {
            held.push(payload);
        }
        return Outcome::Held;
    }
    run(shared, payload).await
}

/// Delivers an interaction now, and waits for the first answer to it as long as Discord does.
pub(super) async fn run(shared: &Arc<Shared>, payload: Value) -> Outcome {
    let _busy = Busy::new(shared);
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
        let number = world.deliveries.note(payload.clone());
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
