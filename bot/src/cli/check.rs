//! `slipway check`: everything that is wrong with the configuration and what it needs, before it matters.

use super::Refused;
use super::paint::Paint;
use crate::assemble::{self, AssembleError};
use crate::clock::Clock;
use crate::config::{Config, PoliciesPlace, Report, Secrets, Service, Severity};
use crate::outside::Outside;
use crate::policies::{Origin, PoliciesError};
use crate::probe::{self, PROBE_TIMEOUT, Probe, ProbeResult};
use crate::setup::{Rules, Setup};
use crate::store::{Store, StoreError};
use clap::Args;
use slipway_core::ids::{EnvironmentName, TeamName};
use slipway_core::link::{Link, disputed_by};
use slipway_core::person::Directory;
use slipway_core::policy::{PolicySet, built_in};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// Arguments of `slipway check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Check the file alone, without asking for credentials or connecting anywhere
    #[arg(long)]
    pub offline: bool,
}

/// Everything that is asked of the outside. Add probes here.
fn probes(config: &Config, secrets: &Secrets) -> Vec<Box<dyn Probe>> {
    probe::standard(config, secrets)
}

/// A warning for each environment for which somebody's releases could not be approved by anybody.
fn deadlocks(config: &Config, setup: &Setup, people: &Directory) -> Vec<(String, ProbeResult)> {
    let (set, now) = (setup.policies(), Clock::System.now());
    let short_of = |(_, environment): (_, &crate::config::Environment)| {
        let key = &environment.key;
        let found = set.deadlocks(&key.service, &key.environment, setup.timezone(key), people, now);
        let first = found.first()?;
        let whose =
            if first.author == first.requester { "their own".to_owned() } else { format!("{}'s", first.author) };
        let teams: Vec<_> = first.missing.iter().map(|slot| slot.team.as_str()).collect();
        let more = match found.len() - 1 {
            0 => String::new(),
            1 => ", and so in one more case".to_owned(),
            n => format!(", and so in {n} more cases"),
        };
        let is_empty = |team: &&str| !people.iter().any(|person| person.teams.contains(&TeamName::from(*team)));
        if let Some(empty) = teams.iter().find(|team| is_empty(team)) {
            let says =
                format!("nobody is in {empty}, so that nobody can approve what {} asks for{more}", first.requester);
            let mend = format!("add people to it: teams = [\"{empty}\"] in their [person.NAME]");
            return Some((format!("approvals {key}"), ProbeResult { ok: true, says, mend }));
        }
        let says = format!(
            "nobody is left in {} to approve what {} asks for with a commit of {whose}{more}",
            teams.join(" and "),
            first.requester
        );
        let mend = "add somebody to the team; a team of two can do without the rule no-author-vote (votes.cedar)";
        Some((format!("approvals {key}"), ProbeResult { ok: true, says, mend: mend.to_owned() }))
    };
    config.environments().filter_map(short_of).collect()
}

/// A warning where the built-in rules guard nothing, because they speak of an environment `production` and of the one
/// that comes before it.
fn unguarded(config: &Config) -> Vec<(String, ProbeResult)> {
    if config.policies.place != PoliciesPlace::BuiltIn {
        return vec![];
    }
    let warning = |service: &Service, says: String, mend: &str| {
        (format!("rules for {}", service.name), ProbeResult { ok: true, says, mend: mend.to_owned() })
    };
    let of_service = |service: &Service| {
        let [guarded] = built_in::ENVIRONMENTS.map(EnvironmentName::from);
        let names: Vec<_> = service.environments.keys().map(EnvironmentName::as_str).collect();
        match service.environments.get(&guarded) {
            None => {
                let says = format!(
                    "no approval and no freeze guards {}: the built-in rules speak of {guarded}",
                    names.join(", ")
                );
                Some(warning(
                    service,
                    says,
                    "call the one that matters production, or copy policies/ and name it there ([policies] dir)",
                ))
            }
            Some(environment) if environment.after.is_none() && names.len() > 1 => {
                let says =
                    format!("nothing has to have served elsewhere before it reaches {guarded}, which has no after");
                Some(warning(service, says, "write after = \"…\" with the environment that comes before it"))
            }
            Some(_) => None,
        }
    };
    config.services.values().filter_map(of_service).collect()
}

/// The same where rules of ones own are the built-in ones in part: a name that nobody has is one only in those.
fn unguarded_by_copy(config: &Config, set: &PolicySet) -> Option<(String, ProbeResult)> {
    let [guarded] = built_in::ENVIRONMENTS.map(EnvironmentName::from);
    let has_it = config.environments().any(|(_, environment)| environment.key.environment == guarded);
    if config.policies.place == PoliciesPlace::BuiltIn || has_it || !set.speaks_of(&guarded) {
        return None;
    }
    let says = format!("some speak of {guarded}, and no environment is called so: they guard nothing");
    let mend = format!("call the one that matters {guarded}, or write its name into these rules");
    Some(("rules".to_owned(), ProbeResult { ok: true, says, mend }))
}

/// A warning for each account that somebody has linked to themselves and the configuration gives to somebody else.
async fn disputes(config: &Config) -> Vec<(String, ProbeResult)> {
    let (path, people) = (&config.store.path, config.directory());
    if !path.exists() {
        return vec![];
    }
    let links = match Store::open_to_read(path).await {
        Ok(store) => store.links().await,
        Err(error) => Err(error),
    };
    let links = match links {
        Ok(links) => links,
        Err(error) => {
            let (says, mend) = match error {
                // These say themselves what to do.
                StoreError::Earlier(_) | StoreError::Later(_) | StoreError::NoDatabase(_) => {
                    ("linked accounts are not known".to_owned(), error.to_string())
                }
                _ => (
                    format!("linked accounts are not known: {error}"),
                    "see to it that the store can be read, then check again".to_owned(),
                ),
            };
            return vec![("links".to_owned(), ProbeResult { ok: true, says, mend })];
        }
    };
    let warning = |link: &Link| {
        let other = disputed_by(link, &people).next()?;
        let (platform, id) = (link.identity.platform(), link.identity.id());
        let says = format!(
            "{} account {id} is linked to {} and given to {} by this file, so it belongs to neither",
            platform.name(),
            link.person,
            other.id
        );
        let mend = format!(
            "take it out of [person.{}], or let {} type /release link remove {}",
            other.id,
            link.person,
            platform.key()
        );
        Some((format!("person {}", other.id), ProbeResult { ok: true, says, mend }))
    };
    links.iter().filter_map(warning).collect()
}

/// Reads the policies where they are kept, and judges by them from here on.
async fn fetched(config: &Config, setup: &Setup, outside: &Outside) -> ProbeResult {
    let origin = Origin::of(config);
    let reading = origin.fetch(Some(&outside.github), None).await;
    match reading.and_then(|reading| reading.text.parse()) {
        Ok(set) => {
            let (count, hash) = (set.rule_ids().count(), set.hash().chars().take(12).collect::<String>());
            setup.replace_rules(Rules::new(set));
            ProbeResult::ok(format!("{count} rules, {}, hash {hash}", origin.source))
        }
        Err(error) => ProbeResult::fail(error.to_string(), ""),
    }
}

/// Services and people with the policies that are on this machine. Where these cannot be read, with some that allow nothing:
/// all else can be looked at without them.
fn setup_of(config: &Config) -> Result<(Setup, Option<PoliciesError>), AssembleError> {
    match assemble::setup(config) {
        Ok(setup) => Ok((setup, None)),
        Err(AssembleError::Policies(error)) => {
            let shut = Origin::of(config).shut().parse()?;
            Ok((Setup::new(config, shut)?, Some(error)))
        }
        Err(error) => Err(error),
    }
}

/// What takes the place of all that only rules can tell, where there are none to ask.
fn not_looked_at() -> (String, ProbeResult) {
    let says = "not looked at without policies: who could approve, which teams count, what starts by itself".to_owned();
    ("rules".to_owned(), ProbeResult { ok: true, says, mend: "mend the policies, then check again".to_owned() })
}

/// Policies, then every team whose members are kept elsewhere, then Slack and Discord, then every repository, image repository, target and
/// secret that the configuration names.
async fn reach(config: &Config, secrets: &Secrets) -> Vec<(String, ProbeResult)> {
    let (setup, unread) = match setup_of(config) {
        Ok(found) => found,
        Err(error) => return vec![("services".to_owned(), ProbeResult::fail(error.to_string(), ""))],
    };
    let outside = match assemble::outside(config, secrets).await {
        Ok(outside) => outside,
        Err(error) => return vec![("outside".to_owned(), ProbeResult::fail(error.to_string(), ""))],
    };
    let policies = match unread {
        Some(error) => ProbeResult::fail(error.to_string(), ""),
        None => fetched(config, &setup, &outside).await,
    };
    let are_read = policies.ok;
    let mut answers = vec![("policies".to_owned(), policies)];
    let (members, people) = probe::members(&setup, &outside).await;
    if are_read {
        answers.extend(probe::actions(&setup.policies()));
        answers.extend(probe::teams(config, &setup.policies()));
        // Who could approve is known only with everybody in their teams.
        answers.extend(people.iter().flat_map(|people| deadlocks(config, &setup, people)));
        answers.extend(unguarded(config));
        answers.extend(unguarded_by_copy(config, &setup.policies()));
    } else {
        answers.push(not_looked_at());
    }
    answers.extend(disputes(config).await);
    answers.extend(members);
    answers.extend(probe::slack(config, secrets, outside.slack.as_ref()).await);
    answers.extend(probe::discord(config, secrets, outside.discord.as_ref()).await);
    answers.extend(probe::outside(&setup, &outside).await);
    answers
}

pub(super) async fn run(args: &CheckArgs, path: &Path) -> Result<(), Refused> {
    let paint = Paint::for_stdout();
    let (config, report) = match Config::load(path) {
        Ok((config, report)) => (config, report),
        Err(report) => {
            say(&findings(&report, paint));
            let count = report.count(Severity::Error);
            let errors = if count == 1 { "an error".to_owned() } else { format!("{count} errors") };
            let and = if args.offline { "" } else { " Credentials were not checked." };
            return Err(Refused(format!("{} has {errors}.{and}", report.file)));
        }
    };
    say(&findings(&report, paint));
    if args.offline {
        return Ok(());
    }
    let secrets = Secrets::from_env()?;
    let mut answers = probe::run_all(&probes(&config, &secrets), PROBE_TIMEOUT).await;
    answers.extend(reach(&config, &secrets).await);
    say(&format!("\n{}", answers_text(&answers, paint)));
    match answers.iter().filter(|(_, answer)| !answer.ok).count() {
        0 => Ok(()),
        1 => Err(Refused("One check failed.".to_owned())),
        failed => Err(Refused(format!("{failed} checks failed."))),
    }
}

/// Writes to standard output. Whoever reads it may go away (`slipway check | head`), which is no failure.
fn say(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

fn findings(report: &Report, paint: Paint) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let line = finding.in_file(&report.file).to_string();
        let word = format!("  {}  ", finding.severity);
        let painted = match finding.severity {
            Severity::Error => paint.bad(&word),
            Severity::Warning => paint.doubtful(&word),
            Severity::Note => paint.faint(&word),
        };
        let _ = writeln!(text, "{}", line.replacen(&word, &painted, 1));
    }
    let _ = writeln!(text, "{}: {}", report.file, report.summary());
    text
}

fn answers_text(answers: &[(String, ProbeResult)], paint: Paint) -> String {
    let width = answers.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, ProbeResult { ok, says, mend }) in answers {
        let mark = match (ok, mend.is_empty()) {
            (true, true) => paint.good("ok  "),
            (true, false) => paint.doubtful("warn"),
            (false, _) => paint.bad("FAIL"),
        };
        let _ = writeln!(text, "{mark}  {name:width$}  {says}");
        if !mend.is_empty() {
            let _ = writeln!(text, "      {:width$}  → {mend}", "");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policies;
    use expect_test::expect;
    use slipway_core::person::Identity;

    const FILE: &str = r#"
        [server]
        listen = "0.0.0.0:8080"
        [store]
        url = "sqlite://slipway.db"
        [discord]
        application_id = "845027738276462632"
        [service.goals]
        repository = "acme/goals"
        workflow = "build.yaml"
        image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals"
        channels = ["discord:1032011029"]
        [service.goals.environment.staging]
        target = { kind = "app-runner", service_arn = "arn:aws:apprunner:us-west-2:123456789012:service/goals/8fe1e10304f84fd2b0df550fe98a71fa" }
    "#;

    #[test]
    fn whose_releases_nobody_could_approve_is_said_beforehand() {
        let production = FILE.replace("environment.staging", "environment.production");
        let person = |name: &str| {
            format!("\n[person.{name}]\ndiscord = \"84502773827646{:04}\"\nteams = [\"release\"]\n", name.len())
        };
        let warned = |people: &[&str]| {
            let people: String = people.iter().map(|name| person(name)).collect();
            let file = format!("{production}{people}");
            let (config, _) = Config::check(file.as_bytes(), Path::new("slipway.toml")).unwrap();
            let setup = assemble::setup(&config).unwrap();
            answers_text(&deadlocks(&config, &setup, &setup.people), Paint::Plain)
        };
        expect![[r#"
            warn  approvals goals → production  nobody is left in release to approve what ana asks for with a commit of beth's, and so in one more case
                                                → add somebody to the team; a team of two can do without the rule no-author-vote (votes.cedar)
        "#]].assert_eq(&warned(&["ana", "beth"]));
        assert_eq!(warned(&["ana", "beth", "chloe"]), "");
    }

    #[test]
    fn an_environment_that_no_built_in_rule_speaks_of_is_named() {
        let arn = |name: &str| {
            format!("arn:aws:apprunner:us-west-2:123456789012:service/{name}/8fe1e10304f84fd2b0df550fe98a71fa")
        };
        let environment = |name: &str, more: &str| {
            let target = format!("target = {{ kind = \"app-runner\", service_arn = \"{}\" }}\n", arn(name));
            format!("[service.goals.environment.{name}]\n{more}{target}")
        };
        let said = |environments: &[String]| {
            let (head, _) = FILE.split_once("[service.goals.environment").unwrap_or((FILE, ""));
            let text = head.to_owned() + &environments.concat();
            let (config, _) = Config::check(text.as_bytes(), Path::new("slipway.toml")).unwrap();
            answers_text(&unguarded(&config), Paint::Plain)
        };
        let staging = environment("staging", "");
        let prod = said(&[staging.clone(), environment("prod", "after = \"staging\"\n")]);
        assert!(
            prod.contains("no approval and no freeze guards prod, staging: the built-in rules speak of production"),
            "{prod}"
        );
        let alone = said(&[staging.clone(), environment("production", "")]);
        assert!(alone.contains("which has no after"), "{alone}");
        assert_eq!(said(&[staging, environment("production", "after = \"staging\"\n")]), "");
    }

    #[test]
    fn without_policies_all_else_is_looked_at() {
        let with = |policies: &str| {
            let file = format!("{policies}\n{FILE}");
            Config::check(file.as_bytes(), Path::new("slipway.toml")).unwrap().0
        };
        let (setup, error) = setup_of(&with("[policies]\ndir = \"nothere\"")).unwrap();
        assert!(error.unwrap().to_string().contains("nothere"));
        assert!(policies::are_unread(&setup.policies()) && setup.services().count() == 1);
        let (name, row) = not_looked_at();
        assert!(name == "rules" && row.ok && row.says.starts_with("not looked at") && !row.mend.is_empty());
        let (setup, error) = setup_of(&with("")).unwrap();
        assert!(error.is_none() && !policies::are_unread(&setup.policies()));
    }

    #[test]
    fn a_copy_of_the_rules_whose_environment_there_is_not_guards_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in built_in::FILES.into_iter().chain([("schema.cedarschema", built_in::SCHEMA)]) {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let file = format!("[policies]\ndir = \".\"\n{FILE}");
        let said = |file: &str| {
            let (config, _) = Config::check(file.as_bytes(), &folder.path().join("slipway.toml")).unwrap();
            let (setup, error) = setup_of(&config).unwrap();
            assert!(error.is_none(), "a plain copy has no mistakes: {error:?}");
            unguarded_by_copy(&config, &setup.policies()).map(|(_, row)| row.says)
        };
        let unguarded = "some speak of production, and no environment is called so: they guard nothing";
        assert_eq!(said(&file).as_deref(), Some(unguarded));
        assert_eq!(said(&file.replace("environment.staging", "environment.production")), None);
    }

    #[tokio::test]
    async fn an_account_that_was_linked_and_is_given_to_another_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let discord = "discord = \"80351110224678912\"";
        let file = |of: &str| FILE.to_owned() + &format!("[person.ana]\ngithub = \"ana\"\n[person.{of}]\n{discord}\n");
        let check = |of: &str| Config::check(file(of).as_bytes(), &folder.path().join("slipway.toml")).unwrap().0;
        assert_eq!(disputes(&check("bob")).await, [], "there is no store yet");
        let earlier = tempfile::tempdir().unwrap();
        std::fs::write(earlier.path().join("slipway.db"), "").unwrap();
        let (config, _) = Config::check(file("bob").as_bytes(), &earlier.path().join("slipway.toml")).unwrap();
        let said = answers_text(&disputes(&config).await, Paint::Plain);
        assert!(said.contains("linked accounts are not known") && said.contains("start Slipway once"), "{said}");
        let store = Store::open(&folder.path().join("slipway.db")).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let link = Link {
            identity: Identity::Discord("80351110224678912".into()),
            person: "ana".into(),
            linked_at: jiff::Timestamp::UNIX_EPOCH,
            confirmed_by: Identity::Slack("U012AB3CD".into()),
        };
        store.link_put(&mut tx, &link).await.unwrap();
        tx.commit().await.unwrap();
        expect![[r#"
            warn  person bob  Discord account 80351110224678912 is linked to ana and given to bob by this file, so it belongs to neither
                              → take it out of [person.bob], or let ana type /release link remove discord
        "#]]
        .assert_eq(&answers_text(&disputes(&check("bob")).await, Paint::Plain));
    }

    #[tokio::test]
    async fn what_is_missing_in_the_environment_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (config, report) = Config::check(FILE.as_bytes(), &folder.path().join("slipway.toml")).unwrap();
        let secrets = Secrets::default();
        let answers = probe::run_all(&probes(&config, &secrets), PROBE_TIMEOUT).await;
        let folder = folder.path().display().to_string();
        let text = findings(&report, Paint::Plain) + &answers_text(&answers, Paint::Plain);
        expect![[r#"
            slipway.toml:1:1  warning  there is no [person.NAME] section, so nobody can ask for a release  → add one; docs/slipway.example.toml shows [person.…]
            slipway.toml: no errors, 1 warning
            ok    store              slipway.db will be created when Slipway starts
            FAIL  GITHUB_TOKEN       is not set, and services are read from GitHub
                                     → set GITHUB_TOKEN, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY
            FAIL  SLIPWAY_API_TOKEN  is not set, and 0.0.0.0:8080 is open to other machines
                                     → set it to a long random text, or listen on 127.0.0.1
            FAIL  DISCORD_TOKEN      is not set, and nothing is posted without it
                                     → set it to the token of the application's bot (Developer Portal, Bot, Reset Token)
        "#]]
        .assert_eq(&text.replace(&format!("{folder}/"), ""));
        assert!(findings(&report, Paint::Ansi).contains("\u{1b}[33m  warning  \u{1b}[0m"));
    }
}
