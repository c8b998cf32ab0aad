//! Runs of migrations that somebody stops while they go on: what is told meanwhile, and what is left.

use crate::support::{Player, history_versions, is_card, text};
use slipway_core::release::{Outcome, Phase, Step};
use slipway_sandbox::world::{Options, Pace, World};
use sqlx::{Connection as _, PgConnection};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_for_a_lock_says_so_and_is_broken_off_at_once() {
    let world = World::new(Options { pace: Pace::Fast, ..Options::default() }).await.unwrap();
    if !world.staging_database.starts_with("postgres") {
        return;
    }
    // The foreign key of the pending migration needs a lock that this one keeps away.
    let mut holder = PgConnection::connect(&world.staging_database).await.unwrap();
    for statement in ["BEGIN", "LOCK TABLE users IN ACCESS EXCLUSIVE MODE"] {
        sqlx::query(statement).execute(&mut holder).await.unwrap();
    }
    let mut player = Player::new(&world, "broken-off");
    player.say("ana", "/deploy staging").await;
    let waits = |m: &slipway::store::TerminalMessage| is_card(m) && text(m).contains("tried again");
    let card = player.until("a card that says what the run waits for", waits).await;
    assert!(text(&card).contains("1 of 1 ·"), "{}", text(&card));
    player.say("ana", "/release cancel").await;
    player.until_told("ana", "is broken off and taken back").await;
    let ended = player.until_end().await;
    let release = player.release(&world, &ended).await;
    let Some(Outcome::Cancelled { by, details }) = &release.outcome else { panic!("{}", text(&ended)) };
    assert_eq!(by.as_str(), "ana");
    assert!(details.iter().any(|line| line == "No migration of this release was applied."), "{details:?}");
    assert!(text(&ended).lines().next().unwrap().contains("cancelled by ana"), "{}", text(&ended));
    let planned = release.plan.unwrap().migrations;
    assert!(!history_versions(&world.staging_database).await.contains(&planned[0].version));
    sqlx::query("ROLLBACK").execute(&mut holder).await.unwrap();

    player.say("ana", "/release retry").await;
    let again = player.until_end_of_another(&[&ended]).await;
    let release = player.release(&world, &again).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&again), world.bot.log());
    assert!(release.steps.get(Step::Migrate).detail.as_ref().is_some_and(|detail| detail.starts_with("1 in")));
    assert!(history_versions(&world.staging_database).await.contains(&planned[0].version));
}
