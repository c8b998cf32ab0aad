//! What goes wrong outside, in the middle of a release. It ends in a true state, and nothing is done twice.

mod aws_calls;
mod chats;
mod database;
mod github_calls;
mod rig;
mod ship_calls;
mod table;

use crate::support::{Player, text};
use expect_test::Expect;
use rig::Rig;
use slipway_core::release::{Phase, Release};
use slipway_sandbox::aws::{self, FaultKind};
use slipway_sandbox::github;
use slipway_sandbox::world::{Options, Pace, TargetOption, World};
use table::Row;
use tokio::sync::Semaphore;

/// How many such worlds are there at once, whatever tests they are of: a bot each.
static WORLDS: Semaphore = Semaphore::const_new(6);

/// How many calls go wrong in one release: each that does is tried again a few times, and no more.
const TOGETHER: usize = 3;

/// `ECR.DescribeImages`, and all others that a release asks AWS for.
pub(crate) fn aws_operations() -> impl Iterator<Item = &'static str> {
    aws_calls::ALL.into_iter().flatten().map(|row| row.call)
}

/// Plays every way in which each of these calls may go wrong, and holds what is said at the end against what is expected.
async fn family(target: TargetOption, rows: &'static [Row], expected: Expect) {
    let played = table::Kind::ALL.map(async |kind| {
        let _turn = WORLDS.acquire().await.unwrap();
        let mut rig = Rig::new(target, kind).await;
        let mut lines = String::new();
        let mut line = |row: &Row, said: &str| lines.push_str(&format!("{kind:8} {} → {said}\n", row.call));
        for same_story in rows.chunk_by(|one, other| one.story == other.story) {
            let (senseless, played): (Vec<_>, Vec<_>) =
                same_story.iter().partition(|row| row.senseless(kind).is_some());
            for row in senseless {
                line(row, &format!("– {}", row.senseless(kind).unwrap_or_default()));
            }
            // What passes is waited for, so several may go wrong in one release; what lasts ends it.
            for together in played.chunks(if kind.lasts() { 1 } else { TOGETHER }) {
                let said = rig.play(together, Some(kind)).await;
                together.iter().for_each(|row| line(row, &said));
            }
        }
        (lines, rig.close())
    });
    let (lines, wrong): (Vec<_>, Vec<_>) = futures::future::join_all(played).await.into_iter().unzip();
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    expected.assert_eq(&lines.concat());
}

/// A kind of target, with the names of what it is asked.
#[derive(Clone, Copy)]
struct Kind {
    target: TargetOption,
    /// What changes something.
    act: &'static str,
    /// What only reads.
    reads: [&'static str; 2],
}

const KINDS: [Kind; 2] = [
    Kind {
        target: TargetOption::AppRunner,
        act: "AppRunner.UpdateService",
        reads: ["AppRunner.DescribeService", "AppRunner.ListOperations"],
    },
    Kind {
        target: TargetOption::EcsExpress,
        act: "ECS.UpdateExpressGatewayService",
        reads: ["ECS.DescribeExpressGatewayService", "ECS.ListServiceDeployments"],
    },
];

async fn world() -> World {
    world_on(KINDS[0].target).await
}

async fn world_on(target: TargetOption) -> World {
    // What runs the image has nothing to do with the database: one kind with the usual one is enough.
    let sqlite = target != TargetOption::AppRunner;
    World::new(Options { pace: Pace::Fast, target, sqlite, ..Options::default() }).await.unwrap()
}

/// Deploys to staging and gives the card and the state at the end.
async fn deploy(world: &World) -> (String, Release) {
    let mut player = Player::new(world, "faults");
    player.say("ana", "/deploy staging").await;
    let card = player.until_end().await;
    let release = player.release(world, &card).await;
    (text(&card), release)
}

fn inject_aws(world: &World, action: &str, kind: FaultKind, times: u32) {
    world.aws.inject(aws::Fault { action: action.into(), kind, times });
}

/// One deployment operation at the target, and the approved image runs.
fn deployed_once(world: &World, release: &Release, card: &str) {
    assert_eq!(release.phase, Phase::Succeeded, "{card}\n{}", world.bot.log());
    let ours: Vec<_> = world
        .aws
        .deployment_operations(&world.staging_arn)
        .into_iter()
        .filter(|operation| !operation.by_hand)
        .collect();
    assert_eq!(ours.len(), 1, "{ours:?}\n{}", world.bot.log());
    let pinned = release.plan.as_ref().unwrap().image.pinned();
    assert_eq!(world.aws.running_image(&world.staging_arn), Some(pinned));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_deployment_is_waited_for() {
    for kind in KINDS {
        let world = world_on(kind.target).await;
        inject_aws(&world, kind.act, FaultKind::SomebodyElseFirst, 1);
        let (card, release) = deploy(&world).await;
        deployed_once(&world, &release, &card);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_errors_while_planning_and_following_passes() {
    for kind in KINDS {
        let world = world_on(kind.target).await;
        for action in kind.reads.into_iter().chain(["ECR.DescribeImages", "SecretsManager.GetSecretValue"]) {
            inject_aws(&world, action, FaultKind::Status503, 4);
        }
        let fault = github::Fault { route: "/check-runs".into(), kind: github::FaultKind::Status(502), times: 2 };
        world.github.inject(fault);
        let (card, release) = deploy(&world).await;
        deployed_once(&world, &release, &card);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_no_head_is_built_by_a_tag_that_does_not_stay() {
    let world = world().await;
    let mut player = Player::new(&world, "tag");
    let parent = format!("{}~1", world.head);
    let parent = world.git(&["rev-parse", &parent]);
    player.say("ana", &format!("/deploy staging {parent}")).await;
    let card = player.until_end().await;
    let release = player.release(&world, &card).await;
    deployed_once(&world, &release, &text(&card));
    assert_eq!(release.commit.unwrap().as_str(), parent, "what was pinned is what ran");
    let dispatches = world.github.dispatches();
    assert!(dispatches[0].reference.starts_with("slipway/") && dispatches[0].commit == parent, "{dispatches:?}");
    assert_eq!(world.github.temporary_tags(), [""; 0], "the tag is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_cannot_be_followed_any_more_is_not_told_as_over() {
    for kind in KINDS {
        let world = world_on(kind.target).await;
        world.aws.set_pace(rig::NEVER_OVER);
        let mut player = Player::new(&world, "unseen");
        player.say("ana", "/deploy staging").await;
        player.until("the deployment", |m| text(m).contains(": update ")).await;
        inject_aws(&world, kind.reads[1], FaultKind::Denied, 1_000);
        let card = player.until_end().await;
        let release = player.release(&world, &card).await;
        let card = text(&card);
        assert_eq!(release.phase, Phase::Failed, "{card}");
        assert!(card.contains("AWS does not allow") && card.contains("make sure which version serves"), "{card}");
        assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 1);
    }
}
