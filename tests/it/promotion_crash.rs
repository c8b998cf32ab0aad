//! A process killed with SIGKILL while something goes on from staging to production: exactly one release comes of it, its
//! message is finished, and nothing is suggested twice.

use crate::support::{Player, has_ended, is_card, text};
use slipway::store::TerminalMessage;
use slipway_core::message::Verb;
use slipway_core::release::{Phase, Release};
use slipway_sandbox::world::{CHANNEL, Options, Pace, Promotion, World};
use std::time::Duration;

/// How long after the press the process is killed, in milliseconds. Taking it is a matter of few.
const AFTER_PRESS_MS: [u64; 3] = [0, 15, 120];
/// How long after staging has it. It begins when the soak time of two seconds is over.
const AFTER_STAGING_MS: [u64; 3] = [1_800, 2_200, 2_600];
/// Whatever would come twice comes within this time.
const QUIET: Duration = Duration::from_secs(2);

async fn world(promotion: Promotion) -> World {
    World::new(Options { pace: Pace::Fast, sqlite: true, promotion, ..Options::default() }).await.unwrap()
}

async fn restart(world: &mut World) {
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
}

/// Brings a new commit to staging. Gives it.
async fn on_staging(world: &World, player: &mut Player) -> String {
    let commit = world.git(&["rev-parse", "main"]);
    let is_live = format!("goals → staging · {} is live", &commit[..7]);
    player.say("ana", "/deploy staging").await;
    player.until("staging has it", |m| is_card(m) && has_ended(m) && text(m).contains(&is_live)).await;
    commit
}

fn is_suggestion(message: &TerminalMessage) -> bool {
    message.key.starts_with("promotion/")
}

/// The releases of a commit to production, by their cards.
async fn to_production(world: &World, player: &Player, commit: &str) -> Vec<Release> {
    let mut found = Vec::new();
    for card in player.cards(CHANNEL) {
        let release = player.release(world, &card).await;
        let key = &release.request.key;
        if key.environment.as_str() == "production" && release.request.reference.as_deref() == Some(commit) {
            found.push(release);
        }
    }
    found
}

/// Approves what goes to production and waits for its end.
async fn goes_live(player: &mut Player, short: &str) {
    let asks = |m: &TerminalMessage| {
        is_card(m)
            && text(m).contains("waiting for approval")
            && text(m).contains(short)
            && !m.message.actions.is_empty()
    };
    let card = player.until("a card that waits for approval", asks).await;
    player.until_noted(&card).await;
    for person in ["bob", "dora"] {
        player.react(person, &card, "✅").await;
    }
    player.until("its end", |m| m.key == card.key && has_ended(m)).await;
}

/// Exactly one release to production of this commit, which is live.
async fn one_release(world: &World, player: &Player, commit: &str, place: &str) {
    let found = to_production(world, player, commit).await;
    let phases: Vec<_> = found.iter().map(|release| release.phase.clone()).collect();
    assert_eq!(phases, [Phase::Succeeded], "{place}\n{}", world.bot.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suggestion_leads_to_one_release_wherever_the_process_is_killed() {
    let mut world = world(Promotion::Suggested).await;
    let mut player = Player::new(&world, "killed");
    for (round, after_ms) in AFTER_PRESS_MS.into_iter().enumerate() {
        let place = format!("killed {after_ms} ms after the press");
        if round > 0 {
            assert!(world.merge_another().unwrap());
        }
        let commit = on_staging(&world, &mut player).await;
        let short = commit[..7].to_owned();
        let ready = |m: &TerminalMessage| is_suggestion(m) && text(m).contains(&short) && !m.message.actions.is_empty();
        let suggested = player.until("the suggestion", ready).await;
        restart(&mut world).await;
        player.watch_for(QUIET).await;
        assert_eq!(player.keys(CHANNEL, "promotion/").len(), round + 1, "{place}: suggested once");
        player.press("ana", &suggested, Verb::Promote).await;
        player.watch_for(Duration::from_millis(after_ms)).await;
        restart(&mut world).await;
        let taken = format!("{short} asked for by ana: release");
        let finished =
            |m: &TerminalMessage| m.key == suggested.key && m.message.actions.is_empty() && text(m).contains(&taken);
        player.until("that it is taken", finished).await;
        goes_live(&mut player, &short).await;
        player.watch_for(QUIET).await;
        one_release(&world, &player, &commit, &place).await;
        assert_eq!(player.keys(CHANNEL, "promotion/").len(), round + 1, "{place}: no other suggestion");
        assert_eq!(world.aws.deployment_operations(&world.production_arn).len(), round + 1, "{place}");
    }
    let verified = world.bot.run(&["audit", "verify"]).unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_by_itself_begins_once_wherever_the_process_is_killed() {
    let mut world = world(Promotion::Automatic).await;
    let mut player = Player::new(&world, "by-itself");
    for (round, after_ms) in AFTER_STAGING_MS.into_iter().enumerate() {
        let place = format!("killed {after_ms} ms after staging had it");
        if round > 0 {
            assert!(world.merge_another().unwrap());
        }
        let commit = on_staging(&world, &mut player).await;
        player.watch_for(Duration::from_millis(after_ms)).await;
        restart(&mut world).await;
        goes_live(&mut player, &commit[..7]).await;
        player.watch_for(QUIET).await;
        one_release(&world, &player, &commit, &place).await;
        let release = to_production(&world, &player, &commit).await.remove(0);
        assert!(release.request.requester.is_slipway(), "{:?}", release.request);
        assert_eq!(world.aws.deployment_operations(&world.production_arn).len(), round + 1, "{place}");
    }
    let verified = world.bot.run(&["audit", "verify"]).unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
