//! A deployment that waits for a time, in the whole bot: begun shortly after that passed while the process was down, and
//! not long after it. Once, however often the process is killed.

use crate::support::{Player, is_card, text};
use jiff::{SignedDuration, Timestamp};
use slipway::store::TerminalMessage;
use slipway_core::message::Mark;
use slipway_core::release::Phase;
use slipway_sandbox::world::{Options, Pace, World};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

/// While the process is down, the time of one passes: so many minutes ago.
async fn time_passes(world: &World, reference: &str, minutes: i64) {
    let file = SqliteConnectOptions::new().filename(world.folder().join("slipway.db"));
    let mut store = SqliteConnection::connect_with(&file).await.unwrap();
    let at = Timestamp::now() - SignedDuration::from_mins(minutes);
    let until = at + SignedDuration::from_mins(15);
    let passed = "UPDATE intents SET state = json_set(state, '$.condition.at', $1, '$.expires_at', $2), due_at = $3 \
                  WHERE state ->> '$.reference' = $4";
    let passed = sqlx::query(passed).bind(at.to_string()).bind(until.to_string()).bind(at.as_millisecond());
    assert_eq!(passed.bind(reference).execute(&mut store).await.unwrap().rows_affected(), 1);
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_passes_while_nobody_looks_is_made_up_for_only_shortly_after() {
    let mut world = World::new(Options { pace: Pace::Fast, ..Options::default() }).await.unwrap();
    let mut player = Player::new(&world, "deferred");
    player.say("ana", "/deploy staging main --when \"in 2h\"").await;
    player.until_told("ana", ": main, if policy allows it.").await;
    player.say("ana", "/deploy staging v1.7.3 --when \"in 2h\"").await;
    player.until_told("ana", ": v1.7.3, if policy allows it.").await;
    world.bot.kill().unwrap();
    time_passes(&world, "main", 1).await;
    time_passes(&world, "v1.7.3", 20).await;
    world.bot.start().await.unwrap();

    player.until_told("ana", "Its time passed while Slipway was not running.").await;
    let expired = |m: &TerminalMessage| m.message.mark == Mark::Ended && text(m).contains("v1.7.3");
    player.until("the message of the one that was missed", expired).await;
    player.until("a card", is_card).await;
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
    let ended = player.until_end().await;
    let release = player.release(&world, &ended).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&ended), world.bot.log());
    assert_eq!(release.request.reference.as_deref(), Some("main"));
    assert_eq!(player.seen.iter().filter(|m| is_card(m) && m.key != ended.key).count(), 0, "one release");
    player.say("ana", "/release queue").await;
    player.until_told("ana", "Nothing runs").await;
    let verified = world.bot.run(&["audit", "verify"]).unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
