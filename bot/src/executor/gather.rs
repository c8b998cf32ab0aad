//! The plan: what runs now, what would ship, which image, which migrations, which configuration.

use super::migrate::FolderAndDatabase;
use super::{Done, Job, Trouble};
use super::{between, by_hand};
use crate::flow::image_of;
use crate::way_back;
use jiff::Timestamp;
use slipway_core::environment::Environment;
use slipway_core::facts::{Facts, Observed};
use slipway_core::ids::{CommitSha, ImageDigest};
use slipway_core::migration::{HalfDoneMigration, Pending, PendingError, Rehearsal, Version, plan_back};
use slipway_core::person::Identity;
use slipway_core::plan::{
    Between, Commit, FilesFrom, PastSlipway, Plan, PlanKind, PlannedImage, PlannedMigration, PlannedTarget, TakesOut,
};
use slipway_core::release::{Event, Failure, MigrateWay, RequestKind, Step};
use slipway_core::together::PlannedWith;
use slipway_deploy::database::{HalfDone, RunOptions, foresee, measure};
use slipway_deploy::github::{ComparisonStatus, RawCommit};
use slipway_deploy::redact::excerpt;
use slipway_deploy::target::Observed as ObservedTarget;

/// How many commits are listed when nothing tells what runs now.
const RECENT_COMMITS_LIMIT: usize = 10;
/// The longest line of a migration that is shown.
const STATEMENT_LINE_LIMIT_CHARS: usize = 200;

pub(super) async fn gather(job: &Job<'_>) -> Result<Done, Trouble> {
    let with = match super::together::planned_with(job).await? {
        Ok(with) => with,
        Err(not_yet) => return Ok(not_yet),
    };
    // The moment before the first look: a run that ends while the rest is gathered makes the plan out of date.
    let at = job.now();
    // A source of teams that is slow takes its time beside the rest. Who is in them is in the inbox before the plan is.
    let members = job.executor.members.look_unless_seen_since(at);
    let (members, planned) = futures::future::join(members, Box::pin(planned(job, with, at))).await;
    members?;
    planned
}

async fn planned(job: &Job<'_>, with: Vec<PlannedWith>, at: Timestamp) -> Result<Done, Trouble> {
    let (service, environment, commit) = (job.service()?, job.environment()?, job.commit()?);
    let outside = &job.executor.outside;
    if let Some(failure) = between::overtaken(job).await? {
        return Ok(job.planning_failed(None, failure));
    }
    if let Some(stays) = super::paths::stays(job).await? {
        return super::paths::plan_of_what_stays(job, stays, with, at).await;
    }
    let mut observed = Vec::new();
    for target in &environment.targets {
        observed.push(outside.target(&target.kind)?.observe(&target.id).await?);
    }
    let here = job.executor.store.environment(&job.release.request.key).await?;
    let runs = by_hand::commits_of(job, &here, &observed).await?;
    let base = runs.first().cloned().flatten();
    let kind = job.release.request.kind.plan_kind();
    if kind.only_migrates() {
        return migrations_only(job, base, &observed, at).await;
    }
    if let Some(failure) = super::configured::missing(job, &observed).await? {
        return Ok(job.planning_failed(None, failure));
    }
    if kind == PlanKind::Config {
        return super::configured::plan(job, observed, at).await;
    }
    let tag = service.tag_of(commit);
    let Some(image) = outside.ecr.image_by_tag(&service.image, &tag).await? else {
        return no_image(job, kind, &tag, &here, base.as_ref()).await;
    };
    let (commits, commits_total, takes_out) =
        match what_ships(job, kind, base.as_ref(), commit, (&tag, &image.digest)).await? {
            Ok(shipped) => shipped,
            Err(failure) => return Ok(job.planning_failed(None, failure)),
        };
    let found = if kind == PlanKind::Rollback {
        between::between(job, commit).await?
    } else {
        pending(job, base.as_ref(), commit).await?
    };
    let migrations = match found {
        Ok(migrations) => migrations,
        Err(failure) => return Ok(job.planning_failed(Some(Step::Migrate), failure)),
    };
    let (config, drift) = super::configured::seen(job).await?;
    let ci = Observed { value: job.checks().await?, at };
    let bypasses = Some(super::bypasses::look(job, kind, &observed, at).await?);
    let scan = outside.ecr.scan_of(&service.image, &image.digest).await?.map(|value| Observed { value, at });
    let facts = Facts { bypasses, scan, ..Facts::of_ci(ci) };
    let promote = environment.promote.as_ref().map(|tag| tag.render(commit));
    if let Some(tag) = &promote
        && let Some(why) = super::promote::would_deploy(job, tag).await?
    {
        return Ok(job.planning_failed(None, Failure::new(why).detail("Nothing was started.").final_for_request()));
    }

    let paths = super::paths::seen(job, base.as_ref()).await?;
    let moved = by_hand::tag(job, &here, &observed).await?;
    let live = here.live;
    let brought = by_hand::brought(job, base.as_ref(), live.as_ref()).await?;
    let plan = Plan {
        service: job.release.request.key.service.clone(),
        environment: job.release.request.key.environment.clone(),
        kind,
        base_since: live.filter(|live| Some(&live.commit) == base.as_ref()).map(|live| live.since),
        base,
        commit: commit.clone(),
        commits,
        commits_total,
        image: PlannedImage {
            repository: service.image.clone(),
            digest: image.digest,
            tag,
            pushed_at: image.pushed_at,
        },
        migrations: migrations.planned,
        taken_back: migrations.taken_back,
        files_from: migrations.files_from,
        goes_on: false,
        half_done: migrations.half_done,
        unknown_applied: migrations.unknown_applied,
        edited: migrations.edited,
        rehearsal: migrations.rehearsal,
        config,
        targets: environment.targets.iter().zip(observed.into_iter().zip(runs)).map(planned_target).collect(),
        drift,
        between: migrations.between,
        promote,
        workflow: super::workflows::of_release(job).await,
        past_slipway: PastSlipway { brought, migrations: migrations.by_hand, tag: moved, operation: None },
        with,
        paths,
        takes_out,
    };
    Ok(Done::Event(Event::Planned { plan: Box::new(plan), facts }))
}

/// The image was there, and is no more.
async fn no_image(
    job: &Job<'_>,
    kind: PlanKind,
    tag: &str,
    here: &Environment,
    runs: Option<&CommitSha>,
) -> Result<Done, Trouble> {
    if kind == PlanKind::Rollback {
        return Ok(job.planning_failed(Some(Step::Image), between::no_image(job, tag)?));
    }
    if job.release.request.together.is_some() {
        let because = super::paths::why_concerned(job, here, runs).await?;
        let failure = super::paths::no_image(&job.release.request.key, &job.service()?.image, tag, because.as_deref());
        return Ok(job.planning_failed(Some(Step::Image), failure));
    }
    let what = format!("{} has no image tagged {tag} any more.", job.service()?.image);
    Ok(job.planning_failed(Some(Step::Image), Failure::new(what).next("/release retry builds it again")))
}

/// The plan of a release that deploys nothing: what runs stays, and only the database is changed.
async fn migrations_only(
    job: &Job<'_>,
    base: Option<CommitSha>,
    observed: &[ObservedTarget],
    at: Timestamp,
) -> Result<Done, Trouble> {
    let running = observed.first().map(|first| first.image_identifier.as_str());
    let operation = observed.first().and_then(|first| Some(first.newest_operation.as_ref()?.id.clone()));
    let (commit, key) = (job.commit()?, &job.release.request.key);
    let plan_kind = job.release.request.kind.plan_kind();
    let live = job.executor.store.environment(key).await?.live;
    let Some(image) = running_image(job, running).await? else {
        let failure = Failure::new(format!("It cannot be told which image runs on {key}."));
        let failure = failure.next(format!("/deploy {}", key.environment));
        return Ok(job.planning_failed(None, failure));
    };
    let migrations = match &job.release.request.kind {
        RequestKind::Migrate { way: MigrateWay::Down { count, of }, .. } => {
            match to_take_back(job, *count, of).await? {
                Ok(back) => back,
                Err(failure) => return Ok(job.planning_failed(None, failure)),
            }
        }
        _ => match pending(job, base.as_ref(), commit).await? {
            Ok(pending) => pending,
            Err(failure) => return Ok(job.planning_failed(None, failure)),
        },
    };
    let (commits, commits_total, _) = who_wrote(job, plan_kind, base.as_ref(), commit).await?;
    let goes_on = job.release.request.kind.goes_on();
    let ci = Observed { value: job.checks().await?, at };
    let bypasses = Some(super::bypasses::look(job, plan_kind, observed, at).await?);
    let facts = Facts { bypasses, ..Facts::of_ci(ci) };
    let plan = Plan {
        base_since: live.filter(|live| Some(&live.commit) == base.as_ref()).map(|live| live.since),
        base,
        commits,
        commits_total,
        migrations: migrations.planned,
        taken_back: migrations.taken_back,
        files_from: migrations.files_from,
        goes_on,
        half_done: migrations.half_done,
        unknown_applied: migrations.unknown_applied,
        edited: migrations.edited,
        rehearsal: migrations.rehearsal,
        between: migrations.between,
        past_slipway: PastSlipway { migrations: migrations.by_hand, operation, ..PastSlipway::default() },
        // Nothing else of it is sent anywhere.
        ..Plan::bare(key, plan_kind, commit.clone(), image)
    };
    Ok(Done::Event(Event::Planned { plan: Box::new(plan), facts }))
}

/// The commits whose files are applied before they are deployed: nobody approves what they wrote themselves.
async fn who_wrote(
    job: &Job<'_>,
    kind: PlanKind,
    base: Option<&CommitSha>,
    commit: &CommitSha,
) -> Result<Shipped, Trouble> {
    if kind == PlanKind::MigrateDown {
        return Ok((vec![], 0, TakesOut::default()));
    }
    let Some(base) = base else { return recent(job, commit).await };
    let comparison = job.executor.outside.github.compare(&job.service()?.repository, base, commit).await?;
    Ok((known_commits(job, comparison.commits), comparison.total, TakesOut::default()))
}

/// What runs now, by content.
pub(super) async fn running_image(job: &Job<'_>, running: Option<&str>) -> Result<Option<PlannedImage>, Trouble> {
    let Some(running) = running else { return Ok(None) };
    Ok(image_of(&job.executor.outside.ecr, running).await?)
}

/// The migrations to be taken back, or why they cannot be.
async fn to_take_back(job: &Job<'_>, count: u32, of: &[Version]) -> Result<Result<Migrations, Failure>, Trouble> {
    let (commit, key) = (job.commit()?, &job.release.request.key);
    let Some(at_hand) = super::migrate::folder_and_database(job.executor, key, commit).await? else {
        let what = format!("{} has no migration files at {}.", key.service, commit.short());
        return Ok(Err(Failure::new(what).detail("Nothing was started.").final_for_request()));
    };
    let history = at_hand.history().await?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let back = match plan_back(&at_hand.folder, &history, count, of) {
        Ok(back) => back,
        Err(error) => {
            let failure = Failure::new(error.to_string()).detail("Nothing was started.");
            return Ok(Err(failure.next(super::migrate::next_of(&error)).final_for_request()));
        }
    };
    let options = at_hand.lint_options().await?;
    let planned = back.iter().map(|m| m.planned_back(super::migrate::down_checksum(&at_hand.folder, m), &options));
    let mut taken_back: Vec<_> = planned.collect();
    with_sizes(&at_hand, &mut taken_back).await?;
    // For display: the commit was found before, and stays.
    let whose = super::migrate::whose_files(job.executor, key).await?;
    let files_from = whose.filter(|whose| whose.commit == *commit).map(|whose| whose.from);
    Ok(Ok(Migrations { taken_back, files_from, ..Migrations::default() }))
}

pub(super) fn planned_target(
    (target, (seen, runs)): (&crate::setup::TargetSetup, (ObservedTarget, Option<CommitSha>)),
) -> PlannedTarget {
    let (kind, id) = (target.kind.clone(), target.id.clone());
    let (image, operation) = (Some(seen.image_identifier), seen.newest_operation.map(|newest| newest.id));
    PlannedTarget { kind, id, name: seen.service_name, settings: seen.settings, runs, image, operation }
}

/// The commits that would ship, how many there are in all, and what would run no more.
type Shipped = (Vec<Commit>, u32, TakesOut);

/// What would ship, or why it must not.
async fn what_ships(
    job: &Job<'_>,
    kind: PlanKind,
    base: Option<&CommitSha>,
    commit: &CommitSha,
    (tag, digest): (&str, &ImageDigest),
) -> Result<Result<Shipped, Failure>, Trouble> {
    if let Some(failure) = between::another_image(job, tag, digest).await? {
        return Ok(Err(failure));
    }
    let repository = &job.service()?.repository;
    let Some(base) = base else { return Ok(Ok(recent(job, commit).await?)) };
    if kind == PlanKind::Rollback {
        return Ok(Ok((vec![], 0, TakesOut::default())));
    }
    let comparison = job.executor.outside.github.compare(repository, base, commit).await?;
    if comparison.status == ComparisonStatus::Behind {
        let environment = &job.release.request.key.environment;
        let what = format!("{} is older than {}, which runs on {environment}.", commit.short(), base.short());
        let failure = Failure::new(what).final_for_request();
        let failure = failure.detail("A deployment only goes forward.").detail("Nothing was started.");
        return Ok(Err(match way_back::is_there(&job.executor.store, &job.release.request.key).await? {
            true => failure.next(format!("/rollback {environment}")),
            false => failure.next(format!("/deploy {environment} with a commit that comes after {}", base.short())),
        }));
    }
    let takes_out = match comparison.status {
        ComparisonStatus::Diverged => super::taken_out::look(job, base, commit).await?,
        _ => TakesOut::default(),
    };
    Ok(Ok((known_commits(job, comparison.commits), comparison.total, takes_out)))
}

/// The newest commits, where nothing tells what runs now.
async fn recent(job: &Job<'_>, commit: &CommitSha) -> Result<Shipped, Trouble> {
    let github = &job.executor.outside.github;
    let recent = github.recent(&job.service()?.repository, commit, RECENT_COMMITS_LIMIT).await?;
    let total = u32::try_from(recent.len()).unwrap_or(u32::MAX);
    Ok((known_commits(job, recent), total, TakesOut::default()))
}

pub(super) fn known_commits(job: &Job<'_>, commits: Vec<RawCommit>) -> Vec<Commit> {
    commits.into_iter().map(|raw| known_commit(job, raw)).collect()
}

fn known_commit(job: &Job<'_>, raw: RawCommit) -> Commit {
    let people = &job.executor.setup.people;
    let author = raw.author_login.clone().and_then(|login| people.by_identity(&Identity::Github(login)));
    Commit {
        author: author.map(|person| person.id.clone()),
        pull_request: raw.pull_request,
        sha: raw.sha,
        title: raw.title,
        author_name: raw.author_name,
        author_login: raw.author_login,
    }
}

/// What a plan says of migrations.
#[derive(Default)]
pub(super) struct Migrations {
    pub(super) planned: Vec<PlannedMigration>,
    pub(super) taken_back: Vec<PlannedMigration>,
    pub(super) files_from: Option<FilesFrom>,
    pub(super) unknown_applied: Vec<Version>,
    pub(super) edited: Vec<String>,
    pub(super) half_done: Vec<HalfDoneMigration>,
    pub(super) rehearsal: Option<Rehearsal>,
    pub(super) between: Between,
    /// The files that somebody else has applied.
    pub(super) by_hand: Vec<String>,
}

/// What is pending, or why it must not run.
async fn pending(
    job: &Job<'_>,
    base: Option<&CommitSha>,
    commit: &CommitSha,
) -> Result<Result<Migrations, Failure>, Trouble> {
    let key = &job.release.request.key;
    let Some(at_hand) = super::migrate::folder_and_database(job.executor, key, commit).await? else {
        return Ok(Ok(Migrations::default()));
    };
    let history = at_hand.history().await?;
    let mut pending = at_hand.pending_by(&history)?;
    let half_done = if job.release.request.kind.goes_on() { HalfDone::Continue } else { HalfDone::Refuse };
    let options = RunOptions { half_done, ..RunOptions::default() };
    foresee(&*at_hand.database, &at_hand.folder, &mut pending, &options).await?;
    if let Some(failure) = stuck(job, &pending) {
        return Ok(Err(failure));
    }
    let rehearsal = match super::rehearse::rehearsal(job, &at_hand, &history, &pending).await? {
        Ok(rehearsal) => rehearsal,
        Err(failure) => return Ok(Err(failure)),
    };
    let mut planned = pending.planned(&at_hand.lint_options().await?);
    with_sizes(&at_hand, &mut planned).await?;
    let by_hand = by_hand::migrations(job, base, &at_hand, &history).await?;
    let Pending { unknown_applied, edited, half_done, .. } = pending;
    Ok(Ok(Migrations { by_hand, planned, unknown_applied, edited, half_done, rehearsal, ..Migrations::default() }))
}

/// Nobody is asked to approve what would stop at its first migration.
fn stuck(job: &Job<'_>, pending: &Pending) -> Option<Failure> {
    let goes_on = job.release.request.kind.goes_on();
    let migration = pending.half_done.iter().find(|half| half.is_stuck() && !goes_on)?.clone();
    let error = PendingError::HalfDone { migration, taking_back: false };
    let failure = Failure::new(error.to_string()).detail("Nothing was run.");
    let environment = &job.release.request.key.environment;
    Some(super::migrate::half_done_ways_out(environment, true).into_iter().fold(failure, Failure::next))
}

/// Joins what migrations may cost with how big the tables are, and cuts what is shown of their statements.
pub(super) async fn with_sizes(at_hand: &FolderAndDatabase, planned: &mut [PlannedMigration]) -> Result<(), Trouble> {
    for migration in &mut *planned {
        // A file may say more than is good for a channel.
        let lines = migration.statements.lines().map(|line| {
            let (indent, words) = line.split_at(line.len() - line.trim_start().len());
            format!("{indent}{}", excerpt(words, STATEMENT_LINE_LIMIT_CHARS))
        });
        migration.statements = lines.collect::<Vec<_>>().join("\n");
        migration.not_run = migration.not_run.take().map(|reason| format!("no PostgreSQL here ({reason})"));
    }
    Ok(measure(&*at_hand.database, planned).await?)
}
