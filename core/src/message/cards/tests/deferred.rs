//! What is asked for later.

use super::*;
use crate::intent::{Condition, Intent, Note, State, Unsettled};
use crate::message::Span;
use expect_test::expect;

fn intent(reference: Option<&str>, condition: Condition, state: State) -> Intent {
    Intent {
        id: "01JD7Q4NZZZZZZZZZZZZZZZZZZ".into(),
        key: key(),
        reference: reference.map(str::to_owned),
        requester: "ana".into(),
        reason: None,
        channel: "terminal:releases".into(),
        condition,
        asked_at: at(0),
        expires_at: at(24 * 3_600),
        state,
        held: None,
    }
}

fn monday() -> Condition {
    Condition::At { at: at(3 * 3_600), timezone: "Europe/Berlin".into() }
}

#[test]
fn one_message_says_what_it_waits_for_and_what_became_of_it() {
    let commit = sha("4c1f9e2");
    let shown: String = [
        intent(None, monday(), State::Waiting),
        Intent { reason: Some("fixes login".into()), ..intent(Some("main"), Condition::Green, State::Waiting) },
        intent(Some(commit.as_str()), Condition::Unlocked, State::Waiting),
        intent(None, monday(), State::Begun { release: "01JD7Q5MZZ".into(), at: at(9) }),
        intent(None, monday(), State::Cancelled { by: "bob".into(), at: at(9) }),
        intent(
            Some("main"),
            Condition::Green,
            State::Expired { why: "It was not green within 24 h.".into(), at: at(9) },
        ),
        intent(None, monday(), State::Refused { why: "No rule lets ana ask.".into(), at: at(9) }),
    ]
    .iter()
    .map(|intent| text(&deferred(intent, None)))
    .collect();
    expect![[r#"
        ○ goals → production · waits for 19:00 (Tue, Europe/Berlin) · asked by ana
        deploys the newest of the default branch on Tuesday 2025-11-04 at 19:00 (Europe/Berlin)
        Rules, votes and the queue are asked then, not before · deferred 01JD7Q4N
        [Cancel]
        ○ goals → production · waits for green CI of main · asked by ana
        deploys main when its CI is green
        reason: fixes login
        Rules, votes and the queue are asked then, not before · deferred 01JD7Q4N · expires Wed 15:00
        [Cancel]
        ○ goals → production · waits until it is unlocked · asked by ana
        deploys 4c1f9e2 when it is unlocked
        Rules, votes and the queue are asked then, not before · deferred 01JD7Q4N · expires Wed 15:00
        [Cancel]
        ● goals → production · deferred deployment began: release 01JD7Q5M
        was to deploy the newest of the default branch on Tuesday 2025-11-04 at 19:00 (Europe/Berlin) · asked by ana
        – goals → production · deferred deployment cancelled by bob
        was to deploy the newest of the default branch on Tuesday 2025-11-04 at 19:00 (Europe/Berlin) · asked by ana
        – goals → production · deferred deployment expired: it was not green within 24 h
        was to deploy main when its CI is green · asked by ana
        ✖ goals → production · deferred deployment refused: No rule lets ana ask
        was to deploy the newest of the default branch on Tuesday 2025-11-04 at 19:00 (Europe/Berlin) · asked by ana
    "#]]
    .assert_eq(&shown);
    let begun = intent(None, monday(), State::Begun { release: "01JD7Q5MZZ".into(), at: at(9) });
    let linked = deferred(&begun, Some("https://slipway.acme.dev/releases/01JD7Q5MZZ"));
    assert!(linked.headline.0.iter().any(|span| matches!(span, Span::Link { text, .. } if text == "01JD7Q5M")));
}

#[test]
fn whoever_asked_reads_what_was_decided_for_them() {
    let of =
        |reference, condition, note| text(&deferred_answer(&intent(reference, condition, State::Waiting), note, at(0)));
    let answers: String = [
        of(None, monday(), Some(Note::Tomorrow)),
        of(Some("v1.8.0"), monday(), Some(Note::NextWeek)),
        of(None, monday(), Some(Note::Skipped)),
        of(None, monday(), Some(Note::Twice)),
        of(Some("main"), Condition::Green, None),
        of(Some(sha("4c1f9e2").as_str()), Condition::Unlocked, None),
        text(&cannot_be_deferred(Unsettled::Past)),
        text(&too_many_deferred(Some(&key()))),
        text(&too_many_deferred(None)),
    ]
    .concat();
    expect![[r#"
        Deploys goals to production at 19:00 (Tue, Europe/Berlin).
        Asked for on Tuesday 2025-11-04 at 19:00, in 3 h: the newest of the default branch, if policy allows it.
        That time has passed today, so it is tomorrow.
        Which commit that is, is looked up at that moment.
        To cancel it: /release cancel 01JD7Q4N
        Deploys goals to production at 19:00 (Tue, Europe/Berlin).
        Asked for on Tuesday 2025-11-04 at 19:00, in 3 h: v1.8.0, if policy allows it.
        That time has passed today, so it is next week.
        Which commit that is, is looked up at that moment.
        To cancel it: /release cancel 01JD7Q4N
        Deploys goals to production at 19:00 (Tue, Europe/Berlin).
        Asked for on Tuesday 2025-11-04 at 19:00, in 3 h: the newest of the default branch, if policy allows it.
        There is no such time on that day, because clocks go forward: it is the one above.
        Which commit that is, is looked up at that moment.
        To cancel it: /release cancel 01JD7Q4N
        Deploys goals to production at 19:00 (Tue, Europe/Berlin).
        Asked for on Tuesday 2025-11-04 at 19:00, in 3 h: the newest of the default branch, if policy allows it.
        Clocks go back over that time on that day, so it comes twice: it is the first.
        Which commit that is, is looked up at that moment.
        To cancel it: /release cancel 01JD7Q4N
        Deploys goals to production when its CI is green.
        Asked for then: main, if policy allows it.
        Deployed is exactly the commit that is found green.
        Given up after 24 h without that.
        To cancel it: /release cancel 01JD7Q4N
        Deploys goals to production when it is unlocked.
        Asked for then: 4c1f9e2, if policy allows it.
        Given up after 24 h without that.
        To cancel it: /release cancel 01JD7Q4N
        That is no time to wait for: it has passed already. Nothing was started.
        10 deployments to goals → production are deferred already. Nothing was started.
        Cancel one first: /release queue.
        10 deployments of yours are deferred already. Nothing was started.
        Cancel one first: /release queue.
    "#]]
    .assert_eq(&answers);
}

#[test]
fn whoever_waits_reads_where_they_are_now() {
    let told = bumped_before(
        &key().to_string(),
        (&"01JD7Q5M".into(), &"ana".into()),
        &"bob".into(),
        &[(2, "01JD7Q4N".into())],
    );
    expect![[r#"
        bob has put release 01JD7Q5M of ana first on goals → production.
        Your release 01JD7Q4N is number 2 of those that wait now. It is passed 3 times at most.
        goals → production: release 01JD7Q5M goes before 2 others now.
        Who asked for them has been told.
    "#]]
    .assert_eq(&(text(&told) + &text(&bumped(&key().to_string(), &"01JD7Q5M".into(), 2))));
}
