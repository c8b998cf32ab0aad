//! The channels that the configuration names: are they there, and may the application do there what it has to.

use super::super::{PROBE_CONCURRENCY_LIMIT, ProbeResult};
use super::{NEEDED, Row, Standing, within_limit};
use crate::config::{self, Config};
use futures::StreamExt as _;
use slipway_deploy::discord::{Channel, Discord, permissions};
use std::collections::BTreeSet;

/// The kinds of channels that cards are posted in: text, and announcements.
const KINDS: [u8; 2] = [0, 5];

/// Each channel, once.
pub(super) async fn channels(config: &Config, client: &Discord, standing: Option<&Standing>) -> Vec<Row> {
    let looks: Vec<_> = configured(config).into_iter().map(|id| look(client, standing, id)).collect();
    futures::stream::iter(looks).buffered(PROBE_CONCURRENCY_LIMIT).collect().await
}

async fn look(client: &Discord, standing: Option<&Standing>, id: &str) -> Row {
    let answer = match within_limit(client.channel(id)).await {
        Ok(channel) => judged(&channel, standing),
        Err(failed) => failed,
    };
    (format!("discord:{id}"), answer)
}

fn configured(config: &Config) -> BTreeSet<&str> {
    let of_services = config.services.values().flat_map(|service| service.channels.iter().chain(&service.announce));
    let all = of_services.chain(&config.audit.anchor);
    all.filter_map(|channel| match channel {
        config::Channel::Discord(id) => Some(id.as_str()),
        config::Channel::Slack(_) | config::Channel::Terminal(_) => None,
    })
    .collect()
}

/// What is to be said of a channel. What the application may do in it is known only where its server is.
fn judged(channel: &Channel, standing: Option<&Standing>) -> ProbeResult {
    let name = channel.name.as_ref().map_or_else(|| "a conversation".to_owned(), |name| format!("#{name}"));
    if !KINDS.contains(&channel.kind) {
        return ProbeResult::fail(format!("{name} is no text channel"), "name a text channel, not a thread or a forum");
    }
    let Some(Standing { guild, me, roles }) = standing else {
        return ProbeResult::ok(format!("{name}: it is there"));
    };
    if channel.guild_id.as_ref() != Some(&guild.id) {
        let says = format!("{name} is not in the server {}", guild.name);
        return ProbeResult::fail(says, "name a channel of that server");
    }
    let allowed = permissions(guild, Some(channel), &me.id, roles);
    let missing: Vec<_> = NEEDED.iter().filter(|(bit, _, _)| allowed & bit == 0).collect();
    if missing.is_empty() {
        return ProbeResult::ok(format!("{name}: the application may do there what it has to"));
    }
    let lacks: Vec<_> = missing.iter().map(|(_, permission, why)| format!("{permission} ({why})")).collect();
    let names: Vec<_> = missing.iter().map(|(_, permission, _)| *permission).collect();
    let mend = format!("allow {} to the application's role, in the channel's permissions", names.join(", "));
    ProbeResult::fail(format!("{name}: the application lacks {}", lacks.join(", ")), mend)
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;
    use expect_test::expect;
    use slipway_deploy::discord::{Guild, Me, Overwrite, Role, SEND_MESSAGES, VIEW_CHANNEL};
    use std::path::Path;

    #[test]
    fn each_channel_is_asked_about_once() {
        let file = r#"
            [store]
            url = "sqlite://slipway.db"
            [discord]
            application_id = "845027738276462632"
            [terminal]
            channels = ["releases"]
            [audit]
            anchor = "discord:1032011030"
            [service.goals]
            repository = "acme/goals"
            workflow = "build.yaml"
            image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals"
            channels = ["discord:1032011029", "terminal:releases"]
            announce = ["discord:1032011031", "discord:1032011029"]
            [service.goals.environment.staging]
            target = { kind = "app-runner", service_arn = "arn:aws:apprunner:us-west-2:123456789012:service/goals/8fe1e10304f84fd2b0df550fe98a71fa" }
        "#;
        let (config, _) = Config::check(file.as_bytes(), Path::new("slipway.toml")).unwrap();
        assert_eq!(Vec::from_iter(configured(&config)), ["1032011029", "1032011030", "1032011031"]);
    }

    fn standing(allowed: u64) -> Standing {
        let everybody = Role { id: "10".into(), name: "@everyone".into(), permissions: allowed };
        Standing {
            guild: Guild { id: "10".into(), name: "Acme".into(), owner_id: "1".into(), roles: vec![everybody] },
            me: Me { id: "2".into(), username: "slipway".into() },
            roles: vec![],
        }
    }

    #[test]
    fn what_is_missing_in_a_channel_is_named() {
        let all = NEEDED.iter().fold(0, |all, (bit, _, _)| all | bit);
        let text = Channel {
            id: "1032011029".into(),
            kind: 0,
            guild_id: Some("10".into()),
            parent_id: None,
            name: Some("deployments".into()),
            overwrites: vec![],
        };
        let quiet = Overwrite { id: "10".into(), is_role: true, allow: 0, deny: SEND_MESSAGES };
        let judge =
            |channel: &Channel, standing: Option<&Standing>| ("discord:1".to_owned(), judged(channel, standing));
        let rows = [
            judge(&text, Some(&standing(all))),
            judge(&text, Some(&standing(VIEW_CHANNEL | SEND_MESSAGES))),
            judge(&Channel { overwrites: vec![quiet], ..text.clone() }, Some(&standing(all))),
            judge(&Channel { guild_id: Some("11".into()), ..text.clone() }, Some(&standing(all))),
            judge(&Channel { kind: 15, ..text.clone() }, Some(&standing(all))),
            judge(&text, None),
        ];
        expect![[r#"
            ok    discord:1  #deployments: the application may do there what it has to
            FAIL  discord:1  #deployments: the application lacks Embed Links (shows more than a card's first line), Read Message History (finds a card after a crash, and reactions that were missed), Create Public Threads (begins a card's thread), Send Messages in Threads (posts in it)
                  → allow Embed Links, Read Message History, Create Public Threads, Send Messages in Threads to the application's role, in the channel's permissions
            FAIL  discord:1  #deployments: the application lacks Send Messages (posts cards)
                  → allow Send Messages to the application's role, in the channel's permissions
            FAIL  discord:1  #deployments is not in the server Acme
                  → name a channel of that server
            FAIL  discord:1  #deployments is no text channel
                  → name a text channel, not a thread or a forum
            ok    discord:1  #deployments: it is there"#]].assert_eq(&shown(&rows));
    }
}
