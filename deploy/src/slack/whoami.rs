//! Whose token it is, and what it may do.

use super::refusal::shortened;
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
    /// What the workspace is called, where Slack tells it. Only to be shown.
    pub team_name: Option<String>,
    /// The bot's user, `U…`: who is mentioned.
    pub user_id: String,
    /// What the bot's user is called, where Slack tells it. Only to be shown.
    pub user_name: Option<String>,
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
    #[serde(default)]
    team: Option<String>,
    user_id: String,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    bot_id: Option<String>,
    #[serde(default)]
    app_id: Option<String>,
}

impl Answer {
    fn bot(self, scopes: Vec<String>) -> Bot {
        let Self { team_id, team, user_id, user, bot_id, app_id } = self;
        let shown = |name: Option<String>| name.map(|name| shortened(&name)).filter(|name| !name.is_empty());
        Bot { team_id, team_name: shown(team), user_id, user_name: shown(user), bot_id, app_id, scopes }
    }
}

impl Slack {
    /// Asks Slack whose token it is.
    ///
    /// # Errors
    /// When Slack does not tell; [`SlackError::BadCredentials`] when it does not know the token.
    pub async fn whoami(&self) -> Result<Bot, SlackError> {
        let (answer, headers): (Answer, _) = self.connector().get("auth.test", &[], &self.token, "bot").await?;
        Ok(answer.bot(scopes(&headers)))
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
        let bot = serde_json::from_str::<Answer>(answer).unwrap().bot(vec![]);
        assert_eq!((bot.team_id.as_str(), bot.user_id.as_str()), ("T9TK3CUKW", "U0SLIPWAY"));
        assert_eq!((bot.team_name.as_deref(), bot.user_name.as_deref()), (Some("Acme"), Some("slipway")));
        assert_eq!((bot.bot_id.as_deref(), bot.app_id), (Some("B0SLIPWAY"), None));
        let bare = r#"{"ok":true,"team":"","team_id":"T9TK3CUKW","user_id":"U0SLIPWAY"}"#;
        let bot = serde_json::from_str::<Answer>(bare).unwrap().bot(vec![]);
        assert_eq!((bot.team_name, bot.user_name, bot.bot_id), (None, None, None));
    }
}
