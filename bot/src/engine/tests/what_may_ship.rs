//! What may not ship says so at once and asks nobody: marks of known bad, and soaks that cannot end.

use super::chat::migrating;
use super::*;
use slipway_core::ids::ReleaseId;
use slipway_core::plan::{Plan, TakesOut};

/// A release to staging runs to its end; the next one has another second in its id.
async fn on_staging(chat: &mut Chat, base: u32, commit: u32) -> ReleaseId {
    let release = chat.planned("ana", &plan("staging", base, commit)).await;
    chat.wait_s(1);
    chat.runs_to_its_end(&release).await;
    chat.wait_s(1);
    release
}

/// How often the card of a release was to be drawn.
async fn drawn(chat: &Chat, release: &ReleaseId) -> i64 {
    let wanted = "SELECT wanted FROM messages WHERE release = $1 AND body IS NULL AND thread_of IS NULL";
    chat.count(wanted, release.as_str()).await
}

#[tokio::test]
async fn what_is_known_to_be_bad_is_refused_when_it_is_planned_and_nobody_is_asked() {
    let mut chat = Chat::open().await;
    on_staging(&mut chat, 1, 3).await;
    chat.wait_s(3_600);
    chat.says("ana", "/release bad staging").await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    assert_eq!(chat.phase(&release).await, "denied");
    assert_eq!(chat.refused_by(&release).await, ["known-bad"]);
    assert_eq!(chat.told(&release).await, Vec::<String>::new(), "nobody is asked to approve it");
    assert!(chat.environment("production").await.queue.is_empty());
    let card = chat.card(&release).await;
    assert!(card.contains("refused: Somebody has marked this commit as known to be bad"), "{card}");
    chat.says("ana", "/release bad staging --undo").await;
    assert_eq!(chat.phase(&release).await, "denied", "it has ended");
    let again = chat.planned("ana", &plan("production", 1, 3)).await;
    assert_eq!(chat.refused_by(&again).await, ["production-approval"]);
    assert_eq!(chat.told(&again).await.len(), 1);
}

#[tokio::test]
async fn a_mark_is_on_every_release_of_the_commit_and_names_what_is_on_its_way() {
    let mut chat = Chat::open().await;
    let first = on_staging(&mut chat, 1, 3).await;
    on_staging(&mut chat, 3, 4).await;
    chat.says("ana", &format!("/rollback staging {}", first.short())).await;
    let back = backwards::runs_back(&mut chat, &backwards::back_plan("staging", 3)).await;
    chat.succeeds(&back, "verify", Step::Verify).await;
    chat.wait_s(3_600);
    let running = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.presses("bob", &running, slipway_core::message::Verb::Approve).await;
    assert_eq!(chat.phase(&running).await, "running(ci)");
    let before = drawn(&chat, &back).await;
    let answer = chat.says("bob", &format!("/release bad {}", first.short())).await;
    assert!(answer.contains("It runs on staging"), "{answer}");
    let on_its_way = format!("It is on its way to production with release {}", running.short());
    assert!(answer.contains(&on_its_way), "{answer}");
    assert!(drawn(&chat, &back).await > before, "what is live has a card that says so");
    let history = chat.says("ana", "/release history").await;
    assert_eq!(history.matches("known bad").count(), 3, "{history}");
    let before = drawn(&chat, &back).await;
    chat.says("bob", &format!("/release bad {} --undo", first.short())).await;
    assert!(drawn(&chat, &back).await > before);
    let history = chat.says("ana", "/release history").await;
    assert!(!history.contains("known bad"), "{history}");
}

#[tokio::test]
async fn what_staging_has_passed_asks_nobody_and_says_what_can_go_on() {
    let mut chat = Chat::with(&promoting::config("")).await;
    on_staging(&mut chat, 1, 3).await;
    on_staging(&mut chat, 3, 5).await;
    chat.wait_s(7_200);
    // Commit 4 came with 5 and has no image of its own there; commit 3 has served a second.
    for passed in [3, 4] {
        let release = chat.planned("ana", &plan("production", 1, passed)).await;
        assert_eq!(chat.phase(&release).await, "queued");
        assert_eq!(chat.told(&release).await, Vec::<String>::new());
        let card = chat.card(&release).await;
        assert!(card.contains("refused: staging has moved on to 0000000 · deploy that, or override"), "{card}");
        assert!(card.contains("/deploy production 0000000 brings that"), "{card}");
        chat.says("ana", &format!("/release cancel {}", release.short())).await;
    }
    let newer = chat.planned("ana", &plan("production", 1, 6)).await;
    assert_eq!(chat.phase(&newer).await, "awaiting_approval", "it may come to staging yet");
    assert!(chat.card(&newer).await.contains("first /deploy staging with this commit"));
}

#[tokio::test]
async fn a_plan_that_comes_to_take_commits_out_while_it_waits_tells_who_asked() {
    let mut chat = Chat::open().await;
    on_staging(&mut chat, 1, 3).await;
    let running = chat.planned("ana", &plan("staging", 3, 4)).await;
    let side = chat.planned("eve", &migrating(plan("staging", 3, 9))).await;
    assert_eq!(chat.phase(&side).await, "queued");
    chat.wait_s(1);
    chat.runs_to_its_end(&running).await;
    let commits = vec![plan("staging", 3, 4).commits.remove(0)];
    let now = Plan { base: Some(sha(4)), takes_out: TakesOut { commits, total: 1 }, ..plan("staging", 3, 9) };
    chat.gathers(&side, &now).await;
    let told = chat.told(&side).await;
    assert_eq!(
        told,
        ["eve: What runs changed while goals → staging waited: it takes 1 commit out that runs there now."]
    );
    let card = chat.card(&side).await;
    assert!(card.contains("▲ takes 1 commit out that runs now: 0000000 Change 4"), "{card}");
}
