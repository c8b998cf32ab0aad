//! What a scan of an image found. Basic and enhanced scanning give the same counts.

use super::{Ecr, RegistryError, Repository};
use crate::aws::{AwsError, AwsErrorKind};
use aws_sdk_ecr::types::{FindingSeverity, ImageIdentifier, ScanStatus};
use slipway_core::facts::{ScanCounts, ScanFact};
use slipway_core::ids::ImageDigest;
use std::collections::HashMap;

const DESCRIBE: &str = "ecr:DescribeImageScanFindings";
/// The findings themselves are not read, only their counts, so the page is as small as can be.
const PAGE_SIZE: i32 = 1;

impl Ecr {
    /// What the scan of an image found; `None` where the bot's role may not ask.
    ///
    /// # Errors
    /// When the repository does not exist or cannot be asked.
    pub async fn scan_of(&self, repository_uri: &str, digest: &ImageDigest) -> Result<Option<ScanFact>, RegistryError> {
        let repository = Repository::parse(repository_uri)?;
        let Repository { registry, region, name } = repository;
        let id = ImageIdentifier::builder().image_digest(digest.as_str()).build();
        let request = self.clients.ecr(region).describe_image_scan_findings();
        let request = request.registry_id(registry).repository_name(name).image_id(id).max_results(PAGE_SIZE);
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = match error.as_service_error() {
                    Some(e) if e.is_scan_not_found_exception() => return Ok(Some(ScanFact::NotScanned)),
                    Some(e) if e.is_repository_not_found_exception() => return Err(repository.missing()),
                    _ => AwsError::from_sdk(DESCRIBE, &error, &[]),
                };
                // An image that cannot be scanned, such as a list of images, is refused as an invalid request.
                return match error.kind {
                    AwsErrorKind::Denied => Ok(None),
                    AwsErrorKind::Invalid => Ok(Some(ScanFact::Failed { status: error.message().to_owned() })),
                    _ => Err(error.into()),
                };
            }
        };
        let status = answer.image_scan_status.and_then(|status| status.status);
        Ok(Some(match status {
            Some(ScanStatus::Complete | ScanStatus::Active) => {
                let counts = answer.image_scan_findings.and_then(|findings| findings.finding_severity_counts);
                ScanFact::Done { findings: counted(&counts.unwrap_or_default()) }
            }
            Some(ScanStatus::InProgress | ScanStatus::Pending) => ScanFact::Running,
            Some(other) => ScanFact::Failed { status: other.as_str().to_owned() },
            None => return Err(AwsError::new(DESCRIBE, AwsErrorKind::Server, "the answer has no status").into()),
        }))
    }
}

fn counted(counts: &HashMap<FindingSeverity, i32>) -> ScanCounts {
    let mut sum = ScanCounts::default();
    for (severity, count) in counts {
        let of_severity = match severity {
            FindingSeverity::Critical => &mut sum.critical,
            FindingSeverity::High => &mut sum.high,
            FindingSeverity::Medium => &mut sum.medium,
            _ => &mut sum.low,
        };
        *of_severity = of_severity.saturating_add(u32::try_from(*count).unwrap_or(0));
    }
    sum
}
