//! Teams whose members are kept elsewhere, in a GitHub team, a Slack user group or a Discord role: what was last seen there, for how
//! long that counts, and who is in which team by it.

use crate::facts::{Observed, SKEW_LIMIT_S};
use crate::ids::{PersonId, TeamName};
use crate::person::{Directory, Identity};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

#[cfg(test)]
mod tests;

/// Where members of a team are kept outside of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kept_in", rename_all = "snake_case")]
pub enum Source {
    /// A team of a GitHub organisation. Its members' ids are their logins.
    GithubTeam {
        /// The organisation's login.
        organisation: String,
        /// The team's slug.
        slug: String,
    },
    /// A Slack user group. Its members' ids are user ids such as `U012AB3CD`.
    SlackGroup {
        /// The group's id, such as `S0614TZR7`.
        id: String,
    },
    /// A role of a Discord server. Its members' ids are user ids such as `80351110224678912`.
    DiscordRole {
        /// The server's id.
        guild: String,
        /// The role's id.
        id: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GithubTeam { organisation, slug } => write!(f, "GitHub team {organisation}/{slug}"),
            Self::SlackGroup { id } => write!(f, "Slack user group {id}"),
            Self::DiscordRole { id, .. } => write!(f, "Discord role {id}"),
        }
    }
}

impl Source {
    /// Its name in the store and in the keys of deliveries: `github:acme/release-managers`, `slack:S0614TZR7`,
    /// `discord:290926798626357999/1032011029`.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::GithubTeam { organisation, slug } => format!("github:{organisation}/{slug}"),
            Self::SlackGroup { id } => format!("slack:{id}"),
            Self::DiscordRole { guild, id } => format!("discord:{guild}/{id}"),
        }
    }

    /// The account behind a member's id.
    #[must_use]
    pub fn identity(&self, member: &str) -> Identity {
        match self {
            Self::GithubTeam { .. } => Identity::Github(member.to_owned()),
            Self::SlackGroup { .. } => Identity::Slack(member.to_owned()),
            Self::DiscordRole { .. } => Identity::Discord(member.to_owned()),
        }
    }

    /// The known people among its members. A member who is no known person is nobody.
    #[must_use]
    pub fn known<'a>(&self, members: impl IntoIterator<Item = &'a String>, people: &Directory) -> BTreeSet<PersonId> {
        let person = |member: &String| people.by_identity(&self.identity(member)).map(|person| person.id.clone());
        members.into_iter().filter_map(person).collect()
    }
}

/// A team and one of the places where its members are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// The team.
    pub team: TeamName,
    /// The place.
    pub source: Source,
}

/// What is known of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roll {
    /// Its members, by the ids they have there, and when they were last seen.
    pub seen: Option<Observed<BTreeSet<String>>>,
    /// Why they cannot be seen now.
    pub trouble: Option<Trouble>,
}

/// Why a source cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// In sentences for people. They may hold words of the outside.
    pub what: String,
    /// Since when.
    pub since: Timestamp,
    /// How often it has been tried since. 0: not at all, because what was seen before cannot be read back.
    pub tries: u32,
    /// It is not tried again before this moment.
    pub again_at: Timestamp,
}

/// The longest rest that a source may ask for, in seconds.
pub const REST_LIMIT_S: i64 = 60 * 60;

impl Roll {
    /// Of a source of which something is kept that cannot be read back: nobody counts as its member until it is looked at
    /// again, which is due at once.
    #[must_use]
    pub fn unreadable(now: Timestamp) -> Self {
        let what = "What Slipway last saw there cannot be looked up.".to_owned();
        Self { seen: None, trouble: Some(Trouble { what, since: now, tries: 0, again_at: now }) }
    }

    /// As it is to be taken at a moment. What was seen later than that was seen by a clock that was wrong: nobody knows
    /// when, so it was never seen. Nor is a rest kept that began then.
    #[must_use]
    pub fn as_of(mut self, now: Timestamp) -> Self {
        self.seen = self.seen.filter(|seen| age_s(seen.at, now) >= -SKEW_LIMIT_S);
        if let Some(trouble) = &mut self.trouble
            && age_s(trouble.again_at, now) < -(REST_LIMIT_S + SKEW_LIMIT_S)
        {
            trouble.again_at = now;
        }
        self
    }

    /// Whether what was last seen is at most `age_max_s` seconds old.
    #[must_use]
    pub fn counts(&self, now: Timestamp, age_max_s: i64) -> bool {
        self.seen.as_ref().is_some_and(|seen| age_s(seen.at, now) <= age_max_s)
    }

    /// After its members were seen. `None`: they have been seen later than that already.
    #[must_use]
    pub fn read(&self, members: BTreeSet<String>, at: Timestamp) -> Option<Self> {
        let newer = self.seen.as_ref().is_none_or(|seen| seen.at <= at);
        newer.then_some(Self { seen: Some(Observed { value: members, at }), trouble: None })
    }

    /// After a try that failed. What was seen before stays. `None`: its members have been seen since.
    #[must_use]
    pub fn failed(&self, what: String, at: Timestamp, again_at: Timestamp) -> Option<Self> {
        if self.seen.as_ref().is_some_and(|seen| seen.at > at) {
            return None;
        }
        let (since, tries) = self.trouble.as_ref().map_or((at, 0), |before| (before.since, before.tries));
        let trouble = Trouble { what, since, tries: tries.saturating_add(1), again_at };
        Some(Self { seen: self.seen.clone(), trouble: Some(trouble) })
    }
}

/// How a team's source stands at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// The team.
    pub team: TeamName,
    /// The source.
    pub source: Source,
    /// When its members were last seen.
    pub seen_at: Option<Timestamp>,
    /// Why they cannot be seen now.
    pub trouble: Option<Trouble>,
    /// Whether what was last seen counts for asking. If not, nobody is in the team by this source.
    pub counts: bool,
}

impl SourceState {
    /// Whether its members must be seen again before anything is started.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp, fact_age_max_s: i64) -> bool {
        !self.counts || self.seen_at.is_none_or(|at| age_s(at, now) > fact_age_max_s)
    }
}

/// Everybody with the teams that count at a moment, and how the sources of the teams stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Muster {
    /// Everybody.
    pub people: Directory,
    /// One for each roster, in its order.
    pub sources: Vec<SourceState>,
}

/// Adds to the teams of the configuration those of the sources whose members were seen at most `age_max_s` seconds ago.
#[must_use]
pub fn muster(
    configured: &Directory,
    rosters: &[Roster],
    rolls: &BTreeMap<Source, Roll>,
    now: Timestamp,
    age_max_s: i64,
) -> Muster {
    let mut more: BTreeMap<PersonId, BTreeSet<TeamName>> = BTreeMap::new();
    let mut sources = Vec::new();
    for Roster { team, source } in rosters {
        let roll = rolls.get(source).cloned().unwrap_or_default().as_of(now);
        let counts = roll.counts(now, age_max_s);
        for person in roll.seen.iter().filter(|_| counts).flat_map(|seen| source.known(&seen.value, configured)) {
            more.entry(person).or_default().insert(team.clone());
        }
        let (team, source, seen_at) = (team.clone(), source.clone(), roll.seen.map(|seen| seen.at));
        sources.push(SourceState { team, source, seen_at, trouble: roll.trouble, counts });
    }
    Muster { people: configured.with_teams(more), sources }
}

fn age_s(at: Timestamp, now: Timestamp) -> i64 {
    now.as_second() - at.as_second()
}
