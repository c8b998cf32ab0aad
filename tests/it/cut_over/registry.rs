//! The registry's client against the sandbox: what scans found, and moving a tag.

use slipway_core::facts::{ScanCounts, ScanFact};
use slipway_core::ids::ImageDigest;
use slipway_deploy::aws::AwsClients;
use slipway_deploy::aws::CallLimits;
use slipway_deploy::aws::ecr::{Ecr, PromoteError, RegistryError};
use slipway_sandbox::aws::{AwsOptions, AwsSandbox, Fault, FaultKind};

const PUT: &str = "ECR.PutImage";
const SCAN: &str = "ECR.DescribeImageScanFindings";
/// Where answers come.
const PATIENT: CallLimits = CallLimits { connect_ms: 60_000, attempt_ms: 60_000, call_ms: 60_000 };
/// For faults that hold a request for ever; long enough for the calls before it.
const IMPATIENT: CallLimits = CallLimits { connect_ms: 2_000, attempt_ms: 2_000, call_ms: 3_000 };

fn digest(of: char) -> ImageDigest {
    ImageDigest::parse(&format!("sha256:{}", of.to_string().repeat(64))).unwrap()
}

async fn registry() -> (AwsSandbox, Ecr, String) {
    registry_with(None).await
}

/// The same in which this is to go wrong.
async fn registry_with(kind: Option<FaultKind>) -> (AwsSandbox, Ecr, String) {
    slipway_deploy::install_crypto_provider();
    let aws = AwsSandbox::start(AwsOptions::default()).await.unwrap();
    let repository = aws.push_image("goals", "1", digest('a').as_str());
    aws.push_image("goals", "2", digest('b').as_str());
    let limits = if kind == Some(FaultKind::Timeout) { IMPATIENT } else { PATIENT };
    let ecr = Ecr::new(AwsClients::explicit(aws.explicit(limits)));
    (aws, ecr, repository)
}

fn inject(aws: &AwsSandbox, action: &str, kind: FaultKind, times: u32) {
    aws.inject(Fault { action: action.to_owned(), kind, times });
}

#[tokio::test]
async fn every_state_of_a_scan_has_its_word() {
    let (aws, ecr, repository) = registry().await;
    let image = digest('a');
    let scan = async || ecr.scan_of(&repository, &image).await.unwrap().unwrap();
    assert_eq!(scan().await, ScanFact::NotScanned);
    let counts = [("CRITICAL", 1), ("HIGH", 2), ("MEDIUM", 3), ("LOW", 4), ("UNDEFINED", 5)];
    for status in ["COMPLETE", "ACTIVE"] {
        aws.scan_image(image.as_str(), status, &counts);
        let findings = ScanCounts { critical: 1, high: 2, medium: 3, low: 9 };
        assert_eq!(scan().await, ScanFact::Done { findings });
    }
    for status in ["IN_PROGRESS", "PENDING"] {
        aws.scan_image(image.as_str(), status, &[]);
        assert_eq!(scan().await, ScanFact::Running);
    }
    for status in ["FAILED", "UNSUPPORTED_IMAGE", "SOMETHING_NEW"] {
        aws.scan_image(image.as_str(), status, &[]);
        assert_eq!(scan().await, ScanFact::Failed { status: status.to_owned() });
    }
}

#[tokio::test]
async fn a_scan_that_cannot_be_read_is_an_error_and_one_that_may_not_is_not_known() {
    for kind in [FaultKind::Status503, FaultKind::Throttle, FaultKind::Timeout] {
        let (aws, ecr, repository) = registry_with(Some(kind)).await;
        inject(&aws, SCAN, kind, 10);
        let error = ecr.scan_of(&repository, &digest('a')).await.unwrap_err();
        assert!(matches!(&error, RegistryError::Aws(error) if error.may_pass()), "{kind:?}: {error}");
    }
    let (aws, ecr, repository) = registry().await;
    inject(&aws, SCAN, FaultKind::Denied, 1);
    assert_eq!(ecr.scan_of(&repository, &digest('a')).await, Ok(None));
    let error = ecr.scan_of(&repository, &digest('c')).await.unwrap_err();
    assert!(matches!(&error, RegistryError::Aws(error) if !error.may_pass()), "{error}");
    let other = repository.replace("/goals", "/other");
    assert!(matches!(ecr.scan_of(&other, &digest('a')).await, Err(RegistryError::NoRepository { .. })));
}

#[tokio::test]
async fn a_tag_is_moved_with_the_images_own_manifest() {
    let (aws, ecr, repository) = registry().await;
    let latest = format!("{repository}:latest");
    assert_eq!(ecr.promote(&repository, &digest('a'), "latest").await, Ok(()));
    assert_eq!(aws.digest_of(&latest).as_deref(), Some(digest('a').as_str()));
    assert_eq!(ecr.promote(&repository, &digest('a'), "latest").await, Ok(()), "it is there already");
    assert_eq!(ecr.promote(&repository, &digest('b'), "latest").await, Ok(()));
    assert_eq!(aws.digest_of(&latest).as_deref(), Some(digest('b').as_str()));
    assert!(matches!(ecr.promote(&repository, &digest('c'), "latest").await, Err(PromoteError::Refused(_))));
    aws.make_tags_immutable("goals");
    let refused = ecr.promote(&repository, &digest('a'), "latest").await.unwrap_err();
    assert!(matches!(&refused, PromoteError::Refused(why) if why.contains("immutable")), "{refused}");
    assert_eq!(aws.digest_of(&latest).as_deref(), Some(digest('b').as_str()));
}

#[tokio::test]
async fn a_move_is_sent_once_and_says_whether_it_may_have_happened() {
    for (kind, moved) in
        [(FaultKind::LostAnswerAfterAct, true), (FaultKind::Timeout, false), (FaultKind::Status503, false)]
    {
        let (aws, ecr, repository) = registry_with(Some(kind)).await;
        inject(&aws, PUT, kind, 1);
        let error = ecr.promote(&repository, &digest('a'), "latest").await.unwrap_err();
        assert!(matches!(error, PromoteError::Unknown(_)), "{kind:?}: {error}");
        assert_eq!((aws.calls(PUT), aws.digest_of(&format!("{repository}:latest")).is_some()), (1, moved), "{kind:?}");
    }
    let (aws, ecr, repository) = registry().await;
    inject(&aws, PUT, FaultKind::Throttle, 1);
    assert!(matches!(ecr.promote(&repository, &digest('a'), "latest").await, Err(PromoteError::Passing(_))));
    inject(&aws, PUT, FaultKind::Denied, 1);
    let denied = ecr.promote(&repository, &digest('a'), "latest").await.unwrap_err();
    assert!(matches!(&denied, PromoteError::Refused(why) if why.contains("ecr:PutImage")), "{denied}");
}
