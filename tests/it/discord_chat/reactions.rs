//! Reactions by their emojis, and where they are no votes.

use super::{ANA, BOB, DORA, RELEASES, Server, is_card};
use serde_json::{Value, json};

const CHEN: &str = "210000000000000003";

impl Server {
    /// A thumb stands for approval, and nothing else does.
    async fn approves_by_thumb(&mut self) {
        self.configured(|text| text.replace("[discord]\n", "[discord]\napprove = [\"👍\"]\n")).await;
    }

    /// A card as it is now.
    fn shown(&self, card: &Value) -> String {
        let found = self.messages(RELEASES).into_iter().find(|m| m["id"] == card["id"]);
        found.map(|m| self.text(&m)).unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thumb_of_any_skin_counts() {
    let mut there = Server::gateway().await;
    there.approves_by_thumb().await;
    let card = there.production_waits().await;
    there.react(DORA, &card, "✅", true);
    there.react(DORA, &card, "👌", true);
    there.react(BOB, &card, "👍🏽", true);
    there.until_shows(&card, "✔ bob (release)").await;
    assert!(!there.shown(&card).contains("✔ dora"), "{}", there.shown(&card));
    there.react(BOB, &card, "👍🏽", false);
    there.until_card("1 of release, 1 of dba or 1 more of release").await;
    there.react(BOB, &card, "👍", true);
    there.react(DORA, &card, "👍🏿", true);
    there.until_shows(&card, "is live").await;
}

/// Taking one of two tones away leaves the other, and so the vote.
#[tokio::test(flavor = "multi_thread")]
async fn two_thumbs_of_one_person_are_one_vote_until_both_are_gone() {
    let mut there = Server::gateway().await;
    there.approves_by_thumb().await;
    let card = there.production_waits().await;
    there.react(BOB, &card, "👍", true);
    there.react(BOB, &card, "👍🏽", true);
    there.until_shows(&card, "✔ bob (release)").await;
    there.react(BOB, &card, "👍", false);
    there.caught_up(ANA).await;
    there.react(DORA, &card, "👍", true);
    there.until_shows(&card, "is live").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_moderator_takes_away_is_taken_back() {
    let there = Server::gateway().await;
    let card = there.production_waits().await;
    let id = card["id"].as_str().unwrap();
    there.react(BOB, &card, "✅", true);
    there.react(BOB, &card, "👀", true);
    there.until_shows(&card, "✔ bob (release)").await;
    // Another emoji of everybody's is gone, then this one.
    there.discord.remove_emoji(RELEASES, id, "👀").unwrap();
    there.caught_up(ANA).await;
    assert!(there.shown(&card).contains("✔ bob (release)"), "{}", there.shown(&card));
    there.discord.remove_emoji(RELEASES, id, "✅").unwrap();
    there.until_card("1 of release, 1 of dba or 1 more of release").await;
    there.until_written_to(BOB, "Your vote is taken back").await;
    there.react(DORA, &card, "✅", true);
    there.until_shows(&card, "✔ dora (dba)").await;
    there.discord.remove_all_reactions(RELEASES, id).unwrap();
    there.until_card("1 of release, 1 of dba or 1 more of release").await;
    there.react(BOB, &card, "✅", true);
    there.react(DORA, &card, "✅", true);
    there.until_shows(&card, "is live").await;
}

impl Server {
    /// Reactions are to be confirmed in production.
    async fn confirms_in_production(&mut self) {
        let header = "environment.production]\n";
        self.configured(|text| text.replace(header, &format!("{header}reactions = \"confirm\"\n"))).await;
    }

    /// The question that somebody who reacted is asked: in their conversation, as Discord lets no app answer a reaction.
    async fn until_asked(&self, user: &str) -> Value {
        self.until_written_to(user, "A reaction is no vote on").await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_reaction_is_to_be_confirmed_the_button_votes() {
    let mut there = Server::gateway().await;
    there.confirms_in_production().await;
    let card = there.production_waits().await;
    there.react(BOB, &card, "✅", true);
    let question = there.until_asked(BOB).await;
    assert!(!there.shown(&card).contains("✔ bob"), "no vote yet: {}", there.shown(&card));
    there.press(BOB, &question, "approve").await;
    there.until_shows(&card, "✔ bob (release)").await;
    there.react(DORA, &card, "✅", true);
    let question = there.until_asked(DORA).await;
    there.press(DORA, &question, "approve").await;
    there.until_shows(&card, "is live").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_about_the_plan_before_is_no_vote_on_this_one() {
    let mut there = Server::gateway().await;
    there.confirms_in_production().await;
    // What is known is soon too old to start anything.
    there.configured(|text| text.replace("[server]\n", "[server]\nfact_age_max_s = 1\n")).await;
    let card = there.production_waits().await;
    there.react(BOB, &card, "✅", true);
    let question = there.until_asked(BOB).await;
    let secret = json!({ "GOOSE_DBSTRING": there.world.production_database, "SMTP_HOST": "smtp2.acme.dev" });
    there.world.aws.put_secret("goals/production", &secret);
    // Another release takes longer than what is known of this one is good for.
    assert!(there.world.merge_another().unwrap());
    there.says(BOB, "/deploy staging").await;
    let other = |m: &Value, text: &str| is_card(m) && text.contains("asked by bob") && text.contains("is live");
    there.until("another release", RELEASES, other).await;
    // Before the start everything is read again.
    there.says(DORA, "/release approve").await;
    there.says(CHEN, "/release approve").await;
    there.until_shows(&card, "Changed").await;
    there.press(BOB, &question, "approve").await;
    there.until_written_to(BOB, "the plan has just changed").await;
    there.caught_up(BOB).await;
    assert!(!there.shown(&card).contains("✔ bob"), "{}", there.shown(&card));
    assert_eq!(there.world.aws.deployment_operations(&there.world.production_arn).len(), 0);
}
