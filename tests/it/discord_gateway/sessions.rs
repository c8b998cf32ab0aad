//! Sessions that begin, go on, and end.

use super::rig::{TOKEN, quick, rig};
use serde_json::json;
use slipway_deploy::discord::gateway::{DIRECT_MESSAGES, GUILD_MESSAGES, GUILDS};
use slipway_deploy::discord::{GatewayEvent, Resume};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a_session_begins_with_its_guilds_and_events_come_in_order() {
    let rig = rig().await;
    let mut client = rig.open(None);
    assert!(!client.0.ready() && client.0.session().is_none());
    let GatewayEvent::Ready { session_id, resume_url, user_id, guilds, application_id } = client.next().await else {
        panic!("no session");
    };
    assert_eq!([user_id, application_id, resume_url.clone()], ["202", "201", &rig.url]);
    assert_eq!(guilds, ["101", "102"]);
    assert!(client.0.ready());
    assert_eq!(client.0.session(), Some(Resume { session_id, seq: 1, resume_url }));
    for _ in guilds {
        assert_eq!(client.dispatch().await.0, "GUILD_CREATE");
    }
    rig.happen(0..5);
    rig.hub.dispatch(DIRECT_MESSAGES, "MESSAGE_CREATE", json!({ "n": 99 }));
    rig.hub.dispatch(0, "INTERACTION_CREATE", json!({ "n": 5 }));
    assert_eq!(client.numbers(6, true).await, [0, 1, 2, 3, 4, 5]);
    assert_eq!(client.0.session().unwrap().seq, 9);
    assert_eq!((rig.hub.sessions(), rig.hub.identifies(), rig.hub.connected()), (1, 1, true));
}

#[tokio::test]
async fn what_was_missed_is_said_again_and_marked() {
    let rig = rig().await;
    let mut client = rig.begun().await;
    rig.happen([0]);
    assert!(!client.dispatch().await.2);
    rig.hub.drop_connections(None);
    assert_eq!(client.next().await, GatewayEvent::Resumed);
    rig.hub.drop_connections(Some(4000));
    // What is to leave after the end does not leave.
    rig.happen([1, 2]);
    for number in [1, 2] {
        let (_, data, replayed) = client.dispatch().await;
        assert_eq!((data, replayed), (json!({ "n": number }), true));
    }
    assert_eq!(client.next().await, GatewayEvent::Resumed);
    assert!(client.0.ready());
    rig.happen([3]);
    assert!(!client.dispatch().await.2);
    assert_eq!(rig.hub.identifies(), 1);
}

#[tokio::test]
async fn a_restart_goes_on_after_what_was_acknowledged() {
    let rig = rig().await;
    let mut client = rig.begun().await;
    rig.happen(0..4);
    assert_eq!(client.numbers(2, true).await, [0, 1]);
    assert_eq!(client.numbers(2, false).await, [2, 3]);
    let stored = client.0.session().unwrap();
    assert_eq!(stored.seq, 5);
    drop(client);
    rig.until(|hub| !hub.connected()).await;
    rig.happen([4]);
    let mut client = rig.open(Some(stored.clone()));
    assert_eq!(client.0.session().as_ref(), Some(&stored));
    assert_eq!(client.numbers(3, true).await, [2, 3, 4]);
    assert_eq!(client.next().await, GatewayEvent::Resumed);
    assert_eq!((rig.hub.resumes(), rig.hub.identifies()), (vec![5], 1));
    // RESUMED has a number too, and nobody has to acknowledge it.
    assert_eq!(client.0.session().unwrap().seq, 9);
}

#[tokio::test]
async fn a_connection_that_is_asked_to_come_again_does() {
    let rig = rig().await;
    let mut client = rig.begun().await;
    rig.hub.ask_reconnect();
    assert_eq!(client.next().await, GatewayEvent::Resumed);
    rig.hub.invalidate(true);
    assert_eq!(client.next().await, GatewayEvent::Resumed);
    assert_eq!((rig.hub.resumes().len(), rig.hub.identifies()), (2, 1));
}

#[tokio::test]
async fn a_session_that_is_over_is_followed_by_another_one_and_told() {
    let rig = rig().await;
    let mut client = rig.begun().await;
    let first = client.0.session().unwrap();
    rig.hub.invalidate(false);
    assert_eq!(client.next().await, GatewayEvent::InvalidSession);
    assert_eq!(client.0.session(), None);
    assert!(matches!(client.next().await, GatewayEvent::Ready { .. }));
    assert_ne!(client.0.session().unwrap().session_id, first.session_id);
    // What was acknowledged of the old one says nothing of the new one.
    client.0.acknowledge(first.seq);
    assert_eq!(client.0.session().unwrap().seq, 1);
    rig.happen([7]);
    assert_eq!(client.numbers(1, true).await, [7]);
    // A session that cannot go on any more, found out only when it should.
    rig.hub.forget_sessions();
    assert_eq!(client.next().await, GatewayEvent::InvalidSession);
    assert!(matches!(client.next().await, GatewayEvent::Ready { .. }));
    assert_eq!(rig.hub.identifies(), 3);
}

#[tokio::test]
async fn a_session_that_was_left_for_long_is_over() {
    let rig = rig().await;
    let client = rig.begun().await;
    let stored = client.0.session();
    drop(client);
    rig.until(|hub| !hub.connected()).await;
    rig.advance(301);
    let mut client = rig.open(stored);
    assert_eq!(client.next().await, GatewayEvent::InvalidSession);
    assert!(matches!(client.next().await, GatewayEvent::Ready { .. }));
}

#[tokio::test]
async fn heartbeats_carry_what_was_acknowledged() {
    let rig = rig().await;
    let mut client = rig.begun().await;
    rig.happen(0..3);
    assert_eq!(client.numbers(1, true).await, [0]);
    assert_eq!(client.numbers(2, false).await, [1, 2]);
    rig.hub.ask_heartbeat();
    rig.until(|hub| hub.heartbeats().last() == Some(&Some(4))).await;
    client.0.acknowledge(6);
    rig.hub.ask_heartbeat();
    rig.until(|hub| hub.heartbeats().last() == Some(&Some(6))).await;
}

#[tokio::test]
async fn what_discord_refuses_is_not_asked_for_again_and_again() {
    for (token, intents, code) in [("bot-token-wrong", GUILDS, 4004), (TOKEN, 1 << 15, 4014), (TOKEN, 1 << 19, 4013)] {
        let rig = rig().await;
        let mut client = rig.open_with(token, intents, None, quick());
        rig.until(|hub| hub.closes() == [code]).await;
        client.hears_nothing().await;
        assert_eq!((rig.hub.identifies(), rig.hub.closes()), (1, vec![code]));
        assert!(!client.0.ready());
    }
}

#[tokio::test]
async fn what_a_person_mends_works_after_a_while() {
    let rig = rig().await;
    let pace = slipway_deploy::discord::GatewayPace { mend_rest: quick().first_rest, ..quick() };
    let mut client = rig.open_with(TOKEN, GUILDS | GUILD_MESSAGES | 1 << 15, None, pace);
    rig.until(|hub| hub.closes().contains(&4014)).await;
    rig.hub.allow(1 << 15);
    assert!(matches!(client.next().await, GatewayEvent::Ready { .. }));
}

#[tokio::test]
async fn no_session_begins_when_discord_lets_none_begin() {
    let rig = rig().await;
    rig.remaining.store(0, Ordering::SeqCst);
    let mut client = rig.open(None);
    client.hears_nothing().await;
    assert_eq!(rig.hub.identifies(), 0);
    // One that has begun may go on.
    rig.remaining.store(1, Ordering::SeqCst);
    let mut client = rig.begun().await;
    rig.remaining.store(0, Ordering::SeqCst);
    rig.hub.ask_reconnect();
    assert_eq!(client.next().await, GatewayEvent::Resumed);
}

#[tokio::test]
async fn a_token_is_never_told() {
    let rig = rig().await;
    let client = rig.begun().await;
    assert!(!format!("{:?}", client.0).contains("hunter2"));
}
