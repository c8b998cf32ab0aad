//! A pull request that is shipped: looked at until nothing is missing, then merged once, and exactly the commit that was
//! looked at.

use super::{Done, Job, Trouble, build};
use crate::rest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use slipway_core::pull::{
    Looked, MISSING_LIMIT, Merge, PullState, Shipped, Standing, refused_phrase, refused_too_often,
};
use slipway_core::release::{Event, Failure, RequestKind};
use slipway_deploy::github::{GitHub, GitHubError, MergeAnswer, RepoName};

/// How often a pull request is looked at: people review, so nobody waits for seconds.
const POLL_MS: i64 = 10_000;
/// The same where GitHub has lately told by webhooks that there is something to see.
const POLL_HEARD_MS: i64 = 60_000;
/// How often it may be about to be merged in vain.
const REFUSALS_LIMIT: u32 = 10;
/// The longest rest after a merge that was refused.
const REFUSED_REST_LIMIT_MS: i64 = 60_000;
/// How long a merge without an answer may take to show before it is asked for again.
const LAG_LIMIT_S: i64 = 60;
/// How long it is asked whether a merge without an answer has happened.
const UNCLEAR_LIMIT_S: i64 = 60 * 60;

/// Recorded before the merge.
#[derive(Serialize, Deserialize)]
struct MergeIntent {
    pull: u64,
    /// The commit that is merged, and no other.
    head: String,
    since: Timestamp,
    /// When it was asked for first.
    first: Timestamp,
}

fn number(job: &Job<'_>) -> Result<u64, Trouble> {
    match job.release.request.kind {
        RequestKind::Ship { pull, .. } => Ok(pull),
        _ => Err(Trouble::lasting(&"The release ships no pull request.")),
    }
}

fn refusals(job: &Job<'_>) -> u32 {
    job.release.ships.as_ref().map_or(0, |shipped| shipped.refusals)
}

/// The release's effect that waits for reviews and checks.
pub(super) async fn await_pull(job: &Job<'_>) -> Result<Done, Trouble> {
    let began_ms = job.executor.clock.now_ms();
    if let Some(after_ms) = rests_after_refusal(job, began_ms) {
        return Ok(Done::Again { after_ms, news: None });
    }
    let looked = look(job).await?;
    let at = job.now();
    let mut shipped = looked.shipped(refusals(job));
    Ok(match looked.standing() {
        Standing::Never(failure) => job.planning_failed(None, at_pull(*failure, &shipped).final_for_request()),
        Standing::Merged(_) => Done::Event(Event::PullMerged { pull: Box::new(shipped), at }),
        Standing::Ready => Done::Event(Event::PullReady { pull: Box::new(shipped), at }),
        Standing::Waits(missing) => {
            shipped.missing = missing;
            // What GitHub has only not found out yet tells nobody who asks what is missing anything.
            if job.release.request.dry_run && !looked.is_unclear() {
                return Ok(Done::Event(Event::PullWaits { pull: Box::new(shipped), at }));
            }
            let changed = job.release.ships.as_ref() != Some(&shipped);
            let news = changed.then(|| Event::PullSeen { pull: Box::new(shipped) });
            let heard_ms = job.executor.store.github_heard_ms(&job.service()?.repository.to_string()).await?;
            Done::Again { after_ms: build::rest_between(job, began_ms, heard_ms, (POLL_MS, POLL_HEARD_MS)), news }
        }
    })
}

/// After a refusal the same may be refused again at once: each is waited for longer.
fn rests_after_refusal(job: &Job<'_>, now_ms: i64) -> Option<i64> {
    let before = i64::from(refusals(job));
    if before == 0 {
        return None;
    }
    let rest_ms = job.executor.setup.pace.poll_ms(rest::backoff_ms(before, REFUSED_REST_LIMIT_MS));
    let left_ms = job.row.created_at_ms + rest_ms - now_ms;
    (left_ms > 0).then_some(left_ms)
}

/// Everything that decides, in one look.
async fn look(job: &Job<'_>) -> Result<Looked, Trouble> {
    let (github, number) = (&job.executor.outside.github, number(job)?);
    let (repo, environment) = (&job.service()?.repository, job.environment()?);
    let branch = match &environment.auto_deploy {
        Some(auto) => auto.branch.clone(),
        None => github.default_branch(repo).await?,
    };
    let Some(pull) = github.pull(repo, number).await? else {
        let failure = Failure::new(format!("{repo} has no pull request #{number}.")).detail("Nothing was started.");
        let failure = failure.next("/release ship with the number of a pull request that is open");
        return Err(Trouble::Final(Box::new(failure.final_for_request())));
    };
    let (reviews, checks, rules, methods) = tokio::join!(
        github.reviews(repo, number),
        github.required_checks(repo, &pull.head, &environment.checks),
        github.merge_rules(repo, &pull.base),
        github.merge_methods(repo),
    );
    let (checks, rules, methods, repository) = (checks?, rules?, methods?, repo.to_string());
    // What is merged or closed waits for nobody's word.
    let (reviews, made_by) = match pull.state {
        PullState::Open => github.reviewers(repo, &pull, reviews?).await?,
        PullState::Closed | PullState::Merged(_) => (reviews?, vec![]),
    };
    Ok(Looked { pull, reviews, checks, rules, methods, branch, repository, made_by })
}

fn at_pull(failure: Failure, shipped: &Shipped) -> Failure {
    failure.detail(shipped.url.clone())
}

/// The release's effect that merges.
pub(super) async fn merge_pull(job: &Job<'_>) -> Result<Done, Trouble> {
    let (github, number) = (&job.executor.outside.github, number(job)?);
    let repo = &job.service()?.repository;
    let before: Option<MergeIntent> = job.intent()?;
    let first = before.as_ref().map_or_else(|| job.now(), |intent| intent.first);
    // What was green may not be any more: this try may come long after the last one.
    let looked = look(job).await?;
    let shipped = looked.shipped(refusals(job));
    let standing = looked.standing();
    if let Standing::Merged(_) = standing {
        return Ok(merged(job, shipped));
    }
    if let Some(intent) = before {
        let waited_s = |since: Timestamp| job.now().as_second() - since.as_second();
        if waited_s(intent.since) < job.executor.setup.pace.lag_limit_s(LAG_LIMIT_S) {
            return Ok(look_again(job));
        }
        if waited_s(first) >= UNCLEAR_LIMIT_S {
            let failure = Failure::new(format!("GitHub was asked for an hour to merge #{number}, and did not."));
            return Ok(job.planning_failed(None, at_pull(failure, &shipped).next("/release retry")));
        }
    }
    // Whoever may merge is asked at the moment at which nothing is missing: one that is long past is asked for again.
    let age_s = (job.now().as_millisecond() - job.row.created_at_ms) / 1_000;
    let too_late = age_s > job.executor.setup.fact_age_max_s() || job.now() >= job.release.request.expires_at;
    if too_late && matches!(standing, Standing::Ready) {
        return Ok(waits_again(job, shipped));
    }
    let as_before = job.release.ships.as_ref().is_some_and(|known| known.head == shipped.head);
    match standing {
        Standing::Never(failure) => {
            return Ok(job.planning_failed(None, at_pull(*failure, &shipped).final_for_request()));
        }
        Standing::Ready if as_before => {}
        _ => return Ok(waits_again(job, shipped)),
    }
    let intent = MergeIntent { pull: number, head: shipped.head.as_str().to_owned(), since: job.now(), first };
    job.intend(&serde_json::json!(intent)).await?;
    match github.merge_pull(repo, number, &shipped.head).await {
        Ok(MergeAnswer::Merged(commit)) => {
            let merge = Some(Merge { commit, by: None });
            Ok(merged(job, Shipped { merge, ..shipped }))
        }
        Ok(answer) => {
            job.restore_intent().await?;
            refused(job, github, repo, shipped, answer).await
        }
        // Whether it was heard shows in the pull request.
        Err(error) if error.may_have_acted() => Ok(look_again(job)),
        Err(error) => {
            job.restore_intent().await?;
            not_merged(job, error, &shipped)
        }
    }
}

/// It was ready and is not any more.
fn waits_again(job: &Job<'_>, shipped: Shipped) -> Done {
    let shipped = Shipped { refusals: shipped.refusals.saturating_add(1), ..shipped };
    if shipped.refusals >= REFUSALS_LIMIT {
        let why = shipped.missing.first().map_or("somebody pushed to it each time", String::as_str);
        return job.planning_failed(None, refused_too_often(&shipped, why));
    }
    Done::Event(Event::PullWaits { pull: Box::new(shipped), at: job.now() })
}

fn look_again(job: &Job<'_>) -> Done {
    Done::Again { after_ms: job.executor.setup.pace.poll_ms(POLL_MS), news: None }
}

fn merged(job: &Job<'_>, shipped: Shipped) -> Done {
    let shipped = Shipped { missing: vec![], ..shipped };
    Done::Event(Event::PullMerged { pull: Box::new(shipped), at: job.now() })
}

fn closed(job: &Job<'_>, shipped: &Shipped) -> Done {
    let failure = Failure::new(format!("#{} was closed and was not merged.", shipped.number));
    job.planning_failed(None, at_pull(failure, shipped).next("reopen it on GitHub, then /release retry"))
}

enum Observed {
    Merged(Box<Shipped>),
    Closed,
    Open,
}

async fn observed(github: &GitHub, repo: &RepoName, number: u64, shipped: Shipped) -> Result<Observed, Trouble> {
    let Some(pull) = github.pull(repo, number).await? else { return Ok(Observed::Closed) };
    Ok(match pull.state {
        PullState::Merged(merge) => {
            Observed::Merged(Box::new(Shipped { merge: Some(merge), head: pull.head, base: pull.base, ..shipped }))
        }
        PullState::Closed => Observed::Closed,
        PullState::Open => Observed::Open,
    })
}

/// GitHub understood, and did not merge. Somebody else may have been faster; otherwise it is waited again, within bounds.
async fn refused(
    job: &Job<'_>,
    github: &GitHub,
    repo: &RepoName,
    shipped: Shipped,
    answer: MergeAnswer,
) -> Result<Done, Trouble> {
    let why = match answer {
        MergeAnswer::Never(message) => {
            let failure = Failure::new(format!("GitHub did not merge #{}: {message}.", shipped.number));
            let way = "allow squash merging in the repository's settings, or merge it on GitHub";
            return Ok(job.planning_failed(None, at_pull(failure, &shipped).next(way)));
        }
        MergeAnswer::NotNow(message) => refused_phrase(&message),
        MergeAnswer::HeadMoved | MergeAnswer::Merged(_) => "somebody pushed to it at that moment".to_owned(),
    };
    match observed(github, repo, shipped.number, shipped.clone()).await? {
        Observed::Merged(pull) => return Ok(merged(job, *pull)),
        Observed::Closed => return Ok(closed(job, &shipped)),
        Observed::Open => {}
    }
    let mut shipped = shipped;
    shipped.missing.insert(0, why);
    shipped.missing.truncate(MISSING_LIMIT);
    Ok(waits_again(job, shipped))
}

/// What is not refused for its state is refused for good, or passes.
fn not_merged(job: &Job<'_>, error: GitHubError, shipped: &Shipped) -> Result<Done, Trouble> {
    match error {
        GitHubError::Forbidden { .. } | GitHubError::Refused { .. } => {
            let failure = Failure::new(error.to_string()).next("slipway check says what the credentials may do");
            Ok(job.planning_failed(None, at_pull(failure, shipped).next("/release retry")))
        }
        error => Err(error.into()),
    }
}
