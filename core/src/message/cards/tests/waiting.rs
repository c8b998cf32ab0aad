//! Planning, waiting for people, waiting for anything else.

use super::*;
use crate::environment::{Environment, Waiting};
use crate::release::BuildProgress;
use expect_test::expect;

#[test]
fn planning_says_what_it_waits_for() {
    let looking = after(asked(), [Event::Requested]);
    expect![[r#"
        ◐ goals → production · planning · looking up main
        asked by ana · release 01JD7Q4N
        [Cancel]
    "#]]
    .assert_eq(&card(&looking, 1));
    let building = after(looking, [resolved()]);
    expect![[r#"
        ◐ goals → production · planning 4c1f9e2 · waiting for CI and the image
        asked by ana · release 01JD7Q4N
        [Cancel]
    "#]]
    .assert_eq(&card(&building, 2));
    let dispatching = after(building, [Event::BuildMissing { at: at(0) }]);
    expect![[r#"
        ◐ goals → production · planning 4c1f9e2 · there is no image yet, starting the build
        asked by ana · release 01JD7Q4N
        [Cancel]
    "#]]
    .assert_eq(&card(&dispatching, 3));
    let dispatched = after(dispatching, [Event::Dispatched { run: 4211, temporary_tag: None }]);
    expect![[r#"
        ◐ goals → production · planning 4c1f9e2 · waiting for CI and the image
        asked by ana · release 01JD7Q4N
        build started: run 4211
        [Cancel]
    "#]]
    .assert_eq(&card(&dispatched, 3));
    let progress = |permille| Event::BuildProgress {
        progress: BuildProgress {
            detail: "build image, 2 of 3 jobs done".into(),
            permille,
            url: Some("https://github.com/acme/goals/actions/runs/4211".into()),
            jobs: vec![],
        },
    };
    let built_in_part = after(dispatched.clone(), [progress(Some(660))]);
    expect![[r#"
        ◐ goals → production · planning 4c1f9e2 · waiting for CI and the image
        ▰▰▰▰▰▰▱▱▱▱ 660‰  build image, 2 of 3 jobs done · run 4211 <https://github.com/acme/goals/actions/runs/4211>
        asked by ana · release 01JD7Q4N
        [Cancel]
    "#]]
    .assert_eq(&card(&built_in_part, 4));
    expect![[r#"
        ◐ goals → production · planning 4c1f9e2 · waiting for CI and the image
        asked by ana · release 01JD7Q4N
        build image, 2 of 3 jobs done · run 4211 <https://github.com/acme/goals/actions/runs/4211>
        [Cancel]
    "#]]
    .assert_eq(&card(&after(dispatched.clone(), [progress(None)]), 4));
    let gathering = after(dispatched, [Event::BuildReady]);
    expect![[r#"
        ◐ goals → production · planning 4c1f9e2 · reading what runs and what is pending
        asked by ana · release 01JD7Q4N
        [Cancel]
    "#]]
    .assert_eq(&card(&gathering, 9));
    let why = "public.goose_db_version is locked by pid 4711 (eve, psql) for more than 10 s.";
    let held = after(gathering, [Event::GatherHeld { why: why.to_owned() }]);
    expect![[r#"
        ◐ goals → production · planning 4c1f9e2 · waits for what cannot be read yet
        asked by ana · release 01JD7Q4N
        public.goose_db_version is locked by pid 4711 (eve, psql) for more than 10 s. Slipway tries again by itself.
        [Cancel]
    "#]]
    .assert_eq(&card(&held, 30));
    let judging = planned(asked(), &plan());
    expect![[r#"
        ◐ goals → production · planning 4c1f9e2 · asking the policy
        asked by ana · plan 61151a · release 01JD7Q4N
        What ships      3 commits since 9a77d01 (running for 2 days)
                        4c1f9e2  Show profile links (#44) · ana
                        b02a6c8  Add likes to aspiration updates (#41) · eve
                        77e3f10  Fix nested comment order · ana
        Image           goals@sha256:3f8a…8a  pushed 12 min ago
        Migrations      20251104120000_likes  creates likes, reversible
        [Cancel]
    "#]]
    .assert_eq(&card(&judging, 10));
}

#[test]
fn a_rollback_and_a_retry_say_what_of() {
    let mut back = asked();
    let to = ReleaseId::new("01JC0000000000000000000000");
    back.request.kind = RequestKind::Rollback {
        to: to.clone(),
        commit: sha("9a77d01"),
        from: None,
        migrations: false,
        because_of: None,
        before: false,
    };
    back.request.reason = Some("logins fail".into());
    expect![[r#"
        ◐ goals → production · planning · looking up 9a77d01
        asked by ana · back to release 01JC0000 · release 01JD7Q4N
        reason: logins fail
        [Cancel]
    "#]]
    .assert_eq(&card(&after(back, [Event::Requested]), 1));
    let mut again = asked();
    again.request.kind = RequestKind::Retry { of: to, commit: None, rerun: false };
    expect![[r#"
        ◐ goals → production · planning · looking up main
        asked by ana · retry of release 01JC0000 · release 01JD7Q4N
        [Cancel]
    "#]]
    .assert_eq(&card(&after(again, [Event::Requested]), 1));
}

#[test]
fn production_waits_for_people() {
    let mut plan = plan();
    plan.migrations.push(migration("20251104130000_users_bio", false));
    let waiting = after(planned(asked(), &plan), [verdict("wait", &plan, &[two_slots()])]);
    expect![[r#"
        ○ goals → production · waiting for approval: 1 of release, 1 of dba
        asked by ana · plan b04f44 · release 01JD7Q4N
        ▲ No way back: 20251104130000_users_bio has no down migration.
        What ships      3 commits since 9a77d01 (running since Sun 15:00)
                        4c1f9e2  Show profile links (#44) · ana
                        b02a6c8  Add likes to aspiration updates (#41) · eve
                        77e3f10  Fix nested comment order · ana
        Image           goals@sha256:3f8a…8a  pushed Tue 14:48
        Migrations      20251104120000_likes  creates likes, reversible
                        20251104130000_users_bio  creates likes, no way back
        ✔ CI green 3 of 3   ✔ image found   ○ migrate   ○ deploy   ○ verify
        Who can approve release: bob, chen (not ana: asked for it)
                        dba: dora
        expires Tue 19:00
        [Approve] [Veto] [Why?] [Details] [Cancel]
    "#]]
    .assert_eq(&card(&waiting, 60));
}

#[test]
fn votes_given_are_shown_and_the_rest_is_missing() {
    let waiting = judged("wait", &[two_slots()]);
    let mut left = two_slots();
    if let Clears::Votes { missing } = &mut left.clears {
        missing.remove(0);
    }
    let voted = after(waiting, [vote("bob", Stance::Approve), verdict("wait", &plan(), &[left])]);
    let mut approvers = approvers();
    approvers[0].missing = 0;
    let people = people();
    expect![[r#"
        ○ goals → production · waiting for approval: 1 of dba
        asked by ana · plan 61151a · release 01JD7Q4N
        What ships      3 commits since 9a77d01 (running since Sun 15:00)
                        4c1f9e2  Show profile links (#44) · ana
                        b02a6c8  Add likes to aspiration updates (#41) · eve
                        77e3f10  Fix nested comment order · ana
        Image           goals@sha256:3f8a…8a  pushed Tue 14:48
        Migrations      20251104120000_likes  creates likes, reversible
        ✔ CI green 3 of 3   ✔ image found   ○ migrate   ○ deploy   ○ verify
        ✔ bob (release)
        Who can approve dba: dora
        expires Tue 19:00
        [Approve] [Veto] [Why?] [Details] [Cancel]
    "#]]
    .assert_eq(&text(&release_card(&view(&voted, &people, &approvers, 90))));
}

#[test]
fn a_veto_is_named_with_who_can_take_it_back() {
    let veto = reason("veto", "Somebody is against it.", Clears::Withdrawal { by: vec!["chen".into()] });
    let vetoed = after(
        judged("wait", &[two_slots()]),
        [vote("chen", Stance::Veto), verdict("wait", &plan(), &[two_slots(), veto])],
    );
    let shown = card(&vetoed, 90);
    assert!(shown.starts_with("○ goals → production · vetoed by chen · waits until that is withdrawn\n"), "{shown}");
    assert!(shown.contains("✖ chen vetoes"), "{shown}");
    assert!(
        shown.contains("Also waits for  veto  Somebody is against it. · chen can, with /release withdraw"),
        "{shown}"
    );
}

#[test]
fn when_nobody_can_approve_the_card_says_so_with_the_ways_out() {
    let slot = |team: &str, missing, who: &[&str]| Slot {
        team: team.into(),
        missing,
        who: who.iter().map(|&id| id.into()).collect(),
        or: vec![],
    };
    let shown = |missing: Vec<Slot>, overridable| {
        let reason = Reason { clears: Clears::Votes { missing }, overridable, ..two_slots() };
        card(&judged("wait", &[reason]), 60)
    };
    let nobody = shown(vec![slot("release", 3, &["bob", "chen"]), slot("dba", 1, &[])], true);
    let way = "Add somebody to the team who may, or break the glass with /release override.";
    assert!(nobody.contains(&format!("▲ Nobody is left to approve for dba. {way}")), "{nobody}");
    assert!(nobody.contains(&format!("▲ No more than 2 can approve for release, and 1 more must. {way}")), "{nobody}");
    // One person cannot fill two slots.
    let one = shown(vec![slot("release", 1, &["max"]), slot("sre", 1, &["max"])], false);
    assert!(
        one.contains("▲ No more than 1 can approve for sre, and 1 more must. Add somebody to the team who may.\n"),
        "{one}"
    );
    let two = shown(vec![slot("release", 1, &["max", "kim"]), slot("sre", 1, &["max"])], false);
    assert!(!two.contains("▲"), "{two}");
}

#[test]
fn what_expires_before_it_could_start_says_so() {
    let freeze = |at| reason("weekend-freeze", "Frozen.", Clears::Time { at: Some(at) });
    let release = judged("wait", &[freeze(at(3_600))]);
    assert!(!card(&release, 60).contains("before it could start"));
    let release = judged("wait", &[freeze(at(30 * 86_400))]);
    assert!(card(&release, 60).contains("▲ expires"), "{}", card(&release, 60));
}

#[test]
fn without_lines_about_approvers_the_gate_names_them() {
    let waiting = judged("wait", &[two_slots()]);
    let shown = text(&release_card(&view(&waiting, &people(), &[], 60)));
    assert!(shown.contains("Who can approve 1 of release: bob or chen can\n"), "{shown}");
}

#[test]
fn a_changed_plan_says_what_changed_and_whose_votes_are_void() {
    let voted = after(judged("wait", &[two_slots()]), [vote("bob", Stance::Approve)]);
    let mut new = plan();
    new.image.digest = ImageDigest::parse(&format!("sha256:{}", "90bc".repeat(16))).unwrap();
    let planned = Event::Planned { plan: Box::new(new.clone()), facts: facts() };
    let changed = after(voted, [verdict("refresh", &plan(), &[]), planned, verdict("wait", &new, &[two_slots()])]);
    expect![[r#"
        ○ goals → production · the plan changed, votes are void: 1 of release, 1 of dba
        asked by ana · plan 198c05 · release 01JD7Q4N
        Changed         image sha256:3f8a…8a → sha256:90bc…bc
        Void            the vote of bob on plan 61151a; the plan is now 198c05. They have been told, and can vote again.
        What ships      3 commits since 9a77d01 (running since Sun 15:00)
                        4c1f9e2  Show profile links (#44) · ana
                        b02a6c8  Add likes to aspiration updates (#41) · eve
                        77e3f10  Fix nested comment order · ana
        Image           goals@sha256:90bc…bc  pushed Tue 14:48
        Migrations      20251104120000_likes  creates likes, reversible
        ✔ CI green 3 of 3   ✔ image found   ○ migrate   ○ deploy   ○ verify
        Who can approve release: bob, chen (not ana: asked for it)
                        dba: dora
        expires Tue 19:00
        [Approve] [Veto] [Why?] [Details] [Cancel]
    "#]]
    .assert_eq(&card(&changed, 300));
}

#[test]
fn a_red_ci_that_policy_lets_through_is_not_hidden() {
    let mut facts = facts();
    facts.ci.value = CiFact { state: CiState::Red, total: 3, passed: 2, failing: vec!["lint".into()], missing: vec![] };
    let planned = Event::Planned { plan: Box::new(plan()), facts };
    let waiting = after(
        asked(),
        [Event::Requested, resolved(), Event::BuildReady, planned, verdict("wait", &plan(), &[two_slots()])],
    );
    let shown = card(&waiting, 60);
    assert!(shown.contains("▲ CI is red: 2 of 3 passed, failing: lint\n"), "{shown}");
    assert!(shown.contains("○ CI   ✔ image found"), "{shown}");
}

#[test]
fn queued_names_what_is_in_the_way_and_who_can_help() {
    let other = ReleaseId::new("01JD7Q000000000000000000");
    let busy = || reason("busy", "Release 01JD7Q00 is running here.", Clears::Release { id: other.clone() });
    let locked = |until| {
        let clears = Clears::Unlock { owner: "chen".into(), until };
        reason("locked", "Locked by chen: load test", clears)
    };
    let frozen = |at| reason("friday-late", "Frozen from Friday 15:00 to Monday 8:00.", Clears::Time { at });
    let facts = || reason("facts", "What runs now could not be read again: AWS did not answer", Clears::Facts);
    let nothing = || reason("never", "No policy permits this.", Clears::Nothing);
    let first_line = |reasons: &[Reason]| card(&judged("wait", reasons), 60).lines().next().unwrap().to_owned();
    let lines: Vec<_> = [
        first_line(&[busy()]),
        first_line(&[locked(Some(at(2400)))]),
        first_line(&[locked(None), busy()]),
        first_line(&[frozen(Some(at(3600)))]),
        first_line(&[frozen(None), busy(), facts()]),
        first_line(&[facts()]),
        first_line(&[nothing()]),
        first_line(&[]),
    ]
    .into();
    expect![[r#"
        ○ goals → production · queued behind release 01JD7Q00
        ○ goals → production · queued: locked by chen until Tue 15:40
        ○ goals → production · queued: locked by chen · and 1 more reason
        ○ goals → production · queued until Tue 16:00
        ○ goals → production · queued: Frozen from Friday 15:00 to Monday 8:00 · and 2 more reasons
        ○ goals → production · queued: What runs now could not be read again: AWS did not answer
        ○ goals → production · refused: No policy permits this · does not run until that is mended
        ○ goals → production · queued: starts next
    "#]]
    .assert_eq(&(lines.join("\n") + "\n"));
    expect![[r#"
        ○ goals → production · queued: locked by chen until Tue 15:40 · and 3 more reasons
        asked by ana · plan 61151a · release 01JD7Q4N
        Waits for       locked  Locked by chen: load test · chen can, with /release unlock, or ends by itself at Tue 15:40
                        busy  Release 01JD7Q00 is running here. · clears when release 01JD7Q00 ends
                        friday-late  Frozen from Friday 15:00 to Monday 8:00. · time clears it, the first moment is not known
                        never  No policy permits this. · no vote and no time clears it
        What ships      3 commits since 9a77d01 (running since Sun 15:00)
                        4c1f9e2  Show profile links (#44) · ana
                        b02a6c8  Add likes to aspiration updates (#41) · eve
                        77e3f10  Fix nested comment order · ana
        Image           goals@sha256:3f8a…8a  pushed Tue 14:48
        Migrations      20251104120000_likes  creates likes, reversible
        ✔ CI green 3 of 3   ✔ image found   ○ migrate   ○ deploy   ○ verify
        expires Tue 19:00
        [Why?] [Cancel] [Details]
    "#]].assert_eq(&card(&judged("wait", &[locked(Some(at(2400))), busy(), frozen(None), nothing()]), 60));
}

#[test]
fn the_place_in_the_queue_is_told() {
    let other = ReleaseId::new("01JD7Q000000000000000000");
    let release =
        judged("wait", &[reason("busy", "Release 01JD7Q00 is running here.", Clears::Release { id: other.clone() })]);
    let waiting = |release: &ReleaseId| Waiting {
        release: release.clone(),
        requester: "eve".into(),
        kind: PlanKind::Deploy,
        commit: sha("77e3f10"),
        contains: [].into(),
        asked_at: at(-60),
        bumped: None,
        passed: 0,
        brings_nothing: false,
    };
    let mut environment = Environment::new(key());
    environment.running = Some(other);
    environment.queue = vec![waiting(&ReleaseId::new("01JD7Q1")), waiting(&release.id)];
    let people = people();
    let view = ReleaseView { environment: Some(&environment), ..view(&release, &people, &[], 60) };
    let shown = text(&release_card(&view));
    assert!(shown.starts_with("○ goals → production · queued behind release 01JD7Q00, 2 ahead\n"), "{shown}");
}
