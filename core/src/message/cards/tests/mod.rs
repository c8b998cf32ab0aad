//! Releases are driven here through the real state machine, and cards are read as plain text.

mod backwards;
mod checks;
mod configuration;
mod cut_over;
mod deferred;
mod endings;
mod first_lines;
mod flow;
mod hostile;
mod migrations;
mod others;
mod plain;
mod promotion;
mod running;
mod shipping;
mod taken_out;
mod targets;
mod told;
mod waiting;
mod whole_lines;

use super::*;
use crate::facts::{CiFact, CiState, Facts, Observed};
use crate::gate::Verdict;
use crate::ids::{CommitSha, EnvironmentKey, ImageDigest, ReleaseId};
use crate::migration::Version;
use crate::person::Person;
use crate::plan::{Commit, Plan, PlanKind, PlannedImage, PlannedMigration, PlannedTarget};
use crate::policy::{Clears, Reason, Slot, Stance, Vote};
use crate::release::{Event, Failure, Origin, Request, RequestKind, Step, step};
use jiff::SignedDuration;
use plain::text;

/// A moment some seconds after 15:00.
pub(super) fn at(seconds: i64) -> Timestamp {
    "2025-11-04T15:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

pub(super) fn sha(start: &str) -> CommitSha {
    CommitSha::parse(&format!("{start:0<40}")).unwrap()
}

fn commit(start: &str, title: &str, author: &str) -> Commit {
    Commit {
        sha: sha(start),
        title: title.into(),
        author_name: author.into(),
        author_login: None,
        author: Some(author.into()),
        pull_request: title.split_once("(#").and_then(|(_, n)| n.trim_end_matches(')').parse().ok()),
    }
}

pub(super) fn plan() -> Plan {
    let image = PlannedImage {
        repository: "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals".into(),
        digest: ImageDigest::parse(&format!("sha256:{}", "3f8a".repeat(16))).unwrap(),
        tag: "4c1f9e2".into(),
        pushed_at: Some(at(-720)),
    };
    Plan {
        base: Some(sha("9a77d01")),
        base_since: Some(at(-2 * 86_400)),
        commits: vec![
            commit("4c1f9e2", "Show profile links (#44)", "ana"),
            commit("b02a6c8", "Add likes to aspiration updates (#41)", "eve"),
            commit("77e3f10", "Fix nested comment order", "ana"),
        ],
        commits_total: 3,
        migrations: vec![migration("20251104120000_likes", true)],
        targets: vec![target("goals-us")],
        ..Plan::bare(&key(), PlanKind::Deploy, sha("4c1f9e2"), image)
    }
}

pub(super) fn migration(stem: &str, reversible: bool) -> PlannedMigration {
    PlannedMigration {
        version: Version::parse(&stem[..14]).unwrap(),
        file: format!("{stem}.sql"),
        checksum: "cd".repeat(32),
        down_checksum: None,
        reversible,
        transactional: true,
        summary: "creates likes".into(),
        dangers: vec![],
        down_loses_data: false,
        late: false,
        not_run: None,
        statements: String::new(),
        ignored: vec![],
    }
}

pub(super) fn target(name: &str) -> PlannedTarget {
    PlannedTarget {
        kind: "app-runner".into(),
        id: format!("arn:aws:apprunner:us-west-2:123456789012:service/{name}/1"),
        name: name.into(),
        settings: [("port".to_owned(), "8080".to_owned())].into(),
        runs: None,
        image: None,
        operation: None,
    }
}

pub(super) fn facts() -> Facts {
    let ci = CiFact { state: CiState::Green, total: 3, passed: 3, failing: vec![], missing: vec![] };
    Facts::of_ci(Observed { value: ci, at: at(0) })
}

pub(super) fn key() -> EnvironmentKey {
    EnvironmentKey { service: "goals".into(), environment: "production".into() }
}

pub(super) fn asked() -> Release {
    let request = Request {
        key: key(),
        kind: RequestKind::Deploy,
        reference: Some("main".into()),
        requester: "ana".into(),
        reason: None,
        dry_run: false,
        origin: Origin { channel: "terminal:releases".into() },
        at: at(0),
        expires_at: at(4 * 3600),
        together: None,
    };
    Release::new(ReleaseId::new("01JD7Q4N5V0000000000000000"), request)
}

/// What the gate would say. Its fields are its own, so that nobody else can say "start": hence the detour.
pub(super) fn verdict(course: &str, plan: &Plan, reasons: &[Reason]) -> Event {
    let verdict = serde_json::json!({
        "course": course, "reasons": reasons, "digest": plan.digest(), "policy_hash": "ab12", "at": at(5), "again_at": null,
    });
    Event::Judged { verdict: Box::new(serde_json::from_value::<Verdict>(verdict).unwrap()) }
}

pub(super) fn after(release: Release, events: impl IntoIterator<Item = Event>) -> Release {
    events.into_iter().fold(release, |release, event| step(&release, &event).unwrap().0)
}

pub(super) fn resolved() -> Event {
    Event::Resolved { commit: sha("4c1f9e2"), branch: Some("main".into()) }
}

/// Up to the gate's first look at it.
pub(super) fn planned(release: Release, plan: &Plan) -> Release {
    let planned = Event::Planned { plan: Box::new(plan.clone()), facts: facts() };
    // A rollback waits for no build.
    let is_back = release.request.kind.plan_kind() == PlanKind::Rollback;
    let built = (!is_back).then_some(Event::BuildReady);
    after(release, [Event::Requested, resolved()].into_iter().chain(built).chain([planned]))
}

/// Judged as `course` for `reasons`.
pub(super) fn judged(course: &str, reasons: &[Reason]) -> Release {
    after(planned(asked(), &plan()), [verdict(course, &plan(), reasons)])
}

pub(super) fn done(step: Step, detail: &str, seconds: i64) -> Event {
    Event::StepSucceeded { step, detail: detail.into(), at: at(seconds) }
}

/// The events of a run until `step` runs.
pub(super) fn until(step: Step) -> Vec<Event> {
    let all = [
        done(Step::Ci, "3 of 3", 6),
        done(Step::Image, "unchanged", 7),
        done(Step::Migrate, "1 in 0.2 s", 8),
        done(Step::Deploy, "update succeeded", 240),
        done(Step::Verify, "healthy", 247),
    ];
    all.into_iter().zip(Step::ALL).take_while(|(_, s)| *s < step).map(|(event, _)| event).collect()
}

pub(super) fn running(step: Step) -> Release {
    after(judged("start", &[]), until(step))
}

pub(super) fn failed(release: Release, step: Step, failure: Failure, rolled_back: bool, seconds: i64) -> Release {
    after(release, [Event::StepFailed { step, failure, rolled_back, at: at(seconds) }])
}

pub(super) fn operation() -> Event {
    Event::DeployStarted { target: 0, operation: "7d0c3b1e-99".into() }
}

pub(super) fn vote(person: &str, stance: Stance) -> Event {
    Event::Voted { vote: Vote { person: person.into(), stance, digest: plan().digest(), at: at(60) } }
}

pub(super) fn reason(id: &str, why: &str, clears: Clears) -> Reason {
    Reason::new(id, why, clears)
}

pub(super) fn two_slots() -> Reason {
    let slot = |team: &str, who: &[&str]| Slot {
        team: team.into(),
        missing: 1,
        who: who.iter().map(|w| (*w).into()).collect(),
        or: vec![],
    };
    let missing = vec![slot("release", &["bob", "chen"]), slot("dba", &["dora"])];
    reason("two-slots", "Production needs one of release and one of dba.", Clears::Votes { missing })
}

pub(super) fn approvers() -> Vec<ApproverLine> {
    vec![
        ApproverLine {
            team: "release".into(),
            can: vec!["bob".into(), "chen".into()],
            cannot: vec![("ana".into(), "asked for it".into())],
            missing: 1,
            instead: false,
        },
        ApproverLine { team: "dba".into(), can: vec!["dora".into()], cannot: vec![], missing: 1, instead: false },
    ]
}

pub(super) fn people() -> Directory {
    let person = |id: &str, team: &str| Person { id: id.into(), teams: [team.into()].into(), identities: vec![] };
    Directory::new([
        person("ana", "release"),
        person("bob", "release"),
        person("chen", "release"),
        person("dora", "dba"),
    ])
}

/// The card some seconds after it was asked for, in an environment that nothing is known of.
pub(super) fn card(release: &Release, seconds: i64) -> String {
    let people = people();
    text(&release_card(&view(release, &people, &approvers(), seconds)))
}

pub(super) fn view<'a>(
    release: &'a Release,
    people: &'a Directory,
    approvers: &'a [ApproverLine],
    seconds: i64,
) -> ReleaseView<'a> {
    ReleaseView {
        release,
        environment: None,
        people,
        approvers,
        now: at(seconds),
        expected_s: Some(250),
        expected_deploy_s: Some(230),
        next: None,
        marked: None,
    }
}
