//! One table per shipped rule.

use super::fixture::{defaults, person, scene, told};
use crate::facts::CiState;
use crate::migration::{Danger, DangerKind, TableSize};
use crate::plan::{PlanKind, PlannedMigration};
use crate::policy::{Act, Asking, Panel, Stance};

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
    let waiting = "production-approval (1 release by [bob chen]) or override";
    assert_eq!(scene().run(&policies), waiting);
    assert_eq!(scene().approved("bob").run(&policies), "allow");
    assert_eq!(scene().approved("chen").run(&policies), "allow");
    for (who, why) in [("ana", "asked"), ("eve", "wrote it"), ("dan", "not in the team"), ("guest", "in no team")] {
        assert_eq!(scene().approved(who).run(&policies), waiting, "{who}: {why}");
        assert_eq!(scene().approved(who).approved("bob").run(&policies), "allow");
    }
}

#[test]
fn a_rollback_to_a_version_known_to_be_good_needs_less() {
    let policies = defaults();
    let sunday = "2026-11-22T03:00:00Z";
    let known = || scene().rollback(true).soaked(0, false).at(sunday, "UTC");
    assert_eq!(known().run(&policies), "allow");
    assert_eq!(known().ci(CiState::Red).run(&policies), "ci-green (facts)", "but no less than any release");
    assert_eq!(known().voted("dan", Stance::Veto).run(&policies), "no-veto (withdrawal by [dan])");
    assert_eq!(
        scene().rollback(false).soaked(0, false).at(sunday, "UTC").run(&policies),
        "production-approval (1 release by [bob chen]) or override, soak-30m (first on staging) or override, \
         weekend-freeze (at 2026-11-23T08:00:00Z) or override",
        "another image of the same commit is a new version"
    );
    let mut forward = known();
    forward.plan.kind = PlanKind::Deploy;
    assert_ne!(forward.run(&policies), "allow", "only going back is quick");
}

#[test]
fn production_takes_what_has_served_before_it_for_half_an_hour() {
    let policies = defaults();
    let approved = || scene().approved("bob");
    assert_eq!(approved().run(&policies), "allow", "where no environment comes before");
    assert_eq!(approved().soaked(30 * 60, true).run(&policies), "allow");
    assert_eq!(approved().soaked(30 * 60, false).run(&policies), "allow", "it need not be there any more");
    assert_eq!(approved().soaked(29 * 60 + 59, true).run(&policies), "soak-30m (at 2026-11-23T12:00:01Z) or override");
    assert_eq!(approved().soaked(12 * 60, true).run(&policies), "soak-30m (at 2026-11-23T12:18:00Z) or override");
    assert_eq!(approved().soaked(29 * 60, false).run(&policies), "soak-30m (first on staging) or override");
    assert_eq!(approved().soaked(0, false).run(&policies), "soak-30m (first on staging) or override");
}

#[test]
fn where_nobody_can_tell_what_changes_two_teams_or_two_people_look() {
    let policies = defaults();
    let unknown = || {
        let mut scene = scene();
        scene.plan.base = None;
        scene
    };
    assert_eq!(
        unknown().run(&policies),
        "production-approval (1 release by [bob chen]) or override, \
         unknown-change (2 release by [bob chen]) or override",
        "nobody is in team sre"
    );
    assert_eq!(unknown().approved("bob").run(&policies), "unknown-change (1 release by [chen]) or override");
    assert_eq!(unknown().approved("bob").approved("chen").run(&policies), "allow");
    let with_sre: &[(&str, &[&str])] = &[("ana", &["developers"]), ("bob", &["release"]), ("sam", &["sre"])];
    let unknown = || unknown().people(with_sre);
    assert_eq!(unknown().approved("bob").run(&policies), "unknown-change (1 sre by [sam]) or override");
    assert_eq!(unknown().approved("bob").approved("sam").run(&policies), "allow");
    assert_eq!(unknown().to("staging").run(&policies), "allow");
}

#[test]
fn a_dangerous_migration_needs_a_dba_or_a_second_of_the_release_team() {
    let policies = defaults();
    let with = |kind, size, people: &[(&str, &[&str])]| {
        let danger = Danger { size, ..Danger::new(kind, Some("users".into())) };
        let mut scene = scene().people(people);
        scene.plan.migrations.push(PlannedMigration {
            version: 7.into(),
            file: "7_users.sql".into(),
            checksum: "ab".repeat(32),
            down_checksum: None,
            reversible: false,
            transactional: true,
            summary: String::new(),
            dangers: vec![danger],
            down_loses_data: false,
            late: false,
            not_run: None,
            statements: String::new(),
            ignored: vec![],
        });
        scene
    };
    let dora: &[(&str, &[&str])] = &[("ana", &["developers"]), ("bob", &["release"]), ("dora", &["dba"])];
    let drop = || with(DangerKind::DropColumn, None, dora);
    assert_eq!(
        drop().run(&policies),
        "dba-approval (1 dba by [dora]) or override, production-approval (1 release by [bob]) or override"
    );
    assert_eq!(drop().approved("bob").run(&policies), "dba-approval (1 dba by [dora]) or override");
    assert_eq!(drop().approved("bob").approved("dora").run(&policies), "allow");
    let more: &[(&str, &[&str])] =
        &[("ana", &["developers"]), ("bob", &["release"]), ("chen", &["release"]), ("dora", &["dba"])];
    let either = || with(DangerKind::DropColumn, None, more).approved("bob");
    assert_eq!(either().run(&policies), "dba-approval (1 dba by [dora]) or override", "the team that has not yet");
    assert_eq!(either().approved("chen").run(&policies), "allow");
    // Whoever reads the card sees that chen would do, too.
    let panels = policies.voters(&either().case());
    let who = |panel: &Panel| format!("{} {} {} {}", panel.missing, panel.team, panel.who[0], panel.instead);
    let named: Vec<_> = panels.iter().map(who).collect();
    assert_eq!(named, ["1 dba dora false", "1 release chen true"]);
    let first = with(DangerKind::DropColumn, None, more);
    let slots = crate::policy::slots::merged(&policies.may_execute(&first.case()));
    let instead: Vec<_> = slots.iter().flat_map(|slot| &slot.or).map(|or| (or.missing, or.team.as_str())).collect();
    assert_eq!(instead, [(2, "release")], "nobody has approved yet");
    assert_eq!(policies.voters(&drop().case()).iter().filter(|panel| panel.instead).count(), 0, "bob is one");
    let two: &[(&str, &[&str])] = &[("ana", &["developers"]), ("bob", &["release"]), ("chen", &["release"])];
    let without_dba = || with(DangerKind::DropColumn, None, two);
    assert_eq!(without_dba().approved("bob").run(&policies), "dba-approval (1 release by [chen]) or override");
    assert_eq!(without_dba().approved("bob").approved("chen").run(&policies), "allow");
    // A lock is felt where the table is big, or may be.
    let small = Some(TableSize { rows: Some(100), bytes: 8_192 });
    let big = Some(TableSize { rows: Some(2_000_000), bytes: 8_192 });
    let lock = |size| with(DangerKind::BlockingIndex, size, dora).approved("bob").run(&policies);
    assert_eq!(lock(small), "allow");
    assert_eq!(lock(big), "dba-approval (1 dba by [dora]) or override");
    assert_eq!(lock(None), "dba-approval (1 dba by [dora]) or override");
    assert_eq!(drop().to("staging").run(&policies), "allow");
    // What will not be run costs nothing, and neither does what its file allows.
    let mut skipped = drop().approved("bob");
    skipped.plan.migrations.last_mut().unwrap().not_run = Some("no PostgreSQL here".into());
    assert_eq!(skipped.approved("bob").run(&policies), "allow");
    let mut allowed = drop();
    allowed.plan.migrations.last_mut().unwrap().dangers[0].allowed = Some("nobody reads it".into());
    assert_eq!(allowed.approved("bob").run(&policies), "allow");
}

#[test]
fn production_rests_on_weekends_in_its_own_time_zone() {
    let policies = defaults();
    let at = |now, timezone| scene().approved("bob").at(now, timezone).run(&policies);
    // Friday 14:59 and 15:00 in Los Angeles, eight hours behind.
    assert_eq!(at("2026-11-27T22:59:59Z", "America/Los_Angeles"), "allow");
    let frozen = "weekend-freeze (at 2026-11-30T16:00:00Z) or override";
    assert_eq!(at("2026-11-27T23:00:00Z", "America/Los_Angeles"), frozen);
    assert_eq!(at("2026-11-30T15:59:59Z", "America/Los_Angeles"), frozen);
    assert_eq!(at("2026-11-30T16:00:00Z", "America/Los_Angeles"), "allow");
    assert_eq!(at("2026-11-27T23:00:00Z", "UTC"), "weekend-freeze (at 2026-11-30T08:00:00Z) or override");
    assert_eq!(scene().to("staging").at("2026-11-28T12:00:00Z", "UTC").run(&policies), "allow");
}

#[test]
fn an_override_sets_aside_what_yields_to_it_and_nothing_else() {
    let policies = defaults();
    let sunday = "2026-11-22T03:00:00Z";
    let emergency = || scene().soaked(0, false).at(sunday, "UTC");
    for (by, allowed) in [("ana", true), ("bob", true), ("dan", false), ("guest", false), ("mallory", false)] {
        let scene = emergency().overridden(by);
        assert_eq!(scene.run(&policies) == "allow", allowed, "{by}: {}", scene.run(&policies));
        let stranger = person(by, &["release"]);
        let who = scene.people.get(&by.into()).unwrap_or(&stranger);
        assert_eq!(policies.may_override(who, &scene.case()).is_allow(), allowed, "{by}");
    }
    assert_eq!(emergency().overridden("bob").ci(CiState::Red).run(&policies), "ci-green (facts)");
    assert_eq!(
        emergency().overridden("bob").voted("dan", Stance::Veto).run(&policies),
        "no-veto (withdrawal by [dan])",
        "somebody who objects is heard, emergency or not"
    );
    let mut changed = emergency().overridden("bob");
    changed.plan.config[0].version_id.push('x');
    assert_ne!(changed.run(&policies), "allow", "it was for the plan before");
    let left = emergency().overridden("bob").people(&[("ana", &["developers"]), ("bob", &["developers"])]);
    assert_ne!(left.run(&policies), "allow", "bob is no longer of the release team");
}

#[test]
fn every_reason_is_listed() {
    let scene = scene().ci(CiState::Red).voted("dan", Stance::Veto).voted("bob", Stance::Veto);
    assert_eq!(
        scene.run(&defaults()),
        "ci-green (facts), no-veto (withdrawal by [bob dan]), production-approval (1 release by [chen]) or override"
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
