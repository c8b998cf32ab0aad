//! Whether the environment variables that the configuration needs are set.

use super::{Probe, ProbeResult};
use crate::config::{Config, Secrets, SlackMode};
use async_trait::async_trait;

/// The answer about one variable, known as soon as configuration and environment are.
pub struct VariableProbe {
    name: &'static str,
    answer: ProbeResult,
}

#[async_trait]
impl Probe for VariableProbe {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    async fn run(&self) -> ProbeResult {
        self.answer.clone()
    }
}

/// One probe for each variable that some section needs.
#[must_use]
pub fn variables(config: &Config, secrets: &Secrets) -> Vec<VariableProbe> {
    let mut probes = Vec::new();
    let mut add = |name, answer| probes.push(VariableProbe { name, answer });
    let needed = |set: bool, why: &str, mend: &str| match set {
        true => ProbeResult::ok("is set"),
        false => ProbeResult::fail(format!("is not set, and {why}"), mend),
    };
    if !config.services.is_empty() {
        let mend = "set GITHUB_TOKEN, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY";
        add("GITHUB_TOKEN", needed(secrets.github.is_some(), "services are read from GitHub", mend));
    }
    if !config.server.listen.ip().is_loopback() {
        let why = format!("{} is open to other machines", config.server.listen);
        let mend = "set it to a long random text, or listen on 127.0.0.1";
        add("SLIPWAY_API_TOKEN", needed(secrets.api_token.is_some(), &why, mend));
    }
    // Not used by this version: worth saying, no reason to fail.
    let later = |set: bool| match set {
        true => ProbeResult::ok("is set; this version does not use it"),
        false => ProbeResult::ok("is not set; this version does not use it, a later one will need it"),
    };
    if let Some(slack) = &config.slack {
        let mend = "set it to the Bot User OAuth Token of the installed app, which begins with xoxb-";
        add("SLACK_BOT_TOKEN", needed(secrets.slack_bot_token.is_some(), "nothing is posted without it", mend));
        match slack.mode {
            SlackMode::Socket => {
                let mend = "set it to an app-level token with the scope connections:write, which begins with xapp-";
                let why = "mode = \"socket\" listens with it";
                add("SLACK_APP_TOKEN", needed(secrets.slack_app_token.is_some(), why, mend));
            }
            SlackMode::Http => {
                let mend = "set it to the Signing Secret under Basic Information of the app";
                let why = "no delivery can be verified without it";
                add("SLACK_SIGNING_SECRET", needed(secrets.slack_signing_secret.is_some(), why, mend));
            }
        }
    }
    if let Some(discord) = &config.discord {
        add("DISCORD_TOKEN", later(secrets.discord_token.is_some()));
        if discord.mode == "http" {
            add("DISCORD_PUBLIC_KEY", later(secrets.discord_public_key.is_some()));
        }
    }
    probes
}
