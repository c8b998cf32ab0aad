//! Other rules while the bot runs.

use super::chat::CONFIG;
use super::*;
use crate::policies::Reloaded;
use slipway_core::message::Verb;
use std::time::Duration;

const CLOSED: &str = r#"
@id("closed")
@why("Nothing starts today.")
forbid (principal, action == Action::"execute", resource)
unless { context.overridden };
"#;

#[tokio::test]
async fn what_waits_is_judged_by_the_new_rules_and_the_change_is_on_record() {
    let mut chat = Chat::open().await;
    chat.adds_rule("");
    chat.starts_with_policies(&chat.config_with_folder()).await;
    let before = chat.engine.setup.policies().hash().to_owned();
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.writes_rule(CLOSED);
    let reloaded = chat.reloads().await.unwrap();
    let after = chat.engine.setup.policies().hash().to_owned();
    assert!(matches!(&reloaded, Reloaded::Changed { before: b, hash, .. } if *b == before && *hash == after));
    assert_eq!(chat.refused_by(&release).await, ["closed", "production-approval"]);
    let changed = chat.audit_of("policies_changed").await.pop().unwrap();
    assert_eq!((&changed.body["before"], &changed.body["after"]), (&before.into(), &after.clone().into()));
    let differences = serde_json::json!({ "removed": [], "added": ["closed"], "changed": [] });
    assert_eq!((&changed.body["differences"], &changed.body["by"]), (&differences, &"zoe".into()));
    assert_eq!(changed.policy_hash, Some(after));
    // The same again is no change.
    assert!(matches!(chat.reloads().await.unwrap(), Reloaded::Same { .. }));
    assert_eq!(chat.audit_of("policies_changed").await.len(), 2, "the start and the reload");
    let told = chat.posted("policies/2").await;
    assert!(told.contains("The policies changed") && told.contains("closed"), "{told}");
    chat.writes_rule("");
    chat.reloads().await.unwrap();
    assert_eq!(chat.refused_by(&release).await, ["production-approval"]);
    chat.presses("bob", &release, Verb::Approve).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn new_rules_are_stored_before_they_are_in_force() {
    let mut chat = Chat::open().await;
    chat.adds_rule("");
    chat.starts_with_policies(&chat.config_with_folder()).await;
    let keeper = chat.keeper(&chat.config_with_folder());
    chat.writes_rule(CLOSED);
    let reloaded = chat.reads_policies().await.unwrap();
    assert!(!keeper.come_into_force(reloaded.hash(), Duration::ZERO).await, "the engine has not seen them");
    chat.handle_all().await;
    assert!(keeper.come_into_force(reloaded.hash(), Duration::ZERO).await);
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

#[tokio::test]
async fn a_revert_is_not_swallowed_by_what_is_still_on_its_way() {
    let mut chat = Chat::open().await;
    chat.adds_rule(CLOSED);
    chat.starts_with_policies(&chat.config_with_folder()).await;
    let before = chat.engine.setup.policies().hash().to_owned();
    chat.writes_rule("");
    chat.reads_policies().await.unwrap();
    // The engine has not come to it yet, and the rules in force still are these.
    chat.writes_rule(CLOSED);
    assert!(matches!(chat.reads_policies().await.unwrap(), Reloaded::Changed { .. }));
    chat.handle_all().await;
    assert_eq!(chat.engine.setup.policies().hash(), before);
}

#[tokio::test]
async fn a_clock_that_was_ahead_puts_no_earlier_rules_in_force() {
    let config = in_a_repository();
    let mut chat = Chat::with(&config).await;
    chat.wait_s(3_600);
    chat.policies_are_committed(&config, "ana-dev", NO_EDIT).await;
    chat.wait_s(-3_600);
    chat.policies_are_committed(&config, "ana-dev", LOOSENED).await;
    let loosened = chat.engine.setup.policies().hash().to_owned();
    chat.configure(&config);
    chat.starts_with_policies(&config).await;
    assert_eq!(chat.engine.setup.policies().hash(), loosened);
    // And the change is not forgotten.
    let waits = chat.planned("ana", &plan("production", 1, 3)).await;
    assert_eq!(chat.refused_by(&waits).await, ["own-policy-change"]);
}

/// The rules are kept in a repository, and Ana has an account there.
fn in_a_repository() -> String {
    let ana = CONFIG.replace("[person.ana]\n", "[person.ana]\ngithub = \"ana-dev\"\n");
    let teams = "[person.zoe]\nterminal = \"zoe\"\nteams = [\"sre\", \"dba\"]\n";
    format!("{ana}{teams}[policies]\nrepository = \"acme/rules\"\n")
}

const NO_EDIT: (&str, &str) = ("", "");
/// Production is content with no approval.
const LOOSENED: (&str, &str) = ("resource.getTag(\"release\") >= 1 ||", "resource.getTag(\"release\") >= 0 ||");

#[tokio::test]
async fn nothing_is_allowed_before_the_repository_was_read() {
    let config = in_a_repository();
    let mut chat = Chat::with(&config).await;
    chat.starts_with_policies(&config).await;
    let answer = chat.says("ana", "/deploy staging").await;
    assert!(answer.contains("The policies in acme/rules have not been read yet"), "{answer}");
}

#[tokio::test]
async fn who_loosened_a_rule_in_the_repository_does_not_profit_and_others_do() {
    let config = in_a_repository();
    let mut chat = Chat::with(&config).await;
    chat.policies_are_committed(&config, "somebody-else", NO_EDIT).await;
    let waits = chat.planned("ana", &plan("production", 1, 3)).await;
    assert_eq!(chat.refused_by(&waits).await, ["production-approval"]);
    chat.wait_s(1);
    chat.policies_are_committed(&config, "Ana-Dev", LOOSENED).await;
    assert_eq!(chat.refused_by(&waits).await, ["own-policy-change"]);
    let card = chat.card(&waits).await;
    assert!(card.contains("▲ ana changed the policies since, and before that: Production needs"), "{card}");
    let told = chat.posted("policies/2").await;
    assert!(told.contains("The policies changed · by ana") && told.contains("production-approval"), "{told}");
    // Started again it is no other.
    chat.configure(&config);
    chat.starts_with_policies(&config).await;
    chat.wait_s(1);
    chat.starts().await;
    assert_eq!(chat.refused_by(&waits).await, ["own-policy-change"]);
    chat.presses("bob", &waits, Verb::Approve).await;
    assert_eq!(chat.phase(&waits).await, "running(ci)");
    chat.runs_to_its_end(&waits).await;
    // Nobody has to approve what Eve asks for: that is what the rules say now.
    chat.wait_s(1);
    let eves = chat.planned("eve", &plan("production", 3, 4)).await;
    assert_eq!(chat.phase(&eves).await, "running(ci)");
}
