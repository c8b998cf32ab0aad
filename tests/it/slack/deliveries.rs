//! What reaches the app over HTTP: signatures, shapes, retries, and what people see when nothing comes back.

use super::rig::{ANA, RELEASES, Reply, Rig, START_S, card, rig, rig_with};
use serde_json::{Value, json};
use slipway_sandbox::slack::{
    DeliveryAnswer, DeliveryKind, Fault, FaultKind, Mischief, Order, SlackChannel, SlackUser, signature,
};

const SECRET: &str = "sandbox-signing-secret";

#[test]
fn signatures_are_those_of_slacks_own_example() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&\
        channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&\
        response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&\
        trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    assert_eq!(signature("8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_618, body.as_bytes()), expected);
}

/// Whether the newest delivery is signed, fresh and whole.
fn is_genuine(rig: &Rig) -> bool {
    let got = rig.app.got().pop().unwrap();
    let at_s: i64 = got.header("x-slack-request-timestamp").parse().unwrap_or_default();
    (START_S - at_s).abs() <= 300 && got.header("x-slack-signature") == signature(SECRET, at_s, &got.body)
}

#[tokio::test]
async fn deliveries_are_signed_unless_they_are_spoilt() {
    let rig = rig().await;
    let ts = rig.post(RELEASES, json!({ "text": "x", "blocks": card() })).await;
    let mut genuine = Vec::new();
    let ways = [Mischief::Tampered, Mischief::Stale, Mischief::OtherSecret, Mischief::Unsigned];
    for mischief in [None].into_iter().chain(ways.map(Some)) {
        mischief.into_iter().for_each(|how| rig.slack.spoil_next(how));
        rig.slack.type_text(ANA, RELEASES, "/deploy staging", None).await.unwrap();
        genuine.push(is_genuine(&rig));
    }
    assert_eq!(genuine, [true, false, false, false, false]);
    for mischief in ways {
        rig.slack.spoil_next(mischief);
        rig.slack.react(ANA, RELEASES, &ts, &format!("{mischief:?}").to_lowercase(), true).unwrap();
        rig.slack.settled().await;
        assert!(!is_genuine(&rig), "{mischief:?}");
    }
    rig.slack.press(ANA, RELEASES, &ts, "approve").await.unwrap();
    assert!(is_genuine(&rig));
    rig.slack.spoil_next(Mischief::OtherApp);
    rig.slack.type_text(ANA, RELEASES, "/deploy staging", None).await.unwrap();
    assert_eq!(rig.app.got().last().unwrap().form()["api_app_id"], "A0OTHERAPP");
    rig.slack.spoil_next(Mischief::OtherTeam);
    rig.slack.press(ANA, RELEASES, &ts, "approve").await.unwrap();
    assert_eq!(rig.app.got().last().unwrap().payload()["team"]["id"], "T0OTHER00");
    assert!(is_genuine(&rig), "it is signed all the same");
}

#[tokio::test]
async fn the_shapes_are_slacks() {
    let rig = rig().await;
    let ts = rig.post(RELEASES, json!({ "text": "x", "blocks": card() })).await;
    rig.slack.type_text(ANA, RELEASES, "/deploy staging --reason \"a & b\"", None).await.unwrap();
    rig.slack.press(ANA, RELEASES, &ts, "approve").await.unwrap();
    rig.slack.type_text(ANA, RELEASES, "@slipway deploy <now> @bob", Some(&ts)).await.unwrap();
    rig.slack.settled().await;
    rig.slack.react(ANA, RELEASES, &ts, "white_check_mark", true).unwrap();
    rig.slack.settled().await;
    let got = rig.app.got();
    let paths: Vec<_> = got.iter().map(|got| got.path.as_str()).collect();
    assert_eq!(paths, ["/slack/commands", "/slack/interactions", "/slack/events", "/slack/events"]);
    let command = got[0].form();
    let url = command["response_url"].as_str().unwrap();
    assert!(url.starts_with(&format!("{}/hooks/commands/T9TK3CUKW/", rig.slack.page_url())), "{url}");
    let shown = [command, got[1].payload(), got[2].json(), got[3].json()];
    let text: Vec<_> = shown.iter().map(|shown| serde_json::to_string_pretty(shown).unwrap()).collect();
    let text = text.join("\n").replace(rig.slack.page_url(), "http://SLACK");
    expect_test::expect_file!["shapes.txt"].assert_eq(&text);
}

#[tokio::test]
async fn events_come_again_until_they_are_taken() {
    let rig = rig().await;
    let ts = rig.post(RELEASES, json!({ "text": "x" })).await;
    // Each is to get there before it is over.
    rig.waits_ms(2_000);
    for reply in [Reply::Body(500, String::new()), Reply::Never, Reply::Body(302, String::new())] {
        rig.app.will(reply);
    }
    rig.slack.react(ANA, RELEASES, &ts, "eyes", true).unwrap();
    rig.slack.settled().await;
    let tries: Vec<_> = rig
        .app
        .got()
        .iter()
        .map(|got| (got.header("x-slack-retry-num").to_owned(), got.header("x-slack-retry-reason").to_owned()))
        .collect();
    let expected = [("", ""), ("1", "http_error"), ("2", "http_timeout"), ("3", "http_error")];
    assert_eq!(tries, expected.map(|(number, reason)| (number.to_owned(), reason.to_owned())));
    let ids: Vec<_> = rig.app.got().iter().map(|got| got.json()["event_id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let answers: Vec<_> = rig.slack.deliveries().iter().map(|delivery| delivery.answer).collect();
    let status = DeliveryAnswer::Status;
    assert_eq!(answers, [status(500), DeliveryAnswer::TimedOut, status(302), status(200)]);
    rig.app.will(Reply::NoRetry(404));
    rig.slack.react(ANA, RELEASES, &ts, "eyes", false).unwrap();
    rig.slack.settled().await;
    assert_eq!(rig.slack.deliveries().len(), 5);
    for _ in 0..9 {
        rig.app.will(Reply::Body(503, String::new()));
    }
    rig.slack.react(ANA, RELEASES, &ts, "eyes", true).unwrap();
    rig.slack.settled().await;
    assert_eq!(rig.slack.deliveries().len(), 9, "four times and no more");
}

#[tokio::test]
async fn commands_and_presses_come_once_and_the_person_sees_that_it_failed() {
    let rig = rig().await;
    let ts = rig.post(RELEASES, json!({ "text": "card", "blocks": card() })).await;
    rig.waits_ms(2_000);
    rig.app.will(Reply::Never);
    rig.app.will(Reply::Body(500, String::new()));
    rig.app.will(Reply::Body(500, String::new()));
    let slow = rig.slack.type_text(ANA, RELEASES, "/deploy staging", None).await.unwrap_err();
    let failed = rig.slack.type_text(ANA, RELEASES, "/deploy staging", None).await.unwrap_err();
    let pressed = rig.slack.press(ANA, RELEASES, &ts, "veto").await.unwrap_err();
    assert_eq!(rig.slack.deliveries().len(), 3);
    rig.slack.set_bot_url("http://127.0.0.1:1");
    let nobody = rig.slack.type_text(ANA, RELEASES, "/deploy staging", None).await.unwrap_err();
    let codes = [slow, failed, pressed, nobody].map(|refused| refused.error);
    assert_eq!(codes, ["operation_timeout", "dispatch_failed", "dispatch_failed", "dispatch_failed"]);
    expect_test::expect![[r#"
        slipway: goals to staging
            waits for @ana
            [Approve] [Veto]
        → ana only: slackbot: /deploy failed with the error "operation_timeout"
        → ana only: slackbot: /deploy failed with the error "dispatch_failed"
        → ana only: slackbot: This did not work: the app did not respond (dispatch_failed).
        → ana only: slackbot: /deploy failed because the app did not respond."#]]
    .assert_eq(&rig.slack.transcript(RELEASES).join("\n"));
}

#[tokio::test]
async fn a_command_is_answered_at_once_for_one_person_or_for_all() {
    let rig = rig().await;
    for answer in [
        json!({ "text": "only you" }),
        json!({ "response_type": "in_channel", "blocks": card() }),
        json!({ "blocks": [{ "type": "marquee" }] }),
    ] {
        rig.app.will_say(&answer);
    }
    rig.app.will(Reply::Body(200, "plain words".to_owned()));
    for _ in 0..2 {
        rig.slack.type_text(ANA, RELEASES, "/release status", None).await.unwrap();
    }
    let wrong = rig.slack.type_text(ANA, RELEASES, "/release status", None).await.unwrap_err();
    assert_eq!(wrong.error, "invalid_blocks");
    rig.slack.type_text(ANA, RELEASES, "/release status", None).await.unwrap();
    expect_test::expect![[r#"
        → ana only: slipway: only you
        slipway: goals to staging
            waits for @ana
            [Approve] [Veto]
        → ana only: slackbot: /release failed with the error "invalid_blocks"
        → ana only: slipway: plain words"#]]
    .assert_eq(&rig.slack.transcript(RELEASES).join("\n"));
}

#[tokio::test]
async fn response_urls_work_five_times_for_half_an_hour() {
    let rig = rig().await;
    let url = async || {
        rig.slack.type_text(ANA, RELEASES, "/release status", None).await.unwrap();
        rig.app.got().last().unwrap().form()["response_url"].as_str().unwrap().to_owned()
    };
    let used = url().await;
    let mut said = Vec::new();
    for body in [
        json!({ "text": "first" }),
        json!({ "text": "second", "replace_original": true }),
        json!({ "text": "all", "response_type": "in_channel" }),
        json!({ "blocks": [{ "type": "marquee" }] }),
        json!({ "delete_original": true }),
        json!({ "text": "once more" }),
    ] {
        said.push(rig.post_to(&used, &body).await);
    }
    let late = url().await;
    rig.pass_ms(1_800_000);
    said.push(rig.post_to(&late, &json!({ "text": "just in time" })).await);
    rig.pass_ms(1_000);
    said.push(rig.post_to(&late, &json!({ "text": "late" })).await);
    said.push(rig.post_to(&format!("{late}x"), &json!({ "text": "nowhere" })).await);
    let said: Vec<_> = said.iter().map(|(status, text)| format!("{status} {text}")).collect();
    expect_test::expect![[r#"
        200 ok
        200 ok
        200 ok
        400 {"errors":["unsupported type: marquee [json-pointer:/blocks/0/type]"],"response_metadata":{"messages":["[ERROR] unsupported type: marquee [json-pointer:/blocks/0/type]"]},"error":"invalid_blocks","ok":false}
        200 ok
        404 {"error":"used_url","ok":false}
        200 ok
        404 {"error":"expired_url","ok":false}
        404 {"error":"expired_url","ok":false}"#]].assert_eq(&said.join("\n"));
    expect_test::expect![[r#"
        slipway: all
        → ana only: slipway: just in time"#]]
    .assert_eq(&rig.slack.transcript(RELEASES).join("\n"));
    assert!(rig.slack.calls().iter().all(|call| !call.contains("/0000")), "the addresses are secrets");
    let ts = rig.post(RELEASES, json!({ "text": "card", "blocks": card() })).await;
    rig.slack.press(ANA, RELEASES, &ts, "approve").await.unwrap();
    let press = rig.app.got().last().unwrap().payload()["response_url"].as_str().unwrap().to_owned();
    rig.post_to(&press, &json!({ "text": "taken", "replace_original": true })).await;
    assert_eq!(rig.slack.transcript(RELEASES).last().unwrap(), "slipway (edited 1): taken");
}

#[tokio::test]
async fn what_only_one_person_sees_can_be_pressed_and_replaced() {
    let rig = rig().await;
    let secret = json!({ "channel": RELEASES, "user": ANA, "text": "psst", "blocks": card() });
    let ts = rig.call("chat.postEphemeral", secret).await["message_ts"].as_str().unwrap().to_owned();
    rig.slack.press(ANA, RELEASES, &ts, "approve").await.unwrap();
    let payload = rig.app.got().pop().unwrap().payload();
    assert_eq!((&payload["container"]["is_ephemeral"], payload.get("message")), (&json!(true), None));
    let url = payload["response_url"].as_str().unwrap();
    rig.post_to(url, &json!({ "text": "taken", "replace_original": true })).await;
    assert_eq!(rig.slack.transcript(RELEASES), ["→ ana only: slipway (edited 1): taken"]);
    rig.slack.inject(Fault { method: "hooks".into(), kind: FaultKind::Status(502), times: 1 });
    assert_eq!(rig.post_to(url, &json!({ "text": "again" })).await.0, 502);
    rig.post_to(url, &json!({ "delete_original": true })).await;
    assert_eq!(rig.slack.transcript(RELEASES), [""; 0]);
}

#[tokio::test]
async fn deliveries_can_come_twice_late_and_in_any_order() {
    let rig = rig().await;
    let ts = rig.post(RELEASES, json!({ "text": "x" })).await;
    rig.slack.hold();
    for name in ["one", "two", "three"] {
        rig.slack.react(ANA, RELEASES, &ts, name, true).unwrap();
        rig.slack.settled().await;
    }
    assert!(rig.app.got().is_empty());
    rig.slack.let_go(Order::Backwards).await;
    let names = || rig.app.got().iter().map(|got| got.json()["event"]["reaction"].clone()).collect::<Vec<_>>();
    assert_eq!(names(), ["three", "two", "one"]);
    rig.slack.spoil_next(Mischief::Twice);
    rig.slack.react(ANA, RELEASES, &ts, "four", true).unwrap();
    rig.slack.settled().await;
    assert_eq!(rig.slack.resend(0).await, Some(DeliveryAnswer::Status(200)));
    assert_eq!(names(), ["three", "two", "one", "four", "four", "three"]);
    let probe = json!({ "type": "url_verification", "challenge": "c", "token": "t" });
    rig.app.will(Reply::Body(200, "c".to_owned()));
    assert_eq!(rig.slack.send(DeliveryKind::Event, probe).await, (DeliveryAnswer::Status(200), json!("c")));
}

#[tokio::test]
async fn only_what_the_app_may_hear_reaches_it() {
    let rig = rig_with(|options| {
        let mut far = SlackChannel::new("C0FARAWAY", "far-away");
        far.bot_is_member = false;
        let mut shared = SlackChannel::new("C0PARTNER", "partner");
        shared.shared_outside = true;
        options.channels.extend([far, shared]);
        options.message_im_subscribed = false;
        options.users.push(SlackUser::new("U0GUEST01", "guest").of_team("T0PARTNER"));
    })
    .await;
    let far = rig.post("C0FARAWAY", json!({ "text": "x" })).await;
    rig.slack.react(ANA, "C0FARAWAY", &far, "eyes", true).unwrap();
    rig.slack.type_text(ANA, "C0FARAWAY", "@slipway help", None).await.unwrap();
    rig.slack.type_text(ANA, "U0SLIPWAY", "@slipway help", None).await.unwrap();
    rig.slack.type_text(ANA, RELEASES, "good morning", None).await.unwrap();
    rig.slack.settled().await;
    assert_eq!(rig.slack.deliveries(), []);
    rig.slack.type_text("U0GUEST01", "C0PARTNER", "@slipway help", None).await.unwrap();
    rig.slack.settled().await;
    let event = rig.app.got().pop().unwrap().json();
    let fields = [&event["is_ext_shared_channel"], &event["team_id"], &event["event"]["user_team"]];
    assert_eq!(json!(fields), json!([true, "T9TK3CUKW", "T0PARTNER"]));
    let command = rig.slack.type_text("U0GUEST01", "C0PARTNER", "/deploy staging", None).await.unwrap_err();
    assert_eq!(command.error, "unknown_command", "commands are for the app's own workspace");
    let shared = rig.post("C0PARTNER", json!({ "text": "x", "blocks": card() })).await;
    rig.slack.press("U0GUEST01", "C0PARTNER", &shared, "approve").await.unwrap();
    assert_eq!(rig.app.got().pop().unwrap().payload()["user"]["team_id"], "T0PARTNER");
    rig.slack.set_scopes(&["chat:write"]);
    let before = rig.slack.deliveries().len();
    rig.slack.react(ANA, "C0PARTNER", &shared, "eyes", true).unwrap();
    rig.slack.settled().await;
    assert_eq!(rig.slack.deliveries().len(), before, "without the scope nothing is heard");
    assert_eq!(Value::Null, rig.slack.state(0)["messages"][0]["key"]);
}
