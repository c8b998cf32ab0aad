//! Asking the service itself: healthy, and for as long as it was asked to be.

use super::{Done, Job, Trouble};
use serde::{Deserialize, Serialize};
use slipway_core::release::{Failure, Step};

/// How often the service is asked.
const POLL_MS: i64 = 2_000;
/// How long it may take to become healthy.
const HEALTHY_LIMIT_S: i64 = 120;

/// Since when it has been healthy without a break. Kept with the effect, so that a restart does not begin anew.
#[derive(Serialize, Deserialize)]
struct Healthy {
    since_ms: i64,
}

pub(super) async fn verify(job: &Job<'_>) -> Result<Done, Trouble> {
    let environment = job.environment()?;
    let Some(url) = &environment.health_url else {
        return Ok(job.succeeded(Step::Verify, "not checked: no health_url is configured"));
    };
    let answer = job.executor.outside.health.check(url).await;
    let now_ms = job.now().as_millisecond();
    let commit = job.commit()?;
    let version = answer.as_ref().ok().and_then(|answer| answer.version.clone());
    let problem = match &answer {
        Err(error) => Some(error.to_string()),
        Ok(answer) if !answer.healthy => {
            Some(format!("answers {} {}", answer.status, answer.excerpt).trim().to_owned())
        }
        Ok(_) => version
            .as_deref()
            .filter(|version| !same_version(version, commit.as_str()))
            .map(|version| format!("reports version {version}, not {}", commit.short())),
    };
    if let Some(what) = problem {
        let limit_s = job.executor.setup.pace.healthy_limit_s(HEALTHY_LIMIT_S);
        if now_ms - job.row.created_at_ms < limit_s * 1000 {
            job.note(&serde_json::Value::Null).await?;
            let news = job.progress(Step::Verify, format!("not healthy yet: {what}"), None);
            return Ok(Done::Again { after_ms: job.executor.setup.pace.poll_ms(POLL_MS), news });
        }
        let failure = Failure::new(format!("The new version is live but not healthy: {what}."))
            .detail(url.clone())
            .detail(format!("Asked for {limit_s} s."))
            .next(format!("/rollback {}", job.release.request.key.environment))
            .next("/release retry");
        return Ok(job.failed(Step::Verify, failure));
    }
    let since_ms = job.intent::<Healthy>()?.map_or(now_ms, |healthy| healthy.since_ms);
    let healthy_ms = now_ms - since_ms;
    if healthy_ms >= environment.health_bake_s * 1000 {
        let version = if version.is_some() { ", right version" } else { ", version not reported" };
        return Ok(job.succeeded(Step::Verify, format!("healthy for {} s{version}", healthy_ms / 1000)));
    }
    job.note(&serde_json::json!(Healthy { since_ms })).await?;
    let news = job.progress(Step::Verify, format!("healthy, watching for {} s", environment.health_bake_s), None);
    Ok(Done::Again { after_ms: job.executor.setup.pace.poll_ms(POLL_MS), news })
}

/// Services report a full commit or its beginning.
fn same_version(reported: &str, commit: &str) -> bool {
    let hex = reported.len() >= 7 && reported.bytes().all(|b| b.is_ascii_hexdigit());
    !hex || commit.starts_with(&reported.to_ascii_lowercase())
}
