//! The audit log of a real run: complete, without secrets, verified from outside, and broken as soon as it is touched.

use crate::support::{Player, text};
use slipway_core::audit::Record;
use slipway_core::release::Phase;
use slipway_sandbox::world::{API_TOKEN, CHANNEL, Options, Pace, World};
use sqlx::{Connection as _, SqliteConnection};
use std::io::Write as _;

/// A value that only Secrets Manager may know.
const CANARY: &str = "canary-hunter2";

/// What the command said on standard output, or what it was refused for.
fn slipway(world: &World, arguments: &[&str]) -> Result<String, String> {
    let output = world.bot.run(arguments).unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    match output.status.code() {
        Some(0) => Ok(text(output.stdout)),
        code => Err(format!("{code:?} {}", text(output.stderr))),
    }
}

/// A world whose secrets can be recognised, and whose bot posts the end of its log.
async fn world() -> World {
    let mut world = World::new(Options { pace: Pace::Fast, ..Options::default() }).await.unwrap();
    let url = world.staging_database.replacen('@', &format!(":{CANARY}@"), 1);
    world.aws.put_secret(
        "goals/staging",
        &serde_json::json!({ "GOOSE_DBSTRING": url, "API_KEY": CANARY, "SMTP_HOST": CANARY }),
    );
    world.bot.kill().unwrap();
    let mut config = std::fs::File::options().append(true).open(&world.config).unwrap();
    write!(config, "\n[audit]\nanchor = \"{CHANNEL}\"\n").unwrap();
    world.bot.start().await.unwrap();
    world
}

/// Kinds in their order, with the effect of an intent: `intended deploy`.
fn kinds(records: &[Record]) -> Vec<String> {
    let name = |record: &Record| match record.body["effect"].as_str() {
        Some(effect) => format!("{} {effect}", record.kind),
        None => record.kind.clone(),
    };
    records.iter().map(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_on_record_from_the_start_of_the_bot_to_its_end() {
    let world = world().await;
    let mut player = Player::new(&world, "audit");
    let posted = player.until("the anchor", |message| message.key.starts_with("anchor/")).await;
    player.say("ana", &format!("/deploy staging --reason \"ghp_{CANARY}\"")).await;
    let card = player.until_end().await;
    let release = player.release(&world, &card).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&card), world.bot.log());

    // Exported while the bot runs, and verified without it.
    let file = world.folder().join("log.jsonl");
    let file = file.to_str().unwrap();
    slipway(&world, &["audit", "export", "--output", file]).unwrap();
    let whole = slipway(&world, &["audit", "verify", "--file", file]).unwrap();
    assert!(whole.starts_with("the export is whole: "), "{whole}");
    let export = std::fs::read_to_string(file).unwrap();
    let records: Vec<Record> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds = kinds(&records);
    let place = |kind: &str| kinds.iter().position(|k| k == kind).unwrap_or_else(|| panic!("{kind} in {kinds:?}"));
    assert_eq!(place("started"), 0);
    for (intent, outcome) in [
        ("intended dispatch", "dispatched"),
        ("dispatched", "planned"),
        ("planned", "judged"),
        ("judged", "intended migrate"),
        ("intended migrate", "intended deploy"),
        ("intended deploy", "deploy_started"),
    ] {
        assert!(place(intent) < place(outcome), "{intent} before {outcome}: {kinds:?}");
    }
    for secret in [CANARY, API_TOKEN, "ghp_"] {
        assert!(!export.contains(secret), "{secret} is in the log");
    }

    // The line that was posted is the line that checks it.
    let line = text(&posted);
    let line = line.lines().find(|line| line.contains("slipway audit verify")).unwrap();
    let line: Vec<&str> = line.split_whitespace().skip(1).collect();
    let whole = slipway(&world, &line).unwrap();
    assert!(whole.contains("; the anchor holds, "), "{whole}");
    let table = slipway(&world, &["audit", "export", "--format", "csv", "--since", "1h"]).unwrap();
    assert!(table.starts_with("seq,at,kind,"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_touches_the_log_is_found_out() {
    let mut world = world().await;
    let mut player = Player::new(&world, "tampering");
    let posted = player.until("the anchor", |message| message.key.starts_with("anchor/")).await;
    let posted = text(&posted);
    let anchor = posted.split_whitespace().last().unwrap();
    player.say("eve", "/release lock staging \"mine\"").await;
    player.watch_until_answers(1).await;
    world.bot.kill().unwrap();
    let store = world.folder().join("slipway.db");
    let mut store = SqliteConnection::connect(&format!("sqlite://{}", store.display())).await.unwrap();
    let newest: String =
        sqlx::query_scalar("SELECT record FROM audit ORDER BY seq DESC LIMIT 1").fetch_one(&mut store).await.unwrap();
    let newest: Record = serde_json::from_str(&newest).unwrap();

    sqlx::query("UPDATE audit SET record = replace(record, 'eve', 'bob') WHERE seq = (SELECT max(seq) FROM audit)")
        .execute(&mut store)
        .await
        .unwrap();
    let said = slipway(&world, &["audit", "verify"]).unwrap_err();
    let named = format!("record {} ({}, {}): it was changed", newest.seq, newest.kind, newest.at);
    assert!(said.starts_with("Some(1) The audit log is broken: ") && said.contains(&named), "{said}");

    sqlx::query("DELETE FROM audit").execute(&mut store).await.unwrap();
    let said = slipway(&world, &["audit", "verify", "--anchor", anchor]).unwrap_err();
    assert!(
        said.starts_with("Some(1) ") && said.contains("record 1: it and everything after it were cut off"),
        "{said}"
    );
}
