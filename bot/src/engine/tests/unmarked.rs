//! A mark of known bad is taken away: what was approved before that starts nothing, whichever way it was approved.

use super::together::Group;
use super::*;
use crate::engine::Incoming;
use slipway_core::ids::ReleaseId;
use slipway_core::message::Verb;
use slipway_core::person::Identity;
use slipway_core::policy::Stance;

const CHANNEL: &str = "terminal:releases";
const TAKEN_AWAY: &str = "Your vote was not taken: a mark of known bad was taken away since. Look again, then vote";

/// Another release with the third commit has ended, so that it can be marked.
async fn ended(chat: &mut Chat, what: &str) -> ReleaseId {
    // A release's id begins with its time.
    chat.wait_s(2);
    assert_eq!(chat.says("ana", &format!("/deploy staging {what}")).await, "");
    let other = chat.newest().await;
    chat.outcome(&other, "resolve", Event::Resolved { commit: sha(3), branch: None }).await;
    chat.says("ana", &format!("/release cancel {other}")).await;
    chat.wait_s(2);
    other
}

async fn marks(chat: &mut Chat, other: &ReleaseId, undo: &str) -> String {
    let answer = chat.says("ana", &format!("/release bad {other}{undo}")).await;
    chat.wait_s(2);
    answer
}

#[tokio::test]
async fn a_group_asks_again_when_one_that_follows_is_no_longer_held() {
    let mut group = Group::planned("/deploy production all", "production").await;
    let lead = group.all[0].clone();
    let other = ended(&mut group.chat, "web").await;
    marks(&mut group.chat, &other, "").await;
    group.chat.publishes().await;
    group.chat.presses("bob", &lead, Verb::Approve).await;
    assert_eq!(group.chat.refused_by(&lead).await, ["web/known-bad"]);
    group.chat.wait_s(2);
    let answer = marks(&mut group.chat, &other, " --undo").await;
    assert_eq!(answer.matches("asks for approval again").count(), 1, "{answer}");
    assert_eq!(group.phases().await[0], "awaiting_approval");
    assert_eq!(group.chat.release(&lead).await.votes, []);
    group.chat.publishes().await;
    assert_eq!(group.chat.presses("bob", &lead, Verb::Approve).await, "");
    assert_eq!(group.phases().await[0], "running(ci)");
}

#[tokio::test]
async fn one_that_follows_asks_for_itself_where_its_lead_has_run() {
    let mut group = Group::planned("/deploy production all", "production").await;
    let (lead, web) = (group.all[0].clone(), group.all[1].clone());
    group.chat.publishes().await;
    assert_eq!(group.chat.presses("bob", &lead, Verb::Approve).await, "");
    let other = ended(&mut group.chat, "web").await;
    marks(&mut group.chat, &other, "").await;
    group.runs(0).await;
    assert_eq!(group.chat.refused_by(&web).await, ["known-bad"]);
    let answer = marks(&mut group.chat, &other, " --undo").await;
    assert_eq!(answer.matches("asks for approval again").count(), 1, "{answer}");
    assert_eq!(group.phases().await[..2], ["succeeded", "awaiting_approval"]);
    group.chat.publishes().await;
    assert_eq!(group.chat.says("bob", "/release approve").await, "");
    assert_eq!(group.phases().await[1], "running(ci)");
}

#[tokio::test]
async fn an_approval_from_before_that_comes_after_it_is_none() {
    let reacts = "[service.goals.environment.production]\nreactions = \"vote\"\n";
    let config = chat::CONFIG.replace("[service.goals.environment.production]\n", reacts);
    let mut chat = Chat::with(&config).await;
    let other = ended(&mut chat, "").await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.publishes().await;
    let bob = Identity::Terminal("bob".into());
    let press = |plan: &str| Incoming::Pressed {
        who: bob.clone(),
        channel: CHANNEL.to_owned(),
        message: format!("release/{release}"),
        verb: Verb::Approve,
        plan: Some(plan.to_owned()),
    };
    let before = press(chat.release(&release).await.asked_about().unwrap().as_str());
    let reacted = Incoming::Reacted {
        who: bob.clone(),
        channel: CHANNEL.to_owned(),
        message: format!("release/{release}"),
        stance: Stance::Approve,
        added: true,
        at_us: Some(chat.now().as_microsecond()),
        name: "x".into(),
        found: false,
    };
    chat.wait_s(5);
    marks(&mut chat, &other, "").await;
    // Nobody has voted yet, and nobody is said to be asked again.
    let answer = marks(&mut chat, &other, " --undo").await;
    assert!(!answer.contains("asks for approval again"), "{answer}");
    // The card is the one from before.
    let answer = chat.says("bob", "/release approve").await;
    assert!(answer.starts_with(TAKEN_AWAY), "{answer}");
    chat.publishes().await;
    for early in [before, reacted] {
        let delivery = chat.deliver(&early).await;
        let answer = chat.answer(delivery).await;
        assert!(answer.starts_with(TAKEN_AWAY), "{early:?}: {answer}");
        assert_eq!(chat.release(&release).await.votes, []);
    }
    let again = press(chat.release(&release).await.asked_about().unwrap().as_str());
    chat.deliver(&again).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}
