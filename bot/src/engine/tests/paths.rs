//! Services that share a repository, and what of it concerns which of them.

use super::chat::{CONFIG, key};
use super::together::{Group, of};
use super::*;
use crate::engine::Incoming;
use slipway_core::facts::CiState;
use slipway_core::flow::{Seen, Sight, Standing};
use slipway_core::ids::ReleaseId;
use slipway_core::message::Verb;
use slipway_core::paths::PathsSeen;
use slipway_core::plan::Plan;

fn seen(unknown: Option<&str>) -> Option<PathsSeen> {
    let unknown = unknown.map(str::to_owned);
    Some(PathsSeen { paths: "web/** or shared/**".into(), since: sha(1), unknown })
}

/// The plan of a service that nothing concerns, as the executor makes it.
fn stays(service: &str, environment: &str) -> Plan {
    Plan { paths: seen(None), ..of(service, environment, 1, 1) }
}

#[tokio::test]
async fn a_service_that_nothing_concerns_has_nothing_to_do_and_holds_nobody_up() {
    let mut group = Group::asked("/deploy staging all").await;
    group.plans(1, &stays("web", "staging")).await;
    group.plans(2, &of("jobs", "staging", 1, 3)).await;
    group.plans(0, &of("api", "staging", 1, 3)).await;
    assert_eq!(group.phases().await, ["running(ci)", "cancelled", "queued"]);
    let card = group.card().await;
    assert!(card.contains("– nothing in web/** or shared/** changed since 0000000"), "{card}");
    assert!(card.starts_with("◐ api, web, jobs → staging · 0 of 2 live · api: checking CI"), "{card}");
    group.runs(0).await;
    group.runs(2).await;
    assert_eq!(group.first_line().await, "● api, web, jobs → staging · 2 live, 1 had nothing to do · 20 s");
    let web = group.all[1].clone();
    assert_eq!(group.chat.release(&web).await.outcome, Some(Outcome::NothingToDo));
    let shown = group.chat.says("ana", &format!("/release show {}", web.short())).await;
    assert!(shown.contains("nothing to do"), "{shown}");
    let own = group.chat.card(&web).await;
    assert!(
        own.starts_with("– web → staging · nothing to do: nothing in web/** or shared/** changed since 0000000"),
        "{own}"
    );
    assert!(own.contains("/deploy staging --service web"), "{own}");
}

#[tokio::test]
async fn a_lead_that_nothing_concerns_stands_for_the_others() {
    let mut group = Group::asked("/deploy production all").await;
    group.plans(1, &of("web", "production", 1, 3)).await;
    group.plans(2, &stays("jobs", "production")).await;
    group.plans(0, &stays("api", "production")).await;
    assert_eq!(group.phases().await, ["awaiting_approval", "awaiting_approval", "cancelled"]);
    let card = group.card().await;
    assert!(card.starts_with("○ api, web, jobs → production · waiting for approval: 1 of release"), "{card}");
    assert!(card.contains("api: what ships  nothing in web/** or shared/** changed since 0000000"), "{card}");
    let lead = group.all[0].clone();
    group.chat.presses("bob", &lead, Verb::Approve).await;
    assert_eq!(group.phases().await, ["cancelled", "running(ci)", "cancelled"]);
    group.runs(1).await;
    assert_eq!(group.first_line().await, "● api, web, jobs → production · 1 live, 2 had nothing to do · 10 s");
}

/// What is asked for together, with a lead that nothing concerns and which waits for what web brings.
async fn asked_for_web(group: &mut Group, base: u32, commit: u32) {
    group.plans(1, &of("web", "production", base, commit)).await;
    group.plans(2, &stays("jobs", "production")).await;
    group.plans(0, &stays("api", "production")).await;
    assert_eq!(group.phases().await, ["awaiting_approval", "awaiting_approval", "cancelled"]);
}

#[tokio::test]
async fn a_group_is_not_superseded_through_what_nothing_concerns() {
    let mut group = Group::asked("/deploy production all").await;
    asked_for_web(&mut group, 1, 3).await;
    let older = group.all.clone();
    group.chat.wait_s(2);
    assert_eq!(group.chat.says("ana", "/deploy production all").await, "");
    let all = group.chat.scalars("SELECT id FROM releases WHERE id > $1 ORDER BY id", "").await;
    group.all = all.into_iter().map(ReleaseId::new).filter(|id| !older.contains(id)).collect();
    // Of another line of history: nothing of what the older one brings is in it.
    asked_for_web(&mut group, 7, 8).await;
    let newer = std::mem::replace(&mut group.all, older);
    assert_eq!(group.phases().await, ["awaiting_approval", "awaiting_approval", "cancelled"]);
    // As ever: web waits for web.
    group.chat.presses("bob", &newer[0], Verb::Approve).await;
    assert_eq!(group.chat.refused_by(&newer[0]).await, ["web/busy"]);
    group.chat.presses("bob", &group.all[0].clone(), Verb::Approve).await;
    assert_eq!(group.phases().await, ["cancelled", "running(ci)", "cancelled"]);
}

#[tokio::test]
async fn a_lead_that_nothing_concerns_holds_up_nobody_who_deploys_its_service() {
    let mut group = Group::asked("/deploy production all").await;
    asked_for_web(&mut group, 1, 3).await;
    let (lead, chat) = (group.all[0].clone(), &mut group.chat);
    assert_eq!(chat.says("eve", "/deploy production api").await, "");
    let hotfix = chat.newest().await;
    let plan = of("api", "production", 1, 5);
    chat.outcome(&hotfix, "resolve", Event::Resolved { commit: plan.commit.clone(), branch: None }).await;
    chat.outcome(&hotfix, "await_build", Event::BuildReady).await;
    chat.gathers(&hotfix, &plan).await;
    chat.presses("bob", &hotfix, Verb::Approve).await;
    assert_eq!(chat.phase(&hotfix).await, "running(ci)");
    assert_eq!(chat.phase(&lead).await, "awaiting_approval");
    chat.wait_s(10);
    chat.runs_to_its_end(&hotfix).await;
    // What is live is another commit now, so that it is looked again whether anything concerns it.
    assert!(chat.effects(&lead).await.contains(&"gather".to_owned()));
    // Its image was never built: it says so, and what was asked for together ends with it.
    let failure = Failure::new("api is concerned now.").final_for_request();
    chat.outcome(&lead, "gather", Event::PlanningFailed { step: None, failure, at: chat.now() }).await;
    assert_eq!(group.phases().await, ["failed", "cancelled", "cancelled"]);
}

#[tokio::test]
async fn where_nothing_concerns_any_of_them_that_is_said() {
    let mut group = Group::asked("/deploy staging all").await;
    for (n, service) in ["api", "web", "jobs"].into_iter().enumerate().rev() {
        group.plans(n, &stays(service, "staging")).await;
    }
    assert_eq!(group.phases().await, ["cancelled"; 3]);
    let said = "– api, web, jobs → staging · nothing to do: nothing that concerns them has changed";
    assert_eq!(group.first_line().await, said);
}

#[tokio::test]
async fn what_is_named_or_not_known_is_deployed_and_says_so() {
    let mut chat = Chat::open().await;
    let named = Plan { paths: seen(None), ..plan("staging", 1, 3) };
    let release = chat.planned("ana", &named).await;
    let card = chat.card(&release).await;
    assert!(card.contains("2 commits since 0000000"), "{card}");
    assert!(card.contains("  nothing in web/** or shared/** changed since 0000000"), "{card}");
    assert_eq!(chat.phase(&release).await, "running(ci)");

    let mut group = Group::asked("/deploy staging all").await;
    group.plans(1, &Plan { paths: seen(Some("300 files or more changed")), ..of("web", "staging", 1, 3) }).await;
    group.plans(2, &of("jobs", "staging", 1, 3)).await;
    group.plans(0, &of("api", "staging", 1, 3)).await;
    assert_eq!(group.phases().await, ["running(ci)", "queued", "queued"]);
    let card = group.card().await;
    let why =
        "it cannot be told whether anything in web/** or shared/** changed since 0000000: 300 files or more changed";
    assert!(card.contains(why), "{card}");
}

/// A look at main with these commits after what was live, newest first; some of them bring nothing.
fn sees(base: u32, commits: &[(u32, bool)]) -> Incoming {
    let seen = |(n, untouched): &(u32, bool)| {
        let (author, ci) = ("cem".into(), Some(CiState::Green));
        Seen { sha: sha(*n), author, ci, untouched: *untouched }
    };
    let sight = Sight {
        branch: "main".into(),
        base: Some(sha(base)),
        head: commits.first().map(|(n, _)| sha(*n)),
        standing: Standing::Ahead,
        commits: commits.iter().map(seen).collect(),
        total: u32::try_from(commits.len()).unwrap(),
    };
    Incoming::FlowSeen { environment: key("staging"), sight: Box::new(sight) }
}

#[tokio::test]
async fn a_merge_that_does_not_concern_it_begins_nothing_and_says_nothing() {
    let mut chat = Chat::with(&flow::following(CONFIG)).await;
    let first = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.runs_to_its_end(&first).await;
    chat.wait_s(1);
    chat.says("bob", "/release lock staging \"load test\"").await;
    let messages = chat.count("SELECT count(*) FROM messages WHERE key > $1", "").await;
    chat.deliver(&sees(3, &[(4, true)])).await;
    chat.wait_s(60);
    flow::looks(&chat).await;
    assert_eq!(chat.newest().await, first);
    assert_eq!(chat.count("SELECT count(*) FROM messages WHERE key > $1", "").await, messages, "nothing is held up");
    chat.says("bob", "/release unlock staging").await;
    // The next one that concerns it begins, with all between.
    chat.deliver(&sees(3, &[(6, false), (5, true), (4, true)])).await;
    chat.wait_s(5);
    flow::looks(&chat).await;
    let begun = chat.newest().await;
    assert_eq!(chat.release(&begun).await.request.reference, Some(sha(6).to_string()));
}
