//! Reactions by their names, and where they are no votes.

use super::{ANA, BOB, DORA, RELEASES, Workspace};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_thumb_of_any_skin_counts() {
    let mut there = Workspace::http().await;
    there.configured(|text| text.replace("[slack]\n", "[slack]\napprove = [\"+1\"]\n")).await;
    let card = there.production_waits().await;
    there.react(DORA, &card, "white_check_mark", true);
    there.react(DORA, &card, "+2", true);
    there.react(BOB, &card, "+1::skin-tone-3", true);
    let voted = there.until_shows(&card, "\u{2714} bob (release)").await;
    assert!(!there.text(&voted).contains("\u{2714} dora"), "{}", there.text(&voted));
    there.react(BOB, &card, "+1::skin-tone-3", false);
    there.until_card("1 of release, 1 of dba or 1 more of release").await;
    there.react(BOB, &card, "+1", true);
    there.react(DORA, &card, "+1::skin-tone-6", true);
    there.until_shows(&card, "is live").await;
}

/// Taking one of two tones away leaves the other, and so the vote.
#[tokio::test(flavor = "multi_thread")]
async fn two_thumbs_of_one_person_are_one_vote_until_both_are_gone() {
    let mut there = Workspace::http().await;
    there.configured(|text| text.replace("[slack]\n", "[slack]\napprove = [\"+1\"]\n")).await;
    let card = there.production_waits().await;
    there.react(BOB, &card, "+1", true);
    there.react(BOB, &card, "+1::skin-tone-3", true);
    there.until_shows(&card, "\u{2714} bob (release)").await;
    there.react(BOB, &card, "+1", false);
    there.slack.settled().await;
    there.caught_up(ANA).await;
    there.react(DORA, &card, "+1", true);
    there.until_shows(&card, "is live").await;
}

impl Workspace {
    /// Reactions are to be confirmed in production.
    async fn confirms_in_production(&mut self) {
        let header = "environment.production]\n";
        self.configured(|text| text.replace(header, &format!("{header}reactions = \"confirm\"\n"))).await;
    }

    /// The newest question that somebody has been asked where they reacted.
    async fn until_asked(&self, user: &str, after: u64) -> Value {
        let fits = |m: &Value, text: &str| {
            let new = m["seq"].as_u64() > Some(after);
            new && m["ephemeral_for"] == user && text.contains("A reaction is no vote on")
        };
        self.until(&format!("a question for {user}"), RELEASES, fits).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_reaction_is_to_be_confirmed_the_button_votes() {
    let mut there = Workspace::http().await;
    there.confirms_in_production().await;
    let card = there.production_waits().await;
    there.react(BOB, &card, "white_check_mark", true);
    let question = there.until_asked(BOB, 0).await;
    let shown = there.messages(RELEASES).into_iter().find(|m| m["ts"] == card["ts"]).unwrap();
    assert!(!there.text(&shown).contains("\u{2714} bob"), "no vote yet: {}", there.text(&shown));
    there.press(BOB, &question, "approve").await;
    there.until_shows(&card, "\u{2714} bob (release)").await;
    there.react(DORA, &card, "white_check_mark", true);
    let question = there.until_asked(DORA, 0).await;
    there.press(DORA, &question, "approve").await;
    there.until_shows(&card, "is live").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_about_the_plan_before_is_no_vote_on_this_one() {
    let mut there = Workspace::http().await;
    there.confirms_in_production().await;
    // What is known is soon too old to start anything.
    there.configured(|text| text.replace("[server]\n", "[server]\nfact_age_max_s = 1\n")).await;
    let card = there.production_waits().await;
    there.react(BOB, &card, "white_check_mark", true);
    let question = there.until_asked(BOB, 0).await;
    let secret = json!({ "GOOSE_DBSTRING": there.world.production_database, "SMTP_HOST": "smtp2.acme.dev" });
    there.world.aws.put_secret("goals/production", &secret);
    // Before the start everything is read again.
    there.says(DORA, "/release approve").await;
    there.says("U0CHEN001", "/release approve").await;
    there.until_shows(&card, "Changed").await;
    there.press(BOB, &question, "approve").await;
    there.until_told(BOB, "the plan has just changed").await;
    there.caught_up(BOB).await;
    let shown = there.messages(RELEASES).into_iter().find(|m| m["ts"] == card["ts"]).unwrap();
    assert!(!there.text(&shown).contains("\u{2714} bob"), "{}", there.text(&shown));
    assert_eq!(there.world.aws.deployment_operations(&there.world.production_arn).len(), 0);
}
