//! What a pull request that is to be shipped waits for, as its one card says it until it is merged.

use super::around::folded;
use super::play::Play;
use jiff::Timestamp;
use slipway_core::release::Phase;
use slipway_sandbox::front::Seen;
use slipway_sandbox::github::sample::{SampleOptions, propose};
use slipway_sandbox::github::{CiMode, NewPull, NewReview};
use slipway_sandbox::world::ChatOption;

const BRANCH: &str = "feature/comment-threads";

fn opened(play: &Play, number: u64, branch: &str) {
    let (title, author) = ("Comment threads".to_owned(), "eve-dev".to_owned());
    play.world.github.open_pull(NewPull { number, title, author, branch: branch.to_owned() });
}

/// The card of a pull request that is shipped, once it says this.
async fn until_waits(play: &mut Play, number: u64, words: &str) -> Seen {
    let waits = format!("waits for #{number}: ");
    let says = |m: &Seen| {
        let text = folded(&m.text());
        m.is_card() && !m.has_ended() && text.contains(&waits) && text.contains(words)
    };
    play.until(&format!("\"{words}\" on the card of #{number}"), says).await
}

/// How many commits one comes after, as GitHub says.
async fn parents(play: &Play, commit: &str) -> usize {
    let url = format!("{}/repos/acme/goals/commits/{commit}", play.world.github.api_url);
    let request = reqwest::Client::new().get(url).bearer_auth(play.world.github_token());
    let request = request.header("accept", "application/vnd.github+json").header("user-agent", "tests");
    let commit: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    commit["parents"].as_array().unwrap_or_else(|| panic!("{commit}")).len()
}

pub(super) async fn a_pull_request_that_waits_says_for_what_until_it_is_merged(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    opened(&play, 123, BRANCH);
    let head = play.world.git(&["rev-parse", BRANCH]);
    play.world.github.mark_red(&head);
    let review = |who, state| NewReview { who, state, association: "MEMBER" };
    play.world.github.review(123, review("bob-dev", "APPROVED")).await.unwrap();
    play.world.github.review(123, review("chen-dev", "CHANGES_REQUESTED")).await.unwrap();
    play.say("ana", "/release ship 123").await;
    let card = until_waits(&mut play, 123, "chen-dev asks for changes").await;
    let said = folded(&card.text());
    for part in ["check test failed", "approved by bob-dev", "Merged as soon as nothing is missing"] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    play.world.github.review(123, review("chen-dev", "APPROVED")).await.unwrap();
    until_waits(&mut play, 123, "waits for #123: check test failed").await;

    // GitHub's own rules for the branch, which Slipway does not go around.
    play.world.github.protect(Some(&[("scan", None)]), &[]);
    play.world.github.mark_green(&head);
    until_waits(&mut play, 123, "GitHub's rules for main are not met yet").await;
    assert_eq!(play.world.github.merge_of(123), None);
    play.world.github.protect(None, &[]);
    let ended = |m: &Seen| m.key == card.key && m.has_ended();
    let ended = play.until("the end of the same message", ended).await;
    let release = play.release(&ended).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", ended.text(), play.world.bot.log());
    let merge = play.world.github.merge_of(123).unwrap();
    assert_eq!(parents(&play, &merge).await, 1, "one commit of everything, and no merge of two");
    let said = folded(&ended.text());
    assert!(said.starts_with(&format!("● goals → staging · {} is live", &merge[..7])), "{said}");
    assert!(said.contains("Comment threads by eve-dev · merged as"), "{said}");
}

pub(super) async fn a_pull_request_with_conflicts_is_not_merged_and_says_so(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    let authors = SampleOptions::new(Timestamp::now());
    let head = propose(&play.world.repository, &authors, "feature/page", ("docs/77.md", "Mine\n")).unwrap();
    opened(&play, 124, "feature/page");
    play.world.github.mark_green(&head);
    let review = NewReview { who: "bob-dev", state: "APPROVED", association: "MEMBER" };
    play.world.github.review(124, review).await.unwrap();
    // Somebody else has written the same page.
    play.world.merge("Another page (#77)", 77, CiMode::Green).unwrap();
    play.say("ana", "/release ship 124 --dry-run").await;
    let dry = folded(&play.until_end().await.text());
    assert!(dry.contains("#124 would wait: it conflicts with main") && dry.contains("nothing was merged"), "{dry}");
    play.say("ana", "/release ship 124").await;
    let waits = until_waits(&mut play, 124, "it conflicts with main: resolve that").await;
    play.say("ana", "/release cancel").await;
    let ended = |m: &Seen| m.key == waits.key && m.has_ended();
    let ended = play.until("the end of the one that waits", ended).await;
    assert!(ended.text().contains("nothing was merged"), "{}", ended.text());
    assert_eq!(play.world.github.merge_of(124), None);
}
