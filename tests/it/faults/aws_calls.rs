//! Every call to AWS that a release makes.

use super::family;
use super::table::{Row, Story};
use slipway_sandbox::world::TargetOption;

/// What both kinds of targets have in common.
const COMMON: &[Row] = &[
    Row::lists("ECR.DescribeImages"),
    Row::reads("ECR.DescribeImageScanFindings"),
    Row::lists("ECR.BatchGetImage"),
    Row::acts("ECR.PutImage"),
    Row::reads("SecretsManager.DescribeSecret"),
    Row::reads("SecretsManager.GetSecretValue"),
    Row::lists("Logs.FilterLogEvents").when(Story::RollsBack),
];

const APP_RUNNER: &[Row] = &[
    Row::reads("AppRunner.DescribeService").in_the_middle(),
    Row::lists("AppRunner.ListOperations").in_the_middle(),
    Row::acts("AppRunner.UpdateService"),
    Row::acts("AppRunner.StartDeployment").when(Story::Settings),
];

const ECS: &[Row] = &[
    Row::lists("ECS.DescribeExpressGatewayService").in_the_middle(),
    Row::lists("ECS.ListServiceDeployments").in_the_middle(),
    Row::acts("ECS.UpdateExpressGatewayService"),
    Row::lists("ECS.DescribeServices").when(Story::RollsBack),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_call_to_aws_of_a_release_may_go_wrong() {
    family(TargetOption::AppRunner, COMMON, expect_test::expect![[r#""#]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_to_app_runner_may_go_wrong() {
    family(TargetOption::AppRunner, APP_RUNNER, expect_test::expect![[r#""#]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_to_ecs_may_go_wrong() {
    family(TargetOption::EcsExpress, ECS, expect_test::expect![[r#""#]]).await;
}
