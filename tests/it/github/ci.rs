//! Checks, dispatches, runs, logs.

use super::{PACE, rig, sha};
use slipway_core::facts::CiState;
use slipway_core::ids::ReleaseId;
use slipway_deploy::github::{Conclusion, GitHubError, Progress};
use slipway_sandbox::github::{CiMode, DispatchAnswer, Fault, FaultKind};

const WORKFLOW: &str = "build.yaml";

fn release() -> ReleaseId {
    ReleaseId::from("01JDE5Q7ZK3V8H2M4N6P8R0T2W")
}

/// Until a run is over.
const WHOLE_RUN_MS: i64 = PACE.queued_ms + 2 * PACE.job_ms;

#[tokio::test]
async fn the_head_of_a_branch_is_dispatched_by_its_branch_and_followed() {
    let rig = rig().await;
    let head = sha(&rig.sample.head);
    assert_eq!(rig.github.checks(&rig.repo, &head).await.unwrap().state, CiState::Missing);

    let started = rig.github.dispatch(&rig.repo, WORKFLOW, &head, &release(), Some("main")).await.unwrap();
    assert_eq!((started.used_ref.as_str(), started.temporary_tag), ("main", None));
    let id = started.run_id.unwrap();
    let run = rig.github.run(&rig.repo, id).await.unwrap();
    assert_eq!((run.status, run.conclusion, run.head_sha.as_str()), (Progress::Queued, None, head.as_str()));
    assert_eq!(run.jobs.iter().map(|j| j.name.as_str()).collect::<Vec<_>>(), ["test", "build image"]);

    rig.pass_ms(PACE.queued_ms + PACE.job_ms + 1);
    let run = rig.github.run(&rig.repo, id).await.unwrap();
    assert_eq!((run.status, run.conclusion), (Progress::Running, None));
    assert_eq!((run.jobs[0].conclusion, run.jobs[1].status), (Some(Conclusion::Success), Progress::Running));
    let checks = rig.github.checks(&rig.repo, &head).await.unwrap();
    assert_eq!((checks.state, checks.total, checks.passed), (CiState::Pending, 2, 1));
    assert!(rig.built.lock().unwrap().is_empty());

    rig.pass_ms(PACE.job_ms);
    let run = rig.github.run(&rig.repo, id).await.unwrap();
    assert_eq!((run.status, run.conclusion), (Progress::Completed, Some(Conclusion::Success)));
    assert_eq!(rig.github.checks(&rig.repo, &head).await.unwrap().state, CiState::Green);
    let made = rig.github.runs_for_commit(&rig.repo, WORKFLOW, &head).await.unwrap();
    assert_eq!(made.iter().map(|r| (r.id, r.conclusion)).collect::<Vec<_>>(), [(id, Some(Conclusion::Success))]);
    let built = rig.built.lock().unwrap().clone();
    assert_eq!(built.len(), 1, "the image arrives once, however often somebody asks");
    assert_eq!((built[0].repository.as_str(), built[0].commit.as_str()), ("acme/goals", head.as_str()));
}

#[tokio::test]
async fn any_other_commit_is_dispatched_by_a_temporary_tag() {
    let rig = rig().await;
    let older = sha(&rig.sample.commits[6]);
    // The branch has moved on since somebody resolved it.
    let started = rig.github.dispatch(&rig.repo, WORKFLOW, &older, &release(), Some("main")).await.unwrap();
    let tag = format!("slipway/{}", release());
    assert_eq!((started.used_ref.as_str(), started.temporary_tag.as_deref()), (tag.as_str(), Some(tag.as_str())));
    assert_eq!(rig.sandbox.dispatches()[0].commit, older.as_str());
    assert_eq!(rig.sandbox.temporary_tags(), [tag.as_str()]);

    let again = rig.github.dispatch(&rig.repo, WORKFLOW, &older, &release(), None).await.unwrap();
    assert_eq!(again.temporary_tag.as_deref(), Some(tag.as_str()), "the same tag on the same commit is fine");
    assert_eq!(rig.requests("POST /repos/acme/goals/git/refs"), 1);
    let other = sha(&rig.sample.production);
    let taken = rig.github.dispatch(&rig.repo, WORKFLOW, &other, &release(), None).await.unwrap_err();
    assert!(matches!(taken, GitHubError::TagTaken { .. }), "{taken}");
    assert_eq!(rig.sandbox.dispatches().len(), 2);

    rig.github.delete_tag(&rig.repo, &tag).await.unwrap();
    rig.github.delete_tag(&rig.repo, &tag).await.unwrap();
    assert!(rig.sandbox.temporary_tags().is_empty());
    let refs = std::process::Command::new("git").arg("-C").arg(&rig.sample.path).arg("tag").output().unwrap();
    assert_eq!(String::from_utf8(refs.stdout).unwrap(), "v1.7.3\nv1.8.0\n", "the repository itself is untouched");
}

#[tokio::test]
async fn a_branch_that_nobody_named_is_found_by_its_head() {
    let rig = rig().await;
    let feature = sha(&rig.sample.feature);
    let started = rig.github.dispatch(&rig.repo, WORKFLOW, &feature, &release(), None).await.unwrap();
    assert_eq!((started.used_ref.as_str(), started.temporary_tag), ("feature/comment-threads", None));
}

#[tokio::test]
async fn a_server_that_names_no_run_is_searched() {
    let rig = rig().await;
    let head = sha(&rig.sample.head);
    rig.sandbox.set_dispatch_answer(DispatchAnswer::NoContent);
    let since = rig.now();
    assert_eq!(rig.github.find_run(&rig.repo, WORKFLOW, &head, since).await.unwrap(), None);
    let started = rig.github.dispatch(&rig.repo, WORKFLOW, &head, &release(), Some("main")).await.unwrap();
    assert_eq!(started.run_id, None);
    let first = rig.sandbox.dispatches()[0].run_id;
    assert_eq!(rig.github.find_run(&rig.repo, WORKFLOW, &head, since).await.unwrap(), Some(first));
    rig.pass_ms(5_000);
    let later = rig.now();
    assert_eq!(rig.github.find_run(&rig.repo, WORKFLOW, &head, later).await.unwrap(), None, "that one is older");
    rig.github.dispatch(&rig.repo, WORKFLOW, &head, &release(), Some("main")).await.unwrap();
    let second = rig.sandbox.dispatches()[1].run_id;
    assert_eq!(rig.github.find_run(&rig.repo, WORKFLOW, &head, since).await.unwrap(), Some(second));
}

#[tokio::test]
async fn a_server_that_refuses_the_field_is_asked_without_it() {
    let rig = rig().await;
    let head = sha(&rig.sample.head);
    rig.sandbox.set_dispatch_answer(DispatchAnswer::RefusesField);
    let started = rig.github.dispatch(&rig.repo, WORKFLOW, &head, &release(), Some("main")).await.unwrap();
    assert_eq!((started.run_id, rig.sandbox.dispatches().len(), rig.requests("/dispatches")), (None, 1, 2));
}

#[tokio::test]
async fn a_dispatch_is_never_repeated() {
    let rig = rig().await;
    let head = sha(&rig.sample.head);
    let fault = |kind| Fault { route: "/dispatches".into(), kind, times: 1 };
    for (kind, took_effect, unclear) in [
        (FaultKind::Status(502), 0, true),
        (FaultKind::RateLimited { retry_after: 1 }, 0, false),
        (FaultKind::Status(422), 0, false),
        (FaultKind::Timeout, 0, true),
        (FaultKind::LostAnswerAfterAct, 1, true),
    ] {
        let before = (rig.requests("/dispatches"), rig.sandbox.dispatches().len());
        rig.sandbox.inject(fault(kind));
        let error =
            rig.client_for(kind).dispatch(&rig.repo, WORKFLOW, &head, &release(), Some("main")).await.unwrap_err();
        assert_eq!(rig.requests("/dispatches"), before.0 + 1, "{kind:?}: sent once");
        assert_eq!(rig.sandbox.dispatches().len(), before.1 + took_effect, "{kind:?}");
        assert_eq!(error.may_have_acted(), unclear, "{kind:?}: {error}");
    }
    let found = rig.github.find_run(&rig.repo, WORKFLOW, &head, rig.now()).await.unwrap();
    assert_eq!(found, Some(rig.sandbox.dispatches()[0].run_id), "the run whose answer was lost");
}

#[tokio::test]
async fn what_cannot_be_dispatched_says_so() {
    let rig = rig().await;
    let head = sha(&rig.sample.head);
    let missing = rig.github.dispatch(&rig.repo, "deploy.yaml", &head, &release(), Some("main")).await.unwrap_err();
    assert!(matches!(missing, GitHubError::NotFound { .. }), "{missing}");
    let ghost = sha(&"0".repeat(40));
    let refused = rig.github.dispatch(&rig.repo, WORKFLOW, &ghost, &release(), None).await.unwrap_err();
    assert!(refused.to_string().contains("422"), "{refused}");
    let bad = ReleaseId::from("../../heads/main");
    let bad = rig.github.dispatch(&rig.repo, WORKFLOW, &sha(&rig.sample.production), &bad, None).await.unwrap_err();
    assert!(bad.to_string().contains("no such name"), "{bad}");
    assert!(rig.sandbox.dispatches().is_empty() && rig.sandbox.temporary_tags().is_empty());
}

#[tokio::test]
async fn a_red_run_shows_why() {
    let rig = rig().await;
    let head = sha(&rig.sample.head);
    rig.sandbox.set_ci(CiMode::RedTest);
    let started = rig.github.dispatch(&rig.repo, WORKFLOW, &head, &release(), Some("main")).await.unwrap();
    rig.pass_ms(WHOLE_RUN_MS);
    let run = rig.github.run(&rig.repo, started.run_id.unwrap()).await.unwrap();
    assert_eq!((run.status, run.conclusion), (Progress::Completed, Some(Conclusion::Failure)));
    let [test, image] = &run.jobs[..] else { panic!("{:?}", run.jobs) };
    assert_eq!((test.conclusion, test.failed_step.as_deref()), (Some(Conclusion::Failure), Some("Run go test ./...")));
    assert_eq!((image.conclusion, image.failed_step.as_deref()), (Some(Conclusion::Skipped), None));
    let tail = rig.github.job_log_tail(&rig.repo, test.id, 5).await.unwrap();
    expect_test::expect![[r#"
        --- FAIL: TestLikesAreCountedOnce (0.02s)
            likes_test.go:41: likes of update 7: got 2, want 1
        FAIL
        FAIL	acme.dev/goals/internal/likes	0.031s
        Error: Process completed with exit code 1."#]]
    .assert_eq(&tail.join("\n"));
    let none = rig.github.job_log_tail(&rig.repo, image.id, 5).await.unwrap_err();
    assert!(matches!(none, GitHubError::NotFound { .. }), "{none}");
    let checks = rig.github.checks(&rig.repo, &head).await.unwrap();
    assert_eq!((checks.state, checks.failing), (CiState::Red, vec!["test".to_owned()]));
    assert!(rig.built.lock().unwrap().is_empty());
}

#[tokio::test]
async fn checks_join_runs_and_statuses() {
    let rig = rig().await;
    let (old, staging, head) = (sha(&rig.sample.commits[0]), sha(&rig.sample.staging), sha(&rig.sample.head));
    let state = async |commit| rig.github.checks(&rig.repo, commit).await.unwrap().state;
    assert_eq!((state(&old).await, state(&staging).await), (CiState::Green, CiState::Green), "built long ago");
    let made = rig.github.runs_for_commit(&rig.repo, WORKFLOW, &staging).await.unwrap();
    assert_eq!(made.iter().map(|r| r.conclusion).collect::<Vec<_>>(), [Some(Conclusion::Success)]);
    assert_eq!(state(&head).await, CiState::Missing);

    rig.sandbox.set_status(head.as_str(), "licences", "success");
    assert_eq!(state(&head).await, CiState::Green);
    rig.sandbox.mark_green(head.as_str());
    rig.sandbox.set_status(head.as_str(), "licences", "pending");
    assert_eq!(state(&head).await, CiState::Pending);
    rig.sandbox.set_status(head.as_str(), "licences", "error");
    let red = rig.github.checks(&rig.repo, &head).await.unwrap();
    assert_eq!((red.state, red.total, red.passed, red.failing), (CiState::Red, 3, 2, vec!["licences".to_owned()]));
    rig.sandbox.set_status(head.as_str(), "licences", "success");
    rig.sandbox.hold(head.as_str());
    assert_eq!(state(&head).await, CiState::Pending);
    rig.sandbox.let_go(head.as_str());
    rig.sandbox.mark_red(head.as_str());
    assert_eq!(state(&head).await, CiState::Red);
}

#[tokio::test]
async fn a_green_run_without_image_builds_none() {
    let rig = rig().await;
    let head = sha(&rig.sample.head);
    rig.sandbox.set_ci(CiMode::GreenButNoImage);
    rig.github.dispatch(&rig.repo, WORKFLOW, &head, &release(), Some("main")).await.unwrap();
    rig.pass_ms(WHOLE_RUN_MS);
    assert_eq!(rig.github.checks(&rig.repo, &head).await.unwrap().state, CiState::Green);
    assert!(rig.built.lock().unwrap().is_empty());
}
