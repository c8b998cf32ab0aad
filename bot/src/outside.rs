//! The clients to everything outside, and whether they can be reached.

use slipway_deploy::aws::AwsClients;
use slipway_deploy::aws::app_runner::AppRunner;
use slipway_deploy::aws::ecr::Ecr;
use slipway_deploy::aws::secrets::Secrets;
use slipway_deploy::github::GitHub;
use slipway_deploy::health::HealthChecker;
use slipway_deploy::target::Target;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The clients.
pub struct Outside {
    /// GitHub.
    pub github: GitHub,
    /// Image registry.
    pub ecr: Ecr,
    /// Configuration secrets.
    pub secrets: Secrets,
    /// What runs images, by kind.
    pub targets: BTreeMap<&'static str, Arc<dyn Target>>,
    /// Health checks.
    pub health: HealthChecker,
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside").field("targets", &self.targets.keys()).finish_non_exhaustive()
    }
}

impl Outside {
    /// Joins the clients.
    #[must_use]
    pub fn new(github: GitHub, aws: &AwsClients, health: HealthChecker) -> Self {
        let app_runner: Arc<dyn Target> = Arc::new(AppRunner::new(aws.clone()));
        let targets = BTreeMap::from([("app-runner", app_runner)]);
        Self { github, ecr: Ecr::new(aws.clone()), secrets: Secrets::new(aws.clone()), targets, health }
    }

    /// The client for a kind of target.
    ///
    /// # Errors
    /// When this version has none.
    pub fn target(&self, kind: &str) -> Result<&Arc<dyn Target>, NoSuchTarget> {
        self.targets.get(kind).ok_or_else(|| NoSuchTarget(kind.to_owned()))
    }
}

/// A kind of target that this version cannot deploy to.
#[derive(Debug, thiserror::Error)]
#[error("This version cannot deploy to a target of kind \"{0}\".")]
pub struct NoSuchTarget(String);
