//! What may not go on to production: what is known of that beforehand, and what is known to be bad.

use super::around::folded;
use super::play::Play;
use slipway_core::message::Mark;
use slipway_core::release::{Outcome, Phase};
use slipway_sandbox::front::Seen;
use slipway_sandbox::github::CiMode;
use slipway_sandbox::world::{ChatOption, Promotion};
use std::time::Duration;

const CLOSED: &str = "@id(\"shop-closed\")
@why(\"The shop is closed.\")
forbid (principal, action == Action::\"execute\", resource)
when { resource.environment == Environment::\"production\" };";

/// For longer than the timekeeper needs to look at what could go on.
const LOOKED_AT: Duration = Duration::from_secs(3);

fn is_suggestion(message: &Seen) -> bool {
    message.mark() == Mark::Waiting && message.text().contains("ready to deploy")
}

async fn on_staging(play: &mut Play, line: &str, known: &[&Seen]) -> Seen {
    play.say("ana", line).await;
    let on_staging = |m: &Seen| {
        m.is_card() && m.has_ended() && m.text().contains("→ staging") && known.iter().all(|card| card.key != m.key)
    };
    let card = play.until("the end of a release to staging", on_staging).await;
    assert_eq!(play.release(&card).await.phase, Phase::Succeeded, "{}\n{}", card.text(), play.world.bot.log());
    card
}

pub(super) async fn what_may_not_go_on_yet_is_not_suggested_and_whoever_asks_reads_why(chat: ChatOption) {
    let mut play = Play::promoting(chat, Promotion::Suggested).await;
    play.soak_s(2, 7_200);
    on_staging(&mut play, "/deploy staging", &[]).await;
    play.watch_for(LOOKED_AT).await;
    play.say("bob", "/release status").await;
    let status = folded(&play.until_told("bob", "for production from ").await.text());
    assert!(!status.contains("ready for production"), "{status}");
    play.say("bob", "/release why deploy production").await;
    let why = folded(&play.until_told("bob", "would be refused for").await.text());
    for part in ["soak-2s", "It must have run on the environment before this one", "clears by itself at"] {
        assert!(why.contains(part), "{part} is missing:\n{why}");
    }
    assert_eq!(play.count(is_suggestion), 0, "its time has not come");

    play.rules("closed", Some(CLOSED));
    play.soak_s(7_200, 2);
    play.watch_for(LOOKED_AT).await;
    play.say("chen", "/release status").await;
    let status = folded(&play.until_told("chen", "2 environments").await.text());
    assert!(!status.contains("for production"), "{status}");
    play.say("chen", "/release why deploy production").await;
    let why = folded(&play.until_told("chen", "would be refused for").await.text());
    assert!(why.contains("shop-closed The shop is closed.") && !why.contains("soak-2s"), "{why}");
    assert_eq!(play.count(is_suggestion), 0, "policy would not let it run");

    play.rules("closed", None);
    let suggested = play.until("the suggestion", is_suggestion).await;
    let short = &play.world.head[..7];
    assert!(suggested.text().contains(&format!("{short} is ready to deploy")), "{}", suggested.text());
    play.say("dora", "/release status").await;
    play.until_told("dora", "ready for production").await;
}

pub(super) async fn what_is_marked_afterwards_does_not_go_on_and_is_not_gone_back_to(chat: ChatOption) {
    let mut play = Play::promoting(chat, Promotion::Automatic).await;
    play.rules("closed", Some(CLOSED));
    let good = on_staging(&mut play, "/deploy staging feature/comment-threads", &[]).await;
    let bad = on_staging(&mut play, "/deploy staging", &[&good]).await;
    play.say("bob", "/release bad staging \"loses sessions\"").await;
    play.until("the news in the channel", |m| {
        m.only_for.is_none() && !m.is_card() && m.text().contains("loses sessions")
    })
    .await;
    play.rules("closed", None);
    play.watch_for(LOOKED_AT).await;
    play.say("bob", "/release status").await;
    let status = folded(&play.until_told("bob", "2 environments").await.text());
    assert!(status.contains("known bad") && !status.contains("for production"), "{status}");
    assert_eq!(play.cards().len(), 2, "what is known to be bad has not begun by itself");

    let newest = play.world.merge("Goals page by page (#47)", 47, CiMode::Green).unwrap();
    let newer = on_staging(&mut play, "/deploy staging", &[&good, &bad]).await;
    let card = play.until_asked_for_approval().await;
    let production = play.release(&card).await;
    assert_eq!(production.commit.as_ref().map(|commit| commit.as_str()), Some(newest.as_str()), "{}", card.text());
    assert!(production.request.requester.is_slipway());

    let back = on_staging(&mut play, "/rollback staging", &[&good, &bad, &newer]).await;
    let (back_to, good_one) = (play.release(&back).await, play.release(&good).await);
    assert_eq!((&back_to.outcome, &back_to.commit), (&Some(Outcome::Live), &good_one.commit), "{}", back.text());
    let short = good_one.commit.as_ref().unwrap().short();
    assert!(back.text().contains(&format!("{short} is live again")), "{}", back.text());
    // Of what Slipway has brought nothing good is left, but it knows what ran before.
    let before = on_staging(&mut play, "/rollback staging", &[&good, &bad, &newer, &back]).await;
    assert!(before.text().contains("what ran before Slipway's first release"), "{}", before.text());
    play.say("ana", "/rollback staging").await;
    play.until_told("ana", "There is nothing to go back to").await;
}
