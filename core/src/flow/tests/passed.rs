//! What began by itself and ends badly after a newer one has taken its place says nothing of the branch any more.

use super::*;

/// One has begun, has waited, and a newer one has begun beside it.
fn passed() -> Scene {
    let mut scene = Scene::new();
    scene.sees(&[(2, 'g')], 0);
    assert_eq!(scene.looks(5), ["begin 2"]);
    scene.sees(&[(3, 'g'), (2, 'g')], 60);
    assert_eq!(scene.looks(5 + REPLACE_AFTER_S), ["begin 3"]);
    scene
}

/// The older of the two ends; the newer one is still under way unless it has ended.
fn older_ends(scene: &mut Scene, how: How, seconds: i64) -> Vec<String> {
    let (release, by) = ("R1".into(), PersonId::slipway());
    let ended = Ended { release, by, rollback: false, deploy: true, commit: Some(sha(2)), how };
    scene.happens(&Event::Ended(ended), seconds)
}

fn bad_ends() -> [How; 5] {
    [How::Failed, How::RolledBack, How::Denied, How::Expired, How::Cancelled { by: "bob".into() }]
}

#[test]
fn an_older_one_that_ends_badly_pauses_nothing_before_and_while_the_newer_one_runs() {
    for how in bad_ends() {
        for runs in [false, true] {
            let mut scene = passed();
            scene.under_way.as_mut().unwrap().runs = runs;
            assert_eq!(older_ends(&mut scene, how.clone(), 70), NOTHING, "{how:?}");
            assert_eq!(scene.ends(How::Failed, 80), ["paused ended"], "the newest says how it goes on");
        }
    }
}

#[test]
fn an_older_one_is_passed_by_what_became_live_and_pauses_nothing_after_it() {
    for how in bad_ends() {
        let mut scene = passed();
        assert_eq!(scene.ends(How::Live, 70), ["R2 passed R1"]);
        assert_eq!(older_ends(&mut scene, how.clone(), 71), NOTHING, "before the branch is looked at again: {how:?}");
        scene.sees(&[(4, 'g')], 72);
        assert_eq!(older_ends(&mut scene, how, 73), NOTHING, "and after it");
        assert_eq!(scene.looks(77), ["begin 4"]);
    }
}

#[test]
fn what_somebody_deployed_makes_an_older_one_matter_no_more() {
    for looked in [false, true] {
        let mut scene = Scene::new();
        scene.sees(&[(3, 'p'), (2, 'g')], 0);
        assert_eq!(scene.looks(5), ["begin 2"]);
        assert_eq!(scene.succeeds("ana", 3, false, 50), NOTHING);
        if looked {
            scene.sees(&[(4, 'p')], 51);
        }
        scene.under_way = None;
        assert_eq!(older_ends(&mut scene, How::Failed, 60), NOTHING, "looked again: {looked}");
    }
}

#[test]
fn what_somebody_asked_for_and_what_is_live_contains_is_not_next() {
    let mut scene = Scene::new();
    scene.sees(&[(3, 'g'), (2, 'g')], 0);
    scene.looks(5);
    scene.ends(How::Live, 50);
    let ended = Ended {
        release: "P".into(),
        by: "ana".into(),
        rollback: false,
        deploy: true,
        commit: Some(sha(2)),
        how: How::Failed,
    };
    assert_eq!(scene.happens(&Event::Ended(ended), 51), NOTHING, "it would have gone back");
}

#[test]
fn where_it_is_not_known_what_contains_what_a_failure_pauses() {
    for standing in [Standing::Unknown, Standing::Diverged] {
        let mut scene = Scene::new();
        scene.sees(&[(2, 'g')], 0);
        scene.looks(5);
        scene.live = Some(sha(9));
        scene.under_way = None;
        scene.flow.seen = Some(Sight { base: Some(sha(9)), standing, ..line(&[]) });
        assert!(older_ends(&mut scene, How::Failed, 50).contains(&"paused ended".to_owned()), "{standing:?}");
    }
    // What is live itself and yet ended badly, for instance unhealthy, is no older one.
    let mut scene = Scene::new();
    scene.sees(&[(2, 'g')], 0);
    scene.looks(5);
    scene.live = Some(sha(2));
    scene.under_way = None;
    assert_eq!(older_ends(&mut scene, How::Failed, 50), ["paused ended"]);
    let mut scene = Scene::new();
    scene.sees(&[(2, 'g')], 0);
    scene.looks(5);
    scene.under_way = None;
    assert_eq!(older_ends(&mut scene, How::Failed, 50), ["paused ended"], "the only one");
}
