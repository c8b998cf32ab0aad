//! What effects leave in the audit log: a record before each action, and one for every end.

use super::*;
use crate::engine::{Engine, Incoming};
use crate::executor::{Executor, Trouble};
use crate::members::Members;
use crate::outside::Outside;
use crate::store::Store;
use async_trait::async_trait;
use jiff::Timestamp;
use slipway_core::audit::Record;
use slipway_core::ids::ReleaseId;
use slipway_core::release::{BuildProgress, Effect};
use slipway_deploy::target::{
    Observed, OperationSeen, OperationState, OperationStatus, StartError, Started, Target, TargetError,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

/// Clients that reach nothing.
pub(super) async fn outside() -> Outside {
    Outside::nowhere()
}

/// The executor of a chat's bot.
pub(super) fn executor(chat: &Chat, outside: Outside) -> Executor {
    let Engine { store, setup, clock, signals } = chat.engine.clone();
    let outside = Arc::new(outside);
    let members = Members::new(store.clone(), setup.clone(), outside.clone(), clock.clone(), signals.clone());
    Executor {
        store,
        setup,
        outside,
        members: Arc::new(members),
        rehearsals: Arc::default(),
        clock,
        signals,
        owner: "test".to_owned(),
    }
}

/// A service at which nothing is under way.
pub(super) fn idle(id: &str) -> Observed {
    Observed {
        service_name: id.to_owned(),
        status: "RUNNING".to_owned(),
        image_identifier: String::new(),
        settings: BTreeMap::new(),
        newest_operation: None,
        url: None,
        auto_deployments: false,
    }
}

/// A target that looks into the audit log when it is told to deploy.
struct Watchful {
    store: Store,
    answers: Mutex<VecDeque<Result<Started, StartError>>>,
    /// The newest record each time.
    seen: Mutex<Vec<Record>>,
}

#[async_trait]
impl Target for Watchful {
    async fn observe(&self, id: &str) -> Result<Observed, TargetError> {
        Ok(idle(id))
    }

    async fn start(&self, _id: &str, _image: &str) -> Result<Started, StartError> {
        let rows = self.store.audit_rows(1, 10_000).await.unwrap();
        let newest = serde_json::from_slice(&rows.last().unwrap().text).unwrap();
        self.seen.lock().unwrap().push(newest);
        self.answers.lock().unwrap().pop_front().unwrap()
    }

    async fn operation(&self, _id: &str, _operation: &str) -> Result<OperationState, TargetError> {
        let (status, word) = (OperationStatus::Pending, "PENDING".to_owned());
        Ok(OperationState { status, started_at: None, ended_at: None, word, reason: None })
    }

    async fn find_since(&self, _id: &str, _before: Option<&str>) -> Result<Vec<OperationSeen>, TargetError> {
        Ok(vec![])
    }
}

/// A release that is about to deploy, and an executor whose target gives these answers.
async fn about_to_deploy(answers: Vec<Result<Started, StartError>>) -> (Chat, ReleaseId, Executor, Arc<Watchful>) {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.succeeds(&release, "observe_ci", Step::Ci).await;
    chat.succeeds(&release, "observe_image", Step::Image).await;
    let (answers, seen) = (Mutex::new(answers.into()), Mutex::default());
    let target = Arc::new(Watchful { store: chat.store.clone(), answers, seen });
    let mut outside = outside().await;
    let dynamic: Arc<dyn Target> = target.clone();
    outside.targets.insert("app-runner", dynamic);
    let executor = executor(&chat, outside);
    (chat, release, executor, target)
}

#[tokio::test]
async fn the_record_of_an_intent_is_there_before_the_action() {
    let begun = Started { operation_id: "op-1".to_owned() };
    let (mut chat, release, executor, target) = about_to_deploy(vec![Err(StartError::Busy), Ok(begun)]).await;
    let before = chat.audit().await.len();
    for _ in 0..2 {
        let row = chat.lease(&release, "deploy").await;
        executor.work(row).await;
        chat.handle_all().await;
        chat.wait_s(10);
    }
    let records = chat.audit_since(before).await;
    let kinds: Vec<_> = records.iter().map(|record| record.kind.as_str()).collect();
    assert_eq!(kinds, ["intended", "intent_withdrawn", "intended", "deploy_started"]);
    assert_eq!(*target.seen.lock().unwrap(), [records[0].clone(), records[2].clone()]);
    let plan = plan("staging", 1, 3);
    let body = &records[2].body;
    assert_eq!((&body["effect"], &body["attempt"]), (&"deploy".into(), &2.into()));
    assert_eq!(body["intent"]["image"], plan.image.pinned());
    for record in &records {
        let columns = record.columns();
        assert_eq!((columns.service.as_str(), columns.environment.as_str()), ("goals", "staging"));
        assert_eq!((columns.release.as_str(), columns.plan.as_str()), (release.as_str(), plan.digest().as_str()));
        assert_eq!(record.policy_hash.as_deref(), Some(chat.engine.setup.policies().hash()));
    }
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_done() {
    let (mut chat, release, executor, target) = about_to_deploy(vec![]).await;
    chat.execute("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'disk full'); END".into()).await;
    let row = chat.lease(&release, "deploy").await;
    executor.work(row).await;
    assert_eq!(*target.seen.lock().unwrap(), []);
    let intent = "SELECT count(*) FROM effects WHERE release = $1 AND intent IS NOT NULL";
    assert_eq!(chat.count(intent, release.as_str()).await, 0);
    chat.execute("DROP TRIGGER full".into()).await;
    chat.execute("UPDATE audit SET record = 'gone' WHERE seq = (SELECT max(seq) FROM audit)".into()).await;
    chat.wait_s(61);
    let row = chat.lease(&release, "deploy").await;
    executor.work(row).await;
    assert_eq!(*target.seen.lock().unwrap(), [], "no record can follow one that is none");
}

/// How an effect that did what it should ends.
enum End {
    /// With an event, which is recorded when it is taken in.
    Event(Event),
    /// With a record of its own, of this kind.
    Record(&'static str),
    /// By asking the gate, whose verdict is recorded when it is another than before.
    Verdict,
}

/// There is no wildcard: whoever adds an effect has to say here how its end is recorded.
fn end(effect: &Effect, at: Timestamp) -> End {
    let succeeded = |step| End::Event(Event::StepSucceeded { step, detail: "done".into(), at });
    match effect {
        Effect::Resolve => End::Event(Event::Resolved { commit: sha(3), branch: None }),
        Effect::AwaitBuild => End::Event(Event::BuildReady),
        Effect::Dispatch => End::Event(Event::Dispatched { run: 7, temporary_tag: None }),
        Effect::Gather => End::Event(Event::PlanningFailed { step: None, failure: Failure::new("Red."), at }),
        Effect::ObserveCi => succeeded(Step::Ci),
        Effect::ObserveImage => succeeded(Step::Image),
        Effect::Migrate => succeeded(Step::Migrate),
        Effect::Deploy { target } => End::Event(Event::DeployStarted { target: *target, operation: "op-1".to_owned() }),
        Effect::Follow { .. } => succeeded(Step::Deploy),
        Effect::Verify => succeeded(Step::Verify),
        Effect::ExpireAt { at } => End::Event(Event::TimedOut { at: *at }),
        Effect::JudgeAt { .. } => End::Verdict,
        Effect::Tell { .. } => End::Record("told"),
        Effect::Announce => End::Record("announced"),
        Effect::Promote { tag } => End::Event(Event::Promoted { tag: tag.clone(), problem: None, at }),
        Effect::Report => End::Record("reported"),
        Effect::AwaitPull => End::Event(Event::PullReady { pull: shipping::shipped(false), at }),
        Effect::MergePull => End::Event(Event::PullMerged { pull: shipping::shipped(true), at }),
        Effect::RemoveTag { .. } => End::Record("build_tag_removed"),
    }
}

fn all(at: Timestamp) -> [Effect; 19] {
    [
        Effect::Resolve,
        Effect::AwaitBuild,
        Effect::Dispatch,
        Effect::Gather,
        Effect::ObserveCi,
        Effect::ObserveImage,
        Effect::Migrate,
        Effect::Deploy { target: 0 },
        Effect::Follow { target: 0, operation: "op-1".to_owned() },
        Effect::Verify,
        Effect::JudgeAt { at },
        Effect::ExpireAt { at },
        Effect::Tell { people: vec!["bob".into()], what: "It waits for you.".to_owned() },
        Effect::Announce,
        Effect::Promote { tag: "latest".to_owned() },
        Effect::Report,
        Effect::AwaitPull,
        Effect::MergePull,
        Effect::RemoveTag { tag: "slipway/01JD7Q4N".to_owned() },
    ]
}

/// A release in its planning with this effect alone, leased.
async fn with(effect: &Effect) -> (Chat, crate::store::EffectRow) {
    let mut chat = Chat::open().await;
    chat.says("ana", "/deploy staging").await;
    let release = chat.newest().await;
    chat.execute("DELETE FROM effects".to_owned()).await;
    let mut tx = chat.store.begin().await.unwrap();
    chat.store.effect_insert(&mut tx, &release, effect, &chat.engine.clock).await.unwrap();
    tx.commit().await.unwrap();
    let row = chat.lease(&release, effect.name()).await;
    (chat, row)
}

#[tokio::test]
async fn every_end_of_every_effect_is_on_record() {
    for effect in all(Timestamp::UNIX_EPOCH) {
        let (chat, row) = with(&effect).await;
        let before = chat.audit().await.len();
        match end(&effect, chat.now()) {
            End::Event(event) => {
                let happened = Incoming::Happened { release: row.release.clone(), event: event.clone() };
                chat.store.effect_done(&row, &happened, &chat.engine.clock).await.unwrap();
                chat.handle_all().await;
                let first = &chat.audit_since(before).await[0];
                // A release in its planning waits for few of them, and all the others are on record too.
                assert!([event.name(), "outcome_too_late"].contains(&first.kind.as_str()), "{effect:?}: {first:?}");
                assert_eq!(first.body["event"], serde_json::json!(event), "{effect:?}");
            }
            End::Record(kind) => {
                executor(&chat, outside().await).work(row).await;
                let kinds: Vec<_> = chat.audit_since(before).await.into_iter().map(|record| record.kind).collect();
                assert_eq!(kinds, [kind], "{effect:?}");
            }
            End::Verdict => {}
        }
    }
}

#[tokio::test]
async fn so_is_every_effect_that_fails_or_is_given_up() {
    for effect in all(Timestamp::UNIX_EPOCH) {
        let (chat, row) = with(&effect).await;
        let before = chat.audit().await.len();
        let trouble = Trouble::Final(Box::new(Failure::new("The canary is dead.")));
        executor(&chat, outside().await).settle_trouble(&row, trouble).await.unwrap();
        chat.handle_all().await;
        let records = chat.audit_since(before).await;
        let kinds = ["planning_failed", "outcome_too_late", "effect_given_up"];
        assert!(kinds.contains(&records[0].kind.as_str()), "{effect:?}: {records:?}");
        assert!(records[0].body.to_string().contains("The canary is dead."), "{effect:?}: {records:?}");

        let (chat, row) = with(&effect).await;
        let before = chat.audit().await.len();
        executor(&chat, outside().await).settle_trouble(&row, Trouble::Abandoned).await.unwrap();
        assert_eq!(chat.audit_since(before).await[0].kind, "effect_abandoned", "{effect:?}");
    }
}

#[tokio::test]
async fn what_outlasts_a_release_is_all_that_is_left_at_its_end() {
    for effect in all(Timestamp::UNIX_EPOCH) {
        let (mut chat, row) = with(&effect).await;
        chat.says("ana", "/release cancel").await;
        let open = "SELECT count(*) FROM effects WHERE release = $1 AND state IN ('pending', 'leased')";
        let left = chat.count(open, row.release.as_str()).await;
        assert_eq!(left, i64::from(!effect.ends_with_release()), "{effect:?}");
    }
}

#[tokio::test]
async fn what_was_under_way_when_a_release_ended_is_named() {
    let (mut chat, release, _executor, _target) = about_to_deploy(vec![]).await;
    chat.says("ana", "/release cancel").await;
    let abandoned = chat.audit_of("effects_abandoned").await.pop().unwrap();
    assert_eq!(abandoned.columns().release, release.as_str());
    let effects = abandoned.body["effects"].as_array().unwrap();
    assert_eq!(effects.len(), 1, "timers are no news: {effects:?}");
    assert_eq!((&effects[0]["effect"], &effects[0]["begun"]), (&"deploy".into(), &false.into()));
}

#[tokio::test]
async fn news_and_polls_are_not_in_it() {
    let (chat, row) = with(&Effect::AwaitBuild).await;
    let before = chat.audit().await.len();
    let progress = BuildProgress { detail: "1 of 3".into(), permille: None, url: None, jobs: vec![] };
    let news = Incoming::Happened { release: row.release.clone(), event: Event::BuildProgress { progress } };
    chat.store.effect_again(&row, 0, 0, Some(&news), &chat.engine.clock).await.unwrap();
    chat.handle_all().await;
    assert_eq!(chat.audit_since(before).await, []);
}
