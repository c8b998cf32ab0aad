//! The reactions under a card that are votes, in any chat.

use super::section::{Checker, Place, Section, Wrong};

/// Most reactions that mean the same.
pub const REACTION_LIMIT: usize = 10;

/// Those that approve and those that veto, as the section has them, or else one of each.
pub(super) fn reactions(
    c: &mut Checker<'_>,
    section: &Section<'_, '_>,
    reaction: impl Fn(&str) -> Result<String, Wrong>,
    [approve_default, veto_default]: [&str; 2],
) -> (Vec<String>, Vec<String>) {
    let approve = section.list(c, "approve", REACTION_LIMIT, &reaction);
    let veto = section.list(c, "veto", REACTION_LIMIT, &reaction);
    if let Some((both, place)) = veto.iter().find(|(name, _)| approve.iter().any(|(other, _)| other == name)) {
        c.error(place, format!("{both:?} approves as well"), "remove it from one of the two lists");
    }
    (or_default(section, "approve", approve, approve_default), or_default(section, "veto", veto, veto_default))
}

/// An empty list is meant: then no reaction is such a vote.
fn or_default(section: &Section<'_, '_>, key: &str, listed: Vec<(String, Place)>, default: &str) -> Vec<String> {
    if section.value(key).is_none() {
        return vec![default.to_owned()];
    }
    listed.into_iter().map(|(name, _)| name).collect()
}
