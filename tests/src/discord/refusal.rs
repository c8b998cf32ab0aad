//! What a call gives, or why it is refused.

use serde_json::{Value, json};

/// What comes back.
pub(super) type Reply = Result<Answer, Refusal>;

/// A status with something, or with nothing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Option<Value>,
}

impl Answer {
    pub(super) fn ok(body: Value) -> Self {
        Self { status: 200, body: Some(body) }
    }

    pub(super) fn created(body: Value) -> Self {
        Self { status: 201, body: Some(body) }
    }

    pub(super) fn nothing() -> Self {
        Self { status: 204, body: None }
    }
}

/// An error with Discord's code.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: u32,
    pub(super) message: String,
    /// What is wrong with the body, by place.
    pub(super) errors: Option<Value>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: u32, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), errors: None }
    }

    /// What the answer's body is.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({ "message": self.message, "code": self.code });
        if let Some(errors) = &self.errors {
            body["errors"] = errors.clone();
        }
        body
    }

    pub(super) fn unknown(code: u32) -> Self {
        let what = match code {
            10_002 => "Application",
            10_003 => "Channel",
            10_004 => "Guild",
            10_007 => "Member",
            10_008 => "Message",
            10_013 => "User",
            10_014 => "Emoji",
            10_015 => "Webhook",
            _ => "interaction",
        };
        Self::new(404, code, &format!("Unknown {what}"))
    }

    pub(super) fn channel() -> Self {
        Self::unknown(10_003)
    }

    pub(super) fn message() -> Self {
        Self::unknown(10_008)
    }

    pub(super) fn webhook() -> Self {
        Self::unknown(10_015)
    }

    pub(super) fn interaction() -> Self {
        Self::unknown(10_062)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, 0, "401: Unauthorized")
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, 0, "404: Not Found")
    }

    pub(super) fn access() -> Self {
        Self::new(403, 50_001, "Missing Access")
    }

    pub(super) fn permissions() -> Self {
        Self::new(403, 50_013, "Missing Permissions")
    }

    pub(super) fn channel_type() -> Self {
        Self::new(400, 50_024, "Cannot execute action on this channel type")
    }

    pub(super) fn archived() -> Self {
        Self::new(400, 50_083, "Thread is archived")
    }

    pub(super) fn empty() -> Self {
        Self::new(400, 50_006, "Cannot send an empty message")
    }

    /// The stand-in is full.
    pub(super) fn full() -> Self {
        Self::new(500, 0, "500: Internal Server Error")
    }
}
