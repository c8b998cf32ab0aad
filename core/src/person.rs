//! People and their identities in the chats. Ids identify; display names never do.

use crate::ids::{PersonId, TeamName};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Slipway itself, which asks for what starts by itself. It is in no team, and no account is its own.
static SLIPWAY: LazyLock<Person> =
    LazyLock::new(|| Person { id: PersonId::slipway(), teams: BTreeSet::new(), identities: Vec::new() });

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

/// Where an identity is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Slack.
    Slack,
    /// Discord.
    Discord,
    /// GitHub, where nobody types commands.
    Github,
    /// The terminal chat.
    Terminal,
}

impl Platform {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Slack, Self::Discord, Self::Github, Self::Terminal];

    /// The key in a `[person.NAME]` section.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Github => "github",
            Self::Terminal => "terminal",
        }
    }

    /// The platform of that key.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.key() == key)
    }

    /// The account with that id there.
    #[must_use]
    pub fn account(self, id: &str) -> Identity {
        let id = id.to_owned();
        match self {
            Self::Slack => Identity::Slack(id),
            Self::Discord => Identity::Discord(id),
            Self::Github => Identity::Github(id),
            Self::Terminal => Identity::Terminal(id),
        }
    }

    /// As it is written in a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Slack => "Slack",
            Self::Discord => "Discord",
            Self::Github => "GitHub",
            Self::Terminal => "terminal",
        }
    }
}

impl Identity {
    /// Where it is one.
    #[must_use]
    pub fn platform(&self) -> Platform {
        match self {
            Self::Slack(_) => Platform::Slack,
            Self::Discord(_) => Platform::Discord,
            Self::Github(_) => Platform::Github,
            Self::Terminal(_) => Platform::Terminal,
        }
    }

    /// The account's id there. Outside text.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Slack(id) | Self::Discord(id) | Self::Github(id) | Self::Terminal(id) => id,
        }
    }
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

impl Person {
    /// Their identity on a platform, if they have one.
    #[must_use]
    pub fn on(&self, platform: Platform) -> Option<&Identity> {
        self.identities.iter().find(|identity| identity.platform() == platform)
    }
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

    /// The same with the accounts that people have linked themselves. What the configuration says of a person comes
    /// first: where it names their account on a platform, no link adds another. An identity that it gives to somebody
    /// else belongs to neither, and a link to somebody who is no longer known means nothing.
    #[must_use]
    pub fn with_links<'a>(&self, links: impl IntoIterator<Item = (&'a Identity, &'a PersonId)>) -> Self {
        let mut people = self.people.clone();
        for (identity, person) in links {
            let Some(person) = people.get_mut(person) else { continue };
            if person.on(identity.platform()).is_none() {
                person.identities.push(identity.clone());
            }
        }
        Self::new(people.into_values())
    }

    /// Everybody who claims an identity: one, or several who then all do not have it.
    pub fn claimants<'a>(&'a self, identity: &'a Identity) -> impl Iterator<Item = &'a Person> {
        let wanted = normalised(identity);
        self.people.values().filter(move |person| person.identities.iter().any(|own| normalised(own) == wanted))
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

    /// The person of that name, or Slipway itself.
    #[must_use]
    pub fn get(&self, id: &PersonId) -> Option<&Person> {
        if id.is_slipway() { Some(&SLIPWAY) } else { self.people.get(id) }
    }

    /// Everybody, by name. Slipway itself is nobody.
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
    fn slipway_itself_is_known_and_is_nobody() {
        let directory = Directory::new([person("ana", vec![Identity::Terminal("ana".into())])]);
        let slipway = directory.get(&PersonId::slipway()).unwrap();
        assert!(slipway.teams.is_empty() && slipway.identities.is_empty());
        assert!(directory.iter().all(|person| !person.id.is_slipway()), "so it is never counted among the voters");
        let lent = directory.with_teams([(PersonId::slipway(), BTreeSet::from(["release".into()]))]);
        assert!(lent.get(&PersonId::slipway()).unwrap().teams.is_empty(), "and gets into no team");
        assert!(!PersonId::new("Slipway").is_slipway());
    }

    #[test]
    fn a_link_adds_an_account_and_what_the_configuration_says_comes_first() {
        let (slack, discord) = (|id: &str| Identity::Slack(id.into()), |id: &str| Identity::Discord(id.into()));
        let directory = Directory::new([person("ana", vec![slack("U1")]), person("bob", vec![discord("2")])]);
        let linked = |identity: Identity, who: &str| {
            let linked = directory.with_links([(&identity, &who.into())]);
            linked.by_identity(&identity).map(|person| person.id.to_string())
        };
        for (name, identity, who, whose) in [
            ("an account of nobody", discord("1"), "ana", Some("ana")),
            ("a second one where there is one", slack("U9"), "ana", None),
            ("one that the configuration gives to another", discord("2"), "ana", None),
            ("one that is theirs anyway", discord("2"), "bob", Some("bob")),
            ("of somebody who has left", discord("1"), "zoe", None),
            ("the same of somebody who is there", discord("2"), "zoe", Some("bob")),
        ] {
            assert_eq!(linked(identity, who).as_deref(), whose, "{name}");
        }
        let linked = directory.with_links([(&discord("1"), &"ana".into())]);
        assert_eq!(linked.by_identity(&slack("U1")).map(|person| &person.id), Some(&"ana".into()));
        assert_eq!(linked.get(&"ana".into()).unwrap().identities.len(), 2);
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
