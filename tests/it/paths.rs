//! Two services of one repository, of which not every change concerns both, with the real binary.

use crate::support::{Player, has_ended, is_card, text};
use slipway::store::TerminalMessage;
use slipway_core::release::Outcome;
use slipway_sandbox::github::CiMode;
use slipway_sandbox::world::{CHANNEL, Options, Pace, World};
use std::fs;

/// The pages of the documentation that begin so: merges of the sandbox change one page each, which they name.
const PATHS: &str = "paths = [\"docs/2*.md\"]\n";

/// How often it is asked how a branch stands until a merge was seen.
const QUESTIONS_LIMIT: usize = 300;

fn options() -> Options {
    Options { pace: Pace::Fast, sqlite: true, ..Options::default() }
}

async fn configured(world: &mut World, edit: impl FnOnce(String) -> String) {
    let config = fs::read_to_string(&world.config).unwrap();
    fs::write(&world.config, edit(config)).unwrap();
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
}

/// A second service, of the same repository and image, that few files concern.
async fn with_web() -> World {
    let mut world = World::new(options()).await.unwrap();
    let service = world.service.clone();
    configured(&mut world, |config| {
        let line = |key: &str| config.lines().find(|line| line.starts_with(key)).unwrap();
        let (repository, image) = (line("repository = "), line("image = "));
        let channels = line("channels = [\"terminal:r");
        format!(
            "{config}\n[service.web]\n{repository}\nworkflow = \"build.yaml\"\n{image}\n{channels}\n{PATHS}\
             after_services = [\"{service}\"]\n\
             [service.web.environment.staging]\ntarget = {{ kind = \"dry\", name = \"web\" }}\n"
        )
    })
    .await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn all_brings_what_is_concerned_and_a_name_brings_it_anyway() {
    let world = with_web().await;
    let mut player = Player::new(&world, "paths");
    player.say("ana", "/deploy staging all").await;
    let first = player.until("the end of both", |m| is_card(m) && text(m).contains("all live")).await;
    let web = world.head.clone();

    let docs = world.merge("Words (#101)", 1, CiMode::Green).unwrap();
    player.say("ana", "/deploy staging all").await;
    let second = player.until_end_of_another(&[&first]).await;
    let said = text(&second);
    assert!(said.starts_with("● goals, web → staging · 1 live, 1 had nothing to do · "), "{said}");
    let nothing = format!("nothing in docs/2*.md changed since {}", &web[..7]);
    assert!(said.contains(&format!("– {nothing} · release ")), "{said}");
    let lead = player.release(&world, &second).await;
    assert_eq!((lead.commit.unwrap().as_str(), lead.outcome), (docs.as_str(), Some(Outcome::Live)));

    player.say("ana", "/deploy staging --service web").await;
    let named = player.until_end_of_another(&[&first, &second]).await;
    let said = text(&named);
    assert!(
        said.starts_with(&format!("● web → staging · dry run target: nothing was deployed, {}", &docs[..7])),
        "{said}"
    );
    assert!(said.contains(&nothing), "{said}");

    world.merge("More words (#102)", 2, CiMode::Green).unwrap();
    player.say("ana", "/deploy staging all").await;
    let known = [&first, &second, &named];
    let third = player.until_end_of_another(&known).await;
    let said = text(&third);
    assert!(said.starts_with("● goals, web → staging · all live · "), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_does_not_concern_it_begins_nothing_by_itself() {
    let mut world = World::new(Options { auto_deploy: true, ..options() }).await.unwrap();
    configured(&mut world, |config| config.replacen("image = ", &format!("{PATHS}image = "), 1)).await;
    let mut player = Player::new(&world, "paths");
    let live = |commit: &str| {
        let words = format!("{} is live", &commit[..7]);
        move |m: &TerminalMessage| is_card(m) && has_ended(m) && text(m).contains(&words)
    };
    let before = world.merge("A page (#100)", 2, CiMode::Green).unwrap();
    let first = player.until("the one that concerns it", live(&before)).await;

    let docs = world.merge("Words (#101)", 1, CiMode::Green).unwrap();
    let passed_over = format!("{} does not concern it", &docs[..7]);
    for asked in 1..=QUESTIONS_LIMIT {
        player.say("ana", "/release status").await;
        player.watch_until_answers(asked).await;
        if player.shows(&passed_over) {
            break;
        }
    }
    assert!(player.shows(&passed_over), "it was not seen");
    assert_eq!(player.cards(CHANNEL).len(), 1, "nothing has begun");
    let concerned = world.merge("More words (#102)", 20, CiMode::Green).unwrap();
    let second = player.until("the next one that concerns it", live(&concerned)).await;
    let plan = player.release(&world, &second).await.plan.unwrap();
    assert_eq!((plan.base.unwrap().as_str(), plan.commits_total), (before.as_str(), 2), "with what is between");
    assert_ne!(first.key, second.key);
    assert_eq!(player.cards(CHANNEL).len(), 2);
    assert_eq!(player.keys(CHANNEL, "environment/"), [""; 0], "nothing was held up");
}
