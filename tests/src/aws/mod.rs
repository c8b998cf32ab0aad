//! A stand-in for AWS: App Runner, ECS Express Mode, ECR, Secrets Manager and CloudWatch Logs as small strict models behind their real protocol,
//! for the real SDK. One loopback server tells the services apart by `X-Amz-Target`, as one would by host.
//!
//! Stricter than AWS where AWS is lenient or undocumented: unknown members are refused, and what an
//! `UpdateService` leaves out of the source configuration is gone. Not modelled: IAM, code repositories,
//! automatic deployments when a tag moves, creating and deleting through the API.

mod answer;
mod app_runner;
mod ecr;
mod ecs;
mod ecs_model;
mod express;
mod fault;
mod logs;
mod model;
mod operation;
mod secrets;
mod server;
mod shape;
mod sigv4;
mod state;

pub use fault::{Fault, FaultKind};
pub use operation::{FailureMode, Pace};

use crate::traffic::{Exchange, Traffic};
use app_runner::Service;
use jiff::Timestamp;
use operation::Ending;
use serde_json::{Value, json};
use slipway_deploy::aws::{AwsClients, CallLimits, ExplicitAws};
use state::{Now, State};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How the sandbox is set up.
#[derive(Clone, Debug)]
pub struct AwsOptions {
    /// The port on loopback; 0 takes a free one.
    pub port: u16,
    /// The only region there is.
    pub region: String,
    /// The only account there is, 12 digits.
    pub account: String,
    /// The access key that is known.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
    /// How fast operations go.
    pub pace: Pace,
    /// The time of day, in answers and for the freshness of signatures.
    pub clock: fn() -> Timestamp,
}

impl Default for AwsOptions {
    fn default() -> Self {
        Self {
            port: 0,
            region: "us-west-2".to_owned(),
            account: "123456789012".to_owned(),
            access_key_id: "AKIASLIPWAYSANDBOX00".to_owned(),
            secret_access_key: "only/good/for/the/sandbox/on/loopback000".to_owned(),
            pace: Pace::default(),
            clock: Timestamp::now,
        }
    }
}

/// What a service is made of.
#[derive(Clone, Debug)]
pub struct NewService {
    /// Its name, 4 to 40 characters.
    pub name: String,
    /// The image it runs: `123456789012.dkr.ecr.us-west-2.amazonaws.com/goals:latest`.
    pub image: String,
    /// The port of the container.
    pub port: String,
    /// Its start command.
    pub start_command: Option<String>,
    /// Environment variables.
    pub variables: BTreeMap<String, String>,
    /// Environment variables that come from secrets: name and ARN.
    pub secrets: BTreeMap<String, String>,
    /// Whether App Runner watches the image's tag.
    pub auto_deployments: bool,
}

impl NewService {
    /// A service with nothing special.
    #[must_use]
    pub fn new(name: impl Into<String>, image: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            image: image.into(),
            port: "8080".to_owned(),
            start_command: None,
            variables: BTreeMap::new(),
            secrets: BTreeMap::new(),
            auto_deployments: false,
        }
    }

    fn source(&self, account: &str) -> Value {
        let mut configuration = json!({ "Port": self.port });
        if let Some(command) = &self.start_command {
            configuration["StartCommand"] = json!(command);
        }
        if !self.variables.is_empty() {
            configuration["RuntimeEnvironmentVariables"] = json!(self.variables);
        }
        if !self.secrets.is_empty() {
            configuration["RuntimeEnvironmentSecrets"] = json!(self.secrets);
        }
        json!({
            "ImageRepository": {
                "ImageIdentifier": self.image,
                "ImageConfiguration": configuration,
                "ImageRepositoryType": "ECR",
            },
            "AutoDeploymentsEnabled": self.auto_deployments,
            "AuthenticationConfiguration": {
                "AccessRoleArn": format!("arn:aws:iam::{account}:role/service-role/AppRunnerECRAccessRole"),
            },
        })
    }
}

/// A deployment as the sandbox saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentSeen {
    /// The operation's id.
    pub id: String,
    /// `UPDATE_SERVICE` or `START_DEPLOYMENT`.
    pub kind: &'static str,
    /// AWS's word for where it stands now.
    pub status: &'static str,
    /// The image it brings.
    pub image: String,
    /// Whether it was started by [`AwsSandbox::deploy_by_hand`] or [`FaultKind::SomebodyElseFirst`].
    pub by_hand: bool,
}

/// The last that an image writes whose deployment fails.
const LAST_LINES: [&str; 2] =
    ["goals: listening on :8080", "panic: cannot connect to postgres://goals:hunter2@db:5432/goals: no route to host"];

struct Shared {
    options: AwsOptions,
    began: Instant,
    state: Mutex<State>,
    traffic: Traffic,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked elsewhere must not hide its reason behind this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self, state: &State) -> Now {
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(state.ahead_ms);
        Now { at: (self.options.clock)(), ms, pace: state.pace }
    }
}

/// Ends the server with the last handle.
struct Server(JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A running sandbox. Clones are handles to the same one; it ends with the last.
#[derive(Clone)]
pub struct AwsSandbox {
    shared: Arc<Shared>,
    address: SocketAddr,
    _server: Arc<Server>,
}

impl std::fmt::Debug for AwsSandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsSandbox").field("address", &self.address).finish_non_exhaustive()
    }
}

impl AwsSandbox {
    /// Starts on loopback.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(options: AwsOptions) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let state = State {
            services: BTreeMap::new(),
            registry: ecr::Registry::new(&options.account, &options.region),
            secrets: BTreeMap::new(),
            faults: Vec::new(),
            calls: Vec::new(),
            unhealthy: BTreeSet::new(),
            ahead_ms: 0,
            pace: options.pace,
            express: BTreeMap::new(),
            logs: logs::Logs::default(),
        };
        let (state, traffic) = (Mutex::new(state), Traffic::default());
        let shared = Arc::new(Shared { options, began: Instant::now(), state, traffic });
        let router = server::router(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the AWS sandbox ended");
            }
        });
        Ok(Self { shared, address, _server: Arc::new(Server(server)) })
    }

    /// `http://127.0.0.1:PORT`: for every service.
    #[must_use]
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a client needs.
    #[must_use]
    pub fn explicit(&self, limits: CallLimits) -> ExplicitAws {
        let options = &self.shared.options;
        ExplicitAws {
            endpoint_url: self.endpoint_url(),
            region: options.region.clone(),
            access_key_id: options.access_key_id.clone(),
            secret_access_key: options.secret_access_key.clone(),
            limits,
        }
    }

    /// Clients for this sandbox, with the usual limits.
    #[must_use]
    pub fn clients(&self) -> AwsClients {
        AwsClients::explicit(self.explicit(CallLimits::default()))
    }

    /// The environment that leads another process's SDK here.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let options = &self.shared.options;
        vec![
            ("AWS_ENDPOINT_URL_APPRUNNER", self.endpoint_url()),
            ("AWS_ENDPOINT_URL_ECR", self.endpoint_url()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.endpoint_url()),
            ("AWS_REGION", options.region.clone()),
            ("AWS_ACCESS_KEY_ID", options.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", options.secret_access_key.clone()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_ENDPOINT_URL_ECS", self.endpoint_url()),
            ("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", self.endpoint_url()),
        ]
    }

    /// Pushes an image into the registry; gives the repository's URI. A tag that is taken moves.
    pub fn push_image(&self, repository: &str, tag: &str, digest: &str) -> String {
        let mut state = self.shared.state();
        let now = self.shared.now(&state);
        state.registry.push(repository, tag, digest, now.at);
        state.registry.uri(repository)
    }

    /// What a scan of an image comes to: its status, and how many findings of each severity.
    pub fn scan_image(&self, digest: &str, status: &str, counts: &[(&str, u32)]) {
        let counts = counts.iter().map(|(severity, count)| ((*severity).to_owned(), *count)).collect();
        let scan = ecr::Scan { status: status.to_owned(), counts };
        self.shared.state().registry.scanned(digest, &scan);
    }

    /// Lets the tags of a repository stay where they are.
    pub fn make_tags_immutable(&self, repository: &str) {
        self.shared.state().registry.make_immutable(repository);
    }

    /// The digest that an image identifier means, if the registry has it.
    #[must_use]
    pub fn digest_of(&self, identifier: &str) -> Option<String> {
        self.shared.state().registry.resolve(identifier)
    }

    /// Stores a new version of a secret; gives the version's id.
    pub fn put_secret(&self, name: &str, json: &Value) -> String {
        let AwsOptions { region, account, .. } = &self.shared.options;
        let prefix = format!("arn:aws:secretsmanager:{region}:{account}");
        let mut state = self.shared.state();
        let now = self.shared.now(&state);
        let secret = state.secrets.entry(name.to_owned());
        secret.or_insert_with(|| secrets::Secret::new(&prefix, name, now.at)).put(json.to_string(), now.at)
    }

    /// The ARN of a secret, as a service refers to it. `None`: there is no such secret.
    #[must_use]
    pub fn secret_arn(&self, name: &str) -> Option<String> {
        self.shared.state().secrets.get(name).map(|secret| secret.arn().to_owned())
    }

    /// Makes a service that already runs its image; gives its ARN. The same name makes the same ARN, anew.
    pub fn create_service(&self, new: &NewService) -> String {
        let AwsOptions { region, account, .. } = &self.shared.options;
        let mut state = self.shared.state();
        let now = self.shared.now(&state);
        let id = state::uuid(&new.name).replace('-', "");
        let arn = format!("arn:aws:apprunner:{region}:{account}:service/{}/{id}", new.name);
        let running = app_runner::resolved(&state, new.source(account));
        let mut service = Service {
            arn: arn.clone(),
            name: new.name.clone(),
            id,
            created: now,
            sections: app_runner::usual_sections(region, account),
            operations: Vec::new(),
            updates: Vec::new(),
            fail_next: None,
            paused: false,
        };
        service.begin(now, "CREATE_SERVICE", running, Ending::Done, true);
        for kind in ["service", "application"] {
            state.logs.create_group(&service.log_group(kind));
        }
        state.services.insert(arn.clone(), service);
        arn
    }

    /// Lets the next deployment go wrong.
    pub fn fail_next_deployment(&self, arn: &str, mode: FailureMode) {
        self.with(arn, |service, _| service.fail_next = Some(mode));
        self.with_express(arn, |service, _| service.fail_next = Some(mode));
    }

    /// Pauses the service or resumes it.
    pub fn set_paused(&self, arn: &str, paused: bool) {
        self.with(arn, |service, _| service.paused = paused);
    }

    /// Lets the health address answer 503 wherever this image runs. AWS notices nothing and succeeds.
    pub fn unhealthy_image(&self, digest: &str) {
        self.shared.state().unhealthy.insert(digest.to_owned());
    }

    /// Somebody deploys by hand, past Slipway. `None` for an unknown service.
    pub fn deploy_by_hand(&self, arn: &str) -> Option<String> {
        let mut state = self.shared.state();
        let now = self.shared.now(&state);
        app_runner::deploy_again(&mut state, arn, now, true).or_else(|| ecs::deploy_again(&mut state, arn, now))
    }

    /// Somebody brings another image by hand, past Slipway. `None` for an unknown service.
    pub fn bring_by_hand(&self, arn: &str, identifier: &str) -> Option<String> {
        let mut state = self.shared.state();
        let now = self.shared.now(&state);
        app_runner::bring_by_hand(&mut state, arn, identifier, now)
            .or_else(|| ecs::bring_by_hand(&mut state, arn, identifier, now))
    }

    /// Lets requests go wrong.
    pub fn inject(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    /// No request goes wrong any more that was to. Gives how many were still to.
    pub fn heal(&self) -> u32 {
        self.shared.state().faults.drain(..).map(|fault| fault.times).sum()
    }

    /// Every action that was asked for, refused ones too.
    #[must_use]
    pub fn actions(&self) -> BTreeSet<String> {
        self.shared.state().calls.iter().cloned().collect()
    }

    /// How long each phase of an operation takes from now on, of those under way too. Gives how long it took before.
    pub fn set_pace(&self, pace: Pace) -> Pace {
        std::mem::replace(&mut self.shared.state().pace, pace)
    }

    /// Moves the clock of operations on.
    pub fn advance_ms(&self, ms: u64) {
        self.shared.state().ahead_ms += ms;
    }

    /// How many requests of an action came, refused ones too: `AppRunner.UpdateService`.
    #[must_use]
    pub fn calls(&self, action: &str) -> usize {
        self.shared.state().calls.iter().filter(|call| *call == action).count()
    }

    /// What was asked and answered, but for faults, in order.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.traffic.all()
    }

    /// The `UpdateService` requests that were accepted, oldest first.
    #[must_use]
    pub fn update_calls(&self, arn: &str) -> Vec<Value> {
        let express = self.with_express(arn, |service, _| service.updates.clone());
        self.with(arn, |service, _| service.updates.clone()).or(express).unwrap_or_default()
    }

    /// Every deployment since the service was made, oldest first.
    #[must_use]
    pub fn deployment_operations(&self, arn: &str) -> Vec<DeploymentSeen> {
        let seen = |service: &mut Service, now: Now| {
            let deployments = service.operations.iter().filter(|operation| operation.kind != "CREATE_SERVICE");
            let seen = deployments.map(|operation| DeploymentSeen {
                id: operation.id.clone(),
                kind: operation.kind,
                status: operation.status(now.ms, now.pace).0,
                image: operation.after.image().to_owned(),
                by_hand: operation.by_hand,
            });
            seen.collect()
        };
        self.with(arn, seen)
            .or_else(|| self.with_express(arn, |service, now| ecs::seen(service, now)))
            .unwrap_or_default()
    }

    /// The image that serves requests now, as the configuration names it. `None` for an unknown service.
    #[must_use]
    pub fn running_image(&self, arn: &str) -> Option<String> {
        let express = self.with_express(arn, |service, now| service.running(now).map(|of| of.image().to_owned()));
        self.with(arn, |service, now| service.running(now).map(|of| of.image().to_owned())).or(express).flatten()
    }

    /// Where the running service answers for its health. `None` for an unknown service.
    #[must_use]
    pub fn health_url(&self, arn: &str) -> Option<String> {
        let express = self.with_express(arn, |service, _| service.name.clone());
        let name = self.with(arn, |service, _| service.name.clone()).or(express);
        name.map(|name| format!("{}/service/{name}/healthz", self.endpoint_url()))
    }

    fn with<T>(&self, arn: &str, act: impl FnOnce(&mut Service, Now) -> T) -> Option<T> {
        let mut state = self.shared.state();
        let now = self.shared.now(&state);
        state.services.get_mut(arn).map(|service| act(service, now))
    }
}
