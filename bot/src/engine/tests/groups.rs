//! Groups beside each other and beside single releases: their places in the queues.

use super::together::{of, three};
use super::*;
use slipway_core::environment::{Environment, QUEUE_LIMIT, Waiting};
use slipway_core::ids::{EnvironmentKey, ReleaseId};
use slipway_core::message::Verb;
use slipway_core::plan::Plan;
use slipway_core::together::PlannedWith;

const SERVICES: [&str; 3] = ["api", "web", "jobs"];
/// How often the next thing is done before a story has to have ended.
const STEPS_LIMIT: usize = 60;

/// What was asked for together, and the commit that it brings everywhere.
struct Asked {
    all: Vec<ReleaseId>,
    commit: u32,
}

impl Asked {
    fn lead(&self) -> &ReleaseId {
        &self.all[0]
    }

    fn plan(&self, n: usize) -> Plan {
        of(SERVICES[n], "production", 1, self.commit)
    }
}

async fn asks(chat: &mut Chat, who: &str, commit: u32) -> Asked {
    let before = chat.scalars("SELECT id FROM releases WHERE id > $1 ORDER BY id", "").await;
    assert_eq!(chat.says(who, "/deploy production all").await, "");
    let all = chat.scalars("SELECT id FROM releases WHERE id > $1 ORDER BY id", "").await;
    let all = all.into_iter().filter(|id| !before.contains(id)).map(ReleaseId::new).collect();
    chat.wait_s(2);
    Asked { all, commit }
}

/// One of them is planned; the lead comes last.
async fn plans(chat: &mut Chat, asked: &Asked, n: usize) {
    let (release, plan) = (asked.all[n].clone(), asked.plan(n));
    let resolved = Event::Resolved { commit: plan.commit.clone(), branch: Some("main".into()) };
    chat.outcome(&release, "resolve", resolved).await;
    chat.outcome(&release, "await_build", Event::BuildReady).await;
    gathers(chat, asked, n).await;
}

async fn gathers(chat: &mut Chat, asked: &Asked, n: usize) {
    let mut plan = asked.plan(n);
    if n == 0 {
        for follower in &asked.all[1..] {
            let follower = chat.release(follower).await;
            plan.with.extend(PlannedWith::of(&follower).filter(|_| !follower.phase.is_end()));
        }
    }
    chat.gathers(&asked.all[n].clone(), &plan).await;
}

/// Both are planned, in one of the orders that there can be: a bit for each step says whose it is.
async fn plans_both(chat: &mut Chat, first: &Asked, second: &Asked, order: u32) {
    let (mut left, mut right) = (3, 3);
    for bit in 0..6 {
        let (asked, next) = if order & (1 << bit) == 0 { (first, &mut left) } else { (second, &mut right) };
        *next -= 1;
        plans(chat, asked, *next).await;
    }
}

/// Orders in which two groups of three can be planned: one after the other, in turn, one within the other.
fn orders() -> impl Iterator<Item = u32> {
    [0b11_1000, 0b00_0111, 0b10_1010, 0b01_0101, 0b01_1100, 0b10_0011].into_iter()
}

async fn environment(chat: &Chat, service: &str) -> Environment {
    let key = EnvironmentKey { service: service.into(), environment: "production".into() };
    chat.store.environment(&key).await.unwrap()
}

async fn queue(chat: &Chat, service: &str) -> Vec<ReleaseId> {
    environment(chat, service).await.queue.into_iter().map(|waiting| waiting.release).collect()
}

async fn phases(chat: &Chat, asked: &Asked) -> Vec<String> {
    let mut phases = Vec::new();
    for id in &asked.all {
        phases.push(chat.phase(id).await);
    }
    phases
}

/// What the executor would do, until there is nothing more. Gives those that ran, in their order.
async fn plays(chat: &mut Chat, groups: &[&Asked]) -> Vec<ReleaseId> {
    let mut ran = Vec::new();
    for _ in 0..STEPS_LIMIT {
        let mut is_quiet = true;
        for asked in groups {
            for n in [2, 1, 0] {
                if chat.effects(&asked.all[n]).await.contains(&"gather".to_owned()) {
                    gathers(chat, asked, n).await;
                    is_quiet = false;
                }
            }
            for id in &asked.all {
                if chat.phase(id).await == "running(ci)" {
                    chat.wait_s(10);
                    chat.runs_to_its_end(id).await;
                    ran.push(id.clone());
                    is_quiet = false;
                }
            }
        }
        if is_quiet {
            return ran;
        }
    }
    panic!("it goes on and on");
}

#[tokio::test]
async fn two_groups_never_hold_each_other_whichever_is_planned_first() {
    for order in orders() {
        let mut chat = Chat::with(&three()).await;
        // Neither contains the other.
        let first = asks(&mut chat, "ana", 4).await;
        let second = asks(&mut chat, "ana", 3).await;
        plans_both(&mut chat, &first, &second, order).await;
        let api = queue(&chat, "api").await;
        let at = |of: &Asked| api.iter().position(|id| id == of.lead()).unwrap();
        let (before, after) = if at(&first) == 0 { (&first, &second) } else { (&second, &first) };
        for (n, service) in SERVICES.into_iter().enumerate() {
            assert_eq!(queue(&chat, service).await, [&before.all[n], &after.all[n]].map(Clone::clone), "{order:b}");
        }
        // Whoever is approved first.
        for asked in [after, before] {
            chat.presses("bob", asked.lead(), Verb::Approve).await;
        }
        let ran = plays(&mut chat, &[after, before]).await;
        assert_eq!(ran, [&before.all[..], &after.all[..]].concat(), "one after the other, {order:b}");
        for asked in [before, after] {
            assert_eq!(phases(&chat, asked).await, ["succeeded"; 3], "{order:b}");
        }
    }
}

#[tokio::test]
async fn a_newer_group_takes_the_place_of_all_that_it_contains() {
    for order in orders() {
        let mut chat = Chat::with(&three()).await;
        let older = asks(&mut chat, "ana", 3).await;
        let newer = asks(&mut chat, "ana", 4).await;
        plans_both(&mut chat, &older, &newer, order).await;
        for (n, service) in SERVICES.into_iter().enumerate() {
            assert_eq!(queue(&chat, service).await, [newer.all[n].clone()], "{order:b}");
            let outcome = chat.release(&older.all[n]).await.outcome;
            assert_eq!(outcome, Some(Outcome::Superseded { by: newer.all[n].clone() }), "{order:b}");
        }
        chat.presses("bob", newer.lead(), Verb::Approve).await;
        assert_eq!(plays(&mut chat, &[&older, &newer]).await, newer.all);
    }
}

#[tokio::test]
async fn followers_have_no_place_before_the_lead_has_its_own() {
    let mut chat = Chat::with(&three()).await;
    let asked = asks(&mut chat, "ana", 3).await;
    for n in [2, 1] {
        plans(&mut chat, &asked, n).await;
    }
    for service in SERVICES {
        assert_eq!(queue(&chat, service).await, []);
    }
    // What is asked for and planned meanwhile comes first, and holds all of them.
    let single = chat.says("eve", "/deploy production web").await;
    assert_eq!(single, "");
    let single = chat.newest().await;
    let plan = of("web", "production", 7, 8);
    chat.outcome(&single, "resolve", Event::Resolved { commit: plan.commit.clone(), branch: None }).await;
    chat.outcome(&single, "await_build", Event::BuildReady).await;
    chat.gathers(&single, &plan).await;
    plans(&mut chat, &asked, 0).await;
    assert_eq!(queue(&chat, "web").await, [single.clone(), asked.all[1].clone()]);
    chat.presses("bob", asked.lead(), Verb::Approve).await;
    assert_eq!(chat.refused_by(asked.lead()).await, ["web/busy"]);
    chat.says("bob", &format!("/release cancel {}", single.short())).await;
    assert_eq!(plays(&mut chat, &[&asked]).await, asked.all);
}

#[tokio::test]
async fn where_one_environment_is_full_none_of_them_takes_a_place() {
    let mut chat = Chat::with(&three()).await;
    let mut full = environment(&chat, "web").await;
    let waits = |n: usize| Waiting {
        release: format!("01WAITING{n:02}").as_str().into(),
        requester: "bob".into(),
        kind: slipway_core::plan::PlanKind::Deploy,
        commit: sha(1000),
        contains: [sha(1000)].into(),
        asked_at: jiff::Timestamp::UNIX_EPOCH,
        bumped: None,
        passed: 0,
        brings_nothing: false,
    };
    full.queue = (0..QUEUE_LIMIT).map(waits).collect();
    let mut tx = chat.store.begin().await.unwrap();
    chat.store.environment_save(&mut tx, &full).await.unwrap();
    tx.commit().await.unwrap();
    let asked = asks(&mut chat, "ana", 3).await;
    for n in [2, 1, 0] {
        plans(&mut chat, &asked, n).await;
    }
    assert_eq!(phases(&chat, &asked).await, ["failed", "cancelled", "cancelled"]);
    let card = chat.card(asked.lead()).await;
    assert!(card.contains("web → production takes no more releases: 50 releases wait here already"), "{card}");
    assert_eq!((queue(&chat, "api").await, queue(&chat, "jobs").await), (vec![], vec![]));
    assert_eq!(environment(&chat, "web").await, full);
}

#[tokio::test]
async fn a_group_that_has_begun_is_neither_superseded_nor_passed() {
    let mut chat = Chat::with(&three()).await;
    let begun = asks(&mut chat, "ana", 3).await;
    for n in [2, 1, 0] {
        plans(&mut chat, &begun, n).await;
    }
    chat.presses("bob", begun.lead(), Verb::Approve).await;
    assert_eq!(phases(&chat, &begun).await, ["running(ci)", "queued", "queued"]);
    let newer = asks(&mut chat, "ana", 4).await;
    for n in [2, 1, 0] {
        plans(&mut chat, &newer, n).await;
    }
    for (n, service) in SERVICES.into_iter().enumerate().skip(1) {
        assert_eq!(queue(&chat, service).await, [begun.all[n].clone(), newer.all[n].clone()]);
    }
    let bumped = chat.says("bob", &format!("/release queue --bump {}", newer.all[1].short())).await;
    assert!(bumped.contains("is the first of those that wait"), "{bumped}");
    chat.presses("bob", newer.lead(), Verb::Approve).await;
    let ran = plays(&mut chat, &[&begun, &newer]).await;
    assert_eq!(ran, [begun.all.clone(), newer.all.clone()].concat());
    assert!(environment(&chat, "web").await.reserved.is_none(), "for nobody any more");
}

#[tokio::test]
async fn a_group_is_put_first_everywhere_or_nowhere() {
    let rule = "@id(\"web-waits\")\n@why(\"Web keeps its order.\")\nforbid (principal, action == Action::\"bump\", resource)\n\
                when { context.service == Service::\"web\" };";
    let mut chat = Chat::with(&three()).await;
    let first = asks(&mut chat, "ana", 4).await;
    let second = asks(&mut chat, "eve", 3).await;
    plans_both(&mut chat, &first, &second, 0b11_1000).await;
    let order = |of: [&Asked; 2], n: usize| of.map(|asked| asked.all[n].clone());
    let bump = format!("/release queue --bump {}", second.all[1].short());
    let answer = chat.says("eve", &bump).await;
    assert!(answer.starts_with("Not allowed: No rule lets eve put a release first on production."), "{answer}");
    // Policy is asked about each service.
    chat.writes_rule(rule);
    let folder = chat.config_with_folder();
    chat.configure(&format!("{}[policies]{}", three(), folder.split_once("[policies]").unwrap().1));
    let answer = chat.says("bob", &bump).await;
    assert!(answer.starts_with("Not allowed: Web keeps its order."), "{answer}");
    for (n, service) in SERVICES.into_iter().enumerate() {
        assert_eq!(queue(&chat, service).await, order([&first, &second], n), "nowhere");
    }
    chat.configure(&three());
    let answer = chat.says("bob", &bump).await;
    let goes = "goes before 1 other now.\nWho asked for them has been told.";
    assert_eq!(answer, format!("api, web, jobs → production: release {} {goes}", second.lead().short()));
    for (n, service) in SERVICES.into_iter().enumerate() {
        assert_eq!(queue(&chat, service).await, order([&second, &first], n), "everywhere");
    }
    let told = chat.private("ana").await;
    let told: Vec<_> = told.iter().filter(|told| told.starts_with("bob has put release")).collect();
    assert_eq!(told.len(), 1, "once for all of it: {told:?}");
    assert!(told[0].contains("of eve first on api, web, jobs → production."), "{told:?}");
    assert!(told[0].contains(&format!("Your release {} is number 2", first.lead().short())), "{told:?}");
    assert_eq!(chat.audit_of("bumped").await.len(), 3);
    let answer = chat.says("bob", &bump).await;
    assert!(answer.contains("is the first of those that wait"), "{answer}");
    for asked in [&first, &second] {
        chat.presses("bob", asked.lead(), Verb::Approve).await;
    }
    let ran = plays(&mut chat, &[&first, &second]).await;
    assert_eq!(ran, [second.all.clone(), first.all.clone()].concat());
}
