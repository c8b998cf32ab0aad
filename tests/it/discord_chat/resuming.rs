//! After a restart, a lost connection, a lost session or a deleted message.

use super::{ANA, ANNOUNCE, BOB, DORA, RELEASES, Server, story_in};
use crate::awaited::WAIT_LIMIT;
use crate::support::is_recorded;
use serde_json::Value;
use slipway_sandbox::world::ChatOption;
use tokio::time::Instant;

const CHEN: &str = "210000000000000003";
/// How often somebody types something again of which one in two is lost.
const TRIES_LIMIT: usize = 10;

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
    story_in(&there, chatter(&there)).await;
    let after = there.sessions();
    assert_eq!(after.0, before.0, "no session was given up");
    assert!(after.1 > before.1, "nothing was dropped");
}

/// That something was lost is seen by what comes after it.
fn chatter(there: &Server) -> impl AsyncFn() + '_ {
    async || {
        there.says(CHEN, "let us see").await;
        there.says(CHEN, "any time now").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_again_too_late_is_refused_and_can_be_typed_again() {
    let there = Server::gateway().await;
    let faults = there.discord.gateway().faults();
    faults.drop_every(Some(1));
    let lost = there.discord.type_text(ANA, RELEASES, "/deploy staging").await.unwrap_err();
    assert_eq!(lost.error, "no_answer", "Discord has told her that nobody answered");
    faults.drop_every(None);
    let resumes = there.sessions().1;
    chatter(&there)().await;
    // She may type another one instead: what she was told has failed is not done then.
    there.caught_up(BOB).await;
    assert!(there.sessions().1 > resumes, "it was told again");
    assert_eq!(there.cards().len(), 0, "{:?}", there.discord.transcript(RELEASES));
    there.says(ANA, "/deploy staging").await;
    there.until_card("is live").await;
    assert_eq!(there.cards().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_drops_every_second_interaction_too_loses_nothing_that_discord_does_not_give_up() {
    let there = Server::gateway().await;
    let before = there.sessions();
    there.discord.gateway().faults().drop_every(Some(2));
    // Whoever is told that nobody answered looks, and types it again where nothing came of it.
    let insists = async |user: &str, text: &str, cards: usize| {
        for _ in 0..TRIES_LIMIT {
            let answered = there.discord.type_text(user, RELEASES, text).await.is_ok();
            chatter(&there)().await;
            if answered || there.cards().len() == cards {
                return;
            }
        }
        panic!("{text} was never answered");
    };
    insists(ANA, "/deploy staging", 1).await;
    there.until_card("is live").await;
    insists(ANA, "/deploy production", 2).await;
    let card = there.until_card("waiting for approval").await;
    there.react(ANA, &card, "✅", true);
    chatter(&there)().await;
    there.until_written_to(ANA, "Your vote does not count here").await;
    there.react(BOB, &card, "✅", true);
    chatter(&there)().await;
    there.until_shows(&card, "✔ bob (release)").await;
    there.says(DORA, "@slipway approve").await;
    chatter(&there)().await;
    there.until_shows(&card, "is live").await;
    let after = there.sessions();
    assert!(after.0 == before.0 && after.1 > before.1, "{before:?} {after:?}");
    assert_eq!(there.cards().len(), 2, "nothing is done twice: {:?}", there.discord.transcript(RELEASES));
    assert_eq!(there.world.aws.deployment_operations(&there.world.production_arn).len(), 1);
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
    // It works as the first one did, as soon as the bot knows which one it is.
    let deadline = Instant::now() + WAIT_LIMIT;
    while !is_recorded(there.world.folder(), again["id"].as_str().unwrap()).await {
        assert!(Instant::now() < deadline, "{}", there.world.bot.log());
    }
    there.react(BOB, &again, "✅", true);
    there.react(BOB, &again, "✅", false);
    there.until_card("1 of release, 1 of dba or 1 more of release").await;
    delete(&again);
    there.says(BOB, "/release approve").await;
    there.says(DORA, "/release approve").await;
    there.until("the announcement", ANNOUNCE, |_, text| text.contains("is in production")).await;
    assert_eq!(there.cards().len(), 1, "somebody does not want it here: {:?}", there.discord.transcript(RELEASES));
}
