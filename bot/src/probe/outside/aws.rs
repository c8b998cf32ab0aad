//! The registry, the targets and the secrets.

use super::{Row, doubtful, promoted, within_limit};
use crate::bypasses::in_targets;
use crate::outside::Outside;
use crate::probe::ProbeResult;
use crate::setup::{EnvironmentSetup, ServiceSetup, TargetSetup};
use slipway_core::ids::ImageDigest;
use slipway_core::plan::{PlannedTarget, SECRET_SETTING, is_parameter};
use slipway_core::workflow::tag_of_image;
use slipway_deploy::aws::AwsErrorKind;
use slipway_deploy::aws::ecr::RegistryError;
use slipway_deploy::target::Observed;
use std::slice;

/// How many parameters are named.
const PARAMETERS_SHOWN_LIMIT: usize = 10;
/// Asked for so that the registry has to answer; there need not be one.
const NO_TAG: &str = "slipway-check";
/// The same as a digest, which no image has.
const NO_DIGEST: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
/// Where automatic deployments are switched off. An `UpdateService` by hand has to send the whole image configuration.
const SWITCH_OFF: &str =
    "App Runner console, Configuration, Deployment settings; Terraform: auto_deployments_enabled = false";
/// In which states a target takes a deployment, now or soon.
const WORKING: [&str; 3] = ["RUNNING", "OPERATION_IN_PROGRESS", "ACTIVE"];

pub(super) async fn registry(outside: &Outside, image: &str) -> Vec<Row> {
    let name = format!("ECR {image}");
    if let Err(failed) = within_limit(outside.ecr.image_by_tag(image, NO_TAG)).await {
        return vec![(name, failed)];
    }
    let Ok(digest) = ImageDigest::parse(NO_DIGEST) else { return vec![] };
    let scan = async {
        match outside.ecr.scan_of(image, &digest).await {
            // Whoever says that there is no such image lets one ask.
            Err(RegistryError::Aws(error)) if error.kind == AwsErrorKind::NotFound => Ok(true),
            other => other.map(|scan| scan.is_some()),
        }
    };
    let answer = match within_limit(scan).await {
        Ok(true) => ProbeResult::ok("can be read, with scan findings"),
        Ok(false) => doubtful(
            "can be read; what scans found is not shown",
            "add ecr:DescribeImageScanFindings to the policy of the bot's role",
        ),
        Err(failed) => failed,
    };
    vec![(name, answer)]
}

pub(super) async fn secret(outside: &Outside, secret: &str) -> Vec<Row> {
    let answer = match within_limit(outside.secrets.current_version(secret)).await {
        Ok(_) => ProbeResult::ok("has a current version"),
        Err(failed) => failed,
    };
    vec![(format!("secret {secret}"), answer)]
}

/// A target as it was seen.
pub(super) struct Seen {
    name: String,
    is_dry: bool,
    pub(super) target: Result<Observed, ProbeResult>,
}

pub(super) async fn observe(
    outside: &Outside,
    service: &str,
    environment: &EnvironmentSetup,
    target: &TargetSetup,
) -> Seen {
    let name = format!("{} {service} {}", target.kind, environment.name);
    let seen = match outside.target(&target.kind) {
        Ok(client) => within_limit(client.observe(&target.id)).await,
        Err(unknown) => Err(ProbeResult::fail(unknown.to_string(), "")),
    };
    Seen { name, is_dry: target.kind == PlannedTarget::DRY, target: seen }
}

impl Seen {
    pub(super) fn row(&self, service: &ServiceSetup) -> Row {
        let answer = match &self.target {
            _ if self.is_dry => ProbeResult::ok("a dry target: nothing is deployed"),
            Ok(target) => judged(target, service),
            Err(failed) => failed.clone(),
        };
        (self.name.clone(), answer)
    }
}

/// What it reads from Parameter Store, which Slipway does not look at.
fn parameters(target: &Observed) -> Vec<&str> {
    let reads = target.settings.iter().filter(|(_, reference)| is_parameter(reference));
    reads.filter_map(|(name, _)| name.strip_prefix(SECRET_SETTING)).take(PARAMETERS_SHOWN_LIMIT).collect()
}

fn judged(target: &Observed, service: &ServiceSetup) -> ProbeResult {
    let Observed { service_name, status, image_identifier, .. } = target;
    if !WORKING.contains(&status.as_str()) {
        let says = format!("{service_name} is {status}");
        return ProbeResult::fail(says, "resume or mend it in AWS: only a service that runs is deployed to");
    }
    let tag = tag_of_image(image_identifier);
    let repository = match tag {
        Some(tag) => image_identifier.trim_end_matches(tag).trim_end_matches(':'),
        None => image_identifier.split('@').next().unwrap_or_default(),
    };
    if repository != service.image {
        let says = format!("{service_name} runs {repository}, not {}", service.image);
        return ProbeResult::fail(says, "name its image repository in the service's section, or another target");
    }
    let (automatic, followed) = in_targets(slice::from_ref(target));
    if let Some((tag, environment)) = promoted(service).find(|(tag, _)| followed.contains(tag)) {
        let says =
            format!("{service_name} deploys by itself what promote = \"{tag}\" of {} would push", environment.name);
        return ProbeResult::fail(says, "set its deployment trigger to manual, or promote another tag");
    }
    match automatic.first() {
        Some(bypass) => {
            doubtful(format!("{service_name} {}", bypass.says()), format!("{}: {SWITCH_OFF}", bypass.mend()))
        }
        None => match parameters(target) {
            names if names.is_empty() => ProbeResult::ok(format!("{service_name} is {status}")),
            names => doubtful(
                format!("{service_name} is {status}; not checked: {}, from Parameter Store", names.join(", ")),
                "Slipway reads Secrets Manager alone: see yourself that these parameters are there",
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::collections::BTreeMap;
    use std::path::Path;

    const IMAGE: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals";

    fn service(more: &str) -> ServiceSetup {
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:8080\"\n[store]\nurl = \"sqlite://slipway.db\"\n[terminal]\nchannels = [\"r\"]\n\
             [service.goals]\nrepository = \"acme/goals\"\nworkflow = \"build.yaml\"\nimage = \"{IMAGE}\"\nchannels = \
             [\"terminal:r\"]\n[service.goals.environment.staging]\ntarget = {{ kind = \"app-runner\", service_arn = \
             \"arn:aws:apprunner:us-west-2:123456789012:service/goals/8fe1e10304f84fd2b0df550fe98a71fa\" }}\n{more}"
        );
        let (config, _) = Config::check(text.as_bytes(), Path::new("slipway.toml")).unwrap();
        ServiceSetup::from_config(config.services.values().next().unwrap()).unwrap()
    }

    fn target(status: &str, image: &str, automatic: bool) -> Observed {
        Observed {
            service_name: "goals-staging".to_owned(),
            status: status.to_owned(),
            image_identifier: image.to_owned(),
            settings: BTreeMap::new(),
            newest_operation: None,
            url: None,
            auto_deployments: automatic,
        }
    }

    #[test]
    fn a_target_is_judged_by_state_image_and_who_else_deploys_to_it() {
        let (tagged, pinned) = (format!("{IMAGE}:latest"), format!("{IMAGE}@{NO_DIGEST}"));
        let plain = service("");
        for good in [target("RUNNING", &tagged, false), target("OPERATION_IN_PROGRESS", &pinned, false)] {
            assert!(judged(&good, &plain).mend.is_empty(), "{good:?}");
        }
        let paused = judged(&target("PAUSED", &tagged, false), &plain);
        assert!(!paused.ok && paused.says == "goals-staging is PAUSED", "{paused:?}");
        let other = judged(&target("RUNNING", &format!("{IMAGE}-old:latest"), false), &plain);
        assert!(!other.ok && other.says.contains("goals-old, not "), "{other:?}");
        let automatic = target("RUNNING", &tagged, true);
        let warned = judged(&automatic, &plain);
        assert!(warned.ok && warned.says.contains("whatever is pushed as latest"), "{warned:?}");
        assert!(warned.mend.contains("AutoDeploymentsEnabled=false"), "{warned:?}");
        let promoting = judged(&automatic, &service("promote = \"latest\"\n"));
        assert!(!promoting.ok && promoting.says.contains("promote = \"latest\" of staging"), "{promoting:?}");
        assert!(judged(&automatic, &service("promote = \"stable\"\n")).ok);
    }
}
