//! A release before the shipped rules, and the means to change either.

use crate::facts::{CiFact, CiState, Facts, Observed};
use crate::ids::{PersonId, ReleaseId, TeamName};
use crate::person::{Directory, Person};
use crate::plan::Plan;
use crate::plan::tests::{commit, plan};
use crate::policy::{
    Case, Clears, Decision, Override, Past, PolicyMistake, PolicySet, Slot, Soak, Stance, Vocabulary, Vote, built_in,
};
use jiff::Timestamp;

pub(super) use crate::policy::built_in::SCHEMA;

pub(super) fn vocabulary() -> Vocabulary {
    Vocabulary {
        teams: ["developers", "release", "sre", "dba"].map(TeamName::from).into(),
        environments: ["staging", "production"].map(Into::into).into(),
    }
}

pub(super) fn default_files() -> Vec<(String, String)> {
    built_in::FILES.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect()
}

/// The shipped rules.
pub(super) fn defaults() -> PolicySet {
    with_rules("")
}

/// The shipped rules and some more.
pub(super) fn with_rules(more: &str) -> PolicySet {
    let mut files = default_files();
    files.push(("more.cedar".to_owned(), more.to_owned()));
    PolicySet::parse(SCHEMA, &files, &vocabulary()).unwrap_or_else(|mistakes| panic!("{}", listed(&mistakes)))
}

/// The mistakes in one file beside the shipped rules.
pub(super) fn mistakes(text: &str) -> Vec<PolicyMistake> {
    let mut files = default_files();
    files.push(("more.cedar".to_owned(), text.to_owned()));
    PolicySet::parse(SCHEMA, &files, &vocabulary()).map(|_| ()).expect_err("a mistake")
}

pub(super) fn listed(mistakes: &[PolicyMistake]) -> String {
    mistakes.iter().map(|mistake| format!("{mistake}\n")).collect()
}

pub(super) fn person(id: &str, teams: &[&str]) -> Person {
    Person { id: id.into(), teams: teams.iter().map(|&team| team.into()).collect(), identities: vec![] }
}

/// One release with everything that can be changed about it.
pub(super) struct Scene {
    pub(super) people: Directory,
    pub(super) requester: &'static str,
    pub(super) plan: Plan,
    pub(super) votes: Vec<Vote>,
    pub(super) waiver: Option<Override>,
    pub(super) facts: Facts,
    pub(super) past: Past,
    pub(super) now: Timestamp,
    pub(super) timezone: &'static str,
    release: ReleaseId,
}

/// Ana asks for production; the plan has commits of Ana and Eve; CI is green; nobody has voted. Bob and Chen
/// could approve. Monday, noon in UTC.
pub(super) fn scene() -> Scene {
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    let ci = CiFact { state: CiState::Green, total: 3, passed: 3, failing: vec![], missing: vec![] };
    Scene {
        people: Directory::new([
            person("ana", &["developers", "release"]),
            person("bob", &["developers", "release"]),
            person("chen", &["release"]),
            person("dan", &["developers"]),
            person("eve", &["developers", "release"]),
            person("guest", &[]),
        ]),
        requester: "ana",
        plan: plan(),
        votes: vec![],
        waiver: None,
        past: Past::default(),
        facts: Facts::of_ci(Observed { value: ci, at: now }),
        now,
        timezone: "UTC",
        release: "01KAR2Y3Z4A5B6C7D8E9F0G1H2".into(),
    }
}

impl Scene {
    pub(super) fn people(mut self, people: &[(&str, &[&str])]) -> Self {
        self.people = Directory::new(people.iter().map(|(id, teams)| person(id, teams)));
        self
    }

    pub(super) fn at(mut self, now: &str, timezone: &'static str) -> Self {
        (self.now, self.timezone) = (now.parse().unwrap(), timezone);
        self
    }

    pub(super) fn to(mut self, environment: &str) -> Self {
        self.plan.environment = environment.into();
        self
    }

    pub(super) fn authors(mut self, authors: &[&str]) -> Self {
        self.plan.commits = authors.iter().zip(3..).map(|(author, seed)| commit(seed, Some(author))).collect();
        self
    }

    pub(super) fn ci(mut self, state: CiState) -> Self {
        self.facts.ci.value.state = state;
        self
    }

    /// The environment before has had the image for so many seconds, and has it still or not.
    pub(super) fn soaked(mut self, seconds: i64, serves: bool) -> Self {
        let soak = Soak {
            environment: "staging".into(),
            served_s: if serves { 0 } else { seconds },
            since: serves.then(|| self.now - jiff::SignedDuration::from_secs(seconds)),
            ahead: None,
        };
        self.past.soak = Some(soak);
        self
    }

    /// A rollback to an image that has served here before, or has not.
    pub(super) fn rollback(mut self, known_good: bool) -> Self {
        self.plan.kind = crate::plan::PlanKind::Rollback;
        self.plan.migrations.clear();
        self.past.known_good = known_good;
        self
    }

    /// Somebody breaks the glass for the plan as it is now.
    pub(super) fn overridden(mut self, by: &str) -> Self {
        self.waiver = Some(Override {
            by: by.into(),
            incident: "INC-42".into(),
            reason: "login is down".into(),
            digest: self.plan.digest(),
            at: self.now,
        });
        self
    }

    /// A vote on the plan as it is now.
    pub(super) fn voted(mut self, person: &str, stance: Stance) -> Self {
        let vote = Vote { person: person.into(), stance, digest: self.plan.digest(), at: self.now };
        self.votes.push(vote);
        self
    }

    pub(super) fn approved(self, person: &str) -> Self {
        self.voted(person, Stance::Approve)
    }

    pub(super) fn case(&self) -> Case<'_> {
        Case {
            release: &self.release,
            requester: self.people.get(&self.requester.into()),
            plan: &self.plan,
            votes: &self.votes,
            waiver: self.waiver.as_ref(),
            facts: &self.facts,
            past: &self.past,
            people: &self.people,
            now: self.now,
            timezone: self.timezone,
        }
    }

    /// Whether it may run: `allow`, or each reason with what clears it.
    pub(super) fn run(&self, policies: &PolicySet) -> String {
        told(&policies.may_execute(&self.case()))
    }

    /// Whether this person may vote so.
    pub(super) fn vote(&self, policies: &PolicySet, voter: &str, stance: Stance) -> String {
        let stranger = person(voter, &["developers", "release", "sre"]);
        let voter = self.people.get(&voter.into()).unwrap_or(&stranger);
        told(&policies.may_vote(voter, stance, &self.case()))
    }
}

/// A decision in one line.
pub(super) fn told(decision: &Decision) -> String {
    if decision.is_allow() {
        return "allow".to_owned();
    }
    let reasons = decision.reasons().iter().map(|reason| {
        let or_override = if reason.overridable { " or override" } else { "" };
        match clearing(&reason.clears) {
            Some(clears) => format!("{} ({clears}){or_override}", reason.id),
            None => format!("{}{or_override}", reason.id),
        }
    });
    reasons.collect::<Vec<_>>().join(", ")
}

fn clearing(clears: &Clears) -> Option<String> {
    let people = |ids: &[PersonId]| ids.iter().map(PersonId::as_str).collect::<Vec<_>>().join(" ");
    let slot = |slot: &Slot| format!("{} {} by [{}]", slot.missing, slot.team, people(&slot.who));
    match clears {
        Clears::Votes { missing } => Some(missing.iter().map(slot).collect::<Vec<_>>().join(" and ")),
        Clears::Withdrawal { by } => Some(format!("withdrawal by [{}]", people(by))),
        Clears::Facts => Some("facts".to_owned()),
        Clears::Soak { environment, .. } => Some(format!("first on {environment}")),
        Clears::Time { at } => Some(at.map_or("some time".to_owned(), |at| format!("at {at}"))),
        Clears::Unlock { .. } | Clears::Release { .. } => Some("not of the policy".to_owned()),
        Clears::Nothing => None,
    }
}
