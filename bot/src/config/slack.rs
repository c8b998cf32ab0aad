//! `[slack]`.

use super::model::{Slack, SlackMode};
use super::reactions::reactions;
use super::section::{Checker, Keys, Section, Wrong};
use super::values;

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
        let mend = "add public_url under [server], without which there is no manifest, or mode = \"socket\" here";
        c.absent_warning(&section.place, "does not say under which address Slack reaches this bot", mend);
    }
    let (approve, veto) = reactions(c, &section, reaction, [APPROVE_DEFAULT, VETO_DEFAULT]);
    Some(Slack {
        app_id: section.read(c, "app_id", |text| values::slack_id(text, "A", "app")).map(|(id, _)| id),
        team_id: section.read(c, "team_id", |text| values::slack_id(text, "TE", "workspace")).map(|(id, _)| id),
        mode,
        api_url: section
            .read(c, "api_url", values::base_url)
            .map_or_else(|| "https://slack.com/api".to_owned(), |(url, _)| url),
        approve,
        veto,
    })
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
