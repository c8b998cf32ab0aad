//! Two services of one repository deployed together, with the real binary.

use crate::support::{Player, is_card, text};
use slipway_core::message::{Mark, Verb};
use slipway_core::release::{Outcome, Phase};
use slipway_sandbox::world::{Options, Pace, World};
use std::fs;

/// A world with a second service, of the same repository and image, which comes after the first.
async fn world() -> World {
    let mut world = World::new(Options { pace: Pace::Fast, sqlite: true, ..Options::default() }).await.unwrap();
    let config = fs::read_to_string(&world.config).unwrap();
    let line = |key: &str| config.lines().find(|line| line.starts_with(key)).unwrap();
    let web = format!(
        "\n[service.web]\n{}\nworkflow = \"build.yaml\"\n{}\n{}\nafter_services = [\"{}\"]\n\
         [service.web.environment.staging]\ntarget = {{ kind = \"dry\", name = \"web\" }}\n",
        line("repository = "),
        line("image = "),
        line("channels = [\"terminal:r"),
        world.service,
    );
    fs::write(&world.config, format!("{config}{web}")).unwrap();
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn one_card_shows_both_from_the_question_to_the_end() {
    let world = world().await;
    let mut player = Player::new(&world, "together");
    player.say("ana", "/deploy staging all").await;
    let card = player.until("the end of both", |m| is_card(m) && text(m).contains("all live")).await;
    let said = text(&card);
    assert!(said.starts_with("● goals, web → staging · all live · "), "{said}");
    assert_eq!(card.message.mark, Mark::Live);
    let lead = player.release(&world, &card).await;
    assert_eq!((lead.request.key.service.as_str(), &lead.phase), ("goals", &Phase::Succeeded));
    // The lead's plan, as the executor has made it, held the other's.
    let with = lead.plan.unwrap().with;
    assert_eq!(with.iter().map(|with| with.service.as_str()).collect::<Vec<_>>(), ["web"]);
    assert_eq!(with[0].commit.as_str(), world.head);

    // What is live has nothing to do.
    player.say("ana", "/deploy staging goals").await;
    let again = player.until("nothing to do", |m| is_card(m) && text(m).contains("nothing to do")).await;
    assert_eq!(player.release(&world, &again).await.outcome, Some(Outcome::NothingToDo));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_is_nowhere_starts_nothing() {
    let world = world().await;
    let mut player = Player::new(&world, "together");
    player.say("ana", "/deploy staging v99 all").await;
    let card = player.until("the refusal", |m| is_card(m) && text(m).contains("nothing was started")).await;
    let said = text(&card);
    assert!(said.starts_with("✖ goals, web → staging · "), "{said}");
    assert!(said.contains("has no branch, tag or commit \"v99\" · nothing was started"), "{said}");
    assert!(card.message.actions.iter().all(|action| action.verb != Verb::Lock), "{said}");
}
