//! Every call to GitHub that shipping a pull request makes beyond those of a release.

use super::family;
use super::table::{Row, Story};
use slipway_sandbox::world::TargetOption;

/// Who may push, which nothing is known of where it is denied.
pub(super) const PERMISSION: &str = "GET /collaborators/{}/permission";
/// The merge.
pub(super) const MERGE: &str = "PUT /pulls/{}/merge";

/// All of them.
pub(super) const ALL: &[Row] = &[
    Row::reads("GET /pulls/{}").when(Story::Ships),
    Row::lists("GET /pulls/{}/reviews").when(Story::Ships),
    Row::reads(PERMISSION).when(Story::Ships),
    Row::lists("GET /commits").when(Story::Ships),
    Row::acts(MERGE).when(Story::Ships),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_question_about_a_pull_request_may_go_wrong_and_its_merge() {
    family(TargetOption::AppRunner, ALL, expect_test::expect![[""]]).await;
}
