//! Every first line around the flow, with names as long as they reasonably get.

use super::super::first::fits;
use super::*;
use crate::environment::{ByHand, FollowedTag, Live, TagNames, TargetRuns};
use crate::flow::{How, Pause, Resumption, Why};
use crate::intent::{Condition, Held, Intent, Note, State, Unsettled};
use crate::message::Message;
use crate::promotion::{Hindrance, Promotion, Standing, Stop};
use crate::pull::{Merge, Shipped};
use crate::release::{Outcome, Phase};
use crate::together::Together;

const PERSON: &str = "anastasia";
/// Of 30 characters.
const TAG: &str = "release-2025-11-04-candidate-1";
const WHY: &str = "Nothing goes to this environment before the big sale is over, says the committee.";

/// A service and an environment of 20 characters.
fn long() -> EnvironmentKey {
    EnvironmentKey { service: "notification-gateway".into(), environment: "production-eu-west-2".into() }
}

fn before() -> EnvironmentName {
    "preproduction-euwe-2".into()
}

fn id() -> ReleaseId {
    "01JD7Q4N5V0000000000000000".into()
}

fn live() -> Live {
    let image = plan().image.digest;
    Live { release: id(), commit: sha("9a77d01"), image, by: PERSON.into(), since: at(0), verified: true }
}

fn pauses() -> Vec<Why> {
    let locked = |until| Why::Locked { owner: PERSON.into(), reason: "load test of the new index".into(), until };
    let ended = |how| Why::Ended { release: id(), commit: sha("4c1f9e2"), how };
    vec![
        locked(None),
        locked(Some(at(3_600))),
        Why::Frozen { what: WHY.into(), until: Some(at(7_200)) },
        Why::Frozen { what: WHY.into(), until: None },
        Why::Refused { what: WHY.into(), forbidden: true },
        ended(How::Failed),
        ended(How::RolledBack),
        ended(How::Expired),
        ended(How::Denied),
        ended(How::Cancelled { by: PERSON.into() }),
        Why::WentBack { release: id(), by: PERSON.into() },
        Why::Diverged { live: sha("9a77d01"), branch: "feature/a-longer-name".into(), head: sha("4c1f9e2") },
        Why::PastSlipway { runs: "goals:a-longer-tag".into() },
        Why::Gone { branch: "feature/a-longer-name".into() },
    ]
}

fn of_flow() -> Vec<Message> {
    let mut all = vec![flow_goes_on(&long()), flow_is_not_paused(Some(&long())), flow_is_not_set(&long())];
    all.push(flow_which(&[long(), key()]));
    for why in pauses() {
        let pause = Pause { number: 1, why, since: at(0) };
        all.push(flow_paused(&long(), &pause, true));
        all.push(flow_cannot_be_resumed(&long(), &pause, true));
        let succeeded = Resumption::Succeeded { release: id(), by: PERSON.into() };
        for how in [Resumption::Over, Resumption::Said { by: PERSON.into() }, succeeded] {
            all.push(flow_resumed(&long(), &pause, &how, at(7_199)));
        }
    }
    all
}

fn of_promotion() -> Vec<Message> {
    let mut all = vec![declined(&long(), &sha("4c1f9e2")), goes_nowhere(&shipping(false))];
    all.push(asked_for_already(&shipping(false), &sha("4c1f9e2")));
    let plan = Plan { base: None, migrations: vec![migration("20251104120000_likes", true); 12], ..plan() };
    let (key, live, before) = (long(), live(), before());
    let view = SuggestionView {
        key: &key,
        before: &before,
        live: &live,
        soaked_s: 7_199,
        plan: &plan,
        reasons: &[],
        unrelated: None,
        migrates: false,
    };
    all.push(suggestion(&view));
    let stopped = |how| Standing::Stopped { release: id(), how };
    let standings = [
        Standing::Suggested,
        Standing::Held { by: PERSON.into() },
        Standing::Left { live: sha("9a77d01"), newer: true },
        Standing::Left { live: sha("9a77d01"), newer: false },
        Standing::Taken { release: id(), by: PERSON.into() },
        Standing::Declined { by: PERSON.into() },
        Standing::Begun { release: id() },
        Standing::Over { release: id() },
        stopped(Stop::Failed),
        stopped(Stop::Cancelled),
        stopped(Stop::Expired),
        stopped(Stop::RolledBack),
    ];
    let hindrances = [
        Hindrance::Locked { owner: PERSON.into(), reason: "x".repeat(200), until: Some(at(9)) },
        Hindrance::Policy { what: "x".repeat(200), until: Some(at(9)) },
        Hindrance::Policy { what: "x".repeat(200), until: None },
        Hindrance::Refused { what: Some("x".repeat(200)) },
        Hindrance::Refused { what: None },
        Hindrance::PastSlipway { environment: before.clone() },
        Hindrance::Unverified,
        Hindrance::Newer { live: sha("9a77d01") },
        Hindrance::Off,
    ];
    let closed = hindrances.map(|why| Standing::Closed { why });
    for standing in standings.into_iter().chain(closed) {
        let promoted = Promotion { commit: sha("4c1f9e2"), brought_by: id(), standing, at: at(0) };
        all.push(promotion(&key, &promoted, &before, None));
        all.push(no_longer_suggested(&key, &promoted, &before));
    }
    all
}

fn of_intents() -> Vec<Message> {
    let mut all = vec![begins_now(&long()), too_many_deferred(Some(&long())), too_many_deferred(None)];
    all.extend([Unsettled::Past, Unsettled::TooFar].map(cannot_be_deferred));
    let states = [
        State::Waiting,
        State::Begun { release: id(), at: at(0) },
        State::Cancelled { by: PERSON.into(), at: at(0) },
        State::Expired { why: "Its time passed while Slipway was not running.".into(), at: at(0) },
        State::Expired { why: "It was not unlocked within 24 h 30 min.".into(), at: at(0) },
        State::Refused { why: WHY.into(), at: at(0) },
    ];
    let at_time = |days: i64| Condition::At { at: at(days * 86_400), timezone: "America/Los_Angeles".into() };
    for condition in [Condition::Green, Condition::Unlocked, at_time(1), at_time(30)] {
        for state in states.clone() {
            let intent = Intent {
                id: "01JD7Q4N".into(),
                key: long(),
                reference: Some("feature/a-much-longer-name-of-a-branch".into()),
                requester: PERSON.into(),
                reason: None,
                channel: "terminal:releases".into(),
                condition: condition.clone(),
                asked_at: at(0),
                expires_at: at(60),
                state,
                held: None,
            };
            let (teams, why) = (["release-managers", "developers"].map(Into::into).into(), vec![WHY.into()]);
            let held = Some(Held { teams, why, since: at(0) });
            all.push(deferred(&Intent { held, ..intent.clone() }, None));
            all.push(deferred(&intent, None));
            all.push(deferred_answer(&intent, Some(Note::Tomorrow), at(0)));
            all.extend([deferred_news(&intent), deferral_cancelled(&intent), deferral_ended(&intent)]);
        }
    }
    all.push(deferred_unreadable(&long(), &"01JD7Q4N".into()));
    let on = long().to_string();
    all.push(bumped(&on, &id(), 12));
    let ten = ["notification-gateway"; 10];
    all.push(bumped(&services_in(ten, &long().environment), &id(), 12));
    all.push(bumped_before(&on, (&id(), &PERSON.into()), &PERSON.into(), &[(12, id())]));
    all
}

fn of_hands() -> Vec<Message> {
    let mut all = Vec::new();
    for commit in [Some(sha("4c1f9e2")), None] {
        for digest in [Some(plan().image.digest), None] {
            let (target, image) = ("goals-production".into(), format!("registry.example/goals:{TAG}"));
            let runs = TargetRuns { target, image, digest, commit: commit.clone(), operation: None };
            let by_hand = ByHand { runs, noticed_at: at(0) };
            all.push(brought_by_hand(&long(), &live(), &by_hand, commit.as_ref()));
            all.push(by_hand_is_over(&long(), &by_hand, &sha("9a77d01"), at(7_199)));
        }
        let names = TagNames { tag: TAG.into(), digest: plan().image.digest, commit };
        let tag = FollowedTag::known(names);
        all.push(tag_moved(&long(), &tag, Some(&live()), true));
        all.push(tag_is_back(&long(), &tag, at(0), at(7_199)));
    }
    all
}

fn shipping(dry_run: bool) -> Release {
    let kind = RequestKind::Ship { pull: 12_345, again: None };
    let request = Request { key: long(), kind, reference: None, requester: PERSON.into(), dry_run, ..asked().request };
    after(Release::new(id(), request), [Event::Requested])
}

fn of_shipping() -> Vec<Message> {
    let missing = |phrases: &[&str]| Shipped {
        number: 12_345,
        title: "Show profile links".into(),
        author: Some("eve-dev".into()),
        url: "https://github.com/acme/goals/pull/12345".into(),
        head: sha("b02a6c8"),
        base: "main".into(),
        missing: phrases.iter().map(|&phrase| phrase.to_owned()).collect(),
        counted: vec![],
        not_counted: vec![],
        refusals: 0,
        merge: None,
    };
    let merge = Some(Merge { commit: sha("4c1f9e2"), by: None });
    let ready = Event::PullReady { pull: Box::new(missing(&[])), at: at(60) };
    let merged = Event::PullMerged { pull: Box::new(Shipped { merge, ..missing(&[]) }), at: at(61) };
    let phrases = [
        "12 approvals of b02a6c8 missing",
        "checks: 11 of 12 passed",
        "GitHub did not merge it: Required status check \"build and test on every platform\" is expected.",
    ];
    let mut releases = vec![shipping(false)];
    for lacks in [&phrases[..1], &phrases[..2], &phrases[1..], &phrases[2..], &phrases[..]] {
        releases.push(after(shipping(false), [Event::PullSeen { pull: Box::new(missing(lacks)) }]));
        releases.push(after(shipping(true), [Event::PullWaits { pull: Box::new(missing(lacks)), at: at(9) }]));
    }
    releases.push(after(shipping(true), [ready.clone()]));
    let merging = after(shipping(false), [ready]);
    let building = after(merging.clone(), [merged]);
    let failure = || Failure::new("CI is red on 4c1f9e2.").next("push a fix");
    let failed = |step| Event::PlanningFailed { step, failure: failure(), at: at(90) };
    let cancelled = || Event::CancelRequested { by: PERSON.into(), begun: false, at: at(90) };
    releases.push(after(shipping(false), [failed(None)]));
    releases.push(after(shipping(false), [cancelled()]));
    releases.push(after(shipping(false), [Event::TimedOut { at: at(4 * 3600) }]));
    releases.push(after(building.clone(), [failed(Some(Step::Ci))]));
    releases.push(after(building.clone(), [failed(Some(Step::Image))]));
    releases.push(after(building.clone(), [cancelled()]));
    releases.push(after(building.clone(), [Event::TimedOut { at: at(61 + 4 * 3600) }]));
    releases.extend([merging, building]);
    let people = people();
    let cards = releases.iter().map(|release| release_card(&view(release, &people, &[], 70)));
    let named = ["production-2".into(), before()];
    let answers = [
        ships_already(&shipping(false), 12_345),
        another_repository("a-longer-owner/notifications", &[]),
        which_service(12_345, &[long().service, "goals".into()]),
        no_such_environment(12_345, &long().service, Some(&"staging-nine".into()), &named),
        no_such_environment(12_345, &long().service, None, &named),
    ];
    cards.chain(answers).collect()
}

/// Several services, each at what its number says.
fn group(stands: &[(Phase, Option<Outcome>, bool)]) -> Vec<Release> {
    let all: Vec<ReleaseId> =
        (0..stands.len()).map(|n| ReleaseId::new(format!("01JD7Q4N5V000000000000000{n}"))).collect();
    let member = |(n, (phase, outcome, left_out)): (usize, &(Phase, Option<Outcome>, bool))| {
        let key = EnvironmentKey { service: format!("notification-gatewa{n}").as_str().into(), ..long() };
        let together = Some(Together { all: all.clone() });
        let request = Request { key, requester: PERSON.into(), together, ..asked().request };
        let mut release = Release::new(all[n].clone(), request);
        (release.commit, release.plan) = (Some(sha("4c1f9e2")), Some(plan()));
        (release.phase, release.outcome) = (phase.clone(), outcome.clone());
        let ran = matches!(phase, Phase::Running { .. }) || matches!(outcome, Some(Outcome::Live));
        release.started_at = ran.then(|| at(0));
        release.ended_at = phase.is_end().then(|| at(5_000));
        release.left_out = left_out.then(|| all[0].clone());
        release
    };
    stands.iter().enumerate().map(member).collect()
}

fn of_groups() -> Vec<Message> {
    let failure = || Failure::new(WHY).next("mend it");
    let live = || (Phase::Succeeded, Some(Outcome::Live), false);
    let waits = || (Phase::AwaitingApproval, None, false);
    let left = || (Phase::Cancelled, Some(Outcome::Cancelled { by: PERSON.into(), details: vec![] }), true);
    let stopped = || (Phase::Cancelled, Some(Outcome::Cancelled { by: PERSON.into(), details: vec![] }), false);
    let failed = |step| (Phase::Failed, Some(Outcome::Failed { step, failure: failure() }), false);
    let running = |step| (Phase::Running { step }, None, false);
    let groups = [
        group(&[waits(), waits(), waits()]),
        group(&[live(), running(Step::Deploy), waits()]),
        group(&[
            live(),
            running(Step::Migrate),
            waits(),
            waits(),
            waits(),
            waits(),
            waits(),
            waits(),
            waits(),
            waits(),
        ]),
        group(&[live(), live(), live()]),
        group(&[live(), failed(Some(Step::Migrate)), left(), left()]),
        group(&[failed(None), left(), left()]),
        group(&[live(), (Phase::RolledBack, Some(Outcome::RolledBack { failure: failure() }), false), left()]),
        group(&[live(), live(), live(), stopped(), left(), left(), left(), left(), left(), left()]),
        group(&[live(), (Phase::Succeeded, Some(Outcome::NothingToDo), false)]),
    ];
    let people = people();
    let card = |members: &Vec<Release>| {
        let release = crate::together::current(members).unwrap();
        together_card(&view(release, &people, &[], 110), members)
    };
    groups.iter().map(card).collect()
}

/// One line, as a phone shows it.
#[test]
fn no_first_line_of_the_flow_is_cut() {
    assert_eq!((long().service.as_str().len(), long().environment.as_str().len()), (20, 20));
    assert_eq!((before().as_str().len(), TAG.len()), (20, 30));
    let all = [of_flow(), of_promotion(), of_intents(), of_hands(), of_shipping(), of_groups()].concat();
    let too_long: Vec<_> = all.iter().filter(|message| !fits(&message.headline)).map(text).collect();
    assert!(too_long.is_empty(), "{}", too_long.join("\n"));
    // All of them were made.
    assert!(all.len() > 200, "{}", all.len());
}
