//! Random events: whatever happens in whatever order, these hold.

use super::*;
use proptest::prelude::*;

/// A branch that grows, whose checks end somehow, under releases that end somehow.
#[derive(Default)]
struct World {
    /// The CI of each commit; the first one is 2.
    commits: Vec<char>,
    live: u32,
    releases: Vec<(ReleaseId, u32)>,
    open: Option<(ReleaseId, bool)>,
    locked: bool,
}

impl World {
    fn sight(&self) -> Sight {
        let newer: Vec<_> = (2..).zip(self.commits.iter().copied()).filter(|(n, _)| *n > self.live).collect();
        let newest_first: Vec<_> = newer.into_iter().rev().collect();
        Sight { base: Some(sha(self.live)), ..line(&newest_first) }
    }

    fn commit_of(&self, release: &ReleaseId) -> u32 {
        self.releases.iter().find(|(known, _)| known == release).unwrap().1
    }
}

fn happening() -> impl Strategy<Value = Vec<(u8, u8)>> {
    proptest::collection::vec((0..12_u8, 0..=255_u8), 0..200)
}

/// Takes a step and checks what must hold of it.
fn takes(world: &mut World, flow: &mut Flow, event: &Event, now: i64, cap: Option<usize>) {
    let hold = lock().filter(|_| world.locked);
    let live = sha(world.live);
    let under_way =
        world.open.clone().map(|(release, runs)| UnderWay { release, runs, since: at(now - REPLACE_AFTER_S) });
    let bad = BTreeSet::new();
    let around = Around {
        now: at(now),
        settle_ms: SETTLE_S * 1_000,
        branch: "main",
        cap,
        live: Some(&live),
        under_way: under_way.as_ref(),
        hold: hold.as_ref(),
        bad: &bad,
    };
    let was_paused = flow.pause.is_some();
    let (mut next, effects) = step(flow, event, &around);
    let begins = effects.iter().filter(|effect| matches!(effect, Effect::Begin(_))).count();
    assert!(begins <= 1, "{effects:?}");
    let mut paused = was_paused;
    for effect in effects {
        match effect {
            Effect::Begin(choice) => {
                let n = u32::from_str_radix(choice.commit.as_str(), 16).unwrap();
                assert!(!paused && !world.locked, "it begins in a pause");
                assert_eq!(world.commits[n as usize - 2], 'g', "it is not green");
                assert!(n > world.live, "it goes back");
                assert!(
                    world
                        .releases
                        .iter()
                        .all(|(_, began)| *began < n || !flow.begun.iter().any(|b| b.commit == sha(n)))
                );
                // One that runs is never replaced, and one that waits only by a newer one of ours.
                if let Some((open, runs)) = &world.open {
                    assert!(!runs && world.commit_of(open) < n, "two at once");
                }
                let release = ReleaseId::new(format!("R{}", world.releases.len()));
                next.began(release.clone(), choice.commit.clone());
                world.releases.push((release.clone(), n));
                world.open = Some((release, false));
            }
            Effect::Paused(pause) => {
                assert!(!paused, "said twice");
                assert_eq!(pause.number, flow.pauses + 1);
                paused = true;
            }
            Effect::PausedFor(_) => assert!(paused),
            Effect::Passed { older, by } => assert!(!older.contains(&by)),
            Effect::Resumed(..) => {
                assert!(paused);
                paused = false;
            }
        }
    }
    assert_eq!(next.pause.is_some(), paused, "a pause that nobody reads of");
    assert!(next.begun.len() <= BEGUN_LIMIT);
    *flow = next;
}

fn walk(steps: &[(u8, u8)], cap: Option<usize>) {
    let (mut world, mut flow, mut now) = (World { live: 1, ..World::default() }, flow(), 1_000_000);
    for (kind, number) in steps {
        now += i64::from(*number % 8);
        let event = match kind {
            0..=2 => {
                world.commits.push('p');
                Event::Seen(world.sight())
            }
            3..=5 => {
                let at = usize::from(*number) % world.commits.len().max(1);
                if let Some(ci) = world.commits.get_mut(at).filter(|ci| **ci == 'p') {
                    *ci = if number % 3 == 0 { 'r' } else { 'g' };
                }
                Event::Seen(world.sight())
            }
            6 => {
                if let Some((_, runs)) = &mut world.open {
                    *runs = true;
                }
                Event::Looked
            }
            7 | 8 => {
                let Some((release, _)) = world.open.take() else { continue };
                let how = match number % 5 {
                    0 => How::Failed,
                    1 => How::Nothing,
                    _ => How::Live,
                };
                if how == How::Live {
                    world.live = world.commit_of(&release);
                }
                let by = PersonId::slipway();
                Event::Ended(Ended { release, by, rollback: false, deploy: true, commit: None, how })
            }
            9 => {
                world.locked = !world.locked;
                Event::Looked
            }
            10 => Event::Resumed { by: "ana".into() },
            _ => Event::Looked,
        };
        takes(&mut world, &mut flow, &event, now, cap);
    }
    ends_at_the_newest_green_commit(world, flow, now, cap);
}

/// When nothing goes wrong any more, what is live in the end is the newest green commit.
fn ends_at_the_newest_green_commit(mut world: World, mut flow: Flow, mut now: i64, cap: Option<usize>) {
    world.locked = false;
    takes(&mut world, &mut flow, &Event::Resumed { by: "ana".into() }, now, cap);
    let green = (2..).zip(&world.commits).filter(|(_, ci)| **ci == 'g').map(|(n, _)| n);
    let goal = green.max().unwrap_or(1).max(world.live);
    for _ in 0..=world.commits.len() * 4 {
        now += SETTLE_S + 1;
        let sight = world.sight();
        takes(&mut world, &mut flow, &Event::Seen(sight), now, cap);
        now += SETTLE_S + 1;
        takes(&mut world, &mut flow, &Event::Looked, now, cap);
        if let Some((release, _)) = world.open.take() {
            world.live = world.commit_of(&release).max(world.live);
            let by = PersonId::slipway();
            let ended = Ended { release, by, rollback: false, deploy: true, commit: None, how: How::Live };
            takes(&mut world, &mut flow, &Event::Ended(ended), now, cap);
        }
    }
    // What had begun and came to nothing by itself is not begun again.
    let begun = world.releases.iter().any(|(_, n)| *n == goal);
    assert!(world.live == goal || begun, "it ended at {} instead of {goal}", world.live);
}

proptest! {
    #[test]
    fn whatever_happens(steps in happening(), cap in proptest::option::of(1..6_usize)) {
        walk(&steps, cap);
    }
}
