//! From configuration and secrets to the parts of a running bot.

use crate::config::{Config, GithubCredential, Secrets};
use crate::outside::Outside;
use crate::policies::{self, PoliciesError};
use crate::serve::{DiscordParts, Parts, SlackParts};
use crate::setup::Setup;
use secrecy::ExposeSecret as _;
use slipway_deploy::aws::{AwsClients, CallLimits, READ_BACKOFF_MS};
use slipway_deploy::config_store::{FingerprintKey, KeyTooShort};
use slipway_deploy::discord::{Discord, DiscordError};
use slipway_deploy::github::{Auth, BadRepoName, GitHub, GitHubError};
use slipway_deploy::health::{CHECK_LIMIT_MS, HealthChecker, HealthError};
use slipway_deploy::slack::{Slack, SlackError};
use std::time::Duration;
use thiserror::Error;

/// Sent where no token is configured, so that GitHub itself says 401.
const NO_TOKEN: &str = "not-configured";

/// The longest exchange with a chat, in milliseconds: people wait for it.
const CHAT_LIMIT_MS: u64 = 10_000;

fn chat_limit(call_limit_ms: u64) -> Duration {
    Duration::from_millis(call_limit_ms.min(CHAT_LIMIT_MS))
}

/// Why the parts cannot be put together.
#[derive(Debug, Error)]
pub enum AssembleError {
    /// There is no policy set.
    #[error(transparent)]
    Policies(#[from] PoliciesError),
    /// A repository's name is none.
    #[error(transparent)]
    Repository(#[from] BadRepoName),
    /// GitHub's client cannot be made.
    #[error(transparent)]
    GitHub(#[from] GitHubError),
    /// Slack's client cannot be made.
    #[error(transparent)]
    Slack(#[from] SlackError),
    /// Discord's client cannot be made.
    #[error(transparent)]
    Discord(#[from] DiscordError),
    /// There is no HTTP client for health checks.
    #[error(transparent)]
    Health(#[from] HealthError),
    /// The settings' hashes could be guessed.
    #[error(transparent)]
    FingerprintKey(#[from] KeyTooShort),
}

/// Services, people and policies of a configuration.
///
/// # Errors
/// When the policies have mistakes.
pub fn setup(config: &Config) -> Result<Setup, AssembleError> {
    Ok(Setup::new(config, policies::load(config)?)?)
}

/// The clients to everything outside. Nothing is called yet.
///
/// # Errors
/// When a credential is missing or cannot be one.
pub async fn outside(config: &Config, secrets: &Secrets) -> Result<Outside, AssembleError> {
    let auth = match &secrets.github {
        Some(GithubCredential::Token(token)) => Auth::Token(token.clone()),
        Some(GithubCredential::App { id, private_key }) => Auth::App { id: *id, private_key: private_key.clone() },
        None => Auth::Token(NO_TOKEN.to_owned().into()),
    };
    let call_limit = config.pace.call_limit_ms;
    let github = match call_limit {
        Some(limit_ms) => GitHub::with_request_timeout(&config.github.api_url, auth, Duration::from_millis(limit_ms))?,
        None => GitHub::new(&config.github.api_url, auth)?,
    };
    let slack = match (&config.slack, &secrets.slack_bot_token) {
        (Some(slack), Some(token)) => Some(match config.pace.call_limit_ms {
            Some(limit_ms) => Slack::with_request_timeout(&slack.api_url, token, chat_limit(limit_ms))?,
            None => Slack::new(&slack.api_url, token)?,
        }),
        _ => None,
    };
    let limits = call_limit.map(CallLimits::of_attempts).unwrap_or_default();
    let backoff_ms = config.pace.retry_ms.map_or(READ_BACKOFF_MS, |retry_ms| retry_ms.min(READ_BACKOFF_MS));
    // A secret is named without a region. Where all else that the file names is in one, that is it.
    let aws =
        AwsClients::from_env_within(limits, backoff_ms).await.or_in_region(config.only_region().map(str::to_owned));
    let health = HealthChecker::new(call_limit.map_or(CHECK_LIMIT_MS, |limit_ms| limit_ms.min(CHECK_LIMIT_MS)))?;
    let outside = Outside::new(github, slack, &aws, health);
    let fingerprint_key = secrets.config_hmac_key.clone().map(FingerprintKey::new).transpose()?;
    let outside = outside.with_discord(discord(config, secrets)?).with_fingerprints(fingerprint_key);
    Ok(Outside { has_github: secrets.github.is_some(), ..outside })
}

/// Discord's client, where it is switched on and there is a token.
///
/// # Errors
/// When there is no HTTP client.
pub fn discord(config: &Config, secrets: &Secrets) -> Result<Option<Discord>, AssembleError> {
    match (&config.discord, &secrets.discord_token) {
        (Some(discord), Some(token)) => {
            let client = Discord::new(&discord.api_url, token)?;
            Ok(Some(match config.pace.call_limit_ms {
                Some(limit_ms) => client.with_request_timeout(chat_limit(limit_ms)),
                None => client,
            }))
        }
        _ => Ok(None),
    }
}

/// Everything that [`crate::serve::serve`] needs.
///
/// # Errors
/// As [`setup`] and [`outside`].
pub async fn parts(config: &Config, secrets: &Secrets) -> Result<Parts, AssembleError> {
    Ok(Parts {
        listen: config.server.listen,
        store: config.store.path.clone(),
        setup: setup(config)?,
        policies: policies::Origin::of(config),
        configuration: config.hash.clone(),
        outside: outside(config, secrets).await?,
        api_token: secrets.api_token.as_ref().map(|token| token.expose_secret().to_owned()),
        terminal: config.terminal.is_some(),
        slack: config.slack.clone().map(|config| SlackParts {
            config,
            signing_secret: secrets.slack_signing_secret.clone(),
            app_token: secrets.slack_app_token.clone(),
        }),
        discord: config.discord.clone().zip(secrets.discord_token.clone()).map(|(config, token)| DiscordParts {
            config,
            token,
            public_key: secrets.discord_public_key.as_ref().map(|key| key.expose_secret().to_owned()),
        }),
        ack_budget_ms: config.server.ack_budget_ms,
        github_webhook: secrets.github_webhook.clone(),
    })
}
