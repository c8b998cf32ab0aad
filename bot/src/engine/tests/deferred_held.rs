//! Deployments whose moment comes while it is not known who is in a team, and those that cannot be read any more.

use super::members::{developers, eve_on_slack};
use super::*;
use crate::engine::Incoming;
use expect_test::expect;
use slipway_core::ids::IntentId;

const DAY_S: i64 = 24 * 3_600;

async fn last(chat: &Chat) -> IntentId {
    let id: Option<String> = chat.scalar("SELECT id FROM intents WHERE id > $1 ORDER BY id DESC", "").await;
    IntentId::new(id.expect("something was deferred"))
}

async fn shown(chat: &Chat) -> String {
    let id = last(chat).await;
    chat.posted(&format!("intent/{id}")).await.replace(id.short(), "01KDEFER")
}

async fn releases(chat: &Chat) -> i64 {
    chat.count("SELECT count(*) FROM releases WHERE id > $1", "").await
}

/// Eve, who is a developer by Slack alone, has deferred something to the day after tomorrow, and Slack cannot be asked since.
async fn deferred(when: &str) -> Chat {
    let mut chat = Chat::with(&eve_on_slack()).await;
    chat.sees_members(&developers(), &["U0EVE1234"]).await;
    let answer = chat.says("eve", &format!("/deploy staging main --when {when}")).await;
    assert!(answer.starts_with("Deploys goals to staging "), "{answer}");
    chat.wait_s(2 * DAY_S);
    chat.cannot_see_members(&developers(), 60).await;
    chat
}

#[tokio::test]
async fn who_cannot_be_looked_up_at_the_moment_is_waited_for_and_not_refused() {
    let mut chat = deferred("\"in 48h\"").await;
    chat.looks().await;
    assert_eq!(releases(&chat).await, 0);
    expect![[r#"
        ○ goals → staging · waits until it is known who is in developers · asked by eve
          was to deploy main on Wednesday 2026-01-07 at 8:00 (UTC)
          Slack user group S0614TZR7 cannot be read: It does not answer.
          Asked for as soon as it is known, given up at 08:15 · deferred 01KDEFER
          [Cancel]"#]]
    .assert_eq(&shown(&chat).await);
    for _ in 0..3 {
        chat.wait_s(60);
        chat.looks().await;
    }
    assert_eq!(chat.audit_of("deferred_held").await.len(), 1, "said once");
    assert_eq!(chat.audit_of("request_refused").await, []);
    chat.sees_members(&developers(), &["U0EVE1234"]).await;
    assert_eq!(releases(&chat).await, 1, "as soon as it is known");
    assert_eq!(chat.release(&chat.newest().await).await.request.requester, "eve".into());
    assert!(
        shown(&chat).await.starts_with("● goals → staging · deferred deployment began: release "),
        "{}",
        shown(&chat).await
    );
}

#[tokio::test]
async fn it_is_refused_once_it_is_known_that_they_have_left_and_given_up_when_nobody_can_tell() {
    let mut chat = deferred("\"in 48h\"").await;
    chat.looks().await;
    chat.sees_members(&developers(), &["U0SOMEBODY"]).await;
    assert_eq!(releases(&chat).await, 0);
    assert!(
        shown(&chat).await.starts_with("✖ goals → staging · deferred deployment refused"),
        "{}",
        shown(&chat).await
    );

    let chat = deferred("\"in 48h\"").await;
    chat.looks().await;
    chat.wait_s(15 * 60 + 1);
    chat.looks().await;
    let told = shown(&chat).await;
    assert!(told.starts_with("– goals → staging · deferred deployment expired"), "{told}");
    assert!(told.to_lowercase().contains("until its time was over it was not known who is in developers"), "{told}");
    assert_eq!(releases(&chat).await, 0);
}

#[tokio::test]
async fn what_waited_for_a_lock_is_asked_for_when_the_team_is_known_again() {
    let config = eve_on_slack().replace("vote_expiry", "when_expiry = \"100h\"\nvote_expiry");
    let mut chat = Chat::with(&config).await;
    chat.sees_members(&developers(), &["U0EVE1234"]).await;
    chat.says("bob", "/release lock staging \"load test\"").await;
    chat.says("eve", "/deploy staging main --when unlocked").await;
    chat.wait_s(2 * DAY_S);
    chat.cannot_see_members(&developers(), 60).await;
    chat.says("bob", "/release unlock staging").await;
    assert!(shown(&chat).await.contains("waits until it is known who is in developers"), "{}", shown(&chat).await);
    // Locked again, it waits for that.
    chat.says("bob", "/release lock staging \"once more\"").await;
    chat.wait_s(60);
    chat.looks().await;
    assert!(shown(&chat).await.contains("deploys main when it is unlocked"), "{}", shown(&chat).await);
    chat.says("bob", "/release unlock staging").await;
    chat.sees_members(&developers(), &["U0EVE1234"]).await;
    assert_eq!(releases(&chat).await, 1);
}

/// The row of the newest says nothing to this version.
async fn spoilt(chat: &Chat) -> IntentId {
    let id = last(chat).await;
    chat.execute(format!("UPDATE intents SET state = '{{}}' WHERE id = '{id}'")).await;
    id
}

#[tokio::test]
async fn one_that_cannot_be_read_is_told_and_holds_no_lock_and_no_other() {
    let mut chat = Chat::open().await;
    chat.says("bob", "/release lock staging \"load test\"").await;
    chat.says("ana", "/deploy staging main --when unlocked").await;
    let id = spoilt(&chat).await;
    chat.wait_s(1);
    chat.says("ana", "/deploy staging v1.8.0 --when unlocked").await;
    let queue = chat.says("ana", "/release queue").await;
    assert!(queue.contains("v1.8.0") && queue.contains("1 for later"), "the other is listed: {queue}");
    let answer = chat.says("bob", "/release unlock staging").await;
    assert!(answer.contains("is unlocked"), "{answer}");
    assert!(chat.environment("staging").await.lock.is_none());
    assert_eq!(releases(&chat).await, 1, "the other began");
    let told = chat.posted(&format!("intent/{id}")).await.replace(id.short(), "01KDEFER");
    expect![[r#"
        ✖ goals → staging · deferred deployment given up: it cannot be read any more
          Nothing was started · deferred 01KDEFER · to ask now: /deploy staging goals"#]]
    .assert_eq(&told);
    let records = chat.audit_of("deferred_unreadable").await;
    assert_eq!(records.len(), 1);
    assert_eq!((&records[0].body["person"], &records[0].body["deferred"]["id"]), (&"ana".into(), &id.as_str().into()));
    chat.says("bob", "/release lock staging \"again\"").await;
    chat.says("bob", "/release unlock staging").await;
    assert_eq!(chat.audit_of("deferred_unreadable").await.len(), 1, "once");
}

#[tokio::test]
async fn one_that_cannot_be_read_and_waits_for_green_is_handed_on_and_given_up() {
    let mut chat = Chat::open().await;
    chat.says("ana", "/deploy staging main --when green").await;
    let id = spoilt(&chat).await;
    let now_ms = chat.engine.clock.now_ms();
    assert_eq!(chat.store.intents_to_look_at(now_ms, 10).await.unwrap(), [Err(id.clone())]);
    chat.deliver(&Incoming::IntentDue { intent: id, green: None }).await;
    assert_eq!(chat.store.intents_to_look_at(now_ms + DAY_S * 1_000, 10).await.unwrap(), []);
    assert_eq!(chat.audit_of("deferred_unreadable").await.len(), 1);
}
