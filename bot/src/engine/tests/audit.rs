//! The audit log of a whole afternoon.

use super::chat::CONFIG;
use super::members::{bob_on_github, release_managers};
use super::*;
use crate::audit_log::{AuditSource, Verified, verify};
use crate::engine::{Engine, Incoming};
use crate::timekeeper::Timekeeper;
use expect_test::expect;
use serde_json::json;
use slipway_core::audit::{Anchor, Breakage};
use slipway_core::environment::Look;
use slipway_core::message::Verb;
use slipway_core::person::Identity;
use slipway_core::policy::Stance;
use std::collections::BTreeSet;

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

/// The kinds of record by which a delivery comes to be in the log. There is no wildcard: whoever lets something else
/// come in has to say here how it is audited, and to let it happen in [`a_long_day`].
fn records_of(incoming: &Incoming) -> &'static [&'static str] {
    match incoming {
        Incoming::Typed { .. } => &[
            "unknown_person",
            "mistaken",
            "request_refused",
            "requested",
            "refused",
            "locked",
            "unlocked",
            "lock_handed_over",
            "link_requested",
            "vote_refused",
            "withdrawn",
            "cancel_requested",
            "override_refused",
            "overridden",
            "deferred",
            "deferred_cancelled",
            "bumped",
        ],
        Incoming::Pressed { .. } => &["voted", "too_late"],
        Incoming::Reacted { .. } => &["voted"],
        Incoming::Happened { .. } => &["resolved", "planned", "step_failed", "outcome_too_late", "ignored"],
        Incoming::PoliciesChanged { .. } => &["policies_changed"],
        Incoming::PoliciesRefused { .. } => &["policies_refused"],
        // Only a verdict that says something else than the last.
        Incoming::Judge { .. } => &["judged"],
        Incoming::Started { .. } => &["started"],
        Incoming::AnchorDue { .. } => &["anchored"],
        Incoming::StrangersDue { .. } => &["unknown_people_again"],
        Incoming::LockDue { .. } => &["lock_ran_out"],
        Incoming::MembersSeen { .. } => &["membership_changed"],
        // The first one of an outage.
        Incoming::MembersUnseen { .. } => &["membership_unreadable"],
        // It decides nothing: it only lets a look come earlier.
        Incoming::GithubSpoke { .. } => &[],
        // Only what was not known yet.
        Incoming::TargetsSeen { .. } => &["deployed_past_slipway"],
        Incoming::IntentDue { .. } => &["deferred_begun", "deferred_expired", "deferred_refused"],
        Incoming::PromotionDue { .. } => &["promotion"],
        Incoming::FlowSeen { .. } => &["flow_paused"],
        Incoming::FlowDue { .. } => &["flow_began"],
    }
}

/// Whatever can come in, with nothing in it.
pub(super) fn one_of_each(release: &slipway_core::ids::ReleaseId) -> [Incoming; 19] {
    let who = || Identity::Terminal("ana".into());
    let (channel, message) = (String::new, String::new);
    [
        Incoming::Typed { who: who(), channel: channel(), text: String::new() },
        Incoming::Pressed { who: who(), channel: channel(), message: message(), verb: Verb::Approve, plan: None },
        Incoming::Reacted {
            who: who(),
            channel: channel(),
            message: message(),
            stance: Stance::Approve,
            added: true,
            at_us: None,
            name: String::new(),
            found: false,
        },
        Incoming::Happened { release: release.clone(), event: Event::BuildReady },
        Incoming::PoliciesChanged { version: 1 },
        Incoming::PoliciesRefused { by: "zoe".into(), mistakes: vec![] },
        Incoming::Judge { release: release.clone() },
        Incoming::Started { version: "0.1.0".into(), configuration: "ab".repeat(32) },
        Incoming::AnchorDue { day: jiff::civil::date(2026, 1, 5) },
        Incoming::StrangersDue { hour: 0 },
        Incoming::LockDue { environment: chat::key("staging") },
        seen(),
        Incoming::MembersUnseen { source: release_managers(), what: String::new(), at: now(), again_at: now() },
        Incoming::GithubSpoke { repository: "acme/goals".into() },
        Incoming::TargetsSeen { environment: chat::key("staging"), look: Look { runs: vec![], at: now(), tag: None } },
        Incoming::IntentDue { intent: "01KB".into(), green: None },
        Incoming::PromotionDue { environment: chat::key("production") },
        flow::sees(None, &[]),
        Incoming::FlowDue { environment: chat::key("staging") },
    ]
}

fn now() -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_767_700_000).unwrap()
}

fn seen() -> Incoming {
    Incoming::MembersSeen { source: release_managers(), members: ["bob-dev".to_owned()].into(), at: now() }
}

/// A day on which everything happens once.
async fn a_long_day() -> Chat {
    let mut chat = Chat::with(&anchored_in("terminal:ops")).await;
    chat.deliver(&Incoming::Started { version: "0.1.0".into(), configuration: "ab".repeat(32) }).await;
    for _ in 0..3 {
        chat.says("mallory", "/deploy production").await;
    }
    chat.says("ana", "/deploy prodution").await;
    chat.says("gus", "/deploy production").await;
    chat.says("eve", "/release unlock production").await;
    chat.says("bob", "/release lock production \"incident\"").await;
    chat.says("bob", "/release unlock production").await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.presses("ana", &release, Verb::Approve).await;
    chat.reacts("eve", &release, Stance::Veto, true).await;
    for who in ["eve", "bob"] {
        chat.says(who, &format!("/release override {} --incident INC-7 --reason \"down\"", release.short())).await;
    }
    chat.says("eve", "/release withdraw").await;
    chat.says("bob", "/release cancel").await;
    chat.presses("bob", &release, Verb::Approve).await;
    chat.happened(&release, Event::Withdrawn { person: "eve".into() }).await;
    chat.happened(&release, Event::BuildReady).await;
    let brought = chat.planned("ana", &plan("staging", 1, 2)).await;
    chat.wait_s(1);
    chat.runs_to_its_end(&brought).await;
    chat.wait_s(1);
    by_hand::looks(&mut chat, by_hand::runs(9)).await;
    let failed = chat.planned("ana", &plan("staging", 9, 10)).await;
    let at = chat.now();
    let red = Event::StepFailed { step: Step::Ci, failure: Failure::new("Red."), rolled_back: false, at };
    chat.outcome(&failed, "observe_ci", red).await;
    chat.says("bob", "/release lock staging \"load test\" --for 30m").await;
    chat.says("bob", "/release lock staging --to ana").await;
    chat.says("bob", "/release link").await;
    deferred(&mut chat).await;
    chat.store.deliver("bad", &json!({ "incoming": "telepathy" }), &chat.engine.clock).await.unwrap();
    chat.handle_all().await;
    chat.wait_s(3_600);
    looks(&chat).await;
    chat.adds_rule("");
    chat.writes_rule("@id(\"x\") permit (principal, action == Action::\"exekute\", resource);");
    chat.reloads().await.unwrap_err();
    chat.writes_rule(
        "@id(\"calm\") @why(\"Nothing starts.\") forbid (principal, action == Action::\"execute\", resource);",
    );
    chat.reloads().await.unwrap();
    chat.configure(&bob_on_github());
    chat.deliver(&seen()).await;
    let (source, what, at) = (release_managers(), "It does not answer.".to_owned(), chat.now());
    chat.deliver(&Incoming::MembersUnseen { source, what, at, again_at: at }).await;
    chat.configure(&promoting::config(""));
    promoting::on_staging(&mut chat, &plan("staging", 3, 6)).await;
    chat.wait_s(3_600);
    chat.deliver(&Incoming::PromotionDue { environment: chat::key("production") }).await;
    // Nothing begins by itself beside what is under way.
    for open in chat.scalars("SELECT id FROM releases WHERE ended_at IS NULL AND environment = $1", "staging").await {
        chat.says("bob", &format!("/release cancel {open}")).await;
    }
    flow::a_merge_and_a_lock(&mut chat).await;
    chat
}

/// What is asked for later: one begins, one is cancelled, one has expired and one is refused when the day is over. And of
/// two that wait the second is put first.
async fn deferred(chat: &mut Chat) {
    for (who, when) in [("ana", "9:00"), ("eve", "\"in 1h\""), ("bob", "\"in 30m\"")] {
        chat.says(who, &format!("/deploy staging --when {when}")).await;
    }
    let cancelled = chat.says("bob", "/deploy staging --when 10:00").await;
    let id = cancelled.rsplit(' ').next().unwrap().trim().to_owned();
    assert!(chat.says("bob", &format!("/release cancel {id}")).await.starts_with("Cancelled: "));
    chat.execute("UPDATE intents SET state = replace(state, '\"eve\"', '\"zoe\"') WHERE requester = 'eve'".into())
        .await;
    let first = chat.planned("ana", &plan("production", 1, 5)).await;
    chat.wait_s(1);
    let second = chat.planned("ana", &plan("production", 1, 4)).await;
    chat.says("bob", &format!("/release queue --bump {}", second.short())).await;
    // Whatever goes on by itself later finds nothing before it.
    for waiting in [first, second] {
        chat.says("bob", &format!("/release cancel {}", waiting.short())).await;
    }
}

/// The timekeeper looks once, and what it found is handled.
async fn looks(chat: &Chat) {
    let Engine { store, setup, clock, signals } = chat.engine.clone();
    Timekeeper { store, setup, clock, signals }.look().await;
    chat.handle_all().await;
}

fn anchored_in(channel: &str) -> String {
    format!("{CONFIG}[audit]\nanchor = \"{channel}\"\n")
}

#[tokio::test]
async fn whatever_comes_in_says_how_it_is_audited_and_is() {
    let chat = a_long_day().await;
    let seen: BTreeSet<_> = chat.audit().await.into_iter().map(|record| record.kind).collect();
    let release = chat.newest().await;
    for incoming in one_of_each(&release) {
        for kind in records_of(&incoming) {
            assert!(seen.contains(*kind), "{kind} of {incoming:?} is not among {seen:?}");
        }
    }
    assert!(seen.contains("put_aside"), "{seen:?}");
    assert!(matches!(chat.verify_audit().await, Verified::Whole(_)));
}

#[tokio::test]
async fn every_record_names_the_policies() {
    for record in a_long_day().await.audit().await {
        assert!(record.policy_hash.as_ref().is_some_and(|hash| hash.len() == 64), "{record:?}");
    }
}

#[tokio::test]
async fn a_start_says_what_was_started() {
    let chat = a_long_day().await;
    let started = chat.audit_of("started").await.remove(0);
    assert_eq!((&started.body["version"], &started.body["configuration"]), (&"0.1.0".into(), &"ab".repeat(32).into()));
    assert!(started.policy_hash.is_some());
}

#[tokio::test]
async fn who_did_it_is_in_every_record_of_somebodys_doing() {
    let chat = a_long_day().await;
    for (kind, who) in [
        ("unknown_person", "terminal:mallory"),
        ("mistaken", "ana"),
        ("request_refused", "gus"),
        ("locked", "bob"),
        ("requested", "ana"),
        ("vote_refused", "ana"),
        ("voted", "eve"),
        ("override_refused", "eve"),
        ("overridden", "bob"),
        ("withdrawn", "eve"),
        ("cancel_requested", "bob"),
        ("too_late", "bob"),
        ("judged", ""),
    ] {
        assert_eq!(chat.audit_of(kind).await[0].columns().person, who, "{kind}");
    }
}

#[tokio::test]
async fn strangers_fill_the_log_no_faster_than_by_the_hour() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    let before = chat.audit().await.len();
    for _ in 0..20 {
        chat.presses("mallory", &release, Verb::Approve).await;
    }
    for n in 0..120 {
        chat.types(Identity::Slack(format!("U{n:08}")), "/deploy production").await;
    }
    let records = chat.audit_since(before).await;
    assert_eq!(records.len(), 100, "one for each account that is told apart");
    assert!(records.iter().all(|record| record.kind == "unknown_person"));
    assert_eq!((&records[0].body["did"], &records[0].body["release"]), (&"pressed".into(), &release.as_str().into()));
    looks(&chat).await;
    assert_eq!(chat.audit_since(before).await.len(), 100, "the hour is not over");
    chat.wait_s(3_600);
    for _ in 0..2 {
        looks(&chat).await;
    }
    let counted = chat.audit_since(before + 100).await;
    assert_eq!(counted.len(), 1);
    assert_eq!(
        counted[0].body["people"],
        json!([
            { "who": null, "times": 21 },
            { "who": { "platform": "terminal", "id": "mallory" }, "times": 20 },
        ])
    );
    chat.presses("mallory", &release, Verb::Approve).await;
    assert_eq!(chat.audit_since(before + 101).await.len(), 1, "another hour");
}

#[tokio::test]
async fn no_secret_that_somebody_types_or_something_says_is_in_it() {
    let mut chat = Chat::open().await;
    let token = "ghp_canary0123456789";
    chat.says("bob", &format!("/release lock production \"{token}\"")).await;
    chat.says("ana", &format!("/deploi {token}")).await;
    chat.says("ana", &format!("/deploy staging {token} --reason \"with {token}\"")).await;
    let release = chat.newest().await;
    let mut failure = Failure::new("cannot reach postgres://goals:canary@db/goals").detail("password=canary");
    failure.log_tail = Some(format!("Bearer canary\nexport TOKEN={token}"));
    let failed = Event::PlanningFailed { step: None, failure, at: chat.now() };
    chat.outcome(&release, "resolve", failed.clone()).await;
    chat.happened(&release, failed).await;
    let kinds: Vec<_> = chat.audit().await.into_iter().map(|record| record.kind).collect();
    assert_eq!(kinds, ["locked", "mistaken", "requested", "planning_failed", "outcome_too_late"]);
    for row in chat.store.audit_rows(1, 100).await.unwrap() {
        let text = String::from_utf8(row.text).unwrap();
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn behind_a_record_that_is_none_nothing_is_done() {
    let mut chat = Chat::open().await;
    chat.says("bob", "/release lock production \"incident\"").await;
    chat.execute("UPDATE audit SET record = x'ff' WHERE seq = 1".to_owned()).await;
    let typed = Incoming::Typed {
        who: Identity::Terminal("ana".into()),
        channel: "terminal:releases".into(),
        text: "/deploy staging".into(),
    };
    chat.store.deliver("later", &typed, &chat.engine.clock).await.unwrap();
    let mut tx = chat.store.begin().await.unwrap();
    let row = chat.store.inbox_next(&mut tx).await.unwrap().unwrap();
    let said = chat.engine.handle(tx, &row).await.unwrap_err().to_string();
    assert!(said.contains("`slipway audit verify` says what is wrong"), "{said}");
    assert_eq!(chat.count("SELECT count(*) FROM releases WHERE id > $1", "").await, 0);
    assert_eq!(chat.store.inbox_waiting().await.unwrap(), 1, "it waits");
    let Verified::Broken(broken) = chat.verify_audit().await else { panic!("the chain is whole") };
    assert_eq!((broken.seq, broken.what), (1, Breakage::Unreadable));
}

/// The anchors that a channel shows, by their keys, with the text.
async fn anchors(chat: &Chat) -> Vec<(String, String)> {
    chat.publishes().await;
    let shown = chat.store.terminal_since(0, 100).await.unwrap();
    let shown = shown.into_iter().filter(|message| message.key.starts_with("anchor/"));
    shown.map(|message| (message.key, chat.text(&message.message))).collect()
}

fn anchor_in(text: &str) -> Anchor {
    text.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn once_a_day_the_end_of_the_log_is_posted_and_can_be_checked_as_it_is() {
    let mut chat = Chat::with(&anchored_in("terminal:ops")).await;
    chat.says("gus", "/deploy production").await;
    // Killed between the delivery and the next look, it is delivered again.
    for _ in 0..3 {
        looks(&chat).await;
    }
    let posted = anchors(&chat).await;
    assert_eq!(posted.len(), 1);
    let (key, text) = &posted[0];
    assert_eq!(key, "anchor/2026-01-05");
    assert!(text.starts_with("Audit log on 2026-01-05 · 1 record · the first anchor"), "{text}");
    let anchor = anchor_in(text);
    assert_eq!((anchor.count, &anchor.head), (1, &chat.audit().await[0].hash));
    let anchored = chat.audit_of("anchored").await;
    assert_eq!((anchored.len(), anchored[0].seq, &anchored[0].body["head"]), (1, 2, &json!(anchor.head)));
    chat.says("gus", "/deploy production").await;
    let Verified::Whole(whole) = verify(AuditSource::Store(chat.file()), Some(anchor.clone())).await.unwrap() else {
        panic!("the chain is broken");
    };
    assert_eq!(whole.after_anchor, Some(2));
    // Cut off to before the anchor, and then written on as if nothing had been.
    chat.execute("DELETE FROM audit".to_owned()).await;
    for what in [Breakage::CutOff, Breakage::Rewritten] {
        let Verified::Broken(broken) = verify(AuditSource::Store(chat.file()), Some(anchor.clone())).await.unwrap()
        else {
            panic!("{what:?} is not found");
        };
        assert_eq!((broken.seq, broken.what), (1, what));
        assert!(matches!(verify(AuditSource::Store(chat.file()), None).await.unwrap(), Verified::Whole(_)));
        chat.says("gus", "/deploy staging").await;
    }
}

#[tokio::test]
async fn days_that_were_missed_are_one_and_none_is_posted_twice_whatever_the_clock_does() {
    let mut chat = Chat::with(&anchored_in("terminal:ops")).await;
    looks(&chat).await;
    chat.wait_s(5 * 86_400);
    chat.says("gus", "/deploy production").await;
    looks(&chat).await;
    let posted = anchors(&chat).await;
    assert_eq!(
        posted.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(),
        ["anchor/2026-01-05", "anchor/2026-01-10"]
    );
    assert!(
        posted[1].1.starts_with("Audit log on 2026-01-10 · 2 records · 2 new records since 2026-01-05"),
        "{posted:?}"
    );
    // What was delivered is forgotten after a while, and the clock goes back.
    chat.store.inbox_forget(i64::MAX).await.unwrap();
    for days in [-5, 5] {
        chat.wait_s(days * 86_400);
        looks(&chat).await;
        assert_eq!(anchors(&chat).await.len(), 2);
    }
    // A clock that was years ahead for a moment costs no day.
    chat.wait_s(3_000 * 86_400);
    looks(&chat).await;
    chat.wait_s(-2_999 * 86_400);
    looks(&chat).await;
    assert_eq!(anchors(&chat).await.last().unwrap().0, "anchor/2026-01-11");
}

#[tokio::test]
async fn without_a_channel_there_is_no_anchor() {
    let chat = Chat::open().await;
    looks(&chat).await;
    assert_eq!(chat.audit().await, []);
}
