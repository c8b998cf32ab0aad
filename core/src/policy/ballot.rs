//! A planned release before the policies: whose votes count, and what the answer is under which circumstances.

use super::fact::Outlook;
use super::names::{Action, Type, long, uid};
use super::set::{Inner, Question, Verdict};
use super::slots::Counts;
use super::world::{self, Attributes};
use super::{Case, Stance, clock};
use crate::ids::PersonId;
use crate::person::Person;
use cedar_policy::{Entities, EntityUid};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// A case with everything worked out that stays the same from question to question.
pub(super) struct Trial<'a> {
    pub(super) set: &'a Inner,
    pub(super) case: &'a Case<'a>,
    requester: &'a Person,
    timezone: TimeZone,
    release: EntityUid,
    attributes: Attributes<'a>,
}

/// What `execute` is asked under: as things are, or as they might be.
#[derive(Clone)]
pub(super) struct Circumstances<'a> {
    pub(super) counts: Counts,
    pub(super) vetoes: usize,
    pub(super) outlook: Outlook<'a>,
    pub(super) now: Timestamp,
}

/// The votes that count.
pub(super) struct Ballot<'a> {
    /// Distinct people with a valid approval.
    pub(super) approvers: Vec<&'a Person>,
    /// Distinct people with a standing veto.
    pub(super) objectors: Vec<PersonId>,
    /// Everybody who voted one way or the other, so that nobody is asked to vote again.
    pub(super) voted: BTreeSet<&'a PersonId>,
}

impl<'a> Trial<'a> {
    pub(super) fn new(set: &'a Inner, case: &'a Case<'a>, requester: &'a Person) -> Result<Self, String> {
        Ok(Self {
            set,
            case,
            requester,
            timezone: clock::timezone(case.timezone)?,
            release: world::release_uid(case),
            attributes: Attributes::of(case.plan, &requester.id),
        })
    }

    /// Whether each of these people may vote so, asked with everything as it is now.
    pub(super) fn votes<'p>(
        &self,
        people: impl IntoIterator<Item = &'p Person>,
        stance: Stance,
    ) -> Result<Vec<(&'p Person, Verdict)>, String> {
        let people: Vec<_> = people.into_iter().collect();
        if people.is_empty() {
            return Ok(Vec::new());
        }
        let entities = self.entities(&people, &self.no_counts())?;
        let ask = |person: &Person| -> Result<Verdict, String> {
            let question = self.vote(person, stance, Outlook::Observed(self.case.facts), self.case.now)?;
            Ok(self.set.ask(question, &entities))
        };
        people.into_iter().map(|person| Ok((person, ask(person)?))).collect()
    }

    /// The question whether this vote is allowed.
    pub(super) fn vote(
        &self,
        person: &Person,
        stance: Stance,
        outlook: Outlook<'_>,
        now: Timestamp,
    ) -> Result<Question, String> {
        Ok(Question {
            principal: uid(Type::Person, person.id.as_str()),
            action: match stance {
                Stance::Approve => Action::Approve,
                Stance::Veto => Action::Veto,
            },
            resource: self.release.clone(),
            context: world::release_context(now, &self.timezone, outlook, None)?,
        })
    }

    /// Counts the votes: approvals of exactly this plan and vetoes on any plan of this release, by people who are
    /// known and allowed now. Somebody who objects does not approve at the same time. A veto whose permission
    /// cannot be evaluated stands; an approval then does not.
    pub(super) fn ballot(&self) -> Result<Ballot<'a>, String> {
        let case = self.case;
        let digest = case.plan.digest();
        let by = |stance| case.votes.iter().filter(move |vote| vote.stance == stance);
        let vetoed: BTreeSet<_> = by(Stance::Veto).map(|vote| &vote.person).collect();
        let approved = by(Stance::Approve).filter(|vote| vote.digest == digest).map(|vote| &vote.person);
        let approved: BTreeSet<_> = approved.filter(|person| !vetoed.contains(person)).collect();
        let known = |ids: &BTreeSet<&'a PersonId>| -> Vec<&'a Person> {
            ids.iter().filter_map(|id| case.people.get(id)).collect()
        };
        let approvals = self.votes(known(&approved), Stance::Approve)?;
        let vetoes = self.votes(known(&vetoed), Stance::Veto)?;
        Ok(Ballot {
            approvers: approvals.into_iter().filter(|(_, v)| v.allow).map(|(person, _)| person).collect(),
            objectors: vetoes
                .into_iter()
                .filter(|(_, verdict)| verdict.allow || !verdict.errors.is_empty())
                .map(|(person, _)| person.id.clone())
                .collect(),
            voted: approved.union(&vetoed).copied().collect(),
        })
    }

    /// As things are, with these counts.
    pub(super) fn as_it_is(&self, counts: Counts, ballot: &Ballot<'_>) -> Circumstances<'a> {
        Circumstances {
            counts,
            vetoes: ballot.objectors.len(),
            outlook: Outlook::Observed(self.case.facts),
            now: self.case.now,
        }
    }

    /// Asks every rule whether the release may run.
    pub(super) fn execute(&self, circumstances: &Circumstances<'_>) -> Result<Verdict, String> {
        let entities = self.execute_entities(&circumstances.counts)?;
        Ok(self.set.ask(self.execution(circumstances)?, &entities))
    }

    /// Whether this one rule would forbid it under these circumstances; when in doubt, it would.
    pub(super) fn forbids(&self, rule: &str, circumstances: &Circumstances<'_>) -> bool {
        match self.execute_entities(&circumstances.counts) {
            Ok(entities) => self.forbids_with(rule, circumstances, &entities),
            Err(_) => true,
        }
    }

    /// The same when the entities are at hand.
    pub(super) fn forbids_with(&self, rule: &str, circumstances: &Circumstances<'_>, entities: &Entities) -> bool {
        self.execution(circumstances).map_or(true, |question| self.set.forbids(rule, question, entities))
    }

    /// The entities for `execute`: the counts are tags of the release.
    pub(super) fn execute_entities(&self, counts: &Counts) -> Result<Entities, String> {
        self.entities(&[], counts)
    }

    fn execution(&self, circumstances: &Circumstances<'_>) -> Result<Question, String> {
        let Circumstances { counts: _, vetoes, outlook, now } = circumstances;
        Ok(Question {
            principal: uid(Type::Person, self.requester.id.as_str()),
            action: Action::Execute,
            resource: self.release.clone(),
            context: world::release_context(*now, &self.timezone, *outlook, Some(*vetoes))?,
        })
    }

    /// The release, its requester and these people. Each counted team has its tag, if only 0, so that a rule
    /// like `when { hasTag && getTag < 1 }` does not pass for want of a tag.
    pub(super) fn entities(&self, people: &[&Person], counts: &Counts) -> Result<Entities, String> {
        let tags = self.set.counted.iter().zip(counts).map(|(team, count)| (team.as_str().to_owned(), long(*count)));
        let release = self.attributes.entity(&self.release, tags.collect())?;
        let teams = &self.set.teams;
        let others = people.iter().filter(|person| person.id != self.requester.id);
        let all = others.map(|person| world::person(person, teams));
        world::entities(all.chain([world::person(self.requester, teams), release]), &self.set.schema)
    }

    /// Counts for questions that come before counting.
    pub(super) fn no_counts(&self) -> Counts {
        vec![0; self.set.counted.len()]
    }
}
