//! AWS: the clients, and what they are used for. Nothing that changes something is ever sent twice from here.

mod acting;
pub mod app_runner;
pub mod ecr;
#[cfg(feature = "ecs")]
pub mod ecs_express;
mod error;
mod logs;
pub mod secrets;
mod settings;

pub use error::{AwsError, AwsErrorKind, MESSAGE_LIMIT_CHARS};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_apprunner::config::{Credentials, SharedCredentialsProvider};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Connecting, in milliseconds.
pub const CONNECT_LIMIT_MS: u64 = 3_000;
/// One attempt of a call, in milliseconds.
pub const ATTEMPT_LIMIT_MS: u64 = 10_000;
/// A call with all its attempts, in milliseconds.
pub const CALL_LIMIT_MS: u64 = 25_000;
/// How often a call that only reads is attempted.
pub const READ_ATTEMPT_LIMIT: u32 = 3;
/// The first pause between attempts of a read, in milliseconds.
pub const READ_BACKOFF_MS: u64 = 200;
/// The longest pause between attempts of a read, in milliseconds.
pub const READ_BACKOFF_LIMIT_MS: u64 = 2_000;
/// Looking for a region, in milliseconds: off EC2 the chain's last link would wait for a host that is not there.
pub const REGION_LIMIT_MS: u64 = 2_000;

/// How long a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// Connecting, in milliseconds.
    pub connect_ms: u64,
    /// One attempt, in milliseconds.
    pub attempt_ms: u64,
    /// All attempts together, in milliseconds.
    pub call_ms: u64,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self { connect_ms: CONNECT_LIMIT_MS, attempt_ms: ATTEMPT_LIMIT_MS, call_ms: CALL_LIMIT_MS }
    }
}

impl CallLimits {
    /// With another limit for an attempt, in milliseconds; the others in proportion.
    #[must_use]
    pub fn of_attempts(attempt_ms: u64) -> Self {
        let call_ms = attempt_ms.saturating_mul(CALL_LIMIT_MS) / ATTEMPT_LIMIT_MS;
        Self { connect_ms: CONNECT_LIMIT_MS.min(attempt_ms), attempt_ms, call_ms }
    }

    fn timeouts(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(Duration::from_millis(self.connect_ms))
            .operation_attempt_timeout(Duration::from_millis(self.attempt_ms))
            .operation_timeout(Duration::from_millis(self.call_ms))
            .build()
    }
}

/// Everything explicit, nothing from the environment: for tests and stand-ins.
#[derive(Clone)]
pub struct ExplicitAws {
    /// Where all services are asked: `http://127.0.0.1:PORT`.
    pub endpoint_url: String,
    /// The region where neither an ARN nor a repository names one.
    pub region: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: String,
    /// How long a call may take.
    pub limits: CallLimits,
}

impl fmt::Debug for ExplicitAws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExplicitAws").field("endpoint_url", &self.endpoint_url).finish_non_exhaustive()
    }
}

/// One client for each region that was asked for: a client keeps its connections and credentials. There are
/// as many as the configuration names regions.
struct PerRegion<C>(Arc<Mutex<BTreeMap<Option<String>, C>>>);

impl<C> Clone for PerRegion<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> Default for PerRegion<C> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<C: Clone> PerRegion<C> {
    fn get(&self, region: Option<&str>, make: impl FnOnce() -> C) -> C {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.entry(region.map(str::to_owned)).or_insert_with(make).clone()
    }
}

/// The clients for one set of credentials. Cheap to clone; connections and credentials are shared.
#[derive(Clone)]
pub struct AwsClients {
    config: SdkConfig,
    app_runner: PerRegion<aws_sdk_apprunner::Client>,
    app_runner_once: PerRegion<aws_sdk_apprunner::Client>,
    ecr: PerRegion<aws_sdk_ecr::Client>,
    secrets: PerRegion<aws_sdk_secretsmanager::Client>,
    logs: PerRegion<aws_sdk_cloudwatchlogs::Client>,
    #[cfg(feature = "ecs")]
    ecs: PerRegion<aws_sdk_ecs::Client>,
    #[cfg(feature = "ecs")]
    ecs_once: PerRegion<aws_sdk_ecs::Client>,
    ecr_once: PerRegion<aws_sdk_ecr::Client>,
}

impl fmt::Debug for AwsClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsClients").field("region", &self.config.region()).finish_non_exhaustive()
    }
}

impl AwsClients {
    /// From AWS's standard chain: environment, profile, web identity, container, instance. Honours
    /// `AWS_ENDPOINT_URL` and its relatives for one service: `_APPRUNNER`, `_ECS`, `_ECR`, `_SECRETS_MANAGER`, `_CLOUDWATCH_LOGS`. Calls
    /// nobody but, without a region in environment and profile, the instance's own metadata; credentials are
    /// looked up by the first call.
    pub async fn from_env() -> Self {
        Self::from_env_within(CallLimits::default(), READ_BACKOFF_MS).await
    }

    /// The same with other limits, and another first pause between attempts of a read, in milliseconds.
    pub async fn from_env_within(limits: CallLimits, backoff_ms: u64) -> Self {
        let chain = aws_config::meta::region::RegionProviderChain::default_provider();
        let limit = Duration::from_millis(REGION_LIMIT_MS);
        let region = tokio::time::timeout(limit, chain.region()).await.ok().flatten();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(region)
            .retry_config(read_retries().with_initial_backoff(Duration::from_millis(backoff_ms)))
            .timeout_config(limits.timeouts())
            .load()
            .await;
        Self::with(config)
    }

    /// The region that is taken where the environment and the profile name none.
    #[must_use]
    pub fn or_in_region(self, region: Option<String>) -> Self {
        match (self.region(), region) {
            (None, Some(region)) => Self::with(self.in_region(Some(&region))),
            _ => self,
        }
    }

    /// From explicit values only.
    #[must_use]
    pub fn explicit(with: ExplicitAws) -> Self {
        let credentials = Credentials::new(with.access_key_id, with.secret_access_key, None, None, "explicit");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(with.endpoint_url)
            .region(Region::new(with.region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(read_retries())
            .timeout_config(with.limits.timeouts())
            .build();
        Self::with(config)
    }

    fn with(config: SdkConfig) -> Self {
        let (app_runner, app_runner_once) = (PerRegion::default(), PerRegion::default());
        Self {
            config,
            app_runner,
            app_runner_once,
            ecr: PerRegion::default(),
            ecr_once: PerRegion::default(),
            secrets: PerRegion::default(),
            logs: PerRegion::default(),
            #[cfg(feature = "ecs")]
            ecs: PerRegion::default(),
            #[cfg(feature = "ecs")]
            ecs_once: PerRegion::default(),
        }
    }

    /// The region where neither an ARN nor a repository names one.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.config.region().map(Region::as_ref)
    }

    fn in_region(&self, region: Option<&str>) -> SdkConfig {
        match region {
            Some(region) => self.config.to_builder().region(Region::new(region.to_owned())).build(),
            None => self.config.clone(),
        }
    }

    /// For calls that only read.
    pub(crate) fn app_runner(&self, region: &str) -> aws_sdk_apprunner::Client {
        let region = Some(region);
        self.app_runner.get(region, || aws_sdk_apprunner::Client::new(&self.in_region(region)))
    }

    /// For calls that change something: one attempt, since the SDK would repeat them on a 503.
    pub(crate) fn app_runner_once(&self, region: &str) -> aws_sdk_apprunner::Client {
        let region = Some(region);
        self.app_runner_once.get(region, || {
            let config = aws_sdk_apprunner::config::Builder::from(&self.in_region(region));
            aws_sdk_apprunner::Client::from_conf(config.retry_config(RetryConfig::disabled()).build())
        })
    }

    /// For calls that only read.
    pub(crate) fn ecr(&self, region: &str) -> aws_sdk_ecr::Client {
        let region = Some(region);
        self.ecr.get(region, || aws_sdk_ecr::Client::new(&self.in_region(region)))
    }

    /// For calls that change something: one attempt.
    pub(crate) fn ecr_once(&self, region: &str) -> aws_sdk_ecr::Client {
        let region = Some(region);
        self.ecr_once.get(region, || {
            let config = aws_sdk_ecr::config::Builder::from(&self.in_region(region));
            aws_sdk_ecr::Client::from_conf(config.retry_config(RetryConfig::disabled()).build())
        })
    }

    /// For calls that only read.
    pub(crate) fn secrets(&self, region: Option<&str>) -> aws_sdk_secretsmanager::Client {
        self.secrets.get(region, || aws_sdk_secretsmanager::Client::new(&self.in_region(region)))
    }

    /// For calls that only read.
    pub(crate) fn logs(&self, region: &str) -> aws_sdk_cloudwatchlogs::Client {
        let region = Some(region);
        self.logs.get(region, || aws_sdk_cloudwatchlogs::Client::new(&self.in_region(region)))
    }

    /// For calls that only read.
    #[cfg(feature = "ecs")]
    pub(crate) fn ecs(&self, region: &str) -> aws_sdk_ecs::Client {
        let region = Some(region);
        self.ecs.get(region, || aws_sdk_ecs::Client::new(&self.in_region(region)))
    }

    /// For calls that change something: one attempt.
    #[cfg(feature = "ecs")]
    pub(crate) fn ecs_once(&self, region: &str) -> aws_sdk_ecs::Client {
        let region = Some(region);
        self.ecs_once.get(region, || {
            let config = aws_sdk_ecs::config::Builder::from(&self.in_region(region));
            aws_sdk_ecs::Client::from_conf(config.retry_config(RetryConfig::disabled()).build())
        })
    }
}

/// ECS Express Mode as a target; `None` when this build has it not: see the feature `ecs`.
#[cfg(feature = "ecs")]
#[must_use]
pub fn ecs_express(clients: &AwsClients) -> Option<Arc<dyn crate::target::Target>> {
    Some(Arc::new(ecs_express::EcsExpress::new(clients.clone())))
}

/// ECS Express Mode as a target; `None` when this build has it not: see the feature `ecs`.
#[cfg(not(feature = "ecs"))]
#[must_use]
pub fn ecs_express(_clients: &AwsClients) -> Option<Arc<dyn crate::target::Target>> {
    None
}

fn read_retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(READ_ATTEMPT_LIMIT)
        .with_initial_backoff(Duration::from_millis(READ_BACKOFF_MS))
        .with_max_backoff(Duration::from_millis(READ_BACKOFF_LIMIT_MS))
}

/// The region in an ARN of the given service: `arn:aws:apprunner:us-west-2:123456789012:service/…`.
pub(crate) fn region_of<'a>(arn: &'a str, service: &str) -> Option<&'a str> {
    let mut parts = arn.splitn(6, ':');
    let (start, partition, named) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let good = start == "arn"
        && partition.starts_with("aws")
        && named == service
        && is_region(region)
        && is_account(account)
        && !rest.is_empty();
    good.then_some(region)
}

pub(crate) fn is_region(text: &str) -> bool {
    text.contains('-') && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// AWS's time as ours.
pub(crate) fn timestamp(at: &aws_sdk_apprunner::primitives::DateTime) -> Option<jiff::Timestamp> {
    jiff::Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_comes_from_an_arn_of_the_right_service() {
        let arn = "arn:aws:apprunner:us-west-2:123456789012:service/goals/8fe1e10304f84fd2b0df550fe98a71fa";
        assert_eq!(region_of(arn, "apprunner"), Some("us-west-2"));
        let china = "arn:aws-cn:apprunner:cn-north-1:123456789012:service/goals/8fe1";
        assert_eq!(region_of(china, "apprunner"), Some("cn-north-1"));
        for bad in ["", "goals", "arn:aws:ecs:us-west-2:123456789012:service/x", "arn:aws:apprunner::123456789012:s/x"]
        {
            assert_eq!(region_of(bad, "apprunner"), None, "{bad}");
        }
    }

    #[test]
    fn a_region_is_taken_only_where_none_is_named() {
        let named = |region: Option<&'static str>| {
            let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest());
            AwsClients::with(config.region(region.map(Region::new)).build())
        };
        let of = |clients: AwsClients| clients.or_in_region(Some("eu-central-1".into())).region().map(str::to_owned);
        assert_eq!(of(named(None)).as_deref(), Some("eu-central-1"));
        assert_eq!(of(named(Some("us-west-2"))).as_deref(), Some("us-west-2"));
        assert_eq!(named(None).or_in_region(None).region(), None);
    }

    #[test]
    fn debug_shows_no_credentials() {
        let with = ExplicitAws {
            endpoint_url: "http://127.0.0.1:1".to_owned(),
            region: "us-west-2".to_owned(),
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "hunter2hunter2".to_owned(),
            limits: CallLimits::default(),
        };
        let shown = format!("{with:?} {:?}", AwsClients::explicit(with.clone()));
        assert!(!shown.contains("hunter2") && !shown.contains("AKIDEXAMPLE"), "{shown}");
        assert!(shown.contains("us-west-2"));
    }
}
