//! Deployments that are asked for later: at a time, when CI is green, when it is unlocked.

use super::chat::CONFIG;
use super::*;
use crate::engine::Incoming;
use expect_test::expect;
use slipway_core::ids::IntentId;
use slipway_core::message::Verb;
use slipway_core::person::Identity;

/// The deferred deployment that was asked for last.
async fn last(chat: &Chat) -> IntentId {
    let id: Option<String> = chat.scalar("SELECT id FROM intents WHERE id > $1 ORDER BY id DESC", "").await;
    IntentId::new(id.expect("something was deferred"))
}

async fn message(chat: &Chat) -> String {
    let id = last(chat).await;
    chat.posted(&format!("intent/{id}")).await.replace(id.short(), "01KDEFER")
}

async fn releases(chat: &Chat) -> i64 {
    chat.count("SELECT count(*) FROM releases WHERE id > $1", "").await
}

/// Somebody presses Cancel on the message.
async fn presses_cancel(chat: &mut Chat, who: &str) -> String {
    let message = format!("intent/{}", last(chat).await);
    let (who, channel) = (Identity::Terminal(who.to_owned()), "terminal:releases".to_owned());
    let pressed = Incoming::Pressed { who, channel, message, verb: Verb::Cancel, plan: None };
    let delivery = chat.deliver(&pressed).await;
    chat.answer(delivery).await
}

#[tokio::test]
async fn at_its_time_it_is_asked_for_and_never_earlier() {
    let mut chat = Chat::open().await;
    let answer = chat.says("ana", "/deploy staging main --when 9:30 --reason \"after standup\"").await;
    let id = last(&chat).await;
    expect![[r#"
        Deploys goals to staging at 9:30 (Mon, UTC).
        Asked for on Monday 2026-01-05 at 9:30, in 90 min: main, if policy allows it.
        Which commit that is, is looked up at that moment.
        To cancel it: /release cancel 01KDEFER"#]]
    .assert_eq(&answer.replace(id.short(), "01KDEFER"));
    expect![[r#"
        ○ goals → staging · waits for 9:30 (Mon, UTC) · asked by ana
          deploys main on Monday 2026-01-05 at 9:30 (UTC)
          reason: after standup
          Rules, votes and the queue are asked then, not before · deferred 01KDEFER
          [Cancel]"#]]
    .assert_eq(&message(&chat).await);
    for channel in ["terminal:releases", "terminal:ops"] {
        assert_eq!(
            chat.count("SELECT count(*) FROM messages WHERE channel = $1 AND key LIKE 'intent/%'", channel).await,
            1
        );
    }
    chat.wait_s(90 * 60 - 1);
    chat.looks().await;
    assert_eq!(releases(&chat).await, 0);
    chat.wait_s(1);
    chat.looks().await;
    chat.looks().await;
    assert_eq!(releases(&chat).await, 1);
    let release = chat.newest().await;
    let request = chat.release(&release).await.request;
    assert_eq!((request.reference.as_deref(), request.requester, request.at), (Some("main"), "ana".into(), chat.now()));
    assert_eq!(request.reason.as_deref(), Some("after standup"));
    assert_eq!(chat.effects(&release).await, ["resolve", "expire_at"]);
    expect![[r#"
        ● goals → staging · deferred deployment began: release 01KRELEA
          was to deploy main on Monday 2026-01-05 at 9:30 (UTC) · asked by ana"#]]
    .assert_eq(&message(&chat).await.replace(release.short(), "01KRELEA"));
    let begun = &chat.audit_of("deferred_begun").await[0].body;
    assert_eq!((&begun["person"], &begun["deferred"]["state"]["release"]), (&"ana".into(), &release.as_str().into()));
    assert_eq!(chat.private("ana").await, [""; 0], "the card shows it");
}

#[tokio::test]
async fn the_time_is_the_askers_own() {
    let mut chat = Chat::open().await;
    let zone = |name: &str| CONFIG.replace("terminal = \"ana\"", &format!("terminal = \"ana\"\ntimezone = \"{name}\""));
    chat.configure(&zone("Asia/Tokyo"));
    // 17:00 there.
    let answer = chat.says("ana", "/deploy staging --when 17:30").await;
    assert!(answer.starts_with("Deploys goals to staging at 17:30 (Mon, Asia/Tokyo).\n"), "{answer}");
    assert!(answer.contains("on Monday 2026-01-05 at 17:30, in 30 min"), "{answer}");
    let answer = chat.says("ana", "/deploy staging --when \"monday 9:00\"").await;
    assert!(
        answer.contains("at 9:00 (Mon 2026-01-12, Asia/Tokyo).\nAsked for on Monday 2026-01-12 at 9:00, in 6 days"),
        "{answer}"
    );
    assert!(answer.contains("That time has passed today, so it is next week."), "{answer}");
    let answer = chat.says("bob", "/deploy staging --when 7:00").await;
    assert!(
        answer.contains("at 7:00 (Tue, UTC).\nAsked for on Tuesday 2026-01-06 at 7:00, in 23 h"),
        "the environment's: {answer}"
    );
    assert!(answer.contains("That time has passed today, so it is tomorrow."), "{answer}");
    let answer = chat.says("ana", "/deploy staging --when \"2026-01-02 9:00\"").await;
    assert_eq!(answer, "That is no time to wait for: it has passed already. Nothing was started.");
    let answer = chat.says("ana", "/deploy staging --when \"2026-05-02 9:00\"").await;
    assert_eq!(answer, "That is no time to wait for: it is more than 31 days away. Nothing was started.");
    assert!(chat::setup(&zone("Mars/Olympus")).is_err(), "a zone that there is not");
}

#[tokio::test]
async fn who_may_not_ask_waits_for_nothing() {
    let mut chat = Chat::open().await;
    let answer = chat.says("gus", "/deploy staging --when 9:30").await;
    assert!(answer.starts_with("Not allowed: "), "{answer}");
    assert_eq!(chat.count("SELECT count(*) FROM intents WHERE id > $1", "").await, 0);
    assert_eq!(chat.audit_of("request_refused").await.len(), 1);
}

#[tokio::test]
async fn policy_is_asked_again_when_the_moment_comes() {
    let mut chat = Chat::open().await;
    chat.says("eve", "/deploy staging --when 9:00").await;
    chat.configure(&CONFIG.replace("terminal = \"eve\"\nteams = [\"developers\"]", "terminal = \"eve\""));
    chat.wait_s(3_600);
    chat.looks().await;
    assert_eq!(releases(&chat).await, 0);
    let shown = message(&chat).await;
    assert!(
        shown.starts_with(
            "✖ goals → staging · deferred deployment refused: No rule lets eve ask for a release to staging\n"
        ),
        "{shown}"
    );
    expect![[r#"
        Your deferred deployment to goals → staging was refused. Nothing was started.
        No rule lets eve ask for a release to staging.
        It was to bring the newest of the default branch on Monday 2026-01-05 at 9:00 (UTC).
        To ask now: /deploy staging goals"#]]
    .assert_eq(&chat.private("eve").await.concat());
    assert_eq!(chat.audit_of("request_refused").await.len(), 1);
}

#[tokio::test]
async fn whoever_has_left_deploys_nothing() {
    let mut chat = Chat::open().await;
    chat.says("eve", "/deploy staging --when 9:00").await;
    chat.configure(&CONFIG.replace("[person.eve]\nterminal = \"eve\"\nteams = [\"developers\"]\n", ""));
    chat.wait_s(3_600);
    chat.looks().await;
    assert_eq!(releases(&chat).await, 0);
    let shown = message(&chat).await;
    assert!(
        shown.contains("deferred deployment refused\n  eve, who asked for it, is no longer known to Slipway."),
        "{shown}"
    );
}

#[tokio::test]
async fn an_environment_that_is_gone_gets_nothing() {
    let mut chat = Chat::open().await;
    chat.says("ana", "/deploy staging --when 9:00").await;
    chat.configure(&CONFIG.replace("environment.staging", "environment.preview"));
    chat.wait_s(3_600);
    chat.looks().await;
    assert_eq!(releases(&chat).await, 0);
    assert!(message(&chat).await.contains("deferred deployment refused: goals → staging is no longer configured"));
}

#[tokio::test]
async fn what_was_missed_is_made_up_for_only_shortly_after() {
    for (late_s, begins) in [(15 * 60, true), (15 * 60 + 1, false)] {
        let mut chat = Chat::open().await;
        chat.says("ana", "/deploy staging --when 9:00").await;
        chat.wait_s(3_600 + late_s);
        let chat = chat.restarts().await;
        chat.looks().await;
        assert_eq!(releases(&chat).await, i64::from(begins), "{late_s}");
        if !begins {
            let shown = message(&chat).await;
            assert!(
                shown.starts_with(
                    "– goals → staging · deferred deployment expired: its time passed while Slipway was not running\n"
                ),
                "{shown}"
            );
            assert!(chat.private("ana").await.concat().contains("has expired. Nothing was started."));
        }
        chat.looks().await;
        assert_eq!(releases(&chat).await, i64::from(begins));
    }
}

#[tokio::test]
async fn a_clock_that_jumps_back_begins_nothing_early_and_nothing_twice() {
    let mut chat = Chat::open().await;
    chat.says("ana", "/deploy staging --when 9:00").await;
    chat.wait_s(3_600);
    chat.notices().await;
    chat.wait_s(-1_800);
    chat.handle_all().await;
    assert_eq!(releases(&chat).await, 0, "it is 8:30 again");
    chat.wait_s(1_800 + 60);
    chat.looks().await;
    assert_eq!(releases(&chat).await, 1);
    chat.wait_s(-3_600);
    chat.wait_s(3_600);
    chat.looks().await;
    assert_eq!(releases(&chat).await, 1);
}

#[tokio::test]
async fn one_begins_one_release_whatever_is_delivered_twice_and_wherever_it_is_killed() {
    let mut chat = Chat::open().await;
    chat.says("ana", "/deploy staging --when 9:00").await;
    let intent = last(&chat).await;
    chat.wait_s(3_600);
    // Killed after it was noticed, and noticed again by the next process.
    chat.notices().await;
    let mut chat = chat.restarts().await;
    for _ in 0..2 {
        chat.deliver(&Incoming::IntentDue { intent: intent.clone(), green: None }).await;
    }
    chat.wait_s(120);
    chat.looks().await;
    assert_eq!(releases(&chat).await, 1);
    assert_eq!(chat.audit_of("deferred_begun").await.len(), 1);
    let same =
        "UPDATE intents SET release = (SELECT release FROM intents WHERE release IS NOT NULL) WHERE release IS NULL";
    chat.says("ana", "/deploy staging --when 10:00").await;
    let mut tx = chat.store.begin().await.unwrap();
    assert!(sqlx::query(same).execute(&mut *tx).await.is_err(), "two of them have never begun the same");
}

#[tokio::test]
async fn when_unlocked_it_is_asked_for_as_soon_as_nobody_holds_it() {
    let mut chat = Chat::open().await;
    let answer = chat.says("ana", "/deploy staging --when unlocked").await;
    assert_eq!(answer, "goals → staging is not locked, so the deployment is asked for now.");
    assert_eq!(releases(&chat).await, 1);
    for (end, told) in [("/release unlock staging", "is unlocked"), ("", "")] {
        let mut chat = Chat::open().await;
        chat.says("bob", "/release lock staging \"load test\" --for 2h").await;
        let answer = chat.says("ana", "/deploy staging v1.8.0 --when unlocked").await;
        let id = last(&chat).await;
        expect![[r#"
            Deploys goals to staging when it is unlocked.
            Asked for then: v1.8.0, if policy allows it.
            Which commit that is, is looked up at that moment.
            Given up after 24 h without that.
            To cancel it: /release cancel 01KDEFER"#]]
        .assert_eq(&answer.replace(id.short(), "01KDEFER"));
        chat.says("bob", "/release lock staging --to eve").await;
        assert_eq!(releases(&chat).await, 0, "another holds it");
        if end.is_empty() {
            chat.wait_s(7_200);
            chat.looks().await;
        } else {
            let answer = chat.says("eve", end).await;
            assert!(answer.contains(told), "{answer}");
        }
        assert_eq!(releases(&chat).await, 1, "{end}");
        let request = chat.release(&chat.newest().await).await.request;
        assert_eq!((request.requester, request.reference.as_deref()), ("ana".into(), Some("v1.8.0")));
        assert!(message(&chat).await.starts_with("● goals → staging · deferred deployment began: release "));
    }
}

#[tokio::test]
async fn what_is_green_is_asked_for_exactly_as_it_was_seen() {
    let mut chat = Chat::open().await;
    let answer = chat.says("ana", "/deploy staging main --when green").await;
    assert!(
        answer
            .starts_with("Deploys goals to staging when its CI is green.\nAsked for then: main, if policy allows it."),
        "{answer}"
    );
    assert!(answer.contains("Deployed is exactly the commit that is found green."), "{answer}");
    let intent = last(&chat).await;
    let to_look =
        async |chat: &Chat| chat.store.intents_to_look_at(chat.engine.clock.now_ms(), 10).await.unwrap().len();
    assert_eq!(to_look(&chat).await, 1, "at once");
    chat.store.intent_look_at(&intent, chat.engine.clock.now_ms() + 600_000).await.unwrap();
    assert_eq!(to_look(&chat).await, 0);
    chat.deliver(&Incoming::GithubSpoke { repository: "acme/goals".into() }).await;
    chat.wait_s(1);
    assert_eq!(to_look(&chat).await, 1, "a webhook brings the look forward");
    chat.deliver(&Incoming::IntentDue { intent: intent.clone(), green: None }).await;
    assert_eq!(releases(&chat).await, 0);
    chat.deliver(&Incoming::IntentDue { intent: intent.clone(), green: Some(sha(3)) }).await;
    chat.deliver(&Incoming::IntentDue { intent, green: Some(sha(4)) }).await;
    assert_eq!(releases(&chat).await, 1);
    let request = chat.release(&chat.newest().await).await.request;
    assert_eq!(request.reference.as_deref(), Some(sha(3).as_str()), "main may be another commit by now");
    assert_eq!(to_look(&chat).await, 0, "nothing is looked at any more");
}

#[tokio::test]
async fn what_never_becomes_green_expires_and_says_so() {
    let mut chat = Chat::with(&CONFIG.replace("vote_expiry", "when_expiry = \"90m\"\nvote_expiry")).await;
    chat.says("ana", "/deploy staging --when green").await;
    chat.wait_s(90 * 60);
    chat.looks().await;
    let shown = message(&chat).await;
    assert!(
        shown.starts_with("– goals → staging · deferred deployment expired: it was not green within 1 h 30 min\n"),
        "{shown}"
    );
    let intent = last(&chat).await;
    chat.deliver(&Incoming::IntentDue { intent, green: Some(sha(3)) }).await;
    assert_eq!(releases(&chat).await, 0, "too late");
    assert!(chat.private("ana").await.concat().contains("It was not green within 1 h 30 min."));
}

#[tokio::test]
async fn it_is_cancelled_by_whoever_may_cancel_a_release() {
    let mut chat = Chat::open().await;
    chat.says("eve", "/deploy production --when 9:00").await;
    let prefix = last(&chat).await.short().to_owned();
    let answer = presses_cancel(&mut chat, "gus").await;
    assert!(answer.starts_with("Not allowed: "), "{answer}");
    let answer = presses_cancel(&mut chat, "mallory").await;
    assert!(answer.contains("Slipway does not know you."), "{answer}");
    assert!(message(&chat).await.contains("[Cancel]"));
    let answer = chat.says("bob", &format!("/release cancel {prefix}")).await;
    assert!(answer.starts_with("Cancelled: the deferred deployment to goals → production."), "{answer}");
    let shown = message(&chat).await;
    assert!(shown.starts_with("– goals → production · deferred deployment cancelled by bob\n"), "{shown}");
    assert!(!shown.contains("[Cancel]"), "{shown}");
    assert!(chat.private("eve").await.concat().contains("was cancelled by bob."), "she is told");
    let answer = presses_cancel(&mut chat, "eve").await;
    assert!(answer.contains("was cancelled by bob already. Nothing was changed."), "{answer}");
    chat.wait_s(3_600);
    chat.looks().await;
    assert_eq!(releases(&chat).await, 0);
    assert_eq!(chat.audit_of("deferred_cancelled").await[0].columns().person, "bob");
    // A prefix of both is of neither.
    chat.says("ana", "/deploy staging --when 12:00").await;
    chat.says("ana", "/deploy staging").await;
    let answer = chat.says("ana", "/release cancel 01").await;
    assert!(answer.starts_with("\"01\" fits several. Which one?"), "{answer}");
}

#[tokio::test]
async fn so_many_wait_and_no_more() {
    let mut chat = Chat::open().await;
    for _ in 0..5 {
        chat.says("ana", "/deploy staging --when 9:00").await;
        chat.says("bob", "/deploy staging --when 9:00").await;
    }
    let answer = chat.says("eve", "/deploy staging --when 9:00").await;
    assert!(answer.starts_with("10 deployments to goals → staging are deferred already."), "{answer}");
    for _ in 0..5 {
        chat.says("ana", "/deploy production --when 9:00").await;
    }
    let answer = chat.says("ana", "/deploy production --when 9:00").await;
    assert!(answer.starts_with("10 deployments of yours are deferred already."), "{answer}");
    assert_eq!(chat.count("SELECT count(*) FROM intents WHERE id > $1", "").await, 15);
    // Those that are over make room.
    chat.wait_s(3_600);
    chat.looks().await;
    assert_eq!(releases(&chat).await, 15);
    let answer = chat.says("eve", "/deploy staging --when 10:00").await;
    assert!(answer.starts_with("Deploys "), "{answer}");
}

#[tokio::test]
async fn they_are_listed_where_one_looks() {
    let mut chat = Chat::open().await;
    chat.says("ana", "/deploy production v1.8.0 --when \"tomorrow 9:00\"").await;
    let id = last(&chat).await;
    expect![[r#"
        nothing runs, nothing waits · 1 for later
        goals → production  later: 01KDEFER  ana, v1.8.0 · on Tuesday 2026-01-06 at 9:00 (UTC)"#]]
    .assert_eq(&chat.says("bob", "/release queue").await.replace(id.short(), "01KDEFER"));
    let status = chat.says("bob", "/release status").await;
    assert!(status.contains("for later: 1 deployment (goals → production). See /release queue."), "{status}");
    assert_eq!(chat.says("bob", "/release queue staging").await, "Nothing runs and nothing waits.");
}
