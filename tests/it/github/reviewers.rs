//! What is asked about those who review a pull request.

use super::rig_of;
use slipway_core::pull::{Access, Mergeable, Pull, PullState, Review};
use slipway_deploy::github::GitHubError;
use slipway_sandbox::github::{Fault, FaultKind, NewPull, NewReview, Role};

/// A commit of Bob's that he made on GitHub's own pages.
const ON_A_PAGE: &str = "commit refs/heads/page\nauthor Bob Stone <bob@acme.dev> 1764000000 +0000\n\
    committer GitHub <noreply@github.com> 1764000000 +0000\ndata 4\nPage\nfrom refs/heads/main\n\
    M 100644 inline docs/page.md\ndata 4\npage\n\n";

async fn approved_by(who: &[&str]) -> (super::Rig, Pull, Vec<Review>) {
    let rig = rig_of(ON_A_PAGE).await;
    let (title, author, branch) = ("Page".to_owned(), "eve-dev".to_owned(), "page".to_owned());
    rig.sandbox.open_pull(NewPull { number: 7, title, author, branch });
    for who in who {
        let review = NewReview { who, state: "APPROVED", association: "MEMBER" };
        rig.sandbox.review(7, review).await.unwrap();
    }
    let pull = rig.github.pull(&rig.repo, 7).await.unwrap().unwrap();
    assert_eq!((&pull.state, pull.mergeable), (&PullState::Open, Mergeable::Unknown));
    let reviews = rig.github.reviews(&rig.repo, 7).await.unwrap();
    (rig, pull, reviews)
}

#[tokio::test]
async fn roles_that_can_push_are_told_from_those_that_cannot() {
    let roles = [
        ("a-dev", Role::Admin),
        ("m-dev", Role::Maintain),
        ("Bob-Dev", Role::Write),
        ("t-dev", Role::Triage),
        ("r-dev", Role::Read),
        ("n-dev", Role::None),
    ];
    let logins: Vec<_> = roles.iter().map(|(login, _)| *login).chain(["nobody", "../x", "eve-dev"]).collect();
    let (rig, pull, reviews) = approved_by(&logins).await;
    for (login, role) in roles {
        rig.sandbox.set_role(&login.to_ascii_lowercase(), role);
    }
    let (reviews, made_by) = rig.github.reviewers(&rig.repo, &pull, reviews).await.unwrap();
    let found: Vec<_> = reviews.iter().map(|review| format!("{} {:?}", review.who, review.access)).collect();
    let expected = [
        "a-dev Writes",
        "m-dev Writes",
        "Bob-Dev Writes",
        "t-dev Reads",
        "r-dev Reads",
        "n-dev Reads",
        "nobody NotTold",
        "../x NotTold",
        "eve-dev NotAsked",
    ];
    assert_eq!(found, expected);
    assert_eq!(made_by, ["bob-dev"], "what somebody does on GitHub's pages is not the work of GitHub");
    assert_eq!((rig.requests("/permission"), rig.requests("/commits?")), (7, 1));
    // Looked at again nothing of it counts for a limit that has not changed; that there is no such account is no answer.
    let before = rig.sandbox.not_modified();
    let again = rig.github.reviews(&rig.repo, 7).await.unwrap();
    rig.github.reviewers(&rig.repo, &pull, again).await.unwrap();
    assert_eq!(rig.sandbox.not_modified() - before, 1 + 6 + 1);
}

#[tokio::test]
async fn nobody_is_asked_about_where_no_review_needs_it() {
    let (rig, pull, reviews) = approved_by(&["eve-dev"]).await;
    assert_eq!(rig.github.reviewers(&rig.repo, &pull, reviews.clone()).await.unwrap(), (reviews, vec![]));
    assert_eq!((rig.requests("/permission"), rig.requests("/commits?")), (0, 0));
}

#[tokio::test]
async fn what_is_not_told_is_known_from_what_could_not_be_asked() {
    let (rig, pull, reviews) = approved_by(&["bob-dev"]).await;
    // A token whose owner cannot push.
    rig.sandbox.set_role("slipway-bot", Role::Triage);
    let (told, _) = rig.github.reviewers(&rig.repo, &pull, reviews.clone()).await.unwrap();
    assert_eq!(told[0].access, Access::NotTold);
    rig.sandbox.set_role("slipway-bot", Role::Write);
    for kind in [FaultKind::Status(502), FaultKind::RateLimited { retry_after: 1 }, FaultKind::Hollow] {
        rig.sandbox.inject(Fault { route: "GET /collaborators/{}/permission".into(), kind, times: 1 });
        let error = rig.github.reviewers(&rig.repo, &pull, reviews.clone()).await.unwrap_err();
        let passes = matches!(
            error,
            GitHubError::Server { .. } | GitHubError::RateLimited { .. } | GitHubError::Unreadable { .. }
        );
        assert!(passes, "{error}");
    }
}
