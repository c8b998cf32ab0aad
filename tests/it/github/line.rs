//! What a branch was at since a commit.

use super::{TOKEN, client, rig, rig_of, sha};
use slipway_deploy::github::{ComparisonStatus, GitHubError};
use slipway_sandbox::github::{Fault, FaultKind};
use std::time::Duration;

/// Merges the branch of the sample into main.
const MERGE: &str = "commit refs/heads/main\nmark :90\ncommitter Eve Adler <eve@acme.dev> 1764000000 +0000\ndata 6\nMerge\n\
    from refs/heads/main^0\nmerge refs/heads/feature/comment-threads^0\n\n";

#[tokio::test]
async fn what_came_with_a_merge_is_not_on_the_branch_s_line() {
    let rig = rig_of(MERGE).await;
    let head = rig.github.head_of(&rig.repo, "main").await.unwrap().unwrap();
    let base = sha(&rig.sample.staging);
    let between = rig.github.compare(&rig.repo, &base, &head).await.unwrap();
    let line = rig.github.line(&rig.repo, &base, &head, 100).await.unwrap();
    assert_eq!((line.status, line.more), (ComparisonStatus::Ahead, 0));
    let shas: Vec<_> = line.commits.iter().map(|commit| commit.sha.as_str()).collect();
    let newer: Vec<_> = rig.sample.commits.iter().rev().take(3).map(String::as_str).collect();
    assert_eq!(shas, [&[head.as_str()], &newer[..]].concat());
    assert!(
        between.commits.iter().any(|commit| commit.sha.as_str() == rig.sample.feature),
        "it is between them all the same"
    );
    let short = rig.github.line(&rig.repo, &base, &head, 2).await.unwrap();
    assert_eq!((short.commits.len(), short.more), (2, 2));
}

#[tokio::test]
async fn how_a_branch_stands_to_what_is_live_is_told() {
    let rig = rig().await;
    let [head, feature, staging, lost] =
        [&rig.sample.head, &rig.sample.feature, &rig.sample.staging, &"7".repeat(40)].map(|text| sha(text));
    let status = async |base, head| rig.github.line(&rig.repo, base, head, 100).await.map(|line| line.status);
    assert_eq!(status(&head, &head).await.unwrap(), ComparisonStatus::Identical);
    assert_eq!(status(&head, &staging).await.unwrap(), ComparisonStatus::Behind);
    assert_eq!(status(&feature, &head).await.unwrap(), ComparisonStatus::Diverged);
    let gone = status(&lost, &head).await;
    assert!(matches!(gone, Err(GitHubError::NotFound { .. })), "{gone:?}");
}

#[tokio::test]
async fn a_branch_that_is_gone_is_told_from_a_repository_that_is_not_shown() {
    let rig = rig().await;
    assert_eq!(rig.github.head_of(&rig.repo, "main").await.unwrap(), Some(sha(&rig.sample.head)));
    assert_eq!(rig.github.head_of(&rig.repo, "release").await.unwrap(), None);
    rig.sandbox.inject(Fault { route: "GET /repos/acme/goals".into(), kind: FaultKind::Status(404), times: 10 });
    let hidden = rig.github.head_of(&rig.repo, "main").await;
    assert!(matches!(hidden, Err(GitHubError::NotFound { .. })), "{hidden:?}");
    let stranger = client(&rig.sandbox.api_url, TOKEN, Duration::from_millis(200));
    rig.sandbox.heal();
    rig.sandbox.inject(Fault { route: "GET /repos/acme/goals".into(), kind: FaultKind::Timeout, times: 10 });
    assert!(matches!(stranger.head_of(&rig.repo, "main").await, Err(GitHubError::Slow { .. })));
}
