//! Continuous delivery: each pause with its way out, and each phrase.

use super::plain::text;
use crate::facts::CiState;
use crate::flow::{Begun, Flow, How, Pause, Resumption, Ripe, Seen, Sight, Standing, Why};
use crate::ids::{CommitSha, EnvironmentKey};
use crate::message::cards::{flow_cannot_be_resumed, flow_paused, flow_phrase, flow_resumed, flow_which, note_flow};
use crate::message::{Line, Message};
use expect_test::expect;
use jiff::{SignedDuration, Timestamp};

fn at(seconds: i64) -> Timestamp {
    "2026-11-23T08:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn sha(digit: &str) -> CommitSha {
    CommitSha::parse(&digit.repeat(40)).unwrap()
}

fn key() -> EnvironmentKey {
    EnvironmentKey { service: "goals".into(), environment: "staging".into() }
}

fn pause(why: Why) -> Pause {
    Pause { number: 1, why, since: at(0) }
}

fn failed(how: How) -> Why {
    Why::Ended { release: "01JD7Q4NABCDEF".into(), commit: sha("4"), how }
}

#[test]
fn each_pause_says_why_and_how_it_ends() {
    let locked = |until| Why::Locked { owner: "chen".into(), reason: "load test".into(), until };
    let reasons = [
        locked(None),
        locked(Some(at(3_600))),
        Why::Frozen { what: "Nothing starts on Fridays.".into(), until: Some(at(7_200)) },
        Why::Refused { what: "No rule lets slipway ask for a release to staging.".into(), forbidden: false },
        failed(How::Failed),
        failed(How::RolledBack),
        failed(How::Expired),
        failed(How::Denied),
        failed(How::Cancelled { by: "bob".into() }),
        Why::WentBack { release: "01JD7Q5PABCDEF".into(), by: "ana".into() },
        Why::Diverged { live: sha("9"), branch: "main".into(), head: sha("4") },
        Why::Gone { branch: "main".into() },
    ];
    let all: String = reasons.map(|why| text(&flow_paused(&key(), &pause(why), true))).concat();
    expect![[r#"
        ○ goals → staging · nothing starts by itself: locked by chen "load test"
        Goes on by itself when it is unlocked: /release unlock staging goals
        ○ goals → staging · nothing starts by itself: locked by chen "load test" until Mon 09:00
        Goes on by itself when it is unlocked: /release unlock staging goals
        ○ goals → staging · nothing starts by itself: Nothing starts on Fridays (until Mon 10:00)
        Goes on by itself when that is over.
        ○ goals → staging · nothing starts by itself: refused by policy
        No rule lets slipway ask for a release to staging.
        Goes on by itself when a rule permits it. The one that does by default:
        @id("by-itself") permit (principal == Person::"slipway", action in [Action::"request", Action::"rollback", Action::"execute"], resource);
        ○ goals → staging · nothing starts by itself: 4444444 failed (release 01JD7Q4N)
        Goes on when a release that somebody asks for succeeds, or with /release resume staging goals: then the newest green commit begins.
        [Resume]
        ○ goals → staging · nothing starts by itself: 4444444 was rolled back by AWS (release 01JD7Q4N)
        Goes on when a release that somebody asks for succeeds, or with /release resume staging goals: then the newest green commit begins.
        [Resume]
        ○ goals → staging · nothing starts by itself: 4444444 was not approved in time (release 01JD7Q4N)
        Goes on when a release that somebody asks for succeeds, or with /release resume staging goals: then the newest green commit begins.
        [Resume]
        ○ goals → staging · nothing starts by itself: 4444444 was refused (release 01JD7Q4N)
        Goes on when a release that somebody asks for succeeds, or with /release resume staging goals: then the newest green commit begins.
        [Resume]
        ○ goals → staging · nothing starts by itself: 4444444 was cancelled by bob (release 01JD7Q4N)
        Goes on when a release that somebody asks for succeeds, or with /release resume staging goals: then the newest green commit begins.
        [Resume]
        ○ goals → staging · nothing starts by itself: ana went back to an older version (release 01JD7Q5P)
        Goes on when a release that somebody asks for succeeds, or with /release resume staging goals: then the next green commit newer than those that ran begins.
        [Resume]
        ○ goals → staging · nothing starts by itself: 9999999 runs there and is not on main
        Goes on by itself once a commit of the branch runs there: /deploy staging main goals
        ○ goals → staging · nothing starts by itself: there is no branch main
        Goes on by itself when it is there. Another one is named in slipway.toml: auto_deploy
    "#]].assert_eq(&all);
}

#[test]
fn the_same_message_says_when_it_is_over() {
    let over = |why, how| text(&flow_resumed(&key(), &pause(why), &how, at(720)));
    let locked = Why::Locked { owner: "chen".into(), reason: "load test".into(), until: None };
    let frozen = Why::Frozen { what: "Nothing starts on Fridays.".into(), until: None };
    let all = [
        over(locked, Resumption::Over),
        over(frozen, Resumption::Over),
        over(failed(How::Failed), Resumption::Said { by: "ana".into() }),
        over(failed(How::Failed), Resumption::Succeeded { release: "01JD7Q6RABCDEF".into(), by: "eve".into() }),
    ];
    expect![[r#"
        – goals → staging · releases start by themselves again: it is unlocked
        It had stopped for 12 min: locked by chen "load test"
        – goals → staging · releases start by themselves again: the freeze is over
        It had stopped for 12 min: Nothing starts on Fridays
        – goals → staging · releases start by themselves again: resumed by ana
        It had stopped for 12 min: 4444444 failed (release 01JD7Q4N)
        – goals → staging · releases start by themselves again: release 01JD7Q6R of eve is live
        It had stopped for 12 min: 4444444 failed (release 01JD7Q4N)
    "#]]
    .assert_eq(&all.concat());
}

#[test]
fn its_state_is_one_phrase() {
    let commits = |ci| vec![Seen { sha: sha("4"), author: "ana".into(), ci, untouched: false }];
    let sight = |commits: Vec<Seen>, standing| Sight {
        branch: "main".into(),
        base: Some(sha("9")),
        head: Some(sha("4")),
        standing,
        total: 1,
        commits,
    };
    let seen = |ci| Flow { seen: Some(sight(commits(ci), Standing::Ahead)), ..Flow::new(key()) };
    let begun = Begun { release: "01JD7Q4NABCDEF".into(), commit: sha("4") };
    let ripe = Ripe { commit: sha("4"), since: at(0), first: at(0) };
    let flows = [
        Flow::new(key()),
        Flow { seen: Some(sight(vec![], Standing::Ahead)), ..Flow::new(key()) },
        Flow { seen: Some(sight(vec![], Standing::Behind)), ..Flow::new(key()) },
        seen(None),
        seen(Some(CiState::Missing)),
        seen(Some(CiState::Pending)),
        Flow { red_since: Some(at(0)), ..seen(Some(CiState::Red)) },
        Flow { ripe: Some(ripe), ..seen(Some(CiState::Green)) },
        Flow { begun: vec![begun], ..seen(Some(CiState::Green)) },
        seen(Some(CiState::Green)),
        Flow {
            seen: Some(sight(
                vec![Seen { untouched: true, ..commits(Some(CiState::Green)).remove(0) }],
                Standing::Ahead,
            )),
            ..Flow::new(key())
        },
        Flow { pause: Some(pause(failed(How::Failed))), ..seen(Some(CiState::Green)) },
    ];
    let phrase = |line: Line| text(&Message::answer(line, []));
    let all: String = flows.iter().map(|flow| phrase(flow_phrase(Some(flow), "main", at(720)))).collect();
    expect![[r#"
        follows main: the branch has not been looked at yet
        follows main: up to date
        follows main: up to date
        follows main: 4444444 has not been looked at yet
        follows main: 4444444 has no CI yet
        follows main: 4444444 waits for CI
        follows main: red for 12 min
        follows main: next 4444444
        follows main: 4444444 has begun
        follows main: 4444444 is green
        follows main: 4444444 does not concern it
        follows main: paused, 4444444 failed (release 01JD7Q4N)
    "#]]
    .assert_eq(&all);
}

#[test]
fn a_status_says_in_its_first_line_how_many_have_stopped() {
    let goes = (key(), Flow::new(key()), "main".to_owned());
    let stopped = (key(), Flow { pause: Some(pause(failed(How::Failed))), ..Flow::new(key()) }, "main".to_owned());
    let said = |flows: &[_]| {
        let mut status = Message::answer(Line::plain("2 environments"), []);
        note_flow(&mut status, flows, at(720));
        text(&status)
    };
    expect![[r#"
        2 environments
        goals → staging follows main: the branch has not been looked at yet
        2 environments · 1 paused
        goals → staging follows main: the branch has not been looked at yet
        goals → staging follows main: the branch has not been looked at yet
    "#]]
    .assert_eq(&(said(std::slice::from_ref(&goes)) + &said(&[goes, stopped])));
}

#[test]
fn what_does_not_help_says_what_does() {
    let locked = Why::Locked { owner: "chen".into(), reason: "load test".into(), until: None };
    let other = EnvironmentKey { service: "goals".into(), environment: "preview".into() };
    let all = [flow_cannot_be_resumed(&key(), &pause(locked), true), flow_which(&[key(), other])].map(|m| text(&m));
    expect![[r#"
        That does not help on goals → staging. Nothing was started.
        Nothing starts by itself there: locked by chen "load test".
        Goes on by itself when it is unlocked: /release unlock staging goals
        Several environments have stopped. Nothing was started.
        /release resume staging goals
        /release resume preview goals
    "#]]
    .assert_eq(&all.concat());
}

#[test]
fn a_rollback_ends_what_was_deployed_past_slipway_only_where_there_is_a_way_back() {
    let said = |way_back| {
        let why = || Why::PastSlipway { runs: "goals:hotfix".into() };
        let all =
            [flow_paused(&key(), &pause(why()), way_back), flow_cannot_be_resumed(&key(), &pause(why()), way_back)];
        all.map(|message| text(&message)).concat()
    };
    let way = "Goes on by itself once something else runs there: /deploy staging goals";
    assert_eq!(said(true).matches(&format!("{way} or /rollback staging goals\n")).count(), 2, "{}", said(true));
    assert_eq!(said(false).matches(&format!("{way}\n")).count(), 2, "{}", said(false));
}
