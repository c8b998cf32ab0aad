//! The grammar as people type it.

use super::*;
use crate::message::{Line, Span};
use expect_test::expect;

mod forms;
mod ship;
mod strict;

fn words() -> Words {
    let environments = vec!["staging".into(), "production".into()];
    Words {
        services: vec!["goals".into()],
        environments: [("goals".into(), environments)].into(),
        default_service: Some("goals".into()),
        people: vec!["ana".into(), "bob".into()],
    }
}

fn two_services() -> Words {
    let mut words = words();
    words.services.push("billing".into());
    words.environments.insert("billing".into(), vec!["staging".into()]);
    words.default_service = None;
    words
}

pub(super) fn text(line: &Line) -> String {
    let span = |span: &Span| match span {
        Span::Plain(text) | Span::Untrusted(text) | Span::Code(text) | Span::Strong(text) => text.clone(),
        other => format!("{other:?}"),
    };
    line.0.iter().map(span).collect()
}

fn mistake(line: &str, known: &Words) -> String {
    let message = parse(line, known).expect_err(line).message();
    let rest = message.body.iter().map(|block| match block {
        crate::message::Block::Line(line) => format!("\n  {}", text(line)),
        other => format!("{other:?}"),
    });
    format!("{}{}", text(&message.headline), rest.collect::<String>())
}

fn deploy_to(environment: &str) -> Command {
    Command::Deploy {
        environment: environment.into(),
        service: "goals".into(),
        reference: None,
        dry_run: false,
        reason: None,
    }
}

#[test]
fn the_same_command_in_every_clothing() {
    for line in [
        "/deploy staging",
        "deploy staging",
        "@slipway deploy staging",
        "@Slipway: deploy staging",
        "<@U123> deploy  staging ",
        "<@!845027738276462632>, /deploy staging\n",
        "/DEPLOY Staging",
        "/deploy staging goals",
    ] {
        assert_eq!(parse(line, &words()).unwrap(), deploy_to("staging"), "{line}");
    }
}

#[test]
fn references_keep_their_case_and_options_their_text() {
    let command = parse("/deploy production Feature/X —dry-run --reason “it’s --late”", &words()).unwrap();
    let expected = Command::Deploy {
        environment: "production".into(),
        service: "goals".into(),
        reference: Some("Feature/X".into()),
        dry_run: true,
        reason: Some("it’s --late".into()),
    };
    assert_eq!(command, expected);
}

#[test]
fn a_lone_service_name_is_the_service_and_not_a_branch() {
    let known = two_services();
    let Command::Deploy { service, reference, .. } = parse("/deploy staging billing", &known).unwrap() else {
        panic!()
    };
    assert_eq!((service.as_str(), reference), ("billing", None));
    let Command::Deploy { service, reference, .. } = parse("/deploy staging billing goals", &known).unwrap() else {
        panic!()
    };
    assert_eq!((service.as_str(), reference.as_deref()), ("goals", Some("billing")));
}

#[test]
fn a_lock_is_handed_to_a_name_or_to_a_mention() {
    let to = |typed: &str| match parse(&format!("/release lock production {typed}"), &words()) {
        Ok(Command::HandOver { to, reason, for_s, .. }) => (to, reason, for_s),
        other => panic!("{typed}: {other:?}"),
    };
    let bob = || Whom::Named("bob".into());
    assert_eq!(to("--to bob"), (bob(), None, None));
    assert_eq!(to("goals --to @Bob"), (bob(), None, None));
    assert_eq!(to("\"load test\" --to=bob --for 2h"), (bob(), Some("load test".into()), Some(7_200)));
    for mention in ["<@U012AB3CD>", "<@U012AB3CD|bob>", "<@!U012AB3CD>"] {
        assert_eq!(to(&format!("--to {mention}")).0, Whom::Mentioned("U012AB3CD".into()), "{mention}");
    }
}

#[test]
fn a_code_is_read_however_it_is_typed() {
    let act = |typed: &str| match parse(&format!("/release link {typed}"), &words()) {
        Ok(Command::Link { act }) => act,
        other => panic!("{typed}: {other:?}"),
    };
    let code = LinkAct::Claim(Code::parse("K7QF-2M9X").unwrap());
    for typed in ["K7QF-2M9X", "k7qf-2m9x", "K7QF2M9X", "\"K7QF-2M9X\"", "K7QF 2M9X"] {
        assert_eq!(act(typed), code, "{typed}");
    }
    assert_eq!(act(""), LinkAct::Begin);
    assert_eq!(act("CONFIRM"), LinkAct::Confirm);
    assert_eq!(act("refuse"), LinkAct::Refuse);
    assert_eq!(act("remove Discord"), LinkAct::Remove(Platform::Discord));
}

#[test]
fn every_example_of_the_help_parses_to_its_own_command() {
    for definition in DEFINITIONS {
        for example in definition.examples {
            let command = parse(example, &words()).unwrap_or_else(|mistake| panic!("{example}: {mistake:?}"));
            assert_eq!(command.name(), definition.line(), "{example}");
        }
    }
}

/// What is answered to each line.
fn said(lines: &[&str]) -> String {
    let answer = |line: &&str| format!("{line}\n  {}", mistake(line, &words()).replace('\n', "\n  "));
    lines.iter().map(answer).collect::<Vec<_>>().join("\n")
}

#[test]
fn people_codes_and_chats_have_a_nearest_spelling_too() {
    let lines = [
        "/release lock production --to bbo",
        "/release lock production --to U012AB3CD",
        "/release lock production --to <@>",
        "/release link K7QF-2M9",
        "/release link confrim",
        "/release link remove",
        "/release link remove discrod",
        "/release link remove github",
        "/release link K7QF-2M9X confirm",
        "/release link confirm K7QF-2M9X",
        "/release link remove K7QF-2M9X",
    ];
    expect![[r#"
        /release lock production --to bbo
          Slipway knows nobody of the name "bbo". Did you mean bob? Nothing was started.
        /release lock production --to U012AB3CD
          Slipway knows nobody of the name "U012AB3CD". Nothing was started.
            Usage: /release lock <environment> "reason" [service] [--for 2h] [--to bob]
        /release lock production --to <@>
          Slipway knows nobody of the name "<@>". Nothing was started.
            Usage: /release lock <environment> "reason" [service] [--for 2h] [--to bob]
        /release link K7QF-2M9
          That is no code. Codes look like K7QF-2M9X. Nothing was started.
            Usage: /release link [code], /release link confirm or refuse, /release link remove <slack|discord|terminal>
        /release link confrim
          That is no code. Did you mean /release link confirm? Nothing was started.
        /release link remove
          In which chat? Nothing was started.
            Usage: /release link [code], /release link confirm or refuse, /release link remove <slack|discord|terminal>
        /release link remove discrod
          That is no chat in which accounts are linked. Did you mean /release link remove discord? Nothing was started.
        /release link remove github
          That is no chat in which accounts are linked. Nothing was started.
            Usage: /release link [code], /release link confirm or refuse, /release link remove <slack|discord|terminal>
        /release link K7QF-2M9X confirm
          That is no code. Codes look like K7QF-2M9X. Nothing was started.
            Usage: /release link [code], /release link confirm or refuse, /release link remove <slack|discord|terminal>
        /release link confirm K7QF-2M9X
          That is no code. Did you mean /release link confirm? Nothing was started.
        /release link remove K7QF-2M9X
          That is no chat in which accounts are linked. Nothing was started.
            Usage: /release link [code], /release link confirm or refuse, /release link remove <slack|discord|terminal>"#]]
    .assert_eq(&said(&lines));
}

#[test]
fn mistakes_with_migrations_name_the_nearest_right_thing() {
    let lines = [
        "/migrate",
        "/migrat staging",
        "/migrate staging stauts",
        "/migrate staging down",
        "/migrate staging down zero",
        "/migrate staging down 101",
        "/migrate staging up 2",
        "/migrate staging plan --continue",
        "/migrate staging --reason x",
    ];
    expect![[r#"
        /migrate
          Which environment? There are: production, staging. Nothing was started.
            Usage: /migrate <environment> [status | plan [reference] | up [reference] | down N] [service] [--continue] [--reason "…"]
        /migrat staging
          There is no command /migrat. Did you mean /migrate staging? Nothing was started.
        /migrate staging stauts
          There is no stauts of migrations. Did you mean status? Nothing was started.
        /migrate staging down
          How many are to be taken back? Nothing was started.
            Usage: /migrate <environment> [status | plan [reference] | up [reference] | down N] [service] [--continue] [--reason "…"]
        /migrate staging down zero
          zero is no number from 1 to 100. Nothing was started.
            Usage: /migrate <environment> [status | plan [reference] | up [reference] | down N] [service] [--continue] [--reason "…"]
        /migrate staging down 101
          101 is no number from 1 to 100. Nothing was started.
            Usage: /migrate <environment> [status | plan [reference] | up [reference] | down N] [service] [--continue] [--reason "…"]
        /migrate staging up 2
          Only down takes a number. Nothing was started.
            Usage: /migrate <environment> [status | plan [reference] | up [reference] | down N] [service] [--continue] [--reason "…"]
        /migrate staging plan --continue
          --continue is for up only. Nothing was started.
            Usage: /migrate <environment> [status | plan [reference] | up [reference] | down N] [service] [--continue] [--reason "…"]
        /migrate staging --reason x
          Looking needs no reason. Nothing was started.
            Usage: /migrate <environment> [status | plan [reference] | up [reference] | down N] [service] [--continue] [--reason "…"]"#]]
    .assert_eq(&said(&lines));
}

#[test]
fn mistakes_name_the_nearest_right_thing() {
    let lines = [
        "",
        "/deploy",
        "/deploy stagin",
        "/deploy moon",
        "/deploi staging",
        "status",
        "/release",
        "/release statsu",
        "/release frobnicate",
        "/deploy staging main goals extra",
        "/deploy staging --dryrun",
        "/deploy staging --frob",
        "/deploy staging --when gren",
        "/deploy staging --reason",
        "/deploy staging main goals2",
        "/release ship",
        "/release ship likes",
        "/release ship 12 stagin",
        "/release ship 12 staging --when green",
        "/release lock production",
        "/release lock production \"x\" --for ever",
        "hello there",
    ];
    let said = said(&lines);
    expect![[r#"

          Type a command, such as /deploy staging or /release help. Nothing was started.
        /deploy
          Which environment? There are: production, staging. Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        /deploy stagin
          There is no environment "stagin". Did you mean /deploy staging? Nothing was started.
        /deploy moon
          There is no environment "moon". There are: production, staging. Nothing was started.
        /deploi staging
          There is no command /deploi. Did you mean /deploy staging? Nothing was started.
        status
          There is no command /status. Did you mean /release status? Nothing was started.
        /release
          What about releases? Nothing was started.
            What there is: /release help
        /release statsu
          There is no command /release statsu. Did you mean /release status? Nothing was started.
        /release frobnicate
          There is no command /release frobnicate. Nothing was started.
            What there is: /release help
        /deploy staging main goals extra
          I do not know what extra means here. Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        /deploy staging --dryrun
          There is no option --dryrun. Did you mean --dry-run? Nothing was started.
        /deploy staging --frob
          There is no option --frob. Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        /deploy staging --when gren
          I do not know when "gren" is. Did you mean green? Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        /deploy staging --reason
          --reason needs a value: --reason "…". Nothing was started.
            Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]
        /deploy staging main goals2
          There is no service "goals2". Did you mean goals? Nothing was started.
        /release ship
          Which pull request? Nothing was started.
            Usage: /release ship <pull request> [environment] [service] [--dry-run] [--reason "…"]
        /release ship likes
          "likes" is no pull request: it is a number such as 123, or its address. Nothing was started.
            Usage: /release ship <pull request> [environment] [service] [--dry-run] [--reason "…"]
        /release ship 12 stagin
          There is no environment "stagin". Did you mean /release ship 12 staging? Nothing was started.
        /release ship 12 staging --when green
          There is no option --when. Nothing was started.
            Usage: /release ship <pull request> [environment] [service] [--dry-run] [--reason "…"]
        /release lock production
          A lock needs a reason, in quotation marks. Nothing was started.
            Usage: /release lock <environment> "reason" [service] [--for 2h] [--to bob]
        /release lock production "x" --for ever
          ever is no time between 1 minute and 30 days: write 30m, 2h, 1h30m or 2d. Nothing was started.
            Usage: /release lock <environment> "reason" [service] [--for 2h] [--to bob]
        hello there
          There is no command /hello. Nothing was started.
            What there is: /release help"#]]
    .assert_eq(&said);
    assert_eq!(
        mistake("/deploy staging", &two_services()),
        "Which service? Nothing was started.\n  Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason \"…\"] [--when green|unlocked|15:00]\n  Services: goals, billing"
    );
}

#[test]
fn what_was_typed_is_never_our_own_words() {
    for line in [
        "/deploy @everyone",
        "/@everyone",
        "/release @everyone",
        "/deploy staging --@everyone",
        "/deploy staging a goals @everyone",
    ] {
        let message = parse(line, &words()).expect_err(line).message();
        let lines = message.body.iter().filter_map(|block| match block {
            crate::message::Block::Line(line) => Some(line),
            _ => None,
        });
        for span in lines.chain([&message.headline]).flat_map(|line| &line.0) {
            if let Span::Plain(text) | Span::Strong(text) = span {
                assert!(!text.contains("@everyone"), "{line}: {text}");
            }
        }
    }
}

#[test]
fn help_lists_every_command() {
    let crate::message::Block::Table { rows, .. } = &help(None, &words()).body[0] else { panic!() };
    assert_eq!(rows.len(), DEFINITIONS.len());
    assert_eq!(text(&help(Some("/deploy"), &words()).headline), deploy::DEPLOY.usage);
    assert!(text(&help(Some("statsu"), &words()).headline).contains("/release help status"));
}

#[test]
fn migrations_by_themselves() {
    let migrate = |line: &str| match parse(line, &words()).unwrap() {
        Command::Migrate { environment, act, reason, .. } if environment.as_str() == "staging" => (act, reason),
        other => panic!("{line}: {other:?}"),
    };
    let because = || Some("because".to_owned());
    let (up, plan) = (
        |reference: Option<&str>, goes_on| MigrateAct::Up { reference: reference.map(str::to_owned), goes_on },
        |reference: Option<&str>| MigrateAct::Plan { reference: reference.map(str::to_owned) },
    );
    for (line, expected) in [
        ("/migrate staging", (MigrateAct::Status, None)),
        ("/migrate staging goals", (MigrateAct::Status, None)),
        ("/migrate staging STATUS goals", (MigrateAct::Status, None)),
        ("/migrate staging plan", (plan(None), None)),
        ("/migrate staging plan Feature/X", (plan(Some("Feature/X")), None)),
        ("@slipway migrate staging up --reason because", (up(None, false), because())),
        ("/migrate staging up goals", (up(None, false), None)),
        ("/migrate staging up \"goals\" --continue", (up(Some("goals"), true), None)),
        ("/migrate staging up main goals", (up(Some("main"), false), None)),
        ("/migrate staging Down 2 --reason because", (MigrateAct::Down { count: 2 }, because())),
        ("/migrate staging down 100 goals", (MigrateAct::Down { count: 100 }, None)),
    ] {
        assert_eq!(migrate(line), expected, "{line}");
    }
}

#[test]
fn the_configuration_alone_is_deployed_without_a_commit() {
    let alone = Command::DeployConfig {
        environment: "staging".into(),
        service: "goals".into(),
        dry_run: false,
        reason: Some("new SMTP host".into()),
    };
    let line = "/deploy staging --config --reason \"new SMTP host\"";
    assert_eq!(parse(line, &words()), Ok(alone));
    expect![[r#"
        --config deploys what runs already; it takes no branch, tag or commit. Nothing was started.
          Usage: /deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason "…"] [--when green|unlocked|15:00]"#]]
    .assert_eq(&mistake("/deploy staging main --config", &words()));
    assert_eq!(parse("/release config", &words()), Ok(Command::Config { environment: None }));
    let staging = Command::Config { environment: Some("staging".into()) };
    assert_eq!(parse("/release config staging", &words()), Ok(staging));
}
