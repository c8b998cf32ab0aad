//! What was asked and answered at a stand-in, to be held against what the provider publishes.

use serde_json::Value;
use std::sync::{Mutex, PoisonError};

/// How many exchanges are kept; those after them are not.
const EXCHANGES_LIMIT: usize = 5_000;

/// One request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was asked for: `AppRunner.UpdateService`, `GET /repos/acme/goals?page=2`.
    pub call: String,
    /// The request's body; null where it has none or it is no JSON.
    pub request: Value,
    /// The answer's status.
    pub status: u16,
    /// The answer's body; null where it has none or it is no JSON.
    pub answer: Value,
}

/// The exchanges so far.
#[derive(Debug, Default)]
pub(crate) struct Traffic(Mutex<Vec<Exchange>>);

impl Traffic {
    pub(crate) fn keep(&self, exchange: Exchange) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < EXCHANGES_LIMIT {
            kept.push(exchange);
        }
    }

    pub(crate) fn all(&self) -> Vec<Exchange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The JSON of a body, if it is some.
pub(crate) fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}
