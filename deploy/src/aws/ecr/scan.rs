//! What a scan of an image found. Basic and enhanced scanning give the same counts.

use super::{Ecr, RegistryError, Repository};
use crate::aws::{AwsError, AwsErrorKind};
use aws_sdk_ecr::types::{FindingSeverity, ImageIdentifier, ImageScanFindings, ScanStatus};
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
            Some(status @ (ScanStatus::Complete | ScanStatus::Active)) => {
                found(&status, answer.image_scan_findings.as_ref(), answer.next_token.is_some())
            }
            Some(ScanStatus::InProgress | ScanStatus::Pending) => ScanFact::Running,
            Some(other) => ScanFact::Failed { status: other.as_str().to_owned() },
            None => return Err(AwsError::new(DESCRIBE, AwsErrorKind::Server, "the answer has no status").into()),
        }))
    }
}

/// What a scan that has ended says. Nothing found is said by empty counts; where there are none at all, nobody knows.
/// An image that is scanned continuously (`ACTIVE`) has counts only once it was scanned for the first time.
fn found(status: &ScanStatus, findings: Option<&ImageScanFindings>, more: bool) -> ScanFact {
    let unreadable = |why: &str| ScanFact::Failed { status: format!("{}, not readable: {why}", status.as_str()) };
    let Some(findings) = findings else { return unreadable("the answer has no findings") };
    let counts = findings.finding_severity_counts();
    if let Some(counts) = counts.filter(|counts| !counts.is_empty()) {
        return ScanFact::Done { findings: counted(counts) };
    }
    if more || !findings.findings().is_empty() || !findings.enhanced_findings().is_empty() {
        return unreadable("the answer has findings and no counts");
    }
    if findings.image_scan_completed_at().is_some() || (counts.is_some() && *status == ScanStatus::Complete) {
        return ScanFact::Done { findings: ScanCounts::default() };
    }
    match status {
        ScanStatus::Active => ScanFact::Running,
        _ => unreadable("the answer has no counts"),
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

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecr::primitives::DateTime;
    use aws_sdk_ecr::types::ImageScanFinding;

    #[test]
    fn nothing_found_is_said_only_where_the_answer_says_so() {
        let of = ImageScanFindings::builder;
        let empty = || of().set_finding_severity_counts(Some(HashMap::new()));
        let ended = || of().image_scan_completed_at(DateTime::from_secs(1_764_000_000));
        let one = || of().findings(ImageScanFinding::builder().name("CVE-2026-1").build());
        let zero = ScanFact::Done { findings: ScanCounts::default() };
        let (complete, active) = (&ScanStatus::Complete, &ScanStatus::Active);
        for fact in [
            found(complete, Some(&empty().build()), false),
            found(complete, Some(&ended().build()), false),
            found(active, Some(&ended().build()), false),
        ] {
            assert_eq!(fact, zero);
        }
        assert_eq!(
            found(active, Some(&empty().build()), false),
            ScanFact::Running,
            "not scanned for the first time yet"
        );
        for fact in [
            found(complete, None, false),
            found(active, None, false),
            found(complete, Some(&of().build()), false),
            found(complete, Some(&one().build()), false),
            found(complete, Some(&empty().build()), true),
        ] {
            assert!(matches!(&fact, ScanFact::Failed { status } if status.contains("not readable")), "{fact:?}");
        }
    }
}
