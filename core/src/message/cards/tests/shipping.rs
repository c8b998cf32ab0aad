//! A pull request on its way, from the first line to the announcement.

use super::*;
use crate::message::cards::{announcement, ships_already};
use crate::pull::{Merge, Shipped};
use crate::release::Outcome;
use expect_test::expect;

fn shipped(missing: &[&str]) -> Shipped {
    Shipped {
        number: 123,
        title: "Show profile links".into(),
        author: Some("eve-dev".into()),
        url: "https://github.com/acme/goals/pull/123".into(),
        head: sha("b02a6c8"),
        base: "main".into(),
        missing: missing.iter().map(|&phrase| phrase.to_owned()).collect(),
        counted: vec!["approved by bob".into(), "checks: 2 of 3 passed".into()],
        not_counted: vec!["eve's approval does not count: eve opened #123".into()],
        refusals: 0,
        merge: None,
    }
}

fn asked_to_ship() -> Release {
    let mut request = asked().request;
    request.kind = RequestKind::Ship { pull: 123, again: None };
    request.reference = None;
    after(Release::new(ReleaseId::new("01JD7Q4N5V0000000000000000"), request), [Event::Requested])
}

fn seen(missing: &[&str]) -> Event {
    Event::PullSeen { pull: Box::new(shipped(missing)) }
}

fn ready() -> Event {
    Event::PullReady { pull: Box::new(shipped(&[])), at: at(60) }
}

fn merged(by: Option<&str>) -> Event {
    let merge = Some(Merge { commit: sha("4c1f9e2"), by: by.map(str::to_owned) });
    Event::PullMerged { pull: Box::new(Shipped { merge, ..shipped(&[]) }), at: at(61) }
}

fn building() -> Release {
    after(asked_to_ship(), [ready(), merged(None)])
}

#[test]
fn it_says_what_it_waits_for_and_what_was_counted() {
    let all = [
        asked_to_ship(),
        after(asked_to_ship(), [seen(&["1 approval of b02a6c8 missing", "check test failed"])]),
        after(asked_to_ship(), [seen(&["chen asks for changes", "checks: 1 of 3 passed", "a third", "a fourth"])]),
        after(asked_to_ship(), [ready()]),
        building(),
    ];
    expect![[r#"
        ◐ goals → production · looking at #123
        asked by ana · ships #123 · release 01JD7Q4N
        [Cancel]

        ○ goals → production · waits for #123: 1 approval of b02a6c8 missing, check test failed
        asked by ana · ships #123 · release 01JD7Q4N
        Pull request    #123 <https://github.com/acme/goals/pull/123> Show profile links · eve-dev · b02a6c8 into main
        Waits for       1 approval of b02a6c8 missing
                        check test failed
        Reviews         eve's approval does not count: eve opened #123
        Counted         approved by bob · checks: 2 of 3 passed
        Merged as soon as nothing is missing: exactly b02a6c8, or the commit that is newest by then.
        expires Tue 19:00
        [Cancel]

        ○ goals → production · waits for #123: chen asks for changes, checks: 1 of 3 passed and 2 more
        asked by ana · ships #123 · release 01JD7Q4N
        Pull request    #123 <https://github.com/acme/goals/pull/123> Show profile links · eve-dev · b02a6c8 into main
        Waits for       chen asks for changes
                        checks: 1 of 3 passed
                        a third
                        a fourth
        Reviews         eve's approval does not count: eve opened #123
        Counted         approved by bob · checks: 2 of 3 passed
        Merged as soon as nothing is missing: exactly b02a6c8, or the commit that is newest by then.
        expires Tue 19:00
        [Cancel]

        ◐ goals → production · merging #123 · squash of b02a6c8
        asked by ana · ships #123 · release 01JD7Q4N
        Pull request    #123 <https://github.com/acme/goals/pull/123> Show profile links · eve-dev · b02a6c8 into main
        Reviews         eve's approval does not count: eve opened #123
        Counted         approved by bob · checks: 2 of 3 passed
        [Cancel]

        ◐ goals → production · planning 4c1f9e2 · waiting for CI and the image
        asked by ana · ships #123 · release 01JD7Q4N
        #123 <https://github.com/acme/goals/pull/123> Show profile links by eve-dev · merged as 4c1f9e2
        [Cancel]
    "#]]
    .assert_eq(&all.map(|release| card(&release, 70)).join("\n"));
}

#[test]
fn every_end_says_whether_it_is_merged() {
    let failed = |release: Release| {
        let failure = Failure::new("CI is red on 4c1f9e2.").next("push a fix");
        after(release, [Event::PlanningFailed { step: Some(Step::Ci), failure, at: at(90) }])
    };
    let cancelled =
        |release: Release| after(release, [Event::CancelRequested { by: "bob".into(), begun: false, at: at(90) }]);
    let closed = Failure::new("#123 is closed and was not merged.").next("reopen it on GitHub, then ask again");
    let closed = Event::PlanningFailed { step: None, failure: closed.final_for_request(), at: at(90) };
    let lost = Failure::new("GitHub cannot be reached.").detail(crate::pull::UNCLEAR).next("/release retry");
    let lost = Event::PlanningFailed { step: None, failure: lost, at: at(90) };
    let expired = |release: Release, s| after(release, [Event::TimedOut { at: at(s) }]);
    let all = [
        after(asked_to_ship(), [closed]),
        cancelled(after(asked_to_ship(), [seen(&["1 approval of b02a6c8 missing"])])),
        expired(after(asked_to_ship(), [seen(&["1 approval of b02a6c8 missing"])]), 4 * 3600),
        cancelled(building()),
        failed(after(asked_to_ship(), [merged(Some("chen-dev"))])),
        expired(building(), 61 + 4 * 3600),
        after(asked_to_ship(), [ready(), lost]),
    ];
    expect![[r#"
        ✖ goals → production · planning failed · nothing was merged
        asked by ana · ships #123 · release 01JD7Q4N
        #123 is closed and was not merged.
        Next: reopen it on GitHub, then ask again

        – goals → production · cancelled by bob · nothing was merged
        asked by ana · ships #123 · release 01JD7Q4N

        – goals → production · expired · nothing was merged
        asked by ana · ships #123 · release 01JD7Q4N
        To ask again: /release ship 123 production
        [Why?]

        – goals → production · cancelled by bob · #123 is merged, not deployed
        asked by ana · ships #123 · release 01JD7Q4N
        ▲ #123 <https://github.com/acme/goals/pull/123> Show profile links by eve-dev · merged as 4c1f9e2: it is on main, whatever became of this release

        ✖ goals → production · CI is not green for 4c1f9e2 · #123 is merged, not deployed
        asked by ana · ships #123 · release 01JD7Q4N
        ▲ #123 <https://github.com/acme/goals/pull/123> Show profile links by eve-dev · merged as 4c1f9e2, by chen-dev on GitHub: it is on main, whatever became of this release
        CI is red on 4c1f9e2.
        Next: push a fix
        [Re-run failed jobs] [Retry]

        – goals → production · expired · #123 is merged, not deployed
        asked by ana · ships #123 · release 01JD7Q4N
        ▲ #123 <https://github.com/acme/goals/pull/123> Show profile links by eve-dev · merged as 4c1f9e2: it is on main, whatever became of this release
        To ask again: /deploy production 4c1f9e2
        [Why?]

        ✖ goals → production · planning failed · it is not known whether #123 was merged
        asked by ana · ships #123 · release 01JD7Q4N
        GitHub cannot be reached.
        Look on GitHub whether the pull request was merged.
        Next: /release retry
        [Retry]
    "#]].assert_eq(&all.map(|release| card(&release, 100)).join("\n"));
}

#[test]
fn a_dry_run_says_what_is_missing() {
    let mut dry = asked_to_ship();
    dry.request.dry_run = true;
    let waits = Event::PullWaits { pull: Box::new(shipped(&["check test failed"])), at: at(9) };
    let all = [after(dry.clone(), [ready()]), after(dry, [waits])];
    assert!(all.iter().all(|release| release.outcome == Some(Outcome::DryRun)));
    expect![[r#"
        – goals → production · dry run: #123 could be merged now · nothing was merged
        asked by ana · ships #123 · release 01JD7Q4N
        Pull request    #123 <https://github.com/acme/goals/pull/123> Show profile links · eve-dev · b02a6c8 into main
        Reviews         eve's approval does not count: eve opened #123
        Counted         approved by bob · checks: 2 of 3 passed
        What would be deployed is planned after the merge.

        – goals → production · dry run: #123 would wait: check test failed · nothing was merged
        asked by ana · ships #123 · release 01JD7Q4N
        Pull request    #123 <https://github.com/acme/goals/pull/123> Show profile links · eve-dev · b02a6c8 into main
        Waits for       check test failed
        Reviews         eve's approval does not count: eve opened #123
        Counted         approved by bob · checks: 2 of 3 passed
        What would be deployed is planned after the merge.
    "#]]
    .assert_eq(&all.map(|release| card(&release, 70)).join("\n"));
}

#[test]
fn the_announcement_names_it() {
    let planned = Event::Planned { plan: Box::new(plan()), facts: facts() };
    let started = after(building(), [Event::BuildReady, planned, verdict("start", &plan(), &[])]);
    let live = after(started, until(Step::Verify).into_iter().chain([done(Step::Verify, "healthy", 247)]));
    let people = people();
    let view = view(&live, &people, &[], 250);
    let both = [text(&release_card(&view)), text(&announcement(&view, true)), text(&ships_already(&live, 123))];
    expect![[r#"
        ● goals → production · 4c1f9e2 is live · 4m 02s
        asked by ana · ships #123 · plan 61151a · release 01JD7Q4N
        #123 <https://github.com/acme/goals/pull/123> Show profile links by eve-dev · merged as 4c1f9e2

        What shipped    3 commits since 9a77d01
                        4c1f9e2  Show profile links (#44) · ana
                        b02a6c8  Add likes to aspiration updates (#41) · eve
                        77e3f10  Fix nested comment order · ana
        Image           goals@sha256:3f8a…8a  pushed Tue 14:48
        Migrations      20251104120000_likes  creates likes, reversible
        ✔ CI green 3 of 3   ✔ image found   ✔ migrated 1 in 0.2 s   ✔ deployed in 3m 52s   ✔ verified
        [Details] [Lock]

        goals 4c1f9e2 is in production with #123 · 3 commits · 4 min · asked by ana
        Show profile links (#44, @ana) · Add likes to aspiration updates (#41, @eve) · Fix nested comment order (@ana)
        1 migration · previous 9a77d01, /rollback production takes about 4 min

        #123 is on its way to production: release 01JD7Q4N of ana. Nothing was started.
        To see it: /release show 01JD7Q4N
    "#]]
    .assert_eq(&both.join("\n"));
}

#[test]
fn what_somebody_wrote_stays_what_it_is() {
    let mut evil = shipped(&["check <!channel> failed"]);
    evil.title = "<!channel> @everyone\n● goals → production".into();
    evil.base = "ma`in".into();
    evil.url = "javascript:alert(1)".into();
    let card =
        release_card(&view(&after(asked_to_ship(), [Event::PullSeen { pull: Box::new(evil) }]), &people(), &[], 70));
    let spans = serde_json::to_string(&card).unwrap();
    for own in ["\"plain\":\"<!channel>", "\"plain\":\"check", "\"plain\":\"ma`in", "javascript"] {
        assert!(!spans.contains(own), "{own} in {spans}");
    }
}
