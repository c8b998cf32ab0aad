//! The whole bot as a GitHub App: what it signs and what its installation's token is given for.

use crate::support::{Player, text};
use slipway_core::release::Phase;
use slipway_sandbox::github::sample::{SampleOptions, propose};
use slipway_sandbox::github::{MadeCheckRun, NewPull, NewReview};
use slipway_sandbox::world::{Options, Pace, World};
use std::time::Duration;
use tokio::time::Instant;

const APP_ID: u64 = 314_159;
const PERMISSIONS: [(&str, &str); 7] = [
    ("actions", "write"),
    ("checks", "write"),
    ("contents", "write"),
    ("deployments", "write"),
    ("metadata", "read"),
    ("pull_requests", "write"),
    ("statuses", "write"),
];
const DROPS: &str =
    "-- +goose Up\nALTER TABLE users DROP COLUMN bio;\n-- +goose Down\nALTER TABLE users ADD COLUMN bio text;\n";
const ALLOWED: &str = "-- +goose Up\n-- slipway:allow ban-drop-column nobody reads it any more\nALTER TABLE users DROP COLUMN bio;\n\
    -- +goose Down\nALTER TABLE users ADD COLUMN bio text;\n";

/// One whose bot has an App's key and no token, and lints pull requests.
async fn world() -> World {
    let mut world = World::new(Options { pace: Pace::Fast, sqlite: true, ..Options::default() }).await.unwrap();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    world.github.install_app(APP_ID, key.public_key_raw(), &PERMISSIONS);
    let before = std::fs::read_to_string(&world.config).unwrap();
    let section = format!("[service.{}]\n", world.service);
    let after = before.replacen(&section, &format!("{section}lint_pull_requests = true\n"), 1);
    assert_ne!(before, after, "{before}");
    std::fs::write(&world.config, after).unwrap();
    world.bot.unset("GITHUB_TOKEN");
    world.bot.set("GITHUB_APP_ID", &APP_ID.to_string());
    world.bot.set("GITHUB_APP_PRIVATE_KEY", &key.serialize_pem());
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
    world
}

fn pushes(world: &World, file: (&str, &str)) -> String {
    propose(&world.repository, &SampleOptions::new(jiff::Timestamp::now()), "no-bio", file).unwrap()
}

/// The check run of a commit, once there is one.
async fn until_made(world: &World, player: &mut Player, commit: &str) -> MadeCheckRun {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(made) = world.github.made_check_runs().into_iter().rfind(|made| made.commit == commit) {
            return made;
        }
        assert!(Instant::now() < deadline, "no check run was made\n{}", world.bot.log());
        player.glance().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_gets_its_check_run_with_places_and_is_shipped() {
    let mut world = world().await;
    let file = "migrations/20251201000000_bio.sql";
    let head = pushes(&world, (file, DROPS));
    let (title, author) = ("No bio".to_owned(), "eve-dev".to_owned());
    world.github.open_pull(NewPull { number: 51, title, author, branch: "no-bio".to_owned() });
    let mut player = Player::new(&world, "app");
    let made = until_made(&world, &mut player, &head).await;
    assert_eq!((made.name.as_str(), made.status.as_str()), ("slipway/migrations", "completed"));
    assert_eq!(made.conclusion.as_deref(), Some("neutral"), "{made:?}");
    let title = "1 warning in 1 migration · 20251201000000_bio.sql:2 ban-drop-column";
    assert_eq!(made.title.as_deref(), Some(title), "{made:?}");
    let places: Vec<_> = made
        .annotations
        .iter()
        .map(|place| {
            let word = |member: &str| place[member].as_str().unwrap().to_owned();
            format!("{}:{} {} {}", word("path"), place["start_line"], word("annotation_level"), word("title"))
        })
        .collect();
    assert_eq!(places, [format!("{file}:2 warning ban-drop-column")]);
    // What answers the warning is another head with a check run of its own; a new start makes none again.
    let head_2 = pushes(&world, (file, ALLOWED));
    let made = until_made(&world, &mut player, &head_2).await;
    assert_eq!((made.conclusion.as_deref(), made.annotations.len()), (Some("success"), 0), "{made:?}");
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
    // It is shipped with the same credentials: GitHub tells an App, too, who may push.
    world.github.mark_green(&head_2);
    let review = NewReview { who: "bob-dev", state: "APPROVED", association: "MEMBER" };
    world.github.review(51, review).await.unwrap();
    player.say("ana", "/release ship 51").await;
    let card = player.until_end().await;
    assert_eq!(player.release(&world, &card).await.phase, Phase::Succeeded, "{}\n{}", text(&card), world.bot.log());
    assert!(world.github.merge_of(51).is_some());
    let commits: Vec<_> = world.github.made_check_runs().into_iter().map(|made| made.commit).collect();
    assert_eq!(commits, [head.clone(), head_2.clone()], "one of each head");
    for head in [&head, &head_2] {
        let said = world.github.said_of(head);
        assert!(said.iter().all(|(context, _)| context != "slipway/migrations"), "and no status beside it: {said:?}");
    }
}
