//! Whether the environment variables that the configuration needs are set.

use super::{Probe, ProbeResult};
use crate::config::{Config, DiscordMode, Secrets, Service, SlackMode};
use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use slipway_deploy::config_store::{FINGERPRINT_KEY_MIN_CHARS, FingerprintKey};

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

/// The digits of a signing secret.
const SIGNING_SECRET_HEX_DIGITS: usize = 32;

/// A shorter token of the API could be guessed.
const API_TOKEN_MIN_CHARS: usize = 16;

/// A warning where the token of the API could be guessed. `None` also where none is set.
#[must_use]
pub fn short_token(secrets: &Secrets) -> Option<ProbeResult> {
    let token = secrets.api_token.as_ref()?;
    (token.expose_secret().chars().count() < API_TOKEN_MIN_CHARS).then(|| {
        let says = format!("is shorter than {API_TOKEN_MIN_CHARS} characters, and could be guessed");
        ProbeResult {
            ok: true,
            says,
            mend: "set it to a long random text, such as openssl rand -hex 32 gives".to_owned(),
        }
    })
}

fn is_signing_secret(text: &str) -> bool {
    text.len() == SIGNING_SECRET_HEX_DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_bot_token(text: &str) -> bool {
    text.starts_with("xoxb-")
}

fn is_app_token(text: &str) -> bool {
    text.starts_with("xapp-")
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
        let answer = needed(secrets.api_token.is_some(), &why, mend);
        add("SLIPWAY_API_TOKEN", short_token(secrets).unwrap_or(answer));
    } else if let Some(answer) = short_token(secrets) {
        add("SLIPWAY_API_TOKEN", answer);
    } else if config.terminal.is_some() && secrets.api_token.is_none() {
        let says = "is not set, and the terminal chat hears nobody without it".to_owned();
        let mend = format!(
            "set it to a random text of at least {API_TOKEN_MIN_CHARS} characters; docs/install.md has the rest"
        );
        add("SLIPWAY_API_TOKEN", ProbeResult { ok: true, says, mend });
    }
    // Slack promises no form, so what looks otherwise is a doubt and no mistake.
    let alike = |secret: Option<&SecretString>, is_alike: fn(&str) -> bool, why: &str, mend: &str| match secret {
        Some(secret) if !is_alike(secret.expose_secret()) => {
            ProbeResult { ok: true, says: "is set, and does not look like one".to_owned(), mend: mend.to_owned() }
        }
        secret => needed(secret.is_some(), why, mend),
    };
    if let Some(slack) = &config.slack {
        let mend = "set it to the Bot User OAuth Token of the installed app, which begins with xoxb-";
        let why = "nothing is posted without it";
        add("SLACK_BOT_TOKEN", alike(secrets.slack_bot_token.as_ref(), is_bot_token, why, mend));
        match slack.mode {
            SlackMode::Socket => {
                let mend = "set it to an app-level token with the scope connections:write, which begins with xapp-";
                let why = "mode = \"socket\" listens with it";
                add("SLACK_APP_TOKEN", alike(secrets.slack_app_token.as_ref(), is_app_token, why, mend));
            }
            SlackMode::Http => {
                let mend =
                    "set it to the Signing Secret under Basic Information of the app: 32 digits and letters a to f";
                let why = "no delivery can be verified without it";
                let secret = secrets.slack_signing_secret.as_ref();
                add("SLACK_SIGNING_SECRET", alike(secret, is_signing_secret, why, mend));
            }
        }
    }
    if let Some(discord) = &config.discord {
        let mend = "set it to the token of the application's bot (Developer Portal, Bot, Reset Token)";
        add("DISCORD_TOKEN", needed(secrets.discord_token.is_some(), "nothing is posted without it", mend));
        if discord.mode == DiscordMode::Http {
            let mend = "set it to the Public Key under General Information of the application";
            let why = "no delivery can be verified without it";
            add("DISCORD_PUBLIC_KEY", needed(secrets.discord_public_key.is_some(), why, mend));
        }
    }
    let compares = |service: &Service| service.environments.values().any(|environment| !environment.config.is_empty());
    if config.services.values().any(compares) {
        add("SLIPWAY_CONFIG_HMAC_KEY", fingerprint_key(secrets.config_hmac_key.as_ref()));
    }
    probes
}

/// The variables without which a chat of the configuration cannot work at all.
#[must_use]
pub fn missing_for_chats(config: &Config, secrets: &Secrets) -> Vec<&'static str> {
    let of_a_chat = |name: &str| name.starts_with("SLACK_") || name.starts_with("DISCORD_");
    let probes = variables(config, secrets).into_iter().filter(|probe| of_a_chat(probe.name) && !probe.answer.ok);
    probes.map(|probe| probe.name).collect()
}

/// One can do without, so it is no failure when it is not set. One that could be guessed is.
fn fingerprint_key(secret: Option<&SecretString>) -> ProbeResult {
    let mend = format!("set it to a random text of at least {FINGERPRINT_KEY_MIN_CHARS} characters, and keep it");
    match secret.map(|secret| FingerprintKey::new(secret.clone())) {
        None => {
            let says = "is not set: that configuration changed is told, and not which keys";
            ProbeResult { ok: true, says: says.to_owned(), mend }
        }
        Some(Ok(_)) => ProbeResult::ok("is set"),
        Some(Err(_)) => ProbeResult::fail(format!("is shorter than {FINGERPRINT_KEY_MIN_CHARS} characters"), &mend),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_to_something_else_is_doubted() {
        assert!(
            is_signing_secret("8f742231b10e8888abcd99eee000085a") && is_bot_token("xoxb-1") && is_app_token("xapp-1")
        );
        for other in ["", "xoxe-1", "8f742231b10e8888abcd99yyyzzz85a5", "8f742231b10e8888abcd99eee000085a0"] {
            assert!(!is_signing_secret(other) && !is_bot_token(other) && !is_app_token(other), "{other}");
        }
        let file = b"[slack]\n[server]\npublic_url = \"https://a.dev\"\n[store]\nurl = \"sqlite://x.db\"\n";
        let (config, _) = Config::check(file, std::path::Path::new("slipway.toml")).unwrap();
        let said = |secrets: &Secrets| {
            let probes = variables(&config, secrets);
            let line = |probe: &VariableProbe| format!("{} {} {}\n", probe.answer.ok, probe.name, probe.answer.says);
            probes.iter().map(line).collect::<String>()
        };
        let mixed_up = Secrets {
            slack_bot_token: Some("8f742231b10e8888abcd99eee000085a".into()),
            slack_signing_secret: Some("xoxb-1".into()),
            ..Secrets::default()
        };
        let right = Secrets {
            slack_bot_token: Some("xoxb-1".into()),
            slack_signing_secret: Some("8f742231b10e8888abcd99eee000085a".into()),
            ..Secrets::default()
        };
        expect_test::expect![[r#"
            false SLACK_BOT_TOKEN is not set, and nothing is posted without it
            false SLACK_SIGNING_SECRET is not set, and no delivery can be verified without it

            true SLACK_BOT_TOKEN is set, and does not look like one
            true SLACK_SIGNING_SECRET is set, and does not look like one

            true SLACK_BOT_TOKEN is set
            true SLACK_SIGNING_SECRET is set
        "#]]
        .assert_eq(&[Secrets::default(), mixed_up, right].map(|set| said(&set)).join("\n"));
    }

    #[test]
    fn the_terminal_chat_needs_a_token_that_nobody_guesses() {
        let said = |file: &str, token: Option<&str>| {
            let file = format!("{file}\n[store]\nurl = \"sqlite://x.db\"\n");
            let (config, _) = Config::check(file.as_bytes(), std::path::Path::new("slipway.toml")).unwrap();
            let secrets = Secrets { api_token: token.map(SecretString::from), ..Secrets::default() };
            let probes = variables(&config, &secrets);
            let line = |probe: &VariableProbe| format!("{} {} {}\n", probe.answer.ok, probe.name, probe.answer.says);
            probes.iter().map(line).collect::<String>()
        };
        let terminal = "[server]\n[terminal]\nchannels = [\"releases\"]";
        assert_eq!(
            said(terminal, None),
            "true SLIPWAY_API_TOKEN is not set, and the terminal chat hears nobody without it\n"
        );
        let short = "true SLIPWAY_API_TOKEN is shorter than 16 characters, and could be guessed\n";
        assert_eq!(said(terminal, Some("secret")), short);
        assert_eq!(said(terminal, Some("0123456789abcdef")), "");
        assert_eq!(said("[server]", None), "");
        assert_eq!(said("[server]\nlisten = \"0.0.0.0:8080\"", Some("secret")), short);
    }

    #[test]
    fn one_can_do_without_a_key_for_hashes_and_not_with_a_short_one() {
        let said = |key: Option<&str>| {
            let ProbeResult { ok, says, mend } = fingerprint_key(key.map(SecretString::from).as_ref());
            let way = if mend.is_empty() { String::new() } else { format!(" → {mend}") };
            format!("{ok} {says}{way}\n")
        };
        let long = "x".repeat(32);
        expect_test::expect![[r#"
            true is not set: that configuration changed is told, and not which keys → set it to a random text of at least 32 characters, and keep it
            false is shorter than 32 characters → set it to a random text of at least 32 characters, and keep it
            true is set
        "#]]
        .assert_eq(&[None, Some("hunter2"), Some(long.as_str())].map(said).concat());
    }
}
