//! Commits that bring nothing to a service that shares its repository.

use super::*;

#[test]
fn what_counts_begins_after_the_newest_commit_that_brings_nothing() {
    let chosen = |commits: &[(u32, char)], cap| {
        let choice = choice::choose(&line(commits), cap, &[], &BTreeSet::new())?;
        Some((u32::from_str_radix(choice.commit.as_str(), 16).unwrap(), choice.passed.len(), choice.over_cap))
    };
    assert_eq!(chosen(&[(3, 'u'), (2, 'u')], None), None);
    assert_eq!(chosen(&[(4, 'p'), (3, 'u'), (2, 'g')], None), None, "what was changed was changed back");
    assert_eq!(chosen(&[(4, 'g'), (3, 'u'), (2, 'r')], None), Some((4, 0, None)), "a red one before it is no matter");
    let many = [(8, 'g'), (7, 'g'), (6, 'g'), (5, 'u'), (4, 'g'), (3, 'g'), (2, 'g')];
    assert_eq!(chosen(&many, Some(2)), Some((7, 0, None)), "a cap stops at nothing that brings nothing");
    assert_eq!(chosen(&many, None), Some((8, 0, None)));
    let far = Sight { total: 150, ..line(&[(3, 'g'), (2, 'u')]) };
    let choice = choice::choose(&far, Some(1), &[], &BTreeSet::new()).unwrap();
    assert_eq!((choice.commit, choice.over_cap), (sha(3), None), "what was not looked at is before it");
}

#[test]
fn it_begins_nothing_and_holds_nothing_up() {
    let mut scene = Scene::new();
    assert_eq!(scene.sees(&[(2, 'u')], 0), NOTHING);
    assert_eq!(scene.flow.due_at, None);
    scene.hold = lock();
    assert_eq!(scene.sees(&[(3, 'u'), (2, 'u')], 60), NOTHING, "nothing is held up");
    assert_eq!(scene.sees(&[(4, 'g'), (3, 'u'), (2, 'u')], 61), ["paused locked"]);
    scene.hold = None;
    assert_eq!(scene.looks(62), ["resumed locked"]);
    assert_eq!(scene.looks(67), ["begin 4"]);
    // It fails, and whoever resumes it gets it once more, whatever was merged meanwhile.
    assert_eq!(scene.ends(How::Failed, 70), ["paused ended"]);
    assert_eq!(scene.sees(&[(5, 'g'), (4, 'g'), (3, 'u')], 71), NOTHING);
    assert_eq!(scene.happens(&Event::Resumed { by: "ana".into() }, 80), ["resumed by ana"]);
    assert_eq!(scene.looks(85), ["begin 5"]);
    assert_eq!(scene.ends(How::Live, 90), NOTHING);
    assert_eq!(scene.sees(&[(6, 'u')], 91), NOTHING, "compared with what is live by now");
}

#[test]
fn looks_from_before_are_read() {
    let old = serde_json::json!({ "sha": sha(2), "author": "ana", "ci": null });
    let seen: Seen = serde_json::from_value(old.clone()).unwrap();
    assert!(!seen.untouched);
    assert_eq!(serde_json::to_value(seen).unwrap(), old);
}
