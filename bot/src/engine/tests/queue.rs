//! Several releases for one environment.

use super::*;
use jiff::Timestamp;
use slipway_core::environment;
use slipway_core::plan::PlanKind;

#[tokio::test]
async fn the_second_waits_until_the_first_has_ended() {
    let mut chat = Chat::open().await;
    let first = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.wait_s(2);
    let second = chat.planned("bob", &plan("staging", 1, 4)).await;
    assert_eq!((chat.phase(&first).await.as_str(), chat.phase(&second).await.as_str()), ("running(ci)", "queued"));
    let running = "SELECT count(*) FROM releases WHERE phase = 'running' AND environment = $1";
    assert_eq!(chat.count(running, "staging").await, 1);
    let card = chat.card(&second).await;
    assert!(card.contains(&format!("queued behind release {}", first.short())), "{card}");
    chat.wait_s(2);
    chat.runs_to_its_end(&first).await;
    // Its plan is from before: what would ship is read again first.
    assert_eq!(chat.phase(&second).await, "queued");
    chat.gathers(&second, &plan("staging", 3, 4)).await;
    assert_eq!(chat.phase(&second).await, "running(ci)");
    assert_eq!(chat.environment("staging").await.running, Some(second));
    assert_eq!(chat.count(running, "staging").await, 1);
}

#[tokio::test]
async fn nothing_is_left_to_do_for_a_second_of_the_same_commit() {
    let mut chat = Chat::open().await;
    let first = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.wait_s(2);
    let second = chat.planned("bob", &plan("staging", 1, 3)).await;
    chat.wait_s(2);
    chat.runs_to_its_end(&first).await;
    chat.gathers(&second, &plan("staging", 3, 3)).await;
    assert_eq!(chat.release(&second).await.outcome, Some(Outcome::NothingToDo));
    let environment = chat.environment("staging").await;
    assert_eq!((environment.running, environment.queue), (None, vec![]));
}

#[tokio::test]
async fn a_newer_request_takes_the_place_of_one_it_contains() {
    let mut chat = Chat::open().await;
    let first = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.wait_s(2);
    let second = chat.planned("eve", &plan("production", 1, 4)).await;
    assert_eq!(chat.release(&first).await.outcome, Some(Outcome::Superseded { by: second.clone() }));
    let environment = chat.environment("production").await;
    assert_eq!(environment.queue.iter().map(|waiting| &waiting.release).collect::<Vec<_>>(), [&second]);
    assert_eq!(chat.audit_of("superseded").await.len(), 1);
    let card = chat.card(&first).await;
    assert!(card.contains(second.short()), "{card}");
    chat.says("bob", "/release approve").await;
    assert_eq!(chat.phase(&second).await, "running(ci)");
}

#[tokio::test]
async fn the_older_one_is_superseded_also_when_it_is_planned_later() {
    let mut chat = Chat::open().await;
    chat.says("ana", "/deploy production").await;
    let first = chat.newest().await;
    chat.wait_s(2);
    let second = chat.planned("eve", &plan("production", 1, 4)).await;
    chat.outcome(&first, "resolve", Event::Resolved { commit: sha(3), branch: None }).await;
    chat.outcome(&first, "await_build", Event::BuildReady).await;
    chat.gathers(&first, &plan("production", 1, 3)).await;
    assert_eq!(chat.release(&first).await.outcome, Some(Outcome::Superseded { by: second.clone() }));
    assert_eq!(chat.phase(&second).await, "awaiting_approval");
}

#[tokio::test]
async fn an_older_commit_waits_behind_and_names_whom() {
    let mut chat = Chat::open().await;
    let first = chat.planned("ana", &plan("production", 1, 4)).await;
    chat.wait_s(2);
    let second = chat.planned("ana", &plan("production", 1, 3)).await;
    for id in [&first, &second] {
        assert_eq!(chat.phase(id).await, "awaiting_approval");
    }
    // Approved, but not its turn.
    chat.says("bob", &format!("/release approve {second}")).await;
    assert_eq!(chat.phase(&second).await, "queued");
    let why = chat.says("ana", &format!("/release why {second}")).await;
    assert!(why.contains(&format!("Release {} was asked for before.", first.short())), "{why}");
    chat.says("bob", &format!("/release approve {first}")).await;
    assert_eq!(chat.phase(&first).await, "running(ci)");
    assert_eq!(chat.phase(&second).await, "queued");
}

#[tokio::test]
async fn a_vote_must_say_for_which_of_two() {
    let mut chat = Chat::open().await;
    chat.planned("ana", &plan("production", 1, 4)).await;
    chat.wait_s(2);
    let second = chat.planned("ana", &plan("production", 1, 3)).await;
    let answer = chat.says("bob", "/release approve").await;
    assert!(answer.contains("There are 2 releases that") && answer.contains(second.as_str()), "{answer}");
    assert_eq!(chat.audit_of("voted").await, []);
}

#[tokio::test]
async fn environments_do_not_wait_for_each_other() {
    let mut chat = Chat::open().await;
    let staging = chat.planned("ana", &plan("staging", 1, 3)).await;
    let production = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.says("bob", "/release approve").await;
    for id in [&staging, &production] {
        assert_eq!(chat.phase(id).await, "running(ci)");
    }
}

#[tokio::test]
async fn a_full_queue_takes_no_more_and_says_so() {
    let mut chat = Chat::open().await;
    let limit = u32::try_from(environment::QUEUE_LIMIT).unwrap();
    let mut full = chat.environment("staging").await;
    full.queue = (0..limit).map(waiting).collect();
    let mut tx = chat.store.begin().await.unwrap();
    chat.store.environment_save(&mut tx, &full).await.unwrap();
    tx.commit().await.unwrap();
    let refused = chat.planned("ana", &plan("staging", 1, 3)).await;
    assert_eq!(chat.phase(&refused).await, "failed");
    let card = chat.card(&refused).await;
    assert!(card.contains("50 releases wait here already"), "{card}");
    assert_eq!(chat.environment("staging").await, full);
    assert_eq!(chat.effects(&refused).await, [""; 0]);
}

fn waiting(n: u32) -> environment::Waiting {
    environment::Waiting {
        release: format!("01WAITING{n:02}").as_str().into(),
        requester: "bob".into(),
        kind: PlanKind::Deploy,
        commit: sha(1000 + n),
        contains: [sha(1000 + n)].into(),
        asked_at: Timestamp::UNIX_EPOCH,
    }
}
