//! What leaves untouched what runs waits for the others of its group, and is in nobody's way.

use super::*;

/// One that nothing concerns: its plan is of the commit that is live.
fn untouched(release: &str, live: u8, asked: i64) -> Waiting {
    Waiting { contains: BTreeSet::new(), brings_nothing: true, ..deploy(release, live, &[], asked) }
}

fn bump(release: &str) -> Event {
    Event::Bumped { release: release.into(), by: Bumped { by: "bob".into(), at: at(9) } }
}

#[test]
fn it_neither_supersedes_nor_is_superseded() {
    // As a store from before holds it, the commit may be among what it contains.
    let before = Waiting { contains: [sha(1)].into(), ..untouched("B", 1, 2) };
    for newer in [untouched("B", 1, 2), before, deploy("B", 2, &[1], 2)] {
        for order in [[untouched("A", 1, 1), newer.clone()], [newer.clone(), untouched("A", 1, 1)]] {
            let (now, effects) = after(order.map(enqueued));
            assert_eq!((now.queue.len(), effects), (2, vec![]));
        }
    }
    let newer = Waiting { contains: [sha(1)].into(), ..untouched("B", 1, 2) };
    let (now, effects) = after([enqueued(deploy("A", 1, &[], 1)), enqueued(newer)]);
    assert_eq!((queue(&now), effects), (vec!["A", "B"], vec![]));
}

#[test]
fn it_holds_nobody_up() {
    let waits = [untouched("U", 1, 1), deploy("A", 2, &[], 2), untouched("V", 1, 3), deploy("B", 3, &[], 4)];
    let now = after(waits.map(enqueued)).0;
    for (release, expected) in [("U", vec![]), ("A", vec![]), ("V", vec!["A"]), ("B", vec!["A"])] {
        let expected: Vec<_> = expected.iter().map(|a| format!("Release {a} was asked for before.")).collect();
        assert_eq!(blockers(&now, release, "ana", 9), expected, "{release}");
    }
    assert_eq!(step(&now, &started("B", "ana", 9)), Err(Illegal::NotItsTurn));
    let running = step(&now, &started("A", "ana", 9)).unwrap().0;
    assert_eq!((running.running.as_ref(), queue(&running)), (Some(&"A".into()), vec!["U", "V", "B"]));
    let (idle, effects) = step(&running, &ended("A", 20)).unwrap();
    assert_eq!(effects, ["U", "V", "B"].map(judge));
    assert_eq!(step(&idle, &started("B", "ana", 21)).unwrap().0.running, Some("B".into()));
}

#[test]
fn whoever_comes_to_their_turn_behind_it_is_judged() {
    let waits = [untouched("U", 1, 1), deploy("A", 2, &[], 2), deploy("X", 9, &[], 3)];
    let now = after(waits.map(enqueued)).0;
    assert_eq!(step(&now, &ended("A", 9)).unwrap().1, ["U", "X"].map(judge));
    let (_, effects) = step(&now, &enqueued(deploy("B", 3, &[2], 4))).unwrap();
    assert_eq!(effects, [supersede("A", "B"), judge("X")]);
}

#[test]
fn once_it_is_concerned_it_is_in_the_way_from_its_own_place() {
    let now = after([untouched("U", 1, 1), deploy("A", 2, &[], 2)].map(enqueued)).0;
    let (now, effects) = step(&now, &enqueued(deploy("U", 3, &[], 1))).unwrap();
    assert_eq!((queue(&now), effects), (vec!["U", "A"], ["U", "A"].map(judge).to_vec()));
    assert_eq!(blockers(&now, "A", "ana", 9), ["Release U was asked for before."]);
    let (now, effects) = step(&now, &enqueued(untouched("U", 1, 1))).unwrap();
    assert_eq!(effects, ["U", "A"].map(judge));
    assert_eq!(blockers(&now, "A", "ana", 9), [""; 0]);
}

#[test]
fn whoever_is_put_first_passes_it_too() {
    // It may be concerned later, and groups have one order in every environment.
    let now = after([untouched("U", 1, 1), deploy("A", 2, &[], 2)].map(enqueued)).0;
    assert_eq!(queue(&step(&now, &bump("A")).unwrap().0), ["A", "U"]);
}

#[test]
fn a_queue_from_before_there_was_such_a_thing_is_read() {
    let now = after([enqueued(deploy("A", 1, &[], 1))]).0;
    let mut kept = serde_json::to_value(&now).unwrap();
    kept["queue"][0].as_object_mut().unwrap().remove("brings_nothing").unwrap();
    assert_eq!(serde_json::from_value::<Environment>(kept).unwrap(), now);
}
