//! Whose token it is, and what it may do.

use super::{Slack, SlackError};
use reqwest::header::HeaderMap;
use serde::Deserialize;

/// The header with the token's scopes.
const SCOPES_HEADER: &str = "x-oauth-scopes";
/// Most scopes that are read.
const SCOPES_LIMIT: usize = 200;

/// The app as it is installed in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bot {
    /// The workspace, `T…`.
    pub team_id: String,
    /// The bot's user, `U…`: who is mentioned.
    pub user_id: String,
    /// The bot, `B…`: whose messages are ours. Absent when the token is a person's.
    pub bot_id: Option<String>,
    /// The app, `A…`, where Slack tells it.
    pub app_id: Option<String>,
    /// What the token may do, in Slack's order; empty when Slack does not say.
    pub scopes: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    team_id: String,
    user_id: String,
    #[serde(default)]
    bot_id: Option<String>,
    #[serde(default)]
    app_id: Option<String>,
}

impl Slack {
    /// Asks Slack whose token it is.
    ///
    /// # Errors
    /// When Slack does not tell; [`SlackError::BadCredentials`] when it does not know the token.
    pub async fn whoami(&self) -> Result<Bot, SlackError> {
        let (answer, headers) = self.connector().get("auth.test", &[], &self.token, "bot").await?;
        let Answer { team_id, user_id, bot_id, app_id } = answer;
        Ok(Bot { team_id, user_id, bot_id, app_id, scopes: scopes(&headers) })
    }

    /// As [`Slack::whoami`], asked once: a token does not change its owner.
    pub(super) async fn me(&self) -> Result<&Bot, SlackError> {
        self.me.get_or_try_init(|| self.whoami()).await
    }
}

fn scopes(headers: &HeaderMap) -> Vec<String> {
    let told = headers.get(SCOPES_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    told.split(',').map(str::trim).filter(|scope| !scope.is_empty()).take(SCOPES_LIMIT).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_from_the_header() {
        let mut headers = HeaderMap::new();
        assert!(scopes(&headers).is_empty());
        headers.insert(SCOPES_HEADER, "chat:write, commands,,channels:read ".parse().unwrap());
        assert_eq!(scopes(&headers), ["chat:write", "commands", "channels:read"]);
    }

    #[test]
    fn the_answer_of_a_bot_token_is_read() {
        let answer = r#"{"ok":true,"url":"https://acme.slack.com/","team":"Acme","user":"slipway","team_id":"T9TK3CUKW",
            "user_id":"U0SLIPWAY","bot_id":"B0SLIPWAY","is_enterprise_install":false}"#;
        let Answer { team_id, user_id, bot_id, app_id } = serde_json::from_str(answer).unwrap();
        assert_eq!((team_id.as_str(), user_id.as_str()), ("T9TK3CUKW", "U0SLIPWAY"));
        assert_eq!((bot_id.as_deref(), app_id), (Some("B0SLIPWAY"), None));
    }
}
