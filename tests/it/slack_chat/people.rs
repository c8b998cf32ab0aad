//! What people do in Slack: mentions, forms, their page, conversations with the bot.

use super::{ANA, BOB, DORA, RELEASES, Workspace};
use crate::awaited::{seq, until};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_is_a_command_also_in_a_thread() {
    let there = Workspace::http().await;
    there.says(ANA, "@slipway deploy staging").await;
    let card = there.until_card("is live").await;
    // Slash commands do not work in threads.
    let thread = card["ts"].as_str();
    assert!(there.slack.type_text(BOB, RELEASES, "/release status", thread).await.is_err());
    there.slack.type_text(BOB, RELEASES, "<@U0SLIPWAY> status", thread).await.unwrap();
    let answer = there.until_told(BOB, "2 environments").await;
    assert_eq!(answer["thread_ts"], card["ts"], "answered where it was asked");
    there.says(BOB, "hey @slipway").await;
    there.until_told(BOB, "/deploy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_asks_for_its_reason() {
    let there = Workspace::http().await;
    there.says(ANA, "/deploy staging").await;
    let card = there.until_card("is live").await;
    there.press(BOB, &card, "lock").await;
    let modal = |there: &Workspace| there.slack.state(u64::MAX)["modals"].as_array().unwrap().first().cloned();
    let opened = there.until_modal().await;
    assert_eq!(opened["user"], BOB);
    let view = opened["view_id"].as_str().unwrap();
    let values = json!({ "environment": { "environment": "staging goals" }, "for": { "for": "1h" },
                         "reason": { "reason": "load \"test\" <!channel>" } });
    there.slack.submit(BOB, view, &values).await.unwrap();
    there.until_told(BOB, "staging").await;
    assert_eq!(modal(&there), None, "it closes");
    there.says(ANA, "/release status").await;
    let status = there.until_told(ANA, "locked by bob").await;
    assert!(there.text(&status).contains("load 'test' <!channel>"), "{}", there.text(&status));
    // A line without a reason opens it too.
    there.says(ANA, "/release lock production").await;
    let opened = there.until_modal().await;
    assert_eq!(opened["user"], ANA);
    assert_eq!(there.slack.notified(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_what_waits_and_its_buttons_work() {
    let there = Workspace::http().await;
    there.production_waits().await;
    there.slack.home(DORA).unwrap();
    let home = there.until_home(DORA, "Waiting for you: 1").await;
    for part in ["goals → production", "asked by ana", "Your releases", "Environments", "goals → staging"] {
        assert!(home.contains(part), "{part} is missing:\n{home}");
    }
    there.slack.home(ANA).unwrap();
    let home = there.until_home(ANA, "Nothing waits for your approval").await;
    assert!(home.contains("○ waits for approval"), "{home}");
    there.slack.press_home(ANA, "cancel").await.unwrap();
    there.until_card("cancelled by ana").await;
    there.until_home(ANA, "– cancelled by ana").await;
    // Whoever is not known reads what to do.
    there.slack.set_user(slipway_sandbox::slack::SlackUser::new("U0ZOE0001", "zoe"));
    there.slack.home("U0ZOE0001").unwrap();
    there.until_home("U0ZOE0001", "Slipway does not know you").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_can_talk_to_the_bot_alone() {
    let there = Workspace::http().await;
    there.production_waits().await;
    let told = there.until_written_to(BOB, "waits for your approval").await;
    assert!(there.text(&told).contains("Open the card"), "{}", there.text(&told));
    let conversation = told["channel"].as_str().unwrap().to_owned();
    there.press(BOB, &told, "why").await;
    there.until_written_to(BOB, "production-approval").await;
    there.slack.type_text(BOB, &conversation, "/release status", None).await.unwrap();
    there.until_written_to(BOB, "2 environments").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_button_is_answered_and_does_nothing() {
    let there = Workspace::http().await;
    let card = there.production_waits().await;
    there.press(DORA, &card, "why").await;
    there.until_told(DORA, "production-approval").await;
    let pressed = there.slack.deliveries().into_iter().rfind(|d| d.payload["type"] == "block_actions").unwrap();
    there.says(ANA, "/release cancel").await;
    there.until_card("cancelled by ana").await;
    // A client that has not seen the change still has the button.
    let mut payload = pressed.payload.clone();
    payload["actions"][0]["action_id"] = json!("approve");
    payload["trigger_id"] = json!("1.2.of-days-ago");
    payload["user"]["id"] = json!(DORA);
    there.slack.send(pressed.kind, payload).await;
    there.until_told(DORA, "cancelled").await;
    there.react(BOB, &card, "white_check_mark", true);
    there.says(DORA, "/release status").await;
    there.until_told(DORA, "2 environments").await;
    // Under what is over a reaction is applause.
    assert!(
        !there.messages(RELEASES).iter().any(|m| m["ephemeral_for"] == BOB),
        "{:?}",
        there.slack.transcript(RELEASES)
    );
    assert_eq!(there.world.aws.deployment_operations(&there.world.production_arn).len(), 0);
}

impl Workspace {
    pub(super) async fn until_modal(&self) -> Value {
        let look = || {
            let state = self.slack.state(u64::MAX);
            (seq(&state), state["modals"].as_array().unwrap().first().cloned())
        };
        until(look, async |seq| self.slack.changed(seq).await, || "no form opens".to_owned()).await
    }

    pub(super) async fn until_home(&self, user: &str, words: &str) -> String {
        let shown = |state: &Value| {
            let home = state["homes"].as_array().unwrap().iter().find(|home| home["user"] == user);
            home.map(|home| self.slack.lines(&home["view"]).join("\n")).unwrap_or_default()
        };
        let look = || {
            let state = self.slack.state(u64::MAX);
            (seq(&state), Some(shown(&state)).filter(|shown| shown.contains(words)))
        };
        let missing = || format!("\"{words}\" did not come on {user}'s page:\n{}", shown(&self.slack.state(u64::MAX)));
        until(look, async |seq| self.slack.changed(seq).await, missing).await
    }
}
