//! A strict small model of AWS: ECR, Secrets Manager, App Runner, over the JSON protocols that the SDK speaks.
//!
//! Requests must be signed for the right service and name only members that the published models have. App Runner
//! operations go through their real states in compressed time, as a function of the clock at each request.

mod app_runner;
mod ecr;
mod members;
mod secrets;
mod server;
mod signature;

pub use app_runner::Operation;
pub use server::{Fault, FaultKind};

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The one access key that is known.
pub const ACCESS_KEY_ID: &str = "AKIASANDBOX000000000";
/// The account of everything.
pub const ACCOUNT: &str = "123456789012";
/// The region of everything.
pub const REGION: &str = "us-west-2";

/// How fast App Runner is.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Until an operation begins.
    pub pending_ms: i64,
    /// Until it has succeeded, or its health check has failed.
    pub in_progress_ms: i64,
    /// Until the old image is back.
    pub rollback_ms: i64,
}

/// All of AWS's state.
#[derive(Debug)]
struct World {
    pace: Pace,
    images: ecr::Registry,
    secrets: secrets::Vault,
    services: app_runner::Services,
    faults: Vec<Fault>,
}

/// What the handlers share.
#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running stand-in. It stops when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct AwsSandbox {
    endpoint: String,
    shared: Arc<Shared>,
    _server: Arc<server::Running>,
}

impl AwsSandbox {
    /// Starts it on a free loopback port.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start(pace: Pace) -> io::Result<Self> {
        let world = World {
            pace,
            images: ecr::Registry::default(),
            secrets: secrets::Vault::default(),
            services: app_runner::Services::default(),
            faults: Vec::new(),
        };
        let shared = Arc::new(Shared { world: Mutex::new(world) });
        let (endpoint, running) = server::start(Arc::clone(&shared)).await?;
        Ok(Self { endpoint, shared, _server: Arc::new(running) })
    }

    /// Where all three services are: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Pushes an image, as `docker push` of a tag would; the tag moves if it was elsewhere.
    pub fn push_image(&self, repository_uri: &str, tag: &str, digest: &str) {
        self.shared.lock().images.push(repository_uri, tag, digest, server::now_ms());
    }

    /// Stores a new version of a secret. Gives its version id.
    pub fn put_secret(&self, name: &str, value: &str) -> String {
        self.shared.lock().secrets.put(name, value)
    }

    /// Makes an App Runner service that runs an image. Gives its ARN.
    #[must_use]
    pub fn create_service(&self, name: &str, image: &str) -> String {
        self.shared.lock().services.create(name, image, server::now_ms())
    }

    /// Lets the next deployment of a service fail its health check, so that it is rolled back.
    pub fn fail_next_deployment(&self, arn: &str) {
        self.shared.lock().services.fail_next(arn);
    }

    /// Lets services that run this image answer their health check with 503, although App Runner takes them.
    pub fn unhealthy_image(&self, digest: &str) {
        self.shared.lock().services.unhealthy.insert(digest.to_owned());
    }

    /// Where a service says how it is.
    #[must_use]
    pub fn health_url(&self, arn: &str) -> String {
        format!("{}/service/{}/healthz", self.endpoint, app_runner::name_of(arn))
    }

    /// The operations of a service that brought it an image, oldest first.
    #[must_use]
    pub fn deployment_operations(&self, arn: &str) -> Vec<Operation> {
        self.settled().services.deployments(arn)
    }

    /// The image that a service runs now.
    #[must_use]
    pub fn running_image(&self, arn: &str) -> String {
        self.settled().services.running_image(arn)
    }

    /// Lets the next requests of an action go wrong.
    pub fn inject(&self, fault: Fault) {
        self.shared.lock().faults.push(fault);
    }

    fn settled(&self) -> MutexGuard<'_, World> {
        let mut world = self.shared.lock();
        let pace = world.pace;
        world.services.settle(server::now_ms(), pace);
        world
    }
}
