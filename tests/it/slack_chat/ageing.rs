//! Cards that have been there for days, and connections that do not last.

use super::{ANA, BOB, DORA, RELEASES, WAIT_LIMIT, Workspace};
use jiff::SignedDuration;
use serde_json::Value;
use slipway_sandbox::slack::SlackLimits;
use slipway_sandbox::world::ChatOption;
use std::time::{Duration, Instant};

/// A release of production has waited for three days, as Slack sees it.
async fn three_days_later(limits: SlackLimits) -> (Workspace, Value) {
    let there = Workspace::http().await;
    let days = SignedDuration::from_hours(72);
    there.slack.shift_clock(-days);
    let card = there.production_waits().await;
    there.slack.settled().await;
    there.slack.shift_clock(days);
    there.slack.set_limits(limits);
    (there, card)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_card_still_works() {
    let (there, card) = three_days_later(SlackLimits::default()).await;
    there.press(DORA, &card, "approve").await;
    there.until_shows(&card, "\u{2714} dora (dba)").await;
    there.react(BOB, &card, "white_check_mark", true);
    there.until_shows(&card, "is live").await;
    assert_eq!(there.cards().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_cannot_be_changed_any_more_is_posted_again_once() {
    let limits = SlackLimits { edit_window_s: Some(86_400), answer_within: WAIT_LIMIT, ..SlackLimits::default() };
    let (there, old) = three_days_later(limits).await;
    there.react(BOB, &old, "white_check_mark", true);
    let fits =
        |m: &Value, text: &str| super::is_card(m) && m["ts"] != old["ts"] && text.contains("\u{2714} bob (release)");
    let new = there.until("the card, posted again", RELEASES, fits).await;
    assert_eq!(new["key"], old["key"]);
    // The old one's button is not gone, and the new one takes the rest.
    there.press(DORA, &old, "approve").await;
    there.until_shows(&new, "is live").await;
    there.caught_up(ANA).await;
    let same = there.cards().into_iter().filter(|card| card["key"] == old["key"]).count();
    assert_eq!(same, 2, "{:?}", there.slack.transcript(RELEASES));
}

/// So often a connection is cut right after it was opened.
const BREAKS: u32 = 4;
/// No more connections than these are opened in a second.
const OPENED_PER_S_LIMIT: f64 = 4.0;

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_at_once_are_not_opened_in_a_hurry() {
    let there = Workspace::new(ChatOption::SlackSocket).await;
    there.caught_up(ANA).await;
    let (began, before) = (Instant::now(), there.calls("apps.connections.open"));
    there.slack.break_next_connections(BREAKS);
    there.slack.break_connections();
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    let over = async {
        while there.slack.connections_to_break() > 0 || there.slack.connections() == 0 {
            looks.tick().await;
        }
    };
    tokio::time::timeout(WAIT_LIMIT, over).await.expect("a connection lasts");
    let opened = there.calls("apps.connections.open") - before;
    assert_eq!(opened, usize::try_from(BREAKS).unwrap() + 1, "one for each that broke");
    let per_s = f64::from(BREAKS) / began.elapsed().as_secs_f64();
    assert!(per_s < OPENED_PER_S_LIMIT, "{per_s} in a second");
    there.says(BOB, "/release queue").await;
    there.caught_up(BOB).await;
}
