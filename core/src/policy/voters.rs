//! Who can give the missing approvals, and who cannot and why: for the plan's message.

use super::ballot::Trial;
use super::set::PolicySet;
use super::slots::merged;
use super::stack::with_room;
use super::{Case, Stance};
use crate::ids::{PersonId, TeamName};
use serde::{Deserialize, Serialize};

/// One team whose approval is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panel {
    /// The team.
    pub team: TeamName,
    /// How many more.
    pub missing: u32,
    /// Members whose approval would count and who have not voted. Empty: nobody can.
    pub who: Vec<PersonId>,
    /// Members who cannot approve this release.
    pub refused: Vec<Refused>,
    /// Whether these would do instead of those of the team before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub instead: bool,
}

/// Somebody who is in the team and yet cannot approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Who.
    pub person: PersonId,
    /// The `@why` of every rule that refuses them; empty when there is just no rule that allows it.
    pub why: Vec<String>,
}

impl PolicySet {
    /// The teams whose approvals are missing now. Empty when no approval would help.
    #[must_use]
    pub fn voters(&self, case: &Case<'_>) -> Vec<Panel> {
        let slots = merged(&self.may_execute(case));
        let Some(requester) = case.requester else { return Vec::new() };
        let Ok(trial) = with_room(|| Trial::new(&self.0, case, requester)) else { return Vec::new() };
        // A team that is asked for anyway is named once.
        let is_asked = |team: &TeamName| slots.iter().any(|slot| slot.team == *team);
        let all: Vec<_> = slots
            .iter()
            .flat_map(|slot| {
                let instead = slot.or.iter().filter(|or| !is_asked(&or.team)).map(|or| (or.clone(), true));
                [(slot.clone(), false)].into_iter().chain(instead)
            })
            .collect();
        let panel = |(slot, instead): (super::Slot, bool)| {
            let members = case.people.iter().filter(|person| person.teams.contains(&slot.team));
            let verdicts = trial.votes(members, Stance::Approve).unwrap_or_default();
            let refused = verdicts.into_iter().filter(|(_, verdict)| !verdict.allow);
            let refused = refused.map(|(person, verdict)| Refused {
                person: person.id.clone(),
                why: verdict.forbids.iter().map(|rule| self.0.why(rule)).chain(verdict.errors).collect(),
            });
            Panel { refused: refused.collect(), team: slot.team, missing: slot.missing, who: slot.who, instead }
        };
        with_room(|| all.into_iter().map(panel).collect())
    }
}
