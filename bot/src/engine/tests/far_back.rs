//! Ways back that are not among the releases that are looked at.

use super::backwards::{back_plan, breaks, from_what_ran, runs_back};
use super::by_hand::{looks, runs};
use super::*;
use slipway_core::plan::Plan;
use slipway_core::release::RequestKind;

/// So many releases are looked at.
const LOOKED_AT: u32 = 20;

#[tokio::test]
async fn after_a_rollback_to_the_oldest_that_is_looked_at_the_next_never_goes_forward() {
    for succeeds in [true, false] {
        let mut chat = Chat::open().await;
        let mut all = Vec::new();
        for n in 0..=LOOKED_AT {
            all.push(chat.planned("ana", &from_what_ran("staging", 101 + n, 102 + n)).await);
            chat.wait_s(1);
            chat.runs_to_its_end(&all[all.len() - 1]).await;
            chat.wait_s(1);
        }
        assert_eq!(chat.says("ana", &format!("/rollback staging {}", all[1])).await, "");
        let to = Plan { base: Some(sha(102 + LOOKED_AT)), ..back_plan("staging", 103) };
        let back = runs_back(&mut chat, &to).await;
        if succeeds {
            chat.succeeds(&back, "verify", Step::Verify).await;
        } else {
            // One more has succeeded since, so that the one gone back to is out of sight here too.
            breaks(&mut chat, &back, "verify", Step::Verify).await;
            let older = format!("UPDATE releases SET phase = 'failed' WHERE id = '{}'", all[1]);
            chat.execute(older).await;
        }
        assert_eq!(chat.environment("staging").await.live.unwrap().commit, sha(103));
        chat.wait_s(1);
        let answer = chat.says("ana", "/rollback staging").await;
        assert!(answer.contains("There is nothing to go back to"), "{succeeds}: {answer}");
        assert_eq!(chat.newest().await, back, "neither forward nor past what is out of sight");
    }
}

#[tokio::test]
async fn what_was_fled_does_not_come_back_where_somebody_deployed_by_hand_since() {
    let mut chat = Chat::open().await;
    let first = chat.planned("ana", &from_what_ran("staging", 1, 4)).await;
    chat.wait_s(1);
    chat.runs_to_its_end(&first).await;
    chat.wait_s(1);
    assert_eq!(chat.says("ana", "/rollback staging").await, "");
    let back = runs_back(&mut chat, &back_plan("staging", 1)).await;
    breaks(&mut chat, &back, "verify", Step::Verify).await;
    assert_eq!(chat.environment("staging").await.live.unwrap().release, back);
    chat.wait_s(60);
    looks(&mut chat, runs(5)).await;
    assert!(chat.environment("staging").await.by_hand.is_some());
    assert_eq!(chat.says("ana", "/rollback staging").await, "");
    let kind = chat.release(&chat.newest().await).await.request.kind;
    assert!(matches!(&kind, RequestKind::Rollback { before: true, commit, .. } if *commit == sha(1)), "{kind:?}");
}
