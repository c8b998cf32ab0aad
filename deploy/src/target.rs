//! What runs the image. One trait, so that another kind of target is one more implementation.

use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;
use thiserror::Error;

/// What kind of operation the target lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// The service was made.
    Create,
    /// The same image identifier was deployed again.
    StartDeployment,
    /// Image or settings were changed.
    Update,
    /// Paused, resumed, deleted, or something newer, by the target's own name for it.
    Other(String),
    /// A revision of the service was brought out, on a target that does not say whether image or settings changed.
    Deployment,
}

impl OperationKind {
    /// Whether it brings an image to an existing service.
    #[must_use]
    pub fn deploys(&self) -> bool {
        matches!(self, Self::StartDeployment | Self::Update | Self::Deployment)
    }

    /// What AWS calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Create => "CREATE_SERVICE",
            Self::StartDeployment => "START_DEPLOYMENT",
            Self::Update => "UPDATE_SERVICE",
            Self::Other(name) => name,
            Self::Deployment => "service deployment",
        }
    }
}

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationStatus {
    /// Accepted, not begun.
    Pending,
    /// Under way.
    InProgress,
    /// Ended; the new image runs.
    Succeeded,
    /// Ended; the new image does not run.
    Failed,
    /// The new image failed and the old one is being brought back.
    RollbackInProgress,
    /// Ended; the new image failed and so did bringing the old one back.
    RollbackFailed,
    /// Ended; the new image failed and the old one runs. The service looks healthy.
    RollbackSucceeded,
}

impl OperationStatus {
    /// One sentence for people, with the target's own word in it.
    #[must_use]
    pub fn in_words(self, word: &str) -> String {
        match self {
            Self::Pending => format!("AWS has accepted the deployment and not begun it ({word})."),
            Self::InProgress => format!("AWS is deploying ({word})."),
            Self::Succeeded => format!("AWS has deployed the new image ({word})."),
            Self::Failed => format!("AWS could not deploy the new image ({word})."),
            Self::RollbackInProgress => format!("The new image failed and AWS is rolling this back ({word})."),
            Self::RollbackFailed => {
                format!("The new image failed and AWS could not roll this back ({word}). Look at the service in AWS.")
            }
            Self::RollbackSucceeded => {
                format!("The new image failed and AWS rolled this back; the old image runs ({word}).")
            }
        }
    }

    /// Whether nothing more will happen.
    #[must_use]
    pub fn ended(self) -> bool {
        match self {
            Self::Pending | Self::InProgress | Self::RollbackInProgress => false,
            Self::Succeeded | Self::Failed | Self::RollbackFailed | Self::RollbackSucceeded => true,
        }
    }
}

/// An operation as the target lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationSeen {
    /// The target's id for it.
    pub id: String,
    /// What it does.
    pub kind: OperationKind,
    /// Where it stands.
    pub status: OperationStatus,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it ended, if it has.
    pub ended_at: Option<Timestamp>,
}

/// One operation, asked for by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationState {
    /// Where it stands.
    pub status: OperationStatus,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it ended, if it has.
    pub ended_at: Option<Timestamp>,
    /// The target's own word for where it stands: `ROLLBACK_SUCCEEDED`, `ROLLBACK_SUCCESSFUL`, …
    pub word: String,
    /// Why it stands there, in the target's own words where it gives any. Untrusted, without what looks like a secret.
    pub reason: Option<String>,
}

/// The last that a service said before a deployment of it failed. All of it is untrusted, bounded, one line each, oldest
/// first, and without what is known to be a secret or looks like one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// What AWS says of the service, each with its time.
    pub events: Vec<String>,
    /// What the service itself wrote, each with its time.
    pub log: Vec<String>,
    /// What could not be read, and what to do about it.
    pub missing: Vec<String>,
}

/// What can be seen of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The service's name.
    pub service_name: String,
    /// The target's word for its state: `RUNNING`, `OPERATION_IN_PROGRESS`, `PAUSED`, … Never judge a
    /// deployment by it: a rolled back service is `RUNNING`.
    pub status: String,
    /// The image that the service is configured to run. While an operation runs that may be the one on its way.
    pub image_identifier: String,
    /// Every setting that [`Target::start`] sends besides the image, by dotted name. What can hold a secret
    /// (environment values, the start command) is a salted SHA-256, `sha256:` and 64 hex digits.
    pub settings: BTreeMap<String, String>,
    /// The newest operation, to be recorded with an intent.
    pub newest_operation: Option<OperationSeen>,
    /// The service's address, with its scheme.
    pub url: Option<String>,
    /// Whether AWS deploys by itself when the watched tag moves.
    pub auto_deployments: bool,
}

/// The target has accepted a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The operation to follow.
    pub operation_id: String,
}

/// Why a deployment was not, or perhaps not, started. Each text is for people.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StartError {
    /// Another operation runs. Nothing was started; wait for its end.
    #[error("another operation is running on this service; wait for it to end")]
    Busy,
    /// Too many calls. Nothing was started; try again later.
    #[error("AWS asks for fewer calls; nothing was started, try again in a while")]
    Throttled,
    /// The target could not be asked what it runs. Nothing was started; trying again is safe.
    #[error("nothing was started: {0}")]
    Unreachable(String),
    /// The target said no, and will say it again.
    #[error("{0}")]
    Refused(String),
    /// No answer, or a broken one: it may have been started. Observe before doing anything.
    #[error("it is not known whether the deployment was started: {0}")]
    Unknown(String),
}

/// Why a target could not be observed. Each text is for people.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TargetError {
    /// Network, throttling or trouble at the target: try again later.
    #[error("{0}")]
    Unavailable(String),
    /// It will not change by itself: no such service, no permission, an answer that Slipway does not know.
    #[error("{0}")]
    Refused(String),
}

/// Something that runs images.
#[async_trait]
pub trait Target: Send + Sync {
    /// What the service looks like now.
    ///
    /// # Errors
    /// When it cannot be asked, or runs something else than an image.
    async fn observe(&self, id: &str) -> Result<Observed, TargetError>;

    /// Starts bringing `image` (`repository@sha256:…`) to the service, keeping every other setting. Sent at
    /// most once: it is never retried here, since the target has no token that would make that safe.
    ///
    /// # Errors
    /// Only after [`StartError::Unknown`] may something have been started.
    async fn start(&self, id: &str, image: &str) -> Result<Started, StartError>;

    /// Where one operation stands.
    ///
    /// # Errors
    /// When it cannot be asked, or the operation is not among the recent ones.
    async fn operation(&self, id: &str, operation_id: &str) -> Result<OperationState, TargetError>;

    /// The operations newer than `before` (the newest one seen when the intent was recorded), newest first:
    /// how a release finds its own operation again after a crash. Somebody else's may be among them, so look
    /// at the kind, the start and at what the service is configured to run.
    ///
    /// # Errors
    /// When it cannot be asked, or there are more than can be looked through.
    async fn find_since(&self, id: &str, before: Option<&str>) -> Result<Vec<OperationSeen>, TargetError>;

    /// The last events and log lines of the service since `since`, for people who look for the reason of a failure. What
    /// cannot be read is said in it: a failure is told all the same.
    async fn trail(&self, id: &str, since: Option<Timestamp>) -> Trail {
        let (_, _) = (id, since);
        Trail::default()
    }

    /// Where people look further: `the App Runner console`.
    fn console(&self) -> &'static str {
        "the AWS console"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [OperationStatus; 7] = [
        OperationStatus::Pending,
        OperationStatus::InProgress,
        OperationStatus::Succeeded,
        OperationStatus::Failed,
        OperationStatus::RollbackInProgress,
        OperationStatus::RollbackFailed,
        OperationStatus::RollbackSucceeded,
    ];

    #[test]
    fn every_status_says_the_targets_own_word() {
        for status in ALL {
            assert!(status.in_words("AS_AWS_SAYS").contains("(AS_AWS_SAYS)"), "{status:?}");
        }
        let open: Vec<_> = ALL.into_iter().filter(|status| !status.ended()).collect();
        use OperationStatus::{InProgress, Pending, RollbackInProgress};
        assert_eq!(open, [Pending, InProgress, RollbackInProgress]);
    }

    #[test]
    fn only_what_brings_an_image_deploys() {
        let names = |deploys| {
            let other = OperationKind::Other("PAUSE_SERVICE".to_owned());
            let all = [
                OperationKind::Create,
                OperationKind::StartDeployment,
                OperationKind::Update,
                other,
                OperationKind::Deployment,
            ];
            all.iter().filter(|kind| kind.deploys() == deploys).map(|kind| kind.name().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(true), ["START_DEPLOYMENT", "UPDATE_SERVICE", "service deployment"]);
        assert_eq!(names(false), ["CREATE_SERVICE", "PAUSE_SERVICE"]);
    }
}
