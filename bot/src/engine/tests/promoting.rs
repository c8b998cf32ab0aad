//! From one environment to the next: what is suggested when, what becomes of it, and what begins by itself.

use super::chat::{CONFIG, key, migrating};
use super::*;
use crate::engine::{Engine, Incoming};
use crate::timekeeper::{Timekeeper, promotion};
use expect_test::expect;
use slipway_core::environment::{Event as EnvironmentEvent, Live, Waiting, step};
use slipway_core::ids::{PersonId, ReleaseId};
use slipway_core::message::Verb;
use slipway_core::person::Identity;
use slipway_core::plan::{Plan, PlanKind};
use slipway_core::release::RequestKind;

pub(super) const SOAK_S: i64 = 30 * 60;

/// Production comes after staging.
pub(super) fn config(more: &str) -> String {
    let production = "[service.goals.environment.production]\n";
    CONFIG.replacen(production, &format!("{production}after = \"staging\"\n{more}"), 1)
}

/// The timekeeper looks once, and what it found is handled.
pub(super) async fn looks(chat: &Chat) {
    notices(chat).await;
    chat.handle_all().await;
}

/// The timekeeper looks, and nothing else happens.
async fn notices(chat: &Chat) {
    let Engine { store, setup, clock, signals } = chat.engine.clone();
    promotion::look_now(&Timekeeper { store, setup, clock, signals }).await.unwrap();
}

/// A release of Ana's to staging succeeds.
pub(super) async fn on_staging(chat: &mut Chat, plan: &Plan) -> ReleaseId {
    let release = chat.planned("ana", plan).await;
    chat.wait_s(1);
    chat.succeeds(&release, "observe_ci", Step::Ci).await;
    chat.succeeds(&release, "observe_image", Step::Image).await;
    if !plan.migrations.is_empty() {
        chat.succeeds(&release, "migrate", Step::Migrate).await;
    }
    chat.deploys(&release).await;
    chat.wait_s(1);
    release
}

/// Production runs a commit.
pub(super) async fn runs_on_production(chat: &Chat, commit: u32) {
    let mut production = chat.environment("production").await;
    let release = ReleaseId::new("01HZZZZZZZZZZZZZZZZZZZZZZZ");
    let (image, commit, at) = (plan("production", 0, commit).image.digest, sha(commit), chat.now());
    let waiting = Waiting {
        release: release.clone(),
        requester: "ana".into(),
        kind: PlanKind::Deploy,
        commit: commit.clone(),
        contains: [commit.clone()].into(),
        asked_at: at,
        bumped: None,
        passed: 0,
        brings_nothing: false,
    };
    let live = Live { release: release.clone(), commit, image, by: "ana".into(), since: at, verified: true };
    for event in [
        EnvironmentEvent::Enqueued(waiting),
        EnvironmentEvent::Started { release: release.clone(), requester: "ana".into(), at },
        EnvironmentEvent::Ended { release, live: Some(live), at },
    ] {
        production = step(&production, &event).unwrap().0;
    }
    let mut tx = chat.store.begin().await.unwrap();
    chat.store.environment_save(&mut tx, &production).await.unwrap();
    tx.commit().await.unwrap();
}

/// Commit 3 has run on staging for so long that production could take it.
pub(super) async fn soaked(more: &str) -> (Chat, ReleaseId) {
    let mut chat = Chat::with(&config(more)).await;
    runs_on_production(&chat, 1).await;
    let release = on_staging(&mut chat, &migrating(plan("staging", 1, 3))).await;
    chat.wait_s(SOAK_S + 60);
    (chat, release)
}

/// The same, and it is suggested.
pub(super) async fn suggested() -> (Chat, ReleaseId) {
    let (chat, release) = soaked("").await;
    looks(&chat).await;
    assert!(said(&chat).await.contains("ready to deploy"), "{}", said(&chat).await);
    (chat, release)
}

/// What the suggestions say, newest first.
pub(super) async fn said(chat: &Chat) -> String {
    let query = "SELECT body FROM messages WHERE key LIKE 'promotion/%' AND channel = $1 ORDER BY id DESC";
    let bodies = chat.scalars(query, "terminal:releases").await;
    let texts: Vec<_> = bodies.iter().map(|body| chat.text(&serde_json::from_str(body).unwrap())).collect();
    texts.join("\n\n")
}

pub(super) async fn first_line(chat: &Chat) -> String {
    said(chat).await.lines().next().unwrap_or_default().to_owned()
}

pub(super) async fn presses(chat: &mut Chat, who: &str, verb: Verb) -> String {
    let key = "SELECT key FROM messages WHERE key LIKE 'promotion/%' AND channel = $1 ORDER BY id DESC";
    let message: String = chat.scalar(key, "terminal:releases").await.unwrap();
    let (who, channel) = (Identity::Terminal(who.to_owned()), "terminal:releases".to_owned());
    let delivery = chat.deliver(&Incoming::Pressed { who, channel, message, verb, plan: None }).await;
    chat.answer(delivery).await
}

async fn releases_to_production(chat: &Chat) -> i64 {
    chat.count("SELECT count(*) FROM releases WHERE environment = $1", "production").await
}

/// The newest release is planned as far as the gate.
async fn is_planned(chat: &mut Chat, plan: &Plan) -> ReleaseId {
    let release = chat.newest().await;
    chat.outcome(&release, "resolve", Event::Resolved { commit: plan.commit.clone(), branch: None }).await;
    chat.outcome(&release, "await_build", Event::BuildReady).await;
    chat.gathers(&release, plan).await;
    release
}

#[tokio::test]
async fn what_has_soaked_is_suggested_once_with_what_ships_and_who_could_approve() {
    let mut chat = Chat::with(&config("")).await;
    runs_on_production(&chat, 1).await;
    on_staging(&mut chat, &migrating(plan("staging", 1, 3))).await;
    looks(&chat).await;
    assert_eq!(said(&chat).await, "", "it has to soak first");
    chat.wait_s(SOAK_S + 60);
    for _ in 0..3 {
        looks(&chat).await;
    }
    expect![[r#"
        ○ goals → production · 0000000 is ready to deploy · 31 min on staging · 2 commits, 1 migration
          on staging since 08:00 · asked by ana · release 01KE6JQ3

          What ships  2 commits since 0000000 (running since 08:00)
                      0000000  Change 3 · cem
                      0000000  Change 2 · cem
          Migrations  00007_likes  creates likes, reversible
                      as planned for staging; what is pending on production, and who has to approve that, is known when it is asked for
          Approvals   1 of release: ana or bob can
          [Deploy to production] [Not now]"#]]
    .assert_eq(&said(&chat).await);
    assert_eq!(releases_to_production(&chat).await, 0);
    let kept = chat.audit_of("promotion").await;
    assert_eq!((kept.len(), &kept[0].body["promotion"]["standing"]["standing"]), (1, &"suggested".into()));
}

#[tokio::test]
async fn pressing_the_button_asks_for_exactly_that_commit_in_ones_own_name() {
    let (mut chat, _) = suggested().await;
    assert_eq!(presses(&mut chat, "bob", Verb::Promote).await, "");
    let release = chat.newest().await;
    let request = chat.release(&release).await.request;
    assert_eq!((request.key, request.requester), (key("production"), "bob".into()));
    assert_eq!(request.reference.as_deref(), Some(sha(3).as_str()));
    assert_eq!(
        first_line(&chat).await,
        format!("– goals → production · 0000000 asked for by bob: release {}", release.short())
    );
    let answer = presses(&mut chat, "ana", Verb::Promote).await;
    assert!(answer.contains("asked for by bob") && answer.contains("Nothing was started."), "{answer}");
    assert_eq!(releases_to_production(&chat).await, 1);
    is_planned(&mut chat, &plan("production", 1, 3)).await;
    assert_eq!(chat.phase(&release).await, "awaiting_approval");
    looks(&chat).await;
    assert_eq!(releases_to_production(&chat).await, 1);
}

#[tokio::test]
async fn who_may_not_ask_is_refused_alone_and_the_suggestion_stands() {
    let (mut chat, _) = suggested().await;
    for verb in [Verb::Promote, Verb::NotNow] {
        let answer = presses(&mut chat, "gus", verb).await;
        assert!(answer.starts_with("Not allowed: "), "{answer}");
        let answer = presses(&mut chat, "mallory", verb).await;
        assert!(answer.contains("mallory"), "{answer}");
    }
    // What the buttons of other messages do is nothing here.
    assert_eq!(presses(&mut chat, "bob", Verb::Approve).await, "");
    assert!(first_line(&chat).await.contains("is ready to deploy"));
    assert_eq!(releases_to_production(&chat).await, 0);
}

#[tokio::test]
async fn what_is_declined_is_not_suggested_again_but_a_newer_commit_is() {
    let (mut chat, _) = suggested().await;
    let answer = presses(&mut chat, "bob", Verb::NotNow).await;
    assert!(answer.contains("is not suggested again. A newer commit is."), "{answer}");
    assert_eq!(first_line(&chat).await, "– goals → production · 0000000 not now, says bob");
    chat.wait_s(SOAK_S);
    looks(&chat).await;
    let answer = presses(&mut chat, "ana", Verb::Promote).await;
    assert!(answer.contains("not now, says bob\nNothing was started."), "{answer}");
    on_staging(&mut chat, &plan("staging", 3, 4)).await;
    chat.wait_s(SOAK_S);
    looks(&chat).await;
    let said = said(&chat).await;
    assert!(
        said.contains("3 commits") && said.contains("ready to deploy") && said.contains("not now, says bob"),
        "{said}"
    );
}

#[tokio::test]
async fn a_newer_commit_on_staging_takes_its_place() {
    let (mut chat, _) = suggested().await;
    on_staging(&mut chat, &plan("staging", 3, 4)).await;
    looks(&chat).await;
    assert_eq!(said(&chat).await, "– goals → production · 0000000 superseded by 0000000 on staging");
    // Whoever has the old message before them starts nothing.
    let answer = presses(&mut chat, "bob", Verb::Promote).await;
    assert!(answer.contains("superseded by"), "{answer}");
    chat.wait_s(SOAK_S);
    looks(&chat).await;
    let said = said(&chat).await;
    assert_eq!((said.matches("ready to deploy").count(), said.matches("superseded").count()), (1, 1), "{said}");
}

#[tokio::test]
async fn a_button_that_comes_before_the_look_starts_nothing_old() {
    let (mut chat, _) = suggested().await;
    on_staging(&mut chat, &plan("staging", 3, 4)).await;
    let answer = presses(&mut chat, "bob", Verb::Promote).await;
    assert!(answer.contains("superseded by") && answer.contains("Nothing was started."), "{answer}");
    assert_eq!(releases_to_production(&chat).await, 0);
}

#[tokio::test]
async fn what_staging_went_back_to_is_suggested_unless_production_has_what_it_left() {
    for (production_has, said_of) in [(1, "ready to deploy"), (4, "")] {
        let mut chat = Chat::with(&config("")).await;
        runs_on_production(&chat, production_has).await;
        for (base, commit) in [(1, 3), (3, 4)] {
            on_staging(&mut chat, &plan("staging", base, commit)).await;
        }
        chat.says("ana", "/rollback staging").await;
        let plan = Plan { kind: PlanKind::Rollback, base: Some(sha(4)), commits: vec![], ..plan("staging", 3, 3) };
        let back = chat.newest().await;
        chat.outcome(&back, "resolve", Event::Resolved { commit: sha(3), branch: None }).await;
        chat.gathers(&back, &plan).await;
        chat.wait_s(1);
        chat.runs_to_its_end(&back).await;
        chat.wait_s(SOAK_S);
        looks(&chat).await;
        assert_eq!(chat.environment("staging").await.live.unwrap().commit, sha(3));
        assert!(first_line(&chat).await.contains(said_of), "{}", said(&chat).await);
        assert_eq!(said(&chat).await.is_empty(), said_of.is_empty());
    }
}

#[tokio::test]
async fn a_bad_mark_holds_a_suggestion_and_its_end_brings_it_back() {
    let (mut chat, _) = suggested().await;
    chat.says("bob", "/release bad staging \"slow\"").await;
    assert_eq!(said(&chat).await, "– goals → production · 0000000 is held: known bad, marked by bob");
    looks(&chat).await;
    assert!(presses(&mut chat, "ana", Verb::Promote).await.ends_with("\nNothing was started."));
    assert_eq!(releases_to_production(&chat).await, 0);
    chat.says("bob", "/release bad staging --undo").await;
    let said = said(&chat).await;
    assert!(said.contains("ready to deploy") && !said.contains("held"), "{said}");
}

#[tokio::test]
async fn what_is_marked_bad_while_it_soaks_is_never_suggested_nor_begun() {
    for more in ["", "auto_promote = true\n"] {
        let mut chat = Chat::with(&config(more)).await;
        on_staging(&mut chat, &plan("staging", 1, 3)).await;
        chat.says("bob", "/release bad staging").await;
        chat.wait_s(SOAK_S + 60);
        looks(&chat).await;
        assert_eq!((said(&chat).await.as_str(), releases_to_production(&chat).await), ("", 0));
    }
}

#[tokio::test]
async fn a_lock_a_release_that_runs_and_a_freeze_hold_it_back_in_silence() {
    let (mut chat, _) = soaked("").await;
    chat.says("bob", "/release lock production \"load test\"").await;
    looks(&chat).await;
    assert_eq!(said(&chat).await, "");
    chat.says("bob", "/release unlock production").await;
    let newer = chat.planned("ana", &plan("staging", 3, 4)).await;
    assert_eq!(chat.phase(&newer).await, "running(ci)");
    looks(&chat).await;
    assert_eq!(said(&chat).await, "", "staging is about to run something newer");
    let failed =
        Event::StepFailed { step: Step::Ci, failure: Failure::new("Red."), rolled_back: false, at: chat.now() };
    chat.outcome(&newer, "observe_ci", failed).await;
    // From Monday 8:30 to Saturday.
    chat.wait_s(5 * 86_400);
    looks(&chat).await;
    assert_eq!(said(&chat).await, "", "it is weekend");
    chat.wait_s(2 * 86_400);
    looks(&chat).await;
    assert!(first_line(&chat).await.contains("is ready to deploy"), "{}", said(&chat).await);
}

#[tokio::test]
async fn what_somebody_has_asked_for_is_not_suggested() {
    let (mut chat, _) = soaked("").await;
    chat.says("eve", &format!("/deploy production {}", sha(3))).await;
    looks(&chat).await;
    assert_eq!(said(&chat).await, "");
    let (mut chat, _) = suggested().await;
    chat.says("eve", &format!("/deploy production {}", sha(3))).await;
    looks(&chat).await;
    assert!(first_line(&chat).await.contains("asked for by eve: release "), "{}", said(&chat).await);
}

#[tokio::test]
async fn the_configuration_switches_it_off() {
    let (mut chat, release) = soaked("suggest = false\n").await;
    looks(&chat).await;
    assert_eq!(said(&chat).await, "");
    // The button on the card of the release is there all the same.
    let card = chat.card(&release).await;
    assert!(card.contains("next: production") && card.contains("[Promote]"), "{card}");
    assert_eq!(chat.presses("bob", &release, Verb::Promote).await, "");
    let asked = chat.release(&chat.newest().await).await.request;
    assert_eq!((asked.key, asked.reference), (key("production"), Some(sha(3).to_string())));
    let answer = chat.presses("ana", &release, Verb::Promote).await;
    assert!(
        answer.contains("is asked for already: release ") && answer.contains(" of bob\nNothing was started."),
        "{answer}"
    );
}

#[tokio::test]
async fn the_button_of_the_card_takes_the_suggestion_too() {
    let (mut chat, release) = suggested().await;
    assert_eq!(chat.presses("bob", &release, Verb::Promote).await, "");
    assert!(first_line(&chat).await.contains("asked for by bob: release "), "{}", said(&chat).await);
    let production = chat.newest().await;
    let answer = chat.presses("ana", &production, Verb::Promote).await;
    assert!(answer.contains("brought nothing that could go on. Nothing was started."), "{answer}");
}

#[tokio::test]
async fn killed_between_the_look_and_the_deed_it_is_done_once() {
    let (chat, _) = soaked("auto_promote = true\n").await;
    // Two replicas, or one before and after a restart, notice the same within a minute.
    notices(&chat).await;
    notices(&chat).await;
    let chat = chat.restarts().await;
    chat.wait_s(61);
    notices(&chat).await;
    looks(&chat).await;
    assert_eq!(releases_to_production(&chat).await, 1);
    let (chat, _) = soaked("").await;
    for _ in 0..2 {
        let due = Incoming::PromotionDue { environment: key("production") };
        let delivery_key = format!("again/{}", chat.count("SELECT count(*) FROM inbox WHERE id > $1", "0").await);
        chat.store.deliver(&delivery_key, &due, &chat.engine.clock).await.unwrap();
    }
    chat.handle_all().await;
    assert_eq!(chat.count("SELECT count(*) FROM promotions WHERE service = $1", "goals").await, 1);
    assert_eq!(said(&chat).await.matches("ready to deploy").count(), 1);
}

#[tokio::test]
async fn by_setting_it_begins_by_itself_and_people_approve_as_ever() {
    let (mut chat, _) = soaked("auto_promote = true\n").await;
    looks(&chat).await;
    let release = is_planned(&mut chat, &plan("production", 1, 3)).await;
    let request = chat.release(&release).await.request;
    assert!(request.requester.is_slipway() && request.kind == RequestKind::Deploy);
    assert_eq!(request.reference.as_deref(), Some(sha(3).as_str()));
    let card = chat.card(&release).await;
    assert!(card.contains("started by itself: 0000000 has run on staging for 31 min"), "{card}");
    assert_eq!(chat.phase(&release).await, "awaiting_approval");
    chat.presses("bob", &release, Verb::Approve).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
    assert_eq!(said(&chat).await, "");
    chat.wait_s(1);
    chat.runs_to_its_end(&release).await;
    chat.wait_s(60);
    looks(&chat).await;
    assert_eq!((said(&chat).await.as_str(), releases_to_production(&chat).await), ("", 1));
}

#[tokio::test]
async fn what_began_by_itself_and_failed_or_was_cancelled_does_not_begin_again() {
    for cancelled in [true, false] {
        let (mut chat, _) = soaked("auto_promote = true\n").await;
        looks(&chat).await;
        let release = is_planned(&mut chat, &plan("production", 1, 3)).await;
        let how = if cancelled {
            chat.says("bob", &format!("/release cancel {}", release.short())).await;
            "was cancelled"
        } else {
            chat.presses("bob", &release, Verb::Approve).await;
            let at = chat.now();
            let red = Event::StepFailed { step: Step::Ci, failure: Failure::new("Red."), rolled_back: false, at };
            chat.outcome(&release, "observe_ci", red).await;
            "failed"
        };
        for _ in 0..2 {
            chat.wait_s(SOAK_S);
            looks(&chat).await;
        }
        let line = format!("✖ goals → production · 0000000 {how} · does not start by itself again");
        assert_eq!(first_line(&chat).await, line);
        assert!(said(&chat).await.contains(&format!("Release {}", release.short())));
        assert_eq!((said(&chat).await.matches('✖').count(), releases_to_production(&chat).await), (1, 1));
        // A newer commit does.
        on_staging(&mut chat, &plan("staging", 3, 4)).await;
        chat.wait_s(SOAK_S);
        looks(&chat).await;
        assert_eq!(releases_to_production(&chat).await, 2);
    }
}

#[tokio::test]
async fn nobodys_hotfix_is_replaced_by_itself() {
    let mut chat = Chat::with(&config("auto_promote = true\n")).await;
    runs_on_production(&chat, 1).await;
    // Staging has never run commit 1.
    on_staging(&mut chat, &plan("staging", 7, 9)).await;
    chat.wait_s(SOAK_S + 60);
    looks(&chat).await;
    assert_eq!(releases_to_production(&chat).await, 0);
    let said = said(&chat).await;
    assert!(said.contains("ready to deploy") && said.contains("has not been on staging, as far as is known"), "{said}");
}

#[tokio::test]
async fn where_slipway_may_not_ask_it_suggests_instead() {
    let mut chat = Chat::open().await;
    let rule = "@id(\"people-only\") @why(\"People ask.\") forbid (principal == Person::\"slipway\", action == \
                Action::\"request\", resource);";
    let config_text = chat.config_with_rule(rule);
    let production = "[service.goals.environment.production]\n";
    let with = format!("{production}after = \"staging\"\nauto_promote = true\n");
    chat.configure(&config_text.replacen(production, &with, 1));
    runs_on_production(&chat, 1).await;
    on_staging(&mut chat, &plan("staging", 1, 3)).await;
    chat.wait_s(SOAK_S + 60);
    looks(&chat).await;
    assert_eq!(releases_to_production(&chat).await, 0);
    assert!(first_line(&chat).await.contains("is ready to deploy"), "{}", said(&chat).await);
}

#[tokio::test]
async fn the_status_says_when_it_can_go_on() {
    let mut chat = Chat::with(&config("")).await;
    runs_on_production(&chat, 1).await;
    on_staging(&mut chat, &plan("staging", 1, 3)).await;
    let status = chat.says("ana", "/release status staging").await;
    assert!(status.contains("for production from 08:30"), "{status}");
    chat.wait_s(SOAK_S);
    let status = chat.says("ana", "/release status staging").await;
    assert!(status.contains("ready for production"), "{status}");
    chat.says("bob", "/release lock production \"load test\"").await;
    let status = chat.says("ana", "/release status staging").await;
    assert!(!status.contains("for production"), "{status}");
}

#[tokio::test]
async fn what_a_release_by_itself_asks_for_is_nobodys_own() {
    let (mut chat, _) = soaked("auto_promote = true\n").await;
    looks(&chat).await;
    let release = is_planned(&mut chat, &plan("production", 1, 3)).await;
    let asked = chat.audit_of("requested").await.pop().unwrap();
    assert_eq!(asked.body["requester"], serde_json::json!(PersonId::slipway()));
    // Cem wrote it all, and Eve is in no team that approves.
    for who in ["cem", "eve"] {
        let answer = chat.presses(who, &release, Verb::Approve).await;
        assert!(answer.contains("does not count"), "{answer}");
    }
}
