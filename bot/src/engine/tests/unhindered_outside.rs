//! What is slow outside holds up nothing else.

use super::effects::{executor, idle, outside};
use super::*;
use crate::by_hand::Watch;
use crate::chat::entrance::Entrance;
use crate::chat::reread::{LookError, Reactions, Reread, There};
use crate::engine::Engine;
use crate::outside::Outside;
use crate::readiness::Readiness;
use async_trait::async_trait;
use slipway_deploy::target::{Observed, OperationSeen, OperationState, StartError, Started, Target, TargetError};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Barrier, Notify};

/// Far more than it takes, and less than any rest or limit that would be waited for otherwise.
const SOON: Duration = Duration::from_secs(4);

/// A target that answers when as many ask as it waits for.
#[derive(Debug)]
struct Together {
    asked: AtomicUsize,
    begun: Notify,
    all: Barrier,
}

impl Together {
    fn of(count: usize) -> Arc<Self> {
        Arc::new(Self { asked: AtomicUsize::new(0), begun: Notify::new(), all: Barrier::new(count) })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Target for Together {
    async fn observe(&self, id: &str) -> Result<Observed, TargetError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.begun.notify_one();
        self.all.wait().await;
        Ok(idle(id))
    }

    async fn start(&self, _id: &str, _image: &str) -> Result<Started, StartError> {
        Err(StartError::Busy)
    }

    async fn operation(&self, _id: &str, operation: &str) -> Result<OperationState, TargetError> {
        Err(TargetError::Refused(operation.to_owned()))
    }

    async fn find_since(&self, _id: &str, _before: Option<&str>) -> Result<Vec<OperationSeen>, TargetError> {
        Ok(vec![])
    }
}

async fn with(target: &Arc<Together>) -> Outside {
    let target: Arc<dyn Target> = target.clone();
    outside().await.with_target("app-runner", target)
}

#[tokio::test]
async fn environments_are_looked_at_beside_each_other() {
    let mut chat = Chat::open().await;
    for environment in ["staging", "production"] {
        let release = chat.planned("ana", &plan(environment, 1, 3)).await;
        if environment == "production" {
            chat.presses("bob", &release, slipway_core::message::Verb::Approve).await;
        }
        chat.runs_to_its_end(&release).await;
    }
    let target = Together::of(2);
    let watch = Watch::beside(&executor(&chat, with(&target).await));
    let looked = async { tokio::join!(watch.look_at_all(), target.begun.notified()) };
    assert!(tokio::time::timeout(SOON, looked).await.is_ok(), "one of them waits for the other");
    assert_eq!(target.asked(), 2);
}

#[tokio::test]
async fn parts_are_looked_at_beside_each_other_and_whoever_hangs_up_ends_no_look() {
    let chat = Chat::open().await;
    let target = Together::of(3);
    let readiness = Arc::new(Readiness::new(Arc::new(with(&target).await), chat.engine.setup.clone()));
    let impatient = tokio::spawn({
        let readiness = readiness.clone();
        async move { readiness.look().await }
    });
    target.begun.notified().await;
    impatient.abort();
    assert!(impatient.await.is_err());
    // It waits for the look that is under way, which both of its targets have been asked for.
    let (parts, _) = tokio::join!(readiness.look(), target.all.wait());
    for environment in ["staging", "production"] {
        assert_eq!(parts[&format!("app-runner goals {environment}")], Ok(()));
    }
    assert_eq!(readiness.look().await, parts);
    assert_eq!(target.asked(), 2);
}

/// A chat in which the first card that is asked about is told later, always.
#[derive(Debug)]
struct Hesitant {
    entrance: Entrance,
    first: Mutex<Option<String>>,
    other: Notify,
}

#[async_trait]
impl Reactions for Hesitant {
    fn platform(&self) -> &'static str {
        "terminal"
    }

    fn entrance(&self) -> &Entrance {
        &self.entrance
    }

    fn clocks_differ_us(&self) -> i64 {
        0
    }

    async fn there(&self, channel: &str, _message: &str) -> Result<There, LookError> {
        let first = self.first.lock().unwrap().get_or_insert_with(|| channel.to_owned()).clone();
        if first == channel {
            return Err(LookError::Later("Not now.".to_owned()));
        }
        self.other.notify_one();
        Ok(There::default())
    }
}

#[tokio::test]
async fn a_card_that_is_told_later_keeps_no_other_from_being_read() {
    let mut chat = Chat::open().await;
    chat.planned("ana", &plan("production", 1, 3)).await;
    chat.publishes().await;
    let Engine { store, setup, clock, signals } = chat.engine.clone();
    let entrance = Entrance::new(store, setup, clock, signals, (&[], &[]), 1_000);
    let hesitant = Arc::new(Hesitant { entrance, first: Mutex::default(), other: Notify::new() });
    let reread = Arc::new(Reread::new(hesitant.clone()));
    reread.soon();
    let reading = tokio::spawn(reread.run());
    let read = tokio::time::timeout(SOON, hesitant.other.notified()).await;
    reading.abort();
    assert!(read.is_ok(), "the other card waits for the first");
}
