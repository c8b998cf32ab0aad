//! The executor's own loop: what is in hand stays there, and what cannot be done holds up nothing else.

use super::effects::{executor, idle, outside};
use super::*;
use async_trait::async_trait;
use slipway_core::ids::ReleaseId;
use slipway_core::release::Effect;
use slipway_deploy::target::{
    Observed, OperationSeen, OperationState, OperationStatus, StartError, Started, Target, TargetError,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// How long a test waits for what must come.
pub(super) const WAIT_LIMIT: Duration = Duration::from_secs(60);

/// A target that takes its time to start anything.
pub(super) struct Slow {
    /// A permit for each time it was looked at.
    pub(super) observed: Semaphore,
    begun: Semaphore,
    goes_on: Notify,
}

impl Slow {
    pub(super) fn new() -> Self {
        Self { observed: Semaphore::new(0), begun: Semaphore::new(0), goes_on: Notify::new() }
    }
}

#[async_trait]
impl Target for Slow {
    async fn observe(&self, id: &str) -> Result<Observed, TargetError> {
        self.observed.add_permits(1);
        Ok(idle(id))
    }

    async fn start(&self, _id: &str, _image: &str) -> Result<Started, StartError> {
        self.begun.add_permits(1);
        self.goes_on.notified().await;
        Ok(Started { operation_id: "op-1".to_owned() })
    }

    async fn operation(&self, _id: &str, _operation: &str) -> Result<OperationState, TargetError> {
        let (status, word) = (OperationStatus::Pending, "PENDING".to_owned());
        Ok(OperationState { status, started_at: None, ended_at: None, word, reason: None })
    }

    async fn find_since(&self, _id: &str, _before: Option<&str>) -> Result<Vec<OperationSeen>, TargetError> {
        Ok(vec![])
    }
}

/// An effect that only asks the gate, due now.
async fn due_now(chat: &Chat, release: &ReleaseId) {
    let mut tx = chat.store.begin().await.unwrap();
    let judge = Effect::JudgeAt { at: chat.now() };
    chat.store.effect_insert(&mut tx, release, &judge, &chat.engine.clock).await.unwrap();
    tx.commit().await.unwrap();
    chat.engine.signals.effects.notify_one();
}

/// Waits until so many effects that ask the gate are done. Each that ends wakes who handles the inbox.
async fn until_judged(chat: &Chat, count: i64) {
    let judged = "SELECT count(*) FROM effects WHERE kind = $1 AND state = 'done'";
    let wait = async {
        while chat.count(judged, "judge_at").await < count {
            chat.engine.signals.inbox.notified().await;
        }
    };
    tokio::time::timeout(WAIT_LIMIT, wait).await.expect("an effect that is due is done");
}

#[tokio::test]
async fn a_lease_that_runs_out_while_the_work_goes_on_starts_nothing_twice() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.succeeds(&release, "observe_ci", Step::Ci).await;
    chat.succeeds(&release, "observe_image", Step::Image).await;
    let slow = Arc::new(Slow::new());
    let mut outside = outside().await;
    let target: Arc<dyn Target> = slow.clone();
    outside.targets.insert("app-runner", target);
    let running = tokio::spawn(executor(&chat, outside).run());
    tokio::time::timeout(WAIT_LIMIT, slow.begun.acquire()).await.expect("it is begun").unwrap().forget();

    // Nothing could be written for so long that the lease has run out, and then the loop is the first to write.
    chat.wait_s(120);
    due_now(&chat, &release).await;
    until_judged(&chat, 1).await;
    assert_eq!(chat.count("SELECT attempts FROM effects WHERE kind = $1", "deploy").await, 1, "leased once");

    slow.goes_on.notify_one();
    let stored = async {
        while chat.count("SELECT count(*) FROM effects WHERE kind = $1 AND state = 'done'", "deploy").await == 0 {
            chat.engine.signals.inbox.notified().await;
        }
    };
    tokio::time::timeout(WAIT_LIMIT, stored).await.expect("its outcome is stored");
    chat.handle_all().await;
    assert_eq!(chat.audit_of("intended").await.len(), 1);
    assert_eq!(chat.audit_of("deploy_started").await.len(), 1);
    assert_eq!(slow.begun.available_permits(), 0, "started once");
    running.abort();
}

#[tokio::test]
async fn an_effect_that_cannot_be_given_up_holds_up_none_that_was_leased_beside_it() {
    let mut chat = Chat::open().await;
    chat.says("ana", "/deploy staging").await;
    let release = chat.newest().await;
    chat.execute("UPDATE effects SET body = '{\"effect\":\"of_a_later_version\"}'".to_owned()).await;
    chat.execute("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'disk full'); END".into()).await;
    due_now(&chat, &release).await;
    let running = tokio::spawn(executor(&chat, outside().await).run());
    // The clock stands still: no lease runs out.
    until_judged(&chat, 1).await;
    running.abort();
}
