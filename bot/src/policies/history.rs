//! Who changed the policies lately, from the sets that were in force.

use super::Source;
use crate::store::PolicyVersion;
use jiff::Timestamp;
use slipway_core::ids::PersonId;
use slipway_core::person::{Directory, Identity};
use slipway_core::policy::{PolicyChange, PolicySet, Vocabulary};
use std::collections::BTreeSet;
use tracing::error;

/// How many sets are looked back at.
pub const HISTORY_LIMIT: u32 = 100;

/// The changes, oldest first. `versions` are in the order of the store: newest first.
#[must_use]
pub fn changes(versions: &[PolicyVersion], people: &Directory, vocabulary: &Vocabulary) -> Vec<PolicyChange> {
    let by = |version: &PolicyVersion| known(&version.version.reading.authors, people);
    let sets: Vec<_> = versions.iter().map(|version| parse(version, vocabulary)).collect();
    let change = |pair: usize| {
        let (after, before) = (&versions[pair], &versions[pair + 1]);
        // Whoever moved the policies elsewhere, or has them in a folder, is not known and not asked for.
        let told =
            after.version.source == before.version.source && matches!(after.version.source, Source::Repository { .. });
        let reading = &after.version.reading;
        let by = by(after);
        Some(PolicyChange {
            by_others: told && (reading.anonymous || by.len() < reading.authors.len()),
            by,
            at: Timestamp::from_millisecond(after.in_force_since_ms?).ok()?,
            before: sets[pair + 1].clone(),
            after: sets[pair].clone(),
        })
    };
    (0..versions.len().saturating_sub(1)).rev().filter_map(change).collect()
}

/// The people behind GitHub logins.
pub(crate) fn known(logins: &BTreeSet<String>, people: &Directory) -> BTreeSet<PersonId> {
    let person = |login: &String| people.by_identity(&Identity::Github(login.clone()));
    logins.iter().filter_map(person).map(|person| person.id.clone()).collect()
}

/// An earlier set as it would speak of today's teams and environments.
fn parse(version: &PolicyVersion, vocabulary: &Vocabulary) -> Option<PolicySet> {
    let mut text = version.version.reading.text.clone();
    text.vocabulary.teams.extend(vocabulary.teams.iter().cloned());
    text.vocabulary.environments.extend(vocabulary.environments.iter().cloned());
    match text.parse_stored() {
        Ok(set) => Some(set),
        Err(error) => {
            error!(version = version.seq, %error, "an earlier policy set cannot be read any more");
            None
        }
    }
}
