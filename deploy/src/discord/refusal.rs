//! Discord's refusals, read into errors of ours.

use super::error::DiscordError;
use crate::redact::excerpt;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

/// How much of Discord's own words is passed on.
const WORDS_LIMIT_CHARS: usize = 200;
/// How many of its remarks are.
const REMARKS_LIMIT: usize = 3;
/// How deep remarks are looked for: a field of an embed has five names above it.
const DEPTH_LIMIT: usize = 10;

/// What stands beside the status. A body of another form tells nothing.
#[derive(Deserialize, Default)]
struct Said {
    #[serde(default)]
    code: u64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Value,
}

impl DiscordError {
    /// Reads an answer that is no success and no 429. `place` is where it should have happened.
    pub(super) fn from_answer(place: &str, status: StatusCode, body: &[u8]) -> Self {
        let said = serde_json::from_slice::<Said>(body).unwrap_or_default();
        let place = || place.to_owned();
        match said.code {
            10_003 => Self::ChannelGone,
            10_008 => Self::MessageGone,
            10_015 | 50_027 => Self::AnswersUsedUp,
            10_062 => Self::UnknownInteraction,
            30_046 => Self::OldMessage,
            50_001 => Self::MissingAccess { place: place() },
            50_007 => Self::CannotDirect,
            50_013 => Self::MissingPermissions { place: place() },
            50_083 => Self::ThreadArchived,
            160_004 => Self::ThreadExists,
            code => match status.as_u16() {
                401 => Self::BadToken,
                status @ 500.. => Self::Server { status },
                number => Self::Refused { status: number, code, message: said.words(status) },
            },
        }
    }
}

impl Said {
    /// Discord's words, with what it says of the parts of a form.
    fn words(&self, status: StatusCode) -> String {
        let words = Some(self.message.as_str()).filter(|words| !words.is_empty());
        let words = words.or_else(|| status.canonical_reason()).unwrap_or("no reason given");
        let mut remarks = Vec::new();
        collect(&self.errors, "", DEPTH_LIMIT, &mut remarks);
        let all = if remarks.is_empty() { words.to_owned() } else { format!("{words}: {}", remarks.join("; ")) };
        excerpt(&all, WORDS_LIMIT_CHARS)
    }
}

/// Remarks stand as deep in the errors as their parts in the form, in lists called `_errors`.
fn collect(errors: &Value, path: &str, depth: usize, remarks: &mut Vec<String>) {
    let (Some(members), Some(below)) = (errors.as_object(), depth.checked_sub(1)) else { return };
    for (name, member) in members {
        if name == "_errors" {
            let all = member.as_array().map(Vec::as_slice).unwrap_or_default();
            let words = all.iter().filter_map(|one| one["message"].as_str());
            remarks
                .extend(words.map(|words| if path.is_empty() { words.to_owned() } else { format!("{path} {words}") }));
        } else {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            collect(member, &path, below, remarks);
        }
        remarks.truncate(REMARKS_LIMIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> DiscordError {
        let status = StatusCode::from_u16(status).unwrap();
        DiscordError::from_answer("the Discord channel 41771983423143937", status, body.as_bytes())
    }

    #[test]
    fn each_code_gets_its_own_sentence() {
        let codes: [(u16, u64); 14] = [
            (401, 0),
            (403, 50_001),
            (403, 50_013),
            (404, 10_008),
            (404, 10_003),
            (403, 50_007),
            (400, 50_083),
            (404, 10_015),
            (401, 50_027),
            (404, 10_062),
            (429, 30_046),
            (400, 160_004),
            (404, 10_007),
            (503, 0),
        ];
        let said = codes.map(|(status, code)| {
            read(status, &format!(r#"{{"message":"Unknown Member","code":{code}}}"#)).to_string()
        });
        expect_test::expect![[r#"
            Discord does not accept the token. Set DISCORD_TOKEN to the bot token of the application (Developer Portal, Bot).
            Discord shows Slipway nothing there. Whoever runs Slipway finds out more with slipway check.
            Discord does not let Slipway do this there. Whoever runs Slipway finds out more with slipway check.
            The Discord message is not there any more: it was deleted.
            The Discord channel is not there any more, or the application is not in its server. Name another one.
            Discord lets Slipway send this person no direct message. They have to allow messages from members of the server, in its privacy settings.
            The Discord thread is archived: nothing can be said there any more.
            Discord takes no more answers to this command or button: it is older than 15 minutes. Type or press it again.
            Discord takes no more answers to this command or button: it is older than 15 minutes. Type or press it again.
            Discord takes the first answer to a command or button within 3 seconds only. Type or press it again.
            Discord takes no more changes of this message: it is older than an hour.
            The Discord message has a thread already.
            Discord refused this (404, 10007: Unknown Member).
            Discord has trouble of its own (503). Try again, or look at discordstatus.com."#]].assert_eq(&said.join("\n"));
    }

    #[test]
    fn whoever_runs_slipway_is_told_where_and_how_to_mend_it() {
        for code in [50_001, 50_013] {
            let error = read(403, &format!(r#"{{"message":"Missing","code":{code}}}"#));
            let says = error.for_operators();
            assert!(says.contains("41771983423143937") && says.contains("the application's role"), "{says}");
            assert!(!error.to_string().contains("41771983423143937"), "{error}");
        }
        assert_eq!(DiscordError::BadToken.for_operators(), DiscordError::BadToken.to_string());
    }

    #[test]
    fn what_is_wrong_with_a_form_is_told_shortly_and_without_secrets() {
        let remark =
            |words: &str| serde_json::json!({ "_errors": [{ "code": "BASE_TYPE_BAD_LENGTH", "message": words }] });
        let body = serde_json::json!({ "code": 50_035, "message": "Invalid Form Body", "errors": {
            "content": remark("Must be 2000 or fewer in length."),
            "embeds": { "0": { "fields": { "3": { "name": remark("This field is required") } } } },
            "nonce": remark("token xoxb-hunter2"), "tts": remark("A fourth remark"),
        }});
        let said = read(400, &body.to_string()).to_string();
        expect_test::expect![[r#"
            Discord refused this (400, 50035: Invalid Form Body: content Must be 2000 or fewer in length.; embeds.0.fields.3.name This field is required; nonce token [redacted])."#]]
        .assert_eq(&said);
        let long = serde_json::json!({ "message": "x".repeat(5_000) }).to_string();
        assert!(read(400, &long).to_string().chars().count() < WORDS_LIMIT_CHARS + 100);
    }

    #[test]
    fn a_body_of_another_form_tells_nothing() {
        let refused = |status, message: &str| DiscordError::Refused { status, code: 0, message: message.to_owned() };
        for body in ["<html>", "", r#"{"code":"x"}"#, "[]", r#"{"code":-1}"#] {
            assert_eq!(read(400, body), refused(400, "Bad Request"), "{body}");
        }
        assert_eq!(read(302, ""), refused(302, "Found"));
        assert_eq!(read(401, "<html>"), DiscordError::BadToken);
        assert_eq!(read(502, "<html>"), DiscordError::Server { status: 502 });
        let mut deep = serde_json::json!({ "_errors": [{ "message": "too deep" }] });
        for _ in 0..100 {
            deep = serde_json::json!({ "a": deep });
        }
        let body = serde_json::json!({ "message": "no", "errors": deep }).to_string();
        assert_eq!(read(400, &body), refused(400, "no"));
    }

    #[test]
    fn what_passes_by_itself_is_known() {
        let wait = std::time::Duration::from_millis(1_500);
        let passing = [
            DiscordError::RateLimited { retry_after: wait, is_global: false },
            DiscordError::Unreachable { detail: String::new() },
            DiscordError::Slow { limit_ms: 1 },
            read(500, ""),
            read(503, ""),
            DiscordError::Unreadable { detail: String::new() },
        ];
        assert!(passing.iter().all(DiscordError::is_passing));
        assert_eq!(passing.each_ref().map(DiscordError::retry_after), [Some(wait), None, None, None, None, None]);
        assert!(passing[0].to_string().ends_with("Try again in 2 s."), "{}", passing[0]);
        for (status, code) in [(401, 0), (403, 50_013), (404, 10_008), (400, 30_046), (302, 0), (400, 50_035)] {
            assert!(!read(status, &format!(r#"{{"code":{code}}}"#)).is_passing(), "{status} {code}");
        }
    }
}
