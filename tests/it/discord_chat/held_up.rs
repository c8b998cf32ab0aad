//! A store that takes nothing for a while makes nobody wait for their answer longer than Discord does.

use super::{ANA, BOB, DORA, RELEASES, Server, unlimited};
use serde_json::Value;
use slipway_sandbox::discord::DiscordLimits;
use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};

const NOT_CONFIRMED: &str = "Not confirmed";

impl Server {
    /// The bot's store, beside it.
    async fn store(&self) -> SqliteConnection {
        let file = SqliteConnectOptions::new().filename(self.world.folder().join("slipway.db"));
        SqliteConnection::connect_with(&file).await.unwrap()
    }
}

/// A reaction waits until the store takes it, and the commands of two people, each after the other's, do not wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn commands_behind_a_reaction_are_answered_in_time_and_start_nothing() {
    let mut there = Server::gateway().await;
    // So that there is time for the second command of one person, which waits for the first.
    there.configured(|text| text.replace("[server]\n", "[server]\nack_budget_ms = 1000\n")).await;
    let card = there.production_waits().await;
    let cards = there.cards().len();
    // Discord's own three seconds: the bot's machine is shared here, and one has more elsewhere.
    there.discord.set_limits(DiscordLimits { old_edits_per_hour: None, ..DiscordLimits::default() });
    let mut database = there.store().await;
    database.execute("BEGIN IMMEDIATE").await.unwrap();
    there.react(BOB, &card, "✅", true);
    let types = |user| there.discord.type_text(user, RELEASES, "/deploy staging");
    let (ana, dora, again) = tokio::join!(types(ANA), types(DORA), types(ANA));
    assert_eq!((ana, dora, again), (Ok(()), Ok(()), Ok(())), "Discord says of nobody's that it did not respond");
    for user in [ANA, DORA] {
        let told = there.until_told(user, NOT_CONFIRMED).await;
        assert!(there.text(&told).contains("could not write it down in time"), "{}", there.text(&told));
    }
    assert_eq!(there.told(ANA).iter().filter(|text| text.contains(NOT_CONFIRMED)).count(), 2);
    database.execute("ROLLBACK").await.unwrap();
    there.discord.set_limits(DiscordLimits::unlimited());
    let voted = |m: &Value, text: &str| m["id"] == card["id"] && text.contains("✔ bob (release)");
    there.until("the vote, once the store takes it", RELEASES, voted).await;
    assert_eq!(there.cards().len(), cards, "{:?}", there.discord.transcript(RELEASES));
    there.until_nobody_waits().await;
}

/// Presses come over HTTP, and reactions over the gateway.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_over_http_waits_for_the_veto_that_came_before_it() {
    let there = Server::http().await;
    there.discord.set_limits(unlimited());
    let card = there.production_waits().await;
    let mut database = there.store().await;
    let full = "CREATE TRIGGER full BEFORE INSERT ON inbox WHEN NEW.delivery_key LIKE 'discord/gateway/%' \
                BEGIN SELECT raise(ABORT, 'disk full'); END";
    database.execute(full).await.unwrap();
    there.react(BOB, &card, "❌", true);
    // What comes over the gateway comes in order, and this is taken.
    there.says(ANA, "@slipway status").await;
    there.until_written_to(ANA, "2 environments").await;
    there.press(DORA, &card, "approve").await;
    there.until_told(DORA, NOT_CONFIRMED).await;
    database.execute("DROP TRIGGER full").await.unwrap();
    let vetoed = there.until_shows(&card, "vetoed by bob").await;
    assert!(
        !there.text(&vetoed).contains("✔ dora (dba)"),
        "what was not confirmed is not done: {}",
        there.text(&vetoed)
    );
    there.press(DORA, &card, "approve").await;
    there.until_shows(&card, "✔ dora (dba)").await;
}
