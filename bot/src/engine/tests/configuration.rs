//! The configuration: what a release ran with, what changed since, and a release of it alone.

use super::chat::{CONFIG, key};
use super::effects::{executor, outside};
use super::hints::{HEALTH_URL, TOO_LONG_S};
use super::*;
use crate::engine::Incoming;
use crate::store::Question;
use slipway_core::configuration::{Drift, Fingerprints, KeysSeen};
use slipway_core::ids::ReleaseId;
use slipway_core::person::Identity;
use slipway_core::plan::{ConfigVersion, Plan, PlanKind};
use slipway_core::policy::Stance;
use slipway_core::release::RequestKind;

fn config() -> String {
    let named = |text: String, name: &str| {
        let section = format!("[service.goals.environment.{name}]\n");
        text.replacen(&section, &format!("{section}config = [\"goals/{name}\"]\n"), 1)
    };
    named(named(CONFIG.to_owned(), "staging"), "production")
}

/// A version of the environment's secret with these keys, each with something for a hash.
fn stored(environment: &str, version: &str, keys: &[(&str, &str)]) -> Vec<ConfigVersion> {
    let of = keys.iter().map(|(name, hash)| ((*name).to_owned(), (*hash).to_owned())).collect();
    let keys = KeysSeen::Hashed(Fingerprints { key_id: "k".into(), of });
    vec![ConfigVersion { keys, ..ConfigVersion::new(format!("goals/{environment}"), version) }]
}

fn first(environment: &str) -> Vec<ConfigVersion> {
    stored(environment, "v1", &[("SMTP_HOST", "a"), ("PORT", "b")])
}

fn second(environment: &str) -> Vec<ConfigVersion> {
    stored(environment, "v2", &[("SMTP_HOST", "x"), ("PORT", "b")])
}

/// A version is live on staging that was started with the first version of the secret.
async fn live() -> (Chat, ReleaseId) {
    let mut chat = Chat::with(&config()).await;
    let release = chat.planned("ana", &Plan { config: first("staging"), ..plan("staging", 1, 3) }).await;
    chat.runs_to_its_end(&release).await;
    chat.wait_s(60);
    (chat, release)
}

/// Somebody has stored the second version, and a look has found it.
async fn edited(chat: &Chat) {
    let mut tx = chat.store.begin().await.unwrap();
    chat.store.configuration_seen(&mut tx, &key("staging"), &second("staging"), chat.now()).await.unwrap();
    tx.commit().await.unwrap();
}

/// What the executor would plan for the configuration alone.
async fn only_config(chat: &Chat, config: Vec<ConfigVersion>) -> Plan {
    let ran = chat.store.configuration(&key("staging")).await.unwrap().ran_with.unwrap();
    let drift = Some(Drift::between(&ran, &config));
    let plan = plan("staging", 3, 3);
    Plan { kind: PlanKind::Config, base: Some(sha(3)), commits: vec![], commits_total: 0, config, drift, ..plan }
}

/// Somebody asks for it, and it is planned as far as the gate.
async fn asked_for(chat: &mut Chat, plan: &Plan) -> ReleaseId {
    assert_eq!(chat.says("ana", "/deploy staging --config").await, "");
    let release = chat.newest().await;
    chat.outcome(&release, "resolve", Event::Resolved { commit: sha(3), branch: None }).await;
    assert!(!chat.effects(&release).await.contains(&"await_build".to_owned()), "it was built once");
    chat.gathers(&release, plan).await;
    release
}

#[tokio::test]
async fn what_a_release_ran_with_is_kept_when_it_goes_live() {
    let (mut chat, release) = live().await;
    let kept = chat.store.configuration(&key("staging")).await.unwrap();
    let ran = kept.ran_with.unwrap();
    assert_eq!((ran.release, ran.secrets), (release, first("staging")));
    assert_eq!(Some(ran.at), chat.environment("staging").await.live.map(|live| live.since));
    let status = chat.says("ana", "/release status").await;
    assert!(!status.contains("config"), "{status}");
    edited(&chat).await;
    let status = chat.says("ana", "/release status").await;
    assert!(status.contains("config changed: SMTP_HOST"), "{status}");
    assert!(!status.contains("PORT"), "{status}");
    chat.wait_s(3_600);
    let status = chat.says("ana", "/release status").await;
    assert!(status.contains("config changed: SMTP_HOST (seen 60 min ago)"), "{status}");
}

#[tokio::test]
async fn what_did_not_go_live_changes_nothing_of_it() {
    let (mut chat, first_release) = live().await;
    let failing = chat.planned("ana", &Plan { config: second("staging"), ..plan("staging", 3, 4) }).await;
    chat.succeeds(&failing, "observe_ci", Step::Ci).await;
    chat.succeeds(&failing, "observe_image", Step::Image).await;
    let failure = Failure::new("AWS said no.");
    let failed = Event::StepFailed { step: Step::Deploy, failure, rolled_back: true, at: chat.now() };
    chat.outcome(&failing, "deploy", failed).await;
    let ran = chat.store.configuration(&key("staging")).await.unwrap().ran_with.unwrap();
    assert_eq!(ran.release, first_release);
    // Its plan was a look as well.
    let status = chat.says("ana", "/release status").await;
    assert!(status.contains("config changed: SMTP_HOST"), "{status}");
}

#[tokio::test]
async fn a_version_that_is_not_healthy_runs_with_what_it_was_started_with() {
    let (mut chat, _) = live().await;
    let release = chat.planned("ana", &Plan { config: second("staging"), ..plan("staging", 3, 4) }).await;
    chat.succeeds(&release, "observe_ci", Step::Ci).await;
    chat.succeeds(&release, "observe_image", Step::Image).await;
    chat.outcome(&release, "deploy", Event::DeployStarted { target: 0, operation: "op-1".into() }).await;
    chat.succeeds(&release, "follow", Step::Deploy).await;
    let failure = Failure::new("It answers 500.");
    let failed = Event::StepFailed { step: Step::Verify, failure, rolled_back: false, at: chat.now() };
    chat.outcome(&release, "verify", failed).await;
    let ran = chat.store.configuration(&key("staging")).await.unwrap().ran_with.unwrap();
    assert_eq!((ran.release, ran.secrets), (release, second("staging")));
}

#[tokio::test]
async fn the_configuration_alone_is_a_release_like_any_other() {
    let (mut chat, before) = live().await;
    edited(&chat).await;
    let plan = only_config(&chat, second("staging")).await;
    let release = asked_for(&mut chat, &plan).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
    let card = chat.card(&release).await;
    assert!(card.contains("goals → staging · configuration only · "), "{card}");
    assert!(card.contains("goals/staging: SMTP_HOST changed"), "{card}");
    chat.succeeds(&release, "observe_ci", Step::Ci).await;
    chat.deploys(&release).await;
    assert_eq!(chat.release(&release).await.outcome, Some(Outcome::Live));
    let live = chat.environment("staging").await.live.unwrap();
    assert_eq!((live.release, live.commit), (release, sha(3)));
    let status = chat.says("ana", "/release status").await;
    assert!(!status.contains("config"), "{status}");
    // What ran before is the same version: there is nothing to go back to.
    let answer = chat.says("ana", "/rollback staging").await;
    assert!(answer.contains("There is nothing to go back to"), "{answer} {before}");
}

#[tokio::test]
async fn nothing_is_deployed_when_nothing_changed() {
    let (mut chat, _) = live().await;
    let plan = only_config(&chat, first("staging")).await;
    let release = asked_for(&mut chat, &plan).await;
    assert_eq!(chat.release(&release).await.outcome, Some(Outcome::NothingToDo));
    let card = chat.card(&release).await;
    assert!(card.contains("nothing to deploy: unchanged since 0000000 went live"), "{card}");
}

#[tokio::test]
async fn it_passes_the_same_gate() {
    let (mut chat, _) = live().await;
    chat.says("bob", "/release lock staging \"moving\"").await;
    let plan = only_config(&chat, second("staging")).await;
    let release = asked_for(&mut chat, &plan).await;
    assert_eq!(chat.phase(&release).await, "queued");
    let answer = chat.says("gus", "/deploy staging --config").await;
    assert!(answer.contains("No rule lets gus"), "{answer}");
    assert_eq!(chat.newest().await, release, "nothing was begun for somebody who may not ask");
}

#[tokio::test]
async fn a_retry_is_of_the_configuration_alone_again() {
    let (mut chat, _) = live().await;
    let plan = only_config(&chat, second("staging")).await;
    let failed = asked_for(&mut chat, &plan).await;
    let failure = Failure::new("CI cannot be reached.");
    let event = Event::StepFailed { step: Step::Ci, failure, rolled_back: false, at: chat.now() };
    chat.outcome(&failed, "observe_ci", event).await;
    assert_eq!(chat.says("ana", "/release retry").await, "");
    let again = chat.release(&chat.newest().await).await;
    assert_eq!(again.request.kind, RequestKind::Config { commit: sha(3), again: Some(failed) });
}

#[tokio::test]
async fn without_a_version_or_a_secret_there_is_nothing_to_bring_again() {
    let mut chat = Chat::with(&config()).await;
    let answer = chat.says("ana", "/deploy staging --config").await;
    assert!(answer.contains("has brought nothing to goals → staging yet"), "{answer}");
    chat.configure(CONFIG);
    let answer = chat.says("ana", "/deploy staging --config").await;
    assert!(answer.contains("No secret is named for goals → staging"), "{answer}");
    assert_eq!(chat.count("SELECT count(*) FROM releases WHERE id > $1", "").await, 0);
}

#[tokio::test]
async fn a_secret_stored_again_voids_the_votes_and_names_the_key() {
    let mut chat = Chat::with(&config()).await;
    let at_first = Plan { config: first("production"), ..plan("production", 1, 3) };
    let release = chat.planned("ana", &at_first).await;
    assert_eq!(chat.phase(&release).await, "awaiting_approval");
    // Too old to start by the time of the vote: the plan is made again.
    chat.wait_s(600);
    chat.says("bob", "/release approve").await;
    let edited = Plan { config: second("production"), ..at_first };
    chat.gathers(&release, &edited).await;
    assert_eq!(chat.phase(&release).await, "awaiting_approval");
    let state = chat.release(&release).await;
    assert!(state.votes.iter().all(|vote| vote.stance != Stance::Approve), "{:?}", state.votes);
    let card = chat.card(&release).await;
    assert!(card.contains("the plan changed, votes are void"), "{card}");
    assert!(card.contains("goals/production: SMTP_HOST changed"), "{card}");
}

#[tokio::test]
async fn the_keys_are_asked_of_the_outside_and_answered_alone() {
    let (mut chat, _) = live().await;
    let (who, text) = (Identity::Terminal("eve".into()), "/release config staging".to_owned());
    chat.deliver(&Incoming::Typed { who, channel: "terminal:releases".into(), text }).await;
    let lookups = chat.store.lookups(10).await.unwrap();
    let question = Question::Configuration { environments: vec![key("staging")] };
    assert_eq!(lookups.iter().map(|lookup| lookup.question.clone()).collect::<Vec<_>>(), [Ok(question)]);
}

/// Commit 4 is brought after commit 3, and commit 3 back again.
async fn gone_back() -> Chat {
    let (mut chat, _) = live().await;
    let newer = chat.planned("ana", &Plan { config: first("staging"), ..plan("staging", 3, 4) }).await;
    chat.runs_to_its_end(&newer).await;
    chat.wait_s(60);
    assert_eq!(chat.says("ana", "/rollback staging").await, "");
    let back = chat.newest().await;
    chat.outcome(&back, "resolve", Event::Resolved { commit: sha(3), branch: None }).await;
    let older = Plan { kind: PlanKind::Rollback, base: Some(sha(4)), commits: vec![], ..plan("staging", 3, 3) };
    chat.gathers(&back, &Plan { config: first("staging"), ..older }).await;
    chat.runs_to_its_end(&back).await;
    chat.wait_s(60);
    chat
}

#[tokio::test]
async fn after_it_a_rollback_still_never_goes_forward() {
    for well in [true, false] {
        let mut chat = gone_back().await;
        let plan = only_config(&chat, second("staging")).await;
        let release = asked_for(&mut chat, &plan).await;
        chat.succeeds(&release, "observe_ci", Step::Ci).await;
        chat.outcome(&release, "deploy", Event::DeployStarted { target: 0, operation: "op-1".into() }).await;
        chat.succeeds(&release, "follow", Step::Deploy).await;
        match well {
            true => chat.succeeds(&release, "verify", Step::Verify).await,
            false => {
                let failure = Failure::new("It is not well.");
                let event = Event::StepFailed { step: Step::Verify, failure, rolled_back: false, at: chat.now() };
                chat.outcome(&release, "verify", event).await;
            }
        }
        chat.wait_s(60);
        let said = chat.says("ana", "/rollback staging").await;
        assert!(said.contains("There is nothing to go back to"), "{well}: {said}");
    }
}

#[tokio::test]
async fn releases_of_the_configuration_hide_no_older_version_from_a_rollback() {
    let mut chat = Chat::with(&config()).await;
    for (base, commit) in [(1, 3), (3, 4)] {
        let release = chat.planned("ana", &plan("staging", base, commit)).await;
        chat.runs_to_its_end(&release).await;
        chat.wait_s(1);
    }
    // More than a rollback looks back.
    for _ in 0..21 {
        assert_eq!(chat.says("ana", "/deploy staging --config").await, "");
        let release = chat.newest().await;
        chat.outcome(&release, "resolve", Event::Resolved { commit: sha(4), branch: None }).await;
        let same = plan("staging", 4, 4);
        chat.gathers(&release, &Plan { kind: PlanKind::Config, base: Some(sha(4)), ..same }).await;
        chat.succeeds(&release, "observe_ci", Step::Ci).await;
        chat.deploys(&release).await;
        chat.wait_s(1);
    }
    assert_eq!(chat.says("ana", "/rollback staging").await, "");
    let back = chat.newest().await;
    let kind = chat.release(&back).await.request.kind;
    assert!(matches!(&kind, RequestKind::Rollback { commit, .. } if *commit == sha(3)), "{kind:?}");
}

#[tokio::test]
async fn a_bad_mark_on_what_runs_is_seen_in_status_and_history() {
    let (mut chat, release) = live().await;
    assert!(!chat.says("ana", "/release status").await.contains("known bad"));
    chat.says("bob", &format!("/release bad {} \"leaks\"", release.short())).await;
    let (status, history) = (chat.says("ana", "/release status").await, chat.says("ana", "/release history").await);
    assert!(status.contains("known bad"), "{status}");
    assert!(history.contains("live, known bad"), "{history}");
}

/// The service never becomes healthy, asked by the executor itself.
async fn not_healthy(chat: &mut Chat, release: &ReleaseId) -> String {
    chat.succeeds(release, "observe_ci", Step::Ci).await;
    if chat.release(release).await.request.kind.plan_kind() != PlanKind::Config {
        chat.succeeds(release, "observe_image", Step::Image).await;
    }
    chat.outcome(release, "deploy", Event::DeployStarted { target: 0, operation: "op-1".into() }).await;
    chat.succeeds(release, "follow", Step::Deploy).await;
    let executor = executor(chat, outside().await);
    chat.wait_s(TOO_LONG_S);
    let row = chat.lease(release, "verify").await;
    executor.work(row).await;
    chat.handle_all().await;
    assert_eq!(chat.phase(release).await, "failed");
    chat.card(release).await
}

/// The plan of the same once more, which could not be verified: no change is known.
async fn once_more(chat: &Chat, config: Vec<ConfigVersion>) -> Plan {
    Plan { drift: None, ..only_config(chat, config).await }
}

fn with_health_url() -> String {
    let staging = "[service.goals.environment.staging]\n";
    config().replacen(staging, &format!("{staging}health_url = \"{HEALTH_URL}\"\n"), 1)
}

#[tokio::test]
async fn a_secret_is_put_back_only_where_one_was_changed() {
    let mut chat = Chat::with(&with_health_url()).await;
    let good = chat.planned("ana", &Plan { config: first("staging"), ..plan("staging", 1, 3) }).await;
    chat.runs_to_its_end(&good).await;
    chat.wait_s(60);
    let back = "Next: put the secret back, then /deploy staging --config · /release retry";
    let changed = only_config(&chat, second("staging")).await;
    let release = asked_for(&mut chat, &changed).await;
    let card = not_healthy(&mut chat, &release).await;
    assert!(card.contains(back) && !card.contains("/rollback"), "{card}");
    // Once more with the same settings: they are still not those with which it was well.
    chat.wait_s(60);
    let again = once_more(&chat, second("staging")).await;
    let release = asked_for(&mut chat, &again).await;
    let card = not_healthy(&mut chat, &release).await;
    assert!(card.contains(back), "{card}");
    assert!(!card.contains("nothing was recorded"), "{card}");
}

#[tokio::test]
async fn where_no_secret_was_changed_none_is_named() {
    let mut chat = Chat::with(&with_health_url()).await;
    let good = chat.planned("ana", &Plan { config: first("staging"), ..plan("staging", 1, 2) }).await;
    chat.runs_to_its_end(&good).await;
    chat.wait_s(60);
    let ill = chat.planned("ana", &Plan { config: first("staging"), ..plan("staging", 2, 3) }).await;
    not_healthy(&mut chat, &ill).await;
    chat.wait_s(60);
    let ways = "Next: /rollback staging · /deploy staging --config starts it once more";
    let again = once_more(&chat, first("staging")).await;
    let release = asked_for(&mut chat, &again).await;
    let card = not_healthy(&mut chat, &release).await;
    assert!(card.contains(ways) && !card.contains("put the secret back"), "{card}");
    // The version was never well with what was stored before.
    chat.wait_s(60);
    let changed = only_config(&chat, second("staging")).await;
    let release = asked_for(&mut chat, &changed).await;
    let card = not_healthy(&mut chat, &release).await;
    assert!(card.contains(ways) && !card.contains("put the secret back"), "{card}");
}
