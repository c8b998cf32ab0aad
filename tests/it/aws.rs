//! AWS: the real SDK behind `slipway_deploy` against the sandbox.

use serde_json::{Value, json};
use slipway_core::ids::ImageDigest;
use slipway_deploy::aws::app_runner::AppRunner;
use slipway_deploy::aws::ecr::{Ecr, RegistryError};
use slipway_deploy::aws::secrets::{ExposeSecret as _, SecretError, Secrets};
use slipway_deploy::aws::{AwsClients, AwsErrorKind, CallLimits};
use slipway_deploy::health::{HealthChecker, HealthError};
use slipway_deploy::target::{OperationKind, OperationStatus, StartError, Target, TargetError};
use slipway_sandbox::aws::{AwsOptions, AwsSandbox, FailureMode, Fault, FaultKind, NewService, Pace};
use slipway_sandbox::port;
use std::collections::BTreeMap;

const OLD_COMMIT: &str = "1111111111111111111111111111111111111111";
const NEW_COMMIT: &str = "2222222222222222222222222222222222222222";
/// With a character that JSON writes in another way.
const PASSWORD: &str = "hunter2\"hunter2";

/// Nothing happens by itself: only `advance_ms` moves operations on.
const PACE: Pace = Pace { pending_ms: 600_000, in_progress_ms: 600_000, rollback_ms: 600_000 };
const PHASE_MS: u64 = 600_000;
/// For faults that hold a request for ever.
const IMPATIENT: CallLimits = CallLimits { connect_ms: 2_000, attempt_ms: 2_000, call_ms: 8_000 };

fn digest(of: char) -> ImageDigest {
    ImageDigest::parse(&format!("sha256:{}", of.to_string().repeat(64))).unwrap()
}

struct World {
    aws: AwsSandbox,
    target: AppRunner,
    arn: String,
    repository: String,
    old: String,
    new: String,
}

impl World {
    async fn new() -> Self {
        slipway_deploy::install_crypto_provider();
        let aws = AwsSandbox::start(AwsOptions { pace: PACE, ..AwsOptions::default() }).await.unwrap();
        let repository = aws.push_image("goals", OLD_COMMIT, digest('a').as_str());
        aws.push_image("goals", NEW_COMMIT, digest('b').as_str());
        let service = NewService {
            start_command: Some(format!("serve --password {PASSWORD}")),
            variables: BTreeMap::from([("SMTP_PASSWORD".to_owned(), PASSWORD.to_owned())]),
            secrets: BTreeMap::from([(
                "GOOSE_DBSTRING".to_owned(),
                "arn:aws:secretsmanager:us-west-2:123456789012:secret:goals/staging-AbCdEf".to_owned(),
            )]),
            ..NewService::new("goals-staging", format!("{repository}@{}", digest('a')))
        };
        let arn = aws.create_service(&service);
        let target = AppRunner::new(aws.clients());
        let (old, new) = (format!("{repository}@{}", digest('a')), format!("{repository}@{}", digest('b')));
        Self { aws, target, arn, repository, old, new }
    }

    fn inject(&self, action: &str, kind: FaultKind, times: u32) {
        self.aws.inject(Fault { action: action.to_owned(), kind, times });
    }

    async fn status(&self, operation: &str) -> OperationStatus {
        self.target.operation(&self.arn, operation).await.unwrap().status
    }
}

#[tokio::test]
async fn a_deployment_goes_through_its_states_to_the_new_image() {
    let w = World::new().await;
    let before = w.target.observe(&w.arn).await.unwrap();
    assert_eq!((before.service_name.as_str(), before.status.as_str()), ("goals-staging", "RUNNING"));
    assert_eq!(before.image_identifier, w.old);
    assert_eq!(before.newest_operation.as_ref().unwrap().kind, OperationKind::Create);
    assert!(before.url.unwrap().starts_with("https://"));

    let started = w.target.start(&w.arn, &w.new).await.unwrap();
    assert_eq!(w.status(&started.operation_id).await, OperationStatus::Pending);
    assert_eq!(w.target.observe(&w.arn).await.unwrap().status, "OPERATION_IN_PROGRESS");
    w.aws.advance_ms(PHASE_MS);
    assert_eq!(w.status(&started.operation_id).await, OperationStatus::InProgress);
    assert_eq!(w.aws.running_image(&w.arn).as_deref(), Some(w.old.as_str()));
    w.aws.advance_ms(PHASE_MS);
    let state = w.target.operation(&w.arn, &started.operation_id).await.unwrap();
    assert_eq!(state.status, OperationStatus::Succeeded);
    let took = state.ended_at.unwrap().duration_since(state.started_at.unwrap());
    assert_eq!(took.as_secs(), i64::try_from(2 * PHASE_MS / 1000).unwrap());
    let after = w.target.observe(&w.arn).await.unwrap();
    assert_eq!((after.status.as_str(), &after.image_identifier), ("RUNNING", &w.new));
    assert_eq!(w.aws.running_image(&w.arn).as_deref(), Some(w.new.as_str()));
    assert_eq!(w.aws.deployment_operations(&w.arn).len(), 1);
}

#[tokio::test]
async fn a_rollback_leaves_a_running_service_with_the_old_image_and_is_told_by_its_operation() {
    let w = World::new().await;
    w.aws.fail_next_deployment(&w.arn, FailureMode::RollsBack);
    let id = w.target.start(&w.arn, &w.new).await.unwrap().operation_id;
    w.aws.advance_ms(2 * PHASE_MS);
    assert_eq!(w.status(&id).await, OperationStatus::RollbackInProgress);
    w.aws.advance_ms(PHASE_MS);
    assert_eq!(w.status(&id).await, OperationStatus::RollbackSucceeded);
    let after = w.target.observe(&w.arn).await.unwrap();
    assert_eq!((after.status.as_str(), &after.image_identifier), ("RUNNING", &w.old));
}

#[tokio::test]
async fn the_other_failures_have_their_own_ends() {
    let ends = [
        (FailureMode::RollbackFails, OperationStatus::RollbackFailed),
        (FailureMode::CreateFails, OperationStatus::Failed),
    ];
    for (mode, end) in ends {
        let w = World::new().await;
        w.aws.fail_next_deployment(&w.arn, mode);
        let id = w.target.start(&w.arn, &w.new).await.unwrap().operation_id;
        w.aws.advance_ms(3 * PHASE_MS);
        assert_eq!(w.status(&id).await, end);
    }
}

#[tokio::test]
async fn an_image_that_the_registry_does_not_have_is_rolled_back() {
    let w = World::new().await;
    let missing = format!("{}@{}", w.repository, digest('c'));
    let id = w.target.start(&w.arn, &missing).await.unwrap().operation_id;
    w.aws.advance_ms(3 * PHASE_MS);
    assert_eq!(w.status(&id).await, OperationStatus::RollbackSucceeded);
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
    let all = "access_role auto_deployments env.SMTP_PASSWORD image.port image.start_command image.type \
               secret.GOOSE_DBSTRING";
    assert_eq!(names.join(" "), all);

    let [sent] = &w.aws.update_calls(&w.arn)[..] else { panic!("one update") };
    let members: Vec<_> = sent.as_object().unwrap().keys().map(String::as_str).collect();
    // What is left out stays as it is; what is in the source configuration replaces it.
    assert_eq!(members, ["ServiceArn", "SourceConfiguration"]);
    let source = &sent["SourceConfiguration"];
    assert_eq!(source["ImageRepository"]["ImageIdentifier"], json!(w.new));
    let configuration = &source["ImageRepository"]["ImageConfiguration"];
    assert_eq!(configuration["RuntimeEnvironmentVariables"]["SMTP_PASSWORD"], PASSWORD);
    assert_eq!(configuration["StartCommand"], format!("serve --password {PASSWORD}"));
    assert_eq!(source["AutoDeploymentsEnabled"], json!(false));
}

#[tokio::test]
async fn the_image_that_is_configured_already_is_deployed_again() {
    let w = World::new().await;
    let started = w.target.start(&w.arn, &w.old).await.unwrap();
    let [seen] = &w.aws.deployment_operations(&w.arn)[..] else { panic!("one deployment") };
    assert_eq!((seen.kind, &seen.id), ("START_DEPLOYMENT", &started.operation_id));
    assert_eq!(w.aws.calls("AppRunner.UpdateService"), 0);
}

#[tokio::test]
async fn only_a_pinned_image_is_deployed_and_only_to_a_running_service() {
    let w = World::new().await;
    for image in ["", &w.repository, &format!("{}:latest", w.repository), &format!("{}@sha256:12", w.repository)] {
        assert!(matches!(w.target.start(&w.arn, image).await, Err(StartError::Refused(_))), "{image}");
    }
    w.aws.set_paused(&w.arn, true);
    let refused = w.target.start(&w.arn, &w.new).await.unwrap_err();
    assert_eq!(refused.to_string(), "goals-staging is PAUSED; only a RUNNING service is deployed to.");
    assert!(w.aws.deployment_operations(&w.arn).is_empty());
}

#[tokio::test]
async fn a_busy_service_is_busy_however_aws_calls_it() {
    let w = World::new().await;
    // Seen beforehand.
    w.aws.deploy_by_hand(&w.arn).unwrap();
    assert_eq!(w.target.start(&w.arn, &w.new).await, Err(StartError::Busy));
    assert_eq!(w.aws.calls("AppRunner.UpdateService"), 0);
    // Between looking and acting: InvalidStateException of the one, InvalidRequestException of the other.
    for (action, image) in [("AppRunner.UpdateService", &w.new), ("AppRunner.StartDeployment", &w.old)] {
        w.aws.advance_ms(2 * PHASE_MS);
        w.inject(action, FaultKind::SomebodyElseFirst, 1);
        assert_eq!(w.target.start(&w.arn, image).await, Err(StartError::Busy), "{action}");
        assert_eq!(w.aws.calls(action), 1);
    }
    assert!(w.aws.deployment_operations(&w.arn).iter().all(|operation| operation.by_hand));
}

#[tokio::test]
async fn what_changes_something_is_sent_once() {
    for (action, same) in [("AppRunner.UpdateService", false), ("AppRunner.StartDeployment", true)] {
        let w = World::new().await;
        let image = if same { &w.old } else { &w.new };
        w.inject(action, FaultKind::Status503, 1);
        assert!(matches!(w.target.start(&w.arn, image).await, Err(StartError::Unknown(_))), "{action}");
        w.inject(action, FaultKind::Throttle, 1);
        assert_eq!(w.target.start(&w.arn, image).await, Err(StartError::Throttled), "{action}");
        assert_eq!(w.aws.calls(action), 2);
        assert!(w.aws.deployment_operations(&w.arn).is_empty());
    }
}

#[tokio::test]
async fn reads_are_tried_again() {
    let w = World::new().await;
    w.inject("AppRunner.DescribeService", FaultKind::Status503, 1);
    assert!(w.target.observe(&w.arn).await.is_ok());
    assert_eq!(w.aws.calls("AppRunner.DescribeService"), 2);
}

#[tokio::test]
async fn a_deployment_whose_answer_was_lost_is_found_again() {
    for same in [false, true] {
        let w = World::new().await;
        let before = w.target.observe(&w.arn).await.unwrap().newest_operation.unwrap().id;
        let (action, image, kind) = if same {
            ("AppRunner.StartDeployment", &w.old, OperationKind::StartDeployment)
        } else {
            ("AppRunner.UpdateService", &w.new, OperationKind::Update)
        };
        w.inject(action, FaultKind::LostAnswerAfterAct, 1);
        assert!(matches!(w.target.start(&w.arn, image).await, Err(StartError::Unknown(_))));
        let found = w.target.find_since(&w.arn, Some(&before)).await.unwrap();
        let [ours] = &found[..] else { panic!("{found:?}") };
        assert_eq!(ours.kind, kind);
        assert!(ours.kind.deploys());
        assert_eq!(w.aws.deployment_operations(&w.arn)[0].id, ours.id);
        assert_eq!(w.aws.calls(action), 1);
        assert!(w.target.find_since(&w.arn, Some(&ours.id)).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn no_answer_in_time_is_unknown_and_nobody_there_is_unreachable() {
    let w = World::new().await;
    let target = AppRunner::new(AwsClients::explicit(w.aws.explicit(IMPATIENT)));
    w.inject("AppRunner.UpdateService", FaultKind::Timeout, 1);
    let error = target.start(&w.arn, &w.new).await.unwrap_err();
    assert!(matches!(&error, StartError::Unknown(text) if text.contains("in time")), "{error}");
    assert_eq!(w.aws.calls("AppRunner.UpdateService"), 1);

    let port = port::free().unwrap();
    let mut nobody = w.aws.explicit(IMPATIENT);
    nobody.endpoint_url = format!("http://127.0.0.1:{port}");
    let target = AppRunner::new(AwsClients::explicit(nobody));
    let error = target.start(&w.arn, &w.new).await.unwrap_err();
    assert!(matches!(&error, StartError::Unreachable(text) if text.contains("AWS_ENDPOINT_URL")), "{error}");
    assert!(matches!(target.observe(&w.arn).await, Err(TargetError::Unavailable(_))));
}

#[tokio::test]
async fn operations_are_looked_for_over_many_pages() {
    let w = World::new().await;
    let mut ids = Vec::new();
    for _ in 0..45 {
        ids.push(w.aws.deploy_by_hand(&w.arn).unwrap());
        w.aws.advance_ms(2 * PHASE_MS);
    }
    assert_eq!(w.status(&ids[0]).await, OperationStatus::Succeeded);
    assert_eq!(w.aws.calls("AppRunner.ListOperations"), 3);
    let found = w.target.find_since(&w.arn, Some(&ids[3])).await.unwrap();
    let expected: Vec<_> = ids[4..].iter().rev().cloned().collect();
    assert_eq!(found.into_iter().map(|operation| operation.id).collect::<Vec<_>>(), expected);
    assert_eq!(w.target.find_since(&w.arn, None).await.unwrap().len(), 46);
    assert!(matches!(w.target.operation(&w.arn, "none").await, Err(TargetError::Refused(_))));
}

#[tokio::test]
async fn errors_say_what_is_wrong_and_what_to_do() {
    let w = World::new().await;
    w.inject("AppRunner.UpdateService", FaultKind::Denied, 1);
    let denied = w.target.start(&w.arn, &w.new).await.unwrap_err().to_string();
    assert!(denied.starts_with("AWS does not allow apprunner:UpdateService. Add it to the policy"), "{denied}");
    w.inject("AppRunner.UpdateService", FaultKind::Expired, 1);
    let expired = w.target.start(&w.arn, &w.new).await.unwrap_err().to_string();
    assert!(expired.contains("Renew") && expired.contains("ExpiredTokenException"), "{expired}");
    let gone = w.arn.replace("goals-staging", "goals-elsewhere");
    let gone = w.target.observe(&gone).await.unwrap_err().to_string();
    assert!(gone.contains("found nothing") && gone.contains("goals-elsewhere"), "{gone}");
    let bad = w.target.observe("goals").await.unwrap_err().to_string();
    assert!(bad.contains("\"goals\" is not the ARN of an App Runner service"), "{bad}");
}

#[tokio::test]
async fn a_wrong_key_is_refused_by_its_signature() {
    let w = World::new().await;
    let mut wrong = w.aws.explicit(CallLimits::default());
    wrong.secret_access_key.push('x');
    let error = AppRunner::new(AwsClients::explicit(wrong)).observe(&w.arn).await.unwrap_err().to_string();
    assert!(error.contains("InvalidSignatureException"), "{error}");
    let mut unknown = w.aws.explicit(CallLimits::default());
    unknown.access_key_id = "AKIASOMEBODYELSE0000".to_owned();
    let error = AppRunner::new(AwsClients::explicit(unknown)).observe(&w.arn).await.unwrap_err().to_string();
    assert!(error.contains("UnrecognizedClientException"), "{error}");
}

#[tokio::test]
async fn the_region_comes_from_what_is_asked_for() {
    let w = World::new().await;
    w.aws.put_secret("goals/staging", &json!({ "DSN": "x" }));
    let mut elsewhere = w.aws.explicit(CallLimits::default());
    elsewhere.region = "eu-central-1".to_owned();
    let clients = AwsClients::explicit(elsewhere);
    assert!(AppRunner::new(clients.clone()).observe(&w.arn).await.is_ok());
    let found = Ecr::new(clients.clone()).image_by_tag(&w.repository, OLD_COMMIT).await;
    assert_eq!(found.unwrap().unwrap().digest, digest('a'));
    // A secret's name says nothing of its region: the default one is signed for, and this sandbox has another.
    let error = Secrets::new(clients).current_version("goals/staging").await.unwrap_err();
    assert!(matches!(error, SecretError::Aws(e) if e.kind == AwsErrorKind::Credentials));
}

#[tokio::test]
async fn secrets_are_in_no_debug_and_no_error() {
    let w = World::new().await;
    w.aws.put_secret("goals/staging", &json!({ "DSN": PASSWORD }));
    let observed = w.target.observe(&w.arn).await.unwrap();
    assert!(!format!("{observed:?}").contains(PASSWORD));

    w.inject("AppRunner.UpdateService", FaultKind::QuotesSettings, 1);
    let error = w.target.start(&w.arn, &w.new).await.unwrap_err();
    assert!(matches!(&error, StartError::Refused(text) if text.contains(r#""SMTP_PASSWORD":"[redacted]""#)), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");

    let secrets = Secrets::new(w.aws.clients());
    let value = secrets.value("goals/staging", "DSN").await.unwrap();
    assert_eq!(value.expose_secret(), PASSWORD);
    let missing = secrets.value("goals/staging", "NONE").await.unwrap_err();
    assert_eq!(missing.to_string(), r#"the secret "goals/staging" has no key "NONE""#);
    assert!(!format!("{value:?} {missing:?} {secrets:?} {:?}", w.target).contains("hunter2"));
}

#[tokio::test]
async fn a_secret_has_one_current_version() {
    let w = World::new().await;
    let secrets = Secrets::new(w.aws.clients());
    let first = w.aws.put_secret("goals/staging", &json!({ "PORT": 1 }));
    assert_eq!(secrets.current_version("goals/staging").await.unwrap(), first);
    let second = w.aws.put_secret("goals/staging", &json!({ "PORT": 2 }));
    assert_ne!(first, second);
    assert_eq!(secrets.current_version("goals/staging").await.unwrap(), second);
    assert_eq!(secrets.value("goals/staging", "PORT").await.unwrap().expose_secret(), "2");
    let none = SecretError::NoSecret("goals/none".to_owned());
    assert_eq!(secrets.current_version("goals/none").await.unwrap_err(), none);
    assert_eq!(secrets.value("goals/none", "PORT").await.unwrap_err(), none);
}

#[tokio::test]
async fn images_are_found_by_tag_and_tags_by_digest() {
    let w = World::new().await;
    let ecr = Ecr::new(w.aws.clients());
    w.aws.push_image("goals", "latest", digest('b').as_str());
    let found = ecr.image_by_tag(&w.repository, "latest").await.unwrap().unwrap();
    assert_eq!((found.digest, found.tag.as_str()), (digest('b'), "latest"));
    assert!(found.pushed_at.is_some());
    assert_eq!(ecr.tags_of(&w.repository, &digest('b')).await.unwrap(), [NEW_COMMIT, "latest"]);
    assert_eq!(ecr.tags_of(&w.repository, &digest('c')).await.unwrap(), Vec::<String>::new());
    assert_eq!(ecr.image_by_tag(&w.repository, "none").await.unwrap(), None);
    let error = ecr.image_by_tag(&w.repository.replace("/goals", "/gaols"), "latest").await.unwrap_err();
    assert!(matches!(&error, RegistryError::NoRepository { name, .. } if name == "gaols"), "{error}");
}

#[tokio::test]
async fn the_health_address_tells_which_commit_runs() {
    let w = World::new().await;
    let url = w.aws.health_url(&w.arn).unwrap();
    let checker = HealthChecker::new(5_000).unwrap();
    let answer = checker.check(&url).await.unwrap();
    assert_eq!((answer.status, answer.healthy, answer.version.as_deref()), (200, true, Some(OLD_COMMIT)));

    w.aws.unhealthy_image(digest('b').as_str());
    w.target.start(&w.arn, &w.new).await.unwrap();
    assert!(checker.check(&url).await.unwrap().healthy, "the old image still runs");
    w.aws.advance_ms(2 * PHASE_MS);
    let answer = checker.check(&url).await.unwrap();
    assert_eq!((answer.status, answer.healthy, answer.version.as_deref()), (503, false, Some(NEW_COMMIT)));
    assert!(answer.excerpt.contains("unavailable"));
}

/// A server for one test that answers every path alike.
async fn serve(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn a_health_check_is_bounded_and_stays_on_its_host() {
    use axum::response::Redirect;
    use axum::routing::get;
    let other = serve(axum::Router::new().route("/", get(|| async { "fine" }))).await;
    let body = format!("postgres://u:{PASSWORD}@db/x {}", "z".repeat(200_000));
    let router = axum::Router::new()
        .route("/away", get(move || async move { Redirect::temporary(&other) }))
        .route("/here", get(|| async { Redirect::temporary("/fine") }))
        .route("/fine", get(|| async { "fine" }))
        .route("/loop", get(|| async { Redirect::temporary("/loop") }))
        .route("/large", get(move || async move { body }))
        .route("/never", get(|| async { std::future::pending::<()>().await }));
    let base = serve(router).await;
    let checker = HealthChecker::new(30_000).unwrap();
    assert_eq!(checker.check(&format!("{base}/here")).await.unwrap().excerpt, "fine");
    for path in ["away", "loop"] {
        let answer = checker.check(&format!("{base}/{path}")).await.unwrap();
        assert_eq!((answer.status, answer.healthy), (307, false), "{path}");
    }
    let large = checker.check(&format!("{base}/large")).await.unwrap();
    assert!(large.healthy && large.excerpt.chars().count() <= 201 && !large.excerpt.contains("hunter2"));
    let never = HealthChecker::new(200).unwrap().check(&format!("{base}/never")).await;
    assert_eq!(never, Err(HealthError::TimedOut { host: "127.0.0.1".to_owned(), limit_ms: 200 }));
    let nobody = format!("127.0.0.1:{}", port::free().unwrap());
    let error = checker.check(&format!("http://u:{PASSWORD}@{nobody}/")).await.unwrap_err();
    assert!(matches!(error, HealthError::Unreachable { .. }) && !format!("{error:?}").contains("hunter2"));
}

/// What a client without the SDK gets.
async fn raw(url: &str, target: &str, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
    let mut request = reqwest::Client::new().post(url).header("x-amz-target", target).body(body.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn the_sandbox_refuses_what_is_not_signed() {
    let w = World::new().await;
    let url = w.aws.endpoint_url();
    let request = json!({ "ServiceArn": w.arn });
    let json10 = ("content-type", "application/x-amz-json-1.0");
    let (status, answer) = raw(&url, "AppRunner.StartDeployment", &[json10], &request).await;
    assert_eq!((status, &answer["__type"]), (400, &json!("MissingAuthenticationTokenException")));
    let (_, answer) = raw(&url, "AppRunner.StartDeployment", &[json10, ("authorization", "AWS4 x")], &request).await;
    assert_eq!(answer["__type"], "IncompleteSignatureException");
    let (_, answer) = raw(&url, "AppRunner.DeleteService", &[json10], &request).await;
    assert_eq!(answer["__type"], "UnknownOperationException");
    assert!(w.aws.deployment_operations(&w.arn).is_empty());
}

/// The SDK finds the sandbox through the environment. Only a process of its own has one: this test runs itself.
#[tokio::test]
async fn the_standard_environment_leads_to_the_sandbox() {
    const CHILD: &str = "SLIPWAY_TEST_ARN";
    if let Ok(arn) = std::env::var(CHILD) {
        slipway_deploy::install_crypto_provider();
        let clients = AwsClients::from_env().await;
        let observed = AppRunner::new(clients.clone()).observe(&arn).await;
        if std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
            let error = observed.unwrap_err().to_string();
            assert!(
                error.starts_with("AWS takes no credentials from the bot for apprunner:ListOperations."),
                "{error}"
            );
            return;
        }
        assert!(observed.is_ok());
        assert!(Secrets::new(clients.clone()).current_version("goals/staging").await.is_ok());
        let repository = "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals";
        assert!(Ecr::new(clients).image_by_tag(repository, OLD_COMMIT).await.is_ok_and(|image| image.is_some()));
        return;
    }
    let w = World::new().await;
    w.aws.put_secret("goals/staging", &json!({}));
    for keys in [true, false] {
        let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "aws::the_standard_environment_leads_to_the_sandbox", "--test-threads=1"]);
        let environment = w.aws.environment().into_iter().filter(|(name, _)| keys || !name.contains("ACCESS_KEY"));
        child.env_clear().envs(environment).env(CHILD, &w.arn);
        let output = child.output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    assert_eq!(w.aws.calls("ECR.DescribeImages"), 1);
    assert_eq!(w.aws.calls("SecretsManager.DescribeSecret"), 1);
    assert_eq!(w.aws.calls("AppRunner.DescribeService"), 1);
}
