//! What each kind of Slack's deliveries is heard as. The fixtures are written by hand in the shapes that Slack
//! documents, with values of our own; they were not recorded.

use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use slipway::chat::slack::heard::{self, Delivery, Heard, Unreadable};
use slipway_deploy::slack::{Slack, SocketMessage};
use std::collections::BTreeMap;
use std::path::Path;

const OURS: &str = "T9TK3CUKW";

/// All fixtures by name.
fn fixtures() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/slack");
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let value = match path.extension().unwrap() == "form" {
            true => form(text.trim()),
            false => serde_json::from_str(&text).unwrap(),
        };
        (path.file_name().unwrap().to_str().unwrap().to_owned(), value)
    };
    let all: BTreeMap<_, _> = std::fs::read_dir(folder).unwrap().map(read).collect();
    assert!(all.len() > 40, "{}", all.len());
    all
}

fn form(text: &str) -> Value {
    let url = reqwest::Url::parse(&format!("http://form.invalid/?{text}")).unwrap();
    let fields = url.query_pairs().map(|(name, value)| (name.into_owned(), json!(value)));
    Value::Object(fields.collect())
}

/// By the address that it comes to over HTTP, or the kind of its envelope. None: it carries nothing.
fn hear(value: &Value) -> Option<Result<Delivery, Unreadable>> {
    let payload = &value["payload"];
    Some(match value["type"].as_str() {
        None => heard::command(value.clone()),
        Some("event_callback" | "url_verification" | "app_rate_limited") => heard::event(value.clone()),
        Some("slash_commands") => heard::command(payload.clone()),
        Some("interactive") => heard::interaction(payload.clone()),
        Some("events_api") => heard::event(payload.clone()),
        Some("hello" | "disconnect" | "hologram_calls" | "debug_notice") => return None,
        Some(_) => heard::interaction(value.clone()),
    })
}

fn heard_of(fixture: &str) -> Delivery {
    hear(&fixtures()[fixture]).unwrap().unwrap()
}

#[test]
fn every_kind_of_delivery_is_heard() {
    let shown = fixtures().into_iter().filter_map(|(name, value)| {
        let heard = hear(&value)?.unwrap_or_else(|error| panic!("{name}: {error}"));
        Some(format!("{name}\n{heard:#?}\n"))
    });
    expect_test::expect_file!["heard.txt"].assert_eq(&shown.collect::<Vec<_>>().join("\n"));
}

/// The same with a field that nobody knows in every object, and blocks that nobody knows after the others. What is
/// named by ids (`state.values`) is left as it is for two levels.
fn grown(value: &Value, news: &Value, levels_of_ids: u8) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(|item| grown(item, news, 0)).collect()),
        Value::Object(members) => {
            let mut all = serde_json::Map::new();
            if levels_of_ids == 0 {
                all.insert("a_new_field".to_owned(), news.clone());
            }
            for (name, member) in members {
                let levels = if name == "values" { 2 } else { levels_of_ids.saturating_sub(1) };
                let mut member = grown(member, news, levels);
                if let ("blocks", Some(blocks)) = (name.as_str(), member.as_array_mut()) {
                    blocks.push(json!({ "type": "scent", "block_id": "z1", "notes": [news] }));
                    blocks.push(json!({ "type": 7 }));
                    blocks.push(news.clone());
                }
                all.insert(name.clone(), member);
            }
            Value::Object(all)
        }
        other => other.clone(),
    }
}

#[test]
fn what_slack_adds_changes_nothing() {
    let deep = (0..40).fold(json!("deep"), |inner, _| json!({ "inner": [inner] }));
    let long = "x".repeat(20_000);
    let kinds = [json!(null), json!(true), json!(-1.5e300), json!(long), json!([]), json!({ "type": "x" }), deep];
    for (name, value) in fixtures() {
        let Some(heard) = hear(&value) else { continue };
        let heard = heard.unwrap();
        for news in &kinds {
            let again = hear(&grown(&value, news, 0)).unwrap();
            let again = again.unwrap_or_else(|error| panic!("{name} with {}: {error}", short(news)));
            assert_eq!(again, heard, "{name} with {}", short(news));
        }
    }
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(40).collect()
}

/// A field that is missing may make a delivery unreadable or another one; it is never a panic.
#[test]
fn what_slack_takes_away_is_survived() {
    for (name, value) in fixtures() {
        let mut read = 0;
        for field in value.as_object().unwrap().keys().filter(|field| *field != "payload") {
            let mut less = value.clone();
            less.as_object_mut().unwrap().remove(field);
            read += usize::from(hear(&less).is_some_and(|heard| heard.is_ok()));
        }
        assert!(read > 0 || hear(&value).is_none(), "{name} needs each of its fields");
    }
}

#[test]
fn an_edit_asks_for_nothing() {
    for fixture in ["mention-edited.json", "message-im-changed.json", "message-im-deleted.json"] {
        assert_eq!(heard_of(fixture).heard, Heard::Nothing, "{fixture}");
    }
}

#[test]
fn bots_ask_for_nothing() {
    for fixture in ["mention-by-bot.json", "message-im-by-the-app.json"] {
        assert_eq!(heard_of(fixture).heard, Heard::Nothing, "{fixture}");
    }
}

#[test]
fn a_message_to_the_app_alone_asks_for_something() {
    assert!(matches!(heard_of("message-im.json").heard, Heard::Mention(_)));
    assert_eq!(heard_of("message-channel.json").heard, Heard::Nothing);
}

/// In a channel that began elsewhere `team_id` is that organisation's workspace.
#[test]
fn whose_delivery_it_is_stands_in_the_authorizations() {
    let sender = heard_of("mention-in-shared-channel.json").sender;
    assert_eq!((sender.team.as_deref(), sender.shared_outside), (Some(OURS), true));
    let mut event = fixtures()["mention-in-shared-channel.json"].clone();
    event["authorizations"] = json!([]);
    assert_eq!(heard::event(event.clone()).unwrap().sender.team.as_deref(), Some(OURS));
    event.as_object_mut().unwrap().remove("context_team_id");
    assert_eq!(heard::event(event).unwrap().sender.team.as_deref(), Some("T0PARTNER"));
    let guest = heard_of("mention-by-guest.json").sender;
    assert_eq!((guest.team.as_deref(), guest.user_team.as_deref()), (Some(OURS), Some("T0PARTNER")));
}

/// The address for answers and the trigger are secrets.
#[test]
fn nothing_that_lets_one_answer_is_shown() {
    for (name, value) in fixtures() {
        let Some(Ok(heard)) = hear(&value) else { continue };
        let shown = format!("{heard:?}");
        assert!(!shown.contains("hooks.slack.com"), "{name}: {shown}");
    }
}

/// A Slack that says some frames over one connection and then nothing.
async fn says(frames: Vec<String>) -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let host = listener.local_addr().unwrap();
    let opened = json!({ "ok": true, "url": format!("ws://{host}/link/?ticket=1&app_id=A0KRD7HC3") });
    let link = async move |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async move |mut socket| {
            for frame in frames {
                socket.send(Message::text(frame)).await.unwrap();
            }
            while socket.recv().await.is_some() {}
        })
    };
    let router =
        Router::new().route("/api/apps.connections.open", post(async || Json(opened))).route("/link/", get(link));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{host}/api")
}

#[tokio::test]
async fn every_kind_of_frame_is_read() {
    slipway_deploy::install_crypto_provider();
    let frames: Vec<_> = fixtures().into_iter().filter(|(name, _)| name.starts_with("socket-")).collect();
    let url = says(frames.iter().map(|(_, frame)| frame.to_string()).collect()).await;
    let slack = Slack::new(&url, &"xoxb-sandbox".into()).unwrap();
    let mut socket = slack.open_socket(&"xapp-1-sandbox".into()).await.unwrap();
    let mut said = Vec::new();
    for (name, frame) in frames {
        let read = socket.next().await;
        if let Ok(SocketMessage::Envelope(envelope)) = &read {
            assert_eq!(envelope.payload, frame["payload"], "{name}");
        }
        said.push(match read {
            Ok(message) => format!("{name} {message:?}"),
            Err(error) => format!("{name} {error}"),
        });
    }
    expect_test::expect![[r#"
        socket-command.json Envelope(Envelope { id: "1f0e2d3c-0001-4b5a-8697-08192a3b4c5d", kind: "slash_commands", retry_attempt: 0, .. })
        socket-disconnect-link-disabled.json Disconnect { reason: "link_disabled" }
        socket-disconnect-refresh-requested.json Disconnect { reason: "refresh_requested" }
        socket-disconnect-warning.json Disconnect { reason: "warning" }
        socket-event.json Envelope(Envelope { id: "1f0e2d3c-0004-4b5a-8697-08192a3b4c5d", kind: "events_api", retry_attempt: 1, .. })
        socket-hello.json Hello
        socket-press.json Envelope(Envelope { id: "1f0e2d3c-0002-4b5a-8697-08192a3b4c5d", kind: "interactive", retry_attempt: 0, .. })
        socket-unknown-without-payload.json Slack sent something over Socket Mode that cannot be read: the type debug_notice without an envelope id. It was not acknowledged.
        socket-unknown.json Envelope(Envelope { id: "1f0e2d3c-0005-4b5a-8697-08192a3b4c5d", kind: "hologram_calls", retry_attempt: 0, .. })
        socket-view-submission.json Envelope(Envelope { id: "1f0e2d3c-0003-4b5a-8697-08192a3b4c5d", kind: "interactive", retry_attempt: 0, .. })"#]].assert_eq(&said.join("\n"));
}
