//! What people and workspaces may do besides: edits, shared channels, messages to the app alone, deleted beginnings.

use super::rig::{ANA, RELEASES, card, rig, rig_with};
use serde_json::{Value, json};
use slipway_sandbox::slack::{DeliveryAnswer, Mischief, SlackChannel, SlackMode};

const BOB: &str = "U0BOB0001";

#[tokio::test]
async fn an_edit_that_mentions_the_app_is_a_mention_again() {
    let rig = rig().await;
    rig.slack.type_text(ANA, RELEASES, "good morning", None).await.unwrap();
    let ts = rig.look("").await["messages"][0]["ts"].as_str().unwrap().to_owned();
    rig.slack.settled().await;
    assert_eq!(rig.app.got().len(), 0);
    let mut ids = Vec::new();
    for text in ["@slipway deploy staging", "@slipway deploy production"] {
        rig.slack.edit_text(ANA, RELEASES, &ts, text).unwrap();
        rig.slack.settled().await;
        let event = rig.app.got().pop().unwrap().json();
        assert_eq!(event["event"]["type"], "app_mention");
        assert_eq!(event["event"]["text"], text.replace("@slipway", "<@U0SLIPWAY>"));
        assert_eq!((&event["event"]["ts"], &event["event"]["edited"]["user"]), (&json!(ts), &json!(ANA)));
        assert_ne!(event["event"]["event_ts"], event["event"]["ts"]);
        ids.push(event["event_id"].clone());
    }
    assert_ne!(ids[0], ids[1]);
    let history = rig.call("conversations.history", json!({ "channel": RELEASES })).await;
    assert_eq!(history["messages"][0]["edited"]["user"], ANA);
    // Without the mention the app hears nothing, and somebody else's words are theirs.
    let edit = |user: &str, text: &str| json!({ "user": user, "channel": RELEASES, "ts": ts, "text": text });
    assert_eq!(rig.person("edit", edit(ANA, "never mind")).await, json!({ "ok": true }));
    let refused = json!({ "ok": false, "error": "cant_update_message" });
    assert_eq!(rig.person("edit", edit(BOB, "@slipway deploy production")).await, refused);
    assert_eq!(rig.person("edit", edit(ANA, " ")).await, json!({ "ok": false, "error": "no_text" }));
    rig.slack.settled().await;
    assert_eq!(rig.app.got().len(), 2);
    assert_eq!(rig.slack.transcript(RELEASES), ["ana (edited 3): never mind"]);
}

#[tokio::test]
async fn a_shared_channel_is_of_the_workspace_that_it_comes_from() {
    let rig = rig_with(|options| {
        let mut shared = SlackChannel::new("C0PARTNER", "partner");
        (shared.shared_outside, shared.origin_team) = (true, Some("T0PARTNER".to_owned()));
        options.channels.push(shared);
    })
    .await;
    let ts = rig.post("C0PARTNER", json!({ "text": "x", "blocks": card() })).await;
    rig.slack.react(ANA, "C0PARTNER", &ts, "eyes", true).unwrap();
    rig.slack.settled().await;
    let event = rig.app.got().pop().unwrap().json();
    let teams = json!([event["team_id"], event["context_team_id"], event["authorizations"][0]["team_id"]]);
    assert_eq!(teams, json!(["T0PARTNER", "T9TK3CUKW", "T9TK3CUKW"]));
    assert_eq!(event["is_ext_shared_channel"], true);
    rig.slack.press(ANA, "C0PARTNER", &ts, "approve").await.unwrap();
    assert_eq!(rig.app.got().pop().unwrap().payload()["team"]["id"], "T9TK3CUKW", "presses name the app's own");
    rig.slack.spoil_next(Mischief::OtherTeam);
    rig.slack.react(ANA, RELEASES, &rig.post(RELEASES, json!({ "text": "y" })).await, "eyes", true).unwrap();
    rig.slack.settled().await;
    let event = rig.app.got().pop().unwrap().json();
    let teams = json!([event["team_id"], event["context_team_id"], event["authorizations"][0]["team_id"]]);
    assert_eq!(teams, json!(["T0OTHER00", "T0OTHER00", "T0OTHER00"]));
}

#[tokio::test]
async fn what_is_written_to_the_app_alone_reaches_it_when_it_asked_for_that() {
    let rig = rig().await;
    rig.slack.type_text(ANA, "U0SLIPWAY", "status", None).await.unwrap();
    rig.slack.settled().await;
    let event = rig.app.got().pop().unwrap().json()["event"].clone();
    let fields = ["type", "channel_type", "channel", "user", "text"].map(|field| event[field].clone());
    assert_eq!(json!(fields), json!(["message", "im", "D0ANA0001", ANA, "status"]));
    let ts = event["ts"].as_str().unwrap();
    rig.slack.edit_text(ANA, "D0ANA0001", ts, "deploy production").unwrap();
    rig.slack.settled().await;
    let event = rig.app.got().pop().unwrap().json()["event"].clone();
    let fields = [&event["subtype"], &event["message"]["text"], &event["previous_message"]["text"]];
    assert_eq!(json!(fields), json!(["message_changed", "deploy production", "status"]));
    assert_eq!((&event["message"]["ts"], event.get("user")), (&json!(ts), None));
    // What the app says there itself does not come back.
    rig.post(ANA, json!({ "text": "here you are" })).await;
    rig.slack.settled().await;
    assert_eq!(rig.app.got().len(), 2);
    rig.slack.set_scopes(&["chat:write"]);
    rig.slack.type_text(ANA, "U0SLIPWAY", "status", None).await.unwrap();
    rig.slack.settled().await;
    assert_eq!(rig.app.got().len(), 2, "without im:history nothing is heard");

    let deaf = rig_with(|options| options.message_im_subscribed = false).await;
    deaf.slack.type_text(ANA, "U0SLIPWAY", "status", None).await.unwrap();
    deaf.slack.settled().await;
    assert_eq!(deaf.slack.deliveries(), []);
    assert_eq!(deaf.slack.transcript("D0ANA0001"), ["ana: status"]);

    let closed = rig_with(|options| options.messages_tab_read_only = true).await;
    for text in ["status", "/release status"] {
        let refused = closed.slack.type_text(ANA, "U0SLIPWAY", text, None).await.unwrap_err();
        assert_eq!(refused.error, "messages_tab_read_only");
    }
    assert_eq!(closed.slack.deliveries(), []);
    closed.post(ANA, json!({ "text": "the app can" })).await;
}

#[tokio::test]
async fn where_posting_is_restricted_the_app_cannot_post() {
    let rig = rig().await;
    let ts = rig.post(RELEASES, json!({ "text": "before" })).await;
    let mut channel = SlackChannel::new(RELEASES, "releases");
    channel.posting_restricted = true;
    rig.slack.set_channel(channel);
    let post = json!({ "channel": RELEASES, "text": "x" });
    assert_eq!(rig.refusal("chat.postMessage", post).await, "restricted_action");
    let update = rig.call("chat.update", json!({ "channel": RELEASES, "ts": ts, "text": "after" })).await;
    assert_eq!(update["ok"], true, "what is there can be changed");
}

#[tokio::test]
async fn slack_looks_whether_the_address_is_there() {
    let rig = rig().await;
    assert_eq!(rig.slack.ssl_check().await, DeliveryAnswer::Status(200));
    let got = rig.app.got().pop().unwrap();
    assert_eq!((got.path.as_str(), &got.form()["ssl_check"]), ("/slack/commands", &json!("1")));
    assert!(got.form()["token"].is_string() && got.header("x-slack-signature").starts_with("v0="));
}

#[tokio::test]
async fn a_press_says_in_which_thread_it_is_only_in_answers() {
    let rig = rig().await;
    let first = rig.post(RELEASES, json!({ "text": "x", "blocks": card() })).await;
    let pressed = async |ts: &str| {
        rig.slack.press(ANA, RELEASES, ts, "approve").await.unwrap();
        let payload = rig.app.got().pop().unwrap().payload();
        [payload["container"]["thread_ts"].clone(), payload["message"]["thread_ts"].clone()]
    };
    assert_eq!(pressed(&first).await, [Value::Null, Value::Null], "nobody has answered it");
    let reply = rig.post(RELEASES, json!({ "text": "y", "blocks": card(), "thread_ts": first })).await;
    assert_eq!(pressed(&first).await, [Value::Null, json!(first)], "its own time");
    assert_eq!(pressed(&reply).await, [json!(first), json!(first)]);
}

#[tokio::test]
async fn answers_outlive_what_they_answer() {
    let rig = rig().await;
    let first = rig.post(RELEASES, json!({ "text": "first" })).await;
    let reply = rig.post(RELEASES, json!({ "text": "reply", "thread_ts": first })).await;
    let alone = rig.post(RELEASES, json!({ "text": "alone" })).await;
    for ts in [&first, &alone] {
        rig.slack.delete(ANA, RELEASES, ts).unwrap();
    }
    assert_eq!(rig.slack.transcript(RELEASES), ["slipway: reply"]);
    let history = rig.call("conversations.history", json!({ "channel": RELEASES })).await;
    let shown: Vec<_> = history["messages"].as_array().unwrap().iter().map(|m| m["subtype"].clone()).collect();
    assert_eq!(shown, ["tombstone"], "of what nobody answered nothing is left");
    let thread = rig.call("conversations.replies", json!({ "channel": RELEASES, "ts": first })).await;
    let shown: Vec<_> = thread["messages"].as_array().unwrap().iter().map(|m| m["text"].clone()).collect();
    assert_eq!(shown, ["This message was deleted.", "reply"]);
    for ts in [&first, &alone] {
        let post = json!({ "channel": RELEASES, "text": "x", "thread_ts": ts });
        assert_eq!(rig.refusal("chat.postMessage", post).await, "thread_not_found");
    }
    let gone = rig.refusal("conversations.replies", json!({ "channel": RELEASES, "ts": alone })).await;
    assert_eq!(gone, "thread_not_found");
    let update = rig.call("chat.update", json!({ "channel": RELEASES, "ts": reply, "text": "still here" })).await;
    assert_eq!(update["ok"], true, "{update}");
    let typed = rig.slack.type_text(ANA, RELEASES, "@slipway status", Some(&first)).await.unwrap_err();
    assert_eq!(typed.error, "thread_not_found");
}

#[tokio::test]
async fn time_is_another_for_slack_than_for_the_app() {
    let rig = rig_with(|options| options.limits.edit_window_s = Some(3_600)).await;
    rig.slack.shift_clock(jiff::SignedDuration::from_hours(-2));
    let ts = rig.post(RELEASES, json!({ "text": "x" })).await;
    assert!(ts.starts_with(&format!("{}.", super::rig::START_S - 7_200)), "{ts}");
    let update = json!({ "channel": RELEASES, "ts": ts, "text": "y" });
    assert_eq!(rig.call("chat.update", update.clone()).await["ok"], true);
    rig.slack.shift_clock(jiff::SignedDuration::from_hours(2));
    assert_eq!(rig.refusal("chat.update", update).await, "edit_window_closed");
}

#[tokio::test]
async fn connections_can_break_off_right_after_the_hello() {
    let rig = rig_with(|options| options.mode = SlackMode::Socket).await;
    rig.slack.break_next_connections(1);
    let slack = slipway_deploy::slack::Slack::new(&rig.slack.api_url, &super::rig::TOKEN.into()).unwrap();
    let mut hasty = slack.open_socket(&"xapp-1-sandbox".into()).await.unwrap();
    assert_eq!(hasty.next().await.unwrap(), slipway_deploy::slack::SocketMessage::Hello);
    assert!(hasty.next().await.is_err());
    assert_eq!((rig.slack.connections(), rig.slack.connections_to_break()), (0, 0));
    let mut lasting = slack.open_socket(&"xapp-1-sandbox".into()).await.unwrap();
    assert_eq!(lasting.next().await.unwrap(), slipway_deploy::slack::SocketMessage::Hello);
    assert_eq!(rig.slack.connections(), 1);
}
