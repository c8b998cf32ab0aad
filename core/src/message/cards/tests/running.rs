//! The run.

use super::*;
use crate::message::Verb;
use expect_test::expect;

#[test]
fn a_run_shows_where_it_is_and_how_long() {
    for (step, expected) in [
        (
            Step::Ci,
            expect![[r#"
            ◐ goals → production · checking CI of 4c1f9e2 · step 1 of 5 · 1m 50s, usually 4m 10s
            ▱▱▱▱▱▱▱▱▱▱ 19‰  CI: comparing its checks with the plan
        "#]],
        ),
        (
            Step::Image,
            expect![[r#"
            ◐ goals → production · checking the image of 4c1f9e2 · step 2 of 5 · 1m 50s, usually 4m 10s
            ▱▱▱▱▱▱▱▱▱▱ 39‰  Image: comparing the tag with the plan
        "#]],
        ),
        (
            Step::Migrate,
            expect![[r#"
            ◐ goals → production · migrating for 4c1f9e2 · step 3 of 5 · 1m 50s, usually 4m 10s
            ▰▱▱▱▱▱▱▱▱▱ 144‰  Migrations: applying
        "#]],
        ),
        (
            Step::Verify,
            expect![[r#"
            ◐ goals → production · verifying 4c1f9e2 · step 5 of 5 · 1m 50s, usually 4m 10s
            ▰▰▰▰▰▰▰▰▰▱ 900‰  Health: asking the service
        "#]],
        ),
    ] {
        let shown = card(&running(step), 115);
        expected.assert_eq(&shown.lines().take(2).map(|l| format!("{l}\n")).collect::<String>());
    }
    let progress = Event::Progress { step: Step::Deploy, detail: "update in progress".into(), permille: None };
    expect![[r#"
        ◐ goals → production · deploying 4c1f9e2 · step 4 of 5 · 1m 50s, usually 4m 10s
        ▰▰▰▰▱▱▱▱▱▱ 498‰  App Runner: update in progress (operation 7d0c3b1e…)
        asked by ana · plan 61151a · release 01JD7Q4N

        What ships      3 commits since 9a77d01 (running for 2 days)
                        4c1f9e2  Show profile links (#44) · ana
                        b02a6c8  Add likes to aspiration updates (#41) · eve
                        77e3f10  Fix nested comment order · ana
        Image           goals@sha256:3f8a…8a  pushed 13 min ago
        Migrations      20251104120000_likes  creates likes, reversible
        ✔ CI green 3 of 3   ✔ image found   ✔ migrated 1 in 0.2 s   ◐ deploy   ○ verify
        [Details]
    "#]]
    .assert_eq(&card(&after(running(Step::Deploy), [operation(), progress]), 115));
}

#[test]
fn several_targets_are_marked_one_by_one() {
    let mut plan = plan();
    plan.targets.extend([target("goals-eu"), target("goals-ap")]);
    let release = asked();
    let release = after(planned(release, &plan), [verdict("start", &plan, &[])]);
    let release =
        after(after(release, until(Step::Deploy)), [operation(), done(Step::Deploy, "update succeeded", 100)]);
    let shown = card(&release, 115);
    assert!(shown.contains("deploying 4c1f9e2 to target 2 of 3"), "{shown}");
    let targets = "App Runner goals-us: live · goals-eu: starting · goals-ap: waiting\n";
    assert!(shown.contains(targets), "{shown}");
    let second = Event::DeployStarted { target: 1, operation: "8e1d".into() };
    let detail = Event::Progress { step: Step::Deploy, detail: "update in progress".into(), permille: None };
    let shown = card(&after(release, [second, detail]), 115);
    assert!(shown.contains("live · goals-eu: update in progress · goals-ap: waiting\n"), "{shown}");
    assert!(shown.contains("App Runner goals-eu: update in progress (operation 8e1d)\n"), "{shown}");
    assert!(!shown.contains("[Cancel]"), "some targets run the new version");
}

#[test]
fn a_run_longer_than_usual_says_so() {
    let shown = card(&running(Step::Deploy), 5 + 376);
    assert!(shown.contains("step 4 of 5 · 6m 16s, longer than the usual 4m 10s\n"), "{shown}");
}

#[test]
fn a_cancelled_migration_stops_after_it() {
    let cancel = Event::CancelRequested { by: "bob".into(), begun: true, at: at(8) };
    let shown = card(&after(running(Step::Migrate), [cancel]), 9);
    assert!(shown.contains("being stopped: bob cancelled it\n"), "{shown}");
    assert!(!shown.contains("[Cancel]"), "{shown}");
}

#[test]
fn cancel_is_offered_exactly_while_the_state_machine_takes_it() {
    let people = people();
    for running in Step::ALL.map(running).into_iter().chain([after(running(Step::Deploy), [operation()])]) {
        let begun = running.operation.is_some();
        let taken = step(&running, &Event::CancelRequested { by: "bob".into(), begun, at: at(9) }).is_ok();
        let shown = release_card(&view(&running, &people, &[], 9));
        assert_eq!(shown.actions.iter().any(|a| a.verb == Verb::Cancel), taken, "{:?}", running.phase);
    }
}

/// The bar of a whole run as it would be drawn: never back, never at its end before the end.
#[test]
fn the_bar_only_goes_forward() {
    let people = people();
    let usual =
        [(None, None), (Some(250), Some(230)), (Some(20), Some(10)), (Some(9000), Some(8000)), (Some(0), Some(0))];
    for (expected_s, expected_deploy_s) in usual {
        let mut release = running(Step::Ci);
        let mut last = 0;
        let mut shown = |release: &Release, seconds: i64| {
            let view = ReleaseView { expected_s, expected_deploy_s, ..view(release, &people, &[], seconds) };
            let permille = release_card(&view).progress.expect("a run has a bar").permille;
            assert!(permille >= last, "{permille} after {last} at {seconds} s, usually {expected_s:?}");
            assert!(permille < 1000);
            last = permille;
        };
        let news = |step, permille| Event::Progress { step, detail: "…".into(), permille };
        for seconds in 5..300 {
            let events = match seconds {
                6 => vec![done(Step::Ci, "", 6)],
                7 => vec![done(Step::Image, "", 7)],
                8 => vec![news(Step::Migrate, Some(500))],
                9 => vec![done(Step::Migrate, "", 9), operation()],
                50 => vec![news(Step::Deploy, Some(200))],
                51 => vec![news(Step::Deploy, Some(60_000))],
                240 => vec![done(Step::Deploy, "", 240)],
                _ => vec![],
            };
            release = after(release, events);
            shown(&release, seconds);
        }
    }
}
