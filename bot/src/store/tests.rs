//! The store's promises, on a real file.

use super::*;
use crate::clock::Clock;
use jiff::Timestamp;
use serde_json::json;
use slipway_core::ids::{EnvironmentKey, ReleaseId};
use slipway_core::membership::{Roll, Source};
use slipway_core::message::{Line, Message};
use slipway_core::release::{Effect, Event, Origin, Phase, Release, Request, RequestKind, Step};
use std::collections::BTreeSet;
use std::sync::Mutex;
use tempfile::TempDir;

const NOW_MS: i64 = 1_767_600_000_000;
const LEASE_MS: i64 = 60_000;

fn now() -> Timestamp {
    Timestamp::from_millisecond(NOW_MS).unwrap()
}

fn clock() -> Clock {
    Clock::Manual(Arc::new(Mutex::new(now())))
}

async fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("slipway.db")).await.unwrap();
    (folder, store)
}

fn release(id: &str, environment: &str) -> Release {
    let request = Request {
        key: EnvironmentKey { service: "goals".into(), environment: environment.into() },
        kind: RequestKind::Deploy,
        reference: None,
        requester: "ana".into(),
        reason: None,
        dry_run: false,
        origin: Origin { channel: "terminal:releases".into() },
        at: now(),
        expires_at: now(),
        together: None,
    };
    Release::new(ReleaseId::new(id), request)
}

/// A store with one release in it that has these effects.
async fn with_effects(effects: &[Effect]) -> (TempDir, Store, ReleaseId) {
    let (folder, store) = open().await;
    let release = release("01A", "staging");
    let mut tx = store.begin().await.unwrap();
    store.release_insert(&mut tx, &release).await.unwrap();
    for effect in effects {
        store.effect_insert(&mut tx, &release.id, effect, &clock()).await.unwrap();
    }
    tx.commit().await.unwrap();
    (folder, store, release.id)
}

async fn lease(store: &Store, now_ms: i64) -> Vec<EffectRow> {
    store.effects_lease("us", now_ms, LEASE_MS, 10, &[]).await.unwrap().into_iter().map(Result::unwrap).collect()
}

async fn abandon(store: &Store, release: &ReleaseId) {
    let mut tx = store.begin().await.unwrap();
    store.effects_abandon(&mut tx, release).await.unwrap();
    tx.commit().await.unwrap();
}

async fn effect_state(store: &Store, id: i64) -> String {
    sqlx::query_scalar("SELECT state FROM effects WHERE id = $1").bind(id).fetch_one(&store.read).await.unwrap()
}

#[tokio::test]
async fn one_process_at_a_time_opens_a_store() {
    let (folder, store) = open().await;
    let file = folder.path().join("slipway.db");
    let clone = store.clone();
    drop(store);
    match Store::open(&file).await {
        Err(StoreError::InUse(path)) => assert_eq!(path, file),
        other => panic!("{other:?}"),
    }
    drop(clone);
    Store::open(&file).await.unwrap();
}

#[tokio::test]
async fn what_was_delivered_is_there_after_a_restart() {
    let (folder, store) = open().await;
    store.deliver("a", &json!("first"), &clock()).await.unwrap();
    drop(store);
    let store = Store::open(&folder.path().join("slipway.db")).await.unwrap();
    assert_eq!(store.deliver("a", &json!("first"), &clock()).await.unwrap(), Delivery::Repeated);
    assert_eq!(store.inbox_waiting().await.unwrap(), 1);
}

#[tokio::test]
async fn a_key_is_delivered_once_and_in_order() {
    let (_folder, store) = open().await;
    assert_eq!(store.deliver("a", &json!("first"), &clock()).await.unwrap(), Delivery::Accepted);
    assert_eq!(store.deliver("b", &json!("second"), &clock()).await.unwrap(), Delivery::Accepted);
    assert_eq!(store.deliver("a", &json!("other"), &clock()).await.unwrap(), Delivery::Repeated);
    let mut bodies = Vec::new();
    let mut tx = store.begin().await.unwrap();
    while let Some(row) = store.inbox_next(&mut tx).await.unwrap() {
        store.inbox_consume(&mut tx, row.id, NOW_MS, None).await.unwrap();
        bodies.push(row.body);
    }
    tx.commit().await.unwrap();
    assert_eq!(bodies, [r#""first""#, r#""second""#]);
    // Also after it was handled.
    assert_eq!(store.deliver("a", &json!("first"), &clock()).await.unwrap(), Delivery::Repeated);
    assert_eq!(store.inbox_waiting().await.unwrap(), 0);
}

#[tokio::test]
async fn handled_deliveries_are_forgotten_and_problems_kept() {
    let (_folder, store) = open().await;
    for key in ["handled", "problem", "waiting"] {
        store.deliver(key, &json!(key), &clock()).await.unwrap();
    }
    let mut tx = store.begin().await.unwrap();
    store.inbox_consume(&mut tx, 1, NOW_MS, None).await.unwrap();
    store.inbox_consume(&mut tx, 2, NOW_MS, Some("unreadable")).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.inbox_forget(NOW_MS).await.unwrap(), 0);
    assert_eq!(store.inbox_forget(NOW_MS + 1).await.unwrap(), 1);
    assert_eq!(store.deliver("problem", &json!("again"), &clock()).await.unwrap(), Delivery::Repeated);
    assert_eq!(store.inbox_waiting().await.unwrap(), 1);
}

#[tokio::test]
async fn no_second_release_runs_in_an_environment_whatever_the_engine_believes() {
    let (_folder, store) = open().await;
    let mut tx = store.begin().await.unwrap();
    for (id, environment) in [("01A", "staging"), ("01B", "staging"), ("01C", "production")] {
        store.release_insert(&mut tx, &release(id, environment)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let running = |id, environment| Release { phase: Phase::Running { step: Step::Ci }, ..release(id, environment) };
    for (id, environment, free) in [("01A", "staging", true), ("01B", "staging", false), ("01C", "production", true)] {
        let mut tx = store.begin().await.unwrap();
        let saved = store.release_save(&mut tx, &running(id, environment), &Event::BuildReady, &clock()).await;
        assert_eq!(saved.is_ok(), free, "{id}: {saved:?}");
        if free {
            tx.commit().await.unwrap();
        }
    }
    let by_hand = sqlx::query("UPDATE releases SET phase = 'running' WHERE id = '01B'").execute(&store.write).await;
    assert!(by_hand.unwrap_err().as_database_error().unwrap().is_unique_violation());
}

#[tokio::test]
async fn a_lease_lasts_until_it_runs_out() {
    let (_folder, store, _) = with_effects(&[Effect::Resolve]).await;
    let first = lease(&store, NOW_MS).await;
    assert_eq!(first.iter().map(|row| (&row.effect, row.attempts)).collect::<Vec<_>>(), [(&Effect::Resolve, 1)]);
    assert_eq!(lease(&store, NOW_MS).await.len(), 0);
    assert_eq!(lease(&store, NOW_MS + LEASE_MS - 1).await.len(), 0);
    assert!(store.effect_renew(&first[0], NOW_MS + 2 * LEASE_MS).await.unwrap());
    assert_eq!(lease(&store, NOW_MS + LEASE_MS).await.len(), 0);
    assert_eq!(store.effect_next_due_ms(&[]).await.unwrap(), Some(NOW_MS + 2 * LEASE_MS));
    let second = lease(&store, NOW_MS + 2 * LEASE_MS).await;
    assert_eq!(second[0].attempts, 2);
    // The same process, but the first time is over.
    assert!(!store.effect_renew(&first[0], NOW_MS + 9 * LEASE_MS).await.unwrap());
    assert!(store.effect_renew(&second[0], NOW_MS + 9 * LEASE_MS).await.unwrap());
}

#[tokio::test]
async fn what_is_in_hand_is_not_leased_when_its_lease_runs_out() {
    let (_folder, store, _) = with_effects(&[Effect::Resolve, Effect::Gather]).await;
    let held = lease(&store, NOW_MS).await;
    let late = NOW_MS + 2 * LEASE_MS;
    let leased = store.effects_lease("us", late, LEASE_MS, 10, &[held[0].id]).await.unwrap();
    let leased: Vec<_> = leased.into_iter().map(|row| row.unwrap().id).collect();
    assert_eq!(leased, [held[1].id], "only what nobody works on");
    // Nor is it due, or whoever waits for what is due next would not rest.
    assert_eq!(store.effect_next_due_ms(&[held[0].id]).await.unwrap(), Some(late + LEASE_MS));
    assert!(store.effect_renew(&held[0], late + LEASE_MS).await.unwrap(), "the lease is still that of the work");
    assert!(!store.effect_renew(&held[1], late + LEASE_MS).await.unwrap());
}

#[tokio::test]
async fn a_timer_is_not_leased_before_its_time() {
    let at = Timestamp::from_millisecond(NOW_MS + 5_000).unwrap();
    let (_folder, store, _) = with_effects(&[Effect::ExpireAt { at }]).await;
    assert_eq!(store.effect_next_due_ms(&[]).await.unwrap(), Some(NOW_MS + 5_000));
    assert_eq!(lease(&store, NOW_MS + 4_999).await.len(), 0);
    assert_eq!(lease(&store, NOW_MS + 5_000).await.len(), 1);
}

#[tokio::test]
async fn taking_over_frees_what_a_predecessor_had_leased() {
    let (_folder, store, _) = with_effects(&[Effect::Resolve, Effect::Gather]).await;
    let old = lease(&store, NOW_MS).await;
    store.effect_intent(&old[1], &json!({ "seen": 7 }), None).await.unwrap();
    assert_eq!(store.effects_take_over().await.unwrap(), 2);
    let new = store.effects_lease("successor", NOW_MS, LEASE_MS, 10, &[]).await.unwrap();
    // What the predecessor was about to do is known to its successor.
    assert_eq!(
        new.iter().map(|row| row.as_ref().unwrap().intent.clone()).collect::<Vec<_>>(),
        [None, Some(json!({ "seen": 7 }))]
    );
    store.effect_done(&old[0], &json!("too late"), &clock()).await.unwrap();
    assert_eq!(store.inbox_waiting().await.unwrap(), 0);
    assert_eq!(effect_state(&store, old[0].id).await, "leased");
    assert!(matches!(store.effect_intent(&old[0], &json!({}), None).await, Err(IntentRefused::Abandoned)));
}

#[tokio::test]
async fn outcome_and_end_of_an_effect_are_one() {
    let (_folder, store, _) = with_effects(&[Effect::Resolve]).await;
    let row = lease(&store, NOW_MS).await.remove(0);
    // The outcome cannot be stored, so the effect has not ended either.
    sqlx::query("CREATE TRIGGER full BEFORE INSERT ON inbox BEGIN SELECT raise(ABORT, 'disk full'); END")
        .execute(&store.write)
        .await
        .unwrap();
    store.effect_done(&row, &json!("resolved"), &clock()).await.unwrap_err();
    assert_eq!(effect_state(&store, row.id).await, "leased");
    sqlx::query("DROP TRIGGER full").execute(&store.write).await.unwrap();
    store.effect_done(&row, &json!("resolved"), &clock()).await.unwrap();
    assert_eq!(effect_state(&store, row.id).await, "done");
    assert_eq!(store.inbox_waiting().await.unwrap(), 1);
    // A second time is nothing.
    store.effect_done(&row, &json!("resolved"), &clock()).await.unwrap();
    assert_eq!(store.inbox_waiting().await.unwrap(), 1);
}

#[tokio::test]
async fn news_come_once_a_time_and_the_effect_later_again() {
    let (_folder, store, _) = with_effects(&[Effect::AwaitBuild]).await;
    let row = lease(&store, NOW_MS).await.remove(0);
    store.effect_again(&row, NOW_MS + 3_000, 1, Some(&json!("1 of 3")), &clock()).await.unwrap();
    store.effect_again(&row, NOW_MS, 1, Some(&json!("not ours any more")), &clock()).await.unwrap();
    assert_eq!(store.inbox_waiting().await.unwrap(), 1);
    assert_eq!(lease(&store, NOW_MS + 2_999).await.len(), 0);
    let row = lease(&store, NOW_MS + 3_000).await.remove(0);
    assert_eq!((row.attempts, row.failures), (2, 1));
    store.effect_again(&row, NOW_MS, 0, Some(&json!("2 of 3")), &clock()).await.unwrap();
    assert_eq!(store.inbox_waiting().await.unwrap(), 2);
}

#[tokio::test]
async fn an_end_gives_up_all_but_what_tells_people() {
    let tell = Effect::Tell { people: vec!["bob".into()], what: "Look.".into() };
    let (_folder, store, release) =
        with_effects(&[Effect::Migrate, Effect::Gather, tell.clone(), Effect::Announce]).await;
    let held = store.effects_lease("us", NOW_MS, LEASE_MS, 1, &[]).await.unwrap().remove(0).unwrap();
    abandon(&store, &release).await;
    assert!(matches!(store.effect_intent(&held, &json!({}), None).await, Err(IntentRefused::Abandoned)));
    assert!(!store.effect_renew(&held, NOW_MS + LEASE_MS).await.unwrap());
    store.effect_done(&held, &json!("migrated"), &clock()).await.unwrap();
    assert_eq!(store.inbox_waiting().await.unwrap(), 0);
    let left = lease(&store, NOW_MS + LEASE_MS).await;
    assert_eq!(left.iter().map(|row| &row.effect).collect::<Vec<_>>(), [&tell, &Effect::Announce]);
}

#[tokio::test]
async fn begun_is_what_has_an_intent() {
    let (_folder, store, release) = with_effects(&[Effect::Migrate, Effect::Deploy { target: 0 }]).await;
    let rows = lease(&store, NOW_MS).await;
    let begun = async |kind| {
        let mut tx = store.begin().await.unwrap();
        store.effect_begun(&mut tx, &release, kind).await.unwrap()
    };
    assert!(!begun("migrate").await);
    // To have seen nothing before is no intent.
    store.effect_intent(&rows[0], &json!(null), None).await.unwrap();
    assert!(!begun("migrate").await);
    store.effect_intent(&rows[0], &json!({ "seen": null }), None).await.unwrap();
    assert!(begun("migrate").await);
    assert!(!begun("deploy").await);
}

fn card(channel: &str, release: &ReleaseId) -> NewMessage {
    NewMessage::card(channel, release)
}

fn text(words: &str) -> Message {
    Message::answer(Line::plain(words), [])
}

/// A store with the card of a release in two channels, and an answer.
async fn with_messages() -> (TempDir, Store, ReleaseId) {
    let (folder, store, release) = with_effects(&[]).await;
    let answer = NewMessage { key: "answer/1".into(), body: Some(text("Hello.")), ..card("terminal:ops", &release) };
    let mut tx = store.begin().await.unwrap();
    for message in [&card("terminal:releases", &release), &card("terminal:ops", &release), &answer] {
        store.message_put(&mut tx, message).await.unwrap();
        store.message_put(&mut tx, message).await.unwrap();
    }
    tx.commit().await.unwrap();
    (folder, store, release)
}

async fn touch(store: &Store, release: &ReleaseId) {
    let mut tx = store.begin().await.unwrap();
    store.cards_touch(&mut tx, release, true).await.unwrap();
    tx.commit().await.unwrap();
}

async fn due(store: &Store) -> Vec<(i64, String, i64)> {
    let rows = store.messages_due("", NOW_MS, 10).await.unwrap();
    rows.into_iter().map(Result::unwrap).map(|row| (row.id, row.message.channel, row.wanted)).collect()
}

#[tokio::test]
async fn many_changes_are_one_due_message_of_the_newest_revision() {
    let (_folder, store, release) = with_messages().await;
    for _ in 0..5 {
        touch(&store, &release).await;
    }
    let wanted: Vec<_> = due(&store).await.into_iter().map(|(_, channel, wanted)| (channel, wanted)).collect();
    let (releases, ops) = ("terminal:releases".to_owned(), "terminal:ops".to_owned());
    // An answer never changes.
    assert_eq!(wanted, [(releases, 6), (ops.clone(), 6), (ops, 1)]);
}

#[tokio::test]
async fn a_change_while_it_is_published_is_published_after_it() {
    let (_folder, store, release) = with_messages().await;
    let (id, _, wanted) = due(&store).await.remove(0);
    touch(&store, &release).await;
    let m1 = Shown { external_id: "m1", plan: None, left: None };
    store.message_published(id, wanted, m1, NOW_MS).await.unwrap();
    let row = store.messages_due("", NOW_MS, 10).await.unwrap().remove(0).unwrap();
    assert_eq!((row.id, row.wanted, row.external_id.as_deref()), (id, wanted + 1, Some("m1")));
    store.message_published(id, row.wanted, m1, NOW_MS).await.unwrap();
    assert!(due(&store).await.iter().all(|(other, ..)| *other != id));
}

#[tokio::test]
async fn what_a_message_left_behind_is_to_say_is_due_once() {
    let (_folder, store, release) = with_messages().await;
    let (id, channel, wanted) = due(&store).await.remove(0);
    let left = text("This goes on.");
    let shown = |external_id, left| Shown { external_id, plan: None, left };
    store.message_published(id, wanted, shown("m1", Some(&left)), NOW_MS).await.unwrap();
    let before = due(&store).await.len();
    for _ in 0..2 {
        touch(&store, &release).await;
        store.message_published(id, wanted + 1, shown("m2", Some(&left)), NOW_MS).await.unwrap();
    }
    let rows = store.messages_due(&channel, NOW_MS, 10).await.unwrap();
    let old: Vec<_> = rows.into_iter().map(Result::unwrap).filter(|row| row.message.leads_on()).collect();
    let ids: Vec<_> = old.iter().map(|row| row.external_id.as_deref()).collect();
    assert_eq!(ids, [Some("m1")], "not before it goes on, and not again");
    assert_eq!((&old[0].message.body, &old[0].message.release), (&Some(left), &None));
    assert_eq!(due(&store).await.len(), before + 2, "the card has changed once more");
}

#[tokio::test]
async fn a_message_that_failed_is_due_later_and_one_given_up_when_it_changes() {
    let (_folder, store, release) = with_messages().await;
    let rows = due(&store).await;
    for (id, ..) in &rows {
        store.message_later(*id, NOW_MS + 1, false).await.unwrap();
    }
    assert_eq!(due(&store).await, []);
    assert_eq!(store.message_next_due_ms(&BTreeSet::new(), "", NOW_MS).await.unwrap(), Some(NOW_MS + 1));
    let later = store.messages_due("", NOW_MS + 1, 10).await.unwrap();
    assert_eq!(later.iter().map(|row| row.as_ref().unwrap().failures).collect::<Vec<_>>(), [1, 1, 1]);
    for row in later.iter().flatten() {
        store.message_give_up(row.id, row.wanted).await.unwrap();
    }
    assert_eq!(store.message_next_due_ms(&BTreeSet::new(), "", NOW_MS).await.unwrap(), None);
    touch(&store, &release).await;
    assert_eq!(store.messages_due("", NOW_MS + 1, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn only_a_card_stands_for_its_release() {
    let (_folder, store, release) = with_messages().await;
    let mut tx = store.begin().await.unwrap();
    let key = format!("release/{release}");
    assert_eq!(store.message_release(&mut tx, "terminal:ops", &key).await.unwrap(), Some(release));
    assert_eq!(store.message_release(&mut tx, "terminal:ops", "answer/1").await.unwrap(), None);
    assert_eq!(store.message_release(&mut tx, "terminal:other", &key).await.unwrap(), None);
}

#[tokio::test]
async fn a_terminal_message_changes_in_place_and_its_number_grows() {
    let (_folder, store) = open().await;
    let seen = async |after| {
        let rows = store.terminal_since(after, 10).await.unwrap();
        rows.into_iter().map(|m| (m.seq, m.key, m.only_for, m.message)).collect::<Vec<_>>()
    };
    for (key, words) in [("a", "first"), ("b", "second"), ("a", "first, changed")] {
        store.terminal_put("terminal:releases", key, Some("ana"), &text(words)).await.unwrap();
    }
    let ana = || Some("ana".to_owned());
    let second = (2, "b".to_owned(), ana(), text("second"));
    let changed = (3, "a".to_owned(), ana(), text("first, changed"));
    assert_eq!(seen(0).await, [second, changed.clone()]);
    assert_eq!(seen(2).await, [changed]);
    assert_eq!(seen(3).await, []);
    // The same key elsewhere is another message.
    store.terminal_put("terminal:ops", "a", None, &text("other")).await.unwrap();
    assert_eq!(seen(0).await.len(), 3);
}

#[tokio::test]
async fn what_is_known_of_a_source_is_kept_with_its_trouble() {
    let (folder, store) = open().await;
    let source = Source::SlackGroup { id: "S0614TZR7".into() };
    assert_eq!(store.membership(&source).await.unwrap(), Some(Roll::default()));
    let seen = Roll::default().read(["U012AB3CD".to_owned()].into(), now()).unwrap();
    let unread = Roll::default().failed("Slack is down.".into(), now(), now()).unwrap();
    let both = seen.failed("Slack is down.".into(), now(), now()).unwrap();
    for roll in [unread, both, seen] {
        let mut tx = store.begin().await.unwrap();
        store.membership_put(&mut tx, &source, &roll).await.unwrap();
        assert_eq!(store.membership_get(&mut tx, &source).await.unwrap().as_ref(), Some(&roll));
        tx.commit().await.unwrap();
        assert_eq!(store.membership(&source).await.unwrap(), Some(roll));
    }
    drop(store);
    let again = Store::open(&folder.path().join("slipway.db")).await.unwrap();
    assert_eq!(again.membership(&source).await.unwrap().unwrap().trouble, None);
    let other = Source::SlackGroup { id: "S0614TZR8".into() };
    assert_eq!(again.membership(&other).await.unwrap(), Some(Roll::default()));
}

#[tokio::test]
async fn a_reader_beside_the_bot_sees_one_moment_and_changes_nothing() {
    let (folder, store) = open().await;
    let beside = Store::open_to_read(&folder.path().join("slipway.db")).await.unwrap();
    let mut reading = beside.begin_to_read().await.unwrap();
    assert_eq!(beside.releases_by_prefix(&mut reading, "R").await.unwrap().len(), 0);
    let mut tx = store.begin().await.unwrap();
    store.release_insert(&mut tx, &release("R1", "staging")).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(beside.releases_by_prefix(&mut reading, "R").await.unwrap().len(), 0, "it began before that");
    let mut later = beside.begin_to_read().await.unwrap();
    assert_eq!(beside.releases_by_prefix(&mut later, "R").await.unwrap().len(), 1);
    assert!(beside.release_insert(&mut later, &release("R2", "staging")).await.is_err());
}

#[tokio::test]
async fn a_store_of_another_version_is_not_read() {
    let (folder, store) = open().await;
    let file = folder.path().join("slipway.db");
    let refused = async || Store::open_to_read(&file).await.map(|_| ()).map_err(|error| error.to_string());
    let change = async |statement: &'static str| {
        let mut tx = store.begin().await.unwrap();
        sqlx::query(statement).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    };
    assert_eq!(refused().await, Ok(()));
    let step = "INSERT INTO _sqlx_migrations SELECT 999, description, installed_on, success, checksum, execution_time \
                FROM _sqlx_migrations LIMIT 1";
    change(step).await;
    let said = refused().await.unwrap_err();
    assert!(said.ends_with("was written by a later version: use the version that wrote it"), "{said}");
    change("DELETE FROM _sqlx_migrations WHERE version > 2").await;
    let said = refused().await.unwrap_err();
    let says = "was written by an earlier version: start Slipway once with this version, then try again";
    assert!(said.ends_with(says), "{said}");
    std::fs::write(folder.path().join("empty.db"), "").unwrap();
    let said = Store::open_to_read(&folder.path().join("empty.db")).await.unwrap_err().to_string();
    assert!(said.ends_with(says), "{said}");
    let said = Store::open_to_read(&folder.path().join("none.db")).await.unwrap_err().to_string();
    assert!(said.contains("none.db yet: the bot has not run with it"), "{said}");
    let junk = folder.path().join("junk.db");
    std::fs::write(&junk, "no database, whatever its name says; ".repeat(100)).unwrap();
    for error in [Store::open_to_read(&junk).await.unwrap_err(), Store::open(&junk).await.unwrap_err()] {
        assert!(matches!(&error, StoreError::NoDatabase(path) if *path == junk), "{error}");
        assert!(error.to_string().contains("junk.db is no store of Slipway's"), "{error}");
    }
}
