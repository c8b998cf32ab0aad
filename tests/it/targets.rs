//! Targets beside App Runner, several in a row, and how a failed deployment is told, with the real binary.

use crate::support::{Player, text};
use slipway_core::release::{Phase, Release, Step};
use slipway_sandbox::aws::{self, FailureMode, FaultKind};
use slipway_sandbox::world::{ANNOUNCE, Options, Pace, TargetOption, World};

async fn world(target: TargetOption) -> World {
    World::new(Options { pace: Pace::Fast, target, sqlite: true, ..Options::default() }).await.unwrap()
}

async fn deploy(world: &World) -> (String, Release) {
    let mut player = Player::new(world, "targets");
    player.say("ana", "/deploy staging").await;
    let card = player.until_end().await;
    let release = player.release(world, &card).await;
    (text(&card), release)
}

fn contains(card: &str, all: &[&str]) {
    for part in all {
        assert!(card.contains(part), "{part:?} is not in:\n{card}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_aws_rolled_back_comes_with_its_events_and_last_lines_and_without_secrets() {
    let kinds = [
        (TargetOption::AppRunner, "(ROLLBACK_SUCCEEDED)", "[AppRunner] Health check failed", "the App Runner console"),
        (TargetOption::EcsExpress, "(ROLLBACK_SUCCESSFUL)", "was unable to place a task", "the ECS console"),
    ];
    for (target, word, event, console) in kinds {
        let world = world(target).await;
        world.aws.fail_next_deployment(&world.staging_arn, FailureMode::RollsBack);
        let (card, release) = deploy(&world).await;
        assert_eq!(release.phase, Phase::RolledBack, "{card}");
        let lines = ["log   ", "goals: listening on :8080", "panic: cannot connect to postgres://[redacted]@db:5432"];
        contains(&card, &[word, "event ", event, console, "AWS rolled the deployment back"]);
        contains(&card, &lines);
        assert!(!card.contains("hunter2"), "{card}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_must_not_be_read_is_named_with_its_permission_and_the_failure_told_all_the_same() {
    for target in [TargetOption::AppRunner, TargetOption::EcsExpress] {
        let world = world(target).await;
        world.aws.fail_next_deployment(&world.staging_arn, FailureMode::RollsBack);
        let (action, kind) = ("Logs.FilterLogEvents".to_owned(), FaultKind::Denied);
        world.aws.inject(aws::Fault { action, kind, times: 100 });
        let (card, release) = deploy(&world).await;
        assert_eq!(release.phase, Phase::RolledBack, "{card}");
        contains(&card, &["AWS does not allow logs:FilterLogEvents. Add it to the policy of the bot's role."]);
        assert_eq!(card.matches("logs:FilterLogEvents").count(), 1, "once is enough:\n{card}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_somebody_elses_stopped_is_told_with_both() {
    let world = world(TargetOption::EcsExpress).await;
    let (action, kind) = ("ECS.UpdateExpressGatewayService".to_owned(), FaultKind::SomebodyElseAfter);
    world.aws.inject(aws::Fault { action, kind, times: 1 });
    let (card, release) = deploy(&world).await;
    let operations = world.aws.deployment_operations(&world.staging_arn);
    let other = &operations[1].id;
    assert_eq!(release.phase, Phase::Failed, "{card}");
    let named = format!("Not of this release, and begun after it: service deployment {}…, began ", &other[..8]);
    contains(
        &card,
        &["AWS could not deploy the new image (STOPPED).", "A newer service deployment was started.", &named],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_are_deployed_in_turn_and_the_first_failure_is_the_last() {
    let world = world(TargetOption::Both).await;
    let second = world.staging_second.clone().unwrap();
    let (card, release) = deploy(&world).await;
    assert_eq!(release.phase, Phase::Succeeded, "{card}");
    let pinned = release.plan.as_ref().unwrap().image.pinned();
    assert_eq!(world.aws.running_image(&world.staging_arn), Some(pinned.clone()));
    assert_eq!(world.aws.running_image(&second), Some(pinned));
    contains(&card, &["App Runner goals-staging: live · ECS Express goals-staging-ecs: live", "is live on 2 targets"]);

    let world = self::world(TargetOption::Both).await;
    let second = world.staging_second.clone().unwrap();
    world.aws.fail_next_deployment(&second, FailureMode::RollsBack);
    let (card, release) = deploy(&world).await;
    assert_eq!(release.phase, Phase::RolledBack, "{card}");
    let plan = release.plan.as_ref().unwrap();
    let still = plan.targets[1].runs.as_ref().unwrap().short();
    let commit = plan.commit.short();
    contains(&card, &[&format!("goals-staging runs {commit}, goals-staging-ecs still {still}.")]);

    let world = self::world(TargetOption::Both).await;
    let second = world.staging_second.clone().unwrap();
    world.aws.fail_next_deployment(&world.staging_arn, FailureMode::RollsBack);
    let (card, _) = deploy(&world).await;
    assert_eq!(world.aws.deployment_operations(&second), [], "it is not gone on with:\n{card}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_target_deploys_nothing_says_so_and_remembers() {
    let mut world = world(TargetOption::Dry).await;
    let (card, release) = deploy(&world).await;
    assert_eq!(release.phase, Phase::Succeeded, "{card}\n{}", world.bot.log());
    contains(&card, &["dry run target: nothing was deployed"]);
    assert!(!card.contains("is live"), "{card}");
    assert_eq!(release.steps.get(Step::Deploy).detail.as_deref().map(|detail| &detail[..14]), Some("operation dry-"));
    for action in ["AppRunner.UpdateService", "ECS.UpdateExpressGatewayService"] {
        assert_eq!(world.aws.calls(action), 0);
    }
    // After a restart it still knows what it was told last.
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
    let mut player = Player::new(&world, "again");
    player.say("ana", "/deploy staging").await;
    let again = |m: &slipway::store::TerminalMessage| text(m).contains("nothing to do");
    player.until("nothing to do", again).await;
    assert_eq!(player.keys(ANNOUNCE, "announcement/"), [""; 0], "staging is not announced");
}
