//! Why a call is refused.

use serde_json::{Value, json};

/// What a method gives beside `ok`, or why it refuses.
pub(crate) type Reply = Result<Value, Refusal>;

/// `ok: false`, which Slack answers with 200, and what comes with it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) more: Value,
    /// 429, and the answer says after how many seconds to come again.
    pub(crate) retry_after_s: Option<u64>,
}

impl Refusal {
    pub(crate) fn code(code: &'static str) -> Self {
        Self { code, more: json!({}), retry_after_s: None }
    }

    pub(crate) fn with(code: &'static str, more: Value) -> Self {
        Self { code, more, retry_after_s: None }
    }

    pub(crate) fn rate_limited(retry_after_s: u64) -> Self {
        Self { code: "ratelimited", more: json!({}), retry_after_s: Some(retry_after_s) }
    }

    pub(crate) fn invalid_arguments(message: &str) -> Self {
        Self::invalid_view(&[message.to_owned()])
    }

    /// What a modal or a home tab is refused with. `messages` begin with `[ERROR]`.
    pub(crate) fn invalid_view(messages: &[String]) -> Self {
        Self::with("invalid_arguments", json!({ "response_metadata": { "messages": messages } }))
    }

    /// What the blocks of a message are refused with. `messages` begin with `[ERROR]`.
    pub(crate) fn invalid_blocks(messages: &[String]) -> Self {
        let plain: Vec<_> = messages.iter().map(|message| message.trim_start_matches("[ERROR] ")).collect();
        let more = json!({ "errors": plain, "response_metadata": { "messages": messages } });
        Self::with("invalid_blocks", more)
    }

    pub(crate) fn missing_scope(needed: &str, provided: &[String]) -> Self {
        Self::with("missing_scope", json!({ "needed": needed, "provided": provided.join(",") }))
    }
}
