//! What begins by itself, and what holds it up.

mod passed;
mod untouched;
mod walk;

use super::*;
use crate::facts::CiState;

pub(super) const SETTLE_S: i64 = 5;

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_600_000 + seconds).unwrap()
}

pub(super) fn sha(n: u32) -> CommitSha {
    CommitSha::parse(&format!("{n:040x}")).unwrap()
}

pub(super) fn flow() -> Flow {
    Flow::new(EnvironmentKey { service: "goals".into(), environment: "staging".into() })
}

/// A look at main, where 1 is live: the newest commit first, each green, red, pending, missing or not looked at; u is green
/// and brings nothing to the service.
fn line(commits: &[(u32, char)]) -> Sight {
    let ci = |said| match said {
        'g' | 'u' => Some(CiState::Green),
        'r' => Some(CiState::Red),
        'p' => Some(CiState::Pending),
        'm' => Some(CiState::Missing),
        _ => None,
    };
    let seen =
        |(n, said): &(u32, char)| Seen { sha: sha(*n), author: "ana".into(), ci: ci(*said), untouched: *said == 'u' };
    Sight {
        branch: "main".into(),
        base: Some(sha(1)),
        head: commits.first().map(|(n, _)| sha(*n)).or(Some(sha(1))),
        standing: Standing::Ahead,
        commits: commits.iter().map(seen).collect(),
        total: u32::try_from(commits.len()).unwrap(),
    }
}

/// Everything around a flow, to be changed by a test.
struct Scene {
    flow: Flow,
    live: Option<CommitSha>,
    cap: Option<usize>,
    under_way: Option<UnderWay>,
    hold: Option<Why>,
    bad: BTreeSet<CommitSha>,
    releases: u32,
}

impl Scene {
    fn new() -> Self {
        let (flow, live) = (flow(), Some(sha(1)));
        Self { flow, live, cap: None, under_way: None, hold: None, bad: BTreeSet::new(), releases: 0 }
    }

    /// What follows, in words. What begins is under way from then on.
    fn happens(&mut self, event: &Event, seconds: i64) -> Vec<String> {
        let around = Around {
            now: at(seconds),
            settle_ms: SETTLE_S * 1_000,
            branch: "main",
            cap: self.cap,
            live: self.live.as_ref(),
            under_way: self.under_way.as_ref(),
            hold: self.hold.as_ref(),
            bad: &self.bad,
        };
        let (next, effects) = step(&self.flow, event, &around);
        self.flow = next;
        let mut said = Vec::new();
        for effect in effects {
            said.push(match effect {
                Effect::Begin(choice) => {
                    self.releases += 1;
                    let release = ReleaseId::new(format!("R{}", self.releases));
                    self.flow.began(release.clone(), choice.commit.clone());
                    self.under_way = Some(UnderWay { release, runs: false, since: at(seconds) });
                    format!("begin {}", u32::from_str_radix(choice.commit.as_str(), 16).unwrap())
                }
                Effect::Paused(pause) => format!("paused {}", name(&pause.why)),
                Effect::PausedFor(pause) => format!("paused for {}", name(&pause.why)),
                Effect::Resumed(pause, how) => match how {
                    Resumption::Over => format!("resumed {}", name(&pause.why)),
                    Resumption::Said { by } => format!("resumed by {by}"),
                    Resumption::Succeeded { release, .. } => format!("resumed by {release}"),
                },
                Effect::Passed { older, by } => {
                    let older: Vec<_> = older.iter().map(ReleaseId::as_str).collect();
                    format!("{by} passed {}", older.join(" "))
                }
            });
        }
        said
    }

    fn sees(&mut self, commits: &[(u32, char)], seconds: i64) -> Vec<String> {
        let sight = Sight { base: self.live.clone(), ..line(commits) };
        self.happens(&Event::Seen(sight), seconds)
    }

    fn looks(&mut self, seconds: i64) -> Vec<String> {
        self.happens(&Event::Looked, seconds)
    }

    /// The release that is under way ends.
    fn ends(&mut self, how: How, seconds: i64) -> Vec<String> {
        let release = self.under_way.take().unwrap().release;
        if how == How::Live {
            self.live = self.flow.commit_of(&release).cloned();
        }
        let by = PersonId::slipway();
        self.happens(&Event::Ended(Ended { release, by, rollback: false, deploy: true, commit: None, how }), seconds)
    }

    /// A release that somebody asked for has succeeded.
    fn succeeds(&mut self, by: &str, commit: u32, rollback: bool, seconds: i64) -> Vec<String> {
        self.live = Some(sha(commit));
        let ended =
            Ended { release: "P".into(), by: by.into(), rollback, deploy: !rollback, commit: None, how: How::Live };
        self.happens(&Event::Ended(ended), seconds)
    }
}

fn name(why: &Why) -> &'static str {
    match why {
        Why::Locked { .. } => "locked",
        Why::Frozen { .. } => "frozen",
        Why::Refused { .. } => "refused",
        Why::Ended { .. } => "ended",
        Why::WentBack { .. } => "went back",
        Why::Diverged { .. } => "diverged",
        Why::Gone { .. } => "gone",
        Why::PastSlipway { .. } => "past slipway",
    }
}

fn lock() -> Option<Why> {
    Some(Why::Locked { owner: "chen".into(), reason: "load test".into(), until: None })
}

const NOTHING: [&str; 0] = [];

#[test]
fn the_newest_green_commit_is_chosen_within_the_cap() {
    let chosen = |commits: &[(u32, char)], cap, begun: &[u32], bad: &[u32]| {
        let begun: Vec<_> = begun.iter().map(|n| Begun { release: "R".into(), commit: sha(*n) }).collect();
        let bad = bad.iter().map(|n| sha(*n)).collect();
        let choice = choice::choose(&line(commits), cap, &begun, &bad)?;
        Some((u32::from_str_radix(choice.commit.as_str(), 16).unwrap(), choice.passed.len(), choice.over_cap))
    };
    assert_eq!(chosen(&[], None, &[], &[]), None);
    assert_eq!(chosen(&[(3, 'r'), (2, 'p')], None, &[], &[]), None);
    assert_eq!(chosen(&[(4, 'p'), (3, 'g'), (2, 'g')], None, &[], &[]), Some((3, 0, None)));
    assert_eq!(chosen(&[(5, 'm'), (4, 'g'), (3, 'r'), (2, 'p')], None, &[], &[]), Some((4, 2, None)));
    assert_eq!(chosen(&[(4, 'g'), (3, 'g'), (2, 'g')], None, &[], &[4]), Some((3, 0, None)), "a bad one is not chosen");
    assert_eq!(chosen(&[(4, 'p'), (3, 'g'), (2, 'g')], None, &[3], &[]), None, "nothing goes back behind what began");
    assert_eq!(chosen(&[(4, 'g'), (3, 'g'), (2, 'g')], None, &[3], &[]), Some((4, 0, None)));
    let five = [(6, 'g'), (5, 'g'), (4, 'r'), (3, 'g'), (2, 'g')];
    assert_eq!(chosen(&five, Some(2), &[], &[]), Some((3, 0, None)), "the newest of the first two");
    assert_eq!(chosen(&five, Some(3), &[], &[]), Some((3, 0, None)));
    assert_eq!(chosen(&five, Some(2), &[3], &[]), Some((5, 1, None)), "counted from what has begun");
    let late = [(6, 'g'), (5, 'g'), (4, 'r'), (3, 'p'), (2, '?')];
    assert_eq!(chosen(&late, Some(2), &[], &[]), Some((5, 2, Some((4, 2)))), "the first green one, and it says so");
    assert_eq!(chosen(&[(3, 'g'), (2, 'g')], Some(1), &[], &[]), Some((2, 0, None)));
    let many = Sight { total: 150, ..line(&five) };
    let choice = choice::choose(&many, Some(20), &[], &BTreeSet::new()).unwrap();
    assert_eq!((choice.commit, choice.over_cap), (sha(2), Some((146, 20))), "more than were looked at");
}

#[test]
fn it_says_why_it_begins() {
    let reason =
        |commits: &[(u32, char)], cap| choice::choose(&line(commits), cap, &[], &BTreeSet::new()).unwrap().reason();
    assert_eq!(reason(&[(0xa, 'g')], None), "main is green at 0000000 (by ana)");
    let many = [(9, 'g'), (8, 'r'), (7, 'p'), (6, 'r'), (5, 'm'), (4, 'g')];
    assert_eq!(
        reason(&many, None),
        "main is green at 0000000 (by ana); brings 4 older ones not green; red: 0000000, 0000000"
    );
    assert_eq!(
        reason(&[(3, 'g'), (2, 'p')], None),
        "main is green at 0000000 (by ana); brings 0000000 too, not green by itself"
    );
    assert_eq!(
        reason(&[(3, 'g'), (2, 'r')], Some(1)),
        "main is green at 0000000 (by ana); 2 commits at once instead of 1, as none of the first 1 is green; brings \
         0000000 too, red by itself"
    );
}

#[test]
fn a_green_commit_begins_once_it_has_settled() {
    let mut scene = Scene::new();
    assert_eq!(scene.sees(&[(2, 'p')], 0), NOTHING);
    assert_eq!(scene.flow.due_at, None);
    assert_eq!(scene.sees(&[(2, 'g')], 10), NOTHING);
    assert_eq!(scene.flow.due_at, Some(at(15)));
    assert_eq!(scene.sees(&[(3, 'g'), (2, 'g')], 12), NOTHING, "a newer one settles anew");
    assert_eq!(scene.looks(16), NOTHING);
    assert_eq!(scene.looks(17), ["begin 3"]);
    assert_eq!(scene.looks(18), NOTHING, "once");
    assert_eq!(scene.ends(How::Live, 60), NOTHING, "the branch is looked at again first");
    assert_eq!(scene.sees(&[], 61), NOTHING);
}

#[test]
fn what_changes_all_the_time_begins_at_last() {
    let mut scene = Scene::new();
    let mut begun = Vec::new();
    for n in 0..20 {
        begun.extend(scene.sees(&[(n + 2, 'g')], i64::from(n) * 3).into_iter().map(|said| (n * 3, said)));
    }
    assert_eq!(begun, [(30, "begin 12".to_owned())]);
}

#[test]
fn one_at_a_time_and_a_newer_one_takes_the_place_of_one_that_waits_long() {
    let mut scene = Scene::new();
    scene.sees(&[(2, 'g')], 0);
    assert_eq!(scene.looks(5), ["begin 2"]);
    assert_eq!(scene.sees(&[(3, 'g'), (2, 'g')], 10), NOTHING);
    assert_eq!(scene.looks(20), NOTHING);
    assert_eq!(scene.flow.due_at, Some(at(5 + REPLACE_AFTER_S)));
    assert_eq!(scene.looks(5 + REPLACE_AFTER_S), ["begin 3"]);
    scene.under_way.as_mut().unwrap().runs = true;
    assert_eq!(scene.sees(&[(4, 'g'), (3, 'g'), (2, 'g')], 80), NOTHING);
    assert_eq!((scene.looks(10_000), scene.flow.due_at), (vec![], None), "what runs is waited for");
    assert_eq!(scene.ends(How::Live, 10_001), ["R2 passed R1"], "the branch is looked at again first");
    assert_eq!(scene.sees(&[(4, 'g')], 10_002), NOTHING);
    assert_eq!(scene.looks(10_007), ["begin 4"]);
}

#[test]
fn what_somebody_asked_for_is_waited_for() {
    let mut scene = Scene::new();
    scene.under_way = Some(UnderWay { release: "P".into(), runs: false, since: at(0) });
    assert_eq!(scene.sees(&[(2, 'g')], 0), NOTHING);
    assert_eq!(scene.looks(10_000), NOTHING);
    scene.under_way = None;
    assert_eq!(scene.looks(10_001), ["begin 2"]);
}

#[test]
fn what_failed_when_somebody_asked_for_it_is_not_tried_again_at_once() {
    for how in [How::Failed, How::Cancelled { by: "ana".into() }] {
        let mut scene = Scene::new();
        scene.under_way = Some(UnderWay { release: "P".into(), runs: true, since: at(0) });
        scene.sees(&[(2, 'g')], 0);
        scene.under_way = None;
        let by = "ana".into();
        let ended = Ended { release: "P".into(), by, rollback: false, deploy: true, commit: Some(sha(2)), how };
        assert_eq!(scene.happens(&Event::Ended(ended), 5), ["paused ended"]);
        assert_eq!(scene.looks(10_000), NOTHING);
        scene.happens(&Event::Resumed { by: "ana".into() }, 10_001);
        assert_eq!(scene.looks(10_006), ["begin 2"], "somebody says so");
    }
    // What is not next on the branch says nothing of it.
    let mut scene = Scene::new();
    scene.sees(&[(2, 'g')], 0);
    let (by, how) = ("ana".into(), How::Failed);
    let other = Ended { release: "P".into(), by, rollback: false, deploy: true, commit: Some(sha(9)), how };
    assert_eq!(scene.happens(&Event::Ended(other), 5), ["begin 2"]);
}

#[test]
fn a_failure_stops_it_until_somebody_does_something() {
    let failed = || {
        let mut scene = Scene::new();
        scene.sees(&[(2, 'g')], 0);
        scene.looks(5);
        assert_eq!(scene.ends(How::Failed, 50), ["paused ended"]);
        assert_eq!(scene.sees(&[(3, 'g'), (2, 'g')], 60), NOTHING, "nothing newer either, and it is said once");
        assert_eq!(scene.looks(10_000), NOTHING);
        scene
    };
    let mut scene = failed();
    assert_eq!(scene.happens(&Event::Resumed { by: "ana".into() }, 10_001), ["resumed by ana"]);
    assert_eq!(scene.looks(10_006), ["begin 3"]);
    let mut scene = failed();
    scene.sees(&[(3, 'r'), (2, 'g')], 9_000);
    scene.happens(&Event::Resumed { by: "ana".into() }, 10_001);
    assert_eq!(scene.looks(10_006), ["begin 2"], "the same again, because somebody says so");
    let mut scene = failed();
    assert_eq!(scene.succeeds("ana", 2, false, 10_001), ["resumed by P"]);
    assert_eq!(scene.sees(&[(3, 'g')], 10_002), NOTHING);
    assert_eq!(scene.looks(10_007), ["begin 3"]);
    for how in [How::RolledBack, How::Denied, How::Expired, How::Cancelled { by: "bob".into() }] {
        let mut scene = Scene::new();
        scene.sees(&[(2, 'g')], 0);
        scene.looks(5);
        assert_eq!(scene.ends(how, 50), ["paused ended"]);
    }
    for how in [How::Nothing, How::Superseded] {
        let mut scene = Scene::new();
        scene.sees(&[(2, 'g')], 0);
        scene.looks(5);
        assert_eq!(scene.ends(how, 50), NOTHING);
        assert_eq!(scene.looks(10_000), NOTHING, "no commit begins twice");
    }
}

#[test]
fn after_somebody_went_back_nothing_goes_forward_by_itself() {
    let mut scene = Scene::new();
    scene.sees(&[(2, 'g')], 0);
    scene.looks(5);
    scene.ends(How::Live, 50);
    assert_eq!(scene.succeeds("ana", 1, true, 100), ["paused went back"]);
    assert_eq!(scene.sees(&[(2, 'g')], 101), NOTHING);
    assert_eq!(scene.happens(&Event::Resumed { by: "bob".into() }, 200), ["resumed by bob"]);
    assert_eq!(scene.looks(10_000), NOTHING, "what was gone back from is not brought again");
    assert_eq!(scene.sees(&[(3, 'g'), (2, 'g')], 10_001), NOTHING);
    assert_eq!(scene.looks(10_006), ["begin 3"]);
}

#[test]
fn what_holds_it_up_is_said_once_and_ends_by_itself() {
    let frozen = || Some(Why::Frozen { what: "Frozen.".into(), until: Some(at(5_000)) });
    let refused = || Some(Why::Refused { what: "No permit.".into(), forbidden: false });
    for (hold, said, again) in
        [(lock(), "locked", None), (frozen(), "frozen", Some(at(5_000))), (refused(), "refused", Some(at(70)))]
    {
        let mut scene = Scene::new();
        scene.hold.clone_from(&hold);
        assert_eq!(scene.sees(&[(2, 'p')], 0), NOTHING, "nothing is held up");
        assert_eq!(scene.sees(&[(2, 'g')], 10), [format!("paused {said}")]);
        assert_eq!((scene.sees(&[(3, 'g'), (2, 'g')], 10), scene.flow.due_at), (vec![], again), "{said}");
        assert_eq!(scene.happens(&Event::Resumed { by: "ana".into() }, 30), NOTHING, "saying so does not help");
        scene.hold = None;
        assert_eq!(scene.looks(6_000), [format!("resumed {said}")]);
        assert_eq!(scene.looks(6_005), ["begin 3"]);
    }
    let mut scene = Scene::new();
    scene.hold = lock();
    scene.sees(&[(2, 'g')], 0);
    scene.hold = frozen();
    assert_eq!(scene.looks(10), ["paused for frozen"], "the same pause");
    assert_eq!(scene.flow.pauses, 1);
    assert_eq!(scene.sees(&[], 20), NOTHING, "it is still frozen, and has been said to be");
    scene.hold = None;
    assert_eq!(scene.looks(30), ["resumed frozen"]);
}

#[test]
fn a_branch_that_is_not_what_runs_stops_it() {
    let mut scene = Scene::new();
    let diverged = Sight { standing: Standing::Diverged, ..line(&[]) };
    assert_eq!(scene.happens(&Event::Seen(diverged), 0), ["paused diverged"]);
    let gone = Sight { head: None, standing: Standing::Unknown, ..line(&[]) };
    assert_eq!(scene.happens(&Event::Seen(gone), 10), ["paused for gone"]);
    assert_eq!(scene.sees(&[(2, 'g')], 20), ["resumed gone"]);
    assert_eq!(scene.looks(25), ["begin 2"]);
    let behind = Sight { standing: Standing::Behind, ..line(&[]) };
    assert_eq!(Scene::new().happens(&Event::Seen(behind), 0), NOTHING, "what is live contains it");
}

#[test]
fn what_was_seen_of_another_moment_begins_nothing() {
    let mut scene = Scene::new();
    scene.live = Some(sha(9));
    assert_eq!(scene.happens(&Event::Seen(line(&[(2, 'g')])), 0), NOTHING);
    assert_eq!(scene.looks(100), NOTHING);
    let mut scene = Scene::new();
    let other = Sight { branch: "next".into(), ..line(&[(2, 'g')]) };
    assert_eq!(scene.happens(&Event::Seen(other), 0), NOTHING, "the configuration names another branch by now");
    assert_eq!(scene.looks(100), NOTHING);
}

#[test]
fn it_is_known_since_when_a_branch_is_red() {
    let mut scene = Scene::new();
    let mut since = |commits: &[(u32, char)], seconds| {
        scene.sees(commits, seconds);
        scene.flow.red_since
    };
    assert_eq!(since(&[(2, 'p')], 0), None);
    assert_eq!(since(&[(2, 'r')], 10), Some(at(10)));
    assert_eq!(since(&[(3, 'p'), (2, 'r')], 20), Some(at(10)), "nothing is known of the newer one yet");
    assert_eq!(since(&[(3, 'r'), (2, 'r')], 30), Some(at(10)));
    assert_eq!(since(&[(4, 'g'), (3, 'r')], 40), None);
}
