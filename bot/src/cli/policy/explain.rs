//! `slipway policy explain`: the same as `/release why`, from the command line.

use super::rules::{self, DIR_DEFAULT};
use super::{ConfigFile, Refused, screen, test};
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::{Inquiry, Why};
use crate::policies::{self, HISTORY_LIMIT};
use crate::setup::Setup;
use crate::standing::Company;
use crate::store::{PolicyVersion, Store, Tx};
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use slipway_core::ids::{EnvironmentKey, EnvironmentName, PersonId, ServiceName};
use slipway_core::policy::PolicySet;
use slipway_core::policy_case::{Got, PolicyCase, explained};
use slipway_core::release::Release;
use std::path::{Path, PathBuf};

/// Arguments of `slipway policy explain`.
#[derive(Debug, Args)]
#[command(
    subcommand_negates_reqs = true,
    override_usage = "slipway policy explain <RELEASE>\n       \
                      slipway policy explain deploy <ENVIRONMENT> [SERVICE] --as <PERSON>\n       \
                      slipway policy explain --case <FILE[:NAME]>"
)]
pub struct ExplainArgs {
    /// What would be explained instead of a release
    #[command(subcommand)]
    pub about: Option<About>,
    /// A release that waits: its id or the beginning of it
    #[arg(required_unless_present = "case", conflicts_with = "case")]
    pub release: Option<String>,
    /// Explain a test case instead, or all of a file; needs neither configuration nor store
    #[arg(long, value_name = "FILE[:NAME]")]
    pub case: Option<String>,
    /// Take the rules of this folder instead of those in force; with --case, instead of ./policies
    #[arg(long, value_name = "DIR", global = true)]
    pub policies: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long, global = true)]
    pub json: bool,
}

/// What has not been asked for yet.
#[derive(Debug, Subcommand)]
pub enum About {
    /// A deployment that nobody has asked for yet
    Deploy {
        /// Where to
        environment: String,
        /// Of which service; may be left out where there is only one
        service: Option<String>,
        /// Who would ask: a [person.NAME] of the configuration
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
    },
}

impl ExplainArgs {
    /// What the parser cannot tell: one thing is explained at a time.
    pub(super) fn wrong_usage(&self) -> Option<&'static str> {
        let several = self.about.is_some() && (self.release.is_some() || self.case.is_some());
        several.then_some("a release, a deployment or a case is explained, one at a time")
    }
}

pub(super) async fn run(args: &ExplainArgs, file: ConfigFile<'_>) -> Result<(), Refused> {
    if let Some(case) = &args.case {
        return explain_case(case, args, file);
    }
    let config = crate::cli::load(file.path)?;
    let store = Store::open_to_read(&config.store.path).await.map_err(failed)?;
    let mut tx = store.begin_to_read().await.map_err(failed)?;
    // Of other rules than those in force nobody can say who made them out of which.
    let versions = match &args.policies {
        Some(_) => vec![],
        None => store.policy_versions(&mut tx, HISTORY_LIMIT).await.map_err(failed)?,
    };
    let set = set(args.policies.as_deref(), &config, versions.first())?;
    let setup = Setup::new(&config, set.clone()).map_err(failed)?;
    setup.replace_rules(setup.rules_with(set, &versions));
    let (why, key) = ask(args, &setup, &store, &mut tx).await?;
    if args.json {
        screen::show_json(&document(&why, setup.policies().hash()));
    } else {
        let timezone = TimeZone::get(setup.timezone(&key)).unwrap_or(TimeZone::UTC);
        let now = Clock::System.now();
        let people = Company::within(&store, &mut tx, &setup, now).await.map_err(failed)?.people;
        screen::show(&why.message(&people), &timezone, now);
    }
    Ok(())
}

/// The rules of a folder, else those that the bot has in force, else those of the configuration.
fn set(dir: Option<&Path>, config: &Config, in_force: Option<&PolicyVersion>) -> Result<PolicySet, Refused> {
    match (dir, in_force) {
        (Some(dir), _) => rules::parse(&rules::read_for(dir, Some(config))?),
        (None, Some(in_force)) => in_force.version.reading.text.parse_stored().map_err(|error| rules::refused(&error)),
        (None, None) => policies::load(config).map_err(failed),
    }
}

async fn ask(args: &ExplainArgs, setup: &Setup, store: &Store, tx: &mut Tx) -> Result<(Why, EnvironmentKey), Refused> {
    let (rules, now) = (setup.rules(), Clock::System.now());
    match &args.about {
        Some(About::Deploy { environment, service, person }) => {
            let key = key(setup, environment, service.as_deref())?;
            let people = Company::within(store, tx, setup, now).await.map_err(failed)?.people;
            let Some(person) = people.get(&PersonId::new(person)) else {
                let known: Vec<_> = people.iter().map(|person| person.id.as_str()).collect();
                return Err(Refused(format!("Nobody is called \"{person}\". There are {}.", known.join(", "))));
            };
            let why = Inquiry { store, tx, setup, rules, now }.deploy(person, &key).await;
            Ok((why.map_err(failed)?, key))
        }
        None => {
            let release = release(store, tx, args.release.as_deref().unwrap_or_default()).await?;
            let key = release.request.key.clone();
            let why = Inquiry { store, tx, setup, rules, now }.release(&release).await;
            Ok((why.map_err(failed)?, key))
        }
    }
}

fn key(setup: &Setup, environment: &str, service: Option<&str>) -> Result<EnvironmentKey, Refused> {
    let environment = EnvironmentName::new(environment);
    let all = setup.environment_keys(None);
    let of_service = |key: &&EnvironmentKey| service.is_none_or(|service| key.service == ServiceName::new(service));
    let mut found = all.iter().filter(of_service).filter(|key| key.environment == environment);
    match (found.next(), found.next()) {
        (Some(key), None) => Ok(key.clone()),
        (Some(_), Some(_)) => {
            Err(Refused(format!("Several services have an environment \"{environment}\". Name the service after it.")))
        }
        (None, _) => {
            let known: Vec<_> = all.iter().map(|key| format!("{} of {}", key.environment, key.service)).collect();
            let of = service.map_or(String::new(), |service| format!(" of {service}"));
            Err(Refused(format!("There is no environment \"{environment}\"{of}. There are: {}.", known.join(", "))))
        }
    }
}

async fn release(store: &Store, tx: &mut Tx, prefix: &str) -> Result<Release, Refused> {
    let mut found = store.releases_by_prefix(tx, prefix).await.map_err(failed)?;
    match (found.pop(), found.is_empty()) {
        (Some(release), true) => Ok(release),
        (Some(_), false) => {
            Err(Refused(format!("More than one release begins with \"{prefix}\". Write more of its id.")))
        }
        (None, _) => Err(Refused(format!("No release begins with \"{prefix}\". Every card shows its release's id."))),
    }
}

fn document(why: &Why, policy_hash: &str) -> Value {
    match why {
        Why::Reasons(explanation) => {
            let mut document = json!(explanation);
            document["policy_hash"] = policy_hash.into();
            document
        }
        Why::Details(release, at) => json!({
            "at": at, "release": release.id, "phase": release.phase.name(), "outcome": release.outcome,
            "reasons": release.verdict.as_ref().map_or(&[][..], |verdict| verdict.reasons()),
            "policy_hash": release.verdict.as_ref().map(|verdict| verdict.policy_hash()),
        }),
    }
}

fn explain_case(named: &str, args: &ExplainArgs, file: ConfigFile<'_>) -> Result<(), Refused> {
    let dir = args.policies.as_deref().unwrap_or(Path::new(DIR_DEFAULT));
    let text = rules::read(dir, file)?;
    let (path, name) = split(named);
    let content = policies::read_file(path)
        .map_err(|error| Refused(format!("The case cannot be read: {error}. Write --case FILE or FILE:NAME.")))?;
    let cases = PolicyCase::read(&path.display().to_string(), &content, &text.vocabulary)
        .map_err(|mistakes| rules::mistaken("The case file has mistakes.", &mistakes))?;
    let set = rules::parse(&text)?;
    let asked = |case| (case, test::policies(&text).ask(&set, case));
    let asked: Vec<_> = chosen(&cases, name)?.into_iter().map(asked).collect();
    if args.json {
        let documents: Vec<_> = asked.iter().map(|(case, got)| case_document(case, got)).collect();
        screen::show_json(&json!({ "cases": documents, "policy_hash": set.hash() }));
        return Ok(());
    }
    for (case, got) in &asked {
        screen::show(&explained(case, got), case.timezone(), case.now());
    }
    Ok(())
}

fn case_document(case: &PolicyCase, got: &Got) -> Value {
    let mut document = json!({
        "file": case.file, "line": case.line, "name": case.name, "subject": case.subject(), "at": case.now(),
        "complaints": case.complaints(got),
    });
    match got {
        Got::Decision(decision) => {
            document["decision"] = if decision.is_allow() { "allow" } else { "deny" }.into();
            document["reasons"] = json!(decision.reasons());
        }
        Got::Mistakes(mistakes) => {
            document["mistakes"] = mistakes.iter().map(ToString::to_string).collect();
        }
    }
    document
}

/// The file, and the name behind the colon: a whole text that is a file has none.
fn split(named: &str) -> (&Path, Option<&str>) {
    let whole = Path::new(named);
    let colons = named.match_indices(".toml:").map(|(at, _)| at + ".toml".len());
    match colons.into_iter().next() {
        Some(at) if !whole.exists() => (Path::new(&named[..at]), Some(&named[at + 1..])),
        _ => (whole, None),
    }
}

/// The case of that name, or the only one that has it in its name; without a name, all.
fn chosen<'c>(cases: &'c [PolicyCase], name: Option<&str>) -> Result<Vec<&'c PolicyCase>, Refused> {
    let Some(name) = name else { return Ok(cases.iter().collect()) };
    if let Some(case) = cases.iter().find(|case| case.name == name) {
        return Ok(vec![case]);
    }
    let found: Vec<_> = cases.iter().filter(|case| case.name.to_lowercase().contains(&name.to_lowercase())).collect();
    match found.len() {
        1 => Ok(found),
        n => {
            let names: String = cases.iter().map(|case| format!("\n  {}", case.name)).collect();
            let many = if n == 0 { "No case" } else { "More than one case" };
            Err(Refused(format!("{many} is called \"{name}\". There are:{names}")))
        }
    }
}

fn failed(error: impl ToString) -> Refused {
    Refused(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use slipway_core::policy::Vocabulary;

    #[test]
    fn what_is_to_be_explained_is_said_in_one_of_three_ways() {
        let read = |line: &str| Cli::from_words(line.split(' ')).map(|_| ()).map_err(|error| error.exit_code());
        for right in [
            "slipway policy explain 01M83P94",
            "slipway policy explain deploy production --as ana",
            "slipway policy explain deploy production goals --as ana --json --policies other",
            "slipway policy explain --json deploy production --as ana",
            "slipway policy explain --case policies/tests/votes.toml:Nobody",
        ] {
            assert_eq!(read(right), Ok(()), "{right}");
        }
        for wrong in [
            "slipway policy explain",
            "slipway policy explain deploy production",
            "slipway policy explain deploy --as ana",
            "slipway policy explain 01M83P94 --case x.toml",
            "slipway policy explain 01M83P94 deploy production --as ana",
            "slipway policy explain --case x.toml deploy production --as ana",
        ] {
            assert_eq!(read(wrong), Err(2), "{wrong}");
        }
    }

    #[test]
    fn a_case_is_named_behind_the_file() {
        let of = |named| split(named).1;
        assert_eq!(split("a/b.toml:What is: right"), (Path::new("a/b.toml"), Some("What is: right")));
        assert_eq!(of("a/b.toml"), None);
        assert_eq!(of("C:/a/b.toml"), None);
    }

    #[test]
    fn a_case_is_found_by_a_part_of_its_name_if_that_is_enough() {
        let names = Vocabulary { teams: ["x".into()].into(), environments: ["staging".into()].into() };
        let base = "[base]\npeople = { ana = [] }\nservice = \"s\"\nenvironment = \"staging\"\nrequester = \"ana\"\n\
                    now = \"2026-11-25 12:00\"\n";
        let cases =
            ["Ana may", "Ana may not", "Bob may"].map(|n| format!("[[case]]\nname = \"{n}\"\nexpect = \"allow\"\n"));
        let cases = PolicyCase::read("x.toml", &format!("{base}{}", cases.concat()), &names).unwrap();
        let found = |name| chosen(&cases, name).map(|found| found.len()).map_err(|refused| refused.0);
        assert_eq!((found(None), found(Some("bob")), found(Some("Ana may"))), (Ok(3), Ok(1), Ok(1)));
        assert!(
            found(Some("may"))
                .unwrap_err()
                .starts_with("More than one case is called \"may\". There are:\n  Ana may\n")
        );
        assert!(found(Some("eve")).unwrap_err().starts_with("No case is called \"eve\"."));
    }
}
