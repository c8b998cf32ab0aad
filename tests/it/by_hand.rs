//! Somebody deploys from AWS's console, past Slipway, with the real binary.

use crate::support::{Player, is_card, text};
use slipway::store::TerminalMessage;
use slipway_core::message::Mark;
use slipway_core::release::{Phase, Step};
use slipway_sandbox::world::{Options, Pace, TargetOption, World};
use sqlx::Connection as _;

/// A world in which what the targets run is looked at all the time.
async fn world(target: TargetOption) -> World {
    let options = Options { pace: Pace::Fast, target, sqlite: true, ..Options::default() };
    let mut world = World::new(options).await.unwrap();
    world.watch_targets().await.unwrap();
    world
}

async fn deployed(world: &World, player: &mut Player, line: &str, known: &[&TerminalMessage]) -> TerminalMessage {
    player.say("ana", line).await;
    let card = player.until_end_of_another(known).await;
    assert_eq!(card.message.mark, Mark::Live, "{}", text(&card));
    assert_eq!(player.release(world, &card).await.phase, Phase::Succeeded);
    card
}

/// Somebody brings an older commit, which nobody has released yet. Gives its short id.
fn brings_unseen(world: &World) -> String {
    let other = world.git(&["rev-parse", "main~2"]);
    world.bring_by_hand(&other);
    other[..7].to_owned()
}

/// The same, and the bot has noticed.
async fn brings_by_hand(world: &World, player: &mut Player) -> String {
    let other = brings_unseen(world);
    player.until("the message about it", |m| text(m).contains("was deployed past Slipway")).await;
    other
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_deployed_is_named_and_the_next_plan_starts_from_it() {
    for target in [TargetOption::AppRunner, TargetOption::EcsExpress] {
        let world = world(target).await;
        let mut player = Player::new(&world, "hand");
        let first = deployed(&world, &mut player, "/deploy staging", &[]).await;
        let (head, other) = (world.head[..7].to_owned(), brings_by_hand(&world, &mut player).await);
        player.say("bob", "/release status").await;
        let status = player.until_told("bob", "past Slipway").await;
        assert!(text(&status).contains(&format!("staging: Slipway had brought {head}")), "{}", text(&status));

        let second = deployed(&world, &mut player, "/deploy staging", &[&first]).await;
        let plan = player.release(&world, &second).await.plan.unwrap();
        assert!(plan.base.as_ref().unwrap().as_str().starts_with(&other), "{plan:?}");
        assert_eq!(plan.past_slipway.brought.as_ref().unwrap().as_str(), world.head);
        let card = text(&second);
        let named = format!("since {other}, which was deployed past Slipway; it had brought {head}");
        assert!(card.contains(&named), "{card}");
        let over = format!("{other}, deployed past Slipway, is gone");
        player.until("the end of it", |m| text(m).contains(&over)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_goes_back_to_what_slipway_had_brought() {
    let world = world(TargetOption::AppRunner).await;
    let mut player = Player::new(&world, "hand");
    let first = deployed(&world, &mut player, "/deploy staging", &[]).await;
    brings_by_hand(&world, &mut player).await;
    let back = deployed(&world, &mut player, "/rollback staging", &[&first]).await;
    assert_eq!(player.release(&world, &back).await.commit.unwrap().as_str(), world.head);
    assert!(is_card(&back));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_stops_before_it_changes_anything_where_somebody_deployed_in_the_middle() {
    let options = Options { pace: Pace::Fast, sqlite: true, ..Options::default() };
    let world = World::new(options).await.unwrap();
    let mut player = Player::new(&world, "hand");
    let parent = world.git(&["rev-parse", "main~1"]);
    let first = deployed(&world, &mut player, &format!("/deploy staging {parent}"), &[]).await;
    player.say("bob", "/release lock staging \"looking\"").await;
    player.until_told("bob", "locked").await;
    player.say("ana", "/deploy staging").await;
    let waits = |m: &TerminalMessage| is_card(m) && m.key != first.key && text(m).contains("locked by bob");
    player.until("a card that waits", waits).await;
    brings_unseen(&world);
    player.say("bob", "/release unlock staging").await;
    let card = player.until_end_of_another(&[&first]).await;
    let release = player.release(&world, &card).await;
    let card = text(&card);
    assert_eq!(release.phase, Phase::Failed, "{card}");
    assert!(card.contains("somebody deployed past Slipway"), "{card}");
    assert_eq!(release.steps.get(Step::Migrate).started_at, None, "the database is as it was:\n{card}");
    let operations = world.aws.deployment_operations(&world.staging_arn);
    assert_eq!(operations.iter().filter(|operation| !operation.by_hand).count(), 1, "only the first release's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_somebody_has_applied_is_named_and_not_run_again() {
    let options = Options { pace: Pace::Fast, sqlite: true, ..Options::default() };
    let world = World::new(options).await.unwrap();
    let mut database = sqlx::SqliteConnection::connect(&world.staging_database).await.unwrap();
    let by_hand = "CREATE TABLE likes (id INTEGER PRIMARY KEY);
        INSERT INTO goose_db_version (version_id, is_applied) VALUES (20251104120000, 1)";
    sqlx::raw_sql(by_hand).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    let mut player = Player::new(&world, "hand");
    let card = deployed(&world, &mut player, "/deploy staging", &[]).await;
    let plan = player.release(&world, &card).await.plan.unwrap();
    assert_eq!(plan.past_slipway.migrations, ["20251104120000_likes.sql"]);
    assert!(text(&card).contains("applied already, and not by Slipway: 20251104120000_likes.sql"), "{}", text(&card));
    // The next release knows of it and says nothing any more.
    world.merge_another().unwrap();
    let second = deployed(&world, &mut player, "/deploy staging", &[&card]).await;
    assert!(!text(&second).contains("not by Slipway"), "{}", text(&second));
}
