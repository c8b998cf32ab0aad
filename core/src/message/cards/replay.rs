//! What other policies would have made of the past.

use super::super::{Block, Line, Mark, Message};
use super::words::{self, DOT};
use crate::ids::EnvironmentKey;
use crate::policy::{Clears, Reason, Stance};
use crate::release::Outcome;
use crate::replay::{Difference, Differing, Lack, LeftOut, Replayed};
use jiff::Timestamp;

/// How many releases that cannot be judged again are named.
const LEFT_OUT_SHOWN_LIMIT: usize = 5;

/// Every release that would have gone otherwise, two lines or three each, then the counts.
#[must_use]
pub fn replayed(replayed: &Replayed) -> Message {
    let Replayed { policy_hash, releases, refused_requests, differing, left_out } = replayed;
    let hash = policy_hash.get(..12).unwrap_or(policy_hash);
    let judged =
        format!("{}, {}", words::count(*releases, "release"), words::count(*refused_requests, "refused request"));
    let headline = match differing.len() {
        0 if releases + refused_requests == 0 => Line::plain("Nothing could be judged again by "),
        0 => Line::plain(format!("Nothing would have gone otherwise: {judged} judged again by ")),
        n => Line::plain(format!("{n} would have gone otherwise, of {judged} judged again by ")),
    };
    let mut body: Vec<_> = differing.iter().flat_map(told).collect();
    body.extend(not_judged(left_out));
    Message { mark: Mark::None, headline: headline.code(hash), progress: None, body, actions: vec![] }
}

fn told(differing: &Differing) -> Vec<Block> {
    let Differing { release, key, requester, asked_at, started_at, outcome, differences } = differing;
    let EnvironmentKey { service, environment } = key;
    let line = match release {
        Some(id) => Line::default().code(id.short()),
        None => Line::plain("refused"),
    };
    let line = line.text("  ").untrusted(service.as_str()).text(" → ").untrusted(environment.as_str());
    let line = line.text(DOT).text("asked by ").person(requester).text(" at ").time(*asked_at);
    let line = match (started_at, outcome) {
        (Some(at), _) => line.text(DOT).text("started at ").time(*at),
        (None, Some(outcome)) => line.text(DOT).text(never_started(outcome)),
        (None, None) if release.is_some() => line.text(DOT).text("waits"),
        (None, None) => line,
    };
    let lines = differences.iter().flat_map(|difference| says(difference, *started_at));
    std::iter::once(line).chain(lines).map(Block::Line).collect()
}

fn never_started(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Denied => "denied",
        Outcome::Cancelled { .. } => "cancelled before it started",
        Outcome::Expired => "expired",
        Outcome::Superseded { .. } => "superseded",
        Outcome::NothingToDo
        | Outcome::DryRun
        | Outcome::Live
        | Outcome::Migrated
        | Outcome::Failed { .. }
        | Outcome::RolledBack { .. } => "ended before it started",
    }
}

fn says(difference: &Difference, started_at: Option<Timestamp>) -> Vec<Line> {
    let line = Line::plain("  ");
    let (line, reasons) = match difference {
        Difference::RequestRefused { reasons } => (line.text("could not have been asked for:"), &reasons[..]),
        Difference::RequestAllowed => (line.text("could have been asked for"), &[][..]),
        Difference::NotDenied => (line.text("would have waited instead of being denied"), &[][..]),
        Difference::Stopped { at: _, reasons } => (line.text("would not have started then:"), &reasons[..]),
        Difference::StartedLater { at, then, reasons } => {
            let later = words::rough(words::seconds(*at, *then));
            (line.text(format!("would have started {later} later, at ")).time(*then).text(":"), &reasons[..])
        }
        Difference::Started { then } => {
            let line = match started_at.filter(|at| at > then) {
                Some(at) => {
                    line.text(format!("would have started {} earlier, at ", words::rough(words::seconds(*then, at))))
                }
                None => line.text("would have started at "),
            };
            (line.time(*then), &[][..])
        }
        Difference::VoteCounts { person, stance, at } => {
            let what = match stance {
                Stance::Approve => "approval",
                Stance::Veto => "veto",
            };
            let line = line.person(person).text(format!("'s {what}, refused at ")).time(*at);
            (line.text(", would have counted"), &[][..])
        }
    };
    std::iter::once(line).chain(reasons.iter().map(reason)).collect()
}

/// A reason with what was missing; who could have given it is not on record.
fn reason(reason: &Reason) -> Line {
    let line = Line::plain("  ").code(reason.id.as_str()).text("  ").untrusted(reason.why.as_str());
    match &reason.clears {
        Clears::Votes { missing } if !missing.is_empty() => {
            let slots = words::slots_or(missing);
            line.text(DOT).text("missing ").untrusted(slots)
        }
        Clears::Withdrawal { by } => words::people(line.text(DOT).text("vetoed by "), by, ", "),
        _ => line,
    }
}

fn not_judged(left_out: &[LeftOut]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut add = |what: &str, of: &dyn Fn(&Lack) -> bool| {
        let those: Vec<_> = left_out.iter().filter(|left| of(&left.lack)).collect();
        if those.is_empty() {
            return;
        }
        let line = Line::plain(format!("Not judged again: {}, {what}", those.len()));
        let named = those.iter().take(LEFT_OUT_SHOWN_LIMIT).enumerate();
        let line = named.fold(line, |line, (at, left)| {
            let line = line.text(if at == 0 { ": " } else { ", " });
            match &left.release {
                Some(id) => line.code(id.short()),
                None => line.text("a refused request of ").time(left.asked_at),
            }
        });
        let more = those.len().saturating_sub(LEFT_OUT_SHOWN_LIMIT);
        blocks.push(Block::Warning(if more > 0 { line.text(format!(" and {more} more")) } else { line }));
    };
    let older = "recorded before this version, without teams, past and time zone (not enough recorded)";
    add(older, &|lack| *lack == Lack::NotEnoughRecorded);
    add("to environments that the policies do not know", &|lack| matches!(lack, Lack::UnknownEnvironment { .. }));
    add("with records that this version cannot read", &|lack| matches!(lack, Lack::Unreadable { .. }));
    blocks
}
