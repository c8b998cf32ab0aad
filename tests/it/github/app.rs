//! A GitHub App: what it signs is checked with its real key, and its installation's tokens are used for the rest.

use slipway_deploy::github::{Auth, GitHub, GitHubError, RepoName};
use slipway_sandbox::github::sample::{self, SampleOptions};
use slipway_sandbox::github::{GitHubOptions, GitHubSandbox};

const APP_ID: u64 = 314_159;

fn app(api_url: &str, id: u64, key: &rcgen::KeyPair) -> GitHub {
    slipway_deploy::install_crypto_provider();
    GitHub::new(api_url, Auth::App { id, private_key: key.serialize_pem().into() }).unwrap()
}

#[tokio::test]
async fn an_app_signs_for_itself_and_acts_with_its_installations_token() {
    let folder = tempfile::tempdir().unwrap();
    let sample = sample::build(folder.path(), &SampleOptions::new(jiff::Timestamp::now())).unwrap();
    let sandbox = GitHubSandbox::start(GitHubOptions::new(folder.path(), "acme/goals", "ghp_unused")).await.unwrap();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let repo = RepoName::parse("acme/goals").unwrap();
    let given =
        [("actions", "write"), ("checks", "read"), ("contents", "read"), ("metadata", "read"), ("statuses", "read")];
    sandbox.install_app(APP_ID, key.public_key_raw(), &given);

    let github = app(&sandbox.api_url, APP_ID, &key);
    assert_eq!(github.default_branch(&repo).await.unwrap(), "main");
    github.checks(&repo, &slipway_core::ids::CommitSha::parse(&sample.head).unwrap()).await.unwrap();
    let tokens = sandbox.requests().iter().filter(|line| line.contains("/access_tokens")).count();
    assert_eq!(tokens, 1, "one token serves until it runs out");
    let access = github.check_access(&repo).await.unwrap();
    let lacks = "permission contents: write, to read files, and put temporary tags on commits";
    assert_eq!((access.who.as_str(), &access.missing[..]), ("slipway", &[lacks.to_owned()][..]));
    let to_show = github.missing_to_show(&repo).await.unwrap();
    let lacks = [
        "permission deployments: write, to show releases as deployments",
        "permission statuses: write, to show releases on commits",
    ];
    assert_eq!(to_show, lacks);
    let to_merge = github.missing_to_merge(&repo).await.unwrap();
    assert_eq!(to_merge, ["permission pull_requests: write, to ship pull requests"]);

    let other = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    for stranger in [app(&sandbox.api_url, APP_ID, &other), app(&sandbox.api_url, APP_ID + 1, &key)] {
        let refused = stranger.default_branch(&repo).await.unwrap_err();
        assert!(matches!(refused, GitHubError::BadCredentials { .. }), "{refused}");
    }
}
