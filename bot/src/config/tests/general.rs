//! Secrets in the file, unknown keys, broken TOML, many mistakes at once, and anything at all.

use super::super::FINDINGS_LIMIT;
use super::{changed, check, minimal, report, said, says, with};
use crate::config::{Config, FILE_LIMIT_BYTES};
use expect_test::expect;
use proptest::prelude::*;
use std::path::Path;

#[test]
fn secrets_are_refused_and_never_repeated() {
    let section = |lines: &str| changed("[terminal]", &format!("{lines}\n[terminal]"));
    let cases = [
        section("[slack]\ntoken = \"xoxb-hunter2\"\nsigning_secret = \"hunter2\"\napp_token = 7"),
        section("[discord]\napplication_id = \"845027738276462632\"\npublic_key = \"hunter2\"\ntoken = \"hunter2\""),
        section("[github]\ntoken = \"hunter2\"\napp_id = 7\nprivate_key = \"hunter2\""),
        section("[server]\napi_token = \"hunter2\""),
        with("[service.goals]", "password = \"hunter2\""),
        changed("\"acme/goals\"", "\"ghp_hunter2\""),
        changed("\"terminal:releases\"", "\"terminal:releases\", \"AKIAHUNTER2HUNTER2HH\""),
        changed("\"acme/goals\"", "ghp_hunter2"),
        section("[slack]\ntoken = hunter2"),
        changed("\"sqlite://slipway.db\"", "postgres://ana:hunter2#x@db"),
        changed("[person.ana]", "[person.\"ghp_hunter2\"]"),
        with("[person.ana]", "\"xoxb-hunter2\" = 1"),
    ];
    for case in &cases {
        assert!(!said(case).to_lowercase().contains("hunter2"), "{}", said(case));
        assert!(check(case).is_err());
    }
    says(
        &cases,
        &expect![[r#"
            slipway.toml:3:2  warning  slack  does not say under which address Slack reaches this bot  → add public_url under [server], without which there is no manifest, or mode = "socket" here
            slipway.toml:4:9  error  slack.token  looks like a Slack bot token; secrets do not belong in this file  → remove it and replace the secret, it was readable here; secrets come from the environment (SLACK_BOT_TOKEN)
            slipway.toml:5:1  error  slack.signing_secret  does not belong in this file  → remove it; secrets come from the environment (SLACK_SIGNING_SECRET)
            slipway.toml:6:1  error  slack.app_token  does not belong in this file  → remove it; secrets come from the environment (SLACK_APP_TOKEN)

            slipway.toml:5:1  error  discord.public_key  does not belong in this file  → remove it; secrets come from the environment (DISCORD_PUBLIC_KEY)
            slipway.toml:6:1  error  discord.token  does not belong in this file  → remove it; secrets come from the environment (DISCORD_TOKEN)

            slipway.toml:4:1  error  github.token  does not belong in this file  → remove it; secrets come from the environment (GITHUB_TOKEN)
            slipway.toml:5:1  error  github.app_id  does not belong in this file  → remove it; secrets come from the environment (GITHUB_APP_ID)
            slipway.toml:6:1  error  github.private_key  does not belong in this file  → remove it; secrets come from the environment (GITHUB_APP_PRIVATE_KEY)

            slipway.toml:4:1  error  server.api_token  does not belong in this file  → remove it; secrets come from the environment (SLIPWAY_API_TOKEN)

            slipway.toml:6:1  error  service.goals.password  does not belong in this file  → remove it; keep it in Secrets Manager and name that secret in database or config

            slipway.toml:6:14  error  service.goals.repository  looks like a GitHub token; secrets do not belong in this file  → remove it and replace the secret, it was readable here; secrets come from the environment (GITHUB_TOKEN)

            slipway.toml:9:34  error  service.goals.channels[1]  looks like an AWS access key; secrets do not belong in this file  → remove it; AWS credentials come from AWS's standard chain (AWS_ACCESS_KEY_ID, a profile, a role)

            slipway.toml:6:14  error  a text must be in straight quotes  → remove it and replace the secret, it was readable here; secrets come from the environment (GITHUB_TOKEN)

            slipway.toml:4:9  error  a text must be in straight quotes  → put it in quotes

            slipway.toml:2:7  error  a text must be in straight quotes  → put it in quotes

            slipway.toml:12:9  error  person.(a secret, not shown)  (a secret, not shown) is no name  → use 1 to 40 lower-case letters, digits and hyphens

            slipway.toml:13:1  error  person.ana.(a secret, not shown)  there is no key of this name  → remove it; the keys here are slack, discord, github, terminal, teams, timezone
        "#]],
    );
}

#[test]
fn unknown_keys_get_the_nearest_spelling() {
    says(
        &[
            changed("[store]", "[serve]\n[store]"),
            changed("[store]", "[kubernetes]\n[store]"),
            with("[service.goals.environment.staging]", "helth_url = \"https://acme.dev\"\nreplicas = 3\n\"a b\" = 1"),
            changed("[store]", "top = 1\n[store]"),
            changed("[store]", "store = 1\n[a]"),
        ],
        &expect![[r#"
            slipway.toml:1:2  error  serve  there is no section of this name  → write server instead

            slipway.toml:1:2  error  kubernetes  there is no section of this name  → remove it; the sections here are server, store, slack, discord, github, terminal, policies, audit, pace, service, team, person

            slipway.toml:11:1  error  service.goals.environment.staging.helth_url  there is no key of this name  → write health_url instead
            slipway.toml:12:1  error  service.goals.environment.staging.replicas  there is no key of this name  → remove it; the keys here are timezone, target, targets, database, rehearse, config, health_url, health_bake, auto_deploy, after, reactions, needs, rollback, promote, checks, suggest, auto_promote, auto_deploy_commits
            slipway.toml:13:1  error  service.goals.environment.staging."a b"  there is no key of this name  → remove it; the keys here are timezone, target, targets, database, rehearse, config, health_url, health_bake, auto_deploy, after, reactions, needs, rollback, promote, checks, suggest, auto_promote, auto_deploy_commits

            slipway.toml:1:1  error  top  there is no section of this name  → remove it; the sections here are server, store, slack, discord, github, terminal, policies, audit, pace, service, team, person

            slipway.toml:1:9  error  store  must be a table, and is a number  → write store = { url = "sqlite://slipway.db" }
            slipway.toml:2:2  error  a  there is no section of this name  → remove it; the sections here are server, store, slack, discord, github, terminal, policies, audit, pace, service, team, person
        "#]],
    );
}

#[test]
fn broken_toml_has_a_place_and_a_hint() {
    let line = |line: &str| with("[service.goals]", line);
    says(
        &[
            line("vote_expiry = 4h"),
            line("vote_expiry = \"4h"),
            line("vote_expiry: \"4h\""),
            line("vote_expiry"),
            line("vote_expiry = "),
            line("vote_expiry = “4h”"),
            line("vote_expiry = \"4h\" tag = \"{commit}\""),
            line("announce = [\"terminal:releases\""),
            line("migrations = { dir = \"migrations\" format = \"goose\" }"),
            line("vote_expiry = \"4h\"\nvote_expiry = \"4h\""),
            line("vote_expiry = = \"4h\""),
            line("tag = \"\\{commit}\""),
            line("vote_expiry = True"),
            changed("[person.ana]", "[person.ana"),
            changed("[person.ana]", "[store]"),
            "\u{0}".to_owned(),
        ],
        &expect![[r#"
            slipway.toml:6:15  error  a text must be in straight quotes  → write "4h"

            slipway.toml:6:18  error  this text is not closed, or has a control character in it  → end it with the quote it began with

            slipway.toml:6:12  error  a key is followed by =  → write = instead of :

            slipway.toml:6:12  error  a key without a value  → write key = value, or begin the line with # to make it a comment

            slipway.toml:6:15  error  there is no value after the =  → write the value, or remove the line

            slipway.toml:6:15  error  a text must be in straight quotes  → write "4h"

            slipway.toml:6:20  error  there is something after the end  → remove it, or put it on a line of its own

            slipway.toml:7:1  error  a list is not closed, or a comma is missing in it  → end it with ] before this place, with commas between its values

            slipway.toml:6:35  error  a { … } is not closed, or a comma is missing in it  → end it with } before this place, with commas between its keys

            slipway.toml:7:1  error  this key is there already  → keep one of the two

            slipway.toml:6:15  error  there is one = too many  → remove it

            slipway.toml:6:9  error  \ begins an escape, and this is none  → write \\ for a backslash

            slipway.toml:6:15  error  this is no value  → write true or false, or put a text in quotes

            slipway.toml:12:12  error  the section's header is not closed  → end it with ]

            slipway.toml:12:2  error  this section is there already  → keep one of the two
            slipway.toml:13:1  error  store.terminal  there is no key of this name  → remove it; the keys here are url

            slipway.toml:1:1  error  this is not TOML: invalid unquoted key, expected letters, numbers, `-`, `_`  → compare with docs/slipway.example.toml
        "#]],
    );
}

#[test]
fn a_broken_file_shows_all_its_mistakes() {
    let broken = r#"
[server]
listen = ":8080"
fact_age_max_s = "60"

[store]
url = "sqlite::memory:"

[servce.api]
repository = "acme/api"

[service.goals]
repository = "goals"
workfow = "build.yaml"
image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals:latest"
tag = latest
vote_expiry = "4 hours"
channels = ["slack:general", "terminal:releases"]

[service.goals.environment.staging]
timezone = "America/Los_Angelos"
target = { kind = "app-runer" }
after = "production"

[service.goals.environment.production]
after = "staging"
targets = []
password = "hunter2"

[person.ana]
github = "ana"
teams = "release"

[person.bob]
github = "Ana"
"#;
    let report = report(broken);
    assert!(report.findings.len() > 15);
    expect![[r#"
        slipway.toml:3:10  error  server.listen  ":8080" is no address with a port  → write "127.0.0.1:8080" for this machine alone, "0.0.0.0:8080" for all
        slipway.toml:4:18  error  server.fact_age_max_s  must be a whole number, and is a text  → write fact_age_max_s = 60
        slipway.toml:7:7  error  store.url  a store in memory forgets every release when the bot stops, and a crash could not be resumed  → write "sqlite://slipway.db"
        slipway.toml:9:2  error  servce  there is no section of this name  → write service instead
        slipway.toml:13:14  error  service.goals.repository  "goals" is no repository  → write owner/name, such as "acme/goals"
        slipway.toml:14:1  error  service.goals.workfow  there is no key of this name  → write workflow instead
        slipway.toml:15:9  error  service.goals.image  has a tag or digest  → write "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals", and what follows it as tag
        slipway.toml:16:7  error  a text must be in straight quotes  → write "latest"
        slipway.toml:17:15  error  service.goals.vote_expiry  "4 hours" is no duration  → write a whole number and s, m, h or d, such as "90s", "30m", "4h" or "2d"
        slipway.toml:18:13  error  service.goals.channels[0]  "general" is no Slack channel id  → copy the id from Slack: C or G and then capital letters and digits, 9 to 20 in all
        slipway.toml:21:12  error  service.goals.environment.staging.timezone  "America/Los_Angelos" is no time zone  → write "America/Los_Angeles"
        slipway.toml:22:19  error  service.goals.environment.staging.target.kind  "app-runer" is not one of the choices  → write "app-runner" or "ecs-express" or "dry"
        slipway.toml:23:9  error  service.goals.environment.staging.after  staging → production → staging would wait for each other for ever  → remove one of these after keys
        slipway.toml:27:11  error  service.goals.environment.production.targets  is empty  → write targets = [{ kind = "app-runner", service_arn = "arn:aws:apprunner:…" }]
        slipway.toml:28:1  error  service.goals.environment.production.password  does not belong in this file  → remove it; keep it in Secrets Manager and name that secret in database or config
        slipway.toml:32:9  error  person.ana.teams  must be a list, and is a text  → write teams = ["developers"]
        slipway.toml:35:10  error  person.bob.github  is also person.ana.github (31:10), so it would belong to neither  → leave it with the person whose account it is
    "#]].assert_eq(&report.to_string());
}

#[test]
fn findings_are_bounded() {
    let many = (0..FINDINGS_LIMIT + 5).map(|n| format!("key{n:04}x = 1\n")).collect::<String>();
    let report = report(&minimal().replace("[store]\n", &format!("[store]\n{many}")));
    assert_eq!(report.findings.len(), FINDINGS_LIMIT);
    assert_eq!(report.left_out_count, 5);
    assert_eq!(report.summary(), "200 errors, 5 more not shown");
    assert!(report.to_string().ends_with("… and 5 more\n"));
}

#[test]
fn bytes_that_are_no_text_have_a_place_too() {
    let of = |bytes: &[u8]| Config::check(bytes, Path::new("slipway.toml")).unwrap_err().to_string();
    expect![[r#"
        slipway.toml:2:5  error  this byte is not UTF-8  → save the file as UTF-8
        slipway.toml:1:1  error  is larger than 1048576 bytes  → is this the right file?
    "#]]
    .assert_eq(&(of(b"a = 1\n\xc3\xa9 = \xff") + &of(&vec![b'#'; FILE_LIMIT_BYTES + 1])));
    assert!(check(&format!("\u{feff}{}", minimal().replace('\n', "\r\n"))).is_ok());
}

/// Lines of a real file, cut and shuffled, reach deeper than random bytes.
fn pieces() -> impl Strategy<Value = String> {
    let lines: Vec<String> = include_str!("../../../../docs/slipway.example.toml").lines().map(str::to_owned).collect();
    let piece = (proptest::sample::select(lines), 0..200usize, ".{0,3}").prop_map(|(line, at, noise)| {
        let at = line.char_indices().map(|(at, _)| at).nth(at).unwrap_or(line.len());
        format!("{}{noise}{}", &line[..at], &line[at..])
    });
    proptest::collection::vec(piece, 0..40).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn nothing_panics_on_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Config::check(&bytes, Path::new("x"));
    }

    #[test]
    fn nothing_panics_on_broken_files_and_every_place_exists(text in pieces()) {
        let report = report(&text);
        for finding in &report.findings {
            prop_assert!(finding.line >= 1 && finding.line <= text.split('\n').count(), "{:?}", finding);
            prop_assert!(finding.column >= 1, "{:?}", finding);
            prop_assert!(!finding.message.is_empty());
        }
    }
}
