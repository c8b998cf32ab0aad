//! Questions: status, history, queue, why, show. They change nothing. (What `why` answers is worked out in `why.rs`.)

use super::EngineError;
use super::apply::Work;
use super::intents::WAITING_LIMIT;
use super::why::Why;
use jiff::SignedDuration;
use slipway_core::configuration::Drift;
use slipway_core::environment::Environment;
use slipway_core::ids::{EnvironmentKey, EnvironmentName};
use slipway_core::intent::Intent;
use slipway_core::message::Message;
use slipway_core::message::cards::{self, QueueIntents, QueueView, StatusRow};
use slipway_core::person::Person;
use slipway_core::plan::PlanKind;
use slipway_core::policy::Asking;
use slipway_core::promotion::Outlook;
use slipway_core::release::{Outcome, Release};
use std::collections::BTreeSet;

/// How many releases `history` shows, over all environments that are asked about.
const HISTORY_LIMIT: u32 = 10;

/// For how long the queue shows what was superseded, in seconds.
const SUPERSEDED_LATELY_S: i64 = 60 * 60;
/// How many releases of an environment are looked through for those.
const SUPERSEDED_LOOK_BACK_LIMIT: u32 = 20;

impl Work<'_> {
    pub(super) async fn status(&mut self, only: Option<&EnvironmentName>) -> Result<Message, EngineError> {
        let now = self.engine.clock.now();
        let mut seen = Vec::new();
        for key in self.engine.setup.environment_keys(only) {
            let environment = self.engine.store.environment_get(self.tx, &key).await?;
            let running = match &environment.running {
                Some(id) => self.engine.store.release_get(self.tx, id).await?.map(|stored| stored.release),
                None => None,
            };
            let ran_here = |drift: &Drift| {
                let live = environment.live.as_ref().filter(|_| environment.by_hand.is_none());
                live.is_some_and(|live| live.release == drift.release)
            };
            let drift = self.engine.store.configuration_get(self.tx, &key).await?.drift();
            let drift = drift.filter(|(drift, _)| ran_here(drift));
            let bad = match environment.live.as_ref().map(|live| live.commit.clone()) {
                Some(commit) => self.engine.store.known_bad_get(self.tx, &key.service, &commit).await?.is_some(),
                None => false,
            };
            let next = self.goes_on_to(&key).await?;
            seen.push((environment, running, drift, bad, next));
        }
        let rows: Vec<_> = seen
            .iter()
            .map(|(environment, running, drift, bad, next)| StatusRow {
                environment,
                running: running.as_ref(),
                behind: None,
                drift: drift.clone(),
                bad: *bad,
                next: next.clone(),
            })
            .collect();
        let mut status = cards::status(&rows, now);
        cards::note_flow(&mut status, &self.flows(only).await?, now);
        let intents = self.intents_of(only).await?;
        cards::note_deferred(&mut status, QueueIntents(&intents));
        Ok(status)
    }

    /// The environment that comes next, and how what runs here stands for it.
    async fn goes_on_to(&mut self, key: &EnvironmentKey) -> Result<Option<(EnvironmentName, Outlook)>, EngineError> {
        let Some(environment) = self.engine.setup.next_environment(key).cloned() else { return Ok(None) };
        let next = EnvironmentKey { environment, ..key.clone() };
        let outlook = Box::pin(self.inquiry().outlook_of(&next)).await?;
        Ok(outlook.map(|outlook| (next.environment, outlook)))
    }

    pub(super) async fn history(&mut self, only: Option<&EnvironmentName>) -> Result<Message, EngineError> {
        let mut releases = Vec::new();
        for key in self.engine.setup.environment_keys(only) {
            releases.extend(self.engine.store.releases_newest(self.tx, &key, HISTORY_LIMIT).await?);
        }
        releases.sort_by_key(|release| std::cmp::Reverse(release.request.at));
        releases.truncate(HISTORY_LIMIT as usize);
        let mut bad = BTreeSet::new();
        for release in &releases {
            let brings = !release.request.kind.plan_kind().only_migrates();
            if brings && self.marked_like(release).await?.is_some() {
                bad.insert(release.id.clone());
            }
        }
        Ok(cards::history(&releases, &bad, self.engine.clock.now()))
    }

    pub(super) async fn queue(&mut self, only: Option<&EnvironmentName>) -> Result<Message, EngineError> {
        let mut environments: Vec<Environment> = Vec::new();
        let mut releases = Vec::new();
        for key in self.engine.setup.environment_keys(only) {
            let environment = self.engine.store.environment_get(self.tx, &key).await?;
            for id in environment.running.iter().chain(environment.queue.iter().map(|waiting| &waiting.release)) {
                releases.extend(self.engine.store.release_get(self.tx, id).await?.map(|stored| stored.release));
            }
            releases.extend(self.superseded_lately(&key).await?);
            environments.push(environment);
        }
        let intents = self.intents_of(only).await?;
        let intents = QueueIntents(&intents);
        let view = QueueView { environments: &environments, releases: &releases, intents };
        Ok(cards::queue(&view, self.engine.clock.now()))
    }

    /// The deployments that are to be asked for later.
    async fn intents_of(&mut self, only: Option<&EnvironmentName>) -> Result<Vec<Intent>, EngineError> {
        let mut intents = self.engine.store.intents_waiting(self.tx, WAITING_LIMIT).await?;
        intents.retain(|intent| only.is_none_or(|only| intent.key.environment == *only));
        Ok(intents)
    }

    /// What was superseded there not long ago.
    async fn superseded_lately(&mut self, key: &EnvironmentKey) -> Result<Vec<Release>, EngineError> {
        let since = self.engine.clock.now() - SignedDuration::from_secs(SUPERSEDED_LATELY_S);
        let mut newest = self.engine.store.releases_newest(self.tx, key, SUPERSEDED_LOOK_BACK_LIMIT).await?;
        newest.retain(|release| {
            let superseded = matches!(release.outcome, Some(Outcome::Superseded { .. }));
            superseded && release.ended_at.is_some_and(|at| at >= since)
        });
        Ok(newest)
    }

    pub(super) async fn details(&mut self, release: &Release) -> Result<Message, EngineError> {
        let people = self.company().await?.people;
        Ok(cards::details(release, &people, self.engine.clock.now()))
    }

    /// Why a release does not run: the gate is asked again.
    pub(super) async fn why_release(&mut self, release: &Release) -> Result<Message, EngineError> {
        let why = self.inquiry().release(release).await?;
        let people = self.company().await?.people;
        Ok(why.message(&people))
    }

    /// Why a deployment that nobody has asked for yet would wait.
    pub(super) async fn why_deploy(&mut self, person: &Person, key: &EnvironmentKey) -> Result<Message, EngineError> {
        let why = self.inquiry().deploy(person, key).await?;
        let company = self.company().await?;
        let message = why.message(&company.people);
        let policies = self.engine.setup.policies();
        // Where there is a plan, the gate's own reasons say so.
        if !matches!(&why, Why::Reasons(explanation) if explanation.unplanned.is_some()) {
            return Ok(message);
        }
        self.refused(&person.id, message, |person, _| policies.may_ask(&to_deploy(person, key))).await
    }
}

fn to_deploy<'a>(person: &'a Person, key: &'a EnvironmentKey) -> Asking<'a> {
    Asking { person, service: &key.service, environment: &key.environment, kind: PlanKind::Deploy }
}
