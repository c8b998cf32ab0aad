//! What may ship, as it is typed and read in every chat: commits of another branch, marks of a commit, soaks that are over.

use super::around::folded;
use super::play::Play;
use slipway_core::release::{Outcome, Phase};
use slipway_sandbox::front::Seen;
use slipway_sandbox::world::ChatOption;

/// A release to staging goes live.
async fn on_staging(play: &mut Play, reference: &str, known: &[&Seen]) -> Seen {
    play.say("ana", format!("/deploy staging {reference}").trim_end()).await;
    let card = play.until_end_of_another(known).await;
    assert_eq!(play.release(&card).await.outcome, Some(Outcome::Live), "{}\n{}", card.text(), play.world.bot.log());
    card
}

pub(super) async fn a_commit_of_another_branch_says_what_it_takes_out(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    let main = on_staging(&mut play, "", &[]).await;
    assert!(!main.text().contains(" out"), "{}", main.text());
    play.say("ana", "/deploy staging feature/comment-threads --dry-run").await;
    let dry = play.until_end_of_another(&[&main]).await;
    let said = folded(&dry.text());
    for part in ["takes 3 commits out that run now: ", "Nested comment order", "Profile links", "Likes on updates"] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    assert!(said.contains("1 migration applied here that this commit does not have: "), "{said}");
    let side = on_staging(&mut play, "feature/comment-threads", &[&main, &dry]).await;
    let said = folded(&side.text());
    assert!(said.contains("is live · took 3 commits out") && said.contains("that ran before: "), "{said}");
    let plan = play.release(&side).await.plan.unwrap();
    let out: Vec<_> = plan.takes_out.commits.iter().map(|commit| commit.sha.as_str()).collect();
    assert_eq!((plan.takes_out.total, out[0]), (3, play.world.head.as_str()), "newest first");
}

pub(super) async fn a_mark_is_on_every_release_of_its_commit(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    let older = on_staging(&mut play, "feature/comment-threads", &[]).await;
    let newer = on_staging(&mut play, "", &[&older]).await;
    play.say("ana", "/rollback staging").await;
    let back = play.until_end_of_another(&[&older, &newer]).await;
    assert_eq!(play.release(&back).await.outcome, Some(Outcome::Live), "{}", back.text());
    let first = play.release(&older).await.id;
    play.say("bob", &format!("/release bad {} \"loses sessions\"", first.short())).await;
    let is_marked = |m: &Seen| m.key == back.key && m.text().contains("known bad");
    let card = play.until("the mark on what is live", is_marked).await;
    assert!(card.text().contains("is live again") && card.text().contains("loses sessions"), "{}", card.text());
    play.say("ana", "/release history staging").await;
    let history = play.until_told("ana", "The 3 newest releases").await.text();
    assert!(history.matches("known bad").count() >= 2, "{history}");
}

pub(super) async fn what_staging_has_passed_is_not_waited_for(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.say("ana", "/deploy staging").await;
    let staging = play.until_end().await;
    let plan = play.release(&staging).await.plan.unwrap();
    let (passed, head) = (plan.commits[1].sha.clone(), play.world.head[..7].to_owned());
    play.say("ana", &format!("/deploy production {passed}")).await;
    let words = format!("refused: staging has moved on to {head}");
    let card = play.until("that staging is further", |m| m.is_card() && m.text().contains(&words)).await;
    let said = folded(&card.text());
    assert!(said.contains(&format!("/deploy production {head} brings that")), "{said}");
    assert_eq!(play.release(&card).await.phase, Phase::Queued, "{said}");
    assert_eq!(play.count(|m| m.text().contains("waits for your approval")), 0, "nobody is asked");
}
