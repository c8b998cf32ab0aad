//! A migration run that broke off with its process, and is cancelled before anybody has looked at the database.

use super::beside::silent_github;
use super::chat::{CONFIG, migrating};
use super::effects::{executor, outside};
use super::*;
use crate::outside::Outside;
use slipway_core::message::Verb;

#[tokio::test]
async fn what_it_has_applied_is_not_said_to_be_nothing() {
    let repository = "repository = \"acme/goals\"\n";
    let with = format!("{repository}migrations = {{ dir = \"migrations\" }}\n");
    let mut chat = Chat::with(&CONFIG.replacen(repository, &with, 1)).await;
    let release = chat.planned("ana", &migrating(plan("staging", 1, 3))).await;
    chat.succeeds(&release, "observe_ci", Step::Ci).await;
    chat.succeeds(&release, "observe_image", Step::Image).await;
    // It had begun to run its file, and could not write down any more that it has.
    chat.execute("UPDATE effects SET intent = '{\"applied\":[]}' WHERE state = 'pending'".to_owned()).await;
    let row = chat.lease(&release, "migrate").await;
    chat.presses("ana", &release, Verb::Cancel).await;
    let (github, _told) = silent_github().await;
    let executor = executor(&chat, Outside { github, ..outside().await });
    executor.work(row).await;
    chat.handle_all().await;
    assert_eq!(chat.phase(&release).await, "cancelled");
    let stopped = chat.store.release_events(&release).await.unwrap().into_iter().find_map(|event| match event {
        Event::StepStopped { details, .. } => Some(details.join("\n")),
        _ => None,
    });
    let said = stopped.expect("the run was stopped");
    assert!(!said.contains("No migration of this release was applied."), "{said}");
    assert!(
        said.contains(
            "An earlier run of this release broke off. What else that one has applied: /migrate staging status."
        ),
        "{said}"
    );
    let card = chat.card(&release).await;
    assert!(card.contains("/migrate staging status"), "{card}");
}
