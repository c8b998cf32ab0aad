//! Channels that other organisations are in, channels in which the bot may not post, and other workspaces.

use super::{ANA, BOB, DORA, RELEASES, Workspace};
use serde_json::Value;
use slipway_sandbox::slack::{DeliveryAnswer, DeliveryKind, Mischief, SlackChannel, SlackUser};

#[tokio::test(flavor = "multi_thread")]
async fn votes_count_in_a_channel_that_began_elsewhere() {
    let there = Workspace::http().await;
    let mut channel = SlackChannel::new(RELEASES, "releases");
    (channel.shared_outside, channel.origin_team) = (true, Some("T0ELSEWHERE".to_owned()));
    there.slack.set_channel(channel);
    there.slack.set_user(SlackUser::new("U0OUTSIDE", "mallory").of_team("T0ELSEWHERE"));
    let card = there.production_waits().await;
    there.react("U0OUTSIDE", &card, "white_check_mark", true);
    there.slack.type_text("U0OUTSIDE", RELEASES, "@slipway deploy production", None).await.unwrap();
    there.react(BOB, &card, "white_check_mark", true);
    there.until_shows(&card, "\u{2714} bob (release)").await;
    there.says(BOB, "@slipway status").await;
    there.until_told(BOB, "2 environments").await;
    let events = there.slack.deliveries().into_iter().filter(|d| d.kind == DeliveryKind::Event);
    let events: Vec<_> = events.filter(|d| d.payload["team_id"] == "T0ELSEWHERE").collect();
    assert_eq!(events.len(), 4);
    assert!(
        events.iter().all(|d| d.answer == DeliveryAnswer::Status(200)),
        "Slack would switch events off: {events:?}"
    );
    there.press(DORA, &card, "approve").await;
    let live = there.until_shows(&card, "is live").await;
    assert!(!there.text(&live).contains("mallory") && !there.text(&live).contains("U0OUTSIDE"));
    assert_eq!((there.told("U0OUTSIDE").len(), there.cards().len()), (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_other_workspaces_are_taken_and_mean_nothing() {
    let there = Workspace::http().await;
    let card = there.production_waits().await;
    there.slack.spoil_next(Mischief::OtherTeam);
    there.react(BOB, &card, "white_check_mark", true);
    there.slack.settled().await;
    there.slack.spoil_next(Mischief::OtherTeam);
    there.says(ANA, "@slipway deploy production").await;
    there.slack.settled().await;
    let events = there.slack.deliveries().into_iter().filter(|d| d.kind == DeliveryKind::Event);
    let answers: Vec<_> = events.map(|d| (d.attempt, d.answer)).collect();
    assert_eq!(answers, [(0, DeliveryAnswer::Status(200)); 2]);
    there.caught_up(ANA).await;
    let shown = there.messages(RELEASES).into_iter().find(|m| m["ts"] == card["ts"]).unwrap();
    assert!(!there.text(&shown).contains("\u{2714} bob"), "{}", there.text(&shown));
    assert_eq!(there.cards().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_finds_the_address_there() {
    let there = Workspace::http().await;
    assert_eq!(there.slack.ssl_check().await, DeliveryAnswer::Status(200));
    there.slack.spoil_next(Mischief::OtherSecret);
    assert_eq!(there.slack.ssl_check().await, DeliveryAnswer::Status(401), "of whoever signs it");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_posting_is_restricted_the_asker_is_told_and_it_is_tried_again() {
    let there = Workspace::http().await;
    let mut channel = SlackChannel::new(RELEASES, "releases");
    channel.posting_restricted = true;
    there.slack.set_channel(channel.clone());
    there.says(ANA, "/deploy staging").await;
    there.until_told(ANA, "cannot be shown here").await;
    channel.posting_restricted = false;
    there.slack.set_channel(channel);
    there.until_card("is live").await;
    let told = |text: &&String| text.contains("cannot be shown here");
    assert_eq!(there.told(ANA).iter().filter(told).count(), 1, "once: {:?}", there.slack.transcript(RELEASES));
    let of_the_bot = |m: &&Value| super::is_card(m);
    assert_eq!(there.messages(RELEASES).iter().filter(of_the_bot).count(), 1);
}
