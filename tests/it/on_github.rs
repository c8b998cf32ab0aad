//! What GitHub shows of the whole bot's releases, and what its webhooks do.

use crate::support::{Player, text};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use slipway_core::message::Verb;
use slipway_core::release::Phase;
use slipway_sandbox::github::{CiMode, CommitStatus, Deployment, Fault, FaultKind, NewPull, NewReview, Permission};
use slipway_sandbox::world::{Options, Pace, World};
use std::time::Duration;

const SECRET: &str = "It's a Secret to Everybody";
/// So seldom does a bot look that nothing but a webhook makes it look before a test is over.
const SELDOM: &str = "poll_ms = 600000\n";
/// How often GitHub tells of something, at most.
const TOLD_LIMIT: usize = 100;

async fn world() -> World {
    World::new(Options { pace: Pace::Fast, ..Options::default() }).await.unwrap()
}

/// Changes the configuration and starts the bot again.
async fn with(world: &mut World, from: &str, to: &str) {
    let before = std::fs::read_to_string(&world.config).unwrap();
    let after = before.replacen(from, to, 1);
    assert_ne!(before, after, "{before}");
    std::fs::write(&world.config, after).unwrap();
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
}

/// The deployments, once the newest says that.
async fn until_says(world: &World, state: &str) -> Vec<Deployment> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    let mut terminal = Player::new(world, "shown");
    loop {
        let all = world.github.deployments();
        if all.last().and_then(|made| made.statuses.last()).is_some_and(|last| last.state == state) {
            return all;
        }
        assert!(tokio::time::Instant::now() < deadline, "{all:?}\n{}", world.bot.log());
        terminal.glance().await;
    }
}

/// The newest status that was written on the head, once it says that.
async fn until_commit_says(world: &World, context: &str, state: &str) -> CommitStatus {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    let mut terminal = Player::new(world, "said");
    loop {
        let said = world.github.said_of(&world.head);
        if let Some((about, last)) = said.last()
            && about == context
            && last.state == state
        {
            return last.clone();
        }
        assert!(tokio::time::Instant::now() < deadline, "{said:?}\n{}", world.bot.log());
        terminal.glance().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn github_shows_each_release_and_its_end() {
    let world = world().await;
    let mut player = Player::new(&world, "shown");
    player.say("ana", "/deploy staging").await;
    let card = player.until_end().await;
    let release = player.release(&world, &card).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}", text(&card));
    let made = until_says(&world, "success").await;
    assert_eq!((made.len(), made[0].environment.as_str(), &made[0].commit), (1, "staging", &world.head));
    assert_eq!(made[0].payload["slipway_release"], release.id.as_str());
    let page = format!("{}/releases/{}", world.url, release.id);
    assert_eq!(made[0].statuses.last().unwrap().log_url.as_deref(), Some(page.as_str()));
    let last = until_commit_says(&world, "slipway/staging", "success").await;
    assert_eq!(last.description, Some(format!("{} is live", release.id.short())));
    // What waits for people is told of the commit alone: a deployment would ask others to deploy. And what Slipway says of
    // the commit is no check of it.
    player.say("ana", "/deploy production").await;
    let asks = player.until_asked_for_approval().await;
    until_commit_says(&world, "slipway/production", "pending").await;
    assert!(text(&asks).contains("CI green 2 of 2"), "{}", text(&asks));
    player.say("ana", "/release cancel").await;
    until_commit_says(&world, "slipway/production", "failure").await;
    assert_eq!(world.github.deployments().len(), 1, "the one to staging");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_github_does_not_take_holds_no_release_up() {
    let world = world().await;
    world.github.set_reporting(Permission::Refused, Permission::Hidden);
    let mut player = Player::new(&world, "refused");
    player.say("ana", "/deploy staging").await;
    let card = player.until_end().await;
    assert_eq!(player.release(&world, &card).await.phase, Phase::Succeeded, "{}", text(&card));
    assert!(world.github.deployments().is_empty() && world.github.said_of(&world.head).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_and_a_storm_leave_one_deployment() {
    let world = world().await;
    let fault = |route: &str, kind, times| Fault { route: route.into(), kind, times };
    world.github.inject(fault("POST /repos/acme/goals/deployments", FaultKind::LostAnswerAfterAct, 1));
    world.github.inject(fault("/statuses", FaultKind::Status(500), 3));
    let mut player = Player::new(&world, "storm");
    player.say("ana", "/deploy staging").await;
    let card = player.until_end().await;
    assert_eq!(player.release(&world, &card).await.phase, Phase::Succeeded, "{}", text(&card));
    let made = until_says(&world, "success").await;
    assert_eq!(made.len(), 1, "{made:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_switched_off() {
    let mut world = world().await;
    with(&mut world, "[github]\n", "[github]\ndeployments = false\n").await;
    let mut player = Player::new(&world, "off");
    player.say("ana", "/deploy staging").await;
    let card = player.until_end().await;
    assert_eq!(player.release(&world, &card).await.phase, Phase::Succeeded, "{}", text(&card));
    let asked: Vec<_> = world.github.requests().into_iter().filter(|line| line.contains("/deployments")).collect();
    assert_eq!(asked, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_check_that_has_not_run_is_named_and_waited_for() {
    let mut world = world().await;
    // So that it is soon looked at again.
    with(&mut world, "[server]\n", "[server]\nfact_age_max_s = 3\n").await;
    let staging = format!("[service.{}.environment.staging]\n", world.service);
    with(&mut world, &staging, &format!("{staging}checks = [\"test\", \"scan\"]\n")).await;
    let mut player = Player::new(&world, "required");
    player.say("ana", "/deploy staging").await;
    let named = |m: &slipway::store::TerminalMessage| text(m).contains("▲ CI: required check scan has not run");
    player.until("the missing check", named).await;
    world.github.set_status(&world.head, "scan", "success");
    let card = player.until_end().await;
    assert_eq!(player.release(&world, &card).await.phase, Phase::Succeeded, "{}", text(&card));
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_jobs_are_run_again_by_a_button_and_followed() {
    for lost in [false, true] {
        let world = world().await;
        world.github.set_ci(CiMode::RedTest);
        let mut player = Player::new(&world, "rerun");
        player.say("ana", "/deploy staging").await;
        let red = player.until_end().await;
        assert!(text(&red).contains("[Re-run failed jobs]") && text(&red).contains("--rerun"), "{}", text(&red));
        assert!(text(&red).contains("TestLikesAreCountedOnce"), "the log's tail: {}", text(&red));
        world.github.set_ci(CiMode::Green);
        if lost {
            let (route, kind) = ("/rerun-failed-jobs".to_owned(), FaultKind::LostAnswerAfterAct);
            world.github.inject(Fault { route, kind, times: 1 });
        }
        player.press("ana", &red, Verb::Rerun).await;
        let card = player.until_end_of_another(&[&red]).await;
        let release = player.release(&world, &card).await;
        assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&card), world.bot.log());
        assert_eq!((world.github.attempts(&world.head), world.github.dispatches().len()), (2, 1), "the same run");
        player.say("ana", &format!("/release retry {} --rerun", release.id.short())).await;
        player.until_told("ana", "did not fail in CI: there are no jobs to run again").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_run_again_says_why() {
    let world = world().await;
    world.github.set_ci(CiMode::RedTest);
    let mut player = Player::new(&world, "too-old");
    player.say("ana", "/deploy staging").await;
    let red = player.until_end().await;
    world.github.inject(Fault { route: "/rerun-failed-jobs".into(), kind: FaultKind::Status(403), times: 1 });
    player.say("ana", "/release retry --rerun").await;
    let card = player.until_end_of_another(&[&red]).await;
    assert!(text(&card).contains("GitHub does not allow this: running the failed jobs"), "{}", text(&card));
    assert_eq!(world.github.attempts(&world.head), 1);
}

fn signed(body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Posts a webhook, signed unless another signature is given, and gives the status.
async fn post(world: &World, event: &str, delivery: &str, body: &str, signature: Option<&str>) -> u16 {
    let request = reqwest::Client::new()
        .post(format!("{}/github/webhooks", world.url))
        .header("content-type", "application/json")
        .header("x-github-event", event)
        .header("x-github-delivery", delivery)
        .header("x-hub-signature-256", signature.map_or_else(|| signed(body), str::to_owned))
        .body(body.to_owned());
    request.send().await.unwrap().status().as_u16()
}

/// GitHub tells of each of its jobs, until the card says these words.
async fn told_until(world: &World, player: &mut Player, body: &str, words: &str) {
    for told in 0..TOLD_LIMIT {
        assert_eq!(post(world, "workflow_run", &format!("{}-{told}", words.len()), body, None).await, 204);
        player.watch_for(Duration::from_millis(200)).await;
        if player.shows(words) {
            return;
        }
    }
    panic!("\"{words}\" was not to be seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_makes_a_look_come_earlier_and_nothing_else() {
    let mut world = world().await;
    let body = "{\"action\":\"completed\",\"repository\":{\"full_name\":\"Acme/Goals\"}}";
    assert_eq!(post(&world, "workflow_run", "a", body, None).await, 503, "without a secret none is taken");
    world.bot.set("GITHUB_WEBHOOK_SECRET", SECRET);
    with(&mut world, "poll_ms = 100\n", SELDOM).await;
    assert_eq!(post(&world, "push", "b", body, Some("sha256=00")).await, 401);
    assert_eq!(post(&world, "push", "b", body, Some(&signed("another"))).await, 401);
    assert_eq!(post(&world, "ping", "c", "{\"zen\":\"\"}", None).await, 200);
    assert_eq!(post(&world, "deployment_status", "d", body, None).await, 202, "not needed");
    assert_eq!(post(&world, "push", "e", "{\"repository\":{\"full_name\":\"acme/other\"}}", None).await, 202);
    assert_eq!(post(&world, "push", "f", "no JSON", None).await, 400);
    world.github.hold(&world.head);
    let mut player = Player::new(&world, "woken");
    player.say("ana", "/deploy staging").await;
    // The first look may come before anything runs, and one after a webhook before it has ended.
    told_until(&world, &mut player, body, "jobs done").await;
    world.github.let_go(&world.head);
    let looks = || world.github.requests().iter().filter(|line| line.contains("/check-runs")).count();
    let before = looks();
    told_until(&world, &mut player, body, "CI green 2 of 2").await;
    assert!(looks() > before);
    assert_eq!(post(&world, "workflow_run", "9-0", body, None).await, 204, "twice is once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_a_review_makes_a_pull_request_be_looked_at() {
    let mut world = world().await;
    world.bot.set("GITHUB_WEBHOOK_SECRET", SECRET);
    with(&mut world, "poll_ms = 100\n", SELDOM).await;
    let (title, author, branch) = ("Threads".to_owned(), "eve-dev".to_owned(), "feature/comment-threads".to_owned());
    world.github.mark_green(&world.git(&["rev-parse", &branch]));
    world.github.open_pull(NewPull { number: 123, title, author, branch });
    let mut player = Player::new(&world, "reviewed");
    player.say("ana", "/release ship 123").await;
    let waits = |m: &slipway::store::TerminalMessage| text(m).contains("waits for #123: 1 approval of ");
    player.until("a card that waits for a review", waits).await;
    let review = NewReview { who: "bob-dev", state: "APPROVED", association: "MEMBER" };
    world.github.review(123, review).await.unwrap();
    let body = "{\"repository\":{\"full_name\":\"acme/goals\"}}";
    // GitHub finds out whether it can be merged after it was looked at for the first time.
    for (event, delivery) in [("pull_request", "p"), ("pull_request_review", "r")] {
        assert_eq!(post(&world, event, delivery, body, None).await, 204);
    }
    player.until("the merge", |m| text(m).contains("· merged as ")).await;
}
