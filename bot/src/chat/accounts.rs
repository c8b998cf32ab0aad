//! The accounts that people have in one chat.

use slipway_core::ids::PersonId;
use slipway_core::person::{Directory, Person, Platform};
use std::collections::BTreeMap;

/// The accounts of everybody who has one there.
pub(super) fn accounts(people: &Directory, platform: Platform) -> BTreeMap<PersonId, String> {
    let account = |person: &Person| person.on(platform).map(|account| (person.id.clone(), account.id().to_owned()));
    people.iter().filter_map(account).collect()
}

/// The account of a person; of somebody who is none, the id itself is the account's.
pub(super) fn account(people: &Directory, person: &PersonId, platform: Platform) -> Option<String> {
    match people.get(person) {
        Some(person) => person.on(platform).map(|account| account.id().to_owned()),
        None => Some(person.as_str().to_owned()),
    }
}
