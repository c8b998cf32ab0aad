//! Required checks, and what is shown on GitHub.

use super::{check, minimal, said, with};
use expect_test::expect;
use slipway_deploy::github::Required;

const SERVICE_HEADER: &str = "[service.goals]";
const HEADER: &str = "[service.goals.environment.staging]";

fn required(checks: &str) -> Required {
    let (config, _) = check(&with(HEADER, &format!("checks = {checks}"))).unwrap();
    config.environments().next().unwrap().1.checks.clone()
}

#[test]
fn required_checks_are_names_or_what_protection_says() {
    let (config, _) = check(&minimal()).unwrap();
    assert_eq!(config.environments().next().unwrap().1.checks, Required::All);
    assert_eq!(required("[\"test\", \"build image\"]"), Required::Named(vec!["test".into(), "build image".into()]));
    assert_eq!(required("\"branch-protection\""), Required::Protection);
    let wrong = ["[]", "\"protection\"", "3", "[\"slipway/staging\"]", "[\"\"]", "[\"a\", \"a\"]"];
    let said: Vec<_> = wrong.iter().map(|checks| said(&with(HEADER, &format!("checks = {checks}")))).collect();
    expect![[r#"
        slipway.toml:11:10  error  service.goals.environment.staging.checks  is empty  → write checks = ["build", "test"], or checks = "branch-protection"

        slipway.toml:11:10  error  service.goals.environment.staging.checks  is neither a list of names nor "branch-protection"  → write checks = ["build", "test"], or checks = "branch-protection"

        slipway.toml:11:10  error  service.goals.environment.staging.checks  must be a list, and is a number  → write checks = ["build", "test"]

        slipway.toml:11:11  error  service.goals.environment.staging.checks[0]  is a status that Slipway writes itself  → name checks of your CI

        slipway.toml:11:11  error  service.goals.environment.staging.checks[0]  is no name of a check  → write it as GitHub shows it under the commit

        slipway.toml:11:16  warning  service.goals.environment.staging.checks[1]  "a" is in this list twice  → remove one of the two
    "#]].assert_eq(&said.join("\n"));
}

#[test]
fn releases_are_shown_on_github_unless_that_is_switched_off() {
    assert!(check(&minimal()).unwrap().0.github.deployments);
    let off = format!("{}[github]\ndeployments = false\n", minimal());
    assert!(!check(&off).unwrap().0.github.deployments);
}

#[test]
fn pull_requests_are_linted_where_that_is_wanted_and_can_be() {
    let migrations = "migrations = { dir = \"migrations\" }";
    let linted = |line: &str| with(SERVICE_HEADER, &format!("lint_pull_requests = {line}"));
    let (config, _) = check(&minimal()).unwrap();
    assert!(config.services.values().all(|service| !service.lint_pull_requests));
    let (config, _) = check(&linted(&format!("true\n{migrations}"))).unwrap();
    assert!(config.services.values().all(|service| service.lint_pull_requests));
    let taken = linted(&format!("true\n{migrations}")).replace("environment.staging", "environment.migrations");
    let said: Vec<_> = [linted("true"), linted("\"yes\""), taken].iter().map(|text| said(text)).collect();
    expect![[r#"
        slipway.toml:6:1  error  service.goals.lint_pull_requests  there are no migrations to lint  → add migrations = { dir = … }, or remove this

        slipway.toml:6:22  error  service.goals.lint_pull_requests  must be true or false, and is a text  → write lint_pull_requests = true

        slipway.toml:6:1  error  service.goals.lint_pull_requests  an environment has the name that this has on GitHub, slipway/migrations  → name the environment otherwise, or remove this
        slipway.toml:12:28  warning  service.goals.environment.migrations  has no database, so the service's migrations do not run there  → add database = { secret = …, key = … }
    "#]].assert_eq(&said.join("\n"));
}
