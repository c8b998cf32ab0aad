//! The whole bot, as its users see it: the real binary, real databases, strict stand-ins.

use crate::support::{Player, has_ended, history_versions, is_card, text};
use slipway_core::release::{Outcome, Phase, Step, StepState};
use slipway_sandbox::demo::Fail;
use slipway_sandbox::world::{ANNOUNCE, CHANNEL, Options, Pace, World};

async fn world(fail: Option<Fail>) -> World {
    World::new(Options { fail, pace: Pace::Fast, ..Options::default() }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_staging_to_the_announcement() {
    let world = world(None).await;
    let mut player = Player::new(&world, "story");
    player.say("ana", "/deploy staging").await;
    let staging = player.until_end().await;
    let release = player.release(&world, &staging).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&staging), world.bot.log());
    let short = &world.head[..7];
    assert!(text(&staging).starts_with(&format!("● goals → staging · {short} is live")), "{}", text(&staging));
    assert_eq!(world.github.dispatches().len(), 1, "nothing else would have built it");
    assert_eq!(world.github.temporary_tags(), [""; 0], "the commit is the head of main");

    player.say("ana", "/deploy production").await;
    let card = player.until_asked_for_approval().await;
    assert!(text(&card).contains("bob"), "who can approve is named:\n{}", text(&card));
    player.react("ana", &card, "✅").await;
    player.until_told("ana", "Your vote does not count here").await;
    player.react("bob", &card, "✅").await;
    player.react("dora", &card, "✅").await;
    let production = player.until_end_of_another(&[&staging]).await;
    let release = player.release(&world, &production).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&production), world.bot.log());
    assert_eq!(production.key, card.key, "the same message to the end");
    let announced = player.until("the announcement", |m| m.channel == ANNOUNCE).await;
    let announced = text(&announced);
    for part in ["in production", "approved by bob, dora", "Likes on updates", "#41"] {
        assert!(announced.contains(part), "{part} is missing:\n{announced}");
    }
    for (arn, database) in
        [(&world.staging_arn, &world.staging_database), (&world.production_arn, &world.production_database)]
    {
        assert_eq!(world.aws.deployment_operations(arn).len(), 1);
        let image = world.aws.running_image(arn).unwrap();
        assert_eq!(image, release.plan.as_ref().unwrap().image.pinned(), "what was approved is what runs");
        let history = history_versions(database).await;
        assert!(release.plan.as_ref().unwrap().migrations.iter().all(|m| history.contains(&m.version)));
    }
    assert_eq!(player.keys(CHANNEL, "release/").len(), 2, "one message a release");
    let verified = world.bot.run(&["audit", "verify"]).unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

/// Plays a release to staging that must end in a failure, and gives its card and state.
async fn failing(fail: Fail) -> (String, slipway_core::release::Release, World) {
    let world = world(Some(fail)).await;
    let mut player = Player::new(&world, "failing");
    player.say("ana", "/deploy staging").await;
    let card = player.until_end().await;
    let release = player.release(&world, &card).await;
    (text(&card), release, world)
}

#[tokio::test(flavor = "multi_thread")]
async fn red_ci_names_the_job_and_shows_its_log() {
    let (card, release, world) = failing(Fail::Ci).await;
    assert!(matches!(release.outcome, Some(Outcome::Failed { step: Some(Step::Ci), .. })), "{card}");
    assert!(card.starts_with("✖") && card.contains("job \"test\" failed"), "{card}");
    assert!(card.contains("│"), "the log's tail is shown:\n{card}");
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_green_build_without_image_is_told() {
    let (card, release, world) = failing(Fail::Image).await;
    assert!(matches!(release.outcome, Some(Outcome::Failed { step: Some(Step::Image), .. })), "{card}");
    assert!(card.contains("has no image tagged"), "{card}");
    assert_eq!(world.github.dispatches().len(), 1, "one build a release");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_migration_leaves_the_old_version_running() {
    let (card, release, world) = failing(Fail::Migrate).await;
    assert!(matches!(release.outcome, Some(Outcome::Failed { step: Some(Step::Migrate), .. })), "{card}");
    assert!(card.contains("likes") && card.contains("already exists"), "the database's own words:\n{card}");
    assert_eq!(release.steps.get(Step::Deploy).state, StepState::Pending);
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_of_aws_reads_as_a_failure() {
    let (card, release, world) = failing(Fail::Deploy).await;
    assert_eq!(release.phase, Phase::RolledBack, "{card}");
    let first = card.lines().next().unwrap();
    assert!(first.starts_with("✖") && first.contains("AWS rolled the deployment back"), "{first}");
    assert!(card.contains("ROLLBACK_SUCCEEDED") && card.contains("RUNNING"), "{card}");
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 1, "no second try by itself");
    let running = world.aws.running_image(&world.staging_arn).unwrap();
    assert_ne!(running, release.plan.unwrap().image.pinned(), "the old version keeps serving");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unhealthy_version_is_live_and_told_so() {
    let (card, release, _world) = failing(Fail::Health).await;
    assert!(matches!(release.outcome, Some(Outcome::Failed { step: Some(Step::Verify), .. })), "{card}");
    assert!(card.contains("not healthy") && card.contains("/rollback staging"), "{card}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_is_the_same_for_command_and_reaction() {
    let world = world(None).await;
    let mut player = Player::new(&world, "gate");
    player.say("ana", "/deploy staging").await;
    player.until_end().await;
    player.say("ana", "/deploy production").await;
    let card = player.until_asked_for_approval().await;
    player.say("ana", "/release approve").await;
    player.until_told("ana", "Your vote does not count here").await;
    player.say("eve", "/release approve").await;
    player.until_told("eve", "Your vote does not count here").await;
    player.say("mallory", "/release approve").await;
    player.until("an answer to somebody unknown", |m| m.only_for.as_deref() == Some("mallory")).await;
    player.react("mallory", &card, "✅").await;
    player.say("bob", "/release lock production \"load test\"").await;
    player.until_told("bob", "locked").await;
    player.say("chen", "/release approve").await;
    player.say("dora", "/release approve").await;
    let locked = |m: &slipway::store::TerminalMessage| is_card(m) && text(m).contains("load test");
    player.until("a card that names the lock", locked).await;
    assert_eq!(world.aws.deployment_operations(&world.production_arn).len(), 0);
    player.say("bob", "/release unlock production").await;
    let ended = player.until("the end", |m| m.key == card.key && has_ended(m)).await;
    let release = player.release(&world, &ended).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&ended), world.bot.log());
    let voters: Vec<_> = release.votes.iter().map(|vote| vote.person.as_str()).collect();
    assert_eq!(voters, ["chen", "dora"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_start_nothing() {
    let world = world(None).await;
    let mut player = Player::new(&world, "mistakes");
    player.say("ana", "/deploy stagin").await;
    player.until_told("ana", "Did you mean /deploy staging? Nothing was started.").await;
    player.say("ana", "/deploy staging no-such-branch").await;
    let card = player.until_end().await;
    assert!(text(&card).contains("has no branch, tag or commit \"no-such-branch\""), "{}", text(&card));
    player.say("ana", "/deploy staging v1.7.3").await;
    let older = player.until_end_of_another(&[&card]).await;
    assert!(text(&older).contains("/rollback staging"), "an older commit is no deployment:\n{}", text(&older));
    player.say("ana", "/release help").await;
    player.until_told("ana", "/release lock").await;
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgresql_it_plays_on_sqlite() {
    let options = Options { pace: Pace::Fast, sqlite: true, ..Options::default() };
    let world = World::new(options).await.unwrap();
    assert!(world.remarks.iter().any(|remark| remark.contains("SQLite")), "{:?}", world.remarks);
    let mut player = Player::new(&world, "sqlite");
    player.say("ana", "/deploy staging --reason \"it is time\"").await;
    let card = player.until_end().await;
    let release = player.release(&world, &card).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&card), world.bot.log());
    assert!(text(&card).contains("it is time"), "{}", text(&card));
    let planned = release.plan.unwrap().migrations;
    assert!(planned.iter().all(|m| m.not_run.is_none()) && !planned.is_empty(), "{planned:?}");
    assert!(history_versions(&world.staging_database).await.contains(&planned[0].version));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_brings_back_what_ran_before() {
    let world = world(None).await;
    let mut player = Player::new(&world, "rollback");
    player.say("ana", "/rollback staging").await;
    player.until_told("ana", "There is nothing to go back to").await;
    player.say("ana", "/deploy staging v1.8.0~0").await;
    let unknown = player.until_end().await;
    player.say("ana", "/deploy staging feature/comment-threads").await;
    let first = player.until_end_of_another(&[&unknown]).await;
    player.say("ana", "/deploy staging").await;
    let second = player.until_end_of_another(&[&unknown, &first]).await;
    let (one, two) = (player.release(&world, &first).await, player.release(&world, &second).await);
    assert_eq!((&one.phase, &two.phase), (&Phase::Succeeded, &Phase::Succeeded), "{}\n{}", text(&first), text(&second));
    player.say("ana", "/rollback staging --reason \"login is broken\"").await;
    let back = player.until_end_of_another(&[&unknown, &first, &second]).await;
    let release = player.release(&world, &back).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&back), world.bot.log());
    assert_eq!(release.commit, one.commit);
    let running = world.aws.running_image(&world.staging_arn).unwrap();
    assert_eq!(running, one.plan.unwrap().image.pinned(), "the image of the first release runs again");
    player.say("ana", "/rollback staging --reason \"again\"").await;
    player.watch_until_answers(2).await;
    assert_eq!(player.keys(CHANNEL, "release/").len(), 4, "going back twice never goes forward again");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_and_readiness_say_what_can_be_reached() {
    let world = world(None).await;
    let checked = world.bot.run(&["check"]).unwrap();
    let says = String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{says}");
    for part in ["policies", "GitHub acme/goals", "ECR", "app-runner goals staging", "secret goals/production"] {
        assert!(says.contains(part), "{part} is missing:\n{says}");
    }
    let get = async |path: &str| {
        let answer = reqwest::get(format!("{}{path}", world.url)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(get("/healthz").await, (200, "ok\n".to_owned()));
    let (status, body) = get("/readyz").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(get("/api/v1/terminal/messages").await.0, 401, "the API needs its token");
    world.aws.inject(slipway_sandbox::aws::Fault {
        action: "AppRunner.DescribeService".into(),
        kind: slipway_sandbox::aws::FaultKind::Status503,
        times: 100,
    });
    let checked = world.bot.run(&["check"]).unwrap();
    assert_eq!(checked.status.code(), Some(1), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_read_again_without_a_restart() {
    let world = world(None).await;
    let mut player = Player::new(&world, "policies");
    let reload = || {
        let output = world.bot.run(&["policy", "reload"]).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, _) = reload();
    assert_eq!(code, Some(0));
    assert!(out.starts_with("Nothing has changed"), "{out}");
    let more = world.config.with_file_name("policies").join("more.cedar");
    std::fs::write(
        &more,
        "@id(\"closed\")\n@why(\"The shop is closed.\")\nforbid (principal, action == Action::\"exekute\", resource);",
    )
    .unwrap();
    let (code, _, said) = reload();
    assert_eq!(code, Some(1));
    assert!(said.contains("more.cedar:3:") && said.contains("Those in force stay in force."), "{said}");
    let rule = std::fs::read_to_string(&more).unwrap().replace("exekute", "execute");
    std::fs::write(&more, rule).unwrap();
    let (code, out, said) = reload();
    assert_eq!(code, Some(0), "{said}");
    assert!(out.contains("What waits is judged again."), "{out}");
    player.say("ana", "/deploy staging").await;
    let closed = |m: &slipway::store::TerminalMessage| is_card(m) && text(m).contains("The shop is closed.");
    player.until("a card that names the new rule", closed).await;
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 0);
    std::fs::remove_file(&more).unwrap();
    reload();
    let ended = player.until_end().await;
    assert_eq!(player.release(&world, &ended).await.phase, Phase::Succeeded, "{}", text(&ended));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_without_credentials_and_says_what_is_missing() {
    let mut world = world(None).await;
    world.bot.kill().unwrap();
    world.bot.unset("GITHUB_TOKEN");
    world.bot.unset("SLIPWAY_API_TOKEN");
    world.bot.start().await.unwrap();
    let answer = reqwest::get(format!("{}/readyz", world.url)).await.unwrap();
    assert_eq!(answer.status().as_u16(), 503);
    let body = answer.text().await.unwrap();
    assert!(body.contains("GitHub acme/goals") && body.contains("GITHUB_TOKEN"), "{body}");
    let closed = reqwest::get(format!("{}/api/v1/terminal/messages", world.url)).await.unwrap();
    assert_eq!(closed.status().as_u16(), 403, "without a token the API is closed, not open");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_release_at_a_time_and_the_second_goes_on_by_itself() {
    let world = world(None).await;
    let mut player = Player::new(&world, "queue");
    player.say("ana", "/deploy staging feature/comment-threads").await;
    player.say("eve", "/deploy staging").await;
    let first = player.until_end().await;
    let second = player.until_end_of_another(&[&first]).await;
    let (one, two) = (player.release(&world, &first).await, player.release(&world, &second).await);
    let shown = format!("{}\n{}\n{}", text(&first), text(&second), world.bot.log());
    assert_eq!((&one.phase, &two.phase), (&Phase::Succeeded, &Phase::Succeeded), "{shown}");
    assert!(two.started_at.unwrap() >= one.ended_at.unwrap(), "the second waited for the first: {shown}");
    assert_eq!(two.plan.unwrap().base, one.commit, "its plan was made again from what the first left: {shown}");
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_before_anything_began_starts_nothing() {
    let world = world(None).await;
    let mut player = Player::new(&world, "cancel");
    player.say("ana", "/deploy production").await;
    let card = player.until_asked_for_approval().await;
    player.say("eve", "/release cancel").await;
    player.until_told("eve", "Not allowed").await;
    player.say("ana", "/release cancel").await;
    let ended = player.until("the end", |m| m.key == card.key && has_ended(m)).await;
    assert!(text(&ended).contains("cancelled"), "{}", text(&ended));
    player.react("bob", &ended, "✅").await;
    player.until_told("bob", "Your vote was not taken").await;
    assert_eq!(player.release(&world, &ended).await.phase, Phase::Cancelled);
    assert_eq!(world.aws.deployment_operations(&world.production_arn).len(), 0);
}
