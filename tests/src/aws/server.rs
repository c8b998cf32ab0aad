//! The one address at which all services and all running images answer.

use super::answer::{self, Answer, Refusal};
use super::fault::FaultKind;
use super::shape::Shape;
use super::sigv4::{self, Expected};
use super::state::{Now, State, uuid};
use super::{Shared, app_runner, ecr, ecs, ecs_model, logs, model, secrets};
use crate::spoilt;
use crate::traffic::{self, Exchange};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The largest request, in bytes.
const REQUEST_LIMIT_BYTES: usize = 1024 * 1024;
/// How long a request that is never answered is held, in milliseconds, should its sender be so patient.
const HOLD_LIMIT_MS: u64 = 120_000;

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().route("/", post(aws)).route("/service/{name}/healthz", get(healthz)).with_state(shared)
}

/// Carries out a request that fits its shape.
type Act = fn(&mut State, &Value, Now) -> Answer;

/// An operation of a service: how it is named, checked and carried out.
struct Operation {
    /// `AppRunner.UpdateService`.
    action: String,
    /// For the credential scope.
    signing_name: &'static str,
    content_type: &'static str,
    /// What this service calls a request that breaks its model.
    invalid: &'static str,
    shape: &'static Shape,
    act: Act,
}

fn operation(target: &str) -> Option<Operation> {
    let (prefix, name) = target.split_once('.')?;
    let (service, signing_name, content_type, invalid) = match prefix {
        "AppRunner" => ("AppRunner", "apprunner", "application/x-amz-json-1.0", "InvalidRequestException"),
        "AmazonEC2ContainerRegistry_V20150921" => {
            ("ECR", "ecr", "application/x-amz-json-1.1", "InvalidParameterException")
        }
        "secretsmanager" => {
            ("SecretsManager", "secretsmanager", "application/x-amz-json-1.1", "InvalidParameterException")
        }
        "AmazonEC2ContainerServiceV20141113" => {
            ("ECS", "ecs", "application/x-amz-json-1.1", "InvalidParameterException")
        }
        "Logs_20140328" => ("Logs", "logs", "application/x-amz-json-1.1", "InvalidParameterException"),
        _ => return None,
    };
    let (shape, act): (&'static Shape, Act) = match (service, name) {
        ("AppRunner", "DescribeService") => (&model::DESCRIBE_SERVICE, app_runner::describe),
        ("AppRunner", "UpdateService") => (&model::UPDATE_SERVICE, app_runner::update),
        ("AppRunner", "StartDeployment") => (&model::START_DEPLOYMENT, app_runner::start_deployment),
        ("AppRunner", "ListOperations") => (&model::LIST_OPERATIONS, app_runner::list_operations),
        ("ECR", "DescribeImages") => {
            (&model::DESCRIBE_IMAGES, |state, request, _| ecr::describe_images(state, request))
        }
        ("ECR", "DescribeImageScanFindings") => (&model::DESCRIBE_IMAGE_SCAN_FINDINGS, |state, request, _| {
            ecr::describe_image_scan_findings(state, request)
        }),
        ("ECR", "BatchGetImage") => (&model::BATCH_GET_IMAGE, |state, request, _| ecr::batch_get_image(state, request)),
        ("ECR", "PutImage") => (&model::PUT_IMAGE, |state, request, _| ecr::put_image(state, request)),
        ("SecretsManager", "DescribeSecret") => {
            (&model::DESCRIBE_SECRET, |state, request, _| secrets::describe(state, request))
        }
        ("SecretsManager", "GetSecretValue") => {
            (&model::GET_SECRET_VALUE, |state, request, _| secrets::value(state, request))
        }
        ("ECS", "DescribeExpressGatewayService") => (&ecs_model::DESCRIBE_EXPRESS, ecs::describe),
        ("ECS", "UpdateExpressGatewayService") => (&ecs_model::UPDATE_EXPRESS, ecs::update),
        ("ECS", "ListServiceDeployments") => (&ecs_model::LIST_DEPLOYMENTS, ecs::list_deployments),
        ("ECS", "DescribeServices") => {
            (&ecs_model::DESCRIBE_SERVICES, |state, request, _| ecs::describe_services(state, request))
        }
        ("Logs", "FilterLogEvents") => {
            (&ecs_model::FILTER_LOG_EVENTS, |state, request, _| logs::filter(state, request))
        }
        _ => return None,
    };
    Some(Operation { action: format!("{service}.{name}"), signing_name, content_type, invalid, shape, act })
}

async fn aws(extract::State(shared): extract::State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(operation) = operation(target) else {
        let refusal = Refusal::new("UnknownOperationException", format!("no operation {target:?} here"));
        return answer::http(Err(refusal), "application/x-amz-json-1.1", "-");
    };
    let Ok(body) = to_bytes(body, REQUEST_LIMIT_BYTES).await else {
        let refusal = Refusal { status: 413, code: "RequestEntityTooLargeException", message: "too large".into() };
        return answer::http(Err(refusal), operation.content_type, "-");
    };
    let (request_id, fault, answer) = handle(&shared, &operation, &parts.headers, &body, parts.uri.query());
    match fault {
        Some(FaultKind::Timeout) => {
            tokio::time::sleep(Duration::from_millis(HOLD_LIMIT_MS)).await;
            answer::bare(504)
        }
        Some(FaultKind::Status503) => answer::bare(503),
        Some(FaultKind::LostAnswerAfterAct) => answer::broken(operation.content_type, &request_id),
        Some(FaultKind::CutOff) => answer::cut(&answer, operation.content_type, &request_id),
        Some(FaultKind::Hollow) => {
            let hollow = answer.map(|whole| spoilt::hollow(&whole));
            answer::http(hollow, operation.content_type, &request_id)
        }
        Some(FaultKind::Doubled) => answer::http(answer.map(spoilt::doubled), operation.content_type, &request_id),
        _ => {
            let (status, said) = answer::body(&answer);
            let request = traffic::json(&body);
            shared.traffic.keep(Exchange { call: operation.action, request, status, answer: said });
            answer::http(answer, operation.content_type, &request_id)
        }
    }
}

/// Everything between the bytes that came and the answer, in one go under the lock.
fn handle(
    shared: &Shared,
    operation: &Operation,
    headers: &HeaderMap,
    body: &[u8],
    query: Option<&str>,
) -> (String, Option<FaultKind>, Answer) {
    let mut state = shared.state();
    let now = shared.now(&state);
    state.calls.push(operation.action.clone());
    let request_id = uuid(&format!("request {}", state.calls.len()));
    let request = match checked(shared, operation, headers, body, query, now) {
        Ok(request) => request,
        Err(refusal) => return (request_id, None, Err(refusal)),
    };
    let fault = take_fault(&mut state, &operation.action);
    let refused = |code, message: String| Err(Refusal::new(code, message));
    let answer = match fault {
        Some(FaultKind::Timeout | FaultKind::Status503) => Ok(Value::Null),
        Some(FaultKind::Throttle) => refused("ThrottlingException", "Rate exceeded".into()),
        Some(FaultKind::Denied) => {
            let text = format!("User: arn:aws:iam::123456789012:user/slipway may not perform {}", operation.action);
            refused("AccessDeniedException", text)
        }
        Some(FaultKind::Expired) => {
            refused("ExpiredTokenException", "The security token included in the request is expired".into())
        }
        Some(FaultKind::QuotesSettings) => {
            let settings = request.pointer("/SourceConfiguration/ImageRepository/ImageConfiguration");
            let settings = settings.or(request.pointer("/primaryContainer/environment"));
            refused(operation.invalid, format!("Invalid configuration: {}", settings.unwrap_or(&request)))
        }
        Some(FaultKind::SomebodyElseFirst) => {
            let arn = request["ServiceArn"].as_str().unwrap_or_default();
            app_runner::deploy_again(&mut state, arn, now, true);
            ecs::deploy_again(&mut state, request["serviceArn"].as_str().unwrap_or_default(), now);
            (operation.act)(&mut state, &request, now)
        }
        Some(FaultKind::SomebodyElseAfter) => {
            let answer = (operation.act)(&mut state, &request, now);
            ecs::deploy_again(&mut state, request["serviceArn"].as_str().unwrap_or_default(), now);
            answer
        }
        Some(FaultKind::LostAnswerAfterAct | FaultKind::CutOff | FaultKind::Hollow | FaultKind::Doubled) | None => {
            (operation.act)(&mut state, &request, now)
        }
    };
    (request_id, fault, answer)
}

/// Who asks, and whether the request is one.
fn checked(
    shared: &Shared,
    operation: &Operation,
    headers: &HeaderMap,
    body: &[u8],
    query: Option<&str>,
    now: Now,
) -> Result<Value, Refusal> {
    let options = &shared.options;
    let expected = Expected {
        access_key_id: &options.access_key_id,
        secret_access_key: &options.secret_access_key,
        region: &options.region,
        service: operation.signing_name,
        now: now.at,
    };
    sigv4::check(headers, body, &expected)?;
    let content_type = headers.get("content-type").and_then(|value| value.to_str().ok());
    if content_type != Some(operation.content_type) || query.is_some() {
        let text = format!("this service takes {} at / without a query", operation.content_type);
        return Err(Refusal::new("SerializationException", text));
    }
    let request: Value =
        serde_json::from_slice(body).map_err(|e| Refusal::new("SerializationException", e.to_string()))?;
    operation.shape.check(&request, operation.invalid)?;
    Ok(request)
}

fn take_fault(state: &mut State, action: &str) -> Option<FaultKind> {
    let fault = state.faults.iter_mut().find(|fault| fault.action == action && fault.times > 0)?;
    fault.times -= 1;
    let kind = fault.kind;
    state.faults.retain(|fault| fault.times > 0);
    Some(kind)
}

/// What the running image is asked, for faults.
const HEALTH: &str = "healthz";

/// The running image itself: it says which commit it was built from.
async fn healthz(
    extract::State(shared): extract::State<Arc<Shared>>,
    extract::Path(name): extract::Path<String>,
) -> Response {
    let fault = {
        let mut state = shared.state();
        state.calls.push(HEALTH.to_owned());
        take_fault(&mut state, HEALTH)
    };
    let (status, said) = health(&shared, &name);
    match fault {
        Some(FaultKind::Timeout) => {
            tokio::time::sleep(Duration::from_millis(HOLD_LIMIT_MS)).await;
            answer::bare(504)
        }
        Some(FaultKind::Status503) => answer::bare(503),
        Some(FaultKind::Throttle) => answer::bare(429),
        Some(FaultKind::Denied) => answer::bare(403),
        Some(FaultKind::CutOff | FaultKind::LostAnswerAfterAct) => answer::cut(&Ok(said), "application/json", "-"),
        Some(FaultKind::Hollow) => (status, axum::Json(spoilt::hollow(&said))).into_response(),
        _ if said.is_null() => answer::bare(404),
        _ => (status, axum::Json(said)).into_response(),
    }
}

/// What a service says of itself; null where none of this name runs.
fn health(shared: &Shared, name: &str) -> (StatusCode, Value) {
    let state = shared.state();
    let now = shared.now(&state);
    let service = state.services.values().find(|service| service.name == name);
    let express = state.express.values().find(|service| service.name == name);
    let running = service.and_then(|service| service.running(now));
    let Some(running) = running.or(express.and_then(|express| express.running(now))) else {
        return (StatusCode::NOT_FOUND, Value::Null);
    };
    let digest = running.digest.as_deref();
    let commit = digest.and_then(|digest| state.registry.commit(digest));
    let ill = digest.is_some_and(|digest| state.unhealthy.contains(digest));
    let (status, word) = if ill { (503, "unavailable") } else { (200, "ok") };
    (StatusCode::from_u16(status).unwrap_or_default(), json!({ "status": word, "commit": commit }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{AwsOptions, AwsSandbox, NewService};

    struct Asked<'a> {
        body: Value,
        content_type: &'a str,
        region: &'a str,
        /// How far the client's clock is behind, in seconds.
        behind_s: i64,
        tampered: bool,
    }

    async fn answer(change: impl FnOnce(&mut Asked<'_>)) -> Result<Value, String> {
        let aws = AwsSandbox::start(AwsOptions::default()).await.unwrap();
        let repository = aws.push_image("goals", "latest", &format!("sha256:{}", "0f".repeat(32)));
        let arn = aws.create_service(&NewService::new("goals-staging", format!("{repository}:latest")));
        let mut asked = Asked {
            body: json!({ "ServiceArn": arn }),
            content_type: "application/x-amz-json-1.0",
            region: "us-west-2",
            behind_s: 0,
            tampered: false,
        };
        change(&mut asked);
        let mut body = asked.body.to_string().into_bytes();
        let mut headers = HeaderMap::new();
        headers.insert("host", "127.0.0.1".parse().unwrap());
        headers.insert("content-type", asked.content_type.parse().unwrap());
        headers.insert("x-amz-target", "AppRunner.StartDeployment".parse().unwrap());
        let options = &aws.shared.options;
        let with = Expected {
            access_key_id: &options.access_key_id,
            secret_access_key: &options.secret_access_key,
            region: asked.region,
            service: "apprunner",
            now: jiff::Timestamp::from_second((options.clock)().as_second() - asked.behind_s).unwrap(),
        };
        sigv4::sign(&mut headers, &body, &with);
        if asked.tampered {
            body.push(b' ');
        }
        let operation = operation("AppRunner.StartDeployment").unwrap();
        let (_, _, answer) = handle(&aws.shared, &operation, &headers, &body, None);
        let started = aws.deployment_operations(&arn).len();
        assert_eq!(started, usize::from(answer.is_ok()), "what is refused has no effect");
        answer.map_err(|refusal| refusal.to_string())
    }

    #[tokio::test]
    async fn a_good_request_is_taken() {
        assert!(answer(|_| {}).await.is_ok());
        assert!(answer(|asked| asked.behind_s = sigv4::SKEW_LIMIT_S - 10).await.is_ok());
    }

    #[tokio::test]
    async fn signatures_are_bound_to_body_region_and_time() {
        let tampered = answer(|asked| asked.tampered = true).await.unwrap_err();
        assert!(tampered.contains("does not match"), "{tampered}");
        let region = answer(|asked| asked.region = "eu-central-1").await.unwrap_err();
        assert!(region.contains("us-west-2/apprunner/aws4_request, not"), "{region}");
        for behind_s in [-sigv4::SKEW_LIMIT_S - 10, sigv4::SKEW_LIMIT_S + 10] {
            let late = answer(|asked| asked.behind_s = behind_s).await.unwrap_err();
            assert!(late.contains("expired"), "{late}");
        }
    }

    #[tokio::test]
    async fn signed_nonsense_is_refused_too() {
        let unknown = answer(|asked| asked.body["ImageIdentifier"] = json!("goals:latest")).await.unwrap_err();
        assert_eq!(unknown, "SerializationException: request has an unknown member ImageIdentifier");
        let kind = answer(|asked| asked.body["ServiceArn"] = json!(7)).await.unwrap_err();
        assert_eq!(kind, "SerializationException: request.ServiceArn has the wrong JSON type");
        let content_type = answer(|asked| asked.content_type = "application/json").await.unwrap_err();
        assert!(content_type.contains("this service takes application/x-amz-json-1.0"), "{content_type}");
    }
}
