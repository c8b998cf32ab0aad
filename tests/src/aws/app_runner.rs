//! App Runner: `DescribeService`, `UpdateService`, `StartDeployment`, `ListOperations`.

use super::answer::{Answer, Refusal};
use super::operation::{Ending, FailureMode, Operation, Running, seconds};
use super::state::{Now, State, uuid};
use serde_json::{Value, json};

/// The largest page of operations.
const PAGE_LIMIT: usize = 20;

/// A service and everything that happened to it.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) id: String,
    pub(super) created: Now,
    /// Every section of the service besides the source configuration.
    pub(super) sections: serde_json::Map<String, Value>,
    /// Oldest first; the first one made the service.
    pub(super) operations: Vec<Operation>,
    /// Accepted `UpdateService` requests.
    pub(super) updates: Vec<Value>,
    pub(super) fail_next: Option<FailureMode>,
    pub(super) paused: bool,
}

impl Service {
    fn newest(&self) -> Option<&Operation> {
        self.operations.last()
    }

    pub(super) fn busy(&self, now: Now) -> bool {
        self.newest().is_some_and(|operation| operation.status(now.ms, now.pace).1.is_none())
    }

    fn status(&self, now: Now) -> &'static str {
        match (self.busy(now), self.paused) {
            (true, _) => "OPERATION_IN_PROGRESS",
            (false, true) => "PAUSED",
            (false, false) => "RUNNING",
        }
    }

    /// What serves requests now.
    pub(super) fn running(&self, now: Now) -> Option<&Running> {
        self.newest().map(|operation| operation.running(now.ms, now.pace))
    }

    fn configured(&self, now: Now) -> Option<&Running> {
        self.newest().map(|operation| operation.configured(now.ms, now.pace))
    }

    fn shown(&self, now: Now) -> Value {
        let mut service = json!({
            "ServiceName": self.name,
            "ServiceId": self.id,
            "ServiceArn": self.arn,
            "ServiceUrl": format!("{}.{}.awsapprunner.com", &self.id[..10], self.arn.split(':').nth(3).unwrap_or_default()),
            "CreatedAt": seconds(self.created.at),
            "UpdatedAt": self.newest().map_or(seconds(self.created.at), |operation| seconds(operation.started_at)),
            "Status": self.status(now),
            "SourceConfiguration": self.configured(now).map_or(Value::Null, |running| running.source.clone()),
        });
        for (name, section) in &self.sections {
            service[name] = section.clone();
        }
        service
    }

    /// A new operation of this kind that brings `after`.
    pub(super) fn begin(
        &mut self,
        now: Now,
        kind: &'static str,
        after: Running,
        ending: Ending,
        by_hand: bool,
    ) -> String {
        let before = self.running(now).cloned().unwrap_or_else(|| after.clone());
        let id = uuid(&format!("{} operation {}", self.arn, self.operations.len()));
        self.operations.push(Operation {
            id: id.clone(),
            kind,
            began_ms: now.ms,
            started_at: now.at,
            ending,
            before,
            after,
            by_hand,
        });
        id
    }

    /// The log group of the service's events (`service`) or of what its image writes (`application`).
    pub(super) fn log_group(&self, kind: &str) -> String {
        format!("/aws/apprunner/{}/{}/{kind}", self.name, self.id)
    }
}

/// Sections of a service as App Runner makes them when nobody asks for others.
pub(super) fn usual_sections(region: &str, account: &str) -> serde_json::Map<String, Value> {
    let scaling = format!(
        "arn:aws:apprunner:{region}:{account}:autoscalingconfiguration/DefaultConfiguration/1/\
         00000000000000000000000000000001"
    );
    let sections = json!({
        "InstanceConfiguration": { "Cpu": "1024", "Memory": "2048" },
        "HealthCheckConfiguration": {
            "Protocol": "TCP", "Path": "/", "Interval": 5, "Timeout": 2, "HealthyThreshold": 1, "UnhealthyThreshold": 5
        },
        "AutoScalingConfigurationSummary": {
            "AutoScalingConfigurationArn": scaling,
            "AutoScalingConfigurationName": "DefaultConfiguration",
            "AutoScalingConfigurationRevision": 1
        },
        "NetworkConfiguration": {
            "EgressConfiguration": { "EgressType": "DEFAULT" },
            "IngressConfiguration": { "IsPubliclyAccessible": true },
            "IpAddressType": "IPV4"
        },
    });
    match sections {
        Value::Object(sections) => sections,
        _ => serde_json::Map::new(),
    }
}

fn service<'a>(state: &'a mut State, request: &Value) -> Result<&'a mut Service, Refusal> {
    let arn = request["ServiceArn"].as_str().unwrap_or_default();
    let missing = || Refusal::new("ResourceNotFoundException", format!("Service with ARN {arn} does not exist."));
    state.services.get_mut(arn).ok_or_else(missing)
}

pub(super) fn describe(state: &mut State, request: &Value, now: Now) -> Answer {
    Ok(json!({ "Service": service(state, request)?.shown(now) }))
}

/// Neither name is documented for "an operation runs": these are the ones that were seen.
fn only_running(service: &Service, now: Now, code: &'static str) -> Result<(), Refusal> {
    match service.status(now) {
        "RUNNING" => Ok(()),
        status => {
            let text = format!("Service cannot be deployed to in the current state: {status}. ARN: {}", service.arn);
            Err(Refusal::new(code, text))
        }
    }
}

pub(super) fn update(state: &mut State, request: &Value, now: Now) -> Answer {
    only_running(service(state, request)?, now, "InvalidStateException")?;
    let given = request.get("SourceConfiguration").filter(|value| !value.is_null());
    if let Some(source) = given {
        sound(source)?;
    }
    let running = service(state, request)?.running(now).cloned();
    // The whole structure is replaced: what a request leaves out of it is gone.
    let source = given.cloned().or(running.map(|running| running.source)).unwrap_or(Value::Null);
    let after = resolved(state, source);
    let service = service(state, request)?;
    for (name, section) in request.as_object().into_iter().flatten() {
        if name.ends_with("Configuration") && name != "SourceConfiguration" {
            service.sections.insert(name.clone(), section.clone());
        }
    }
    if let Some(arn) = request.get("AutoScalingConfigurationArn") {
        service
            .sections
            .insert("AutoScalingConfigurationSummary".into(), json!({ "AutoScalingConfigurationArn": arn }));
    }
    service.updates.push(request.clone());
    let ending = ending(service, &after);
    let id = service.begin(now, "UPDATE_SERVICE", after, ending, false);
    let answer = json!({ "Service": service.shown(now), "OperationId": id });
    let groups = ["service", "application"].map(|kind| service.log_group(kind));
    if let Ending::Fails(_) = ending {
        let [events, application] = groups;
        state.logs.write(
            &events,
            "events",
            now.at,
            "[AppRunner] Health check failed on protocol `TCP` [Port: '8080'].",
        );
        for line in super::LAST_LINES {
            state.logs.write(&application, "instance/0001", now.at, line);
        }
    }
    Ok(answer)
}

pub(super) fn start_deployment(state: &mut State, request: &Value, now: Now) -> Answer {
    let service = service(state, request)?;
    only_running(service, now, "InvalidRequestException")?;
    let arn = service.arn.clone();
    let id = deploy_again(state, &arn, now, false);
    id.map(|id| json!({ "OperationId": id }))
        .ok_or_else(|| Refusal::new("InvalidRequestException", "The service has never been deployed."))
}

/// Deploys what the service is configured to run; a tag is looked up anew.
pub(super) fn deploy_again(state: &mut State, arn: &str, now: Now, by_hand: bool) -> Option<String> {
    let source = state.services.get(arn)?.running(now)?.source.clone();
    let after = resolved(state, source);
    let service = state.services.get_mut(arn)?;
    let ending = ending(service, &after);
    Some(service.begin(now, "START_DEPLOYMENT", after, ending, by_hand))
}

/// Somebody brings another image, from the console.
pub(super) fn bring_by_hand(state: &mut State, arn: &str, identifier: &str, now: Now) -> Option<String> {
    let mut source = state.services.get(arn)?.running(now)?.source.clone();
    source["ImageRepository"]["ImageIdentifier"] = identifier.into();
    let after = resolved(state, source);
    let service = state.services.get_mut(arn)?;
    let ending = ending(service, &after);
    Some(service.begin(now, "UPDATE_SERVICE", after, ending, true))
}

/// An image that the registry does not have cannot be pulled: the deployment is rolled back.
fn ending(service: &mut Service, after: &Running) -> Ending {
    match (service.fail_next.take(), &after.digest) {
        (Some(mode), _) => Ending::Fails(mode),
        (None, None) => Ending::Fails(FailureMode::RollsBack),
        (None, Some(_)) => Ending::Succeeds,
    }
}

/// The configuration with the digest that its image has in the registry now.
pub(super) fn resolved(state: &State, source: Value) -> Running {
    let mut running = Running { source, digest: None };
    running.digest = state.registry.resolve(running.image());
    running
}

/// What App Runner checks beyond the published shapes.
fn sound(source: &Value) -> Result<(), Refusal> {
    let invalid = |text: &str| Err(Refusal::new("InvalidRequestException", text));
    let image = &source["ImageRepository"];
    if source.get("CodeRepository").is_some_and(|code| !code.is_null()) || image.is_null() {
        return invalid("The source of a service cannot be changed between code and image.");
    }
    let public = image["ImageRepositoryType"] == "ECR_PUBLIC";
    let identifier = image["ImageIdentifier"].as_str().unwrap_or_default();
    if public != identifier.starts_with("public.ecr.aws/") {
        return invalid("ImageIdentifier does not fit ImageRepositoryType.");
    }
    if !public && source["AuthenticationConfiguration"]["AccessRoleArn"].is_null() {
        return invalid("Authentication configuration is invalid.");
    }
    if public && source["AutoDeploymentsEnabled"] == true {
        return invalid("AutoDeploymentsEnabled is not supported for ECR_PUBLIC.");
    }
    Ok(())
}

pub(super) fn list_operations(state: &mut State, request: &Value, now: Now) -> Answer {
    let service = service(state, request)?;
    let limit = request["MaxResults"].as_u64().and_then(|max| usize::try_from(max).ok()).unwrap_or(PAGE_LIMIT);
    let newest_first: Vec<_> = service.operations.iter().rev().collect();
    // The token names the operation to go on with, so that a new one does not shift the pages.
    let from = match request["NextToken"].as_str() {
        None => 0,
        Some(token) => {
            let id = token.strip_prefix("from-");
            let found = newest_first.iter().position(|operation| Some(operation.id.as_str()) == id);
            found.ok_or_else(|| Refusal::new("InvalidRequestException", "NextToken is invalid."))?
        }
    };
    let summaries = newest_first.iter().skip(from).take(limit);
    let summaries: Vec<_> = summaries.map(|operation| operation.summary(&service.arn, now.ms, now.pace)).collect();
    let mut answer = json!({ "OperationSummaryList": summaries });
    if let Some(next) = newest_first.get(from + limit) {
        answer["NextToken"] = json!(format!("from-{}", next.id));
    }
    Ok(answer)
}
