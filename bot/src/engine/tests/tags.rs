//! Somebody moves the tag past Slipway that others read: told once, kept true, and over when a release moves it.

use super::chat::CONFIG;
use super::*;
use crate::engine::Incoming;
use expect_test::expect;
use slipway_core::environment::{Look, TagNames};
use slipway_core::plan::Plan;

/// Staging moves the tag latest.
fn promoting() -> String {
    let staging = "[service.goals.environment.staging]\n";
    CONFIG.replace(staging, &format!("{staging}promote = \"latest\"\n"))
}

fn names(commit: u32) -> TagNames {
    let Plan { image, commit, .. } = plan("staging", 1, commit);
    TagNames { tag: "latest".into(), digest: image.digest, commit: Some(commit) }
}

/// The targets run what Slipway has brought, and the tag names something.
async fn looks(chat: &mut Chat, runs: u32, tag: TagNames) {
    let look = Look { runs: vec![by_hand::runs(runs)], at: chat.now(), tag: Some(tag) };
    chat.deliver(&Incoming::TargetsSeen { environment: chat::key("staging"), look }).await;
    chat.wait_s(60);
}

async fn shipped(chat: &mut Chat, base: u32, commit: u32) {
    let plan = Plan { promote: Some("latest".into()), ..plan("staging", base, commit) };
    let release = chat.planned("ana", &plan).await;
    chat.wait_s(1);
    chat.runs_to_its_end(&release).await;
    let promoted = Event::Promoted { tag: "latest".into(), problem: None, at: chat.now() };
    chat.outcome(&release, "promote", promoted).await;
    chat.wait_s(60);
}

/// The messages about tags.
async fn said(chat: &Chat) -> Vec<String> {
    let keys = chat.scalars("SELECT DISTINCT key FROM messages WHERE key LIKE $1 ORDER BY key", "tag/%").await;
    let mut said = Vec::new();
    for key in keys {
        said.push(chat.posted(&key).await);
    }
    said
}

#[tokio::test]
async fn a_tag_that_is_moved_is_told_once_and_is_over_with_the_next_release() {
    let mut chat = Chat::with(&promoting()).await;
    shipped(&mut chat, 1, 3).await;
    looks(&mut chat, 3, names(3)).await;
    assert_eq!(said(&chat).await, [""; 0]);
    looks(&mut chat, 3, TagNames { commit: None, ..names(5) }).await;
    expect![[r#"
        goals → staging · latest was moved past Slipway
        Now it names sha256:0000…05, tagged with no commit.
        Nothing was deployed by that: 0000000 runs, which Slipway had brought.
        Whoever reads the tag gets that image until a release is live that moves it: /deploy staging goals"#]]
    .assert_eq(&said(&chat).await.concat());
    looks(&mut chat, 3, TagNames { commit: None, ..names(5) }).await;
    assert_eq!(chat.audit_of("tag_moved_past_slipway").await.len(), 1, "once");
    looks(&mut chat, 3, names(6)).await;
    let told = said(&chat).await;
    assert_eq!(told.len(), 1, "the same message");
    assert!(told[0].contains("Now it names sha256:0000…06, tagged 0000000 too."), "{told:?}");
    assert_eq!(chat.environment("staging").await.by_hand, None, "what runs is another question");

    shipped(&mut chat, 3, 7).await;
    expect![[r#"
        goals → staging · latest is back after 3 min
        It was moved past Slipway. Now it names sha256:0000…07, tagged 0000000 too."#]]
    .assert_eq(&said(&chat).await.concat());
    looks(&mut chat, 7, names(7)).await;
    assert_eq!(chat.audit_of("tag_moved_past_slipway").await.len(), 3);
    looks(&mut chat, 7, names(8)).await;
    assert_eq!(said(&chat).await.len(), 2, "another time");
}

#[tokio::test]
async fn a_tag_that_could_not_be_moved_is_no_ones_doing() {
    let mut chat = Chat::with(&promoting()).await;
    let plan = Plan { promote: Some("latest".into()), ..plan("staging", 1, 3) };
    let release = chat.planned("ana", &plan).await;
    chat.wait_s(1);
    chat.runs_to_its_end(&release).await;
    let problem = Some("tags are immutable there".to_owned());
    chat.outcome(&release, "promote", Event::Promoted { tag: "latest".into(), problem, at: chat.now() }).await;
    chat.wait_s(60);
    looks(&mut chat, 3, names(2)).await;
    assert_eq!(said(&chat).await, [""; 0], "it was never moved");
}
