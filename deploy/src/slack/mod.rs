//! Slack: messages, reactions, forms, channels, user groups, and what comes in.
//!
//! Methods and types are slack-morphism's. What carries them is ours (`connector`), so that a body has a bound, a call
//! ends in time, nothing is sent twice and no redirect takes the token elsewhere.

mod chat;
mod connector;
mod conversations;
mod envelope;
mod error;
mod groups;
pub mod kit;
mod manifest;
mod reactions;
mod refusal;
mod render;
mod rendered;
mod respond;
mod signature;
mod socket;
mod views;
mod whoami;

pub use chat::Posted;
pub use conversations::ChannelInfo;
pub use envelope::{Envelope, SocketMessage};
pub use error::SlackError;
pub use reactions::Reaction;
pub use render::{action_id, home_blocks, modal, render};
pub use rendered::Rendered;
pub use signature::{BadSignature, verify};
pub use socket::Socket;
pub use whoami::Bot;

use connector::Connector;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use slack_morphism::{SlackApiToken, SlackApiTokenValue, SlackClient, SlackClientSession};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// How long a whole exchange may take.
const REQUEST_TIMEOUT_S: u64 = 10;

/// A client of Slack's Web API. Cheap to clone.
#[derive(Clone)]
pub struct Slack {
    client: Arc<SlackClient<Connector>>,
    token: Arc<SlackApiToken>,
    me: Arc<OnceCell<Bot>>,
}

impl fmt::Debug for Slack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slack").finish_non_exhaustive()
    }
}

impl Slack {
    /// A client of the API at `api_url` (`https://slack.com/api`) with a bot token. Nothing is sent yet.
    ///
    /// # Errors
    /// When the token cannot be one, or no HTTP client can be made.
    pub fn new(api_url: &str, token: &SecretString) -> Result<Self, SlackError> {
        Self::with_request_timeout(api_url, token, Duration::from_secs(REQUEST_TIMEOUT_S))
    }

    /// As [`Slack::new`], with another limit for a whole exchange than 10 s.
    ///
    /// # Errors
    /// When the token cannot be one, or no HTTP client can be made.
    pub fn with_request_timeout(
        api_url: &str,
        token: &SecretString,
        request_timeout: Duration,
    ) -> Result<Self, SlackError> {
        let token = api_token(token).ok_or_else(|| SlackError::BadCredentials { code: "not a token".to_owned() })?;
        let client = SlackClient::new(Connector::new(api_url, request_timeout)?);
        Ok(Self { client: Arc::new(client), token: Arc::new(token), me: Arc::default() })
    }

    fn session(&self) -> SlackClientSession<'_, Connector> {
        self.client.open_session(&self.token)
    }

    fn connector(&self) -> &Connector {
        &self.client.http_api.connector
    }

    /// Posts to one of the API's methods, once. `about` is what an error names: see [`SlackError::from_client`].
    async fn call<RQ, RS>(&self, method: &str, request: &RQ, about: &str) -> Result<RS, SlackError>
    where
        RQ: Serialize + Send + Sync,
        RS: for<'de> Deserialize<'de> + Send,
    {
        let answer = self.session().http_session_api.http_post(method, request, None).await;
        answer.map_err(|error| SlackError::from_client(about, error))
    }

    /// Asks one of the API's methods: those that only read take no JSON.
    async fn ask<RS>(&self, method: &str, params: &[(&str, &str)], about: &str) -> Result<RS, SlackError>
    where
        RS: for<'de> Deserialize<'de> + Send,
    {
        let params: Vec<_> = params.iter().map(|(name, value)| (*name, Some(*value))).collect();
        let answer = self.session().http_session_api.http_get(method, &params, None).await;
        answer.map_err(|error| SlackError::from_client(about, error))
    }
}

/// A token as it is sent, if it can be one. A line end is what a file leaves behind.
fn api_token(token: &SecretString) -> Option<SlackApiToken> {
    let token = token.expose_secret().trim();
    let possible = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    possible.then(|| SlackApiToken::new(SlackApiTokenValue(token.to_owned())))
}
