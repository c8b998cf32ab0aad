//! Socket Mode: tickets, envelopes, acknowledgements, and connections that end.

use super::rig::{ANA, RELEASES, Rig, form, rig_with};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use slipway_sandbox::slack::{DeliveryAnswer, SlackMode};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

struct Connection(WebSocketStream<TcpStream>);

async fn ticket(rig: &Rig) -> String {
    let opened = rig.call_as("xapp-1-sandbox", "apps.connections.open", json!({})).await;
    opened["url"].as_str().unwrap().to_owned()
}

async fn open_at(url: &str) -> Option<Connection> {
    let host = url.trim_start_matches("ws://").split('/').next().unwrap();
    let stream = TcpStream::connect(host).await.unwrap();
    Some(Connection(tokio_tungstenite::client_async(url, stream).await.ok()?.0))
}

async fn open(rig: &Rig) -> Connection {
    let mut connection = open_at(&ticket(rig).await).await.unwrap();
    assert_eq!(connection.next().await.unwrap()["type"], "hello");
    connection
}

impl Connection {
    /// The next text; None when the connection is over.
    async fn next(&mut self) -> Option<Value> {
        loop {
            match self.0.next().await? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    async fn acknowledge(&mut self, envelope: &Value, payload: Option<Value>) {
        let mut said = json!({ "envelope_id": envelope["envelope_id"] });
        if let Some(payload) = payload {
            said["payload"] = payload;
        }
        self.0.send(Message::text(said.to_string())).await.unwrap();
    }
}

async fn rig() -> Rig {
    rig_with(|options| options.mode = SlackMode::Socket).await
}

#[tokio::test]
async fn envelopes_are_answered_in_their_acknowledgements() {
    let rig = rig().await;
    let mut socket = open(&rig).await;
    let typed = rig.slack.type_text(ANA, RELEASES, "/release veto", None);
    let taken = async {
        let envelope = socket.next().await.unwrap();
        assert_eq!(json!([envelope["type"], envelope["accepts_response_payload"]]), json!(["slash_commands", true]));
        assert_eq!(envelope["payload"]["command"], "/release");
        let view = json!({ "trigger_id": envelope["payload"]["trigger_id"], "view": form() });
        let view = rig.call("views.open", view).await["view"]["id"].clone();
        socket.acknowledge(&envelope, Some(json!({ "text": "here" }))).await;
        view
    };
    let (typed, view) = tokio::join!(typed, taken);
    typed.unwrap();
    assert_eq!(rig.slack.transcript(RELEASES), ["→ ana only: slipway: here"]);
    let values = json!({ "reason": { "text": "no" } });
    let sent = rig.slack.submit(ANA, view.as_str().unwrap(), &values);
    let taken = async {
        let envelope = socket.next().await.unwrap();
        assert_eq!(json!([envelope["type"], envelope["accepts_response_payload"]]), json!(["interactive", true]));
        let errors = json!({ "response_action": "errors", "errors": { "reason": "Why?" } });
        socket.acknowledge(&envelope, Some(errors)).await;
    };
    let (sent, ()) = tokio::join!(sent, taken);
    assert_eq!(sent.unwrap_err().errors["reason"], "Why?");
    assert!(rig.app.got().is_empty(), "nothing came over HTTP");
}

#[tokio::test]
async fn events_that_are_not_acknowledged_come_again() {
    let rig = rig().await;
    let mut socket = open(&rig).await;
    rig.waits_ms(2_000);
    let ts = rig.post(RELEASES, json!({ "text": "x" })).await;
    rig.slack.react(ANA, RELEASES, &ts, "eyes", true).unwrap();
    let first = socket.next().await.unwrap();
    let again = socket.next().await.unwrap();
    let shown = |envelope: &Value| json!([envelope["type"], envelope["retry_attempt"], envelope["retry_reason"]]);
    assert_eq!(shown(&first), json!(["events_api", 0, ""]));
    assert_eq!(shown(&again), json!(["events_api", 1, "timeout"]));
    assert_ne!(first["envelope_id"], again["envelope_id"]);
    assert_eq!(first["payload"]["event_id"], again["payload"]["event_id"]);
    socket.acknowledge(&again, None).await;
    rig.slack.settled().await;
    let answers: Vec<_> = rig.slack.deliveries().iter().map(|delivery| delivery.answer).collect();
    assert_eq!(answers, [DeliveryAnswer::TimedOut, DeliveryAnswer::Acknowledged]);
    socket.acknowledge(&first, None).await;
    socket.acknowledge(&again, None).await;
    rig.slack.react(ANA, RELEASES, &ts, "eyes", false).unwrap();
    let last = socket.next().await.unwrap();
    socket.acknowledge(&last, None).await;
    rig.slack.settled().await;
    assert_eq!(rig.slack.strange_acks(), 2, "the late one and the second one");
}

#[tokio::test]
async fn a_command_without_an_acknowledgement_has_failed() {
    let rig = rig().await;
    let nobody = rig.slack.type_text(ANA, RELEASES, "/deploy staging", None).await.unwrap_err();
    assert_eq!(nobody.error, "dispatch_failed");
    let mut socket = open(&rig).await;
    rig.waits_ms(2_000);
    let typed = rig.slack.type_text(ANA, RELEASES, "/deploy staging", None);
    let (slow, envelope) = tokio::join!(typed, socket.next());
    assert_eq!(
        (slow.unwrap_err().error.as_str(), envelope.unwrap()["type"].as_str()),
        ("operation_timeout", Some("slash_commands"))
    );
    assert_eq!(rig.slack.deliveries().len(), 2, "not again");
}

#[tokio::test]
async fn a_connection_breaks_before_the_acknowledgement() {
    let rig = rig().await;
    let mut first = open(&rig).await;
    let mut second = open(&rig).await;
    assert_eq!(rig.slack.connections(), 2);
    let ts = rig.post(RELEASES, json!({ "text": "x" })).await;
    rig.slack.break_after_next_envelope();
    rig.slack.react(ANA, RELEASES, &ts, "eyes", true).unwrap();
    // Whichever of the two has it, the other one gets it again.
    let seen = tokio::join!(first.next(), second.next());
    let (mut whole, lost, again) = match seen {
        (Some(one), Some(other)) if one["retry_attempt"] == 0 => (second, one, other),
        (Some(one), Some(other)) => (first, other, one),
        other => panic!("both get it: {other:?}"),
    };
    assert_eq!(lost["payload"]["event_id"], again["payload"]["event_id"]);
    assert_eq!(again["retry_attempt"], 1);
    whole.acknowledge(&again, None).await;
    rig.slack.settled().await;
    let answers: Vec<_> = rig.slack.deliveries().iter().map(|delivery| delivery.answer).collect();
    assert_eq!(answers, [DeliveryAnswer::ConnectionLost, DeliveryAnswer::Acknowledged]);
    assert_eq!(rig.slack.connections(), 1);
}

#[tokio::test]
async fn connections_end_with_a_word_and_without() {
    let rig = rig().await;
    let mut socket = open(&rig).await;
    rig.slack.send_disconnect("warning");
    assert_eq!(socket.next().await.unwrap()["reason"], "warning");
    rig.slack.send_disconnect("refresh_requested");
    assert_eq!(socket.next().await.unwrap()["reason"], "refresh_requested");
    assert_eq!(socket.next().await, None);
    let mut socket = open(&rig).await;
    rig.slack.break_connections();
    assert_eq!(socket.next().await, None);
}

#[tokio::test]
async fn a_ticket_opens_one_connection_and_soon() {
    let rig = rig().await;
    let url = ticket(&rig).await;
    assert!(url.starts_with("ws://127.0.0.1:"), "{url}");
    let open_now = open_at(&url).await;
    assert!(open_now.is_some());
    assert!(open_at(&url).await.is_none(), "used");
    let late = ticket(&rig).await;
    rig.pass_ms(31_000);
    assert!(open_at(&late).await.is_none(), "too late");
    let mut more = Vec::new();
    for _ in 0..9 {
        more.push(open(&rig).await);
    }
    let mut eleventh = open_at(&ticket(&rig).await).await.unwrap();
    let said = eleventh.next().await.unwrap();
    assert_eq!(json!([said["type"], said["reason"]]), json!(["disconnect", "too_many_websockets"]));
    assert_eq!(eleventh.next().await, None);
}

#[tokio::test]
async fn a_connection_that_answers_no_ping_is_given_up() {
    let rig = rig_with(|options| {
        options.mode = SlackMode::Socket;
        options.limits.ping_every = Duration::from_millis(200);
    })
    .await;
    let mut alive = open(&rig).await;
    // Nobody reads this one, so nothing is answered.
    let _deaf = open(&rig).await;
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    let given_up = async {
        while rig.slack.connections() != 1 {
            looks.tick().await;
        }
    };
    tokio::select! {
        said = alive.next() => panic!("nothing is to come: {said:?}"),
        () = given_up => {}
    }
}
