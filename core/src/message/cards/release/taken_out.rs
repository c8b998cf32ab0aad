//! What a deployment of another branch takes out of what runs.

use super::super::super::Line;
use super::super::words;
use super::plan::When;
use crate::plan::{Commit, Plan};

/// How many of the commits a warning names.
const NAMED_LIMIT: usize = 3;
/// How many of the migrations that are left behind a warning names.
const VERSIONS_NAMED_LIMIT: usize = 5;

/// `3 commits`, where something is taken out.
fn how_many(plan: &Plan) -> Option<String> {
    (!plan.takes_out.is_empty()).then(|| words::count(plan.takes_out.count(), "commit"))
}

/// `takes 3 commits out`, or that it did.
pub(super) fn briefly(plan: &Plan, when: When) -> Option<String> {
    let verb = if when == When::Past { "took" } else { "takes" };
    Some(format!("{verb} {} out", how_many(plan)?))
}

/// `takes 3 commits out that run now: 71075af Fix login, …`, with the migrations that stay behind.
pub(in super::super) fn warning(plan: &Plan, when: When) -> Option<Line> {
    let count = how_many(plan)?;
    let line = match when {
        When::Past => Line::plain(format!("took {count} out that ran before: ")),
        When::Redrawn(_) | When::Standing if plan.takes_out.count() == 1 => {
            Line::plain("takes 1 commit out that runs now: ")
        }
        When::Redrawn(_) | When::Standing => Line::plain(format!("takes {count} out that run now: ")),
    };
    let named = plan.takes_out.commits.iter().take(NAMED_LIMIT).enumerate();
    let line = named.fold(line, |line, (n, Commit { sha, title, .. })| {
        words::commit(if n > 0 { line.text(", ") } else { line }, sha).text(" ").untrusted(title.as_str())
    });
    let line = match plan.takes_out.count().saturating_sub(NAMED_LIMIT.min(plan.takes_out.commits.len())) {
        0 => line,
        more => line.text(format!(" and {more} more")),
    };
    Some(match left_behind(plan) {
        Some(left) => line.text(". ").join(left),
        None => line,
    })
}

/// `2 migrations applied here that this commit does not have: 20251104120000, 20251105080000`.
pub(in super::super) fn left_behind(plan: &Plan) -> Option<Line> {
    let unknown = &plan.unknown_applied;
    let (first, others) = unknown.split_first()?;
    let n = words::count(unknown.len(), "migration");
    let line = Line::plain(format!("{n} applied here that this commit does not have: ")).code(first.as_str());
    let named = others.iter().take(VERSIONS_NAMED_LIMIT - 1);
    let line = named.fold(line, |line, version| line.text(", ").code(version.as_str()));
    Some(match unknown.len().saturating_sub(VERSIONS_NAMED_LIMIT) {
        0 => line,
        more => line.text(format!(" and {more} more")),
    })
}
