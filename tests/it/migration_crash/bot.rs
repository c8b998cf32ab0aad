//! The bot is killed, or the service's PostgreSQL stops, in the middle of a release's migration.

use super::place::Place;
use crate::support::{Player, history_versions, text};
use slipway_core::release::{Phase, Release};
use slipway_sandbox::github::sample::import;
use slipway_sandbox::world::{CHANNEL, Options, Pace, World};

/// A world whose staging database holds a run at the first history row it writes.
async fn world() -> (World, Place) {
    let world = World::new(Options { pace: Pace::Fast, own_server: true, ..Options::default() }).await.unwrap();
    let mut place = Place::at(world.staging_database.clone()).await;
    place.sql("CREATE TRIGGER held BEFORE INSERT ON goose_db_version FOR EACH ROW EXECUTE FUNCTION gate_row()").await;
    (world, place)
}

/// The plan's migrations are all applied, and each version is in the history once.
async fn applied_once(world: &World, release: &Release) {
    let versions = history_versions(&world.staging_database).await;
    let mut unique = versions.clone();
    unique.dedup();
    assert_eq!(versions, unique);
    let planned = &release.plan.as_ref().unwrap().migrations;
    assert!(!planned.is_empty());
    assert!(planned.iter().all(|migration| versions.contains(&migration.version)), "{planned:?} {versions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_was_killed_in_a_migration_goes_on_with_it() {
    let (mut world, mut place) = world().await;
    let mut player = Player::new(&world, "migration");
    let gate = place.close_gate().await;
    player.say("ana", "/deploy staging").await;
    let session = place.until_held().await;
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
    // The dead session has the lock still: it waits at the gate with its history row.
    place.until_polling(&session).await;
    player.look().await;
    gate.open().await;
    let card = player.until_end().await;
    let release = player.release(&world, &card).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&card), world.bot.log());
    assert_eq!(player.keys(CHANNEL, "release/"), std::slice::from_ref(&card.key), "one message");
    applied_once(&world, &release).await;
    let shown = text(&card);
    for migration in &release.plan.as_ref().unwrap().migrations {
        assert!(shown.contains(migration.version.as_str()), "{} is on the card:\n{shown}", migration.version);
    }
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stops_in_a_migration_is_told_truly() {
    let (mut world, mut place) = world().await;
    place
        .sql(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END $$; \
             SET synchronous_commit = on; CREATE TABLE flushed ()",
        )
        .await;
    let before = history_versions(&world.staging_database).await;
    let mut player = Player::new(&world, "migration");
    let gate = place.close_gate().await;
    player.say("ana", "/deploy staging").await;
    place.until_held().await;
    let server = world.postgres().expect("PostgreSQL");
    server.stop_immediately().await.unwrap();
    drop(gate);
    server.start_again().await.unwrap();
    let card = player.until_end().await;
    let release = player.release(&world, &card).await;
    assert_ne!(release.phase, Phase::Succeeded, "{}", text(&card));
    assert_eq!(history_versions(&world.staging_database).await, before, "nothing came about");
    let first = &release.plan.as_ref().unwrap().migrations[0];
    let shown = text(&card);
    assert!(shown.contains(&first.file), "the file is named:\n{shown}");
    assert!(shown.contains("the commit failed"), "what happened is told:\n{shown}");
    assert!(shown.contains("Nothing of this file is left"), "and what is left:\n{shown}");
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 0, "nothing was deployed");
    player.say("ana", "/deploy staging").await;
    let again = player.until_end_of_another(&[&card]).await;
    let release = player.release(&world, &again).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&again), world.bot.log());
    applied_once(&world, &release).await;
}

/// A second statement that fails where there are rows, as no rehearsal on an empty copy shows.
const HALF: &str = "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE tags (id int);\n\
    SELECT 1 / (1 - count(*)) FROM one_row;\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_half_done_is_told_before_anybody_is_asked_to_approve_more_of_it() {
    let (world, mut place) = world().await;
    place.sql("DROP TRIGGER held ON goose_db_version").await;
    place.sql("CREATE TABLE one_row AS SELECT 1 AS id").await;
    push(&world, HALF);
    let mut player = Player::new(&world, "half done");
    player.say("ana", "/deploy staging").await;
    let failed = player.until_end().await;
    assert!(text(&failed).contains("statement 2 of 2 failed: division by zero"), "{}", text(&failed));
    player.say("ana", "/deploy staging").await;
    let refused = player.until_end_of_another(&[&failed]).await;
    let release = player.release(&world, &refused).await;
    assert!(release.plan.is_none() && release.started_at.is_none(), "{}", text(&refused));
    let says = ["20991231000000_tags.sql", "1 of 2 statements is done", "/migrate staging up --continue"];
    let words = text(&refused).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(says.iter().all(|said| words.contains(said)), "{words}");
    place.sql("DELETE FROM one_row").await;
    player.say("ana", "/migrate staging up --continue").await;
    let done = player.until_end_of_another(&[&failed, &refused]).await;
    let release = player.release(&world, &done).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&done), world.bot.log());
    assert_eq!(release.plan.unwrap().half_done.len(), 1);
}

/// Puts a migration on the main branch.
fn push(world: &World, text: &str) {
    let stream = format!(
        "commit refs/heads/main\ncommitter Eve <eve@acme.dev> 1800000000 +0000\ndata 4\nTags\nfrom refs/heads/main^0\n\
         M 100644 inline migrations/20991231000000_tags.sql\ndata {}\n{text}\n",
        text.len()
    );
    import(&world.repository, &stream).unwrap();
}

const UNIQUE: &str = "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE UNIQUE INDEX CONCURRENTLY one ON twice (id);\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_could_not_be_built_is_built_anew_by_the_next_release() {
    let (world, mut place) = world().await;
    place.sql("DROP TRIGGER held ON goose_db_version").await;
    place.sql("CREATE TABLE twice AS SELECT 1 AS id UNION ALL SELECT 1").await;
    push(&world, UNIQUE);
    let mut player = Player::new(&world, "index");
    player.say("ana", "/deploy staging").await;
    let failed = player.until_end().await;
    let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let release = player.release(&world, &failed).await;
    let retry = format!("/release retry {}", release.id.short());
    let left = "It left the invalid index public.one, which no query uses; the next run drops it and builds it anew.";
    let shown = words(text(&failed));
    assert!(
        shown.contains(left) && shown.contains("see to what the database says") && shown.contains(&retry),
        "{shown}"
    );
    place.sql("DELETE FROM twice WHERE ctid = (SELECT min(ctid) FROM twice)").await;
    player.say("ana", &retry).await;
    let done = player.until_end_of_another(&[&failed]).await;
    let release = player.release(&world, &done).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&done), world.bot.log());
    let half_done = &release.plan.as_ref().unwrap().half_done[0];
    assert!(half_done.warning(false).ends_with("the run drops the invalid index public.one and builds it anew"));
    applied_once(&world, &release).await;
}
