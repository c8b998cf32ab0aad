//! Several releases for one environment.

use super::*;
use jiff::Timestamp;
use slipway_core::environment;
use slipway_core::plan::PlanKind;

#[tokio::test]
async fn the_second_waits_until_the_first_has_ended() {
    let mut chat = Chat::open().await;
    let first = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.wait_s(2);
    let second = chat.planned("bob", &plan("staging", 1, 4)).await;
    assert_eq!((chat.phase(&first).await.as_str(), chat.phase(&second).await.as_str()), ("running(ci)", "queued"));
    let running = "SELECT count(*) FROM releases WHERE phase = 'running' AND environment = $1";
    assert_eq!(chat.count(running, "staging").await, 1);
    let card = chat.card(&second).await;
    assert!(card.contains(&format!("queued behind release {}", first.short())), "{card}");
    chat.wait_s(2);
    chat.runs_to_its_end(&first).await;
    // Its plan is from before: what would ship is read again first.
    assert_eq!(chat.phase(&second).await, "queued");
    chat.gathers(&second, &plan("staging", 3, 4)).await;
    assert_eq!(chat.phase(&second).await, "running(ci)");
    assert_eq!(chat.environment("staging").await.running, Some(second));
    assert_eq!(chat.count(running, "staging").await, 1);
}

#[tokio::test]
async fn nothing_is_left_to_do_for_a_second_of_the_same_commit() {
    let mut chat = Chat::open().await;
    let first = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.wait_s(2);
    let second = chat.planned("bob", &plan("staging", 1, 3)).await;
    chat.wait_s(2);
    chat.runs_to_its_end(&first).await;
    chat.gathers(&second, &plan("staging", 3, 3)).await;
    assert_eq!(chat.release(&second).await.outcome, Some(Outcome::NothingToDo));
    let environment = chat.environment("staging").await;
    assert_eq!((environment.running, environment.queue), (None, vec![]));
}

#[tokio::test]
async fn a_newer_request_takes_the_place_of_one_it_contains() {
    let mut chat = Chat::open().await;
    let first = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.wait_s(2);
    let second = chat.planned("eve", &plan("production", 1, 4)).await;
    assert_eq!(chat.release(&first).await.outcome, Some(Outcome::Superseded { by: second.clone() }));
    let environment = chat.environment("production").await;
    assert_eq!(environment.queue.iter().map(|waiting| &waiting.release).collect::<Vec<_>>(), [&second]);
    assert_eq!(chat.audit_of("superseded").await.len(), 1);
    let card = chat.card(&first).await;
    assert!(card.contains(second.short()), "{card}");
    chat.says("bob", "/release approve").await;
    assert_eq!(chat.phase(&second).await, "running(ci)");
}

#[tokio::test]
async fn the_older_one_is_superseded_also_when_it_is_planned_later() {
    let mut chat = Chat::open().await;
    chat.says("ana", "/deploy production").await;
    let first = chat.newest().await;
    chat.wait_s(2);
    let second = chat.planned("eve", &plan("production", 1, 4)).await;
    chat.outcome(&first, "resolve", Event::Resolved { commit: sha(3), branch: None }).await;
    chat.outcome(&first, "await_build", Event::BuildReady).await;
    chat.gathers(&first, &plan("production", 1, 3)).await;
    assert_eq!(chat.release(&first).await.outcome, Some(Outcome::Superseded { by: second.clone() }));
    assert_eq!(chat.phase(&second).await, "awaiting_approval");
}

#[tokio::test]
async fn an_older_commit_waits_behind_and_names_whom() {
    let mut chat = Chat::open().await;
    let first = chat.planned("ana", &plan("production", 1, 4)).await;
    chat.wait_s(2);
    let second = chat.planned("ana", &plan("production", 1, 3)).await;
    for id in [&first, &second] {
        assert_eq!(chat.phase(id).await, "awaiting_approval");
    }
    // Approved, but not its turn.
    chat.says("bob", &format!("/release approve {second}")).await;
    assert_eq!(chat.phase(&second).await, "queued");
    let why = chat.says("ana", &format!("/release why {second}")).await;
    assert!(why.contains(&format!("Release {} was asked for before.", first.short())), "{why}");
    chat.says("bob", &format!("/release approve {first}")).await;
    assert_eq!(chat.phase(&first).await, "running(ci)");
    assert_eq!(chat.phase(&second).await, "queued");
}

#[tokio::test]
async fn a_vote_must_say_for_which_of_two() {
    let mut chat = Chat::open().await;
    chat.planned("ana", &plan("production", 1, 4)).await;
    chat.wait_s(2);
    let second = chat.planned("ana", &plan("production", 1, 3)).await;
    let answer = chat.says("bob", "/release approve").await;
    assert!(answer.contains("There are 2 releases that") && answer.contains(second.as_str()), "{answer}");
    assert_eq!(chat.audit_of("voted").await, []);
}

#[tokio::test]
async fn environments_do_not_wait_for_each_other() {
    let mut chat = Chat::open().await;
    let staging = chat.planned("ana", &plan("staging", 1, 3)).await;
    let production = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.says("bob", "/release approve").await;
    for id in [&staging, &production] {
        assert_eq!(chat.phase(id).await, "running(ci)");
    }
}

#[tokio::test]
async fn a_full_queue_takes_no_more_and_says_so() {
    let mut chat = Chat::open().await;
    let limit = u32::try_from(environment::QUEUE_LIMIT).unwrap();
    let mut full = chat.environment("staging").await;
    full.queue = (0..limit).map(waiting).collect();
    let mut tx = chat.store.begin().await.unwrap();
    chat.store.environment_save(&mut tx, &full).await.unwrap();
    tx.commit().await.unwrap();
    let refused = chat.planned("ana", &plan("staging", 1, 3)).await;
    assert_eq!(chat.phase(&refused).await, "failed");
    let card = chat.card(&refused).await;
    assert!(card.contains("50 releases wait here already"), "{card}");
    assert_eq!(chat.environment("staging").await, full);
    assert_eq!(chat.effects(&refused).await, [""; 0]);
}

fn waiting(n: u32) -> environment::Waiting {
    environment::Waiting {
        release: format!("01WAITING{n:02}").as_str().into(),
        requester: "bob".into(),
        kind: PlanKind::Deploy,
        commit: sha(1000 + n),
        contains: [sha(1000 + n)].into(),
        asked_at: Timestamp::UNIX_EPOCH,
        bumped: None,
        passed: 0,
        brings_nothing: false,
    }
}

#[tokio::test]
async fn one_is_put_first_by_whom_policy_lets_and_those_who_wait_are_told() {
    let mut chat = Chat::open().await;
    chat.says("cem", "/release lock production \"load test\"").await;
    let first = chat.planned("eve", &plan("production", 1, 5)).await;
    chat.wait_s(2);
    let second = chat.planned("ana", &plan("production", 1, 4)).await;
    let card = chat.card(&second).await;
    assert!(card.contains(&format!("Queue            2nd of 2, behind release {} (eve)", first.short())), "{card}");
    let bump = format!("/release queue --bump {}", second.short());
    let answer = chat.says("eve", &bump).await;
    assert!(answer.starts_with("Not allowed: No rule lets eve put a release first on production."), "{answer}");
    chat.publishes().await;
    let answer = chat.says("bob", &bump).await;
    let goes = "goes before 1 other now.\nWho asked for them has been told.";
    assert_eq!(answer, format!("goals → production: release {} {goes}", second.short()));
    let queue = chat.environment("production").await.queue;
    assert_eq!(queue.iter().map(|waiting| &waiting.release).collect::<Vec<_>>(), [&second, &first]);
    let told = chat.private("eve").await.pop().unwrap();
    assert!(
        told.starts_with(&format!("bob has put release {} of ana first on goals → production.", second.short())),
        "{told}"
    );
    assert!(told.contains("is number 2 of those that wait now."), "{told}");
    let card = chat.card(&second).await;
    assert!(card.contains("1st of 2 · put first by bob"), "{card}");
    let card = chat.card(&first).await;
    assert!(
        card.contains(&format!("2nd of 2, behind release {} (ana, put first by bob) · passed once", second.short())),
        "{card}"
    );
    let due = chat.store.messages_due("", chat.engine.clock.now_ms(), 20).await.unwrap();
    for id in [&first, &second] {
        let is_card =
            |row: &crate::store::MessageRow| row.message.release.as_ref() == Some(id) && row.message.body.is_none();
        assert!(due.iter().flatten().any(is_card), "its card is drawn anew");
    }
    let listed = chat.says("ana", "/release queue").await;
    assert!(listed.contains(&format!("1. {}  ana, 0000000, put first by bob", second.short())), "{listed}");
    let answer = chat.says("bob", &bump).await;
    assert!(answer.contains("is the first of those that wait"), "{answer}");
    let record = &chat.audit_of("bumped").await[0];
    assert_eq!((record.columns().person.as_str(), &record.body["passed"][0]), ("bob", &first.as_str().into()));
}

#[tokio::test]
async fn what_does_not_wait_is_not_put_first() {
    let mut chat = Chat::open().await;
    let runs = chat.planned("ana", &plan("staging", 1, 3)).await;
    let answer = chat.says("bob", &format!("/release queue --bump {}", runs.short())).await;
    assert!(
        answer.contains("does not wait in the queue: it is planned, runs or has ended. Nothing was changed."),
        "{answer}"
    );
    let answer = chat.says("bob", "/release queue --bump 01XXXXXX").await;
    assert!(answer.contains("01XXXXXX"), "{answer}");
    assert_eq!(chat.audit_of("bumped").await, []);
}

#[tokio::test]
async fn a_policy_folder_of_an_earlier_version_works_and_lets_nobody_put_one_first() {
    use slipway_core::policy::built_in;
    let mut chat = Chat::open().await;
    let config = chat.config_with_rule("");
    let folder = config.rsplit("dir = \"").next().unwrap().trim_end().trim_end_matches('"').to_owned();
    let cut = |text: &str, from: &str, to: &str| {
        let (before, rest) = text.split_once(from).unwrap();
        format!("{before}{}", rest.split_once(to).unwrap().1)
    };
    let schema = cut(built_in::SCHEMA, "// Who puts somebody's release", "};\n");
    let (_, who) = built_in::FILES.into_iter().find(|(name, _)| *name == "who.cedar").unwrap();
    let who = cut(&cut(who, "@id(\"bump-release\")", ");\n"), "@id(\"bump-sre\")", ");\n");
    std::fs::write(format!("{folder}/schema.cedarschema"), schema).unwrap();
    std::fs::write(format!("{folder}/who.cedar"), who).unwrap();
    chat.configure(&config);
    chat.planned("ana", &plan("production", 1, 5)).await;
    chat.wait_s(2);
    let second = chat.planned("ana", &plan("production", 1, 4)).await;
    let answer = chat.says("bob", &format!("/release queue --bump {}", second.short())).await;
    assert!(answer.contains("has no action \"bump\": take schema.cedarschema of this version"), "{answer}");
}

#[tokio::test]
async fn the_queue_says_what_was_superseded_lately() {
    let mut chat = Chat::open().await;
    let first = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.wait_s(2);
    let second = chat.planned("eve", &plan("production", 1, 4)).await;
    chat.wait_s(240);
    let line = format!(
        "superseded: {}  ana, 0000000 · by release {}, which contains it · 4 min ago",
        first.short(),
        second.short()
    );
    let listed = chat.says("bob", "/release queue").await;
    assert!(listed.contains(&line), "{listed}");
    chat.wait_s(3_600);
    let listed = chat.says("bob", "/release queue").await;
    assert!(!listed.contains("superseded"), "{listed}");
}
