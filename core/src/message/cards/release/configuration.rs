//! What differs of the configuration since what runs was started, and releases that bring nothing else.

use super::super::super::{Block, Line, Mark, Message};
use super::super::ReleaseView;
use super::super::words;
use super::plan::{self, When};
use super::{commit, field, message};
use crate::configuration::{Changed, Drift, KeyChange, SecretChange};
use crate::ids::EnvironmentName;
use crate::plan::{Plan, PlanKind};
use crate::release::Release;

/// How many keys of one secret a line names.
const KEYS_SHOWN_LIMIT: usize = 12;

/// What such a release is called in its first line.
pub(super) const ONLY: &str = "configuration only";

/// Whether nothing but the configuration is brought.
pub(super) fn is_only(release: &Release) -> bool {
    release.request.kind.plan_kind() == PlanKind::Config
}

/// The command that asks for the same.
pub(in super::super) fn command(environment: &EnvironmentName) -> String {
    format!("/deploy {environment} --config")
}

/// `goals/staging: SMTP_HOST changed, SENTRY_DSN added`, one line for each secret.
pub(in super::super) fn lines(plan: &Plan) -> Vec<Line> {
    plan.drift.iter().flat_map(|drift| &drift.changes).map(line).collect()
}

/// `goals-staging reads DSN from Parameter Store: not checked`, one line for each target.
pub(super) fn unchecked(plan: &Plan) -> Vec<Line> {
    let of = |(target, names): &(&str, Vec<&str>)| {
        let line = Line::default().untrusted(*target).text(" reads ");
        let shown: Vec<String> = names.iter().take(KEYS_SHOWN_LIMIT).map(|name| (*name).to_owned()).collect();
        let line = words::untrusted_list(line, &shown, ", ");
        let more = names.len().saturating_sub(KEYS_SHOWN_LIMIT);
        let line = if more > 0 { line.text(format!(" and {more} more")) } else { line };
        line.text(" from Parameter Store: not checked")
    };
    plan.parameters().iter().map(of).collect()
}

fn line(change: &SecretChange) -> Line {
    let line = Line::default().untrusted(change.secret.as_str()).text(": ");
    match &change.what {
        Changed::Keys { keys } => {
            let mut line = line;
            for (i, (name, how)) in keys.iter().take(KEYS_SHOWN_LIMIT).enumerate() {
                line = if i > 0 { line.text(", ") } else { line };
                line = line.untrusted(name.as_str()).text(format!(" {}", how.name()));
            }
            let more = keys.len().saturating_sub(KEYS_SHOWN_LIMIT);
            if more > 0 { line.text(format!(" and {more} more")) } else { line }
        }
        Changed::Somehow { why } => line.text(format!("changed; which keys is not known: {}", why.why())),
        Changed::Added => line.text("is new among the secrets of this environment"),
    }
}

/// The names alone, for where there is little room: keys, else secrets.
pub(in super::super) fn names(drift: &Drift) -> Vec<&String> {
    let mut names = Vec::new();
    for change in &drift.changes {
        names.extend(match &change.what {
            Changed::Keys { keys } => keys.keys().collect::<Vec<_>>(),
            Changed::Somehow { .. } | Changed::Added => vec![&change.secret],
        });
    }
    names
}

/// What a release of the configuration alone shows of its plan.
pub(super) fn fields(release: &Release, plan: &Plan, when: When) -> Vec<Block> {
    let mut changes = lines(plan);
    if plan.drift.is_none() {
        // Either nothing was recorded when this went live, or it is started once more as it could not be verified.
        changes.push(Line::plain("no change is known; what is stored now is read"));
    }
    changes.extend(unchecked(plan));
    let mut blocks: Vec<_> = field("Configuration", changes).into_iter().collect();
    let runs = words::commit(Line::default(), &plan.commit).text(", no new commit, no migrations");
    blocks.extend(field(if when == When::Past { "Brought again" } else { "Brings again" }, vec![runs]));
    blocks.extend(field("Image", vec![plan::image(release, plan, when)]));
    blocks
}

/// Nothing differs.
pub(super) fn nothing(view: &ReleaseView<'_>) -> Message {
    let release = view.release;
    let stands = Line::plain("nothing to deploy: unchanged since ").join(commit(release)).text(" went live");
    let mut message = message(view, Mark::Ended, stands);
    if let Some(drift) = release.plan.as_ref().and_then(|plan| plan.drift.as_ref()) {
        message.body.push(Block::Line(Line::default().join(commit(release)).text(" went live at ").time(drift.since)));
    }
    message
}

/// A word for how a key stands.
pub(in super::super) fn how(change: Option<KeyChange>) -> &'static str {
    change.map_or("–", KeyChange::name)
}
