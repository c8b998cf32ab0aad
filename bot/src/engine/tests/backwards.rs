//! Going back: what is live whatever comes after, what is known to be bad, and rollbacks that the configuration asks for.

use super::chat::{CONFIG, migrating};
use super::*;
use slipway_core::ids::ReleaseId;
use slipway_core::plan::{Plan, PlanKind};
use slipway_core::release::{AutomaticRollback, RequestKind};

/// Staging goes back by itself.
fn automatic() -> String {
    let staging = "[service.goals.environment.staging]\n";
    let with = format!("{staging}health_url = \"https://staging.acme.dev/healthz\"\nrollback = \"automatic\"\n");
    CONFIG.replacen(staging, &with, 1)
}

/// Two releases to staging succeed, one after the other.
async fn two(chat: &mut Chat) -> [ReleaseId; 2] {
    let mut releases = Vec::new();
    for (base, commit) in [(1, 3), (3, 4)] {
        releases.push(chat.planned("ana", &plan("staging", base, commit)).await);
        chat.wait_s(1);
        chat.runs_to_its_end(&releases[releases.len() - 1]).await;
        chat.wait_s(1);
    }
    releases.try_into().unwrap()
}

/// From commit 4 back to an earlier one.
fn back_plan(environment: &str, commit: u32) -> Plan {
    Plan { kind: PlanKind::Rollback, base: Some(sha(4)), commits: vec![], ..plan(environment, commit, commit) }
}

/// The rollback that was asked for last is planned, and has run as far as its verification.
async fn runs_back(chat: &mut Chat, plan: &Plan) -> ReleaseId {
    let back = chat.newest().await;
    chat.outcome(&back, "resolve", Event::Resolved { commit: plan.commit.clone(), branch: None }).await;
    chat.gathers(&back, plan).await;
    chat.succeeds(&back, "observe_ci", Step::Ci).await;
    chat.succeeds(&back, "observe_image", Step::Image).await;
    chat.outcome(&back, "deploy", Event::DeployStarted { target: 0, operation: "op-1".into() }).await;
    chat.succeeds(&back, "follow", Step::Deploy).await;
    assert_eq!(chat.phase(&back).await, "running(verify)");
    back
}

async fn breaks(chat: &mut Chat, release: &ReleaseId, effect: &str, step: Step) {
    // A release's id begins with its time.
    chat.wait_s(1);
    let failure = Failure::new("It is not well.");
    let event = Event::StepFailed { step, failure, rolled_back: false, at: chat.now() };
    chat.outcome(release, effect, event).await;
}

/// A third release to staging is live and cannot be verified.
async fn not_verified(chat: &mut Chat) -> ReleaseId {
    let release = chat.planned("ana", &plan("staging", 4, 5)).await;
    chat.wait_s(1);
    chat.succeeds(&release, "observe_ci", Step::Ci).await;
    chat.succeeds(&release, "observe_image", Step::Image).await;
    chat.outcome(&release, "deploy", Event::DeployStarted { target: 0, operation: "op-1".into() }).await;
    chat.succeeds(&release, "follow", Step::Deploy).await;
    breaks(chat, &release, "verify", Step::Verify).await;
    release
}

fn to_of(kind: &RequestKind) -> &ReleaseId {
    let RequestKind::Rollback { to, .. } = kind else { panic!("{kind:?}") };
    to
}

#[tokio::test]
async fn migrations_that_fail_last_leave_the_older_version_live() {
    let mut chat = Chat::open().await;
    let [first, second] = two(&mut chat).await;
    assert_eq!(chat.says("ana", "/rollback staging --migrations").await, "");
    let taken_back = migrating(plan("staging", 3, 4)).migrations;
    let back = runs_back(&mut chat, &Plan { taken_back, ..back_plan("staging", 3) }).await;
    chat.succeeds(&back, "verify", Step::Verify).await;
    assert_eq!(chat.phase(&back).await, "running(migrate)");
    assert_eq!(chat.environment("staging").await.live.unwrap().release, second, "not before it has ended");
    breaks(&mut chat, &back, "migrate", Step::Migrate).await;
    let live = chat.environment("staging").await.live.unwrap();
    assert_eq!((live.release, live.commit, live.verified), (back.clone(), sha(3), true));
    let card = chat.card(&back).await;
    assert!(card.contains("is live again") && card.contains("were not all taken back"), "{card}");
    // It stands for the release that it went back to: there is nothing before that, and what was left is no way back.
    let answer = chat.says("ana", "/rollback staging").await;
    assert!(answer.contains("There is nothing to go back to"), "{answer}");
    assert_eq!(to_of(&chat.release(&back).await.request.kind), &first);
}

#[tokio::test]
async fn a_cancel_while_it_is_verified_leaves_the_migrations() {
    let mut chat = Chat::open().await;
    two(&mut chat).await;
    chat.says("ana", "/rollback staging --migrations").await;
    let taken_back = migrating(plan("staging", 3, 4)).migrations;
    let back = runs_back(&mut chat, &Plan { taken_back, ..back_plan("staging", 3) }).await;
    let answer = chat.says("ana", "/release cancel").await;
    assert!(answer.contains("no migration will be taken back"), "{answer}");
    chat.succeeds(&back, "verify", Step::Verify).await;
    assert_eq!(chat.phase(&back).await, "cancelled");
    assert_eq!(chat.environment("staging").await.live.unwrap().release, back);
    assert!(!chat.effects(&back).await.contains(&"migrate".to_owned()));
    let card = chat.card(&back).await;
    assert!(card.contains("is live and verified") && card.contains("No migration was taken back."), "{card}");
}

#[tokio::test]
async fn what_is_known_to_be_bad_is_not_gone_back_to() {
    let mut chat = Chat::open().await;
    let [first, second] = two(&mut chat).await;
    let before = chat.environment("staging").await;
    let third = chat.planned("ana", &plan("staging", 4, 5)).await;
    chat.wait_s(1);
    chat.runs_to_its_end(&third).await;
    let live = chat.environment("staging").await.live;
    let answer = chat.says("eve", &format!("/release bad {} \"loses *sessions*\"", second.short())).await;
    assert!(answer.contains("Known to be bad from now on"), "{answer}");
    assert_eq!(chat.environment("staging").await.live, live, "a mark changes nothing of what runs");
    assert_ne!(before.live, live);
    let news = chat.posted_if_any(&format!("bad/{second}/{}", chat.now().as_millisecond())).await;
    assert!(news.contains("by eve") && news.contains("loses *sessions*"), "{news}");
    let audited = chat.audit_of("marked_bad").await.pop().unwrap();
    assert_eq!(audited.body["person"], "eve");
    let card = chat.card(&second).await;
    assert!(card.contains("known bad") && card.contains("loses *sessions*"), "{card}");
    let refused = chat.says("ana", &format!("/rollback staging {}", second.short())).await;
    assert!(refused.contains("No rollback goes back to") && refused.contains("by eve"), "{refused}");
    assert_eq!(chat.newest().await, third, "nothing was started");
    assert_eq!(chat.says("ana", "/rollback staging").await, "");
    assert_eq!(to_of(&chat.release(&chat.newest().await).await.request.kind), &first, "it is passed over");
    chat.says("ana", "/release cancel").await;
    chat.says("ana", &format!("/release bad {}", first.short())).await;
    let answer = chat.says("ana", "/rollback staging").await;
    assert!(answer.contains("all 2 earlier releases on goals → staging are known to be bad"), "{answer}");
    let answer = chat.says("ana", &format!("/release bad {} --undo", second.short())).await;
    assert!(answer.contains("No longer known to be bad"), "{answer}");
    let answer = chat.says("ana", &format!("/release bad {} --undo", second.short())).await;
    assert!(answer.contains("is not marked"), "{answer}");
    assert_eq!(chat.says("ana", "/rollback staging").await, "");
    assert_eq!(to_of(&chat.release(&chat.newest().await).await.request.kind), &second);
}

#[tokio::test]
async fn what_is_known_to_be_bad_is_not_promoted_and_a_mark_holds_what_waits() {
    let mut chat = Chat::open().await;
    let first = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.runs_to_its_end(&first).await;
    chat.wait_s(3_600);
    let waiting = chat.planned("ana", &plan("production", 1, 3)).await;
    let answer = chat.says("ana", "/release bad staging").await;
    assert!(answer.contains("It runs on staging: /rollback staging"), "{answer}");
    assert!(chat.refused_by(&waiting).await.contains(&"known-bad".to_owned()), "judged again at once");
    chat.presses("bob", &waiting, slipway_core::message::Verb::Approve).await;
    assert_eq!(chat.release(&waiting).await.started_at, None);
    let why = chat.says("ana", &format!("/release why {}", waiting.short())).await;
    assert!(why.contains("known-bad") && why.contains("Somebody has marked this commit"), "{why}");
    chat.says("ana", "/release bad staging --undo").await;
    assert!(!chat.refused_by(&waiting).await.contains(&"known-bad".to_owned()));
}

#[tokio::test]
async fn a_mark_is_for_those_who_may_roll_back_and_for_what_has_ended() {
    let mut chat = Chat::open().await;
    let answer = chat.says("ana", "/release bad staging").await;
    assert!(answer.contains("No release of Slipway's is live on goals → staging"), "{answer}");
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    let answer = chat.says("ana", &format!("/release bad {}", release.short())).await;
    assert!(answer.contains("has not ended yet"), "{answer}");
    chat.runs_to_its_end(&release).await;
    let answer = chat.says("gus", "/release bad staging \"I say so\"").await;
    assert!(answer.contains("No rule lets gus say what is bad on staging."), "{answer}");
    assert_eq!(chat.release(&release).await.known_bad, None);
    assert_eq!(chat.audit_of("refused").await.len(), 1);
}

#[tokio::test]
async fn a_failed_verification_is_rolled_back_by_setting_and_through_the_gate() {
    let mut chat = Chat::with(&automatic()).await;
    let [_, second] = two(&mut chat).await;
    let failed = not_verified(&mut chat).await;
    let back = chat.newest().await;
    assert_ne!(back, failed);
    let request = chat.release(&back).await.request;
    let RequestKind::Rollback { to, because_of, migrations, .. } = &request.kind else { panic!("{request:?}") };
    assert_eq!((to, because_of, *migrations), (&second, &Some(failed.clone()), false));
    assert_eq!(request.requester, chat.release(&failed).await.request.requester);
    let linked = AutomaticRollback::Asked { release: back.clone(), commit: sha(4) };
    assert_eq!(chat.release(&failed).await.automatic, Some(linked));
    let card = chat.card(&failed).await;
    assert!(card.contains("Rollback asked for by Slipway") && card.contains(back.short()), "{card}");
    let card = chat.card(&back).await;
    assert!(card.contains(failed.short()) && card.contains("could not be verified"), "{card}");
    // It fails in the same way, and nothing follows: there is no chain.
    chat.outcome(&back, "resolve", Event::Resolved { commit: sha(4), branch: None }).await;
    let to = Plan { kind: PlanKind::Rollback, base: Some(sha(5)), commits: vec![], ..plan("staging", 4, 4) };
    chat.gathers(&back, &to).await;
    assert_eq!(chat.phase(&back).await, "running(ci)");
    chat.succeeds(&back, "observe_ci", Step::Ci).await;
    chat.succeeds(&back, "observe_image", Step::Image).await;
    chat.outcome(&back, "deploy", Event::DeployStarted { target: 0, operation: "op-2".into() }).await;
    chat.succeeds(&back, "follow", Step::Deploy).await;
    breaks(&mut chat, &back, "verify", Step::Verify).await;
    assert_eq!((chat.newest().await, chat.release(&back).await.automatic), (back, None));
}

#[tokio::test]
async fn by_setting_the_gate_still_says_no_and_a_lock_holds() {
    let mut chat = Chat::with(&automatic()).await;
    two(&mut chat).await;
    chat.says("bob", "/release lock production \"elsewhere\"").await;
    let release = chat.planned("ana", &plan("staging", 4, 5)).await;
    chat.succeeds(&release, "observe_ci", Step::Ci).await;
    chat.says("bob", "/release lock staging \"looking\"").await;
    chat.succeeds(&release, "observe_image", Step::Image).await;
    chat.outcome(&release, "deploy", Event::DeployStarted { target: 0, operation: "op-1".into() }).await;
    chat.succeeds(&release, "follow", Step::Deploy).await;
    breaks(&mut chat, &release, "verify", Step::Verify).await;
    let back = chat.newest().await;
    chat.outcome(&back, "resolve", Event::Resolved { commit: sha(4), branch: None }).await;
    let to = Plan { kind: PlanKind::Rollback, base: Some(sha(5)), commits: vec![], ..plan("staging", 4, 4) };
    chat.gathers(&back, &to).await;
    assert_eq!(chat.phase(&back).await, "queued");
    let card = chat.card(&back).await;
    assert!(card.contains("locked by bob") || card.contains("bob"), "{card}");
}

#[tokio::test]
async fn where_nothing_is_good_it_says_so() {
    let mut chat = Chat::with(&automatic()).await;
    let failed = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.succeeds(&failed, "observe_ci", Step::Ci).await;
    chat.succeeds(&failed, "observe_image", Step::Image).await;
    chat.outcome(&failed, "deploy", Event::DeployStarted { target: 0, operation: "op-1".into() }).await;
    chat.succeeds(&failed, "follow", Step::Deploy).await;
    breaks(&mut chat, &failed, "verify", Step::Verify).await;
    assert_eq!(chat.newest().await, failed);
    let card = chat.card(&failed).await;
    assert!(card.contains("Not rolled back by itself: no earlier release has succeeded there."), "{card}");
    let told = chat.effects(&failed).await.into_iter().filter(|effect| effect == "tell").count();
    assert_eq!(told, 2, "that it failed, and that nothing follows");
}

#[tokio::test]
async fn without_the_setting_nothing_follows() {
    let mut chat = Chat::open().await;
    two(&mut chat).await;
    let failed = not_verified(&mut chat).await;
    assert_eq!((chat.newest().await, chat.release(&failed).await.automatic), (failed, None));
}
