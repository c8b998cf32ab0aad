//! Somebody deploys past Slipway: noticed once, named, and the next plan starts from what is there.

use super::*;
use crate::engine::Incoming;
use expect_test::{Expect, expect};
use slipway_core::environment::{Look, TargetRuns};
use slipway_core::ids::ReleaseId;
use slipway_core::plan::Plan;
use slipway_core::release::RequestKind;

pub(super) fn runs(commit: u32) -> TargetRuns {
    let digest = plan("staging", 1, commit).image.digest;
    TargetRuns {
        target: "goals-staging".into(),
        image: format!("registry/goals@{digest}"),
        digest: Some(digest),
        commit: Some(sha(commit)),
        operation: Some("UPDATE_SERVICE 7d0c, began 14:02 UTC".into()),
    }
}

pub(super) async fn looks(chat: &mut Chat, runs: TargetRuns) {
    let look = Look { runs: vec![runs], at: chat.now(), tag: None };
    chat.deliver(&Incoming::TargetsSeen { environment: chat::key("staging"), look }).await;
    chat.handle_all().await;
}

async fn brought(chat: &mut Chat, base: u32, commit: u32) -> ReleaseId {
    let release = chat.planned("ana", &plan("staging", base, commit)).await;
    chat.wait_s(1);
    chat.runs_to_its_end(&release).await;
    chat.wait_s(60);
    release
}

/// The one message about what was brought by hand.
async fn said(chat: &Chat) -> String {
    let keys =
        chat.scalars("SELECT DISTINCT key FROM messages WHERE key LIKE $1 AND body IS NOT NULL", "by-hand/%").await;
    match keys.as_slice() {
        [] => String::new(),
        [key] => chat.posted(key).await,
        more => panic!("{more:?}"),
    }
}

fn check(expected: &Expect, text: &str) {
    expected.assert_eq(&format!("{}\n", text.trim_end()));
}

#[tokio::test]
async fn what_somebody_deployed_is_told_once_and_is_over_with_the_next_release() {
    let mut chat = Chat::open().await;
    brought(&mut chat, 1, 3).await;
    looks(&mut chat, runs(3)).await;
    assert_eq!(said(&chat).await, "");
    looks(&mut chat, runs(5)).await;
    let told = said(&chat).await;
    check(
        &expect![[r#"
            goals → staging · 0000000 was deployed past Slipway, which had brought 0000000
            goals-staging: UPDATE_SERVICE 7d0c, began 14:02 UTC
            The next plan starts from what runs there, and what waited is planned again.
            Back to 0000000: /rollback staging goals · forward: /deploy staging goals
        "#]],
        &told,
    );
    chat.wait_s(300);
    looks(&mut chat, runs(5)).await;
    assert_eq!(said(&chat).await, told);
    let status = chat.says("bob", "/release status").await;
    check(
        &expect![[r#"
            2 environments · nothing runs, nothing waits
            goals       version    since  by            health
            production  not known  –      –             –
            staging     0000000    5 min  past Slipway  not verified
            staging: Slipway had brought 0000000
        "#]],
        &status,
    );
    assert_eq!(chat.audit_of("deployed_past_slipway").await.len(), 1);

    brought(&mut chat, 5, 6).await;
    check(
        &expect![[r#"
            goals → staging · 0000000 runs: 0000000, deployed past Slipway, is gone
            0000000 ran for 5 min.
        "#]],
        &said(&chat).await,
    );
    assert_eq!(chat.environment("staging").await.by_hand, None);
}

#[tokio::test]
async fn a_way_back_is_named_only_where_there_is_one() {
    let mut chat = Chat::open().await;
    let first = brought(&mut chat, 1, 3).await;
    chat.says("eve", &format!("/release bad {}", first.short())).await;
    looks(&mut chat, runs(5)).await;
    let told = said(&chat).await;
    let forward = "No way back: nothing good that ran before is known. Forward: /deploy staging goals";
    assert!(told.contains(forward) && !told.contains("/rollback"), "{told}");
    let answer = chat.says("ana", "/rollback staging").await;
    assert!(answer.contains("known to be bad"), "{answer}");
}

#[tokio::test]
async fn what_slipway_had_brought_may_come_back_by_hand_too() {
    let mut chat = Chat::open().await;
    brought(&mut chat, 1, 3).await;
    looks(&mut chat, runs(5)).await;
    chat.wait_s(120);
    looks(&mut chat, runs(3)).await;
    check(
        &expect![[r#"
            goals → staging · 0000000 runs: 0000000, deployed past Slipway, is gone
            0000000 ran for 2 min.
        "#]],
        &said(&chat).await,
    );
    let here = chat.environment("staging").await;
    assert_eq!((here.by_hand, here.live.unwrap().since), (None, chat.now()), "it soaks anew");
    assert_eq!(chat.audit_of("deployed_past_slipway").await.len(), 2);
}

#[tokio::test]
async fn a_rollback_leaves_it_for_what_slipway_had_brought() {
    let mut chat = Chat::open().await;
    let first = brought(&mut chat, 1, 3).await;
    let second = brought(&mut chat, 3, 4).await;
    looks(&mut chat, runs(5)).await;
    assert_eq!(chat.says("ana", "/rollback staging").await, "");
    let kind = chat.release(&chat.newest().await).await.request.kind;
    let RequestKind::Rollback { to, from, .. } = kind else { panic!("{kind:?}") };
    assert_eq!((to, from), (second, None));
    // By hand to the first: then the first is no way back, and the one after it is.
    chat.wait_s(60);
    looks(&mut chat, runs(3)).await;
    chat.says("ana", "/release cancel").await;
    chat.wait_s(60);
    chat.says("ana", &format!("/rollback staging {first}")).await;
    let kind = chat.release(&chat.newest().await).await.request.kind;
    assert!(matches!(&kind, RequestKind::Rollback { to, .. } if *to == first), "{kind:?}");
}

#[tokio::test]
async fn what_waits_is_planned_anew_and_does_not_run_as_it_was_approved() {
    let mut chat = Chat::open().await;
    brought(&mut chat, 1, 3).await;
    chat.says("bob", "/release lock staging \"load test\"").await;
    let waits = chat.planned("ana", &plan("staging", 3, 4)).await;
    assert_eq!(chat.phase(&waits).await, "queued");
    chat.wait_s(1);
    looks(&mut chat, runs(5)).await;
    chat.says("bob", "/release unlock staging").await;
    assert_eq!(chat.phase(&waits).await, "queued", "what it was planned on is gone");
    assert!(chat.effects(&waits).await.iter().any(|effect| effect.contains("gather")), "it is planned again");
    let planned = Plan { base: Some(sha(5)), ..plan("staging", 3, 4) };
    chat.gathers(&waits, &planned).await;
    assert_eq!(chat.release(&waits).await.plan.unwrap().base, Some(sha(5)));
}
