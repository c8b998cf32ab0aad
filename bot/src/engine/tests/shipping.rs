//! `/release ship`: who may, where it goes, and what is asked once more before the merge.

use super::chat::CONFIG;
use super::members::{TEAM, release_managers};
use super::*;
use expect_test::expect;
use slipway_core::ids::ReleaseId;
use slipway_core::pull::{Merge, Shipped};
use slipway_core::release::RequestKind;

pub(super) fn shipped(merged: bool) -> Box<Shipped> {
    Box::new(Shipped {
        number: 7,
        title: "Show profile links".into(),
        author: Some("eve-dev".into()),
        url: "https://github.com/acme/goals/pull/7".into(),
        head: sha(9),
        base: "main".into(),
        missing: vec![],
        counted: vec!["approved by bob".into()],
        not_counted: vec![],
        refusals: 0,
        merge: merged.then(|| Merge { commit: sha(3), by: None }),
    })
}

async fn ships(chat: &mut Chat, who: &str) -> ReleaseId {
    assert_eq!(chat.says(who, "/release ship 7 staging").await, "");
    chat.newest().await
}

async fn ready(chat: &mut Chat, release: &ReleaseId) {
    let event = Event::PullReady { pull: shipped(false), at: chat.now() };
    chat.outcome(release, "await_pull", event).await;
}

async fn merged(chat: &mut Chat, release: &ReleaseId) {
    let event = Event::PullMerged { pull: shipped(true), at: chat.now() };
    chat.outcome(release, "merge_pull", event).await;
}

#[tokio::test]
async fn it_goes_where_what_is_merged_goes_first() {
    let mut chat = Chat::open().await;
    // Nothing says which one comes first, and it could be production.
    let answer = chat.says("ana", "/release ship 6").await;
    assert!(answer.starts_with("Which environment of goals? Nothing was started."), "{answer}");
    let (staging, production) = ("[service.goals.environment.staging]\n", "[service.goals.environment.production]\n");
    for (number, at, setting) in [(7, production, "after = \"staging\"\n"), (8, staging, "auto_deploy = \"main\"\n")] {
        chat.configure(&CONFIG.replace(at, &format!("{at}{setting}")));
        assert_eq!(chat.says("ana", &format!("/release ship {number}")).await, "");
        let release = chat.newest().await;
        assert_eq!(chat.release(&release).await.request.key, chat::key("staging"), "{setting}");
        assert_eq!(chat.effects(&release).await, ["await_pull", "expire_at"]);
    }
    assert_eq!(chat.environment("staging").await.queue.len(), 0, "without a plan it takes no place");
}

#[tokio::test]
async fn it_is_planned_with_the_merge_commit_and_runs() {
    let mut chat = Chat::open().await;
    let release = ships(&mut chat, "ana").await;
    ready(&mut chat, &release).await;
    merged(&mut chat, &release).await;
    chat.outcome(&release, "await_build", Event::BuildReady).await;
    chat.gathers(&release, &plan("staging", 1, 3)).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
    chat.runs_to_its_end(&release).await;
    assert_eq!(chat.environment("staging").await.live.unwrap().commit, sha(3));
    assert!(chat.card(&release).await.contains("Show profile links by eve-dev · merged as "));
    let kinds: Vec<_> = chat.audit().await.into_iter().map(|record| record.kind).collect();
    assert_eq!(kinds[..5], ["requested", "pull_ready", "pull_merged", "build_ready", "planned"]);
}

#[tokio::test]
async fn what_does_not_fit_starts_nothing() {
    let mut chat = Chat::open().await;
    let answers = [
        chat.says("gus", "/release ship 7 staging").await,
        chat.says("ana", "/release ship https://github.com/acme/other/pull/7").await,
        chat.says("ana", "/release ship likes").await,
        chat.says("ana", "/release ship 7").await,
    ];
    assert_eq!(chat.count("SELECT count(*) FROM releases WHERE id <> $1", "").await, 0);
    let first = ships(&mut chat, "ana").await;
    let second = chat.says("bob", "/release ship #7 production").await.replace(first.short(), "FIRST");
    expect![[r#"
        Not allowed: No rule lets gus ship pull requests to staging. Nothing was changed.
        No service that is meant has the repository acme/other. Nothing was started.
        There are: acme/goals.
        "likes" is no pull request: it is a number such as 123, or its address. Nothing was started.
        Usage: /release ship <pull request> [environment] [service] [--dry-run] [--reason "…"]
        Which environment of goals? Nothing was started.
        There are: production, staging.
        For example /release ship 7 staging --service goals
        #7 is on its way to staging: release FIRST of ana. Nothing was started.
        To see it: /release show FIRST"#]]
    .assert_eq(&[answers.join("\n"), second].join("\n"));
    assert_eq!(chat.count("SELECT count(*) FROM releases WHERE id <> $1", "").await, 1);
    // What is only looked at holds nobody up, and neither does what has ended.
    chat.says("ana", "/release cancel").await;
    ships(&mut chat, "bob").await;
}

#[tokio::test]
async fn who_has_left_the_team_merges_nothing() {
    let mut chat = Chat::open().await;
    let release = ships(&mut chat, "eve").await;
    let eve = "terminal = \"eve\"\nteams = [\"developers\"]";
    assert!(CONFIG.contains(eve));
    chat.configure(&CONFIG.replace(eve, "terminal = \"eve\""));
    ready(&mut chat, &release).await;
    assert_eq!(chat.effects(&release).await, [""; 0], "nothing is merged");
    let card = chat.card(&release).await;
    assert!(card.contains("nothing was merged") && card.contains("eve may not have it merged any more"), "{card}");
    let refused = chat.audit_of("refused").await.pop().unwrap();
    assert_eq!((&refused.body["person"], &refused.body["act"]), (&"eve".into(), &"ship".into()));
}

#[tokio::test]
async fn while_nobody_can_tell_who_is_in_a_team_it_waits() {
    let mut chat = Chat::with(&format!("{CONFIG}{TEAM}")).await;
    chat.sees_members(&release_managers(), &[]).await;
    let release = ships(&mut chat, "ana").await;
    chat.wait_s(30 * 24 * 3_600);
    chat.cannot_see_members(&release_managers(), 60).await;
    ready(&mut chat, &release).await;
    assert!(!chat.effects(&release).await.contains(&"merge_pull".to_owned()));
    assert!(chat.card(&release).await.contains("it cannot be told now who is in which team"));
    chat.sees_members(&release_managers(), &[]).await;
    ready(&mut chat, &release).await;
    assert!(chat.effects(&release).await.contains(&"merge_pull".to_owned()));
}

#[tokio::test]
async fn a_merge_that_has_begun_cannot_be_cancelled() {
    let mut chat = Chat::open().await;
    let release = ships(&mut chat, "ana").await;
    ready(&mut chat, &release).await;
    let row = chat.lease(&release, "merge_pull").await;
    chat.store.effect_intent(&row, &serde_json::json!({ "pull": 7 }), None).await.unwrap();
    let answer = chat.says("ana", "/release cancel").await;
    assert!(answer.contains("is being merged"), "{answer}");
    assert_eq!(chat.release(&release).await.phase.name(), "planning");
    let event = Event::PullMerged { pull: shipped(true), at: chat.now() };
    chat.happened(&release, event).await;
    chat.says("ana", "/release cancel").await;
    let card = chat.card(&release).await;
    assert!(card.contains("cancelled by ana · #7 is merged, not deployed"), "{card}");
}

#[tokio::test]
async fn before_the_merge_a_retry_ships_and_after_it_deploys() {
    let mut chat = Chat::open().await;
    let first = ships(&mut chat, "ana").await;
    chat.says("ana", "/release cancel").await;
    chat.wait_s(1);
    chat.says("ana", "/release retry").await;
    let second = chat.newest().await;
    let kind = chat.release(&second).await.request.kind;
    assert_eq!(kind, RequestKind::Ship { pull: 7, again: Some(first) });
    ready(&mut chat, &second).await;
    merged(&mut chat, &second).await;
    chat.says("ana", "/release cancel").await;
    chat.wait_s(1);
    chat.says("ana", &format!("/release retry {}", second.short())).await;
    let third = chat.newest().await;
    let kind = chat.release(&third).await.request.kind;
    assert_eq!(kind, RequestKind::Retry { of: second, commit: Some(sha(3)), rerun: false });
}

#[tokio::test]
async fn a_retry_of_what_somebody_else_ships_is_pointed_there() {
    let mut chat = Chat::open().await;
    ships(&mut chat, "ana").await;
    chat.says("ana", "/release cancel").await;
    chat.wait_s(1);
    let other = ships(&mut chat, "bob").await;
    let answer = chat.says("ana", "/release retry").await;
    assert!(answer.contains("#7 is on its way to staging") && answer.contains(other.short()), "{answer}");
}
