//! Who changed the policies lately, from the sets that were in force.

use crate::store::PolicyVersion;
use jiff::Timestamp;
use slipway_core::ids::PersonId;
use slipway_core::person::{Directory, Identity};
use slipway_core::policy::{PolicyChange, PolicySet, Vocabulary};
use std::collections::BTreeSet;
use tracing::warn;

/// How many sets are looked back at.
pub const HISTORY_LIMIT: u32 = 40;

/// The changes by people whom Slipway knows, oldest first. `versions` are in the order of the store: newest first.
#[must_use]
pub fn changes(versions: &[PolicyVersion], people: &Directory, vocabulary: &Vocabulary) -> Vec<PolicyChange> {
    let change = |pair: &[PolicyVersion]| {
        let [after, before] = pair else { return None };
        let by = known(&after.version.reading.authors, people);
        if by.is_empty() {
            return None;
        }
        let at = Timestamp::from_millisecond(after.in_force_since_ms?).ok()?;
        Some(PolicyChange { by, at, before: parse(before, vocabulary)?, after: parse(after, vocabulary)? })
    };
    versions.windows(2).rev().filter_map(change).collect()
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
            warn!(version = version.seq, %error, "an earlier policy set fits this version no more: who changed it is forgotten");
            None
        }
    }
}
