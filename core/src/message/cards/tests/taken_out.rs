//! What a commit of another branch takes out, what staging has moved on from, and marks of the same commit.

use super::*;
use crate::plan::TakesOut;
use crate::policy::Ahead;
use crate::release::KnownBad;

fn another_branch() -> Plan {
    let commits = vec![
        commit("71075af", "fix login *now* <!channel>", "eve"),
        commit("8c10000", "Faster list", "ana"),
        commit("9a77d01", "Reminders", "ana"),
    ];
    let unknown_applied = vec![Version::parse("20251101080000").unwrap()];
    Plan { takes_out: TakesOut { commits, total: 5 }, unknown_applied, ..plan() }
}

const TAKES: &str = "▲ takes 5 commits out that run now: 71075af fix login *now* <!channel>, 8c10000 Faster list, \
                     9a77d01 Reminders and 2 more. 1 migration applied here that this commit does not have: 20251101080000";

/// Whatever breaks lines.
fn folded(card: &str) -> String {
    card.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shown(release: &Release) -> String {
    folded(&card(release, 20))
}

fn judged_so(course: &str, reasons: &[Reason]) -> Release {
    let plan = another_branch();
    after(planned(asked(), &plan), [verdict(course, &plan, reasons)])
}

#[test]
fn what_is_taken_out_is_a_danger_before_and_while_it_runs_and_a_fact_afterwards() {
    for release in [judged_so("wait", &[two_slots()]), judged_so("dry_run", &[]), judged_so("start", &[])] {
        let card = shown(&release);
        assert!(card.contains(&folded(TAKES)), "{card}");
    }
    let waiting = shown(&judged_so("wait", &[two_slots()]));
    assert!(waiting.contains("3 commits since 9a77d01, takes 5 commits out"), "{waiting}");
    let over = until(Step::Verify).into_iter().chain([done(Step::Verify, "healthy", 247)]);
    let live = after(judged_so("start", &[]), over);
    let card = card(&live, 300);
    let first = card.lines().next().unwrap();
    assert!(first.contains("4c1f9e2 is live · took 5 commits out · "), "{first}");
    assert!(folded(&card).contains("▲ took 5 commits out that ran before: 71075af"), "{card}");
    let broken = failed(judged_so("start", &[]), Step::Ci, Failure::new("It broke."), false, 20);
    assert!(!shown(&broken).contains("out that ran before"), "nothing was taken out");
}

#[test]
fn a_plan_that_takes_nothing_out_does_not_speak_of_it() {
    assert!(!shown(&judged("start", &[])).contains(" out"));
}

#[test]
fn staging_that_has_moved_on_is_the_first_line_with_what_can_go_instead() {
    let ahead = Some(Ahead { commit: sha("71075af"), to: "production".into() });
    let soak = Reason {
        overridable: true,
        ..reason("soak-30m", "It must soak.", Clears::Soak { environment: "staging".into(), ahead })
    };
    let release = judged("wait", &[two_slots(), soak]);
    let card = card(&release, 20);
    let first = card.lines().next().unwrap();
    assert_eq!(first, "○ goals → production · refused: staging has moved on to 71075af · deploy that, or override");
    assert!(
        folded(&card).contains("staging has moved on to 71075af: /deploy production 71075af brings that"),
        "{card}"
    );
    assert!(!card.contains("[Approve]"), "{card}");
}

/// A release of the same commit, in another environment, that is marked.
fn marked() -> Release {
    let mark = KnownBad { by: "bob".into(), reason: Some("loses sessions".into()), at: at(30) };
    let id = ReleaseId::new("01JAAAAA5V0000000000000000");
    Release { id, known_bad: Some(mark), commit: Some(sha("4c1f9e2")), ..asked() }
}

fn with_mark(release: &Release) -> String {
    let (people, marked) = (people(), marked());
    text(&release_card(&ReleaseView { marked: Some(&marked), ..view(release, &people, &approvers(), 300) }))
}

#[test]
fn a_mark_is_on_every_release_of_the_commit() {
    let over = until(Step::Verify).into_iter().chain([done(Step::Verify, "healthy", 247)]);
    let live = after(judged("start", &[]), over);
    for release in [live, running(Step::Deploy)] {
        let card = with_mark(&release);
        assert!(card.lines().next().unwrap().contains("known bad"), "{card}");
        assert!(card.contains("▲ marked as known to be bad by bob") && card.contains("loses sessions"), "{card}");
        let rows = [release.clone()];
        let history = text(&history(&rows, &[release.id.clone()].into(), at(300)));
        assert!(history.contains(", known bad"), "{history}");
    }
}

#[test]
fn what_is_refused_for_a_mark_says_how_it_is_asked_for_again() {
    let bad = reason("known-bad", "Somebody has marked this commit as known to be bad.", Clears::Nothing);
    let card = with_mark(&judged("deny", &[bad]));
    let first = card.lines().next().unwrap();
    assert_eq!(first, "✖ goals → production · refused: Somebody has marked this commit as known to be bad");
    let way = "/release bad 01JAAAAA --undo takes that back; then ask again: /deploy production 4c1f9e2";
    assert!(folded(&card).contains(way), "{card}");
    assert!(!card.contains("[Approve]") && !card.contains("goes on by itself"), "{card}");
}

#[test]
fn what_waited_before_the_mark_says_what_follows_once_that_is_gone() {
    let bad = reason("known-bad", "Somebody has marked this commit as known to be bad.", Clears::Nothing);
    let mut release = judged("wait", &[two_slots()]);
    release = after(release, [verdict("wait", &plan(), &[bad.clone(), two_slots()])]);
    let waits = with_mark(&release);
    assert!(waits.contains("takes that back; it then waits for approval"), "{waits}");
    let alone = with_mark(&after(judged("wait", &[]), [verdict("wait", &plan(), &[bad])]));
    assert!(alone.contains("takes that back; it then goes on by itself"), "{alone}");
}

#[test]
fn the_answer_names_what_is_on_its_way() {
    let message = marked_answer();
    assert!(
        message.contains("It is on its way to production with release 01JD7Q4N: /release cancel 01JD7Q4N"),
        "{message}"
    );
    assert!(message.contains("It runs on staging: /rollback staging"), "{message}");
}

fn marked_answer() -> String {
    folded(&text(&super::super::marked(&marked(), &[("staging".into(), true)], &[running(Step::Deploy)])))
}
