//! Cancelling, before and after the point of no return.

use super::chat::migrating;
use super::*;
use crate::store::IntentRefused;
use serde_json::json;
use slipway_core::ids::ReleaseId;

/// A release with a migration that runs this step.
async fn at_step(chat: &mut Chat, step: Step) -> ReleaseId {
    let release = chat.planned("ana", &migrating(plan("staging", 1, 3))).await;
    chat.succeeds(&release, "observe_ci", Step::Ci).await;
    chat.succeeds(&release, "observe_image", Step::Image).await;
    if step == Step::Deploy {
        chat.succeeds(&release, "migrate", Step::Migrate).await;
    }
    assert_eq!(chat.release(&release).await.phase, Phase::Running { step });
    release
}

#[tokio::test]
async fn before_an_intent_it_stops_at_once_and_the_action_is_not_taken() {
    for (step, effect) in [(Step::Migrate, "migrate"), (Step::Deploy, "deploy")] {
        let mut chat = Chat::open().await;
        let release = at_step(&mut chat, step).await;
        let leased = chat.lease(&release, effect).await;
        let answer = chat.says("ana", "/release cancel").await;
        assert!(answer.contains("Cancelled. No target was touched"), "{answer}");
        assert_eq!(chat.phase(&release).await, "cancelled");
        assert_eq!(chat.environment("staging").await.running, None);
        let intent = chat.store.effect_intent(&leased, &json!({ "seen": 1 }), None).await;
        assert!(matches!(intent, Err(IntentRefused::Abandoned)), "{intent:?}");
        assert_eq!(chat.effects(&release).await, [""; 0]);
    }
}

#[tokio::test]
async fn after_the_intent_to_migrate_the_run_is_broken_off_unless_it_ends_first() {
    let mut chat = Chat::open().await;
    let release = at_step(&mut chat, Step::Migrate).await;
    let leased = chat.lease(&release, "migrate").await;
    chat.store.effect_intent(&leased, &json!({ "seen": 1 }), None).await.unwrap();
    let answer = chat.says("ana", "/release cancel").await;
    assert!(answer.contains("The migration that runs is broken off and taken back"), "{answer}");
    assert_eq!(chat.phase(&release).await, "running(migrate)");
    assert_eq!(chat.environment("staging").await.running, Some(release.clone()));
    let answer = chat.says("bob", "/release cancel").await;
    assert!(answer.contains("It cannot be cancelled now: it is being stopped already."), "{answer}");
    chat.wait_s(61);
    chat.succeeds(&release, "migrate", Step::Migrate).await;
    assert_eq!(chat.release(&release).await.outcome, Some(Outcome::Cancelled { by: "ana".into(), details: vec![] }));
    assert_eq!(chat.effects(&release).await, [""; 0]);
    assert_eq!(chat.environment("staging").await.live, None);
}

#[tokio::test]
async fn after_the_intent_to_deploy_it_is_too_late() {
    let mut chat = Chat::open().await;
    let release = at_step(&mut chat, Step::Deploy).await;
    let leased = chat.lease(&release, "deploy").await;
    chat.store.effect_intent(&leased, &json!({ "newest": null }), None).await.unwrap();
    let answer = chat.says("ana", "/release cancel").await;
    assert!(answer.contains("the target has begun the deployment"), "{answer}");
    assert_eq!(chat.phase(&release).await, "running(deploy)");
    assert!(chat.store.effect_renew(&leased, 0).await.unwrap());
    chat.wait_s(61);
    chat.deploys(&release).await;
    assert_eq!(chat.phase(&release).await, "succeeded");
}

#[tokio::test]
async fn a_late_outcome_changes_nothing() {
    let mut chat = Chat::open().await;
    let release = at_step(&mut chat, Step::Migrate).await;
    chat.says("ana", "/release cancel").await;
    let before = (chat.release(&release).await, chat.environment("staging").await);
    let recorded = chat.audit().await.len();
    for event in [
        Event::StepSucceeded { step: Step::Migrate, detail: "1 applied".into(), at: chat.now() },
        Event::DeployStarted { target: 0, operation: "op-1".into() },
        Event::TimedOut { at: chat.now() },
        Event::BuildReady,
    ] {
        chat.happened(&release, event).await;
    }
    assert_eq!(before, (chat.release(&release).await, chat.environment("staging").await));
    let kinds: Vec<_> = chat.audit().await.split_off(recorded).into_iter().map(|record| record.kind).collect();
    assert_eq!(kinds, ["outcome_too_late"; 4], "it happened all the same");
    assert_eq!(chat.effects(&release).await, [""; 0]);
    assert_eq!(chat.store.inbox_waiting().await.unwrap(), 0);
}

#[tokio::test]
async fn cancelling_lets_the_next_one_start() {
    let mut chat = Chat::open().await;
    let first = chat.planned("ana", &plan("production", 1, 4)).await;
    chat.wait_s(1);
    let second = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.says("bob", &format!("/release approve {second}")).await;
    assert_eq!(chat.phase(&second).await, "queued");
    chat.says("ana", &format!("/release cancel {first}")).await;
    assert_eq!(chat.phase(&first).await, "cancelled");
    assert_eq!(chat.phase(&second).await, "running(ci)");
}

#[tokio::test]
async fn only_who_asked_and_the_release_team_cancel() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    let answer = chat.says("eve", "/release cancel").await;
    assert!(answer.starts_with("Not allowed: "), "{answer}");
    assert_eq!(chat.phase(&release).await, "awaiting_approval");
    let refused = chat.audit_of("refused").await;
    assert_eq!(
        (refused.len(), &refused[0].body["act"], &refused[0].body["person"]),
        (1, &"cancel".into(), &"eve".into())
    );
    let answer = chat.says("bob", "/release cancel").await;
    assert!(answer.contains("Cancelled. Nothing was started."), "{answer}");
    let answer = chat.says("bob", &format!("/release cancel {release}")).await;
    assert!(answer.contains("There is nothing to cancel"), "{answer}");
    assert_eq!(chat.audit_of("cancel_requested").await.len(), 1);
}
