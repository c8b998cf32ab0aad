//! Two services of one repository deployed together, with the real binary.

use crate::support::{Player, is_card, text};
use slipway::store::TerminalMessage;
use slipway_core::message::{Mark, Verb};
use slipway_core::release::{Outcome, Phase};
use slipway_sandbox::world::{CHANNEL, ChatOption, Options, Pace, World};
use std::fs;

/// A world with more services, of the same repository and image, that run on nothing: some come before the one that is
/// always there, some after it, each after the one before.
pub(crate) async fn several(chat: ChatOption, before: &[&str], after: &[&str]) -> World {
    let mut world = World::new(Options { pace: Pace::Fast, sqlite: true, chat, ..Options::default() }).await.unwrap();
    let mut config = fs::read_to_string(&world.config).unwrap();
    let own = format!("[service.{}]\n", world.service);
    let section = config.split_once(&own).unwrap().1.to_owned();
    let line = |key: &str| section.lines().find(|line| line.starts_with(key)).unwrap();
    let lines = ["repository = ", "image = ", "channels = ", "announce = "].map(line).join("\n");
    let order: Vec<_> = before.iter().copied().chain([world.service.as_str()]).chain(after.iter().copied()).collect();
    for (n, service) in order.iter().enumerate() {
        let comes_after = n.checked_sub(1).map_or(String::new(), |n| format!("after_services = [\"{}\"]\n", order[n]));
        if *service == world.service {
            config = config.replace(&own, &format!("{own}{comes_after}"));
            continue;
        }
        let target = |name: &str| format!("target = {{ kind = \"dry\", name = \"{service}-{name}\" }}\n");
        config.push_str(&format!(
            "\n[service.{service}]\n{lines}\nworkflow = \"build.yaml\"\n{comes_after}\
             [service.{service}.environment.staging]\n{}\
             [service.{service}.environment.production]\nafter = \"staging\"\n{}",
            target("staging"),
            target("production"),
        ));
    }
    fs::write(&world.config, config).unwrap();
    // Nobody knows what ran there before where nothing did: these people do not ask for a third pair of eyes for that.
    let rules = world.config.with_file_name("policies").join("production.cedar");
    let text = fs::read_to_string(&rules).unwrap();
    let (before, rest) = text.split_once("@id(\"unknown-change\")").unwrap();
    fs::write(&rules, before.to_owned() + rest.split_once(";\n").unwrap().1).unwrap();
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
    world
}

async fn world() -> World {
    several(ChatOption::Terminal, &[], &["web"]).await
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

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_second_deploys_it_goes_on_in_the_same_message() {
    let mut world = several(ChatOption::Terminal, &["api"], &["web"]).await;
    let mut player = Player::new(&world, "together");
    player.say("ana", "/deploy staging all").await;
    let second = |m: &TerminalMessage| is_card(m) && text(m).contains("1 of 3 live · goals: deploying");
    let running = player.until("that the second deploys", second).await;
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
    let card = player.until("the end of all", |m| is_card(m) && text(m).contains("all live")).await;
    assert_eq!(card.key, running.key);
    assert_eq!(player.keys(CHANNEL, "release/"), std::slice::from_ref(&card.key), "one message");
    let operations = world.aws.deployment_operations(&world.staging_arn);
    assert_eq!(operations.len(), 1, "{operations:?}\n{}", world.bot.log());
    let verified = world.bot.run(&["audit", "verify"]).unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
