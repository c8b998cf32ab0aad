//! `DescribeImageScanFindings`: what a scan of one image found, by severity.

use super::super::answer::{Answer, Refusal};
use super::super::state::State;
use super::{find, not_found};
use serde_json::{Value, json};

pub(in super::super) fn describe_image_scan_findings(state: &mut State, request: &Value) -> Answer {
    let registry = &state.registry;
    let (name, images) = registry.named(request)?;
    let id = &request["imageId"];
    if id["imageDigest"].is_null() && id["imageTag"].is_null() {
        return Err(Refusal::new("InvalidParameterException", "an image id needs a digest or a tag"));
    }
    let (digest, image) = find(images, id).ok_or_else(|| not_found(registry, name, id))?;
    let Some(scan) = &image.scan else {
        let text = format!("Image scan does not exist for the image with '{{imageDigest:'{digest}'}}' in '{name}'");
        return Err(Refusal::new("ScanNotFoundException", text));
    };
    let mut answer = json!({
        "registryId": registry.account,
        "repositoryName": name,
        "imageId": { "imageDigest": digest },
        "imageScanStatus": { "status": scan.status, "description": "As the sandbox was told." },
    });
    // A scan that has not ended has found nothing to tell of.
    if ["COMPLETE", "ACTIVE"].contains(&scan.status.as_str()) {
        answer["imageScanFindings"] = json!({
            "imageScanCompletedAt": 1_764_000_000, "vulnerabilitySourceUpdatedAt": 1_763_990_000, "findings": [],
            "findingSeverityCounts": scan.counts,
        });
    }
    Ok(answer)
}
