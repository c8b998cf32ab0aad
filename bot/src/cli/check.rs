//! `slipway check`: everything that is wrong with the configuration and what it needs, before it matters.

use super::Refused;
use super::paint::Paint;
use crate::assemble;
use crate::config::{Config, Report, Secrets, Severity};
use crate::probe::{self, PROBE_TIMEOUT, Probe, ProbeResult};
use crate::readiness::Readiness;
use clap::Args;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

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

/// Policies, then every repository, image repository, target and secret that the configuration names.
async fn reach(config: &Config, secrets: &Secrets) -> Vec<(String, ProbeResult)> {
    let policies = "policies".to_owned();
    let setup = match assemble::setup(config) {
        Ok(setup) => setup,
        Err(error) => return vec![(policies, ProbeResult::fail(error.to_string(), ""))],
    };
    let from = config.policies_dir.as_ref().map_or("built in".to_owned(), |folder| folder.display().to_string());
    let set = setup.policies();
    let says = format!("{} rules, {from}, hash {}", set.rule_ids().count(), &set.hash()[..12.min(set.hash().len())]);
    let mut answers = vec![(policies, ProbeResult::ok(says))];
    let outside = match assemble::outside(config, secrets).await {
        Ok(outside) => outside,
        Err(error) => {
            answers.push(("outside".to_owned(), ProbeResult::fail(error.to_string(), "")));
            return answers;
        }
    };
    let parts = Readiness::new(Arc::new(outside), Arc::new(setup)).look_now().await;
    let answer = |(name, state): (String, Result<(), String>)| match state {
        Ok(()) => (name, ProbeResult::ok("can be reached and read")),
        Err(error) => (name, ProbeResult::fail(error, "")),
    };
    answers.extend(parts.into_iter().map(answer));
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
        let mark = if *ok { paint.good("ok  ") } else { paint.bad("FAIL") };
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
    use expect_test::expect;

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
            slipway.toml:6:10  note  discord  accepted, not used by this version: nothing is posted to Discord yet
            slipway.toml: no errors, 1 warning, 1 note
            ok    store              slipway.db will be created when Slipway starts
            FAIL  GITHUB_TOKEN       is not set, and services are read from GitHub
                                     → set GITHUB_TOKEN, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY
            FAIL  SLIPWAY_API_TOKEN  is not set, and 0.0.0.0:8080 is open to other machines
                                     → set it to a long random text, or listen on 127.0.0.1
            ok    DISCORD_TOKEN      is not set; this version does not use it, a later one will need it
        "#]]
        .assert_eq(&text.replace(&format!("{folder}/"), ""));
        assert!(findings(&report, Paint::Ansi).contains("\u{1b}[33m  warning  \u{1b}[0m"));
    }
}
