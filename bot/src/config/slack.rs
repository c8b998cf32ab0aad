//! `[slack]`.

use super::model::{Slack, SlackMode};
use super::section::{Checker, Keys, Place, Section, Wrong};
use super::values;

/// Most reactions that mean the same.
pub const REACTION_LIMIT: usize = 10;
/// Longest name of a reaction.
const REACTION_LIMIT_CHARS: usize = 100;
/// What approves when nothing is given.
const APPROVE_DEFAULT: &str = "white_check_mark";
/// What vetoes when nothing is given.
const VETO_DEFAULT: &str = "x";

pub(super) const KEYS: Keys = &[
    ("app_id", r#""A0KRD7HC3""#),
    ("team_id", r#""T9TK3CUKW""#),
    ("mode", r#""http""#),
    ("api_url", r#""https://slack.com/api""#),
    ("approve", r#"["white_check_mark"]"#),
    ("veto", r#"["x"]"#),
];

pub(super) fn slack(c: &mut Checker<'_>, root: &Section<'_, '_>, public_url: Option<&str>) -> Option<Slack> {
    let section = root.table(c, "slack", KEYS)?;
    let mode = section.read(c, "mode", |text| values::choice(text, &SlackMode::ALL));
    let mode = mode.map_or(SlackMode::default(), |(mode, _)| mode);
    if mode == SlackMode::Http && public_url.is_none() {
        let mend = "add public_url under [server], or mode = \"socket\" here";
        c.absent_warning(&section.place, "does not say under which address Slack reaches this bot", mend);
    }
    let approve = section.list(c, "approve", REACTION_LIMIT, reaction);
    let veto = section.list(c, "veto", REACTION_LIMIT, reaction);
    if let Some((both, place)) = veto.iter().find(|(name, _)| approve.iter().any(|(other, _)| other == name)) {
        c.error(place, format!("{both:?} approves as well"), "remove it from one of the two lists");
    }
    Some(Slack {
        app_id: section.read(c, "app_id", |text| values::slack_id(text, "A", "app")).map(|(id, _)| id),
        team_id: section.read(c, "team_id", |text| values::slack_id(text, "TE", "workspace")).map(|(id, _)| id),
        mode,
        api_url: section
            .read(c, "api_url", values::base_url)
            .map_or_else(|| "https://slack.com/api".to_owned(), |(url, _)| url),
        approve: or_default(&section, "approve", approve, APPROVE_DEFAULT),
        veto: or_default(&section, "veto", veto, VETO_DEFAULT),
    })
}

/// An empty list is meant: then no reaction is such a vote.
fn or_default(section: &Section<'_, '_>, key: &str, listed: Vec<(String, Place)>, default: &str) -> Vec<String> {
    if section.value(key).is_none() {
        return vec![default.to_owned()];
    }
    listed.into_iter().map(|(name, _)| name).collect()
}

/// A reaction by the name that Slack gives it.
fn reaction(text: &str) -> Result<String, Wrong> {
    let name = text.trim_matches(':');
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '+' | '\'');
    if name.is_empty() || name.len() > REACTION_LIMIT_CHARS || !name.chars().all(allowed) {
        let mend = "write what Slack shows between colons, such as \"white_check_mark\"";
        return Err(Wrong::new(format!("{text:?} is no name of a reaction"), mend));
    }
    Ok(name.to_owned())
}
