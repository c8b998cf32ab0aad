//! Fifty pull requests merged within a minute: staging ends at the newest green one, and the channel stays readable.

use crate::support::{Player, has_ended, is_card, text};
use slipway::store::TerminalMessage;
use slipway_core::release::Phase;
use slipway_sandbox::aws;
use slipway_sandbox::github::CiMode;
use slipway_sandbox::world::{CHANNEL, Options, Pace, World};
use std::collections::BTreeSet;
use std::time::Duration;

/// How many are merged.
const MERGES: u32 = 50;
/// After which of them the process is killed.
const KILLS: [u32; 3] = [12, 27, 41];
/// A deployment takes as long as so many merges, however fast either of them is here.
const MERGES_A_DEPLOYMENT: u32 = 10;
/// So it does not end by itself.
const NEVER_OVER: aws::Pace = aws::Pace { pending_ms: 0, in_progress_ms: 600_000, rollback_ms: 600_000 };
/// Longer than that.
const LONG_MS: u64 = 700_000;
/// How many cards a person would still read.
const READABLE_CARDS: usize = 15;

/// How the CI of one ends: it passes, fails, or hangs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ci {
    Passes,
    Fails,
    Hangs,
}

fn ci_of(number: u32) -> Ci {
    match number % 5 {
        3 => Ci::Fails,
        4 => Ci::Hangs,
        _ => Ci::Passes,
    }
}

fn merge(world: &World, number: u32) -> String {
    let mode = if ci_of(number) == Ci::Fails { CiMode::RedTest } else { CiMode::Green };
    let commit = world.merge(&format!("Change {number} (#{})", 100 + number), number, mode).unwrap();
    if ci_of(number) == Ci::Hangs {
        world.github.hold(&commit);
    }
    commit
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_merges_end_at_the_newest_green_one() {
    let options = Options { pace: Pace::Fast, sqlite: true, auto_deploy: true, ..Options::default() };
    let mut world = World::new(options).await.unwrap();
    let mut player = Player::new(&world, "storm");
    let mut commits = Vec::new();
    let pace = world.aws.set_pace(NEVER_OVER);
    for number in 0..MERGES {
        commits.push(merge(&world, number));
        if KILLS.contains(&number) {
            world.bot.kill().unwrap();
            world.bot.start().await.unwrap();
        }
        // They come one after the other within a minute; how fast is the input of this test.
        player.watch_for(Duration::from_millis(100)).await;
        if number % MERGES_A_DEPLOYMENT == MERGES_A_DEPLOYMENT - 1 {
            world.aws.advance_ms(LONG_MS);
        }
    }
    world.aws.set_pace(pace);
    world.aws.advance_ms(LONG_MS);
    let newest_green = (0..MERGES).rev().find(|number| ci_of(*number) == Ci::Passes).unwrap();
    let goal = commits[newest_green as usize].clone();
    let is_live = format!("{} is live", &goal[..7]);
    let live = |m: &TerminalMessage| is_card(m) && has_ended(m) && text(m).contains(&is_live);
    let last = player.until("the newest green commit on staging", live).await;
    // Whatever waits for nothing more would begin now.
    player.watch_for(Duration::from_secs(3)).await;
    let cards = player.cards(CHANNEL);
    assert!(cards.len() <= READABLE_CARDS, "{} cards for {MERGES} merges", cards.len());
    let (mut begun, mut ran) = (BTreeSet::new(), 0);
    for card in &cards {
        assert!(has_ended(card), "{}", text(card));
        let release = player.release(&world, card).await;
        let commit = release.request.reference.clone().unwrap();
        let number = commits.iter().position(|known| *known == commit).unwrap();
        assert!(ci_of(u32::try_from(number).unwrap()) == Ci::Passes, "{} is not green", &commit[..7]);
        assert!(begun.insert(commit), "a commit began twice: {}", text(card));
        match release.phase {
            Phase::Succeeded => ran += 1,
            Phase::Superseded => assert_eq!(release.started_at, None, "a superseded one ran"),
            other => panic!("{other:?}: {}\n{}", text(card), world.bot.log()),
        }
    }
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), ran, "one deployment a release");
    let image = world.aws.running_image(&world.staging_arn).unwrap();
    assert_eq!(image, player.release(&world, &last).await.plan.unwrap().image.pinned(), "staging runs it");
    assert_eq!(player.keys(CHANNEL, "environment/"), [""; 0], "nothing held it up");
    let verified = world.bot.run(&["audit", "verify"]).unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
