//! What the cards say of a service's paths.

use super::super::super::Line;
use super::super::words;
use crate::paths::PathsSeen;
use crate::plan::Plan;
use crate::release::{Outcome, Release};

/// `nothing in web/** or shared/** changed since 4c1f9e2`, or why that is not known.
fn line(seen: &PathsSeen) -> Line {
    let Some(why) = &seen.unknown else {
        let line = Line::plain("nothing in ").untrusted(seen.paths.as_str());
        return words::commit(line.text(" changed since "), &seen.since);
    };
    let line = Line::plain("it cannot be told whether anything in ").untrusted(seen.paths.as_str());
    words::commit(line.text(" changed since "), &seen.since).text(": ").untrusted(why.as_str())
}

/// What is deployed all the same, because somebody named it or nobody knows better.
pub(super) fn note(plan: &Plan) -> Option<Line> {
    let seen = plan.paths.as_ref().filter(|_| !plan.stays_untouched())?;
    Some(if seen.is_untouched() { line(seen).text(", deployed all the same") } else { line(seen) })
}

/// Why it stays as it is, where that is because nothing of it has changed.
pub(super) fn stays(plan: &Plan) -> Option<Line> {
    plan.paths.as_ref().filter(|_| plan.stays_untouched()).map(line)
}

/// The same of a release that had nothing to do.
pub(super) fn had_nothing_to_do(release: &Release) -> Option<Line> {
    let plan = release.plan.as_ref().filter(|_| release.outcome == Some(Outcome::NothingToDo))?;
    stays(plan)
}
