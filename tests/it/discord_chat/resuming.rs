//! After a restart, a lost connection, a lost session or a deleted message.

use super::{ANA, ANNOUNCE, BOB, DORA, RELEASES, Server, story_in};
use serde_json::Value;
use slipway_sandbox::world::ChatOption;

const CHEN: &str = "210000000000000003";

impl Server {
    /// The bot is not there for a while; `meanwhile` is what people do.
    async fn while_away(&mut self, meanwhile: impl FnOnce(&Self)) {
        self.world.bot.kill().unwrap();
        self.until_connected(false).await;
        meanwhile(self);
        self.world.bot.start().await.unwrap();
    }

    /// How often a session was begun, and how often one went on.
    fn sessions(&self) -> (u64, usize) {
        (self.discord.gateway().identifies(), self.discord.gateway().resumes().len())
    }
}

async fn reactions_while_away(chat: ChatOption) {
    let mut there = Server::new(chat).await;
    let card = there.production_waits().await;
    there.react(BOB, &card, "✅", true);
    there.until_shows(&card, "✔ bob (release)").await;
    let before = there.sessions();
    let changed_mind = |there: &Server| {
        there.react(BOB, &card, "✅", false);
        there.react(DORA, &card, "✅", true);
    };
    there.while_away(changed_mind).await;
    there.until_shows(&card, "✔ dora (dba)").await;
    there.until_card("waiting for approval: 1 of release").await;
    there.until_connected(true).await;
    assert_eq!(there.sessions(), (before.0, before.1 + 1), "the session goes on");
    // What Discord said again changes nothing.
    there.caught_up(ANA).await;
    there.react(BOB, &card, "✅", true);
    there.until_shows(&card, "is live").await;
    assert_eq!(there.cards().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_that_were_missed_are_read_again_over_http() {
    reactions_while_away(ChatOption::DiscordHttp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_that_were_missed_are_read_again_over_the_gateway() {
    reactions_while_away(ChatOption::Discord).await;
}

/// Nobody is told of what happens after a session is forgotten.
async fn reactions_in_no_session(is_away: bool) {
    let mut there = Server::gateway().await;
    let card = there.production_waits().await;
    there.react(BOB, &card, "✅", true);
    there.until_shows(&card, "✔ bob (release)").await;
    let (begun, _) = there.sessions();
    let changed_mind = |there: &Server| {
        there.discord.gateway().forget_sessions();
        there.react(BOB, &card, "✅", false);
        there.react(DORA, &card, "✅", true);
    };
    if is_away {
        there.while_away(changed_mind).await;
    } else {
        changed_mind(&there);
    }
    there.until_shows(&card, "✔ dora (dba)").await;
    there.until_card("waiting for approval: 1 of release").await;
    there.until_connected(true).await;
    assert_eq!(there.discord.gateway().identifies(), begun + 1, "a new session");
    there.react(BOB, &card, "✅", true);
    there.until_shows(&card, "is live").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_discord_has_forgotten_the_session_the_reactions_are_read_again() {
    reactions_in_no_session(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_discord_has_forgotten_the_session_of_a_bot_that_was_away_they_are_too() {
    reactions_in_no_session(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_is_killed_in_the_middle_goes_on_in_the_same_message() {
    let mut there = Server::gateway().await;
    let card = there.production_waits().await;
    let before = there.sessions();
    there.react(BOB, &card, "✅", true);
    there.press(DORA, &card, "approve").await;
    let begun = |m: &Value, text: &str| m["id"] == card["id"] && !text.contains("waiting for approval");
    there.until("the start of production", RELEASES, begun).await;
    there.while_away(|_| {}).await;
    there.until_shows(&card, "is live").await;
    there.until("the announcement", ANNOUNCE, |_, text| text.contains("is in production")).await;
    there.until_connected(true).await;
    assert_eq!(there.sessions(), (before.0, before.1 + 1), "the session goes on");
    assert_eq!(there.cards().len(), 2);
    assert_eq!(there.world.aws.deployment_operations(&there.world.production_arn).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_loses_and_doubles_nothing() {
    let there = Server::gateway().await;
    let card = there.production_waits().await;
    let begun = there.discord.gateway().identifies();
    there.react(BOB, &card, "✅", true);
    there.discord.gateway().drop_connections(None);
    there.until_shows(&card, "✔ bob (release)").await;
    // Discord renews connections every few hours.
    there.discord.gateway().drop_connections(Some(4000));
    there.react(DORA, &card, "✅", true);
    there.until_shows(&card, "is live").await;
    assert_eq!((there.discord.gateway().identifies(), there.cards().len()), (begun, 2));
    let verified = there.world.bot.run(&["audit", "verify"]).unwrap();
    assert!(verified.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_drops_every_second_frame_loses_nothing() {
    // A command must be answered within three seconds: what is lost on the way would not be.
    let there = Server::http().await;
    let before = there.sessions();
    there.discord.gateway().faults().drop_every(Some(2));
    // That something was lost is seen by what comes after it.
    let chatter = async || {
        there.says(CHEN, "let us see").await;
        there.says(CHEN, "any time now").await;
    };
    story_in(&there, chatter).await;
    let after = there.sessions();
    assert_eq!(after.0, before.0, "no session was given up");
    assert!(after.1 > before.1, "nothing was dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_card_comes_back_once() {
    let there = Server::gateway().await;
    let card = there.production_waits().await;
    let delete = |card: &Value| there.discord.delete(RELEASES, card["id"].as_str().unwrap()).unwrap();
    delete(&card);
    // The next change finds it gone.
    there.says(BOB, "/release approve").await;
    let again = there.until_card("waiting for approval: 1 of dba").await;
    assert_ne!(again["id"], card["id"]);
    assert!(there.text(&again).contains("✔ bob (release)"), "{}", there.text(&again));
    // It works as the first one did.
    there.react(BOB, &again, "✅", true);
    there.react(BOB, &again, "✅", false);
    there.until_card("1 of release, 1 of dba or 1 more of release").await;
    delete(&again);
    there.says(BOB, "/release approve").await;
    there.says(DORA, "/release approve").await;
    there.until("the announcement", ANNOUNCE, |_, text| text.contains("is in production")).await;
    assert_eq!(there.cards().len(), 1, "somebody does not want it here: {:?}", there.discord.transcript(RELEASES));
}
