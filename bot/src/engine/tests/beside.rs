//! What is outside and slow holds up nothing but what needs it.

use super::chat::{CONFIG, migrating};
use super::effects::{executor, outside};
use super::hands::{Slow, WAIT_LIMIT};
use super::members::bob_on_github;
use super::*;
use crate::engine::Incoming;
use crate::executor::Trouble;
use async_trait::async_trait;
use expect_test::expect;
use serde_json::json;
use slipway_core::ids::ReleaseId;
use slipway_core::person::Identity;
use slipway_deploy::config_store::{ConfigStore, ConfigStoreError, FingerprintKey, Fingerprinted, Wanted};
use slipway_deploy::github::{Auth, GitHub};
use slipway_deploy::target::Target;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A GitHub that takes every connection and never answers. Tells of each.
pub(super) async fn silent_github() -> (GitHub, mpsc::UnboundedReceiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            held.push(connection);
            if tell.send(()).is_err() {
                return;
            }
        }
    });
    (GitHub::new(&url, Auth::Token("none".to_owned().into())).unwrap(), told)
}

/// Knows all secrets, but never tells of staging's.
struct SilentAboutStaging;

#[async_trait]
impl ConfigStore for SilentAboutStaging {
    async fn current_version(&self, secret: &str) -> Result<String, ConfigStoreError> {
        if secret == "goals/staging" {
            std::future::pending::<()>().await;
        }
        Ok("v1".to_owned())
    }

    async fn fingerprints(
        &self,
        secret: &str,
        _version: Option<&str>,
        _key: &FingerprintKey,
    ) -> Result<Fingerprinted, ConfigStoreError> {
        Err(ConfigStoreError::Denied(secret.to_owned()))
    }

    async fn has_key(&self, _wanted: &Wanted) -> Result<(), ConfigStoreError> {
        Ok(())
    }
}

/// A release that is about to be planned.
async fn built(chat: &mut Chat) -> ReleaseId {
    assert_eq!(chat.says("ana", "/deploy staging").await, "");
    let release = chat.newest().await;
    chat.outcome(&release, "resolve", Event::Resolved { commit: sha(3), branch: Some("main".into()) }).await;
    chat.outcome(&release, "await_build", Event::BuildReady).await;
    release
}

#[tokio::test]
async fn a_question_without_an_answer_keeps_none_of_the_later_ones_waiting() {
    let mut config = CONFIG.to_owned();
    for name in ["staging", "production"] {
        let section = format!("[service.goals.environment.{name}]\n");
        config = config.replacen(&section, &format!("{section}config = [\"goals/{name}\"]\n"), 1);
    }
    let mut chat = Chat::with(&config).await;
    // More than are looked into at once.
    for environment in std::iter::once("staging").chain(["production"; 6]) {
        let (who, text) = (Identity::Terminal("eve".into()), format!("/release config {environment}"));
        chat.deliver(&Incoming::Typed { who, channel: "terminal:releases".into(), text }).await;
    }
    assert_eq!(chat.store.lookups(10).await.unwrap().len(), 7);
    let mut outside = outside().await;
    outside.config_store = Arc::new(SilentAboutStaging);
    let answering = tokio::spawn(executor(&chat, outside).answer_questions());
    let answered = async {
        while chat.store.lookups(10).await.unwrap().len() > 1 {
            chat.engine.signals.messages.notified().await;
        }
    };
    timeout(WAIT_LIMIT / 2, answered).await.expect("all others are answered");
    answering.abort();
}

#[tokio::test]
async fn ci_that_cannot_be_seen_keeps_no_other_deferred_deployment_waiting() {
    let mut chat = Chat::open().await;
    for line in ["/deploy staging main --when green", "/deploy production next --when green"] {
        chat.says("ana", line).await;
    }
    let (github, mut told) = silent_github().await;
    let mut outside = outside().await;
    outside.github = github;
    chat.wait_s(60);
    let watching = tokio::spawn(executor(&chat, outside).watch_green());
    for _ in 0..2 {
        timeout(WAIT_LIMIT / 3, told.recv()).await.expect("GitHub is asked about both").unwrap();
    }
    watching.abort();
}

#[tokio::test]
async fn a_team_whose_members_are_slow_to_see_does_not_keep_a_plan_from_being_begun() {
    let mut chat = Chat::with(&bob_on_github()).await;
    let release = built(&mut chat).await;
    let (github, mut told) = silent_github().await;
    let slow = Arc::new(Slow::new());
    let target: Arc<dyn Target> = slow.clone();
    let mut outside = outside().await;
    outside.github = github;
    outside.targets.insert("app-runner", target);
    let row = chat.lease(&release, "gather").await;
    let executor = executor(&chat, outside);
    let working = tokio::spawn(async move { executor.work(row).await });
    timeout(WAIT_LIMIT / 2, told.recv()).await.expect("the team is looked up").unwrap();
    timeout(WAIT_LIMIT / 2, slow.observed.acquire()).await.expect("and the targets meanwhile").unwrap().forget();
    working.abort();
}

#[tokio::test]
async fn what_holds_up_a_plan_is_told_until_it_is_there() {
    let mut chat = Chat::open().await;
    let release = built(&mut chat).await;
    let executor = executor(&chat, outside().await);
    let before = chat.audit().await.len();
    let why = "Reading the history table failed: public.goose_db_version is locked by pid 4711 (eve, psql) for more than 10 s.";
    for _ in 0..2 {
        let row = chat.lease(&release, "gather").await;
        executor.settle_trouble(&row, Trouble::Passing(why.to_owned())).await.unwrap();
        chat.handle_all().await;
        chat.wait_s(60);
    }
    let card = chat.card(&release).await.replace(release.short(), "01KDEPLO");
    expect![[r#"
        ◐ goals → staging · planning 0000000 · waits for what cannot be read yet
          asked by ana · release 01KDEPLO
          Reading the history table failed: public.goose_db_version is locked by pid 4711 (eve, psql) for more than 10 s. Slipway tries again by itself.
          [Cancel]"#]]
    .assert_eq(&card);
    let told = "SELECT count(*) FROM release_events WHERE release = $1 AND event LIKE '%gather_held%'";
    assert_eq!(chat.count(told, release.as_str()).await, 1, "the same is told once");
    assert_eq!(chat.audit_since(before).await, [], "news are not audited");

    chat.gathers(&release, &plan("staging", 1, 3)).await;
    assert_eq!(chat.release(&release).await.gather_held, None);
}

#[tokio::test]
async fn a_cancellation_ends_what_is_read_before_a_run_goes_on_after_a_crash() {
    let folder = "workflow = \"build.yaml\"\n";
    let with_folder = format!("{folder}migrations = {{ dir = \"migrations\", format = \"goose\" }}\n");
    let mut chat = Chat::with(&CONFIG.replacen(folder, &with_folder, 1)).await;
    let release = chat.planned("ana", &migrating(plan("staging", 1, 3))).await;
    chat.succeeds(&release, "observe_ci", Step::Ci).await;
    chat.succeeds(&release, "observe_image", Step::Image).await;
    let mut row = chat.lease(&release, "migrate").await;
    // The process before this one had begun.
    let intent = json!({ "applied": [], "goes_on": false });
    chat.store.effect_intent(&row, &intent, None).await.unwrap();
    row.intent = Some(intent);
    let (github, mut told) = silent_github().await;
    let mut outside = outside().await;
    outside.github = github;
    let executor = executor(&chat, outside);
    let working = tokio::spawn(async move { executor.work(row).await });
    timeout(WAIT_LIMIT / 3, told.recv()).await.expect("the files are looked up").unwrap();
    let answer = chat.says("ana", "/release cancel").await;
    assert!(answer.contains("is broken off"), "{answer}");
    timeout(WAIT_LIMIT / 3, working).await.expect("the run ends").unwrap();
    chat.handle_all().await;
    let Some(Outcome::Cancelled { by, details }) = chat.release(&release).await.outcome else {
        panic!("{}", chat.card(&release).await)
    };
    assert_eq!(by.as_str(), "ana");
    let unsure = "An earlier run of this release broke off. What else that one has applied: /migrate staging status.";
    assert_eq!(details, ["The run was stopped as asked.", unsure]);
}
