//! Slack's codes, and the errors of the crate that carries them, read into ours.

use super::error::SlackError;
use crate::redact::excerpt;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use slack_morphism::errors::SlackClientError;

/// How much of Slack's own words is passed on.
const WORDS_LIMIT_CHARS: usize = 100;
/// How many of its remarks are.
const REMARKS_LIMIT: usize = 3;

/// What comes beside the code.
#[derive(Deserialize, Default)]
struct Beside {
    #[serde(default)]
    needed: Option<String>,
    #[serde(default)]
    response_metadata: Option<Metadata>,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

#[derive(Deserialize, Default)]
struct Metadata {
    #[serde(default)]
    messages: Vec<String>,
}

impl Beside {
    /// A body of another form tells nothing: the code alone counts.
    fn read(body: Option<&str>) -> Self {
        body.and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default()
    }

    fn remarks(self) -> Vec<String> {
        let messages = self.response_metadata.unwrap_or_default().messages;
        let errors =
            self.errors.into_iter().map(|error| error.as_str().map_or_else(|| error.to_string(), str::to_owned));
        messages.into_iter().chain(errors).take(REMARKS_LIMIT).map(|remark| shortened(&remark)).collect()
    }
}

impl SlackError {
    /// Reads the crate's error. `about` is the thing that was asked about, or the id of the channel that was written
    /// to; the crate's own words may hold whole bodies and are not passed on.
    pub(super) fn from_client(about: &str, error: SlackClientError) -> Self {
        match error {
            SlackClientError::ApiError(said) => Self::from_code(about, &said.code, said.http_response_body.as_deref()),
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

    /// Reads one of Slack's codes; `body` is the whole answer that it stood in.
    pub(super) fn from_code(about: &str, code: &str, body: Option<&str>) -> Self {
        let channel = || about.to_owned();
        match code {
            "invalid_auth"
            | "not_authed"
            | "account_inactive"
            | "token_revoked"
            | "token_expired"
            | "not_allowed_token_type" => Self::BadCredentials { code: code.to_owned() },
            "missing_scope" => {
                let needed = Beside::read(body).needed;
                Self::MissingScope { needed: needed.map_or_else(|| "it needs".to_owned(), |scope| shortened(&scope)) }
            }
            "no_such_subteam" | "subteam_not_found" | "user_not_found" | "users_not_found" => {
                Self::NotFound { what: about.to_owned() }
            }
            "message_not_found" | "thread_not_found" => Self::MessageGone,
            "edit_window_closed" | "cant_update_message" => Self::NotEditable { code: code.to_owned() },
            "not_in_channel" => Self::NotInChannel { channel: channel() },
            "channel_not_found" => Self::NoChannel { channel: channel() },
            "is_archived" => Self::Archived { channel: channel() },
            code if code.starts_with("restricted_action") => Self::PostingRestricted { channel: channel() },
            "user_not_in_channel" => Self::UserNotInChannel { channel: channel() },
            "used_url" | "expired_url" => Self::AnswersUsedUp,
            "expired_trigger_id" | "exchanged_trigger_id" | "trigger_expired" | "trigger_exchanged" => {
                Self::TriggerExpired
            }
            "ratelimited" | "rate_limited" => Self::RateLimited { until: None },
            "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => {
                Self::Server { status: 200 }
            }
            other if is_about_form(other) => {
                Self::BadForm { code: shortened(other), said: Beside::read(body).remarks() }
            }
            other => Self::Refused { code: shortened(other) },
        }
    }
}

fn is_about_form(code: &str) -> bool {
    let starts = ["invalid_blocks", "invalid_arguments", "metadata_"];
    let whole = [
        "msg_too_long",
        "msg_blocks_too_long",
        "no_text",
        "too_many_attachments",
        "invalid_attachments",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "block_mismatch",
        "view_too_large",
    ];
    whole.contains(&code) || starts.iter().any(|start| code.starts_with(start))
}

pub(super) fn shortened(text: &str) -> String {
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

    #[test]
    fn what_is_wrong_with_a_message_or_channel_is_told_apart() {
        let codes = [
            "message_not_found",
            "edit_window_closed",
            "cant_update_message",
            "not_in_channel",
            "channel_not_found",
            "is_archived",
            "user_not_in_channel",
            "msg_too_long",
            "used_url",
            "expired_trigger_id",
            "ratelimited",
            "internal_error",
        ];
        let said = codes.map(|code| SlackError::from_code("C024BE91L", code, None).to_string());
        expect_test::expect![[r#"
            The Slack message is not there any more: it was deleted.
            Slack lets nobody change this message any more (edit_window_closed). Post a new one.
            Slack lets nobody change this message any more (cant_update_message). Post a new one.
            Slipway is not in the Slack channel C024BE91L. Invite it there with /invite @slipway.
            Slack shows Slipway no channel C024BE91L. If it is a private one, invite the app there with /invite @slipway; else copy the id again.
            The Slack channel C024BE91L is archived. Unarchive it and /invite @slipway there, or name another one.
            The person is not in the Slack channel C024BE91L, so nothing can be shown to them there. Join it first.
            Slack refused the form of what Slipway sent (msg_too_long). This is a mistake in Slipway: report it.
            Slack takes no more answers to this command or button: it is older than 30 minutes or was answered 5 times. Type or press it again.
            Slack opens a form only within 3 seconds of the command or button, and once. Type or press it again.
            Slack limits the number of requests. Try again then.
            Slack has trouble of its own (200). Try again, or look at status.slack.com."#]].assert_eq(&said.join("\n"));
    }

    #[test]
    fn remarks_on_blocks_are_few_short_and_without_secrets() {
        let long = "x".repeat(500);
        let remarks =
            ["[ERROR] no more than 50 items allowed [json-pointer:/blocks]", "token xoxb-hunter2", &long, "4"];
        let body = serde_json::json!({ "ok": false, "response_metadata": { "messages": remarks } }).to_string();
        let SlackError::BadForm { code, said } = SlackError::from_code("C024BE91L", "invalid_blocks", Some(&body))
        else {
            panic!("another error");
        };
        assert_eq!(code, "invalid_blocks");
        assert_eq!(said.len(), 3);
        assert_eq!(said[0], remarks[0]);
        assert!(!said.join("").contains("hunter2"));
        assert!(said.iter().all(|remark| remark.chars().count() <= WORDS_LIMIT_CHARS + 1));
        let garbled = SlackError::from_code("C024BE91L", "invalid_blocks_format", Some("<html>"));
        assert_eq!(garbled, SlackError::BadForm { code: "invalid_blocks_format".into(), said: vec![] });
    }

    #[test]
    fn what_passes_by_itself_is_known() {
        let until = Timestamp::from_second(1_531_420_618).ok();
        let passing = [
            SlackError::RateLimited { until },
            SlackError::Unreachable { detail: String::new() },
            SlackError::Slow { limit_ms: 1 },
            SlackError::Server { status: 200 },
            SlackError::Server { status: 503 },
            SlackError::SocketClosed { reason: String::new() },
            SlackError::Unreadable { detail: String::new() },
        ];
        assert!(passing.iter().all(SlackError::is_passing));
        assert_eq!(passing.map(|error| error.retry_after()), [until, None, None, None, None, None, None]);
        let lasting = ["invalid_auth", "message_not_found", "not_in_channel", "invalid_blocks", "used_url", "other"];
        assert!(!lasting.iter().any(|code| SlackError::from_code("C1", code, None).is_passing()));
        assert!(!SlackError::Server { status: 302 }.is_passing());
    }
}
