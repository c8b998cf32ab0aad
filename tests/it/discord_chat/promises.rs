//! What somebody is promised who types a command is always said, or taken back when there is something to see.

use super::people::release_of;
use super::{ANA, BOB, BOTH, DORA, Server};
use slipway_sandbox::discord::{Fault, FaultKind};

/// What Discord says of an interaction's token that it does not know: it is too old, or not answered yet.
const UNKNOWN_WEBHOOK: FaultKind = FaultKind::Unknown(10_015);

/// Who votes by a command is promised an answer as everybody is who types one, and the card is it.
#[tokio::test(flavor = "multi_thread")]
async fn who_votes_by_a_command_reads_where_it_is_seen() {
    for chat in BOTH {
        let there = Server::new(chat).await;
        let card = there.production_waits().await;
        there.until_nobody_waits().await;
        assert_eq!(there.told(ANA), [""; 0], "of what a card shows nothing else is left to be read");
        there.says(BOB, &format!("/release approve {}", release_of(&card))).await;
        there.until_shows(&card, "\u{2714} bob (release)").await;
        there.until_told(BOB, "Done: the card shows it.").await;
        there.until_nobody_waits().await;
        assert_eq!(there.told(BOB), ["Done: the card shows it."]);
    }
}

/// What is asked is done at once, so the answer may be there before Discord has taken in that there will be one.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_overtakes_its_promise_is_given_all_the_same() {
    let there = Server::http().await;
    let original = "/webhooks/{application}/{token}/messages/@original";
    let too_early = |route: &str| there.discord.inject(Fault::once(route, UNKNOWN_WEBHOOK));
    too_early(&format!("PATCH {original}"));
    there.says(ANA, "/release status").await;
    there.until_told(ANA, "2 environments").await;
    too_early(&format!("DELETE {original}"));
    let card = there.production_waits().await;
    there.until_nobody_waits().await;
    too_early("POST /webhooks/{application}/{token}");
    there.press(DORA, &card, "why").await;
    there.until_told(DORA, "production-approval").await;
    there.caught_up(DORA).await;
    let written = [there.written_to(ANA), there.written_to(DORA)].concat();
    assert!(written.iter().all(|text| text.contains("waits for your approval")), "{written:?}");
}
