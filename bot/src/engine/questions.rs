//! Questions: status, history, queue, why, show. They change nothing. (What `why` answers is worked out in `why.rs`.)

use super::EngineError;
use super::apply::Work;
use super::why::Why;
use slipway_core::configuration::Drift;
use slipway_core::environment::Environment;
use slipway_core::ids::{EnvironmentKey, EnvironmentName};
use slipway_core::message::cards::{self, StatusRow};
use slipway_core::message::{Block, Message};
use slipway_core::person::Person;
use slipway_core::plan::PlanKind;
use slipway_core::policy::Asking;
use slipway_core::release::Release;

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
            let ran_here = |drift: &Drift| environment.live.as_ref().is_some_and(|live| live.release == drift.release);
            let drift = self.engine.store.configuration_get(self.tx, &key).await?.drift();
            let drift = drift.filter(|(drift, _)| ran_here(drift));
            seen.push((environment, running, drift));
        }
        let rows: Vec<_> = seen
            .iter()
            .map(|(environment, running, drift)| StatusRow {
                environment,
                running: running.as_ref(),
                behind: None,
                drift: drift.clone(),
            })
            .collect();
        let mut message = cards::status(&rows, now);
        message.body.extend(self.flow_lines(only).await?.into_iter().map(Block::Line));
        Ok(message)
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
