//! What GitHub is shown of releases and what its webhooks wake, without GitHub.

use super::effects::{executor, outside};
use super::*;
use crate::engine::Incoming;
use slipway_core::ids::ReleaseId;

const REPORTS: &str = "SELECT count(*) FROM effects WHERE release = $1 AND kind = 'report'";
const OPEN_REPORTS: &str =
    "SELECT count(*) FROM effects WHERE release = $1 AND kind = 'report' AND state IN ('pending', 'leased')";

async fn not_before_ms(chat: &Chat, release: &ReleaseId) -> i64 {
    let due = "SELECT not_before FROM effects WHERE release = $1 AND kind = 'await_build' AND state = 'pending'";
    chat.scalar(due, release.as_str()).await.unwrap()
}

#[tokio::test]
async fn a_release_is_reported_when_it_starts_and_when_it_ends() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    assert_eq!(chat.count(REPORTS, release.as_str()).await, 1);
    chat.runs_to_its_end(&release).await;
    assert_eq!(chat.count(OPEN_REPORTS, release.as_str()).await, 2, "its end gives up none of them");
}

#[tokio::test]
async fn a_github_that_cannot_be_reached_changes_nothing_for_the_release() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    let executor = executor(&chat, outside().await);
    let before = chat.release(&release).await;
    for _ in 0..8 {
        let row = chat.lease(&release, "report").await;
        executor.work(row).await;
        chat.handle_all().await;
        chat.wait_s(61);
    }
    assert_eq!(chat.count(OPEN_REPORTS, release.as_str()).await, 0, "it is given up");
    let given_up = chat.audit_of("effect_given_up").await.pop().unwrap();
    assert_eq!(given_up.body["effect"], "report");
    assert_eq!(chat.release(&release).await, before);
    chat.runs_to_its_end(&release).await;
    assert_eq!(chat.release(&release).await.outcome, Some(Outcome::Live));
}

#[tokio::test]
async fn reports_of_a_release_come_one_after_the_other() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.runs_to_its_end(&release).await;
    let first = chat.lease(&release, "report").await;
    let second = chat.lease(&release, "report").await;
    assert!(!chat.store.effect_is_behind(&first).await.unwrap());
    assert!(chat.store.effect_is_behind(&second).await.unwrap());
    // GitHub is not even asked.
    executor(&chat, outside().await).work(second).await;
    let waits = "SELECT failures FROM effects WHERE release = $1 AND kind = 'report' AND state = 'pending'";
    assert_eq!(chat.scalar::<i64>(waits, release.as_str()).await, Some(0));
}

#[tokio::test]
async fn a_webhook_lets_a_build_be_looked_at_earlier() {
    let mut chat = Chat::open().await;
    chat.says("ana", "/deploy staging").await;
    let release = chat.newest().await;
    let resolved = Event::Resolved { commit: sha(3), branch: Some("main".into()) };
    chat.outcome(&release, "resolve", resolved).await;
    let row = chat.lease(&release, "await_build").await;
    let now_ms = chat.engine.clock.now_ms();
    chat.store.effect_again::<Incoming>(&row, now_ms + 60_000, 0, None, &chat.engine.clock).await.unwrap();
    let spoke = |repository: &str| Incoming::GithubSpoke { repository: repository.into() };
    chat.deliver(&spoke("acme/other")).await;
    assert_eq!(not_before_ms(&chat, &release).await, now_ms + 60_000);
    chat.deliver(&spoke("acme/goals")).await;
    assert_eq!(not_before_ms(&chat, &release).await, now_ms + 500);
    chat.wait_s(1);
    chat.deliver(&spoke("acme/goals")).await;
    assert_eq!(not_before_ms(&chat, &release).await, now_ms + 500, "a bunch of them is one look");
    assert_eq!(chat.store.github_heard_ms("acme/goals").await.unwrap(), Some(chat.engine.clock.now_ms()));
    // What rests after a failure, or because GitHub asked for it, rests on.
    let row = chat.lease(&release, "await_build").await;
    let later = chat.engine.clock.now_ms() + 60_000;
    chat.store.effect_again::<Incoming>(&row, later, 1, None, &chat.engine.clock).await.unwrap();
    chat.deliver(&spoke("acme/goals")).await;
    assert_eq!(not_before_ms(&chat, &release).await, later);
}

#[tokio::test]
async fn failed_jobs_are_run_again_only_after_a_red_ci() {
    let mut chat = Chat::open().await;
    let live = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.runs_to_its_end(&live).await;
    let answer = chat.says("ana", &format!("/release retry {live} --rerun")).await;
    assert!(answer.contains("did not fail in CI: there are no jobs to run again. Nothing was started."), "{answer}");
    chat.says("ana", "/deploy staging").await;
    let red = chat.newest().await;
    let resolved = Event::Resolved { commit: sha(4), branch: Some("main".into()) };
    chat.outcome(&red, "resolve", resolved).await;
    let failure = Failure::new("CI is red on 4c1f9e2: job \"test\" failed.");
    let failed = Event::PlanningFailed { step: Some(Step::Ci), failure, at: chat.now() };
    chat.outcome(&red, "await_build", failed).await;
    assert!(chat.card(&red).await.contains("[Re-run failed jobs] [Retry]"), "{}", chat.card(&red).await);
    assert_eq!(chat.presses("ana", &red, slipway_core::message::Verb::Rerun).await, "");
    let again = chat.newest().await;
    let kind = slipway_core::release::RequestKind::Retry { of: red, commit: Some(sha(4)), rerun: true };
    assert_eq!(chat.release(&again).await.request.kind, kind);
}
