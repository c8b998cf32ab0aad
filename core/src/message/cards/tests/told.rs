//! What is to be read truly: locks in the channel, objections of several, reasons in full, rehearsals.

use super::*;
use crate::environment::Lock;
use crate::message::{Line, Message};
use crate::migration::{DownTrial, MigrationTrial, Rehearsal};
use expect_test::expect;

fn lock(reason: &str, until: Option<i64>) -> Lock {
    Lock {
        owner: "chen".into(),
        reason: reason.into(),
        at: at(0),
        until: until.map(at),
        channel: "terminal:releases".into(),
        reminded_at: None,
    }
}

#[test]
fn a_channel_reads_of_a_lock_and_of_its_end() {
    let (short, long) = (lock("load test", Some(2400)), lock(&["load test"; 12].join(" "), None));
    let next = Lock { owner: "bob".into(), ..short.clone() };
    let all = [
        lock_said(&key(), &short),
        lock_said(&key(), &long),
        lock_is_over(&key(), &short, None, None),
        lock_is_over(&key(), &short, None, Some(&"chen".into())),
        lock_is_over(&key(), &short, None, Some(&"dora".into())),
        lock_is_over(&key(), &short, Some(&next), Some(&"chen".into())),
        lock_is_over(&key(), &short, Some(&next), Some(&"bob".into())),
        lock_is_over(&key(), &short, Some(&next), Some(&"dora".into())),
        lock_is_over(&key(), &short, Some(&short), None),
    ];
    expect![[r#"
        ○ goals → production · locked by chen until Tue 15:40: "load test"
        Only releases of chen pass. To end it: /release unlock production goals
        ---
        ○ goals → production · locked by chen until unlocked
        reason: load test load test load test load test load test load test load test load test load test load test load test load test
        Only releases of chen pass. To end it: /release unlock production goals
        ---
        – goals → production · open again: the lock of chen is over
        It was for: load test
        ---
        – goals → production · open again: the lock of chen is over
        It was for: load test
        ---
        – goals → production · open again: dora ended the lock of chen
        It was for: load test
        ---
        – goals → production · the lock of chen is now bob's
        It was for: load test
        ---
        – goals → production · bob took over the lock of chen
        It was for: load test
        ---
        – goals → production · dora gave the lock of chen to bob
        It was for: load test
        ---
        – goals → production · chen has locked it anew
        It was for: load test
    "#]].assert_eq(&all.iter().map(text).collect::<Vec<_>>().join("---\n"));
}

#[test]
fn whoever_of_several_objects_has_to_take_it_back() {
    let said = |by: &[&str]| {
        let by = by.iter().map(|name| (*name).into()).collect();
        let line = words::clears(&reason("veto", "Somebody is against it.", Clears::Withdrawal { by }), None);
        text(&Message::answer(line, []))
    };
    assert_eq!(said(&["ana"]), "ana can, with /release withdraw\n");
    assert_eq!(said(&["ana", "eve"]), "ana and eve each have to take it back, with /release withdraw\n");
}

#[test]
fn a_reason_is_shown_whole() {
    let why = format!("{} {}", "because of it".repeat(40), "and so on ".repeat(100));
    let lines = words::whole(Line::plain("reason: "), &why);
    let shown = lines.iter().map(|line| text(&Message::answer(line.clone(), []))).collect::<Vec<_>>();
    assert!(shown.iter().all(|line| line.chars().count() <= 160), "{shown:?}");
    let without_spaces = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    assert_eq!(without_spaces(&shown.concat()), format!("reason:{}", without_spaces(&why)));
    assert_eq!(words::whole(Line::plain("reason: "), "").len(), 1);
}

#[test]
fn a_rehearsal_says_no_more_than_what_was_tried() {
    let said = |downs: &[DownTrial]| {
        let trial = |down: &DownTrial| MigrationTrial {
            version: Version::from(1),
            touched: vec![],
            down: down.clone(),
            partial: false,
        };
        let trials = downs.iter().map(trial).collect();
        let plan = Plan { rehearsal: Some(Rehearsal::Done { trials }), ..plan() };
        let card = card(&after(planned(asked(), &plan), [verdict("wait", &plan, &[])]), 60);
        let line = card.lines().find(|line| line.contains("rehearsed")).unwrap().trim().to_owned();
        line.trim_start_matches("rehearsed on an empty copy: ").to_owned()
    };
    let untried = || DownTrial::NotTried { why: "it needs a connection of its own".into() };
    assert_eq!(said(&[DownTrial::None]), "up");
    assert_eq!(said(&[DownTrial::Restores]), "up, down and up again");
    assert_eq!(said(&[DownTrial::Restores, DownTrial::None]), "up, down where there is a way back, and up again");
    assert_eq!(said(&[DownTrial::Restores, untried()]), "up, not every way back");
}

#[test]
fn moments_of_a_database_are_shown_as_all_others() {
    let said = |at: &str| {
        let view = MigrationsView {
            key: &key(),
            commit: &sha("4c1f9e2"),
            runs: true,
            applied: vec![("1_a.sql".into(), Some(at.into()))],
            pending: PendingView::default(),
        };
        let text = text(&migration_status(&view));
        text.split_once("1_a.sql  at ").map(|(_, rest)| rest.lines().next().unwrap_or_default().to_owned()).unwrap()
    };
    let moment = said("2025-11-04T15:00:00Z");
    for same in ["2025-11-04 15:00:00.297969Z", "2025-11-04 15:00:00+00", "2025-11-04 17:00:00.5+02"] {
        assert_eq!(said(same), moment, "{same}");
    }
    assert_eq!(said("2025-11-04 15:00:00.297969"), "2025-11-04 15:00:00", "of which zone is not known");
}
