//! The side of the people, in Rust and over HTTP.

use super::rig::{ANA, RELEASES, card, form, rig};
use serde_json::json;

const BOB: &str = "U0BOB0001";

#[tokio::test]
async fn what_slack_does_not_let_people_do() {
    let rig = rig().await;
    let ts = rig.post(RELEASES, json!({ "text": "x", "blocks": card() })).await;
    let secret = json!({ "channel": RELEASES, "user": ANA, "text": "psst", "blocks": card() });
    let secret = rig.call("chat.postEphemeral", secret).await["message_ts"].clone();
    let mut said = Vec::new();
    for (what, wish) in [
        ("type", json!({ "user": "U0NOBODY0", "channel": RELEASES, "text": "hi" })),
        ("type", json!({ "user": ANA, "channel": "C0NOWHERE", "text": "hi" })),
        ("type", json!({ "user": ANA, "channel": RELEASES, "text": " " })),
        ("type", json!({ "user": ANA, "channel": RELEASES, "text": "/dploy staging" })),
        ("type", json!({ "user": ANA, "channel": RELEASES, "text": "/deploy staging", "thread_ts": ts })),
        ("type", json!({ "user": ANA, "channel": RELEASES, "text": "hi", "thread_ts": "1.000001" })),
        ("press", json!({ "user": ANA, "channel": RELEASES, "ts": ts, "action_id": "explode" })),
        ("press", json!({ "user": ANA, "channel": RELEASES, "ts": "1.000001", "action_id": "approve" })),
        ("press", json!({ "user": BOB, "channel": RELEASES, "ts": secret, "action_id": "approve" })),
        ("press", json!({ "user": ANA, "home": true, "action_id": "approve" })),
        ("react", json!({ "user": ANA, "channel": RELEASES, "ts": ts, "name": ":x:", "added": true })),
        ("react", json!({ "user": ANA, "channel": RELEASES, "ts": ts, "name": "x", "added": false })),
        ("react", json!({ "user": ANA, "channel": RELEASES, "ts": secret, "name": "x", "added": true })),
        ("submit", json!({ "user": ANA, "view_id": "V1", "values": {} })),
        ("dismiss", json!({ "user": ANA, "view_id": "V1" })),
        ("home", json!({ "user": "U0NOBODY0" })),
        ("delete", json!({ "user": BOB, "channel": RELEASES, "ts": secret })),
    ] {
        said.push(format!("{what} {}", rig.person(what, wish).await));
    }
    expect_test::expect![[r#"
        type {"ok":false,"error":"user_not_found"}
        type {"ok":false,"error":"channel_not_found"}
        type {"ok":false,"error":"no_text"}
        type {"ok":false,"error":"unknown_command","shown":"/dploy is not a valid command."}
        type {"ok":false,"error":"not_in_threads","shown":"/deploy is not supported in threads. Sorry!"}
        type {"ok":false,"error":"thread_not_found"}
        press {"ok":false,"error":"no_such_button"}
        press {"ok":false,"error":"message_not_found"}
        press {"ok":false,"error":"message_not_found"}
        press {"ok":false,"error":"view_not_found"}
        react {"ok":false,"error":"invalid_name"}
        react {"ok":false,"error":"no_reaction"}
        react {"ok":false,"error":"message_not_found"}
        submit {"ok":false,"error":"view_not_found"}
        dismiss {"ok":false,"error":"view_not_found"}
        home {"ok":false,"error":"user_not_found"}
        delete {"ok":false,"error":"message_not_found"}"#]]
    .assert_eq(&said.join("\n"));
    assert_eq!(rig.slack.deliveries(), []);
}

#[tokio::test]
async fn a_conversation_as_people_see_it() {
    let rig = rig().await;
    let metadata = json!({ "event_type": "slipway_message", "event_payload": { "key": "release/1" } });
    let ts = rig.post(RELEASES, json!({ "text": "goals", "blocks": card(), "metadata": metadata })).await;
    let before = rig.look("").await;
    assert_eq!(before["messages"][0]["key"], "release/1");
    let seq = before["seq"].as_u64().unwrap();
    let query = format!("after={seq}&wait_ms=20000");
    let news = rig.look(&query);
    let typed =
        rig.person("type", json!({ "user": ANA, "channel": RELEASES, "text": "@slipway why?", "thread_ts": ts }));
    let (news, typed) = tokio::join!(news, typed);
    assert_eq!(typed, json!({ "ok": true }));
    let texts: Vec<_> = news["messages"].as_array().unwrap().iter().map(|message| message["text"].clone()).collect();
    assert_eq!(texts, ["<@U0SLIPWAY> why?"], "only what is new");
    for (user, name) in [(ANA, "white_check_mark"), (BOB, "white_check_mark"), (BOB, "x")] {
        let wish = json!({ "user": user, "channel": RELEASES, "ts": ts, "name": name, "added": true });
        assert_eq!(rig.person("react", wish).await, json!({ "ok": true }));
    }
    rig.slack.react(BOB, RELEASES, &ts, "x", false).unwrap();
    let full = rig.call("reactions.get", json!({ "channel": RELEASES, "timestamp": ts, "full": true })).await;
    assert_eq!(full["message"]["reactions"], json!([{ "name": "white_check_mark", "users": [ANA, BOB], "count": 2 }]));
    rig.call("chat.postEphemeral", json!({ "channel": RELEASES, "user": ANA, "text": "a &lt;b&gt;" })).await;
    rig.call("chat.update", json!({ "channel": RELEASES, "ts": ts, "text": "goals", "blocks": card() })).await;
    let gone = rig.post(RELEASES, json!({ "text": "soon gone" })).await;
    rig.person("delete", json!({ "user": BOB, "channel": RELEASES, "ts": gone })).await;
    rig.slack.settled().await;
    expect_test::expect![[r#"
        slipway (edited 1): goals to staging
            waits for @ana
            [Approve] [Veto]
            :white_check_mark: ana, bob
            ana: @slipway why?
        → ana only: slipway: a <b>"#]]
    .assert_eq(&rig.slack.transcript(RELEASES).join("\n"));
    let state = rig.look("").await;
    let last = state["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["text"], &last["deleted"]), (&json!("soon gone"), &json!(true)));
    let history = rig.call("conversations.history", json!({ "channel": RELEASES })).await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 1, "the deleted one and the answers are not there");
}

#[tokio::test]
async fn a_form_is_filled_in() {
    let rig = rig().await;
    rig.slack.type_text(ANA, RELEASES, "/release veto", None).await.unwrap();
    let trigger = rig.app.got()[0].form()["trigger_id"].clone();
    let view = rig.call("views.open", json!({ "trigger_id": trigger, "view": form() })).await["view"].clone();
    assert_eq!(rig.look("").await["modals"][0]["view_id"], view["id"]);
    let submit = async |text: &str, choice: &str| {
        let values = json!({ "reason": { "text": text }, "kind": { "choice": choice } });
        rig.person("submit", json!({ "user": ANA, "view_id": view["id"], "values": values })).await
    };
    let sent_before = rig.slack.deliveries().len();
    let early = [submit("", "").await, submit("much too long for this field", "").await, submit("no", "none").await];
    assert!(early.iter().all(|answer| answer["errors"].is_object()), "{early:?}");
    assert_eq!(rig.slack.deliveries().len(), sent_before, "Slack itself looked at them");
    rig.app.will_say(&json!({ "response_action": "errors", "errors": { "reason": "Say more." } }));
    assert_eq!(submit("no", "risk").await["errors"], json!({ "reason": "Say more." }));
    rig.app.will_say(&json!({ "response_action": "errors", "errors": { "other": "?" } }));
    assert_eq!(submit("no", "risk").await["error"], "invalid_response_action");
    rig.app.will(super::rig::Reply::Body(500, String::new()));
    assert_eq!(submit("no", "risk").await["error"], "dispatch_failed");
    let mut next = form();
    next["title"]["text"] = json!("Really?");
    rig.app.will_say(&json!({ "response_action": "update", "view": next }));
    assert_eq!(submit("no", "risk").await, json!({ "ok": true }));
    let open = rig.look("").await["modals"].clone();
    assert_eq!((&open[0]["view"]["title"]["text"], open.as_array().unwrap().len()), (&json!("Really?"), 1));
    assert_eq!(submit("because", "").await, json!({ "ok": true }));
    assert_eq!(rig.look("").await["modals"], json!([]));
    let sent = rig.app.got().last().unwrap().payload();
    assert_eq!(sent["view"]["private_metadata"], "release/1");
    expect_test::expect![[r#"{"reason":{"text":{"type":"plain_text_input","value":"because"}},"kind":{"choice":{"type":"static_select","selected_option":null}}}"#]].assert_eq(&sent["view"]["state"]["values"].to_string());
}

#[tokio::test]
async fn a_form_is_closed_and_a_home_tab_pressed() {
    let rig = rig().await;
    let open = async || {
        rig.slack.type_text(ANA, RELEASES, "/release veto", None).await.unwrap();
        let trigger = rig.app.got().last().unwrap().form()["trigger_id"].clone();
        let mut view = form();
        view["notify_on_close"] = json!(true);
        rig.call("views.open", json!({ "trigger_id": trigger, "view": view })).await["view"]["id"].clone()
    };
    let id = open().await;
    assert_eq!(rig.person("dismiss", json!({ "user": ANA, "view_id": id })).await, json!({ "ok": true }));
    assert_eq!(rig.app.got().last().unwrap().payload()["type"], "view_closed");
    let id = open().await;
    rig.app.will_say(&json!({ "response_action": "clear" }));
    let values = json!({ "reason": { "text": "no" } });
    rig.slack.submit(ANA, id.as_str().unwrap(), &values).await.unwrap();
    assert_eq!(rig.look("").await["modals"], json!([]));
    rig.person("home", json!({ "user": ANA })).await;
    rig.slack.settled().await;
    let event = rig.app.got().last().unwrap().json();
    assert_eq!(json!([event["event"]["type"], event["event"]["tab"]]), json!(["app_home_opened", "home"]));
    let home = json!({ "type": "home", "blocks": card() });
    rig.call("views.publish", json!({ "user_id": ANA, "view": home })).await;
    let pressed = json!({ "user": ANA, "home": true, "action_id": "approve" });
    assert_eq!(rig.person("press", pressed).await, json!({ "ok": true }));
    let press = rig.app.got().last().unwrap().payload();
    assert_eq!(press["container"]["type"], "view");
    assert_eq!((press.get("response_url"), press.get("channel")), (None, None));
    assert_eq!(press["actions"][0]["value"], "release/1");
    assert_eq!(rig.look("").await["homes"][0]["user"], ANA);
}

#[tokio::test]
async fn a_message_is_waited_for_and_remembers_what_it_showed() {
    let rig = rig().await;
    let ts = rig.post(RELEASES, json!({ "text": "waits" })).await;
    let edit = json!({ "channel": RELEASES, "ts": ts, "text": "x", "blocks": card() });
    let (found, edited) = tokio::join!(rig.slack.wait_for(RELEASES, "[Veto]"), rig.call("chat.update", edit));
    assert_eq!((found.as_deref(), &edited["ok"]), (Some(ts.as_str()), &json!(true)));
    let last = "goals to staging\nwaits for @ana\n[Approve] [Veto]";
    assert_eq!(rig.slack.versions(RELEASES, &ts), ["waits", last]);
    assert_eq!(rig.slack.versions(RELEASES, "1.000001"), [""; 0]);
}

#[tokio::test]
async fn the_page_is_served() {
    let rig = rig().await;
    let page = reqwest::get(rig.slack.page_url()).await.unwrap().text().await.unwrap();
    assert!(page.contains("<!doctype html>"), "{page}");
}
