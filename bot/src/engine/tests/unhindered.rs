//! A row that cannot be read, and a defect that panics, hold up nothing else.

use super::members::{bob_on_github, release_managers};
use super::*;
use crate::chat::{Interaction, Reply, ResponseUrl};
use crate::defects;
use crate::engine::{Engine, EngineError, Incoming};
use crate::timekeeper::Timekeeper;
use slipway_core::ids::ReleaseId;
use slipway_core::message::Verb;
use slipway_core::person::Identity;

const WAITING: &str = "SELECT count(*) FROM inbox WHERE consumed_at IS NULL AND delivery_key <> $1";
const ATTEMPTS: &str = "SELECT attempts FROM inbox WHERE delivery_key = $1";

fn typed(text: &str) -> Incoming {
    let (who, channel) = (Identity::Terminal("ana".into()), "terminal:releases".to_owned());
    Incoming::Typed { who, channel, text: text.to_owned() }
}

/// Whoever reads this release panics: its count of events is none.
async fn breaks(chat: &Chat, release: &ReleaseId) {
    chat.execute(format!("UPDATE releases SET event_count = 'many' WHERE id = '{release}'")).await;
}

/// What waits has been tried as often as it may be but once.
async fn nearly_given_up(chat: &Chat) {
    chat.execute("UPDATE inbox SET attempts = 4 WHERE consumed_at IS NULL".to_owned()).await;
}

#[tokio::test]
async fn a_link_that_cannot_be_read_takes_away_nothing_but_itself() {
    for (identity, linked_at) in [("{\"telepathy\":\"eve\"}", "7"), ("{\"discord\":\"80351110224678912\"}", "'soon'")] {
        let mut chat = Chat::open().await;
        let values = format!("'{identity}', 'eve', 'discord', {linked_at}, '{identity}'");
        chat.execute(format!("INSERT INTO links VALUES ({values})")).await;
        assert_eq!(chat.store.links().await.unwrap(), []);
        let release = chat.planned("ana", &plan("production", 1, 3)).await;
        chat.presses("bob", &release, Verb::Approve).await;
        assert_eq!(chat.phase(&release).await, "running(ci)");
        chat.publishes().await;
        assert_eq!(chat.store.messages_due("", chat.now().as_millisecond(), 10).await.unwrap().len(), 0);
        // She is who the configuration says, and the account is nobody's.
        assert!(!chat.says("eve", "/release status").await.contains("does not know you"));
        let account = Identity::Discord("80351110224678912".into());
        assert!(chat.types(account, "/release status").await.contains("does not know you"));
    }
}

#[tokio::test]
async fn who_was_in_a_team_and_cannot_be_read_back_is_in_none_until_it_is_seen_again() {
    for broken in ["members = '{'", "trouble = '{'", "seen_at = 'yesterday'"] {
        let mut chat = Chat::with(&bob_on_github()).await;
        chat.sees_members(&release_managers(), &["bob-dev"]).await;
        let release = chat.planned("ana", &plan("production", 1, 3)).await;
        chat.execute(format!("UPDATE memberships SET {broken}")).await;
        assert_eq!(chat.store.membership(&release_managers()).await.unwrap(), None);
        let answer = chat.presses("bob", &release, Verb::Approve).await;
        let why = "Nobody counts as a member of release by GitHub team acme/release-managers, which cannot be looked up. It \
                   is being read again. Try again in a minute.";
        assert!(answer.contains(why), "{answer}");
        assert_eq!(chat.phase(&release).await, "awaiting_approval");
        chat.wait_s(5);
        chat.sees_members(&release_managers(), &["bob-dev"]).await;
        chat.presses("bob", &release, Verb::Approve).await;
        assert_eq!(chat.phase(&release).await, "running(ci)");
    }
}

#[tokio::test]
async fn a_release_that_cannot_be_read_keeps_no_other_from_being_judged() {
    let mut chat = Chat::with(&bob_on_github()).await;
    chat.sees_members(&release_managers(), &[]).await;
    let broken = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.execute(format!("UPDATE releases SET state = '{{}}', ended_at = NULL WHERE id = '{broken}'")).await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.wait_s(30);
    chat.sees_members(&release_managers(), &["bob-dev"]).await;
    assert_eq!(chat.count(WAITING, "").await, 0);
    chat.presses("bob", &release, Verb::Approve).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn a_delivery_that_panics_is_tried_again_put_aside_and_its_sender_told() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    breaks(&chat, &release).await;
    let clock = chat.engine.clock.clone();
    let before = defects::count();
    chat.store.deliver("bad", &typed(&format!("/release cancel {release}")), &clock).await.unwrap();
    chat.store.deliver("good", &typed("/release status production"), &clock).await.unwrap();
    assert!(chat.engine.handle_next().await.unwrap());
    assert!(defects::count() > before);
    assert_eq!(chat.scalar::<i64>(ATTEMPTS, "bad").await, Some(1));
    nearly_given_up(&chat).await;
    assert!(chat.engine.handle_next().await.unwrap());
    let problem: Option<String> = chat.scalar("SELECT problem FROM inbox WHERE delivery_key = $1", "bad").await;
    assert_eq!(problem.as_deref(), Some("Slipway has a defect here"));
    assert_eq!(chat.audit_of("put_aside").await.len(), 1);
    let answer: i64 = chat.scalar("SELECT id FROM inbox WHERE delivery_key = $1", "bad").await.unwrap();
    let answer = chat.answer(answer).await;
    assert!(answer.contains("because of a fault of its own. Nothing was changed."), "{answer}");
    chat.handle_all().await;
    assert_eq!(chat.count(WAITING, "").await, 0);
}

#[tokio::test]
async fn an_outcome_that_panics_is_put_aside_although_its_release_cannot_be_failed() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    breaks(&chat, &release).await;
    let happened = Incoming::Happened { release, event: Event::BuildReady };
    chat.store.deliver("bad", &happened, &chat.engine.clock).await.unwrap();
    nearly_given_up(&chat).await;
    assert!(chat.engine.handle_next().await.unwrap());
    assert_eq!(chat.count(WAITING, "").await, 0);
}

#[tokio::test]
async fn rules_that_a_panic_kept_from_coming_into_force_are_not_in_force() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.adds_rule("");
    let config = chat.config_with_folder();
    chat.starts_with_policies(&config).await;
    let before = chat.engine.setup.policies().hash().to_owned();
    chat.writes_rule("@id(\"no\") @why(\"No.\") forbid (principal, action == Action::\"execute\", resource);");
    breaks(&chat, &release).await;
    chat.reads_policies().await.unwrap();
    nearly_given_up(&chat).await;
    assert!(chat.engine.handle_next().await.unwrap());
    assert_eq!(chat.engine.setup.policies().hash(), before);
    assert_eq!(chat.audit_of("put_aside").await.len(), 1);
}

#[tokio::test]
async fn the_answer_to_what_is_put_aside_goes_where_the_delivery_says() {
    let chat = Chat::open().await;
    let token = ResponseUrl::from("aW50ZXJhY3Rpb24".to_owned());
    let interaction =
        Interaction { application: "845027738276462632".into(), token, until_ms: i64::MAX, promised: true };
    let reply = Reply { interaction: Some(interaction), ..Reply::default() };
    let status = typed("/release status");
    chat.store.deliver_with_reply("a", &status, Some(&reply), &chat.engine.clock).await.unwrap();
    let mut tx = chat.store.begin().await.unwrap();
    let row = chat.store.inbox_next(&mut tx).await.unwrap().unwrap();
    drop(tx);
    chat.engine.put_aside(&row, &EngineError::Endless).await.unwrap();
    let told = chat.store.messages_due("", chat.now().as_millisecond(), 10).await.unwrap().remove(0).unwrap();
    assert_eq!(told.reply, Some(reply));
    let kept = "SELECT count(*) FROM inbox WHERE reply IS NOT NULL AND delivery_key = $1";
    assert_eq!(chat.count(kept, "a").await, 0);
}

#[tokio::test]
async fn what_waits_is_judged_after_the_start_as_soon_as_that_works() {
    let mut chat = Chat::open().await;
    chat.planned("ana", &plan("production", 1, 3)).await;
    let full = "CREATE TRIGGER full BEFORE INSERT ON inbox BEGIN SELECT raise(ABORT, 'disk full'); END";
    chat.execute(full.to_owned()).await;
    assert!(!chat.engine.judges_open(7).await);
    chat.execute("DROP TRIGGER full".to_owned()).await;
    assert!(chat.engine.judges_open(7).await);
    assert_eq!(chat.count(WAITING, "").await, 1);
}

#[tokio::test]
async fn a_duty_that_panics_keeps_the_timekeeper_from_no_other() {
    let mut chat = Chat::open().await;
    chat.says("ana", "/deploy staging main --when 9:30").await;
    chat.says("eve", "/release lock production \"incident\"").await;
    // Nobody writes halves of a millisecond: whoever reads them as whole ones panics.
    chat.execute("UPDATE environments SET due_at = 1.5".to_owned()).await;
    chat.wait_s(2 * 60 * 60);
    let before = defects::count();
    let Engine { store, setup, clock, signals } = chat.engine.clone();
    Timekeeper { store, setup, clock, signals }.look().await;
    assert!(defects::count() > before);
    assert_eq!(
        chat.count("SELECT count(*) FROM inbox WHERE consumed_at IS NULL AND delivery_key LIKE $1", "intent/%").await,
        1
    );
}
