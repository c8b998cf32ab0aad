//! A wrong policy folder is refused whole, with every mistake and its place.

use super::fixture::{SCHEMA, default_files, defaults, listed, mistakes, vocabulary};
use crate::policy::{PolicySet, RESERVED_IDS, Vocabulary};
use expect_test::{Expect, expect};

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&listed(&mistakes(text)));
}

const EXECUTE: &str = "(principal, action == Action::\"execute\", resource)";

#[test]
fn names_are_required_and_unique() {
    check(
        &format!("permit {EXECUTE};"),
        expect![[r#"
        more.cedar:1:1: This rule has no name. Write @id("a-name-of-its-own") on the line above it.
    "#]],
    );
    check(
        &format!("// Mine.\n  @id(\"ci-green\") permit {EXECUTE};"),
        expect![[r#"
        more.cedar:2:3: Another rule is called "ci-green" already. Give each rule an @id of its own.
    "#]],
    );
    check(
        &format!("@id(\"x\") permit {EXECUTE};\n@id(\"x\") permit {EXECUTE};"),
        expect![[r#"
        more.cedar:2:1: Another rule is called "x" already. Give each rule an @id of its own.
    "#]],
    );
    check(
        &format!("@id(\"No Good\") permit {EXECUTE};"),
        expect![[r#"
        more.cedar:1:1: The name "No Good" is not one. Use lower-case letters, digits and hyphens, at most 64, such as @id("no-friday").
    "#]],
    );
    for reserved in RESERVED_IDS {
        let found = mistakes(&format!("@id(\"{reserved}\") permit {EXECUTE};"));
        assert_eq!(found[0].message, format!("The name \"{reserved}\" is Slipway's own."));
    }
}

#[test]
fn a_forbid_says_why() {
    check(
        &format!("@id(\"x\") forbid {EXECUTE};"),
        expect![[r#"
        more.cedar:1:1: The rule "x" forbids something and does not say why. Write @why("One sentence for whoever is refused.") on the line above it.
    "#]],
    );
    check(
        &format!("@id(\"x\") @why(\" \") forbid {EXECUTE};"),
        expect![[r#"
        more.cedar:1:1: The rule "x" forbids something and does not say why. Write @why("One sentence for whoever is refused.") on the line above it.
    "#]],
    );
}

#[test]
fn other_annotations_are_refused() {
    check(
        &format!("@id(\"x\") @wyh(\"y\") permit {EXECUTE};"),
        expect![[r#"
        more.cedar:1:1: The rule "x" has an annotation @wyh, which Slipway does not know. Use only @id and @why, or make it a comment.
    "#]],
    );
}

#[test]
fn misspelt_names_are_refused() {
    check(
        "@id(\"x\") permit (principal, action == Action::\"request\", resource == Environment::\"prodution\");",
        expect![[r#"
        more.cedar:1:70: There is no Environment::"prodution". There are "production", "staging".
    "#]],
    );
    check(
        "@id(\"x\") permit (principal in Team::\"relase\", action == Action::\"request\", resource);",
        expect![[r#"
            more.cedar:1:31: There is no Team::"relase". There are "dba", "developers", "release", "sre".
        "#]],
    );
    check(
        "@id(\"x\") permit (principal, action == Action::\"aprove\", resource);",
        expect![[r#"
            more.cedar:1:39: There is no Action::"aprove". The nearest is Action::"approve".
        "#]],
    );
    check(
        &format!("@id(\"x\") permit {EXECUTE}\nwhen {{ context.facts.ci == Ci::\"gren\" }};"),
        expect![[r#"
        more.cedar:2:28: There is no Ci::"gren". There are "green", "pending", "red", "missing".
    "#]],
    );
    check(
        &format!("@id(\"x\") permit {EXECUTE}\nwhen {{ resource.comits > 1 }};"),
        expect![[r#"
        more.cedar:2:8: Attribute `comits` on entity type `Release` not found. Did you mean `commits`?
    "#]],
    );
}

#[test]
fn counting_is_checked() {
    check(
        &format!(
            "@id(\"x\") permit {EXECUTE} when {{ resource.hasTag(\"relase\") && resource.getTag(\"relase\") > 0 }};"
        ),
        expect![[r#"
        more.cedar:1:1: The rule "x" counts approvals of team "relase", which nobody is in. Write "release", or give somebody the team "relase" in the configuration.
    "#]],
    );
    check(
        &format!("@id(\"x\") permit {EXECUTE} when {{ resource.getTag(\"release\") > 0 }};"),
        expect![[r#"
        more.cedar:1:75: Unable to guarantee safety of access to tag `"release"` on entity type `Release`. Try testing for the tag's presence with `.hasTag("release") && ..`.
    "#]],
    );
    check(
        "@id(\"x\") permit (principal, action == Action::\"approve\", resource) when { resource.hasTag(\"release\") };",
        expect![[r#"
        more.cedar:1:1: The rule "x" counts approvals for another action than "execute". Give it action == Action::"execute" and put the rest into a rule of its own.
    "#]],
    );
    check(
        &format!(
            "@id(\"x\") permit {EXECUTE} when {{ resource.hasTag(if context.vetoes == 0 then \"release\" else \"sre\") }};"
        ),
        expect![[r#"
            more.cedar:1:1: The rule "x" counts approvals of a team that is not written out. Write the team's name between quotes, such as resource.getTag("release").
        "#]],
    );
}

#[test]
fn a_rule_that_never_applies_is_refused() {
    check(
        &format!("@id(\"x\") @why(\"Y.\")\nforbid {EXECUTE} when {{ false }};"),
        expect![[r#"
        more.cedar:1:1: This rule can never apply: its condition is false whatever happens. Correct the condition, or delete the rule.
    "#]],
    );
    check(
        "@id(\"x\") permit (principal == Team::\"release\", action, resource);",
        expect![[r#"
            more.cedar:1:1: Unable to find an applicable action given the policy scope constraints. Try replacing `==` with `in` in the principal clause.
        "#]],
    );
}

#[test]
fn every_mistake_is_told_at_once() {
    let files = [
        ("a.cedar", "permit (principal, action, resource)"),
        (
            "b.cedar",
            "@id(\"b\") forbid (principal, action == Action::\"lok\", resource);\npermit (principal, action, resource);",
        ),
        ("c.cedar", "@id(\"c\") permit (principal == ?principal, action, resource);"),
    ];
    let files = files.map(|(file, text)| (file.to_owned(), text.to_owned()));
    let found = PolicySet::parse(SCHEMA, &files, &vocabulary()).unwrap_err();
    expect![[r#"
        a.cedar:1:37: Unexpected end of input. Each rule is @id(…), then permit or forbid ( … ), then when or unless { … }, then a semicolon.
        b.cedar:1:1: The rule "b" forbids something and does not say why. Write @why("One sentence for whoever is refused.") on the line above it.
        b.cedar:1:39: There is no Action::"lok". The nearest is Action::"lock".
        b.cedar:2:1: This rule has no name. Write @id("a-name-of-its-own") on the line above it.
        c.cedar:1:1: Templates (?principal, ?resource) are not used here. Write the team or environment out.
    "#]].assert_eq(&listed(&found));
}

#[test]
fn a_wrong_schema_is_refused() {
    let parse = |schema: &str| listed(&PolicySet::parse(schema, &default_files(), &vocabulary()).unwrap_err());
    expect![[r#"
        schema.cedarschema:19:1: Error parsing schema: unexpected token `entity`. Leave out Team and Environment, which Slipway adds, and compare with the schema that came with it.
    "#]].assert_eq(&parse(&SCHEMA.replace("entity Service;", "entity Service")));
    expect![[r#"
        schema.cedarschema:156:8: Error parsing schema: `Team` is declared twice. Leave out Team and Environment, which Slipway adds, and compare with the schema that came with it.
    "#]].assert_eq(&parse(&format!("{SCHEMA}\nentity Team;")));
    expect![[r#"
        schema.cedarschema:1:1: This schema does not fit this version of Slipway: entity does not conform to the schema. Start again from the schema.cedarschema that came with this version.
    "#]].assert_eq(&parse(&SCHEMA.replace("    commits: Long,", "    commits: Long,\n    size: Long,")));
    expect![[r#"
        schema.cedarschema:1:1: This schema does not fit this version of Slipway: context `{facts: {bypasses: 0, ci: Ci::"green", scan: {critical: 0, high: 0, low: 0, medium: 0}}, knownBad: false, knownGood: false, soak: 3153600000, time: {minute: 0, now: datetime("1970-01-01T00:00:00Z"), today: datetime("1970-01-01"), weekday: Weekday::"thursday"}, .. }` is not valid for `Action::"override"`. Start again from the schema.cedarschema that came with this version.
    "#]].assert_eq(&parse(&SCHEMA.replace(", vetoes: Long", ", vetoes: String")));
}

#[test]
fn names_come_from_the_vocabulary() {
    let parse = |vocabulary: &Vocabulary| PolicySet::parse(SCHEMA, &default_files(), vocabulary);
    expect![[r#"
        production.cedar:9:1: The rule "production-approval" counts approvals of team "release", which nobody is in. Give somebody the team "release" in the configuration, or name another team.
        production.cedar:21:1: The rule "dba-approval" counts approvals of team "dba", which nobody is in. Give somebody the team "dba" in the configuration, or name another team.
        production.cedar:21:1: The rule "dba-approval" counts approvals of team "release", which nobody is in. Give somebody the team "release" in the configuration, or name another team.
        production.cedar:34:1: The rule "unknown-change" counts approvals of team "release", which nobody is in. Give somebody the team "release" in the configuration, or name another team.
        production.cedar:34:1: The rule "unknown-change" counts approvals of team "sre", which nobody is in. Give somebody the team "sre" in the configuration, or name another team.
        production.cedar:47:1: The rule "takes-out" counts approvals of team "release", which nobody is in. Give somebody the team "release" in the configuration, or name another team.
        production.cedar:47:1: The rule "takes-out" counts approvals of team "sre", which nobody is in. Give somebody the team "sre" in the configuration, or name another team.
        vocabulary:1:1: There are no environments, so no rule can speak of one. Configure at least one of the environments.
        vocabulary:1:1: There are no teams, so no rule can speak of one. Configure at least one of the teams.
    "#]].assert_eq(&listed(&parse(&Vocabulary::default()).unwrap_err()));
    let mut without = vocabulary();
    without.teams.remove(&"release".into());
    without.environments.remove(&"production".into());
    expect![[r#"
        freeze.cedar:12:32: There is no Environment::"production". There are "staging".
        override.cedar:6:22: There is no Team::"release". There are "dba", "developers", "sre".
        production.cedar:9:1: The rule "production-approval" counts approvals of team "release", which nobody is in. Give somebody the team "release" in the configuration, or name another team.
        production.cedar:12:32: There is no Environment::"production". There are "staging".
        production.cedar:21:1: The rule "dba-approval" counts approvals of team "release", which nobody is in. Give somebody the team "release" in the configuration, or name another team.
        production.cedar:24:32: There is no Environment::"production". There are "staging".
        production.cedar:34:1: The rule "unknown-change" counts approvals of team "release", which nobody is in. Give somebody the team "release" in the configuration, or name another team.
        production.cedar:37:32: There is no Environment::"production". There are "staging".
        production.cedar:47:1: The rule "takes-out" counts approvals of team "release", which nobody is in. Give somebody the team "release" in the configuration, or name another team.
        production.cedar:50:32: There is no Environment::"production". There are "staging".
        production.cedar:63:32: There is no Environment::"production". There are "staging".
        votes.cedar:5:22: There is no Team::"release". There are "dba", "developers", "sre".
        who.cedar:20:18: There is no Team::"release". There are "dba", "developers", "sre".
        who.cedar:32:22: There is no Team::"release". There are "dba", "developers", "sre".
        who.cedar:41:22: There is no Team::"release". There are "dba", "developers", "sre".
        who.cedar:46:22: There is no Team::"release". There are "dba", "developers", "sre".
        who.cedar:67:22: There is no Team::"release". There are "dba", "developers", "sre".
    "#]].assert_eq(&listed(&parse(&without).unwrap_err()));
    let mut odd = vocabulary();
    odd.teams.insert("quo\"te\\ and ümlaut\n]".into());
    assert!(parse(&odd).is_ok(), "any text is a name");
}

#[test]
fn the_hash_is_of_what_the_rules_say() {
    let hash = |files: &[(String, String)], vocabulary: &Vocabulary| {
        PolicySet::parse(SCHEMA, files, vocabulary).unwrap().hash().to_owned()
    };
    let original = hash(&default_files(), &vocabulary());
    assert_eq!(original.len(), 64);
    let mut rearranged: Vec<_> = default_files().into_iter().rev().collect();
    for (file, text) in &mut rearranged {
        *text = text.lines().filter(|line| !line.starts_with("//")).collect::<Vec<_>>().join("\n  ");
        file.insert(0, 'x');
    }
    assert_eq!(hash(&rearranged, &vocabulary()), original, "comments, layout and files do not count");
    let bare = SCHEMA.lines().filter(|line| !line.trim().starts_with("//")).collect::<Vec<_>>().join("\n");
    let with_bare_schema = PolicySet::parse(&bare, &default_files(), &vocabulary()).unwrap();
    assert_eq!(with_bare_schema.hash(), original, "nor do the schema's comments");
    let mut loosened = default_files();
    loosened[2].1 = loosened[2].1.replacen(">= 1", ">= 0", 1);
    assert_ne!(hash(&loosened, &vocabulary()), original);
    let mut reworded = default_files();
    reworded[3].1 = reworded[3].1.replace("Somebody objects", "Someone objects");
    assert_ne!(hash(&reworded, &vocabulary()), original);
    let mut grown = vocabulary();
    grown.teams.insert("qa".into());
    assert_ne!(hash(&default_files(), &grown), original);
}

#[test]
fn the_shipped_rules_have_these_names() {
    let names = defaults().rule_ids().map(str::to_owned).collect::<Vec<_>>().join("\n");
    expect![[r#"
        bump-release
        bump-sre
        by-itself
        cancel-any
        cancel-own
        ci-green
        dba-approval
        dba-approves
        developers
        everybody-vetoes
        known-bad
        no-author-vote
        no-own-vote
        no-veto
        no-way-around
        production-approval
        release-approves
        release-overrides
        release-team
        ship-developers
        ship-release-team
        soak-30m
        sre-approves
        sre-overrides
        takes-out
        unknown-change
        unlock-any
        unlock-own
        weekend-freeze"#]]
    .assert_eq(&names);
}

#[test]
fn the_shipped_folder_is_complete_by_itself() {
    let vocabulary: Vocabulary = toml::from_str(include_str!("../../../../policies/vocabulary.toml")).unwrap();
    PolicySet::parse(SCHEMA, &default_files(), &vocabulary).unwrap();
    assert!(toml::from_str::<Vocabulary>("teams = []\nenvironments = []\nteam = []").is_err(), "a misspelt key");
}
