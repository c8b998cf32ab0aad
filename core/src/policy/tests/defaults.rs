//! One table per shipped rule.

use super::fixture::{defaults, person, scene, told};
use crate::facts::CiState;
use crate::plan::PlanKind;
use crate::policy::{Act, Asking, Stance};

#[test]
fn developers_and_the_release_team_ask_everywhere() {
    let policies = defaults();
    let may = |teams: &[&str], environment: &str, kind| {
        let (person, service) = (person("ana", teams), "goals".into());
        told(&policies.may_ask(&Asking { person: &person, service: &service, environment: &environment.into(), kind }))
    };
    for environment in ["staging", "production"] {
        for kind in [PlanKind::Deploy, PlanKind::Rollback] {
            assert_eq!(may(&["developers"], environment, kind), "allow");
            assert_eq!(may(&["release"], environment, kind), "allow");
            assert_eq!(may(&["sre"], environment, kind), "no-permit");
            assert_eq!(may(&["a team no rule knows"], environment, kind), "no-permit");
            assert_eq!(may(&[], environment, kind), "no-permit");
        }
    }
}

#[test]
fn a_refused_request_says_who_asked_for_what() {
    let (guest, service, environment) = (person("guest", &[]), "goals".into(), "production".into());
    let asking = |kind| Asking { person: &guest, service: &service, environment: &environment, kind };
    let why = |kind| defaults().may_ask(&asking(kind)).reasons()[0].why.clone();
    assert_eq!(why(PlanKind::Deploy), "No rule lets guest ask for a release to production.");
    assert_eq!(why(PlanKind::Rollback), "No rule lets guest ask for a rollback of production.");
}

#[test]
fn staging_needs_green_ci_and_nothing_else() {
    let policies = defaults();
    let staging = || scene().to("staging");
    assert_eq!(staging().run(&policies), "allow");
    assert_eq!(staging().ci(CiState::Pending).run(&policies), "ci-green (facts)");
    assert_eq!(staging().ci(CiState::Red).run(&policies), "ci-green (facts)");
    assert_eq!(staging().ci(CiState::Missing).run(&policies), "ci-green (facts)");
    assert_eq!(staging().voted("dan", Stance::Veto).run(&policies), "no-veto (withdrawal by [dan])");
}

#[test]
fn production_needs_somebody_else_of_the_release_team() {
    let policies = defaults();
    let waiting = "production-approval (1 release by [bob chen])";
    assert_eq!(scene().run(&policies), waiting);
    assert_eq!(scene().approved("bob").run(&policies), "allow");
    assert_eq!(scene().approved("chen").run(&policies), "allow");
    for (who, why) in [("ana", "asked"), ("eve", "wrote it"), ("dan", "not in the team"), ("guest", "in no team")] {
        assert_eq!(scene().approved(who).run(&policies), waiting, "{who}: {why}");
        assert_eq!(scene().approved(who).approved("bob").run(&policies), "allow");
    }
    let mut rollback = scene();
    rollback.plan.kind = PlanKind::Rollback;
    assert_eq!(rollback.run(&policies), waiting, "a rollback is a release like any other");
}

#[test]
fn every_reason_is_listed() {
    let scene = scene().ci(CiState::Red).voted("dan", Stance::Veto).voted("bob", Stance::Veto);
    assert_eq!(
        scene.run(&defaults()),
        "ci-green (facts), no-veto (withdrawal by [bob dan]), production-approval (1 release by [chen])"
    );
}

#[test]
fn who_approves() {
    let policies = defaults();
    let table = [
        ("bob", "allow"),
        ("chen", "allow"),
        ("ana", "no-author-vote, no-own-vote"),
        ("eve", "no-author-vote"),
        ("dan", "no-permit"),
        ("guest", "no-permit"),
        ("mallory", "unknown-person"),
    ];
    for (voter, expected) in table {
        assert_eq!(scene().vote(&policies, voter, Stance::Approve), expected, "{voter}");
    }
    assert_eq!(scene().authors(&["eve"]).vote(&policies, "ana", Stance::Approve), "no-own-vote");
}

#[test]
fn everybody_known_objects() {
    let policies = defaults();
    for voter in ["ana", "bob", "chen", "dan", "eve", "guest"] {
        assert_eq!(scene().vote(&policies, voter, Stance::Veto), "allow", "{voter}");
    }
    assert_eq!(scene().vote(&policies, "mallory", Stance::Veto), "unknown-person");
}

#[test]
fn cancel_lock_and_unlock() {
    let policies = defaults();
    let (ana, bob) = ("ana".into(), "bob".into());
    let may = |teams: &[&str], act| {
        told(&policies.may_act(&person("ana", teams), act, &"goals".into(), &"production".into()))
    };
    assert_eq!(may(&["developers"], Act::Cancel { requester: &ana }), "allow");
    assert_eq!(may(&["developers"], Act::Cancel { requester: &bob }), "no-permit");
    assert_eq!(may(&["release"], Act::Cancel { requester: &bob }), "allow");
    assert_eq!(may(&[], Act::Cancel { requester: &bob }), "no-permit");
    assert_eq!(may(&["developers"], Act::Lock), "allow");
    assert_eq!(may(&["release"], Act::Lock), "allow");
    assert_eq!(may(&["sre"], Act::Lock), "no-permit");
    assert_eq!(may(&["developers"], Act::Unlock { owner: &ana }), "allow");
    assert_eq!(may(&["developers"], Act::Unlock { owner: &bob }), "no-permit");
    assert_eq!(may(&["release"], Act::Unlock { owner: &bob }), "allow");
}

#[test]
fn the_plan_can_say_who_approves_and_who_does_not() {
    let panels = defaults().voters(&scene().case());
    expect_test::expect![[r#"
        [
          {
            "team": "release",
            "missing": 1,
            "who": [
              "bob",
              "chen"
            ],
            "refused": [
              {
                "person": "ana",
                "why": [
                  "Nobody approves a release that contains a commit of their own.",
                  "Nobody approves a release that they asked for."
                ]
              },
              {
                "person": "eve",
                "why": [
                  "Nobody approves a release that contains a commit of their own."
                ]
              }
            ]
          }
        ]"#]]
    .assert_eq(&serde_json::to_string_pretty(&panels).unwrap());
    assert_eq!(defaults().voters(&scene().to("staging").case()), []);
    assert_eq!(defaults().voters(&scene().approved("bob").case()), []);
}
