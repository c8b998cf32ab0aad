//! What waits for its turn in a group that has begun elsewhere.

use super::*;

fn reserved(release: &str) -> Event {
    Event::Reserved { release: release.into() }
}

fn bump(release: &str) -> Event {
    Event::Bumped { release: release.into(), by: Bumped { by: "bob".into(), at: at(9) } }
}

fn queue(environment: &Environment) -> Vec<&str> {
    environment.queue.iter().map(|waiting| waiting.release.as_str()).collect()
}

#[test]
fn nothing_takes_its_place_until_it_has_run() {
    let now = after([enqueued(deploy("A", 1, &[], 1)), reserved("A")]).0;
    let (now, effects) = step(&now, &enqueued(deploy("B", 2, &[1], 2))).unwrap();
    assert_eq!((queue(&now), effects), (vec!["A", "B"], vec![]), "B contains it and waits");
    assert_eq!(step(&now, &bump("B")), Err(Illegal::First("B".into())));
    // Planned again it is still the one.
    let again = step(&now, &enqueued(deploy("A", 1, &[], 1))).unwrap().0;
    assert_eq!(again, now);
    for over in [step(&now, &started("A", "ana", 5)), step(&now, &ended("A", 5))] {
        assert_eq!(over.unwrap().0.reserved, None);
    }
}

#[test]
fn a_rollback_goes_before_it_all_the_same() {
    let now = after([enqueued(deploy("A", 1, &[], 1)), reserved("A"), enqueued(rollback("R1", 2, 2))]).0;
    assert_eq!(queue(&now), ["R1", "A"]);
    let now = step(&now, &enqueued(rollback("R2", 3, 3))).unwrap().0;
    assert_eq!(queue(&step(&now, &bump("R2")).unwrap().0), ["R2", "R1", "A"]);
    let now = step(&now, &ended("R1", 4)).unwrap().0;
    assert_eq!(now.reserved, Some("A".into()), "another has ended");
}

#[test]
fn what_does_not_wait_is_reserved_nothing() {
    let now = after([reserved("A"), enqueued(deploy("A", 1, &[], 1))]).0;
    assert_eq!(now.reserved, None);
    let (now, effects) = step(&now, &enqueued(deploy("B", 2, &[1], 2))).unwrap();
    assert_eq!((queue(&now), effects), (vec!["B"], vec![supersede("A", "B")]));
    let kept = serde_json::to_value(&now).unwrap();
    assert!(kept.get("reserved").is_none(), "as it was stored before there was such a thing");
    assert_eq!(serde_json::from_value::<Environment>(kept).unwrap(), now);
}

#[test]
fn whoever_is_put_first_does_not_come_before_it_over_one_that_it_waits_for() {
    let waits = [deploy("X", 1, &[], 1), deploy("A", 2, &[], 2), deploy("Y", 3, &[], 3), deploy("B", 4, &[], 4)];
    let now = after(waits.map(enqueued).into_iter().chain([reserved("A")])).0;
    assert_eq!(now.would_pass(&"B".into()), Ok(vec![&"Y".into()]));
    assert_eq!(queue(&step(&now, &bump("B")).unwrap().0), ["X", "A", "B", "Y"]);
    let now = step(&now, &ended("Y", 5)).unwrap().0;
    assert_eq!(step(&now, &bump("B")), Err(Illegal::First("B".into())));
    assert_eq!(queue(&step(&now, &bump("A")).unwrap().0), ["A", "X", "B"]);
}
