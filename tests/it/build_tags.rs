//! The tag by which a commit is built that is no branch's head any more: in the team's repository for as long as jobs may
//! fetch it, and gone then, whatever has become of its release.

use crate::support::{Player, text};
use slipway_core::message::Verb;
use slipway_core::release::Phase;
use slipway_sandbox::github::{CiMode, Fault, FaultKind};
use slipway_sandbox::world::{Options, Pace, World};
use std::time::Duration;

const WAIT_LIMIT: Duration = Duration::from_secs(60);
/// What the executor asks before it takes a tag away.
const LOOK: &str = "/actions/workflows/build.yaml/runs";

/// A world, and a commit in it that only a tag can name to GitHub.
async fn world() -> (World, String) {
    let world = World::new(Options { pace: Pace::Fast, ..Options::default() }).await.unwrap();
    let older = world.git(&["rev-parse", "main~1"]);
    (world, older)
}

/// Looks until something is so.
pub(crate) async fn until(world: &World, player: &mut Player, what: &str, is_so: impl Fn(&World) -> bool) {
    let deadline = tokio::time::Instant::now() + WAIT_LIMIT;
    while !is_so(world) {
        assert!(tokio::time::Instant::now() < deadline, "{what}\n{:?}\n{}", world.github.requests(), world.bot.log());
        player.glance().await;
    }
}

fn asked(world: &World, call: &str) -> usize {
    world.github.requests().iter().filter(|request| request.contains(call)).count()
}

/// Until the build was looked at so many times more.
async fn until_looked(world: &World, player: &mut Player, times: usize) {
    let before = asked(world, LOOK);
    until(world, player, "the build is looked at", |world| asked(world, LOOK) >= before + times).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_release_leaves_no_tag_also_after_a_crash() {
    let (mut world, older) = world().await;
    world.github.hold(&older);
    let mut player = Player::new(&world, "cancelled");
    player.say("ana", &format!("/deploy staging {older}")).await;
    until(&world, &mut player, "the build", |world| !world.github.dispatches().is_empty()).await;
    player.until("the build on the card", |message| text(message).contains("test, 0 of 2 jobs done")).await;
    player.say("ana", "/release cancel").await;
    let card = player.until_end().await;
    let release = player.release(&world, &card).await;
    assert_eq!(release.phase, Phase::Cancelled, "{}", text(&card));
    let tag = release.build_tag();

    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
    until_looked(&world, &mut player, 2).await;
    assert_eq!(world.github.temporary_tags(), [tag.as_str()], "its build is under way, and jobs fetch it");

    // The tag goes, and nobody hears of it.
    let (route, kind) = ("DELETE".to_owned(), FaultKind::LostAnswerAfterAct);
    world.github.inject(Fault { route, kind, times: 1 });
    world.github.let_go(&older);
    until(&world, &mut player, "the tag goes", |world| world.github.temporary_tags().is_empty()).await;
    let end = "\"kind\":\"build_tag_removed\"";
    let exported = |world: &World| {
        let exported = world.bot.run(&["audit", "export"]).unwrap();
        String::from_utf8(exported.stdout).unwrap()
    };
    until(&world, &mut player, "it is known", |world| exported(world).contains(end)).await;
    let log = exported(&world);
    let record = log.lines().find(|line| line.contains(end)).unwrap();
    assert!(record.contains(&tag) && record.contains("\"removed\":true"), "{record}");
    assert_eq!(asked(&world, "DELETE"), 1, "it is looked whether it is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_build_keeps_its_tag_until_its_jobs_have_passed() {
    let (world, older) = world().await;
    world.github.set_ci(CiMode::RedTest);
    let mut player = Player::new(&world, "rerun-by-tag");
    player.say("ana", &format!("/deploy staging {older}")).await;
    let red = player.until_end().await;
    let failed = player.release(&world, &red).await;
    until_looked(&world, &mut player, 2).await;
    assert_eq!(world.github.temporary_tags(), [failed.build_tag()]);

    world.github.set_ci(CiMode::Green);
    player.press("ana", &red, Verb::Rerun).await;
    let card = player.until_end_of_another(&[&red]).await;
    let release = player.release(&world, &card).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&card), world.bot.log());
    until(&world, &mut player, "the tag goes", |world| world.github.temporary_tags().is_empty()).await;
    assert_eq!((world.github.attempts(&older), world.github.dispatches().len()), (2, 1), "the same run");
}
