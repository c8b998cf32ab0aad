//! Every way in which somebody, or a careless rule, might get a release past the policies.

use super::fixture::{defaults, scene, told, with_rules};
use crate::facts::CiState;
use crate::plan::PlanKind;
use crate::policy::{Asking, Stance, nobody_can};

const WAITING: &str = "production-approval (1 release by [bob chen]) or override";

#[test]
fn a_vote_on_another_plan_does_not_count() {
    let mut scene = scene().approved("bob");
    assert_eq!(scene.run(&defaults()), "allow");
    scene.plan.config[0].version_id.push('x');
    assert_eq!(scene.run(&defaults()), WAITING, "bob can vote again, on this plan");
}

#[test]
fn a_veto_stands_on_every_plan_until_it_is_withdrawn() {
    let mut scene = scene().approved("chen").voted("bob", Stance::Veto);
    assert_eq!(scene.run(&defaults()), "no-veto (withdrawal by [bob])");
    scene.plan.config[0].version_id.push('x');
    let scene = scene.approved("chen");
    assert_eq!(scene.run(&defaults()), "no-veto (withdrawal by [bob])");
    let mut withdrawn = scene;
    withdrawn.votes.retain(|vote| vote.stance == Stance::Approve);
    assert_eq!(withdrawn.run(&defaults()), "allow");
}

#[test]
fn whoever_objects_does_not_approve_at_the_same_time() {
    let scene = scene().approved("bob").voted("bob", Stance::Veto);
    assert_eq!(
        scene.run(&defaults()),
        "no-veto (withdrawal by [bob]), production-approval (1 release by [chen]) or override"
    );
}

#[test]
fn the_vote_of_somebody_who_left_does_not_count() {
    let left_the_team =
        scene().approved("bob").people(&[("ana", &["developers"]), ("bob", &["developers"]), ("chen", &["release"])]);
    assert_eq!(left_the_team.run(&defaults()), "production-approval (1 release by [chen]) or override");
    let left = scene().approved("bob").voted("bob", Stance::Veto);
    let left = left.people(&[("ana", &["developers"]), ("chen", &["release"])]);
    assert_eq!(
        left.run(&defaults()),
        "production-approval (1 release by [chen]) or override",
        "nor does a veto that nobody can withdraw"
    );
}

#[test]
fn whoever_asked_must_still_be_allowed_to() {
    let gone = scene().approved("bob").people(&[("bob", &["release"])]);
    assert_eq!(gone.run(&defaults()), "unknown-person");
    assert_eq!(gone.vote(&defaults(), "bob", Stance::Approve), "unknown-person");
    let demoted = scene().approved("bob").people(&[("ana", &[]), ("bob", &["release"])]);
    assert_eq!(demoted.run(&defaults()), "no-permit");
    let demoted_and_unapproved = scene().people(&[("ana", &[]), ("bob", &["release"])]);
    assert_eq!(
        demoted_and_unapproved.run(&defaults()),
        "no-permit, production-approval (1 release by [bob]) or override"
    );
}

#[test]
fn a_second_vote_of_the_same_person_is_no_second_person() {
    let two = with_rules(&quorum("two", "release", 2));
    let once = "two (1 release by [chen])";
    assert_eq!(scene().approved("bob").run(&two), once);
    assert_eq!(scene().approved("bob").approved("bob").run(&two), once);
    assert_eq!(scene().approved("bob").approved("chen").run(&two), "allow");
}

fn quorum(id: &str, team: &str, count: u32) -> String {
    format!(
        "@id(\"{id}\") @why(\"More approvals are needed.\")
        forbid (principal, action == Action::\"execute\", resource)
        unless {{ resource.hasTag(\"{team}\") && resource.getTag(\"{team}\") >= {count} }};"
    )
}

#[test]
fn one_person_in_two_teams_fills_one_slot() {
    let policies = with_rules(&quorum("sre", "sre", 1));
    let people: &[(&str, &[&str])] =
        &[("ana", &["developers"]), ("bob", &["release"]), ("sam", &["sre"]), ("max", &["release", "sre"])];
    let scene = || scene().people(people);
    assert_eq!(
        scene().run(&policies),
        "production-approval (1 release by [bob max]) or override, sre (1 sre by [max sam])"
    );
    let either = "max counts for either team, and then one of the other is missing";
    assert_eq!(
        scene().approved("max").run(&policies),
        "production-approval (1 release by [bob]) or override",
        "{either}"
    );
    assert_eq!(scene().approved("max").approved("bob").run(&policies), "allow", "max counts for sre");
    assert_eq!(scene().approved("max").approved("sam").run(&policies), "allow", "max counts for release");
    assert_eq!(scene().approved("bob").run(&policies), "sre (1 sre by [max sam])");
}

#[test]
fn the_assignment_shown_is_one_that_can_be_completed() {
    let policies = with_rules(&quorum("sre", "sre", 1));
    let people: &[(&str, &[&str])] = &[("ana", &["developers"]), ("max", &["release", "sre"]), ("bob", &["release"])];
    let half = scene().people(people).approved("max");
    assert_eq!(
        half.run(&policies),
        "production-approval (1 release by [bob]) or override",
        "max counts for sre, where he is needed"
    );
    let people: &[(&str, &[&str])] = &[("ana", &["developers"]), ("max", &["release", "sre"])];
    let alone = scene().people(people);
    let decision = policies.may_execute(&alone.case());
    let open = nobody_can(&decision).expect("one person cannot fill two slots");
    assert_eq!(open.iter().map(|slot| slot.missing).sum::<u32>(), 1);
}

#[test]
fn two_authors_alone_cannot_release() {
    let people: &[(&str, &[&str])] = &[("ana", &["developers", "release"]), ("eve", &["developers", "release"])];
    let pair = scene().people(people);
    let decision = defaults().may_execute(&pair.case());
    assert_eq!(told(&decision), "production-approval (1 release by []) or override");
    let open = nobody_can(&decision).expect("nobody is left");
    assert_eq!((open[0].team.as_str(), open[0].missing), ("release", 1));
    let somebody = scene();
    assert_eq!(nobody_can(&defaults().may_execute(&somebody.case())), None);
    assert_eq!(nobody_can(&defaults().may_execute(&scene().approved("bob").case())), None);
}

/// Adds numbers until they do not fit: Cedar reports an error and skips the rule.
const ERRING: &str = r#"@id("erring") @why("Never read.")
    forbid (principal, action, resource is Release)
    when { resource.commits + 9223372036854775807 > 0 && resource.commits == 0 };"#;

#[test]
fn a_rule_that_cannot_be_evaluated_means_no() {
    let policies = with_rules(ERRING);
    let approved = scene().approved("bob");
    let decision = policies.may_execute(&approved.case());
    assert_eq!(told(&decision), "policy-error");
    assert!(decision.reasons()[0].why.contains("`erring`"), "{}", decision.reasons()[0].why);
    assert_eq!(scene().to("staging").run(&policies), "policy-error");
    assert_eq!(scene().vote(&policies, "bob", Stance::Approve), "policy-error");
    assert_eq!(scene().vote(&policies, "bob", Stance::Veto), "policy-error");
}

#[test]
fn a_veto_stands_when_its_permission_cannot_be_evaluated() {
    let erring = ERRING.replace("action,", "action == Action::\"veto\",");
    let scene = scene().approved("bob").voted("dan", Stance::Veto);
    assert_eq!(scene.run(&with_rules(&erring)), "no-veto (withdrawal by [dan])");
}

#[test]
fn an_environment_or_time_zone_nobody_knows_means_no() {
    let mut scene = scene().to("prod").approved("bob");
    assert_eq!(scene.run(&defaults()), "policy-error");
    let (ana, service, environment) = (scene.people.get(&"ana".into()).unwrap(), "goals".into(), "prod".into());
    let asking = Asking { person: ana, service: &service, environment: &environment, kind: PlanKind::Deploy };
    assert_eq!(told(&defaults().may_ask(&asking)), "policy-error");
    scene = scene.to("staging");
    assert_eq!(scene.run(&defaults()), "allow");
    scene.timezone = "Mars/Olympus_Mons";
    assert_eq!(scene.run(&defaults()), "policy-error");
}

#[test]
fn a_rule_against_too_few_does_not_pass_for_want_of_a_count() {
    let policies = with_rules(
        r#"@id("few") @why("Team sre has not approved.")
        forbid (principal, action == Action::"execute", resource)
        when { resource.hasTag("sre") && resource.getTag("sre") < 1 };"#,
    );
    assert_eq!(scene().to("staging").run(&policies), "few (1 sre by [])");
}

#[test]
fn unknown_authors_are_counted_so_that_a_rule_can_refuse_them() {
    let policies = with_rules(
        r#"@id("strangers") @why("Somebody unknown wrote a commit.")
        forbid (principal, action == Action::"execute", resource)
        when { resource.unknownAuthors > 0 };"#,
    );
    let mut scene = scene().to("staging");
    assert_eq!(scene.run(&policies), "allow");
    scene.plan.commits[1].author = None;
    assert_eq!(scene.run(&policies), "strangers");
    scene.plan.commits.pop();
    assert_eq!(scene.run(&policies), "strangers", "a commit that is not listed has no known author either");
    scene.plan.commits_total = 1;
    assert_eq!(scene.run(&policies), "allow");
}

#[test]
fn nothing_is_allowed_without_a_rule() {
    use super::fixture::{SCHEMA, vocabulary};
    let empty = crate::policy::PolicySet::parse(SCHEMA, &[], &vocabulary()).unwrap();
    assert_eq!(scene().approved("bob").run(&empty), "no-permit");
    assert_eq!(scene().vote(&empty, "bob", Stance::Approve), "no-permit");
    assert_eq!(scene().ci(CiState::Red).run(&empty), "no-permit");
}

#[test]
fn how_deep_the_caller_stands_changes_no_answer() {
    let answer = scene().approved("bob").run(&defaults());
    assert_eq!(answer, "allow");
    // Cedar by itself evaluates nothing with less than 100 kB left.
    let shallow = std::thread::Builder::new().stack_size(96 * 1024);
    let asked = || scene().approved("bob").run(&defaults());
    assert_eq!(shallow.spawn(asked).unwrap().join().unwrap(), answer);
}
