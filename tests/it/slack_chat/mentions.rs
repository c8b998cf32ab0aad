//! Mentions that are commands and mentions that are none, and what is said to the bot alone.

use super::{ANA, BOB, RELEASES, Workspace};
use serde_json::Value;
use slipway_sandbox::slack::{DeliveryKind, Mischief};

/// How often the bot was mentioned, as Slack told it.
fn mentions(there: &Workspace) -> usize {
    let deliveries = there.slack.deliveries();
    let told = |payload: &Value| payload["event"]["type"] == "app_mention";
    deliveries.iter().filter(|d| d.kind == DeliveryKind::Event && told(&d.payload)).count()
}

impl Workspace {
    /// The newest message of a person where releases are shown.
    fn last_of(&self, user: &str) -> String {
        let all = self.messages(RELEASES);
        all.iter().rfind(|m| m["user"] == user).unwrap()["ts"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_that_is_edited_later_starts_nothing() {
    let there = Workspace::http().await;
    there.says(ANA, "@slipway queue").await;
    there.slack.settled().await;
    there.says(BOB, "let us see").await;
    let (asked, said) = (there.last_of(ANA), there.last_of(BOB));
    for (user, ts) in [(ANA, &asked), (BOB, &said)] {
        there.slack.edit_text(user, RELEASES, ts, "@slipway deploy staging").unwrap();
        there.slack.settled().await;
    }
    assert_eq!(mentions(&there), 3, "Slack told of both edits");
    there.caught_up(ANA).await;
    assert_eq!(there.cards().len(), 0, "{:?}", there.slack.transcript(RELEASES));
    assert_eq!(there.told(BOB), [""; 0], "nobody is told off for a correction");
    // Written anew it is a command.
    there.says(BOB, "@slipway deploy staging").await;
    there.until_card("is live").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_is_one_command_however_often_it_comes() {
    let there = Workspace::http().await;
    there.slack.spoil_next(Mischief::Twice);
    there.says(ANA, "@slipway deploy staging").await;
    there.until_card("is live").await;
    // The same message in another event.
    let told = there.slack.deliveries().into_iter().find(|d| d.payload["event"]["type"] == "app_mention").unwrap();
    let mut again = told.payload.clone();
    again["event_id"] = "Ev0ANOTHER".into();
    there.slack.send(DeliveryKind::Event, again).await;
    there.caught_up(ANA).await;
    assert_eq!(there.cards().len(), 1);
    // The same words in another message.
    there.says(ANA, "@slipway deploy staging").await;
    there.until_card("nothing to do").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_in_mid_sentence_starts_nothing_and_is_told_so() {
    let there = Workspace::http().await;
    let told = "Begin the message with @slipway. Nothing was started.";
    there.says(ANA, "do not @slipway deploy staging").await;
    there.until_told(ANA, told).await;
    there.says(BOB, "> @slipway deploy staging").await;
    there.until_told(BOB, told).await;
    there.caught_up(ANA).await;
    let once = |user: &str| there.told(user).iter().filter(|text| text.contains(told)).count();
    assert_eq!((once(ANA), once(BOB), there.cards().len()), (1, 1, 0));
    // In a thread it is said there.
    there.says(ANA, "Hi @bob @slipway deploy staging").await;
    let card = there.until_card("is live").await;
    there.slack.type_text(BOB, RELEASES, "ask @slipway status", card["ts"].as_str()).await.unwrap();
    let fits = |m: &Value, text: &str| m["thread_ts"] == card["ts"] && text.contains(told);
    there.until("the advice in the thread", RELEASES, fits).await;
    assert_eq!(there.cards().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_as_long_as_a_message_call_nobody_and_break_nothing() {
    let there = Workspace::http().await;
    let fill = |what: &str| what.chars().cycle().take(10_000).collect::<String>();
    for name in [fill("x"), fill("<!channel>"), fill("\u{202e}\u{1f680}*_~`"), fill("@here\u{300}\u{300}")] {
        there.says(ANA, &format!("@slipway deploy staging {name}")).await;
        there.says(ANA, &format!("@slipway {name}")).await;
        there.says(ANA, &format!("{name} @slipway deploy staging")).await;
        there.slack.settled().await;
    }
    there.slack.type_text(ANA, "U0SLIPWAY", &fill("<!everyone> "), None).await.unwrap();
    there.caught_up(BOB).await;
    let longest = there.messages(RELEASES).into_iter().filter(|m| m["user"] == "U0SLIPWAY");
    let longest = longest.map(|m| m["blocks"].to_string().chars().count()).max().unwrap();
    assert!(longest < 9_100, "messages stay short: {longest}");
    assert_eq!(there.slack.notified(), []);
    there.says(BOB, "@slipway deploy staging").await;
    there.until_card("is live").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_words_to_the_bot_alone_are_commands() {
    let there = Workspace::http().await;
    let says = async |text: &str| there.slack.type_text(BOB, "U0SLIPWAY", text, None).await.unwrap();
    says("status").await;
    there.until_written_to(BOB, "2 environments").await;
    says("@slipway deploy staging").await;
    there.until_card("is live").await;
    says("good morning").await;
    there.until_written_to(BOB, "/deploy").await;
    let all = there.messages(BOB);
    let asked = all.iter().find(|m| m["user"] == BOB && m["text"] == "status").unwrap();
    let (conversation, ts) = (asked["channel"].as_str().unwrap(), asked["ts"].as_str().unwrap());
    there.slack.edit_text(BOB, conversation, ts, "deploy production").unwrap();
    there.slack.settled().await;
    there.caught_up(BOB).await;
    assert_eq!(there.cards().len(), 1, "an edit is no command there either");
    // It does not talk to itself.
    let own = there.messages(BOB).iter().filter(|m| m["user"] == "U0SLIPWAY").count();
    assert!(own <= 5, "{:?}", there.slack.transcript(conversation));
}
