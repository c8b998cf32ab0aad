//! What the audit log holds of a decision's surroundings.

use crate::ids::{PersonId, TeamName};
use crate::person::{Directory, Person};
use crate::policy::{Override, Past, Vote};
use crate::release::Release;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What policy had to know beside a release when it judged: who belonged to which team, what the image had done, and
/// what time it was there. Stored for ever: a new field needs a default, a changed meaning a new name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedStanding {
    /// The teams of those who matter to it, as far as they were known.
    pub people: BTreeMap<PersonId, BTreeSet<TeamName>>,
    /// The past of its image.
    #[serde(default)]
    pub past: Past,
    /// The environment's time zone, an IANA name.
    pub timezone: String,
    /// Of a release that another one leads: all votes that counted, the lead's too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<Vote>,
    /// The override that counted there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<Override>,
}

impl RecordedStanding {
    /// Of these people, before there is a plan.
    #[must_use]
    pub fn of_people<'p>(ids: impl IntoIterator<Item = &'p PersonId>, people: &Directory, timezone: &str) -> Self {
        let known = ids.into_iter().filter_map(|id| people.get(id));
        Self {
            people: known.map(|person| (person.id.clone(), person.teams.clone())).collect(),
            past: Past::default(),
            timezone: timezone.to_owned(),
            votes: vec![],
            waiver: None,
        }
    }

    /// Of a release: who asked, wrote, voted and set rules aside, and perhaps somebody more.
    #[must_use]
    pub fn of_release(
        release: &Release,
        more: Option<&PersonId>,
        people: &Directory,
        past: &Past,
        timezone: &str,
    ) -> Self {
        let authors = release.plan.as_ref().map(crate::plan::Plan::authors).unwrap_or_default();
        let voters = release.votes.iter().map(|vote| &vote.person);
        let by = release.waiver.iter().map(|waiver| &waiver.by);
        let ids = [&release.request.requester].into_iter().chain(&authors).chain(voters).chain(by).chain(more);
        Self { past: past.clone(), ..Self::of_people(ids, people, timezone) }
    }

    /// With the votes that count although they were given elsewhere.
    #[must_use]
    pub fn with_votes(mut self, votes: &[Vote], waiver: Option<&Override>, people: &Directory) -> Self {
        let voters = votes.iter().map(|vote| &vote.person).chain(waiver.iter().map(|waiver| &waiver.by));
        self.people
            .extend(voters.filter_map(|id| people.get(id)).map(|person| (person.id.clone(), person.teams.clone())));
        Self { votes: votes.to_vec(), waiver: waiver.cloned(), ..self }
    }

    /// The people as a directory.
    pub(super) fn directory(&self) -> Directory {
        let person = |(id, teams): (&PersonId, &BTreeSet<TeamName>)| Person {
            id: id.clone(),
            teams: teams.clone(),
            identities: vec![],
        };
        Directory::new(self.people.iter().map(person))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_from_before_there_was_a_past_can_be_read() {
        let recorded = r#"{ "people": { "ana": ["developers"] }, "timezone": "Europe/Berlin" }"#;
        let standing: RecordedStanding = serde_json::from_str(recorded).unwrap();
        assert_eq!(standing.past, Past::default());
        assert!(standing.directory().get(&"ana".into()).unwrap().teams.contains(&"developers".into()));
        assert!(
            serde_json::from_str::<RecordedStanding>(r#"{ "people": {} }"#).is_err(),
            "a time zone is never guessed"
        );
    }
}
