//! ECS Express Mode as a target.
//!
//! An operation is named by the service revision that it brings: `UpdateExpressGatewayService` answers with that, and
//! the deployment that brings it may show in the list a moment later. The update replaces the container as a whole, so
//! all of it is sent, and the rest of what `DescribeExpressGatewayService` shows with it.

mod settings;

use super::acting::{after_acting, before_acting, pinned, trail_part, with_scheme};
use super::logs::{self, Wanted};
use super::{AwsClients, AwsError, AwsErrorKind, region_of, timestamp};
use crate::target::{
    Observed, OperationKind, OperationSeen, OperationState, OperationStatus, StartError, Started, Target, TargetError,
    Trail,
};
use async_trait::async_trait;
use aws_sdk_ecs::types::{
    AccessType, EcsExpressGatewayService, ExpressGatewayServiceConfiguration, ExpressGatewayServiceStatusCode,
    ServiceDeploymentBrief, ServiceDeploymentStatus,
};
use jiff::Timestamp;

/// How many deployments a page has; AWS gives no more.
pub const DEPLOYMENTS_PAGE_SIZE: i32 = 100;
/// How many pages of deployments are looked through.
pub const DEPLOYMENT_PAGE_LIMIT: usize = 5;
/// How many of a service's events are shown.
pub const EVENTS_LIMIT: usize = 20;

const DESCRIBE: &str = "ecs:DescribeExpressGatewayService";
const UPDATE: &str = "ecs:UpdateExpressGatewayService";
const LIST: &str = "ecs:ListServiceDeployments";
const EVENTS: &str = "ecs:DescribeServices";

/// ECS Express services, named by their ARNs, each asked in its own region.
#[derive(Clone, Debug)]
pub struct EcsExpress {
    clients: AwsClients,
}

impl EcsExpress {
    /// With these clients.
    #[must_use]
    pub fn new(clients: AwsClients) -> Self {
        Self { clients }
    }

    async fn describe(&self, arn: &str) -> Result<EcsExpressGatewayService, AwsError> {
        let client = self.clients.ecs(Place::of(arn, DESCRIBE)?.region);
        let answer = client.describe_express_gateway_service().service_arn(arn).send().await;
        let answer = answer.map_err(|e| AwsError::from_sdk(DESCRIBE, &e, &[]))?;
        answer.service.ok_or_else(|| AwsError::lacks(DESCRIBE, "service"))
    }

    /// One page, newest first, and where the next begins.
    async fn page(
        &self,
        arn: &str,
        token: Option<String>,
    ) -> Result<(Vec<ServiceDeploymentBrief>, Option<String>), AwsError> {
        let place = Place::of(arn, LIST)?;
        let request = self.clients.ecs(place.region).list_service_deployments().service(arn).cluster(place.cluster);
        let answer = request.max_results(DEPLOYMENTS_PAGE_SIZE).set_next_token(token).send().await;
        let answer = answer.map_err(|e| AwsError::from_sdk(LIST, &e, &[]))?;
        let mut page = answer.service_deployments.ok_or_else(|| AwsError::lacks(LIST, "deployments"))?;
        // The order is not documented.
        page.sort_by_key(|deployment| std::cmp::Reverse(created(deployment)));
        Ok((page, answer.next_token))
    }

    /// Deployments newest first until one brings the revision `stop`; that one is the last. `None` in the second
    /// place when the list ended before.
    async fn until(
        &self,
        arn: &str,
        stop: Option<&str>,
    ) -> Result<(Vec<ServiceDeploymentBrief>, Option<ServiceDeploymentBrief>), TargetError> {
        let mut newer = Vec::new();
        let mut token = None;
        for _ in 0..DEPLOYMENT_PAGE_LIMIT {
            let (page, next) = self.page(arn, token).await?;
            for deployment in page {
                if stop.is_some() && deployment.target_service_revision_arn().map(id_in) == stop {
                    return Ok((newer, Some(deployment)));
                }
                newer.push(deployment);
            }
            match next {
                Some(next) => token = Some(next),
                None => return Ok((newer, None)),
            }
        }
        let looked = DEPLOYMENT_PAGE_LIMIT * 100;
        Err(TargetError::Refused(format!("the deployment is not among the newest {looked} of this service")))
    }

    /// AWS does not document what it says when a deployment is under way, so the list of them is asked.
    async fn after_no(&self, arn: &str, error: AwsError) -> StartError {
        match self.page(arn, None).await {
            Ok((page, _)) if page.first().is_some_and(is_under_way) => StartError::Busy,
            Ok(_) if error.kind == AwsErrorKind::WrongState => StartError::Busy,
            Err(look) if look.may_pass() => StartError::Unreachable(error.to_string()),
            _ => StartError::Refused(error.to_string()),
        }
    }

    /// The service's events, newest last.
    async fn events(&self, arn: &str, since: Option<Timestamp>, secrets: &[&str]) -> Result<Vec<String>, String> {
        let failed = |error: AwsError| format!("Its events are not shown: {error}");
        let place = Place::of(arn, EVENTS).map_err(failed)?;
        let request = self.clients.ecs(place.region).describe_services().cluster(place.cluster).services(arn);
        let answer = request.send().await.map_err(|e| failed(AwsError::from_sdk(EVENTS, &e, secrets)))?;
        let services = answer.services.ok_or_else(|| failed(AwsError::lacks(EVENTS, "services")))?;
        let events = services.first().map(|service| service.events()).unwrap_or_default();
        let mut events: Vec<_> = events
            .iter()
            .filter_map(|event| Some((event.created_at().and_then(timestamp)?, event.message()?)))
            .filter(|(at, _)| since.is_none_or(|since| *at >= since))
            .collect();
        events.sort();
        let cut = events.len().saturating_sub(EVENTS_LIMIT);
        Ok(events[cut..].iter().filter_map(|(at, text)| logs::line(Some(*at), text, secrets)).collect())
    }
}

#[async_trait]
impl Target for EcsExpress {
    async fn observe(&self, id: &str) -> Result<Observed, TargetError> {
        // Deployments first, as for App Runner: one that starts in between is then found by `find_since`.
        let (deployments, _) = self.page(id, None).await?;
        let service = self.describe(id).await?;
        let configuration = configuration(&service, deployments.first());
        let (configuration, image) = with_image(&service, configuration).map_err(TargetError::Refused)?;
        let public = configuration.ingress_paths().iter().find(|path| path.access_type == AccessType::Public);
        Ok(Observed {
            service_name: name(&service),
            status: status_code(&service).map_or_else(String::new, |code| code.as_str().to_owned()),
            image_identifier: image.to_owned(),
            settings: settings::of(configuration, id),
            newest_operation: deployments.first().map(seen).transpose()?,
            url: public.map(|path| with_scheme(path.endpoint())),
            auto_deployments: false,
        })
    }

    async fn start(&self, id: &str, image: &str) -> Result<Started, StartError> {
        pinned(image)?;
        let place = Place::of(id, UPDATE).map_err(before_acting)?;
        // ECS would take the update and stop the deployment that is under way.
        let (deployments, _) = self.page(id, None).await.map_err(before_acting)?;
        if deployments.first().is_some_and(is_under_way) {
            return Err(StartError::Busy);
        }
        let service = self.describe(id).await.map_err(before_acting)?;
        if status_code(&service) != Some(&ExpressGatewayServiceStatusCode::Active) {
            let state = status_code(&service).map_or("in an unknown state", |code| code.as_str());
            let name = name(&service);
            return Err(StartError::Refused(format!("{name} is {state}; only an ACTIVE service is deployed to.")));
        }
        let configuration = configuration(&service, deployments.first());
        let (configuration, _) = with_image(&service, configuration).map_err(StartError::Refused)?;
        let mut container = configuration.primary_container.clone();
        if let Some(container) = &mut container {
            container.image = image.to_owned();
        }
        let request = self.clients.ecs_once(place.region).update_express_gateway_service().service_arn(id);
        let request = request
            .set_primary_container(container)
            .set_execution_role_arn(configuration.execution_role_arn.clone())
            .set_task_role_arn(configuration.task_role_arn.clone())
            .set_cpu(configuration.cpu.clone())
            .set_memory(configuration.memory.clone())
            .set_cpu_architecture(configuration.cpu_architecture.clone())
            .set_network_configuration(configuration.network_configuration.clone())
            .set_health_check_path(configuration.health_check_path.clone())
            .set_scaling_target(configuration.scaling_target.clone());
        let secrets = settings::sensitive(configuration);
        let error = match request.send().await {
            Ok(answer) => {
                let brings = answer.service.and_then(|service| service.target_configuration?.service_revision_arn);
                return match brings {
                    Some(revision) => Ok(Started { operation_id: id_in(&revision).to_owned() }),
                    None => Err(StartError::Unknown("AWS gave no service revision.".to_owned())),
                };
            }
            Err(error) => AwsError::from_sdk(UPDATE, &error, &secrets),
        };
        Err(after_acting(error, async |error| self.after_no(id, error).await).await)
    }

    async fn operation(&self, id: &str, operation_id: &str) -> Result<OperationState, TargetError> {
        let Some(deployment) = self.until(id, Some(operation_id)).await?.1 else {
            // AWS has given this revision, and no deployment of it shows yet.
            return Ok(OperationState {
                status: OperationStatus::Pending,
                started_at: None,
                ended_at: None,
                word: "PENDING".to_owned(),
                reason: None,
            });
        };
        let OperationSeen { status, started_at, ended_at, .. } = seen(&deployment)?;
        let word = deployment.status().map_or("", ServiceDeploymentStatus::as_str).to_owned();
        let reason = deployment.status_reason().and_then(|reason| logs::line(None, reason, &[]));
        Ok(OperationState { status, started_at, ended_at, word, reason })
    }

    async fn find_since(&self, id: &str, before: Option<&str>) -> Result<Vec<OperationSeen>, TargetError> {
        let newer = self.until(id, before).await?.0;
        newer.iter().map(seen).collect()
    }

    async fn trail(&self, id: &str, since: Option<Timestamp>) -> Trail {
        let mut trail = Trail::default();
        let service = match self.describe(id).await {
            Ok(service) => service,
            // Which values are secret is in the service: without it nothing that it wrote can be shown.
            Err(error) => {
                trail.missing.push(format!("Its log is not shown: {error}"));
                return trail;
            }
        };
        let configurations = service.active_configurations();
        let secrets: Vec<_> = configurations.iter().flat_map(settings::sensitive).collect();
        let events = self.events(id, since, &secrets).await;
        trail.events = trail_part(events, &mut trail.missing);
        let written = configurations.iter().find_map(|of| of.primary_container()?.aws_logs_configuration());
        let (Some(written), Ok(place)) = (written, Place::of(id, DESCRIBE)) else {
            trail.missing.push("The service names no log group, so what it wrote is not shown.".to_owned());
            return trail;
        };
        let group = written.log_group().to_owned();
        let stream_prefix = Some(written.log_stream_prefix().to_owned()).filter(|prefix| !prefix.is_empty());
        let wanted = Wanted { region: place.region, group, stream_prefix, since, secrets: &secrets };
        let log = logs::last(&self.clients, &wanted).await;
        trail.log = trail_part(log, &mut trail.missing);
        trail
    }

    fn console(&self) -> &'static str {
        "the ECS console"
    }
}

/// Where a service is, by its ARN: `arn:aws:ecs:us-west-2:123456789012:service/CLUSTER/NAME`.
struct Place<'a> {
    region: &'a str,
    cluster: &'a str,
}

impl<'a> Place<'a> {
    fn of(arn: &'a str, action: &'static str) -> Result<Self, AwsError> {
        let cluster =
            arn.split_once(":service/").and_then(|(_, path)| path.split_once('/')).map(|(cluster, _)| cluster);
        region_of(arn, "ecs").zip(cluster).map(|(region, cluster)| Self { region, cluster }).ok_or_else(|| {
            let what = format!("{arn:?} is not the ARN of an ECS service with its cluster");
            AwsError::new(action, AwsErrorKind::Invalid, what)
        })
    }
}

/// What tells a revision from the others of its service: the last part of its ARN.
fn id_in(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn name(service: &EcsExpressGatewayService) -> String {
    service.service_name().unwrap_or("the service").to_owned()
}

fn status_code(service: &EcsExpressGatewayService) -> Option<&ExpressGatewayServiceStatusCode> {
    service.status()?.status_code()
}

/// The configuration that is in force or on its way. There are two while a deployment goes on: the one that the newest
/// deployment brings counts unless that deployment failed.
fn configuration<'a>(
    service: &'a EcsExpressGatewayService,
    newest: Option<&ServiceDeploymentBrief>,
) -> Option<&'a ExpressGatewayServiceConfiguration> {
    let brought = newest.and_then(|deployment| deployment.target_service_revision_arn());
    let failed = newest.and_then(|deployment| deployment.status()).and_then(status).is_some_and(|status| {
        !matches!(status, OperationStatus::Pending | OperationStatus::InProgress | OperationStatus::Succeeded)
    });
    let all = service.active_configurations();
    let fits = |of: &&ExpressGatewayServiceConfiguration| (of.service_revision_arn() == brought) != failed;
    let at = |of: &&ExpressGatewayServiceConfiguration| of.created_at().and_then(timestamp);
    all.iter().filter(fits).max_by_key(at).or_else(|| all.iter().max_by_key(at))
}

fn with_image<'a>(
    service: &EcsExpressGatewayService,
    configuration: Option<&'a ExpressGatewayServiceConfiguration>,
) -> Result<(&'a ExpressGatewayServiceConfiguration, &'a str), String> {
    let name = name(service);
    let configuration = configuration.ok_or_else(|| format!("{name} has no active configuration."))?;
    let container = configuration.primary_container();
    let image = container.map(|container| container.image()).ok_or_else(|| {
        format!("{name} runs a task definition of its own; Slipway deploys services whose container ECS manages.")
    })?;
    Ok((configuration, image))
}

fn created(deployment: &ServiceDeploymentBrief) -> Option<Timestamp> {
    deployment.created_at().or(deployment.started_at()).and_then(timestamp)
}

fn is_under_way(deployment: &ServiceDeploymentBrief) -> bool {
    deployment.status().and_then(status).is_some_and(|status| !status.ended())
}

fn status(status: &ServiceDeploymentStatus) -> Option<OperationStatus> {
    Some(match status {
        ServiceDeploymentStatus::Pending => OperationStatus::Pending,
        ServiceDeploymentStatus::InProgress | ServiceDeploymentStatus::StopRequested => OperationStatus::InProgress,
        ServiceDeploymentStatus::Successful => OperationStatus::Succeeded,
        ServiceDeploymentStatus::Stopped => OperationStatus::Failed,
        ServiceDeploymentStatus::RollbackRequested | ServiceDeploymentStatus::RollbackInProgress => {
            OperationStatus::RollbackInProgress
        }
        ServiceDeploymentStatus::RollbackSuccessful => OperationStatus::RollbackSucceeded,
        ServiceDeploymentStatus::RollbackFailed => OperationStatus::RollbackFailed,
        // Neither an end nor a way there can be read out of a word that nobody here knows.
        _ => return None,
    })
}

fn seen(deployment: &ServiceDeploymentBrief) -> Result<OperationSeen, TargetError> {
    let (Some(revision), Some(word)) = (deployment.target_service_revision_arn(), deployment.status()) else {
        return Err(TargetError::Refused("AWS lists a deployment without revision or status.".to_owned()));
    };
    let status = status(word).ok_or_else(|| {
        TargetError::Refused(format!("AWS says {:?} of a deployment; update Slipway.", word.as_str()))
    })?;
    Ok(OperationSeen {
        id: id_in(revision).to_owned(),
        kind: OperationKind::Deployment,
        status,
        started_at: deployment.started_at().or(deployment.created_at()).and_then(timestamp),
        ended_at: deployment.finished_at().and_then(timestamp),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecs::primitives::DateTime;

    fn service(revisions: &[(&str, i64)]) -> EcsExpressGatewayService {
        let one = |(id, at): &(&str, i64)| {
            let of = ExpressGatewayServiceConfiguration::builder();
            of.service_revision_arn(*id).created_at(DateTime::from_secs(*at)).build()
        };
        EcsExpressGatewayService::builder().set_active_configurations(Some(revisions.iter().map(one).collect())).build()
    }

    fn newest(revision: &str, status: ServiceDeploymentStatus) -> ServiceDeploymentBrief {
        ServiceDeploymentBrief::builder().target_service_revision_arn(revision).status(status).build()
    }

    #[test]
    fn the_configuration_in_force_is_that_of_the_newest_deployment_unless_it_failed() {
        use ServiceDeploymentStatus::{InProgress, RollbackInProgress, RollbackSuccessful, Stopped, Successful};
        let both = service(&[("old", 1), ("new", 2)]);
        let counts = |status| {
            let deployment = newest("new", status);
            configuration(&both, Some(&deployment)).and_then(|of| of.service_revision_arn()).unwrap().to_owned()
        };
        for status in [InProgress, Successful] {
            assert_eq!(counts(status), "new");
        }
        for status in [RollbackInProgress, RollbackSuccessful, Stopped] {
            assert_eq!(counts(status), "old");
        }
        // Where only one is left there is nothing to choose.
        let only = service(&[("old", 1)]);
        let deployment = newest("new", Successful);
        assert_eq!(configuration(&only, Some(&deployment)).unwrap().service_revision_arn(), Some("old"));
    }

    #[test]
    fn an_unknown_word_is_no_end() {
        let odd = newest("arn:aws:ecs:us-west-2:1:service-revision/c/s/7", ServiceDeploymentStatus::from("PAUSED"));
        assert!(seen(&odd).unwrap_err().to_string().contains("update Slipway"));
        assert!(!is_under_way(&odd));
        let known = newest("arn:aws:ecs:us-west-2:1:service-revision/c/s/7", ServiceDeploymentStatus::StopRequested);
        assert_eq!((seen(&known).unwrap().id.as_str(), is_under_way(&known)), ("7", true));
    }

    #[test]
    fn a_service_is_named_with_its_cluster() {
        let place = Place::of("arn:aws:ecs:us-west-2:123456789012:service/main/goals", DESCRIBE).unwrap();
        assert_eq!((place.region, place.cluster), ("us-west-2", "main"));
        for bad in ["goals", "arn:aws:ecs:us-west-2:123456789012:service/goals", "arn:aws:ecs::1:service/a/b"] {
            assert!(Place::of(bad, DESCRIBE).is_err(), "{bad}");
        }
    }
}
