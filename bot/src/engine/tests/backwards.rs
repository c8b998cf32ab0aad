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
pub(super) fn back_plan(environment: &str, commit: u32) -> Plan {
    Plan { kind: PlanKind::Rollback, base: Some(sha(4)), commits: vec![], ..plan(environment, commit, commit) }
}

/// The rollback that was asked for last is planned, and has run as far as its verification.
pub(super) async fn runs_back(chat: &mut Chat, plan: &Plan) -> ReleaseId {
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

pub(super) async fn breaks(chat: &mut Chat, release: &ReleaseId, effect: &str, step: Step) {
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
    assert!(answer.contains("all 2 earlier versions on goals → staging are known to be bad"), "{answer}");
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
    assert!(answer.contains("It runs on staging: no way back: nothing good that ran before is known"), "{answer}");
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
    assert!(
        card.contains(
            "Not rolled back by itself: no earlier release has succeeded there, and nothing that ran before is known."
        ),
        "{card}"
    );
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

/// The plan of a release before which the target was seen to run the base.
pub(super) fn from_what_ran(environment: &str, base: u32, commit: u32) -> Plan {
    let mut plan = plan(environment, base, commit);
    plan.targets[0].runs = Some(sha(base));
    plan
}

#[tokio::test]
async fn what_ran_before_the_first_release_is_brought_back() {
    let mut chat = Chat::open().await;
    let first = chat.planned("ana", &from_what_ran("staging", 1, 4)).await;
    chat.wait_s(1);
    chat.runs_to_its_end(&first).await;
    chat.wait_s(1);
    let answer = chat.says("ana", "/release bad staging").await;
    assert!(answer.contains("It runs on staging: /rollback staging"), "{answer}");
    assert_eq!(chat.says("ana", "/rollback staging").await, "");
    let back = runs_back(&mut chat, &back_plan("staging", 1)).await;
    let request = chat.release(&back).await.request;
    let RequestKind::Rollback { to, commit, before, .. } = &request.kind else { panic!("{request:?}") };
    assert_eq!((to, commit, *before), (&first, &sha(1), true));
    let card = chat.card(&back).await;
    assert!(card.contains("brings back what ran before Slipway's first release"), "{card}");
    chat.succeeds(&back, "verify", Step::Verify).await;
    assert_eq!(chat.environment("staging").await.live.unwrap().commit, sha(1));
    chat.wait_s(1);
    let answer = chat.says("ana", "/rollback staging").await;
    assert!(answer.contains("There is nothing to go back to"), "nothing is before it: {answer}");

    let next = chat.planned("ana", &from_what_ran("staging", 1, 5)).await;
    chat.wait_s(1);
    chat.runs_to_its_end(&next).await;
    chat.wait_s(1);
    assert_eq!(chat.says("ana", "/rollback staging").await, "");
    let request = chat.release(&chat.newest().await).await.request;
    assert_eq!(to_of(&request.kind), &back, "Slipway has brought it by now");
}

#[tokio::test]
async fn a_first_release_that_is_not_well_can_be_left_unless_what_ran_is_not_known_or_bad() {
    for (runs, marked) in [(true, false), (true, true), (false, false)] {
        let mut chat = Chat::open().await;
        let planned = if runs { from_what_ran("staging", 1, 3) } else { plan("staging", 1, 3) };
        let failed = chat.planned("ana", &planned).await;
        chat.succeeds(&failed, "observe_ci", Step::Ci).await;
        chat.succeeds(&failed, "observe_image", Step::Image).await;
        chat.outcome(&failed, "deploy", Event::DeployStarted { target: 0, operation: "op-1".into() }).await;
        chat.succeeds(&failed, "follow", Step::Deploy).await;
        breaks(&mut chat, &failed, "verify", Step::Verify).await;
        if marked {
            let other = chat.planned("ana", &plan("production", 0, 1)).await;
            chat.says("ana", &format!("/release cancel {}", other.short())).await;
            chat.says("ana", &format!("/release bad {}", other.short())).await;
        }
        let answer = chat.says("ana", "/rollback staging").await;
        let kind = chat.release(&chat.newest().await).await.request.kind;
        let is_back = matches!(&kind, RequestKind::Rollback { before: true, commit, .. } if *commit == sha(1));
        assert_eq!(is_back, runs && !marked, "{kind:?}: {answer}");
        assert_eq!(
            answer.contains("the one earlier version on goals → staging is known to be bad"),
            marked,
            "{answer}"
        );
        assert_eq!(answer.contains("nothing that ran before is known"), !runs, "{answer}");
    }
}

#[tokio::test]
async fn a_mark_that_is_taken_away_is_told_and_starts_nothing_by_itself() {
    let mut chat = Chat::open().await;
    let first = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.runs_to_its_end(&first).await;
    chat.wait_s(3_600);
    let waiting = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.says("ana", &format!("/release bad {} \"slow\"", first.short())).await;
    let mark = format!("bad/{first}/{}", chat.now().as_millisecond());
    chat.presses("bob", &waiting, slipway_core::message::Verb::Approve).await;
    assert!(!chat.release(&waiting).await.votes.is_empty());
    chat.wait_s(1);
    let answer = chat.says("bob", &format!("/release bad {} --undo", first.short())).await;
    assert!(answer.contains("asks for approval again"), "{answer}");
    let release = chat.release(&waiting).await;
    assert_eq!((release.started_at, release.votes.len()), (None, 0));
    let card = chat.card(&waiting).await;
    assert!(card.contains("votes are void") && card.contains("before the mark of known bad was taken away"), "{card}");
    assert!(!card.contains("the plan changed"), "{card}");
    let was = chat.posted_if_any(&mark).await;
    assert!(was.contains("was marked as known to be bad") && was.contains("taken back by bob"), "{was}");
    let news = chat.posted_if_any(&format!("{mark}/undone")).await;
    assert!(news.contains("is no longer known to be bad, says bob") && news.contains(waiting.short()), "{news}");
    assert_eq!(chat.audit_of("votes_void").await.pop().unwrap().body["person"], "bob");
}
