//! Approvals: whose count, for which plan, and when they start the run.

use super::*;
use expect_test::expect;
use slipway_core::ids::ImageDigest;
use slipway_core::message::Verb;
use slipway_core::policy::Stance;

async fn voters(chat: &Chat, release: &slipway_core::ids::ReleaseId) -> Vec<String> {
    chat.release(release).await.votes.iter().map(|vote| vote.person.to_string()).collect()
}

#[tokio::test]
async fn production_waits_for_somebody_elses_vote() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    assert_eq!(chat.phase(&release).await, "awaiting_approval");
    assert_eq!(chat.environment("production").await.running, None);
    // Neither Ana, who asked, nor Cem, who wrote it.
    assert_eq!(chat.told(&release).await, ["bob: goals → production waits for your approval."]);
    let own = chat.says("ana", "/release approve").await;
    expect![[r#"
        Your vote does not count here: Nobody approves a release that they asked for. Waiting for 1 of release: bob can.
        goals → production · release RELEASE"#]]
    .assert_eq(&own.replace(release.short(), "RELEASE"));
    let author = chat.presses("cem", &release, Verb::Approve).await;
    expect![[r#"
        Your vote does not count here: Nobody approves a release that contains a commit of their own. Waiting for 1 of release: bob can.
        goals → production · release RELEASE"#]].assert_eq(&author.replace(release.short(), "RELEASE"));
    let other = chat.says("eve", "/release approve").await;
    expect![[r#"
        Your vote does not count here: No rule lets eve approve this release. Waiting for 1 of release: bob can.
        goals → production · release RELEASE"#]]
    .assert_eq(&other.replace(release.short(), "RELEASE"));
    assert_eq!(voters(&chat, &release).await, [""; 0]);
    assert_eq!(chat.phase(&release).await, "awaiting_approval");
    assert_eq!(chat.says("bob", "/release approve").await, "");
    assert_eq!(voters(&chat, &release).await, ["bob"]);
    assert_eq!(chat.phase(&release).await, "running(ci)");
    assert_eq!(chat.environment("production").await.running, Some(release.clone()));
    let late = chat.presses("bob", &release, Verb::Approve).await;
    assert!(late.contains("Your vote was not taken: the release is running."), "{late}");
}

#[tokio::test]
async fn what_a_voter_is_answered_leads_to_the_release() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.says("ana", "/release approve").await;
    chat.presses("cem", &release, Verb::Approve).await;
    chat.reacts("eve", &release, Stance::Approve, true).await;
    chat.says("eve", "/release status").await;
    let about = "SELECT only_for FROM messages WHERE key LIKE 'answer/%' AND release = $1 ORDER BY id";
    assert_eq!(chat.scalars(about, release.as_str()).await, ["ana", "cem", "eve"]);
}

#[tokio::test]
async fn every_refused_vote_is_on_record_with_who_and_why() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    for who in ["ana", "cem", "eve"] {
        chat.presses(who, &release, Verb::Approve).await;
    }
    let digest = chat.release(&release).await.digest().unwrap();
    let refused = chat.audit_of("vote_refused").await;
    let whom: Vec<_> = refused.iter().map(|record| record.body["person"].as_str().unwrap()).collect();
    assert_eq!(whom, ["ana", "cem", "eve"]);
    for record in &refused {
        assert_eq!(record.body["plan"], digest.as_str());
        assert!(!record.body["reasons"].as_array().unwrap().is_empty());
        assert_eq!(record.policy_hash.as_deref(), Some(chat.engine.setup.policies().hash()));
    }
}

#[tokio::test]
async fn a_vote_on_old_facts_starts_the_run_after_fresh_ones() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.wait_s(600);
    assert_eq!(chat.says("bob", "/release approve").await, "");
    assert_eq!(chat.phase(&release).await, "awaiting_approval");
    assert!(chat.release(&release).await.gathering);
    assert!(chat.card(&release).await.contains("What runs and what would ship is being read again."));
    chat.gathers(&release, &plan("production", 1, 3)).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
    assert_eq!(voters(&chat, &release).await, ["bob"]);
}

#[tokio::test]
async fn a_changed_plan_voids_the_votes_and_says_so() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.wait_s(600);
    chat.says("bob", "/release approve").await;
    let mut rebuilt = plan("production", 1, 3);
    rebuilt.image.digest = ImageDigest::parse(&format!("sha256:{}", "ef".repeat(32))).unwrap();
    chat.gathers(&release, &rebuilt).await;
    assert_eq!(chat.phase(&release).await, "awaiting_approval");
    assert_eq!(voters(&chat, &release).await, [""; 0]);
    let told = chat.told(&release).await;
    assert_eq!(told[1..], ["bob: The plan of goals → production changed, your vote is void."]);
    let card = chat.card(&release).await;
    assert!(card.contains("the plan changed, votes are void"), "{card}");
    // A vote for the new plan counts.
    chat.says("bob", "/release approve").await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
    let voted = chat.audit_of("voted").await;
    let plans: Vec<_> = voted.iter().map(|record| record.body["event"]["vote"]["digest"].as_str().unwrap()).collect();
    assert_eq!(plans, [plan("production", 1, 3).digest().as_str(), rebuilt.digest().as_str()]);
}

#[tokio::test]
async fn who_is_not_known_votes_for_nothing() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    let before = chat.release(&release).await;
    for _ in 0..2 {
        let answer = chat.presses("mallory", &release, Verb::Approve).await;
        assert!(answer.contains("Slipway does not know you."), "{answer}");
    }
    let answer = chat.reacts("mallory", &release, Stance::Veto, true).await;
    assert!(answer.contains("Slipway does not know you."), "{answer}");
    assert_eq!(chat.release(&release).await, before);
    let unknown = chat.audit_of("unknown_person").await;
    assert_eq!(unknown.len(), 1, "one record for each account and hour");
    assert_eq!(unknown[0].body["release"], release.as_str());
    assert_eq!(unknown[0].body["who"]["id"], "mallory");
}

#[tokio::test]
async fn a_reaction_is_a_vote_and_taking_it_away_takes_the_vote_back() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    assert_eq!(chat.reacts("eve", &release, Stance::Veto, true).await, "");
    assert_eq!(chat.reacts("bob", &release, Stance::Approve, true).await, "");
    assert_eq!(voters(&chat, &release).await, ["eve", "bob"]);
    // A veto holds it, whoever approves.
    assert_eq!(chat.phase(&release).await, "awaiting_approval");
    assert!(chat.card(&release).await.contains("vetoed by eve"));
    // What is taken away was never her vote.
    assert_eq!(chat.reacts("eve", &release, Stance::Approve, false).await, "");
    assert_eq!(voters(&chat, &release).await, ["eve", "bob"]);
    let answer = chat.reacts("eve", &release, Stance::Veto, false).await;
    assert!(answer.contains("Your vote is taken back."), "{answer}");
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn a_vote_before_the_plan_is_not_taken() {
    let mut chat = Chat::open().await;
    chat.says("ana", "/deploy production").await;
    let release = chat.newest().await;
    let answer = chat.presses("bob", &release, Verb::Approve).await;
    assert!(answer.contains("Your vote was not taken: there is no plan yet."), "{answer}");
    assert_eq!(chat.audit_of("voted").await, []);
}

#[tokio::test]
async fn a_withdrawn_vote_does_not_start_the_run() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.wait_s(600);
    chat.says("bob", "/release approve").await;
    let answer = chat.says("bob", "/release withdraw").await;
    assert!(answer.contains("Your vote is taken back."), "{answer}");
    chat.gathers(&release, &plan("production", 1, 3)).await;
    assert_eq!(chat.phase(&release).await, "awaiting_approval");
    assert_eq!(chat.audit_of("withdrawn").await.len(), 1);
}

#[tokio::test]
async fn nobody_approves_in_time() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.wait_s(4 * 3600);
    let at = chat.now();
    chat.outcome(&release, "expire_at", Event::TimedOut { at }).await;
    assert_eq!(chat.release(&release).await.outcome, Some(Outcome::Expired));
    assert_eq!(chat.environment("production").await.queue, []);
    // Only who is to be told something is still told.
    assert_eq!(chat.effects(&release).await, ["tell", "tell"]);
    let told = chat.told(&release).await;
    assert_eq!(told.last().unwrap(), "ana: goals → production expired before it could start.");
    let late = chat.presses("bob", &release, Verb::Approve).await;
    assert!(late.contains("Your vote was not taken: the release has expired."), "{late}");
}

#[tokio::test]
async fn a_run_does_not_expire() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.wait_s(4 * 3600);
    let at = chat.now();
    chat.outcome(&release, "expire_at", Event::TimedOut { at }).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}
