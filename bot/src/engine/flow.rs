//! Continuous delivery: what was seen of a branch becomes releases that nobody asked for, within the transaction that
//! decides it, and pauses that the channels read of once.

use super::EngineError;
use super::apply::Work;
use super::asked::{Asked, whys};
use crate::buttons::pause_message;
use crate::setup::{AutoDeploy, Rules};
use crate::store::StoreError;
use crate::way_back;
use futures::future::BoxFuture;
use serde_json::json;
use slipway_core::environment::Environment;
use slipway_core::facts::CiState;
use slipway_core::flow::{
    self, Around, Begun, Choice, Effect, Ended, Flow, How, Pause, Resumption, Sight, UnderWay, Why,
};
use slipway_core::gate::Verdict;
use slipway_core::ids::{CommitSha, EnvironmentKey, EnvironmentName, PersonId, ReleaseId, ServiceName};
use slipway_core::message::{Message, cards};
use slipway_core::person::{Identity, Person};
use slipway_core::plan::PlanKind;
use slipway_core::policy::{Asking, Clears, Decision, NO_PERMIT};
use slipway_core::release::{self, Outcome, Phase, Release, Request, RequestKind};
use slipway_core::replay::RecordedStanding;
use std::collections::BTreeSet;
use tracing::{info, warn};

/// For how long a change has to be the newest before it begins, unless `[pace]` makes everything faster.
const SETTLE_MS: i64 = 5_000;
/// How many open releases to one environment are looked at.
const OPEN_LIMIT: u32 = 100;
/// How many releases to the environment before are looked at for one to ask policy with.
const LIKE_LOOK_BACK_LIMIT: u32 = 20;

impl Work<'_> {
    /// The branch of an environment was looked at.
    pub(super) async fn flow_seen(&mut self, key: &EnvironmentKey, sight: Sight) -> Result<(), EngineError> {
        self.flow_step(key, &flow::Event::Seen(sight)).await?;
        self.finish().await
    }

    /// Something may be due of it.
    pub(super) async fn flow_due(&mut self, key: &EnvironmentKey) -> Result<(), EngineError> {
        self.flow_step(key, &flow::Event::Looked).await?;
        self.finish().await
    }

    /// Lets an event happen to the continuous delivery of an environment, if it has one.
    pub(super) fn flow_step<'f>(
        &'f mut self,
        key: &'f EnvironmentKey,
        event: &'f flow::Event,
    ) -> BoxFuture<'f, Result<(), EngineError>> {
        // Boxed here, so that not every delivery has room for it on its stack.
        Box::pin(async move {
            let setup = self.engine.setup.clone();
            let store = &self.engine.store;
            let Some(auto) = setup.environment(key).and_then(|environment| environment.auto_deploy.as_ref()) else {
                // Nobody follows a branch here any more: what was due of it is not.
                if let Some(due) = Some(store.flow_get(self.tx, key).await?).filter(|flow| flow.due_at.is_some()) {
                    store.flow_save(self.tx, &Flow { due_at: None, ..due }).await?;
                }
                return Ok(());
            };
            let before = match store.flow_get(self.tx, key).await {
                Ok(before) => before,
                // Nothing begins by it. That is no reason to undo what has happened to a release.
                Err(error @ StoreError::Unreadable { .. }) => {
                    warn!(environment = %key, %error, "its continuous delivery cannot be read");
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let environment = self.environment_now(key).await?;
            let under_way = self.under_way(key).await?;
            let bad = self.known_bad_among(key, &before, event).await?;
            let live = environment.live.as_ref().map(|live| &live.commit);
            let hold = match self.would_be_held(&before, event) {
                true => self.hold(key, &environment, &before, event).await?,
                false => None,
            };
            let around = Around {
                now: self.engine.clock.now(),
                settle_ms: setup.pace.poll_ms(SETTLE_MS),
                branch: &auto.branch,
                cap: auto.commits,
                live,
                under_way: under_way.as_ref(),
                hold: hold.as_ref(),
                bad: &bad,
            };
            let (mut after, effects) = flow::step(&before, event, &around);
            for effect in effects {
                match effect {
                    Effect::Begin(choice) => self.begin_by_itself(&mut after, auto, choice).await?,
                    Effect::Paused(pause) => {
                        self.flow_pauses(key, &pause).await?;
                        self.end_what_waits(key, &pause).await?;
                    }
                    Effect::PausedFor(pause) => {
                        self.flow_pauses_for(key, &pause).await?;
                        self.end_what_waits(key, &pause).await?;
                    }
                    Effect::Resumed(pause, how) => self.flow_resumes(key, &pause, &how).await?,
                    Effect::Passed { older, by } => self.end_what_was_passed(key, &older, &by).await?,
                }
            }
            if after != before {
                self.engine.store.flow_save(self.tx, &after).await?;
            }
            Ok(())
        })
    }

    /// Whether it matters what would hold a release up: asking policy is not done for nothing.
    fn would_be_held(&self, flow: &Flow, event: &flow::Event) -> bool {
        let sight = match event {
            flow::Event::Seen(sight) => Some(sight),
            _ => flow.seen.as_ref(),
        };
        let green = sight.is_some_and(|sight| sight.commits.iter().any(|c| c.ci == Some(CiState::Green)));
        green || flow.pause.is_some()
    }

    /// What has not ended yet in an environment: a person's before what began by itself, the newest of each.
    async fn under_way(&mut self, key: &EnvironmentKey) -> Result<Option<UnderWay>, EngineError> {
        let open = self.engine.store.releases_open_at(self.tx, key, OPEN_LIMIT).await?;
        let newest = open.iter().rev().filter(|release| !release.request.dry_run);
        let release = newest.min_by_key(|release| release.request.requester.is_slipway());
        Ok(release.map(|release| UnderWay {
            release: release.id.clone(),
            runs: matches!(release.phase, Phase::Running { .. }),
            since: release.request.at,
        }))
    }

    /// Those of the green commits that are known to be bad.
    async fn known_bad_among(
        &mut self,
        key: &EnvironmentKey,
        flow: &Flow,
        event: &flow::Event,
    ) -> Result<BTreeSet<CommitSha>, EngineError> {
        let sight = match event {
            flow::Event::Seen(sight) => Some(sight),
            _ => flow.seen.as_ref(),
        };
        let mut bad = BTreeSet::new();
        for commit in sight.into_iter().flat_map(|sight| &sight.commits).filter(|c| c.ci == Some(CiState::Green)) {
            if self.engine.store.known_bad_get(self.tx, &key.service, &commit.sha).await?.is_some() {
                bad.insert(commit.sha.clone());
            }
        }
        Ok(bad)
    }

    /// What would hold a release up that began now: a lock, policy, a freeze.
    async fn hold(
        &mut self,
        key: &EnvironmentKey,
        environment: &Environment,
        flow: &Flow,
        event: &flow::Event,
    ) -> Result<Option<Why>, EngineError> {
        if let Some(by_hand) = &environment.by_hand {
            return Ok(Some(Why::PastSlipway { runs: by_hand.runs.name() }));
        }
        if let Some(lock) = environment.lock(self.engine.clock.now()) {
            let (owner, reason, until) = (lock.owner.clone(), lock.reason.clone(), lock.until);
            return Ok(Some(Why::Locked { owner, reason, until }));
        }
        let people = self.company().await?.people;
        let refused = |what: &str, forbidden| Some(Why::Refused { what: what.to_owned(), forbidden });
        let Some(slipway) = people.get(&PersonId::slipway()) else { return Ok(refused("Nobody knows it.", true)) };
        let Rules { set, changes } = self.engine.setup.rules();
        let (service, name) = (&key.service, &key.environment);
        let asking = Asking { person: slipway, service, environment: name, kind: PlanKind::Deploy };
        if let Decision::Deny { reasons } = set.may_ask_despite(&asking, &changes) {
            return Ok(refused(&whys(&reasons), reasons.iter().all(|reason| reason.id != NO_PERMIT)));
        }
        let head = match event {
            flow::Event::Seen(sight) => sight.head.clone(),
            _ => flow.seen.as_ref().and_then(|sight| sight.head.clone()),
        };
        let Some(verdict) = self.as_if_it_began(key, environment, head).await? else { return Ok(None) };
        if let Some(reason) = verdict.reasons().iter().find(|reason| reason.id == NO_PERMIT) {
            return Ok(refused(&reason.why, false));
        }
        Ok(verdict.reasons().iter().find_map(|reason| match &reason.clears {
            Clears::Time { at } => Some(Why::Frozen { what: reason.why.clone(), until: *at }),
            _ => None,
        }))
    }

    /// The gate's verdict on a release like the last one, begun by Slipway now: only what it says of time and of leave holds
    /// for the next one as well.
    async fn as_if_it_began(
        &mut self,
        key: &EnvironmentKey,
        environment: &Environment,
        head: Option<CommitSha>,
    ) -> Result<Option<Verdict>, EngineError> {
        let newest = self.engine.store.releases_newest(self.tx, key, LIKE_LOOK_BACK_LIMIT).await?;
        let deploys = |release: &Release| {
            release.facts.is_some() && release.plan.as_ref().is_some_and(|plan| plan.kind == PlanKind::Deploy)
        };
        let Some(like) = newest.into_iter().find(deploys) else { return Ok(None) };
        let mut like = like.as_if_asked_now(PersonId::slipway());
        like.request.kind = RequestKind::Deploy;
        if let Some(plan) = &mut like.plan {
            // Whatever is about the content of a release is judged when it has one.
            plan.migrations.clear();
            plan.base = environment.live.as_ref().map(|live| live.commit.clone());
            plan.commit = head.unwrap_or_else(|| plan.commit.clone());
        }
        self.ask_gate(&like, environment).await
    }

    /// Begins a release that nobody asked for.
    async fn begin_by_itself(
        &mut self,
        flow: &mut Flow,
        auto: &AutoDeploy,
        mut choice: Choice,
    ) -> Result<(), EngineError> {
        let engine = self.engine;
        // People are called by the name that all other messages have for them.
        if let Some(author) = self.company().await?.people.by_identity(&Identity::Github(choice.author.clone())) {
            choice.author = author.id.to_string();
        }
        let key = flow.key.clone();
        let reason = choice.reason();
        let channel = engine.setup.channels(&key.service).first().cloned().unwrap_or_default();
        let (slipway, kind) = (PersonId::slipway(), RequestKind::Deploy);
        let request = self.request_of(slipway, &channel, key.clone(), kind, Some(reason.clone()));
        let reference = Some(choice.commit.to_string());
        let release = self.insert_with_cards(Request { reference, ..request }).await?;
        let begun = Begun { release: release.id.clone(), commit: choice.commit.clone() };
        if !engine.store.flow_begins(self.tx, flow, &begun).await? {
            // The flow remembers what it began, so this is a defect of ours: rather nothing than the same twice.
            let error = format!("{} has begun on {key} already", choice.commit);
            return Err(StoreError::Unreadable { what: "a flow", error }.into());
        }
        info!(release = %release.id, environment = %key, commit = %choice.commit, "a release begins by itself");
        let body = json!({
            "release": release.id, "environment": key, "branch": auto.branch, "commit": choice.commit, "why": reason,
        });
        self.record("flow_began", body, None).await?;
        flow.began(release.id.clone(), choice.commit);
        // A new release in its first phase takes this event.
        let _ = self.apply(&release.id, release::Event::Requested).await?;
        Ok(())
    }

    /// What began by itself and has not started makes room: it would bring what was just taken away, or fail the same way.
    async fn end_what_waits(&mut self, key: &EnvironmentKey, pause: &Pause) -> Result<(), EngineError> {
        let Some(by) = pause.why.because_of().cloned() else { return Ok(()) };
        let at = self.engine.clock.now();
        for open in self.engine.store.releases_open_at(self.tx, key, OPEN_LIMIT).await? {
            let waits = !matches!(open.phase, Phase::Running { .. }) && open.id != by;
            if waits && open.request.requester.is_slipway() {
                let superseded = release::Event::Superseded { by: by.clone(), requester: None, at };
                self.happens_later(&open.id, superseded);
            }
        }
        Ok(())
    }

    /// What began before the one that is live could only go back: its card says what took its place, and not that it failed.
    async fn end_what_was_passed(
        &mut self,
        key: &EnvironmentKey,
        older: &[ReleaseId],
        by: &ReleaseId,
    ) -> Result<(), EngineError> {
        let at = self.engine.clock.now();
        for open in self.engine.store.releases_open_at(self.tx, key, OPEN_LIMIT).await? {
            if older.contains(&open.id) && !matches!(open.phase, Phase::Running { .. }) {
                self.happens_later(&open.id, release::Event::Superseded { by: by.clone(), requester: None, at });
            }
        }
        Ok(())
    }

    async fn flow_pauses(&mut self, key: &EnvironmentKey, pause: &Pause) -> Result<(), EngineError> {
        warn!(environment = %key, why = ?pause.why, "nothing begins by itself any more");
        self.record("flow_paused", json!({ "environment": key, "pause": pause }), None).await?;
        let setup = self.engine.setup.clone();
        let body = cards::flow_paused(key, pause, self.pause_has_way_back(key, pause).await?);
        self.proclaim(setup.channels(&key.service), &pause_message(key, pause.number), None, &body).await
    }

    async fn flow_pauses_for(&mut self, key: &EnvironmentKey, pause: &Pause) -> Result<(), EngineError> {
        self.record("flow_paused", json!({ "environment": key, "pause": pause }), None).await?;
        let body = cards::flow_paused(key, pause, self.pause_has_way_back(key, pause).await?);
        self.flow_says(key, pause, &body).await
    }

    /// Whether a rollback would end it: only of what was deployed past Slipway that is asked.
    async fn pause_has_way_back(&mut self, key: &EnvironmentKey, pause: &Pause) -> Result<bool, EngineError> {
        if !matches!(pause.why, Why::PastSlipway { .. }) {
            return Ok(false);
        }
        let here = self.engine.store.environment_get(self.tx, key).await?;
        // Boxed, so that not every look has room for it on its stack.
        Ok(Box::pin(way_back::is_there_at(&self.engine.store, self.tx, &here)).await?)
    }

    async fn flow_resumes(&mut self, key: &EnvironmentKey, pause: &Pause, how: &Resumption) -> Result<(), EngineError> {
        let now = self.engine.clock.now();
        info!(environment = %key, ?how, "releases begin by themselves again");
        let by = match how {
            Resumption::Over => None,
            Resumption::Said { by } | Resumption::Succeeded { by, .. } => Some(by),
        };
        self.record("flow_resumed", json!({ "environment": key, "pause": pause, "by": by }), None).await?;
        self.flow_says(key, pause, &cards::flow_resumed(key, pause, how, now)).await
    }

    /// Changes the one message of a pause.
    async fn flow_says(&mut self, key: &EnvironmentKey, pause: &Pause, body: &Message) -> Result<(), EngineError> {
        let setup = self.engine.setup.clone();
        for channel in setup.channels(&key.service) {
            self.engine.store.message_now(self.tx, channel, &pause_message(key, pause.number), body).await?;
        }
        Ok(())
    }

    /// Somebody says that releases begin by themselves again.
    pub(super) fn resume<'f>(
        &'f mut self,
        asked: &'f Asked<'f>,
        environment: Option<&'f EnvironmentName>,
        service: Option<&'f ServiceName>,
    ) -> BoxFuture<'f, Result<Message, EngineError>> {
        // Boxed here, so that not every command has room for it on its stack.
        Box::pin(async move {
            if let (Some(environment), Some(service)) = (environment, service) {
                let key = EnvironmentKey { service: service.clone(), environment: environment.clone() };
                return self.resume_at(asked.person, &key).await;
            }
            let mut stopped = Vec::new();
            for key in self.engine.setup.environment_keys(environment) {
                let pause = self.engine.store.flow_get(self.tx, &key).await?.pause;
                if pause.is_some_and(|pause| pause.why.needs_somebody()) {
                    stopped.push(key);
                }
            }
            match &stopped[..] {
                [] => Ok(cards::flow_is_not_paused(None)),
                [one] => self.resume_at(asked.person, one).await,
                several => Ok(cards::flow_which(several)),
            }
        })
    }

    /// The same in one environment: for whoever may ask for a release there.
    pub(super) async fn resume_at(&mut self, person: &Person, key: &EnvironmentKey) -> Result<Message, EngineError> {
        let setup = self.engine.setup.clone();
        if setup.environment(key).is_none_or(|environment| environment.auto_deploy.is_none()) {
            return Ok(cards::flow_is_not_set(key));
        }
        let Rules { set, changes } = setup.rules();
        let (service, environment) = (&key.service, &key.environment);
        let asking = Asking { person, service, environment, kind: PlanKind::Deploy };
        if let Decision::Deny { reasons } = set.may_ask_despite(&asking, &changes) {
            let people = self.company().await?.people;
            let standing = RecordedStanding::of_people([&person.id], &people, setup.timezone(key));
            let body = json!({
                "person": person.id, "act": "resume", "environment": key, "reasons": reasons, "standing": standing,
            });
            self.record("refused", body, Some(set.hash().to_owned())).await?;
            let refusal = cards::answers::not_allowed(&whys(&reasons));
            let again = |person: &Person, _: &_| set.may_ask(&Asking { person, ..asking.clone() });
            return self.refused(&person.id, refusal, again).await;
        }
        match self.engine.store.flow_get(self.tx, key).await?.pause {
            None => Ok(cards::flow_is_not_paused(Some(key))),
            Some(pause) if !pause.why.needs_somebody() => {
                let way_back = self.pause_has_way_back(key, &pause).await?;
                Ok(cards::flow_cannot_be_resumed(key, &pause, way_back))
            }
            Some(_) => {
                self.flow_step(key, &flow::Event::Resumed { by: person.id.clone() }).await?;
                Ok(cards::flow_goes_on(key))
            }
        }
    }

    /// Each environment that follows a branch, with that.
    pub(super) async fn flows(
        &mut self,
        only: Option<&EnvironmentName>,
    ) -> Result<Vec<(EnvironmentKey, Flow, String)>, EngineError> {
        let setup = self.engine.setup.clone();
        let mut flows = Vec::new();
        for key in setup.environment_keys(only) {
            let Some(auto) = setup.environment(&key).and_then(|environment| environment.auto_deploy.as_ref()) else {
                continue;
            };
            let flow = self.engine.store.flow_get(self.tx, &key).await?;
            flows.push((key, flow, auto.branch.clone()));
        }
        Ok(flows)
    }

    /// Other rules are in force: what the old ones held up may begin, and need not wait until their freeze was to end.
    pub(super) async fn flows_under_other_rules(&mut self) -> Result<(), EngineError> {
        for key in self.engine.setup.clone().environment_keys(None) {
            let flow = match self.engine.store.flow_get(self.tx, &key).await {
                Ok(flow) => flow,
                // Nothing begins by it. That is no reason to keep the rules from coming into force.
                Err(StoreError::Unreadable { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            if flow.pause.is_some_and(|pause| matches!(pause.why, Why::Frozen { .. } | Why::Refused { .. })) {
                self.flow_step(&key, &flow::Event::Looked).await?;
            }
        }
        Ok(())
    }
}

/// What the end of a release is for continuous delivery.
pub(super) fn ended(release: &Release) -> Ended {
    let how = match (&release.phase, &release.outcome) {
        (_, Some(Outcome::Cancelled { by, .. })) => How::Cancelled { by: by.clone() },
        (Phase::Superseded, _) => How::Superseded,
        (Phase::Denied, _) => How::Denied,
        (Phase::Expired, _) => How::Expired,
        (Phase::RolledBack, _) => How::RolledBack,
        (Phase::Succeeded, Some(Outcome::Live)) => How::Live,
        (Phase::Succeeded, _) => How::Nothing,
        _ => How::Failed,
    };
    let kind = release.request.kind.plan_kind();
    Ended {
        release: release.id.clone(),
        by: release.request.requester.clone(),
        rollback: kind == PlanKind::Rollback,
        deploy: kind == PlanKind::Deploy,
        commit: release.commit.clone(),
        how,
    }
}
