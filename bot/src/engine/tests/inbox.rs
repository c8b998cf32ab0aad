//! Deliveries: once each, in order, and none that stops the others.

use super::*;
use crate::engine::Incoming;
use crate::store::Delivery;
use serde_json::json;
use slipway_core::person::Identity;

fn typed(text: &str) -> Incoming {
    Incoming::Typed {
        who: Identity::Terminal("ana".into()),
        channel: "terminal:releases".into(),
        text: text.to_owned(),
    }
}

#[tokio::test]
async fn a_delivery_that_comes_twice_is_handled_once() {
    let chat = Chat::open().await;
    for expected in [Delivery::Accepted, Delivery::Repeated] {
        let taken = chat.store.deliver("slack/T1", &typed("/deploy staging"), &chat.engine.clock).await.unwrap();
        assert_eq!(taken, expected);
        chat.handle_all().await;
    }
    assert_eq!(chat.count("SELECT count(*) FROM releases WHERE id > $1", "").await, 1);
    assert_eq!(chat.audit_of("requested").await.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_put_aside_and_the_next_is_handled() {
    let chat = Chat::open().await;
    let clock = &chat.engine.clock;
    chat.store.deliver("bad", &json!({ "incoming": "telepathy" }), clock).await.unwrap();
    chat.store.deliver("good", &typed("/deploy staging"), clock).await.unwrap();
    chat.handle_all().await;
    assert_eq!(chat.store.inbox_waiting().await.unwrap(), 0);
    assert_eq!(chat.count("SELECT count(*) FROM releases WHERE id > $1", "").await, 1);
    let problem = "SELECT problem FROM inbox WHERE delivery_key = $1";
    let why: Option<String> = chat.scalar::<Option<String>>(problem, "bad").await.flatten();
    assert!(why.unwrap().contains("telepathy"));
    assert_eq!(chat.scalar::<Option<String>>(problem, "good").await.flatten(), None);
}

#[tokio::test]
async fn nothing_is_left_of_a_delivery_that_fails_half_way() {
    let chat = Chat::open().await;
    let before = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'disk full'); END";
    for statement in [before, "DROP TRIGGER full"] {
        let mut tx = chat.store.begin().await.unwrap();
        sqlx::query(statement).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        if statement == before {
            chat.store.deliver("a", &typed("/deploy staging"), &chat.engine.clock).await.unwrap();
            let mut tx = chat.store.begin().await.unwrap();
            let row = chat.store.inbox_next(&mut tx).await.unwrap().unwrap();
            chat.engine.handle(tx, &row).await.unwrap_err();
            for query in [
                "SELECT count(*) FROM releases WHERE id <> $1",
                "SELECT count(*) FROM release_events WHERE release <> $1",
                "SELECT count(*) FROM effects WHERE release <> $1",
                "SELECT count(*) FROM messages WHERE key <> $1",
            ] {
                assert_eq!(chat.count(query, "").await, 0, "{query}");
            }
            assert_eq!(chat.store.inbox_waiting().await.unwrap(), 1);
        }
    }
    chat.handle_all().await;
    assert_eq!(chat.phase(&chat.newest().await).await, "planning");
}

#[tokio::test]
async fn verdicts_and_votes_do_not_come_from_outside() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    let before = chat.release(&release).await;
    let digest = before.digest().unwrap();
    let verdict = json!({
        "course": "start", "reasons": [], "digest": digest, "policy_hash": "forged", "at": chat.now(), "again_at": null,
    });
    let vote = json!({ "person": "bob", "stance": "approve", "digest": digest, "at": chat.now() });
    for event in [json!({ "event": "judged", "verdict": verdict }), json!({ "event": "voted", "vote": vote })] {
        chat.happened(&release, serde_json::from_value(event).unwrap()).await;
        assert_eq!(chat.release(&release).await, before);
    }
}

#[tokio::test]
async fn news_of_a_release_that_does_not_exist_are_ignored() {
    let mut chat = Chat::open().await;
    chat.happened(&slipway_core::ids::ReleaseId::new("01NONE"), Event::BuildReady).await;
    assert_eq!(chat.store.inbox_waiting().await.unwrap(), 0);
    assert_eq!(chat.audit().await, []);
}
