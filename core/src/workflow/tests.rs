//! Workflows as people write them.

use super::*;

const BUILDS: &str = ".github/workflows/build.yaml";

fn found(text: &str) -> String {
    let files = [WorkflowFile { path: BUILDS, text }];
    let found = findings(&files, &Expected { builds: BUILDS, branch: "main" });
    found.iter().map(|f| format!("{}: {}\n", f.line, f.what)).collect()
}

#[test]
fn a_condition_that_is_never_true_is_found_with_its_line() {
    let text = "\
on: [push, workflow_dispatch]
jobs:
  deploy:
    # if: github.ref == 'refs/head/main'
    if: github.ref == 'refs/head/main'
    steps:
      - if: ${{ github.ref == 'main' && success() }}   # only main
      - if: startsWith(github.ref, \"refs/tag/v\")
      - run: test \"$GITHUB_REF\" = ref/heads/main
";
    expect_test::expect![[r#"
        5: no branch or tag is named "refs/head/…", so nothing ever matches this: write "refs/heads/…"
        7: github.ref is never 'main': it is 'refs/heads/main', and github.ref_name is 'main'
        8: no branch or tag is named "refs/tag/…", so nothing ever matches this: write "refs/tags/…"
        9: no branch or tag is named "ref/heads/…", so nothing ever matches this: write "refs/heads/…"
    "#]]
    .assert_eq(&found(text));
}

#[test]
fn what_is_right_is_not_found() {
    let text = "\
on: [push, workflow_dispatch]
jobs:
  deploy:
    if: github.ref == 'refs/heads/main' || github.ref_name == 'main' || github.ref != 'main'
    steps:
      - if: startsWith(github.ref, 'refs/tags/') # not refs/tag/
      - run: git fetch origin +refs/heads/*:refs/remotes/origin/* && ls docs/refs/head/x
";
    assert_eq!(found(text), "");
}

#[test]
fn a_workflow_that_nothing_starts_for_the_default_branch_is_found() {
    let started =
        |on: &str| !found(&format!("name: build\n{on}\njobs:\n  x:\n    runs-on: y\n")).contains("nothing builds");
    for on in [
        "on: push",
        "'on': [push]",
        "on: workflow_dispatch",
        "on:\n  workflow_dispatch:\n  pull_request:",
        "on:\n  push:\n    branches: [main]",
        "on:\n  push:\n    branches:\n      - 'release/**'\n      - main",
        "on:\n  push:\n    branches:\n    - \"**\"",
        "on:\n  push:\n    branches: ['m*']",
        "on:\n  push:\n    tags: ['v*']\n    branches: [main]",
        "on:\n  push:\n    branches-ignore: [wip]",
        "on:\n  push:\n    paths: ['src/**']",
        "on:\n  schedule:\n    - cron: '0 0 * * *'",
        "on:\n- push\n- pull_request",
        "on: { push: { branches: [x] } }",
        "no trigger at all:",
    ] {
        assert!(started(on), "{on}");
    }
    for on in [
        "on: pull_request",
        "on: [pull_request]",
        "on:\n  push:\n    tags:\n      - 'v*'",
        "on:\n  push:\n    branches: [master, 'release/*']\n  pull_request:\n    branches: [main]",
        "on:\n  push:\n    branches: [main, '!main']",
        "on: # workflow_dispatch\n  push:\n    branches:\n      # - main\n      - master",
    ] {
        assert!(!started(on), "{on}");
    }
    let said = found("on:\n  push:\n    branches: [master]\n");
    expect_test::expect![[r#"
        1: a push to main does not start it, and it has no workflow_dispatch: nothing builds the image that is released
    "#]]
    .assert_eq(&said);
}

#[test]
fn any_text_gives_bounded_findings() {
    let many = "if: github.ref == 'refs/head/x'\n".repeat(9_999);
    let files = [WorkflowFile { path: "a", text: &many }];
    assert_eq!(findings(&files, &Expected { builds: BUILDS, branch: "main" }).len(), FINDINGS_LIMIT);
    for odd in
        ["", "on:", "on:\n", "on:\n  \u{fffd}", "on:\n  push:\n    branches:", "\"'#", "github.ref=='", "on:\n\t- push"]
    {
        let _ = found(odd);
    }
}
