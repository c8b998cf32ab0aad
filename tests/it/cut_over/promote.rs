//! The tag that names what is live.

use super::{deploy, inject, joined, world};
use crate::support::{Player, is_card, text};
use slipway::store::TerminalMessage;
use slipway_core::release::Phase;
use slipway_sandbox::aws::{FaultKind, NewService};
use slipway_sandbox::world::World;

const LATEST: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals:latest";
const PUT: &str = "ECR.PutImage";

/// A world in which staging moves the tag latest.
async fn promoting() -> World {
    let mut world = world().await;
    world.bot.kill().unwrap();
    let text = std::fs::read_to_string(&world.config).unwrap();
    let there = "[service.goals.environment.staging]\n";
    let edited = text.replace(there, &format!("{there}promote = \"latest\"\n"));
    assert_ne!(edited, text);
    std::fs::write(&world.config, edited).unwrap();
    world.bot.start().await.unwrap();
    world
}

/// Deploys to staging and looks until it is told what became of the tag.
async fn told(world: &World) -> String {
    let mut player = Player::new(world, "promote");
    player.say("ana", "/deploy staging").await;
    let ended = player.until_end().await;
    assert_eq!(player.release(world, &ended).await.phase, Phase::Succeeded, "{}\n{}", text(&ended), world.bot.log());
    let says = |m: &TerminalMessage| {
        let said = joined(&text(m));
        is_card(m) && (said.contains("tag latest now names") || said.contains("tag latest was not moved"))
    };
    joined(&text(&player.until("what became of the tag", says).await))
}

#[tokio::test(flavor = "multi_thread")]
async fn after_success_the_tag_names_what_is_live_and_nothing_else_was_deployed() {
    let world = promoting().await;
    let said = told(&world).await;
    assert!(said.contains(&format!("tag latest now names {}", &world.head[..7])), "{said}");
    let running = world.aws.running_image(&world.staging_arn).unwrap();
    assert_eq!(world.aws.digest_of(LATEST).as_deref(), running.split_once('@').map(|(_, digest)| digest));
    assert_eq!((world.aws.calls(PUT), world.aws.deployment_operations(&world.staging_arn).len()), (1, 1));
    let verified = world.bot.run(&["audit", "verify"]).unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_lost_after_the_move_is_found_and_not_repeated() {
    let world = promoting().await;
    inject(&world, PUT, FaultKind::LostAnswerAfterAct, 1);
    let said = told(&world).await;
    assert!(said.contains("tag latest now names"), "{said}");
    assert_eq!(world.aws.calls(PUT), 1, "it was seen to have happened");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_tried_again() {
    let world = promoting().await;
    inject(&world, PUT, FaultKind::Throttle, 1);
    inject(&world, PUT, FaultKind::Status503, 1);
    inject(&world, "ECR.BatchGetImage", FaultKind::Status503, 4);
    let said = told(&world).await;
    assert!(said.contains("tag latest now names"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_told_and_the_release_stays_live() {
    let world = promoting().await;
    inject(&world, PUT, FaultKind::Denied, 100);
    let said = told(&world).await;
    assert!(said.contains("▲ tag latest was not moved") && said.contains("ecr:PutImage"), "{said}");

    let world = promoting().await;
    world.aws.push_image("goals", "latest", &super::image_of("another"));
    world.aws.make_tags_immutable("goals");
    let said = told(&world).await;
    assert!(said.contains("tags of goals are immutable"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_a_target_deploys_by_itself_is_never_moved() {
    let world = promoting().await;
    world.aws.push_image("goals", "latest", &super::image_of("another"));
    let automatic = NewService { auto_deployments: true, ..NewService::new("goals-production", LATEST) };
    assert_eq!(world.aws.create_service(&automatic), world.production_arn);
    let (card, release) = deploy(&world).await;
    assert_eq!(release.phase, Phase::Failed, "{card}");
    assert!(joined(&card).contains("goals-production deploys by itself whatever is pushed as latest"), "{card}");
    assert_eq!((world.aws.calls(PUT), world.aws.deployment_operations(&world.staging_arn).len()), (0, 0));
    let checked = world.bot.run(&["check"]).unwrap();
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(1), "{said}");
    assert!(said.contains("deploys by itself what promote = \"latest\" of staging would push"), "{said}");
}
