//! Whether Slack has the app on record as the manifest has it. A bot token cannot ask that.

use super::super::ProbeResult;
use super::{Row, within_limit};
use crate::config::Config;
use crate::slack_app;
use secrecy::SecretString;
use serde_json::Value;
use slipway_deploy::redact::excerpt;
use slipway_deploy::slack::Slack;
use std::collections::BTreeMap;

/// How many differences of one kind are named.
const NAMED_LIMIT: usize = 12;
/// How much of what Slack has on record is shown of each.
const SHOWN_LIMIT_CHARS: usize = 120;

/// What differs in one respect.
#[derive(Debug, Default)]
struct Differences {
    /// What does not work because of it.
    wrong: Vec<String>,
    /// What is only other than it should be.
    other: Vec<String>,
}

/// The app's set-up compared with the manifest, or how one can have it compared.
pub(super) async fn app(
    config: &Config,
    client: &Slack,
    config_token: Option<&SecretString>,
    app_id: Option<&str>,
) -> Vec<Row> {
    let row = |answer| vec![("Slack app".to_owned(), answer)];
    let ours = match slack_app::manifest(config) {
        Ok(manifest) => serde_json::to_value(&manifest).unwrap_or_default(),
        // The bot may run like this all the same: behind an address that only Slack's own pages know.
        Err(error) => {
            let says = "there is no manifest for this configuration, so nothing is compared with one".to_owned();
            return row(ProbeResult { ok: true, says, mend: error.to_string() });
        }
    };
    let Some(token) = config_token else {
        let says = "its events and addresses cannot be read with a bot token; to have them compared set \
                    SLACK_CONFIG_TOKEN (docs/slack.md)";
        return row(ProbeResult::ok(says));
    };
    let Some(app_id) = app_id else {
        let mend = "add app_id under [slack]: it stands under Basic Information of the app";
        return row(ProbeResult::fail("Slack does not say which app the token is of", mend));
    };
    match within_limit(client.exported_manifest(token, app_id)).await {
        Ok(theirs) => rows(app_id, compared(&ours, &theirs)),
        // The bot runs without this token, which is good for hours only.
        Err(failed) => {
            let mend = if failed.mend.is_empty() { failed.says } else { format!("{}: {}", failed.says, failed.mend) };
            row(ProbeResult { ok: true, says: "it could not be compared with the manifest".to_owned(), mend })
        }
    }
}

fn rows(app_id: &str, compared: BTreeMap<&'static str, Differences>) -> Vec<Row> {
    let differs = compared.into_iter().filter(|(_, found)| !found.wrong.is_empty() || !found.other.is_empty());
    let row = |(what, Differences { wrong, other }): (&str, Differences)| {
        let ok = wrong.is_empty();
        let all: Vec<_> = wrong.into_iter().chain(other).collect();
        let more =
            if all.len() > NAMED_LIMIT { format!("; and {} more", all.len() - NAMED_LIMIT) } else { String::new() };
        let says = format!("{}{more}", all[..all.len().min(NAMED_LIMIT)].join("; "));
        let mend = format!(
            "paste what slipway slack manifest prints under App Manifest at api.slack.com/apps/{app_id}, and install the \
             app again where Slack asks for it"
        );
        (format!("Slack app {what}"), ProbeResult { ok, says, mend })
    };
    let rows: Vec<_> = differs.map(row).collect();
    if rows.is_empty() {
        let says = "scopes, events, commands and addresses are what slipway slack manifest prints";
        return vec![("Slack app".to_owned(), ProbeResult::ok(says))];
    }
    rows
}

/// Our manifest and Slack's, by what they differ in. What ours does not speak of is left aside.
fn compared(ours: &Value, theirs: &Value) -> BTreeMap<&'static str, Differences> {
    BTreeMap::from([
        ("scopes", scopes(ours, theirs)),
        ("events", events(ours, theirs)),
        ("commands", commands(ours, theirs)),
        ("addresses", addresses(ours, theirs)),
        ("settings", settings(ours, theirs)),
    ])
}

/// The texts in a list; none where there is no list.
fn texts<'a>(manifest: &'a Value, pointer: &str) -> Vec<&'a str> {
    let list = manifest.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

fn text<'a>(manifest: &'a Value, pointer: &str) -> Option<&'a str> {
    manifest.pointer(pointer).and_then(Value::as_str)
}

fn shown(text: &str) -> String {
    excerpt(text, SHOWN_LIMIT_CHARS)
}

fn scopes(ours: &Value, theirs: &Value) -> Differences {
    const BOT: &str = "/oauth_config/scopes/bot";
    let (needed, there) = (texts(ours, BOT), texts(theirs, BOT));
    let is_optional = |name: &str| slack_app::scope(name).is_some_and(|scope| scope.optional);
    let (less, missing): (Vec<&str>, Vec<&str>) =
        needed.iter().filter(|name| !there.contains(name)).partition(|name| is_optional(name));
    // What each is for stands beside those that the token lacks.
    let lacks = |name: &str| format!("{name} is missing");
    let besides = there.iter().filter(|name| !needed.contains(name)).map(|name| format!("{} besides", shown(name)));
    Differences {
        wrong: missing.into_iter().map(lacks).collect(),
        other: less.into_iter().map(lacks).chain(besides).collect(),
    }
}

fn events(ours: &Value, theirs: &Value) -> Differences {
    const BOT: &str = "/settings/event_subscriptions/bot_events";
    let (needed, there) = (texts(ours, BOT), texts(theirs, BOT));
    let why = |name: &str| slack_app::EVENTS.iter().find(|event| event.name == name).map_or("", |event| event.why);
    let missing = needed.iter().filter(|name| !there.contains(name));
    let besides = there.iter().filter(|name| !needed.contains(name));
    Differences {
        wrong: missing.map(|name| format!("{name} is not subscribed ({})", why(name))).collect(),
        other: besides.map(|name| format!("{} is subscribed besides, and left aside", shown(name))).collect(),
    }
}

fn commands(ours: &Value, theirs: &Value) -> Differences {
    const ALL: &str = "/features/slash_commands";
    let listed = |manifest: &Value| -> BTreeMap<String, Value> {
        let list = manifest.pointer(ALL).and_then(Value::as_array).cloned().unwrap_or_default();
        list.into_iter().filter_map(|command| Some((command["command"].as_str()?.to_owned(), command))).collect()
    };
    let (needed, mut there) = (listed(ours), listed(theirs));
    let mut found = Differences::default();
    for (name, ours) in &needed {
        let Some(theirs) = there.remove(name) else {
            found.wrong.push(format!("{name} is missing"));
            continue;
        };
        found.wrong.extend(address(name, ours["url"].as_str(), theirs["url"].as_str()));
        if theirs["should_escape"] != ours["should_escape"] {
            found.wrong.push(format!("{name} does not escape what is typed, so people are not named by their ids"));
        }
        let words =
            |command: &Value| ["description", "usage_hint"].map(|key| command[key].as_str().unwrap_or("").to_owned());
        if words(ours) != words(&theirs) {
            found.other.push(format!("{name} is described in other words"));
        }
    }
    found.other.extend(there.keys().map(|name| format!("{} besides, which Slipway does not know", shown(name))));
    found
}

fn addresses(ours: &Value, theirs: &Value) -> Differences {
    let compare = |what: &str, pointer: &str| address(what, text(ours, pointer), text(theirs, pointer));
    let events = compare("events", "/settings/event_subscriptions/request_url");
    let pressed = compare("buttons and forms", "/settings/interactivity/request_url");
    Differences { wrong: events.into_iter().chain(pressed).collect(), other: vec![] }
}

/// In Socket Mode there is no address of ours, and none of Slack's is used. Of an address nothing is shown after the
/// path: it may be a secret.
fn address(what: &str, ours: Option<&str>, theirs: Option<&str>) -> Option<String> {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) if ours != theirs => {
            let path = theirs.split(['?', '#']).next().unwrap_or_default();
            let more = if path.len() < theirs.len() { "?…" } else { "" };
            Some(format!("{what}: sent to {}{more} and not to {ours}", shown(path)))
        }
        (Some(ours), None) => Some(format!("{what}: sent nowhere and not to {ours}")),
        _ => None,
    }
}

fn settings(ours: &Value, theirs: &Value) -> Differences {
    let is_on = |manifest: &Value, pointer: &str| manifest.pointer(pointer).and_then(Value::as_bool).unwrap_or(false);
    let switches = [
        ("/settings/interactivity/is_enabled", "interactivity", "no button does anything"),
        ("/settings/socket_mode_enabled", "Socket Mode", "what is said goes the other way than [slack] mode says"),
        ("/settings/token_rotation_enabled", "token rotation", "the bot token ends after 12 hours"),
        ("/features/app_home/home_tab_enabled", "the Home tab", "nobody sees it"),
        ("/features/app_home/messages_tab_enabled", "the Messages tab", "nobody can be told something alone"),
    ];
    let differs = |(pointer, what, so): (&str, &str, &str)| {
        let is = is_on(theirs, pointer);
        (is != is_on(ours, pointer)).then(|| format!("{what} is {}: {so}", if is { "on" } else { "off" }))
    };
    Differences { wrong: switches.into_iter().filter_map(differs).collect(), other: vec![] }
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;
    use expect_test::expect;
    use serde_json::json;
    use std::path::Path;

    fn ours(slack: &str) -> Value {
        let file = format!("{slack}\n[store]\nurl = \"sqlite://slipway.db\"\n");
        let (config, _) = Config::check(file.as_bytes(), Path::new("slipway.toml")).unwrap();
        serde_json::to_value(slack_app::manifest(&config).unwrap()).unwrap()
    }

    const HTTP: &str = "[slack]\n[server]\npublic_url = \"https://slipway.acme.dev\"";
    const SOCKET: &str = "[slack]\nmode = \"socket\"";

    fn said(ours: &Value, theirs: &Value) -> String {
        shown(&rows("A0KRD7HC3", compared(ours, theirs)))
    }

    #[test]
    fn what_was_pasted_is_as_it_should_be() {
        for text in [HTTP, SOCKET] {
            let mut theirs = ours(text);
            // Slack adds parts of its own.
            theirs["_metadata"] = json!({ "major_version": 1, "minor_version": 1 });
            theirs["settings"]["is_hosted"] = json!(false);
            let said = said(&ours(text), &theirs);
            assert!(said.starts_with("ok  ") && said.lines().count() == 1, "{said}");
        }
    }

    #[test]
    fn each_difference_is_named() {
        let mut theirs = ours(HTTP);
        theirs["oauth_config"]["scopes"]["bot"] = json!(["chat:write", "commands", "files:read"]);
        theirs["settings"]["event_subscriptions"] = json!({ "request_url": "https://old.acme.dev/slack/events", "bot_events": ["app_mention", "message.channels"] });
        theirs["settings"]["interactivity"] = json!({ "is_enabled": false });
        theirs["settings"]["token_rotation_enabled"] = json!(true);
        theirs["features"]["app_home"] = json!({ "messages_tab_enabled": true });
        let commands = theirs["features"]["slash_commands"].as_array_mut().unwrap();
        commands.remove(1);
        commands[0]["should_escape"] = json!(false);
        commands[1]["url"] = json!("https://old.acme.dev/slack/commands?token=hunter2hunter2");
        commands[1]["usage_hint"] = json!("status");
        commands.push(json!({ "command": "/ship", "description": "x" }));
        let said = said(&ours(HTTP), &theirs);
        assert!(!said.contains("hunter2"), "{said}");
        expect![[r#"
            FAIL  Slack app addresses  events: sent to https://old.acme.dev/slack/events and not to https://slipway.acme.dev/slack/events; buttons and forms: sent nowhere and not to https://slipway.acme.dev/slack/interactions
                  → paste what slipway slack manifest prints under App Manifest at api.slack.com/apps/A0KRD7HC3, and install the app again where Slack asks for it
            FAIL  Slack app commands  /deploy does not escape what is typed, so people are not named by their ids; /migrate: sent to https://old.acme.dev/slack/commands?… and not to https://slipway.acme.dev/slack/commands; /rollback is missing; /migrate is described in other words; /ship besides, which Slipway does not know
                  → paste what slipway slack manifest prints under App Manifest at api.slack.com/apps/A0KRD7HC3, and install the app again where Slack asks for it
            FAIL  Slack app events  app_home_opened is not subscribed (draws the Home tab of whoever opens it); message.im is not subscribed (is a command, said to the app alone); reaction_added is not subscribed (is a vote under a card); reaction_removed is not subscribed (takes the vote back); message.channels is subscribed besides, and left aside
                  → paste what slipway slack manifest prints under App Manifest at api.slack.com/apps/A0KRD7HC3, and install the app again where Slack asks for it
            FAIL  Slack app scopes  app_mentions:read is missing; channels:history is missing; channels:read is missing; im:history is missing; im:write is missing; reactions:read is missing; chat:write.public is missing; groups:history is missing; groups:read is missing; usergroups:read is missing; files:read besides
                  → paste what slipway slack manifest prints under App Manifest at api.slack.com/apps/A0KRD7HC3, and install the app again where Slack asks for it
            FAIL  Slack app settings  interactivity is off: no button does anything; token rotation is on: the bot token ends after 12 hours; the Home tab is off: nobody sees it
                  → paste what slipway slack manifest prints under App Manifest at api.slack.com/apps/A0KRD7HC3, and install the app again where Slack asks for it"#]].assert_eq(&said);
    }

    #[test]
    fn the_other_way_of_listening_is_noticed_and_its_addresses_are_not() {
        let socket = said(&ours(SOCKET), &ours(HTTP));
        expect![[r#"
            FAIL  Slack app settings  Socket Mode is off: what is said goes the other way than [slack] mode says
                  → paste what slipway slack manifest prints under App Manifest at api.slack.com/apps/A0KRD7HC3, and install the app again where Slack asks for it"#]].assert_eq(&socket);
        let http = said(&ours(HTTP), &ours(SOCKET));
        assert!(http.contains("Socket Mode is on") && http.contains("events: sent nowhere"), "{http}");
    }

    #[test]
    fn what_is_no_manifest_is_all_different_and_breaks_nothing() {
        let many =
            json!({ "oauth_config": { "scopes": { "bot": (0..50).map(|n| format!("x{n}")).collect::<Vec<_>>() } } });
        for theirs in [Value::Null, json!([]), json!({ "features": "x", "settings": 7 }), many] {
            let said = said(&ours(HTTP), &theirs);
            assert!(said.contains("/deploy is missing") && said.contains("reaction_added is not subscribed"), "{said}");
            assert!(said.lines().all(|line| line.chars().count() < 2_500), "{said}");
        }
    }
}
