//! `slipway check` against GitHub, AWS and the databases.

use super::{BYPASSING, inject, merge, world};
use slipway_sandbox::aws::{FaultKind, NewService};
use slipway_sandbox::world::World;

fn check(world: &World) -> (Option<i32>, String) {
    let checked = world.bot.run(&["check"]).unwrap();
    (checked.status.code(), String::from_utf8_lossy(&checked.stdout).into_owned())
}

fn line<'a>(said: &'a str, words: &str) -> &'a str {
    said.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("\"{words}\" is missing:\n{said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_as_it_should_be_is_said_line_by_line() {
    let world = world().await;
    let (code, said) = check(&world);
    assert_eq!(code, Some(0), "{said}");
    for (part, words) in [
        ("GitHub acme/goals", "default branch main"),
        ("workflow build.yaml", "is on main"),
        ("ECR ", "can be read, with scan findings"),
        ("app-runner goals staging", "goals-staging is RUNNING"),
        ("app-runner goals production", "goals-production is RUNNING"),
        ("secret goals/staging", "has a current version"),
        ("database goals staging", "can be read: goose"),
        ("health goals production", "answers 200"),
    ] {
        let line = line(&said, part);
        assert!(line.starts_with("ok") && line.contains(words), "{part}: {words}\n{said}");
    }
    assert!(!said.contains("smtp.acme.dev"), "no value of a secret is shown:\n{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ways_around_the_gate_are_warned_of_with_the_edit_that_mends_them() {
    let world = world().await;
    merge(&world, ".github/workflows/ship.yaml", BYPASSING);
    let automatic = NewService {
        auto_deployments: true,
        ..NewService::new("goals-production", "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals:latest")
    };
    assert_eq!(world.aws.create_service(&automatic), world.production_arn);
    let (code, said) = check(&world);
    assert_eq!(code, Some(0), "a warning is no failure:\n{said}");
    let warned = |part: &str, words: &str, mend: &str| {
        let mut lines = said.lines().skip_while(|line| !line.contains(part));
        let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        assert!(first.starts_with("warn") && first.contains(words) && second.contains(mend), "{part}\n{said}");
    };
    warned("workflow .github/workflows/ship.yaml:9", "migrates past the gate (goose)", "→ remove this step");
    warned("workflow .github/workflows/ship.yaml:12", "aws apprunner start-deployment", "→ remove this step");
    warned("workflow .github/workflows/ship.yaml:13", "pushes latest, which a target follows", "promote = \"latest\"");
    warned(
        "app-runner goals production",
        "deploys by itself whatever is pushed as latest",
        "AutoDeploymentsEnabled=false",
    );
    assert!(!line(&said, "app-runner goals staging").starts_with("warn"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_and_fails() {
    let world = world().await;
    let text = std::fs::read_to_string(&world.config).unwrap();
    std::fs::write(&world.config, text.replace("workflow = \"build.yaml\"", "workflow = \"ship.yaml\"")).unwrap();
    world.aws.set_paused(&world.production_arn, true);
    world.aws.put_secret("goals/production", &serde_json::json!({ "GOOSE_DBSTRING": "hunter2 is no address" }));
    inject(&world, "ECR.DescribeImageScanFindings", FaultKind::Denied, 100);
    let (code, said) = check(&world);
    assert_eq!(code, Some(1), "{said}");
    for (part, words) in [
        ("workflow ship.yaml", "main has no .github/workflows/ship.yaml"),
        ("app-runner goals production", "goals-production is PAUSED"),
        ("database goals production", ""),
    ] {
        let line = line(&said, part);
        assert!(line.starts_with("FAIL") && line.contains(words), "{part}\n{said}");
    }
    assert!(!said.contains("hunter2"), "no value of a secret is shown:\n{said}");
    assert!(line(&said, "ECR ").starts_with("warn"), "{said}");
    assert!(said.contains("add ecr:DescribeImageScanFindings"), "{said}");
}
