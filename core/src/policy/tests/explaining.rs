//! What would clear a reason, found by asking again.

use super::fixture::{scene, with_rules};
use crate::facts::CiState;
use crate::policy::Stance;

fn forbid(id: &str, condition: &str) -> String {
    format!("@id(\"{id}\") @why(\"W.\") forbid (principal, action == Action::\"execute\", resource) {condition};")
}

#[test]
fn a_freeze_ends_at_the_minute_in_the_environments_time_zone() {
    let freeze = forbid(
        "freeze",
        "when { context.time.weekday == Weekday::\"friday\" && context.time.minute >= 16 * 60 + 7 \
         || [Weekday::\"saturday\", Weekday::\"sunday\"].contains(context.time.weekday) }",
    );
    let policies = with_rules(&freeze);
    let at = |now, timezone| scene().to("staging").at(now, timezone).run(&policies);
    // Friday 16:06 and 16:07 in Los Angeles, eight hours behind.
    assert_eq!(at("2026-11-28T00:06:59Z", "America/Los_Angeles"), "allow");
    assert_eq!(at("2026-11-28T00:07:00Z", "America/Los_Angeles"), "freeze (at 2026-11-30T08:00:00Z)");
    assert_eq!(at("2026-11-27T23:59:59Z", "UTC"), "freeze (at 2026-11-30T00:00:00Z)");
    assert_eq!(at("2026-11-27T16:06:00Z", "UTC"), "allow");
}

#[test]
fn a_date_freeze_uses_the_local_date_and_may_be_too_long_to_see_its_end() {
    let freeze = forbid(
        "holidays",
        "when { context.time.today >= datetime(\"2026-12-21\") && context.time.today <= datetime(\"2027-01-03\") }",
    );
    let policies = with_rules(&freeze);
    let at = |now| scene().to("staging").at(now, "Europe/Berlin").run(&policies);
    assert_eq!(at("2026-12-20T22:59:00Z"), "allow");
    assert_eq!(at("2026-12-30T12:00:00Z"), "holidays (at 2027-01-03T23:00:00Z)");
    assert_eq!(at("2026-12-20T23:00:00Z"), "holidays (at 2027-01-03T23:00:00Z)");
    let longer = with_rules(&freeze.replace("2027-01-03", "2027-02-20"));
    let at = |now| scene().to("staging").at(now, "Europe/Berlin").run(&longer);
    assert_eq!(at("2026-12-20T23:00:00Z"), "holidays (at 2027-02-20T23:00:00Z)", "exactly 62 days");
    assert_eq!(at("2026-12-20T22:59:00Z"), "allow");
    let longest = with_rules(&freeze.replace("2027-01-03", "2027-02-21"));
    assert_eq!(scene().to("staging").at("2026-12-20T23:00:00Z", "Europe/Berlin").run(&longest), "holidays (some time)");
}

#[test]
fn an_instant_opens_by_time_too() {
    let policies = with_rules(&forbid("launch", "unless { context.time.now >= datetime(\"2026-11-23T18:42:00Z\") }"));
    assert_eq!(scene().to("staging").run(&policies), "launch (at 2026-11-23T18:42:00Z)");
}

#[test]
fn where_several_things_are_needed_together_the_first_is_named() {
    let both = "resource.hasTag(\"release\") && resource.getTag(\"release\") >= 1 && context.facts.ci == Ci::\"green\"";
    let policies = with_rules(&forbid("both", &format!("unless {{ {both} }}")));
    let red = || scene().to("staging").ci(CiState::Red);
    assert_eq!(red().run(&policies), "both (1 release by [bob chen]), ci-green (facts)");
    assert_eq!(red().approved("bob").run(&policies), "both (facts), ci-green (facts)");

    let calm = with_rules(&forbid("calm", "unless { context.vetoes == 0 && context.facts.ci == Ci::\"green\" }"));
    let objected = red().voted("dan", Stance::Veto);
    assert_eq!(objected.run(&calm), "calm (withdrawal by [dan]), ci-green (facts), no-veto (withdrawal by [dan])");

    let timed = format!("unless {{ {both} && context.time.minute >= 13 * 60 }}");
    let timed = with_rules(&forbid("timed", &timed));
    assert_eq!(scene().to("staging").run(&timed), "timed (at 2026-11-23T13:00:00Z)");
    assert_eq!(scene().to("staging").at("2026-11-23T13:00:00Z", "UTC").run(&timed), "timed (1 release by [bob chen])");
}

#[test]
fn where_one_of_two_teams_is_enough_the_one_that_can_is_named() {
    let either = "resource.hasTag(\"sre\") && resource.getTag(\"sre\") >= 1 \
                  || resource.hasTag(\"release\") && resource.getTag(\"release\") >= 1";
    let policies = with_rules(&forbid("either", &format!("unless {{ {either} }}")));
    assert_eq!(scene().to("staging").run(&policies), "either (1 release by [bob chen])", "nobody is in team sre");
    assert_eq!(scene().to("staging").approved("chen").run(&policies), "allow");
}

#[test]
fn what_nothing_clears_says_so() {
    let policies = with_rules(&forbid("never", "when { resource.service == Service::\"goals\" }"));
    assert_eq!(scene().to("staging").run(&policies), "never");
}

#[test]
fn a_refused_vote_says_what_would_clear_it() {
    let policies = with_rules(
        "@id(\"office-hours\") @why(\"W.\") forbid (principal, action == Action::\"approve\", resource)
         unless { context.time.minute >= 9 * 60 };
         @id(\"green-first\") @why(\"W.\") forbid (principal, action == Action::\"approve\", resource)
         unless { context.facts.ci == Ci::\"green\" };",
    );
    let early = scene().at("2026-11-23T08:59:00Z", "UTC").ci(CiState::Pending);
    assert_eq!(
        early.vote(&policies, "bob", Stance::Approve),
        "green-first (facts), office-hours (at 2026-11-23T09:00:00Z)"
    );
    assert_eq!(early.vote(&policies, "bob", Stance::Veto), "allow");
}

#[test]
fn a_quorum_counts_down() {
    let three = "unless { resource.hasTag(\"release\") && resource.getTag(\"release\") >= 3 }";
    let policies = with_rules(&forbid("three", three));
    let scene = || scene().to("staging").authors(&["dan"]);
    assert_eq!(scene().run(&policies), "three (3 release by [bob chen eve])");
    assert_eq!(scene().approved("eve").run(&policies), "three (2 release by [bob chen])");
    assert_eq!(scene().approved("eve").approved("bob").run(&policies), "three (1 release by [chen])");
    assert_eq!(scene().approved("eve").approved("bob").approved("chen").run(&policies), "allow");
}
