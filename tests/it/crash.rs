//! A process killed with SIGKILL anywhere in a release and started again finishes it: in the same message, with
//! one deployment operation, and with each migration applied once.

use crate::support::{Player, history_versions};
use slipway_core::release::Phase;
use slipway_sandbox::world::{CHANNEL, Options, Pace, World};
use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How often the process is killed in all.
const KILLS: u32 = 10;
/// How often within one release, so that one world serves several kills.
const KILLS_PER_RELEASE: u32 = 2;
/// A release of the sandbox takes about this long.
const RELEASE_MS: u64 = 2_000;

/// SplitMix64: enough to choose moments, and the same on every machine for a seed.
struct Moments(u64);

impl Moments {
    fn next_ms(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }
}

fn seed() -> u64 {
    let given = std::env::var("SLIPWAY_CRASH_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
        u64::from(now.subsec_nanos()) ^ now.as_secs()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_finishes_what_it_began() {
    let seed = seed();
    let _ = writeln!(std::io::stderr(), "seed {seed}: repeat with SLIPWAY_CRASH_SEED={seed}");
    let mut moments = Moments(seed);
    for round in 0..KILLS / KILLS_PER_RELEASE {
        let world = World::new(Options { pace: Pace::Fast, ..Options::default() }).await.expect("a world");
        one_release(world, &mut moments, &format!("seed {seed}, round {round}")).await;
    }
}

async fn one_release(mut world: World, moments: &mut Moments, name: &str) {
    let mut player = Player::new(&world, "crash");
    player.say("ana", "/deploy staging").await;
    for _ in 0..KILLS_PER_RELEASE {
        let wait = moments.next_ms(RELEASE_MS / u64::from(KILLS_PER_RELEASE));
        // The moment of the kill is the input of this test, so it is waited for by the clock of the world outside.
        player.watch_for(Duration::from_millis(wait)).await;
        world.bot.kill().expect("a process to kill");
        world.bot.start().await.expect("the bot starts again");
    }
    let card = player.until_end().await;
    let release = player.release(&world, &card).await;
    assert_eq!(release.phase, Phase::Succeeded, "{name}: {:?}\n{}", release.outcome, world.bot.log());
    let cards = player.keys(CHANNEL, "release/");
    assert_eq!(cards, std::slice::from_ref(&card.key), "{name}: one message");
    let operations = world.aws.deployment_operations(&world.staging_arn);
    assert_eq!(operations.len(), 1, "{name}: one deployment operation, not {operations:?}\n{}", world.bot.log());
    let dispatches = world.github.dispatches();
    assert_eq!(dispatches.len(), 1, "{name}: one build, not {dispatches:?}");
    let versions = history_versions(&world.staging_database).await;
    let mut unique = versions.clone();
    unique.dedup();
    assert_eq!(versions, unique, "{name}: each migration once");
    let planned = release.plan.expect("a plan").migrations;
    assert!(planned.iter().all(|m| versions.contains(&m.version)), "{name}: {planned:?} {versions:?}");
    let verified = world.bot.run(&["audit", "verify"]).expect("the command runs");
    assert!(verified.status.success(), "{name}: {}", String::from_utf8_lossy(&verified.stderr));
}
