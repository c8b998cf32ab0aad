//! Every call to AWS that a release makes.

use super::family;
use super::table::{Row, Story};
use slipway_sandbox::world::TargetOption;

/// All of them.
pub(super) const ALL: [&[Row]; 3] = [COMMON, APP_RUNNER, ECS];

/// What both kinds of targets have in common.
const COMMON: &[Row] = &[
    Row::lists("ECR.DescribeImages"),
    Row::reads("ECR.DescribeImageScanFindings"),
    Row::lists("ECR.BatchGetImage"),
    Row::acts("ECR.PutImage"),
    Row::reads("SecretsManager.DescribeSecret"),
    Row::reads("SecretsManager.GetSecretValue"),
    // The new version itself.
    Row::reads("healthz"),
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
    family(TargetOption::AppRunner, COMMON, expect_test::expect![[r#"
        timeout ECR.DescribeImages → succeeded
        timeout ECR.DescribeImageScanFindings → succeeded
        timeout ECR.BatchGetImage → succeeded
        timeout ECR.PutImage → succeeded
        timeout SecretsManager.DescribeSecret → succeeded
        timeout SecretsManager.GetSecretValue → succeeded
        timeout healthz → succeeded
        timeout Logs.FilterLogEvents → rolled_back: The new image failed and AWS rolled this back; the old image runs (ROLLBACK_SUCCEEDED).
        storm ECR.DescribeImages → failed: AWS had trouble with ecr:DescribeImages. (status 503) Tried 8 times.
        storm ECR.DescribeImageScanFindings → failed: AWS had trouble with ecr:DescribeImageScanFindings. (status 503) Tried 8 times.
        storm ECR.BatchGetImage → succeeded; the tag was not moved: AWS had trouble with ecr:BatchGetImage. (status 503)
        storm ECR.PutImage → succeeded; the tag was not moved: ECR was told 3 times, and the tag does not show it
        storm SecretsManager.DescribeSecret → failed: goals/staging: AWS had trouble with secretsmanager:DescribeSecret. (status 503) Tried 8 times.
        storm SecretsManager.GetSecretValue → failed: AWS had trouble with secretsmanager:GetSecretValue. (status 503) Tried 8 times.
        storm healthz → failed: … is live but not healthy: answers 503 Service Unavailable. http://…/service/goals-staging/healthz Asked for 3 s.
        storm Logs.FilterLogEvents → rolled_back: The new image failed and AWS rolled this back; the old image runs (ROLLBACK_SUCCEEDED). Its log is not shown: AWS had trouble with logs:FilterLogEvents. (status 503)
        throttle ECR.DescribeImages → succeeded
        throttle ECR.DescribeImageScanFindings → succeeded
        throttle ECR.BatchGetImage → succeeded
        throttle ECR.PutImage → succeeded
        throttle SecretsManager.DescribeSecret → succeeded
        throttle SecretsManager.GetSecretValue → succeeded
        throttle healthz → succeeded
        throttle Logs.FilterLogEvents → rolled_back: The new image failed and AWS rolled this back; the old image runs (ROLLBACK_SUCCEEDED).
        half ECR.DescribeImages → succeeded
        half ECR.DescribeImageScanFindings → succeeded
        half ECR.BatchGetImage → succeeded
        half ECR.PutImage → succeeded
        half SecretsManager.DescribeSecret → succeeded
        half SecretsManager.GetSecretValue → succeeded
        half healthz → succeeded
        half Logs.FilterLogEvents → rolled_back: The new image failed and AWS rolled this back; the old image runs (ROLLBACK_SUCCEEDED). Its log is not shown: AWS had trouble with logs:FilterLogEvents. (the answer has no events)
        doubled ECR.DescribeImageScanFindings → – its answer has no list, and an answer belongs to one request
        doubled ECR.PutImage → – its answer has no list, and an answer belongs to one request
        doubled SecretsManager.DescribeSecret → – its answer has no list, and an answer belongs to one request
        doubled SecretsManager.GetSecretValue → – its answer has no list, and an answer belongs to one request
        doubled healthz → – its answer has no list, and an answer belongs to one request
        doubled ECR.DescribeImages → succeeded
        doubled ECR.BatchGetImage → succeeded
        doubled Logs.FilterLogEvents → rolled_back: The new image failed and AWS rolled this back; the old image runs (ROLLBACK_SUCCEEDED).
        lost ECR.DescribeImages → – it changes nothing: a lost answer is one that broke off
        lost ECR.DescribeImageScanFindings → – it changes nothing: a lost answer is one that broke off
        lost ECR.BatchGetImage → – it changes nothing: a lost answer is one that broke off
        lost SecretsManager.DescribeSecret → – it changes nothing: a lost answer is one that broke off
        lost SecretsManager.GetSecretValue → – it changes nothing: a lost answer is one that broke off
        lost healthz → – it changes nothing: a lost answer is one that broke off
        lost ECR.PutImage → succeeded
        lost Logs.FilterLogEvents → – it changes nothing: a lost answer is one that broke off
        denied ECR.DescribeImages → failed: AWS does not allow ecr:DescribeImages. Add it to the policy of the bot's role. (AccessDeniedException: User: arn:aws:iam::…:user/slipway may not perform ECR.DescribeImages)
        denied ECR.DescribeImageScanFindings → succeeded
        denied ECR.BatchGetImage → succeeded; the tag was not moved: AWS does not allow ecr:BatchGetImage. Add it to the policy of the bot's role. (AccessDeniedException: User: arn:aws:iam::…:user/slipway may not perform ECR.BatchGetImage)
        denied ECR.PutImage → succeeded; the tag was not moved: AWS does not allow ecr:PutImage. Add it to the policy of the bot's role. (AccessDeniedException: User: arn:aws:iam::…:user/slipway may not perform ECR.PutImage)
        denied SecretsManager.DescribeSecret → failed: goals/staging: AWS does not allow secretsmanager:DescribeSecret. Add it to the policy of the bot's role. (AccessDeniedException: User: arn:aws:iam::…:user/slipway may not perform SecretsManager.DescribeSecret)
        denied SecretsManager.GetSecretValue → failed: goals-staging reads SMTP_HOST from the secret goals/staging. Whether that is there cannot be told. AWS does not allow secretsmanager:GetSecretValue. Add it to the policy of the bot's role. (AccessDeniedException: User: arn:aws:iam::…:user/slipway may not perform SecretsManager.GetSecretValue) Nothing was started.
        denied healthz → failed: … is live but not healthy: answers 403 Service Unavailable. http://…/service/goals-staging/healthz Asked for 3 s.
        denied Logs.FilterLogEvents → rolled_back: The new image failed and AWS rolled this back; the old image runs (ROLLBACK_SUCCEEDED). Its log is not shown: AWS does not allow logs:FilterLogEvents. Add it to the policy of the bot's role. (AccessDeniedException: User: arn:aws:iam::…:user/slipway may not perform Logs.FilterLogEvents)
    "#]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_to_app_runner_may_go_wrong() {
    family(TargetOption::AppRunner, APP_RUNNER, expect_test::expect![[r#"
        timeout AppRunner.DescribeService → succeeded
        timeout AppRunner.ListOperations → succeeded
        timeout AppRunner.UpdateService → succeeded
        timeout AppRunner.StartDeployment → succeeded
        storm AppRunner.DescribeService → failed: AWS had trouble with apprunner:DescribeService. (status 503) Tried 8 times.
        storm AppRunner.ListOperations → failed: AWS had trouble with apprunner:ListOperations. (status 503) Tried 8 times.
        storm AppRunner.UpdateService → failed: goals-staging was told 3 times to deploy and shows no operation. AWS had trouble with apprunner:UpdateService. (status 503) It may be deploying all the same: look at its operations.
        storm AppRunner.StartDeployment → failed: goals-staging was told 3 times to deploy and shows no operation. AWS had trouble with apprunner:StartDeployment. (status 503) It may be deploying all the same: look at its operations.
        throttle AppRunner.DescribeService → succeeded
        throttle AppRunner.ListOperations → succeeded
        throttle AppRunner.UpdateService → succeeded
        throttle AppRunner.StartDeployment → succeeded
        half AppRunner.DescribeService → succeeded
        half AppRunner.ListOperations → succeeded
        half AppRunner.UpdateService → succeeded
        half AppRunner.StartDeployment → succeeded
        doubled AppRunner.DescribeService → – its answer has no list, and an answer belongs to one request
        doubled AppRunner.UpdateService → – its answer has no list, and an answer belongs to one request
        doubled AppRunner.ListOperations → succeeded
        doubled AppRunner.StartDeployment → – its answer has no list, and an answer belongs to one request
        lost AppRunner.DescribeService → – it changes nothing: a lost answer is one that broke off
        lost AppRunner.ListOperations → – it changes nothing: a lost answer is one that broke off
        lost AppRunner.UpdateService → succeeded
        lost AppRunner.StartDeployment → succeeded
        denied AppRunner.DescribeService → failed: AWS does not allow apprunner:DescribeService. Add it to the policy of the bot's role. (AccessDeniedException: User: arn:aws:iam::…:user/slipway may not perform AppRunner.DescribeService)
        denied AppRunner.ListOperations → failed: AWS does not allow apprunner:ListOperations. Add it to the policy of the bot's role. (AccessDeniedException: User: arn:aws:iam::…:user/slipway may not perform AppRunner.ListOperations)
        denied AppRunner.UpdateService → failed: AWS does not allow apprunner:UpdateService. Add it to the policy of the bot's role. (AccessDeniedException: User: arn:aws:iam::…:user/slipway may not perform AppRunner.UpdateService) The old version keeps running.
        denied AppRunner.StartDeployment → failed: AWS does not allow apprunner:StartDeployment. Add it to the policy of the bot's role. (AccessDeniedException: User: arn:aws:iam::…:user/slipway may not perform AppRunner.StartDeployment) The old version keeps running.
    "#]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_to_ecs_may_go_wrong() {
    family(TargetOption::EcsExpress, ECS, expect_test::expect![[r#"
        timeout ECS.DescribeExpressGatewayService → succeeded
        timeout ECS.ListServiceDeployments → succeeded
        timeout ECS.UpdateExpressGatewayService → succeeded
        timeout ECS.DescribeServices → rolled_back: The new image failed and AWS rolled this back; the old image runs (ROLLBACK_SUCCESSFUL). Service deployment circuit breaker: tasks failed to start.
        storm ECS.DescribeExpressGatewayService → failed: AWS had trouble with ecs:DescribeExpressGatewayService. (status 503) Tried 8 times.
        storm ECS.ListServiceDeployments → failed: AWS had trouble with ecs:ListServiceDeployments. (status 503) Tried 8 times.
        storm ECS.UpdateExpressGatewayService → failed: goals-staging was told 3 times to deploy and shows no operation. AWS had trouble with ecs:UpdateExpressGatewayService. (status 503) It may be deploying all the same: look at its operations.
        storm ECS.DescribeServices → rolled_back: The new image failed and AWS rolled this back; the old image runs (ROLLBACK_SUCCESSFUL). Service deployment circuit breaker: tasks failed to start. Its events are not shown: AWS had trouble with ecs:DescribeServices. (status 503)
        throttle ECS.DescribeExpressGatewayService → succeeded
        throttle ECS.ListServiceDeployments → succeeded
        throttle ECS.UpdateExpressGatewayService → succeeded
        throttle ECS.DescribeServices → rolled_back: The new image failed and AWS rolled this back; the old image runs (ROLLBACK_SUCCESSFUL). Service deployment circuit breaker: tasks failed to start.
        half ECS.DescribeExpressGatewayService → succeeded
        half ECS.ListServiceDeployments → succeeded
        half ECS.UpdateExpressGatewayService → succeeded
        half ECS.DescribeServices → rolled_back: The new image failed and AWS rolled this back; the old image runs (ROLLBACK_SUCCESSFUL). Service deployment circuit breaker: tasks failed to start. Its events are not shown: AWS had trouble with ecs:DescribeServices. (the answer has no services)
        doubled ECS.UpdateExpressGatewayService → – its answer has no list, and an answer belongs to one request
        doubled ECS.DescribeExpressGatewayService → succeeded
        doubled ECS.ListServiceDeployments → succeeded
        doubled ECS.DescribeServices → rolled_back: The new image failed and AWS rolled this back; the old image runs (ROLLBACK_SUCCESSFUL). Service deployment circuit breaker: tasks failed to start.
        lost ECS.DescribeExpressGatewayService → – it changes nothing: a lost answer is one that broke off
        lost ECS.ListServiceDeployments → – it changes nothing: a lost answer is one that broke off
        lost ECS.UpdateExpressGatewayService → succeeded
        lost ECS.DescribeServices → – it changes nothing: a lost answer is one that broke off
        denied ECS.DescribeExpressGatewayService → failed: AWS does not allow ecs:DescribeExpressGatewayService. Add it to the policy of the bot's role. (AccessDeniedException: User: arn:aws:iam::…:user/slipway may not perform ECS.DescribeExpressGatewayService)
        denied ECS.ListServiceDeployments → failed: AWS does not allow ecs:ListServiceDeployments. Add it to the policy of the bot's role. (AccessDeniedException: User: arn:aws:iam::…:user/slipway may not perform ECS.ListServiceDeployments)
        denied ECS.UpdateExpressGatewayService → failed: AWS does not allow ecs:UpdateExpressGatewayService. Add it to the policy of the bot's role. (AccessDeniedException: User: arn:aws:iam::…:user/slipway may not perform ECS.UpdateExpressGatewayService) The old version keeps running.
        denied ECS.DescribeServices → rolled_back: The new image failed and AWS rolled this back; the old image runs (ROLLBACK_SUCCESSFUL). Service deployment circuit breaker: tasks failed to start. Its events are not shown: AWS does not allow ecs:DescribeServices. Add it to the policy of the bot's role. (AccessDeniedException: User: arn:aws:iam::…:user/slipway may not perform ECS.DescribeServices)
    "#]]).await;
}
