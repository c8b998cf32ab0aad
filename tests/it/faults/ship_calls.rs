//! Every call to GitHub that shipping a pull request makes beyond those of a release.

use super::family;
use super::table::{Row, Story};
use slipway_sandbox::world::TargetOption;

/// Who may push, which nothing is known of where it is denied.
pub(super) const PERMISSION: &str = "GET /collaborators/{}/permission";

/// All of them.
pub(super) const ALL: &[Row] = &[
    Row::reads("GET /pulls/{}").when(Story::Ships),
    Row::lists("GET /pulls/{}/reviews").when(Story::Ships),
    Row::reads(PERMISSION).when(Story::Ships),
    Row::lists("GET /commits").when(Story::Ships),
    Row::acts("PUT /pulls/{}/merge").when(Story::Ships),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_question_about_a_pull_request_may_go_wrong_and_its_merge() {
    family(TargetOption::AppRunner, ALL, expect_test::expect![[r#"
        timeout GET /pulls/{} → succeeded
        timeout GET /pulls/{}/reviews → succeeded
        timeout GET /collaborators/{}/permission → succeeded
        timeout GET /commits → succeeded
        timeout PUT /pulls/{}/merge → succeeded
        storm GET /pulls/{} → – a pull request is looked at again for an hour
        storm GET /pulls/{}/reviews → – a pull request is looked at again for an hour
        storm GET /collaborators/{}/permission → – a pull request is looked at again for an hour
        storm GET /commits → – a pull request is looked at again for an hour
        storm PUT /pulls/{}/merge → – a pull request is looked at again for an hour
        throttle GET /pulls/{} → succeeded
        throttle GET /pulls/{}/reviews → succeeded
        throttle GET /collaborators/{}/permission → succeeded
        throttle GET /commits → succeeded
        throttle PUT /pulls/{}/merge → succeeded
        half GET /pulls/{} → succeeded
        half GET /pulls/{}/reviews → succeeded
        half GET /collaborators/{}/permission → succeeded
        half GET /commits → succeeded
        half PUT /pulls/{}/merge → succeeded
        doubled GET /pulls/{} → – its answer has no list, and an answer belongs to one request
        doubled GET /collaborators/{}/permission → – its answer has no list, and an answer belongs to one request
        doubled PUT /pulls/{}/merge → – its answer has no list, and an answer belongs to one request
        doubled GET /pulls/{}/reviews → succeeded
        doubled GET /commits → succeeded
        lost GET /pulls/{} → – it changes nothing: a lost answer is one that broke off
        lost GET /pulls/{}/reviews → – it changes nothing: a lost answer is one that broke off
        lost GET /collaborators/{}/permission → – it changes nothing: a lost answer is one that broke off
        lost GET /commits → – it changes nothing: a lost answer is one that broke off
        lost PUT /pulls/{}/merge → succeeded
        denied GET /collaborators/{}/permission → – the approval does not count, and another is waited for
        denied GET /pulls/{} → failed: GitHub does not allow this: the pull request #1 of acme/goals (permission Pull requests: read). It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /pulls/{}/reviews → failed: GitHub does not allow this: the reviews of #2 in acme/goals (permission Pull requests: read). It says "Resource not accessible by integration". Give the token the missing permission.
        denied GET /commits → failed: GitHub does not allow this: who made the commit … of acme/goals (permission Contents: read). It says "Resource not accessible by integration". Give the token the missing permission.
        denied PUT /pulls/{}/merge → failed: GitHub does not allow this: the merge of #4 in acme/goals (permissions Contents: write and Pull requests: write). It says "Resource not accessible by integration". Give the token the missing permission. http://…/acme/goals/pull/4
    "#]]).await;
}
