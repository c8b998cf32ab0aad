//! What somebody may try, or what may happen, between a vote and the run that it would start. One's own vote, an
//! author's and an outsider's are in `voting.rs`, tampering with the audit log is in `audit.rs`.

use super::chat::{CONFIG, setup};
use super::*;
use slipway_core::facts::{CiFact, CiState};
use slipway_core::ids::{ImageDigest, ReleaseId};
use slipway_core::message::Verb;
use slipway_core::person::Identity;
use slipway_core::plan::Plan;
use slipway_core::policy::Stance;

const HOUR_S: i64 = 3_600;

/// A plan for production that needs two approvals of the release team, because nobody can tell what it changes.
fn unknown_change() -> Plan {
    Plan { base: None, commits: vec![], commits_total: 0, ..plan("production", 1, 3) }
}

/// Ana has asked for it.
async fn needs_two(chat: &mut Chat) -> ReleaseId {
    let release = chat.planned("ana", &unknown_change()).await;
    assert_eq!(chat.refused_by(&release).await, ["production-approval", "unknown-change"]);
    release
}

/// The release waits, and these rules are why.
async fn waits_for(chat: &Chat, release: &ReleaseId, rules: &[&str]) {
    assert!(!chat.phase(release).await.starts_with("running"), "it runs");
    assert_eq!(chat.refused_by(release).await, rules);
    assert_eq!(chat.environment("production").await.running, None);
}

#[tokio::test]
async fn two_approvals_start_it() {
    let mut chat = Chat::open().await;
    let release = needs_two(&mut chat).await;
    chat.presses("bob", &release, Verb::Approve).await;
    waits_for(&chat, &release, &["unknown-change"]).await;
    chat.presses("cem", &release, Verb::Approve).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn a_bot_votes_for_nothing_and_cannot_be_made_a_person_by_its_login() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    for bot in [Identity::Slack("B0123ABCD".into()), Identity::Github("slipway[bot]".into())] {
        let answer = chat.types(bot, "/release approve").await;
        assert!(answer.contains("Slipway does not know you."), "{answer}");
    }
    waits_for(&chat, &release, &["production-approval"]).await;
    let config = CONFIG.replace("[person.bob]\n", "[person.bob]\ngithub = \"slipway[bot]\"\n");
    let mistake = setup(&config).unwrap_err();
    assert!(mistake.contains("slipway[bot]"), "{mistake}");
}

#[tokio::test]
async fn an_account_that_nobody_linked_votes_for_nothing() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    // Bob's name in another chat is not Bob.
    let answer = chat.types(Identity::Discord("bob".into()), "/release approve").await;
    assert!(answer.contains("Slipway does not know you."), "{answer}");
    waits_for(&chat, &release, &["production-approval"]).await;
    assert_eq!(chat.audit_of("unknown_person").await[0].body["who"]["platform"], "discord");
}

#[tokio::test]
async fn one_person_in_two_chats_has_one_vote() {
    let config = CONFIG.replace("[person.bob]\n", "[slack]\n[person.bob]\nslack = \"U012AB3CD\"\n");
    let mut chat = Chat::with(&config).await;
    let release = needs_two(&mut chat).await;
    chat.presses("bob", &release, Verb::Approve).await;
    chat.types(Identity::Slack("U012AB3CD".into()), "/release approve").await;
    waits_for(&chat, &release, &["unknown-change"]).await;
    assert_eq!(chat.release(&release).await.votes.len(), 1);
    // Nor is his other account somebody else when he is the one who asked.
    let own = chat.planned("bob", &plan("staging", 1, 3)).await;
    assert_eq!(chat.phase(&own).await, "running(ci)");
    let answer = chat.types(Identity::Slack("U012AB3CD".into()), "/rollback production").await;
    assert!(!answer.contains("does not know you"), "{answer}");
}

#[tokio::test]
async fn a_vote_is_for_the_plan_that_its_channel_shows() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.publishes().await;
    chat.wait_s(600);
    let mut rebuilt = plan("production", 1, 3);
    rebuilt.image.digest = ImageDigest::parse(&format!("sha256:{}", "ef".repeat(32))).unwrap();
    chat.presses("bob", &release, Verb::Approve).await;
    chat.gathers(&release, &rebuilt).await;
    // The new plan is made, and the channel does not show it yet.
    let override_it = format!("/release override {} --incident INC-7 --reason \"down\"", release.short());
    for _ in 0..2 {
        let answer = chat.presses("bob", &release, Verb::Approve).await;
        assert!(answer.contains("the plan has just changed"), "{answer}");
        let answer = chat.reacts("bob", &release, Stance::Approve, true).await;
        assert!(answer.contains("the plan has just changed"), "{answer}");
        let answer = chat.says("bob", "/release approve").await;
        assert!(answer.contains("the plan has just changed"), "{answer}");
        let answer = chat.says("bob", &override_it).await;
        assert!(answer.contains("the plan has just changed"), "{answer}");
    }
    waits_for(&chat, &release, &["production-approval"]).await;
    // Who objects need not have seen it.
    assert_eq!(chat.presses("eve", &release, Verb::Veto).await, "");
    chat.says("eve", "/release withdraw").await;
    chat.publishes().await;
    assert_eq!(chat.presses("bob", &release, Verb::Approve).await, "");
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn who_has_left_the_team_has_voted_for_nothing() {
    let mut chat = Chat::open().await;
    let release = needs_two(&mut chat).await;
    chat.presses("bob", &release, Verb::Approve).await;
    let left = CONFIG.replace(
        "terminal = \"bob\"\nteams = [\"developers\", \"release\"]",
        "terminal = \"bob\"\nteams = [\"developers\"]",
    );
    assert_ne!(left, CONFIG);
    chat.configure(&left);
    chat.presses("cem", &release, Verb::Approve).await;
    waits_for(&chat, &release, &["unknown-change"]).await;
    let gone = CONFIG.replace("[person.bob]\nterminal = \"bob\"\n", "[person.dan]\nterminal = \"dan\"\n");
    assert_ne!(gone, CONFIG);
    chat.configure(&gone);
    chat.starts().await;
    waits_for(&chat, &release, &["unknown-change"]).await;
    // He is back, and so is his vote.
    chat.configure(CONFIG);
    chat.wait_s(1);
    chat.starts().await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn who_asked_and_has_left_starts_nothing() {
    let mut chat = Chat::open().await;
    let release = chat.planned("eve", &plan("production", 1, 3)).await;
    let left = CONFIG.replace("terminal = \"eve\"\nteams = [\"developers\"]", "terminal = \"eve\"");
    assert_ne!(left, CONFIG);
    chat.configure(&left);
    chat.presses("bob", &release, Verb::Approve).await;
    assert_eq!(chat.phase(&release).await, "denied");
    assert_eq!(chat.environment("production").await.running, None);
}

#[tokio::test]
async fn ci_that_went_red_after_the_vote_starts_nothing() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.wait_s(600);
    chat.presses("bob", &release, Verb::Approve).await;
    let red = CiFact { state: CiState::Red, total: 3, passed: 2, failing: vec!["test".into()], missing: vec![] };
    chat.gathers_with(&release, &plan("production", 1, 3), red).await;
    waits_for(&chat, &release, &["ci-green"]).await;
    // The vote stands: it was for the plan, and that is the same.
    assert_eq!(chat.release(&release).await.votes.len(), 1);
}

#[tokio::test]
async fn a_freeze_that_began_after_the_vote_starts_nothing() {
    let mut chat = Chat::open().await;
    // Friday, 14:58.
    chat.wait_s(4 * 24 * HOUR_S + 6 * HOUR_S + 58 * 60);
    let release = needs_two(&mut chat).await;
    chat.presses("bob", &release, Verb::Approve).await;
    chat.wait_s(2 * 60);
    chat.presses("cem", &release, Verb::Approve).await;
    waits_for(&chat, &release, &["weekend-freeze"]).await;
}

#[tokio::test]
async fn a_lock_taken_after_the_vote_starts_nothing() {
    let mut chat = Chat::open().await;
    let release = needs_two(&mut chat).await;
    chat.presses("bob", &release, Verb::Approve).await;
    chat.says("eve", "/release lock production \"incident\"").await;
    chat.presses("cem", &release, Verb::Approve).await;
    waits_for(&chat, &release, &["locked"]).await;
    chat.says("eve", "/release unlock production").await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn a_rule_that_fails_forbids() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.adds_rule(
        r#"
        @id("overflows")
        @why("Too much.")
        forbid (principal, action == Action::"execute", resource)
        when { context.vetoes + 1 + 9223372036854775807 > 0 };"#,
    );
    chat.presses("bob", &release, Verb::Approve).await;
    waits_for(&chat, &release, &["policy-error"]).await;
}

#[tokio::test]
async fn rules_with_mistakes_are_not_used_and_each_is_named() {
    let chat = Chat::open().await;
    let forbid = |id: &str, when: &str| {
        format!("@id(\"{id}\")\n@why(\"No.\")\nforbid (principal, action == Action::\"execute\", resource) {when};\n")
    };
    let misspelt = forbid("misspelt", "when { resource.environment == Environment::\"prodution\" }");
    let never = forbid("never", "when { resource.kind == Kind::\"deploy\" && false }");
    let twice = forbid("no-veto", "");
    for (rule, said) in [(&misspelt, "prodution"), (&never, "never"), (&twice, "no-veto")] {
        let mistakes = setup(&chat.config_with_rule(rule)).unwrap_err();
        assert!(mistakes.contains(".cedar:") && mistakes.contains(said), "{mistakes}");
    }
    let all = setup(&chat.config_with_rule(&format!("{misspelt}{never}{twice}"))).unwrap_err();
    for said in ["prodution", "never", "no-veto"] {
        assert!(all.contains(said), "{all}");
    }
}
