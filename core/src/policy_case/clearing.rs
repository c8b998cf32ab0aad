//! What clears a reason, as a case writes it.

use crate::ids::PersonId;
use crate::policy::{Clears, Slot};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The words it may begin with.
pub(super) const WORDS: [&str; 6] = ["votes", "withdrawal", "facts", "soak", "time", "nothing"];

/// `votes: 1 of release (bob, chen)`, `time: 2026-11-30 08:00`, `facts`, …: moments in the environment's time zone.
pub(super) fn written(clears: &Clears, timezone: &TimeZone) -> String {
    match clears {
        Clears::Votes { missing } => format!("votes: {}", list(missing.iter().map(slot))),
        Clears::Withdrawal { by } => format!("withdrawal: {}", people(by)),
        Clears::Facts => "facts".to_owned(),
        Clears::Soak { environment, .. } => format!("soak: {environment}"),
        Clears::Time { at: Some(at) } => format!("time: {}", moment(*at, timezone)),
        Clears::Time { at: None } => "time: not known".to_owned(),
        // Locks and other releases are the host's, and no case has them.
        Clears::Unlock { .. } | Clears::Release { .. } | Clears::Nothing => "nothing".to_owned(),
    }
}

/// Whether it is what a case expects: the whole of it, the same without the people, or just its first word.
pub(super) fn fits(expected: &str, found: &str) -> bool {
    let word = found.split(':').next().unwrap_or(found);
    [found, &without_people(found), word].contains(&expected)
}

fn without_people(text: &str) -> String {
    let mut parts = text.split(" (");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(')').map_or(part, |(_, rest)| rest))
}

fn slot(slot: &Slot) -> String {
    format!("{} of {} ({})", slot.missing, slot.team, people(&slot.who))
}

fn people(ids: &[PersonId]) -> String {
    if ids.is_empty() { "nobody".to_owned() } else { list(ids.iter().map(ToString::to_string)) }
}

fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// Local time, with seconds only where there are some.
pub(super) fn moment(at: Timestamp, timezone: &TimeZone) -> String {
    let local = at.to_zoned(timezone.clone());
    let format = if local.second() == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
    local.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_may_say_as_much_as_it_cares_about() {
        let slot = |team: &str, who: &[&str]| Slot {
            team: team.into(),
            missing: 1,
            who: who.iter().map(|&id| id.into()).collect(),
            or: vec![],
        };
        let missing = vec![slot("release", &["bob", "chen"]), slot("dba", &[])];
        let found = written(&Clears::Votes { missing }, &TimeZone::UTC);
        assert_eq!(found, "votes: 1 of release (bob, chen), 1 of dba (nobody)");
        for expected in [found.as_str(), "votes: 1 of release, 1 of dba", "votes"] {
            assert!(fits(expected, &found), "{expected}");
        }
        for expected in ["votes: 1 of release", "vote", "", "votes:", "votes: 1 of release (bob), 1 of dba (nobody)"] {
            assert!(!fits(expected, &found), "{expected}");
        }
    }

    #[test]
    fn moments_are_those_of_the_environment() {
        let los_angeles = TimeZone::get("America/Los_Angeles").unwrap();
        let at = |text: &str| Clears::Time { at: Some(text.parse().unwrap()) };
        assert_eq!(written(&at("2026-11-30T16:00:00Z"), &los_angeles), "time: 2026-11-30 08:00");
        assert_eq!(written(&at("2026-11-30T16:00:01Z"), &los_angeles), "time: 2026-11-30 08:00:01");
        assert_eq!(written(&Clears::Time { at: None }, &los_angeles), "time: not known");
    }
}
