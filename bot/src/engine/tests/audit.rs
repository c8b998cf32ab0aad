//! The audit log of a whole afternoon.

use super::*;
use crate::audit_log::Verified;
use expect_test::expect;
use slipway_core::audit::Breakage;
use slipway_core::message::Verb;

async fn an_afternoon() -> Chat {
    let mut chat = Chat::open().await;
    chat.says("mallory", "/deploy production").await;
    chat.says("gus", "/deploy production").await;
    chat.says("bob", "/release lock production \"incident\"").await;
    chat.says("eve", "/release unlock production").await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.says("bob", "/release unlock production").await;
    chat.presses("ana", &release, Verb::Approve).await;
    chat.presses("eve", &release, Verb::Veto).await;
    chat.says("eve", "/release withdraw").await;
    chat.presses("bob", &release, Verb::Approve).await;
    let news = Event::Progress { step: Step::Ci, detail: "2 of 3".into(), permille: None };
    chat.happened(&release, news).await;
    chat.runs_to_its_end(&release).await;
    chat
}

#[tokio::test]
async fn everything_that_matters_is_in_it() {
    let chat = an_afternoon().await;
    let kinds: Vec<_> = chat.audit().await.into_iter().map(|record| record.kind).collect();
    expect![[r#"
        unknown_person
        request_refused
        locked
        refused
        requested
        resolved
        build_ready
        planned
        judged
        unlocked
        judged
        vote_refused
        voted
        judged
        withdrawn
        judged
        voted
        judged
        step_succeeded
        step_succeeded
        deploy_started
        step_succeeded
        step_succeeded"#]]
    .assert_eq(&kinds.join("\n"));
    let Verified::Whole(whole) = chat.verify_audit().await else { panic!("the chain is broken") };
    assert_eq!(usize::try_from(whole.end.count).unwrap(), kinds.len());
}

#[tokio::test]
async fn a_changed_a_removed_and_a_moved_record_are_found() {
    for (statement, what) in [
        ("UPDATE audit SET record = replace(record, 'mallory', 'somebody') WHERE seq = 1", Breakage::Changed),
        ("DELETE FROM audit WHERE seq = 3", Breakage::Missing),
        ("UPDATE audit SET seq = 1000 WHERE seq = 2", Breakage::Reordered),
    ] {
        let chat = an_afternoon().await;
        let mut tx = chat.store.begin().await.unwrap();
        assert_eq!(sqlx::query(statement).execute(&mut *tx).await.unwrap().rows_affected(), 1);
        tx.commit().await.unwrap();
        match chat.verify_audit().await {
            Verified::Broken(broken) => assert_eq!(broken.what, what),
            Verified::Whole(anchor) => panic!("{what:?} is not found: {anchor:?}"),
        }
    }
}
