//! What the announcement channels read once a release is live.

use super::super::{Block, Line, Mark, Message, Verb};
use super::ReleaseView;
use super::first;
use super::words::{self, DOT};
use crate::ids::PersonId;
use crate::plan::{Commit, Plan, PlanKind};
use crate::policy::Stance;
use crate::release::Release;

/// How many commits an announcement names.
const COMMITS_ANNOUNCED_LIMIT: usize = 8;

/// The announcement of a release that is live: what is new, by whom, and the way back. `expected_s` of the view
/// is taken as how long a rollback would take; `way_back` says whether there is one.
#[must_use]
pub fn announcement(view: &ReleaseView<'_>, way_back: bool) -> Message {
    let release = view.release;
    if let Some(plan) = release.plan.as_ref().filter(|plan| plan.kind.only_migrates()) {
        return migrations_only(release, plan);
    }
    if let Some(plan) = release.plan.as_ref().filter(|plan| plan.kind == PlanKind::Config) {
        return configuration_only(release, plan);
    }
    let mut body = Vec::new();
    if let Some(plan) = &release.plan {
        if !plan.commits.is_empty() {
            body.push(Block::Line(titles(plan)));
        }
        body.push(Block::Line(rest(view, plan, way_back)));
        body.extend(super::release::dry(plan).map(Block::Line));
        let out = super::release::taken_out_warning(plan, super::release::When::Past);
        body.extend(out.filter(|_| super::release::dry(plan).is_none()).map(Block::Warning));
    }
    let mut headline = headline(view);
    if let Some(mark) = super::release::mark(view) {
        headline = headline.text(DOT).text("known bad");
        body.push(Block::Warning(super::release::known_bad_line(mark)));
    }
    first::fitted_about(Message { mark: Mark::None, headline, progress: None, body, actions: vec![] })
}

/// `goals production: 2 migrations applied · approved by bob`, and that nothing was deployed.
fn migrations_only(release: &Release, plan: &Plan) -> Message {
    let key = &release.request.key;
    let line = Line::plain(format!("{} {}: {}", key.service, key.environment, super::release::migrated(release)));
    let headline = by_whom(line, release);
    let files = plan.changing().take(COMMITS_ANNOUNCED_LIMIT).map(|m| Line::default().code(words::stem(m)));
    let files = words::with_rest(files.collect(), plan.changing().count());
    let stays = match &plan.base {
        Some(base) => words::commit(Line::plain("Nothing was deployed: "), base).text(" keeps running"),
        None => Line::plain("Nothing was deployed"),
    };
    let body = files.into_iter().chain([stays]).map(Block::Line).collect();
    first::fitted_about(Message { mark: Mark::None, headline, progress: None, body, actions: Vec::new() })
}

/// `goals production: runs with the new configuration · approved by bob`, and which keys are others.
fn configuration_only(release: &Release, plan: &Plan) -> Message {
    let key = &release.request.key;
    let line = Line::plain(format!("{} {}: runs with the new configuration", key.service, key.environment));
    let stays = words::commit(Line::plain("No new version: "), &plan.commit).text(" runs on");
    let body = super::release::config_lines(plan).into_iter().chain([stays]).map(Block::Line).collect();
    let headline = by_whom(line, release);
    first::fitted_about(Message { mark: Mark::None, headline, progress: None, body, actions: Vec::new() })
}

/// What an author of its commits reads alone: `goals 4c1f9e2 is in production with your change · Likes on updates (#41)`.
#[must_use]
pub fn shipped(release: &Release, plan: &Plan, author: &PersonId) -> Message {
    let own: Vec<_> = plan.commits.iter().filter(|commit| commit.author.as_ref() == Some(author)).collect();
    let line = words::commit(Line::plain(format!("{} ", plan.service)), &plan.commit);
    let line = line.text(format!(" is in {} with your ", plan.environment));
    let line = line.text(if own.len() == 1 { "change".to_owned() } else { words::count(own.len(), "change") });
    let named = own.iter().take(COMMITS_ANNOUNCED_LIMIT).map(|commit| {
        let line = Line::default().untrusted(title(commit));
        commit.pull_request.map_or(line.clone(), |number| line.text(format!(" (#{number})")))
    });
    let mut body: Vec<_> = named.map(Block::Line).collect();
    body.push(Block::Line(words::release(Line::default(), &release.id)));
    let actions = vec![super::action(Verb::Details)];
    Message { mark: Mark::None, headline: line, progress: None, body, actions }
}

/// `goals 4c1f9e2 is in production · 3 commits · 6 min · approved by bob, dora`.
fn headline(view: &ReleaseView<'_>) -> Line {
    let release = view.release;
    let key = &release.request.key;
    let back = release.request.kind.plan_kind() == PlanKind::Rollback;
    let mut line = Line::plain(format!("{} ", key.service));
    if let Some(plan) = release.plan.as_ref().filter(|plan| super::release::all_dry(plan)) {
        let line = words::commit(Line::plain(format!("dry run of {} ", key.service)), &plan.commit);
        return by_whom(line.text(format!(" to {}{DOT}nothing was deployed", key.environment)), release);
    }
    line = if back { line.text("is back on ") } else { line };
    if let Some(commit) = &release.commit {
        line = words::commit(line, commit);
    }
    line = line.text(format!("{} {}", if back { " in" } else { " is in" }, key.environment));
    if let Some((shipped, _)) = release.merge() {
        line = line.text(format!(" with #{}", shipped.number));
    }
    if let Some(plan) = release.plan.as_ref().filter(|plan| !back && plan.commits_total > 0) {
        line = line.text(DOT).text(words::count(usize::try_from(plan.commits_total).unwrap_or(usize::MAX), "commit"));
    }
    if let (Some(start), Some(end)) = (release.started_at, release.ended_at) {
        line = line.text(DOT).text(words::rough(words::seconds(start, end)));
    }
    by_whom(line, release)
}

fn by_whom(line: Line, release: &Release) -> Line {
    let votes = release.votes.iter().filter(|v| v.stance == Stance::Approve);
    let approved: Vec<_> = votes.map(|v| v.person.clone()).collect();
    if approved.is_empty() {
        return line.text(DOT).text("asked by ").person(&release.request.requester);
    }
    words::people(line.text(DOT).text("approved by "), &approved, ", ")
}

/// `Likes on updates (#41, eve) · Profile links (#44, ana) and 4 more`.
fn titles(plan: &Plan) -> Line {
    let mut line = if plan.kind == PlanKind::Rollback { Line::plain("taken back: ") } else { Line::default() };
    let shown = plan.commits.iter().take(COMMITS_ANNOUNCED_LIMIT);
    for (i, commit) in shown.enumerate() {
        line = if i > 0 { line.text(DOT) } else { line };
        line = line.untrusted(title(commit)).text(" (");
        if let Some(number) = commit.pull_request {
            line = line.text(format!("#{number}, "));
        }
        line = words::author_told(line, commit).text(")");
    }
    let total = plan.commits.len().max(usize::try_from(plan.commits_total).unwrap_or(usize::MAX));
    let more = total.saturating_sub(COMMITS_ANNOUNCED_LIMIT.min(plan.commits.len()));
    if more > 0 { line.text(format!(" and {more} more")) } else { line }
}

/// The title without the number of its pull request, which is shown beside the author.
fn title(commit: &Commit) -> &str {
    let title = commit.title.trim_end();
    let Some(number) = commit.pull_request else { return title };
    title.strip_suffix(&format!("(#{number})")).map_or(title, str::trim_end)
}

/// What is said where `/rollback` would find nothing.
pub const NO_WAY_BACK: &str = "no way back: nothing good that ran before is known";

/// `1 migration · previous 9a77d01, /rollback production takes about 4 min`. Where that would not bring everything back, it
/// is not recommended.
fn rest(view: &ReleaseView<'_>, plan: &Plan, way_back: bool) -> Line {
    let ran = plan.migrations.iter().filter(|m| m.not_run.is_none()).count();
    let line = match ran {
        0 if !plan.taken_back.is_empty() => {
            Line::plain(words::count(plan.taken_back.len(), "migration")).text(" taken back")
        }
        0 => Line::plain("no migrations"),
        n => Line::plain(words::count(n, "migration")),
    };
    if plan.base.as_ref() == Some(&plan.commit) {
        return line;
    }
    let line = match &plan.base {
        Some(base) => words::commit(line.text(DOT).text("previous "), base),
        None => line,
    };
    if plan.kind != PlanKind::Deploy {
        return line;
    }
    if !way_back {
        return line.text(DOT).text(NO_WAY_BACK);
    }
    if let Some(lost) = super::release::data_not_brought_back(plan) {
        return line.text("; ").join(lost);
    }
    match view.expected_s.filter(|_| plan.base.is_some()) {
        Some(usual) => line
            .text(", ")
            .code(format!("/rollback {}", plan.environment))
            .text(format!(" takes about {}", words::rough(usual))),
        None => line,
    }
}
