//! What cannot be handled, and what is asked for again.

use super::super::*;
use crate::config::Config;
use slipway_core::person::Identity;
use slipway_core::release::{Event, Phase};
use std::path::Path;
use tempfile::TempDir;

const CONFIG: &str = r#"
[store]
url = "sqlite://slipway.db"
[terminal]
channels = ["releases"]
[service.goals]
repository = "acme/goals"
workflow = "build.yaml"
image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals"
channels = ["terminal:releases"]
[service.goals.environment.staging]
target = { kind = "app-runner", service_arn = "arn:aws:apprunner:us-west-2:123456789012:service/goals-staging/8fe1e10304f84fd2b0df550fe98a71fa" }
[person.ana]
terminal = "ana"
teams = ["developers"]
"#;

async fn engine() -> (Engine, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (config, _) = Config::check(CONFIG.as_bytes(), Path::new("slipway.toml")).unwrap();
    let setup = Setup::new(&config, crate::policies::load(&config).unwrap()).unwrap();
    let store = Store::open(&folder.path().join("slipway.db")).await.unwrap();
    (Engine { store, setup: Arc::new(setup), clock: Clock::System, signals: Signals::default() }, folder)
}

fn typed(text: &str) -> Incoming {
    Incoming::Typed { who: Identity::Terminal("ana".into()), channel: "terminal:releases".into(), text: text.into() }
}

impl Engine {
    async fn take(&self, key: &str, incoming: &Incoming) {
        self.store.deliver(key, incoming, &self.clock).await.unwrap();
        assert!(self.handle_next().await.unwrap());
    }

    async fn open(&self) -> Vec<Release> {
        let mut tx = self.store.begin().await.unwrap();
        self.store.releases_open(&mut tx, 10).await.unwrap()
    }
}

#[tokio::test]
async fn a_dry_run_asked_for_again_stays_one() {
    let (engine, _folder) = engine().await;
    engine.take("1", &typed("/deploy staging --dry-run")).await;
    let first = engine.open().await.remove(0);
    assert!(first.request.dry_run);
    engine.take("2", &typed(&format!("/release cancel {}", first.id))).await;
    assert!(engine.open().await.is_empty());
    engine.take("3", &typed(&format!("/release retry {}", first.id))).await;
    let second = engine.open().await.remove(0);
    assert!(second.request.dry_run, "{:?}", second.request);
}

#[tokio::test]
async fn whoever_sent_what_cannot_be_handled_is_told() {
    let (engine, _folder) = engine().await;
    engine.store.deliver("1", &typed("/deploy staging"), &engine.clock).await.unwrap();
    let mut tx = engine.store.begin().await.unwrap();
    let row = engine.store.inbox_next(&mut tx).await.unwrap().unwrap();
    drop(tx);
    engine.put_aside(&row, &EngineError::Endless).await.unwrap();
    assert_eq!(engine.store.inbox_waiting().await.unwrap(), 0);
    let due = engine.store.messages_due("", engine.clock.now_ms(), 10).await.unwrap();
    let told = due[0].as_ref().unwrap();
    assert_eq!(told.message.only_for.as_ref().map(slipway_core::ids::PersonId::as_str), Some("ana"));
}

#[tokio::test]
async fn a_release_does_not_wait_for_an_outcome_that_was_put_aside() {
    let (engine, _folder) = engine().await;
    engine.take("1", &typed("/deploy staging")).await;
    let release = engine.open().await.remove(0).id;
    let outcome = Incoming::Happened { release: release.clone(), event: Event::BuildReady };
    engine.store.deliver("2", &outcome, &engine.clock).await.unwrap();
    let mut tx = engine.store.begin().await.unwrap();
    let row = engine.store.inbox_next(&mut tx).await.unwrap().unwrap();
    drop(tx);
    engine.put_aside(&row, &EngineError::Endless).await.unwrap();
    assert!(engine.handle_next().await.unwrap());
    let release = engine.store.release(&release).await.unwrap().unwrap().release;
    assert_eq!(release.phase, Phase::Failed);
}
