//! What a plan says of the configuration, whether all that the service needs is there, and plans that bring nothing else.

use super::gather::{planned_target, running_image};
use super::{Done, Job, Trouble};
use crate::configuration::{NotSeen, look};
use jiff::Timestamp;
use slipway_core::configuration::Drift;
use slipway_core::facts::{Facts, Observed};
use slipway_core::plan::{ConfigVersion, Plan, PlanKind, SECRET_SETTING};
use slipway_core::release::{Event, Failure};
use slipway_deploy::config_store::{ConfigStoreError, Wanted};
use slipway_deploy::target::Observed as ObservedTarget;

/// How many secrets of one target are looked at.
const REFERENCES_LIMIT: usize = 200;
/// How many characters AWS adds to a secret's name in its ARN.
const ADDED_CHARS: usize = 6;

impl From<NotSeen> for Trouble {
    fn from(not_seen: NotSeen) -> Self {
        match not_seen.error {
            ConfigStoreError::Unavailable(_) => Self::Passing(not_seen.to_string()),
            ConfigStoreError::Missing(_) | ConfigStoreError::Denied(_) | ConfigStoreError::Refused(_) => {
                Self::lasting(&not_seen)
            }
        }
    }
}

/// The secrets as they are now, and what differs since what runs was started.
pub(super) async fn seen(job: &Job<'_>) -> Result<(Vec<ConfigVersion>, Option<Drift>), Trouble> {
    let key = &job.release.request.key;
    let config = look(&job.executor.outside, &job.environment()?.config).await?;
    let live = job.executor.store.environment(key).await?.live;
    let drift = job.executor.store.configuration(key).await?.drift_of(live.as_ref(), &config);
    Ok((config, settled(drift, live.is_some_and(|live| live.verified))))
}

/// What could not be verified is worth another start, also with the same settings: that nothing differs is not said of it.
fn settled(drift: Option<Drift>, verified: bool) -> Option<Drift> {
    drift.filter(|drift| verified || !drift.changes.is_empty())
}

/// Why the service would not start: something that it reads when it does is not there, or that cannot be told.
pub(super) async fn missing(job: &Job<'_>, observed: &[ObservedTarget]) -> Result<Option<Failure>, Trouble> {
    let environment = job.environment()?;
    for target in observed {
        let settings = target.settings.iter().filter_map(|(name, of)| Some((name.strip_prefix(SECRET_SETTING)?, of)));
        let settings: Vec<_> = settings.filter_map(|(name, of)| Some((name, Wanted::from_arn(of)?))).collect();
        if settings.len() > REFERENCES_LIMIT {
            let what = format!("{} reads more than {REFERENCES_LIMIT} secrets.", target.service_name);
            return Ok(Some(Failure::new(what).detail("Nothing was started.")));
        }
        for (name, wanted) in settings {
            let who = format!("{} reads {name} from the secret {}", target.service_name, name_of(&wanted.secret));
            if let Some(failure) = lacks(job, &who, &wanted).await? {
                return Ok(Some(failure));
            }
        }
    }
    for (secret, key) in &environment.needs {
        let who = format!("{} needs {key} of the secret {secret}", job.release.request.key);
        if let Some(failure) = lacks(job, &who, &Wanted::key(secret, key)).await? {
            return Ok(Some(failure));
        }
    }
    Ok(None)
}

/// A secret as people know it: of an ARN the name, without the six characters that AWS adds.
fn name_of(secret: &str) -> &str {
    let Some((_, name)) = secret.split_once(":secret:") else { return secret };
    name.rsplit_once('-').filter(|(_, added)| added.len() == ADDED_CHARS).map_or(name, |(name, _)| name)
}

async fn lacks(job: &Job<'_>, who: &str, wanted: &Wanted) -> Result<Option<Failure>, Trouble> {
    let failure = match job.executor.outside.config_store.has_key(wanted).await {
        Ok(()) => return Ok(None),
        Err(ConfigStoreError::Missing(why)) => Failure::new(format!("{who}, and would not start."))
            .detail(format!("It is not there: {why}."))
            .next("store it in Secrets Manager, then /release retry"),
        Err(ConfigStoreError::Denied(why)) => Failure::new(format!("{who}. Whether that is there cannot be told."))
            .detail(why)
            .next("/release retry once it is allowed"),
        Err(ConfigStoreError::Unavailable(why)) => return Err(Trouble::Passing(why)),
        Err(ConfigStoreError::Refused(why)) => return Err(Trouble::lasting(&why)),
    };
    Ok(Some(failure.detail("Nothing was started.")))
}

/// Whether a secret was stored again since the plan was made: what was approved is what the service reads.
pub(super) async fn changed_since(job: &Job<'_>, plan: &Plan) -> Result<Option<Failure>, Trouble> {
    for planned in &plan.config {
        let now = job.executor.outside.config_store.current_version(&planned.secret).await;
        let now = now.map_err(|error| NotSeen { secret: planned.secret.clone(), error })?;
        if now != planned.version_id {
            let what = format!("The secret {} was stored again since the plan was made.", planned.secret);
            return Ok(Some(Failure::new(what).next("/release retry makes a new plan")));
        }
    }
    Ok(None)
}

/// The plan that brings what runs once more.
pub(super) async fn plan(job: &Job<'_>, observed: Vec<ObservedTarget>, at: Timestamp) -> Result<Done, Trouble> {
    let (environment, commit) = (job.environment()?, job.commit()?);
    let key = &job.release.request.key;
    let otherwise = |what: String| {
        let failure = Failure::new(what).detail("Nothing was started.");
        job.planning_failed(None, failure.next(format!("/deploy {}", key.environment)).final_for_request())
    };
    let Some(first) = observed.first().map(|first| first.image_identifier.clone()) else {
        return Ok(otherwise(format!("{key} has no target.")));
    };
    if let Some(other) = observed.iter().find(|other| other.image_identifier != first) {
        return Ok(otherwise(format!("{} runs another image than the other targets of {key}.", other.service_name)));
    }
    let live = job.executor.store.environment(key).await?.live.filter(|live| live.commit == *commit);
    let image = running_image(job, Some(&first)).await?;
    let (Some(live), Some(image)) = (live, image) else {
        return Ok(otherwise(format!("It cannot be told which version runs on {key}.")));
    };
    if image.digest != live.image {
        return Ok(otherwise(format!("{key} runs another image than the one that Slipway brought there last.")));
    }
    let (config, drift) = seen(job).await?;
    let ci = Observed { value: job.checks().await?, at };
    let bypasses = Some(super::bypasses::look(job, PlanKind::Config, &observed, at).await?);
    let facts = Facts { bypasses, ..Facts::of_ci(ci) };
    let plan = Plan {
        config,
        targets: environment
            .targets
            .iter()
            .zip(observed.into_iter().map(|seen| (seen, Some(commit.clone()))))
            .map(planned_target)
            .collect(),
        drift,
        ..Plan::of_what_runs(key, PlanKind::Config, (commit.clone(), live.since), image)
    };
    Ok(Done::Event(Event::Planned { plan: Box::new(plan), facts }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::configuration::{Changed, SecretChange};
    use slipway_core::ids::CommitSha;

    #[test]
    fn that_nothing_differs_is_said_only_of_what_was_verified() {
        let commit = CommitSha::parse(&"4c1f9e2b0d".repeat(4)).unwrap();
        let drift = |changes| {
            Some(Drift { release: "01JD7Q4N".into(), commit: commit.clone(), since: Timestamp::UNIX_EPOCH, changes })
        };
        let changed = || drift(vec![SecretChange { secret: "goals/staging".into(), what: Changed::Added }]);
        assert_eq!(settled(drift(vec![]), true), drift(vec![]));
        assert_eq!(settled(drift(vec![]), false), None);
        assert_eq!([settled(changed(), true), settled(changed(), false)], [changed(), changed()]);
    }

    #[test]
    fn a_secret_is_called_by_its_name() {
        let arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:";
        assert_eq!(name_of(&format!("{arn}goals/my-app-AbCdEf")), "goals/my-app");
        assert_eq!(name_of(&format!("{arn}goals/my-app")), "goals/my-app");
        assert_eq!(name_of("goals/staging-AbCdEf"), "goals/staging-AbCdEf");
    }
}
