//! What can go wrong with Slack, in sentences for people.

use crate::redact::excerpt;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use slack_morphism::errors::SlackClientError;
use thiserror::Error;

/// How much of Slack's own words is passed on.
const WORDS_LIMIT_CHARS: usize = 100;

/// Why Slack did not do or tell what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SlackError {
    /// The token is none, or none any more.
    #[error("Slack does not accept the token ({code}). Set SLACK_BOT_TOKEN to the bot token of the installed app.")]
    BadCredentials {
        /// Slack's code: `invalid_auth`, `token_revoked`, …
        code: String,
    },
    /// The app was not given what this needs.
    #[error(
        "Slack does not allow this: the app lacks the scope {needed}. Add it under OAuth & Permissions and install \
         the app again."
    )]
    MissingScope {
        /// The scope.
        needed: String,
    },
    /// Slack does not know the thing that was asked about.
    #[error("Slack has no {what} in this workspace, or it is disabled. Copy the id again.")]
    NotFound {
        /// What was asked about.
        what: String,
    },
    /// 429.
    #[error("Slack limits the number of requests{}. Try again then.", until_words(.until.as_ref()))]
    RateLimited {
        /// When it will listen again, if it said so.
        until: Option<Timestamp>,
    },
    /// Another `ok: false`: Slack understood and refused.
    #[error("Slack refused this ({code}).")]
    Refused {
        /// Slack's code.
        code: String,
    },
    /// No connection, or it broke.
    #[error("Slack cannot be reached ({detail}). Check the network and `[slack] api_url`.")]
    Unreachable {
        /// The innermost reason.
        detail: String,
    },
    /// No complete answer in time.
    #[error("Slack did not answer in {limit_ms} ms. Try again, or look at status.slack.com.")]
    Slow {
        /// The limit in milliseconds.
        limit_ms: u128,
    },
    /// Another status than 200.
    #[error("Slack has trouble of its own ({status}). Try again, or look at status.slack.com.")]
    Server {
        /// The HTTP status.
        status: u16,
    },
    /// An answer that is not as documented.
    #[error("Slack's answer cannot be used: {detail}.")]
    Unreadable {
        /// What is wrong with it.
        detail: String,
    },
    /// An answer beyond what Slipway takes.
    #[error("Slack's answer is too big: {detail}.")]
    TooBig {
        /// The limit that it breaks.
        detail: String,
    },
}

fn until_words(until: Option<&Timestamp>) -> String {
    until.map_or_else(String::new, |t| format!(" until {}", t.strftime("%H:%M:%S UTC")))
}

/// What comes with `missing_scope`.
#[derive(Deserialize, Default)]
struct Lack {
    #[serde(default)]
    needed: Option<String>,
}

impl SlackError {
    /// Reads the crate's error. `what` is the thing that was asked about; the crate's own words may hold whole bodies
    /// and are not passed on.
    pub(super) fn from_client(what: &str, error: SlackClientError) -> Self {
        match error {
            SlackClientError::ApiError(said) => Self::from_code(what, &said.code, said.http_response_body.as_deref()),
            SlackClientError::RateLimitError(limited) => {
                let wait = limited.retry_after.and_then(|wait| SignedDuration::try_from(wait).ok());
                Self::RateLimited { until: wait.and_then(|wait| Timestamp::now().checked_add(wait).ok()) }
            }
            SlackClientError::HttpError(error) => Self::Server { status: error.status_code.as_u16() },
            SlackClientError::ProtocolError(error) => Self::Unreadable { detail: error.json_error.to_string() },
            SlackClientError::SystemError(error) => match error.cause.map(|cause| cause.downcast::<Self>()) {
                Some(Ok(ours)) => *ours,
                _ => Self::Unreadable { detail: "the call could not be made".to_owned() },
            },
            SlackClientError::HttpProtocolError(_)
            | SlackClientError::EndOfStream(_)
            | SlackClientError::SocketModeProtocolError(_) => {
                Self::Unreadable { detail: "the call could not be made".to_owned() }
            }
        }
    }

    fn from_code(what: &str, code: &str, body: Option<&str>) -> Self {
        match code {
            "invalid_auth" | "not_authed" | "account_inactive" | "token_revoked" | "token_expired" => {
                Self::BadCredentials { code: code.to_owned() }
            }
            "missing_scope" => {
                let lack: Lack = body.and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
                let needed = lack.needed.map_or_else(|| "it needs".to_owned(), |scope| shortened(&scope));
                Self::MissingScope { needed }
            }
            "no_such_subteam" | "subteam_not_found" => Self::NotFound { what: what.to_owned() },
            "ratelimited" => Self::RateLimited { until: None },
            "internal_error" | "fatal_error" | "service_unavailable" => Self::Server { status: 200 },
            other => Self::Refused { code: shortened(other) },
        }
    }
}

fn shortened(text: &str) -> String {
    excerpt(text, WORDS_LIMIT_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_gets_its_own_sentence() {
        let lacks = r#"{"ok":false,"error":"missing_scope","needed":"usergroups:read","provided":"chat:write"}"#;
        let said = [("invalid_auth", None), ("missing_scope", Some(lacks)), ("no_such_subteam", None), ("other", None)]
            .map(|(code, body)| SlackError::from_code("user group S0614TZR7", code, body).to_string());
        expect_test::expect![[r#"
            Slack does not accept the token (invalid_auth). Set SLACK_BOT_TOKEN to the bot token of the installed app.
            Slack does not allow this: the app lacks the scope usergroups:read. Add it under OAuth & Permissions and install the app again.
            Slack has no user group S0614TZR7 in this workspace, or it is disabled. Copy the id again.
            Slack refused this (other)."#]]
        .assert_eq(&said.join("\n"));
    }
}
