//! Checks that have to pass: by name, or as branch protection says.

use super::{Rig, TOKEN, client, rig, sha};
use slipway_core::facts::{CiFact, CiState};
use slipway_deploy::github::{GitHubError, Required};
use slipway_sandbox::github::{Fault, FaultKind, Permission};
use std::time::Duration;

/// The App that reports the jobs of GitHub Actions in the stand-in.
const ACTIONS: i64 = 15_368;

async fn judged(rig: &Rig, required: &Required) -> Result<CiFact, GitHubError> {
    rig.github.required_checks(&rig.repo, &sha(&rig.sample.head), required).await
}

fn named(names: &[&str]) -> Required {
    Required::Named(names.iter().map(|name| (*name).to_owned()).collect())
}

#[tokio::test]
async fn named_checks_alone_count() {
    let rig = rig().await;
    rig.sandbox.mark_green(&rig.sample.head);
    rig.sandbox.set_status(&rig.sample.head, "flaky", "failure");
    assert_eq!(judged(&rig, &Required::All).await.unwrap().state, CiState::Red);
    let green = judged(&rig, &named(&["test", "build image"])).await.unwrap();
    assert_eq!((green.state, green.total, green.passed), (CiState::Green, 2, 2));
    let lacking = judged(&rig, &named(&["test", "security scan"])).await.unwrap();
    assert_eq!((lacking.state, &lacking.missing[..]), (CiState::Missing, &["security scan".to_owned()][..]));
    rig.sandbox.mark_red(&rig.sample.head);
    let red = judged(&rig, &named(&["test"])).await.unwrap();
    assert_eq!((red.state, red.failing), (CiState::Red, vec!["test".to_owned()]));
}

#[tokio::test]
async fn what_slipway_says_itself_is_no_check() {
    let rig = rig().await;
    rig.sandbox.set_status(&rig.sample.head, "slipway/staging", "pending");
    assert_eq!(judged(&rig, &Required::All).await.unwrap().state, CiState::Missing);
    rig.sandbox.mark_green(&rig.sample.head);
    let green = judged(&rig, &Required::All).await.unwrap();
    assert_eq!((green.state, green.total), (CiState::Green, 2));
    // A branch may be protected by what is live; that is no reason to wait for oneself.
    rig.sandbox.protect(Some(&[("slipway/staging", None), ("test", None)]), &[]);
    assert_eq!(judged(&rig, &Required::Protection).await.unwrap().state, CiState::Green);
}

#[tokio::test]
async fn branch_protection_and_rulesets_are_joined() {
    let rig = rig().await;
    rig.sandbox.mark_green(&rig.sample.head);
    rig.sandbox.protect(Some(&[("test", Some(ACTIONS))]), &[("build image", Some(ACTIONS)), ("licences", None)]);
    let lacking = judged(&rig, &Required::Protection).await.unwrap();
    assert_eq!((lacking.state, lacking.total, lacking.missing), (CiState::Missing, 3, vec!["licences".to_owned()]));
    rig.sandbox.set_status(&rig.sample.head, "licences", "success");
    assert_eq!(judged(&rig, &Required::Protection).await.unwrap().state, CiState::Green);
    // A status of the same name is not that App's.
    rig.sandbox.protect(None, &[("licences", Some(ACTIONS))]);
    assert_eq!(judged(&rig, &Required::Protection).await.unwrap().state, CiState::Missing);
    rig.sandbox.protect(Some(&[("test", Some(-1))]), &[]);
    assert_eq!(judged(&rig, &Required::Protection).await.unwrap().state, CiState::Green);
}

#[tokio::test]
async fn protection_that_says_nothing_or_cannot_be_read_is_never_green() {
    let rig = rig().await;
    rig.sandbox.mark_green(&rig.sample.head);
    let mut said = Vec::new();
    let mut refused = async || said.push(judged(&rig, &Required::Protection).await.unwrap_err().to_string());
    refused().await;
    rig.sandbox.protect(Some(&[]), &[]);
    refused().await;
    rig.sandbox.protect(Some(&[("test", None)]), &[]);
    for permission in [Permission::Hidden, Permission::Refused] {
        rig.sandbox.set_protection_access(permission);
        refused().await;
    }
    rig.sandbox.set_protection_access(Permission::Given);
    for (route, kind) in [
        ("/rules/branches/", FaultKind::Status(404)),
        ("/rules/branches/", FaultKind::Garbled),
        ("/protection/", FaultKind::Status(503)),
    ] {
        rig.sandbox.inject(Fault { route: route.into(), kind, times: 1 });
        refused().await;
    }
    expect_test::expect![[r#"
        The branch main of acme/goals requires no checks, so checks = "branch-protection" says nothing. Protect the branch, or name the checks in the configuration.
        The branch main of acme/goals requires no checks, so checks = "branch-protection" says nothing. Protect the branch, or name the checks in the configuration.
        GitHub does not allow this: the protection of the branch main of acme/goals (permission Administration: read; of a classic token: that its owner administers the repository). It says "Not Found". Give the token the missing permission.
        GitHub does not allow this: the protection of the branch main of acme/goals (permission Administration: read; of a classic token: that its owner administers the repository). It says "Resource not accessible by integration". Give the token the missing permission.
        GitHub does not show the rules for the branch main of acme/goals: it is not there, or the token may not see it.
        GitHub's answer cannot be used: the rules for the branch main of acme/goals: expected value at line 1 column 1.
        GitHub has trouble of its own (503): the protection of the branch main of acme/goals (permission Administration: read; of a classic token: that its owner administers the repository). Try again, or look at githubstatus.com."#]]
    .assert_eq(&said.join("\n"));
}

#[tokio::test]
async fn what_is_asked_again_costs_nothing_while_it_is_the_same() {
    let rig = rig().await;
    rig.sandbox.mark_green(&rig.sample.head);
    let first = judged(&rig, &Required::All).await.unwrap();
    assert_eq!(rig.sandbox.not_modified(), 0);
    let again = judged(&rig, &Required::All).await.unwrap();
    assert_eq!((again, rig.sandbox.not_modified()), (first, 2), "checks and statuses");
    rig.sandbox.mark_red(&rig.sample.head);
    assert_eq!(judged(&rig, &Required::All).await.unwrap().state, CiState::Red, "what is new is read");
    assert_eq!(rig.sandbox.not_modified(), 3);
    // A server that has restarted and says 304 to nobody is as good.
    rig.sandbox.inject(Fault { route: "/check-runs".into(), kind: FaultKind::Status(304), times: 1 });
    let stranger = client(&rig.sandbox.api_url, TOKEN, Duration::from_secs(20));
    let odd = stranger.checks(&rig.repo, &sha(&rig.sample.head)).await.unwrap_err();
    assert!(matches!(odd, GitHubError::Unreadable { .. }), "304 to who knows nothing: {odd}");
}
