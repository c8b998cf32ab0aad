//! Whether the app in Slack is what Slipway needs: token, scopes, channels, Socket Mode and, where it may be read, the
//! app's own set-up.

mod app;
mod channels;
mod token;

use super::ProbeResult;
#[cfg(test)]
use super::asked::shown;
use super::asked::{self, Row};
use crate::config::{Config, Secrets, SlackMode};
use secrecy::SecretString;
use slipway_deploy::slack::{Slack, SlackError};

/// Everything about Slack, where it is switched on and there is a token. That one is missing is said with the other
/// variables.
pub async fn slack(config: &Config, secrets: &Secrets, client: Option<&Slack>) -> Vec<Row> {
    let (Some(section), Some(client)) = (&config.slack, client) else { return vec![] };
    let bot = match within_limit(client.whoami()).await {
        Ok(bot) => bot,
        Err(failed) => return vec![("Slack".to_owned(), failed)],
    };
    let mut rows = token::identity(section, &bot);
    rows.extend(token::scopes(&bot));
    rows.extend(channels::channels(config, client, &bot).await);
    if let (SlackMode::Socket, Some(token)) = (section.mode, &secrets.slack_app_token) {
        rows.push(socket(client, token).await);
    }
    let app_id = section.app_id.as_deref().or(bot.app_id.as_deref());
    rows.extend(app::app(config, client, secrets.slack_config_token.as_ref(), app_id).await);
    rows
}

/// Opens a connection and lets it go at once: what Slack says meanwhile to a bot that runs might come here instead.
async fn socket(client: &Slack, token: &SecretString) -> Row {
    let answer = match within_limit(client.open_socket(token)).await {
        Ok(_socket) => ProbeResult::ok("a connection could be opened"),
        Err(failed) => failed,
    };
    ("Slack Socket Mode".to_owned(), answer)
}

/// The errors say themselves how to mend it.
async fn within_limit<T>(asked: impl Future<Output = Result<T, SlackError>>) -> Result<T, ProbeResult> {
    asked::within_limit("Slack", |error| ProbeResult::fail(error.to_string(), ""), asked).await
}
