//! The Web API: what each method refuses, and what it gives.

use super::rig::{ANA, RELEASES, Rig, START_S, TOKEN, card, form, rig, rig_with};
use serde_json::{Value, json};
use slipway_sandbox::slack::{Fault, FaultKind, SlackChannel, SlackLimits, SlackUser};

fn with(mut base: Value, more: Value) -> Value {
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    base
}

async fn worlds() -> Rig {
    rig_with(|options| {
        let mut far = SlackChannel::new("C0FARAWAY", "far-away");
        far.bot_is_member = false;
        let mut secret = SlackChannel::new("C0SECRET0", "secret");
        (secret.private, secret.bot_is_member) = (true, false);
        let mut old = SlackChannel::new("C0ARCHIVE", "old");
        old.archived = true;
        let mut few = SlackChannel::new("C0FEW0000", "few");
        few.absent.push(ANA.to_owned());
        options.channels.extend([far, secret, old, few]);
    })
    .await
}

#[tokio::test]
async fn what_messages_are_refused_for() {
    let rig = worlds().await;
    let ts = rig.post(RELEASES, json!({ "text": "first" })).await;
    let reply = rig.post(RELEASES, json!({ "text": "answer", "thread_ts": ts })).await;
    let cases = [
        json!({ "text": "x" }),
        json!({ "channel": "C0NOWHERE", "text": "x" }),
        json!({ "channel": "#releases", "text": "x" }),
        json!({ "channel": "U0NOBODY0", "text": "x" }),
        json!({ "channel": "C0SECRET0", "text": "x" }),
        json!({ "channel": "C0ARCHIVE", "text": "x" }),
        json!({ "channel": RELEASES }),
        json!({ "channel": RELEASES, "text": "", "blocks": [] }),
        json!({ "channel": RELEASES, "text": 5 }),
        json!({ "channel": RELEASES, "text": "x", "unfurl_links": "perhaps" }),
        json!({ "channel": RELEASES, "text": "x".repeat(40_001) }),
        json!({ "channel": RELEASES, "blocks": "[{" }),
        json!({ "channel": RELEASES, "blocks": "[1]" }),
        json!({ "channel": RELEASES, "blocks": { "type": "divider" } }),
        json!({ "channel": RELEASES, "text": "x", "thread_ts": "yesterday" }),
        json!({ "channel": RELEASES, "text": "x", "thread_ts": "1503435956.000247" }),
        json!({ "channel": RELEASES, "text": "x", "thread_ts": reply }),
        json!({ "channel": RELEASES, "text": "x", "metadata": "[" }),
        json!({ "channel": RELEASES, "text": "x", "metadata": { "event_type": "a" } }),
        json!({ "channel": RELEASES, "text": "x", "metadata": { "event_type": "a b", "event_payload": {} } }),
        json!({ "channel": RELEASES, "text": "x", "metadata": { "event_type": "a", "event_payload": {}, "b": 1 } }),
        json!({ "channel": RELEASES, "text": "x",
            "metadata": { "event_type": "a", "event_payload": { "key": "k".repeat(8_000) } } }),
    ];
    let mut said = Vec::new();
    for case in cases {
        said.push(rig.refusal("chat.postMessage", case).await);
    }
    expect_test::expect![[r#"
        invalid_arguments [ERROR] missing required field: channel
        channel_not_found
        channel_not_found
        channel_not_found
        channel_not_found
        is_archived
        no_text
        no_text
        invalid_arguments [ERROR] must be a string [json-pointer:/text]
        invalid_arguments [ERROR] must be a boolean: unfurl_links
        msg_too_long
        invalid_blocks_format
        invalid_blocks_format
        invalid_blocks_format
        invalid_thread_ts
        invalid_thread_ts
        cannot_reply_to_message
        invalid_metadata_format
        invalid_metadata_format
        invalid_metadata_format
        invalid_metadata_schema
        metadata_too_large"#]]
    .assert_eq(&said.join("\n"));
    assert_eq!(rig.slack.transcript(RELEASES).len(), 2, "nothing that was refused is there");
    rig.post("C0FARAWAY", json!({ "text": "anybody's channel" })).await;
    rig.slack.set_scopes(&["chat:write"]);
    let far = json!({ "channel": "C0FARAWAY", "text": "x" });
    assert_eq!(rig.refusal("chat.postMessage", far).await, "not_in_channel");
    rig.slack.set_scopes(&["channels:read"]);
    let missing = rig.call("chat.postMessage", json!({ "channel": RELEASES, "text": "x" })).await;
    assert_eq!(
        missing,
        json!({ "needed": "chat:write", "provided": "channels:read",
        "error": "missing_scope", "ok": false })
    );
}

#[tokio::test]
async fn what_changes_are_refused_for() {
    let rig = worlds().await;
    let ts = rig.post(RELEASES, json!({ "text": "ours" })).await;
    rig.slack.type_text(ANA, RELEASES, "hers", None).await.unwrap();
    let hers = rig.slack.state(0)["messages"][1]["ts"].clone();
    let ephemeral = rig.call("chat.postEphemeral", json!({ "channel": RELEASES, "user": ANA, "text": "psst" })).await;
    let base = json!({ "channel": RELEASES, "ts": ts, "text": "new" });
    let mut said = Vec::new();
    for (method, more) in [
        ("chat.update", json!({ "ts": "1.000001" })),
        ("chat.update", json!({ "ts": hers })),
        ("chat.update", json!({ "ts": ephemeral["message_ts"] })),
        ("chat.update", json!({ "channel": ANA })),
        ("chat.update", json!({ "text": "x".repeat(4_001) })),
        ("chat.update", json!({ "text": null })),
        ("chat.delete", json!({ "ts": "1.000001" })),
        ("chat.delete", json!({ "ts": hers })),
        ("chat.postEphemeral", json!({})),
        ("chat.postEphemeral", json!({ "user": "U0NOBODY0" })),
        ("chat.postEphemeral", json!({ "user": ANA, "channel": "C0FEW0000" })),
        ("chat.postEphemeral", json!({ "user": ANA, "channel": "C0FARAWAY" })),
        ("chat.postEphemeral", json!({ "user": ANA, "thread_ts": ephemeral["message_ts"] })),
        ("reactions.get", json!({ "timestamp": null })),
        ("reactions.get", json!({ "timestamp": "soon" })),
        ("reactions.get", json!({ "timestamp": "1.000001" })),
        ("reactions.get", json!({ "timestamp": ts, "channel": "C0FARAWAY" })),
        ("conversations.history", json!({ "channel": "C0FARAWAY" })),
        ("conversations.history", json!({ "channel": "C0SECRET0" })),
        ("conversations.history", json!({ "limit": 1_000 })),
        ("conversations.history", json!({ "limit": "many" })),
        ("conversations.history", json!({ "oldest": "monday" })),
        ("conversations.history", json!({ "latest": "monday" })),
        ("conversations.history", json!({ "cursor": "page 2" })),
        ("conversations.replies", json!({ "ts": "1.000001" })),
        ("conversations.info", json!({ "channel": "C0SECRET0" })),
        ("conversations.open", json!({})),
        ("conversations.open", json!({ "users": "U0NOBODY0" })),
        ("conversations.open", json!({ "users": "U0ANA0001,U0BOB0001" })),
    ] {
        said.push(format!("{method} {}", rig.refusal(method, with(base.clone(), more)).await));
    }
    rig.slack.set_limits(SlackLimits { edit_window_s: Some(60), ..SlackLimits::unlimited() });
    rig.pass_ms(60_000);
    assert_eq!(rig.call("chat.update", base.clone()).await["ok"], true);
    rig.pass_ms(1_000);
    said.push(format!("chat.update {}", rig.refusal("chat.update", base.clone()).await));
    rig.slack.delete("U0BOB0001", RELEASES, &ts).unwrap();
    said.push(format!("chat.update {}", rig.refusal("chat.update", base).await));
    expect_test::expect![[r#"
        chat.update message_not_found
        chat.update cant_update_message
        chat.update message_not_found
        chat.update channel_not_found
        chat.update msg_too_long
        chat.update no_text
        chat.delete message_not_found
        chat.delete cant_delete_message
        chat.postEphemeral invalid_arguments [ERROR] missing required field: user
        chat.postEphemeral user_not_in_channel
        chat.postEphemeral user_not_in_channel
        chat.postEphemeral not_in_channel
        chat.postEphemeral cannot_reply_to_message
        reactions.get no_item_specified
        reactions.get bad_timestamp
        reactions.get message_not_found
        reactions.get not_in_channel
        conversations.history not_in_channel
        conversations.history channel_not_found
        conversations.history invalid_limit
        conversations.history invalid_arguments [ERROR] must be an integer [json-pointer:/limit]
        conversations.history invalid_ts_oldest
        conversations.history invalid_ts_latest
        conversations.history invalid_cursor
        conversations.replies thread_not_found
        conversations.info channel_not_found
        conversations.open invalid_arguments [ERROR] missing required field: users
        conversations.open user_not_found
        conversations.open missing_scope
        chat.update edit_window_closed
        chat.update message_not_found"#]]
    .assert_eq(&said.join("\n"));
}

#[tokio::test]
async fn a_message_is_found_again_by_its_metadata() {
    let rig = rig().await;
    let metadata = json!({ "event_type": "slipway_message", "event_payload": { "key": "release/1" } });
    let ts = rig.post(RELEASES, json!({ "text": "a", "blocks": card(), "metadata": metadata })).await;
    assert!(ts.starts_with(&START_S.to_string()), "{ts}");
    let more: Vec<_> = ["b", "c", "d"].into_iter().collect();
    for text in &more {
        rig.post(RELEASES, json!({ "text": text })).await;
    }
    let reply = rig.post(RELEASES, json!({ "text": "in the thread", "thread_ts": ts, "metadata": metadata })).await;
    let ask = json!({ "channel": RELEASES, "limit": 3, "include_all_metadata": true });
    let first = rig.call("conversations.history", ask.clone()).await;
    let texts =
        |answer: &Value| answer["messages"].as_array().unwrap().iter().map(|m| m["text"].clone()).collect::<Vec<_>>();
    assert_eq!((texts(&first), &first["has_more"]), (vec![json!("d"), json!("c"), json!("b")], &json!(true)));
    let cursor = &first["response_metadata"]["next_cursor"];
    let last = rig.call("conversations.history", with(ask, json!({ "cursor": cursor }))).await;
    assert_eq!((texts(&last), &last["has_more"]), (vec![json!("a")], &json!(false)));
    assert_eq!(last["messages"][0]["metadata"], metadata);
    assert_eq!(last["messages"][0]["reply_count"], 1);
    let plain =
        rig.call("conversations.history", json!({ "channel": RELEASES, "oldest": ts, "inclusive": true })).await;
    assert_eq!(texts(&plain).len(), 4);
    assert_eq!(plain["messages"][3].get("metadata"), None, "only to who asks for it");
    let after = rig.call("conversations.history", json!({ "channel": RELEASES, "oldest": ts })).await;
    assert_eq!(texts(&after).len(), 3, "oldest itself is outside");
    let thread = json!({ "channel": RELEASES, "ts": ts, "include_all_metadata": true, "oldest": ts });
    let thread = rig.call("conversations.replies", thread).await;
    assert_eq!(texts(&thread), ["a", "in the thread"]);
    assert_eq!((&thread["messages"][1]["ts"], &thread["messages"][1]["metadata"]), (&json!(reply), &metadata));
    let updated = rig.call("chat.update", json!({ "channel": RELEASES, "ts": ts, "text": "A" })).await;
    assert_eq!((&updated["message"]["text"], updated["message"].get("blocks")), (&json!("A"), None));
    let kept = json!({ "channel": RELEASES, "latest": ts, "inclusive": true, "include_all_metadata": true });
    assert_eq!(rig.call("conversations.history", kept).await["messages"][0]["metadata"], metadata);
}

#[tokio::test]
async fn a_user_is_written_to_in_the_direct_conversation() {
    let rig = rig().await;
    let posted = rig.call("chat.postMessage", json!({ "channel": ANA, "text": "hello" })).await;
    assert_eq!(posted["channel"], "D0ANA0001");
    let opened = rig.call("conversations.open", json!({ "users": ANA })).await;
    assert_eq!((&opened["channel"]["id"], &opened["already_open"]), (&json!("D0ANA0001"), &json!(true)));
    let edit = json!({ "channel": "D0ANA0001", "ts": posted["ts"], "text": "hello!" });
    assert_eq!(rig.call("chat.update", edit).await["ok"], true);
    let missing = rig.call("conversations.info", json!({ "channel": "D0ANA0001" })).await;
    assert_eq!((&missing["error"], &missing["needed"]), (&json!("missing_scope"), &json!("im:read")));
    expect_test::expect!["slipway (edited 1): hello!"].assert_eq(&rig.slack.transcript("D0ANA0001").join("\n"));
}

#[tokio::test]
async fn who_the_app_is_and_where_it_is() {
    let rig = rig().await;
    let (_, headers, text) = rig.raw("auth.test", json!({})).await.unwrap();
    assert!(headers["x-oauth-scopes"].to_str().unwrap().contains("chat:write,chat:write.public"));
    assert!(text.contains("A0KRD7HC3"));
    let mut shared = SlackChannel::new("C0PARTNER", "partner");
    (shared.shared_outside, shared.private) = (true, true);
    rig.slack.set_channel(shared);
    let info = rig.call("conversations.info", json!({ "channel": "C0PARTNER" })).await;
    let fields = ["name", "is_member", "is_private", "is_archived", "is_ext_shared"];
    let shown: Vec<_> = fields.iter().map(|field| info["channel"][field].clone()).collect();
    assert_eq!(json!(shown), json!(["partner", true, true, false, true]));
    let manifest = rig.call("apps.manifest.export", json!({ "app_id": "A0KRD7HC3" })).await;
    assert_eq!(manifest["error"], "not_allowed_token_type");
    rig.slack.set_manifest(json!({ "display_information": { "name": "Other" } }));
    let asked = json!({ "app_id": "A0KRD7HC3" });
    let manifest = rig.call_as("xoxe.xoxp-1-sandbox", "apps.manifest.export", asked).await;
    assert_eq!(manifest["manifest"]["display_information"]["name"], "Other");
}

#[tokio::test]
async fn calls_that_come_too_often_are_put_off() {
    let rig = rig_with(|options| options.limits = SlackLimits::default()).await;
    let post = json!({ "channel": RELEASES, "text": "x" });
    for _ in 0..5 {
        assert_eq!(rig.raw("chat.postMessage", post.clone()).await.unwrap().0, 200);
    }
    let (status, headers, text) = rig.raw("chat.postMessage", post.clone()).await.unwrap();
    assert_eq!((status, &headers["retry-after"], text.contains("ratelimited")), (429, &"1".parse().unwrap(), true));
    assert_eq!(rig.slack.transcript(RELEASES).len(), 5);
    let other = json!({ "channel": "C0ANNOUNCE", "text": "x" });
    assert_eq!(rig.raw("chat.postMessage", other).await.unwrap().0, 200, "each channel for itself");
    rig.pass_ms(1_000);
    assert_eq!(rig.raw("chat.postMessage", post).await.unwrap().0, 200);
    let ts = rig.slack.last_message(RELEASES).unwrap();
    let edit = json!({ "channel": RELEASES, "ts": ts, "text": "y" });
    let mut taken = 0;
    while rig.raw("chat.update", edit.clone()).await.unwrap().0 == 200 {
        taken += 1;
        assert!(taken <= 50);
    }
    assert_eq!(taken, 50);
    let (_, headers, _) = rig.raw("chat.update", edit).await.unwrap();
    assert_eq!(headers["retry-after"], "2");
}

#[tokio::test]
async fn an_answer_can_be_lost_after_the_call_is_done() {
    let rig = rig().await;
    rig.slack.inject(Fault { method: "chat.postMessage".into(), kind: FaultKind::AnswerLost, times: 1 });
    let lost = rig.raw("chat.postMessage", json!({ "channel": RELEASES, "text": "there" })).await;
    assert!(lost.is_none(), "{lost:?}");
    assert_eq!(rig.slack.transcript(RELEASES), ["slipway: there"]);
    rig.slack.inject(Fault { method: "chat.postMessage".into(), kind: FaultKind::Status(500), times: 1 });
    let failed = rig.raw("chat.postMessage", json!({ "channel": RELEASES, "text": "not there" })).await;
    assert_eq!(failed.unwrap().0, 500);
    assert_eq!(rig.slack.transcript(RELEASES).len(), 1);
}

#[tokio::test]
async fn forms_need_a_fresh_trigger_and_home_tabs_none() {
    let rig = rig().await;
    let trigger = async || {
        rig.slack.type_text(ANA, RELEASES, "/release veto", None).await.unwrap();
        rig.app.got().last().unwrap().form()["trigger_id"].clone()
    };
    let open = |trigger: &Value| json!({ "trigger_id": trigger, "view": form() });
    let used = trigger().await;
    rig.pass_ms(3_000);
    let view = rig.call("views.open", open(&used)).await["view"].clone();
    assert_eq!((&view["callback_id"], &view["root_view_id"]), (&json!("veto"), &view["id"]));
    let late = trigger().await;
    rig.pass_ms(3_001);
    let mut said = vec![
        rig.refusal("views.open", open(&used)).await,
        rig.refusal("views.open", open(&late)).await,
        rig.refusal("views.open", open(&json!("1.2.3"))).await,
        rig.refusal("views.open", json!({ "trigger_id": late })).await,
    ];
    let home = json!({ "type": "home", "blocks": card() });
    let published = rig.call("views.publish", json!({ "user_id": ANA, "view": home.to_string() })).await;
    assert_eq!(published["view"]["type"], "home");
    for (method, call) in [
        ("views.publish", json!({ "user_id": ANA, "view": home, "hash": "old" })),
        ("views.publish", json!({ "user_id": "U0NOBODY0", "view": home })),
        ("views.publish", json!({ "user_id": ANA, "view": form() })),
        ("views.update", json!({ "view_id": "V1", "view": form() })),
        ("views.update", json!({ "view_id": view["id"], "view": form(), "hash": "old" })),
    ] {
        said.push(rig.refusal(method, call).await);
    }
    let update = json!({ "view_id": view["id"], "view": form(), "hash": view["hash"] });
    assert_eq!(rig.call("views.update", update).await["view"]["id"], view["id"]);
    expect_test::expect![[r#"
        exchanged_trigger_id
        expired_trigger_id
        invalid_trigger
        invalid_arguments [ERROR] missing required field: view
        hash_conflict
        invalid_arguments [ERROR] unknown user [json-pointer:/user_id]
        invalid_arguments [ERROR] unsupported type: modal [json-pointer:/view/type]
        not_found
        hash_conflict"#]]
    .assert_eq(&said.join("\n"));
}

#[tokio::test]
async fn whom_a_message_calls_is_known() {
    let rig = rig().await;
    let hostile = "feature/<!channel>-<@U0BOB0001>-@here";
    let escaped = hostile.replace('<', "&lt;").replace('>', "&gt;");
    let literal = json!([{ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [
        { "type": "text", "text": hostile }] }] }]);
    rig.post(RELEASES, json!({ "text": escaped, "blocks": literal })).await;
    assert_eq!(rig.slack.notified(), []);
    rig.post(RELEASES, json!({ "text": hostile })).await;
    rig.post(RELEASES, json!({ "text": "for @dora and @here", "link_names": true })).await;
    rig.post(RELEASES, json!({ "text": "x", "blocks": card() })).await;
    let who: Vec<_> = rig.slack.notified().into_iter().map(|notified| notified.who).collect();
    assert_eq!(who, ["!channel", "U0BOB0001", "U0DORA001", "!here", ANA]);
}

#[tokio::test]
async fn tokens_are_for_their_own_methods() {
    let rig = rig().await;
    let answer = rig.call("apps.connections.open", json!({})).await;
    assert_eq!(answer["error"], "not_allowed_token_type");
    let answer = rig.call_as("xapp-1-sandbox", "auth.test", json!({})).await;
    assert_eq!(answer["error"], "not_allowed_token_type");
    rig.slack.set_app_scopes(&[]);
    let answer = rig.call_as("xapp-1-sandbox", "apps.connections.open", json!({})).await;
    assert_eq!((&answer["error"], &answer["needed"]), (&json!("missing_scope"), &json!("connections:write")));
    rig.slack.revoke_token();
    assert_eq!(rig.call_as(TOKEN, "auth.test", json!({})).await["error"], "token_revoked");
    rig.slack.set_user(SlackUser::new("U0NEW0001", "new"));
    assert_eq!(rig.slack.state(0)["users"][5]["real_name"], "New");
}
