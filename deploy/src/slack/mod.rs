//! Slack: who is in a user group.
//!
//! Methods and types are slack-morphism's. What carries them is ours (`connector`), so that a body has a bound, a call
//! ends in time, nothing is sent twice and no redirect takes the token elsewhere.

mod connector;
mod error;
mod groups;
mod render;
mod rendered;

pub use error::SlackError;
pub use render::{Form, Input, InputKind, action_id, home_blocks, modal, render};
pub use rendered::Rendered;

use connector::Connector;
use secrecy::{ExposeSecret as _, SecretString};
use slack_morphism::{SlackApiToken, SlackApiTokenValue, SlackClient, SlackClientSession};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long a whole exchange may take.
const REQUEST_TIMEOUT_S: u64 = 10;

/// A client of Slack's Web API. Cheap to clone.
#[derive(Clone)]
pub struct Slack {
    client: Arc<SlackClient<Connector>>,
    token: Arc<SlackApiToken>,
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
        // A line end is what a file leaves behind.
        let token = token.expose_secret().trim();
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(SlackError::BadCredentials { code: "not a token".to_owned() });
        }
        let token = SlackApiToken::new(SlackApiTokenValue(token.to_owned()));
        let client = SlackClient::new(Connector::new(api_url, request_timeout)?);
        Ok(Self { client: Arc::new(client), token: Arc::new(token) })
    }

    fn session(&self) -> SlackClientSession<'_, Connector> {
        self.client.open_session(&self.token)
    }
}
