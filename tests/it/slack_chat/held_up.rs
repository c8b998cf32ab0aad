//! A store that takes nothing for a while makes nobody wait for their answer longer than Slack does.

use super::{ANA, BOB, DORA, RELEASES, Workspace};
use slipway_sandbox::slack::SlackLimits;
use slipway_sandbox::world::ChatOption;
use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};

const NOT_CONFIRMED: &str = "Not confirmed";

/// Whichever way it comes: a reaction and somebody's page wait, and the commands of two people do not wait for them.
#[tokio::test(flavor = "multi_thread")]
async fn commands_behind_a_reaction_are_answered_in_time_and_start_nothing() {
    for chat in [ChatOption::SlackSocket, ChatOption::SlackHttp] {
        let there = Workspace::new(chat).await;
        let card = there.production_waits().await;
        let cards = there.cards().len();
        // Slack's own three seconds: the bot's machine is shared here, and one has more elsewhere.
        there.slack.set_limits(SlackLimits::default());
        let file = SqliteConnectOptions::new().filename(there.world.folder().join("slipway.db"));
        let mut database = SqliteConnection::connect_with(&file).await.unwrap();
        database.execute("BEGIN IMMEDIATE").await.unwrap();
        there.react(BOB, &card, "white_check_mark", true);
        there.slack.home(DORA).unwrap();
        let types = |user| there.slack.type_text(user, RELEASES, "/deploy staging", None);
        let (ana, dora) = tokio::join!(types(ANA), types(DORA));
        assert_eq!((ana, dora), (Ok(()), Ok(())), "Slack says of nobody's that it failed");
        for user in [ANA, DORA] {
            let told = there.until_told(user, NOT_CONFIRMED).await;
            assert!(there.text(&told).contains("could not write it down in time"), "{}", there.text(&told));
        }
        database.execute("ROLLBACK").await.unwrap();
        there.until_shows(&card, "✔ bob (release)").await;
        assert_eq!(there.cards().len(), cards, "{:?}", there.slack.transcript(RELEASES));
    }
}
