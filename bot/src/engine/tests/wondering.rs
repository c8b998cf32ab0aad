//! `/release why deploy`: what stands in the way of something that nobody has asked for yet.

use super::chat::{CONFIG, migrating};
use super::*;
use slipway_core::migration::{Danger, DangerKind};
use slipway_core::plan::Plan;

fn after_staging() -> String {
    CONFIG.replace("environment.production]\n", "environment.production]\nafter = \"staging\"\n")
}

/// Its migration loses data.
fn risky(plan: Plan) -> Plan {
    let mut plan = migrating(plan);
    let danger = Danger::new(DangerKind::DropColumn, Some("users".into()));
    plan.migrations[0].dangers.push(danger);
    plan
}

/// A release that reaches its end.
async fn released(chat: &mut Chat, plan: &Plan) {
    let release = chat.planned("ana", plan).await;
    if !chat.refused_by(&release).await.is_empty() {
        chat.presses("bob", &release, slipway_core::message::Verb::Approve).await;
    }
    let migrates = plan.migrations.iter().any(|migration| migration.not_run.is_none());
    chat.succeeds(&release, "observe_ci", Step::Ci).await;
    chat.succeeds(&release, "observe_image", Step::Image).await;
    if migrates {
        chat.succeeds(&release, "migrate", Step::Migrate).await;
    }
    chat.deploys(&release).await;
    assert_eq!(chat.phase(&release).await, "succeeded");
    chat.wait_s(60);
}

#[tokio::test]
async fn what_was_migrated_on_staging_since_is_pending_in_production() {
    let mut chat = Chat::with(&after_staging()).await;
    released(&mut chat, &plan("staging", 1, 2)).await;
    chat.wait_s(1_800);
    released(&mut chat, &plan("production", 1, 2)).await;
    released(&mut chat, &risky(plan("staging", 2, 3))).await;
    released(&mut chat, &plan("staging", 3, 4)).await;
    chat.wait_s(1_800);
    let why = chat.says("ana", "/release why deploy production").await;
    assert!(why.contains("2 reasons") && why.contains("dba-approval") && why.contains("production-approval"), "{why}");
}

#[tokio::test]
async fn what_waits_there_already_knows_best_what_is_pending() {
    let mut chat = Chat::with(&after_staging()).await;
    released(&mut chat, &plan("staging", 1, 2)).await;
    chat.wait_s(1_800);
    let why = chat.says("bob", "/release why deploy production").await;
    assert!(!why.contains("dba-approval"), "nothing tells yet that one is pending: {why}");
    chat.planned("ana", &risky(plan("production", 1, 2))).await;
    let why = chat.says("bob", "/release why deploy production").await;
    assert!(why.contains("dba-approval") && why.contains("busy"), "{why}");
}

#[tokio::test]
async fn what_nobody_has_planned_is_not_called_allowed() {
    let mut chat = Chat::with(&after_staging()).await;
    let why = chat.says("ana", "/release why deploy production").await;
    assert!(
        why.starts_with("Deploying to goals → production now would be refused for 2 reasons, whatever ships:"),
        "{why}"
    );
    assert!(
        why.contains("production-approval") && why.contains("soak-30m") && why.contains("/deploy staging"),
        "{why}"
    );
    assert!(!why.contains("allowed") && why.contains("only known once it is planned"), "{why}");
    assert!(why.contains("/deploy production --dry-run"), "{why}");
    let why = chat.says("ana", "/release why deploy staging").await;
    let first = "Deploying to goals → staging now: nothing known is in the way; the rest is known once it is planned.";
    assert!(why.starts_with(first), "{why}");
    let why = chat.says("gus", "/release why deploy staging").await;
    assert!(why.contains("refused for") && !why.contains("gus may ask"), "{why}");
}

#[tokio::test]
async fn what_was_judged_is_not_said_to_be_unseen() {
    let config =
        after_staging().replace("vote_expiry = \"4h\"", "vote_expiry = \"4h\"\nmigrations = { dir = \"migrations\" }");
    let mut chat = Chat::with(&config).await;
    released(&mut chat, &plan("staging", 1, 2)).await;
    let why = chat.says("ana", "/release why deploy production").await;
    assert!(why.contains("Not looked at: what the migrations ask for"), "{why}");
    released(&mut chat, &risky(plan("staging", 2, 3))).await;
    let why = chat.says("ana", "/release why deploy production").await;
    assert!(why.contains("dba-approval") && !why.contains("what the migrations ask for"), "{why}");
    assert!(why.contains("Not looked at: whether more migrations are pending than were judged here"), "{why}");
}
