//! The app manifest, for "From a manifest" and "App Manifest" among Slack's pages.

use super::needs::{EVENTS, SCOPES};
use crate::config::{Config, SlackMode};
use serde::Serialize;
use slipway_core::command;
use thiserror::Error;

/// The app's name in Slack, and what it is mentioned by.
const BOT_NAME: &str = "slipway";
/// The longest description of a command that Slack takes.
const DESCRIPTION_LIMIT_CHARS: usize = 2_000;

/// What Slack has to know of the app. The order of the members is the order in which it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    display_information: Display,
    features: Features,
    oauth_config: OAuth,
    settings: Settings,
}

#[derive(Clone, Debug, Serialize)]
struct Display {
    name: &'static str,
    description: &'static str,
    long_description: &'static str,
    background_color: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Features {
    app_home: AppHome,
    bot_user: BotUser,
    slash_commands: Vec<SlashCommand>,
}

#[derive(Clone, Debug, Serialize)]
struct AppHome {
    home_tab_enabled: bool,
    messages_tab_enabled: bool,
    messages_tab_read_only_enabled: bool,
}

#[derive(Clone, Debug, Serialize)]
struct BotUser {
    display_name: &'static str,
    always_online: bool,
}

/// A command as Slack registers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SlashCommand {
    /// With the slash.
    pub command: String,
    /// Where it goes; none in Socket Mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it does.
    pub description: String,
    /// What comes after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_hint: Option<String>,
    /// Whether mentions come as ids. Without it `--to @bob` would come as a name, and names identify nobody here.
    pub should_escape: bool,
}

#[derive(Clone, Debug, Serialize)]
struct OAuth {
    scopes: Scopes,
}

#[derive(Clone, Debug, Serialize)]
struct Scopes {
    bot: Vec<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
struct Settings {
    event_subscriptions: Events,
    interactivity: Interactivity,
    org_deploy_enabled: bool,
    socket_mode_enabled: bool,
    token_rotation_enabled: bool,
}

#[derive(Clone, Debug, Serialize)]
struct Events {
    #[serde(skip_serializing_if = "Option::is_none")]
    request_url: Option<String>,
    bot_events: Vec<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
struct Interactivity {
    is_enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_url: Option<String>,
}

/// Why there is no manifest for a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoManifest {
    /// Slack is switched off.
    #[error(
        "There is no section [slack]. Add it: with mode = \"socket\" where nobody can reach this bot from outside, else \
         with public_url under [server]."
    )]
    NoSlack,
    /// Slack has no address to send to.
    #[error(
        "[server] has no public_url, so Slack would not know where to send commands. Add public_url = \"https://…\" there, \
         or mode = \"socket\" under [slack]."
    )]
    NoAddress,
    /// Slack sends to no such address.
    #[error(
        "public_url is {0}, and Slack sends to https alone. Change it under [server], or write mode = \"socket\" under \
         [slack]."
    )]
    NotHttps(String),
}

/// The manifest for a configuration.
///
/// # Errors
/// When Slack is switched off, or is to send to an address that it does not send to.
pub fn manifest(config: &Config) -> Result<Manifest, NoManifest> {
    let base = match config.slack.as_ref().ok_or(NoManifest::NoSlack)?.mode {
        SlackMode::Socket => None,
        SlackMode::Http => Some(https(config.server.public_url.as_deref())?),
    };
    let url = |path: &str| base.map(|base| format!("{base}{path}"));
    Ok(Manifest {
        display_information: Display {
            name: "Slipway",
            description: "Releases from the chat, with plans, approvals and an audit log",
            long_description: LONG_DESCRIPTION,
            background_color: "#1f3a4d",
        },
        features: Features {
            app_home: AppHome {
                home_tab_enabled: true,
                messages_tab_enabled: true,
                messages_tab_read_only_enabled: false,
            },
            bot_user: BotUser { display_name: BOT_NAME, always_online: true },
            slash_commands: command::slash_commands()
                .into_iter()
                .map(|known| slash_command(known, url("/slack/commands")))
                .collect(),
        },
        oauth_config: OAuth { scopes: Scopes { bot: SCOPES.iter().map(|scope| scope.name).collect() } },
        settings: Settings {
            event_subscriptions: Events {
                request_url: url("/slack/events"),
                bot_events: EVENTS.iter().map(|event| event.name).collect(),
            },
            interactivity: Interactivity { is_enabled: true, request_url: url("/slack/interactions") },
            org_deploy_enabled: false,
            socket_mode_enabled: base.is_none(),
            token_rotation_enabled: false,
        },
    })
}

/// Slack wants at least 174 characters, or none at all.
const LONG_DESCRIPTION: &str = "Type /deploy staging, and Slipway says exactly what would ship, asks the policies, \
     collects approvals, builds, migrates, deploys, and keeps one message up to date until the release is announced. \
     /release help lists what one can type. The Home tab shows what waits for you and what runs where.";

fn https(public_url: Option<&str>) -> Result<&str, NoManifest> {
    let url = public_url.ok_or(NoManifest::NoAddress)?;
    if url.starts_with("https://") { Ok(url) } else { Err(NoManifest::NotHttps(url.to_owned())) }
}

fn slash_command(known: command::SlashCommand, url: Option<String>) -> SlashCommand {
    let command::SlashCommand { name, description, usage_hint } = known;
    SlashCommand {
        command: name,
        url,
        description: description.chars().take(DESCRIPTION_LIMIT_CHARS).collect(),
        usage_hint: Some(usage_hint).filter(|hint| !hint.is_empty()),
        should_escape: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use slipway_core::command::Words;
    use slipway_core::message::{Block, Span};
    use std::path::Path;

    fn config(slack: &str) -> Config {
        let file = format!("{slack}\n[store]\nurl = \"sqlite://slipway.db\"\n");
        Config::check(file.as_bytes(), Path::new("slipway.toml")).unwrap().0
    }

    fn shown(slack: &str) -> String {
        serde_json::to_string_pretty(&manifest(&config(slack)).unwrap()).unwrap()
    }

    const HTTP: &str = "[slack]\n[server]\npublic_url = \"https://slipway.acme.dev\"";
    const SOCKET: &str = "[slack]\nmode = \"socket\"";

    #[test]
    fn over_http_every_door_has_its_address() {
        expect![[r##"
            {
              "display_information": {
                "name": "Slipway",
                "description": "Releases from the chat, with plans, approvals and an audit log",
                "long_description": "Type /deploy staging, and Slipway says exactly what would ship, asks the policies, collects approvals, builds, migrates, deploys, and keeps one message up to date until the release is announced. /release help lists what one can type. The Home tab shows what waits for you and what runs where.",
                "background_color": "#1f3a4d"
              },
              "features": {
                "app_home": {
                  "home_tab_enabled": true,
                  "messages_tab_enabled": true,
                  "messages_tab_read_only_enabled": false
                },
                "bot_user": {
                  "display_name": "slipway",
                  "always_online": true
                },
                "slash_commands": [
                  {
                    "command": "/deploy",
                    "url": "https://slipway.acme.dev/slack/commands",
                    "description": "bring a commit to an environment; without a reference the newest of the default branch",
                    "usage_hint": "<environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason \"…\"] [--when green|unlocked|15:00]",
                    "should_escape": true
                  },
                  {
                    "command": "/rollback",
                    "url": "https://slipway.acme.dev/slack/commands",
                    "description": "bring back what ran before, or what a release brought; migrations stay applied without --migrations",
                    "usage_hint": "<environment> [release] [service] [--migrations] [--reason \"…\"]",
                    "should_escape": true
                  },
                  {
                    "command": "/migrate",
                    "url": "https://slipway.acme.dev/slack/commands",
                    "description": "what is applied (status), what is pending (plan); apply it (up) or take the last N back (down N)",
                    "usage_hint": "<environment> [status | plan [reference] | up [reference] | down N] [service] [--continue] [--reason \"…\"]",
                    "should_escape": true
                  },
                  {
                    "command": "/release",
                    "url": "https://slipway.acme.dev/slack/commands",
                    "description": "ask about a release or act on it; /release help explains each",
                    "usage_hint": "ship | status | history | show | why | queue | approve | veto | withdraw | cancel | retry | bad | lock | unlock | resume | override | …",
                    "should_escape": true
                  }
                ]
              },
              "oauth_config": {
                "scopes": {
                  "bot": [
                    "app_mentions:read",
                    "channels:history",
                    "channels:read",
                    "chat:write",
                    "chat:write.public",
                    "commands",
                    "groups:history",
                    "groups:read",
                    "im:history",
                    "im:write",
                    "reactions:read",
                    "usergroups:read"
                  ]
                }
              },
              "settings": {
                "event_subscriptions": {
                  "request_url": "https://slipway.acme.dev/slack/events",
                  "bot_events": [
                    "app_home_opened",
                    "app_mention",
                    "message.im",
                    "reaction_added",
                    "reaction_removed"
                  ]
                },
                "interactivity": {
                  "is_enabled": true,
                  "request_url": "https://slipway.acme.dev/slack/interactions"
                },
                "org_deploy_enabled": false,
                "socket_mode_enabled": false,
                "token_rotation_enabled": false
              }
            }"##]].assert_eq(&shown(HTTP));
    }

    #[test]
    fn in_socket_mode_there_is_no_address() {
        let expected: Expect = expect![[r##"
            {
              "display_information": {
                "name": "Slipway",
                "description": "Releases from the chat, with plans, approvals and an audit log",
                "long_description": "Type /deploy staging, and Slipway says exactly what would ship, asks the policies, collects approvals, builds, migrates, deploys, and keeps one message up to date until the release is announced. /release help lists what one can type. The Home tab shows what waits for you and what runs where.",
                "background_color": "#1f3a4d"
              },
              "features": {
                "app_home": {
                  "home_tab_enabled": true,
                  "messages_tab_enabled": true,
                  "messages_tab_read_only_enabled": false
                },
                "bot_user": {
                  "display_name": "slipway",
                  "always_online": true
                },
                "slash_commands": [
                  {
                    "command": "/deploy",
                    "description": "bring a commit to an environment; without a reference the newest of the default branch",
                    "usage_hint": "<environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason \"…\"] [--when green|unlocked|15:00]",
                    "should_escape": true
                  },
                  {
                    "command": "/rollback",
                    "description": "bring back what ran before, or what a release brought; migrations stay applied without --migrations",
                    "usage_hint": "<environment> [release] [service] [--migrations] [--reason \"…\"]",
                    "should_escape": true
                  },
                  {
                    "command": "/migrate",
                    "description": "what is applied (status), what is pending (plan); apply it (up) or take the last N back (down N)",
                    "usage_hint": "<environment> [status | plan [reference] | up [reference] | down N] [service] [--continue] [--reason \"…\"]",
                    "should_escape": true
                  },
                  {
                    "command": "/release",
                    "description": "ask about a release or act on it; /release help explains each",
                    "usage_hint": "ship | status | history | show | why | queue | approve | veto | withdraw | cancel | retry | bad | lock | unlock | resume | override | …",
                    "should_escape": true
                  }
                ]
              },
              "oauth_config": {
                "scopes": {
                  "bot": [
                    "app_mentions:read",
                    "channels:history",
                    "channels:read",
                    "chat:write",
                    "chat:write.public",
                    "commands",
                    "groups:history",
                    "groups:read",
                    "im:history",
                    "im:write",
                    "reactions:read",
                    "usergroups:read"
                  ]
                }
              },
              "settings": {
                "event_subscriptions": {
                  "bot_events": [
                    "app_home_opened",
                    "app_mention",
                    "message.im",
                    "reaction_added",
                    "reaction_removed"
                  ]
                },
                "interactivity": {
                  "is_enabled": true
                },
                "org_deploy_enabled": false,
                "socket_mode_enabled": true,
                "token_rotation_enabled": false
              }
            }"##]];
        expected.assert_eq(&shown(SOCKET));
        // Whoever goes over to Socket Mode later may have a public_url all the same.
        let with_url = shown(&format!("{SOCKET}\n[server]\npublic_url = \"https://slipway.acme.dev\""));
        assert!(!with_url.contains("https://"), "{with_url}");
        assert_eq!(with_url, shown(SOCKET));
    }

    #[test]
    fn without_an_address_that_slack_sends_to_there_is_none() {
        let said = ["", "[slack]", "[slack]\n[server]\npublic_url = \"http://slipway.acme.dev\""];
        let said = said.map(|text| manifest(&config(text)).unwrap_err().to_string());
        expect![[r#"
            There is no section [slack]. Add it: with mode = "socket" where nobody can reach this bot from outside, else with public_url under [server].
            [server] has no public_url, so Slack would not know where to send commands. Add public_url = "https://…" there, or mode = "socket" under [slack].
            public_url is http://slipway.acme.dev, and Slack sends to https alone. Change it under [server], or write mode = "socket" under [slack]."#]].assert_eq(&said.join("\n"));
    }

    #[test]
    fn every_command_of_the_help_is_reached_by_a_command_of_the_manifest() {
        let manifest = manifest(&config(SOCKET)).unwrap();
        let known: Vec<_> = manifest.features.slash_commands.iter().map(|command| command.command.as_str()).collect();
        let Block::Table { rows, .. } = &command::help(None, &Words::default()).body[0] else { panic!("no table") };
        assert!(!rows.is_empty());
        for row in rows {
            let [Span::Code(line), ..] = &row[0].0[..] else { panic!("{row:?}") };
            let first = line.split(' ').next().unwrap();
            assert!(known.contains(&first), "{line} is reached by none of {known:?}");
        }
    }

    #[test]
    fn slacks_limits_are_kept() {
        let manifest = manifest(&config(HTTP)).unwrap();
        let chars = |text: &str| text.chars().count();
        let display = &manifest.display_information;
        assert!(chars(display.name) <= 35 && chars(display.description) <= 140);
        assert!((174..=4_000).contains(&chars(display.long_description)));
        assert!(manifest.features.slash_commands.len() <= 50);
        for command in &manifest.features.slash_commands {
            assert!(chars(&command.command) <= 32 && chars(&command.description) <= DESCRIPTION_LIMIT_CHARS);
            assert!(command.usage_hint.as_deref().is_none_or(|hint| (1..=1_000).contains(&chars(hint))));
        }
    }
}
