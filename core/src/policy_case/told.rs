//! What `slipway policy test` and `slipway policy explain --case` show.

use super::{Expected, Got, PolicyCase, Suite, Tried, clearing};
use crate::facts::CiState;
use crate::message::{Block, Line, Mark, Message, cards};
use crate::policy::{Action, Decision, Reason};
use jiff::tz::TimeZone;

/// A case that does not hold: what is wrong, what was expected, and what came with every reason's sentence.
#[must_use]
pub fn failure(tried: &Tried<'_>) -> Message {
    let Tried { case, got, complaints } = tried;
    let headline = Line::default().code(format!("{}:{}", case.file, case.line)).text("  ").untrusted(&case.name);
    let complaints = complaints.iter().map(|complaint| Line::default().untrusted(complaint.as_str())).collect();
    Message {
        mark: Mark::Failed,
        headline,
        progress: None,
        body: vec![
            field("Wrong", complaints),
            field("Asked", vec![Line::default().untrusted(case.subject())]),
            field("Expected", expected(case)),
            field("Got", came(got, &case.scene.timezone)),
        ],
        actions: vec![],
    }
}

fn field(label: &str, lines: Vec<Line>) -> Block {
    Block::Field { label: label.to_owned(), lines }
}

fn expected(case: &PolicyCase) -> Vec<Line> {
    match &case.expected {
        Expected::Allow => vec![Line::plain("allow")],
        Expected::Deny { reasons, clears } => {
            let line = |id: &String| match clears.get(id) {
                Some(clears) => Line::default().code(id.as_str()).text("  cleared by ").untrusted(clears.as_str()),
                None => Line::default().code(id.as_str()),
            };
            std::iter::once(Line::plain("deny")).chain(reasons.iter().map(line)).collect()
        }
        Expected::Mistakes(parts) => {
            let parts = parts.iter().map(|part| Line::default().untrusted(part.as_str()));
            std::iter::once(Line::plain("mistakes")).chain(parts).collect()
        }
    }
}

fn came(got: &Got, timezone: &TimeZone) -> Vec<Line> {
    match got {
        Got::Decision(Decision::Allow) => vec![Line::plain("allow")],
        Got::Decision(Decision::Deny { reasons }) => {
            let lines = reasons.iter().map(|reason| told(reason, timezone));
            std::iter::once(Line::plain("deny")).chain(lines).collect()
        }
        Got::Mistakes(mistakes) => {
            let lines = mistakes.iter().map(|mistake| Line::default().untrusted(mistake.to_string()));
            std::iter::once(Line::plain("mistakes")).chain(lines).collect()
        }
    }
}

fn told(reason: &Reason, timezone: &TimeZone) -> Line {
    let line = Line::default().code(reason.id.as_str()).text("  ").untrusted(reason.why.as_str());
    let clears = clearing::written(&reason.clears, timezone);
    let line = line.text("  cleared by ").untrusted(clears);
    if reason.overridable { line.text(", or an override") } else { line }
}

/// The rules that could be deleted without any case noticing; `None`: there is none.
#[must_use]
pub fn undecided(suite: &Suite<'_>) -> Option<Message> {
    let line = match suite.undecided.len() {
        0 => return None,
        1 => Line::plain("No case would miss this rule: "),
        n => Line::plain(format!("No case would miss these {n} rules: ")),
    };
    let named = suite.undecided.iter().enumerate().fold(line, |line, (at, rule)| {
        let line = if at > 0 { line.text(", ") } else { line };
        line.code(rule.as_str())
    });
    let line = named.text(". Write a case in which each of them decides.");
    Some(Message::answer(Line::plain("▲ ").join(line), []))
}

/// How many cases hold, and how many rules decide in one of them.
#[must_use]
pub fn summary(suite: &Suite<'_>, all_rules: bool) -> Message {
    let counted = |n: usize, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
    let (all, failed) = (suite.tried.len(), suite.failed().count());
    let said = match failed {
        0 if all == 1 => "1 case holds".to_owned(),
        0 => format!("{all} cases hold"),
        _ => format!("{failed} of {} failed", counted(all, "case")),
    };
    let (rules, undecided) = (suite.rules, suite.undecided.len());
    let said = format!("{said}; {} of {} decide in one", rules - undecided, counted(rules, "rule"));
    let mark = if failed == 0 && (undecided == 0 || !all_rules) { Mark::Live } else { Mark::Failed };
    Message { mark, headline: Line::plain(said), progress: None, body: vec![], actions: vec![] }
}

/// Why a case is answered as it is: every reason, what clears it, and who can; or every mistake in its rules.
#[must_use]
pub fn explained(case: &PolicyCase, got: &Got) -> Message {
    let decision = match got {
        Got::Decision(decision) => decision,
        Got::Mistakes(mistakes) => {
            let headline = Line::default().untrusted(case.name.as_str()).text(": its rules are refused with mistakes.");
            return Message::answer(headline, mistakes.iter().map(|m| Line::default().untrusted(m.to_string())));
        }
    };
    let scene = &case.scene;
    let looks_at_ci = scene.action == Action::Execute && scene.ci == CiState::Green;
    let fine = if looks_at_ci { vec!["CI green".to_owned()] } else { vec![] };
    cards::why(&case.subject(), decision.reasons(), &fine, None, scene.now)
}
