//! The shipped cases hold, and they bite.

use crate::message::terminal::{TerminalOptions, render};
use crate::policy::{Vocabulary, built_in};
use crate::policy_case::{Got, Policies, PolicyCase, failure};

const FILES: [(&str, &str); 7] = [
    ("freeze.toml", include_str!("../../../../policies/tests/freeze.toml")),
    ("override.toml", include_str!("../../../../policies/tests/override.toml")),
    ("production.toml", include_str!("../../../../policies/tests/production.toml")),
    ("run.toml", include_str!("../../../../policies/tests/run.toml")),
    ("traps.toml", include_str!("../../../../policies/tests/traps.toml")),
    ("votes.toml", include_str!("../../../../policies/tests/votes.toml")),
    ("who.toml", include_str!("../../../../policies/tests/who.toml")),
];

fn vocabulary() -> Vocabulary {
    toml::from_str(include_str!("../../../../policies/vocabulary.toml")).unwrap()
}

fn rules() -> Vec<(String, String)> {
    built_in::FILES.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect()
}

fn cases() -> Vec<PolicyCase> {
    let read = |(file, text): &(&str, &str)| match PolicyCase::read(file, text, &vocabulary()) {
        Ok(cases) => cases,
        Err(mistakes) => panic!("{}", mistakes.iter().map(|m| format!("{m}\n")).collect::<String>()),
    };
    FILES.iter().flat_map(read).collect()
}

/// The rules without one, as somebody would delete it.
fn deleted(rules: &[(String, String)], id: &str) -> Vec<(String, String)> {
    let without = |text: &str| {
        let Some(begin) = text.find(&format!("@id(\"{id}\")")) else { return text.to_owned() };
        let end = begin + text[begin..].find("};").unwrap() + 2;
        format!("{}{}", &text[..begin], &text[end..])
    };
    rules.iter().map(|(file, text)| (file.clone(), without(text))).collect()
}

#[test]
fn every_shipped_case_holds_and_every_rule_is_missed_by_one() {
    let (vocabulary, rules, cases) = (vocabulary(), rules(), cases());
    let policies = Policies { schema: built_in::SCHEMA, files: &rules, vocabulary: &vocabulary };
    let suite = policies.run(&cases).unwrap();
    let options = TerminalOptions::new(110, false, jiff::Timestamp::UNIX_EPOCH);
    let failed: Vec<_> = suite.failed().flat_map(|tried| render(&failure(tried), &options)).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(suite.undecided, [""; 0]);
}

/// The ids of the rules that forbid: those that say why.
fn forbids(rules: &[(String, String)]) -> Vec<String> {
    let ids = rules.iter().flat_map(|(_, text)| text.split("\n@id(\"").skip(1));
    let forbid = |rest: &str| {
        let (id, rest) = rest.split_once("\")\n")?;
        rest.starts_with("@why").then(|| id.to_owned())
    };
    ids.filter_map(forbid).collect()
}

#[test]
fn no_forbid_can_be_deleted_unnoticed() {
    let (vocabulary, rules, cases) = (vocabulary(), rules(), cases());
    let plain: Vec<_> = cases.into_iter().filter(|case| case.rules.is_none()).collect();
    let parse = |files: &[(String, String)]| {
        Policies { schema: built_in::SCHEMA, files, vocabulary: &vocabulary }.parse(None).unwrap()
    };
    let all = parse(&rules).rule_ids().count();
    let forbids = forbids(&rules);
    assert!(forbids.len() >= 9, "{forbids:?}");
    for id in forbids {
        let set = parse(&deleted(&rules, &id));
        assert_eq!(set.rule_ids().count(), all - 1, "{id}");
        let noticed = |case: &PolicyCase| !case.complaints(&Got::Decision(case.scene.ask(&set))).is_empty();
        assert!(plain.iter().any(noticed), "nobody notices that {id} is gone");
    }
}
