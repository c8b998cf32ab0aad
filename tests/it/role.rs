//! The role in docs/install.md may do what Slipway asks AWS for, and nothing else.

use crate::faults::aws_operations;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// What AWS asks for besides: whoever updates a service hands the service's own roles on.
const HANDED_ON: &str = "iam:PassRole";

fn policy() -> Value {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/install.md");
    let text = std::fs::read_to_string(page).unwrap();
    let (_, rest) = text.split_once("```json\n").unwrap();
    let (policy, _) = rest.split_once("```").unwrap();
    serde_json::from_str(policy).unwrap()
}

fn listed(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .map_or_else(|| vec![value], |list| list.iter().collect())
        .iter()
        .filter_map(|v| v.as_str())
        .collect()
}

/// The table of faults names every call: a test fails where a played one lacks.
#[test]
fn the_role_in_the_docs_may_do_what_is_asked_for_and_no_more() {
    let policy = policy();
    let statements = policy["Statement"].as_array().unwrap();
    let allowed: BTreeSet<String> =
        statements.iter().flat_map(|s| listed(&s["Action"])).map(str::to_owned).filter(|a| a != HANDED_ON).collect();
    let asked: BTreeSet<String> = aws_operations()
        .filter_map(|row| row.split_once('.'))
        .map(|(service, operation)| format!("{}:{operation}", service.to_lowercase()))
        .collect();
    assert_eq!(allowed, asked);
    assert!(statements.iter().all(|s| s["Effect"] == "Allow" && listed(&s["Resource"]).iter().all(|r| *r != "*")));
}
