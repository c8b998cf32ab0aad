//! Open pull requests, what they change, and what is thought of them: check runs of an App, statuses of a token.

use super::{HASTY, PATIENT, rig, sha};
use slipway_deploy::github::{Annotation, Auth, ChangedFile, GitHub, GitHubError, Opinion, RepoName, Verdict};
use slipway_sandbox::github::sample::{self, Sample, SampleOptions};
use slipway_sandbox::github::{Fault, FaultKind, GitHubOptions, GitHubSandbox, NewPull, Permission};

const APP_ID: u64 = 314_159;
const CREATE: &str = "POST /repos/acme/goals/check-runs";

fn pull(number: u64, branch: &str) -> NewPull {
    NewPull { number, title: "Something".into(), author: "eve-dev".into(), branch: branch.into() }
}

fn opinion(title: &str, verdict: Verdict, places: usize) -> Opinion {
    let place = |line| Annotation {
        path: "migrations/20251201000000_x.sql".into(),
        line,
        verdict: Verdict::Doubtful,
        title: "ban-drop-column".into(),
        message: "loses the data of a column".into(),
    };
    Opinion {
        about: "migrations".into(),
        verdict,
        title: title.into(),
        summary: "**1 warning**".into(),
        annotations: (1..=places).map(place).collect(),
        page: Some("https://slipway.acme.dev/".into()),
    }
}

/// GitHub with an App on the repository, and the App.
struct AppRig {
    sample: Sample,
    sandbox: GitHubSandbox,
    github: GitHub,
    /// The same that does not wait long.
    hasty: GitHub,
    repo: RepoName,
    _folder: tempfile::TempDir,
}

async fn app_rig(permissions: &[(&str, &str)]) -> AppRig {
    slipway_deploy::install_crypto_provider();
    let folder = tempfile::tempdir().unwrap();
    let sample = sample::build(folder.path(), &SampleOptions::new(jiff::Timestamp::now())).unwrap();
    let options = GitHubOptions::new(folder.path(), "acme/goals", "ghp_unused");
    let sandbox = GitHubSandbox::start(GitHubOptions { built: vec![sample.head.clone()], ..options }).await.unwrap();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    sandbox.install_app(APP_ID, key.public_key_raw(), permissions);
    let client = |limit| {
        let auth = Auth::App { id: APP_ID, private_key: key.serialize_pem().into() };
        GitHub::with_request_timeout(&sandbox.api_url, auth, limit).unwrap()
    };
    let (github, hasty) = (client(PATIENT), client(HASTY));
    AppRig { sample, sandbox, github, hasty, repo: RepoName::parse("acme/goals").unwrap(), _folder: folder }
}

const ALL: [(&str, &str); 3] = [("checks", "write"), ("pull_requests", "read"), ("statuses", "read")];

#[tokio::test]
async fn open_pull_requests_are_listed_with_what_they_change() {
    let moved = "commit refs/heads/moved\ncommitter X <x@y> 1764000000 +0000\ndata 4\nMove\nfrom refs/heads/main\n\
        R migrations/20251104120000_likes.sql attic/likes.sql\nD go.mod\n\n";
    let rig = super::rig_of(moved).await;
    let resolved = rig.github.head_of(&rig.repo, "moved").await.unwrap().unwrap();
    for number in 1..=43 {
        rig.sandbox.open_pull(pull(number, "feature/comment-threads"));
    }
    rig.sandbox.open_pull_of_fork(pull(44, "moved"), "mallory");
    let open = rig.github.open_pull_requests(&rig.repo).await.unwrap();
    assert_eq!((open.len(), open[0].number, &open[0].head, open[0].base.as_str()), (44, 44, &resolved, "main"));
    assert_eq!(rig.requests("/pulls?"), 3, "three pages of twenty");
    rig.github.open_pull_requests(&rig.repo).await.unwrap();
    assert_eq!(rig.sandbox.not_modified(), 3, "asked again they cost nothing");
    let files = rig.github.changed_files(&rig.repo, 44).await.unwrap();
    let file = |path: &str, was: Option<&str>, removed| ChangedFile {
        path: path.into(),
        was: was.map(str::to_owned),
        removed,
    };
    let expected =
        [file("attic/likes.sql", Some("migrations/20251104120000_likes.sql"), false), file("go.mod", None, true)];
    assert_eq!(files, expected);
    // A fork's files are read here.
    rig.github.folder_at(&rig.repo, &resolved, "attic").await.unwrap();
    rig.sandbox.set_pull_access(Permission::Refused);
    let refused = rig.github.open_pull_requests(&rig.repo).await.unwrap_err();
    assert!(matches!(refused, GitHubError::Forbidden { .. }), "{refused}");
    assert!(refused.to_string().contains("permission Pull requests: read"), "{refused}");
}

#[tokio::test]
async fn an_app_makes_one_check_run_and_says_the_same_once() {
    let rig = app_rig(&ALL).await;
    let head = sha(&rig.sample.head);
    let doubts = opinion("1 warning", Verdict::Doubtful, 1);
    assert!(rig.github.show_opinion(&rig.repo, &head, &doubts).await.unwrap());
    assert!(!rig.github.show_opinion(&rig.repo, &head, &doubts).await.unwrap(), "GitHub shows it");
    let made = rig.sandbox.made_check_runs();
    assert_eq!((made.len(), made[0].name.as_str(), &made[0].commit), (1, "slipway/migrations", &rig.sample.head));
    assert_eq!((made[0].status.as_str(), made[0].conclusion.as_deref()), ("completed", Some("neutral")));
    assert_eq!(made[0].annotations[0]["annotation_level"], "warning");
    // Another outcome is another check run, which takes the place of the first.
    assert!(rig.github.show_opinion(&rig.repo, &head, &opinion("2 errors", Verdict::Wrong, 2)).await.unwrap());
    assert_eq!(rig.sandbox.made_check_runs()[1].conclusion.as_deref(), Some("failure"));
    // What Slipway says itself is no check of the commit.
    let checks = rig.github.checks(&rig.repo, &head).await.unwrap();
    assert_eq!((checks.total, checks.passed), (2, 2), "{checks:?}");
}

#[tokio::test]
async fn more_places_than_one_request_may_name_follow_and_a_crash_between_makes_no_second_run() {
    let rig = app_rig(&ALL).await;
    let head = sha(&rig.sample.head);
    let many = opinion("many", Verdict::Doubtful, 120);
    // It breaks off before the second and before the third request.
    for broken in 1..=2 {
        let route = "PATCH /repos/acme/goals/check-runs/".to_owned();
        rig.sandbox.inject(Fault { route, kind: FaultKind::Status(502), times: 1 });
        let error = rig.github.show_opinion(&rig.repo, &head, &many).await.unwrap_err();
        assert!(error.may_have_acted());
        let made = rig.sandbox.made_check_runs();
        assert_eq!(
            (made.len(), made[0].status.as_str(), made[0].annotations.len()),
            (1, "in_progress", 50),
            "{broken}"
        );
    }
    assert!(rig.github.show_opinion(&rig.repo, &head, &many).await.unwrap());
    let made = rig.sandbox.made_check_runs();
    assert_eq!((made.len(), made[0].annotations.len(), made[0].conclusion.as_deref()), (1, 120, Some("neutral")));
    let lines: Vec<_> = made[0].annotations.iter().map(|place| place["start_line"].as_u64().unwrap()).collect();
    assert_eq!(lines, (1..=120).collect::<Vec<_>>(), "each once");
}

#[tokio::test]
async fn a_lost_answer_leaves_one_check_run() {
    let rig = app_rig(&ALL).await;
    let head = sha(&rig.sample.head);
    let doubts = opinion("1 warning", Verdict::Doubtful, 1);
    for (kind, made) in [
        (FaultKind::Timeout, 0),
        (FaultKind::Status(500), 0),
        (FaultKind::Garbled, 0),
        (FaultKind::RateLimited { retry_after: 1 }, 0),
        (FaultKind::LostAnswerAfterAct, 1),
    ] {
        rig.sandbox.inject(Fault { route: CREATE.into(), kind, times: 1 });
        let github = if kind == FaultKind::Timeout { &rig.hasty } else { &rig.github };
        github.show_opinion(&rig.repo, &head, &doubts).await.unwrap_err();
        assert_eq!(rig.sandbox.made_check_runs().len(), made, "{kind:?}");
    }
    assert!(!rig.github.show_opinion(&rig.repo, &head, &doubts).await.unwrap(), "it is there");
    assert_eq!(rig.sandbox.made_check_runs().len(), 1);
}

#[tokio::test]
async fn a_token_says_it_in_a_status() {
    let rig = rig().await;
    let head = sha(&rig.sample.head);
    let wrong = opinion(&format!("1 error in 1 migration · {}", "x".repeat(200)), Verdict::Wrong, 3);
    assert!(rig.github.show_opinion(&rig.repo, &head, &wrong).await.unwrap());
    assert!(!rig.github.show_opinion(&rig.repo, &head, &wrong).await.unwrap());
    assert!(rig.github.show_opinion(&rig.repo, &head, &opinion("1 warning", Verdict::Doubtful, 1)).await.unwrap());
    let said = rig.sandbox.said_of(&rig.sample.head);
    let said: Vec<_> = said.iter().map(|(context, status)| (context.as_str(), status.state.as_str())).collect();
    assert_eq!(said, [("slipway/migrations", "failure"), ("slipway/migrations", "success")]);
    let first = &rig.sandbox.said_of(&rig.sample.head)[0].1;
    assert_eq!(first.description.as_deref().unwrap().chars().count(), 140);
    assert_eq!(first.target_url.as_deref(), Some("https://slipway.acme.dev/"));
    // GitHub takes check runs of Apps alone.
    let asked = rig.sandbox.requests().into_iter().any(|line| line.starts_with("POST") && line.contains("/check-runs"));
    assert!(!asked);
}

#[tokio::test]
async fn an_app_without_the_permission_is_told_which() {
    let rig = app_rig(&[("checks", "read"), ("statuses", "read")]).await;
    let head = sha(&rig.sample.head);
    let error = rig.github.show_opinion(&rig.repo, &head, &opinion("fine", Verdict::Fine, 0)).await.unwrap_err();
    assert!(matches!(error, GitHubError::Forbidden { .. }) && error.to_string().contains("Checks: write"), "{error}");
    let missing = rig.github.missing_to_lint(&rig.repo).await.unwrap();
    assert_eq!(
        missing,
        [
            "permission checks: write, to show the lint of migrations",
            "permission pull_requests: read, to find pull requests",
        ]
    );
}
