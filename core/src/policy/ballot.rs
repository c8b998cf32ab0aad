//! A planned release before the policies: whose votes count, and what the answer is under which circumstances.

use super::fact::Outlook;
use super::names::{Action, Type, long, uid};
use super::set::{Inner, Question, Verdict};
use super::slots::Counts;
use super::world::{self, Attributes, Extra, Moment};
use super::{Case, Override, Stance, clock};
use crate::ids::{PersonId, TeamName};
use crate::person::Person;
use cedar_policy::{Entities, Entity, EntityUid, Request};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A case with everything worked out that stays the same from question to question.
pub(super) struct Trial<'a> {
    pub(super) set: &'a Inner,
    pub(super) case: &'a Case<'a>,
    pub(super) timezone: TimeZone,
    requester: &'a Person,
    release: EntityUid,
    attributes: Attributes<'a>,
    /// The requester, checked against the schema once, for questions about what might be.
    supposed: RefCell<Option<Entities>>,
    /// The entities for each way of counting, which many such questions share.
    counted: RefCell<BTreeMap<Counts, Rc<Entities>>>,
    /// The last such question: the next one often differs in its counts only.
    last: RefCell<Option<(Supposition, Request)>>,
}

/// What a question about what might be depends on, but for the counts.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Supposition {
    vetoes: usize,
    hoped: bool,
    now: Timestamp,
    soaked: bool,
    overridden: bool,
}

/// What `execute` is asked under: as things are, or as they might be.
#[derive(Clone)]
pub(super) struct Circumstances<'a> {
    pub(super) counts: Counts,
    pub(super) vetoes: usize,
    pub(super) outlook: Outlook<'a>,
    pub(super) now: Timestamp,
    /// As if the image had served long enough.
    pub(super) soaked: bool,
    /// Somebody set rules aside.
    pub(super) overridden: bool,
}

impl<'a> Circumstances<'a> {
    fn moment(&self) -> Moment<'a> {
        Moment { now: self.now, outlook: self.outlook, soaked: self.soaked }
    }
}

/// The votes that count.
pub(super) struct Ballot<'a> {
    /// Distinct people with a valid approval.
    pub(super) approvers: Vec<&'a Person>,
    /// Distinct people with a standing veto.
    pub(super) objectors: Vec<PersonId>,
    /// Everybody who voted one way or the other, so that nobody is asked to vote again.
    pub(super) voted: BTreeSet<&'a PersonId>,
    /// Whether somebody who may has set rules aside for this plan.
    pub(super) overridden: bool,
}

/// All by which a rule can tell one voter from another.
type Likeness<'p> = (BTreeSet<&'p TeamName>, bool, Option<&'p PersonId>);

impl<'a> Trial<'a> {
    pub(super) fn new(set: &'a Inner, case: &'a Case<'a>, requester: &'a Person) -> Result<Self, String> {
        let attributes = Attributes::of(case.plan, &requester.id);
        let takes_out = attributes.takes_out.filter(|_| set.declares_takes_out);
        Ok(Self {
            set,
            case,
            requester,
            timezone: clock::timezone(case.timezone)?,
            release: world::release_uid(case),
            attributes: Attributes { takes_out, ..attributes },
            supposed: RefCell::default(),
            counted: RefCell::default(),
            last: RefCell::default(),
        })
    }

    /// Whether each of these people may vote so, asked with everything as it is now. People whom no rule can tell
    /// apart are asked about once.
    pub(super) fn votes<'p>(
        &self,
        people: impl IntoIterator<Item = &'p Person>,
        stance: Stance,
    ) -> Result<Vec<(&'p Person, Verdict)>, String> {
        let people: Vec<_> = people.into_iter().map(|person| (self.likeness(person), person)).collect();
        if people.is_empty() {
            return Ok(Vec::new());
        }
        let spokesmen: BTreeMap<_, _> = people.iter().map(|(likeness, person)| (likeness, *person)).collect();
        let entities = self.entities(&spokesmen.values().copied().collect::<Vec<_>>(), &self.no_counts())?;
        let mut verdicts: BTreeMap<&Likeness<'p>, Verdict> = BTreeMap::new();
        for (likeness, person) in spokesmen {
            let question = self.vote(person, stance, self.as_observed())?;
            verdicts.insert(likeness, self.set.ask(question, &entities));
        }
        let verdict = |likeness| verdicts.get(likeness).cloned().unwrap_or_default();
        Ok(people.iter().map(|(likeness, person)| (*person, verdict(likeness))).collect())
    }

    fn likeness<'p>(&self, person: &'p Person) -> Likeness<'p> {
        let is_singular = person.id == self.requester.id || self.set.named.contains(person.id.as_str());
        let teams = person.teams.iter().filter(|team| self.set.teams.contains(*team)).collect();
        (teams, self.attributes.authors.contains(&person.id), is_singular.then_some(&person.id))
    }

    /// Everything as it is now.
    pub(super) fn as_observed(&self) -> Moment<'a> {
        Moment { now: self.case.now, outlook: Outlook::Observed(self.case.facts), soaked: false }
    }

    /// The question whether this vote is allowed.
    pub(super) fn vote(&self, person: &Person, stance: Stance, moment: Moment<'_>) -> Result<Question, String> {
        let action = match stance {
            Stance::Approve => Action::Approve,
            Stance::Veto => Action::Veto,
        };
        self.question(person, action, moment, Extra::default())
    }

    /// Whether this person may set rules aside.
    pub(super) fn overriding(&self, person: &Person, vetoes: usize) -> Result<Verdict, String> {
        let entities = self.entities(&[person], &self.no_counts())?;
        let extra = Extra { vetoes: Some(vetoes), overridden: None };
        Ok(self.set.ask(self.question(person, Action::Override, self.as_observed(), extra)?, &entities))
    }

    fn question(&self, person: &Person, action: Action, moment: Moment<'_>, extra: Extra) -> Result<Question, String> {
        Ok(Question {
            principal: uid(Type::Person, person.id.as_str()),
            action,
            resource: self.release.clone(),
            context: world::release_context(moment, &self.timezone, self.case.past, extra)?,
        })
    }

    /// Counts the votes: approvals of exactly this plan and vetoes on any plan of this release, by people who are
    /// known and allowed now. Somebody who objects does not approve at the same time. A veto whose permission
    /// cannot be evaluated stands; an approval or an override then does not.
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
        let objectors: Vec<_> = vetoes
            .into_iter()
            .filter(|(_, verdict)| verdict.allow || !verdict.errors.is_empty())
            .map(|(person, _)| person.id.clone())
            .collect();
        let waiver = case.waiver.filter(|waiver| waiver.digest == digest);
        Ok(Ballot {
            approvers: approvals.into_iter().filter(|(_, v)| v.allow).map(|(person, _)| person).collect(),
            overridden: self.is_waived(waiver, objectors.len())?,
            objectors,
            voted: approved.union(&vetoed).copied().collect(),
        })
    }

    fn is_waived(&self, waiver: Option<&Override>, vetoes: usize) -> Result<bool, String> {
        let by = waiver.and_then(|waiver| self.case.people.get(&waiver.by));
        by.map_or(Ok(false), |person| Ok(self.overriding(person, vetoes)?.allow))
    }

    /// As things are, with these counts.
    pub(super) fn as_it_is(&self, counts: Counts, ballot: &Ballot<'_>) -> Circumstances<'a> {
        let Moment { now, outlook, soaked } = self.as_observed();
        Circumstances { counts, vetoes: ballot.objectors.len(), outlook, now, soaked, overridden: ballot.overridden }
    }

    /// Asks every rule whether the release may run.
    pub(super) fn execute(&self, circumstances: &Circumstances<'_>) -> Result<Verdict, String> {
        let entities = self.entities(&[], &circumstances.counts)?;
        Ok(self.set.ask(self.execution(circumstances)?, &entities))
    }

    /// Whether this one rule would forbid it under these circumstances; when in doubt, it would.
    pub(super) fn forbids(&self, rule: &str, circumstances: &Circumstances<'_>) -> bool {
        match (self.supposed_entities(&circumstances.counts), self.supposed_request(circumstances)) {
            (Ok(entities), Ok(request)) => self.set.forbids(rule, &request, &entities),
            _ => true,
        }
    }

    fn supposed_request(&self, circumstances: &Circumstances<'_>) -> Result<Request, String> {
        let Circumstances { counts: _, vetoes, outlook, now, soaked, overridden } = *circumstances;
        let supposition = Supposition { vetoes, hoped: outlook == Outlook::Hoped, now, soaked, overridden };
        if let Some((last, request)) = &*self.last.borrow()
            && *last == supposition
        {
            return Ok(request.clone());
        }
        let request = Inner::supposed(self.execution(circumstances)?)?;
        *self.last.borrow_mut() = Some((supposition, request.clone()));
        Ok(request)
    }

    /// The entities for a question about what might be: the counts are tags of the release.
    fn supposed_entities(&self, counts: &Counts) -> Result<Rc<Entities>, String> {
        if let Some(known) = self.counted.borrow().get(counts) {
            return Ok(known.clone());
        }
        let mut supposed = self.supposed.borrow_mut();
        let others = match &mut *supposed {
            Some(others) => others,
            none => none.insert(world::entities([world::person(self.requester, &self.set.teams)], &self.set.schema)?),
        };
        let entities = others.clone().add_entities([self.release_entity(counts)?], None);
        let entities = Rc::new(entities.map_err(|error| error.to_string())?);
        self.counted.borrow_mut().insert(counts.clone(), entities.clone());
        Ok(entities)
    }

    fn execution(&self, circumstances: &Circumstances<'_>) -> Result<Question, String> {
        let extra = Extra { vetoes: Some(circumstances.vetoes), overridden: Some(circumstances.overridden) };
        self.question(self.requester, Action::Execute, circumstances.moment(), extra)
    }

    /// The release, its requester and these people. Each counted team has its tag, if only 0, so that a rule
    /// like `when { hasTag && getTag < 1 }` does not pass for want of a tag.
    pub(super) fn entities(&self, people: &[&Person], counts: &Counts) -> Result<Entities, String> {
        let release = self.release_entity(counts)?;
        let teams = &self.set.teams;
        let others = people.iter().filter(|person| person.id != self.requester.id);
        let all = others.map(|person| world::person(person, teams));
        world::entities(all.chain([world::person(self.requester, teams), release]), &self.set.schema)
    }

    fn release_entity(&self, counts: &Counts) -> Result<Entity, String> {
        let tags = self.set.counted.iter().zip(counts).map(|(team, count)| (team.as_str().to_owned(), long(*count)));
        self.attributes.entity(&self.release, tags.collect())
    }

    /// Counts for questions that come before counting.
    pub(super) fn no_counts(&self) -> Counts {
        vec![0; self.set.counted.len()]
    }
}
