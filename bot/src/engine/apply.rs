//! One transaction's work: an event and all that follows from it.

use super::places::NoPlace;
use super::why::Inquiry;
use super::{Engine, EngineError, lookup};
use crate::standing::Standing;
use crate::store::{StoreError, Tx};
use serde_json::json;
use slipway_core::audit;
use slipway_core::environment::{self, Environment, Live, LockNews};
use slipway_core::flow;
use slipway_core::gate::{Course, Verdict};
use slipway_core::ids::{EnvironmentKey, PersonId, ReleaseId};
use slipway_core::release::{self, Effect, Event, Failure, Illegal, Phase, Release};
use slipway_core::replay::RecordedStanding;
use std::collections::VecDeque;
use tracing::{error, info, warn};

/// How many transitions may follow from one delivery. A release that ends lets the next be judged, which may
/// supersede others: a full queue fits many times.
pub(super) const CHAIN_LIMIT: usize = 1_000;

/// What is still to be done in this transaction.
enum Todo {
    Event(ReleaseId, Event),
    Judge(ReleaseId),
    Tell(EnvironmentKey, Box<LockNews>),
    GoBack(ReleaseId),
    Unlocked(EnvironmentKey),
    Flow(EnvironmentKey, Box<flow::Event>),
}

/// The work of one transaction.
pub(super) struct Work<'a> {
    pub(super) engine: &'a Engine,
    pub(super) tx: &'a mut Tx,
    /// The release that somebody votes on: where they read the answer, it leads to its card.
    pub(super) about: Option<ReleaseId>,
    todo: VecDeque<Todo>,
}

impl<'a> Work<'a> {
    pub(super) fn new(engine: &'a Engine, tx: &'a mut Tx) -> Self {
        Self { engine, tx, about: None, todo: VecDeque::new() }
    }

    /// An effect had an outcome. One that comes too late (the release was cancelled meanwhile) is noted.
    pub(super) async fn happened(&mut self, release: &ReleaseId, event: Event) -> Result<(), EngineError> {
        if !comes_from_outside(&event) {
            warn!(%release, event = event.name(), "an event that cannot come from outside is ignored");
            return self.record("ignored", json!({ "release": release, "event": event }), self.policy_hash()).await;
        }
        let event = Box::pin(self.before_merge(release, event)).await?;
        if let Err(illegal) = self.apply(release, event.clone()).await? {
            info!(%release, %illegal, "an outcome came too late");
            if !event.is_progress() {
                self.outcome_too_late(release, &event, &illegal).await?;
            }
        }
        self.finish().await
    }

    /// Has the gate look at a release, after what is under way in this transaction.
    pub(super) fn judge_later(&mut self, release: &ReleaseId) {
        self.todo.push_back(Todo::Judge(release.clone()));
    }

    /// Lets something happen to another release, after what is under way in this transaction.
    pub(super) fn happens_later(&mut self, release: &ReleaseId, event: Event) {
        self.todo.push_back(Todo::Event(release.clone(), event));
    }

    /// The same for every open release that waits for the gate: something changed that all of them stand on.
    pub(super) async fn judge_all_waiting(&mut self) -> Result<(), EngineError> {
        let open = self.engine.store.releases_open(self.tx, lookup::OPEN_LIMIT).await?;
        for release in open.iter().filter(|release| release.wants_judgement()) {
            self.judge_later(&release.id);
        }
        Ok(())
    }

    pub(super) async fn judge_again(&mut self, release: &ReleaseId) -> Result<(), EngineError> {
        self.judge_later(release);
        self.finish().await
    }

    /// Applies an event of a person or an effect, without what follows from it for others.
    pub(super) async fn apply(
        &mut self,
        id: &ReleaseId,
        event: Event,
    ) -> Result<Result<Release, Illegal>, EngineError> {
        let store = &self.engine.store;
        let Some(stored) = store.release_get(self.tx, id).await? else {
            warn!(release = %id, "an event for a release that does not exist");
            return Ok(Err(Illegal { phase: "unknown", event: event.name(), why: None }));
        };
        let before = stored.release;
        let (after, effects) = match release::step(&before, &event) {
            Ok(next) => next,
            Err(illegal) => return Ok(Err(illegal)),
        };
        // The environment first: a run that may not start there must not be saved as started.
        if let Err(refused) = self.environment_follows(&before, &after, &event).await? {
            let NoPlace { key, why } = refused;
            let failure = Failure::new(format!("{key} takes no more releases: {why}."))
                .next("ask again when some of them have ended")
                .final_for_request();
            let event = Event::PlanningFailed { step: None, failure, at: self.engine.clock.now() };
            self.todo.push_back(Todo::Event(id.clone(), event));
            return Ok(Ok(before));
        }
        store.release_save(self.tx, &after, &event, &self.engine.clock).await?;
        for effect in &effects {
            store.effect_insert(self.tx, id, effect, &self.engine.clock).await?;
        }
        if self.engine.setup.deployments && after.report_is_due(&before) {
            store.effect_insert(self.tx, id, &Effect::Report, &self.engine.clock).await?;
        }
        let abandoned = if after.phase.is_end() { store.effects_abandon(self.tx, id).await? } else { vec![] };
        store.cards_touch(self.tx, id, !event.is_progress()).await?;
        self.configuration_follows(&before, &after, &event).await?;
        Box::pin(self.tag_follows(&after, &event)).await?;
        self.post_details(&after, &event).await?;
        if !event.is_progress() {
            self.record_event(&after, &event).await?;
            info!(release = %id, event = event.name(), phase = after.phase.name(), "release");
        }
        self.abandoned(&after, &abandoned).await?;
        Box::pin(self.together_follows(&before, &after, &event)).await?;
        if after.wants_judgement() && !matches!(event, Event::Judged { .. }) {
            self.todo.push_back(Todo::Judge(id.clone()));
        }
        if self.goes_back_by_setting(&after, &event) {
            self.todo.push_back(Todo::GoBack(id.clone()));
        }
        Ok(Ok(after))
    }

    /// Does all that is left to do.
    pub(super) async fn finish(&mut self) -> Result<(), EngineError> {
        for _ in 0..CHAIN_LIMIT {
            match self.todo.pop_front() {
                None => return Ok(()),
                Some(Todo::Judge(id)) => Box::pin(self.judge(&id)).await?,
                Some(Todo::Tell(key, news)) => self.tell_news(&key, &news).await?,
                Some(Todo::GoBack(id)) => self.go_back_by_setting(&id).await?,
                Some(Todo::Unlocked(key)) => Box::pin(self.intents_behind(&key)).await?,
                Some(Todo::Flow(key, event)) => self.flow_step(&key, &event).await?,
                Some(Todo::Event(id, event)) => {
                    if let Err(illegal) = self.apply(&id, event).await? {
                        info!(release = %id, %illegal, "nothing follows");
                    }
                }
            }
        }
        Err(EngineError::Endless)
    }

    /// Puts the question to the gate, with everything read in this transaction, and acts on the verdict.
    async fn judge(&mut self, id: &ReleaseId) -> Result<(), EngineError> {
        let release = match self.engine.store.release_get(self.tx, id).await {
            Ok(Some(stored)) => stored.release,
            Ok(None) => return Ok(()),
            // It cannot start. That is no reason to undo what has happened to the release before it.
            Err(error @ StoreError::Unreadable { .. }) => {
                error!(release = %id, %error, "a release cannot be judged");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        if !release.wants_judgement() {
            return Ok(());
        }
        let environment = self.environment_now(&release.request.key).await?;
        let Some(verdict) = self.ask_gate(&release, &environment).await? else { return Ok(()) };
        self.followers_are_read_too(&release, &verdict);
        let same = release.verdict.as_ref().is_some_and(|last| last.says_the_same_as(&verdict));
        if same && verdict.course() == Course::Wait {
            return Ok(());
        }
        if let Err(illegal) = self.apply(id, Event::Judged { verdict: Box::new(verdict) }).await? {
            warn!(release = %id, %illegal, "a verdict did not fit");
        }
        Ok(())
    }

    /// The gate's verdict on a release as it is now; `None` without a plan.
    pub(super) async fn ask_gate(
        &mut self,
        release: &Release,
        environment: &Environment,
    ) -> Result<Option<Verdict>, EngineError> {
        self.inquiry().ask_gate(release, environment).await
    }

    /// Questions that this transaction answers, under the rules in force.
    pub(super) fn inquiry(&mut self) -> Inquiry<'_> {
        let Engine { store, setup, clock, .. } = self.engine;
        Inquiry { store, tx: self.tx, setup, rules: setup.rules(), now: clock.now() }
    }

    /// What policy has to know beside a release, as this transaction sees it.
    pub(super) async fn standing(&mut self, release: &Release) -> Result<Standing, EngineError> {
        let engine = self.engine;
        Ok(Standing::within(&engine.store, self.tx, &engine.setup, release, engine.clock.now()).await?)
    }

    /// Keeps queue, running release and what is live in step with a release.
    async fn environment_follows(
        &mut self,
        before: &Release,
        after: &Release,
        event: &Event,
    ) -> Result<Result<(), NoPlace>, EngineError> {
        if let Event::Planned { .. } = event
            && !after.request.dry_run
        {
            return Box::pin(self.places_follow(after)).await;
        }
        let key = after.request.key.clone();
        let or_no_place = |stepped: Result<(), _>| stepped.map_err(|why| NoPlace { key, why });
        let starts = matches!(after.phase, Phase::Running { .. }) && !matches!(before.phase, Phase::Running { .. });
        if starts {
            let started = environment::Event::Started {
                release: after.id.clone(),
                requester: after.request.requester.clone(),
                at: self.engine.clock.now(),
            };
            return Ok(or_no_place(self.environment_step(&after.request.key, started).await?));
        }
        // What is said of a release after its end changes no environment.
        if after.phase.is_end() && !before.phase.is_end() {
            // Before anything else that follows: how it ended says whether something begins by itself.
            let happened = Box::new(flow::Event::Ended(super::flow::ended(after)));
            self.todo.push_front(Todo::Flow(after.request.key.clone(), happened));
            let ended =
                environment::Event::Ended { release: after.id.clone(), live: live(after), at: self.engine.clock.now() };
            if live(after).is_some() {
                self.judge_after(&after.request.key).await?;
            }
            return Ok(or_no_place(self.environment_step(&after.request.key, ended).await?));
        }
        Ok(Ok(()))
    }

    /// What waits in the environments after one is judged again: its image may begin to soak now, or ceases to.
    async fn judge_after(&mut self, key: &EnvironmentKey) -> Result<(), EngineError> {
        let engine = self.engine;
        for next in engine.setup.environments_after(key) {
            let waiting = engine.store.environment_get(self.tx, &next).await?.queue;
            self.todo.extend(waiting.into_iter().map(|waiting| Todo::Judge(waiting.release)));
        }
        Ok(())
    }

    /// Lets an event happen to an environment, or says why it cannot. A run that cannot start there is a defect of
    /// ours, because the gate has looked at this very row in this very transaction: the transaction is undone
    /// rather than that two releases run.
    pub(super) async fn environment_step(
        &mut self,
        key: &EnvironmentKey,
        event: environment::Event,
    ) -> Result<Result<(), environment::Illegal>, EngineError> {
        let store = &self.engine.store;
        let now = store.environment_get(self.tx, key).await?;
        let (next, effects) = match environment::step(&now, &event) {
            Ok(next) => next,
            Err(illegal) if matches!(event, environment::Event::Started { .. }) => {
                return Err(StoreError::Unreadable { what: "an environment", error: illegal.to_string() }.into());
            }
            Err(illegal) => return Ok(Err(illegal)),
        };
        if next != now {
            store.environment_save(self.tx, &next).await?;
            if self.engine.setup.environment(key).is_some_and(|environment| environment.auto_deploy.is_some()) {
                self.todo.push_back(Todo::Flow(key.clone(), Box::new(flow::Event::Looked)));
            }
        }
        self.by_hand_is_over(&now, &next).await?;
        Box::pin(self.lock_is_said(&now, &next, event.by())).await?;
        self.places_changed(&now, &next).await?;
        if now.lock.is_some() && next.lock.is_none() {
            self.todo.push_back(Todo::Unlocked(key.clone()));
        }
        let at = self.engine.clock.now();
        for effect in effects {
            self.todo.push_back(match effect {
                environment::Effect::Supersede { release, by, requester } => {
                    Todo::Event(release, Event::Superseded { by, requester: Some(requester), at })
                }
                environment::Effect::Judge { release } => Todo::Judge(release),
                environment::Effect::Tell(news) => Todo::Tell(key.clone(), news),
            });
        }
        Ok(Ok(()))
    }

    /// Writes a record of what happened to a release into the audit log.
    async fn record_event(&mut self, release: &Release, event: &Event) -> Result<(), EngineError> {
        let asked_now = matches!(
            event,
            Event::Requested | Event::Voted { .. } | Event::Overridden { .. } | Event::CancelRequested { .. }
        );
        // The verdict of a `judged` is in the release already.
        let verdict = release.verdict.as_ref().filter(|_| !asked_now);
        let policy_hash = verdict.map(|verdict| verdict.policy_hash().to_owned()).or_else(|| self.policy_hash());
        let mut body = json!({
            "release": release.id,
            "service": release.request.key.service,
            "environment": release.request.key.environment,
            "requester": release.request.requester,
            "person": actor(release, event),
            "phase": release.phase.name(),
            "plan": release.digest(),
            "event": event,
        });
        if let Event::Requested = event {
            body["request"] = json!(release.request);
        }
        if is_about_a_decision(event) {
            body["standing"] = json!(self.recorded_standing(release, None).await?);
        }
        self.record(event.name(), body, policy_hash).await
    }

    /// What a decision about a release rests on beside what the log holds already, so that `slipway policy replay` can
    /// ask other policies.
    pub(super) async fn recorded_standing(
        &mut self,
        release: &Release,
        more: Option<&PersonId>,
    ) -> Result<RecordedStanding, EngineError> {
        let Standing { people, past, sources: _, shared } = self.standing(release).await?;
        let timezone = self.engine.setup.timezone(&release.request.key);
        let recorded = RecordedStanding::of_release(release, more, &people, &past, timezone);
        Ok(match shared {
            Some(shared) => recorded.with_votes(&shared.votes, shared.waiver.as_ref(), &people),
            None => recorded,
        })
    }

    /// Adds a record to the audit log. Where no other policies were asked, the hash is of those in force.
    pub(super) async fn record(
        &mut self,
        kind: &str,
        body: serde_json::Value,
        policy_hash: Option<String>,
    ) -> Result<(), EngineError> {
        let policy_hash = policy_hash.or_else(|| self.policy_hash());
        let draft = audit::Draft { at: self.engine.clock.now(), kind: kind.to_owned(), body, policy_hash };
        self.engine.store.audit_append(self.tx, draft).await?;
        Ok(())
    }
}

/// Whether an event is an outcome or a timer's. Verdicts, and what people do, are made in here by those who ask policy
/// first, and never delivered.
fn comes_from_outside(event: &Event) -> bool {
    match event {
        Event::Resolved { .. }
        | Event::BuildProgress { .. }
        | Event::BuildReady
        | Event::BuildMissing { .. }
        | Event::Dispatched { .. }
        | Event::Planned { .. }
        | Event::PlanningFailed { .. }
        | Event::Progress { .. }
        | Event::DeployStarted { .. }
        | Event::StepSucceeded { .. }
        | Event::StepFailed { .. }
        | Event::StepStopped { .. }
        | Event::TimedOut { .. }
        | Event::Promoted { .. }
        | Event::PullSeen { .. }
        | Event::PullReady { .. }
        | Event::PullWaits { .. }
        | Event::PullMerged { .. }
        | Event::GatherHeld { .. } => true,
        Event::Requested
        | Event::Judged { .. }
        | Event::Voted { .. }
        | Event::Withdrawn { .. }
        | Event::Overridden { .. }
        | Event::CancelRequested { .. }
        | Event::Superseded { .. }
        | Event::MarkedBad { .. }
        | Event::MarkRemoved { .. }
        | Event::AutomaticRollback { .. }
        | Event::LeftOut { .. }
        | Event::VotesVoid { .. } => false,
    }
}

/// Whose doing an event is, where it is somebody's.
fn actor<'a>(release: &'a Release, event: &'a Event) -> Option<&'a PersonId> {
    match event {
        Event::Requested => Some(&release.request.requester),
        Event::Voted { vote } => Some(&vote.person),
        Event::Withdrawn { person } => Some(person),
        Event::Overridden { waiver } => Some(&waiver.by),
        Event::CancelRequested { by, .. } => Some(by),
        Event::Superseded { requester, .. } => requester.as_ref(),
        Event::MarkedBad { mark } => Some(&mark.by),
        Event::MarkRemoved { by, .. } | Event::LeftOut { by, .. } | Event::VotesVoid { by, .. } => Some(by),
        Event::Resolved { .. }
        | Event::BuildProgress { .. }
        | Event::BuildReady
        | Event::BuildMissing { .. }
        | Event::Dispatched { .. }
        | Event::Planned { .. }
        | Event::PlanningFailed { .. }
        | Event::Judged { .. }
        | Event::Progress { .. }
        | Event::DeployStarted { .. }
        | Event::StepSucceeded { .. }
        | Event::StepFailed { .. }
        | Event::StepStopped { .. }
        | Event::TimedOut { .. }
        | Event::AutomaticRollback { .. }
        | Event::Promoted { .. }
        | Event::PullSeen { .. }
        | Event::PullReady { .. }
        | Event::PullWaits { .. }
        | Event::PullMerged { .. }
        | Event::GatherHeld { .. } => None,
    }
}

/// Whether policy is asked about a release when this happens to it.
fn is_about_a_decision(event: &Event) -> bool {
    matches!(
        event,
        Event::Requested
            | Event::Planned { .. }
            | Event::Judged { .. }
            | Event::Voted { .. }
            | Event::Withdrawn { .. }
            | Event::Overridden { .. }
    )
}

/// What runs after a release: changed when the deploy step succeeded, whatever came after that.
pub(super) fn live(release: &Release) -> Option<Live> {
    let plan = release.plan.as_ref()?;
    let verified = release.brought_live()?;
    Some(Live {
        release: release.id.clone(),
        commit: plan.commit.clone(),
        image: plan.image.digest.clone(),
        by: release.request.requester.clone(),
        since: release.ended_at?,
        verified,
    })
}
