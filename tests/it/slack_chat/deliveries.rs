//! What may come in, and what may not.

use super::{ANA, BOB, DORA, EVE, RELEASES, Workspace};
use crate::awaited::{seq, until};
use serde_json::{Value, json};
use slipway_sandbox::slack::{DeliveryAnswer, DeliveryKind, Mischief, SlackLimits, SlackUser, signature};
use slipway_sandbox::world::ChatOption;
use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};

/// Answers of the last deliveries of commands, in order.
fn answers(there: &Workspace) -> Vec<DeliveryAnswer> {
    let deliveries = there.slack.deliveries();
    deliveries.iter().filter(|d| d.kind == DeliveryKind::Command).map(|d| d.answer).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_slacks_or_not_ours_leaves_nothing() {
    let there = Workspace::http().await;
    let refused = [
        (Mischief::OtherSecret, 401),
        (Mischief::Unsigned, 401),
        (Mischief::Tampered, 401),
        (Mischief::Stale, 401),
        (Mischief::OtherApp, 403),
        (Mischief::OtherTeam, 403),
    ];
    for (mischief, status) in refused {
        there.slack.spoil_next(mischief);
        // The person reads that the app failed.
        let _ = there.slack.type_text(ANA, RELEASES, "/deploy staging", None).await;
        there.slack.settled().await;
        assert_eq!(answers(&there).last(), Some(&DeliveryAnswer::Status(status)), "{mischief:?}");
    }
    // Whatever had been taken would come before this.
    there.says(ANA, "/release status").await;
    there.until_told(ANA, "2 environments").await;
    assert_eq!(there.cards().len(), 0, "{:?}", there.slack.transcript(RELEASES));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_twice_is_done_once() {
    let there = Workspace::http().await;
    there.slack.spoil_next(Mischief::Twice);
    there.says(ANA, "/deploy staging").await;
    let card = there.until_card("is live").await;
    let number = there.slack.deliveries().iter().find(|d| d.kind == DeliveryKind::Command).unwrap().number;
    assert_eq!(there.slack.resend(number).await, Some(DeliveryAnswer::Status(200)), "Slack is content");
    there.says(ANA, "/release history").await;
    there.until_told(ANA, "live").await;
    assert_eq!(there.cards(), [there.messages(RELEASES).into_iter().find(|m| m["ts"] == card["ts"]).unwrap()]);
    // The same words again are another command.
    there.says(ANA, "/deploy staging").await;
    there.until_card("nothing to do").await;
    assert_eq!(there.cards().len(), 2);
}

/// Posts a body as it is, rightly signed.
async fn post(there: &Workspace, path: &str, kind: &str, body: Vec<u8>) -> (u16, String) {
    let now = jiff::Timestamp::now().as_second();
    let secret = "8f742231b10e8888abcd99eee00085a5";
    let request = reqwest::Client::new()
        .post(format!("{}{path}", there.world.url))
        .header("content-type", kind)
        .header("x-slack-request-timestamp", now)
        .header("x-slack-signature", signature(secret, now, &body))
        .body(body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

#[tokio::test(flavor = "multi_thread")]
async fn strange_bodies_are_refused_and_new_things_are_not() {
    let there = Workspace::http().await;
    let event = |inner: Value| {
        json!({ "type": "event_callback", "team_id": "T9TK3CUKW", "api_app_id": "A0KRD7HC3", "event_id": "Ev0NEW",
                "event_time": 1, "event": inner, "authorizations": [{ "is_bot": true }], "new_field": { "a": 1 } })
    };
    let new_event = event(json!({ "type": "canvas_changed", "canvas": { "id": "F1" } }));
    let shortcut = json!({ "type": "shortcut", "team": { "id": "T9TK3CUKW" }, "user": { "id": ANA }, "trigger_id": "1.2",
                           "api_app_id": "A0KRD7HC3", "callback_id": "x" });
    let form = |payload: &Value| format!("payload={}", urlencoded(&payload.to_string())).into_bytes();
    let ask = json!({ "type": "url_verification", "challenge": "3eZbrw1a", "token": "x" });
    let huge = vec![b'x'; 300 * 1024];
    for (path, kind, body, status) in [
        ("/slack/events", JSON, ask.to_string().into_bytes(), 200),
        ("/slack/events", JSON, new_event.to_string().into_bytes(), 200),
        ("/slack/interactions", FORM, form(&shortcut), 200),
        ("/slack/events", JSON, b"{\"type\":\"event_callb".to_vec(), 400),
        ("/slack/events", JSON, b"\xff\xfe".to_vec(), 400),
        ("/slack/events", JSON, Vec::new(), 400),
        ("/slack/interactions", FORM, b"payload=%7B".to_vec(), 400),
        ("/slack/commands", FORM, b"command=%2Fdeploy".to_vec(), 400),
        ("/slack/events", JSON, huge, 413),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let (answered, said) = post(&there, path, kind, body).await;
        assert_eq!(answered, status, "{path} {shown}: {said}");
        if shown.contains("url_verification") {
            assert!(said.contains("3eZbrw1a"), "{said}");
        }
    }
    there.says(ANA, "/release status").await;
    there.until_told(ANA, "2 environments").await;
}

fn urlencoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_nobody_knows_starts_nothing() {
    let there = Workspace::http().await;
    let fields = [
        ("command", "/deplyo"),
        ("text", "staging"),
        ("user_id", ANA),
        ("channel_id", RELEASES),
        ("team_id", "T9TK3CUKW"),
        ("api_app_id", "A0KRD7HC3"),
        ("trigger_id", "7.8.abc"),
    ];
    let body: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", urlencoded(value))).collect();
    let (status, _) = post(&there, "/slack/commands", FORM, body.join("&").into_bytes()).await;
    assert_eq!(status, 200);
    there.until_told(ANA, "/deploy staging").await;
    there.says(ANA, "/deploy stagin").await;
    let told = there.until_told(ANA, "There is no environment").await;
    assert!(there.text(&told).contains("Did you mean"), "{}", there.text(&told));
    assert_eq!(there.cards().len(), 0);
    // What Slack itself does not know never comes.
    assert!(there.slack.type_text(ANA, RELEASES, "/undeploy staging", None).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_calls_anybody_or_changes_how_a_message_looks() {
    let there = Workspace::http().await;
    let long = "x".repeat(1_900);
    for reference in ["<!channel>", "*_~`bold`~_*", "<@U0BOB0001>", "a\u{202e}b", "&amp;<!here>", ":tada:", &long] {
        there.says(ANA, &format!("/deploy staging {reference}")).await;
    }
    there.says(ANA, &format!("/deploy staging {}", "y".repeat(3_000))).await;
    there.until_told(ANA, "longer than").await;
    there.says(ANA, "/release lock staging \"<!channel> *now*\" --for 1h").await;
    there.says(ANA, "/release status").await;
    let status = there.until_told(ANA, "locked by").await;
    assert!(there.text(&status).contains("<!channel> *now*"), "as it was typed: {}", there.text(&status));
    let shown = |m: &Value, text: &str| {
        super::is_card(m) && text.contains("has no branch, tag or commit") && text.contains(":tada:")
    };
    there.until("the card of the last one", RELEASES, shown).await;
    assert_eq!(there.slack.notified(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_too_much_is_told_politely() {
    let there = Workspace::http().await;
    for _ in 0..14 {
        there.says(ANA, "/release queue").await;
    }
    let told = there.until_told(ANA, "requests of yours at once").await;
    assert!(there.text(&told).contains("Nothing was started. Try again in"), "{}", there.text(&told));
    // It is counted by person.
    there.says(BOB, "/release status").await;
    there.until_told(BOB, "2 environments").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outsiders_of_a_shared_channel_are_ignored() {
    let there = Workspace::http().await;
    let mut channel = slipway_sandbox::slack::SlackChannel::new(RELEASES, "releases");
    channel.shared_outside = true;
    there.slack.set_channel(channel);
    there.slack.set_user(SlackUser::new("U0OUTSIDE", "mallory").of_team("T0ELSEWHERE"));
    let card = there.production_waits().await;
    there.react("U0OUTSIDE", &card, "white_check_mark", true);
    let _ = there.slack.press("U0OUTSIDE", RELEASES, card["ts"].as_str().unwrap(), "approve").await;
    let _ = there.slack.type_text("U0OUTSIDE", RELEASES, "@slipway deploy production", None).await;
    there.slack.settled().await;
    // Those of the house are heard there as everywhere.
    there.react(BOB, &card, "white_check_mark", true);
    let voted = |m: &Value, text: &str| m["ts"] == card["ts"] && text.contains("✔ bob (release)");
    there.until("Bob's vote", RELEASES, voted).await;
    let to_them = there.messages(RELEASES).into_iter().filter(|m| m["ephemeral_for"] == "U0OUTSIDE").count();
    assert_eq!((to_them, there.cards().len()), (0, 2));
}

/// Nothing of the person's waits for what is done with it.
#[tokio::test(flavor = "multi_thread")]
async fn slack_is_answered_while_slack_itself_is_slow() {
    use slipway_sandbox::slack::{Fault, FaultKind};
    let there = Workspace::http().await;
    let slow = Fault { method: "chat.postMessage".into(), kind: FaultKind::Timeout, times: 1 };
    there.slack.inject(slow);
    there.says(ANA, "/deploy staging").await;
    there.slack.settled().await;
    assert_eq!(answers(&there), [DeliveryAnswer::Status(200)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_written_down_is_said_not_to_be_confirmed() {
    for chat in [ChatOption::SlackHttp, ChatOption::SlackSocket] {
        let mut there = Workspace::new(chat).await;
        there.configured(|text| text.replacen("[server]\n", "[server]\nack_budget_ms = 1000\n", 1)).await;
        there.until_taken(ANA, "/release status").await;
        // From now on Slack waits as long as it does, and not longer.
        there.slack.set_limits(SlackLimits::default());
        let file = SqliteConnectOptions::new().filename(there.world.folder().join("slipway.db"));
        let mut database = SqliteConnection::connect_with(&file).await.unwrap();
        database.execute("BEGIN IMMEDIATE").await.unwrap();
        // Of one who looks at the page nothing has to be written down before somebody else is answered.
        there.slack.home(EVE).unwrap();
        there.until_delivered(DeliveryKind::Event).await;
        // Nobody waits for what somebody else is told: one after the other would take too long.
        let deploy = "/deploy staging";
        let says = async |user: &str| {
            there.says(user, deploy).await;
            there.until_told(user, "Not confirmed").await;
        };
        tokio::join!(says(ANA), says(BOB), says(DORA), says(EVE));
        database.execute("ROLLBACK").await.unwrap();
        there.caught_up(ANA).await;
    }
}

impl Workspace {
    /// Waits until something of a kind is on its way to the bot.
    async fn until_delivered(&self, kind: DeliveryKind) {
        let look = || {
            let delivered = self.slack.deliveries().iter().any(|delivery| delivery.kind == kind);
            (seq(&self.slack.state(u64::MAX)), delivered.then_some(()))
        };
        until(look, async |_| tokio::task::yield_now().await, || format!("{kind:?} is not sent")).await;
    }
}
