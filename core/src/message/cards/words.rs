//! Phrases that several cards share.

use super::super::{Line, Span};
use crate::ids::{CommitSha, EnvironmentKey, EnvironmentName, PersonId, ReleaseId, TeamName};
use crate::plan::{Commit, PlannedMigration};
use crate::policy::{Clears, Reason, Slot};
use jiff::Timestamp;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Between the facts of one line.
pub(super) const DOT: &str = " · ";
/// How many reasons a message lists.
pub(super) const REASONS_SHOWN_LIMIT: usize = 10;
/// How many people a line names.
pub(super) const PEOPLE_SHOWN_LIMIT: usize = 8;
/// How many characters of a target's operation are shown.
const OPERATION_SHOWN_CHARS: usize = 8;
/// How long a link may be.
const URL_LENGTH_LIMIT: usize = 2_000;

/// The whole seconds from one moment to another, never negative.
pub(super) fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_second() - from.as_second()).unwrap_or(0)
}

/// `12 s`, `4m 02s`, `1h 04m`.
pub(super) fn exact(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m}m {s:02}s"),
        (h, m, _) => format!("{h}h {m:02}m"),
    }
}

/// `40 s`, `12 min`, `3 h`, `2 days`.
pub(super) fn rough(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match seconds {
        s if s < MINUTE => format!("{s} s"),
        s if s < 2 * HOUR => format!("{} min", s / MINUTE),
        s if s < 2 * DAY => format!("{} h", s / HOUR),
        s => format!("{} days", s / DAY),
    }
}

/// `40 more min`, `1h 59m more`, `3 more days`: in whole minutes begun, so that two hours are two hours just after they began.
pub(super) fn more(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    let minutes = seconds.div_ceil(MINUTE);
    match (minutes / 60, minutes % 60) {
        _ if seconds < MINUTE => rough(seconds).replacen(' ', " more ", 1),
        (0, minutes) => format!("{minutes} more min"),
        (hours @ 1..48, 0) => format!("{hours}h more"),
        (hours @ 1..48, minutes) => format!("{hours}h {minutes:02}m more"),
        _ => rough(minutes * MINUTE).replacen(' ', " more ", 1),
    }
}

/// How many columns of somebody's words stand on one line where all of them are shown. Below what every chat cuts.
const WHOLE_LINE_COLUMNS: usize = 150;

/// All of somebody's words, broken between words into as many lines as that takes. Untrusted text.
pub(super) fn whole(lead: Line, text: &str) -> Vec<Line> {
    let mut lines: Vec<String> = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        // A word that is longer than a line is broken anywhere.
        let mut pieces = vec![String::new()];
        let mut piece_used = 0;
        for char in word.chars() {
            let width = char.width().unwrap_or(0);
            if piece_used + width > WHOLE_LINE_COLUMNS {
                pieces.push(String::new());
                piece_used = 0;
            }
            pieces.last_mut().into_iter().for_each(|piece| piece.push(char));
            piece_used += width;
        }
        for piece in pieces {
            let gap = usize::from(used > 0);
            if used + gap + piece.width() > WHOLE_LINE_COLUMNS {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                if used > 0 {
                    line.push(' ');
                    used += 1;
                }
                used += piece.width();
                line.push_str(&piece);
            }
        }
    }
    let mut lead = Some(lead);
    lines.into_iter().map(|line| lead.take().unwrap_or_default().untrusted(line)).collect()
}

/// A sentence without its full stop, for the middle of a line.
pub(super) fn phrase(sentence: &str) -> &str {
    sentence.trim_end().trim_end_matches('.')
}

/// `1 commit`, `3 commits`.
pub(super) fn count(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// How many characters the services have in a first line.
const SERVICES_LIMIT_CHARS: usize = 32;

/// `api, web, jobs → staging`; of many, or of long names, `api and 9 more → staging`.
#[must_use]
pub fn services_in<'a>(services: impl IntoIterator<Item = &'a str>, environment: &EnvironmentName) -> String {
    let services: Vec<_> = services.into_iter().collect();
    let mut names = services.join(", ");
    if let [first, others @ ..] = &services[..]
        && !others.is_empty()
        && names.chars().count() > SERVICES_LIMIT_CHARS
    {
        names = format!("{first} and {} more", others.len());
    }
    format!("{names} → {environment}")
}

/// `1st`, `2nd`, `11th`.
pub(super) fn ordinal(n: usize) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

/// The commit, short.
pub(super) fn commit(line: Line, commit: &CommitSha) -> Line {
    line.code(commit.short())
}

/// `release 01JD7Q4N`.
pub(super) fn release(line: Line, id: &ReleaseId) -> Line {
    line.text("release ").code(id.short())
}

/// Names, separated, at most [`PEOPLE_SHOWN_LIMIT`], then how many more.
pub(super) fn people(mut line: Line, people: &[PersonId], last: &str) -> Line {
    let shown = people.len().min(PEOPLE_SHOWN_LIMIT);
    for (i, person) in people.iter().take(shown).enumerate() {
        let is_last = i + 1 == people.len();
        line = match i {
            0 => line,
            _ if is_last => line.text(last),
            _ => line.text(", "),
        };
        line = line.person(person);
    }
    if people.len() > shown { line.text(format!(", {} more", people.len() - shown)) } else { line }
}

/// `1 of release, 1 of dba`.
pub(super) fn slots<'a>(missing: impl IntoIterator<Item = (&'a TeamName, u32)>) -> String {
    missing.into_iter().map(|(team, n)| format!("{n} of {team}")).collect::<Vec<_>>().join(", ")
}

/// `1 of release, 1 of dba or 1 more of release`: what is missing, with what would do instead.
pub(super) fn slots_or(missing: &[Slot]) -> String {
    let all: Vec<&Slot> = missing.iter().collect();
    let one = |slot: &&Slot| {
        let own = format!("{} of {}", slot.missing, slot.team);
        [own].into_iter().chain(slot.or.iter().map(|or| instead(or, &all))).collect::<Vec<_>>().join(" or ")
    };
    strict_first(&all).iter().map(one).collect::<Vec<_>>().join(", ")
}

/// What leaves no choice comes first, so that "more" has been counted from.
fn strict_first<'a>(missing: &[&'a Slot]) -> Vec<&'a Slot> {
    let (strict, choice): (Vec<_>, Vec<_>) = missing.iter().partition(|slot| slot.or.is_empty());
    [strict, choice].concat()
}

/// `1 more of release`, where so many fewer are asked for anyway.
fn instead(or: &Slot, missing: &[&Slot]) -> String {
    match missing.iter().find(|asked| asked.team == or.team && asked.missing < or.missing) {
        Some(asked) => format!("{} more of {}", or.missing - asked.missing, or.team),
        None => format!("{} of {}", or.missing, or.team),
    }
}

/// The approvals that the reasons miss: each team once, in the gate's order.
pub(super) fn missing(reasons: &[Reason]) -> Vec<Slot> {
    let mut by_team: Vec<Slot> = Vec::new();
    for slot in reasons.iter().flat_map(missing_slots) {
        match by_team.iter_mut().find(|known| known.team == slot.team) {
            Some(known) => {
                let same = known.or == slot.or;
                if slot.missing > known.missing {
                    *known = slot.clone();
                }
                // What does for one rule need not do for the other.
                if !same {
                    known.or.clear();
                }
            }
            None => by_team.push(slot.clone()),
        }
    }
    by_team
}

fn missing_slots(reason: &Reason) -> &[Slot] {
    match &reason.clears {
        Clears::Votes { missing } => missing,
        _ => &[],
    }
}

/// `1 of release: bob or chen can` for each slot, in the order of [`slots_or`].
pub(super) fn slots_with_who<'a>(mut line: Line, missing: impl IntoIterator<Item = &'a Slot>) -> Line {
    let missing: Vec<&Slot> = missing.into_iter().collect();
    for (i, slot) in strict_first(&missing).into_iter().enumerate() {
        line = line.text(format!("{}{} of {}: ", if i > 0 { ", " } else { "" }, slot.missing, slot.team));
        line = if slot.who.is_empty() { line.text("nobody can") } else { who_can(line, slot) };
        for or in &slot.or {
            line = who_can(line.text(format!(", or {}: ", instead(or, &missing))), or);
        }
    }
    line
}

/// `bob or chen can`; `bob and chen can` where both have to.
fn who_can(line: Line, slot: &Slot) -> Line {
    let all_have_to = usize::try_from(slot.missing).is_ok_and(|missing| missing == slot.who.len());
    people(line, &slot.who, if all_have_to { " and " } else { " or " }).text(" can")
}

/// What ends a lock. It names the service, because others may have an environment of this name.
pub(super) fn unlock(key: &EnvironmentKey) -> String {
    format!("/release unlock {} {}", key.environment, key.service)
}

/// What would clear a reason: who can, or when.
pub(super) fn clears(reason: &Reason, now: Option<Timestamp>) -> Line {
    let line = Line::default();
    match &reason.clears {
        Clears::Votes { missing } if missing.is_empty() => line.text("more approvals clear it"),
        Clears::Votes { missing } => slots_with_who(line, missing),
        // One objection is enough to hold it, so that all of them have to be taken back.
        Clears::Withdrawal { by } if by.len() > 1 => {
            people(line, by, " and ").text(" each have to take it back, with ").code("/release withdraw")
        }
        Clears::Withdrawal { by } => people(line, by, " or ").text(" can, with ").code("/release withdraw"),
        Clears::Facts => line.text("looked at again by itself"),
        Clears::Soak { environment, ahead: Some(ahead) } => {
            let line = commit(line.text(format!("{environment} has moved on to ")), &ahead.commit).text(": ");
            line.code(format!("/deploy {} {}", ahead.to, ahead.commit.short())).text(" brings that")
        }
        Clears::Soak { environment, ahead: None } => {
            line.text("first ").code(format!("/deploy {environment}")).text(" with this commit")
        }
        Clears::Time { at: Some(at) } => until(line.text("clears by itself at "), *at, now),
        Clears::Time { at: None } => line.text("time clears it, the first moment is not known"),
        Clears::Unlock { owner, until: end } => {
            let line = line.person(owner).text(" can, with ").code("/release unlock");
            match end {
                Some(at) => until(line.text(", or ends by itself at "), *at, now),
                None => line,
            }
        }
        Clears::Release { id } => release(line.text("clears when "), id).text(" ends"),
        Clears::Nothing => line.text("no vote and no time clears it"),
    }
}

/// A moment to come; with how far away it is where the message is read at once.
fn until(line: Line, at: Timestamp, now: Option<Timestamp>) -> Line {
    let line = line.time(at);
    match now.map(|now| seconds(now, at)) {
        Some(left) if left > 0 => line.text(format!(" (in {})", rough(left))),
        _ => line,
    }
}

/// A reason: its id, why, and what would clear it.
pub(super) fn reason(line: Line, reason: &Reason, now: Option<Timestamp>) -> Line {
    let line = line.code(reason.id.as_str()).text("  ").untrusted(reason.why.as_str());
    let line = line.text(DOT).join(clears(reason, now));
    if reason.overridable { line.text(", or ").code("/release override") } else { line }
}

/// All reasons as lines, at most [`REASONS_SHOWN_LIMIT`]; numbered when asked for.
pub(super) fn reasons(list: &[Reason], numbered: bool, now: Option<Timestamp>) -> Vec<Line> {
    let lead = |i: usize| if numbered { Line::plain(format!("{}. ", i + 1)) } else { Line::default() };
    let lines = list.iter().enumerate().map(|(i, r)| reason(lead(i), r, now));
    with_rest(lines.take(REASONS_SHOWN_LIMIT).collect(), list.len())
}

/// Adds `and 12 more` when `total` is more than the lines shown.
pub(super) fn with_rest(mut lines: Vec<Line>, total: usize) -> Vec<Line> {
    if total > lines.len() {
        lines.push(Line::plain(format!("and {} more", total - lines.len())));
    }
    lines
}

/// A list of somebody else's words on one line.
pub(super) fn untrusted_list<'a>(mut line: Line, list: impl IntoIterator<Item = &'a String>, between: &str) -> Line {
    for (i, text) in list.into_iter().enumerate() {
        line = if i > 0 { line.text(between) } else { line };
        line = line.untrusted(text.as_str());
    }
    line
}

/// Who wrote a commit: the known person, else the outside's name.
pub(super) fn author(line: Line, commit: &Commit) -> Line {
    match (&commit.author, &commit.author_login) {
        (Some(person), _) => line.person(person),
        (None, Some(login)) => line.untrusted(login.as_str()),
        (None, None) => line.untrusted(commit.author_name.as_str()),
    }
}

/// The same where they are told on purpose.
pub(super) fn author_told(line: Line, commit: &Commit) -> Line {
    match &commit.author {
        Some(person) => line.mention(person),
        None => author(line, commit),
    }
}

/// The migration's file without its ending.
pub(super) fn stem(migration: &PlannedMigration) -> &str {
    migration.file.strip_suffix(".sql").unwrap_or(&migration.file)
}

/// An operation's id, shortened: `7d0c3b1e…`.
pub(super) fn operation(id: &str) -> String {
    match id.char_indices().nth(OPERATION_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &id[..end]),
        None => id.to_owned(),
    }
}

/// The last lines of a log, at most so many lines and characters.
pub(super) fn tail(log: &str, lines_limit: usize, chars_limit: usize) -> String {
    let lines: Vec<_> = log.trim_end().lines().collect();
    let kept = lines[lines.len().saturating_sub(lines_limit)..].join("\n");
    let chars = kept.chars().count();
    kept.chars().skip(chars.saturating_sub(chars_limit)).collect()
}

/// A link, unless the address is nothing that a browser should be sent to.
pub(super) fn link(mut line: Line, url: &str, text: &str) -> Line {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | '|' | '"' | '`' | '(' | ')');
    if is_web && url.len() <= URL_LENGTH_LIMIT && !url.contains(is_odd) {
        line.0.push(Span::Link { url: url.to_owned(), text: text.to_owned() });
        return line;
    }
    line.text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_speech() {
        let exactly: Vec<_> = [0, 59, 60, 242, 3600, 3859].map(exact).into();
        assert_eq!(exactly, ["0 s", "59 s", "1m 00s", "4m 02s", "1h 00m", "1h 04m"]);
        let roughly: Vec<_> = [0, 59, 60, 7199, 7200, 172_799, 172_800].map(rough).into();
        assert_eq!(roughly, ["0 s", "59 s", "1 min", "119 min", "2 h", "47 h", "2 days"]);
        let more: Vec<_> = [0, 59, 60, 2400, 3600, 7141, 7200, 7201, 172_740, 172_741, 604_800].map(more).into();
        let left =
            ["0 more s", "59 more s", "1 more min", "40 more min", "1h more", "2h more", "2h more", "2h 01m more"];
        assert_eq!(more[..8], left);
        assert_eq!(more[8..], ["47h 59m more", "2 more days", "7 more days"]);
        assert_eq!(seconds(Timestamp::from_second(9).unwrap(), Timestamp::UNIX_EPOCH), 0);
    }

    #[test]
    fn what_would_do_instead_is_counted_from_what_is_asked_anyway() {
        let slot = |team: &str, missing, or| Slot { team: team.into(), missing, who: vec![], or };
        let dba = |missing| slot("dba", 1, vec![slot("release", missing, vec![])]);
        assert_eq!(slots_or(&[dba(2), slot("release", 1, vec![])]), "1 of release, 1 of dba or 1 more of release");
        assert_eq!(slots_or(&[dba(1)]), "1 of dba or 1 of release");
        assert_eq!(slots_or(&[slot("release", 2, vec![])]), "2 of release");
    }

    #[test]
    fn only_plain_web_addresses_become_links() {
        let is_link = |url: &str| matches!(link(Line::default(), url, "run").0[0], Span::Link { .. });
        assert!(is_link("https://github.com/acme/goals/actions/runs/4211"));
        for bad in ["javascript:alert(1)", "https://x|y", "https://x\n", "https://x> <!channel", ""] {
            assert!(!is_link(bad), "{bad:?}");
        }
        assert!(!is_link(&format!("https://{}", "x".repeat(URL_LENGTH_LIMIT))));
    }

    #[test]
    fn long_lists_end() {
        let many: Vec<PersonId> = (0..10).map(|i| PersonId::new(format!("p{i}"))).collect();
        let line = people(Line::default(), &many, " or ");
        assert_eq!(line.0.last(), Some(&Span::Plain(", 2 more".into())));
        assert_eq!(operation("7d0c3b1e-9f"), "7d0c3b1e…");
        assert_eq!(operation("äöüß"), "äöüß");
        assert_eq!(tail("a\nbä\ncü\n\n", 2, 4), "ä\ncü");
    }
}
