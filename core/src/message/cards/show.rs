//! All of one release.

use super::super::{Block, Line, Mark, Message};
use super::history::outcome;
use super::release::{When, between_line, config_lines, known_bad_line, migration_line, ships};
use super::words::{self, DOT};
use crate::gate::Course;
use crate::migration::DownTrial;
use crate::person::Directory;
use crate::plan::{Plan, PlannedMigration};
use crate::policy::Stance;
use crate::release::{BuildJob, BuildJobState, Outcome, Release, Step, StepState};
use crate::together::PlannedWith;
use jiff::Timestamp;

/// Of how many migrations the statements are shown.
const MIGRATIONS_SHOWN_LIMIT: usize = 10;
/// Of how many tables it is listed what a trial did to them.
const TOUCHED_SHOWN_LIMIT: usize = 10;
/// How many settings of a target are listed.
const SETTINGS_SHOWN_LIMIT: usize = 40;
/// How many lines of a failure are listed.
const FAILURE_LINES_LIMIT: usize = 40;
/// How many lines of a log's tail are shown.
const LOG_LINES_LIMIT: usize = 80;
/// How many characters of a log's tail are shown.
const LOG_CHARS_LIMIT: usize = 8_000;

/// Everything that is known of a release: all commits of its plan, all migrations with checksums, the whole
/// digests, what the gate said, who voted, how long each step took.
#[must_use]
pub fn details(release: &Release, people: &Directory, now: Timestamp) -> Message {
    let headline = words::release(Line::default(), &release.id).text(DOT);
    let headline = headline.text(release.request.key.to_string()).text(DOT).join(outcome(release));
    let mut body = vec![asked(release, people)];
    body.extend(release.known_bad.as_ref().map(|mark| Block::Warning(known_bad_line(mark))));
    body.extend(release.plan.as_ref().map(|plan| planned(plan, release.phase.is_end())).unwrap_or_default());
    body.extend(field("Build", build(release)));
    body.extend(facts(release));
    body.extend(verdict(release, now));
    body.extend(field("Votes", votes(release)));
    body.push(Block::Field { label: "Steps".into(), lines: release.order().map(|s| step(release, s, now)).into() });
    body.extend(field("Outcome", ended(release)));
    if let Some(Outcome::Failed { failure, .. } | Outcome::RolledBack { failure }) = &release.outcome {
        let log = failure.log_tail.as_deref().map(|log| words::tail(log, LOG_LINES_LIMIT, LOG_CHARS_LIMIT));
        body.extend(log.map(Block::Code));
    }
    body.extend(release.plan.as_ref().map(statements).unwrap_or_default());
    Message { mark: Mark::None, headline, progress: None, body, actions: Vec::new() }
}

fn field(label: &str, lines: Vec<Line>) -> Option<Block> {
    (!lines.is_empty()).then(|| Block::Field { label: label.to_owned(), lines })
}

/// The run's jobs, while it is waited for.
fn build(release: &Release) -> Vec<Line> {
    let Some(build) = &release.build else { return vec![] };
    let job = |job: &BuildJob| {
        let mark = match job.state {
            BuildJobState::Queued => "○ ",
            BuildJobState::Running => "◐ ",
            BuildJobState::Passed => "✔ ",
            BuildJobState::Failed => "✖ ",
        };
        let line = Line::plain(mark).untrusted(job.name.as_str());
        match &job.url {
            Some(url) => words::link(line.text(DOT), url, "log"),
            None => line,
        }
    };
    [Line::default().untrusted(build.detail.as_str())].into_iter().chain(build.jobs.iter().map(job)).collect()
}

fn asked(release: &Release, people: &Directory) -> Block {
    let request = &release.request;
    let line = Line::plain("by ").person(&request.requester);
    let known = people.get(&request.requester).is_some();
    let line = if known { line } else { line.text(" (no longer known to Slipway)") };
    let line = line.text(" at ").time(request.at).text(" in ").code(request.origin.channel.as_str());
    let mut lines = vec![line, Line::plain("id ").code(release.id.as_str())];
    if let Some(reference) = &request.reference {
        lines.push(Line::plain("for ").untrusted(reference.as_str()));
    }
    if let Some(reason) = &request.reason {
        lines.extend(words::whole(Line::plain("reason: "), reason));
    }
    if let Some(together) = &request.together {
        let with = together.others(&release.id).enumerate().fold(Line::plain("together with "), |line, (n, other)| {
            words::release(if n > 0 { line.text(", ") } else { line }, other)
        });
        lines.push(with.text(if release.follows().is_some() { "; its card is the first one's" } else { "" }));
    }
    Block::Field { label: "Asked".to_owned(), lines }
}

fn planned(plan: &Plan, over: bool) -> Vec<Block> {
    let mut image = vec![Line::default().code(plan.image.pinned()), Line::plain("tag ").code(plan.image.tag.as_str())];
    if let Some(at) = plan.image.pushed_at {
        image.push(Line::plain("pushed ").time(at));
    }
    let checksum = |m: &PlannedMigration| Line::plain("  sha256 ").code(m.checksum.as_str());
    let one = |m: &PlannedMigration| -> Vec<Line> {
        [migration_line(m)].into_iter().chain(dangers(m)).chain(tried(plan, m)).chain([checksum(m)]).collect()
    };
    let migrations = plan.migrations.iter().flat_map(one);
    let back = plan.taken_back.iter().flat_map(|m| {
        let down = m.down_checksum.as_ref().filter(|down| **down != m.checksum);
        one(m).into_iter().chain(down.map(|down| Line::plain("  way back sha256 ").code(down.as_str())))
    });
    let config = plan
        .config
        .iter()
        .map(|c| Line::default().code(c.secret.as_str()).text(" version ").code(c.version_id.as_str()));
    let unknown = plan.unknown_applied.iter().map(|version| Line::plain(version.as_str()));
    let digest = plan.digest();
    let when = if over { When::Past } else { When::Standing };
    [
        field("Plan", vec![Line::default().code(digest.as_str())]),
        field("Commit", vec![Line::default().code(plan.commit.as_str())]),
        field("Commits", ships(plan, when, Plan::COMMITS_LIMIT)),
        field("Image", image),
        field("Migrations", migrations.collect()),
        field("Taken back", back.collect()),
        field("Applied, not in this commit", unknown.collect()),
        field("Stay applied", plan.between.migrations.iter().map(between_line).collect()),
        field("Config", config.collect()),
        field("Targets", targets(plan)),
        field("Configuration", config_lines(plan)),
        field("Together with", plan.with.iter().map(planned_with).collect()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `web 4c1f9e2 · 3 commits · 1 migration · plan 5b3e91 · release 01JD7Q4N`.
fn planned_with(with: &PlannedWith) -> Line {
    let line = words::commit(Line::plain(format!("{} ", with.service)), &with.commit);
    let count = |n: u32, noun: &str| words::count(usize::try_from(n).unwrap_or(usize::MAX), noun);
    let line = line.text(format!("{DOT}{}{DOT}{}", count(with.commits, "commit"), count(with.migrations, "migration")));
    words::release(line.text(DOT).text("plan ").code(with.digest.short()).text(DOT), &with.release)
}

/// What a migration may cost as its statements say, with the lock and a better way.
fn dangers(migration: &PlannedMigration) -> impl Iterator<Item = Line> {
    migration.dangers.iter().map(|danger| {
        let line = Line::plain("  ▲ ").untrusted(danger.sentence());
        let line = danger.lock_line().into_iter().fold(line, |line, lock| line.text(DOT).untrusted(lock));
        match &danger.allowed {
            Some(why) => line.text(DOT).text("allowed by its file: ").untrusted(why.as_str()),
            None => line.text(DOT).text("safer: ").text(words::phrase(danger.safer())),
        }
    })
}

/// What its trial showed, table by table, and how the way back went.
fn tried<'a>(plan: &'a Plan, migration: &PlannedMigration) -> impl Iterator<Item = Line> + use<'a> {
    let trial = plan.trial(migration);
    let touched = trial.into_iter().flat_map(|trial| &trial.touched).take(TOUCHED_SHOWN_LIMIT);
    let touched = touched.map(|touched| Line::plain("  tried: ").untrusted(touched.lock_line()));
    let down = trial.and_then(|trial| match trial.down {
        DownTrial::None => None,
        DownTrial::Restores => Some("way back restores the schema"),
        DownTrial::Leaves { .. } => Some("way back leaves another schema"),
        DownTrial::Fails { .. } => Some("way back fails"),
        DownTrial::NotTried { .. } => Some("way back not tried"),
    });
    touched.chain(down.map(|down| Line::plain("  tried: ").text(down)))
}

/// What each migration runs, under its name.
fn statements(plan: &Plan) -> Vec<Block> {
    let all = plan.migrations.iter().chain(&plan.taken_back);
    let shown = all.filter(|m| !m.statements.is_empty()).take(MIGRATIONS_SHOWN_LIMIT);
    let blocks =
        shown.flat_map(|m| [Block::Line(Line::default().code(m.file.as_str())), Block::Code(m.statements.clone())]);
    blocks.collect()
}

fn targets(plan: &Plan) -> Vec<Line> {
    let mut lines = Vec::new();
    for target in &plan.targets {
        lines.push(Line::default().untrusted(target.name.as_str()).text("  ").code(target.id.as_str()));
        let settings = target.settings.iter().take(SETTINGS_SHOWN_LIMIT);
        let settings = settings.map(|(name, value)| Line::plain("  ").code(format!("{name} = {value}")));
        lines.extend(words::with_rest(settings.collect(), target.settings.len()));
    }
    lines
}

fn facts(release: &Release) -> Option<Block> {
    let ci = &release.facts.as_ref()?.ci;
    let line = Line::plain(format!("{} of {} passed, seen ", ci.value.passed, ci.value.total)).time(ci.at);
    let mut lines = vec![line];
    if !ci.value.failing.is_empty() {
        lines.push(words::untrusted_list(Line::plain("failing: "), &ci.value.failing, ", "));
    }
    field("CI", lines)
}

fn verdict(release: &Release, now: Timestamp) -> Option<Block> {
    let verdict = release.verdict.as_ref()?;
    let course = match verdict.course() {
        Course::Deny => "refuse",
        Course::NothingToDo => "nothing to do",
        Course::DryRun => "dry run",
        Course::Wait => "wait",
        Course::Refresh => "read plan and facts again",
        Course::Start => "start",
    };
    let line = Line::plain(format!("{course}, said at ")).time(verdict.at()).text(" under policy ");
    let lines =
        [line.code(verdict.policy_hash())].into_iter().chain(words::reasons(verdict.reasons(), true, Some(now)));
    field("Gate", lines.collect())
}

fn votes(release: &Release) -> Vec<Line> {
    let line = |vote: &crate::policy::Vote| {
        let stance = match vote.stance {
            Stance::Approve => "✔ ",
            Stance::Veto => "✖ ",
        };
        let line = Line::plain(stance).person(&vote.person).text(" on plan ").code(vote.digest.short());
        line.text(" at ").time(vote.at)
    };
    release.votes.iter().map(line).collect()
}

fn step(release: &Release, step: Step, now: Timestamp) -> Line {
    let record = release.steps.get(step);
    let mark = match record.state {
        StepState::Pending => "○",
        StepState::Running => "◐",
        StepState::Succeeded => "✔",
        StepState::Failed => "✖",
        StepState::Skipped => "–",
    };
    let mut line = Line::plain(format!("{mark} {}", super::release::step_noun(step)));
    if let Some(start) = record.started_at {
        let end = record.ended_at.unwrap_or(now);
        line = line.text(format!("  {}", words::exact(words::seconds(start, end))));
    }
    if let Some(detail) = &record.detail {
        line = line.text("  ").untrusted(detail.as_str());
    }
    match (&release.operation, step) {
        (Some(id), Step::Deploy) => line.text("  operation ").code(id.as_str()),
        _ => line,
    }
}

fn ended(release: &Release) -> Vec<Line> {
    let mut lines: Vec<_> = release.ended_at.map(|at| Line::plain("ended at ").time(at)).into_iter().collect();
    if let Some(Outcome::Failed { failure, .. } | Outcome::RolledBack { failure }) = &release.outcome {
        lines.push(Line::default().untrusted(failure.what.as_str()));
        lines.extend(
            failure.details.iter().take(FAILURE_LINES_LIMIT).map(|detail| Line::default().untrusted(detail.as_str())),
        );
        lines.extend(
            failure.next.iter().take(FAILURE_LINES_LIMIT).map(|next| Line::plain("next: ").untrusted(next.as_str())),
        );
    }
    if let (Some(Outcome::Cancelled { details, .. }), Some(_)) = (&release.outcome, &release.left_out) {
        lines.extend(details.iter().take(FAILURE_LINES_LIMIT).map(|detail| Line::default().untrusted(detail.as_str())));
    }
    lines
}
