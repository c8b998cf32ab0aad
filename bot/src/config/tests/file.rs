//! The files people start from, and what comes out of them.

use crate::config::{Channel, Config, PoliciesPlace, Severity, Target};
use crate::policies::Origin;
use expect_test::expect;
use slipway_core::ids::{CommitSha, EnvironmentKey, TeamName};
use slipway_core::person::Identity;
use std::path::Path;
use std::time::Duration;

const EXAMPLE: &str = include_str!("../../../../docs/slipway.example.toml");

fn example() -> Config {
    Config::check(EXAMPLE.as_bytes(), Path::new("etc/slipway.toml")).unwrap().0
}

#[test]
fn the_example_is_accepted_with_notes_only() {
    let (_, report) = Config::check(EXAMPLE.as_bytes(), Path::new("slipway.example.toml")).unwrap();
    assert_eq!(report.count(Severity::Note), report.findings.len());
    expect![[r#"
        slipway.example.toml:102:1  note  service.goals.environment.staging.auto_deploy  accepted, not used by this version
    "#]].assert_eq(&report.to_string());
}

/// The example promises every key.
#[test]
fn the_example_has_every_key() {
    for keys in crate::config::read::ALL_KEYS.iter().chain(crate::config::service::ALL_KEYS) {
        for (key, _) in *keys {
            let written = [format!("{key} ="), format!("[{key}"), format!(".{key}.")];
            assert!(written.iter().any(|form| EXAMPLE.contains(form)), "{key} is not in the example");
        }
    }
}

/// The example of the first design, word for word, with a real ARN.
#[test]
fn the_design_is_accepted_with_notes_only() {
    let text = r#"
[server]
listen = "127.0.0.1:8080"
public_url = "https://slipway.acme.dev"

[store]
url = "sqlite://slipway.db"            # or postgres://… for more than one replica

[slack]
app_id = "A0KRD7HC3"                   # deliveries of another app or team are refused; unset: taken from auth.test
team_id = "T9TK3CUKW"
mode = "http"                          # or "socket"
api_url = "https://slack.com/api"      # the defaults, shown because tests point them elsewhere

[discord]
application_id = "845027738276462632"
guild_id = "290926798626357999"
mode = "gateway"                       # or "http" (interactions endpoint; reactions then need the gateway)
api_url = "https://discord.com"        # the API's origin; the gateway's address comes from it

[github]
api_url = "https://api.github.com"

[service.goals]
repository = "acme/goals"
workflow = "build.yaml"
image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals"
tag = "{commit}"                       # 40 hex digits; {short} is the first 7
vote_expiry = "4h"
migrations = { dir = "migrations", format = "goose" }
channels = ["slack:C024BE91L", "discord:1032011029"]
announce = ["slack:C0RELEASES"]

[service.goals.environment.staging]
timezone = "America/Los_Angeles"
target = { kind = "app-runner", service_arn = "arn:aws:apprunner:us-west-2:123456789012:service/goals-staging/8fe1e10304f84fd2b0df550fe98a71fa" }
database = { secret = "goals/staging", key = "GOOSE_DBSTRING" }
rehearse = { secret = "goals/rehearsal", key = "DATABASE_URL" }   # never production; unset: the card says "not rehearsed"
config = ["goals/staging"]
health_url = "https://staging.goals.acme.dev/healthz"
auto_deploy = "main"

[service.goals.environment.production]
after = "staging"
targets = [{ kind = "app-runner", service_arn = "arn:aws:apprunner:us-west-2:123456789012:service/goals-production/0d1f6a3c5e7b49d8a2c4e6f80b1d3f57" }]   # several run in waves; `target` is a list of one
database = { secret = "goals/production", key = "GOOSE_DBSTRING" }

[person.ana]
slack = "U012AB3CD"
discord = "80351110224678912"
github = "ana-dev"
teams = ["developers", "release"]
"#;
    let (_, report) = Config::check(text.as_bytes(), Path::new("slipway.toml")).unwrap();
    expect![[r#"
        slipway.toml:41:1  note  service.goals.environment.staging.auto_deploy  accepted, not used by this version
    "#]]
    .assert_eq(&report.to_string());
}

#[test]
fn values_arrive_typed_and_paths_joined_to_the_folder() {
    let config = example();
    assert_eq!(config.store.path, Path::new("etc/slipway.db"));
    let PoliciesPlace::Repository { repository, branch, dir } = &config.policies.place else {
        panic!("in a repository")
    };
    let place = (repository.to_string(), branch.as_deref(), dir.as_str());
    assert_eq!(place, ("acme/release-policies".to_owned(), Some("main"), "policies"));
    assert!(config.policies.own_changes_refused);
    assert_eq!(config.server.fact_age_max_s, 60);
    assert_eq!(config.hash, slipway_core::audit::content_hash(EXAMPLE.as_bytes()));
    let audit = &config.audit;
    assert_eq!(audit.anchor, [Channel::Slack("C0AUDITLOG".into()), Channel::Terminal("releases".into())]);
    assert_eq!(
        (audit.anchor_at, audit.timezone.iana_name()),
        (crate::config::ANCHOR_AT_DEFAULT, Some("America/Los_Angeles"))
    );
    let staging = EnvironmentKey { service: "goals".into(), environment: "staging".into() };
    let (service, environment) = config.environment(&staging).unwrap();
    assert_eq!(service.repository.to_string(), "acme/goals");
    assert_eq!((service.image.region.as_str(), service.image.name.as_str()), ("us-west-2", "goals"));
    assert_eq!(service.vote_expiry, Duration::from_secs(4 * 3600));
    assert_eq!(service.announce, [Channel::Terminal("releases".into()), Channel::Slack("C0RELEASES".into())]);
    let commit = CommitSha::parse(&"4c1f9e2b0d".repeat(4)).unwrap();
    assert_eq!(service.tag.render(&commit), commit.as_str());
    assert_eq!(environment.timezone.iana_name(), Some("America/Los_Angeles"));
    assert_eq!(environment.health_bake, Duration::from_secs(10));
    let Target::AppRunner(target) = &environment.targets[0] else { panic!("another kind") };
    assert_eq!((target.region.as_str(), target.name.as_str()), ("us-west-2", "goals-staging"));
    let production = &service.environments[&"production".into()];
    assert_eq!(production.after, Some("staging".into()));
    assert_eq!(production.timezone.iana_name(), Some("UTC"));
}

#[test]
fn people_are_found_by_identity_and_empty_teams_are_named() {
    let config = example();
    let directory = config.directory();
    let ana = directory.by_identity(&Identity::Github("ANA-dev".into())).unwrap();
    assert_eq!(ana.id, "ana".into());
    assert!(ana.teams.contains(&"release".into()));
    let named: [TeamName; 2] = ["sre".into(), "release".into()];
    assert_eq!(config.empty_teams(&named), [&named[0]]);
}

#[test]
fn teams_kept_elsewhere_are_teams_that_policies_may_name() {
    let text = EXAMPLE.replace("[team.release]", "[team.payments]");
    let (config, _) = Config::check(text.as_bytes(), Path::new("slipway.toml")).unwrap();
    let rosters: Vec<_> = config.rosters().iter().map(|roster| format!("{}: {}", roster.team, roster.source)).collect();
    let kept = ["GitHub team acme/release-managers", "Slack user group S0614TZR7", "Discord role 290926798626358777"];
    assert_eq!(rosters, kept.map(|place| format!("payments: {place}")));
    assert!(Origin::of(&config).vocabulary.teams.contains(&"payments".into()));
    assert!(config.empty_teams(&["payments".into()]).is_empty());
}
