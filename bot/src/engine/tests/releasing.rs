//! From the command to the end of the run.

use super::*;

#[tokio::test]
async fn a_release_runs_from_the_command_to_its_end() {
    let mut chat = Chat::open().await;
    assert_eq!(chat.says("ana", "/deploy staging").await, "");
    let release = chat.newest().await;
    assert_eq!(chat.phase(&release).await, "planning");
    assert_eq!(chat.effects(&release).await, ["resolve", "expire_at"]);
    let resolved = Event::Resolved { commit: sha(3), branch: Some("main".into()) };
    chat.outcome(&release, "resolve", resolved).await;
    assert_eq!(chat.effects(&release).await, ["expire_at", "await_build"]);
    chat.outcome(&release, "await_build", Event::BuildReady).await;
    assert_eq!(chat.environment("staging").await.queue, []);
    chat.gathers(&release, &plan("staging", 1, 3)).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
    let environment = chat.environment("staging").await;
    assert_eq!((environment.running.as_ref(), environment.queue.len()), (Some(&release), 0));
    assert_eq!(chat.effects(&release).await, ["expire_at", "observe_ci"]);
    chat.runs_to_its_end(&release).await;
    assert_eq!(chat.release(&release).await.outcome, Some(Outcome::Live));
    assert_eq!(chat.effects(&release).await, ["announce"]);
    let environment = chat.environment("staging").await;
    let live = environment.live.unwrap();
    assert_eq!((environment.running, live.commit, live.verified), (None, sha(3), true));
}

#[tokio::test]
async fn a_release_has_one_card_in_each_channel() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.runs_to_its_end(&release).await;
    for channel in ["terminal:releases", "terminal:ops"] {
        assert_eq!(chat.count("SELECT count(*) FROM messages WHERE channel = $1", channel).await, 1);
    }
    let due = chat.store.messages_due("", chat.engine.clock.now_ms(), 10).await.unwrap();
    assert_eq!(due.len(), 2);
    let events = chat.store.release_events(&release).await.unwrap();
    for row in due {
        let row = row.unwrap();
        assert_eq!((row.message.release.as_ref(), row.message.body), (Some(&release), None));
        // Every event is a new revision of it.
        assert_eq!(row.wanted, 1 + i64::try_from(events.len()).unwrap());
    }
}

#[tokio::test]
async fn a_release_has_a_card_also_where_it_was_asked_for() {
    let mut chat = Chat::open().await;
    let who = slipway_core::person::Identity::Terminal("ana".into());
    let (channel, text) = ("terminal:elsewhere".to_owned(), "/deploy staging".to_owned());
    chat.deliver(&crate::engine::Incoming::Typed { who, channel, text }).await;
    let release = chat.newest().await;
    let due = chat.store.messages_due("", chat.engine.clock.now_ms(), 10).await.unwrap();
    let mut channels: Vec<_> = due.iter().flatten().map(|row| row.message.channel.as_str()).collect();
    channels.sort_unstable();
    assert_eq!(channels, ["terminal:elsewhere", "terminal:ops", "terminal:releases"]);
    assert!(due.iter().flatten().all(|row| row.message.release.as_ref() == Some(&release)));
}

#[tokio::test]
async fn what_is_stored_of_a_release_is_what_its_events_lead_to() {
    let mut chat = Chat::open().await;
    let id = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.says("bob", "/release approve").await;
    chat.runs_to_its_end(&id).await;
    let stored = chat.release(&id).await;
    let mut replayed = Release::new(id.clone(), stored.request.clone());
    for event in chat.store.release_events(&id).await.unwrap() {
        replayed = slipway_core::release::step(&replayed, &event).unwrap().0;
    }
    assert_eq!(stored.phase, Phase::Succeeded);
    assert_eq!(replayed, stored);
}

#[tokio::test]
async fn a_failed_step_frees_the_environment_and_changes_nothing_live() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    let failure = Failure::new("CI has become red.");
    let failed = Event::StepFailed { step: Step::Ci, failure, rolled_back: false, at: chat.now() };
    chat.outcome(&release, "observe_ci", failed).await;
    assert_eq!(chat.phase(&release).await, "failed");
    assert_eq!(chat.told(&release).await, ["ana: goals → staging failed at ci."]);
    let environment = chat.environment("staging").await;
    assert_eq!((environment.running, environment.live), (None, None));
    assert!(chat.card(&release).await.contains("CI has become red."));
}

#[tokio::test]
async fn a_failed_verification_leaves_the_new_version_live_but_not_verified() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.succeeds(&release, "observe_ci", Step::Ci).await;
    chat.succeeds(&release, "observe_image", Step::Image).await;
    chat.outcome(&release, "deploy", Event::DeployStarted { target: 0, operation: "op-1".into() }).await;
    chat.succeeds(&release, "follow", Step::Deploy).await;
    let failure = Failure::new("It does not answer.");
    let failed = Event::StepFailed { step: Step::Verify, failure, rolled_back: false, at: chat.now() };
    chat.outcome(&release, "verify", failed).await;
    let live = chat.environment("staging").await.live.unwrap();
    assert_eq!((chat.phase(&release).await.as_str(), live.commit, live.verified), ("failed", sha(3), false));
}

#[tokio::test]
async fn who_may_not_ask_starts_nothing() {
    let mut chat = Chat::open().await;
    let answer = chat.says("gus", "/deploy staging").await;
    assert!(answer.starts_with("Not allowed: "), "{answer}");
    assert_eq!(chat.audit_of("request_refused").await.len(), 1);
    let answer = chat.says("mallory", "/deploy staging").await;
    assert!(answer.contains("Slipway does not know you. Nothing was started."), "{answer}");
    assert!(answer.contains("terminal = \"mallory\""), "{answer}");
    assert_eq!(chat.audit_of("unknown_person").await.len(), 1);
    assert_eq!(chat.count("SELECT count(*) FROM releases WHERE id > $1", "").await, 0);
}

#[tokio::test]
async fn an_unknown_word_starts_nothing_and_gets_the_nearest() {
    let mut chat = Chat::open().await;
    let answer = chat.says("ana", "/deploy stagin").await;
    assert!(answer.contains("staging"), "{answer}");
    assert_eq!(chat.count("SELECT count(*) FROM releases WHERE id > $1", "").await, 0);
    let kinds: Vec<_> = chat.audit().await.into_iter().map(|record| record.kind).collect();
    assert_eq!(kinds, ["mistaken"]);
}

#[tokio::test]
async fn a_dry_run_ends_with_its_plan() {
    let mut chat = Chat::open().await;
    chat.says("ana", "/deploy staging --dry-run").await;
    let release = chat.newest().await;
    let resolved = Event::Resolved { commit: sha(3), branch: None };
    chat.outcome(&release, "resolve", resolved).await;
    chat.outcome(&release, "await_build", Event::BuildReady).await;
    chat.gathers(&release, &plan("staging", 1, 3)).await;
    assert_eq!(chat.release(&release).await.outcome, Some(Outcome::DryRun));
    let environment = chat.environment("staging").await;
    assert_eq!((environment.running, environment.queue), (None, vec![]));
}

#[tokio::test]
async fn a_rollback_goes_back_to_the_release_before() {
    let mut chat = Chat::open().await;
    let answer = chat.says("ana", "/rollback staging").await;
    assert!(answer.contains("There is nothing to go back to"), "{answer}");
    for (base, commit) in [(1, 3), (3, 4)] {
        let release = chat.planned("ana", &plan("staging", base, commit)).await;
        chat.wait_s(1);
        chat.runs_to_its_end(&release).await;
        chat.wait_s(1);
    }
    assert_eq!(chat.says("ana", "/rollback staging").await, "");
    let request = chat.release(&chat.newest().await).await.request;
    let slipway_core::release::RequestKind::Rollback { commit, .. } = request.kind else { panic!("{request:?}") };
    assert_eq!(commit, sha(3));
}

#[tokio::test]
async fn a_rollback_never_goes_forward_to_what_was_left() {
    let mut chat = Chat::open().await;
    let mut releases = Vec::new();
    for (base, commit) in [(1, 3), (3, 4)] {
        releases.push(chat.planned("ana", &plan("staging", base, commit)).await);
        chat.wait_s(1);
        chat.runs_to_its_end(&releases[releases.len() - 1]).await;
        chat.wait_s(1);
    }
    assert_eq!(chat.says("ana", "/rollback staging").await, "");
    let back = chat.newest().await;
    let resolved = Event::Resolved { commit: sha(3), branch: None };
    chat.outcome(&back, "resolve", resolved).await;
    let kind = slipway_core::plan::PlanKind::Rollback;
    let to = slipway_core::plan::Plan { kind, base: Some(sha(4)), ..plan("staging", 3, 3) };
    chat.gathers(&back, &to).await;
    chat.runs_to_its_end(&back).await;
    assert_eq!(chat.phase(&back).await, "succeeded");
    // What was left is known to be good, which spares a rollback every approval; but this is none.
    let answer = chat.says("eve", &format!("/rollback staging {}", releases[1].short())).await;
    assert!(
        answer.contains("did not run on goals → staging before what runs there now. Nothing was started."),
        "{answer}"
    );
    assert_eq!(chat.newest().await, back);
}

#[tokio::test]
async fn a_failed_release_is_tried_again_as_another() {
    let mut chat = Chat::open().await;
    let failed = chat.planned("ana", &plan("staging", 1, 3)).await;
    let answer = chat.says("ana", &format!("/release retry {}", failed.short())).await;
    assert!(answer.contains("has not ended yet"), "{answer}");
    let event = Event::StepFailed { step: Step::Ci, failure: Failure::new("Red."), rolled_back: false, at: chat.now() };
    chat.outcome(&failed, "observe_ci", event).await;
    assert_eq!(chat.says("ana", "/release retry").await, "");
    let again = chat.newest().await;
    assert_ne!(again, failed);
    let kind = slipway_core::release::RequestKind::Retry { of: failed, commit: Some(sha(3)), rerun: false };
    assert_eq!(chat.release(&again).await.request.kind, kind);
}
