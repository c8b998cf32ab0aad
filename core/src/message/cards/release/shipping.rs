//! The pull request that a release ships: before its merge, and what is true of it afterwards.

use super::super::super::{Block, Line, Mark, Message, Verb};
use super::super::ReleaseView;
use super::super::first;
use super::super::words::{self, DOT};
use super::{actions, field, message};
use crate::ids::EnvironmentName;
use crate::pull::{Merge, Shipped, UNCLEAR};
use crate::release::{Outcome, PlanningStage, Release, RequestKind};

/// How much of what is missing the first line names, where there is room.
const HEADLINE_LIMIT: usize = 2;

/// While the pull request is waited for or merged.
pub(super) fn card(view: &ReleaseView<'_>, stage: PlanningStage) -> Message {
    let release = view.release;
    let number = number(release);
    let (mark, stands) = match (stage, &release.ships) {
        (PlanningStage::Merging, Some(shipped)) => {
            (Mark::Running, words::commit(Line::plain(format!("merging {number}{DOT}squash of ")), &shipped.head))
        }
        (_, Some(shipped)) if !shipped.missing.is_empty() => {
            (Mark::Waiting, missing(view, &format!("waits for {number}"), shipped))
        }
        _ => (Mark::Running, Line::plain(format!("looking at {number}"))),
    };
    let mut message = message(view, mark, stands);
    message.body.extend(release.ships.iter().flat_map(fields));
    if let Some(shipped) = release.ships.as_ref().filter(|_| mark == Mark::Waiting) {
        let head = words::commit(Line::plain("Merged as soon as nothing is missing: exactly "), &shipped.head);
        message.body.push(Block::Line(head.text(", or the commit that is newest by then.")));
        let expires = Line::plain("expires ").time(release.request.expires_at);
        message.body.push(Block::Line(expires));
    }
    message.actions = actions([Verb::Cancel]);
    first::fitted(message)
}

/// `#123`, whether or not it was looked at.
pub(super) fn number(release: &Release) -> String {
    match (&release.request.kind, &release.ships) {
        (RequestKind::Ship { pull, .. }, _) => format!("#{pull}"),
        (_, Some(shipped)) => format!("#{}", shipped.number),
        _ => "the pull request".to_owned(),
    }
}

/// As much of what is missing as the first line has room for; the card has all of it.
fn missing(view: &ReleaseView<'_>, lead: &str, shipped: &Shipped) -> Line {
    let all = &shipped.missing;
    let first = |shown: usize| {
        let line = Line::plain(format!("{lead}: "));
        let line = words::untrusted_list(line, all.iter().take(shown), ", ");
        match all.len().saturating_sub(shown) {
            0 => line,
            more => line.text(format!(" and {more} more")),
        }
    };
    let title = super::title(view);
    let fits = |line: &Line| first::fits(&title.clone().join(line.clone()));
    let found = (1..=HEADLINE_LIMIT).rev().map(first).find(fits);
    found.unwrap_or_else(|| Line::plain(format!("{lead}{DOT}{} missing", words::count(all.len(), "thing"))))
}

/// What it is, what is missing, what was counted.
fn fields(shipped: &Shipped) -> Vec<Block> {
    let mut what = words::link(Line::default(), &shipped.url, &format!("#{}", shipped.number));
    what = what.text(" ").untrusted(shipped.title.as_str());
    if let Some(author) = &shipped.author {
        what = what.text(DOT).untrusted(author.as_str());
    }
    what = words::commit(what.text(DOT), &shipped.head).text(" into ").untrusted(shipped.base.as_str());
    let phrases =
        |of: &[String]| of.iter().map(|phrase| Line::default().untrusted(phrase.as_str())).collect::<Vec<_>>();
    let counted = if shipped.counted.is_empty() {
        vec![]
    } else {
        vec![words::untrusted_list(Line::default(), shipped.counted.iter(), DOT)]
    };
    let fields = [
        field("Pull request", vec![what]),
        field("Waits for", phrases(&shipped.missing)),
        field("Reviews", phrases(&shipped.not_counted)),
        field("Counted", counted),
    ];
    fields.into_iter().flatten().collect()
}

/// What a dry run of it found.
pub(super) fn dry_run(view: &ReleaseView<'_>, shipped: &Shipped) -> Message {
    let number = number(view.release);
    let found = if shipped.missing.is_empty() {
        Line::plain(format!("dry run: {number} could be merged now"))
    } else {
        missing(view, &format!("dry run: {number} would wait"), shipped)
    };
    let stands = found.text(DOT).text("nothing was merged");
    let mut message = message(view, Mark::Ended, stands);
    message.body.extend(fields(shipped));
    message.body.push(Block::Line(Line::plain("What would be deployed is planned after the merge.")));
    first::fitted(message)
}

/// What has not happened, at an end before the run: a merge cannot be taken back by ending a release.
pub(super) fn nothing_started(release: &Release) -> String {
    match (&release.request.kind, release.merge()) {
        (_, Some(_)) => format!("{} is merged, not deployed", number(release)),
        (RequestKind::Ship { .. }, None) if is_unclear(release) => {
            format!("it is not known whether {} was merged", number(release))
        }
        (RequestKind::Ship { .. }, None) => "nothing was merged".to_owned(),
        _ => "nothing was started".to_owned(),
    }
}

/// Whether it was given up before GitHub said what became of the merge.
fn is_unclear(release: &Release) -> bool {
    let Some(Outcome::Failed { failure, .. }) = &release.outcome else { return false };
    failure.details.iter().any(|line| line == UNCLEAR)
}

/// `#123 Show profile links by eve · merged as 4c1f9e2`: on every card after the merge.
pub(super) fn with_merge(release: &Release, mut card: Message) -> Message {
    let Some((shipped, merge)) = release.merge() else { return card };
    let live = matches!(release.outcome, Some(Outcome::Live)) || release.brought_live().is_some();
    let line = merged(shipped, merge);
    let block = if release.phase.is_end() && !live {
        Block::Warning(
            line.text(": it is on ").untrusted(shipped.base.as_str()).text(", whatever became of this release"),
        )
    } else {
        Block::Line(line)
    };
    // After who asked for what.
    card.body.insert(card.body.len().min(1), block);
    card
}

fn merged(shipped: &Shipped, merge: &Merge) -> Line {
    let mut line = words::link(Line::default(), &shipped.url, &format!("#{}", shipped.number));
    line = line.text(" ").untrusted(shipped.title.as_str());
    if let Some(author) = &shipped.author {
        line = line.text(" by ").untrusted(author.as_str());
    }
    line = words::commit(line.text(DOT).text("merged as "), &merge.commit);
    match &merge.by {
        Some(by) => line.text(", by ").untrusted(by.as_str()).text(" on GitHub"),
        None => line,
    }
}

/// What to type for the same again.
pub(super) fn command(environment: &EnvironmentName, pull: u64) -> String {
    format!("/release ship {pull} {environment}")
}
