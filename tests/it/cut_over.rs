//! Ways around the gate, the image's scan, and the tag that is moved after a release: from the registry's client up to
//! the real binary.

mod check;
mod plan;
mod promote;
mod registry;

use sha2::{Digest as _, Sha256};
use slipway_core::release::Release;
use slipway_sandbox::aws::{Fault, FaultKind};
use slipway_sandbox::github::sample;
use slipway_sandbox::world::{Options, Pace, World};

use crate::support::{Player, text};

/// Migrates and deploys by itself.
const BYPASSING: &str = "name: ship
on:
  push:
    branches: [main]
jobs:
  ship:
    runs-on: ubuntu-latest
    steps:
      - run: goose -dir migrations up
        env:
          GOOSE_DBSTRING: ${{ secrets.GOOSE_DBSTRING }}
      - run: aws apprunner start-deployment --service-arn \"$ARN\"
      - run: docker push \"$REGISTRY/goals:latest\"
";

async fn world() -> World {
    slipway_deploy::install_crypto_provider();
    World::new(Options { pace: Pace::Fast, sqlite: true, ..Options::default() }).await.unwrap()
}

/// Somebody merges a file into the default branch; gives the commit.
fn merge(world: &World, path: &str, content: &str) -> String {
    let time = world.git(&["log", "-1", "--format=%ct", "main"]).trim().parse::<i64>().unwrap() + 1;
    let stream = format!(
        "commit refs/heads/main\ncommitter Eve <eve@acme.dev> {time} +0000\ndata 9\nShip it.\n\nfrom \
         refs/heads/main^0\nM 100644 inline {path}\ndata {}\n{content}\n",
        content.len()
    );
    sample::import(&world.repository, &stream).unwrap();
    world.git(&["rev-parse", "main"]).trim().to_owned()
}

/// The digest of the image that the sandbox builds of a commit.
fn image_of(commit: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(commit)))
}

fn inject(world: &World, action: &str, kind: FaultKind, times: u32) {
    world.aws.inject(Fault { action: action.to_owned(), kind, times });
}

/// Deploys to staging and gives the card and the state at the end.
async fn deploy(world: &World) -> (String, Release) {
    let mut player = Player::new(world, "cut over");
    player.say("ana", "/deploy staging").await;
    let card = player.until_end().await;
    let release = player.release(world, &card).await;
    (text(&card), release)
}

/// One line, however it was wrapped.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
