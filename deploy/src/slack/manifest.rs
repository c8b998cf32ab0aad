//! What Slack has on record about an app: a bot token cannot read it, the token of whoever manages the app can.

use super::{Slack, SlackError, api_token};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize)]
struct Export<'a> {
    app_id: &'a str,
}

#[derive(Deserialize)]
struct Exported {
    manifest: Value,
}

impl Slack {
    /// The manifest of an app (`A…`) as it is at this moment, in the shape in which one is given to Slack. Only reads.
    /// The token is an app configuration token (`xoxe.xoxp-…`), which is made for one person and 12 hours.
    ///
    /// # Errors
    /// When Slack does not tell: [`SlackError::BadConfigToken`] when the token is not accepted,
    /// [`SlackError::NotFound`] when whoever made the token does not manage such an app.
    pub async fn exported_manifest(&self, config_token: &SecretString, app_id: &str) -> Result<Value, SlackError> {
        let token = api_token(config_token).ok_or_else(|| bad("not a token"))?;
        let session = self.client.open_session(&token);
        let exported = session.http_session_api.http_post("apps.manifest.export", &Export { app_id }, None).await;
        let told = |error| about_config(SlackError::from_client("app", error), app_id);
        exported.map(|Exported { manifest }| manifest).map_err(told)
    }
}

fn bad(code: &str) -> SlackError {
    SlackError::BadConfigToken { code: code.to_owned() }
}

/// Of another token than the bot's, and of an app.
fn about_config(error: SlackError, app_id: &str) -> SlackError {
    match error {
        SlackError::BadCredentials { code } => bad(&code),
        SlackError::MissingScope { .. } => bad("missing_scope"),
        SlackError::Refused { code }
            if ["app_not_found", "invalid_app_id", "app_not_owned_by_manager_app", "no_permission"]
                .contains(&code.as_str()) =>
        {
            SlackError::NotFound { what: format!("app {app_id} that SLACK_CONFIG_TOKEN may read") }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_of_the_token_that_was_used() {
        let codes = ["invalid_auth", "token_expired", "missing_scope", "app_not_found", "failed_export", "ratelimited"];
        let said = codes.map(|code| about_config(SlackError::from_code("app", code, None), "A0KRD7HC3").to_string());
        expect_test::expect![[r#"
            Slack does not accept the app configuration token (invalid_auth). Make a new one at api.slack.com/apps (they last 12 hours) and set SLACK_CONFIG_TOKEN to its access token.
            Slack does not accept the app configuration token (token_expired). Make a new one at api.slack.com/apps (they last 12 hours) and set SLACK_CONFIG_TOKEN to its access token.
            Slack does not accept the app configuration token (missing_scope). Make a new one at api.slack.com/apps (they last 12 hours) and set SLACK_CONFIG_TOKEN to its access token.
            Slack has no app A0KRD7HC3 that SLACK_CONFIG_TOKEN may read in this workspace, or it is disabled. Copy the id again.
            Slack refused this (failed_export).
            Slack limits the number of requests. Try again then."#]].assert_eq(&said.join("\n"));
    }

    #[test]
    fn the_manifest_is_taken_as_it_comes() {
        let answer = r#"{"ok":true,"manifest":{"settings":{"socket_mode_enabled":true},"new_part":[1]}}"#;
        let Exported { manifest } = serde_json::from_str(answer).unwrap();
        assert_eq!(manifest["settings"]["socket_mode_enabled"], true);
        assert!(serde_json::from_str::<Exported>(r#"{"ok":true}"#).is_err());
    }

    #[tokio::test]
    async fn nothing_is_sent_with_what_is_no_token() {
        let slack = Slack::new("http://127.0.0.1:1/api", &"xoxb-1".into()).unwrap();
        let error = slack.exported_manifest(&" ".into(), "A0KRD7HC3").await.unwrap_err();
        assert_eq!(error, bad("not a token"));
    }
}
