//! Forms, and the lines that they stand for.

use super::*;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;

/// What a chat allows in a form.
const NAME_LIMIT_CHARS: usize = 32;
const OPTION_LIMIT: usize = 25;

/// Every form that has options of its own, with the words that name it.
fn leaves() -> Vec<(String, Option<String>, Vec<CommandOption>)> {
    let mut leaves = vec![];
    for form in forms() {
        for sub in &form.sub_commands {
            leaves.push((form.name.clone(), Some(sub.name.clone()), sub.options.clone()));
        }
        if form.sub_commands.is_empty() {
            leaves.push((form.name, None, form.options));
        }
    }
    leaves
}

fn values(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn line(command: &str, sub: Option<&str>, of: &[(&str, &str)]) -> String {
    match line_of(command, sub, &values(of)) {
        Ok(line) => line,
        Err(mistake) => format!("refused: {}", text(&mistake.message().headline)),
    }
}

#[test]
fn what_a_chat_shows_while_one_types() {
    let option = |option: &CommandOption| {
        let mark = if option.required { "!" } else { "" };
        format!("\n    {}{mark} {:?}: {}", option.name, option.kind, option.description)
    };
    let leaf = |(command, sub, options): &(String, Option<String>, Vec<CommandOption>)| {
        let options: String = options.iter().map(option).collect();
        format!("/{command} {}{options}", sub.as_deref().unwrap_or_default()).replace(" \n", "\n")
    };
    let all: Vec<_> = leaves().iter().map(leaf).collect();
    expect![[r#"
        /deploy
            environment! Environment: which environment
            reference Reference: branch, tag or commit; without it the newest of the default branch
            service ServiceOrAll: which service, where there is more than one; all for every one
            dry-run Flag: only show the plan
            reason Text: why, for those who read of it
            config Flag: only the configuration: what runs, once more, with the settings of now
            when Text: later: green, unlocked, 15:00, monday 9:00, tomorrow 9:00 or in 2h
        /rollback
            environment! Environment: which environment
            release Release: its id, or the beginning of it
            service Service: which service, where there is more than one
            reason Text: why, for those who read of it
            migrations Flag: take back what the older version does not know, once that runs and is well
        /migrate
            environment! Environment: which environment
            what Choice(["status", "plan", "up", "down"]): look (status, plan), apply what is pending (up), or take back what was applied last (down)
            count Count: for down: how many migrations are taken back
            reference Reference: branch, tag or commit; without it the newest of the default branch
            service Service: which service, where there is more than one
            continue Flag: for up: go on with a file that an earlier run left half done
            reason Text: why, for those who read of it
        /release ship
            pull-request! Text: its number, or its address on GitHub
            environment Environment: where to; without it where what is merged goes first
            service Service: which service, where there is more than one
            dry-run Flag: only say what the merge waits for; nothing is merged or deployed
            reason Text: why, for those who read of it
        /release status
            environment Environment: only this environment
        /release history
            environment Environment: only this environment
        /release show
            release! Release: its id, or the beginning of it
        /release why
            release Release: its id, or the beginning of it
            environment Environment: instead of a release: what a deployment there would meet
            service Service: which service, where there is more than one
        /release queue
            environment Environment: only this environment
            bump Release: put this waiting release first in its queue
        /release approve
            release Release: its id, or the beginning of it
        /release veto
            release Release: its id, or the beginning of it
        /release withdraw
            release Release: its id, or the beginning of it
        /release cancel
            release Release: its id, or the beginning of it
        /release retry
            release Release: its id, or the beginning of it
            rerun Flag: run the failed CI jobs again first
        /release bad
            release! Release: its id, or the beginning of it; or an environment: what is live there
            reason Text: why it is bad, for those who read of it
            service Service: which service, where there is more than one
            undo Flag: take the mark away
        /release lock
            environment! Environment: which environment
            reason Text: why; a lock that is handed over keeps its own
            service Service: which service, where there is more than one
            for Duration: for how long, such as 30m, 2h or 2d
            to Person: whose the lock becomes
        /release unlock
            environment! Environment: which environment
            service Service: which service, where there is more than one
        /release resume
            environment Environment: only this environment
            service Service: which service, where there is more than one
        /release override
            release! Release: its id, or the beginning of it
            incident! Text: the incident that it is for
            reason! Text: why, for those who read of it
        /release config
            environment Environment: only this environment
        /release link
            code Text: the code; or confirm, or refuse, or remove and a chat; without it you get a code
        /release help
            command Text: about one command, such as deploy"#]]
    .assert_eq(all.join("\n").trim_end());
}

#[test]
fn forms_keep_within_what_a_chat_allows() {
    let fits = |name: &str, description: &str| {
        let plain = name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        assert!(plain && (1..=NAME_LIMIT_CHARS).contains(&name.len()), "{name}");
        assert!((1..=DESCRIPTION_LIMIT_CHARS).contains(&description.chars().count()), "{description}");
    };
    let mut all = forms();
    while let Some(form) = all.pop() {
        fits(&form.name, &form.description);
        assert!(form.options.is_empty() || form.sub_commands.is_empty(), "{} has both", form.name);
        assert!(form.options.len() <= OPTION_LIMIT && form.sub_commands.len() <= OPTION_LIMIT, "{}", form.name);
        assert!(form.options.is_sorted_by_key(|option| !option.required), "{}: required first", form.name);
        form.options.iter().for_each(|option| fits(&option.name, &option.description));
        all.extend(form.sub_commands);
    }
}

#[test]
fn every_option_of_the_grammar_is_in_the_form_and_the_other_way_round() {
    for definition in DEFINITIONS {
        for (name, needs_value) in definition.options {
            let slot = definition.slots.iter().find(|slot| slot.name == *name);
            let is_flag = slot.map(|slot| slot.kind == OptionKind::Flag);
            assert_eq!(is_flag, Some(needs_value.is_none()), "{} --{name}", definition.line());
        }
        let options = definition.slots.iter().filter(|slot| matches!(slot.place, slots::Place::Option));
        assert_eq!(options.count(), definition.options.len(), "{}", definition.line());
        assert!(leaves().iter().any(|(command, sub, _)| {
            definition.path.iter().copied().eq([command.as_str()].into_iter().chain(sub.as_deref()))
        }));
    }
}

#[test]
fn lines_are_what_one_could_have_typed() {
    let account = "845027738276462632";
    let lines = [
        line("deploy", None, &[("environment", "staging")]),
        line("deploy", None, &[("environment", "staging"), ("reference", "goals"), ("dry-run", "true")]),
        line("deploy", None, &[("environment", "staging"), ("service", "goals"), ("dry-run", "false")]),
        line("rollback", None, &[("environment", "production"), ("reason", "it \"broke\" --dry-run\nyes")]),
        line("release", Some("why"), &[("release", "deploy")]),
        line("release", Some("why"), &[("environment", "production"), ("service", "goals")]),
        line("release", Some("lock"), &[("environment", "help"), ("to", account), ("for", "2h"), ("reason", " ")]),
        line("release", Some("link"), &[("code", "remove discord")]),
        line("release", Some("status"), &[]),
        line("migrate", None, &[]),
        line("migrate", None, &[("environment", "staging")]),
        line("migrate", None, &[("environment", "staging"), ("what", "down"), ("count", "2"), ("reason", "x")]),
        line("migrate", None, &[("environment", "staging"), ("what", "up"), ("reference", "2"), ("continue", "true")]),
        line("migrate", None, &[("environment", "staging"), ("what", "sideways")]),
        line("release", None, &[]),
        line("release", Some("ship"), &[]),
        line("deploy", None, &[]),
        line("deploy", None, &[("environment", "staging"), ("when", "green")]),
        line("deploy", None, &[("environment", "staging"), ("dry-run", "yes")]),
        line("deploy", None, &[("environment", "staging"), ("reference", "a\"b")]),
        line("deploy", None, &[("environment", "staging"), ("reason", "\u{202e}x")]),
        line("deploy", None, &[("environment", "staging"), ("reason", &"x".repeat(TEXT_LIMIT_CHARS))]),
    ];
    expect![[r#"
        /deploy staging
        /deploy staging "goals" --dry-run
        /deploy staging --service goals
        /rollback production --reason "it 'broke' --dry-run yes"
        /release why "deploy"
        /release why deploy production --service goals
        /release lock "help" --for 2h --to "<@845027738276462632>"
        /release link "remove discord"
        /release status
        refused: environment is missing. Nothing was started.
        /migrate staging
        /migrate staging down 2 --reason "x"
        /migrate staging up "2" --continue
        refused: what is none of what there is. Nothing was started.
        /release
        refused: pull-request is missing. Nothing was started.
        refused: environment is missing. Nothing was started.
        /deploy staging --when "green"
        refused: dry-run is either true or false. Nothing was started.
        refused: reference holds what no line can say: quotation marks or control characters. Nothing was started.
        refused: There are control characters in that line; type it again. Nothing was started.
        refused: That is longer than 2000 characters. Nothing was started."#]]
    .assert_eq(&lines.join("\n"));
}

/// Values that would like to be something else.
fn hostile() -> impl Strategy<Value = String> {
    const KNOWN: [&str; 26] = [
        "--dry-run",
        "\"",
        "x\" --dry-run \"",
        "” --dry-run “",
        "—dry-run",
        "-for",
        "--to=bob",
        "help",
        "--help",
        "deploy",
        "staging",
        "goals",
        "all",
        "a b",
        "’",
        "‘x",
        "'",
        "=",
        "\n/deploy production",
        "\u{202e}x",
        "v1\u{200b}",
        "<@123>",
        "<@U1|bob>",
        "@here",
        "",
        "\u{7}",
    ];
    prop_oneof![select(&KNOWN[..]).prop_map(str::to_owned), "\\PC{0,8}", ".{0,8}"]
}

fn value(kind: OptionKind) -> impl Strategy<Value = String> {
    let right: &'static [&'static str] = match kind {
        OptionKind::Environment => &["staging", "Production"],
        OptionKind::Service => &["goals", "billing", "Goals"],
        OptionKind::Reference => &["main", "feature/X", "goals", "v1.8.0"],
        OptionKind::Release => &["01JD7Q4N", "deploy", "goals"],
        OptionKind::Text => {
            &["because", "green", "it’s “late” --for 2h", "confirm", "remove Discord", "K7QF-2M9X", "release why"]
        }
        OptionKind::Flag => &["true", "false"],
        OptionKind::Person => &["bob", "@Ana", "845027738276462632"],
        OptionKind::Duration => &["2h", "1h30m"],
        OptionKind::Count => &["5"],
        OptionKind::Choice(words) => words,
        OptionKind::ServiceOrAll => &["goals", "billing", "all", "All"],
    };
    prop_oneof![6 => select(right).prop_map(str::to_owned), 1 => hostile()]
}

/// A form that was filled in somehow.
fn filled() -> impl Strategy<Value = (String, Option<String>, BTreeMap<String, String>)> {
    select(leaves()).prop_flat_map(|(command, sub, options)| {
        let of_option = |option: CommandOption| {
            let (name, chance) = (option.name, if option.required { 0.95 } else { 0.5 });
            proptest::option::weighted(chance, value(option.kind)).prop_map(move |value| Some((name.clone(), value?)))
        };
        let values: Vec<_> = options.into_iter().map(of_option).collect();
        values.prop_map(move |values| (command.clone(), sub.clone(), values.into_iter().flatten().collect()))
    })
}

/// What `/migrate` is to do, by its form.
fn migrate_act(get: &impl Fn(&str) -> Option<String>) -> Option<MigrateAct> {
    Some(match (get("what").as_deref(), get("count"), get("continue").as_deref() == Some("true")) {
        (None | Some("status"), None, false) if get("reference").is_none() => MigrateAct::Status,
        (Some("plan"), None, false) => MigrateAct::Plan { reference: get("reference") },
        (Some("up"), None, goes_on) => MigrateAct::Up { reference: get("reference"), goes_on },
        (Some("down"), Some(count), false) if get("reference").is_none() => {
            MigrateAct::Down { count: count.parse().ok()? }
        }
        _ => return None,
    })
}

/// What `/deploy` is to do, by its form. A time of day is none of what forms say here; `when.rs` has those.
fn deployment(
    get: &impl Fn(&str) -> Option<String>,
    said: &impl Fn(&str) -> Option<String>,
    environment: EnvironmentName,
    service: ServiceName,
) -> Option<Command> {
    let flag = |name: &str| get(name).as_deref() == Some("true");
    let (reference, reason, dry_run) = (get("reference"), said("reason"), flag("dry-run"));
    match (said("when").as_deref(), flag("config")) {
        (Some("green"), false) if !dry_run => {
            Some(Command::DeployWhen { environment, service, reference, when: When::Green, reason })
        }
        (Some(_), _) => None,
        (None, true) if reference.is_some() => None,
        (None, true) => Some(Command::DeployConfig { environment, service, dry_run, reason }),
        (None, false) => {
            // Every service that has the environment: that is the only one there is here.
            let service = if service.as_str() == "all" { "goals".into() } else { service };
            Some(Command::Deploy { environment, service, reference, dry_run, reason })
        }
    }
}

/// The command that a filled-in form means, told without a line.
fn meant(command: &str, sub: Option<&str>, values: &BTreeMap<String, String>) -> Option<Command> {
    let get = |name: &str| values.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let said = |name: &str| {
        let text = quoted(&get(name)?);
        Some(text[1..text.len() - 1].to_owned()).filter(|text| !text.trim().is_empty())
    };
    let environment_if_any = || get("environment").map(|name| EnvironmentName::from(name.to_lowercase().as_str()));
    let service = || get("service").map_or("goals".into(), |name| ServiceName::from(name.to_lowercase().as_str()));
    let (environment, release, reason) = (environment_if_any(), get("release"), said("reason"));
    let for_s = get("for").and_then(|text| [("2h", 7_200), ("1h30m", 5_400)].into_iter().find(|(t, _)| *t == text));
    let for_s = for_s.map(|(_, seconds)| seconds);
    Some(match (command, sub) {
        ("deploy", None) => return deployment(&get, &said, environment?, service()),
        ("rollback", None) => Command::Rollback {
            environment: environment?,
            service: service(),
            release,
            reason,
            migrations: get("migrations").as_deref() == Some("true"),
        },
        ("migrate", None) => {
            Command::Migrate { environment: environment?, service: service(), act: migrate_act(&get)?, reason }
        }
        ("release", Some("status")) => Command::Status { environment },
        ("release", Some("history")) => Command::History { environment },
        ("release", Some("queue")) => match (get("bump"), environment) {
            (None, environment) => Command::Queue { environment },
            (Some(release), None) => Command::Bump { release },
            (Some(_), Some(_)) => return None,
        },
        ("release", Some("show")) => Command::Show { release: release? },
        ("release", Some("why")) => Command::Why {
            about: match (release, environment) {
                (Some(release), None) => WhyAbout::Release(release),
                (None, Some(environment)) => WhyAbout::Deploy { environment, service: service() },
                _ => return None,
            },
        },
        ("release", Some("approve")) => Command::Approve { release },
        ("release", Some("veto")) => Command::Veto { release },
        ("release", Some("withdraw")) => Command::Withdraw { release },
        ("release", Some("cancel")) => Command::Cancel { release },
        ("release", Some("retry")) => Command::Retry { release, rerun: get("rerun").as_deref() == Some("true") },
        ("release", Some("lock")) => match get("to") {
            None => Command::Lock { environment: environment?, service: service(), reason: reason?, for_s },
            Some(to) => Command::HandOver {
                environment: environment?,
                service: service(),
                to: match to.trim_start_matches('@').to_lowercase().as_str() {
                    name @ ("ana" | "bob") => Whom::Named(name.into()),
                    "<@123>" => Whom::Mentioned("123".into()),
                    "<@u1|bob>" => Whom::Mentioned("U1".into()),
                    _ => Whom::Mentioned(to),
                },
                reason,
                for_s,
            },
        },
        ("release", Some("unlock")) => Command::Unlock { environment: environment?, service: service() },
        ("release", Some("override")) => {
            Command::Override { release: release?, incident: said("incident")?, reason: reason? }
        }
        ("release", Some("link")) => Command::Link {
            act: match said("code").map(|text| text.to_lowercase()).as_deref() {
                None => LinkAct::Begin,
                Some("confirm") => LinkAct::Confirm,
                Some("remove discord") => LinkAct::Remove(Platform::Discord),
                Some(code) => LinkAct::Claim(Code::parse(code)?),
            },
        },
        ("release", Some("bad")) => {
            let (release, undo) = (release?, get("undo").as_deref() == Some("true"));
            let named = release.to_lowercase();
            let which = match ["staging", "production"].contains(&named.as_str()) {
                true => WhichRelease::LiveOn { environment: named.as_str().into(), service: service() },
                false if get("service").is_some() => return None,
                false => WhichRelease::Named(release),
            };
            Command::Bad { which, reason, undo }
        }
        ("release", Some("help")) => Command::Help { topic: said("command") },
        ("release", Some("config")) => Command::Config { environment },
        ("release", Some("ship")) => {
            let (pull, repository) = crate::pull::named(&said("pull-request")?)?;
            let (service, dry_run) = (get("service").map(|_| service()), get("dry-run").as_deref() == Some("true"));
            Command::Ship { pull, repository, environment, service, dry_run, reason }
        }
        ("release", Some("resume")) => match environment {
            None if get("service").is_some() => return None,
            None => Command::Resume { environment: None, service: None },
            Some(environment) => Command::Resume { environment: Some(environment), service: Some(service()) },
        },
        _ => return None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// A form never does something that it does not say, whatever stands in it.
    #[test]
    fn a_form_means_what_stands_in_it((command, sub, values) in filled()) {
        let Ok(line) = line_of(&command, sub.as_deref(), &values) else { return Ok(()) };
        if let Ok(parsed) = parse(&line, &words()) {
            prop_assert_eq!(Some(parsed), meant(&command, sub.as_deref(), &values), "{}", line);
        }
    }

    /// What is right is never refused, whatever reason stands beside it.
    #[test]
    fn a_right_form_is_understood(reason in "[^\u{ad}\\p{Cc}\\p{Cf}]{0,40}", service in any::<bool>(), dry_run in any::<bool>()) {
        let mut of = vec![("environment", "staging"), ("reference", "goals"), ("reason", reason.as_str())];
        of.extend(service.then_some(("service", "goals")));
        of.extend(dry_run.then_some(("dry-run", "true")));
        let values = values(&of);
        let line = line_of("deploy", None, &values).unwrap();
        prop_assert_eq!(Some(parse(&line, &words()).unwrap()), meant("deploy", None, &values), "{}", line);
    }
}
