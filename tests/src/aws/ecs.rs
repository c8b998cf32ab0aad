//! ECS Express Mode: `DescribeExpressGatewayService`, `UpdateExpressGatewayService`, `ListServiceDeployments`, and
//! `DescribeServices` for the events. A deployment goes through the states of an operation under ECS's own names; a newer
//! one stops it, as ECS does.

use super::answer::{Answer, Refusal};
use super::operation::{Ending, FailureMode, Operation, Running, seconds};
use super::state::{Now, State, uuid};
use serde_json::{Value, json};

/// As many deployments a page has when nobody asks for another number.
const PAGE_LIMIT: usize = 20;

/// A service and everything that happened to it.
#[derive(Debug)]
pub(super) struct Express {
    pub(super) arn: String,
    pub(super) cluster: String,
    pub(super) name: String,
    pub(super) created: Now,
    /// Oldest first; the first one made the service.
    pub(super) deployments: Vec<Deployment>,
    /// Accepted `UpdateExpressGatewayService` requests.
    pub(super) updates: Vec<Value>,
    pub(super) fail_next: Option<FailureMode>,
    pub(super) draining: bool,
    /// An update that changes nothing begins nothing.
    pub(super) ignores_same: bool,
    /// What happened, newest last.
    pub(super) events: Vec<(Now, String)>,
}

/// A service deployment: the operation, and the revision that it brings.
#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) operation: Operation,
    revision: u64,
    /// When a newer one stopped it, on the sandbox's clock.
    stopped_ms: Option<u64>,
}

impl Deployment {
    /// ECS's word for where it stands, and when it ended on the sandbox's clock.
    pub(super) fn status(&self, now: Now) -> (&'static str, Option<u64>) {
        if let Some(ms) = self.stopped_ms {
            return ("STOPPED", Some(ms));
        }
        let (word, ended) = self.operation.status(now.ms, now.pace);
        let word = match word {
            "SUCCEEDED" => "SUCCESSFUL",
            "FAILED" => "STOPPED",
            "ROLLBACK_SUCCEEDED" => "ROLLBACK_SUCCESSFUL",
            same => same,
        };
        (word, ended)
    }

    fn reason(&self, now: Now) -> Option<&'static str> {
        match self.status(now).0 {
            "STOPPED" if self.stopped_ms.is_some() => Some("A newer service deployment was started."),
            "STOPPED" | "ROLLBACK_IN_PROGRESS" | "ROLLBACK_SUCCESSFUL" | "ROLLBACK_FAILED" => {
                Some("Service deployment circuit breaker: tasks failed to start.")
            }
            _ => None,
        }
    }

    fn running(&self, now: Now) -> &Running {
        if self.stopped_ms.is_some() { &self.operation.before } else { self.operation.running(now.ms, now.pace) }
    }
}

impl Express {
    pub(super) fn newest(&self) -> Option<&Deployment> {
        self.deployments.last()
    }

    /// What serves requests now.
    pub(super) fn running(&self, now: Now) -> Option<&Running> {
        self.newest().map(|deployment| deployment.running(now))
    }

    /// Of its log, unless it has none.
    pub(super) fn log_group(&self) -> Option<&str> {
        let container = &self.newest()?.operation.after.source["primaryContainer"];
        container["awsLogsConfiguration"]["logGroup"].as_str()
    }

    fn revision_arn(&self, revision: u64) -> String {
        let base = self.arn.replace(":service/", ":service-revision/");
        format!("{base}/{revision}")
    }

    /// The revision that serves now.
    fn serving(&self, now: Now) -> u64 {
        let done = self.deployments.iter().rev().find(|deployment| deployment.status(now).0 == "SUCCESSFUL");
        done.map_or(0, |deployment| deployment.revision)
    }

    fn configuration(&self, deployment: &Deployment) -> Value {
        let mut configuration = deployment.operation.after.source.clone();
        let region = self.arn.split(':').nth(3).unwrap_or_default();
        configuration["serviceRevisionArn"] = json!(self.revision_arn(deployment.revision));
        configuration["ingressPaths"] =
            json!([{ "accessType": "PUBLIC", "endpoint": format!("{}.ecs.{region}.on.aws", self.name) }]);
        configuration["createdAt"] = json!(seconds(deployment.operation.started_at));
        configuration
    }

    fn shown(&self, now: Now) -> Value {
        let serving = self.serving(now);
        let active = self.deployments.iter().filter(|deployment| {
            // The one that serves, and the one on its way or on its way back.
            deployment.revision == serving || deployment.status(now).1.is_none()
        });
        json!({
            "cluster": self.cluster,
            "serviceName": self.name,
            "serviceArn": self.arn,
            "status": { "statusCode": if self.draining { "DRAINING" } else { "ACTIVE" } },
            "activeConfigurations": active.map(|deployment| self.configuration(deployment)).collect::<Vec<_>>(),
            "createdAt": seconds(self.created.at),
            "updatedAt": self.newest().map(|newest| seconds(newest.operation.started_at)),
        })
    }

    /// A new deployment that brings `after`; gives its revision.
    pub(super) fn begin(&mut self, now: Now, after: Running, ending: Ending, by_hand: bool) -> u64 {
        let before = self.running(now).cloned().unwrap_or_else(|| after.clone());
        for older in &mut self.deployments {
            if older.status(now).1.is_none() {
                older.stopped_ms = Some(now.ms);
            }
        }
        let count = u64::try_from(self.deployments.len()).unwrap_or_default();
        // Revisions have 19 digits, and no order that one could rely on.
        let revision = 4_580_466_432_112_320_000 + (count * 7_919) % 10_000;
        let id = uuid(&format!("{} deployment {count}", self.arn)).replace('-', "");
        let operation =
            Operation { id, kind: "DEPLOYMENT", began_ms: now.ms, started_at: now.at, ending, before, after, by_hand };
        self.deployments.push(Deployment { operation, revision, stopped_ms: None });
        if matches!(ending, Ending::Fails(_)) {
            let text = format!("(service {}) was unable to place a task: the container exited with code 2.", self.name);
            self.events.push((now, text));
        }
        revision
    }
}

fn express<'a>(state: &'a mut State, arn: &str, code: &'static str) -> Result<&'a mut Express, Refusal> {
    state.express.get_mut(arn).ok_or_else(|| Refusal::new(code, format!("Service {arn} was not found.")))
}

pub(super) fn describe(state: &mut State, request: &Value, now: Now) -> Answer {
    let arn = request["serviceArn"].as_str().unwrap_or_default();
    Ok(json!({ "service": express(state, arn, "ResourceNotFoundException")?.shown(now) }))
}

pub(super) fn update(state: &mut State, request: &Value, now: Now) -> Answer {
    let arn = request["serviceArn"].as_str().unwrap_or_default();
    let found = express(state, arn, "ServiceNotFoundException")?;
    if found.draining {
        return Err(Refusal::new("ServiceNotActiveException", "Service was not ACTIVE."));
    }
    let own = ["primaryContainer", "executionRoleArn", "taskRoleArn", "cpu", "memory", "cpuArchitecture"];
    if !request["taskDefinitionArn"].is_null() && own.iter().any(|member| !request[*member].is_null()) {
        let text = "taskDefinitionArn cannot be specified with the settings of a managed task definition.";
        return Err(Refusal::new("InvalidParameterException", text));
    }
    let mut source = found.running(now).map(|running| running.source.clone()).unwrap_or(Value::Null);
    // The container is replaced as a whole: what a request leaves out of it is gone. The rest stays.
    for (name, section) in request.as_object().into_iter().flatten().filter(|(name, _)| *name != "serviceArn") {
        source[name] = section.clone();
    }
    let same = found.ignores_same && found.running(now).is_some_and(|running| running.source == source);
    let after = resolved(state, source);
    let found = express(state, arn, "ServiceNotFoundException")?;
    found.updates.push(request.clone());
    let newest = found.newest().map(|newest| newest.revision).unwrap_or_default();
    let revision = if same { newest } else { start(state, arn, after, now, false).unwrap_or_default() };
    let found = express(state, arn, "ServiceNotFoundException")?;
    let configuration = found.newest().map(|newest| found.configuration(newest));
    Ok(json!({ "service": {
        "serviceArn": found.arn,
        "cluster": found.cluster,
        "serviceName": found.name,
        "status": { "statusCode": "ACTIVE" },
        "targetConfiguration": configuration.filter(|_| revision > 0),
        "createdAt": seconds(found.created.at),
        "updatedAt": seconds(now.at),
    } }))
}

/// Begins a deployment, and lets one that fails leave its traces.
fn start(state: &mut State, arn: &str, after: Running, now: Now, by_hand: bool) -> Option<u64> {
    let found = state.express.get_mut(arn)?;
    let ending = match (found.fail_next.take(), &after.digest) {
        (Some(mode), _) => Ending::Fails(mode),
        // An image that the registry does not have cannot be pulled.
        (None, None) => Ending::Fails(FailureMode::RollsBack),
        (None, Some(_)) => Ending::Succeeds,
    };
    let revision = found.begin(now, after, ending, by_hand);
    if let (Ending::Fails(_), Some(group)) = (ending, found.log_group()) {
        let (group, stream) = (group.to_owned(), format!("ecs/Main/{revision}"));
        for line in super::LAST_LINES {
            state.logs.write(&group, &stream, now.at, line);
        }
    }
    Some(revision)
}

/// Somebody deploys by hand what is configured; gives the operation's id.
pub(super) fn deploy_again(state: &mut State, arn: &str, now: Now) -> Option<String> {
    let source = state.express.get(arn)?.running(now)?.source.clone();
    let after = resolved(state, source);
    start(state, arn, after, now, true).map(|revision| revision.to_string())
}

/// Somebody brings another image, from the console.
pub(super) fn bring_by_hand(state: &mut State, arn: &str, identifier: &str, now: Now) -> Option<String> {
    let mut source = state.express.get(arn)?.running(now)?.source.clone();
    source["primaryContainer"]["image"] = identifier.into();
    let after = resolved(state, source);
    start(state, arn, after, now, true).map(|revision| revision.to_string())
}

/// The configuration with the digest that its image has in the registry now.
pub(super) fn resolved(state: &State, source: Value) -> Running {
    let mut running = Running { source, digest: None };
    running.digest = state.registry.resolve(running.image());
    running
}

/// The ids of revision and state of each deployment but the first, oldest first.
pub(super) fn seen(express: &Express, now: Now) -> Vec<super::DeploymentSeen> {
    let deployments = express.deployments.iter().skip(1);
    let seen = deployments.map(|deployment| super::DeploymentSeen {
        id: deployment.revision.to_string(),
        kind: "SERVICE_DEPLOYMENT",
        status: deployment.status(now).0,
        image: deployment.operation.after.image().to_owned(),
        by_hand: deployment.operation.by_hand,
    });
    seen.collect()
}

pub(super) fn list_deployments(state: &mut State, request: &Value, now: Now) -> Answer {
    let arn = request["service"].as_str().unwrap_or_default();
    let cluster = request["cluster"].as_str().unwrap_or("default").to_owned();
    let found = express(state, arn, "ServiceNotFoundException")?;
    if cluster != found.cluster {
        return Err(Refusal::new("ClusterNotFoundException", "Cluster not found."));
    }
    let wanted = request["status"].as_array();
    let fits = |deployment: &&Deployment| wanted.is_none_or(|all| all.contains(&json!(deployment.status(now).0)));
    let newest_first: Vec<_> = found.deployments.iter().rev().filter(fits).collect();
    let from = match request["nextToken"].as_str() {
        None => 0,
        Some(token) => {
            let id = token.strip_prefix("from-");
            let place = newest_first.iter().position(|deployment| Some(deployment.operation.id.as_str()) == id);
            place.ok_or_else(|| Refusal::new("InvalidParameterException", "Invalid token."))?
        }
    };
    let limit = request["maxResults"].as_u64().and_then(|max| usize::try_from(max).ok()).unwrap_or(PAGE_LIMIT);
    let brief = |deployment: &&Deployment| {
        let (status, ended_ms) = deployment.status(now);
        let operation = &deployment.operation;
        let began = seconds(operation.started_at);
        let mut brief = json!({
            "serviceDeploymentArn":
                format!("{}/{}", found.arn.replace(":service/", ":service-deployment/"), operation.id),
            "serviceArn": found.arn,
            "clusterArn": found.arn.replace(":service/", ":cluster/").rsplit_once('/').map(|(cluster, _)| cluster),
            "createdAt": began,
            "startedAt": began,
            "targetServiceRevisionArn": found.revision_arn(deployment.revision),
            "status": status,
        });
        if let Some(ms) = ended_ms {
            let took = std::time::Duration::from_millis(ms.saturating_sub(operation.began_ms)).as_secs_f64();
            brief["finishedAt"] = json!(began + took);
        }
        if let Some(reason) = deployment.reason(now) {
            brief["statusReason"] = json!(reason);
        }
        brief
    };
    let mut answer =
        json!({ "serviceDeployments": newest_first.iter().skip(from).take(limit).map(brief).collect::<Vec<_>>() });
    if let Some(next) = newest_first.get(from + limit) {
        answer["nextToken"] = json!(format!("from-{}", next.operation.id));
    }
    Ok(answer)
}

pub(super) fn describe_services(state: &mut State, request: &Value) -> Answer {
    let mut services = Vec::new();
    let mut failures = Vec::new();
    for arn in request["services"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        match state.express.get(arn) {
            Some(found) if request["cluster"] == found.cluster.as_str() => {
                let events = found.events.iter().rev().enumerate().map(|(n, (at, message))| {
                    json!({ "id": uuid(&format!("{arn} event {n}")), "createdAt": seconds(at.at), "message": message })
                });
                let events: Vec<_> = events.collect();
                services.push(
                    json!({ "serviceArn": arn, "serviceName": found.name, "status": "ACTIVE", "events": events }),
                );
            }
            _ => failures.push(json!({ "arn": arn, "reason": "MISSING" })),
        }
    }
    Ok(json!({ "services": services, "failures": failures }))
}
