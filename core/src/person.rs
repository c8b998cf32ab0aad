//! People and their identities in the chats. Ids identify; display names never do.

use crate::ids::{PersonId, TeamName};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Who somebody is in one chat or forge, by that platform's stable id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "platform", content = "id", rename_all = "snake_case")]
pub enum Identity {
    /// A Slack user id such as `U012AB3CD`.
    Slack(String),
    /// A Discord user id (snowflake).
    Discord(String),
    /// A GitHub login. Logins are compared without regard to case, as GitHub does.
    Github(String),
    /// A name in the terminal chat, which trusts whoever holds the API token.
    Terminal(String),
}

/// One human with the teams they belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name of the `[person.NAME]` section.
    pub id: PersonId,
    /// The teams, as policies name them.
    pub teams: BTreeSet<TeamName>,
    /// All identities of this person.
    pub identities: Vec<Identity>,
}

/// Everybody Slipway knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    people: BTreeMap<PersonId, Person>,
    by_identity: BTreeMap<Identity, PersonId>,
}

impl Directory {
    /// Builds the directory. An identity that two people claim belongs to neither: the caller's
    /// configuration check reports it, and until then nobody can act through it.
    #[must_use]
    pub fn new(people: impl IntoIterator<Item = Person>) -> Self {
        let mut directory = Self::default();
        let mut claimed_twice = BTreeSet::new();
        for person in people {
            for identity in &person.identities {
                let identity = normalised(identity);
                let previous = directory.by_identity.insert(identity.clone(), person.id.clone());
                if previous.is_some_and(|other| other != person.id) {
                    claimed_twice.insert(identity);
                }
            }
            directory.people.insert(person.id.clone(), person);
        }
        for identity in claimed_twice {
            directory.by_identity.remove(&identity);
        }
        directory
    }

    /// The same people, some of them in more teams. Whoever is not in the directory is nobody.
    #[must_use]
    pub fn with_teams(&self, more: impl IntoIterator<Item = (PersonId, BTreeSet<TeamName>)>) -> Self {
        let mut directory = self.clone();
        for (id, teams) in more {
            if let Some(person) = directory.people.get_mut(&id) {
                person.teams.extend(teams);
            }
        }
        directory
    }

    /// The person behind an identity.
    #[must_use]
    pub fn by_identity(&self, identity: &Identity) -> Option<&Person> {
        self.people.get(self.by_identity.get(&normalised(identity))?)
    }

    /// The person of that name.
    #[must_use]
    pub fn get(&self, id: &PersonId) -> Option<&Person> {
        self.people.get(id)
    }

    /// Everybody, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }
}

fn normalised(identity: &Identity) -> Identity {
    match identity {
        Identity::Github(login) => Identity::Github(login.to_ascii_lowercase()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: &str, identities: Vec<Identity>) -> Person {
        Person { id: id.into(), teams: BTreeSet::new(), identities }
    }

    #[test]
    fn an_identity_claimed_twice_belongs_to_nobody() {
        let shared = Identity::Github("Dev".into());
        let directory = Directory::new([
            person("ana", vec![shared.clone(), Identity::Slack("U1".into())]),
            person("bob", vec![Identity::Github("dev".into())]),
        ]);
        assert_eq!(directory.by_identity(&shared), None);
        assert_eq!(directory.by_identity(&Identity::Slack("U1".into())).unwrap().id, "ana".into());
        assert_eq!(directory.by_identity(&Identity::Discord("U1".into())), None);
    }
}
