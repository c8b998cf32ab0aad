//! Releases, driven through the real state machine, for the cards of them.

use jiff::{SignedDuration, Timestamp};
use slipway_core::facts::{CiFact, CiState, Facts, Observed};
use slipway_core::gate::Verdict;
use slipway_core::ids::{CommitSha, EnvironmentKey, ImageDigest, ReleaseId};
use slipway_core::message::cards::{ApproverLine, ReleaseView};
use slipway_core::migration::Version;
use slipway_core::person::{Directory, Person};
use slipway_core::plan::{Commit, Plan, PlanKind, PlannedImage, PlannedMigration, PlannedTarget};
use slipway_core::policy::{Clears, Reason, Slot, Stance, Vote};
use slipway_core::release::{Event, Failure, Origin, Release, Request, RequestKind, Step, step};

/// A moment some seconds after 15:00.
pub(crate) fn at(seconds: i64) -> Timestamp {
    "2025-11-04T15:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

pub(crate) fn sha(start: &str) -> CommitSha {
    CommitSha::parse(&format!("{start:0<40}")).unwrap()
}

pub(crate) fn commit(start: &str, title: &str, author: &str) -> Commit {
    Commit {
        sha: sha(start),
        title: title.into(),
        author_name: author.into(),
        author_login: None,
        author: Some(author.into()),
        pull_request: title.split_once("(#").and_then(|(_, n)| n.trim_end_matches(')').parse().ok()),
    }
}

pub(crate) fn plan() -> Plan {
    Plan {
        service: "goals".into(),
        environment: "production".into(),
        kind: PlanKind::Deploy,
        base: Some(sha("9a77d01")),
        base_since: Some(at(-2 * 86_400)),
        commit: sha("4c1f9e2"),
        commits: vec![
            commit("4c1f9e2", "Show profile links (#44)", "ana"),
            commit("b02a6c8", "Add likes to aspiration updates (#41)", "eve"),
            commit("77e3f10", "Fix nested comment order", "ana"),
        ],
        commits_total: 3,
        image: PlannedImage {
            repository: "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals".into(),
            digest: ImageDigest::parse(&format!("sha256:{}", "3f8a".repeat(16))).unwrap(),
            tag: "4c1f9e2".into(),
            pushed_at: Some(at(-720)),
        },
        migrations: vec![migration("20251104120000_likes", true)],
        taken_back: vec![],
        workflow: vec![],
        past_slipway: Default::default(),
        with: vec![],
        paths: None,
        takes_out: Default::default(),
        files_from: None,
        goes_on: false,
        between: Default::default(),
        unknown_applied: vec![],
        half_done: vec![],
        edited: vec![],
        rehearsal: None,
        config: vec![],
        drift: None,
        targets: vec![target("goals-us")],
        promote: None,
    }
}

pub(crate) fn migration(stem: &str, reversible: bool) -> PlannedMigration {
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
    }
}

pub(crate) fn target(name: &str) -> PlannedTarget {
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

pub(crate) fn facts() -> Facts {
    let ci = CiFact { state: CiState::Green, total: 3, passed: 3, failing: vec![], missing: vec![] };
    Facts::of_ci(Observed { value: ci, at: at(0) })
}

pub(crate) fn key() -> EnvironmentKey {
    EnvironmentKey { service: "goals".into(), environment: "production".into() }
}

pub(crate) fn asked() -> Release {
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
pub(crate) fn verdict(course: &str, plan: &Plan, reasons: &[Reason]) -> Event {
    let verdict = serde_json::json!({
        "course": course, "reasons": reasons, "digest": plan.digest(), "policy_hash": "ab12", "at": at(5), "again_at": null,
    });
    Event::Judged { verdict: Box::new(serde_json::from_value::<Verdict>(verdict).unwrap()) }
}

pub(crate) fn after(release: Release, events: impl IntoIterator<Item = Event>) -> Release {
    events.into_iter().fold(release, |release, event| step(&release, &event).unwrap().0)
}

pub(crate) fn resolved() -> Event {
    Event::Resolved { commit: sha("4c1f9e2"), branch: Some("main".into()) }
}

/// Up to the gate's first look at it.
pub(crate) fn planned(release: Release, plan: &Plan) -> Release {
    let planned = Event::Planned { plan: Box::new(plan.clone()), facts: facts() };
    after(release, [Event::Requested, resolved(), Event::BuildReady, planned])
}

/// Judged as `course` for `reasons`.
pub(crate) fn judged(course: &str, reasons: &[Reason]) -> Release {
    after(planned(asked(), &plan()), [verdict(course, &plan(), reasons)])
}

pub(crate) fn done(step: Step, detail: &str, seconds: i64) -> Event {
    Event::StepSucceeded { step, detail: detail.into(), at: at(seconds) }
}

/// The events of a run until `step` runs.
pub(crate) fn until(step: Step) -> Vec<Event> {
    let all = [
        done(Step::Ci, "3 of 3", 6),
        done(Step::Image, "unchanged", 7),
        done(Step::Migrate, "1 in 0.2 s", 8),
        done(Step::Deploy, "update succeeded", 240),
        done(Step::Verify, "healthy", 247),
    ];
    all.into_iter().zip(Step::ALL).take_while(|(_, s)| *s < step).map(|(event, _)| event).collect()
}

pub(crate) fn running(step: Step) -> Release {
    after(judged("start", &[]), until(step))
}

pub(crate) fn failed(release: Release, step: Step, failure: Failure, rolled_back: bool, seconds: i64) -> Release {
    after(release, [Event::StepFailed { step, failure, rolled_back, at: at(seconds) }])
}

pub(crate) fn operation() -> Event {
    Event::DeployStarted { target: 0, operation: "7d0c3b1e-99".into() }
}

pub(crate) fn vote(person: &str, stance: Stance) -> Event {
    Event::Voted { vote: Vote { person: person.into(), stance, digest: plan().digest(), at: at(60) } }
}

pub(crate) fn reason(id: &str, why: &str, clears: Clears) -> Reason {
    Reason::new(id, why, clears)
}

pub(crate) fn two_slots() -> Reason {
    let slot = |team: &str, who: &[&str]| Slot {
        team: team.into(),
        missing: 1,
        who: who.iter().map(|w| (*w).into()).collect(),
        or: vec![],
    };
    let missing = vec![slot("release", &["bob", "chen"]), slot("dba", &["dora"])];
    reason("two-slots", "Production needs one of release and one of dba.", Clears::Votes { missing })
}

pub(crate) fn approvers() -> Vec<ApproverLine> {
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

pub(crate) fn people() -> Directory {
    let person = |id: &str, team: &str| Person { id: id.into(), teams: [team.into()].into(), identities: vec![] };
    Directory::new([
        person("ana", "release"),
        person("bob", "release"),
        person("chen", "release"),
        person("dora", "dba"),
    ])
}

pub(crate) fn view<'a>(
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
