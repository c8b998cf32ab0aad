//! A database whose history somebody has locked while a plan is made: it is told, and goes on by itself.

use crate::support::{Player, history_versions, is_card, text};
use slipway::store::TerminalMessage;
use slipway_core::release::Phase;
use slipway_sandbox::world::{Options, Pace, World};
use sqlx::{Connection as _, PgConnection};

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_that_the_history_is_locked_and_goes_on_when_it_is_let_go() {
    let world = World::new(Options { pace: Pace::Fast, ..Options::default() }).await.unwrap();
    if !world.staging_database.starts_with("postgres") {
        return;
    }
    let mut holder = PgConnection::connect(&world.staging_database).await.unwrap();
    for statement in ["SET application_name = 'psql'", "BEGIN", "LOCK TABLE goose_db_version IN ACCESS EXCLUSIVE MODE"]
    {
        sqlx::query(statement).execute(&mut holder).await.unwrap();
    }
    let mut player = Player::new(&world, "held-up");
    player.say("ana", "/deploy staging").await;
    let waits = |m: &TerminalMessage| is_card(m) && text(m).contains("is locked by pid");
    let card = text(&player.until("a card that says what the plan waits for", waits).await);
    let mut lines = card.lines();
    let first = lines.next().unwrap();
    assert!(first.contains("goals → staging · planning "), "{card}");
    assert!(first.contains("waits for what cannot be read yet"), "{card}");
    let said = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    assert!(said.contains("Reading the history table failed: public.goose_db_version is locked by pid "), "{card}");
    assert!(said.contains("psql) for more than 10 s. Slipway tries again by itself."), "{card}");

    sqlx::query("ROLLBACK").execute(&mut holder).await.unwrap();
    let ended = player.until_end().await;
    let release = player.release(&world, &ended).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&ended), world.bot.log());
    assert_eq!(release.gather_held, None);
    let planned = release.plan.unwrap().migrations;
    assert!(history_versions(&world.staging_database).await.contains(&planned[0].version));
}
