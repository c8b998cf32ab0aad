//! Migrations by themselves: releases that deploy nothing, and questions that only the outside can answer.

use super::chat::{CONFIG, migrating};
use super::*;
use crate::engine::Incoming;
use crate::store::Question;
use slipway_core::ids::ReleaseId;
use slipway_core::message::{Line, Message};
use slipway_core::person::Identity;
use slipway_core::plan::{Plan, PlanKind};
use slipway_core::release::{MigrateWay, RequestKind};

fn config() -> String {
    let folder = "channels = [\"terminal:releases\", \"terminal:ops\"]\n";
    let staging = "[service.goals.environment.staging]\n";
    let with_folder = format!("{folder}migrations = {{ dir = \"migrations\", format = \"goose\" }}\n");
    let with_database = format!("{staging}database = {{ secret = \"goals/staging\", key = \"URL\" }}\n");
    CONFIG.replacen(folder, &with_folder, 1).replacen(staging, &with_database, 1)
}

fn up() -> Plan {
    Plan { kind: PlanKind::MigrateUp, targets: vec![], commits: vec![], ..migrating(plan("staging", 1, 3)) }
}

fn down() -> Plan {
    let Plan { migrations, .. } = up();
    Plan { kind: PlanKind::MigrateDown, taken_back: migrations, migrations: vec![], ..up() }
}

/// Somebody asks for migrations alone, which then run as far as the step itself.
async fn at_the_step(chat: &mut Chat, asked: &str, plan: &Plan) -> ReleaseId {
    assert_eq!(chat.says("ana", asked).await, "");
    let release = chat.newest().await;
    let resolved = Event::Resolved { commit: plan.commit.clone(), branch: None };
    chat.outcome(&release, "resolve", resolved).await;
    if plan.kind == PlanKind::MigrateUp {
        chat.outcome(&release, "await_build", Event::BuildReady).await;
    }
    chat.gathers(&release, plan).await;
    chat.succeeds(&release, "observe_ci", Step::Ci).await;
    assert_eq!(chat.phase(&release).await, "running(migrate)");
    release
}

#[tokio::test]
async fn migrations_alone_leave_live_what_is_live() {
    let mut chat = Chat::with(&config()).await;
    let deployed = chat.planned("ana", &plan("staging", 1, 2)).await;
    chat.runs_to_its_end(&deployed).await;
    let live = chat.environment("staging").await.live;
    chat.wait_s(60);
    let migrated = at_the_step(&mut chat, "/migrate staging up", &up()).await;
    assert_eq!(chat.environment("staging").await.running, Some(migrated.clone()));
    chat.succeeds(&migrated, "migrate", Step::Migrate).await;
    assert_eq!(chat.release(&migrated).await.outcome, Some(Outcome::Migrated));
    let environment = chat.environment("staging").await;
    assert_eq!((environment.running, environment.live), (None, live));
    let card = chat.card(&migrated).await;
    assert!(card.starts_with("● goals → staging · 1 migration applied"), "{card}");
    let answer = chat.says("ana", "/rollback staging").await;
    assert!(answer.contains("There is nothing to go back to"), "{answer}");
    let history = chat.says("ana", "/release history staging").await;
    assert!(history.contains("1 migration applied"), "{history}");
}

#[tokio::test]
async fn a_retry_takes_back_the_same_and_no_further() {
    let mut chat = Chat::with(&config()).await;
    let first = at_the_step(&mut chat, "/migrate staging down 1", &down()).await;
    let failed = Event::StepFailed {
        step: Step::Migrate,
        failure: Failure::new("The server is gone."),
        rolled_back: false,
        at: chat.now(),
    };
    chat.outcome(&first, "migrate", failed).await;
    assert_eq!(chat.says("ana", "/release retry").await, "");
    let again = chat.release(&chat.newest().await).await;
    let versions = down().taken_back.into_iter().map(|migration| migration.version).collect();
    let way = MigrateWay::Down { count: 1, of: versions };
    let kind = RequestKind::Migrate { way, commit: Some(down().commit), again: Some(first) };
    assert_eq!(again.request.kind, kind);
}

#[tokio::test]
async fn a_run_that_is_broken_off_says_what_stays() {
    let mut chat = Chat::with(&config()).await;
    let release = at_the_step(&mut chat, "/migrate staging up", &up()).await;
    let leased = chat.lease(&release, "migrate").await;
    chat.store.effect_intent(&leased, &serde_json::json!({ "applied": [] }), None).await.unwrap();
    chat.says("ana", "/release cancel").await;
    chat.wait_s(61);
    let details = vec!["Applied and still there: 1.sql.".to_owned()];
    let stopped = Event::StepStopped { step: Step::Migrate, details, at: chat.now() };
    chat.outcome(&release, "migrate", stopped).await;
    let card = chat.card(&release).await;
    assert!(card.contains("cancelled by ana") && card.contains("Applied and still there: 1.sql."), "{card}");
    assert_eq!(chat.environment("staging").await.running, None);
}

#[tokio::test]
async fn looking_is_answered_once_the_answer_is_there() {
    let mut chat = Chat::with(&config()).await;
    let who = Identity::Terminal("ana".into());
    let asks =
        |text: &str| Incoming::Typed { who: who.clone(), channel: "terminal:releases".into(), text: text.into() };
    chat.deliver(&asks("/migrate staging plan main")).await;
    chat.publishes().await;
    assert_eq!(
        chat.count("SELECT count(*) FROM terminal_messages WHERE key <> $1", "").await,
        0,
        "nothing is said yet"
    );
    let mut chat = chat.restarts().await;
    let lookups = chat.store.lookups(10).await.unwrap();
    let key = slipway_core::ids::EnvironmentKey { service: "goals".into(), environment: "staging".into() };
    let question = Question::MigrationPlan { key, reference: Some("main".into()) };
    assert_eq!(lookups.iter().map(|lookup| lookup.question.clone()).collect::<Vec<_>>(), [Ok(question)]);
    chat.store.lookup_answered(&lookups[0], &Message::answer(Line::plain("Two are pending."), [])).await.unwrap();
    chat.publishes().await;
    let told = "SELECT count(*) FROM terminal_messages WHERE only_for = $1 AND body LIKE '%Two are pending.%'";
    assert_eq!(chat.count(told, "ana").await, 1);
    assert_eq!(chat.store.lookups(10).await.unwrap().len(), 0);
    assert_eq!(chat.count("SELECT count(*) FROM releases WHERE id <> $1", "").await, 0);
    let mut refused = String::new();
    for _ in 0..60 {
        let delivery = chat.deliver(&asks("/migrate staging")).await;
        refused = chat.posted_if_any(&format!("answer/{delivery}")).await;
    }
    assert!(refused.contains("Too many questions wait"), "{refused}");
    assert_eq!(chat.store.lookups(100).await.unwrap().len(), 50);
}

#[tokio::test]
async fn what_has_no_migrations_is_told_so_and_whoever_may_not_is_refused() {
    let mut chat = Chat::with(&config()).await;
    let answer = chat.says("ana", "/migrate production up").await;
    assert!(answer.contains("has no database in the configuration"), "{answer}");
    let answer = chat.says("gus", "/migrate staging down 1").await;
    assert!(answer.contains("No rule lets gus ask for migrations of staging."), "{answer}");
    assert_eq!(chat.audit_of("request_refused").await.len(), 1);
    let mut chat = Chat::open().await;
    let answer = chat.says("ana", "/migrate staging").await;
    assert!(answer.contains("goals has no migrations in the configuration"), "{answer}");
}
