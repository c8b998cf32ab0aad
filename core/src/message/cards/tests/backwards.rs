//! Rollbacks: what stands between, migrations that are taken back last, and what is known to be bad.

use super::*;
use crate::migration::{Danger, DangerKind, DownTrial, MigrationTrial, Rehearsal};
use crate::plan::Between;
use crate::release::{AutomaticRollback, KnownBad};
use expect_test::expect;

/// Three of every sort, the newest first.
fn three() -> Vec<PlannedMigration> {
    let mut drops = migration("20251104140000_themes", true);
    drops.dangers = vec![Danger::new(DangerKind::DropTable, Some("themes".into()))];
    vec![drops, migration("20251104130000_bio", false), migration("20251104120000_likes", true)]
}

fn plan_back(between: Between, taken_back: Vec<PlannedMigration>) -> Plan {
    let commits = vec![];
    let kind = PlanKind::Rollback;
    let (base, commit) = (Some(sha("4c1f9e2")), sha("9a77d01"));
    Plan { kind, base, commit, commits, commits_total: 0, migrations: vec![], taken_back, between, ..plan() }
}

fn asked_back(migrations: bool) -> Release {
    let mut back = asked();
    let (to, from) = (ReleaseId::new("01JC0000000000000000000000"), Some(ReleaseId::new("01JD0000000000000000000000")));
    back.request.kind =
        RequestKind::Rollback { to, commit: sha("9a77d01"), from, migrations, because_of: None, before: false };
    back
}

fn started(release: Release, plan: &Plan) -> Release {
    let mut back = after(planned(release, plan), [verdict("start", plan, &[])]);
    back.commit = Some(plan.commit.clone());
    back
}

/// A rollback that takes two migrations back runs its last step.
fn taking_back() -> Release {
    let mut back = three();
    back.remove(1);
    let trial = |m: &PlannedMigration| MigrationTrial {
        version: m.version.clone(),
        touched: vec![],
        down: DownTrial::Restores,
        partial: true,
    };
    let trials = back.iter().map(trial).collect();
    let plan = Plan { rehearsal: Some(Rehearsal::Done { trials }), ..plan_back(Between::default(), back) };
    let all =
        until(Step::Verify).into_iter().filter(|e| !matches!(e, Event::StepSucceeded { step: Step::Migrate, .. }));
    let back = after(started(asked_back(true), &plan), all);
    after(back, [done(Step::Verify, "healthy", 247)])
}

#[test]
fn what_stands_between_stays_applied_and_is_named() {
    let between = Between { migrations: three(), files: Some(sha("4c1f9e2")), unknown: None };
    expect![[r#"
        ◐ goals → production · checking CI of 9a77d01 · step 1 of 5 · 15 s, usually 4m 10s
        ▱▱▱▱▱▱▱▱▱▱ 19‰  CI: comparing its checks with the plan
        asked by ana · back to release 01JC0000 · plan 1c87da · release 01JD7Q4N

        Goes back       from 4c1f9e2 (running for 2 days) to 9a77d01
        Image           goals@sha256:3f8a…8a  pushed 12 min ago
        Stay applied    20251104140000_themes  creates likes, its way back drops data
                        20251104130000_bio  creates likes, no way back
                        20251104120000_likes  creates likes, reversible
                        the older version does not know them; they stay applied without --migrations
        ▲ Cannot be taken back: 20251104130000_bio has no down migration, whatever is rolled back.
        ◐ CI   ✔ image found   ○ migrate   ○ deploy   ○ verify
        [Cancel] [Details]
    "#]]
    .assert_eq(&card(&started(asked_back(false), &plan_back(between, vec![])), 20));
    let unknown = Between { unknown: Some("no answer within 3 s".into()), ..Between::default() };
    let shown = card(&started(asked_back(false), &plan_back(unknown, vec![])), 20);
    assert!(shown.contains("could not be told: no answer within 3 s"), "{shown}");
    let shown = card(&started(asked_back(false), &plan_back(Between::default(), vec![])), 20);
    assert!(shown.contains("none stand between"), "{shown}");
}

#[test]
fn migrations_are_taken_back_last() {
    expect![[r#"
        ◐ goals → production · taking 2 migrations back · step 5 of 5 · 4m 05s, usually 4m 10s
        ▰▰▰▰▰▰▰▰▰▱ 980‰  Migrations: taking back
        asked by ana · back to release 01JC0000 · plan 35d240 · release 01JD7Q4N
        ▲ 20251104140000_themes loses all data of themes. Safer: rename it first, and drop it some releases later when nobody missed it.

        Goes back       from 4c1f9e2 (running for 2 days) to 9a77d01
        Image           goals@sha256:3f8a…8a  pushed 16 min ago
        Taken back      20251104140000_themes  creates likes, its way back drops data
                        20251104120000_likes  creates likes, reversible
                        once the older version is live and verified, the newest first
                        rehearsed on an empty copy: down, up and down again
        ✔ CI green 3 of 3   ✔ image found   ✔ deployed in 3m 53s   ✔ verified   ◐ take back
        [Cancel] [Details]
    "#]]
    .assert_eq(&card(&taking_back(), 250));
    let ended = after(taking_back(), [done(Step::Migrate, "2 in 0.3 s", 252)]);
    expect![[r#"
        ● goals → production · 9a77d01 is live again · 2 migrations taken back · 4m 07s
        asked by ana · back to release 01JC0000 · plan 35d240 · release 01JD7Q4N
        ▲ 20251104140000_themes loses all data of themes. Safer: rename it first, and drop it some releases later when nobody missed it.

        Went back       from 4c1f9e2 to 9a77d01
        Image           goals@sha256:3f8a…8a  pushed Tue 14:48
        Taken back      20251104140000_themes  creates likes, its way back drops data
                        20251104120000_likes  creates likes, reversible
                        once the older version is live and verified, the newest first
                        rehearsed on an empty copy: down, up and down again
        ✔ CI green 3 of 3   ✔ image found   ✔ deployed in 3m 53s   ✔ verified   ✔ taken back 2 in 0.3 s
        If the version that it replaces is bad, say so, and nothing brings it back: /release bad 01JD0000 "why"
        [Details] [Lock]
    "#]]
    .assert_eq(&card(&ended, 260));
}

#[test]
fn what_fails_after_the_verification_leaves_the_older_version_live() {
    let failure = Failure::new("20251104120000_likes.sql failed at statement 1 of 1: no")
        .detail("Taken back, and not there any more: 20251104140000_themes.sql.")
        .next("/migrate production down 1");
    let failed = failed(taking_back(), Step::Migrate, failure, true, 252);
    expect![[r#"
        ✖ goals → production · 9a77d01 is live again · the migrations between were not all taken back
        asked by ana · back to release 01JC0000 · plan 35d240 · release 01JD7Q4N
        20251104120000_likes.sql failed at statement 1 of 1: no
        Taken back, and not there any more: 20251104140000_themes.sql.
        ▲ 20251104140000_themes loses all data of themes. Safer: rename it first, and drop it some releases later when nobody missed it.
        ✔ CI green 3 of 3   ✔ image found   ✔ deployed in 3m 53s   ✔ verified   ✖ take back
        Next: /migrate production down 1
        [Retry] [Details] [Lock]
    "#]]
    .assert_eq(&card(&failed, 260));
    let cancel = |begun| Event::CancelRequested { by: "bob".into(), begun, at: at(250) };
    let unbegun = after(taking_back(), [cancel(false)]);
    expect![[r#"
        – goals → production · cancelled by bob · 9a77d01 is live and verified
        asked by ana · back to release 01JC0000 · plan 35d240 · release 01JD7Q4N
        ▲ 20251104140000_themes loses all data of themes. Safer: rename it first, and drop it some releases later when nobody missed it.
        ✔ CI green 3 of 3   ✔ image found   ✔ deployed in 3m 53s   ✔ verified   ○ take back
        [Details]
    "#]]
    .assert_eq(&card(&unbegun, 260));
}

#[test]
fn a_mark_is_read_wherever_the_release_is() {
    let live = after(running(Step::Verify), [done(Step::Verify, "healthy", 247)]);
    let mark = KnownBad { by: "bob".into(), reason: Some("loses sessions".into()), at: at(900) };
    let marked = after(live, [Event::MarkedBad { mark: mark.clone() }]);
    let shown = card(&marked, 1_000);
    assert!(shown.starts_with("● goals → production · 4c1f9e2 is live · 4m 02s · known bad\n"), "{shown}");
    assert!(shown.contains("marked as known to be bad by bob at") && shown.contains(": loses sessions"), "{shown}");
    let details = text(&details(&marked, &people(), at(1_000)));
    assert!(details.contains("live, known bad") && details.contains("loses sessions"), "{details}");
    assert!(
        text(&history(std::slice::from_ref(&marked), &Default::default(), at(1_000))).contains("● live, known bad")
    );
    let said = [
        super::super::marked(&marked, &[("production".into(), true)], &[]),
        mark_news(&marked, &mark),
        goes_back_to_nothing_bad(&marked, &marked),
        not_marked(&marked, None),
        cannot_be_marked(&running(Step::Verify)),
        nothing_is_live(&key()),
    ];
    expect![[r#"
        Known to be bad from now on: 4c1f9e2 of release 01JD7Q4N. No rollback goes back to it, and nothing else brings it anywhere.
        It runs on production: /rollback production
        To take the mark away: /release bad 01JD7Q4N --undo

        goals: 4c1f9e2 of release 01JD7Q4N is marked as known to be bad by bob
        reason: loses sessions

        No rollback goes back to 4c1f9e2 of release 01JD7Q4N. Nothing was started.
        marked as known to be bad by bob at Tue 15:15: loses sessions.
        To take the mark away: /release bad 01JD7Q4N --undo

        Release 01JD7Q4N is not marked.

        Release 01JD7Q4N has not ended yet, so nothing is said of it.
        To stop it: /release cancel 01JD7Q4N

        No release of Slipway's is live on goals → production.
        See /release history production.
    "#]].assert_eq(&said.iter().map(text).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_failed_verification_says_what_follows_by_itself() {
    let failure = || Failure::new("The new version is live but not healthy: answers 503.").next("/rollback production");
    let failed = |rollback| {
        let failed = failed(running(Step::Verify), Step::Verify, failure(), false, 300);
        card(&after(failed, [Event::AutomaticRollback { rollback }]), 301)
    };
    let (release, commit) = (ReleaseId::new("01JE0000000000000000000000"), sha("9a77d01"));
    let asked = failed(AutomaticRollback::Asked { release, commit });
    let not = failed(AutomaticRollback::Not { why: "no earlier release has succeeded there.".into() });
    expect![[r#"
        ✖ goals → production · verification failed after 1m 00s · 4c1f9e2 is live, unverified
        asked by ana · plan 61151a · release 01JD7Q4N
        The new version is live but not healthy: answers 503.
        Rollback asked for by Slipway, if the rules let it: release 01JE0000 goes back to 9a77d01.
        Applied and still there: migration 20251104120000_likes
        ✔ CI green 3 of 3   ✔ image found   ✔ migrated 1 in 0.2 s   ✔ deployed in 3m 52s   ✖ verify
        Next: /release why 01JE0000 tells how the rollback stands
        [Details] [Lock]
        ✖ goals → production · verification failed after 1m 00s · 4c1f9e2 is live, unverified
        asked by ana · plan 61151a · release 01JD7Q4N
        The new version is live but not healthy: answers 503.
        Not rolled back by itself: no earlier release has succeeded there.
        Applied and still there: migration 20251104120000_likes
        ✔ CI green 3 of 3   ✔ image found   ✔ migrated 1 in 0.2 s   ✔ deployed in 3m 52s   ✖ verify
        Next: /rollback production
        [Details] [Lock]
    "#]]
    .assert_eq(&format!("{asked}{not}"));
    let mut back = asked_back(false);
    let RequestKind::Rollback { because_of, from, .. } = &mut back.request.kind else { unreachable!() };
    because_of.clone_from(from);
    let shown = card(&back, 302);
    let said = "asked by Slipway for ana · release 01JD0000 could not be verified · back to release 01JC0000";
    assert!(shown.contains(said), "{shown}");
}

#[test]
fn only_what_runs_is_live_in_the_history() {
    let live = after(running(Step::Verify), [done(Step::Verify, "healthy", 247)]);
    let mut back = after(taking_back(), [done(Step::Migrate, "2 in 0.3 s", 900)]);
    back.id = ReleaseId::new("01JE0000000000000000000000");
    let shown = |releases: &[Release]| {
        let text = text(&history(releases, &[].into(), at(1_000)));
        text.lines()
            .filter(|line| line.starts_with("01J"))
            .map(|line| line.split(" | ").nth(3).unwrap_or("").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(shown(&[back.clone(), live.clone()]), ["● live", "– rolled back by release 01JE0000"]);
    let next = Release { id: "01JF0000000000000000000000".into(), ended_at: Some(at(950)), ..live.clone() };
    assert_eq!(shown(&[next.clone(), live.clone()]), ["● live", "– replaced by release 01JF0000"]);
    assert_eq!(
        shown(&[next, back, live.clone()])[2],
        "– rolled back by release 01JE0000",
        "by what came first after it"
    );
    let mut elsewhere = Release { ended_at: Some(at(990)), ..live.clone() };
    elsewhere.request.key.environment = "staging".into();
    assert_eq!(shown(&[elsewhere, live]), ["● live", "● live"]);
}
