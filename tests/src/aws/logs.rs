//! CloudWatch Logs: `FilterLogEvents`.

use super::answer::{Answer, Refusal};
use super::state::State;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// As many events a page has when nobody asks for fewer.
const PAGE_LIMIT: usize = 10_000;

/// A line in a stream.
#[derive(Clone, Debug)]
pub(super) struct Event {
    stream: String,
    at: Timestamp,
    message: String,
}

/// Log groups by name, their events in the order in which they were written.
#[derive(Debug, Default)]
pub(super) struct Logs(BTreeMap<String, Vec<Event>>);

impl Logs {
    pub(super) fn create_group(&mut self, group: &str) {
        self.0.entry(group.to_owned()).or_default();
    }

    pub(super) fn write(&mut self, group: &str, stream: &str, at: Timestamp, message: &str) {
        let event = Event { stream: stream.to_owned(), at, message: message.to_owned() };
        self.0.entry(group.to_owned()).or_default().push(event);
    }
}

pub(super) fn filter(state: &mut State, request: &Value) -> Answer {
    let group = request["logGroupName"].as_str().unwrap_or_default();
    let missing = || Refusal::new("ResourceNotFoundException", "The specified log group does not exist.");
    let events = state.logs.0.get(group).ok_or_else(missing)?;
    let prefix = request["logStreamNamePrefix"].as_str().unwrap_or_default();
    let start_ms = request["startTime"].as_i64().unwrap_or(0);
    let end_ms = request["endTime"].as_i64().unwrap_or(i64::MAX);
    let fits = |event: &&Event| {
        let at_ms = event.at.as_millisecond();
        event.stream.starts_with(prefix) && at_ms >= start_ms && at_ms <= end_ms
    };
    let mut found: Vec<_> = events.iter().filter(fits).collect();
    found.sort_by_key(|event| event.at);
    if request["startFromHead"] == false {
        found.reverse();
    }
    let skipped = request["nextToken"].as_str().map_or(Some(0), |token| token.parse().ok());
    let skipped: usize =
        skipped.ok_or_else(|| Refusal::new("InvalidParameterException", "The specified nextToken is invalid."))?;
    let limit = request["limit"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE_LIMIT);
    let page = found.iter().skip(skipped).take(limit).enumerate().map(|(n, event)| {
        json!({
            "logStreamName": event.stream,
            "timestamp": event.at.as_millisecond(),
            "message": event.message,
            "ingestionTime": event.at.as_millisecond(),
            "eventId": format!("{:056}", skipped + n),
        })
    });
    let page: Vec<_> = page.collect();
    let mut answer = json!({ "events": page, "searchedLogStreams": [] });
    if found.len() > skipped + limit {
        answer["nextToken"] = json!((skipped + limit).to_string());
    }
    Ok(answer)
}
