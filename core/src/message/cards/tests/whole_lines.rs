//! Every first line of a release's card and of what is announced, with names as long as they reasonably get.

use super::super::first::fits;
use super::*;
use crate::configuration::Drift;
use crate::environment::{Environment, Lock, LockEnd, LockNews};
use crate::message::Message;
use crate::plan::PlannedTarget;
use crate::policy::Differences;
use crate::release::{KnownBad, MigrateWay, Phase, PlanningStage};
use expect_test::expect;

const PERSON: &str = "anastasia";
const WHY: &str = "Nothing goes to this environment before the big sale is over, says the committee.";

/// A service and an environment of 20 characters.
fn long() -> EnvironmentKey {
    EnvironmentKey { service: "notification-gateway".into(), environment: "production-eu-west-2".into() }
}

fn long_plan(kind: PlanKind, target: PlannedTarget, targets: usize) -> Plan {
    let EnvironmentKey { service, environment } = long();
    let what = match kind {
        PlanKind::Config => plan().base,
        _ => Some(plan().commit),
    };
    let commit = what.unwrap();
    let migrations = if kind == PlanKind::Config { vec![] } else { plan().migrations };
    let targets = vec![target; targets];
    Plan { service, environment, kind, commit, targets, migrations, commits_total: 112, ..plan() }
}

fn id() -> ReleaseId {
    "01JD7Q4N5V0000000000000000".into()
}

fn kinds() -> Vec<RequestKind> {
    let (to, commit) = (id(), sha("4c1f9e2"));
    vec![
        RequestKind::Deploy,
        RequestKind::Rollback {
            to,
            commit: commit.clone(),
            from: None,
            migrations: false,
            because_of: None,
            before: false,
        },
        RequestKind::Config { commit, again: None },
        RequestKind::Migrate { way: MigrateWay::Up { goes_on: false }, commit: None, again: None },
    ]
}

fn requested(kind: RequestKind, dry_run: bool) -> Release {
    let request = Request {
        key: long(),
        kind,
        requester: PERSON.into(),
        reference: Some("release-2025-11-04-candidate-1".into()),
        dry_run,
        ..asked().request
    };
    Release::new(id(), request)
}

/// Up to the gate's first look at it.
fn planned(release: Release, plan: &Plan) -> Release {
    let release = after(release, [Event::Requested, Event::Resolved { commit: plan.commit.clone(), branch: None }]);
    let builds = release.phase == Phase::Planning { stage: PlanningStage::Building };
    let planned = Event::Planned { plan: Box::new(plan.clone()), facts: facts() };
    after(release, builds.then_some(Event::BuildReady).into_iter().chain([planned]))
}

fn slots() -> Reason {
    let slot = |team: &str| Slot { team: team.into(), missing: 2, who: vec![PERSON.into()], or: vec![] };
    let missing = ["release-managers", "database-admins"].map(slot).into();
    reason("slots", WHY, Clears::Votes { missing })
}

/// What can be in the way.
fn in_the_way() -> Vec<Vec<Reason>> {
    let of = |clears| reason("frozen", WHY, clears);
    let people = |names: &[&str]| names.iter().map(|&name| name.into()).collect();
    vec![
        vec![slots()],
        vec![of(Clears::Withdrawal { by: people(&[PERSON]) })],
        vec![of(Clears::Withdrawal { by: people(&[PERSON, "bartholomew", "christopher"]) })],
        vec![of(Clears::Nothing)],
        vec![of(Clears::Nothing), of(Clears::Nothing)],
        vec![of(Clears::Facts)],
        vec![of(Clears::Time { at: Some(at(9)) })],
        vec![of(Clears::Time { at: None }), slots()],
        vec![of(Clears::Unlock { owner: PERSON.into(), until: Some(at(9)) }), slots()],
        vec![of(Clears::Release { id: id() }), slots()],
    ]
}

/// All that one plan can come to.
fn of_plan(kind: &RequestKind, plan: &Plan) -> Vec<Release> {
    let asked = |dry_run| planned(requested(kind.clone(), dry_run), plan);
    let judged = |course, reasons: &[Reason]| after(asked(false), [verdict(course, plan, reasons)]);
    let mut all = vec![judged("nothing_to_do", &[]), judged("wait", &[])];
    for reasons in in_the_way() {
        let waits = judged("wait", &reasons);
        all.push(after(waits.clone(), [Event::TimedOut { at: at(14_400) }]));
        all.push(after(waits.clone(), [Event::CancelRequested { by: PERSON.into(), begun: false, at: at(60) }]));
        all.push(after(waits.clone(), [Event::Superseded { by: id(), requester: None, at: at(90) }]));
        all.push(waits);
        all.push(judged("deny", &reasons));
        all.push(after(asked(true), [verdict("dry_run", plan, &reasons)]));
    }
    all.push(after(asked(true), [verdict("dry_run", plan, &[])]));
    let mut run = judged("start", &[]);
    while let Phase::Running { step } = run.phase {
        for rolled_back in [false, true] {
            let failure = || Failure::new(WHY).next("mend it");
            all.push(failed(run.clone(), step, failure(), rolled_back && step == Step::Deploy, 4_000));
            let begun = |target| Event::DeployStarted { target, operation: "7d0c3b1e-99".into() };
            if step == Step::Deploy {
                all.push(failed(after(run.clone(), [begun(run.target)]), step, failure(), rolled_back, 4_000));
            }
        }
        all.push(run.clone());
        if step == Step::Deploy {
            run = after(run.clone(), [Event::DeployStarted { target: run.target, operation: "7d0c3b1e-99".into() }]);
            all.push(run.clone());
        }
        run = after(run, [done(step, "succeeded", 3_999)]);
    }
    all.push(run);
    all
}

fn releases() -> Vec<Release> {
    let dry = PlannedTarget { kind: PlannedTarget::DRY.into(), ..target("trial") };
    let mut all = Vec::new();
    for kind in kinds() {
        all.push(after(requested(kind.clone(), false), [Event::Requested]));
        for (target, count) in [(target("goals"), 1), (target("goals"), 12), (dry.clone(), 1), (dry.clone(), 2)] {
            let plan = long_plan(kind.plan_kind(), target, count);
            all.extend(of_plan(&kind, &plan));
            let since = Drift { release: id(), commit: plan.commit.clone(), since: at(-9), changes: vec![] };
            all.extend(of_plan(&kind, &Plan { drift: Some(since), migrations: vec![], ..plan }));
        }
    }
    let mut planning = after(requested(RequestKind::Deploy, false), [Event::Requested]);
    for stage in [PlanningStage::Resolving, PlanningStage::Building, PlanningStage::Gathering, PlanningStage::Judging] {
        planning.phase = Phase::Planning { stage };
        all.push(planning.clone());
    }
    let mark = KnownBad { by: PERSON.into(), at: at(5_000), reason: Some(WHY.into()) };
    let marked: Vec<_> = all.iter().filter(|release| release.brought_live().is_some()).cloned().collect();
    all.extend(marked.into_iter().map(|release| Release { known_bad: Some(mark.clone()), ..release }));
    all
}

fn announced(release: &Release, people: &Directory) -> Vec<Message> {
    let approve =
        |person: &&str| Vote { person: (*person).into(), stance: Stance::Approve, digest: plan().digest(), at: at(1) };
    let votes = [PERSON, "bartholomew", "christopher", "dominique"].iter().map(approve).collect();
    let approved = Release { votes, ..release.clone() };
    let mut all: Vec<_> = [release, &approved].map(|release| announcement(&view(release, people, &[], 9), true)).into();
    let mark = KnownBad { by: PERSON.into(), at: at(5_000), reason: Some(WHY.into()) };
    all.extend(release.plan.as_ref().map(|plan| shipped(release, plan, &PERSON.into())));
    all.extend([mark_news(release, &mark), mark_was(release, &mark, &PERSON.into())]);
    all.push(mark_removed_news(release, &PERSON.into(), &[]));
    all
}

fn of_locks() -> Vec<Message> {
    let (one, other): (PersonId, PersonId) = (PERSON.into(), "bartholomew".into());
    let mut all = Vec::new();
    for until in [None, Some(at(9_000))] {
        let (reason, channel) = (WHY.to_owned(), "terminal:releases".to_owned());
        let lock = Lock { owner: one.clone(), reason, at: at(0), until, channel, reminded_at: None };
        let next = Lock { owner: other.clone(), ..lock.clone() };
        let handed = LockEnd::HandedOver { lock: next.clone(), by: one.clone() };
        for end in [LockEnd::Unlocked, LockEnd::RanOut, handed] {
            for person in [&one, &other] {
                let (person, before, end) = (person.clone(), lock.clone(), end.clone());
                let news = LockNews { person, before, end, places: vec![(1, id())], waiting: 2 };
                all.push(lock_news(&long(), &news, at(60)));
            }
        }
        all.push(lock_reminder(&Environment::new(long()), &lock, at(60)));
        all.extend([None, Some(&other)].map(|to| lock_taken_away(&long(), &lock, &one, to)));
        all.push(lock_said(&long(), &lock));
        let third = "a-third-person-of-them".into();
        for by in [None, Some(&one), Some(&other), Some(&third)] {
            all.extend([None, Some(&lock), Some(&next)].map(|next| lock_is_over(&long(), &lock, next, by)));
        }
    }
    all
}

#[test]
fn no_first_line_of_a_release_is_cut() {
    let people = people();
    let next = "production-eu-west-3".into();
    let (mut all, releases) = (Vec::new(), releases());
    for release in &releases {
        all.push(release_card(&ReleaseView { next: Some(&next), ..view(release, &people, &[], 4_100) }));
        if release.brought_live() == Some(true) {
            all.extend(announced(release, &people));
        }
    }
    let differences = Differences { removed: vec![], added: vec!["a-rule".into()], changed: vec![] };
    let by: Vec<PersonId> =
        [PERSON, "bartholomew", "christopher", "dominique", "ekaterina", "ferdinand"].map(Into::into).into();
    let others = ["somebody-else".to_owned()];
    let origin = PolicyOrigin { by: &by, by_others: &others, source: "acme/policies", revision: None };
    all.push(policies_changed(&differences, &origin, "ab12", "cd34"));
    all.extend(of_locks());
    let mut too_long: Vec<_> = all.iter().filter(|message| !fits(&message.headline)).map(text).collect();
    too_long.sort();
    too_long.dedup();
    assert!(too_long.is_empty(), "{}", too_long.join("\n"));
    // All of them were made.
    assert!(all.len() > 500, "{}", all.len());
}

/// The first two lines.
fn head(release: &Release) -> String {
    card(release, 4_100).lines().take(2).map(|line| format!("{line}\n")).collect()
}

#[test]
fn what_has_no_room_is_the_second_line() {
    let kind = RequestKind::Config { commit: sha("9a77d01"), again: None };
    let plan = long_plan(PlanKind::Config, target("goals"), 1);
    let start = after(planned(requested(kind, false), &plan), [verdict("start", &plan, &[])]);
    let start = after(start, [done(Step::Ci, "3 of 3", 6), operation(), done(Step::Deploy, "succeeded", 100)]);
    let ill = failed(start, Step::Verify, Failure::new("It answers 500."), false, 300);
    let bad = Release { known_bad: Some(KnownBad { by: PERSON.into(), at: at(5_000), reason: None }), ..ill.clone() };
    let deploy = |target| long_plan(PlanKind::Deploy, target, 1);
    let waits = deploy(target("goals"));
    let waits = after(planned(requested(RequestKind::Deploy, false), &waits), [verdict("wait", &waits, &[slots()])]);
    let refused = deploy(target("goals"));
    let why = [reason("frozen", WHY, Clears::Nothing)];
    let refused = after(planned(requested(RequestKind::Deploy, false), &refused), [verdict("deny", &refused, &why)]);
    let heads: String = [ill, bad, waits, refused].iter().map(head).collect();
    expect![[r#"
        ✖ notification-gateway → production-eu-west-2 · verification failed · 9a77d01 is live, unverified
        configuration only
        ✖ notification-gateway → production-eu-west-2 · known bad · verification failed
        9a77d01 is live, unverified · configuration only
        ○ notification-gateway → production-eu-west-2 · waiting for approval
        2 of release-managers, 2 of database-admins
        ✖ notification-gateway → production-eu-west-2 · refused
        asked by anastasia · plan 3de44f · release 01JD7Q4N
    "#]]
    .assert_eq(&heads);
}
