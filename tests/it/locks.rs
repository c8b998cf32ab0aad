//! A lock in the whole bot: handed over, run out while the process was down, and whoever waited behind it told.

use crate::support::{Player, is_card, text};
use jiff::{SignedDuration, Timestamp};
use slipway::store::TerminalMessage;
use slipway_core::release::Phase;
use slipway_sandbox::world::{Options, Pace, World};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

/// While the process is down the time of every lock passes: each ended a minute ago.
async fn time_passes(world: &World) {
    let file = SqliteConnectOptions::new().filename(world.folder().join("slipway.db"));
    let mut store = SqliteConnection::connect_with(&file).await.unwrap();
    let ended = Timestamp::now() - SignedDuration::from_mins(1);
    let passed = "UPDATE environments SET state = json_set(state, '$.lock.until', $1), due_at = $2 WHERE due_at > 0";
    let passed = sqlx::query(passed).bind(ended.to_string()).bind(ended.as_millisecond());
    assert_eq!(passed.execute(&mut store).await.unwrap().rows_affected(), 1, "the lock's end is known to the store");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_handed_over_runs_out_while_nobody_looks() {
    let mut world = World::new(Options { pace: Pace::Fast, ..Options::default() }).await.unwrap();
    let mut player = Player::new(&world, "locks");
    player.say("bob", "/release lock staging \"load test\" --for 2h").await;
    player.until_told("bob", "is locked by bob \"load test\"").await;
    player.say("ana", "/deploy staging").await;
    let queued = |m: &TerminalMessage| is_card(m) && text(m).contains("queued: locked by bob");
    let card = player.until("a card that waits for the lock", queued).await;
    player.say("bob", "/release lock staging --to eve").await;
    player.until_told("eve", "bob hands you the lock on goals → staging: \"load test\"").await;
    let eves = |m: &TerminalMessage| m.key == card.key && text(m).contains("queued: locked by eve");
    player.until("the card with the new owner", eves).await;
    player.say("ana", "/release queue").await;
    player.until_told("ana", "locked by eve \"load test\" for").await;
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 0);

    world.bot.kill().unwrap();
    time_passes(&world).await;
    world.bot.start().await.unwrap();
    let told = player.until_told("ana", "eve's lock \"load test\" has run out").await;
    assert!(text(&told).contains("is number 1 of 1 in the queue."), "{}", text(&told));
    let ended = player.until_end().await;
    let release = player.release(&world, &ended).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&ended), world.bot.log());
    player.say("ana", "/release status").await;
    let status = player.until_told("ana", "2 environments").await;
    assert!(!text(&status).contains("locked"), "{}", text(&status));
    let told_again = player.seen.iter().filter(|m| text(m).contains("has run out")).count();
    assert_eq!(told_again, 1, "told once");
    let verified = world.bot.run(&["audit", "verify"]).unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_told_to_one_and_the_log_knows_none() {
    let world = World::new(Options { pace: Pace::Fast, ..Options::default() }).await.unwrap();
    let mut player = Player::new(&world, "links");
    player.say("bob", "/release link").await;
    let told = player.until_told("bob", "Your code is ").await;
    let told = text(&told);
    let code = told.strip_prefix("Your code is ").and_then(|rest| rest.split('.').next()).unwrap();
    // Whoever reads it over his shoulder is in the same chat, where Bob has an account.
    player.say("mallory", &format!("/release link {code}")).await;
    player.until_told("mallory", "A person has one terminal account").await;
    player.say("mallory", "/release link AAAA-AAAA").await;
    player.until_told("mallory", "This code is not valid").await;
    player.say("bob", "/release link confirm").await;
    player.until_told("bob", "No account waits to be confirmed").await;
    player.say("mallory", "/release status").await;
    player.until_told("mallory", "Slipway does not know you.").await;
    let shown: Vec<_> = player.seen.iter().filter(|m| text(m).contains(code)).map(|m| m.only_for.as_deref()).collect();
    assert_eq!(shown, [Some("bob")], "one message, for him alone");
    assert!(!world.bot.log().contains(code), "{}", world.bot.log());
}
