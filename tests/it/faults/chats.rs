//! Posting and changing a card goes wrong, in Slack and in Discord. The release does not mind, and the channel ends true.

use super::rig::CALL_LIMIT;
use slipway_core::message::Mark;
use slipway_sandbox::discord;
use slipway_sandbox::front::{Front, Seen};
use slipway_sandbox::slack;
use slipway_sandbox::world::{ChatOption, Options, Pace, World};
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

/// How long a card may take to come to its end.
const END_LIMIT: Duration = Duration::from_secs(60);

/// Where each way in which a message may go wrong is tested: `here`, or a file and its test. What makes no sense says why.
const TESTED: [(&str, &str, &str); 14] = [
    ("slack", "timeout", "here"),
    ("slack", "storm", "slack_chat/trouble.rs storms_pass_and_the_end_is_shown"),
    ("slack", "throttle", "slack_chat/trouble.rs storms_pass_and_the_end_is_shown"),
    ("slack", "half", "here"),
    ("slack", "duplicate", "slack_chat/deliveries.rs what_comes_twice_is_done_once"),
    ("slack", "lost", "slack_chat/trouble.rs an_answer_that_was_lost_doubles_no_message"),
    ("slack", "denied", "slack_chat/sharing.rs where_posting_is_restricted_the_asker_is_told_and_it_is_tried_again"),
    ("discord", "timeout", "here"),
    ("discord", "storm", "discord_chat/trouble.rs storms_pass_and_the_end_is_shown"),
    ("discord", "throttle", "discord_chat/trouble.rs storms_pass_and_the_end_is_shown"),
    ("discord", "half", "here"),
    ("discord", "duplicate", "discord_chat/deliveries.rs what_comes_twice_is_done_once"),
    ("discord", "lost", "discord_chat/trouble.rs an_answer_that_was_lost_doubles_no_message"),
    (
        "discord",
        "denied",
        "discord_chat/answering.rs where_posting_is_forbidden_the_asker_is_told_and_it_is_tried_again",
    ),
];

#[test]
fn what_is_tested_elsewhere_is_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("it");
    for (chat, kind, place) in TESTED {
        let Some((file, test)) = place.split_once(' ') else { continue };
        let text = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        assert!(text.contains(&format!("async fn {test}()")), "{chat}, {kind}: {place}");
    }
}

async fn world(chat: ChatOption) -> World {
    let mut world = World::new(Options { pace: Pace::Fast, sqlite: true, chat, ..Options::default() }).await.unwrap();
    world.bot.kill().unwrap();
    let config = std::fs::read_to_string(&world.config).unwrap();
    std::fs::write(&world.config, config.replacen("[pace]\n", &format!("[pace]\n{CALL_LIMIT}"), 1)).unwrap();
    world.bot.start().await.unwrap();
    world
}

/// Deploys to staging; gives the cards there are once one shows the end.
async fn cards(world: &World) -> Vec<Seen> {
    let mut front: Front = world.front("chats");
    front.say("ana", "/deploy staging").await.unwrap();
    let deadline = Instant::now() + END_LIMIT;
    let mut cards: Vec<Seen> = Vec::new();
    loop {
        for seen in front.news().await.unwrap().into_iter().filter(Seen::is_card) {
            cards.retain(|card| card.key != seen.key);
            cards.push(seen);
        }
        if cards.iter().any(|card| card.mark() == Mark::Live) {
            return cards;
        }
        assert!(Instant::now() < deadline, "no card shows the end: {cards:?}\n{}", world.bot.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_in_slack_that_goes_wrong_is_one_card_with_the_true_end() {
    let world = world(ChatOption::SlackHttp).await;
    let slack = world.slack.clone().unwrap();
    for method in ["chat.postMessage", "chat.update"] {
        for kind in [slack::FaultKind::Timeout, slack::FaultKind::Garbled] {
            slack.inject(slack::Fault { method: method.to_owned(), kind, times: 1 });
        }
    }
    assert_eq!(cards(&world).await.len(), 1, "{}", world.bot.log());
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_in_discord_that_goes_wrong_is_one_card_with_the_true_end() {
    let world = world(ChatOption::Discord).await;
    let there = world.discord.clone().unwrap();
    for route in ["POST /channels/{channel}/messages", "PATCH /channels/{channel}/messages/{message}"] {
        for kind in [discord::FaultKind::Timeout, discord::FaultKind::Garbled] {
            there.inject(discord::Fault::once(route, kind));
        }
    }
    assert_eq!(cards(&world).await.len(), 1, "{}", world.bot.log());
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 1);
}
