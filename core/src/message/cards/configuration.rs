//! What `/release config` answers: the keys of each secret, and which differ since what runs was started. No values.

use super::super::{Block, Line, Message};
use super::release::{config_command, config_names, key_stands};
use super::words::{self, DOT};
use crate::configuration::{Changed, Drift, KeyChange, KeysSeen, SecretChange};
use crate::ids::EnvironmentKey;
use crate::plan::ConfigVersion;
use std::collections::BTreeSet;

/// How many keys of one environment an answer lists.
const KEYS_SHOWN_LIMIT: usize = 40;
/// How many names the first line has room for.
const NAMES_SHOWN_LIMIT: usize = 4;
/// How many characters of a version's id are shown.
const VERSION_SHOWN_CHARS: usize = 8;

/// The configuration of one environment as it was just seen.
#[derive(Clone, Debug)]
pub struct ConfigurationView {
    /// Which.
    pub key: EnvironmentKey,
    /// Its secrets, or why they could not be read. May quote the outside: untrusted.
    pub seen: Result<Vec<ConfigVersion>, String>,
    /// What differs since what runs was started; `None` where that is not recorded.
    pub drift: Option<Drift>,
}

/// `goals → staging · config changed since 9a77d01 went live: SMTP_HOST`.
#[must_use]
pub fn configuration(views: &[ConfigurationView]) -> Message {
    let mut message = Message::answer(headline(views), []);
    for (i, view) in views.iter().enumerate() {
        if i > 0 {
            message.body.push(Block::Gap);
        }
        if views.len() > 1 {
            message.body.push(Block::Line(Line::default().strong(view.key.to_string())));
        }
        message.body.extend(body(view));
    }
    message
}

fn headline(views: &[ConfigurationView]) -> Line {
    let [only] = views else {
        let changed = views.iter().filter(|v| v.drift.as_ref().is_some_and(|drift| !drift.changes.is_empty())).count();
        let line = words::count(views.len(), "environment");
        return Line::plain(match changed {
            0 => format!("{line}{DOT}no config known to have changed"),
            n => format!("{line}{DOT}config changed in {n}"),
        });
    };
    let line = Line::plain(format!("{}{DOT}", only.key));
    match (&only.seen, &only.drift) {
        (Err(_), _) => line.text("the configuration could not be read"),
        (Ok(_), None) => line.text("not known what the running version was started with"),
        (Ok(_), Some(drift)) => {
            let names = config_names(drift);
            if names.is_empty() {
                return words::commit(line.text("config as it was when "), &drift.commit).text(" went live");
            }
            let line = words::commit(line.text("config changed since "), &drift.commit).text(" went live: ");
            let line = words::untrusted_list(line, names.iter().take(NAMES_SHOWN_LIMIT).copied(), ", ");
            let more = names.len().saturating_sub(NAMES_SHOWN_LIMIT);
            if more > 0 { line.text(format!(" and {more} more")) } else { line }
        }
    }
}

fn body(view: &ConfigurationView) -> Vec<Block> {
    let secrets = match &view.seen {
        Ok(secrets) => secrets,
        Err(why) => return vec![Block::Line(Line::default().untrusted(why.as_str()))],
    };
    if secrets.is_empty() {
        let line = Line::plain("No secret is named for this environment: ").code("config = [\"…\"]");
        return vec![Block::Line(line.text(" in slipway.toml."))];
    }
    let rows: Vec<_> = secrets.iter().flat_map(|secret| rows(secret, change(view, secret))).collect();
    let more = rows.len().saturating_sub(KEYS_SHOWN_LIMIT);
    let head = ["key", "secret", "since it went live"].map(str::to_owned).into();
    let table = Block::Table { head, rows: rows.into_iter().take(KEYS_SHOWN_LIMIT).collect() };
    let more = (more > 0).then(|| Block::Line(Line::plain(format!("and {more} more"))));
    let versions = secrets.iter().map(|secret| Block::Line(version(secret)));
    let unknown: BTreeSet<_> = secrets.iter().filter_map(why_no_keys).collect();
    let unknown = unknown.into_iter().map(|why| Block::Line(Line::plain(why)));
    let mut blocks: Vec<_> = [table].into_iter().chain(more).chain(versions).chain(unknown).collect();
    match &view.drift {
        None => {
            let line =
                "What runs was brought before Slipway recorded this, or not by Slipway; the next release records it.";
            blocks.push(Block::Line(Line::plain(line)));
        }
        Some(drift) if drift.changes.is_empty() => {}
        Some(_) => {
            let command = config_command(&view.key.environment);
            blocks.push(Block::Line(Line::plain("To deploy it: ").code(command)));
        }
    }
    blocks
}

fn change<'a>(view: &'a ConfigurationView, secret: &ConfigVersion) -> Option<&'a SecretChange> {
    view.drift.as_ref()?.changes.iter().find(|change| change.secret == secret.secret)
}

/// One row a key; one for the whole secret where no key is known.
fn rows(secret: &ConfigVersion, change: Option<&SecretChange>) -> Vec<Vec<Line>> {
    let row = |name: &str, how: Line| {
        vec![Line::default().untrusted(name), Line::default().untrusted(secret.secret.as_str()), how]
    };
    let whole = match change.map(|change| &change.what) {
        Some(Changed::Somehow { why }) => format!("changed ({})", why.why()),
        Some(Changed::Added) => "new".to_owned(),
        Some(Changed::Keys { .. }) | None => String::new(),
    };
    let KeysSeen::Hashed(fingerprints) = &secret.keys else {
        return vec![row("–", Line::plain(if whole.is_empty() { "–".to_owned() } else { whole }))];
    };
    let changed = match change.map(|change| &change.what) {
        Some(Changed::Keys { keys }) => Some(keys),
        _ => None,
    };
    let stands = |name: &String| match &changed {
        None if !whole.is_empty() => Line::plain(whole.clone()),
        None => Line::plain(key_stands(None)),
        Some(keys) => Line::plain(key_stands(keys.get(name).copied())),
    };
    let removed = changed.iter().flat_map(|keys| keys.iter().filter(|(_, how)| **how == KeyChange::Removed));
    let names: BTreeSet<_> = fingerprints.of.keys().chain(removed.map(|(name, _)| name)).collect();
    // What differs comes first, so that it is not among the rest that is cut off.
    let (first, rest): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| changed.is_some_and(|keys| keys.contains_key(*name)));
    first.into_iter().chain(rest).map(|name| row(name, stands(name))).collect()
}

/// `goals/staging  version 0f6d5c1e, stored at 14:02`.
fn version(secret: &ConfigVersion) -> Line {
    let id: String = secret.version_id.chars().take(VERSION_SHOWN_CHARS).collect();
    let line = Line::default().untrusted(secret.secret.as_str()).text("  version ").code(id);
    secret.stored_at.map_or(line.clone(), |at| line.text(", stored at ").time(at))
}

fn why_no_keys(secret: &ConfigVersion) -> Option<&'static str> {
    match secret.keys {
        KeysSeen::Hashed(_) => None,
        KeysSeen::NotHashed => {
            Some("Keys are not looked at: SLIPWAY_CONFIG_HMAC_KEY is not set, so no value may be compared.")
        }
        KeysSeen::NotAllowed => Some(
            "Keys are not looked at: AWS does not allow secretsmanager:GetSecretValue. Add it to the policy of the \
             bot's role.",
        ),
    }
}
