//! ECS Express Mode: the real SDK behind `slipway_deploy` against the sandbox.

use jiff::Timestamp;
use serde_json::json;
use slipway_core::ids::ImageDigest;
use slipway_deploy::aws::ecs_express::EcsExpress;
use slipway_deploy::aws::{AwsClients, CallLimits};
use slipway_deploy::target::{OperationKind, OperationStatus, StartError, Target, TargetError};
use slipway_sandbox::aws::{AwsOptions, AwsSandbox, FailureMode, Fault, FaultKind, NewService, Pace};
use std::collections::BTreeMap;

/// With a character that JSON writes in another way.
const PASSWORD: &str = "hunter2\"hunter2";
/// Nothing happens by itself: only `advance_ms` moves operations on.
const PACE: Pace = Pace { pending_ms: 600_000, in_progress_ms: 600_000, rollback_ms: 600_000 };
const PHASE_MS: u64 = 600_000;
/// For faults that hold a request for ever.
const IMPATIENT: CallLimits = CallLimits { connect_ms: 2_000, attempt_ms: 2_000, call_ms: 8_000 };
const UPDATE: &str = "ECS.UpdateExpressGatewayService";

fn digest(of: char) -> ImageDigest {
    ImageDigest::parse(&format!("sha256:{}", of.to_string().repeat(64))).unwrap()
}

struct World {
    aws: AwsSandbox,
    target: EcsExpress,
    arn: String,
    repository: String,
    old: String,
    new: String,
}

impl World {
    async fn new() -> Self {
        slipway_deploy::install_crypto_provider();
        let aws = AwsSandbox::start(AwsOptions { pace: PACE, ..AwsOptions::default() }).await.unwrap();
        let repository = aws.push_image("goals", "old", digest('a').as_str());
        aws.push_image("goals", "new", digest('b').as_str());
        let service = NewService {
            start_command: Some(format!("serve --password {PASSWORD}")),
            variables: BTreeMap::from([("SMTP_PASSWORD".to_owned(), PASSWORD.to_owned())]),
            secrets: BTreeMap::from([(
                "GOOSE_DBSTRING".to_owned(),
                "arn:aws:secretsmanager:us-west-2:123456789012:secret:goals/staging-AbCdEf".to_owned(),
            )]),
            ..NewService::new("goals-staging", format!("{repository}@{}", digest('a')))
        };
        let arn = aws.create_express(&service);
        let target = EcsExpress::new(aws.clients());
        let (old, new) = (format!("{repository}@{}", digest('a')), format!("{repository}@{}", digest('b')));
        Self { aws, target, arn, repository, old, new }
    }

    fn inject(&self, action: &str, kind: FaultKind, times: u32) {
        self.aws.inject(Fault { action: action.to_owned(), kind, times });
    }

    async fn state(&self, operation: &str) -> (OperationStatus, String) {
        let state = self.target.operation(&self.arn, operation).await.unwrap();
        (state.status, state.word)
    }
}

#[tokio::test]
async fn a_deployment_goes_through_its_states_to_the_new_image() {
    let w = World::new().await;
    let before = w.target.observe(&w.arn).await.unwrap();
    assert_eq!((before.service_name.as_str(), before.status.as_str()), ("goals-staging", "ACTIVE"));
    assert_eq!((&before.image_identifier, before.auto_deployments), (&w.old, false));
    assert_eq!(before.newest_operation.as_ref().unwrap().kind, OperationKind::Deployment);
    assert!(before.url.unwrap().starts_with("https://"));

    let id = w.target.start(&w.arn, &w.new).await.unwrap().operation_id;
    assert_eq!(w.state(&id).await, (OperationStatus::Pending, "PENDING".to_owned()));
    w.aws.advance_ms(PHASE_MS);
    assert_eq!(w.state(&id).await, (OperationStatus::InProgress, "IN_PROGRESS".to_owned()));
    assert_eq!(w.aws.running_image(&w.arn).as_deref(), Some(w.old.as_str()));
    w.aws.advance_ms(PHASE_MS);
    let state = w.target.operation(&w.arn, &id).await.unwrap();
    assert_eq!((state.status, state.word.as_str()), (OperationStatus::Succeeded, "SUCCESSFUL"));
    let took = state.ended_at.unwrap().duration_since(state.started_at.unwrap());
    assert_eq!(took.as_secs(), i64::try_from(2 * PHASE_MS / 1000).unwrap());
    let after = w.target.observe(&w.arn).await.unwrap();
    assert_eq!((&after.image_identifier, &after.newest_operation.unwrap().id), (&w.new, &id));
    assert_eq!(w.aws.deployment_operations(&w.arn).len(), 1);
}

#[tokio::test]
async fn a_rollback_leaves_an_active_service_with_the_old_image_and_says_why() {
    let w = World::new().await;
    w.aws.fail_next_deployment(&w.arn, FailureMode::RollsBack);
    let id = w.target.start(&w.arn, &w.new).await.unwrap().operation_id;
    w.aws.advance_ms(2 * PHASE_MS);
    assert_eq!(w.state(&id).await, (OperationStatus::RollbackInProgress, "ROLLBACK_IN_PROGRESS".to_owned()));
    assert_eq!(w.target.observe(&w.arn).await.unwrap().image_identifier, w.old, "on its way back");
    w.aws.advance_ms(PHASE_MS);
    let state = w.target.operation(&w.arn, &id).await.unwrap();
    assert_eq!((state.status, state.word.as_str()), (OperationStatus::RollbackSucceeded, "ROLLBACK_SUCCESSFUL"));
    assert_eq!(state.reason.as_deref(), Some("Service deployment circuit breaker: tasks failed to start."));
    let after = w.target.observe(&w.arn).await.unwrap();
    assert_eq!((after.status.as_str(), &after.image_identifier), ("ACTIVE", &w.old));
}

#[tokio::test]
async fn the_other_failures_have_their_own_ends() {
    let ends = [
        (FailureMode::RollbackFails, OperationStatus::RollbackFailed, "ROLLBACK_FAILED"),
        (FailureMode::CreateFails, OperationStatus::Failed, "STOPPED"),
    ];
    for (mode, end, word) in ends {
        let w = World::new().await;
        w.aws.fail_next_deployment(&w.arn, mode);
        let id = w.target.start(&w.arn, &w.new).await.unwrap().operation_id;
        w.aws.advance_ms(3 * PHASE_MS);
        assert_eq!(w.state(&id).await, (end, word.to_owned()));
    }
    let w = World::new().await;
    let missing = format!("{}@{}", w.repository, digest('c'));
    let id = w.target.start(&w.arn, &missing).await.unwrap().operation_id;
    w.aws.advance_ms(3 * PHASE_MS);
    assert_eq!(w.state(&id).await.0, OperationStatus::RollbackSucceeded);
}

#[tokio::test]
async fn every_other_setting_is_kept() {
    let w = World::new().await;
    let before = w.target.observe(&w.arn).await.unwrap();
    w.target.start(&w.arn, &w.new).await.unwrap();
    w.aws.advance_ms(2 * PHASE_MS);
    let after = w.target.observe(&w.arn).await.unwrap();
    assert_eq!(after.settings, before.settings);
    let names: Vec<_> = after.settings.keys().map(String::as_str).collect();
    let all = "cpu env.SMTP_PASSWORD execution_role health_check_path image.command image.port logs.group logs.prefix \
               memory network.security_groups network.subnets scaling.max scaling.metric scaling.min scaling.target \
               secret.GOOSE_DBSTRING task_role";
    assert_eq!(names.join(" "), all);
    assert!(!format!("{after:?}").contains("hunter2"));

    let [sent] = &w.aws.update_calls(&w.arn)[..] else { panic!("one update") };
    let container = &sent["primaryContainer"];
    assert_eq!(container["image"], json!(w.new));
    assert_eq!(container["environment"], json!([{ "name": "SMTP_PASSWORD", "value": PASSWORD }]));
    assert_eq!(container["command"], json!(["serve", "--password", PASSWORD]));
    assert_eq!(container["awsLogsConfiguration"]["logGroup"], "/aws/ecs/main/goals-staging");
    assert_eq!(sent["scalingTarget"]["maxTaskCount"], 4);
    assert!(sent.get("taskDefinitionArn").is_none());
}

#[tokio::test]
async fn only_a_pinned_image_is_deployed_and_only_to_an_active_service() {
    let w = World::new().await;
    for image in ["", &w.repository, &format!("{}:latest", w.repository), &format!("{}@sha256:12", w.repository)] {
        assert!(matches!(w.target.start(&w.arn, image).await, Err(StartError::Refused(_))), "{image}");
    }
    w.aws.set_draining(&w.arn);
    let refused = w.target.start(&w.arn, &w.new).await.unwrap_err();
    assert_eq!(refused.to_string(), "goals-staging is DRAINING; only an ACTIVE service is deployed to.");
    assert_eq!(w.aws.calls(UPDATE), 0);
}

#[tokio::test]
async fn a_deployment_under_way_is_waited_for_and_one_that_is_stopped_says_so() {
    let w = World::new().await;
    w.aws.deploy_by_hand(&w.arn).unwrap();
    assert_eq!(w.target.start(&w.arn, &w.new).await, Err(StartError::Busy));
    assert_eq!(w.aws.calls(UPDATE), 0);
    w.aws.advance_ms(2 * PHASE_MS);
    let ours = w.target.start(&w.arn, &w.new).await.unwrap().operation_id;
    let theirs = w.aws.deploy_by_hand(&w.arn).unwrap();
    assert_eq!(w.state(&ours).await, (OperationStatus::Failed, "STOPPED".to_owned()));
    let since = w.target.find_since(&w.arn, Some(&ours)).await.unwrap();
    assert_eq!(since.into_iter().map(|operation| operation.id).collect::<Vec<_>>(), [theirs]);
}

#[tokio::test]
async fn what_changes_something_is_sent_once_and_found_again() {
    let w = World::new().await;
    w.inject(UPDATE, FaultKind::Status503, 1);
    assert!(matches!(w.target.start(&w.arn, &w.new).await, Err(StartError::Unknown(_))));
    w.inject(UPDATE, FaultKind::Throttle, 1);
    assert_eq!(w.target.start(&w.arn, &w.new).await, Err(StartError::Throttled));
    assert_eq!(w.aws.calls(UPDATE), 2);
    assert!(w.aws.deployment_operations(&w.arn).is_empty());

    let before = w.target.observe(&w.arn).await.unwrap().newest_operation.unwrap().id;
    w.inject(UPDATE, FaultKind::LostAnswerAfterAct, 1);
    assert!(matches!(w.target.start(&w.arn, &w.new).await, Err(StartError::Unknown(_))));
    let found = w.target.find_since(&w.arn, Some(&before)).await.unwrap();
    let [ours] = &found[..] else { panic!("{found:?}") };
    assert_eq!((&ours.id, ours.kind.deploys()), (&w.aws.deployment_operations(&w.arn)[0].id, true));
    assert_eq!(w.aws.calls(UPDATE), 3);
}

#[tokio::test]
async fn no_answer_in_time_is_unknown_and_reads_are_tried_again() {
    let w = World::new().await;
    let target = EcsExpress::new(AwsClients::explicit(w.aws.explicit(IMPATIENT)));
    w.inject(UPDATE, FaultKind::Timeout, 1);
    let error = target.start(&w.arn, &w.new).await.unwrap_err();
    assert!(matches!(&error, StartError::Unknown(text) if text.contains("in time")), "{error}");
    assert_eq!(w.aws.calls(UPDATE), 1);
    let describe = "ECS.DescribeExpressGatewayService";
    let before = w.aws.calls(describe);
    w.inject(describe, FaultKind::Status503, 1);
    assert!(w.target.observe(&w.arn).await.is_ok());
    assert_eq!(w.aws.calls(describe), before + 2);
    w.inject("ECS.ListServiceDeployments", FaultKind::Throttle, 100);
    assert!(matches!(w.target.operation(&w.arn, "1").await, Err(TargetError::Unavailable(_))));
}

#[tokio::test]
async fn deployments_are_looked_for_over_many_pages() {
    let w = World::new().await;
    let mut ids = Vec::new();
    for _ in 0..120 {
        ids.push(w.aws.deploy_by_hand(&w.arn).unwrap());
        w.aws.advance_ms(2 * PHASE_MS);
    }
    assert_eq!(w.state(&ids[0]).await.0, OperationStatus::Succeeded);
    assert_eq!(w.aws.calls("ECS.ListServiceDeployments"), 2);
    assert_eq!(w.target.find_since(&w.arn, None).await.unwrap().len(), 121);
    // A revision of which no deployment shows yet.
    assert_eq!(w.state("77").await.0, OperationStatus::Pending);
}

#[tokio::test]
async fn errors_say_what_is_wrong_and_hold_no_secret() {
    let w = World::new().await;
    w.inject(UPDATE, FaultKind::Denied, 1);
    let denied = w.target.start(&w.arn, &w.new).await.unwrap_err().to_string();
    assert!(denied.starts_with("AWS does not allow ecs:UpdateExpressGatewayService. Add it to the policy"), "{denied}");
    w.inject(UPDATE, FaultKind::QuotesSettings, 1);
    let error = w.target.start(&w.arn, &w.new).await.unwrap_err();
    assert!(matches!(&error, StartError::Refused(text) if text.contains("[redacted]")), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    let gone = w.target.observe(&w.arn.replace("goals-staging", "elsewhere")).await.unwrap_err().to_string();
    assert!(gone.contains("found nothing") && gone.contains("ServiceNotFoundException"), "{gone}");
    let bad = w.target.observe("goals").await.unwrap_err().to_string();
    assert!(bad.contains("\"goals\" is not the ARN of an ECS service with its cluster"), "{bad}");
}

#[tokio::test]
async fn the_trail_has_events_and_the_newest_lines_since_the_deployment_began() {
    let w = World::new().await;
    let group = "/aws/ecs/main/goals-staging";
    w.aws.write_log(group, "other/Main/1", "of another container");
    w.aws.fail_next_deployment(&w.arn, FailureMode::RollsBack);
    w.target.start(&w.arn, &w.new).await.unwrap();
    for n in 0..30 {
        w.aws.write_log(group, "ecs/Main/1", &format!("line {n}: {PASSWORD} token=abc"));
    }
    let trail = w.target.trail(&w.arn, None).await;
    assert_eq!(trail.missing, [""; 0]);
    assert!(trail.events[0].ends_with("was unable to place a task: the container exited with code 2."), "{trail:?}");
    assert_eq!(trail.log.len(), 20, "{trail:?}");
    assert!(trail.log[19].ends_with("line 29: [redacted] token=[redacted]"), "{trail:?}");
    assert!(!format!("{trail:?}").contains("hunter2") && !format!("{trail:?}").contains("another container"));

    let later = Timestamp::from_second(Timestamp::now().as_second() + 3_600).unwrap();
    let trail = w.target.trail(&w.arn, Some(later)).await;
    assert!(trail.events.is_empty() && trail.log.is_empty(), "{trail:?}");
    w.inject("ECS.DescribeServices", FaultKind::Denied, 1);
    let trail = w.target.trail(&w.arn, None).await;
    assert!(trail.missing[0].contains("AWS does not allow ecs:DescribeServices."), "{trail:?}");
    w.inject("ECS.DescribeExpressGatewayService", FaultKind::Denied, 1);
    let trail = w.target.trail(&w.arn, None).await;
    assert!(trail.log.is_empty() && trail.missing.len() == 1, "what is secret is not known: {trail:?}");
}
