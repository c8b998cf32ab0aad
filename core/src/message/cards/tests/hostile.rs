//! What outsiders wrote never travels as Slipway's own words.

use super::super::super::{Block, Line, Message, Span};
use super::*;
use crate::configuration::{Changed, Drift, Fingerprints, KeyChange, KeysSeen, SecretChange, Unknown};
use crate::environment::{Environment, Lock, LockEnd, LockNews};
use crate::migration::{Danger, DangerKind, DownTrial, LockMode, MigrationTrial, Rehearsal, Touched};
use crate::plan::ConfigVersion;
use crate::policy::{Differences, Override};
use crate::release::BuildProgress;

/// Would notify a whole channel wherever it is not escaped.
const HOSTILE: &str = "<!channel> @everyone";

fn hostile() -> String {
    HOSTILE.to_owned()
}

/// Fails when outside text is in a place that no renderer escapes. Gives how often it was seen at all.
fn walk(message: &Message) -> usize {
    let mut lines = vec![&message.headline];
    lines.extend(message.progress.as_ref().map(|p| &p.label));
    let mut own = message.actions.iter().map(|a| a.label.clone()).collect::<Vec<_>>();
    for block in &message.body {
        match block {
            Block::Line(line) | Block::Warning(line) => lines.push(line),
            Block::Field { label, lines: more } => {
                own.push(label.clone());
                lines.extend(more);
            }
            Block::Table { head, rows } => {
                own.extend(head.clone());
                lines.extend(rows.iter().flatten());
            }
            // Untrusted by its type.
            Block::Code(_) | Block::Gap => {}
        }
    }
    for text in &own {
        assert!(!text.contains(HOSTILE), "a label has outside text: {text}");
    }
    lines.into_iter().map(seen).sum()
}

fn seen(line: &Line) -> usize {
    let hit = |span: &Span| match span {
        Span::Plain(text) | Span::Strong(text) => {
            assert!(!text.contains(HOSTILE), "outside text as Slipway's own words: {text}");
            false
        }
        Span::Link { url, text } => {
            assert!(!text.contains(HOSTILE) && !url.contains(HOSTILE), "outside text in a link: {url} {text}");
            false
        }
        Span::Untrusted(text) | Span::Code(text) => text.contains(HOSTILE),
        Span::Person(_) | Span::Mention(_) | Span::Time(_) => false,
    };
    line.0.iter().filter(|span| hit(span)).count()
}

fn hostile_plan() -> Plan {
    let mut plan = plan();
    for commit in &mut plan.commits {
        commit.title = hostile();
    }
    plan.commits[1].author = None;
    plan.commits[1].author_login = Some(hostile());
    plan.commits[2].author = None;
    plan.commits[2].author_name = hostile();
    plan.image.tag = hostile();
    plan.image.repository = hostile();
    let migration = &mut plan.migrations[0];
    (migration.file, migration.summary, migration.checksum) = (hostile(), hostile(), hostile());
    migration.reversible = false;
    let touched =
        Touched { table: hostile(), lock: LockMode::AccessExclusive, rewritten: true, scanned: true, size: None };
    let danger = |kind, lock| Danger { lock, ..Danger::new(kind, Some(hostile())) };
    migration.dangers = vec![
        danger(DangerKind::DropColumn, Some(LockMode::AccessExclusive)),
        danger(DangerKind::ChangeType, None),
        Danger { allowed: Some(hostile()), ..danger(DangerKind::Rename, None) },
    ];
    let down = DownTrial::Fails { message: hostile() };
    let trial = MigrationTrial { version: migration.version.clone(), touched: vec![touched], down, partial: false };
    let mut not_run = plan.migrations[0].clone();
    not_run.not_run = Some(hostile());
    plan.migrations.push(not_run);
    let mut leaves = plan.migrations[0].clone();
    leaves.version = 2.into();
    let down = DownTrial::Leaves { differences: vec![hostile()] };
    let second = MigrationTrial { version: leaves.version.clone(), touched: vec![], down, partial: false };
    plan.migrations.push(leaves);
    plan.rehearsal = Some(Rehearsal::Done { trials: vec![trial, second] });
    plan.edited = vec![hostile()];
    plan.config = vec![ConfigVersion::new(hostile(), hostile())];
    plan.drift = Some(hostile_drift());
    for target in &mut plan.targets {
        (target.name, target.id) = (hostile(), hostile());
        target.settings = [(hostile(), hostile())].into();
    }
    plan
}

fn hostile_drift() -> Drift {
    let keys = [(hostile(), KeyChange::Changed)].into();
    let changes = [Changed::Keys { keys }, Changed::Somehow { why: Unknown::NoKey }, Changed::Added]
        .map(|what| SecretChange { secret: hostile(), what });
    Drift {
        release: "01KE4ABC000000000000000000".into(),
        commit: sha("9a77d01"),
        since: at(0),
        changes: changes.into(),
    }
}

fn hostile_reasons() -> Vec<Reason> {
    [
        Clears::Votes { missing: vec![] },
        Clears::Withdrawal { by: vec!["bob".into()] },
        Clears::Facts,
        Clears::Time { at: None },
        Clears::Unlock { owner: "bob".into(), until: None },
        Clears::Nothing,
    ]
    .map(|clears| reason("locked", HOSTILE, clears))
    .into()
}

fn hostile_failure() -> Failure {
    let mut failure = Failure::new(HOSTILE).detail(HOSTILE).next(HOSTILE);
    failure.log_tail = Some(hostile());
    failure
}

fn hostile_request() -> Release {
    let mut release = asked();
    release.request.reference = Some(hostile());
    release.request.reason = Some(hostile());
    release.request.origin.channel = hostile();
    release
}

/// Releases in every phase, with outside text wherever there can be some.
fn releases() -> Vec<Release> {
    let plan = hostile_plan();
    let build =
        BuildProgress { detail: hostile(), permille: Some(1), url: Some(format!("https://{HOSTILE}")), jobs: vec![] };
    let without_bar = BuildProgress { permille: None, ..build.clone() };
    let looking = after(hostile_request(), [Event::Requested]);
    let building = after(looking.clone(), [resolved(), Event::BuildProgress { progress: build }]);
    let mut facts = facts();
    facts.ci.value.state = CiState::Red;
    facts.ci.value.failing = vec![hostile()];
    let made = |plan: &Plan| Event::Planned { plan: Box::new(plan.clone()), facts: facts.clone() };
    let planned = after(building.clone(), [Event::BuildReady, made(&plan)]);
    let judged = |course: &str, reasons: &[Reason]| after(planned.clone(), [verdict(course, &plan, reasons)]);
    let mut votes = hostile_reasons();
    votes.push(two_slots());
    let waiting = judged("wait", &votes);
    let each_queued = hostile_reasons().into_iter().map(|reason| judged("wait", &[reason]));
    let voted =
        Event::Voted { vote: Vote { person: "bob".into(), stance: Stance::Approve, digest: plan.digest(), at: at(9) } };
    let mut other = plan.clone();
    other.migrations[0].file.push('2');
    other.image.repository.push('2');
    other.targets[0].settings.insert("x".into(), hostile());
    let changed = after(waiting.clone(), [voted, verdict("refresh", &plan, &[]), made(&other)]);
    let changed = after(changed, [verdict("wait", &other, &votes)]);
    let mut all: Vec<_> = each_queued.collect();
    let news = |step| Event::Progress { step, detail: hostile(), permille: None };
    let begun = Event::DeployStarted { target: 0, operation: hostile() };
    let mut running = judged("start", &[]);
    for step in Step::ALL {
        let now = after(running.clone(), [news(step)]);
        let now = if step == Step::Deploy { after(now, [begun.clone()]) } else { now };
        all.push(failed(now.clone(), step, hostile_failure(), false, 60));
        all.push(failed(now.clone(), step, hostile_failure(), true, 60));
        running = after(now.clone(), [done(step, HOSTILE, 60)]);
        all.extend([now, running.clone()]);
    }
    let planning_failed = Event::PlanningFailed { step: Some(Step::Ci), failure: hostile_failure(), at: at(3) };
    all.push(after(building.clone(), [planning_failed]));
    all.push(after(building.clone(), [Event::BuildProgress { progress: without_bar }]));
    all.push(after(building.clone(), [Event::BuildReady, Event::GatherHeld { why: hostile() }]));
    all.push(after(waiting.clone(), [Event::TimedOut { at: at(9) }]));
    all.push(after(waiting.clone(), [Event::CancelRequested { by: "bob".into(), begun: false, at: at(9) }]));
    all.push(after(waiting.clone(), [Event::Superseded { by: "01J".into(), requester: None, at: at(9) }]));
    all.extend(["deny", "dry_run", "nothing_to_do"].map(|course| judged(course, &hostile_reasons())));
    all.push(judged("deny", &hostile_reasons()[..1]));
    all.extend([looking, building, planned, waiting, changed]);
    all
}

#[test]
fn outside_text_is_always_marked_as_such() {
    let people = people();
    let approvers = [ApproverLine {
        team: "release".into(),
        can: vec![],
        cannot: vec![("ana".into(), hostile())],
        missing: 1,
        instead: false,
    }];
    let mut environment = Environment::new(key());
    environment.lock = Some(Lock {
        owner: "chen".into(),
        reason: hostile(),
        at: at(0),
        until: None,
        channel: "terminal:releases".into(),
        reminded_at: None,
    });
    let releases = releases();
    let mut phases: Vec<_> = releases.iter().map(|r| r.phase.name()).collect();
    phases.sort_unstable();
    phases.dedup();
    assert_eq!(phases.len(), 11, "every phase: {phases:?}");
    for release in &releases {
        let view = ReleaseView { environment: Some(&environment), ..view(release, &people, &approvers, 60) };
        assert!(walk(&release_card(&view)) > 0, "{:?} shows the reason given", release.phase);
        walk(&announcement(&view, true));
        assert!(walk(&details(release, &people, at(60))) > 0);
    }
    walk(&history(&releases, &Default::default(), at(60)));
    let lock = environment.lock.clone().unwrap();
    assert_eq!(walk(&lock_reminder(&environment, &lock, at(60))), 1);
    assert_eq!(walk(&lock_taken_away(&key(), &lock, &"bob".into(), None)), 1);
    for end in [LockEnd::Unlocked, LockEnd::RanOut, LockEnd::HandedOver { lock: lock.clone(), by: "bob".into() }] {
        for person in ["ana", "chen"] {
            let news =
                LockNews { person: person.into(), before: lock.clone(), end: end.clone(), places: vec![], waiting: 0 };
            assert_eq!(walk(&lock_news(&key(), &news, at(60))), 1, "{news:?}");
        }
    }
    let row = StatusRow {
        environment: &environment,
        running: Some(&releases[0]),
        behind: None,
        drift: None,
        bad: false,
        next: None,
    };
    assert!(walk(&status(&[row], at(60))) > 0, "the lock's reason is shown");
    let drifted = StatusRow {
        environment: &environment,
        running: None,
        behind: None,
        drift: Some((hostile_drift(), at(0))),
        bad: false,
        next: None,
    };
    assert_eq!(walk(&status(&[drifted], at(60))), 4, "and the names of keys and secrets");
    let of = [(hostile(), String::new())].into();
    let keys = KeysSeen::Hashed(Fingerprints { key_id: String::new(), of });
    let seen = vec![ConfigVersion { keys, ..ConfigVersion::new(hostile(), "v1") }];
    let (drift, unread) = (Some(hostile_drift()), Err(hostile()));
    let views = [
        ConfigurationView { key: key(), seen: Ok(seen), drift },
        ConfigurationView { key: key(), seen: unread, drift: None },
    ];
    assert!(walk(&configuration(&views)) > 3);
    assert!(
        walk(&queue(
            &QueueView { environments: &[environment.clone()], releases: &releases, intents: QueueIntents(&[]) },
            at(60)
        )) > 0
    );
    let by_others = [hostile()];
    let origin = PolicyOrigin { by: &[], by_others: &by_others, source: HOSTILE, revision: None };
    assert_eq!(walk(&policies_changed(&Differences::default(), &origin, "", "")), 2);
    let (incident, reason, by, digest) = (hostile(), hostile(), "bob".into(), plan().digest());
    let waiver = Override { by, incident, reason, digest, at: at(0) };
    assert!(walk(&overridden(&releases[0], &[], &waiver, &hostile_reasons(), None)) > 7);
    assert!(walk(&why(HOSTILE, &hostile_reasons(), &[hostile()], None, at(60))) > 7);
}

#[test]
fn answers_say_back_what_was_typed_as_what_it_is() {
    use crate::person::Identity;
    let release = hostile_request();
    let lock = Lock {
        owner: "chen".into(),
        reason: hostile(),
        at: at(0),
        until: None,
        channel: "terminal:releases".into(),
        reminded_at: None,
    };
    for answer in [
        answers::vote_does_not_count(&release, HOSTILE, &[]),
        answers::ambiguous_release(HOSTILE, &[&release]),
        answers::no_such_release(HOSTILE),
        answers::not_allowed(HOSTILE),
        answers::unknown_person(&Identity::Slack(hostile())),
        answers::locked(&key(), &lock, at(0)),
        answers::lock_handed_over(&key(), &lock, at(0)),
        answers::lock_not_for(&"eve".into(), HOSTILE),
        link::to_confirm(&Identity::Discord(hostile())),
        link::linked(&Identity::Discord(hostile())),
        link::refused(&Identity::Discord(hostile())),
        link::removed(&Identity::Discord(hostile())),
    ] {
        assert_eq!(walk(&answer), 1, "{answer:?}");
    }
}

#[test]
fn what_is_asked_for_later_says_what_was_typed_as_what_it_is() {
    use crate::intent::{Condition, Intent, State};
    let states = [
        (State::Waiting, 3),
        (State::Begun { release: "01JD7Q5M".into(), at: at(0) }, 1),
        (State::Cancelled { by: "bob".into(), at: at(0) }, 1),
        (State::Expired { why: hostile(), at: at(0) }, 2),
        (State::Refused { why: hostile(), at: at(0) }, 2),
    ];
    for (state, seen) in states {
        let intent = Intent {
            id: "01JD7Q4N".into(),
            key: key(),
            reference: Some(hostile()),
            requester: "ana".into(),
            reason: Some(hostile()),
            channel: "terminal:releases".into(),
            condition: Condition::Green,
            asked_at: at(0),
            expires_at: at(60),
            state,
            held: None,
        };
        assert_eq!(walk(&deferred(&intent, Some(HOSTILE))), seen, "{intent:?}");
        assert!(walk(&deferred_news(&intent)) > 0);
        assert_eq!(walk(&deferred_answer(&intent, None, at(0))), 1);
        let view =
            QueueView { environments: &[Environment::new(key())], releases: &[], intents: QueueIntents(&[intent]) };
        assert_eq!(walk(&queue(&view, at(0))), 1);
    }
}

#[test]
fn a_tag_that_was_moved_is_named_as_what_it_is() {
    use crate::environment::{FollowedTag, TagNames};
    let digest = ImageDigest::parse(&format!("sha256:{}", "ab".repeat(32))).unwrap();
    let tag = FollowedTag::known(TagNames { tag: hostile(), digest, commit: None });
    assert_eq!(walk(&tag_moved(&key(), &tag, None, true)), 1);
    assert_eq!(walk(&tag_is_back(&key(), &tag, at(0), at(60))), 1);
}
