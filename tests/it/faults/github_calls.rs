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
    Row::reads("GET /actions/jobs/{}/logs").when(Story::RedCi).once(),
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
    family(TargetOption::AppRunner, ACTS, expect_test::expect![[r#"
        timeout POST /actions/workflows/{}/dispatches → succeeded
        timeout POST /git/refs → succeeded
        timeout DELETE /git/refs/{} → succeeded
        timeout POST /actions/runs/{}/rerun-failed-jobs → succeeded
        timeout GET /deployments → succeeded
        timeout POST /deployments → succeeded
        timeout GET /deployments/{}/statuses → succeeded
        timeout POST /deployments/{}/statuses → succeeded
        timeout POST /statuses/{} → succeeded
        storm POST /actions/workflows/{}/dispatches → failed: build.yaml was dispatched 3 times, but no run appeared.
        storm POST /git/refs → failed: build.yaml was dispatched 3 times, but no run appeared.
        storm DELETE /git/refs/{} → succeeded
        storm POST /actions/runs/{}/rerun-failed-jobs → failed: run … was asked 3 times to run its failed jobs again, and did not. http://…/acme/goals/actions/runs/…
        storm GET /deployments → succeeded
        storm POST /deployments → succeeded
        storm GET /deployments/{}/statuses → succeeded
        storm POST /deployments/{}/statuses → succeeded
        storm POST /statuses/{} → succeeded
        throttle POST /actions/workflows/{}/dispatches → succeeded
        throttle POST /git/refs → succeeded
        throttle DELETE /git/refs/{} → succeeded
        throttle POST /actions/runs/{}/rerun-failed-jobs → succeeded
        throttle GET /deployments → succeeded
        throttle POST /deployments → succeeded
        throttle GET /deployments/{}/statuses → succeeded
        throttle POST /deployments/{}/statuses → succeeded
        throttle POST /statuses/{} → succeeded
        half POST /actions/workflows/{}/dispatches → succeeded
        half POST /git/refs → succeeded
        half DELETE /git/refs/{} → succeeded
        half POST /actions/runs/{}/rerun-failed-jobs → succeeded
        half GET /deployments → succeeded
        half POST /deployments → succeeded
        half GET /deployments/{}/statuses → succeeded
        half POST /deployments/{}/statuses → succeeded
        half POST /statuses/{} → succeeded
        doubled POST /actions/workflows/{}/dispatches → – its answer has no list, and an answer belongs to one request
        doubled POST /git/refs → – its answer has no list, and an answer belongs to one request
        doubled DELETE /git/refs/{} → – its answer has no list, and an answer belongs to one request
        doubled POST /actions/runs/{}/rerun-failed-jobs → – its answer has no list, and an answer belongs to one request
        doubled POST /deployments → – its answer has no list, and an answer belongs to one request
        doubled POST /deployments/{}/statuses → – its answer has no list, and an answer belongs to one request
        doubled POST /statuses/{} → – its answer has no list, and an answer belongs to one request
        doubled GET /deployments → succeeded
        doubled GET /deployments/{}/statuses → succeeded
        lost POST /actions/workflows/{}/dispatches → succeeded
        lost POST /git/refs → succeeded
        lost DELETE /git/refs/{} → succeeded
        lost POST /actions/runs/{}/rerun-failed-jobs → succeeded
        lost GET /deployments → – it changes nothing: a lost answer is one that broke off
        lost GET /deployments/{}/statuses → – it changes nothing: a lost answer is one that broke off
        lost POST /deployments → succeeded
        lost POST /deployments/{}/statuses → succeeded
        lost POST /statuses/{} → succeeded
        denied POST /actions/workflows/{}/dispatches → failed: GitHub does not allow this: the dispatch of build.yaml on main in acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
        denied POST /git/refs → failed: GitHub does not allow this: the temporary tag slipway/… of acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
        denied DELETE /git/refs/{} → succeeded
        denied POST /actions/runs/{}/rerun-failed-jobs → failed: GitHub does not allow this: running the failed jobs of run … of acme/goals again (permission Actions: write). It says "Resource not accessible by integration". Give the token the missing permission. http://…/acme/goals/actions/runs/…
        denied GET /deployments → succeeded
        denied POST /deployments → succeeded
        denied GET /deployments/{}/statuses → succeeded
        denied POST /deployments/{}/statuses → succeeded
        denied POST /statuses/{} → succeeded
    "#]]).await;
}
