//! Other rules while the bot runs.

use super::*;
use crate::policies::Reloaded;
use slipway_core::message::Verb;

const CLOSED: &str = r#"
@id("closed")
@why("Nothing starts today.")
forbid (principal, action == Action::"execute", resource);
"#;

#[tokio::test]
async fn what_waits_is_judged_by_the_new_rules_and_the_change_is_on_record() {
    let mut chat = Chat::open().await;
    chat.adds_rule("");
    let before = chat.engine.setup.policies().hash().to_owned();
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.writes_rule(CLOSED);
    let reloaded = chat.reloads().await.unwrap();
    let after = chat.engine.setup.policies().hash().to_owned();
    assert!(matches!(&reloaded, Reloaded::Changed { before: b, hash, .. } if *b == before && *hash == after));
    assert_eq!(chat.refused_by(&release).await, ["closed", "production-approval"]);
    let changed = chat.audit_of("policies_changed").await.pop().unwrap();
    assert_eq!((&changed.body["before"], &changed.body["after"]), (&before.into(), &after.clone().into()));
    assert_eq!((&changed.body["rules_added"], &changed.body["by"]), (&serde_json::json!(["closed"]), &"zoe".into()));
    assert_eq!(changed.policy_hash, Some(after));
    // The same again is no change.
    assert!(matches!(chat.reloads().await.unwrap(), Reloaded::Same { .. }));
    assert_eq!(chat.audit_of("policies_changed").await.len(), 1);
    chat.writes_rule("");
    chat.reloads().await.unwrap();
    assert_eq!(chat.refused_by(&release).await, ["production-approval"]);
    chat.presses("bob", &release, Verb::Approve).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn with_a_mistake_the_old_rules_stay_in_force() {
    let mut chat = Chat::open().await;
    chat.adds_rule(CLOSED);
    let before = chat.engine.setup.policies().hash().to_owned();
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.writes_rule("@id(\"x\") permit (principal, action == Action::\"exekute\", resource);");
    let mistakes = chat.reloads().await.unwrap_err().to_string();
    assert!(mistakes.contains("more.cedar:1:39") && mistakes.contains("exekute"), "{mistakes}");
    assert_eq!(chat.engine.setup.policies().hash(), before);
    assert_eq!(chat.refused_by(&release).await, ["closed"]);
    let refused = chat.audit_of("policies_refused").await.pop().unwrap();
    assert_eq!(refused.policy_hash, Some(before));
    assert!(refused.body["mistakes"][0].as_str().unwrap().contains("exekute"), "{}", refused.body);
}

#[tokio::test]
async fn when_its_transaction_is_undone_the_old_rules_are_in_force() {
    for what in ["INSERT ON audit", "UPDATE OF consumed_at ON inbox"] {
        let mut chat = Chat::open().await;
        chat.adds_rule(CLOSED);
        let before = chat.engine.setup.policies().hash().to_owned();
        let release = chat.planned("ana", &plan("staging", 1, 3)).await;
        chat.writes_rule("");
        chat.reads_policies().await.unwrap();
        chat.execute(format!("CREATE TRIGGER full BEFORE {what} BEGIN SELECT raise(ABORT, 'disk full'); END")).await;
        let mut tx = chat.store.begin().await.unwrap();
        let row = chat.store.inbox_next(&mut tx).await.unwrap().unwrap();
        chat.engine.handle(tx, &row).await.unwrap_err();
        assert_eq!(chat.engine.setup.policies().hash(), before, "{what}");
        assert_eq!(chat.phase(&release).await, "queued", "{what}");
        chat.execute("DROP TRIGGER full".to_owned()).await;
        chat.handle_all().await;
        assert_ne!(chat.engine.setup.policies().hash(), before, "{what}");
        assert_eq!(chat.phase(&release).await, "running(ci)", "{what}");
    }
}
