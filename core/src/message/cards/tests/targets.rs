//! Several targets in one environment, other platforms, and targets that run nothing.

use super::*;
use expect_test::expect;

fn in_region(kind: &str, region: &str, runs: &str) -> PlannedTarget {
    let id = format!("arn:aws:ecs:{region}:123456789012:service/main/goals");
    PlannedTarget { kind: kind.into(), id, runs: Some(sha(runs)), ..target("goals") }
}

/// A run to these targets that has come to its deployment.
fn deploying(targets: Vec<PlannedTarget>) -> Release {
    let plan = Plan { targets, ..plan() };
    let release = after(planned(asked(), &plan), [verdict("start", &plan, &[])]);
    after(after(release, until(Step::Deploy)), [operation()])
}

fn begun(target: usize) -> Event {
    Event::DeployStarted { target, operation: "8e1d".into() }
}

#[test]
fn regions_tell_targets_apart_and_the_end_says_what_runs_where() {
    let regions =
        vec![in_region("ecs-express", "us-west-2", "9a77d01"), in_region("ecs-express", "eu-central-1", "77e3f10")];
    let detail = Event::Progress { step: Step::Deploy, detail: "update in progress".into(), permille: None };
    let second = after(deploying(regions), [done(Step::Deploy, "succeeded", 100), begun(1), detail]);
    let shown = card(&second, 115);
    assert!(shown.contains("ECS Express us-west-2: live · eu-central-1: update in progress\n"), "{shown}");
    assert!(shown.contains("ECS Express eu-central-1: update in progress (operation 8e1d)\n"), "{shown}");
    let why = Failure::new("The new image failed and AWS rolled this back; the old image runs (ROLLBACK_SUCCESSFUL).");
    let back = failed(second, Step::Deploy, why.detail("tasks failed to start"), true, 300);
    expect![[r#"
        ✖ goals → production · AWS rolled target 2 of 2 back after 4m 52s · 1 target already on 4c1f9e2
        asked by ana · plan 103a69 · release 01JD7Q4N
        The new image failed and AWS rolled this back; the old image runs (ROLLBACK_SUCCESSFUL). (operation 8e1d)
        tasks failed to start
        The service shows ACTIVE because the old version runs; the new one was taken out again.
        ▲ us-west-2 runs 4c1f9e2, eu-central-1 still 77e3f10.
        Applied and still there: migration 20251104120000_likes
        ✔ CI green 3 of 3   ✔ image found   ✔ migrated 1 in 0.2 s   ✖ deploy   ○ verify
        Next: /release retry 01JD7Q4N
        [Retry] [Details] [Lock]
    "#]]
    .assert_eq(&card(&back, 301));
}

#[test]
fn platforms_are_named_where_they_differ_and_same_names_are_numbered() {
    let mixed = vec![target("goals"), in_region("ecs-express", "us-west-2", "9a77d01")];
    let shown = card(&deploying(mixed), 115);
    assert!(shown.contains("App Runner goals (1): starting · ECS Express goals (2): waiting\n"), "{shown}");
}

#[test]
fn a_dry_target_is_never_told_as_a_deployment() {
    let dry = PlannedTarget { kind: "dry".into(), id: "trial".into(), ..target("trial") };
    let running = deploying(vec![dry.clone()]);
    let shown = card(&running, 115);
    assert!(shown.contains("Dry run target: starting (operation 7d0c3b1e…)\n"), "{shown}");
    let meanwhile = "Dry run target: nothing is deployed. Migrations are applied all the same.\n";
    assert!(shown.contains(meanwhile), "{shown}");
    let verified = [done(Step::Deploy, "succeeded", 100), done(Step::Verify, "not checked", 110)];
    let live = after(running, verified.clone());
    let shown = card(&live, 115);
    let first = "● goals → production · dry run target: nothing was deployed · 4c1f9e2 went through · ";
    assert!(shown.starts_with(first), "{shown}");
    assert!(!shown.contains("is live"), "{shown}");
    assert!(!shown.contains("shipped"), "{shown}");
    assert!(shown.contains("✔ migrated 1 in 0.2 s   – deploy (dry)   – verify (dry)\n"), "{shown}");
    assert!(shown.contains("Migrations were applied all the same.\n"), "{shown}");
    let announced = text(&announcement(&view(&live, &people(), &[], 400), true));
    assert!(announced.starts_with("dry run of goals 4c1f9e2 to production · nothing was deployed"), "{announced}");
    assert!(!announced.contains("is in production"), "{announced}");

    // Beside a real one it is named.
    let both = after(deploying(vec![target("goals"), dry]), [done(Step::Deploy, "succeeded", 90), begun(1)]);
    let shown = card(&after(both, verified), 115);
    assert!(shown.contains("App Runner goals: live · Dry run target trial: gone through\n"), "{shown}");
    assert!(shown.contains("Dry run target, nothing is deployed there: trial\n"), "{shown}");
}
