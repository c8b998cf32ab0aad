//! Asking the service itself: healthy, and for as long as it was asked to be.

use super::{Done, Job, Trouble};
use crate::store::StoreError;
use crate::way_back;
use serde::{Deserialize, Serialize};
use slipway_core::ids::CommitSha;
use slipway_core::message::cards::{self, OpenWays};
use slipway_core::plan::PlanKind;
use slipway_core::release::{Failure, Release, Step};
use slipway_deploy::health::HealthAnswer;
use tracing::warn;

/// How often the service is asked.
const POLL_MS: i64 = 2_000;
/// How long it may take to become healthy.
const HEALTHY_LIMIT_S: i64 = 120;
/// How many releases are looked at for the last one that was verified.
const VERIFIED_LOOK_BACK_LIMIT: u32 = 20;

/// What was heard so far. Kept with the effect, so that a restart does not begin anew.
#[derive(Default, Serialize, Deserialize)]
struct Heard {
    /// Since when it has been healthy without a break.
    #[serde(default)]
    since_ms: Option<i64>,
    /// How often it was healthy since then.
    #[serde(default)]
    answers: u32,
    /// How often it was not, all in all.
    #[serde(default)]
    failed: u32,
}

pub(super) async fn verify(job: &Job<'_>) -> Result<Done, Trouble> {
    let environment = job.environment()?;
    let Some(url) = &environment.health_url else {
        return Ok(job.succeeded(Step::Verify, "not checked: no health_url is configured"));
    };
    let answer = job.executor.outside.health.check(url).await;
    let now_ms = job.now().as_millisecond();
    let commit = job.commit()?;
    let said = answer
        .as_ref()
        .ok()
        .and_then(|answer| answer.version.as_deref())
        .map_or(Said::Nothing, |version| Said::of(version, commit));
    let problem = match &answer {
        Err(error) => Some(error.to_string()),
        Ok(answer) if !answer.healthy => {
            Some(format!("answers {} {}", answer.status, answer.excerpt).trim().to_owned())
        }
        Ok(_) => match &said {
            Said::Another(version) => Some(format!("reports version {version}, not {}", commit.short())),
            Said::Nothing | Said::NoCommit(_) | Said::It => None,
        },
    };
    let mut heard: Heard = job.intent()?.unwrap_or_default();
    if let Some(what) = problem {
        heard = Heard { since_ms: None, answers: 0, failed: heard.failed.saturating_add(1) };
        let limit_s = job.executor.setup.pace.healthy_limit_s(HEALTHY_LIMIT_S);
        if now_ms - job.row.created_at_ms < limit_s * 1000 {
            job.note(&serde_json::json!(heard)).await?;
            let news = job.progress(Step::Verify, format!("not healthy yet: {what}"), None);
            return Ok(Done::Again { after_ms: job.executor.setup.pace.poll_ms(POLL_MS), news });
        }
        let failure = Failure::new(format!("{} is live but not healthy: {what}.", commit.short()))
            .detail(url.clone())
            .detail(format!("Asked for {limit_s} s."));
        return Ok(job.failed(Step::Verify, with_ways_out(job, failure).await?));
    }
    let since_ms = *heard.since_ms.get_or_insert(now_ms);
    heard.answers = heard.answers.saturating_add(1);
    let healthy_ms = now_ms - since_ms;
    if healthy_ms >= environment.health_bake_s * 1000 {
        let unchecked = answer.iter().flat_map(|answer| unchecked(answer, job.release.target_count()));
        let found = format!("healthy for {} s{}, {}", healthy_ms / 1000, heard.words(), said.words());
        let found = unchecked.fold(found, |found, unchecked| format!("{found}; {unchecked}"));
        return Ok(job.succeeded(Step::Verify, found));
    }
    job.note(&serde_json::json!(heard)).await?;
    let news = job.progress(Step::Verify, format!("healthy, watching for {} s", environment.health_bake_s), None);
    Ok(Done::Again { after_ms: job.executor.setup.pace.poll_ms(POLL_MS), news })
}

/// Whether there is a way back is asked now: it may have been marked as bad since the plan was made.
async fn with_ways_out(job: &Job<'_>, failure: Failure) -> Result<Failure, Trouble> {
    let back = way_back::is_there_after(&job.executor.store, job.release).await?;
    let is_config = job.release.request.kind.plan_kind() == PlanKind::Config;
    let changed = if is_config { have_settings_changed(job).await } else { Ok(false) };
    let settings = match changed {
        // A hint that is missing must not keep what has failed from being recorded.
        Err(error @ StoreError::Unreadable { .. }) => {
            warn!(%error, "the earlier releases could not be read: settings are not named as the cause");
            false
        }
        other => other?,
    };
    let open = OpenWays { back, configuration: !job.environment()?.config.is_empty(), settings };
    Ok(cards::not_verified(job.release, failure, open))
}

/// Whether nothing but settings differs from what was verified here last: this release has brought some, or one of the
/// configuration before it, which could not be verified either.
async fn have_settings_changed(job: &Job<'_>) -> Result<bool, StoreError> {
    let store = &job.executor.store;
    let mut tx = store.begin_to_read().await?;
    let newest = store.releases_newest(&mut tx, &job.release.request.key, VERIFIED_LOOK_BACK_LIMIT).await?;
    let before = newest.iter().filter(|release| release.id != job.release.id);
    let mut changed = brings_settings(job.release);
    for release in before {
        match release.brought_live() {
            Some(true) => return Ok(changed),
            // The version has never been well with the settings before, so that these are not what is wrong with it.
            Some(false) if release.request.kind.plan_kind() != PlanKind::Config => return Ok(false),
            Some(false) => changed |= brings_settings(release),
            None => {}
        }
    }
    // None is known to have been well.
    Ok(false)
}

fn brings_settings(release: &Release) -> bool {
    let drift = release.plan.as_ref().and_then(|plan| plan.drift.as_ref());
    drift.is_some_and(|drift| !drift.changes.is_empty())
}

impl Heard {
    /// `, 6 answers, after 2 that were not`.
    fn words(&self) -> String {
        let answers = if self.answers == 1 { "1 answer".to_owned() } else { format!("{} answers", self.answers) };
        match self.failed {
            0 => format!(", {answers}"),
            1 => format!(", {answers}, after 1 that was not"),
            n => format!(", {answers}, after {n} that were not"),
        }
    }
}

/// What an answer says of the version that gave it.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    /// Something that cannot be compared with a commit.
    NoCommit(String),
    It,
    Another(String),
}

impl Said {
    /// Services report a full commit or its beginning.
    fn of(reported: &str, commit: &CommitSha) -> Self {
        let is_hex = reported.len() >= 7 && reported.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_hex {
            return Self::NoCommit(reported.to_owned());
        }
        match commit.as_str().starts_with(&reported.to_ascii_lowercase()) {
            true => Self::It,
            false => Self::Another(reported.to_owned()),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::It => "right version".to_owned(),
            Self::Nothing => "version not reported".to_owned(),
            Self::NoCommit(version) | Self::Another(version) => {
                format!("version not compared: it reports {version}, which is no commit")
            }
        }
    }
}

/// What was healthy in a way that may mean less than it seems.
fn unchecked(answer: &HealthAnswer, targets: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(path) = &answer.redirected_to {
        lines.push(format!("the answer is that of {path}, to which it redirects"));
    }
    if answer.is_page {
        lines.push("it is a web page, which may be one to log in: only its status was checked".to_owned());
    }
    if targets > 1 {
        lines.push(format!("asked at one address for {targets} targets: which of them answered is not known"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(redirected_to: Option<&str>, is_page: bool) -> HealthAnswer {
        HealthAnswer {
            status: 200,
            healthy: true,
            millis: 1,
            excerpt: String::new(),
            version: None,
            redirected_to: redirected_to.map(str::to_owned),
            is_page,
        }
    }

    #[test]
    fn a_version_is_right_only_where_it_is_the_commit() {
        let commit = CommitSha::parse(&"4c1f9e2b0d".repeat(4)).unwrap();
        assert_eq!(Said::of("4C1F9E2", &commit), Said::It);
        assert_eq!(Said::of(commit.as_str(), &commit), Said::It);
        assert_eq!(Said::of("9a77d01", &commit), Said::Another("9a77d01".into()));
        for no_commit in ["1.4.2", "4c1f9", "v4c1f9e2"] {
            assert_eq!(Said::of(no_commit, &commit), Said::NoCommit(no_commit.into()));
        }
        assert_eq!(Said::of("1.4.2", &commit).words(), "version not compared: it reports 1.4.2, which is no commit");
    }

    #[test]
    fn what_was_heard_is_counted() {
        let heard = |answers, failed| Heard { since_ms: None, answers, failed }.words();
        let said = [heard(1, 0), heard(6, 1), heard(6, 2)];
        assert_eq!(said, [", 1 answer", ", 6 answers, after 1 that was not", ", 6 answers, after 2 that were not"]);
    }

    #[test]
    fn what_may_mean_less_than_it_seems_is_said() {
        assert_eq!(unchecked(&answer(None, false), 1), [""; 0]);
        let said = unchecked(&answer(Some("/login"), true), 2).join("\n");
        for part in ["that of /login", "may be one to log in", "one address for 2 targets"] {
            assert!(said.contains(part), "{part} is missing: {said}");
        }
    }
}
