//! Releases shown on GitHub: deployments and statuses of commits.

use super::{Rig, rig, sha};
use slipway_core::ids::{CommitSha, ReleaseId};
use slipway_core::release::ReportState;
use slipway_deploy::github::{GitHubError, Showing};
use slipway_sandbox::github::{Fault, FaultKind, Permission};

const FIRST: &str = "01JDE5Q7ZK3V8H2M4N6P8R0T2W";
const LATER: &str = "01JDE9Q7ZK3V8H2M4N6P8R0T2W";

struct Show {
    release: ReleaseId,
    commit: CommitSha,
}

impl Show {
    fn new(rig: &Rig, release: &str) -> Self {
        Self { release: release.into(), commit: sha(&rig.sample.head) }
    }

    fn at<'a>(&'a self, rig: &'a Rig, state: ReportState, words: &'a str) -> Showing<'a> {
        Showing {
            repo: &rig.repo,
            commit: &self.commit,
            release: &self.release,
            environment: "staging",
            state,
            words,
            page: Some("https://slipway.acme.dev/releases/1"),
            environment_url: Some("https://staging.goals.acme.dev"),
        }
    }
}

#[tokio::test]
async fn a_release_has_one_deployment_and_says_each_thing_once() {
    let rig = rig().await;
    let show = Show::new(&rig, FIRST);
    let running = show.at(&rig, ReportState::Running, "is being deployed");
    assert_eq!(rig.github.deployment_of(&running).await.unwrap(), None);
    let made = rig.github.create_deployment(&running).await.unwrap();
    assert_eq!(rig.github.deployment_of(&running).await.unwrap(), Some(made), "found again by its payload");
    assert_eq!(rig.github.deployment_of(&Show::new(&rig, LATER).at(&rig, ReportState::Live, "")).await.unwrap(), None);
    assert!(!rig.github.deployment_says(&running, made).await.unwrap());
    rig.github.say_of_deployment(&running, made).await.unwrap();
    assert!(rig.github.deployment_says(&running, made).await.unwrap());
    let live = show.at(&rig, ReportState::Live, "is live");
    assert!(!rig.github.deployment_says(&live, made).await.unwrap());
    rig.github.say_of_deployment(&live, made).await.unwrap();
    let seen = rig.sandbox.deployments();
    assert_eq!((seen.len(), seen[0].environment.as_str(), &seen[0].commit), (1, "staging", &rig.sample.head));
    let said: Vec<_> = seen[0].statuses.iter().map(|s| (s.state.as_str(), s.description.as_str())).collect();
    assert_eq!(said, [("in_progress", "01JDE5Q7 is being deployed"), ("success", "01JDE5Q7 is live")]);
    let last = seen[0].statuses.last().unwrap();
    assert_eq!(last.log_url.as_deref(), Some("https://slipway.acme.dev/releases/1"));
    assert_eq!(last.environment_url.as_deref(), Some("https://staging.goals.acme.dev"));
}

#[tokio::test]
async fn a_commit_says_where_its_newest_release_stands() {
    let rig = rig().await;
    let (first, later) = (Show::new(&rig, FIRST), Show::new(&rig, LATER));
    let waits = first.at(&rig, ReportState::Waiting, "waits for approval");
    let gone = first.at(&rig, ReportState::Withdrawn, "was not deployed: cancelled");
    assert!(rig.github.commit_says(&gone).await.unwrap(), "nothing was said, so nothing is to be taken back");
    assert!(!rig.github.commit_says(&waits).await.unwrap());
    rig.github.say_of_commit(&waits).await.unwrap();
    assert!(rig.github.commit_says(&waits).await.unwrap());
    assert!(!rig.github.commit_says(&gone).await.unwrap());
    let live = later.at(&rig, ReportState::Live, "is live");
    assert!(!rig.github.commit_says(&live).await.unwrap());
    rig.github.say_of_commit(&live).await.unwrap();
    assert!(rig.github.commit_says(&gone).await.unwrap(), "an older release does not speak over a later one");
    let said = rig.sandbox.said_of(&rig.sample.head);
    let said: Vec<_> = said.iter().map(|(context, s)| (context.as_str(), s.state.as_str())).collect();
    assert_eq!(said, [("slipway/staging", "pending"), ("slipway/staging", "success")]);
}

#[tokio::test]
async fn what_cannot_be_said_tells_why_and_whether_it_may_have_been() {
    let rig = rig().await;
    let show = Show::new(&rig, FIRST);
    let running = show.at(&rig, ReportState::Running, "is being deployed");
    let mut said = Vec::new();
    for permission in [Permission::Hidden, Permission::Refused] {
        rig.sandbox.set_reporting(permission, permission);
        said.push(rig.github.create_deployment(&running).await.unwrap_err().to_string());
        said.push(rig.github.say_of_commit(&running).await.unwrap_err().to_string());
    }
    expect_test::expect![[r#"
        GitHub does not show a deployment of acme/goals (permission Deployments: write): it is not there, or the token may not see it.
        GitHub does not show a commit status of acme/goals (permission Commit statuses: write): it is not there, or the token may not see it.
        GitHub does not allow this: a deployment of acme/goals (permission Deployments: write). It says "Resource not accessible by integration". Give the token the missing permission.
        GitHub does not allow this: a commit status of acme/goals (permission Commit statuses: write). It says "Resource not accessible by integration". Give the token the missing permission."#]]
    .assert_eq(&said.join("\n"));
    rig.sandbox.set_reporting(Permission::Given, Permission::Given);
    for (kind, made, unclear) in [
        (FaultKind::Status(502), 0, true),
        (FaultKind::RateLimited { retry_after: 1 }, 0, false),
        (FaultKind::Timeout, 0, true),
        (FaultKind::Garbled, 0, true),
        (FaultKind::LostAnswerAfterAct, 1, true),
    ] {
        let asked = rig.requests("POST /repos/acme/goals/deployments");
        rig.sandbox.inject(Fault { route: "POST /repos/acme/goals/deployments".into(), kind, times: 1 });
        let error = rig.client_for(kind).create_deployment(&running).await.unwrap_err();
        assert_eq!(rig.requests("POST /repos/acme/goals/deployments"), asked + 1, "{kind:?}: sent once");
        assert_eq!((rig.sandbox.deployments().len(), error.may_have_acted()), (made, unclear), "{kind:?}: {error}");
    }
    assert!(rig.github.deployment_of(&running).await.unwrap().is_some(), "the one whose answer was lost");
    let limited = Fault { route: "/statuses".into(), kind: FaultKind::RateLimited { retry_after: 60 }, times: 1 };
    rig.sandbox.inject(limited);
    let error = rig.github.say_of_commit(&running).await.unwrap_err();
    assert!(matches!(error, GitHubError::RateLimited { until: Some(_) }), "{error}");
}
