//! Who is in a team.

use super::{TOKEN, client, rig};
use slipway_deploy::github::GitHubError;
use slipway_sandbox::github::{Account, Fault, FaultKind, TeamAccess};
use std::time::Duration;

const MEMBERS: &str = "GET /orgs/acme/teams/release-managers/members";

fn users(count: usize) -> Vec<Account> {
    (0..count).map(|n| Account::User(format!("dev-{n:04}"))).collect()
}

#[tokio::test]
async fn a_team_is_read_to_its_last_page_and_bots_are_left_out() {
    let rig = rig().await;
    let mut team = users(249);
    team.insert(100, Account::Bot("slipway[bot]".into()));
    rig.sandbox.set_team("acme/release-managers", team);
    let members = rig.github.team_members("acme", "release-managers").await.unwrap();
    assert_eq!((members.len(), rig.requests(MEMBERS)), (249, 3));
    assert!(members.contains("dev-0248") && !members.contains("slipway[bot]"));
    rig.sandbox.set_team("acme/release-managers", users(200));
    assert_eq!(rig.github.team_members("ACME", "release-managers").await.unwrap().len(), 200);
    rig.sandbox.set_team("acme/release-managers", []);
    assert!(rig.github.team_members("acme", "release-managers").await.unwrap().is_empty());
    rig.sandbox.set_team("acme/release-managers", users(1_000));
    let error = rig.github.team_members("acme", "release-managers").await.unwrap_err();
    assert_eq!(error.to_string(), "Too big: the members of the team acme/release-managers: over 1000 members.");
}

#[tokio::test]
async fn why_a_team_cannot_be_read_is_said() {
    let rig = rig().await;
    rig.sandbox.set_team("acme/release-managers", users(3));
    let asked = async || rig.github.team_members("acme", "release-managers").await.unwrap_err();
    let mut said = vec![rig.github.team_members("acme", "nobody").await.unwrap_err().to_string()];
    for access in [TeamAccess::Hidden, TeamAccess::Forbidden] {
        rig.sandbox.set_team_access(access);
        said.push(asked().await.to_string());
    }
    rig.sandbox.set_team_access(TeamAccess::Visible);
    for kind in [FaultKind::Status(502), FaultKind::Status(429), FaultKind::Garbled] {
        rig.sandbox.inject(Fault { route: MEMBERS.into(), kind, times: 1 });
        said.push(asked().await.to_string());
    }
    let stranger = client(&rig.sandbox.api_url, "ghp_wrong", Duration::from_secs(20));
    said.push(stranger.team_members("acme", "release-managers").await.unwrap_err().to_string());
    expect_test::expect![[r#"
        GitHub does not show the members of the team acme/nobody: it is not there, or the token may not see it.
        GitHub does not show the members of the team acme/release-managers: it is not there, or the token may not see it.
        GitHub does not allow this: the members of the team acme/release-managers. It says "Resource not accessible by personal access token". Give the token the missing permission.
        GitHub has trouble of its own (502): the members of the team acme/release-managers. Try again, or look at githubstatus.com.
        GitHub limits the number of requests. Try again then.
        GitHub's answer cannot be used: the members of the team acme/release-managers: expected value at line 1 column 1.
        GitHub does not accept the credentials. Set GITHUB_TOKEN to a valid token, or check GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY."#]].assert_eq(&said.join("\n"));
    rig.sandbox.inject(Fault { route: MEMBERS.into(), kind: FaultKind::RateLimited { retry_after: 30 }, times: 1 });
    assert!(matches!(asked().await, GitHubError::RateLimited { until: Some(_) }));
    rig.sandbox.inject(Fault { route: MEMBERS.into(), kind: FaultKind::Timeout, times: 1 });
    let hasty = client(&rig.sandbox.api_url, TOKEN, Duration::from_millis(100));
    let slow = hasty.team_members("acme", "release-managers").await.unwrap_err();
    assert!(matches!(slow, GitHubError::Slow { .. }), "{slow}");
}

#[tokio::test]
async fn half_a_team_is_no_team() {
    let rig = rig().await;
    rig.sandbox.set_team("acme/release-managers", users(150));
    rig.sandbox.inject(Fault { route: "page=2".into(), kind: FaultKind::Status(500), times: 1 });
    let error = rig.github.team_members("acme", "release-managers").await.unwrap_err();
    assert!(matches!(error, GitHubError::Server { status: 500, .. }), "{error}");
}
