//! The channels that the configuration names: are they there, and is the app in them.

use super::super::{PROBE_CONCURRENCY_LIMIT, ProbeResult};
use super::{Row, within_limit};
use crate::config::{Channel, Config};
use futures::StreamExt as _;
use slipway_deploy::slack::{Bot, ChannelInfo, Slack};
use std::collections::BTreeSet;

/// Each channel, once.
pub(super) async fn channels(config: &Config, client: &Slack, bot: &Bot) -> Vec<Row> {
    let looks: Vec<_> = configured(config).into_iter().map(|id| look(client, bot, id)).collect();
    futures::stream::iter(looks).buffered(PROBE_CONCURRENCY_LIMIT).collect().await
}

async fn look(client: &Slack, bot: &Bot, id: &str) -> Row {
    let answer = match within_limit(client.channel(id)).await {
        Ok(info) => judged(&info, &bot.scopes),
        Err(failed) => failed,
    };
    (format!("slack:{id}"), answer)
}

fn configured(config: &Config) -> BTreeSet<&str> {
    let of_services = config.services.values().flat_map(|service| service.channels.iter().chain(&service.announce));
    let all = of_services.chain(&config.audit.anchor);
    all.filter_map(|channel| match channel {
        Channel::Slack(id) => Some(id.as_str()),
        Channel::Discord(_) | Channel::Terminal(_) => None,
    })
    .collect()
}

/// What is to be said of a channel. `scopes`: the token's, none when they are not known.
fn judged(info: &ChannelInfo, scopes: &[String]) -> ProbeResult {
    const INVITE: &str = "type /invite @slipway there";
    let name = info.name.as_ref().map_or_else(|| "a conversation".to_owned(), |name| format!("#{name}"));
    if info.is_archived {
        return ProbeResult::fail(
            format!("{name} is archived"),
            format!("unarchive it and {INVITE}, or name another channel"),
        );
    }
    let posts_from_outside = scopes.is_empty() || scopes.iter().any(|scope| scope == "chat:write.public");
    let (mut says, mut mends) = (vec![], vec![]);
    match (info.is_member, info.is_private || !posts_from_outside) {
        (true, _) => says.push("the app is in it".to_owned()),
        (false, true) => {
            return ProbeResult::fail(format!("{name}: the app is not in it and cannot post there"), INVITE);
        }
        (false, false) => {
            says.push(
                "the app is not in it: it can post there, but reactions and mentions do not reach it, and after a crash \
                 it cannot look whether a message was posted"
                    .to_owned(),
            );
            mends.push(INVITE.to_owned());
        }
    }
    if info.is_shared_outside {
        says.push("people of another organisation are in it or invited, and read what is posted".to_owned());
        mends.push("make sure that they may, or name another channel".to_owned());
    }
    ProbeResult { ok: true, says: format!("{name}: {}", says.join("; ")), mend: mends.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;
    use expect_test::expect;
    use std::path::Path;

    #[test]
    fn each_channel_is_asked_about_once() {
        let file = r#"
            [server]
            public_url = "https://slipway.acme.dev"
            [store]
            url = "sqlite://slipway.db"
            [slack]
            [terminal]
            channels = ["releases"]
            [audit]
            anchor = "slack:C0AUDITLOG"
            [service.goals]
            repository = "acme/goals"
            workflow = "build.yaml"
            image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals"
            channels = ["slack:C024BE91L", "terminal:releases"]
            announce = ["slack:C0RELEASES", "slack:C024BE91L"]
            [service.goals.environment.staging]
            target = { kind = "app-runner", service_arn = "arn:aws:apprunner:us-west-2:123456789012:service/goals/8fe1e10304f84fd2b0df550fe98a71fa" }
        "#;
        let (config, _) = Config::check(file.as_bytes(), Path::new("slipway.toml")).unwrap();
        assert_eq!(Vec::from_iter(configured(&config)), ["C024BE91L", "C0AUDITLOG", "C0RELEASES"]);
    }

    #[test]
    fn what_does_not_work_in_a_channel_is_said() {
        let well = ChannelInfo {
            id: "C024BE91L".into(),
            name: Some("deployments".into()),
            is_member: true,
            is_archived: false,
            is_private: false,
            is_shared_outside: false,
        };
        let outside = ChannelInfo { is_member: false, ..well.clone() };
        let all = ["chat:write".to_owned(), "chat:write.public".to_owned()];
        let judge = |info: &ChannelInfo, scopes: &[String]| ("slack:C024BE91L".to_owned(), judged(info, scopes));
        let rows = [
            judge(&well, &all),
            judge(&ChannelInfo { is_archived: true, ..well.clone() }, &all),
            judge(&outside, &all),
            judge(&outside, &all[..1]),
            judge(&ChannelInfo { is_private: true, ..outside.clone() }, &all),
            judge(&ChannelInfo { is_shared_outside: true, ..well.clone() }, &all),
            judge(&ChannelInfo { is_shared_outside: true, ..outside.clone() }, &all),
            judge(&ChannelInfo { name: None, ..well.clone() }, &all),
        ];
        expect![[r#"
            ok    slack:C024BE91L  #deployments: the app is in it
            FAIL  slack:C024BE91L  #deployments is archived
                  → unarchive it and type /invite @slipway there, or name another channel
            warn  slack:C024BE91L  #deployments: the app is not in it: it can post there, but reactions and mentions do not reach it, and after a crash it cannot look whether a message was posted
                  → type /invite @slipway there
            FAIL  slack:C024BE91L  #deployments: the app is not in it and cannot post there
                  → type /invite @slipway there
            FAIL  slack:C024BE91L  #deployments: the app is not in it and cannot post there
                  → type /invite @slipway there
            warn  slack:C024BE91L  #deployments: the app is in it; people of another organisation are in it or invited, and read what is posted
                  → make sure that they may, or name another channel
            warn  slack:C024BE91L  #deployments: the app is not in it: it can post there, but reactions and mentions do not reach it, and after a crash it cannot look whether a message was posted; people of another organisation are in it or invited, and read what is posted
                  → type /invite @slipway there; make sure that they may, or name another channel
            ok    slack:C024BE91L  a conversation: the app is in it"#]].assert_eq(&shown(&rows));
        assert_eq!(judged(&outside, &[]), judged(&outside, &all), "what is not known is not held against it");
    }
}
