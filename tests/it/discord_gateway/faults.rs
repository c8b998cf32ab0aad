//! A gateway that does not do what it should.

use super::rig::{quick, rig};
use slipway_deploy::discord::gateway::{GUILD_MESSAGES, GUILDS};
use slipway_deploy::discord::{GatewayEvent, GatewayPace};
use std::time::Duration;

#[tokio::test]
async fn a_gateway_that_loses_every_second_event_loses_nothing() {
    let rig = rig().await;
    rig.hub.faults().drop_every(Some(2));
    let mut client = rig.open(None);
    assert!(matches!(client.next().await, GatewayEvent::Ready { .. }));
    rig.happen(0..40);
    assert_eq!(client.numbers(40, true).await, (0..40).collect::<Vec<_>>());
    assert_eq!(rig.hub.identifies(), 1);
    assert!(rig.hub.resumes().len() >= 20, "{:?}", rig.hub.resumes());
}

#[tokio::test]
async fn a_gateway_that_loses_every_third_event_while_they_happen_loses_nothing() {
    let rig = rig().await;
    rig.hub.faults().drop_every(Some(3));
    let mut client = rig.open(None);
    assert!(matches!(client.next().await, GatewayEvent::Ready { .. }));
    let mut heard = Vec::new();
    for number in (0..60).step_by(3) {
        rig.happen(number..number + 3);
        // The last of them may be lost without a trace until the next one comes.
        heard.extend(client.numbers(1, true).await);
    }
    rig.hub.faults().drop_every(None);
    rig.happen([60]);
    heard.extend(client.numbers(61 - heard.len(), true).await);
    assert_eq!(heard, (0..61).collect::<Vec<_>>());
    assert_eq!(rig.hub.identifies(), 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_asked_for_again() {
    let rig = rig().await;
    let mut client = rig.begun().await;
    rig.happen([0]);
    rig.hub.garble();
    rig.happen([1]);
    assert_eq!(client.numbers(2, true).await, [0, 1]);
    assert_eq!((rig.hub.resumes().len(), rig.hub.identifies()), (1, 1));
}

#[tokio::test]
async fn a_session_of_which_nothing_can_be_used_is_given_up() {
    let rig = rig().await;
    let mut client = rig.begun().await;
    rig.hub.faults().drop_every(Some(1));
    rig.hub.drop_connections(None);
    rig.happen([0, 1]);
    // All is lost, so nothing tells that anything is. Discord saying that it cannot go on does.
    rig.hub.faults().invalid_resumable(true);
    rig.hub.drop_connections(None);
    assert_eq!(client.next().await, GatewayEvent::InvalidSession);
    rig.hub.faults().drop_every(None);
    assert!(matches!(client.next().await, GatewayEvent::Ready { .. }));
}

#[tokio::test]
async fn a_heartbeat_without_an_acknowledgement_ends_the_connection_and_not_the_session() {
    let rig = rig().await;
    rig.hub.faults().no_ack(true);
    rig.hub.faults().heartbeat_every(Duration::from_millis(20));
    let mut client = rig.begun().await;
    rig.until(|hub| !hub.heartbeats().is_empty()).await;
    assert_eq!(client.next().await, GatewayEvent::Resumed);
    rig.hub.faults().no_ack(false);
    rig.happen([0]);
    assert_eq!(client.numbers(1, true).await, [0]);
    assert_eq!(rig.hub.identifies(), 1);
}

#[tokio::test]
async fn a_gateway_that_does_not_greet_is_left() {
    let rig = rig().await;
    rig.hub.faults().silent(true);
    let pace = GatewayPace { hello_within: Duration::from_millis(20), ..quick() };
    let mut client = rig.open_with(super::rig::TOKEN, GUILDS | GUILD_MESSAGES, None, pace);
    client.hears_nothing().await;
    rig.hub.faults().silent(false);
    // A greeting may come late on a busy machine; one will come in time.
    assert!(matches!(client.next().await, GatewayEvent::Ready { .. }));
}

#[tokio::test]
async fn many_events_wait_for_a_slow_listener_and_the_connection_lives() {
    let rig = rig().await;
    rig.hub.faults().heartbeat_every(Duration::from_millis(20));
    let mut client = rig.begun().await;
    rig.happen(0..1_500);
    // The listener takes nothing, and hearts beat on.
    let before = rig.hub.heartbeats().len();
    rig.until(|hub| hub.heartbeats().len() > before + 3).await;
    assert_eq!(client.numbers(1_500, true).await, (0..1_500).collect::<Vec<_>>());
    assert_eq!(rig.hub.identifies(), 1);
}
