//! Answers to the `response_url` of a command or button.

use super::refusal::shortened;
use super::{Rendered, Slack, SlackError};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use slack_morphism::blocks::SlackBlock;

/// Where Slack takes answers.
const ANSWERS_HOST: &str = "hooks.slack.com";
/// Longest address that is taken.
const URL_LIMIT_BYTES: usize = 2_048;
/// What errors are about.
const ABOUT: &str = "answer";

#[derive(Serialize)]
struct Response<'a> {
    response_type: &'static str,
    replace_original: bool,
    text: &'a str,
    blocks: &'a [SlackBlock],
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    ok: bool,
    #[serde(default)]
    error: Option<String>,
}

impl Slack {
    /// Answers a command or button so that only the person who used it sees it. Works 5 times within 30 minutes, also
    /// where the app is not in the channel. The address is Slack's or nothing is sent; it is a secret and carries no
    /// token of ours.
    ///
    /// # Errors
    /// When Slack refuses; [`SlackError::AnswersUsedUp`] when the address is used up or too old;
    /// [`SlackError::NotSlacks`] when the address is not Slack's.
    pub async fn respond(&self, response_url: &SecretString, what: &Rendered) -> Result<(), SlackError> {
        let url = slacks(response_url.expose_secret(), self.connector().api_url())?;
        let Rendered { text, blocks } = what;
        let response = Response { response_type: "ephemeral", replace_original: false, text, blocks };
        let (status, body) = self.connector().post_elsewhere(url, &response, ABOUT).await?;
        outcome(status, &body)
    }
}

/// The address, if it is one of Slack's: of the API that is configured, or where Slack takes answers.
fn slacks(url: &str, api_url: &str) -> Result<Url, SlackError> {
    let refused = || SlackError::NotSlacks { what: "The address to answer at".to_owned() };
    if url.len() > URL_LIMIT_BYTES {
        return Err(refused());
    }
    let url = Url::parse(url).map_err(|_| refused())?;
    let at_slack = url.scheme() == "https" && url.host_str() == Some(ANSWERS_HOST) && url.port().is_none();
    let at_ours = Url::parse(api_url).is_ok_and(|api| api.origin() == url.origin() && api.host_str().is_some());
    let plain = url.username().is_empty() && url.password().is_none();
    if plain && (at_slack || at_ours) { Ok(url) } else { Err(refused()) }
}

/// Slack says `ok` in plain text or in JSON, and why not in either.
fn outcome(status: u16, body: &[u8]) -> Result<(), SlackError> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let said = serde_json::from_str::<Said>(text).ok();
    if status == 200 && (text.is_empty() || text == "ok" || said.as_ref().is_some_and(|said| said.ok)) {
        return Ok(());
    }
    let code = said.and_then(|said| said.error).or_else(|| is_code(text).then(|| text.to_owned()));
    Err(match (code, status) {
        (Some(code), _) => SlackError::from_code(ABOUT, &code, Some(text)),
        (None, 200) => SlackError::Unreadable { detail: "neither ok nor why not".to_owned() },
        (None, 404 | 410) => SlackError::AnswersUsedUp,
        (None, 500..) => SlackError::Server { status },
        (None, _) => SlackError::Refused { code: shortened(&format!("status {status}")) },
    })
}

fn is_code(text: &str) -> bool {
    text != "ok" && !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: &str = "https://slack.com/api";
    const LOCAL: &str = "http://127.0.0.1:4010/api";

    #[test]
    fn answers_go_to_slack_alone() {
        assert!(slacks("https://hooks.slack.com/commands/T1/2/xyz", API).is_ok());
        assert!(slacks("https://hooks.slack.com:443/commands/T1/2/xyz", API).is_ok());
        assert!(slacks("https://slack.com/commands/1", API).is_ok());
        assert!(slacks("http://127.0.0.1:4010/commands/1", LOCAL).is_ok());
        let others = [
            "http://hooks.slack.com/commands/1",
            "https://hooks.slack.com:8443/commands/1",
            "https://hooks.slack.com.evil.example/commands/1",
            "https://hooks.slack.com./commands/1",
            "https://evilhooks.slack.com/commands/1",
            "https://hooks.slack.com@evil.example/commands/1",
            "https://user@hooks.slack.com/commands/1",
            "https://user:hunter2@hooks.slack.com/commands/1",
            "https://:hunter2@hooks.slack.com/commands/1",
            "https://evil.example\\@hooks.slack.com/commands/1",
            "https://evil.example/https://hooks.slack.com/",
            "https://evil.example#@hooks.slack.com/",
            "http://slack.com/commands/1",
            "http://127.0.0.1:4010/commands/1",
            "http://169.254.169.254/latest",
            "file:///etc/passwd",
            "data:text/plain,ok",
            "hooks.slack.com/commands/1",
            "",
        ];
        for url in others {
            let error = slacks(url, API).unwrap_err();
            assert!(matches!(error, SlackError::NotSlacks { .. }), "{url}");
            assert!(!format!("{error} {error:?}").contains("commands"), "{error:?}");
        }
        for url in ["http://127.0.0.1:4011/1", "https://127.0.0.1:4010/1", "http://localhost:4010/1"] {
            assert!(slacks(url, LOCAL).is_err(), "{url}");
        }
        assert!(slacks(&format!("https://hooks.slack.com/{}", "x".repeat(URL_LIMIT_BYTES)), API).is_err());
        assert!(slacks("data:text/plain,ok", "data:text/plain,ok").is_err());
    }

    #[test]
    fn ok_comes_in_several_forms() {
        for body in ["ok", "ok\n", "", r#"{"ok":true}"#] {
            assert_eq!(outcome(200, body.as_bytes()), Ok(()), "{body}");
        }
    }

    #[test]
    fn why_not_comes_in_several_forms_too() {
        let cases = [
            (404, r#"{"ok":false,"error":"used_url"}"#),
            (200, r#"{"ok":false,"error":"expired_url"}"#),
            (404, "used_url"),
            (404, "<html>"),
            (404, "ok"),
            (200, r#"{"ok":false,"error":"invalid_blocks"}"#),
            (400, "invalid_blocks"),
            (302, ""),
            (503, "<html>"),
            (200, "<html>"),
            (200, r#"{"ok":false}"#),
        ];
        let said = cases.map(|(status, body)| outcome(status, body.as_bytes()).unwrap_err().to_string());
        expect_test::expect![[r#"
            Slack takes no more answers to this command or button: it is older than 30 minutes or was answered 5 times. Type or press it again.
            Slack takes no more answers to this command or button: it is older than 30 minutes or was answered 5 times. Type or press it again.
            Slack takes no more answers to this command or button: it is older than 30 minutes or was answered 5 times. Type or press it again.
            Slack takes no more answers to this command or button: it is older than 30 minutes or was answered 5 times. Type or press it again.
            Slack takes no more answers to this command or button: it is older than 30 minutes or was answered 5 times. Type or press it again.
            Slack refused the form of what Slipway sent (invalid_blocks). This is a mistake in Slipway: report it.
            Slack refused the form of what Slipway sent (invalid_blocks). This is a mistake in Slipway: report it.
            Slack refused this (status 302).
            Slack has trouble of its own (503). Try again, or look at status.slack.com.
            Slack's answer cannot be used: neither ok nor why not.
            Slack's answer cannot be used: neither ok nor why not."#]].assert_eq(&said.join("\n"));
    }
}
