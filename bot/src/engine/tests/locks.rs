//! Locks: who holds an environment, and what waits for it.

use super::*;

#[tokio::test]
async fn a_lock_holds_others_until_its_owner_ends_it() {
    let mut chat = Chat::open().await;
    let answer = chat.says("bob", "/release lock staging \"moving the database\"").await;
    assert!(answer.contains("locked by bob") && answer.contains("moving the database"), "{answer}");
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    assert_eq!(chat.phase(&release).await, "queued");
    let card = chat.card(&release).await;
    assert!(card.contains("queued: locked by bob"), "{card}");
    let answer = chat.says("bob", "/release unlock staging").await;
    assert!(answer.contains("is unlocked. 1 release can go on."), "{answer}");
    assert_eq!(chat.phase(&release).await, "running(ci)");
    assert_eq!(chat.environment("staging").await.lock, None);
    let answer = chat.says("bob", "/release unlock staging").await;
    assert!(answer.contains("it is not locked. Nothing was changed."), "{answer}");
}

#[tokio::test]
async fn the_owner_of_a_lock_passes_it() {
    let mut chat = Chat::open().await;
    chat.says("bob", "/release lock staging \"mine\"").await;
    let release = chat.planned("bob", &plan("staging", 1, 3)).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn policy_says_who_locks_and_who_unlocks() {
    let mut chat = Chat::open().await;
    let answer = chat.says("gus", "/release lock staging \"me too\"").await;
    assert!(answer.starts_with("Not allowed: "), "{answer}");
    chat.says("bob", "/release lock staging \"moving\"").await;
    let answer = chat.says("eve", "/release lock staging \"mine\"").await;
    assert!(answer.contains("it is locked by bob"), "{answer}");
    let answer = chat.says("eve", "/release unlock staging").await;
    assert!(answer.starts_with("Not allowed: "), "{answer}");
    assert_eq!(chat.environment("staging").await.lock.unwrap().owner, "bob".into());
    // The release team ends anybody's.
    let answer = chat.says("cem", "/release unlock staging").await;
    assert!(answer.contains("is unlocked."), "{answer}");
    let kinds: Vec<_> = chat.audit().await.into_iter().map(|record| record.kind).collect();
    assert_eq!(kinds, ["refused", "locked", "refused", "refused", "unlocked"]);
    let unlocked = &chat.audit_of("unlocked").await[0].body;
    assert_eq!((&unlocked["by"], &unlocked["lock"]["owner"]), (&"cem".into(), &"bob".into()));
}

#[tokio::test]
async fn a_lock_ends_by_itself() {
    let mut chat = Chat::open().await;
    chat.says("bob", "/release lock staging \"moving\" --for 2h").await;
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    assert_eq!(chat.phase(&release).await, "queued");
    assert!(chat.effects(&release).await.contains(&"judge_at".to_owned()));
    chat.wait_s(2 * 3600);
    chat.deliver(&crate::engine::Incoming::Judge { release: release.clone() }).await;
    chat.gathers(&release, &plan("staging", 1, 3)).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn a_lock_during_planning_holds_what_is_approved() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.says("bob", "/release lock production \"incident\"").await;
    chat.says("bob", "/release approve").await;
    assert_eq!(chat.phase(&release).await, "queued");
    assert_eq!(chat.environment("production").await.running, None);
    chat.says("bob", "/release unlock production").await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}
