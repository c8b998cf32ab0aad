//! App Runner as a target.
//!
//! `UpdateService` gets the whole source configuration, since it replaces it, and nothing else: what a request
//! leaves out (instance, health check, network, scaling, observability) stays as it is.

use super::acting::{after_acting, before_acting, pinned, trail_part, with_scheme};
use super::logs::{self, Wanted};
use super::{AwsClients, AwsError, AwsErrorKind, region_of, settings, timestamp};
use crate::target::{
    Observed, OperationKind, OperationSeen, OperationState, OperationStatus, StartError, Started, Target, TargetError,
    Trail,
};
use async_trait::async_trait;
use aws_sdk_apprunner::types::{self, ImageRepository, OperationSummary, Service, ServiceStatus, SourceConfiguration};
use jiff::Timestamp;

/// How many operations a page has; AWS gives no more.
pub const OPERATIONS_PAGE_SIZE: i32 = 20;
/// How many pages of operations are looked through.
pub const OPERATION_PAGE_LIMIT: usize = 10;

const DESCRIBE: &str = "apprunner:DescribeService";
const UPDATE: &str = "apprunner:UpdateService";
const START: &str = "apprunner:StartDeployment";
const LIST: &str = "apprunner:ListOperations";

/// App Runner services, named by their ARNs, each asked in its own region.
#[derive(Clone, Debug)]
pub struct AppRunner {
    clients: AwsClients,
}

impl AppRunner {
    /// With these clients.
    #[must_use]
    pub fn new(clients: AwsClients) -> Self {
        Self { clients }
    }

    async fn describe(&self, arn: &str) -> Result<Service, AwsError> {
        let client = self.clients.app_runner(region(arn, DESCRIBE)?);
        let answer = client.describe_service().service_arn(arn).send().await;
        let answer = answer.map_err(|e| AwsError::from_sdk(DESCRIBE, &e, &[]))?;
        // The SDK fills in what a service must have and the answer has not.
        let whole = answer.service.filter(|service| !service.service_arn.is_empty());
        whole.ok_or_else(|| AwsError::lacks(DESCRIBE, "service"))
    }

    /// One page, newest first, and where the next begins.
    async fn page(
        &self,
        arn: &str,
        token: Option<String>,
    ) -> Result<(Vec<OperationSummary>, Option<String>), AwsError> {
        let client = self.clients.app_runner(region(arn, LIST)?);
        let request = client.list_operations().service_arn(arn).max_results(OPERATIONS_PAGE_SIZE);
        let answer = request.set_next_token(token).send().await;
        let answer = answer.map_err(|e| AwsError::from_sdk(LIST, &e, &[]))?;
        let operations = answer.operation_summary_list.ok_or_else(|| AwsError::lacks(LIST, "operations"))?;
        Ok((operations, answer.next_token))
    }

    /// Operations newest first until one makes `stop` true; that one is the last. `None` in the second place
    /// when the list ended before.
    async fn until(
        &self,
        arn: &str,
        stop: impl Fn(&str) -> bool + Send,
    ) -> Result<(Vec<OperationSeen>, Option<OperationSeen>), TargetError> {
        let mut newer = Vec::new();
        let mut token = None;
        for _ in 0..OPERATION_PAGE_LIMIT {
            let (page, next) = self.page(arn, token).await?;
            for summary in page {
                let operation = seen(summary)?;
                if stop(&operation.id) {
                    return Ok((newer, Some(operation)));
                }
                newer.push(operation);
            }
            match next {
                Some(next) => token = Some(next),
                None => return Ok((newer, None)),
            }
        }
        let looked = OPERATION_PAGE_LIMIT * 20;
        Err(TargetError::Refused(format!("the operation is not among the newest {looked} of this service")))
    }

    /// AWS names "something runs already" differently from call to call and its messages are not documented,
    /// so the service itself is asked.
    async fn after_no(&self, arn: &str, error: AwsError) -> StartError {
        match self.describe(arn).await {
            Ok(service) if service.status == ServiceStatus::OperationInProgress => StartError::Busy,
            // It was busy a moment ago and no longer is.
            Ok(service) if error.kind == AwsErrorKind::WrongState && service.status == ServiceStatus::Running => {
                StartError::Busy
            }
            // Which of the two it is cannot be told now: nothing was begun, and asking again later is safe.
            Err(look) if look.may_pass() => StartError::Unreachable(error.to_string()),
            _ => StartError::Refused(error.to_string()),
        }
    }

    async fn acted(&self, arn: &str, result: Result<String, AwsError>) -> Result<Started, StartError> {
        let error = match result {
            Ok(operation_id) if operation_id.is_empty() => {
                return Err(StartError::Unknown("AWS gave no operation id.".to_owned()));
            }
            Ok(operation_id) => return Ok(Started { operation_id }),
            Err(error) => error,
        };
        Err(after_acting(error, async |error| self.after_no(arn, error).await).await)
    }
}

#[async_trait]
impl Target for AppRunner {
    async fn observe(&self, id: &str) -> Result<Observed, TargetError> {
        // Operations first: one that starts in between is then missing here and found by `find_since`, and
        // never taken for one that was there before.
        let (newest, _) = self.page(id, None).await?;
        let service = self.describe(id).await?;
        let source = image_source(&service).map_err(TargetError::Refused)?;
        Ok(Observed {
            status: service.status.as_str().to_owned(),
            image_identifier: source.1.image_identifier.clone(),
            settings: settings::of(source.0, id),
            newest_operation: newest.into_iter().next().map(seen).transpose()?,
            url: service.service_url().filter(|url| !url.is_empty()).map(with_scheme),
            auto_deployments: source.0.auto_deployments_enabled().unwrap_or(false),
            service_name: service.service_name,
        })
    }

    async fn start(&self, id: &str, image: &str) -> Result<Started, StartError> {
        pinned(image)?;
        let service = self.describe(id).await.map_err(before_acting)?;
        match &service.status {
            ServiceStatus::Running => {}
            ServiceStatus::OperationInProgress => return Err(StartError::Busy),
            other => {
                let name = &service.service_name;
                return Err(StartError::Refused(format!("{name} is {other}; only a RUNNING service is deployed to.")));
            }
        }
        let (source, repository) = image_source(&service).map_err(StartError::Refused)?;
        let client = self.clients.app_runner_once(region(id, UPDATE).map_err(before_acting)?);
        let secrets = settings::sensitive(source);
        let result = if repository.image_identifier == image {
            let answer = client.start_deployment().service_arn(id).send().await;
            answer.map(|answer| answer.operation_id).map_err(|e| AwsError::from_sdk(START, &e, &secrets))
        } else {
            let mut repository = repository.clone();
            repository.image_identifier = image.to_owned();
            let mut source = source.clone();
            source.image_repository = Some(repository);
            let answer = client.update_service().service_arn(id).source_configuration(source).send().await;
            answer.map(|answer| answer.operation_id).map_err(|e| AwsError::from_sdk(UPDATE, &e, &secrets))
        };
        self.acted(id, result).await
    }

    async fn operation(&self, id: &str, operation_id: &str) -> Result<OperationState, TargetError> {
        match self.until(id, |other| other == operation_id).await?.1 {
            Some(OperationSeen { status, started_at, ended_at, .. }) => {
                // App Runner gives no reason beyond the word.
                Ok(OperationState { status, started_at, ended_at, word: word(status).to_owned(), reason: None })
            }
            None => Err(TargetError::Refused(format!("AWS knows no operation {operation_id} of this service."))),
        }
    }

    async fn find_since(&self, id: &str, before: Option<&str>) -> Result<Vec<OperationSeen>, TargetError> {
        // AWS forgets the oldest first: when the list ends without `before`, everything in it is newer.
        Ok(self.until(id, |other| Some(other) == before).await?.0)
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
        let secrets = service.source_configuration().map(settings::sensitive).unwrap_or_default();
        let (Ok(region), Some((_, path))) = (region(id, DESCRIBE), id.split_once(":service/")) else { return trail };
        let group = |kind: &str| format!("/aws/apprunner/{path}/{kind}");
        let wanted = |group| Wanted { region, group, stream_prefix: None, since, secrets: &secrets };
        let events = logs::last(&self.clients, &wanted(group("service"))).await;
        trail.events = trail_part(events, &mut trail.missing);
        let log = logs::last(&self.clients, &wanted(group("application"))).await;
        trail.log = trail_part(log, &mut trail.missing);
        trail
    }

    fn console(&self) -> &'static str {
        "the App Runner console"
    }
}

/// App Runner's own word.
fn word(status: OperationStatus) -> &'static str {
    match status {
        OperationStatus::Pending => "PENDING",
        OperationStatus::InProgress => "IN_PROGRESS",
        OperationStatus::Succeeded => "SUCCEEDED",
        OperationStatus::Failed => "FAILED",
        OperationStatus::RollbackInProgress => "ROLLBACK_IN_PROGRESS",
        OperationStatus::RollbackFailed => "ROLLBACK_FAILED",
        OperationStatus::RollbackSucceeded => "ROLLBACK_SUCCEEDED",
    }
}

fn region<'a>(arn: &'a str, action: &'static str) -> Result<&'a str, AwsError> {
    region_of(arn, "apprunner").ok_or_else(|| {
        AwsError::new(action, AwsErrorKind::Invalid, format!("{arn:?} is not the ARN of an App Runner service"))
    })
}

fn image_source(service: &Service) -> Result<(&SourceConfiguration, &ImageRepository), String> {
    let source = service.source_configuration();
    source
        .and_then(|source| Some((source, source.image_repository()?)))
        .ok_or_else(|| format!("{} runs from source code; Slipway deploys images only.", service.service_name))
}

fn seen(summary: OperationSummary) -> Result<OperationSeen, TargetError> {
    let OperationSummary { id, r#type: kind, status, started_at, ended_at, .. } = summary;
    let (Some(id), Some(kind), Some(status)) = (id, kind, status) else {
        return Err(TargetError::Refused("AWS lists an operation without id, type or status.".to_owned()));
    };
    let kind = match kind {
        types::OperationType::CreateService => OperationKind::Create,
        types::OperationType::StartDeployment => OperationKind::StartDeployment,
        types::OperationType::UpdateService => OperationKind::Update,
        other => OperationKind::Other(other.as_str().to_owned()),
    };
    let status = match status {
        types::OperationStatus::Pending => OperationStatus::Pending,
        types::OperationStatus::InProgress => OperationStatus::InProgress,
        types::OperationStatus::Succeeded => OperationStatus::Succeeded,
        types::OperationStatus::Failed => OperationStatus::Failed,
        types::OperationStatus::RollbackInProgress => OperationStatus::RollbackInProgress,
        types::OperationStatus::RollbackFailed => OperationStatus::RollbackFailed,
        types::OperationStatus::RollbackSucceeded => OperationStatus::RollbackSucceeded,
        // Neither an end nor a way there can be read out of a word that nobody here knows.
        other => return Err(TargetError::Refused(format!("AWS says {other:?} of an operation; update Slipway."))),
    };
    let at = |time: Option<_>| time.as_ref().and_then(timestamp);
    Ok(OperationSeen { id, kind, status, started_at: at(started_at), ended_at: at(ended_at) })
}
