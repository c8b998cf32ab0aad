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
    assert!(shown.contains("▲ 2 more in the workflows: slipway check names them\n"), "{shown}");
}
