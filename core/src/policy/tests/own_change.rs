//! Nobody profits from a rule that they loosened.

use super::fixture::*;
use crate::ids::EnvironmentKey;
use crate::plan::PlanKind;
use crate::policy::own_change::{against_asking, against_running};
use crate::policy::{Act, Asking, Decision, PolicyChange, PolicySet, built_in};

/// The shipped rules with one of them written differently.
fn edited(from: &str, to: &str) -> PolicySet {
    let mut edits = 0;
    let files = built_in::FILES.map(|(file, text)| {
        edits += text.matches(from).count();
        (file.to_owned(), text.replace(from, to))
    });
    assert!(edits > 0, "{from} is in no file");
    PolicySet::parse(SCHEMA, &files, &vocabulary()).unwrap_or_else(|mistakes| panic!("{}", listed(&mistakes)))
}

const ONE_APPROVAL: &str = "resource.getTag(\"release\") >= 1 ||";

/// Production is content with no approval.
fn without_approval() -> PolicySet {
    edited(ONE_APPROVAL, "resource.getTag(\"release\") >= 0 ||")
}

fn change(by: &str, before: &PolicySet, after: &PolicySet) -> PolicyChange {
    let at = "2026-11-20T12:00:00Z".parse().unwrap();
    PolicyChange {
        by: [by.into()].into(),
        by_others: false,
        at,
        before: Some(before.clone()),
        after: Some(after.clone()),
    }
}

/// What stays forbidden for whoever asked.
fn still(scene: &Scene, changes: &[PolicyChange]) -> String {
    match against_running(&scene.case(), changes) {
        reasons if reasons.is_empty() => "nothing".to_owned(),
        reasons => told(&Decision::Deny { reasons }),
    }
}

#[test]
fn what_somebody_loosened_stays_as_it_was_for_their_own_releases() {
    let (before, after) = (defaults(), without_approval());
    assert_eq!(scene().run(&after), "allow");
    let by_ana = [change("ana", &before, &after)];
    assert_eq!(still(&scene(), &by_ana), "own-policy-change (1 release by [bob chen]) or override");
    let why = &against_running(&scene().case(), &by_ana)[0].why;
    assert_eq!(why, "ana changed the policies since, and before that: Production needs an approval of team release.");
    // It clears as it did before, and only as it did before.
    assert_eq!(still(&scene().approved("bob"), &by_ana), "nothing");
    assert_eq!(still(&scene().approved("ana"), &by_ana), "own-policy-change (1 release by [bob chen]) or override");
    // What others ask for is judged by what is in force.
    assert_eq!(still(&scene(), &[change("bob", &before, &after)]), "nothing");
    assert_eq!(still(&scene(), &[]), "nothing");
}

#[test]
fn what_is_stricter_or_only_renamed_or_said_by_another_rule_too_is_no_profit() {
    let (before, after) = (without_approval(), defaults());
    assert_eq!(still(&scene(), &[change("ana", &before, &after)]), "nothing");
    let renamed = edited("@id(\"production-approval\")", "@id(\"one-approval\")");
    assert_eq!(still(&scene(), &[change("ana", &defaults(), &renamed)]), "nothing");
}

#[test]
fn a_smaller_quorum_is_found_when_it_would_be_enough() {
    let two = edited(ONE_APPROVAL, "resource.getTag(\"release\") >= 2 ||");
    let changes = [change("ana", &two, &defaults())];
    assert_eq!(still(&scene(), &changes), "nothing", "both ask for approvals");
    assert_eq!(scene().approved("bob").run(&defaults()), "allow");
    assert_eq!(still(&scene().approved("bob"), &changes), "own-policy-change (1 release by [chen]) or override");
    assert_eq!(still(&scene().approved("bob").approved("chen"), &changes), "nothing");
}

#[test]
fn neither_several_steps_nor_a_rule_that_fails_hide_it() {
    let failing = with_rules(
        r#"@id("overflows") @why("Too much.") forbid (principal, action == Action::"execute", resource)
           when { context.vetoes + 1 + 9223372036854775807 > 0 };"#,
    );
    let (before, after) = (defaults(), without_approval());
    let steps = [change("ana", &before, &failing), change("ana", &failing, &after)];
    assert_eq!(still(&scene(), &steps), "own-policy-change (1 release by [bob chen]) or override");
    // Somebody else's step in between changes nothing about hers.
    let steps = [change("bob", &before, &failing), change("ana", &failing, &after)];
    assert_eq!(still(&scene(), &steps), "own-policy-change (1 release by [bob chen]) or override");
    let steps = [change("ana", &before, &after), change("bob", &after, &with_rules(""))];
    assert_eq!(still(&scene(), &steps), "own-policy-change (1 release by [bob chen]) or override");
}

#[test]
fn who_lets_themselves_vote_or_ask_has_nothing_of_it() {
    let own_vote = edited(
        "when { resource.requester == principal }",
        "when { resource.requester == principal && false || resource.commits < 0 }",
    );
    let lets_ana = [change("ana", &defaults(), &own_vote)];
    let alone = scene().authors(&["eve"]).approved("ana");
    assert_eq!(alone.run(&own_vote), "allow");
    assert_eq!(still(&alone, &lets_ana), "own-policy-change (1 release by [bob chen]) or override");
    let guests = with_rules(
        r#"@id("guest-asks") permit (principal == Person::"guest", action == Action::"request", resource);"#,
    );
    let guest = person("guest", &[]);
    let (service, environment) = ("goals".into(), "staging".into());
    let asking = Asking { person: &guest, service: &service, environment: &environment, kind: PlanKind::Deploy };
    let by_guest = [change("guest", &defaults(), &guests)];
    assert!(guests.may_ask(&asking).is_allow());
    assert_eq!(against_asking(&asking, &by_guest).len(), 1);
    assert_eq!(told(&guests.may_ask_despite(&asking, &by_guest)), "own-policy-change");
    assert!(guests.may_ask_despite(&asking, &[change("ana", &defaults(), &guests)]).is_allow());
}

#[test]
fn many_small_changes_push_nothing_out() {
    let (before, after) = (defaults(), without_approval());
    let mut changes = vec![change("ana", &before, &after)];
    changes.extend((0..100).map(|_| change("ana", &after, &after)));
    assert_eq!(still(&scene(), &changes), "own-policy-change (1 release by [bob chen]) or override");
}

#[test]
fn a_change_of_which_nobody_can_tell_whose_it_is_counts_as_everybodys() {
    let mut by_nobody = change("x", &defaults(), &without_approval());
    (by_nobody.by, by_nobody.by_others) = ([].into(), true);
    let why = &against_running(&scene().case(), &[by_nobody])[0].why;
    assert!(why.starts_with("somebody whom Slipway does not know changed the policies since"), "{why}");
}

#[test]
fn what_cannot_be_read_any_more_is_a_no() {
    let mut unreadable = change("ana", &defaults(), &without_approval());
    unreadable.before = None;
    assert_eq!(still(&scene(), std::slice::from_ref(&unreadable)), "own-policy-change");
    // Not for others, and not where an earlier set can be asked.
    unreadable.by = ["bob".into()].into();
    assert_eq!(still(&scene(), std::slice::from_ref(&unreadable)), "nothing");
    let unreadable = PolicyChange { before: None, ..change("ana", &defaults(), &without_approval()) };
    let earlier = change("bob", &defaults(), &defaults());
    assert_eq!(still(&scene(), &[earlier, unreadable]), "own-policy-change (1 release by [bob chen]) or override");
}

#[test]
fn who_lets_themselves_end_a_lock_does_not() {
    let loosened = with_rules(r#"@id("all-unlock") permit (principal, action == Action::"unlock", resource);"#);
    let (dan, owner) = (person("dan", &["developers"]), "bob".into());
    let key = EnvironmentKey { service: "goals".into(), environment: "production".into() };
    let act = Act::Unlock { owner: &owner };
    let by = |who: &str| [change(who, &defaults(), &loosened)];
    assert!(loosened.may_act_despite(&dan, act, &key, &by("ana")).is_allow());
    assert_eq!(told(&loosened.may_act_despite(&dan, act, &key, &by("dan"))), "own-policy-change");
}
