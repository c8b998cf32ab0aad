//! Builds on servers that do not say which run a dispatch has started: the run has the release's id in its name.

use crate::support::{Player, text};
use slipway_core::ids::{CommitSha, ReleaseId};
use slipway_core::release::Phase;
use slipway_deploy::github::{Auth, GitHub, GitHubError, RepoName};
use slipway_sandbox::github::sample::{SampleOptions, propose};
use slipway_sandbox::github::{DispatchAnswer, Fault, FaultKind};
use slipway_sandbox::world::{Options, Pace, World};

const WORKFLOW: &str = "name: build
run-name: Build ${{ inputs.slipway }}
on:
  workflow_dispatch:
    inputs:
      slipway:
        type: string
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: go test ./...
";

/// One whose newest commit has such a workflow and was not built.
async fn world() -> (World, String) {
    let world = World::new(Options { pace: Pace::Fast, sqlite: true, ..Options::default() }).await.unwrap();
    let options = SampleOptions::new(jiff::Timestamp::now());
    let head = propose(&world.repository, &options, "main", (".github/workflows/build.yaml", WORKFLOW)).unwrap();
    world.github.set_dispatch_answer(DispatchAnswer::NoContent);
    (world, head)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_run_with_the_releases_id_is_followed_and_no_other() {
    for lost in [false, true] {
        let (world, head) = world().await;
        if lost {
            let route = "/dispatches".into();
            world.github.inject(Fault { route, kind: FaultKind::LostAnswerAfterAct, times: 1 });
        }
        let mut player = Player::new(&world, "named");
        player.say("ana", "/deploy staging").await;
        let card = player.until_end().await;
        let release = player.release(&world, &card).await;
        assert_eq!(release.phase, Phase::Succeeded, "{}", text(&card));
        let made = world.github.dispatches();
        assert_eq!((made.len(), &made[0].commit, release.build_run), (1, &head, Some(made[0].run_id)), "lost: {lost}");
        let sent = world.github.exchanges().into_iter().find(|exchange| exchange.call.ends_with("/dispatches"));
        // Of what was lost there is no exchange.
        assert!(lost || sent.unwrap().request["inputs"]["slipway"] == release.id.as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_the_same_commit_and_second_are_told_apart() {
    let (world, head) = world().await;
    slipway_deploy::install_crypto_provider();
    let token = Auth::Token(world.github_token().to_owned().into());
    let github = GitHub::new(&world.github.api_url, token).unwrap();
    let (repo, commit) = (RepoName::parse("acme/goals").unwrap(), CommitSha::parse(&head).unwrap());
    let ids = ["01JDE5Q7ZK3V8H2M4N6P8R0T2W", "01JDE5Q7ZK3V8H2M4N6P8R0T2X"].map(ReleaseId::from);
    for id in &ids {
        let input = Some(slipway_core::workflow::INPUT);
        let sent = github.dispatch_with(&repo, "build.yaml", &commit, id, Some("main"), input).await.unwrap();
        assert_eq!(sent.run_id, None);
    }
    for (id, made) in ids.iter().zip(world.github.dispatches()) {
        let found = github.find_named_run(&repo, "build.yaml", &commit, id).await.unwrap();
        assert_eq!(found, Some(made.run_id));
    }
    let input = Some("release");
    let refused = github.dispatch_with(&repo, "build.yaml", &commit, &ids[0], Some("main"), input).await.unwrap_err();
    assert!(matches!(refused, GitHubError::Refused { status: 422, .. }), "not declared: {refused}");
}
