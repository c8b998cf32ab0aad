//! What comes over Socket Mode, read.

use super::SlackError;
use super::refusal::shortened;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Longest id of an envelope.
const ID_LIMIT_BYTES: usize = 200;

/// One thing that Slack says.
#[derive(Clone, Debug, PartialEq)]
pub enum SocketMessage {
    /// The connection works.
    Hello,
    /// Something happened.
    Envelope(Envelope),
    /// Slack is about to end the connection: open another one, then leave this one.
    Disconnect {
        /// `warning`, `refresh_requested`, `link_disabled`, `too_many_websockets`, …
        reason: String,
    },
}

/// Something that happened. Slack sends it again, over any of the app's connections, until it is acknowledged.
#[derive(Clone, PartialEq)]
pub struct Envelope {
    /// What it is acknowledged by. It differs when the same thing is sent again.
    pub id: String,
    /// `slash_commands`, `interactive`, `events_api`, or one that is not known yet.
    pub kind: String,
    /// What the same thing's body would be over HTTP. Holds secrets: a `response_url` for instance.
    pub payload: Value,
    /// Whether the acknowledgement may carry an answer.
    pub accepts_response_payload: bool,
    /// How often it was sent before; Slack tells it of events.
    pub retry_attempt: u32,
}

/// Without the payload.
impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, kind, payload: _, accepts_response_payload: _, retry_attempt } = self;
        let mut debug = f.debug_struct("Envelope");
        debug.field("id", id).field("kind", kind).field("retry_attempt", retry_attempt).finish_non_exhaustive()
    }
}

/// A frame before it is known what it is. Members of another form than Slack's count as absent.
#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type", default)]
    kind: Value,
    #[serde(default)]
    envelope_id: Value,
    #[serde(default)]
    payload: Value,
    #[serde(default)]
    accepts_response_payload: Value,
    #[serde(default)]
    retry_attempt: Value,
    #[serde(default)]
    reason: Value,
}

/// Reads a text frame.
pub(super) fn read(text: &str) -> Result<SocketMessage, SlackError> {
    // The error may quote what came.
    let frame: Frame = serde_json::from_str(text).map_err(|_| bad("no JSON object"))?;
    let Some(kind) = frame.kind.as_str() else {
        return Err(bad("it has no type"));
    };
    if frame.envelope_id.is_null() {
        return match kind {
            "hello" => Ok(SocketMessage::Hello),
            "disconnect" => {
                Ok(SocketMessage::Disconnect { reason: shortened(frame.reason.as_str().unwrap_or("no reason given")) })
            }
            other => Err(bad(&format!("the type {} without an envelope id", shortened(other)))),
        };
    }
    let id = frame.envelope_id.as_str().unwrap_or_default();
    if id.is_empty() || id.len() > ID_LIMIT_BYTES || !id.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(bad("an envelope id of another form"));
    }
    if !frame.payload.is_object() {
        return Err(bad(&format!("envelope {id} without a payload")));
    }
    Ok(SocketMessage::Envelope(Envelope {
        id: id.to_owned(),
        kind: kind.to_owned(),
        payload: frame.payload,
        accepts_response_payload: frame.accepts_response_payload.as_bool().unwrap_or(false),
        retry_attempt: frame.retry_attempt.as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
    }))
}

pub(super) fn bad(detail: &str) -> SlackError {
    SlackError::BadEnvelope { detail: detail.to_owned() }
}

#[derive(Serialize)]
struct Acknowledgement<'a> {
    envelope_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Value>,
}

/// The text frame by which an envelope is acknowledged.
pub(super) fn acknowledgement(envelope_id: &str, payload: Option<Value>) -> Result<String, SlackError> {
    let acknowledgement = Acknowledgement { envelope_id, payload };
    serde_json::to_string(&acknowledgement).map_err(|error| SlackError::Unreadable { detail: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn envelope(text: &str) -> Envelope {
        match read(text) {
            Ok(SocketMessage::Envelope(envelope)) => envelope,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_slack_says_of_the_connection_is_read() {
        let hello = r#"{"type":"hello","num_connections":2,"debug_info":{"host":"applink-1","build_number":10,
            "approximate_connection_time":18060},"connection_info":{"app_id":"A111"}}"#;
        assert_eq!(read(hello), Ok(SocketMessage::Hello));
        let disconnect = r#"{"type":"disconnect","reason":"too_many_websockets","num_connections":2,
            "debug_info":{"host":"applink-1"},"connection_info":{"app_id":"A111"}}"#;
        assert_eq!(read(disconnect), Ok(SocketMessage::Disconnect { reason: "too_many_websockets".into() }));
        let bare = read(r#"{"type":"disconnect"}"#);
        assert_eq!(bare, Ok(SocketMessage::Disconnect { reason: "no reason given".into() }));
    }

    #[test]
    fn an_envelope_keeps_its_payload_as_it_came() {
        let command = envelope(
            r#"{"envelope_id":"1d3c79ab-0ffb-41f3-a080-d19e85f53649","payload":{"token":"t","command":"/deploy",
            "text":"staging","channel_name":"random"},"type":"slash_commands","accepts_response_payload":true}"#,
        );
        assert_eq!((command.kind.as_str(), command.retry_attempt), ("slash_commands", 0));
        assert!(command.accepts_response_payload);
        let payload = json!({"token": "t", "command": "/deploy", "text": "staging", "channel_name": "random"});
        assert_eq!(command.payload, payload);
        let event = envelope(
            r#"{"envelope_id":"e","payload":{"event_id":"Ev1"},"type":"events_api","retry_attempt":2,
            "retry_reason":"timeout","accepts_response_payload":false}"#,
        );
        assert_eq!((event.retry_attempt, event.accepts_response_payload), (2, false));
    }

    #[test]
    fn unknown_kinds_and_members_of_other_forms_are_no_reason_to_lose_an_envelope() {
        let strange = envelope(
            r#"{"envelope_id":"e","type":"workflow_things","payload":{"deep":{"er":[1]}},"retry_attempt":"2",
            "accepts_response_payload":1,"new":null}"#,
        );
        assert_eq!((strange.kind.as_str(), strange.retry_attempt), ("workflow_things", 0));
        assert!(!strange.accepts_response_payload);
        assert_eq!(envelope(r#"{"envelope_id":"e","type":"hello","payload":{}}"#).kind, "hello");
        assert_eq!(
            envelope(r#"{"envelope_id":"e","type":"x","payload":{},"retry_attempt":4294967296}"#).retry_attempt,
            0
        );
    }

    #[test]
    fn what_cannot_be_read_is_said_without_what_it_holds() {
        let long = format!(r#"{{"envelope_id":"{}","type":"x","payload":{{}}}}"#, "e".repeat(ID_LIMIT_BYTES + 1));
        let frames = [
            "",
            "ping",
            r#""hunter2""#,
            "[]",
            r#"{"type":"interactive","envelope_id":"e","payload":"hunter2"}"#,
            r#"{"type":"interactive","envelope_id":"e"}"#,
            r#"{"type":"interactive","payload":{"token":"hunter2"}}"#,
            r#"{"type":7,"envelope_id":"e","payload":{}}"#,
            r#"{"envelope_id":"e","payload":{}}"#,
            r#"{"type":"x","envelope_id":7,"payload":{}}"#,
            r#"{"type":"x","envelope_id":"","payload":{}}"#,
            r#"{"type":"x","envelope_id":"e e","payload":{}}"#,
            &long,
        ];
        let said = frames.map(|frame| read(frame).unwrap_err()).map(|error| match error {
            SlackError::BadEnvelope { detail } => detail,
            other => panic!("{other}"),
        });
        assert!(!said.join("").contains("hunter2"));
        expect_test::expect![[r#"
            no JSON object
            no JSON object
            no JSON object
            it has no type
            envelope e without a payload
            envelope e without a payload
            the type interactive without an envelope id
            it has no type
            it has no type
            an envelope id of another form
            an envelope id of another form
            an envelope id of another form
            an envelope id of another form"#]]
        .assert_eq(&said.join("\n"));
    }

    #[test]
    fn debug_tells_no_secrets() {
        let text =
            r#"{"envelope_id":"e","type":"interactive","payload":{"response_url":"https://hooks.slack.com/hunter2"}}"#;
        let debug = format!("{:?}", read(text));
        assert!(debug.contains("interactive") && !debug.contains("hunter2"), "{debug}");
    }

    #[test]
    fn an_acknowledgement_carries_a_payload_only_when_there_is_one() {
        assert_eq!(acknowledgement("e", None).unwrap(), r#"{"envelope_id":"e"}"#);
        let answer = acknowledgement("e", Some(json!({ "text": "x" }))).unwrap();
        assert_eq!(answer, r#"{"envelope_id":"e","payload":{"text":"x"}}"#);
    }
}
