//! When something goes on, and what becomes of it.

use super::*;
use crate::environment::{ByHand, Live, Lock, Stay, TargetRuns};
use crate::ids::{EnvironmentKey, ImageDigest};
use crate::plan::Plan;
use crate::plan::tests::{commit, plan, sha};
use crate::release::{Failure, Origin, Request};
use jiff::SignedDuration;
use serde_json::json;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_600_000).unwrap() + SignedDuration::from_secs(seconds)
}

fn live(seed: u8) -> Live {
    Live {
        release: format!("R{seed}").as_str().into(),
        commit: sha(seed),
        image: ImageDigest::parse(&format!("sha256:{}", format!("{seed:02x}").repeat(32))).unwrap(),
        by: "ana".into(),
        since: at(i64::from(seed)),
        verified: true,
    }
}

/// Runs the last of these commits, and ran the others before.
fn environment(name: &str, commits: &[u8]) -> Environment {
    let key = EnvironmentKey { service: "goals".into(), environment: name.into() };
    let mut environment = Environment::new(key);
    if let Some((last, before)) = commits.split_last() {
        environment.live = Some(live(*last));
        environment.stays = before.iter().rev().map(|seed| Stay { live: live(*seed), until: at(100) }).collect();
    }
    environment
}

fn release(seed: u8, kind: RequestKind) -> Release {
    let request = Request {
        key: EnvironmentKey { service: "goals".into(), environment: "production".into() },
        kind,
        reference: None,
        requester: "bob".into(),
        reason: None,
        dry_run: false,
        together: None,
        origin: Origin { channel: "terminal:releases".into() },
        at: at(0),
        expires_at: at(60),
    };
    Release { commit: Some(sha(seed)), ..Release::new(format!("A{seed}").as_str().into(), request) }
}

fn deploy(seed: u8) -> Release {
    release(seed, RequestKind::Deploy)
}

fn promotion(seed: u8, standing: Standing) -> Promotion {
    Promotion { commit: sha(seed), brought_by: "R1".into(), standing, at: at(0) }
}

fn bad() -> KnownBad {
    KnownBad { by: "eve".into(), reason: None, at: at(0) }
}

fn known(promotion: &Promotion) -> Known<'_> {
    Known { promotion, mark: None, asked: None, begun: None }
}

fn candidate() -> Candidate<'static> {
    Candidate {
        mark: None,
        asked: None,
        lineage: Lineage::Newer,
        by_itself: Outlook::Ready,
        by_somebody: Outlook::Ready,
        way: &Way::Open,
    }
}

/// Staging runs 3 and production 1.
fn decided(candidate: Candidate<'_>, known: &[Known<'_>], automatic: bool) -> Option<Act> {
    let (before, here) = (environment("staging", &[1, 3]), environment("production", &[1]));
    let candidate = Some(candidate);
    decide(&Seen { before: &before, here: &here, known, candidate, suggests: true, automatic })
}

#[test]
fn what_is_ready_is_suggested_or_begins_by_setting() {
    assert_eq!(decided(candidate(), &[], false), Some(Act::Suggest));
    assert_eq!(decided(candidate(), &[], true), Some(Act::Begin));
    // Where Slipway may not ask, somebody has to.
    let people_only = Candidate { by_itself: Outlook::Closed, ..candidate() };
    assert_eq!(decided(people_only, &[], true), Some(Act::Suggest));
    // It waits for its time, and is not suggested meanwhile.
    let soon = Candidate { by_itself: Outlook::From(at(9)), ..candidate() };
    assert_eq!(decided(soon, &[], true), None);
    // Nobody's hotfix is replaced by itself.
    let unknown = Candidate { lineage: Lineage::Unknown, ..candidate() };
    assert_eq!(decided(unknown, &[], true), Some(Act::Suggest));
}

#[test]
fn each_of_these_holds_it_back() {
    let (mark, asked) = (bad(), deploy(3));
    let held = [
        ("known bad", Candidate { mark: Some(&mark), ..candidate() }),
        ("asked for", Candidate { asked: Some(&asked), ..candidate() }),
        ("older", Candidate { lineage: Lineage::Older, ..candidate() }),
        ("soaks", Candidate { by_itself: Outlook::From(at(9)), by_somebody: Outlook::From(at(9)), ..candidate() }),
        ("refused", Candidate { by_itself: Outlook::Closed, by_somebody: Outlook::Closed, ..candidate() }),
    ];
    for (what, candidate) in held {
        assert_eq!((decided(candidate, &[], false), decided(candidate, &[], true)), (None, None), "{what}");
    }
    let here = environment("production", &[1]);
    let staging = environment("staging", &[1, 3]);
    let unverified = Environment { live: Some(Live { verified: false, ..live(3) }), ..staging.clone() };
    let replaced = Environment { running: Some("R9".into()), ..staging.clone() };
    for before in [unverified, replaced, environment("staging", &[])] {
        let seen = Seen {
            before: &before,
            here: &here,
            known: &[],
            candidate: Some(candidate()),
            suggests: true,
            automatic: true,
        };
        assert_eq!(decide(&seen), None);
    }
    let seen = Seen {
        before: &staging,
        here: &here,
        known: &[],
        candidate: Some(candidate()),
        suggests: false,
        automatic: false,
    };
    assert_eq!(decide(&seen), None, "switched off");
}

#[test]
fn each_commit_is_suggested_and_begun_once() {
    let release = || ReleaseId::new("A3");
    let settled = [
        Standing::Taken { release: release(), by: "bob".into() },
        Standing::Declined { by: "bob".into() },
        Standing::Stopped { release: release(), how: Stop::Failed },
        Standing::Over { release: release() },
        Standing::Begun { release: release() },
    ];
    for standing in settled {
        let known_before = promotion(3, standing);
        for automatic in [true, false] {
            assert_eq!(decided(candidate(), &[known(&known_before)], automatic), None, "{known_before:?}");
        }
    }
    let suggested = promotion(3, Standing::Suggested);
    assert_eq!(decided(candidate(), &[known(&suggested)], false), None);
    assert_eq!(decided(candidate(), &[known(&suggested)], true), Some(Act::Begin), "the setting is another now");
    // The same message comes back.
    let left = promotion(3, Standing::Left { live: sha(4), newer: true });
    assert_eq!(decided(candidate(), &[known(&left)], false), Some(Act::Suggest));
    let held = promotion(3, Standing::Held { by: "eve".into() });
    assert_eq!(decided(candidate(), &[known(&held)], false), again());
}

/// What was suggested is suggested again.
fn again() -> Option<Act> {
    Some(Act::Change { commit: sha(3), standing: Standing::Suggested })
}

fn becomes(known: Known<'_>, before: &Environment, here: &Environment) -> Option<Standing> {
    let seen = Seen { before, here, known: &[known], candidate: None, suggests: true, automatic: false };
    match decide(&seen)? {
        Act::Change { commit, standing } if commit == known.promotion.commit => Some(standing),
        act => panic!("{act:?}"),
    }
}

#[test]
fn a_suggestion_follows_what_happens() {
    let here = environment("production", &[1]);
    let suggested = promotion(3, Standing::Suggested);
    let staging = environment("staging", &[1, 3]);
    assert_eq!(becomes(known(&suggested), &staging, &here), None);
    let (asked, mark) = (deploy(3), bad());
    let taken = Standing::Taken { release: "A3".into(), by: "bob".into() };
    let both = Known { asked: Some(&asked), mark: Some(&mark), ..known(&suggested) };
    assert_eq!(becomes(both, &staging, &here), Some(taken));
    let marked = Known { mark: Some(&mark), ..known(&suggested) };
    assert_eq!(becomes(marked, &staging, &here), Some(Standing::Held { by: "eve".into() }));
    let newer = environment("staging", &[1, 3, 4]);
    assert_eq!(becomes(known(&suggested), &newer, &here), Some(Standing::Left { live: sha(4), newer: true }));
    let back = environment("staging", &[1, 3, 1]);
    assert_eq!(becomes(known(&suggested), &back, &here), Some(Standing::Left { live: sha(1), newer: false }));
    let came_otherwise = Standing::Taken { release: "R3".into(), by: "ana".into() };
    assert_eq!(becomes(known(&suggested), &staging, &environment("production", &[1, 3])), Some(came_otherwise));
    // What is over stays as it is.
    for standing in [Standing::Declined { by: "bob".into() }, Standing::Left { live: sha(9), newer: true }] {
        let over = promotion(3, standing);
        assert_eq!(becomes(Known { asked: Some(&asked), mark: Some(&mark), ..known(&over) }, &newer, &here), None);
    }
}

fn ended(outcome: Outcome) -> Release {
    Release { outcome: Some(outcome), ..deploy(3) }
}

#[test]
fn what_began_by_itself_is_followed_to_its_end() {
    let staging = environment("staging", &[1, 3]);
    let begun = promotion(3, Standing::Begun { release: "A3".into() });
    let failure = || Failure::new("It broke.");
    let stopped = |how| Some(Standing::Stopped { release: "A3".into(), how });
    let over = Some(Standing::Over { release: "A3".into() });
    let cases = [
        (deploy(3), vec![1], None),
        (ended(Outcome::Live), vec![1, 3], None),
        (ended(Outcome::Live), vec![1, 3, 4], over.clone()),
        (ended(Outcome::Live), vec![1, 3, 1], stopped(Stop::RolledBack)),
        (ended(Outcome::Superseded { by: "A4".into() }), vec![1], over),
        (ended(Outcome::Failed { step: None, failure: failure() }), vec![1], stopped(Stop::Failed)),
        (ended(Outcome::RolledBack { failure: failure() }), vec![1], stopped(Stop::Failed)),
        (ended(Outcome::Denied), vec![1], stopped(Stop::Failed)),
        (ended(Outcome::Cancelled { by: "bob".into(), details: vec![] }), vec![1], stopped(Stop::Cancelled)),
        (ended(Outcome::Expired), vec![1], stopped(Stop::Expired)),
    ];
    for (release, runs, standing) in cases {
        let known = Known { begun: Some(&release), ..known(&begun) };
        assert_eq!(becomes(known, &staging, &environment("production", &runs)), standing, "{:?}", release.outcome);
    }
}

fn based(seed: u8, base: u8, commits: &[u8]) -> Release {
    let commits = commits.iter().map(|seed| commit(*seed, None)).collect();
    let plan = Plan { base: Some(sha(base)), commit: sha(seed), commits, ..plan() };
    Release { plan: Some(plan), ..deploy(seed) }
}

#[test]
fn the_line_of_commits_is_known_from_what_ran_and_what_was_planned() {
    let staging = environment("staging", &[1, 3]);
    let of = |before: &Environment, here: &[u8], brought: &[Release], running: Option<&Release>| {
        Lineage::of(before, &environment("production", here), brought, running)
    };
    assert_eq!(of(&staging, &[], &[], None), Lineage::Newer, "nothing is known to run there");
    assert_eq!(of(&staging, &[1], &[], None), Lineage::Newer, "it ran before on staging");
    assert_eq!(of(&staging, &[2], &[based(3, 1, &[3, 2])], None), Lineage::Newer, "it is in a plan");
    assert_eq!(of(&staging, &[7], &[based(3, 7, &[3])], None), Lineage::Newer, "a plan began there");
    assert_eq!(of(&staging, &[7], &[based(3, 1, &[3, 2])], None), Lineage::Unknown);
    assert_eq!(of(&staging, &[3], &[], None), Lineage::Older, "the same");
    assert_eq!(of(&staging, &[3, 1], &[], None), Lineage::Older, "it was there and was taken back");
    assert_eq!(of(&staging, &[7], &[], Some(&based(7, 1, &[7, 3]))), Lineage::Older, "it is contained in what runs");
}

#[test]
fn what_an_environment_went_back_to_goes_on_only_past_what_is_older() {
    let staging = environment("staging", &[1, 3, 4, 3]);
    let brought = [based(3, 4, &[]), based(4, 3, &[4, 5]), based(3, 1, &[3, 2])];
    let of = |here: u8| Lineage::of(&staging, &environment("production", &[here]), &brought, None);
    assert_eq!((of(1), of(2)), (Lineage::Newer, Lineage::Newer));
    assert_eq!(of(4), Lineage::Older, "production has what staging left");
    assert_eq!(of(5), Lineage::Unknown, "what came later says nothing");
}

#[test]
fn asked_for_is_what_was_to_bring_exactly_this_commit() {
    let pinned = |reference: &str| {
        let release = deploy(9);
        let request = Request { reference: Some(reference.to_owned()), ..release.request.clone() };
        Release { commit: None, request, ..release }
    };
    let found = |release: Release| asked_for(&sha(3), &[deploy(8), release]).is_some();
    assert!(found(deploy(3)) && found(pinned(sha(3).as_str())));
    assert!(found(ended(Outcome::Live)) && found(ended(Outcome::Expired)));
    assert!(!found(deploy(4)) && !found(pinned("main")));
    for outcome in [Outcome::DryRun, Outcome::NothingToDo, Outcome::Denied] {
        assert!(!found(ended(outcome)));
    }
    let mut dry = deploy(3);
    dry.request.dry_run = true;
    assert!(!found(dry));
    assert!(!found(release(3, RequestKind::Config { commit: sha(3), again: None })));
}

fn verdict(course: &str, clears: &[serde_json::Value]) -> Verdict {
    let reason = |clears| json!({ "id": "x", "why": "Because.", "clears": clears });
    serde_json::from_value(json!({
        "course": course, "reasons": clears.iter().map(reason).collect::<Vec<_>>(), "digest": "ab".repeat(32),
        "policy_hash": "cd".repeat(32), "at": at(0), "again_at": null,
    }))
    .unwrap()
}

#[test]
fn only_votes_may_be_missing() {
    let votes = json!({ "how": "votes", "missing": [{ "team": "release", "missing": 1, "who": ["bob"] }] });
    let time = |seconds| json!({ "how": "time", "at": at(seconds) });
    let outlook = |course, clears: &[serde_json::Value]| Outlook::of(&verdict(course, clears));
    assert_eq!(outlook("wait", std::slice::from_ref(&votes)), Outlook::Ready);
    for course in ["start", "refresh"] {
        assert_eq!(outlook(course, &[]), Outlook::Ready, "{course}");
    }
    assert_eq!(outlook("wait", &[time(60), votes.clone(), time(30)]), Outlook::From(at(60)), "the last of them");
    for clears in [
        json!({ "how": "unlock", "owner": "bob", "until": at(5) }),
        json!({ "how": "release", "id": "R9" }),
        json!({ "how": "soak", "environment": "staging" }),
        json!({ "how": "time", "at": null }),
        json!({ "how": "withdrawal", "by": ["eve"] }),
        json!({ "how": "facts" }),
        json!({ "how": "nothing" }),
    ] {
        assert_eq!(outlook("wait", &[votes.clone(), clears.clone()]), Outlook::Closed, "{clears}");
    }
    for course in ["deny", "nothing_to_do", "dry_run"] {
        assert_eq!(outlook(course, &[]), Outlook::Closed, "{course}");
    }
}

fn lock(owner: &str) -> Lock {
    let (owner, reason) = (owner.into(), "schema work".into());
    Lock { owner, reason, at: at(0), until: Some(at(9)), channel: String::new(), reminded_at: None }
}

fn locked() -> Hindrance {
    Hindrance::Locked { owner: "dora".into(), reason: "schema work".into(), until: Some(at(9)) }
}

fn closed(why: Hindrance) -> Standing {
    Standing::Closed { why }
}

/// Staging runs 3, which was suggested for production, and stands so.
fn suggested(standing: Standing, candidate: Option<Candidate<'_>>, edit: impl FnOnce(&mut Seen<'_>)) -> Option<Act> {
    let (before, here) = (environment("staging", &[1, 3]), environment("production", &[1]));
    let promoted = promotion(3, standing);
    let known = [known(&promoted)];
    let mut seen = Seen { before: &before, here: &here, known: &known, candidate, suggests: true, automatic: false };
    edit(&mut seen);
    decide(&seen)
}

fn becomes_closed(why: &Hindrance) -> Option<Act> {
    Some(Act::Change { commit: sha(3), standing: closed(why.clone()) })
}

#[test]
fn what_is_in_the_way_closes_a_suggestion_once_and_its_end_brings_it_back() {
    let frozen = |until| Hindrance::Policy { what: "Frozen.".into(), until: Some(at(until)) };
    let refused = Hindrance::Refused { what: None };
    for why in [locked(), frozen(60), refused] {
        let way = Way::Closed(why.clone());
        let shut = || Some(Candidate { way: &way, by_somebody: Outlook::Closed, ..candidate() });
        assert_eq!(suggested(Standing::Suggested, shut(), |_| {}), becomes_closed(&why));
        assert_eq!(suggested(closed(why.clone()), shut(), |_| {}), None, "it is said already");
        let other = frozen(120);
        assert_eq!(suggested(closed(other), shut(), |_| {}), becomes_closed(&why), "it reads otherwise");
        assert_eq!(suggested(closed(why.clone()), Some(candidate()), |_| {}), again());
        let unknown = Some(Candidate { way: &Way::Unknown, by_somebody: Outlook::Closed, ..candidate() });
        for standing in [Standing::Suggested, closed(why)] {
            assert_eq!(suggested(standing.clone(), unknown, |_| {}), None, "{standing:?}");
            assert_eq!(suggested(standing, None, |_| {}), None);
        }
    }
    assert_eq!(suggested(Standing::Suggested, Some(candidate()), |_| {}), None, "nothing has changed");
    // Behind what runs there is a place in the queue.
    let busy = Some(Candidate { by_somebody: Outlook::Closed, ..candidate() });
    assert_eq!(suggested(Standing::Suggested, busy, |_| {}), None);
    assert_eq!(suggested(closed(locked()), busy, |_| {}), again());
}

#[test]
fn what_is_seen_without_policy_closes_it_too() {
    let ways = |why: Hindrance, edit: &dyn Fn(&mut Seen<'_>)| {
        assert_eq!(suggested(Standing::Suggested, Some(candidate()), edit), becomes_closed(&why));
        assert_eq!(suggested(closed(why), Some(candidate()), edit), None);
    };
    ways(Hindrance::Off, &|seen| seen.suggests = false);
    let past = |name: &str, commits: &[u8]| Environment {
        by_hand: Some(ByHand {
            runs: TargetRuns {
                target: name.to_owned(),
                image: "goals:hotfix".into(),
                digest: None,
                commit: None,
                operation: None,
            },
            noticed_at: at(0),
        }),
        ..environment(name, commits)
    };
    let (staging, production) = (past("staging", &[1, 3]), past("production", &[1]));
    let closed_in = |environment: &str| Hindrance::PastSlipway { environment: environment.into() };
    for (before, here, why) in [
        (Some(&staging), None, closed_in("staging")),
        (None, Some(&production), closed_in("production")),
        (Some(&staging), Some(&production), closed_in("production")),
    ] {
        let promoted = promotion(3, Standing::Suggested);
        let known = [known(&promoted)];
        let (clean_before, clean_here) = (environment("staging", &[1, 3]), environment("production", &[1]));
        let (before, here) = (before.unwrap_or(&clean_before), here.unwrap_or(&clean_here));
        let candidate = Some(candidate());
        let seen = Seen { before, here, known: &known, candidate, suggests: true, automatic: false };
        assert_eq!(decide(&seen), becomes_closed(&why));
    }
    let unverified = Environment { live: Some(Live { verified: false, ..live(3) }), ..environment("staging", &[1, 3]) };
    let promoted = promotion(3, Standing::Suggested);
    let (known, here) = ([known(&promoted)], environment("production", &[1]));
    let candidate = Some(candidate());
    let seen = Seen { before: &unverified, here: &here, known: &known, candidate, suggests: true, automatic: false };
    assert_eq!(decide(&seen), becomes_closed(&Hindrance::Unverified));
    let older = Candidate { lineage: Lineage::Older, ..self::candidate() };
    let newer = Hindrance::Newer { live: sha(1) };
    assert_eq!(suggested(Standing::Suggested, Some(older), |_| {}), becomes_closed(&newer));
    assert_eq!(suggested(closed(newer), Some(older), |_| {}), None);
}

#[test]
fn what_is_closed_is_followed_like_what_is_suggested() {
    let here = environment("production", &[1]);
    let staging = environment("staging", &[1, 3]);
    let held = promotion(3, closed(locked()));
    let (asked, mark) = (deploy(3), bad());
    let taken = Standing::Taken { release: "A3".into(), by: "bob".into() };
    assert_eq!(becomes(Known { asked: Some(&asked), ..known(&held) }, &staging, &here), Some(taken));
    let marked = Known { mark: Some(&mark), ..known(&held) };
    assert_eq!(becomes(marked, &staging, &here), Some(Standing::Held { by: "eve".into() }));
    let newer = environment("staging", &[1, 3, 4]);
    assert_eq!(becomes(known(&held), &newer, &here), Some(Standing::Left { live: sha(4), newer: true }));
    // The mark was taken back, and something else is in its way.
    let was_held = Standing::Held { by: "eve".into() };
    let way = Way::Closed(locked());
    let shut = Candidate { way: &way, by_somebody: Outlook::Closed, ..candidate() };
    assert_eq!(suggested(was_held.clone(), Some(shut), |_| {}), becomes_closed(&locked()));
    assert_eq!(suggested(was_held.clone(), Some(candidate()), |_| {}), again());
    let was_held = promotion(3, was_held);
    assert_eq!(becomes(Known { mark: Some(&mark), ..known(&was_held) }, &staging, &here), None);
    assert_eq!(becomes(known(&was_held), &newer, &here), None, "there it is over");
    assert!(held.standing.is_open() && !held.standing.is_settled() && held.standing.led_to().is_none());
    // By setting it begins all the same once Slipway may.
    assert_eq!(decided(candidate(), &[known(&held)], true), again(), "first it is there again");
    let suggested = promotion(3, Standing::Suggested);
    assert_eq!(decided(candidate(), &[known(&suggested)], true), Some(Act::Begin));
}

#[test]
fn what_a_verdict_has_against_a_suggestion() {
    let votes = json!({ "how": "votes", "missing": [{ "team": "release", "missing": 1, "who": ["bob"] }] });
    let release = json!({ "how": "release", "id": "R9" });
    let (lock, time) = (lock("dora"), json!({ "how": "time", "at": at(60) }));
    let way = |course, clears: &[serde_json::Value]| Way::of(&verdict(course, clears), Some(&lock));
    assert_eq!(way("wait", &[votes.clone(), release.clone()]), Way::Open);
    for course in ["start", "refresh"] {
        assert_eq!(way(course, &[]), Way::Open, "{course}");
    }
    let unlock = json!({ "how": "unlock", "owner": "dora", "until": at(9) });
    assert_eq!(way("wait", &[votes.clone(), unlock.clone(), time.clone()]), Way::Closed(locked()), "the first of them");
    let policy = |until| Way::Closed(Hindrance::Policy { what: "Because.".into(), until });
    assert_eq!(way("wait", &[release, time, unlock]), policy(Some(at(60))));
    for clears in [
        json!({ "how": "soak", "environment": "staging" }),
        json!({ "how": "time", "at": null }),
        json!({ "how": "withdrawal", "by": ["eve"] }),
        json!({ "how": "facts" }),
        json!({ "how": "nothing" }),
    ] {
        assert_eq!(way("wait", &[votes.clone(), clears.clone()]), policy(None), "{clears}");
    }
    let refused = |what: Option<&str>| Way::Closed(Hindrance::Refused { what: what.map(str::to_owned) });
    assert_eq!(way("deny", &[json!({ "how": "nothing" })]), refused(Some("Because.")));
    assert_eq!(Way::refused(&[]), refused(None));
    for course in ["nothing_to_do", "dry_run"] {
        assert_eq!(way(course, &[]), Way::Unknown, "{course}");
    }
}

#[test]
fn what_cannot_be_looked_up_is_no_no() {
    let reason = |id: &str, how| json!({ "id": id, "why": "It does not answer.", "clears": { "how": how } });
    let verdict = |reasons: &[serde_json::Value]| -> Verdict {
        serde_json::from_value(json!({
            "course": "wait", "reasons": reasons, "digest": "ab".repeat(32), "policy_hash": "cd".repeat(32),
            "at": at(0), "again_at": null,
        }))
        .unwrap()
    };
    for id in ["members", "facts"] {
        assert_eq!(Way::of(&verdict(&[reason(id, "facts")]), None), Way::Unknown, "{id}");
        let closed = Hindrance::Policy { what: "It does not answer.".into(), until: None };
        let both = [reason(id, "facts"), reason("shop-closed", "nothing")];
        assert_eq!(Way::of(&verdict(&both), None), Way::Closed(closed), "{id}");
    }
}
