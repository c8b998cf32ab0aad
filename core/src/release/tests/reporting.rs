//! What others are told of a release.

use super::*;
use crate::release::ReportState;

/// The states that others are told of, in order, while these events happen.
fn told(life: Life, events: Vec<Event>) -> Vec<ReportState> {
    let mut told = Vec::new();
    let mut release = life.release;
    for event in events {
        let (next, _) = step(&release, &event).unwrap();
        if next.report_is_due(&release) {
            told.extend(next.report().map(|report| report.state));
        }
        release = next;
    }
    told
}

#[test]
fn each_change_of_state_is_told_once() {
    use ReportState::{Failed, Live, Queued, Running, Waiting, Withdrawn};
    let plan = plan();
    let wait = || judged("wait", &plan, &[vote_is_missing()], 11);
    let queue = || judged("wait", &plan, &[somebody_runs()], 12);
    let start = || judged("start", &plan, &[], 13);
    let run: Vec<_> = Step::ALL.into_iter().filter(|step| *step != Step::Deploy).map(|step| done(step, 40)).collect();
    let deploy = vec![began(0), done(Step::Deploy, 50)];
    let all = [vec![wait(), queue(), queue(), start()], run[..3].to_vec(), deploy, run[3..].to_vec()].concat();
    assert_eq!(told(Life::planned(&plan), all), [Waiting, Queued, Running, Live]);
    let broken = vec![start(), done(Step::Ci, 30), broken(Step::Image, false, 31)];
    assert_eq!(told(Life::planned(&plan), broken), [Running, Failed]);
    assert_eq!(told(Life::planned(&plan), vec![wait(), cancel(false, 20)]), [Waiting, Withdrawn]);
}

#[test]
fn what_was_never_to_be_seen_is_not_told() {
    let plan = plan();
    assert_eq!(told(Life::planned(&plan), vec![judged("nothing_to_do", &plan, &[], 11)]), []);
    let failed = Event::PlanningFailed { step: None, failure: Failure::new("Red."), at: at(5) };
    assert_eq!(told(Life::new(), vec![Event::Requested, failed]), []);
    let mut dry = Life::planned(&plan);
    dry.release.request.dry_run = true;
    assert_eq!(told(dry, vec![judged("wait", &plan, &[vote_is_missing()], 11), cancel(false, 20)]), []);
    let up = up();
    let ends = [judged("start", &up, &[], 11), done(Step::Ci, 30), done(Step::Migrate, 40)];
    assert_eq!(told(Life::planned(&up), ends.into()), [], "migrations alone deploy nothing");
}
