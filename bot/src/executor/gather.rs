//! The plan: what runs now, what would ship, which image, which migrations, which configuration.

use super::{Done, Job, Trouble};
use slipway_core::facts::{Facts, Observed};
use slipway_core::ids::{CommitSha, ImageDigest};
use slipway_core::migration::{LintOptions, Version};
use slipway_core::person::Identity;
use slipway_core::plan::{Commit, ConfigVersion, Plan, PlanKind, PlannedImage, PlannedMigration, PlannedTarget};
use slipway_core::release::{Event, Failure, Step};
use slipway_deploy::github::{ComparisonStatus, RawCommit};
use slipway_deploy::redact::excerpt;
use slipway_deploy::target::Observed as ObservedTarget;

/// How many commits are listed when nothing tells what runs now.
const RECENT_COMMITS_LIMIT: usize = 10;
/// The longest line of a migration that is shown.
const STATEMENT_LINE_LIMIT_CHARS: usize = 200;

pub(super) async fn gather(job: &Job<'_>) -> Result<Done, Trouble> {
    let (service, environment, commit) = (job.service()?, job.environment()?, job.commit()?);
    let outside = &job.executor.outside;
    // The moment before the first look: a run that ends while the rest is gathered makes the plan out of date. Who is
    // in the teams is in the inbox before the plan is.
    let at = job.now();
    job.executor.members.look_unless_seen_since(at).await?;
    let mut observed = Vec::new();
    for target in &environment.targets {
        observed.push(outside.target(&target.kind)?.observe(&target.id).await?);
    }
    let base = match observed.first() {
        Some(first) => base_commit(job, &first.image_identifier).await?,
        None => None,
    };
    let tag = service.tag_of(commit);
    let Some(image) = outside.ecr.image_by_tag(&service.image, &tag).await? else {
        let what = format!("{} has no image tagged {tag} any more.", service.image);
        return Ok(job.planning_failed(Some(Step::Image), Failure::new(what).next("/release retry builds it again")));
    };
    let kind = job.release.request.kind.plan_kind();
    let (commits, commits_total) = match what_ships(job, kind, base.as_ref(), commit).await? {
        Ok(shipped) => shipped,
        Err(failure) => return Ok(job.planning_failed(None, failure)),
    };
    let migrations = pending(job, commit).await?;
    let mut config = Vec::new();
    for secret in &environment.config {
        config
            .push(ConfigVersion { secret: secret.clone(), version_id: outside.secrets.current_version(secret).await? });
    }
    let facts = Facts { ci: Observed { value: outside.github.checks(&service.repository, commit).await?, at } };
    let live = job.executor.store.environment(&job.release.request.key).await?.live;
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
        unknown_applied: migrations.unknown_applied,
        edited: vec![],
        rehearsal: None,
        config,
        targets: environment.targets.iter().zip(observed).map(|(target, seen)| planned_target(target, seen)).collect(),
    };
    Ok(Done::Event(Event::Planned { plan: Box::new(plan), facts }))
}

fn planned_target(target: &crate::setup::TargetSetup, seen: ObservedTarget) -> PlannedTarget {
    PlannedTarget { kind: target.kind.clone(), id: target.id.clone(), name: seen.service_name, settings: seen.settings }
}

/// The commit of what runs: its tag, or the tags of its digest.
async fn base_commit(job: &Job<'_>, image: &str) -> Result<Option<CommitSha>, Trouble> {
    if let Some((repository, digest)) = image.split_once('@') {
        let Ok(digest) = ImageDigest::parse(digest) else { return Ok(None) };
        let tags = job.executor.outside.ecr.tags_of(repository, &digest).await?;
        return Ok(tags.iter().find_map(|tag| CommitSha::parse(tag).ok()));
    }
    let tag = image.rsplit_once(':').map(|(_, tag)| tag);
    Ok(tag.and_then(|tag| CommitSha::parse(tag).ok()))
}

type Shipped = (Vec<Commit>, u32);

/// The commits that would ship, or why they must not.
async fn what_ships(
    job: &Job<'_>,
    kind: PlanKind,
    base: Option<&CommitSha>,
    commit: &CommitSha,
) -> Result<Result<Shipped, Failure>, Trouble> {
    let repository = &job.service()?.repository;
    let github = &job.executor.outside.github;
    let known = |commits: Vec<RawCommit>| commits.into_iter().map(|raw| known_commit(job, raw)).collect::<Vec<_>>();
    let Some(base) = base else {
        let recent = github.recent(repository, commit, RECENT_COMMITS_LIMIT).await?;
        let total = u32::try_from(recent.len()).unwrap_or(u32::MAX);
        return Ok(Ok((known(recent), total)));
    };
    if kind == PlanKind::Rollback {
        return Ok(Ok((vec![], 0)));
    }
    let comparison = github.compare(repository, base, commit).await?;
    if comparison.status == ComparisonStatus::Behind {
        let environment = &job.release.request.key.environment;
        let what = format!("{} is older than {}, which runs on {environment}.", commit.short(), base.short());
        let failure = Failure::new(what).next(format!("/rollback {environment}")).final_for_request();
        return Ok(Err(failure.detail("A deployment only goes forward. Nothing was started.")));
    }
    Ok(Ok((known(comparison.commits), comparison.total)))
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

#[derive(Default)]
struct Migrations {
    planned: Vec<PlannedMigration>,
    unknown_applied: Vec<Version>,
}

async fn pending(job: &Job<'_>, commit: &CommitSha) -> Result<Migrations, Trouble> {
    // A rollback leaves the schema alone: what is applied beyond the older commit's files is expected.
    if job.release.request.kind.plan_kind() == PlanKind::Rollback {
        return Ok(Migrations::default());
    }
    let Some(at_hand) = super::migrate::folder_and_database(job, commit).await? else {
        return Ok(Migrations::default());
    };
    let pending = at_hand.pending().await?;
    let kind = at_hand.database.dialect();
    let postgres_version = at_hand.database.postgres_version().await?;
    let mut planned = pending.planned(&LintOptions { dialect: kind, postgres_version });
    for migration in &mut planned {
        // A file may say more than is good for a channel.
        let lines = migration.statements.lines().map(|line| {
            let (indent, words) = line.split_at(line.len() - line.trim_start().len());
            format!("{indent}{}", excerpt(words, STATEMENT_LINE_LIMIT_CHARS))
        });
        migration.statements = lines.collect::<Vec<_>>().join("\n");
    }
    let dangers = || planned.iter().flat_map(|migration| &migration.dangers);
    let tables = dangers().filter_map(|danger| danger.table.clone()).collect();
    let sizes = at_hand.database.sizes(&tables).await?;
    for migration in &mut planned {
        for danger in &mut migration.dangers {
            danger.size = danger.table.as_ref().and_then(|table| sizes.get(table).copied());
        }
        migration.not_run = migration.not_run.take().map(|reason| format!("no PostgreSQL here ({reason})"));
    }
    Ok(Migrations { planned, unknown_applied: pending.unknown_applied })
}
