//! Slack and Discord at once: what is asked for in one is shown in both, and whoever is in both is one person.

use super::{ANA, ANNOUNCE, BOB, DORA, Server};
use crate::awaited::{seq, tail, until};
use serde_json::Value;
use slipway_sandbox::discord::{Fault, FaultKind};
use slipway_sandbox::slack::SlackSandbox;
use slipway_sandbox::world::ChatOption;

const SLACK_RELEASES: &str = "C0RELEASES";
const SLACK_ANNOUNCE: &str = "C0ANNOUNCE";
const SLACK_ANA: &str = "U0ANA0001";
const SLACK_BOB: &str = "U0BOB0001";

/// A server and a workspace with the same bot in them.
struct Both {
    server: Server,
    slack: SlackSandbox,
}

impl Both {
    async fn new() -> Self {
        let server = Server::new(ChatOption::Both).await;
        let slack = server.world.slack.clone().unwrap();
        Self { server, slack }
    }

    async fn says_in_slack(&self, text: &str) {
        self.slack.type_text(SLACK_ANA, SLACK_RELEASES, text, None).await.unwrap();
    }

    fn react_in_slack(&self, user: &str, card: &Value, added: bool) {
        self.slack.react(user, SLACK_RELEASES, card["ts"].as_str().unwrap(), "white_check_mark", added).unwrap();
    }

    fn text_in_slack(&self, message: &Value) -> String {
        self.slack.lines(message).join("\n")
    }

    /// Waits for a message in a channel of Slack's.
    async fn until_in_slack(&self, channel: &str, fits: impl Fn(&Value, &str) -> bool) -> Value {
        let look = || {
            let state = self.slack.state(0);
            let mut there = state["messages"].as_array().unwrap().iter().filter(|m| m["channel"] == channel);
            let found = there.find(|m| m["deleted"] == false && fits(m, &self.text_in_slack(m)));
            (seq(&state), found.cloned())
        };
        let missing = || {
            let there = self.slack.transcript(channel).join("\n");
            format!("it did not come; there is:\n{there}\n{}", tail(&self.server.world.bot.log()))
        };
        until(look, async |seq| self.slack.changed(seq).await, missing).await
    }

    /// Waits for a card in Slack with some words in its first line.
    async fn until_card_in_slack(&self, words: &str) -> Value {
        let is_card = |m: &Value| m["key"].as_str().is_some_and(|key| key.starts_with("release/"));
        let fits = |m: &Value, text: &str| is_card(m) && text.lines().next().unwrap_or_default().contains(words);
        self.until_in_slack(SLACK_RELEASES, fits).await
    }

    /// Waits until a card in Slack shows some words.
    async fn until_shows_in_slack(&self, card: &Value, words: &str) -> Value {
        self.until_in_slack(SLACK_RELEASES, |m, text| m["ts"] == card["ts"] && text.contains(words)).await
    }

    /// A release of production that was asked for in Slack and waits for approval: its cards in both.
    async fn production_waits(&self) -> (Value, Value) {
        self.says_in_slack("/deploy staging").await;
        self.server.until_card("is live").await;
        self.says_in_slack("/deploy production").await;
        (self.server.until_card("waiting for approval").await, self.until_card_in_slack("waiting for approval").await)
    }

    /// Bob, who has approved in Discord, does so in Slack as well: that is one vote.
    async fn bob_votes_in_slack_too(&self, card: &Value, in_slack: &Value) {
        self.react_in_slack(SLACK_BOB, in_slack, true);
        self.slack.settled().await;
        self.server.caught_up(ANA).await;
        let shown = self.server.until_shows(card, "waiting for approval: 1 of dba").await;
        assert_eq!(self.server.text(&shown).matches("✔ bob").count(), 1, "{}", self.server.text(&shown));
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_in_slack_is_approved_in_discord_and_shown_in_both() {
    let both = Both::new().await;
    let (card, in_slack) = both.production_waits().await;
    both.server.react(BOB, &card, "✅", true);
    both.until_shows_in_slack(&in_slack, "✔ bob (release)").await;
    both.server.press(DORA, &card, "approve").await;
    let ended = both.server.until_shows(&card, "is live").await;
    let ended_in_slack = both.until_shows_in_slack(&in_slack, "is live").await;
    for text in [both.server.text(&ended), both.text_in_slack(&ended_in_slack)] {
        assert!(text.contains("approved by") && text.contains("bob") && text.contains("dora"), "{text}");
    }
    let lines = (both.server.text(&ended), both.text_in_slack(&ended_in_slack));
    assert_eq!(first_line(&lines.0), first_line(&lines.1));
    let announced = |_: &Value, text: &str| text.contains("is in production");
    both.server.until("the announcement", ANNOUNCE, announced).await;
    both.until_in_slack(SLACK_ANNOUNCE, announced).await;
    assert_eq!(both.server.cards().len(), 2, "one message a release");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_votes_of_one_person_in_both_are_one_that_either_takes_back() {
    let both = Both::new().await;
    let (card, in_slack) = both.production_waits().await;
    both.server.react(BOB, &card, "✅", true);
    both.server.until_shows(&card, "✔ bob (release)").await;
    both.bob_votes_in_slack_too(&card, &in_slack).await;
    // Nobody is taken to approve who has taken an approval back.
    both.server.react(BOB, &card, "✅", false);
    both.server.until_shows(&card, "1 of release, 1 of dba or 1 more of release").await;
    both.until_shows_in_slack(&in_slack, "1 of release, 1 of dba or 1 more of release").await;
    both.react_in_slack(SLACK_BOB, &in_slack, false);
    both.slack.settled().await;
    // One here, one there.
    both.react_in_slack(SLACK_BOB, &in_slack, true);
    both.server.react(DORA, &card, "✅", true);
    both.server.until_shows(&card, "is live").await;
    both.until_shows_in_slack(&in_slack, "is live").await;
}

/// The word in a text that looks like a code: `K7QF-2M9X`.
fn code_in(text: &str) -> String {
    let is_code = |word: &&str| {
        word.len() == 9 && word.split('-').all(|part| part.len() == 4) && word.to_ascii_uppercase() == **word
    };
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.into_iter().find(is_code).unwrap_or_else(|| panic!("no code in {text}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_linked_their_account_by_a_code_has_one_vote() {
    let mut both = Both::new().await;
    // The file knows Bob in Slack alone.
    let his = format!("\ndiscord = \"{BOB}\"");
    both.server.configured(|text| text.replace(&his, "")).await;
    let (card, in_slack) = both.production_waits().await;
    both.server.react(BOB, &card, "✅", true);
    both.server.until_written_to(BOB, "Slipway does not know you").await;
    both.slack.type_text(SLACK_BOB, SLACK_RELEASES, "/release link", None).await.unwrap();
    let his =
        |words: &'static str| move |m: &Value, text: &str| m["ephemeral_for"] == SLACK_BOB && text.contains(words);
    let told = both.until_in_slack(SLACK_RELEASES, his("Your code is")).await;
    let code = code_in(&both.text_in_slack(&told));
    both.server.says(BOB, &format!("/release link code:{code}")).await;
    both.server.until_told(BOB, "is bob's. This account becomes theirs when they confirm it").await;
    // Nobody is asked in the chat where they are not known yet.
    both.until_in_slack(SLACK_RELEASES, |_, text| text.contains(&format!("Discord account {BOB} has typed your code")))
        .await;
    both.slack.type_text(SLACK_BOB, SLACK_RELEASES, "/release link confirm", None).await.unwrap();
    both.until_in_slack(SLACK_RELEASES, his("is yours now")).await;
    // What he did before he was known is no vote; what he does now is one, wherever he does it.
    both.server.until_shows(&card, "waiting for approval: 1 of release, 1 of dba or 1 more of release").await;
    both.server.react(BOB, &card, "✅", false);
    both.server.react(BOB, &card, "✅", true);
    both.server.until_shows(&card, "✔ bob (release)").await;
    both.bob_votes_in_slack_too(&card, &in_slack).await;
    both.server.react(DORA, &card, "✅", true);
    let live = both.server.until_shows(&card, "is live").await;
    assert_eq!(both.server.text(&live).matches("bob").count(), 1, "{}", both.server.text(&live));
    both.until_shows_in_slack(&in_slack, "is live").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_down_holds_up_no_other() {
    let both = Both::new().await;
    let post =
        Fault { method: "POST /channels/{channel}/messages".to_owned(), kind: FaultKind::Status(503), times: u32::MAX };
    both.server.discord.inject(post);
    both.says_in_slack("/deploy staging").await;
    both.until_card_in_slack("is live").await;
    assert_eq!(both.server.cards().len(), 0);
    both.server.discord.heal();
    both.server.until_card("is live").await;
    assert_eq!(both.server.cards().len(), 1);
}
