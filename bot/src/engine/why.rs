//! Why a release would not run: the gate is asked again. Chat and command line ask in the same way.

use super::EngineError;
use crate::setup::{Rules, Setup};
use crate::standing::{Company, Standing};
use crate::store::{Store, Tx};
use jiff::Timestamp;
use serde::Serialize;
use slipway_core::environment::{Environment, Live};
use slipway_core::gate::{self, Course, Question, Verdict};
use slipway_core::ids::{EnvironmentKey, EnvironmentName, ReleaseId};
use slipway_core::message::{Line, Message, cards};
use slipway_core::person::{Directory, Person};
use slipway_core::plan::{Commit, PlanKind, PlannedMigration, TakesOut};
use slipway_core::policy::{Asking, Past, Reason, Soak};
use slipway_core::release::{Release, RequestKind};
use slipway_core::together::Alongside;

/// How many releases to the environment before are looked at for the commits that would ship.
const SHIPPED_LOOK_BACK_LIMIT: u32 = 20;

/// Asks as of one moment, under one policy set, from what one transaction sees.
#[derive(Debug)]
pub struct Inquiry<'a> {
    /// The store.
    pub store: &'a Store,
    /// What is read in it.
    pub tx: &'a mut Tx,
    /// Configuration and people.
    pub setup: &'a Setup,
    /// The rules: those in force, or others.
    pub rules: Rules,
    /// The moment.
    pub now: Timestamp,
}

/// Why something does not run.
#[derive(Debug)]
pub enum Why {
    /// This is in its way, or nothing.
    Reasons(Explanation),
    /// It waits for no judgement: what became of it says it all.
    Details(Box<Release>, Timestamp),
}

/// What is in the way of something, and what is not.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// What would be done. May hold words of the outside.
    pub subject: String,
    /// When it was asked.
    pub at: Timestamp,
    /// What the gate would do; `None` where there is no plan to ask it about.
    pub course: Option<Course>,
    /// Every reason with what would clear it.
    pub reasons: Vec<Reason>,
    /// What is fine, each in a few words. May hold words of the outside.
    pub fine: Vec<String>,
    /// Where nothing has been released yet, so that only some of it can be told.
    pub unplanned: Option<EnvironmentName>,
    /// What was not looked at, because only a plan tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unseen: Option<&'static str>,
}

impl Why {
    /// As people read it.
    #[must_use]
    pub fn message(&self, people: &Directory) -> Message {
        match self {
            Self::Details(release, now) => cards::details(release, people, *now),
            Self::Reasons(explanation) => explanation.message(),
        }
    }
}

impl Explanation {
    fn message(&self) -> Message {
        let Self { subject, at, course, reasons, fine, unplanned, unseen } = self;
        if *course == Some(Course::NothingToDo) {
            let line = Line::plain("Nothing would change: ").untrusted(subject.as_str());
            return Message::answer(line.text(" brings what runs there already."), []);
        }
        match unplanned {
            Some(environment) => {
                cards::why_unplanned(subject, reasons, fine, &format!("/deploy {environment} --dry-run"), *at)
            }
            None => cards::why(subject, reasons, fine, *unseen, *at),
        }
    }
}

impl Inquiry<'_> {
    /// Why a release does not run.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn release(&mut self, release: &Release) -> Result<Why, EngineError> {
        if release.phase.is_end() || release.plan.is_none() || !release.is_waiting() {
            return Ok(Why::Details(Box::new(release.clone()), self.now));
        }
        let environment = self.store.environment_get(self.tx, &release.request.key).await?;
        let subject = format!("Release {} of {}", release.id.short(), release.request.key);
        self.why_not(&subject, release, &environment).await.map(Why::Reasons)
    }

    /// Why a deployment that nobody has asked for yet would wait: the gate is asked about what would most likely
    /// ship, by this person, behind all that waits now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn deploy(&mut self, person: &Person, key: &EnvironmentKey) -> Result<Why, EngineError> {
        let environment = self.store.environment_get(self.tx, key).await?;
        let explanation = match self.what_would_ship(key, &environment).await? {
            Some(like) => {
                let is_planned = like.is_waiting() && like.request.key == *key && like.plan.is_some();
                let like = like.as_if_asked_now(person.id.clone());
                let commit = like.plan.as_ref().map_or("", |plan| plan.commit.short());
                let subject = format!("Deploying {} {commit} to {} now", key.service, key.environment);
                let told = self.why_not(&subject, &like, &environment).await?;
                let migrates = self.setup.service(&key.service).is_some_and(|service| service.migrations.is_some());
                // What was brought to the environment before has been looked at there: it is pending here, or more is.
                let seen = like.plan.is_some_and(|plan| !plan.migrations.is_empty());
                let unseen = if seen { cards::MIGRATIONS_UNSURE } else { cards::MIGRATIONS_UNSEEN };
                Explanation { unseen: (migrates && !is_planned).then_some(unseen), ..told }
            }
            None => self.without_plan(person, key, &environment).await?,
        };
        Ok(Why::Reasons(explanation))
    }

    /// The gate's verdict on a release as it is now; `None` without a plan.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ask_gate(
        &mut self,
        release: &Release,
        environment: &Environment,
    ) -> Result<Option<Verdict>, EngineError> {
        let standing = Standing::within(self.store, self.tx, self.setup, release, self.now).await?;
        let alongside = self.alongside(release).await?;
        Ok(self.verdict(release, environment, &standing, &alongside))
    }

    pub(super) fn verdict(
        &self,
        release: &Release,
        environment: &Environment,
        standing: &Standing,
        alongside: &Alongside,
    ) -> Option<Verdict> {
        let case = self.setup.case(release, standing, self.now)?;
        Some(gate::judge(&Question {
            release,
            case,
            environment,
            policies: &self.rules.set,
            changes: &self.rules.changes,
            sources: &standing.sources,
            fact_age_max_s: self.setup.fact_age_max_s(),
            alongside,
        }))
    }

    /// Why whoever asks for a release may not, if they may not.
    fn may_not_ask(&self, release: &Release, standing: &Standing) -> Vec<Reason> {
        let Some(person) = standing.people.get(&release.request.requester) else { return vec![] };
        let EnvironmentKey { service, environment } = &release.request.key;
        let asking = Asking { person, service, environment, kind: release.request.kind.plan_kind() };
        self.rules.set.may_ask_despite(&asking, &self.rules.changes).reasons().to_vec()
    }

    async fn why_not(
        &mut self,
        subject: &str,
        release: &Release,
        environment: &Environment,
    ) -> Result<Explanation, EngineError> {
        let now = self.now;
        let standing = Standing::within(self.store, self.tx, self.setup, release, self.now).await?;
        let alongside = self.alongside(release).await?;
        let verdict = self.verdict(release, environment, &standing, &alongside);
        let facts = release.facts.as_ref();
        let mut fine =
            facts.map_or(vec![], |facts| cards::fine(facts, environment, &release.id, &release.request.requester, now));
        let refused = self.may_not_ask(release, &standing);
        if refused.is_empty() {
            fine.push(format!("{} may ask", release.request.requester));
        }
        let soaked = cards::soaked(&standing.past, now);
        let nothing_to_do = verdict.as_ref().is_some_and(|verdict| verdict.course() == Course::NothingToDo);
        let subject = match soaked.filter(|_| !nothing_to_do) {
            Some(soaked) => format!("{subject} ({soaked})"),
            None => subject.to_owned(),
        };
        Ok(Explanation {
            subject,
            at: now,
            course: verdict.as_ref().map(Verdict::course),
            // Where it cannot be told who is in a team, the gate looks again before it refuses; here it says what it knows.
            reasons: match verdict.as_ref().map_or(&[][..], Verdict::reasons) {
                [] => refused,
                reasons => reasons.to_vec(),
            },
            fine,
            unplanned: None,
            unseen: None,
        })
    }

    /// What `/deploy` would most likely bring: what runs in the environment before, else the newest plan. Where that
    /// waits here already, its own plan knows best what is pending.
    async fn what_would_ship(
        &mut self,
        key: &EnvironmentKey,
        environment: &Environment,
    ) -> Result<Option<Release>, EngineError> {
        let store = self.store;
        let newest = store.releases_newest(self.tx, key, SHIPPED_LOOK_BACK_LIMIT).await?;
        let brings_a_commit = |release: &Release| {
            let kind = release.request.kind.plan_kind();
            !kind.only_migrates() && kind != PlanKind::Config
        };
        // A branch that somebody only wanted to look at is not what comes when nothing is named.
        let is_meant = |release: &Release| !(release.request.dry_run && release.request.reference.is_some());
        let mut deployed = newest.into_iter().filter(|release| brings_a_commit(release) && is_meant(release));
        let mut like = deployed.next().filter(|release| release.plan.is_some());
        if let Some(before) = self.setup.environment_before(key) {
            let live = store.environment_get(self.tx, &before).await?.live;
            let is_waiting = |live: &Live| {
                like.as_ref().filter(|like| like.is_waiting()).and_then(|like| like.commit.as_ref())
                    == Some(&live.commit)
            };
            if let Some(live) = live.filter(|live| !is_waiting(live))
                && let Some(stored) = store.release_get(self.tx, &live.release).await?
            {
                let earlier = store.releases_succeeded(self.tx, &before, SHIPPED_LOOK_BACK_LIMIT).await?;
                like = brought_on(stored.release, key, environment, &earlier);
            }
        }
        Ok(like)
    }

    /// Without any plan this can be told: may they ask, is it locked, does another run, and what the rules ask of every
    /// release there.
    async fn without_plan(
        &mut self,
        person: &Person,
        key: &EnvironmentKey,
        environment: &Environment,
    ) -> Result<Explanation, EngineError> {
        let (setup, now) = (self.setup, self.now);
        let people = Company::within(self.store, self.tx, setup, now).await?.people;
        let asking = Asking { person, service: &key.service, environment: &key.environment, kind: PlanKind::Deploy };
        let Rules { set, changes } = &self.rules;
        let asked = set.may_ask_despite(&asking, changes).reasons().to_vec();
        let waits_for = environment.blockers(&ReleaseId::new(""), &person.id, now);
        // No image that could be built has served there yet.
        let soak = setup.environment_before(key).map(|before| Soak {
            environment: before.environment,
            served_s: 0,
            since: None,
            ahead: None,
        });
        let past = Past { soak, ..Past::default() };
        let rules = set.whatever_ships(person, key, &past, &people, now, setup.timezone(key));
        let mut fine = Vec::new();
        if asked.is_empty() {
            fine.push(format!("{} may ask", person.id));
        }
        if environment.lock(now).is_none() {
            fine.push("not locked".to_owned());
        }
        let mut reasons: Vec<Reason> = Vec::new();
        for reason in asked.into_iter().chain(waits_for).chain(rules) {
            if reasons.iter().all(|known| known.id != reason.id) {
                reasons.push(reason);
            }
        }
        Ok(Explanation {
            subject: format!("Deploying to {key} now"),
            at: now,
            course: None,
            reasons,
            fine,
            unplanned: Some(key.environment.clone()),
            unseen: None,
        })
    }
}

/// A release to one environment, as if it went on to the next: from what runs there now, with the commits and
/// migrations of all that was released before it since then.
pub(super) fn brought_on(
    from: Release,
    key: &EnvironmentKey,
    environment: &Environment,
    earlier: &[Release],
) -> Option<Release> {
    let mut release = from;
    let mut plan = release.plan.take()?;
    plan.environment = key.environment.clone();
    plan.kind = PlanKind::Deploy;
    release.request.key = key.clone();
    release.request.kind = RequestKind::Deploy;
    if let Some(live) = &environment.live {
        plan.base = Some(live.commit.clone());
        // Since what runs here was brought there; where that is not known, since it runs here.
        let brought_it = earlier.iter().position(|release| release.commit.as_ref() == Some(&live.commit));
        let is_since = |(at, release): &(usize, &Release)| match brought_it {
            Some(brought_it) => *at < brought_it,
            None => release.ended_at.is_some_and(|ended| ended > live.since),
        };
        let since = earlier.iter().enumerate().filter(is_since);
        for earlier in since.filter_map(|(_, release)| release.plan.as_ref()) {
            let new = |commit: &&Commit| !plan.commits.iter().any(|known| known.sha == commit.sha);
            plan.commits.extend(earlier.commits.iter().filter(new).cloned().collect::<Vec<_>>());
            // What was applied there is pending here.
            let new = |file: &&PlannedMigration| !plan.migrations.iter().any(|known| known.file == file.file);
            plan.migrations.extend(earlier.migrations.iter().filter(new).cloned().collect::<Vec<_>>());
        }
        plan.commits_total = plan.commits_total.max(u32::try_from(plan.commits.len()).unwrap_or(u32::MAX));
        let plans = earlier.iter().enumerate().filter(is_since).filter_map(|(_, release)| release.plan.as_ref());
        plan.takes_out = plans.map(|plan| &plan.takes_out).fold(plan.takes_out.since(&live.commit), |out, earlier| {
            if out.is_empty() { earlier.since(&live.commit) } else { out }
        });
        plan.takes_out = plan.takes_out.without(&plan.commits);
    } else {
        plan.takes_out = TakesOut::default();
    }
    release.plan = Some(plan);
    Some(release)
}
