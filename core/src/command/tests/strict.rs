//! Lines that look like a command and are none, and what is said to them.

use super::*;
use crate::message::terminal::{TerminalOptions, render};
use proptest::prelude::*;

/// Lines that were once read as a deployment, or easily would be.
const NO_BRANCHES: &[&str] = &[
    // Deployed for real, with the reason "--dry-run".
    "/deploy production --reason --dry-run",
    "/deploy production --reason \"\"",
    "/deploy production --reason=",
    // A reference that says something else.
    "/deploy staging all --config",
    "/migrate staging up ALL",
    "/deploy staging -dry-run",
    "/deploy staging —",
    "/deploy staging \"-x\"",
    // The field of a chat that is for the reference.
    "/deploy staging \"--dry-run\"",
    "/deploy staging \"\"",
    "/deploy staging \"a b\"",
    "/deploy staging \"v1\u{200b}\"",
    "/deploy staging v1\u{200b}",
    "/deploy staging “\u{202e}x”",
    "deploy staging\nThanks",
    "/deploy staging \"main",
    // Said to somebody else.
    "@bob deploy production",
    // The prefix of every release, and no release.
    "/release cancel \"\"",
    "/rollback production all",
    "/release approve production",
    "/release show goals/main",
    // Several times the same, and later options in capitals.
    "/deploy staging --dry-run --dry-run",
    "/deploy staging --dry-run=no",
    "/deploy staging --WHEN gren",
    "/rollback production --migrations=no",
    "/release bad 01JD7Q4N goals --undo",
    "/release bad 01JD7Q4N --service goals",
    "/release lock production goals",
    "/release unlock all",
];

fn shown(line: &str) -> String {
    mistake(line, &words()).replace('\n', "\n  ").replace('\u{200b}', "<200b>")
}

#[test]
fn what_looks_like_something_else_is_never_taken_for_a_branch_or_a_reason() {
    let said: Vec<_> = NO_BRANCHES.iter().map(|line| format!("{line:?}\n  {}", shown(line))).collect();
    expect![[r#"
        "/deploy production --reason --dry-run"
          --reason needs a value: --reason "…". Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        "/deploy production --reason \"\""
          --reason needs a value: --reason "…". Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        "/deploy production --reason="
          --reason needs a value: --reason "…". Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        "/deploy staging all --config"
          all goes with /deploy alone, without --when and --config. Nothing was started.
            Name one service, and ask once for each.
        "/migrate staging up ALL"
          all goes with /deploy alone, without --when and --config. Nothing was started.
            Name one service, and ask once for each.
        "/deploy staging -dry-run"
          There is no option -dry-run. Did you mean --dry-run? Nothing was started.
        "/deploy staging —"
          There is no option --. Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        "/deploy staging \"-x\""
          "-x" is no name. Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        "/deploy staging \"--dry-run\""
          "--dry-run" is no name. It is an option: where a command has fields, choose the field dry-run. Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        "/deploy staging \"\""
          "" is no name. Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        "/deploy staging \"a b\""
          "a b" is no name. Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        "/deploy staging \"v1\u{200b}\""
          "v1<200b>" is no name. Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        "/deploy staging v1\u{200b}"
          There are invisible characters in that line; type it again. Nothing was started.
        "/deploy staging “\u{202e}x”"
          There are control characters in that line; type it again. Nothing was started.
        "deploy staging\nThanks"
          One command is one line; that is several. Nothing was started.
        "/deploy staging \"main"
          A quotation mark is open: end it with ". Nothing was started.
        "@bob deploy production"
          There is no command /@bob. Nothing was started.
            What there is: /release help
        "/release cancel \"\""
          "" is no name. Nothing was started.
            Usage: /release cancel [release]
        "/rollback production all"
          all goes with /deploy alone, without --when and --config. Nothing was started.
            Name one service, and ask once for each.
        "/release approve production"
          "production" is no release. Releases have ids such as 01JD7Q4N. Nothing was started.
            Usage: /release approve [release]
        "/release show goals/main"
          "goals/main" is no release. Releases have ids such as 01JD7Q4N. Nothing was started.
            Usage: /release show <release>
        "/deploy staging --dry-run --dry-run"
          --dry-run is there twice. Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        "/deploy staging --dry-run=no"
          --dry-run takes no value. Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        "/deploy staging --WHEN gren"
          I do not know when "gren" is. Did you mean green? Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        "/rollback production --migrations=no"
          --migrations takes no value. Nothing was started.
            Usage: /rollback <environment> [release] [service] [--migrations] [--reason "…"]
        "/release bad 01JD7Q4N goals --undo"
          A mark is taken away without a reason. Nothing was started.
            Usage: /release bad <release or environment> ["reason"] [service] [--undo]
        "/release bad 01JD7Q4N --service goals"
          I do not know what --service means here. Nothing was started.
            Usage: /release bad <release or environment> ["reason"] [service] [--undo]
        "/release lock production goals"
          A lock needs a reason, in quotation marks. Nothing was started.
            Usage: /release lock <environment> "reason" [service] [--for 2h] [--to bob]
        "/release unlock all"
          There is no environment "all". There are: production, staging. Nothing was started."#]]
    .assert_eq(&said.join("\n"));
    for long in ["x".repeat(TEXT_LIMIT_CHARS), format!("/deploy staging {}", "x".repeat(300))] {
        assert!(parse(&long, &words()).is_err());
    }
}

#[test]
fn quotation_marks_make_a_branch_or_a_reason_of_any_word() {
    let Command::Deploy { service, reference, .. } = parse("/deploy staging \"goals\"", &words()).unwrap() else {
        panic!()
    };
    assert_eq!((service.as_str(), reference.as_deref()), ("goals", Some("goals")));
    let Command::Lock { reason, for_s, .. } = parse("/release lock production “all” —for 2h", &words()).unwrap()
    else {
        panic!()
    };
    assert_eq!((reason.as_str(), for_s), ("all", Some(7_200)));
    let Command::Deploy { reason, reference, .. } =
        parse("/deploy staging −−reason ‘it’s late’ −−dry-run", &words()).unwrap()
    else {
        panic!()
    };
    assert_eq!((reason.as_deref(), reference), (Some("it’s late"), None));
}

#[test]
fn what_is_of_a_later_version_is_told_apart_from_what_is_wrong() {
    let kind = |line: &str| parse(line, &words()).expect_err(line).kind();
    for line in ["/release stats", "/release STATS"] {
        assert_eq!(kind(line), MistakeKind::NotYet, "{line}");
        let said = mistake(line, &words());
        assert!(said.contains("not in this version yet. Nothing was started.\n  Instead: "), "{said}");
    }
    assert_eq!(kind("/release moon"), MistakeKind::Typed);
}

#[test]
fn help_is_found_wherever_it_is_asked_for() {
    let topic = |line: &str| match parse(line, &words()).unwrap() {
        Command::Help { topic } => topic,
        other => panic!("{other:?}"),
    };
    assert_eq!(topic("help"), None);
    assert_eq!(topic("@slipway help deploy").as_deref(), Some("deploy"));
    assert_eq!(topic("/deploy help").as_deref(), Some("deploy"));
    assert_eq!(topic("/release lock —help").as_deref(), Some("release lock"));
    assert_eq!(topic("/release help release lock").as_deref(), Some("release lock"));
    let headline = |topic: &str| text(&help(Some(topic), &words()).headline);
    assert_eq!(headline("release lock"), lock::LOCK.usage);
    assert_eq!(headline("release"), "What you can type");
    assert!(headline("release stats").contains("not in this version yet"));
    assert!(headline("stats").contains("not in this version yet"));
    let shown = |topic: Option<&str>| {
        let options = TerminalOptions::new(80, false, jiff::Timestamp::UNIX_EPOCH);
        render(&help(topic, &words()), &options).join("\n")
    };
    expect![[r#"
        What you can type
        /deploy            bring a commit to an environment; without a reference the
                           newest of the default branch
        /rollback          bring back what ran before, or what a release brought;
                           migrations stay applied without --migrations
        /migrate           what is applied (status), what is pending (plan); apply it
                           (up) or take the last N back (down N)
        /release ship      squash-merge a pull request once its checks and reviews are
                           green, then deploy the merge commit
        /release status    what runs where, since when, and what waits
        /release history   the newest releases and how they ended
        /release show      everything about one release
        /release why       why a release does not run, what would clear it, and who can
        /release queue     who waits for what, in which order; --bump puts a waiting
                           release first
        /release approve   vote for the plan; without a release the only one that waits
                           (or react with ✅)
        /release veto      hold it until you take the veto back (or react with ❌)
        /release withdraw  take back your vote, until the release runs
        /release cancel    stop a release while its step can be stopped, or take back a
                           deployment for later
        /release retry     the same commit again, as a new release; without one the
                           newest that failed or was cancelled
        /release bad       mark what it brought as bad: nothing brings it anywhere
                           again, not even a rollback
        /release lock      keep everybody else's releases from an environment; again:
                           prolong it, --to: hand it over
        /release unlock    end a lock
        /release resume    let releases start by themselves again after a failure or a
                           rollback
        /release override  break the glass: set rules aside for one plan; announced and
                           logged, needed or not
        /release config    the keys of the configuration, and which changed since what
                           runs was started; never values
        /release link      make your account in another chat one person with you, by a
                           code confirmed from both sides
        /release help      this list, or more about one command

        Environments: production, staging. More about one command: /release help deploy"#]]
    .assert_eq(&shown(None));
    expect![[r#"
        /deploy <environment> [branch, tag or commit] [service|all] [--dry-run]
        [--config] [--reason "…"] [--when green|unlocked|15:00]
        bring a commit to an environment; without a reference the newest of the default
        branch
        For example:
          /deploy staging
          /deploy production v1.8.0 --reason "fixes login"
          /deploy staging --dry-run
          /deploy staging --config
          /deploy production --when "monday 9:00"
          /deploy staging all"#]]
    .assert_eq(&shown(Some("deploy")));
}

#[test]
fn usage_names_every_option() {
    for definition in DEFINITIONS {
        for (option, _) in definition.options {
            // A service is a word for whoever types; forms name it by the option.
            let word = if *option == args::SERVICE { "[service".to_owned() } else { format!("--{option}") };
            assert!(definition.usage.contains(&word), "{} --{option}", definition.line());
        }
    }
}

#[test]
fn without_an_environment_there_is_still_an_answer() {
    let said = mistake("/deploy staging", &Words::default());
    assert_eq!(said, "There is no environment \"staging\". None is configured. Nothing was started.");
}

/// Lines that are nearly deployments: mostly right words, in any order.
const NEARLY: &str = concat!(
    "(/|@slipway |<@U1> )deploy (staging|Staging|production|stagin|\"staging\")",
    "([ \u{a0}]{1,2}(goals|main|--dry-run|—dry-run|--reason|--reason=x|--reason \"a --dry-run\"|--reason|-dry-run",
    "|\"--dry-run\"|\"\"|“a b”|’|\\PC)){0,4}"
);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Only an environment typed letter for letter is deployed to, only a name is a reference, and whoever typed
    /// `--dry-run` gets one.
    #[test]
    fn nearly_a_deployment_is_none(line in NEARLY) {
        match parse(&line, &words()) {
            Ok(Command::Deploy { environment, reference, dry_run, .. }) => {
                let typed = lexer::words(&line).unwrap();
                let is_there = |name: &str| typed.iter().any(|word| word.text.eq_ignore_ascii_case(name));
                prop_assert!(is_there(environment.as_str()), "{line:?}");
                let bad = |name: &String| name.is_empty() || name.starts_with('-') || name.contains(char::is_whitespace);
                prop_assert!(!reference.as_ref().is_some_and(bad), "{line:?}: {reference:?}");
                let asked = typed.iter().any(|word| !word.quoted && word.text == "--dry-run");
                prop_assert_eq!(dry_run, asked, "{:?}", line);
            }
            Ok(other) => prop_assert!(false, "{line:?}: {other:?}"),
            Err(mistake) => {
                let headline = text(&mistake.message().headline);
                prop_assert!(headline.ends_with("Nothing was started."), "{line:?}: {headline}");
            }
        }
    }
}

#[test]
fn all_is_every_service_that_has_the_environment() {
    let all = |line: &str| match parse(line, &two_services()).unwrap() {
        Command::DeployAll { services, reference, dry_run, .. } => {
            let services: Vec<_> = services.iter().map(|service| service.as_str().to_owned()).collect();
            (services.join(" "), reference, dry_run)
        }
        Command::Deploy { service, reference, dry_run, .. } => (service.as_str().to_owned(), reference, dry_run),
        other => panic!("{other:?}"),
    };
    assert_eq!(all("/deploy staging all"), ("goals billing".into(), None, false));
    assert_eq!(all("/deploy staging v1.8.0 ALL --dry-run"), ("goals billing".into(), Some("v1.8.0".into()), true));
    assert_eq!(all("/deploy staging main --service all"), ("goals billing".into(), Some("main".into()), false));
    assert_eq!(all("/deploy production all"), ("goals".into(), None, false), "one alone is an ordinary deployment");
    assert_eq!(all("/deploy staging \"all\" goals"), ("goals".into(), Some("all".into()), false), "a branch");

    let mut many = two_services();
    for n in 0..9 {
        many.services.push(format!("service-{n}").as_str().into());
        many.environments.insert(format!("service-{n}").as_str().into(), vec!["staging".into()]);
    }
    let said = mistake("/deploy staging all", &many);
    assert!(
        said.starts_with("11 services have staging, and at most 10 can go together. Nothing was started."),
        "{said}"
    );
}
