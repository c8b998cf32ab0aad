//! One of a group has no image when its turn comes: all of it ends, and the message says which one, and what ran.

use super::together::Group;
use super::*;
use crate::executor::no_image_of_one;
use slipway_core::ids::EnvironmentKey;
use slipway_core::message::Verb;

/// As the executor says it of one of them on production.
fn no_image(service: &str, because: Option<&str>) -> Failure {
    let key = EnvironmentKey { service: service.into(), environment: "production".into() };
    no_image_of_one(&key, &format!("registry/{service}"), "sha-3", because)
}

/// All are approved, and the lead is live; it took so long that the plan of the next one is made again.
async fn replans_web() -> Group {
    let mut group = Group::planned("/deploy production all", "production").await;
    let lead = group.all[0].clone();
    group.chat.presses("bob", &lead, Verb::Approve).await;
    group.chat.wait_s(600);
    group.runs(0).await;
    let web = group.all[1].clone();
    assert!(group.chat.effects(&web).await.contains(&"gather".to_owned()));
    group
}

#[tokio::test]
async fn the_message_of_all_names_the_one_without_image_what_ran_and_what_did_not() {
    for (because, what, first, others) in [
        (
            None,
            "registry/web has no image tagged sha-3 any more",
            "✖ api, web, jobs → production · web: registry/web has no image tagged sha-3 any more",
            // In few words, as there is no room for the names, which are below.
            "1 is live, 1 was not started",
        ),
        (
            Some("files in web/** changed since 1b2c3d4"),
            "web is concerned now: files in web/** changed since 1b2c3d4. registry/web has no image tagged sha-3",
            "✖ api, web, jobs → production · web has no image",
            "api is live, jobs was not started",
        ),
    ] {
        let mut group = replans_web().await;
        let (web, at) = (group.all[1].clone(), group.chat.now());
        let failed = Event::PlanningFailed { step: Some(Step::Image), failure: no_image("web", because), at };
        group.chat.outcome(&web, "gather", failed).await;
        assert_eq!(group.phases().await, ["succeeded", "failed", "cancelled"]);
        let card = group.card().await;
        assert!(card.starts_with(first) && card.contains(others) && card.contains(what), "{card}");
        for each in ["  api   ● live · release ", "  jobs  – not started · release "] {
            assert!(card.contains(each), "{card}");
        }
        assert!(card.contains("/deploy production all"), "{card}");
        assert_eq!(group.chat.effects(&web).await, [""; 0], "it is not looked for again");
        assert_eq!(group.chat.release(&group.all[2]).await.started_at, None);
    }
}

#[tokio::test]
async fn what_cannot_be_looked_up_just_now_ends_nothing() {
    let mut group = replans_web().await;
    let (web, at) = (group.all[1].clone(), group.chat.now());
    let failure = Failure::new("The registry does not answer.");
    group.chat.outcome(&web, "gather", Event::PlanningFailed { step: Some(Step::Image), failure, at }).await;
    assert_eq!(group.phases().await, ["succeeded", "queued", "queued"]);
}
