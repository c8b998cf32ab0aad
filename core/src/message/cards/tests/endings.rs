//! Every way in which a release ends.

use super::*;
use expect_test::expect;

fn rolled_back(failure: Failure) -> Release {
    failed(after(running(Step::Deploy), [operation()]), Step::Deploy, failure, true, 8 + 391)
}

#[test]
fn live() {
    let approved = after(
        judged("wait", &[two_slots()]),
        [vote("bob", Stance::Approve), vote("dora", Stance::Approve), verdict("start", &plan(), &[])],
    );
    let live = after(approved, until(Step::Verify).into_iter().chain([done(Step::Verify, "healthy", 247)]));
    let people = people();
    let next = "canary".into();
    let view = ReleaseView { next: Some(&next), ..view(&live, &people, &[], 250) };
    expect![[r#"
        ● goals → production · 4c1f9e2 is live · 4m 02s · next: canary
        asked by ana · plan 61151a · release 01JD7Q4N
        approved by bob, dora

        What shipped    3 commits since 9a77d01
                        4c1f9e2  Show profile links (#44) · ana
                        b02a6c8  Add likes to aspiration updates (#41) · eve
                        77e3f10  Fix nested comment order · ana
        Image           goals@sha256:3f8a…8a  pushed Tue 14:48
        Migrations      20251104120000_likes  creates likes, reversible
        ✔ CI green 3 of 3   ✔ image found   ✔ migrated 1 in 0.2 s   ✔ deployed in 3m 52s   ✔ verified
        Next: /deploy canary 4c1f9e2
        [Promote] [Details] [Lock]
    "#]]
    .assert_eq(&text(&release_card(&view)));
}

#[test]
fn live_again_after_a_rollback() {
    let mut plan = plan();
    plan.kind = PlanKind::Rollback;
    (plan.base, plan.commit) = (Some(sha("4c1f9e2")), sha("9a77d01"));
    plan.migrations.clear();
    let mut back = asked();
    let to = ReleaseId::new("01JC0000000000000000000000");
    let from = Some(ReleaseId::new("01JD0000000000000000000000"));
    back.request.kind =
        RequestKind::Rollback { to, commit: sha("9a77d01"), from, migrations: false, because_of: None, before: false };
    let mut back = after(planned(back, &plan), [verdict("start", &plan, &[])]);
    back.commit = Some(plan.commit.clone());
    let skips_migrations = |event: &Event| !matches!(event, Event::StepSucceeded { step: Step::Migrate, .. });
    let back = after(back, until(Step::Verify).into_iter().filter(skips_migrations));
    let back = after(back, [done(Step::Verify, "healthy", 247)]);
    expect![[r#"
        ● goals → production · 9a77d01 is live again · 4m 02s
        asked by ana · back to release 01JC0000 · plan 1c87da · release 01JD7Q4N

        Went back       from 4c1f9e2 to 9a77d01, takes back 3 commits
                        4c1f9e2  Show profile links (#44) · ana
                        b02a6c8  Add likes to aspiration updates (#41) · eve
                        77e3f10  Fix nested comment order · ana
        Image           goals@sha256:3f8a…8a  pushed Tue 14:48
        Migrations      none stand between
        ✔ CI green 3 of 3   ✔ image found   – no migrations   ✔ deployed in 3m 53s   ✔ verified
        If the version that it replaces is bad, say so, and nothing brings it back: /release bad 01JD0000 "why"
        [Details] [Lock]
    "#]]
    .assert_eq(&card(&back, 250));
}

#[test]
fn refused() {
    let one = [reason("developers-only", "Only developers may ask for a release.", Clears::Nothing)];
    expect![[r#"
        ✖ goals → production · refused: Only developers may ask for a release
        asked by ana · plan 61151a · release 01JD7Q4N
        1. developers-only  Only developers may ask for a release. · no vote and no time clears it
        Nothing was started.
        [Why?]
    "#]]
    .assert_eq(&card(&judged("deny", &one), 9));
    let two = [one[0].clone(), reason("no-permit", "No policy permits it.", Clears::Nothing)];
    let shown = card(&judged("deny", &two), 9);
    assert!(shown.starts_with("✖ goals → production · refused for 2 reasons\n"), "{shown}");
}

#[test]
fn planning_failed() {
    let fails = |step, failure| Event::PlanningFailed { step, failure, at: at(3) };
    let wrong = Failure::new("acme/goals has no branch, tag or commit \"v9\".")
        .detail("Newest tags: v1.8.0, v1.7.3.")
        .detail("Nothing was started.")
        .final_for_request();
    let unknown = after(asked(), [Event::Requested, fails(None, wrong)]);
    expect![[r#"
        ✖ goals → production · planning failed · nothing was started
        asked by ana · release 01JD7Q4N
        acme/goals has no branch, tag or commit "v9".
        Newest tags: v1.8.0, v1.7.3.
        Next: put that right, then ask again; the same request would end the same way
    "#]]
    .assert_eq(&card(&unknown, 4));
    let red = Failure::new("2 of 3 checks passed; failing: lint").next("mend main and ask again");
    let red = after(asked(), [Event::Requested, resolved(), fails(Some(Step::Ci), red)]);
    expect![[r#"
        ✖ goals → production · CI is not green for 4c1f9e2 · nothing was started
        asked by ana · release 01JD7Q4N
        2 of 3 checks passed; failing: lint
        Next: mend main and ask again
        [Re-run failed jobs] [Retry]
    "#]]
    .assert_eq(&card(&red, 4));
    let unbuilt = after(
        asked(),
        [
            Event::Requested,
            resolved(),
            fails(Some(Step::Image), Failure::new("Run 4211 ended without an image tagged 4c1f9e2.")),
        ],
    );
    expect![[r#"
        ✖ goals → production · no image for 4c1f9e2 · nothing was started
        asked by ana · release 01JD7Q4N
        Run 4211 ended without an image tagged 4c1f9e2.
        Next: /release retry 01JD7Q4N
        [Retry]
    "#]]
    .assert_eq(&card(&unbuilt, 4));
    let gone = judged("wait", &[two_slots()]);
    let gone = after(gone, [verdict("refresh", &plan(), &[]), fails(None, Failure::new("Gone.").final_for_request())]);
    let shown = card(&gone, 4);
    assert!(shown.starts_with("✖ goals → production · given up while waiting · nothing was started\nasked"), "{shown}");
}

#[test]
fn a_step_of_the_run_failed() {
    let moved = Failure::new("The tag 4c1f9e2 now means sha256:90bc…17.");
    expect![[r#"
        ✖ goals → production · the image is not the planned one · 9a77d01 keeps serving
        asked by ana · plan 61151a · release 01JD7Q4N
        The tag 4c1f9e2 now means sha256:90bc…17.
        ✔ CI green 3 of 3   ✖ image   ○ migrate   ○ deploy   ○ verify
        Next: /release retry 01JD7Q4N
        [Retry] [Details] [Lock]
    "#]]
    .assert_eq(&card(&failed(running(Step::Image), Step::Image, moved, false, 7), 8));
    let mut log: String = (0..30).map(|i| format!("line {i}\n")).collect();
    log.push_str(&"x".repeat(3000));
    let mut broken = Failure::new("20251104120000_likes.sql: relation \"likes\" already exists")
        .detail("Nothing of it was applied.");
    broken.log_tail = Some(log);
    let shown = card(&failed(running(Step::Migrate), Step::Migrate, broken, false, 19), 20);
    assert!(shown.len() < 2600, "{}", shown.len());
    assert!(
        shown.starts_with("✖ goals → production · migration failed after 12 s · 9a77d01 keeps serving\n"),
        "{shown}"
    );
    let ci = failed(running(Step::Ci), Step::Ci, Failure::new("lint is red"), false, 6);
    assert!(card(&ci, 7).starts_with("✖ goals → production · CI is not green for 4c1f9e2 · 9a77d01 keeps serving\n"));
    let refused = failed(running(Step::Deploy), Step::Deploy, Failure::new("AccessDenied"), false, 9);
    expect![[r#"
        ✖ goals → production · the deployment did not start · 9a77d01 keeps serving
        asked by ana · plan 61151a · release 01JD7Q4N
        AccessDenied
        Applied and still there: migration 20251104120000_likes
        ✔ CI green 3 of 3   ✔ image found   ✔ migrated 1 in 0.2 s   ✖ deploy   ○ verify
        Next: /release retry 01JD7Q4N
        [Retry] [Details] [Lock]
    "#]]
    .assert_eq(&card(&refused, 10));
    let stuck = Failure::new("App Runner: ROLLBACK_FAILED");
    let stuck = failed(after(running(Step::Deploy), [operation()]), Step::Deploy, stuck, false, 900);
    expect![[r#"
        ✖ goals → production · deployment of 4c1f9e2 failed after 14m 52s
        asked by ana · plan 61151a · release 01JD7Q4N
        App Runner: ROLLBACK_FAILED (operation 7d0c3b1e…)
        No rollback was reported: make sure which version serves.
        Applied and still there: migration 20251104120000_likes
        ✔ CI green 3 of 3   ✔ image found   ✔ migrated 1 in 0.2 s   ✖ deploy   ○ verify
        Next: /release retry 01JD7Q4N
        [Retry] [Details] [Lock]
    "#]]
    .assert_eq(&card(&stuck, 901));
    let ill =
        failed(running(Step::Verify), Step::Verify, Failure::new("/healthz answered 500 three times"), false, 300);
    expect![[r#"
        ✖ goals → production · verification failed after 1m 00s · 4c1f9e2 is live, unverified
        asked by ana · plan 61151a · release 01JD7Q4N
        /healthz answered 500 three times
        4c1f9e2 takes the traffic; nothing was put back by itself.
        Applied and still there: migration 20251104120000_likes
        ✔ CI green 3 of 3   ✔ image found   ✔ migrated 1 in 0.2 s   ✔ deployed in 3m 52s   ✖ verify
        Next: /deploy production with a commit that mends it
        [Details] [Lock]
    "#]]
    .assert_eq(&card(&ill, 301));
}

#[test]
fn rolled_back_by_the_platform_reads_as_a_failure() {
    let failure = Failure::new("App Runner: health check failed on path /healthz, port 8080").next("look at the log");
    expect![[r#"
        ✖ goals → production · AWS rolled the deployment back after 6m 31s · 9a77d01 keeps serving
        asked by ana · plan 61151a · release 01JD7Q4N
        App Runner: health check failed on path /healthz, port 8080 (operation 7d0c3b1e…, ROLLBACK_SUCCEEDED)
        The service shows RUNNING because the old version runs; the new one never took traffic.
        Applied and still there: migration 20251104120000_likes
        ✔ CI green 3 of 3   ✔ image found   ✔ migrated 1 in 0.2 s   ✖ deploy   ○ verify
        Next: look at the log
        [Retry] [Details] [Lock]
    "#]]
    .assert_eq(&card(&rolled_back(failure), 400));
    let own_words = card(&rolled_back(Failure::new("App Runner says ROLLBACK_SUCCEEDED")), 400);
    assert_eq!(own_words.matches("ROLLBACK_SUCCEEDED").count(), 1, "{own_words}");
}

#[test]
fn rolled_back_on_the_second_target_never_says_that_the_old_version_serves_everywhere() {
    let mut plan = plan();
    plan.targets.push(target("goals-eu"));
    let release = asked();
    let release = after(planned(release, &plan), [verdict("start", &plan, &[])]);
    let first = [operation(), done(Step::Deploy, "update succeeded", 100)];
    let release = after(after(release, until(Step::Deploy)), first);
    let back = failed(release, Step::Deploy, Failure::new("Unhealthy."), true, 300);
    let shown = card(&back, 301);
    assert!(
        shown.starts_with(
            "✖ goals → production · AWS rolled target 2 of 2 back after 4m 52s · 1 target already on 4c1f9e2\n"
        ),
        "{shown}"
    );
    assert!(shown.contains("▲ goals-us runs 4c1f9e2, goals-eu still what it ran.\n"), "{shown}");
}

#[test]
fn cancelled() {
    let cancel = |seconds| Event::CancelRequested { by: "ana".into(), begun: false, at: at(seconds) };
    expect![[r#"
        – goals → production · cancelled by ana · nothing was started
        asked by ana · plan 61151a · release 01JD7Q4N
    "#]]
    .assert_eq(&card(&after(judged("wait", &[two_slots()]), [cancel(60)]), 61));
    expect![[r#"
        – goals → production · cancelled by ana · 9a77d01 keeps serving
        asked by ana · plan 61151a · release 01JD7Q4N
        Applied and still there: migration 20251104120000_likes
        ✔ CI green 3 of 3   ✔ image found   ✔ migrated 1 in 0.2 s   ○ deploy   ○ verify
        [Details]
    "#]]
    .assert_eq(&card(&after(running(Step::Deploy), [cancel(60)]), 61));
}

#[test]
fn expired_superseded_dry_run_and_nothing_to_do() {
    let expired = after(judged("wait", &[two_slots()]), [Event::TimedOut { at: at(14_400) }]);
    expect![[r#"
        – goals → production · expired without approval: 1 of release, 1 of dba · nothing was started
        asked by ana · plan 61151a · release 01JD7Q4N
        Was waiting for two-slots  Production needs one of release and one of dba. · 1 of release: bob or chen can, 1 of dba: dora can
        To ask again: /deploy production
        [Why?]
    "#]].assert_eq(&card(&expired, 14_401));
    let by = ReleaseId::new("01JD7Q9999000000000000000");
    let superseded = after(judged("wait", &[two_slots()]), [Event::Superseded { by, requester: None, at: at(90) }]);
    expect![[r#"
        – goals → production · superseded by release 01JD7Q99 · nothing was started
        asked by ana · plan 61151a · release 01JD7Q4N
        The newer request contains 4c1f9e2.
    "#]]
    .assert_eq(&card(&superseded, 91));
    expect![[r#"
        – goals → production · nothing to do: 4c1f9e2 runs already
        asked by ana · plan 61151a · release 01JD7Q4N
        No migration is pending.
    "#]]
    .assert_eq(&card(&judged("nothing_to_do", &[]), 9));
    let mut dry = asked();
    dry.request.dry_run = true;
    let dry = after(planned(dry, &plan()), [verdict("dry_run", &plan(), &[two_slots()])]);
    expect![[r#"
        – goals → production · dry run: it would have to wait · nothing was started
        asked by ana · plan 61151a · release 01JD7Q4N
        What ships      3 commits since 9a77d01 (running since Sun 15:00)
                        4c1f9e2  Show profile links (#44) · ana
                        b02a6c8  Add likes to aspiration updates (#41) · eve
                        77e3f10  Fix nested comment order · ana
        Image           goals@sha256:3f8a…8a  pushed Tue 14:48
        Migrations      20251104120000_likes  creates likes, reversible
        Would wait for  two-slots  Production needs one of release and one of dba. · 1 of release: bob or chen can, 1 of dba: dora can
        [Details]
    "#]].assert_eq(&card(&dry, 9));
}

#[test]
fn long_plans_are_cut_and_say_so() {
    let mut plan = plan();
    plan.commits = (0..200u32).map(|i| commit(&format!("{i:07x}"), "Change", "ana")).collect();
    plan.commits_total = 260;
    plan.migrations = (0..9).map(|i| migration(&format!("2025110412000{i}_m"), true)).collect();
    let waiting = after(planned(asked(), &plan), [verdict("wait", &plan, &[two_slots()])]);
    let shown = card(&waiting, 60);
    assert!(shown.contains("and 250 more\n") && shown.contains("and 1 more\n"), "{shown}");
    assert!(shown.lines().count() < 40, "{shown}");
}

#[test]
fn a_failure_on_the_second_of_three_targets_tells_them_apart() {
    let mut plan = plan();
    plan.targets.extend([target("goals-eu"), target("goals-ap")]);
    let release = asked();
    let release = after(planned(release, &plan), [verdict("start", &plan, &[])]);
    let release =
        after(after(release, until(Step::Deploy)), [operation(), done(Step::Deploy, "update succeeded", 100)]);
    let second = Event::DeployStarted { target: 1, operation: "8e1d".into() };
    let failure = || Failure::new("App Runner: UPDATE_FAILED");
    let unbegun = card(&failed(release.clone(), Step::Deploy, failure(), false, 300), 301);
    assert!(
        unbegun.starts_with("✖ goals → production · deployment of 4c1f9e2 failed after 4m 52s · target 2 of 3\n"),
        "{unbegun}"
    );
    assert!(!unbegun.contains("keeps serving") && !unbegun.contains("No rollback was reported"), "{unbegun}");
    let begun = card(&failed(after(release, [second]), Step::Deploy, failure(), false, 300), 301);
    let runs = "▲ goals-us runs 4c1f9e2, goals-eu is not certain, goals-ap still what it ran.\n";
    assert!(begun.contains(runs), "{begun}");
    let runs = "▲ goals-us runs 4c1f9e2, goals-eu still what it ran, goals-ap still what it ran.\n";
    assert!(unbegun.contains(runs), "{unbegun}");
    assert!(begun.contains("No rollback was reported: make sure which version serves.\n"), "{begun}");
}
