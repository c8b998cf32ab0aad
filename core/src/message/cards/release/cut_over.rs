//! What leads around the gate, and what the scan of the image found.

use super::super::super::{Block, Line};
use super::super::words::{self, DOT};
use crate::facts::{Facts, ScanFact};
use crate::plan::Plan;
use crate::release::Release;
use crate::workflow::{Bypass, BypassKind};

/// How many ways around the gate a card names.
const BYPASSES_SHOWN_LIMIT: usize = 5;

/// One line each: where, what, and the edit that mends it.
pub(super) fn bypasses(facts: &Facts) -> Vec<Line> {
    let all = facts.bypasses();
    words::with_rest(all.iter().take(BYPASSES_SHOWN_LIMIT).map(bypass).collect(), all.len())
}

fn bypass(bypass: &Bypass) -> Line {
    let line = Line::default().code(bypass.place_with_line()).text(" ");
    let line = match &bypass.kind {
        BypassKind::AutomaticDeployments { .. } | BypassKind::PushesTag { .. } | BypassKind::Unread { .. } => {
            line.untrusted(bypass.says())
        }
        BypassKind::Migrates { .. } | BypassKind::Deploys { .. } => line.text(bypass.says()),
    };
    line.text(DOT).untrusted(bypass.mend())
}

/// `scan: 2 critical, 5 high`; nothing where it is not known.
pub(super) fn scan(facts: &Facts) -> Option<Line> {
    Some(match &facts.scan.as_ref()?.value {
        ScanFact::NotScanned => Line::plain("not scanned"),
        ScanFact::Running => Line::plain("scan still running"),
        ScanFact::Failed { status } => Line::plain("scan did not work: ").untrusted(status.as_str()),
        ScanFact::Done { findings } => {
            let counts = [
                (findings.critical, "critical"),
                (findings.high, "high"),
                (findings.medium, "medium"),
                (findings.low, "low"),
            ];
            let found = counts.iter().filter(|(count, _)| *count > 0).map(|(count, of)| format!("{count} {of}"));
            let found: Vec<_> = found.collect();
            if found.is_empty() {
                Line::plain("scan: nothing found")
            } else {
                Line::plain(format!("scan: {}", found.join(", ")))
            }
        }
    })
}

/// `tag latest names it once it is live`.
pub(super) fn promotes(plan: &Plan) -> Option<Line> {
    let tag = plan.promote.as_deref()?;
    Some(Line::plain("tag ").code(tag).text(" names it once it is live"))
}

/// `tag latest now names 4c1f9e2`, or why it does not.
pub(super) fn promoted(release: &Release) -> Option<Block> {
    let promotion = release.promotion.as_ref()?;
    let line = Line::plain("tag ").code(promotion.tag.as_str());
    Some(match &promotion.problem {
        None => Block::Line(line.text(" now names ").join(super::commit(release))),
        Some(problem) => Block::Warning(line.text(" was not moved: ").untrusted(problem.as_str())),
    })
}
