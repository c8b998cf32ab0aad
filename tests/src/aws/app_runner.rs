//! App Runner: services and the life of their operations.

use super::members::{one_of, only, optional_text, text};
use super::server::Refusal;
use super::{ACCOUNT, Pace, REGION, World};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The most operations on a page.
const PAGE_LIMIT: u64 = 20;

/// Services by ARN.
#[derive(Debug, Default)]
pub(super) struct Services {
    services: BTreeMap<String, Service>,
    /// Digests whose health check fails once they run.
    pub(super) unhealthy: BTreeSet<String>,
    operations_made: u32,
}

#[derive(Debug)]
struct Service {
    name: String,
    created_ms: i64,
    /// What runs and serves.
    running: Value,
    /// What the newest operation is bringing.
    coming: Option<Value>,
    operations: Vec<Operation>,
    fail_next: bool,
}

/// An operation of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// `CREATE_SERVICE`, `UPDATE_SERVICE`, `START_DEPLOYMENT`.
    pub kind: &'static str,
    /// AWS's word for where it stands.
    pub status: &'static str,
    /// When it was accepted, in milliseconds since 1970.
    pub started_ms: i64,
    /// When it ended.
    pub ended_ms: Option<i64>,
    fails: bool,
}

impl Operation {
    fn runs(&self) -> bool {
        matches!(self.status, "PENDING" | "IN_PROGRESS" | "ROLLBACK_IN_PROGRESS")
    }

    /// Where it stands at a moment.
    fn advance(&mut self, now_ms: i64, pace: Pace) {
        let begun = self.started_ms + pace.pending_ms;
        let tried = begun + pace.in_progress_ms;
        let back = tried + pace.rollback_ms;
        (self.status, self.ended_ms) = match (self.fails, now_ms) {
            (_, now) if now < begun => ("PENDING", None),
            (_, now) if now < tried => ("IN_PROGRESS", None),
            (false, _) => ("SUCCEEDED", Some(tried)),
            (true, now) if now < back => ("ROLLBACK_IN_PROGRESS", None),
            (true, _) => ("ROLLBACK_SUCCEEDED", Some(back)),
        };
    }
}

/// The service's name in an ARN.
pub(super) fn name_of(arn: &str) -> &str {
    arn.split('/').nth(1).unwrap_or_default()
}

impl Services {
    pub(super) fn create(&mut self, name: &str, image: &str, now_ms: i64) -> String {
        let number = self.services.len() + 1;
        let arn = format!("arn:aws:apprunner:{REGION}:{ACCOUNT}:service/{name}/{number:032x}");
        let source = json!({
            "ImageRepository": {
                "ImageIdentifier": image,
                "ImageRepositoryType": "ECR",
                "ImageConfiguration": {
                    "Port": "8080",
                    "RuntimeEnvironmentVariables": { "LOG_LEVEL": "info" },
                    "RuntimeEnvironmentSecrets": {
                        "SMTP_HOST": format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}"),
                    },
                },
            },
            "AutoDeploymentsEnabled": false,
            "AuthenticationConfiguration": { "AccessRoleArn": format!("arn:aws:iam::{ACCOUNT}:role/apprunner-ecr") },
        });
        let id = self.next_id();
        let created = Operation {
            id,
            kind: "CREATE_SERVICE",
            status: "SUCCEEDED",
            started_ms: now_ms - 3_600_000,
            ended_ms: Some(now_ms - 3_500_000),
            fails: false,
        };
        let service = Service {
            name: name.to_owned(),
            created_ms: now_ms - 3_600_000,
            running: source,
            coming: None,
            operations: vec![created],
            fail_next: false,
        };
        self.services.insert(arn.clone(), service);
        arn
    }

    fn next_id(&mut self) -> String {
        self.operations_made += 1;
        // Like the real ones: no order in them.
        let scattered = self.operations_made.wrapping_mul(2_654_435_761);
        format!("{scattered:08x}-7d0c-4b5e-9f3a-{:012x}", self.operations_made)
    }

    pub(super) fn fail_next(&mut self, arn: &str) {
        if let Some(service) = self.services.get_mut(arn) {
            service.fail_next = true;
        }
    }

    pub(super) fn deployments(&self, arn: &str) -> Vec<Operation> {
        let operations = self.services.get(arn).map(|service| service.operations.clone()).unwrap_or_default();
        operations.into_iter().filter(|operation| operation.kind != "CREATE_SERVICE").collect()
    }

    pub(super) fn running_image(&self, arn: &str) -> String {
        self.services.get(arn).map(|service| image_of(&service.running)).unwrap_or_default()
    }

    /// The image that a service of this name runs.
    pub(super) fn running_by_name(&self, name: &str) -> Option<String> {
        self.services.values().find(|service| service.name == name).map(|service| image_of(&service.running))
    }

    /// Brings every operation to where it stands now.
    pub(super) fn settle(&mut self, now_ms: i64, pace: Pace) {
        for service in self.services.values_mut() {
            let Some(newest) = service.operations.last_mut().filter(|operation| operation.runs()) else { continue };
            newest.advance(now_ms, pace);
            if newest.runs() {
                continue;
            }
            let coming = service.coming.take();
            if let (false, Some(coming)) = (newest.fails, coming) {
                service.running = coming;
            }
        }
    }

    fn get(&mut self, request: &serde_json::Map<String, Value>) -> Result<(String, &mut Service), Refusal> {
        let arn = text(request, "ServiceArn")?.to_owned();
        let what = format!("Service cannot be found for arn: {arn}");
        let service =
            self.services.get_mut(&arn).ok_or_else(|| Refusal::new(400, "ResourceNotFoundException", &what))?;
        Ok((arn, service))
    }
}

fn image_of(source: &Value) -> String {
    source["ImageRepository"]["ImageIdentifier"].as_str().unwrap_or_default().to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "AWS sends seconds with fractions")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

fn shown(arn: &str, service: &Service) -> Value {
    let busy = service.operations.last().is_some_and(Operation::runs);
    json!({
        "ServiceName": service.name,
        "ServiceId": arn.rsplit('/').next(),
        "ServiceArn": arn,
        "ServiceUrl": format!("{}.{REGION}.awsapprunner.com", service.name),
        "CreatedAt": seconds(service.created_ms),
        "UpdatedAt": seconds(service.operations.last().map_or(0, |operation| operation.started_ms)),
        "Status": if busy { "OPERATION_IN_PROGRESS" } else { "RUNNING" },
        "SourceConfiguration": service.coming.as_ref().unwrap_or(&service.running),
        "InstanceConfiguration": { "Cpu": "1024", "Memory": "2048" },
        "HealthCheckConfiguration": { "Protocol": "HTTP", "Path": "/healthz" },
        "AutoScalingConfigurationSummary": { "AutoScalingConfigurationName": "DefaultConfiguration" },
        "NetworkConfiguration": { "EgressConfiguration": { "EgressType": "DEFAULT" } },
    })
}

pub(super) fn describe(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let (arn, service) = world.services.get(only(body, &["ServiceArn"])?)?;
    Ok(json!({ "Service": shown(&arn, service) }))
}

pub(super) fn update(world: &mut World, body: &Value, now_ms: i64) -> Result<Value, Refusal> {
    let known = [
        "ServiceArn",
        "SourceConfiguration",
        "InstanceConfiguration",
        "AutoScalingConfigurationArn",
        "HealthCheckConfiguration",
        "NetworkConfiguration",
        "ObservabilityConfiguration",
    ];
    let request = only(body, &known)?;
    let source = request.get("SourceConfiguration").cloned();
    if let Some(source) = &source {
        check_source(source)?;
    }
    begin(world, request, "UPDATE_SERVICE", "InvalidStateException", source, now_ms)
}

pub(super) fn start_deployment(world: &mut World, body: &Value, now_ms: i64) -> Result<Value, Refusal> {
    let request = only(body, &["ServiceArn"])?;
    let mut answer = begin(world, request, "START_DEPLOYMENT", "InvalidRequestException", None, now_ms)?;
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("Service");
    }
    Ok(answer)
}

/// Begins an operation. An image that is not in the registry cannot be pulled: it will be rolled back.
fn begin(
    world: &mut World,
    request: &serde_json::Map<String, Value>,
    kind: &'static str,
    busy: &'static str,
    source: Option<Value>,
    now_ms: i64,
) -> Result<Value, Refusal> {
    let id = world.services.next_id();
    let image = source.as_ref().map(image_of);
    let there = image.as_ref().is_none_or(|image| world.images.digest_of(image).is_some());
    let (arn, service) = world.services.get(request)?;
    if service.operations.last().is_some_and(Operation::runs) {
        let what = "Service cannot be updated in the current state: OPERATION_IN_PROGRESS.";
        return Err(Refusal::new(400, busy, what));
    }
    let fails = std::mem::take(&mut service.fail_next) || !there;
    let started = Operation { id: id.clone(), kind, status: "PENDING", started_ms: now_ms, ended_ms: None, fails };
    service.operations.push(started);
    service.coming = source;
    Ok(json!({ "Service": shown(&arn, service), "OperationId": id }))
}

fn check_source(source: &Value) -> Result<(), Refusal> {
    let known = ["CodeRepository", "ImageRepository", "AutoDeploymentsEnabled", "AuthenticationConfiguration"];
    let source = only(source, &known)?;
    let image = source.get("ImageRepository").ok_or_else(|| Refusal::invalid("Missing ImageRepository"))?;
    let image = only(image, &["ImageIdentifier", "ImageConfiguration", "ImageRepositoryType"])?;
    one_of(image, "ImageRepositoryType", &["ECR", "ECR_PUBLIC"])?;
    let identifier = text(image, "ImageIdentifier")?;
    if !is_image_identifier(identifier) {
        return Err(Refusal::invalid(&format!("ImageIdentifier does not satisfy the pattern: {identifier}")));
    }
    if let Some(configuration) = image.get("ImageConfiguration") {
        let known = ["RuntimeEnvironmentVariables", "StartCommand", "Port", "RuntimeEnvironmentSecrets"];
        optional_text(only(configuration, &known)?, "Port")?;
    }
    if let Some(authentication) = source.get("AuthenticationConfiguration") {
        only(authentication, &["ConnectionArn", "AccessRoleArn"])?;
    }
    match source.get("AutoDeploymentsEnabled") {
        None | Some(Value::Bool(_)) => Ok(()),
        Some(_) => Err(Refusal::serialization("AutoDeploymentsEnabled must be a boolean")),
    }
}

/// `123456789012.dkr.ecr.us-west-2.amazonaws.com/name:tag` or `…@sha256:…`.
fn is_image_identifier(text: &str) -> bool {
    let Some((registry, rest)) = text.split_once('/') else { return false };
    let account = registry.split('.').next().unwrap_or_default();
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let pinned = rest.split_once('@').is_some_and(|(_, digest)| super::members::is_digest(digest));
    is_account
        && registry.ends_with(".amazonaws.com")
        && registry.contains(".dkr.ecr.")
        && (pinned || rest.contains(':') && !rest.contains('@'))
}

pub(super) fn list_operations(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let request = only(body, &["ServiceArn", "NextToken", "MaxResults"])?;
    let limit = match request.get("MaxResults") {
        None => PAGE_LIMIT,
        Some(limit) => limit
            .as_u64()
            .filter(|limit| (1..=PAGE_LIMIT).contains(limit))
            .ok_or_else(|| Refusal::invalid("MaxResults must be between 1 and 20"))?,
    };
    let from: usize = match optional_text(request, "NextToken")? {
        None => 0,
        Some(token) => token.parse().map_err(|_| Refusal::invalid("NextToken"))?,
    };
    let (arn, service) = world.services.get(request)?;
    let limit = usize::try_from(limit).unwrap_or(1);
    let newest_first: Vec<_> =
        service.operations.iter().rev().skip(from).take(limit).map(|o| summary(&arn, o)).collect();
    let next = from + newest_first.len();
    let mut answer = json!({ "OperationSummaryList": newest_first });
    if next < service.operations.len() {
        answer["NextToken"] = json!(next.to_string());
    }
    Ok(answer)
}

fn summary(arn: &str, operation: &Operation) -> Value {
    let mut summary = json!({
        "Id": operation.id, "Type": operation.kind, "Status": operation.status, "TargetArn": arn,
        "StartedAt": seconds(operation.started_ms), "UpdatedAt": seconds(operation.started_ms),
    });
    if let Some(ended) = operation.ended_ms {
        summary["EndedAt"] = json!(seconds(ended));
    }
    summary
}
