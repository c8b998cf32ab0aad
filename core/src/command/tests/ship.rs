//! `/release ship`.

use super::*;

fn ship(line: &str) -> String {
    match parse(line, &two_services()) {
        Ok(Command::Ship { pull, repository, environment, service, dry_run, reason }) => {
            format!("{pull} {repository:?} {environment:?} {service:?} {dry_run} {reason:?}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_pull_request_is_shipped_where_one_says_or_where_it_goes_first() {
    let lines = [
        "/release ship 123",
        "/release ship #123 staging",
        "/release ship \"123\" \"staging\" --dry-run",
        "/release ship 123 goals",
        "/release ship 123 staging goals --reason \"it is time\"",
        "/release ship 123 --service GOALS",
        "@slipway release ship https://github.com/acme/goals/pull/123 production",
    ];
    let said: Vec<_> = lines.iter().map(|line| ship(line)).collect();
    expect![[r#"
        123 None None None false None
        123 None Some(EnvironmentName("staging")) None false None
        123 None Some(EnvironmentName("staging")) None true None
        123 None None Some(ServiceName("goals")) false None
        123 None Some(EnvironmentName("staging")) Some(ServiceName("goals")) false Some("it is time")
        123 None None Some(ServiceName("goals")) false None
        123 Some("acme/goals") Some(EnvironmentName("production")) None false None"#]]
    .assert_eq(&said.join("\n"));
}
