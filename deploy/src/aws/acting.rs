//! What targets at AWS have in common when they are told to deploy, and when they are asked what came of it.

use super::{AwsError, AwsErrorKind};
use crate::target::{StartError, TargetError};
use slipway_core::ids::ImageDigest;

/// Only an image that is named by its content is deployed.
pub(super) fn pinned(image: &str) -> Result<(), StartError> {
    let pinned = image.split_once('@').is_some_and(|(_, digest)| ImageDigest::parse(digest).is_ok());
    match pinned {
        true => Ok(()),
        false => Err(StartError::Refused("Only an image named by its digest is deployed.".to_owned())),
    }
}

/// What an error means before anything was begun.
pub(super) fn before_acting(error: AwsError) -> StartError {
    match error.kind {
        AwsErrorKind::Throttled => StartError::Throttled,
        _ if error.may_pass() => StartError::Unreachable(error.to_string()),
        _ => StartError::Refused(error.to_string()),
    }
}

/// What the answer to an act means. Of a no that may be "something runs already" the target itself is asked, by `after_no`.
pub(super) async fn after_acting(error: AwsError, after_no: impl AsyncFnOnce(AwsError) -> StartError) -> StartError {
    match error.kind {
        AwsErrorKind::WrongState | AwsErrorKind::Invalid => after_no(error).await,
        AwsErrorKind::Throttled => StartError::Throttled,
        _ if error.surely_without_effect() => StartError::Refused(error.to_string()),
        _ => StartError::Unknown(error.to_string()),
    }
}

/// AWS gives some addresses as the host alone.
pub(super) fn with_scheme(url: &str) -> String {
    if url.contains("://") { url.to_owned() } else { format!("https://{url}") }
}

/// The lines, or why there are none; the same reason is given once.
pub(super) fn trail_part(read: Result<Vec<String>, String>, missing: &mut Vec<String>) -> Vec<String> {
    read.unwrap_or_else(|why| {
        if !missing.contains(&why) {
            missing.push(why);
        }
        Vec::new()
    })
}

impl From<AwsError> for TargetError {
    fn from(error: AwsError) -> Self {
        if error.may_pass() { Self::Unavailable(error.to_string()) } else { Self::Refused(error.to_string()) }
    }
}
