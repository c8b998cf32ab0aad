//! Locks: who holds an environment, and what waits for it.

use super::*;

#[tokio::test]
async fn a_lock_holds_others_until_its_owner_ends_it() {
    let mut chat = Chat::open().await;
    let answer = chat.says("bob", "/release lock staging \"moving the database\"").await;
    assert!(answer.contains("locked by bob") && answer.contains("moving the database"), "{answer}");
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    assert_eq!(chat.phase(&release).await, "queued");
    let card = chat.card(&release).await;
    assert!(card.contains("queued: locked by bob"), "{card}");
    let answer = chat.says("bob", "/release unlock staging").await;
    assert!(answer.contains("is unlocked. 1 release can go on."), "{answer}");
    assert_eq!(chat.phase(&release).await, "running(ci)");
    assert_eq!(chat.environment("staging").await.lock, None);
    let answer = chat.says("bob", "/release unlock staging").await;
    assert!(answer.contains("it is not locked. Nothing was changed."), "{answer}");
}

#[tokio::test]
async fn the_channel_reads_of_a_lock_in_one_message_that_says_when_it_is_over() {
    let mut chat = Chat::open().await;
    let said = async |chat: &Chat| {
        let query = "SELECT body FROM messages WHERE key LIKE $1 AND channel = 'terminal:releases' ORDER BY id";
        let bodies = chat.scalars(query, "locked/goals/staging/%").await;
        bodies.iter().map(|body| chat.text(&serde_json::from_str(body).unwrap())).collect::<Vec<_>>()
    };
    chat.says("bob", "/release lock staging \"moving\"").await;
    let first = said(&chat).await;
    assert!(first.len() == 1 && first[0].contains("locked by bob until unlocked: \"moving\""), "{first:?}");
    chat.wait_s(MINUTE_S);
    chat.says("bob", "/release lock staging --to eve").await;
    let both = said(&chat).await;
    assert!(both[0].contains("the lock of bob is now eve's") && both[1].contains("locked by eve"), "{both:?}");
    chat.says("eve", "/release unlock staging").await;
    let over = said(&chat).await;
    assert!(over.len() == 2 && over[1].contains("open again: the lock of eve is over"), "{over:?}");
}

#[tokio::test]
async fn the_owner_of_a_lock_passes_it() {
    let mut chat = Chat::open().await;
    chat.says("bob", "/release lock staging \"mine\"").await;
    let release = chat.planned("bob", &plan("staging", 1, 3)).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn policy_says_who_locks_and_who_unlocks() {
    let mut chat = Chat::open().await;
    let answer = chat.says("gus", "/release lock staging \"me too\"").await;
    assert!(answer.starts_with("Not allowed: "), "{answer}");
    chat.says("bob", "/release lock staging \"moving\"").await;
    let answer = chat.says("eve", "/release lock staging \"mine\"").await;
    assert!(answer.contains("it is locked by bob"), "{answer}");
    let answer = chat.says("eve", "/release unlock staging").await;
    assert!(answer.starts_with("Not allowed: "), "{answer}");
    assert_eq!(chat.environment("staging").await.lock.unwrap().owner, "bob".into());
    // The release team ends anybody's.
    let answer = chat.says("cem", "/release unlock staging").await;
    assert!(answer.contains("is unlocked."), "{answer}");
    let kinds: Vec<_> = chat.audit().await.into_iter().map(|record| record.kind).collect();
    assert_eq!(kinds, ["refused", "locked", "refused", "refused", "unlocked"]);
    let unlocked = &chat.audit_of("unlocked").await[0].body;
    assert_eq!((&unlocked["by"], &unlocked["lock"]["owner"]), (&"cem".into(), &"bob".into()));
}

#[tokio::test]
async fn a_lock_ends_by_itself() {
    let mut chat = Chat::open().await;
    chat.says("bob", "/release lock staging \"moving\" --for 2h").await;
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    assert_eq!(chat.phase(&release).await, "queued");
    assert!(chat.effects(&release).await.contains(&"judge_at".to_owned()));
    chat.wait_s(2 * 3600);
    chat.deliver(&crate::engine::Incoming::Judge { release: release.clone() }).await;
    chat.gathers(&release, &plan("staging", 1, 3)).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn a_lock_during_planning_holds_what_is_approved() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.says("bob", "/release lock production \"incident\"").await;
    chat.says("bob", "/release approve").await;
    assert_eq!(chat.phase(&release).await, "queued");
    assert_eq!(chat.environment("production").await.running, None);
    chat.says("bob", "/release unlock production").await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;
const DAY_S: i64 = 24 * HOUR_S;

/// Bob has locked staging for two hours, and Ana and Eve wait behind it, Ana with two releases.
async fn a_queue_behind_bobs_lock(chat: &mut Chat) -> [slipway_core::ids::ReleaseId; 3] {
    chat.says("bob", "/release lock staging \"moving\" --for 2h").await;
    let first = chat.planned("ana", &plan("staging", 1, 5)).await;
    chat.wait_s(1);
    let second = chat.planned("eve", &plan("staging", 1, 4)).await;
    chat.wait_s(1);
    let third = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.wait_s(1);
    [first, second, third]
}

fn kinds(records: &[slipway_core::audit::Record]) -> Vec<&str> {
    records.iter().map(|record| record.kind.as_str()).filter(|kind| kind.contains("lock")).collect()
}

#[tokio::test]
async fn its_owner_is_reminded_once_before_it_ends_and_prolongs_it() {
    let mut chat = Chat::open().await;
    chat.says("bob", "/release lock staging \"moving\" --for 1h").await;
    chat.wait_s(50 * MINUTE_S - 1);
    chat.looks().await;
    assert_eq!(chat.private("bob").await, [""; 0]);
    chat.wait_s(1);
    for _ in 0..3 {
        chat.looks().await;
        chat.wait_s(61);
    }
    let [reminder] = &chat.private("bob").await[..] else { panic!("{:?}", chat.private("bob").await) };
    assert!(reminder.contains("Your lock on goals → staging \"moving\" ends in 10 min."), "{reminder}");
    assert!(reminder.contains("/release lock staging \"…\" goals --for 1h"), "{reminder}");
    let answer = chat.says("bob", "/release lock staging \"still moving\" --for 1h").await;
    let expected = "goals → staging is locked by bob \"still moving\" for 1h more.\n\
                    Before it was locked by bob \"moving\" for 7 more min.\n\
                    Only your own releases pass. To end it: /release unlock staging goals";
    assert_eq!(answer, expected);
    let prolonged = chat.audit_of("locked").await.pop().unwrap().body;
    assert_eq!(
        (&prolonged["before"]["reason"], &prolonged["lock"]["reason"]),
        (&"moving".into(), &"still moving".into())
    );
    chat.wait_s(10 * MINUTE_S);
    chat.looks().await;
    assert!(chat.environment("staging").await.lock.is_some(), "the old end is none any more");
    chat.wait_s(40 * MINUTE_S);
    chat.looks().await;
    assert_eq!(chat.private("bob").await.len(), 2, "of the longer lock once more");
}

#[tokio::test]
async fn a_lock_without_an_end_is_called_to_mind_every_day_while_others_wait() {
    let mut chat = Chat::open().await;
    chat.says("bob", "/release lock staging \"moving\"").await;
    chat.wait_s(3 * DAY_S);
    chat.looks().await;
    assert_eq!(chat.private("bob").await, [""; 0], "nobody waits");
    let waiting = chat.planned("ana", &plan("staging", 1, 3)).await;
    for _ in 0..49 {
        chat.looks().await;
        chat.wait_s(HOUR_S);
    }
    let reminders = chat.private("bob").await;
    assert_eq!(reminders.len(), 3, "at once, and a day and two days later: {reminders:?}");
    assert!(
        reminders[0].contains("has held for 3 days and has no end.\nana waits with 0000000 · for 0 s"),
        "{reminders:?}"
    );
    chat.says("ana", &format!("/release cancel {waiting}")).await;
    chat.wait_s(9 * DAY_S);
    chat.looks().await;
    assert_eq!(chat.private("bob").await.len(), 3);
}

#[tokio::test]
async fn a_lock_that_runs_out_is_a_fact_and_everybody_behind_it_is_told_once() {
    let mut chat = Chat::open().await;
    let [first, second, third] = a_queue_behind_bobs_lock(&mut chat).await;
    chat.wait_s(2 * HOUR_S);
    assert!(chat.environment("staging").await.lock.is_some());
    for _ in 0..3 {
        chat.looks().await;
        chat.wait_s(61);
    }
    assert_eq!(chat.environment("staging").await.lock, None);
    let ran_out = chat.audit_of("lock_ran_out").await;
    assert_eq!((ran_out.len(), &ran_out[0].body["lock"]["owner"]), (1, &"bob".into()));
    let head = "goals → staging is open: bob's lock \"moving\" has run out.\n";
    let place = |release: &slipway_core::ids::ReleaseId, at| {
        format!("Your release {} is number {at} of 3 in the queue.", release.short())
    };
    assert_eq!(chat.private("ana").await, [format!("{head}{}\n{}", place(&first, 1), place(&third, 3))]);
    assert_eq!(chat.private("eve").await, [format!("{head}{}", place(&second, 2))]);
    let status = chat.says("ana", "/release status").await;
    assert!(!status.contains("locked"), "{status}");
}

#[tokio::test]
async fn whoever_waits_is_told_when_somebody_ends_it_and_so_is_its_owner() {
    let mut chat = Chat::open().await;
    a_queue_behind_bobs_lock(&mut chat).await;
    chat.says("cem", "/release unlock staging").await;
    for who in ["ana", "eve"] {
        let told = chat.private(who).await;
        assert!(told.len() == 1 && told[0].contains("is open: bob's lock \"moving\" was ended."), "{told:?}");
    }
    assert_eq!(chat.private("bob").await, ["cem has ended your lock on goals → staging \"moving\"."]);
    assert_eq!(chat.private("cem").await, [""; 0]);
    // The next lock's end is told again.
    chat.says("bob", "/release lock staging \"again\"").await;
    chat.says("bob", "/release unlock staging").await;
    assert_eq!(chat.private("eve").await.len(), 2);
}

#[tokio::test]
async fn the_owner_hands_it_over_and_the_new_one_passes() {
    let mut chat = Chat::open().await;
    let [_, second, _] = a_queue_behind_bobs_lock(&mut chat).await;
    chat.wait_s(HOUR_S);
    let answer = chat.says("bob", "/release lock staging --to eve").await;
    let expected = "goals → staging is now locked by eve \"moving\" for 1h more. They have been told.";
    assert_eq!(answer, expected);
    let told = chat.private("eve").await;
    let expected = format!(
        "bob hands you the lock on goals → staging: \"moving\" for 1h more.\n\
         Your release {} is number 2 of 3 in the queue.\n\
         Only your own releases pass. To end it: /release unlock staging goals",
        second.short()
    );
    assert_eq!(told, [expected]);
    let told = chat.private("ana").await;
    assert!(told.len() == 1 && told[0].contains("goals → staging is now locked by eve"), "{told:?}");
    let lock = chat.environment("staging").await.lock.unwrap();
    assert_eq!((lock.owner.as_str(), lock.reason.as_str()), ("eve", "moving"));
    let record = chat.audit_of("lock_handed_over").await.pop().unwrap().body;
    assert_eq!(
        (&record["by"], &record["before"]["owner"], &record["lock"]["owner"]),
        (&"bob".into(), &"bob".into(), &"eve".into())
    );
    // It is not Bob's any more, and he is no developer's boss but of the release team.
    let answer = chat.says("eve", "/release lock staging --to eve").await;
    assert!(answer.contains("eve holds its lock already. Nothing was changed."), "{answer}");
    assert!(chat.says("eve", "/release unlock staging").await.contains("is unlocked."));
}

#[tokio::test]
async fn a_lock_goes_only_from_whom_and_to_whom_policy_lets_it() {
    let mut chat = Chat::open().await;
    let answer = chat.says("bob", "/release lock staging --to ana").await;
    assert!(answer.contains("it is not locked. Nothing was changed."), "{answer}");
    chat.says("bob", "/release lock staging \"moving\"").await;
    for (who, to, said) in [
        ("eve", "eve", "Not allowed: "),
        ("gus", "gus", "Not allowed: "),
        ("bob", "gus", "gus may not hold this lock: "),
        ("bob", "anna", "Slipway knows nobody of the name \"anna\". Did you mean ana?"),
        ("bob", "<@U9>", "Slipway does not know whom you mention."),
        ("bob", "bob", "bob holds its lock already."),
    ] {
        let answer = chat.says(who, &format!("/release lock staging --to {to}")).await;
        assert!(answer.contains(said) && answer.contains("Nothing was"), "{who} to {to}: {answer}");
        assert_eq!(chat.environment("staging").await.lock.unwrap().owner, "bob".into(), "{who} to {to}");
    }
    let refused = chat.audit_of("refused").await;
    let acts: Vec<_> = refused.iter().map(|record| record.body["act"].as_str().unwrap()).collect();
    assert_eq!(acts, ["hand_over", "unlock", "unlock", "hand_over", "hand_over"]);
    // The release team may end anybody's lock, and so may give it on; a mention is of an account in the same chat.
    let answer = chat.says("cem", "/release lock staging \"my turn\" --for 1h --to <@ana>").await;
    assert!(answer.contains("now locked by ana \"my turn\" for 1h more"), "{answer}");
    assert_eq!(chat.private("bob").await, ["cem has given ana your lock on goals → staging \"moving\"."]);
    chat.says("cem", "/release lock staging --to cem").await;
    assert_eq!(chat.environment("staging").await.lock.unwrap().owner, "cem".into());
}

#[tokio::test]
async fn whoever_is_only_in_another_chat_is_told_there() {
    let lia = "[slack]\n[person.lia]\nslack = \"U012AB3CD\"\nteams = [\"developers\"]\n[person.eve]\n";
    let config = chat::CONFIG
        .replace("[person.eve]\n", lia)
        .replace("\"terminal:ops\"]\n\n[service", "\"terminal:ops\", \"slack:C024BE91L\"]\n\n[service");
    let mut chat = Chat::with(&config).await;
    chat.says("bob", "/release lock staging \"moving\" --for 1h").await;
    chat.says("bob", "/release lock staging --to lia").await;
    let channel = "SELECT channel FROM messages WHERE only_for = $1 AND key LIKE 'lock/%'";
    assert_eq!(chat.scalar::<String>(channel, "lia").await.as_deref(), Some("slack:@U012AB3CD"));
    chat.wait_s(50 * MINUTE_S);
    chat.looks().await;
    assert_eq!(chat.private("lia").await.len(), 2, "and reminded");
}

#[tokio::test]
async fn whoever_comes_after_a_lock_has_run_out_finds_it_ended() {
    let mut chat = Chat::open().await;
    chat.says("bob", "/release lock staging \"moving\" --for 1m").await;
    chat.wait_s(MINUTE_S);
    // Nobody has looked at the clock yet.
    assert!(chat.says("ana", "/release unlock staging").await.contains("it is not locked."));
    chat.says("bob", "/release lock staging \"moving\" --for 1m").await;
    chat.wait_s(MINUTE_S);
    let answer = chat.says("eve", "/release lock staging \"mine\"").await;
    assert!(answer.contains("locked by eve \"mine\" until unlocked") && !answer.contains("Before"), "{answer}");
    chat.looks().await;
    let audit = chat.audit().await;
    assert_eq!(kinds(&audit), ["locked", "lock_ran_out", "locked", "lock_ran_out", "locked"]);
}

#[tokio::test]
async fn a_clock_that_jumps_ends_no_lock_twice_and_forgets_none() {
    let mut chat = Chat::open().await;
    a_queue_behind_bobs_lock(&mut chat).await;
    chat.wait_s(9 * DAY_S);
    chat.notices().await;
    // Before the engine takes it the clock is right again.
    chat.wait_s(-9 * DAY_S);
    chat.handle_all().await;
    assert!(chat.environment("staging").await.lock.is_some());
    assert_eq!(chat.private("ana").await, [""; 0]);
    chat.wait_s(2 * HOUR_S);
    chat.looks().await;
    chat.wait_s(-3 * HOUR_S);
    chat.looks().await;
    chat.wait_s(4 * HOUR_S);
    chat.looks().await;
    assert_eq!(chat.audit_of("lock_ran_out").await.len(), 1);
    assert_eq!(chat.private("ana").await.len(), 1);
}

#[tokio::test]
async fn killed_between_any_two_steps_each_is_told_once() {
    for killed_after in 0..4 {
        let mut chat = Chat::open().await;
        a_queue_behind_bobs_lock(&mut chat).await;
        let mut steps = 0;
        for wait in [110 * MINUTE_S, 10 * MINUTE_S] {
            chat.wait_s(wait);
            for step in ["notice", "handle"] {
                match step {
                    "notice" => chat.notices().await,
                    _ => chat.handle_all().await,
                }
                if steps == killed_after {
                    chat = chat.restarts().await;
                    chat.looks().await;
                }
                steps += 1;
            }
        }
        chat.looks().await;
        assert_eq!(chat.private("bob").await.len(), 1, "one reminder, killed after {killed_after}");
        for who in ["ana", "eve"] {
            let told = chat.private(who).await;
            assert!(told.len() == 1 && told[0].contains("has run out."), "killed after {killed_after}: {told:?}");
        }
        assert_eq!(chat.audit_of("lock_ran_out").await.len(), 1, "killed after {killed_after}");
    }
}

#[tokio::test]
async fn half_a_lock_does_not_end() {
    let mut chat = Chat::open().await;
    a_queue_behind_bobs_lock(&mut chat).await;
    chat.wait_s(2 * HOUR_S);
    chat.notices().await;
    let before = chat.environment("staging").await;
    chat.execute("CREATE TRIGGER full BEFORE INSERT ON messages BEGIN SELECT raise(ABORT, 'disk full'); END".into())
        .await;
    let mut tx = chat.store.begin().await.unwrap();
    let row = chat.store.inbox_next(&mut tx).await.unwrap().unwrap();
    chat.engine.handle(tx, &row).await.unwrap_err();
    assert_eq!(chat.environment("staging").await, before);
    assert_eq!(chat.audit_of("lock_ran_out").await, []);
    chat.execute("DROP TRIGGER full".into()).await;
    chat.handle_all().await;
    assert_eq!((chat.environment("staging").await.lock, chat.private("ana").await.len()), (None, 1));
}

#[tokio::test]
async fn a_lock_from_before_anything_was_due_is_found() {
    let mut chat = Chat::open().await;
    chat.says("bob", "/release lock staging \"moving\" --for 1h").await;
    chat.execute("UPDATE environments SET due_at = 0".into()).await;
    chat.looks().await;
    assert_eq!(chat.store.environments_due(chat.engine.clock.now_ms(), 10).await.unwrap(), []);
    chat.wait_s(HOUR_S);
    chat.looks().await;
    assert_eq!(chat.environment("staging").await.lock, None);
}

#[tokio::test]
async fn queue_and_status_show_the_lock_and_who_waits_behind_it() {
    let mut chat = Chat::open().await;
    let [first, ..] = a_queue_behind_bobs_lock(&mut chat).await;
    chat.wait_s(10 * MINUTE_S);
    let queue = chat.says("eve", "/release queue").await;
    assert!(queue.contains("locked by bob \"moving\" for 1h 50m more"), "{queue}");
    assert!(
        queue.contains(&format!("1. {}  ana, 0000000 · for 10 min · Locked by bob: moving", first.short())),
        "{queue}"
    );
    let status = chat.says("eve", "/release status").await;
    let expected = "staging: locked by bob \"moving\" for 1h 50m more · \
                    queue: 3 (ana, 0000000, for 10 min; eve, 0000000, for 10 min; ana, 0000000, for 10 min)";
    assert!(status.contains(expected), "{status}");
}

#[tokio::test]
async fn what_cannot_be_looked_at_does_not_come_again_every_minute() {
    let mut chat = Chat::open().await;
    chat.says("bob", "/release lock staging \"moving\" --for 30m").await;
    chat.execute("UPDATE environments SET state = 'no JSON' WHERE environment = 'staging'".to_owned()).await;
    chat.wait_s(1_800);
    let crate::engine::Engine { store, clock, signals, .. } = chat.engine.clone();
    crate::timekeeper::locks::look(&store, &clock, &signals).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let row = store.inbox_next(&mut tx).await.unwrap().unwrap();
    let error = chat.engine.handle(tx, &row).await.unwrap_err();
    chat.engine.put_aside(&row, &error).await.unwrap();
    assert_eq!(chat.audit_of("put_aside").await.len(), 1);
    chat.wait_s(600);
    assert_eq!(store.environments_due(clock.now_ms(), 10).await.unwrap(), []);
}

#[tokio::test]
async fn what_something_else_holds_does_not_go_on_when_a_lock_ends() {
    let mut chat = Chat::open().await;
    chat.says("bob", "/release lock staging \"moving\"").await;
    let vetoed = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.says("eve", &format!("/release veto {vetoed}")).await;
    let answer = chat.says("bob", "/release unlock staging").await;
    assert!(answer.contains("is unlocked.") && !answer.contains("can go on"), "{answer}");
    assert_eq!(chat.phase(&vetoed).await, "awaiting_approval");
}
