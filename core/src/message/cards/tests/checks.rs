//! What cards say of required checks and of workflows.

use super::*;
use crate::workflow::WorkflowFinding;

fn waiting(plan: Plan, facts: Facts) -> String {
    let judged = verdict("wait", &plan, &[two_slots()]);
    let planned = Event::Planned { plan: Box::new(plan), facts };
    card(&after(asked(), [Event::Requested, resolved(), Event::BuildReady, planned, judged]), 60)
}

#[test]
fn a_required_check_that_has_not_run_is_named() {
    let mut facts = facts();
    let missing = vec!["test".to_owned()];
    facts.ci.value = CiFact { state: CiState::Missing, total: 2, passed: 1, failing: vec![], missing };
    let shown = waiting(plan(), facts.clone());
    assert!(shown.contains("▲ CI: required check test has not run\n"), "{shown}");
    facts.ci.value.missing.push("lint".into());
    let shown = waiting(plan(), facts);
    assert!(shown.contains("▲ CI: required checks test, lint have not run\n"), "{shown}");
}

#[test]
fn a_workflow_that_never_does_what_it_says_is_shown_with_its_place() {
    let found = |line| WorkflowFinding {
        file: ".github/workflows/deploy.yaml".into(),
        line,
        what: "this is never true".into(),
    };
    let shown = waiting(Plan { workflow: (1..=5).map(found).collect(), ..plan() }, facts());
    assert!(shown.contains("▲ .github/workflows/deploy.yaml:1  this is never true\n"), "{shown}");
    assert!(!shown.contains("deploy.yaml:4"), "{shown}");
    assert!(shown.contains("▲ 2 more in the workflows of this commit\n"), "{shown}");
}

#[test]
fn details_list_the_jobs_of_a_build_with_their_pages() {
    use crate::release::{BuildJob, BuildJobState, BuildProgress};
    let job = |name: &str, state| BuildJob {
        name: name.into(),
        state,
        url: Some(format!("https://github.com/acme/goals/actions/runs/7/job/{}", name.len())),
    };
    let progress = BuildProgress {
        detail: "run 7: test and lint, 1 of 5 jobs done".into(),
        permille: Some(180),
        url: None,
        jobs: vec![
            job("setup", BuildJobState::Passed),
            job("test", BuildJobState::Running),
            job("flaky", BuildJobState::Failed),
            BuildJob { url: None, ..job("image", BuildJobState::Queued) },
        ],
    };
    let building = after(asked(), [Event::Requested, resolved(), Event::BuildProgress { progress }]);
    let shown = text(&details(&building, &people(), at(60)));
    let build: Vec<_> = shown.lines().skip_while(|line| !line.starts_with("Build")).take(5).collect();
    expect_test::expect![[r#"
        Build           run 7: test and lint, 1 of 5 jobs done
                        ✔ setup · log <https://github.com/acme/goals/actions/runs/7/job/5>
                        ◐ test · log <https://github.com/acme/goals/actions/runs/7/job/4>
                        ✖ flaky · log <https://github.com/acme/goals/actions/runs/7/job/5>
                        ○ image"#]]
    .assert_eq(&build.join("\n"));
}
