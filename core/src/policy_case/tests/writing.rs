//! Mistakes of whoever writes a case.

use crate::message::terminal::{TerminalOptions, render};
use crate::policy::{Vocabulary, built_in};
use crate::policy_case::{Policies, PolicyCase, explained, failure, summary, undecided};
use expect_test::{Expect, expect};

const BASE: &str = r#"
[base]
people = { ana = ["developers"], bob = ["release"] }
service = "goals"
environment = "production"
requester = "ana"
now = "2026-11-25 12:00"
"#;

fn vocabulary() -> Vocabulary {
    toml::from_str(include_str!("../../../../policies/vocabulary.toml")).unwrap()
}

fn read(text: &str) -> Result<Vec<PolicyCase>, String> {
    PolicyCase::read("tests/x.toml", text, &vocabulary())
        .map_err(|mistakes| mistakes.iter().map(|mistake| format!("{mistake}\n")).collect())
}

fn refused(case: &str, expected: Expect) {
    expected.assert_eq(&read(&format!("{BASE}[[case]]\n{case}")).unwrap_err());
}

fn shown(message: &crate::message::Message) -> String {
    render(message, &TerminalOptions::new(110, false, "2026-11-25T12:00:00Z".parse().unwrap())).join("\n") + "\n"
}

#[test]
fn a_misspelt_key_or_word_gets_the_one_that_was_meant() {
    refused(
        "name = \"a\"\nexpct = \"deny\"\nenvironmnt = \"staging\"\nci = \"gren\"\naction = \"aprove\"\nreasons = []",
        expect![[r#"
            tests/x.toml:8:1: This case has no "expect". Write expect = "deny" there, or in [base] for all cases.
            tests/x.toml:10:1: There is no key "expct". Write "expect".
            tests/x.toml:11:1: There is no key "environmnt". Write "environment".
            tests/x.toml:12:6: "ci" cannot be "gren". Write "green".
            tests/x.toml:13:10: "action" cannot be "aprove". Write "approve".
        "#]],
    );
}

#[test]
fn a_name_that_nobody_has_is_named() {
    refused(
        "name = \"a\"\nexpect = \"allow\"\nenvironment = \"prodution\"\napprovals = [\"bbo\"]\nvetoes = [\"mallory\"]\n\
         people = { ana = [\"developrs\"], bob = [] }\nafter = \"testing\"",
        expect![[r#"
            tests/x.toml:11:15: There is no environment "prodution". Write "production".
            tests/x.toml:12:14: There is nobody called "bbo" in this case. Write "bob". Or add them to people.
            tests/x.toml:13:11: There is nobody called "mallory" in this case. There are "ana", "bob". Or add them to people.
            tests/x.toml:14:19: There is no team "developrs". Write "developers".
            tests/x.toml:15:9: There is no environment "testing". There are "production", "staging".
        "#]],
    );
}

#[test]
fn a_value_that_is_none_says_how_to_write_one() {
    refused(
        "name = \"a\"\nexpect = \"allow\"\nnow = \"noon\"\ntimezone = \"Mars/Olympus_Mons\"\nserved = \"a while\"\n\
         destructive = \"yes\"\ncommits = 251\napprovals = \"bob\"\nwho = 7",
        expect![[r#"
            tests/x.toml:11:7: "noon" is no moment. Write local time such as "2026-11-25 12:00", or an instant such as "2026-11-25T12:00:00Z".
            tests/x.toml:12:12: There is no time zone "Mars/Olympus_Mons". Write a name such as "Europe/Berlin".
            tests/x.toml:13:10: "a while" is no length of time. Write one such as "45m" or "1h 30m".
            tests/x.toml:13:10: No environment comes before, in which it could have served. Write after = "staging" there, or in [base].
            tests/x.toml:14:15: "destructive" must be true or false. Write destructive = false.
            tests/x.toml:16:13: "approvals" must be a list of texts. Write approvals = ["bob"].
            tests/x.toml:17:7: "who" must be a text in quotes. Write who = "bob".
        "#]],
    );
}

#[test]
fn an_expectation_says_what_it_expects() {
    refused(
        "name = \"a\"",
        expect![[r#"
        tests/x.toml:8:1: This case has no "expect". Write expect = "deny" there, or in [base] for all cases.
    "#]],
    );
    refused(
        "name = \"a\"\nexpect = \"deny\"",
        expect![[r#"
        tests/x.toml:8:1: This case does not say which reasons it expects. Add reasons = ["the-id-of-each-rule"].
    "#]],
    );
    refused(
        "name = \"a\"\nexpect = \"allow\"\nreasons = [\"ci-green\"]",
        expect![[r#"
        tests/x.toml:11:11: "reasons" means nothing where allow is expected. Write expect = "deny", or remove it.
    "#]],
    );
    refused(
        "name = \"a\"\nexpect = \"deny\"\nreasons = [\"x\"]\nclears = { y = \"facts\", x = \"vots: 1\" }",
        expect![[r#"
            tests/x.toml:12:12: "y" is none of the reasons of this case. Add it to reasons.
            tests/x.toml:12:29: Nothing is cleared by "vots: 1". Write "votes".
        "#]],
    );
    refused(
        "name = \"a\"\nexpect = \"allow\"\n[[case]]\nname = \"a\"\nexpect = \"allow\"",
        expect![[r#"
        tests/x.toml:12:8: Another case of this file has this name. Give each case a name of its own.
    "#]],
    );
}

#[test]
fn somebody_unknown_is_refused_before_any_rule_is_asked() {
    refused(
        "name = \"a\"\naction = \"request\"\nwho = \"eve\"\nunknown_people = [\"eve\"]\nexpect = \"allow\"",
        expect![[r#"
        tests/x.toml:8:1: No rule is asked what eve may do, because nobody knows them. Name one of people in "who".
    "#]],
    );
}

#[test]
fn a_file_has_cases_and_is_toml() {
    let refused = |text: &str, expected: Expect| expected.assert_eq(&read(text).unwrap_err());
    refused(
        "",
        expect![[r#"
        tests/x.toml:1:1: There is no case in this file. Write [[case]] on a line of its own, and what it says below.
    "#]],
    );
    refused(
        "[[case]\nname = 1",
        expect![[r#"
        tests/x.toml:1:8: This is not TOML: unclosed array table, expected `]`. Compare with the policies/tests that came with Slipway.
    "#]],
    );
    refused(
        "[bse]\n[[case]]\nname = \"a\"\nexpect = \"allow\"",
        expect![[r#"
        tests/x.toml:1:2: There is no section "bse". Write [base] once for what all cases share, and [[case]] for each case.
        tests/x.toml:2:1: This case has no "environment". Write environment = "production" there, or in [base] for all cases.
        tests/x.toml:2:1: This case has no "requester". Write requester = "ana" there, or in [base] for all cases.
        tests/x.toml:2:1: This case has no "service". Write service = "goals" there, or in [base] for all cases.
        tests/x.toml:2:1: This case has no moment. Write now = "2026-11-25 12:00" there, or in [base].
        tests/x.toml:2:1: This case has no people. Write people = { ana = ["developers"] } in [base].
    "#]],
    );
    refused(
        "case = 1",
        expect![[r#"
        tests/x.toml:1:8: "case" must be a list of sections. Write 1 to 500 sections [[case]], with two brackets.
    "#]],
    );
}

#[test]
fn a_case_that_fails_shows_both_sides() {
    let vocabulary = vocabulary();
    let files: Vec<_> = built_in::FILES.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
    let policies = Policies { schema: built_in::SCHEMA, files: &files, vocabulary: &vocabulary };
    let wrong = r#"
[[case]]
name = "Anything goes on weekends"
now = "2026-11-28 12:00"
expect = "deny"
reasons = ["no-veto", "production-approval"]
clears = { production-approval = "votes: 2 of release" }

[[case]]
name = "A rule with a mistake"
rules = 'permit (principal, action, resource);'
expect = "allow"
"#;
    let cases = read(&format!("{BASE}{wrong}")).unwrap();
    let suite = policies.run(&cases).unwrap();
    let told: String = suite.failed().map(|tried| shown(&failure(tried))).collect();
    let rest = undecided(&suite).map(|message| shown(&message)).unwrap_or_default();
    expect![[r#"
        ✖ tests/x.toml:9  Anything goes on weekends
          Wrong     no-veto should be a reason, and is none.
                    weekend-freeze should be no reason, and is one.
                    production-approval should be cleared by "votes: 2 of release", and is by "votes: 1 of release
                    (bob)".
          Asked     The start of the release of goals to production that ana asked for
          Expected  deny
                    no-veto
                    production-approval  cleared by votes: 2 of release
          Got       deny
                    production-approval  Production needs an approval of team release.  cleared by votes: 1 of release
                    (bob), or an override
                    weekend-freeze  Production is frozen from Friday 15:00 to Monday 8:00.  cleared by time:
                    2026-11-30 08:00, or an override
        ✖ tests/x.toml:16  A rule with a mistake
          Wrong     It should be allowed.
          Asked     The start of the release of goals to production that ana asked for
          Expected  allow
          Got       mistakes
                    rules:1:1: This rule has no name. Write @id("a-name-of-its-own") on the line above it.
        ▲ No case would miss these 29 rules: bump-release, bump-sre, by-itself, cancel-any, cancel-own, ci-green,
        dba-approval, dba-approves, developers, everybody-vetoes, known-bad, no-author-vote, no-own-vote, no-veto,
        no-way-around, production-approval, release-approves, release-overrides, release-team, ship-developers,
        ship-release-team, soak-30m, sre-approves, sre-overrides, takes-out, unknown-change, unlock-any, unlock-own,
        weekend-freeze. Write a case in which each of them decides.
        ✖ 2 of 2 cases failed; 0 of 29 rules decide in one
    "#]]
    .assert_eq(&(told + &rest + &shown(&summary(&suite, false))));
    let explain = |case| shown(&explained(case, &policies.ask(&policies.parse(None).unwrap(), case)));
    expect![[r#"
        The start of the release of goals to production that ana asked for would be refused for 2 reasons:
        1. production-approval  Production needs an approval of team release. · 1 of release: bob can, or /release
        override
        2. weekend-freeze  Production is frozen from Friday 15:00 to Monday 8:00. · clears by itself at 2026-11-30
        08:00 (in 44 h), or /release override
        Everything else is fine: CI green.
        A rule with a mistake: its rules are refused with mistakes.
        rules:1:1: This rule has no name. Write @id("a-name-of-its-own") on the line above it.
    "#]]
    .assert_eq(&(explain(&cases[0]) + &explain(&cases[1])));
}
