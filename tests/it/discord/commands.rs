//! Commands: which can be registered, and how a typed line becomes one.

use super::rig::{ANA, APP, BOB, BOT, GUILD, RELEASES, Rig, commands, rig};
use serde_json::{Value, json};

/// Everywhere, and in the guild.
fn path(guild: bool) -> String {
    if guild { format!("applications/{APP}/guilds/{GUILD}/commands") } else { format!("applications/{APP}/commands") }
}

#[tokio::test]
async fn all_commands_are_replaced_and_keep_their_ids() {
    let rig = rig().await;
    let first = rig.ok("PUT", &path(true), commands()).await;
    assert_eq!(rig.ok("GET", &path(true), Value::Null).await, first);
    assert_eq!(rig.ok("GET", &path(false), Value::Null).await, json!([]));
    assert_eq!((&first[0]["guild_id"], &first[0]["type"]), (&json!(GUILD), &json!(1)));
    let again = rig.ok("PUT", &path(true), json!([commands()[1]])).await;
    assert_eq!((&again[0]["id"], again.as_array().unwrap().len()), (&first[1]["id"], 1));
    assert_eq!(rig.refusal("PUT", "applications/5/commands", json!([])).await, (403, 50_001));
}

#[tokio::test]
async fn the_rules_of_commands_hold() {
    let rig = rig().await;
    let command = |more: Value| {
        let mut command = json!({ "name": "deploy", "description": "x" });
        command.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        command
    };
    let option = |name: &str, more: Value| {
        let mut option = json!({ "type": 3, "name": name, "description": "x" });
        option.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        option
    };
    let with = |options: Vec<Value>| command(json!({ "options": options }));
    let many = (0..26).map(|n| option(&format!("o{n}"), json!({}))).collect();
    let choices = vec![json!({ "name": "a", "value": "b" }); 26];
    let cases = [
        (command(json!({ "name": "Deploy" })), "0.name APPLICATION_COMMAND_INVALID_NAME"),
        (command(json!({ "name": "de ploy" })), "0.name APPLICATION_COMMAND_INVALID_NAME"),
        (command(json!({ "name": "x".repeat(33) })), "0.name BASE_TYPE_BAD_LENGTH"),
        (command(json!({ "description": "" })), "0.description BASE_TYPE_BAD_LENGTH"),
        (command(json!({ "description": "x".repeat(101) })), "0.description BASE_TYPE_BAD_LENGTH"),
        (command(json!({ "usage": "x" })), "0.usage UNKNOWN_FIELD"),
        (with(many), "0.options BASE_TYPE_MAX_LENGTH"),
        (with(vec![option("a", json!({ "type": 12 }))]), "0.options.0.type BASE_TYPE_CHOICES"),
        (with(vec![option("a", json!({ "choices": choices }))]), "0.options.0.choices BASE_TYPE_MAX_LENGTH"),
        (
            with(vec![option("a", json!({})), option("b", json!({ "required": true }))]),
            "0.options.1 APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
        ),
        (
            with(vec![option("a", json!({})), option("a", json!({}))]),
            "0.options.1.name APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
        ),
        (
            with(vec![option("a", json!({})), option("b", json!({ "type": 1 }))]),
            "0.options APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
        ),
        (
            with(vec![option("a", json!({ "autocomplete": true, "choices": [{ "name": "a", "value": "b" }] }))]),
            "0.options.0.choices APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID",
        ),
    ];
    for (command, wrong) in cases {
        assert_eq!(rig.wrong("PUT", &path(false), json!([command])).await, [wrong]);
    }
    let twice = rig.wrong("PUT", &path(false), json!([command(json!({})), command(json!({}))])).await;
    assert_eq!(twice, ["1.name APPLICATION_COMMANDS_DUPLICATE_NAME"]);
    let long = vec![option("a", json!({ "description": "x".repeat(100) })); 25];
    let long: Vec<_> = (0..25)
        .map(|n| {
            let mut o = long[n].clone();
            o["name"] = json!(format!("o{n}"));
            o
        })
        .collect();
    let groups: Vec<_> = (0..4).map(|n| option(&format!("g{n}"), json!({ "type": 1, "options": long }))).collect();
    assert_eq!(rig.wrong("PUT", &path(false), json!([with(groups)])).await, ["0 APPLICATION_COMMAND_TOO_LARGE"]);
}

/// The options that the app gets of a typed line.
async fn typed(rig: &Rig, line: &str) -> Value {
    rig.discord.type_text(ANA, RELEASES, line).await.unwrap();
    rig.app.last()["data"]["options"].clone()
}

fn text(name: &str, value: &str) -> Value {
    json!({ "type": 3, "name": name, "value": value })
}

#[tokio::test]
async fn a_line_becomes_typed_options() {
    let rig = rig().await;
    rig.register().await;
    let both = json!([text("environment", "staging"), text("reference", "main")]);
    assert_eq!(typed(&rig, "/deploy staging main").await, both);
    assert_eq!(typed(&rig, "/deploy reference:main environment:staging").await, both);
    assert_eq!(typed(&rig, "/deploy staging reference:main").await, both);
    assert_eq!(typed(&rig, "/deploy staging").await, json!([text("environment", "staging")]));
    let rest = json!([text("environment", "staging"), text("reference", "main and more")]);
    assert_eq!(typed(&rig, "/deploy staging main and more").await, rest, "the last one takes what is left");
    let lock = typed(&rig, "/release lock staging \"load test\" 2 true @bob").await;
    let inside = json!([
        text("environment", "staging"), text("reason", "load test"), { "type": 4, "name": "hours", "value": 2 },
        { "type": 5, "name": "force", "value": true }, { "type": 6, "name": "owner", "value": BOB },
    ]);
    assert_eq!(lock, json!([{ "type": 1, "name": "lock", "options": inside }]));
    let got = rig.app.last();
    assert_eq!(got["data"]["resolved"]["users"][BOB]["username"], "bob");
    assert_eq!(got["data"]["resolved"]["members"][BOB].get("user"), None);
    assert_eq!(typed(&rig, "/release status").await, json!([{ "type": 1, "name": "status", "options": [] }]));
}

#[tokio::test]
async fn what_discord_would_not_send_is_refused() {
    let rig = rig().await;
    rig.register().await;
    let cases = [
        ("/undeploy staging", "unknown_command"),
        ("/deploy", "missing_option"),
        ("/release", "unknown_subcommand"),
        ("/release unlock", "unknown_subcommand"),
        ("/release status now", "too_many_words"),
        ("/release lock staging hours:soon", "invalid_option"),
        ("/release lock staging hours:0", "invalid_option"),
        ("/release lock staging owner:nobody", "invalid_option"),
        (" ", "no_text"),
    ];
    for (line, error) in cases {
        assert_eq!(rig.discord.type_text(ANA, RELEASES, line).await.unwrap_err().error, error, "{line}");
    }
    // Commands of a guild are not there in a conversation.
    assert_eq!(rig.discord.type_text(ANA, BOT, "/deploy staging").await.unwrap_err().error, "unknown_command");
    assert_eq!(rig.app.got().len(), 0);
    rig.ok("PUT", &path(false), json!([{ "name": "help", "description": "x" }])).await;
    rig.discord.type_text(ANA, BOT, "/help").await.unwrap();
    let got = rig.app.last();
    assert_eq!((&got["user"]["id"], got.get("member"), got.get("guild_id")), (&json!(ANA), None, None));
    assert_eq!(got["context"], 1);
}

#[tokio::test]
async fn choices_are_asked_for_while_somebody_types() {
    let rig = rig().await;
    rig.register().await;
    let choices = json!([{ "name": "staging (goals)", "value": "staging" }]);
    rig.app.will_say(&json!({ "type": 8, "data": { "choices": choices } }));
    let offered = rig.discord.autocomplete(ANA, RELEASES, "/deploy", "environment", "sta").await.unwrap();
    assert_eq!(offered, [("staging (goals)".to_owned(), json!("staging"))]);
    let got = rig.app.last();
    let focused = json!([{ "type": 3, "name": "environment", "value": "sta", "focused": true }]);
    assert_eq!((&got["type"], &got["data"]["options"]), (&json!(4), &focused));
    let none = rig.discord.autocomplete(ANA, RELEASES, "/deploy staging", "reference", "m").await.unwrap_err();
    assert_eq!(none.error, "no_autocomplete");
    // Anything else is no answer to that.
    rig.waits_ms(500);
    rig.app.will_say(&json!({ "type": 4, "data": { "content": "x" } }));
    assert!(rig.discord.autocomplete(ANA, RELEASES, "/deploy", "environment", "sta").await.is_err());
    assert_eq!(rig.discord.messages(RELEASES).len(), 0);
}
