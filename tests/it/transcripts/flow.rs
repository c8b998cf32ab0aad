//! Continuous delivery, as the channels read it.

use super::play::Play;
use slipway_core::message::Verb;
use slipway_core::release::{Outcome, Phase};
use slipway_sandbox::aws::FailureMode;
use slipway_sandbox::front::Seen;
use slipway_sandbox::github::CiMode;
use slipway_sandbox::world::ChatOption;

/// What everybody reads beside the cards, once it says this.
async fn until_pause_says(play: &mut Play, words: &str) -> Seen {
    let says = |m: &Seen| m.only_for.is_none() && !m.is_card() && m.text().contains(words);
    play.until(&format!("\"{words}\" about the pause"), says).await
}

pub(super) async fn a_merge_to_main_goes_to_staging_by_itself(chat: ChatOption) {
    let mut play = Play::following_main(chat).await;
    let commit = play.world.merge("Goals page by page (#47)", 47, CiMode::Green).unwrap();
    let card = play.until_end().await;
    let release = play.release(&card).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", card.text(), play.world.bot.log());
    let short = &commit[..7];
    assert!(card.text().starts_with(&format!("● goals → staging · {short} is live")), "{}", card.text());
    let why = format!("started by itself: main is green at {short} (by eve)");
    assert!(card.text().contains(&why), "{}", card.text());
    assert!(release.request.requester.is_slipway() && release.votes.is_empty());
    assert_eq!(play.world.github.dispatches().len(), 0, "the push has built it");
    play.say("ana", "/release status staging").await;
    let status = play.until_told("ana", "1 environment").await;
    assert!(status.text().contains("goals → staging follows main: "), "{}", status.text());
}

pub(super) async fn a_lock_holds_what_would_begin_and_says_so_once(chat: ChatOption) {
    let mut play = Play::following_main(chat).await;
    play.say("bob", "/release lock staging \"load test\"").await;
    play.until_told("bob", "load test").await;
    play.world.merge("Goals page by page (#47)", 47, CiMode::Green).unwrap();
    let paused = until_pause_says(&mut play, "nothing starts by itself: locked by").await;
    assert!(paused.text().contains("/release unlock staging goals"), "{}", paused.text());
    let newest = play.world.merge("Goals by colour (#48)", 48, CiMode::Green).unwrap();
    play.say("bob", "/release unlock staging").await;
    let over = until_pause_says(&mut play, "releases start by themselves again: it is unlocked").await;
    assert_eq!(over.id, paused.id, "the same message");
    let mut known = Vec::new();
    loop {
        let refs: Vec<&Seen> = known.iter().collect();
        let card = play.until_end_of_another(&refs).await;
        let release = play.release(&card).await;
        assert_eq!(release.phase, Phase::Succeeded, "{}", card.text());
        if release.commit.as_ref().is_some_and(|commit| commit.as_str() == newest) {
            break;
        }
        known.push(card);
    }
}

pub(super) async fn a_failure_stops_it_until_somebody_resumes_it(chat: ChatOption) {
    let mut play = Play::following_main(chat).await;
    play.world.aws.fail_next_deployment(&play.world.staging_arn, FailureMode::RollsBack);
    let first = play.world.merge("Goals page by page (#47)", 47, CiMode::Green).unwrap();
    let failed = play.until_end().await;
    assert!(matches!(play.release(&failed).await.outcome, Some(Outcome::RolledBack { .. })), "{}", failed.text());
    let paused = until_pause_says(&mut play, "was rolled back by AWS").await;
    let said = paused.text();
    assert!(said.contains(&format!("nothing starts by itself: {} was rolled back", &first[..7])), "{said}");
    assert!(said.contains("/release resume staging goals"), "{said}");
    let next = play.world.merge("Goals by colour (#48)", 48, CiMode::Green).unwrap();
    play.press("ana", &paused, Verb::Resume).await;
    play.until_told("ana", "goals → staging · releases start by themselves again.").await;
    until_pause_says(&mut play, "releases start by themselves again: resumed by").await;
    // What failed may begin once more before the newer one is green.
    let mut known = vec![failed];
    loop {
        let refs: Vec<&Seen> = known.iter().collect();
        let card = play.until_end_of_another(&refs).await;
        let release = play.release(&card).await;
        assert_eq!(release.phase, Phase::Succeeded, "{}", card.text());
        if release.commit.as_ref().is_some_and(|commit| commit.as_str() == next) {
            break;
        }
        known.push(card);
    }
}
