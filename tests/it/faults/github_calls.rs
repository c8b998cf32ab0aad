//! Every call to GitHub that a release makes.

use super::family;
use super::table::{Row, Story};
use slipway_sandbox::world::TargetOption;

/// What is asked to find the commit, and to know how it was built.
const READS: &[Row] = &[
    Row::reads("GET /{repository}"),
    Row::reads("GET /branches/{}"),
    Row::lists("GET /branches").when(Story::Misspelt),
    Row::lists("GET /tags").when(Story::Misspelt),
    Row::reads("GET /git/ref/{}").when(Story::Tagged),
    Row::reads("GET /git/tags/{}").when(Story::Tagged),
    Row::reads("GET /commits/{}"),
    Row::lists("GET /commits/{}/branches-where-head").when(Story::OldCommit),
    Row::lists("GET /compare/{}"),
];

/// What is asked about the build, and about what would ship.
const BUILD: &[Row] = &[
    Row::lists("GET /commits/{}/check-runs"),
    Row::lists("GET /commits/{}/status"),
    Row::lists("GET /rules/branches/{}"),
    Row::lists("GET /actions/workflows/{}/runs"),
    Row::reads("GET /actions/runs/{}"),
    Row::lists("GET /actions/runs/{}/jobs"),
    Row::reads("GET /actions/jobs/{}/logs").when(Story::RedCi),
    Row::lists("GET /git/trees/{}"),
    Row::reads("GET /git/blobs/{}"),
];

/// What is told.
const ACTS: &[Row] = &[
    Row::acts("POST /actions/workflows/{}/dispatches"),
    Row::acts("POST /git/refs").when(Story::OldCommit),
    Row::acts("DELETE /git/refs/{}").when(Story::OldCommit),
    Row::acts("POST /actions/runs/{}/rerun-failed-jobs").when(Story::RerunJobs),
    Row::lists("GET /deployments"),
    Row::acts("POST /deployments"),
    Row::lists("GET /deployments/{}/statuses"),
    Row::acts("POST /deployments/{}/statuses"),
    Row::acts("POST /statuses/{}"),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_question_about_a_commit_may_go_wrong() {
    family(TargetOption::AppRunner, READS, expect_test::expect![[r#""#]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_question_about_a_build_may_go_wrong() {
    family(TargetOption::AppRunner, BUILD, expect_test::expect![[r#""#]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_told_to_github_may_go_wrong() {
    family(TargetOption::AppRunner, ACTS, expect_test::expect![[r#""#]]).await;
}
