//! How strict the stand-in is with an app that does not do what it should.

use super::rig::{Rig, TOKEN, rig};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

struct Raw(WebSocketStream<TcpStream>);

/// What came: a frame, or the code with which the connection was closed.
#[derive(Debug, PartialEq)]
enum Came {
    Frame(Value),
    Closed(Option<u16>),
}

impl Raw {
    async fn open(url: &str) -> Self {
        let host = url.trim_start_matches("ws://").split('/').next().unwrap();
        let stream = TcpStream::connect(host).await.unwrap();
        Self(tokio_tungstenite::client_async(url, stream).await.unwrap().0)
    }

    /// A connection that was greeted.
    async fn greeted(rig: &Rig) -> Self {
        let mut raw = Self::open(&format!("{}?v=10&encoding=json", rig.url)).await;
        let Came::Frame(hello) = raw.next().await else { panic!("no greeting") };
        assert_eq!(hello["op"], 10);
        raw
    }

    /// A connection with a session: its id.
    async fn begun(rig: &Rig) -> (Self, String) {
        let mut raw = Self::greeted(rig).await;
        raw.say(identify(TOKEN, 513)).await;
        let Came::Frame(ready) = raw.next().await else { panic!("no session") };
        assert_eq!((&ready["t"], &ready["s"]), (&json!("READY"), &json!(1)));
        for seq in [2, 3] {
            let Came::Frame(guild) = raw.next().await else { panic!("no guild") };
            assert_eq!((&guild["t"], &guild["s"]), (&json!("GUILD_CREATE"), &json!(seq)));
        }
        let id = ready["d"]["session_id"].as_str().unwrap().to_owned();
        (raw, id)
    }

    async fn say(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    async fn next(&mut self) -> Came {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Came::Frame(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(close))) => return Came::Closed(close.map(|close| close.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Came::Closed(None),
            }
        }
    }

    /// The code with which the connection is closed, whatever comes before.
    async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Came::Closed(code) = self.next().await {
                return code;
            }
        }
    }
}

fn identify(token: &str, intents: u64) -> Value {
    let properties = json!({ "os": "linux", "browser": "b", "device": "d" });
    json!({ "op": 2, "d": { "token": token, "intents": intents, "properties": properties } })
}

fn resume(token: &str, session: &str, seq: u64) -> Value {
    json!({ "op": 6, "d": { "token": token, "session_id": session, "seq": seq } })
}

#[tokio::test]
async fn an_app_that_says_something_wrong_is_cut_off() {
    let rig = rig().await;
    for (said, code) in [
        (identify("wrong", 513), 4004),
        (identify(TOKEN, 1 << 1), 4014),
        (identify(TOKEN, 1 << 40), 4013),
        (json!({ "op": 2, "d": { "token": TOKEN } }), 4002),
        (json!({ "op": 42, "d": {} }), 4001),
        (json!({ "op": 3, "d": {} }), 4003),
        (resume("wrong", "s", 1), 4004),
    ] {
        let mut raw = Raw::greeted(&rig).await;
        raw.say(said.clone()).await;
        assert_eq!(raw.closed().await, Some(code), "{said}");
    }
    for (said, code) in [
        (identify(TOKEN, 513), 4005),
        (resume(TOKEN, "s", 1), 4005),
        (json!({ "op": 1, "d": 99 }), 4007),
        (json!({ "op": 42, "d": {} }), 4001),
    ] {
        let (mut raw, _) = Raw::begun(&rig).await;
        raw.say(said.clone()).await;
        assert_eq!(raw.closed().await, Some(code), "{said}");
    }
}

#[tokio::test]
async fn a_session_goes_on_only_where_it_was() {
    let rig = rig().await;
    let (raw, session) = Raw::begun(&rig).await;
    drop(raw);
    rig.until(|hub| !hub.connected()).await;
    let mut raw = Raw::greeted(&rig).await;
    raw.say(resume(TOKEN, &session, 4)).await;
    assert_eq!(raw.closed().await, Some(4007));
    let mut raw = Raw::greeted(&rig).await;
    raw.say(resume(TOKEN, "another", 1)).await;
    assert_eq!(raw.next().await, Came::Frame(json!({ "op": 9, "d": false })));
    // After that it may begin another one over the same connection.
    raw.say(resume(TOKEN, &session, 2)).await;
    let Came::Frame(guild) = raw.next().await else { panic!("nothing is said again") };
    assert_eq!((&guild["t"], &guild["s"]), (&json!("GUILD_CREATE"), &json!(3)));
    let Came::Frame(resumed) = raw.next().await else { panic!("it does not go on") };
    assert_eq!((&resumed["t"], &resumed["s"]), (&json!("RESUMED"), &json!(4)));
    // Only one connection has it.
    let mut other = Raw::greeted(&rig).await;
    other.say(resume(TOKEN, &session, 4)).await;
    assert_eq!(raw.closed().await, None);
}

#[tokio::test]
async fn more_than_120_frames_a_minute_are_too_many() {
    let rig = rig().await;
    let (mut raw, _) = Raw::begun(&rig).await;
    for _ in 0..119 {
        raw.say(json!({ "op": 1, "d": 3 })).await;
    }
    rig.until(|hub| hub.heartbeats().len() == 119).await;
    assert!(rig.hub.connected());
    raw.say(json!({ "op": 1, "d": 3 })).await;
    assert_eq!(raw.closed().await, Some(4008));
}

#[tokio::test]
async fn a_heart_that_does_not_beat_ends_the_connection() {
    let rig = rig().await;
    rig.hub.faults().heartbeat_every(Duration::from_millis(1));
    rig.hub.faults().heartbeat_grace(Duration::from_millis(50));
    let mut raw = Raw::greeted(&rig).await;
    assert_eq!(raw.closed().await, Some(4009));
}

#[tokio::test]
async fn another_version_or_encoding_is_not_spoken() {
    let rig = rig().await;
    for query in ["", "?v=9&encoding=json", "?v=10&encoding=etf", "?v=10&encoding=json&compress=zlib-stream"] {
        let mut raw = Raw::open(&format!("{}{query}", rig.url)).await;
        assert_eq!(raw.next().await, Came::Closed(Some(4012)), "{query}");
    }
}
