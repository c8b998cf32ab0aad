//! Services of one repository whose paths are asked again while they wait: something concerns them since, or nothing does any
//! more. With the real binary.

use crate::build_tags::until;
use crate::paths::PATHS;
use crate::support::{Player, has_ended, is_card, text};
use crate::together::several;
use slipway::store::TerminalMessage;
use slipway_core::message::Mark;
use slipway_core::release::Outcome;
use slipway_sandbox::github::CiMode;
use slipway_sandbox::world::{ChatOption, World};
use std::fs;

/// Api, which has paths and images of its own, comes before the service that is always there, which has paths too if they are
/// given.
async fn world(paths_of_goals: &str) -> World {
    let mut world = several(ChatOption::Terminal, &["api"], &[]).await;
    let config = fs::read_to_string(&world.config).unwrap();
    let (before, api) = config.split_once("[service.api]\n").unwrap();
    let image = api.lines().find(|line| line.starts_with("image = ")).unwrap();
    let api = api.replacen(image, &image.replacen("/goals\"", "/api\"", 1), 1);
    let before = before.replacen("[service.goals]\n", &format!("[service.goals]\n{paths_of_goals}"), 1);
    fs::write(&world.config, format!("{before}[service.api]\n{PATHS}{api}")).unwrap();
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
    world
}

/// Somebody builds api at a commit.
fn pushes_api(world: &World, commit: &str) {
    world.aws.push_image("api", commit, &format!("sha256:{commit:0>64}"));
}

/// Both are live with what the branch is at.
async fn both_live(world: &World, player: &mut Player) -> TerminalMessage {
    pushes_api(world, &world.head);
    player.say("ana", "/deploy staging all").await;
    player.until("the end of both", |m| is_card(m) && text(m).contains("all live")).await
}

/// A page of the documentation that concerns api is merged, and api alone is live with it.
async fn brings_api_a_page(
    world: &World,
    player: &mut Player,
    known: &[&TerminalMessage],
) -> (String, TerminalMessage) {
    let page = world.merge("A page (#100)", 2, CiMode::Green).unwrap();
    pushes_api(world, &page);
    player.say("ana", &format!("/deploy staging {page} api")).await;
    let card = player.until_end_of_another(known).await;
    assert_eq!(player.release(world, &card).await.outcome, Some(Outcome::Live), "{}", text(&card));
    (page, card)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_concerned_after_its_plan_ends_all_of_them_with_the_reason_and_is_not_built() {
    let world = world("").await;
    let mut player = Player::new(&world, "concerned");
    let first = both_live(&world, &mut player).await;
    let (page, alone) = brings_api_a_page(&world, &mut player, &[&first]).await;
    let words = world.merge("Words (#101)", 1, CiMode::Green).unwrap();
    player.say("bob", "/release lock staging \"load test\" goals").await;
    player.say("ana", "/deploy staging all").await;
    let waits = |m: &TerminalMessage| is_card(m) && text(m).contains("api, goals → staging · queued: locked by bob");
    let group = player.until("that both wait", waits).await;
    let nothing = format!("nothing in docs/2*.md changed since {}", &page[..7]);
    assert!(text(&group).contains(&nothing), "{}", text(&group));
    let dispatched = world.github.dispatches().len();

    player.say("ana", "/rollback staging api").await;
    let is_over = |m: &TerminalMessage| m.key == group.key && has_ended(m);
    let ended = player.until("the end of both", is_over).await;
    let said = text(&ended);
    assert!(said.starts_with("✖ api, goals → staging · api has no image · nothing was started"), "{said}");
    assert_eq!(ended.message.mark, Mark::Failed);
    let since = &world.head[..7];
    for part in [
        format!("api is concerned now: files in docs/2*.md changed since {since}."),
        format!("/api has no image tagged {}", &words[..20]),
        "/deploy staging all".to_owned(),
    ] {
        assert!(said.split_whitespace().collect::<Vec<_>>().join(" ").contains(&part), "{part} is missing:\n{said}");
    }
    let back = player.until_end_of_another(&[&first, &alone, &group]).await;
    assert!(text(&back).contains(since), "{}", text(&back));
    assert_eq!(world.github.dispatches().len(), dispatched, "nobody has asked for that build");
}

/// A commit that changes nothing, on top of another; nothing has built it.
fn empty_commit(world: &World, on: &str, title: &str) -> String {
    let who = ["-c", "user.name=Eve", "-c", "user.email=eve@acme.dev"];
    let tree = format!("{on}^{{tree}}");
    world.git(&[&who[..], &["commit-tree", &tree, "-p", on, "-m", title]].concat()).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tag_of_a_build_that_is_not_needed_any_more_does_not_stay() {
    let world = world("paths = [\"nothing/**\"]\n").await;
    let mut player = Player::new(&world, "tag");
    let first = both_live(&world, &mut player).await;
    // The one that is asked for is no head of a branch, so that only a tag can be built.
    let page = world.merge("A page (#100)", 2, CiMode::Green).unwrap();
    let asked = empty_commit(&world, &page, "Nothing yet");
    let head = empty_commit(&world, &asked, "Nothing more");
    let _ = world.git(&["update-ref", "refs/heads/main", &head]);
    world.github.hold(&asked);
    player.say("ana", &format!("/deploy staging {asked} all")).await;
    let builds = |m: &TerminalMessage| is_card(m) && m.key != first.key && text(m).contains("of 2 jobs done");
    let group = player.until("the build", builds).await;
    let tags = world.github.temporary_tags();
    assert!(tags.len() == 1 && tags[0].starts_with("slipway/"), "{tags:?}\n{}", text(&group));

    // What api needed of it is live otherwise.
    pushes_api(&world, &page);
    player.say("ana", &format!("/deploy staging {page} api")).await;
    let is_over = |m: &TerminalMessage| m.key == group.key && has_ended(m);
    let ended = player.until("the end of both", is_over).await;
    let said = text(&ended);
    let nothing = "– api, goals → staging · nothing to do: nothing that concerns them has changed";
    assert!(said.starts_with(nothing), "{said}");
    assert_eq!(world.github.attempts(&asked), 1, "its run goes on or not, nobody waits for it");
    // Jobs that begin yet fetch the tag.
    assert_eq!(world.github.temporary_tags().len(), 1, "its build is under way");
    world.github.let_go(&asked);
    until(&world, &mut player, "the tag goes", |world| world.github.temporary_tags().is_empty()).await;
}
