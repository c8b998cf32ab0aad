//! Names, comparisons, folders, credentials.

use super::{HASTY, Rig, TOKEN, client, rig, rig_of, sha};
use slipway_core::ids::CommitSha;
use slipway_deploy::github::{
    ComparisonStatus, GitHubError, RepoName, Resolution, Resolved, Unresolved, WhyUnresolved,
};
use slipway_sandbox::github::{Fault, FaultKind};
use std::fmt::Write as _;
use std::time::Duration;

async fn resolved(rig: &Rig, reference: Option<&str>) -> Resolved {
    match rig.github.resolve(&rig.repo, reference).await.unwrap() {
        Resolution::Resolved(found) => found,
        Resolution::Unresolved(other) => panic!("{reference:?} is unresolved: {other:?}"),
    }
}

async fn unresolved(rig: &Rig, reference: &str) -> Unresolved {
    match rig.github.resolve(&rig.repo, Some(reference)).await.unwrap() {
        Resolution::Resolved(found) => panic!("{reference:?} resolved: {found:?}"),
        Resolution::Unresolved(other) => other,
    }
}

#[tokio::test]
async fn a_name_is_a_branch_a_tag_or_a_commit() {
    let rig = rig().await;
    let default = resolved(&rig, None).await;
    assert_eq!((default.commit.as_str(), default.branch.as_deref()), (rig.sample.head.as_str(), Some("main")));
    assert_eq!(default.details.title, "Nested comment order (#45)");
    assert_eq!(default.details.author_login.as_deref(), Some("ana-dev"));
    assert_eq!(default.details.pull_request, Some(45));
    assert_eq!(default.committed_at, Some(rig.now()));

    let branch = resolved(&rig, Some("feature/comment-threads")).await;
    assert_eq!(branch.commit.as_str(), rig.sample.feature);
    let light = resolved(&rig, Some("v1.7.3")).await;
    assert_eq!((light.commit.as_str(), light.tag.as_deref()), (rig.sample.production.as_str(), Some("v1.7.3")));
    let annotated = resolved(&rig, Some("v1.8.0")).await;
    assert_eq!((annotated.commit.as_str(), annotated.branch), (rig.sample.staging.as_str(), None));
    let explicit = resolved(&rig, Some("refs/tags/v1.8.0")).await;
    assert_eq!(explicit.tag.as_deref(), Some("v1.8.0"));

    let short = resolved(&rig, Some(&rig.sample.production[..7])).await;
    assert_eq!((short.commit.as_str(), short.branch, short.tag), (rig.sample.production.as_str(), None, None));
    let upper = resolved(&rig, Some(&rig.sample.feature.to_uppercase())).await;
    assert_eq!(upper.commit.as_str(), rig.sample.feature, "found on a branch that is not the default one");
}

#[tokio::test]
async fn what_stands_for_nothing_gets_the_nearest_names() {
    let rig = rig().await;
    let typo = unresolved(&rig, "mian").await;
    assert_eq!(typo.why, WhyUnresolved::NotFound);
    assert_eq!(typo.near, ["main"]);
    assert_eq!(typo.newest_tags, ["v1.8.0", "v1.7.3"]);
    assert_eq!(unresolved(&rig, "v1.8").await.near[0], "v1.8.0");
    assert_eq!(unresolved(&rig, "comment-threads").await.near, ["feature/comment-threads"]);
    assert_eq!(unresolved(&rig, "0123456").await.why, WhyUnresolved::NotFound);
    assert_eq!(unresolved(&rig, &"0".repeat(40)).await.why, WhyUnresolved::NotFound);
}

#[tokio::test]
async fn hostile_names_reach_nothing() {
    let rig = rig().await;
    for name in ["../../user", "main..HEAD", "main~1", "HEAD^{tree}", "a b", "--help", "-1", ":/x", "", "main\n", "@"] {
        assert_eq!(unresolved(&rig, name).await.why, WhyUnresolved::NotAName, "{name:?}");
    }
    for name in ["%2e%2e%2fuser", "main%00", "main?x=1", "main#x", "heads/../main", "feature", "%6dain"] {
        let _ = unresolved(&rig, name).await;
    }
    for request in rig.sandbox.requests() {
        assert!(!request.contains("..") && !request.contains("/user"), "{request}");
    }
}

#[tokio::test]
async fn a_branch_cannot_pose_as_a_commit_or_hide_a_tag() {
    let rig = rig().await;
    let disguise = format!("refs/heads/{}", rig.sample.production);
    rig.sandbox.set_ref(&disguise, Some(&rig.sample.feature));
    let found = resolved(&rig, Some(&rig.sample.production)).await;
    assert_eq!((found.commit.as_str(), found.branch), (rig.sample.production.as_str(), None));

    rig.sandbox.set_ref("refs/heads/v1.8.0", Some(&rig.sample.head));
    let both = resolved(&rig, Some("v1.8.0")).await;
    assert_eq!((both.commit.as_str(), both.also_tag), (rig.sample.head.as_str(), true));
    assert_eq!(resolved(&rig, Some("refs/tags/v1.8.0")).await.commit.as_str(), rig.sample.staging);
}

#[tokio::test]
async fn a_commit_that_no_branch_contains_is_not_ours() {
    let rig = rig().await;
    rig.sandbox.set_ref("refs/heads/feature/comment-threads", None);
    assert_eq!(unresolved(&rig, &rig.sample.feature).await.why, WhyUnresolved::NotInRepository);
}

#[tokio::test]
async fn two_commits_are_compared() {
    let rig = rig().await;
    let at = |text: &String| sha(text);
    let (staging, head, feature) = (at(&rig.sample.staging), at(&rig.sample.head), at(&rig.sample.feature));
    let ahead = rig.github.compare(&rig.repo, &staging, &head).await.unwrap();
    assert_eq!((ahead.status, ahead.total), (ComparisonStatus::Ahead, 3));
    let shown: Vec<String> = ahead
        .commits
        .iter()
        .map(|c| {
            format!("{} — {} {} {:?}", c.title, c.author_name, c.author_login.as_deref().unwrap_or("?"), c.pull_request)
        })
        .collect();
    expect_test::expect![[r#"
        Nested comment order (#45) — Ana Lima ana-dev Some(45)
        Profile links (#44) — Eve Adler eve-dev Some(44)
        Likes on updates (#41) — Ana Lima ana-dev Some(41)"#]]
    .assert_eq(&shown.join("\n"));
    let behind = rig.github.compare(&rig.repo, &head, &staging).await.unwrap();
    assert_eq!((behind.status, behind.total, behind.commits.len()), (ComparisonStatus::Behind, 0, 0));
    let same = rig.github.compare(&rig.repo, &head, &head).await.unwrap();
    assert_eq!(same.status, ComparisonStatus::Identical);
    let diverged = rig.github.compare(&rig.repo, &head, &feature).await.unwrap();
    assert_eq!((diverged.status, diverged.total), (ComparisonStatus::Diverged, 1));
    let unknown = rig.github.compare(&rig.repo, &head, &sha(&"0".repeat(40))).await.unwrap_err();
    assert!(matches!(unknown, GitHubError::NotFound { .. }), "{unknown}");
    let recent = rig.github.recent(&rig.repo, &head, 2).await.unwrap();
    assert_eq!(recent.iter().map(|c| c.pull_request).collect::<Vec<_>>(), [Some(45), Some(44)]);
}

#[tokio::test]
async fn a_long_way_is_cut_to_its_newest_commits() {
    let mut stream = String::new();
    for n in 1..=320 {
        let title = format!("Step {n}");
        let _ = write!(
            stream,
            "commit refs/heads/long\nauthor X <x@y> {0} +0000\ncommitter X <x@y> {0} +0000\n",
            1_764_000_000 + n
        );
        let _ = write!(stream, "data {}\n{title}\n", title.len());
        stream.push_str(if n == 1 { "from refs/heads/main\n\n" } else { "\n" });
    }
    let rig = rig_of(&stream).await;
    let long = resolved(&rig, Some("long")).await;
    assert_eq!(long.details.author_login, None, "nobody has that e-mail");
    let way = rig.github.compare(&rig.repo, &sha(&rig.sample.head), &long.commit).await.unwrap();
    assert_eq!((way.total, way.commits.len()), (320, 250));
    assert_eq!((way.commits[0].title.as_str(), way.commits[249].title.as_str()), ("Step 320", "Step 71"));
}

#[tokio::test]
async fn the_migrations_folder_is_read_exactly() {
    let link = "commit refs/heads/linked\ncommitter X <x@y> 1764000000 +0000\ndata 4\nLink\nfrom refs/heads/main\n\
        M 120000 inline migrations/20251201000000_link.sql\ndata 11\n/etc/passwd\n\n\
        commit refs/heads/linked-folder\ncommitter X <x@y> 1764000001 +0000\ndata 4\nLink\nfrom refs/heads/main\n\
        M 120000 inline db\ndata 10\nmigrations\n\n\
        commit refs/heads/module\ncommitter X <x@y> 1764000002 +0000\ndata 3\nSub\nfrom refs/heads/main\n\
        M 160000 0123456789012345678901234567890123456789 migrations/lib\n\n";
    let rig = rig_of(link).await;
    let head = sha(&rig.sample.head);
    let folder = rig.github.folder_at(&rig.repo, &head, "migrations/").await.unwrap();
    let names: Vec<&str> = folder.files.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "20250901090000_users.sql",
            "20250901090100_goals.sql",
            "20251028101500_users_bio.sql",
            "20251104120000_likes.sql"
        ]
    );
    let on_disk = std::fs::read(rig.sample.path.join("migrations/20251104120000_likes.sql")).unwrap();
    assert_eq!(folder.files[3].bytes, on_disk);
    let fetched = rig.requests("/git/blobs/");
    let older = rig.github.folder_at(&rig.repo, &sha(&rig.sample.production), "migrations").await.unwrap();
    assert_eq!((older.files.len(), rig.requests("/git/blobs/")), (2, fetched), "known files are not fetched again");
    let none = rig.github.folder_at(&rig.repo, &head, "db/migrations").await.unwrap();
    assert!(!none.exists && none.files.is_empty());
    let root = rig.github.folder_at(&rig.repo, &head, ".").await.unwrap();
    assert!(root.folders.contains(&"migrations".to_owned()), "{:?}", root.folders);

    for (branch, dir, said) in [
        ("linked", "migrations", "migrations/20251201000000_link.sql is a symbolic link"),
        ("linked-folder", "db", "db is a symbolic link"),
        ("module", "migrations", "migrations/lib is a submodule"),
        ("main", "go.mod", "go.mod is a file"),
        ("main", "../x", "without \"..\""),
    ] {
        let at = resolved(&rig, Some(branch)).await.commit;
        let error = rig.github.folder_at(&rig.repo, &at, dir).await.unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[tokio::test]
async fn errors_say_what_to_do() {
    let rig = rig().await;
    let stranger = client(&rig.sandbox.api_url, "ghp_wrong", Duration::from_secs(20));
    let error = stranger.resolve(&rig.repo, None).await.unwrap_err();
    assert!(matches!(error, GitHubError::BadCredentials { .. }), "{error}");
    assert!(!error.to_string().contains("ghp_wrong"));
    let elsewhere = rig.github.resolve(&RepoName::parse("acme/other").unwrap(), None).await.unwrap_err();
    assert_eq!(
        elsewhere.to_string(),
        "GitHub does not show the repository acme/other: it is not there, or the token may not see it."
    );
    let fault = |kind| Fault { route: "GET /repos/acme/goals".into(), kind, times: 1 };
    rig.sandbox.inject(fault(FaultKind::RateLimited { retry_after: 30 }));
    let limited = rig.github.check_access(&rig.repo).await.unwrap_err();
    assert!(matches!(limited, GitHubError::RateLimited { until: Some(_) }), "{limited}");
    rig.sandbox.inject(fault(FaultKind::Status(502)));
    let broken = rig.github.check_access(&rig.repo).await.unwrap_err();
    assert!(matches!(broken, GitHubError::Server { status: 502, .. }), "{broken}");
    rig.sandbox.inject(fault(FaultKind::Timeout));
    let hasty = client(&rig.sandbox.api_url, TOKEN, HASTY);
    let slow = hasty.check_access(&rig.repo).await.unwrap_err();
    assert!(matches!(slow, GitHubError::Slow { .. }), "{slow}");
    let nowhere = client("http://127.0.0.1:1", TOKEN, Duration::from_secs(20));
    let unreachable = nowhere.check_access(&rig.repo).await.unwrap_err();
    assert!(matches!(unreachable, GitHubError::Unreachable { .. }), "{unreachable}");

    let access = rig.github.check_access(&rig.repo).await.unwrap();
    assert_eq!((access.who.as_str(), access.default_branch.as_str()), ("@slipway-bot", "main"));
    assert!(access.missing.is_empty(), "{:?}", access.missing);
}

#[tokio::test]
async fn who_changed_a_folder_is_told_and_a_merge_hides_nobody() {
    let mut stream = String::new();
    let mut commit = |branch: &str, who: &str, from: &str, merge: Option<&str>, file: Option<(&str, &str)>| {
        let title = format!("{branch} by {who}");
        let _ = writeln!(stream, "commit refs/heads/{branch}");
        for role in ["author", "committer"] {
            let _ = writeln!(stream, "{role} {who} <{who}@acme.dev> 1764000000 +0000");
        }
        let _ = write!(stream, "data {}\n{title}\nfrom refs/heads/{from}\n", title.len());
        if let Some(merge) = merge {
            let _ = writeln!(stream, "merge refs/heads/{merge}");
        }
        if let Some((path, text)) = file {
            let _ = write!(stream, "M 100644 inline {path}\ndata {}\n{text}\n", text.len());
        }
        stream.push('\n');
    };
    commit("loose", "bob", "main", None, Some(("policies/a.cedar", "loose")));
    commit("tight", "ana", "loose", None, Some(("policies/a.cedar", "tight")));
    commit("aside", "eve", "loose", None, Some(("README.md", "innocent")));
    // Eve's side of the merge: what Ana has tightened is loose again, and no commit says so.
    commit("merged", "eve", "aside", Some("tight"), None);
    let rig = rig_of(&stream).await;
    let mut heads = Vec::new();
    for branch in ["loose", "tight", "merged"] {
        heads.push(resolved(&rig, Some(branch)).await.commit);
    }
    let who = async |since: &CommitSha, head: &CommitSha, dir: &str| {
        let touched = rig.github.touching(&rig.repo, since, head, dir).await.unwrap();
        touched.into_iter().map(|commit| commit.author_login.unwrap()).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(who(&heads[0], &heads[1], "policies").await, ["ana-dev".to_owned()].into());
    assert_eq!(who(&heads[1], &heads[1], "policies").await, [].into());
    assert_eq!(who(&heads[1], &heads[2], "policies").await, ["eve-dev".to_owned()].into());
    // History was rewritten: everybody who ever touched it.
    assert_eq!(who(&heads[1], &heads[0], "policies").await, ["bob-dev".to_owned()].into());
    assert!(who(&heads[0], &heads[1], ".").await.contains("ana-dev"));
}
