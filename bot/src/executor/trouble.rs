//! Which errors of the outside pass by themselves, and which do not.

use super::Trouble;
use crate::outside::NoSuchTarget;
use slipway_core::release::Failure;
use slipway_deploy::aws::AwsError;
use slipway_deploy::aws::ecr::RegistryError;
use slipway_deploy::aws::secrets::SecretError;
use slipway_deploy::database::MigrateError;
use slipway_deploy::github::GitHubError;
use slipway_deploy::target::TargetError;

impl Trouble {
    /// One that trying again cannot mend.
    pub(crate) fn lasting(error: &impl ToString) -> Self {
        Self::Final(Box::new(Failure::new(error.to_string())))
    }
}

impl From<GitHubError> for Trouble {
    fn from(error: GitHubError) -> Self {
        match error {
            GitHubError::RateLimited { until: Some(at) } => Self::Limited { what: error.to_string(), at },
            // A 404 just after a push or a webhook passes: GitHub's API lags behind itself.
            GitHubError::NotFound { .. }
            | GitHubError::RateLimited { until: None }
            | GitHubError::Unreachable { .. }
            | GitHubError::Slow { .. }
            | GitHubError::Server { .. }
            | GitHubError::Unreadable { .. } => Self::Passing(error.to_string()),
            GitHubError::BadCredentials { .. }
            | GitHubError::Forbidden { .. }
            | GitHubError::Refused { .. }
            | GitHubError::TooBig { .. }
            | GitHubError::NotAFile { .. }
            | GitHubError::TagTaken { .. }
            | GitHubError::NoRequiredChecks { .. } => Self::lasting(&error),
        }
    }
}

impl From<MigrateError> for Trouble {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Connect { .. } | MigrateError::Locked { .. } | MigrateError::History { .. } => {
                Self::Passing(error.to_string())
            }
            _ => Self::lasting(&error),
        }
    }
}

impl From<NoSuchTarget> for Trouble {
    fn from(error: NoSuchTarget) -> Self {
        Self::Final(Box::new(Failure::new(error.to_string()).final_for_request()))
    }
}

impl From<TargetError> for Trouble {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::Unavailable(_) => Self::Passing(error.to_string()),
            TargetError::Refused(_) => Self::lasting(&error),
        }
    }
}

impl From<AwsError> for Trouble {
    fn from(error: AwsError) -> Self {
        if error.may_pass() { Self::Passing(error.to_string()) } else { Self::lasting(&error) }
    }
}

impl From<RegistryError> for Trouble {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Aws(error) => error.into(),
            other => Self::lasting(&other),
        }
    }
}

impl From<SecretError> for Trouble {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Aws(error) => error.into(),
            other => Self::lasting(&other),
        }
    }
}
