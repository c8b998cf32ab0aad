//! A target that runs nothing. A team tries its set-up on it: who asks, who approves, what the channel shows. What it
//! was told is kept in the store, so that a release to it is followed over a restart as any other.

use crate::clock::Clock;
use crate::store::{DryRun, Store};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use slipway_deploy::target::{
    Observed, OperationKind, OperationSeen, OperationState, OperationStatus, StartError, Started, Target, TargetError,
};
use std::collections::BTreeMap;

/// How long an operation waits before it begins.
const PENDING: SignedDuration = SignedDuration::from_millis(1_000);
/// How long one takes in all.
const WHOLE: SignedDuration = SignedDuration::from_millis(3_000);

/// Dry targets, by their names.
#[derive(Clone, Debug)]
pub struct Dry {
    store: Option<Store>,
    clock: Clock,
}

impl Dry {
    /// With the bot's store.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store: Some(store), clock }
    }

    /// For looks at a set-up: it has never been told anything, and cannot be.
    #[must_use]
    pub fn without_store() -> Self {
        Self { store: None, clock: Clock::System }
    }

    async fn last(&self, name: &str) -> Result<Option<DryRun>, TargetError> {
        let Some(store) = &self.store else { return Ok(None) };
        store.dry_run(name).await.map_err(|error| TargetError::Unavailable(error.to_string()))
    }

    fn status(&self, run: &DryRun) -> OperationStatus {
        let age = self.clock.now().duration_since(run.began_at);
        if age < PENDING {
            OperationStatus::Pending
        } else if age < WHOLE {
            OperationStatus::InProgress
        } else {
            OperationStatus::Succeeded
        }
    }

    fn seen(&self, run: &DryRun) -> OperationSeen {
        let status = self.status(run);
        OperationSeen {
            id: run.operation.clone(),
            kind: OperationKind::Deployment,
            status,
            started_at: Some(run.began_at),
            ended_at: ended_at(run, status),
        }
    }
}

fn ended_at(run: &DryRun, status: OperationStatus) -> Option<Timestamp> {
    if status.ended() { run.began_at.checked_add(WHOLE).ok() } else { None }
}

#[async_trait]
impl Target for Dry {
    async fn observe(&self, id: &str) -> Result<Observed, TargetError> {
        let last = self.last(id).await?;
        Ok(Observed {
            service_name: id.to_owned(),
            status: "DRY".to_owned(),
            image_identifier: last.as_ref().map_or_else(String::new, |run| run.image.clone()),
            settings: BTreeMap::new(),
            newest_operation: last.as_ref().map(|run| self.seen(run)),
            url: None,
            auto_deployments: false,
        })
    }

    async fn start(&self, id: &str, image: &str) -> Result<Started, StartError> {
        let refused = |what: &str| StartError::Refused(what.to_owned());
        let store = self.store.as_ref().ok_or_else(|| refused("A dry target needs the bot's store."))?;
        let last = self.last(id).await.map_err(|error| StartError::Unreachable(error.to_string()))?;
        if last.is_some_and(|run| !self.status(&run).ended()) {
            return Err(StartError::Busy);
        }
        let began_at = self.clock.now();
        let operation = format!("dry-{}", began_at.as_millisecond());
        let run = DryRun { image: image.to_owned(), operation: operation.clone(), began_at };
        store.dry_run_put(id, &run).await.map_err(|error| StartError::Unknown(error.to_string()))?;
        Ok(Started { operation_id: operation })
    }

    async fn operation(&self, id: &str, operation_id: &str) -> Result<OperationState, TargetError> {
        let run = self.last(id).await?.filter(|run| run.operation == operation_id);
        let run = run.ok_or_else(|| TargetError::Refused(format!("{id} has another operation by now.")))?;
        let status = self.status(&run);
        let word = match status {
            OperationStatus::Pending => "PENDING",
            OperationStatus::InProgress => "IN_PROGRESS",
            _ => "SUCCEEDED",
        };
        let (started_at, ended_at) = (Some(run.began_at), ended_at(&run, status));
        Ok(OperationState { status, started_at, ended_at, word: word.to_owned(), reason: None })
    }

    async fn find_since(&self, id: &str, before: Option<&str>) -> Result<Vec<OperationSeen>, TargetError> {
        let last = self.last(id).await?.filter(|run| Some(run.operation.as_str()) != before);
        Ok(last.iter().map(|run| self.seen(run)).collect())
    }

    fn console(&self) -> &'static str {
        "the configuration: this target runs nothing"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[tokio::test]
    async fn it_remembers_what_it_was_told_and_goes_through_the_states() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("slipway.db")).await.unwrap();
        let at = Arc::new(Mutex::new(Timestamp::from_second(1_700_000_000).unwrap()));
        let wait = |span: SignedDuration| {
            let mut at = at.lock().unwrap();
            *at = at.checked_add(span).unwrap();
        };
        let dry = Dry::new(store.clone(), Clock::Manual(at.clone()));
        assert_eq!(dry.observe("goals").await.unwrap().image_identifier, "");
        let begun = dry.start("goals", "goals@sha256:1").await.unwrap().operation_id;
        assert_eq!(dry.start("goals", "goals@sha256:2").await, Err(StartError::Busy));
        assert_eq!(dry.find_since("goals", None).await.unwrap()[0].id, begun);
        assert_eq!(dry.find_since("goals", Some(&begun)).await.unwrap(), []);
        let mut words = Vec::new();
        for _ in 0..3 {
            words.push(dry.operation("goals", &begun).await.unwrap().word);
            wait(SignedDuration::from_millis(1_500));
        }
        assert_eq!(words, ["PENDING", "IN_PROGRESS", "SUCCEEDED"]);
        // Another process with the same store knows as much, and another target nothing of it.
        let later = Dry::new(store, Clock::Manual(at.clone()));
        assert_eq!(later.observe("goals").await.unwrap().image_identifier, "goals@sha256:1");
        assert_eq!(later.observe("likes").await.unwrap().newest_operation, None);
        assert!(later.operation("goals", "dry-1").await.is_err());
        assert!(matches!(Dry::without_store().start("goals", "x").await, Err(StartError::Refused(_))));
    }
}
