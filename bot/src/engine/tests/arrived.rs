//! What is read back after a deployment, and what is said of it.

use super::effects::{executor, outside};
use super::*;
use crate::executor::Executor;
use async_trait::async_trait;
use jiff::Timestamp;
use slipway_core::ids::ReleaseId;
use slipway_deploy::target::{
    Observed, OperationKind, OperationSeen, OperationState, OperationStatus, StartError, Started, Target, TargetError,
    Trail,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const OURS: &str = "op-ours";

/// A target after the end of our operation.
struct After {
    runs: String,
    newest: OperationSeen,
    ended: OperationStatus,
    trail: Trail,
    busy: bool,
    /// Whether it was told to deploy. Before that its newest operation is another one.
    told: AtomicBool,
}

fn seen(id: &str, status: OperationStatus) -> OperationSeen {
    let started_at = Timestamp::from_second(1_700_000_000).ok();
    OperationSeen { id: id.to_owned(), kind: OperationKind::Update, status, started_at, ended_at: None }
}

impl After {
    fn good() -> Self {
        Self {
            runs: plan("staging", 1, 3).image.pinned(),
            newest: seen(OURS, OperationStatus::Succeeded),
            ended: OperationStatus::Succeeded,
            trail: Trail::default(),
            busy: false,
            told: AtomicBool::new(false),
        }
    }
}

#[async_trait]
impl Target for After {
    async fn observe(&self, id: &str) -> Result<Observed, TargetError> {
        Ok(Observed {
            service_name: id.to_owned(),
            status: "RUNNING".to_owned(),
            image_identifier: self.runs.clone(),
            settings: BTreeMap::new(),
            newest_operation: Some(match self.told.load(Ordering::Relaxed) || self.busy {
                true => self.newest.clone(),
                false => seen("op-before", OperationStatus::Succeeded),
            }),
            url: None,
            auto_deployments: false,
        })
    }

    async fn start(&self, _id: &str, _image: &str) -> Result<Started, StartError> {
        self.told.store(true, Ordering::Relaxed);
        if self.busy { Err(StartError::Busy) } else { Ok(Started { operation_id: OURS.to_owned() }) }
    }

    async fn operation(&self, _id: &str, _operation: &str) -> Result<OperationState, TargetError> {
        let reason = Some("tasks failed to start".to_owned());
        let word = "A_WORD_OF_AWS".to_owned();
        Ok(OperationState { status: self.ended, started_at: None, ended_at: None, word, reason })
    }

    async fn find_since(&self, _id: &str, _before: Option<&str>) -> Result<Vec<OperationSeen>, TargetError> {
        Ok(vec![])
    }

    async fn trail(&self, _id: &str, _since: Option<Timestamp>) -> Trail {
        self.trail.clone()
    }
}

/// A release about to deploy to such a target.
async fn about_to_deploy(target: After) -> (Chat, ReleaseId, Executor) {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.succeeds(&release, "observe_ci", Step::Ci).await;
    chat.succeeds(&release, "observe_image", Step::Image).await;
    let outside = outside().await.with_target("app-runner", Arc::new(target));
    let executor = executor(&chat, outside);
    (chat, release, executor)
}

/// The end of a deployment: the detail of its step, and its failure.
async fn end(target: After) -> (String, Option<Failure>) {
    let (mut chat, release, executor) = about_to_deploy(target).await;
    for effect in ["deploy", "follow"] {
        executor.work(chat.lease(&release, effect).await).await;
        chat.handle_all().await;
    }
    let release = chat.store.release(&release).await.unwrap().unwrap().release;
    let failure = match release.outcome {
        Some(Outcome::Failed { failure, .. } | Outcome::RolledBack { failure }) => Some(failure),
        _ => None,
    };
    (release.steps.get(Step::Deploy).detail.clone().unwrap_or_default(), failure)
}

#[tokio::test]
async fn what_was_approved_runs() {
    assert_eq!(end(After::good()).await, ("operation op-ours succeeded".to_owned(), None));
    // A deployment of the same image after ours changes nothing, and is told all the same.
    let again = After { newest: seen("op-theirs", OperationStatus::InProgress), ..After::good() };
    let told = "operation op-ours succeeded; then came another: UPDATE_SERVICE op-their…, began 22:13 UTC";
    assert_eq!(end(again).await, (told.to_owned(), None));
}

#[tokio::test]
async fn what_somebody_deployed_in_the_middle_is_told_with_both_digests() {
    let approved = plan("staging", 1, 3).image;
    let other = format!("{}@sha256:{}", approved.repository, "9".repeat(64));
    for (status, verb) in [(OperationStatus::Succeeded, "runs"), (OperationStatus::InProgress, "is bringing")] {
        let newest = seen("op-theirs", status);
        let failure = end(After { runs: other.clone(), newest, ..After::good() }).await.1.unwrap();
        let digest = approved.digest.short();
        let what = format!("AWS {verb} sha256:9999…99, approved was {digest}: somebody deployed in the middle.");
        assert_eq!(failure.what, what);
        assert_eq!(failure.details[1], "Not of this release: UPDATE_SERVICE op-their…, began 22:13 UTC.");
    }
}

#[tokio::test]
async fn a_failure_has_awss_word_its_reason_and_the_last_lines() {
    let trail = Trail {
        events: vec!["22:13:20 unhealthy".to_owned()],
        log: vec!["22:13:21 panic".to_owned()],
        missing: vec![],
    };
    let failed = After { ended: OperationStatus::Failed, trail, ..After::good() };
    let failure = end(failed).await.1.unwrap();
    assert_eq!(failure.what, "AWS could not deploy the new image (A_WORD_OF_AWS).");
    assert_eq!(failure.details, ["tasks failed to start"]);
    assert_eq!(failure.log_tail.as_deref(), Some("event 22:13:20 unhealthy\nlog   22:13:21 panic"));
}

#[tokio::test]
async fn what_is_waited_for_is_named() {
    let newest = seen("op-theirs", OperationStatus::InProgress);
    let (mut chat, release, executor) = about_to_deploy(After { newest, busy: true, ..After::good() }).await;
    executor.work(chat.lease(&release, "deploy").await).await;
    chat.handle_all().await;
    let release = chat.store.release(&release).await.unwrap().unwrap().release;
    let told = "goals-staging: waiting for another operation to end: UPDATE_SERVICE op-their…, began 22:13 UTC";
    assert_eq!(release.steps.get(Step::Deploy).detail.as_deref(), Some(told));
}
