//! Continuous delivery through the engine and its store: what begins, what is said of it, and what is never said twice.

use super::chat::{CONFIG, key};
use super::*;
use crate::engine::Incoming;
use crate::timekeeper::flows;
use expect_test::expect;
use slipway_core::facts::CiState;
use slipway_core::flow::{How, Seen, Sight, Standing, Why};
use slipway_core::ids::{CommitSha, ReleaseId};
use slipway_core::message::Verb;
use slipway_core::person::Identity;
use slipway_core::plan::{Plan, PlanKind};

/// A configuration whose staging follows main.
pub(super) fn following(config: &str) -> String {
    let staging = "[service.goals.environment.staging]\n";
    config.replace(staging, &format!("{staging}auto_deploy = \"main\"\n"))
}

/// A look at main with these commits after what was live, newest first.
pub(super) fn sees(base: Option<u32>, commits: &[(u32, CiState)]) -> Incoming {
    let seen = |(n, ci): &(u32, CiState)| Seen { sha: sha(*n), author: "cem".into(), ci: Some(*ci), untouched: false };
    let head = commits.first().map(|(n, _)| *n).or(base);
    let sight = Sight {
        branch: "main".into(),
        base: base.map(sha),
        head: head.map(sha),
        standing: if base.is_some() { Standing::Ahead } else { Standing::Unknown },
        commits: commits.iter().map(seen).collect(),
        total: u32::try_from(commits.len()).unwrap(),
    };
    Incoming::FlowSeen { environment: key("staging"), sight: Box::new(sight) }
}

/// The timekeeper looks at what is due, and the engine handles what it found.
pub(super) async fn looks(chat: &Chat) {
    flows::look(&chat.store, &chat.engine.clock, &chat.engine.signals).await.unwrap();
    chat.handle_all().await;
}

/// For the audit log: something begins, and something is held up.
pub(super) async fn a_merge_and_a_lock(chat: &mut Chat) {
    chat.configure(&following(CONFIG));
    chat.says("ana", "/release unlock staging").await;
    chat.deliver(&sees(Some(6), &[(7, CiState::Green)])).await;
    chat.wait_s(5);
    looks(chat).await;
    chat.says("ana", "/release lock staging \"moving\"").await;
    chat.deliver(&sees(Some(6), &[(8, CiState::Green)])).await;
}

async fn open() -> Chat {
    Chat::with(&following(CONFIG)).await
}

/// A commit is merged and green, and begins once it has settled.
async fn merged(chat: &mut Chat, base: Option<u32>, commit: u32) -> ReleaseId {
    chat.deliver(&sees(base, &[(commit, CiState::Green)])).await;
    chat.wait_s(5);
    looks(chat).await;
    let newest = chat.newest().await;
    assert_eq!(chat.release(&newest).await.request.reference, Some(sha(commit).to_string()), "it has not begun");
    newest
}

/// It is planned, and starts unless something is in its way.
async fn planned(chat: &mut Chat, release: &ReleaseId, base: u32, commit: u32) {
    chat.outcome(release, "resolve", Event::Resolved { commit: sha(commit), branch: None }).await;
    chat.outcome(release, "await_build", Event::BuildReady).await;
    chat.gathers(release, &plan("staging", base, commit)).await;
}

/// Something is live that began by itself.
async fn shipped(chat: &mut Chat, base: Option<u32>, commit: u32) -> ReleaseId {
    let release = merged(chat, base, commit).await;
    planned(chat, &release, base.unwrap_or(1), commit).await;
    chat.runs_to_its_end(&release).await;
    chat.wait_s(1);
    release
}

async fn fails(chat: &mut Chat, release: &ReleaseId) {
    let event = Event::StepFailed { step: Step::Ci, failure: Failure::new("Red."), rolled_back: false, at: chat.now() };
    chat.outcome(release, "observe_ci", event).await;
}

async fn releases(chat: &Chat) -> i64 {
    chat.count("SELECT count(*) FROM releases WHERE id > $1", "").await
}

async fn pause(chat: &Chat) -> Option<Why> {
    chat.store.flow(&key("staging")).await.unwrap().and_then(|flow| flow.pause).map(|pause| pause.why)
}

fn message(number: u32) -> String {
    format!("environment/goals/staging/pause/{number}")
}

#[tokio::test]
async fn what_is_merged_and_green_is_released_and_says_why() {
    let mut chat = open().await;
    chat.deliver(&sees(None, &[(3, CiState::Pending)])).await;
    chat.wait_s(60);
    looks(&chat).await;
    assert_eq!(releases(&chat).await, 0, "its CI runs");
    let first = shipped(&mut chat, None, 3).await;
    assert_eq!(chat.environment("staging").await.live.unwrap().commit, sha(3));
    assert_eq!(chat.phase(&first).await, "succeeded");
    chat.deliver(&sees(Some(3), &[(6, CiState::Green), (5, CiState::Red), (4, CiState::Pending)])).await;
    chat.wait_s(5);
    looks(&chat).await;
    let second = chat.newest().await;
    let card = chat.card(&second).await;
    let said = card.lines().nth(1).unwrap().trim().replace(second.short(), "ID");
    expect![
        "started by itself: main is green at 0000000 (by cem); brings 2 older ones not green; red: 0000000 · release ID"
    ]
    .assert_eq(&said);
    assert_eq!(chat.audit_of("flow_began").await.len(), 2);
    for channel in ["terminal:releases", "terminal:ops"] {
        let cards = "SELECT count(*) FROM messages WHERE key LIKE 'release/%' AND channel = $1";
        assert_eq!(chat.count(cards, channel).await, 2, "{channel}");
    }
}

#[tokio::test]
async fn no_commit_begins_twice_whatever_is_seen_again_and_whenever_the_process_is_killed() {
    let mut chat = open().await;
    let green = sees(None, &[(3, CiState::Green)]);
    chat.deliver(&green).await;
    chat.wait_s(5);
    let mut chat = chat.restarts().await;
    looks(&chat).await;
    assert_eq!(releases(&chat).await, 1);
    for _ in 0..3 {
        chat.deliver(&green).await;
        chat = chat.restarts().await;
        chat.wait_s(60);
        looks(&chat).await;
    }
    assert_eq!(releases(&chat).await, 1);
    let release = chat.newest().await;
    planned(&mut chat, &release, 1, 3).await;
    chat.runs_to_its_end(&release).await;
    // The look from before the end comes late.
    chat.deliver(&green).await;
    chat.wait_s(60);
    looks(&chat).await;
    assert_eq!(releases(&chat).await, 1);
    assert_eq!(chat.count("SELECT count(*) FROM flow_begun WHERE service = $1", "goals").await, 1);
}

#[tokio::test]
async fn one_at_a_time_and_the_newest_wins() {
    let mut chat = open().await;
    let first = merged(&mut chat, None, 3).await;
    planned(&mut chat, &first, 1, 3).await;
    assert_eq!(chat.phase(&first).await, "running(ci)");
    for n in 4..20 {
        chat.deliver(&sees(None, &[(n, CiState::Green)])).await;
        chat.wait_s(30);
        looks(&chat).await;
    }
    assert_eq!(releases(&chat).await, 1, "one runs");
    chat.runs_to_its_end(&first).await;
    let commits: Vec<_> = (4..20).rev().map(|n| (n, CiState::Green)).collect();
    chat.deliver(&sees(Some(3), &commits)).await;
    chat.wait_s(5);
    looks(&chat).await;
    let second = chat.newest().await;
    assert_eq!((releases(&chat).await, chat.release(&second).await.request.reference), (2, Some(sha(19).to_string())));
}

#[tokio::test]
async fn a_newer_commit_takes_the_place_of_one_that_waits() {
    let mut chat = open().await;
    chat.adds_rule(
        "@id(\"closed\") @why(\"Closed.\") forbid (principal, action == Action::\"execute\", resource)
        unless { context.overridden };",
    );
    let config = following(&chat.config_with_folder());
    chat.configure(&config);
    let old = merged(&mut chat, None, 3).await;
    planned(&mut chat, &old, 1, 3).await;
    assert_eq!(chat.phase(&old).await, "queued");
    chat.deliver(&sees(None, &[(4, CiState::Green)])).await;
    chat.wait_s(60);
    looks(&chat).await;
    let new = chat.newest().await;
    planned(&mut chat, &new, 1, 4).await;
    assert_eq!((chat.phase(&old).await.as_str(), chat.phase(&new).await.as_str()), ("superseded", "queued"));
    assert!(chat.card(&old).await.contains(new.short()), "{}", chat.card(&old).await);
    assert_eq!((pause(&chat).await, chat.told(&old).await), (None, vec![]), "nobody asked for either");
}

#[tokio::test]
async fn a_lock_pauses_it_with_one_message_that_says_when_it_is_over() {
    let mut chat = open().await;
    shipped(&mut chat, None, 3).await;
    chat.says("bob", "/release lock staging \"load test\"").await;
    chat.deliver(&sees(Some(3), &[])).await;
    assert_eq!(pause(&chat).await, None, "it holds nothing up");
    for n in 4..9 {
        chat.deliver(&sees(Some(3), &[(n, CiState::Green)])).await;
        chat.wait_s(60);
        looks(&chat).await;
    }
    assert_eq!(releases(&chat).await, 1);
    expect![[r#"
        ○ goals → staging · nothing starts by itself: locked by bob "load test"
          Goes on by itself when it is unlocked: /release unlock staging goals"#]]
    .assert_eq(&chat.posted(&message(1)).await);
    let said = chat.says("ana", "/release resume staging").await;
    assert!(said.contains("That does not help on goals → staging. Nothing was started."), "{said}");
    let status = chat.says("ana", "/release status staging").await;
    assert!(status.contains("goals → staging follows main: paused, locked by bob"), "{status}");
    assert!(status.lines().next().unwrap().ends_with(" · 1 paused"), "{status}");
    chat.says("bob", "/release unlock staging").await;
    expect![[r#"
        – goals → staging · releases start by themselves again: it is unlocked
          It had stopped for 5 min: locked by bob "load test""#]]
    .assert_eq(&chat.posted(&message(1)).await);
    chat.wait_s(5);
    looks(&chat).await;
    assert_eq!(releases(&chat).await, 2);
    assert_eq!((chat.audit_of("flow_paused").await.len(), chat.audit_of("flow_resumed").await.len()), (1, 1));
}

#[tokio::test]
async fn a_failure_pauses_it_and_whoever_may_deploy_resumes_it() {
    let mut chat = open().await;
    let failed = merged(&mut chat, None, 3).await;
    planned(&mut chat, &failed, 1, 3).await;
    fails(&mut chat, &failed).await;
    for n in 4..9 {
        chat.deliver(&sees(None, &[(n, CiState::Green)])).await;
        chat.wait_s(60);
        looks(&chat).await;
    }
    assert_eq!(releases(&chat).await, 1);
    let said = chat.posted(&message(1)).await.replace(failed.short(), "ID");
    expect![[r#"
        ○ goals → staging · nothing starts by itself: 0000000 failed (release ID)
          Goes on when a release that somebody asks for succeeds, or with /release resume staging goals: then the newest green commit begins.
          [Resume]"#]]
    .assert_eq(&said);
    assert_eq!(chat.told(&failed).await, ["cem: goals → staging failed at ci."], "whoever wrote it");
    let who = Identity::Terminal("gus".into());
    let press = |who: Identity| Incoming::Pressed {
        who,
        channel: "terminal:releases".into(),
        message: message(1),
        verb: Verb::Resume,
        plan: None,
    };
    let delivery = chat.deliver(&press(who)).await;
    assert!(chat.answer(delivery).await.contains("not allowed") || pause(&chat).await.is_some());
    assert!(pause(&chat).await.is_some(), "gus may ask for nothing");
    let delivery = chat.deliver(&press(Identity::Terminal("eve".into()))).await;
    let said = chat.answer(delivery).await;
    assert!(said.starts_with("goals → staging · releases start by themselves again.\n"), "{said}");
    let said = chat.posted(&message(1)).await;
    assert!(said.starts_with("– goals → staging · releases start by themselves again: resumed by eve\n"), "{said}");
    chat.wait_s(5);
    looks(&chat).await;
    let next = chat.newest().await;
    assert_eq!(chat.release(&next).await.request.reference, Some(sha(8).to_string()));
    let again = chat.says("eve", "/release resume").await;
    assert!(again.contains("Nothing has stopped anywhere."), "{again}");
}

#[tokio::test]
async fn a_release_that_somebody_asked_for_resumes_it() {
    let mut chat = open().await;
    let failed = merged(&mut chat, None, 3).await;
    planned(&mut chat, &failed, 1, 3).await;
    fails(&mut chat, &failed).await;
    chat.wait_s(1);
    let mended = chat.planned("ana", &plan("staging", 1, 4)).await;
    chat.runs_to_its_end(&mended).await;
    assert_eq!(pause(&chat).await, None);
    assert!(chat.posted(&message(1)).await.contains("of ana is live"), "{}", chat.posted(&message(1)).await);
}

#[tokio::test]
async fn a_rollback_and_a_cancel_pause_it() {
    let mut chat = open().await;
    shipped(&mut chat, None, 3).await;
    shipped(&mut chat, Some(3), 4).await;
    chat.says("ana", "/rollback staging").await;
    let back = chat.newest().await;
    chat.outcome(&back, "resolve", Event::Resolved { commit: sha(3), branch: None }).await;
    chat.gathers(&back, &Plan { kind: PlanKind::Rollback, base: Some(sha(4)), ..plan("staging", 3, 3) }).await;
    chat.runs_to_its_end(&back).await;
    assert!(matches!(pause(&chat).await, Some(Why::WentBack { .. })));
    chat.deliver(&sees(Some(3), &[(4, CiState::Green)])).await;
    chat.wait_s(60);
    looks(&chat).await;
    assert_eq!(releases(&chat).await, 3, "what was gone back from is not brought again");
    chat.says("ana", "/release resume").await;
    chat.deliver(&sees(Some(3), &[(5, CiState::Green), (4, CiState::Green)])).await;
    chat.wait_s(5);
    looks(&chat).await;
    let unwanted = chat.newest().await;
    chat.says("bob", &format!("/release cancel {}", unwanted.short())).await;
    assert!(matches!(pause(&chat).await, Some(Why::Ended { how: How::Cancelled { .. }, .. })));
    assert!(chat.posted(&message(2)).await.contains("0000000 was cancelled by bob"));
}

#[tokio::test]
async fn a_freeze_pauses_it_until_it_is_over() {
    let mut chat = open().await;
    shipped(&mut chat, None, 3).await;
    chat.adds_rule(
        "@id(\"lunch\") @why(\"Nothing starts before nine.\") forbid (principal, action == Action::\"execute\", resource) \
         when { context.time.minute < 9 * 60 };",
    );
    let config = following(&chat.config_with_folder());
    chat.configure(&config);
    chat.deliver(&sees(Some(3), &[(4, CiState::Green)])).await;
    chat.wait_s(60);
    looks(&chat).await;
    assert_eq!(releases(&chat).await, 1);
    let said = chat.posted(&message(1)).await;
    assert!(
        said.starts_with("○ goals → staging · nothing starts by itself: Nothing starts before nine (until "),
        "{said}"
    );
    chat.wait_s(3_600);
    looks(&chat).await;
    assert!(chat.posted(&message(1)).await.contains("the freeze is over"), "{}", chat.posted(&message(1)).await);
    chat.wait_s(5);
    looks(&chat).await;
    assert_eq!(releases(&chat).await, 2);
}

#[tokio::test]
async fn policies_that_do_not_let_slipway_pause_it_and_say_which_rule_does() {
    let mut chat = open().await;
    let rule = "@id(\"nobody\") @why(\"Slipway starts nothing here.\") \
                forbid (principal == Person::\"slipway\", action == Action::\"request\", resource);";
    chat.adds_rule(rule);
    let config = following(&chat.config_with_folder());
    chat.configure(&config);
    chat.deliver(&sees(None, &[(3, CiState::Green)])).await;
    let said = chat.posted(&message(1)).await;
    assert!(said.contains("nothing starts by itself: refused by policy\n  Slipway starts nothing here."), "{said}");
    assert!(said.contains("Goes on by itself when no rule forbids it any more."), "{said}");
    assert!(!said.contains("permit (principal"), "another rule would not help: {said}");
    chat.configure(&following(CONFIG));
    chat.wait_s(60);
    looks(&chat).await;
    assert!(chat.posted(&message(1)).await.contains("releases start by themselves again: policy permits it"));
    chat.wait_s(5);
    looks(&chat).await;
    assert_eq!(releases(&chat).await, 1);
}

#[tokio::test]
async fn what_is_known_to_be_bad_does_not_begin() {
    let mut chat = open().await;
    let bad = chat.planned("ana", &plan("staging", 1, 5)).await;
    chat.runs_to_its_end(&bad).await;
    chat.says("ana", &format!("/release bad {} \"leaks\"", bad.short())).await;
    chat.wait_s(1);
    let other = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.runs_to_its_end(&other).await;
    chat.deliver(&sees(Some(3), &[(5, CiState::Green)])).await;
    chat.wait_s(60);
    looks(&chat).await;
    assert_eq!((releases(&chat).await, pause(&chat).await), (2, None));
    chat.deliver(&sees(Some(3), &[(6, CiState::Green), (5, CiState::Green)])).await;
    chat.wait_s(5);
    looks(&chat).await;
    assert_eq!(releases(&chat).await, 3);
}

#[tokio::test]
async fn where_no_branch_is_followed_nothing_begins() {
    let mut chat = Chat::open().await;
    chat.deliver(&sees(None, &[(3, CiState::Green)])).await;
    chat.wait_s(60);
    looks(&chat).await;
    assert_eq!(releases(&chat).await, 0);
    let said = chat.says("ana", "/release resume staging").await;
    assert!(said.contains("Nothing starts by itself on goals → staging: no branch is set for it."), "{said}");
    // What was due when the configuration still said so is not any more.
    let mut chat = open().await;
    chat.deliver(&sees(None, &[(3, CiState::Green)])).await;
    chat.configure(CONFIG);
    chat.wait_s(60);
    looks(&chat).await;
    assert_eq!(releases(&chat).await, 0);
    assert_eq!(chat.store.flows_due(i64::MAX, 10).await.unwrap(), []);
}

#[tokio::test]
async fn another_line_of_history_pauses_it() {
    let mut chat = open().await;
    shipped(&mut chat, None, 3).await;
    let Incoming::FlowSeen { environment, sight } = sees(Some(3), &[]) else { panic!("a sight") };
    let head = CommitSha::parse(&"9".repeat(40)).unwrap();
    let pushed = Box::new(Sight { standing: Standing::Diverged, head: Some(head), ..*sight });
    chat.deliver(&Incoming::FlowSeen { environment, sight: pushed }).await;
    expect![[r#"
        ○ goals → staging · nothing starts by itself: 0000000 runs there and is not on main
          Goes on by itself once a commit of the branch runs there: /deploy staging main goals"#]]
    .assert_eq(&chat.posted(&message(1)).await);
}

#[tokio::test]
async fn what_waits_by_itself_makes_room_for_a_rollback() {
    let mut chat = open().await;
    shipped(&mut chat, None, 3).await;
    shipped(&mut chat, Some(3), 4).await;
    let waits = merged(&mut chat, Some(4), 5).await;
    chat.wait_s(1);
    chat.says("ana", "/rollback staging").await;
    let back = chat.newest().await;
    chat.outcome(&back, "resolve", Event::Resolved { commit: sha(3), branch: None }).await;
    chat.gathers(&back, &Plan { kind: PlanKind::Rollback, base: Some(sha(4)), ..plan("staging", 3, 3) }).await;
    chat.runs_to_its_end(&back).await;
    assert_eq!(chat.phase(&waits).await, "superseded", "it would bring again what was just taken away");
    assert!(matches!(pause(&chat).await, Some(Why::WentBack { .. })));
}

#[tokio::test]
async fn what_somebody_deployed_past_slipway_is_replaced_by_somebody_only() {
    let mut chat = open().await;
    shipped(&mut chat, None, 3).await;
    chat.says("bob", "/release lock staging \"looking\"").await;
    chat.says("bob", "/release unlock staging").await;
    let waits = merged(&mut chat, Some(3), 5).await;
    chat.wait_s(1);
    by_hand::looks(&mut chat, by_hand::runs(4)).await;
    planned(&mut chat, &waits, 4, 5).await;
    assert!(chat.release(&waits).await.started_at.is_none(), "nobody asked for it: {}", chat.card(&waits).await);
    assert!(chat.card(&waits).await.contains("was deployed past Slipway"), "{}", chat.card(&waits).await);
    assert!(matches!(pause(&chat).await, Some(Why::PastSlipway { .. }) | None));
    // Somebody may, also with the very commit that was brought by hand.
    chat.wait_s(1);
    let asked = chat.planned("ana", &plan("staging", 4, 6)).await;
    chat.says("bob", &format!("/release queue --bump {}", asked.short())).await;
    chat.says("bob", &format!("/release cancel {}", waits.short())).await;
    chat.runs_to_its_end(&asked).await;
    assert_eq!(chat.environment("staging").await.by_hand, None);
}

#[tokio::test]
async fn one_that_a_newer_one_has_passed_gives_way_and_pauses_nothing() {
    let mut chat = open().await;
    let old = merged(&mut chat, None, 3).await;
    chat.outcome(&old, "resolve", Event::Resolved { commit: sha(3), branch: None }).await;
    chat.deliver(&sees(None, &[(4, CiState::Green), (3, CiState::Green)])).await;
    chat.wait_s(60);
    looks(&chat).await;
    let new = chat.newest().await;
    assert_ne!(old, new, "it has waited for its build for a minute");
    planned(&mut chat, &new, 1, 4).await;
    chat.runs_to_its_end(&new).await;
    assert_eq!(chat.environment("staging").await.live.unwrap().commit, sha(4));
    assert_eq!(chat.phase(&old).await, "superseded", "it would only be found older than what runs");
    assert!(chat.card(&old).await.contains(new.short()), "{}", chat.card(&old).await);
    assert_eq!(pause(&chat).await, None);
}

#[tokio::test]
async fn one_that_fails_after_a_newer_one_has_begun_pauses_nothing() {
    let mut chat = open().await;
    let old = merged(&mut chat, None, 3).await;
    chat.deliver(&sees(None, &[(4, CiState::Green), (3, CiState::Green)])).await;
    chat.wait_s(60);
    looks(&chat).await;
    let new = chat.newest().await;
    let failure = Failure::new("The image was not built.");
    chat.outcome(&old, "resolve", Event::PlanningFailed { step: None, failure, at: chat.now() }).await;
    assert_eq!(chat.phase(&old).await, "failed");
    assert_eq!(pause(&chat).await, None, "the newer one says how it goes on");
    planned(&mut chat, &new, 1, 4).await;
    fails(&mut chat, &new).await;
    assert!(matches!(pause(&chat).await, Some(Why::Ended { release, .. }) if release == new));
}

#[tokio::test]
async fn other_rules_end_a_freeze_before_it_was_to_end() {
    let mut chat = open().await;
    shipped(&mut chat, None, 3).await;
    chat.adds_rule(
        "@id(\"fair\") @why(\"Nothing starts during the fair.\") forbid (principal, action == Action::\"execute\", resource) \
         when { context.time.today < datetime(\"2100-01-01\") };",
    );
    let config = following(&chat.config_with_folder());
    chat.configure(&config);
    chat.starts_with_policies(&config).await;
    chat.deliver(&sees(Some(3), &[(4, CiState::Green)])).await;
    assert!(chat.posted(&message(1)).await.contains("Nothing starts during the fair"));
    chat.writes_rule("");
    chat.reloads().await.unwrap();
    assert!(chat.posted(&message(1)).await.contains("the freeze is over"), "{}", chat.posted(&message(1)).await);
    chat.wait_s(5);
    looks(&chat).await;
    assert_eq!(releases(&chat).await, 2);
}
