//! Questions: status, history, queue, why, show. They change nothing.

use super::EngineError;
use super::apply::Work;
use slipway_core::environment::Environment;
use slipway_core::gate::Course;
use slipway_core::ids::{EnvironmentKey, EnvironmentName};
use slipway_core::message::cards::{self, StatusRow};
use slipway_core::message::{Block, Line, Message};
use slipway_core::person::Person;
use slipway_core::plan::PlanKind;
use slipway_core::policy::{Asking, Reason};
use slipway_core::release::{Release, RequestKind};

/// How many releases to the environment before are looked at for the commits that would ship.
const SHIPPED_LOOK_BACK_LIMIT: u32 = 20;
/// How many releases `history` shows, over all environments that are asked about.
const HISTORY_LIMIT: u32 = 10;

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
            seen.push((environment, running));
        }
        let rows: Vec<_> = seen
            .iter()
            .map(|(environment, running)| StatusRow { environment, running: running.as_ref(), behind: None })
            .collect();
        Ok(cards::status(&rows, now))
    }

    pub(super) async fn history(&mut self, only: Option<&EnvironmentName>) -> Result<Message, EngineError> {
        let mut releases = Vec::new();
        for key in self.engine.setup.environment_keys(only) {
            releases.extend(self.engine.store.releases_newest(self.tx, &key, HISTORY_LIMIT).await?);
        }
        releases.sort_by_key(|release| std::cmp::Reverse(release.request.at));
        releases.truncate(HISTORY_LIMIT as usize);
        Ok(cards::history(&releases, self.engine.clock.now()))
    }

    pub(super) async fn queue(&mut self, only: Option<&EnvironmentName>) -> Result<Message, EngineError> {
        let mut environments: Vec<Environment> = Vec::new();
        let mut releases = Vec::new();
        for key in self.engine.setup.environment_keys(only) {
            let environment = self.engine.store.environment_get(self.tx, &key).await?;
            for id in environment.running.iter().chain(environment.queue.iter().map(|waiting| &waiting.release)) {
                releases.extend(self.engine.store.release_get(self.tx, id).await?.map(|stored| stored.release));
            }
            environments.push(environment);
        }
        Ok(cards::queue(&environments, &releases, self.engine.clock.now()))
    }

    pub(super) async fn details(&mut self, release: &Release) -> Result<Message, EngineError> {
        let people = self.company().await?.people;
        Ok(cards::details(release, &people, self.engine.clock.now()))
    }

    /// Why a release does not run: the gate is asked again.
    pub(super) async fn why_release(&mut self, release: &Release) -> Result<Message, EngineError> {
        if release.phase.is_end() || release.plan.is_none() || !release.is_waiting() {
            return self.details(release).await;
        }
        let environment = self.engine.store.environment_get(self.tx, &release.request.key).await?;
        let subject = format!("Release {} of {}", release.id.short(), release.request.key);
        self.why_not(&subject, release, &environment).await
    }

    /// Why a deployment that nobody has asked for yet would wait: the gate is asked about what would most likely
    /// ship, by this person, behind all that waits now.
    pub(super) async fn why_deploy(&mut self, person: &Person, key: &EnvironmentKey) -> Result<Message, EngineError> {
        let environment = self.engine.store.environment_get(self.tx, key).await?;
        match self.what_would_ship(key, &environment).await? {
            Some(mut like) => {
                // One that nobody has asked for stands behind all others.
                like.id = slipway_core::ids::ReleaseId::new("");
                like.request.requester = person.id.clone();
                let commit = like.plan.as_ref().map_or("", |plan| plan.commit.short());
                let subject = format!("Deploying {} {commit} to {} now", key.service, key.environment);
                self.why_not(&subject, &like, &environment).await
            }
            None => {
                let why = self.why_without_plan(person, key, &environment);
                let policies = self.engine.setup.policies();
                self.refused(&person.id, why, |person, _| policies.may_ask(&to_deploy(person, key))).await
            }
        }
    }

    async fn why_not(
        &mut self,
        subject: &str,
        release: &Release,
        environment: &Environment,
    ) -> Result<Message, EngineError> {
        let now = self.engine.clock.now();
        let verdict = self.ask_gate(release, environment).await?;
        if verdict.as_ref().is_some_and(|verdict| verdict.course() == Course::NothingToDo) {
            let line =
                Line::plain("Nothing would change: ").untrusted(subject).text(" brings what runs there already.");
            return Ok(Message::answer(line, []));
        }
        let reasons: &[Reason] = verdict.as_ref().map_or(&[], |verdict| verdict.reasons());
        let facts = release.facts.as_ref();
        let mut fine =
            facts.map_or(vec![], |facts| cards::fine(facts, environment, &release.id, &release.request.requester, now));
        if verdict.as_ref().is_some_and(|verdict| verdict.course() != Course::Deny) {
            fine.push(format!("{} may ask", release.request.requester));
        }
        let past = self.standing(release).await?.past;
        let subject = cards::soaked(&past, now).map_or(subject.to_owned(), |soaked| format!("{subject} ({soaked})"));
        Ok(cards::why(&subject, reasons, &fine, now))
    }

    /// What `/deploy` would most likely bring: what runs in the environment before, else the newest plan.
    async fn what_would_ship(
        &mut self,
        key: &EnvironmentKey,
        environment: &Environment,
    ) -> Result<Option<Release>, EngineError> {
        let store = &self.engine.store;
        let newest = store.releases_newest(self.tx, key, 1).await?.into_iter().next();
        let mut like = newest.filter(|release| release.plan.is_some());
        let before = self.engine.setup.environment(key).and_then(|environment| environment.after.clone());
        if let Some(before) = before {
            let before = EnvironmentKey { service: key.service.clone(), environment: before };
            let live = store.environment_get(self.tx, &before).await?.live;
            if let Some(live) = live
                && let Some(stored) = store.release_get(self.tx, &live.release).await?
            {
                let earlier = store.releases_succeeded(self.tx, &before, SHIPPED_LOOK_BACK_LIMIT).await?;
                like = brought_on(stored.release, key, environment, &earlier);
            }
        }
        Ok(like.map(|mut like| {
            like.votes.clear();
            like.waiver = None;
            like.gather_problem = None;
            like.request.dry_run = false;
            like
        }))
    }

    /// Without any plan only these can be told: may they ask, is it locked, does another run.
    fn why_without_plan(&self, person: &Person, key: &EnvironmentKey, environment: &Environment) -> Message {
        let now = self.engine.clock.now();
        let mut reasons = self.engine.setup.policies().may_ask(&to_deploy(person, key)).reasons().to_vec();
        reasons.extend(environment.blockers(&slipway_core::ids::ReleaseId::new(""), &person.id, now));
        let mut message = cards::why(&format!("Deploying to {key} now"), &reasons, &[], now);
        let line = Line::plain("Nothing has been released there yet. For the whole answer: ");
        message.body.push(Block::Line(line.code(format!("/deploy {} --dry-run", key.environment))));
        message
    }
}

fn to_deploy<'a>(person: &'a Person, key: &'a EnvironmentKey) -> Asking<'a> {
    Asking { person, service: &key.service, environment: &key.environment, kind: PlanKind::Deploy }
}

/// A release to one environment, as if it went on to the next: from what runs there now, with the commits of all
/// that was released before it since then.
fn brought_on(from: Release, key: &EnvironmentKey, environment: &Environment, earlier: &[Release]) -> Option<Release> {
    let mut release = from;
    let mut plan = release.plan.take()?;
    plan.environment = key.environment.clone();
    plan.kind = PlanKind::Deploy;
    release.request.key = key.clone();
    release.request.kind = RequestKind::Deploy;
    if let Some(live) = &environment.live {
        plan.base = Some(live.commit.clone());
        let since = earlier.iter().filter(|r| r.ended_at.is_some_and(|ended| ended > live.since));
        for commit in since.filter_map(|r| r.plan.as_ref()).flat_map(|plan| &plan.commits) {
            if !plan.commits.iter().any(|known| known.sha == commit.sha) {
                plan.commits.push(commit.clone());
            }
        }
        plan.commits_total = plan.commits_total.max(u32::try_from(plan.commits.len()).unwrap_or(u32::MAX));
    }
    release.plan = Some(plan);
    Some(release)
}
