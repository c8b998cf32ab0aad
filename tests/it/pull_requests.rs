//! The migrations of open pull requests, linted by the whole bot.

use crate::support::{Player, text};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use slipway_core::release::Phase;
use slipway_sandbox::github::sample::{SampleOptions, propose};
use slipway_sandbox::github::{CommitStatus, Fault, FaultKind, NewPull, NewReview, Permission};
use slipway_sandbox::world::{Options, Pace, World};
use std::time::Duration;
use tokio::time::Instant;

const SECRET: &str = "It's a Secret to Everybody";
const DROPS: &str =
    "-- +goose Up\nALTER TABLE users DROP COLUMN bio;\n-- +goose Down\nALTER TABLE users ADD COLUMN bio text;\n";

/// One whose bot lints pull requests, and looks at them so often.
async fn world(poll_ms: u64) -> World {
    let mut world = World::new(Options { pace: Pace::Fast, sqlite: true, ..Options::default() }).await.unwrap();
    let before = std::fs::read_to_string(&world.config).unwrap();
    let section = format!("[service.{}]\n", world.service);
    let after = before.replacen(&section, &format!("{section}lint_pull_requests = true\n"), 1).replacen(
        "poll_ms = 100\n",
        &format!("poll_ms = {poll_ms}\n"),
        1,
    );
    assert_ne!(before, after, "{before}");
    std::fs::write(&world.config, after).unwrap();
    world.bot.set("GITHUB_WEBHOOK_SECRET", SECRET);
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
    world
}

/// Puts one file on the branch of a pull request. Gives its head.
fn pushes(world: &World, number: u64, file: (&str, &str)) -> String {
    let options = SampleOptions::new(jiff::Timestamp::now());
    propose(&world.repository, &options, &format!("change-{number}"), file).unwrap()
}

/// Opens a pull request from a fork with one file on its branch. Gives its head.
fn opens(world: &World, number: u64, file: (&str, &str)) -> String {
    let head = pushes(world, number, file);
    let (title, author) = ("Something".to_owned(), "eve-dev".to_owned());
    world.github.open_pull_of_fork(NewPull { number, title, author, branch: format!("change-{number}") }, "mallory");
    head
}

/// The newest status of a commit, once there is one.
async fn until_said(world: &World, commit: &str) -> CommitStatus {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut terminal = Player::new(world, "said");
    loop {
        if let Some((context, status)) = world.github.said_of(commit).pop() {
            assert_eq!(context, "slipway/migrations");
            return status;
        }
        assert!(Instant::now() < deadline, "nothing was said\n{}", world.bot.log());
        terminal.glance().await;
    }
}

fn words(status: &CommitStatus) -> String {
    format!("{} {}", status.state, status.description.as_deref().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_head_is_said_once_and_holds_nothing_up() {
    let mut world = world(100).await;
    let head = opens(&world, 7, ("migrations/20251201000000_bio.sql", DROPS));
    let other = opens(&world, 8, ("README.md", "goals\n"));
    let late = opens(&world, 9, ("migrations/20250801000000_late.sql", "-- +goose Up\nSELECT 1;\n"));
    let said = [until_said(&world, &head).await, until_said(&world, &other).await, until_said(&world, &late).await];
    expect_test::expect![[r#"
        success 1 warning in 1 migration · 20251201000000_bio.sql:2 ban-drop-column
        success changes no migrations
        failure 1 error in 1 migration · 20250801000000_late.sql:1 late-version"#]]
    .assert_eq(&said.each_ref().map(words).join("\n"));
    assert_eq!(said[0].target_url.as_deref(), Some(format!("{}/", world.url).as_str()));
    // A new head is linted by itself, and a new start says nothing again.
    let answer =
        "-- +goose Up\n-- slipway:allow ban-drop-column nobody reads it any more\nALTER TABLE users DROP COLUMN bio;\n";
    let head_2 = pushes(&world, 7, ("migrations/20251201000000_bio.sql", answer));
    expect_test::expect!["success 1 migration, no findings"].assert_eq(&words(&until_said(&world, &head_2).await));
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
    let head_3 = opens(&world, 10, ("migrations/20251202000000_x.sql", "-- +goose Up\nCREATE TABLE x (id int);\n"));
    expect_test::expect!["success 1 migration, no findings"].assert_eq(&words(&until_said(&world, &head_3).await));
    for commit in [&head, &head_2, &other, &late, &head_3] {
        assert_eq!(world.github.said_of(commit).len(), 1, "{commit}");
    }
    // It is said of heads alone, and no release waits for it.
    let mut player = Player::new(&world, "free");
    player.say("ana", "/deploy staging").await;
    let card = player.until_end().await;
    assert_eq!(player.release(&world, &card).await.phase, Phase::Succeeded, "{}", text(&card));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_seen_by_the_lint_and_by_what_ships_it_alike() {
    let world = world(100).await;
    let head = opens(&world, 7, ("README.md", "goals\n"));
    until_said(&world, &head).await;
    let mut player = Player::new(&world, "alike");
    player.say("ana", "/release ship 7").await;
    let waits_for = |head: &str| format!("waits for #7: 1 approval of {} missing", &head[..7]);
    let first = waits_for(&head);
    player.until("the first head", |m| text(m).contains(&first)).await;
    let review = || NewReview { who: "bob-dev", state: "APPROVED", association: "MEMBER" };
    let head_2 = pushes(&world, 7, ("README.md", "Goals\n"));
    until_said(&world, &head_2).await;
    let second = waits_for(&head_2);
    player.until("the second head", |m| text(m).contains(&second)).await;
    world.github.mark_green(&head_2);
    world.github.review(7, review()).await.unwrap();
    let card = player.until_end().await;
    assert_eq!(player.release(&world, &card).await.phase, Phase::Succeeded, "{}", text(&card));
    let token = slipway_deploy::github::Auth::Token(world.github_token().into());
    let github = slipway_deploy::github::GitHub::new(&world.github.api_url, token).unwrap();
    let repo = slipway_deploy::github::RepoName::parse("acme/goals").unwrap();
    assert_eq!(github.open_pull_requests(&repo).await.unwrap(), [], "what is merged is open no more");
    let changed = github.changed_files(&repo, 7).await.unwrap();
    assert_eq!(changed.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["README.md"], "and keeps its files");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_branch_gets_meanwhile_is_counted_in() {
    let world = world(100).await;
    let head = opens(&world, 7, ("migrations/20251201000000_x.sql", "-- +goose Up\nCREATE TABLE x (id int);\n"));
    assert_eq!(until_said(&world, &head).await.state, "success");
    // Somebody else's is merged first, with a later number.
    let options = SampleOptions::new(jiff::Timestamp::now());
    let newer = ("migrations/20251203000000_y.sql", "-- +goose Up\nCREATE TABLE y (id int);\n");
    propose(&world.repository, &options, "main", newer).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut terminal = Player::new(&world, "meanwhile");
    while world.github.said_of(&head).len() < 2 {
        assert!(Instant::now() < deadline, "{}", world.bot.log());
        terminal.glance().await;
    }
    let (_, last) = world.github.said_of(&head).pop().unwrap();
    assert!(
        words(&last).starts_with("failure 1 error in 1 migration · 20251201000000_x.sql:1 late-version"),
        "{last:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_makes_the_look_come_at_once() {
    // So slow that without the webhook it would be looked at much later.
    let world = world(600_000).await;
    // The first look has found nothing.
    let mut terminal = Player::new(&world, "first");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !world.github.requests().iter().any(|line| line.contains("/pulls?")) {
        assert!(Instant::now() < deadline, "{}", world.bot.log());
        terminal.glance().await;
    }
    let head = opens(&world, 7, ("README.md", "goals\n"));
    let body = "{\"action\":\"opened\",\"number\":7,\"repository\":{\"full_name\":\"acme/goals\"}}";
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let request = reqwest::Client::new()
        .post(format!("{}/github/webhooks", world.url))
        .header("content-type", "application/json")
        .header("x-github-event", "pull_request")
        .header("x-github-delivery", "opened-7")
        .header("x-hub-signature-256", format!("sha256={}", hex::encode(mac.finalize().into_bytes())))
        .body(body);
    assert_eq!(request.send().await.unwrap().status().as_u16(), 204);
    assert_eq!(words(&until_said(&world, &head).await), "success changes no migrations");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_and_a_lost_answer_leave_one_status() {
    let world = world(100).await;
    world.github.inject(Fault { route: "/pulls?".into(), kind: FaultKind::Status(502), times: 2 });
    let lost =
        Fault { route: "POST /repos/acme/goals/statuses/".into(), kind: FaultKind::LostAnswerAfterAct, times: 1 };
    world.github.inject(lost);
    let head = opens(&world, 7, ("README.md", "goals\n"));
    let other = {
        until_said(&world, &head).await;
        opens(&world, 8, ("README.md", "Goals\n"))
    };
    until_said(&world, &other).await;
    assert_eq!(world.github.said_of(&head).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_looked_into_keeps_no_other_from_being_said() {
    let mut world = world(100).await;
    world.bot.kill().unwrap();
    let others = [6, 8].map(|number| opens(&world, number, ("README.md", &format!("goals {number}\n"))));
    let head = opens(&world, 7, ("README.md", "goals 7\n"));
    let fault = Fault { route: "/pulls/7/files".into(), kind: FaultKind::Status(404), times: u32::MAX };
    world.github.inject(fault);
    world.bot.start().await.unwrap();
    for other in &others {
        assert_eq!(words(&until_said(&world, other).await), "success changes no migrations");
    }
    assert_eq!(world.github.said_of(&head).len(), 0);
    let log = world.bot.log();
    assert_eq!(log.matches("the migrations of a pull request are not shown").count(), 1, "{log}");
    // It rests by itself, until it has another head.
    world.github.heal();
    let head_2 = pushes(&world, 7, ("README.md", "Goals 7\n"));
    assert_eq!(words(&until_said(&world, &head_2).await), "success changes no migrations");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_logged_once() {
    let mut world = world(100).await;
    world.bot.kill().unwrap();
    world.github.set_pull_access(Permission::Refused);
    opens(&world, 7, ("README.md", "goals\n"));
    let asked = |world: &World| world.github.requests().iter().filter(|line| line.contains("/pulls?")).count();
    let before = asked(&world);
    world.bot.start().await.unwrap();
    let mut player = Player::new(&world, "refused");
    player.say("ana", "/deploy staging").await;
    let card = player.until_end().await;
    assert_eq!(player.release(&world, &card).await.phase, Phase::Succeeded, "{}", text(&card));
    let deadline = Instant::now() + Duration::from_secs(60);
    while !world.bot.log().contains("are not shown") {
        assert!(Instant::now() < deadline, "{}", world.bot.log());
        player.glance().await;
    }
    assert_eq!(world.bot.log().matches("are not shown").count(), 1, "{}", world.bot.log());
    assert_eq!(asked(&world), before + 1, "GitHub is left alone");
}
