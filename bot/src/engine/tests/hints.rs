//! A way back that is named beside something else may be unreadable: the rest is recorded and told all the same.

use super::chat::CONFIG;
use super::effects::{executor, outside};
use super::*;
use slipway_core::message::cards::NO_WAY_BACK;
use slipway_core::release::AutomaticRollback;

/// Nobody answers there.
pub(super) const HEALTH_URL: &str = "http://127.0.0.1:9/healthz";
/// What a release is that this version knows no kind of.
const OF_A_LATER_VERSION: &str = "json_set(state, '$.request.kind.kind', 'teleport')";
/// Longer than a service may take to become healthy.
pub(super) const TOO_LONG_S: i64 = 121;

/// Staging is asked whether it is healthy.
fn asked(rollback: &str) -> String {
    let staging = "[service.goals.environment.staging]\n";
    CONFIG.replacen(staging, &format!("{staging}health_url = \"{HEALTH_URL}\"\n{rollback}"), 1)
}

/// A release after a good one waits to be verified, and the good one cannot be read any more.
async fn after_one_that_cannot_be_read(chat: &mut Chat, broken: &str) -> slipway_core::ids::ReleaseId {
    let good = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.wait_s(1);
    chat.runs_to_its_end(&good).await;
    chat.wait_s(1);
    let release = chat.planned("ana", &plan("staging", 3, 4)).await;
    chat.succeeds(&release, "observe_ci", Step::Ci).await;
    chat.succeeds(&release, "observe_image", Step::Image).await;
    chat.outcome(&release, "deploy", Event::DeployStarted { target: 0, operation: "op-1".into() }).await;
    chat.succeeds(&release, "follow", Step::Deploy).await;
    chat.execute(format!("UPDATE releases SET state = {broken} WHERE id = '{good}'")).await;
    release
}

#[tokio::test]
async fn a_verification_fails_although_its_way_back_cannot_be_read() {
    let mut chat = Chat::with(&asked("")).await;
    let release = after_one_that_cannot_be_read(&mut chat, OF_A_LATER_VERSION).await;
    let executor = executor(&chat, outside().await);
    chat.wait_s(TOO_LONG_S);
    let row = chat.lease(&release, "verify").await;
    executor.work(row).await;
    chat.handle_all().await;
    assert_eq!(chat.phase(&release).await, "failed");
    let card = chat.card(&release).await;
    assert!(card.contains("is live but not healthy") && card.contains(NO_WAY_BACK), "{card}");
}

#[tokio::test]
async fn an_announcement_is_made_although_its_way_back_cannot_be_read() {
    // Announced is what has come to the last environment.
    let (service, others) = CONFIG.split_once("[service.goals.environment.production]").unwrap();
    let (_, people) = others.split_once("[person.ana]").unwrap();
    let service = service.replacen("vote_expiry", "announce = [\"terminal:ops\"]\nvote_expiry", 1);
    let mut chat = Chat::with(&format!("{service}[person.ana]{people}")).await;
    let release = after_one_that_cannot_be_read(&mut chat, OF_A_LATER_VERSION).await;
    chat.succeeds(&release, "verify", Step::Verify).await;
    let executor = executor(&chat, outside().await);
    let row = chat.lease(&release, "announce").await;
    executor.work(row).await;
    let said = chat.posted(&format!("announcement/{release}")).await;
    assert!(said.contains("is in staging") && said.contains(NO_WAY_BACK), "{said}");
}

#[tokio::test]
async fn what_runs_is_marked_as_bad_although_its_way_back_cannot_be_read() {
    let mut chat = Chat::open().await;
    let release = after_one_that_cannot_be_read(&mut chat, OF_A_LATER_VERSION).await;
    chat.succeeds(&release, "verify", Step::Verify).await;
    let answer = chat.says("ana", &format!("/release bad {release} \"loses sessions\"")).await;
    assert!(answer.starts_with("Known to be bad from now on"), "{answer}");
    assert!(answer.contains(&format!("It runs on staging: {NO_WAY_BACK}")), "{answer}");
}

#[tokio::test]
async fn what_should_go_back_by_itself_fails_although_nothing_to_go_back_to_can_be_read() {
    for broken in [OF_A_LATER_VERSION, "jsonb(state)"] {
        let mut chat = Chat::with(&asked("rollback = \"automatic\"\n")).await;
        let release = after_one_that_cannot_be_read(&mut chat, broken).await;
        let failure = Failure::new("It is not well.");
        let event = Event::StepFailed { step: Step::Verify, failure, rolled_back: false, at: chat.now() };
        chat.outcome(&release, "verify", event).await;
        assert_eq!(chat.phase(&release).await, "failed");
        let automatic = chat.release(&release).await.automatic;
        let Some(AutomaticRollback::Not { why }) = automatic else { panic!("{automatic:?}") };
        assert!(why.contains("cannot be read"), "{why}");
        assert_eq!(chat.count("SELECT count(*) FROM releases WHERE id > $1", release.as_str()).await, 0);
        let card = chat.card(&release).await;
        assert!(card.contains("Not rolled back by itself: the earlier releases there cannot be read"), "{card}");
    }
}
