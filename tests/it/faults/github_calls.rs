//! Every call to GitHub that a release makes.

use super::family;
use super::table::{Row, Story};
use slipway_sandbox::world::TargetOption;

/// All of them.
pub(super) const ALL: [&[Row]; 3] = [READS, BUILD, ACTS];

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
    family(TargetOption::AppRunner, READS, expect_test::expect![[r#"
        timeout GET /{repository} → succeeded
        timeout GET /branches/{} → succeeded
        timeout GET /branches → failed: acme/goals has no branch, tag or commit "mian". Did you mean: main? Newest tags: v1.8.0, v1.7.3. Nothing was started.
        timeout GET /tags → failed: acme/goals has no branch, tag or commit "mian". Did you mean: main? Newest tags: v1.8.0, v1.7.3. Nothing was started.
        timeout GET /git/ref/{} → succeeded
        timeout GET /git/tags/{} → succeeded
        timeout GET /commits/{} → succeeded
        timeout GET /commits/{}/branches-where-head → succeeded
        timeout GET /compare/{} → succeeded
        storm GET /{repository} → failed: GitHub has trouble of its own (502): the repository acme/goals. Try again, or look at githubstatus.com. Tried 8 times.
        storm GET /branches/{} → failed: GitHub has trouble of its own (502): the protection of the branch main of acme/goals (permission Administration: read; of a classic token: that its owner administers the repository). Try again, or look at githubstatus.com. Tried 8 times.
        storm GET /branches → failed: GitHub has trouble of its own (502): the branches of acme/goals. Try again, or look at githubstatus.com. Tried 8 times.
        storm GET /tags → failed: GitHub has trouble of its own (502): the tags of acme/goals. Try again, or look at githubstatus.com. Tried 8 times.
        storm GET /git/ref/{} → failed: GitHub has trouble of its own (502): the branch v2.… of acme/goals. Try again, or look at githubstatus.com. Tried 8 times.
        storm GET /git/tags/{} → failed: GitHub has trouble of its own (502): the tag v2.… of acme/goals. Try again, or look at githubstatus.com. Tried 8 times.
        storm GET /commits/{} → failed: GitHub has trouble of its own (502): the commit … of acme/goals. Try again, or look at githubstatus.com. Tried 8 times.
        storm GET /commits/{}/branches-where-head → failed: build.yaml was to be started 3 times, and no run appeared. GitHub has trouble of its own (502): the branches at … of acme/goals. Try again, or look at githubstatus.com.
        storm GET /compare/{} → failed: GitHub has trouble of its own (502): the commits ……… of acme/goals. Try again, or look at githubstatus.com. Tried 8 times.
        throttle GET /{repository} → succeeded
        throttle GET /branches/{} → succeeded
        throttle GET /branches → failed: acme/goals has no branch, tag or commit "mian". Did you mean: main? Newest tags: v1.8.0, v1.7.3. Nothing was started.
        throttle GET /tags → failed: acme/goals has no branch, tag or commit "mian". Did you mean: main? Newest tags: v1.8.0, v1.7.3. Nothing was started.
        throttle GET /git/ref/{} → succeeded
        throttle GET /git/tags/{} → succeeded
        throttle GET /commits/{} → succeeded
        throttle GET /commits/{}/branches-where-head → succeeded
        throttle GET /compare/{} → succeeded
        half GET /{repository} → succeeded
        half GET /branches/{} → succeeded
        half GET /branches → failed: acme/goals has no branch, tag or commit "mian". Did you mean: main? Newest tags: v1.8.0, v1.7.3. Nothing was started.
        half GET /tags → failed: acme/goals has no branch, tag or commit "mian". Did you mean: main? Newest tags: v1.8.0, v1.7.3. Nothing was started.
        half GET /git/ref/{} → succeeded
        half GET /git/tags/{} → succeeded
        half GET /commits/{} → succeeded
        half GET /commits/{}/branches-where-head → succeeded
        half GET /compare/{} → succeeded
        doubled GET /{repository} → – its answer has no list, and an answer belongs to one request
        doubled GET /branches/{} → – its answer has no list, and an answer belongs to one request
        doubled GET /branches → failed: acme/goals has no branch, tag or commit "mian". Did you mean: main? Newest tags: v1.8.0, v1.7.3. Nothing was started.
        doubled GET /tags → failed: acme/goals has no branch, tag or commit "mian". Did you mean: main? Newest tags: v1.8.0, v1.7.3. Nothing was started.
        doubled GET /git/ref/{} → – its answer has no list, and an answer belongs to one request
        doubled GET /git/tags/{} → – its answer has no list, and an answer belongs to one request
        doubled GET /commits/{} → – its answer has no list, and an answer belongs to one request
        doubled GET /commits/{}/branches-where-head → succeeded
        doubled GET /compare/{} → succeeded
        lost GET /{repository} → – it changes nothing: a lost answer is one that broke off
        lost GET /branches/{} → – it changes nothing: a lost answer is one that broke off
        lost GET /branches → – it changes nothing: a lost answer is one that broke off
        lost GET /tags → – it changes nothing: a lost answer is one that broke off
        lost GET /git/ref/{} → – it changes nothing: a lost answer is one that broke off
        lost GET /git/tags/{} → – it changes nothing: a lost answer is one that broke off
        lost GET /commits/{} → – it changes nothing: a lost answer is one that broke off
        lost GET /commits/{}/branches-where-head → – it changes nothing: a lost answer is one that broke off
        lost GET /compare/{} → – it changes nothing: a lost answer is one that broke off
        denied GET /{repository} → failed: GitHub does not allow this: the repository acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /branches/{} → failed: GitHub does not allow this: the protection of the branch main of acme/goals (permission Administration: read; of a classic token: that its owner administers the repository). It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /branches → failed: GitHub does not allow this: the branches of acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /tags → failed: GitHub does not allow this: the tags of acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /git/ref/{} → failed: GitHub does not allow this: the branch v2.… of acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /git/tags/{} → failed: GitHub does not allow this: the tag v2.… of acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /commits/{} → failed: GitHub does not allow this: the commit … of acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /commits/{}/branches-where-head → failed: GitHub does not allow this: the branches at … of acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /compare/{} → failed: GitHub does not allow this: the commits ……… of acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
    "#]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_question_about_a_build_may_go_wrong() {
    family(TargetOption::AppRunner, BUILD, expect_test::expect![[r#"
        timeout GET /commits/{}/check-runs → succeeded
        timeout GET /commits/{}/status → succeeded
        timeout GET /rules/branches/{} → succeeded
        timeout GET /actions/workflows/{}/runs → succeeded
        timeout GET /actions/runs/{} → succeeded
        timeout GET /actions/runs/{}/jobs → succeeded
        timeout GET /actions/jobs/{}/logs → failed: CI is red on …: job "test" failed at "Run go test ./...". Its log is not shown: GitHub did not answer in 3 s: the log of job … of acme/goals. Try again, or look at githubstatus.com. http://…/acme/goals/actions/runs/…/job/…
        timeout GET /git/trees/{} → succeeded
        timeout GET /git/blobs/{} → succeeded
        storm GET /commits/{}/check-runs → failed: GitHub has trouble of its own (502): the checks of … in acme/goals. Try again, or look at githubstatus.com. Tried 8 times.
        storm GET /commits/{}/status → failed: GitHub has trouble of its own (502): the checks of … in acme/goals. Try again, or look at githubstatus.com. Tried 8 times.
        storm GET /rules/branches/{} → failed: GitHub has trouble of its own (502): the rules for the branch main of acme/goals. Try again, or look at githubstatus.com. Tried 8 times.
        storm GET /actions/workflows/{}/runs → failed: GitHub has trouble of its own (502): the runs of build.yaml on … in acme/goals. Try again, or look at githubstatus.com. Tried 8 times.
        storm GET /actions/runs/{} → failed: GitHub has trouble of its own (502): run … of acme/goals. Try again, or look at githubstatus.com. Tried 8 times.
        storm GET /actions/runs/{}/jobs → failed: GitHub has trouble of its own (502): run … of acme/goals. Try again, or look at githubstatus.com. Tried 8 times.
        storm GET /actions/jobs/{}/logs → failed: CI is red on …: job "test" failed at "Run go test ./...". Its log is not shown: GitHub has trouble of its own (502): the log of job … of acme/goals. Try again, or look at githubstatus.com. http://…/acme/goals/actions/runs/…/job/…
        storm GET /git/trees/{} → failed: GitHub has trouble of its own (502): the workflows at … of acme/goals. Try again, or look at githubstatus.com. Tried 8 times.
        storm GET /git/blobs/{} → failed: GitHub has trouble of its own (502): the file migrations/….sql of acme/goals. Try again, or look at githubstatus.com. Tried 8 times.
        throttle GET /commits/{}/check-runs → succeeded
        throttle GET /commits/{}/status → succeeded
        throttle GET /rules/branches/{} → succeeded
        throttle GET /actions/workflows/{}/runs → succeeded
        throttle GET /actions/runs/{} → succeeded
        throttle GET /actions/runs/{}/jobs → succeeded
        throttle GET /actions/jobs/{}/logs → failed: CI is red on …: job "test" failed at "Run go test ./...". Its log is not shown: GitHub limits the number of requests until …. Try again then. http://…/acme/goals/actions/runs/…/job/…
        throttle GET /git/trees/{} → succeeded
        throttle GET /git/blobs/{} → succeeded
        half GET /commits/{}/check-runs → succeeded
        half GET /commits/{}/status → succeeded
        half GET /rules/branches/{} → succeeded
        half GET /actions/workflows/{}/runs → succeeded
        half GET /actions/runs/{} → succeeded
        half GET /actions/runs/{}/jobs → succeeded
        half GET /actions/jobs/{}/logs → failed: CI is red on …: job "test" failed at "Run go test ./...". Its log is not shown: GitHub cannot be reached for the log of job … of acme/goals (connection closed before message completed). Check the network and `[github] api_url`. http://…/acme/goals/actions/runs/…/job/…
        half GET /git/trees/{} → succeeded
        half GET /git/blobs/{} → succeeded
        doubled GET /actions/runs/{} → – its answer has no list, and an answer belongs to one request
        doubled GET /commits/{}/check-runs → succeeded
        doubled GET /commits/{}/status → succeeded
        doubled GET /rules/branches/{} → succeeded
        doubled GET /actions/workflows/{}/runs → succeeded
        doubled GET /actions/runs/{}/jobs → succeeded
        doubled GET /actions/jobs/{}/logs → – its answer has no list, and an answer belongs to one request
        doubled GET /git/blobs/{} → – its answer has no list, and an answer belongs to one request
        doubled GET /git/trees/{} → succeeded
        lost GET /commits/{}/check-runs → – it changes nothing: a lost answer is one that broke off
        lost GET /commits/{}/status → – it changes nothing: a lost answer is one that broke off
        lost GET /rules/branches/{} → – it changes nothing: a lost answer is one that broke off
        lost GET /actions/workflows/{}/runs → – it changes nothing: a lost answer is one that broke off
        lost GET /actions/runs/{} → – it changes nothing: a lost answer is one that broke off
        lost GET /actions/runs/{}/jobs → – it changes nothing: a lost answer is one that broke off
        lost GET /actions/jobs/{}/logs → – it changes nothing: a lost answer is one that broke off
        lost GET /git/trees/{} → – it changes nothing: a lost answer is one that broke off
        lost GET /git/blobs/{} → – it changes nothing: a lost answer is one that broke off
        denied GET /commits/{}/check-runs → failed: GitHub does not allow this: the checks of … in acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /commits/{}/status → failed: GitHub does not allow this: the checks of … in acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /rules/branches/{} → failed: GitHub does not allow this: the rules for the branch main of acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /actions/workflows/{}/runs → failed: GitHub does not allow this: the runs of build.yaml on … in acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /actions/runs/{} → failed: GitHub does not allow this: run … of acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /actions/runs/{}/jobs → failed: GitHub does not allow this: run … of acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /actions/jobs/{}/logs → failed: CI is red on …: job "test" failed at "Run go test ./...". Its log is not shown: GitHub does not allow this: the log of job … of acme/goals. It says "Resource not accessible by integration". Give the token the missing permission. http://…/acme/goals/actions/runs/…/job/…
        denied GET /git/trees/{} → failed: GitHub does not allow this: the workflows at … of acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /git/blobs/{} → failed: GitHub does not allow this: the file migrations/….sql of acme/goals. It says "Resource not accessible by integration". Give the token the missing permission.
    "#]]).await;
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
        storm POST /actions/workflows/{}/dispatches → failed: build.yaml was to be started 3 times, and no run appeared. GitHub has trouble of its own (502): the dispatch of build.yaml on main in acme/goals. Try again, or look at githubstatus.com.
        storm DELETE /git/refs/{} → – it is tried again for an hour, and holds nothing up
        storm POST /git/refs → failed: build.yaml was to be started 3 times, and no run appeared. GitHub has trouble of its own (502): the temporary tag slipway/… of acme/goals. Try again, or look at githubstatus.com.
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
