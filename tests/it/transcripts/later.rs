//! What is asked for later: whose clock that means, and what is not to be when its moment comes.

use super::around::{configure, folded, is_given_up_by_now};
use super::play::Play;
use slipway_core::message::Mark;
use slipway_sandbox::front::Seen;
use slipway_sandbox::world::ChatOption;

const TOKYO: &str = "Asia/Tokyo";

const EVE_MAY_NOT: &str = "@id(\"not-eve\")
@why(\"Eve is on holiday.\")
forbid (principal == Person::\"eve\", action == Action::\"request\", resource);";

/// What everybody reads of one that is deferred, once it says this.
async fn until_says(play: &mut Play, mark: Mark, words: &str) -> Seen {
    let says = |m: &Seen| m.only_for.is_none() && !m.is_card() && m.mark() == mark && folded(&m.text()).contains(words);
    play.until(&format!("\"{words}\" for everybody"), says).await
}

pub(super) async fn what_is_deferred_goes_by_the_askers_clock_expires_and_is_judged_then(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    let in_tokyo =
        |config: &str| config.replacen("[person.ana]\n", &format!("[person.ana]\ntimezone = \"{TOKYO}\"\n"), 1);
    play.while_down(async |world| configure(world, in_tokyo)).await;
    play.say("ana", "/deploy staging v1.7.3 --when \"tomorrow 9:00\"").await;
    let answer = folded(&play.until_told("ana", "v1.7.3, if policy allows it.").await.text());
    assert!(
        answer.contains("at 9:00 (") && answer.contains(&format!(", {TOKYO}).")) && answer.contains(" at 9:00, in "),
        "{answer}"
    );
    let tomorrow = until_says(&mut play, Mark::Waiting, "deploys v1.7.3 on ").await;
    assert!(tomorrow.text().contains(TOKYO), "{}", tomorrow.text());
    // Bob has no clock of his own, and the environment's is UTC.
    play.say("bob", "/deploy staging v1.8.0 --when \"tomorrow 9:00\"").await;
    let answer = folded(&play.until_told("bob", "v1.8.0, if policy allows it.").await.text());
    assert!(answer.contains("at 9:00 (") && answer.contains(", UTC)."), "{answer}");

    let branch = "feature/comment-threads";
    play.say("chen", &format!("/deploy staging {branch} --when green")).await;
    play.until_told("chen", "Deploys goals to staging when its CI is green.").await;
    let green = until_says(&mut play, Mark::Waiting, &format!("deploys {branch} when its CI is green")).await;
    play.say("bob", "/release lock staging \"load test\"").await;
    play.until_told("bob", "is locked by bob").await;
    play.say("eve", "/deploy staging main --when unlocked").await;
    play.until_told("eve", "Deploys goals to staging when it is unlocked.").await;
    let unlocked = until_says(&mut play, Mark::Waiting, "deploys main when it is unlocked").await;

    play.say("dora", "/release queue").await;
    let queue = folded(&play.until_told("dora", "4 for later").await.text());
    for part in [
        &format!("ana, v1.7.3 · on {}", day_in(&tomorrow)),
        &format!("({TOKYO})"),
        "bob, v1.8.0 · on ",
        "chen, feature/comment-threads · when its CI is green",
        "eve, main · when it is unlocked",
    ] {
        assert!(queue.contains(part), "{part} is missing:\n{queue}");
    }
    play.say("dora", "/release status").await;
    play.until_told("dora", "for later: 4 deployments").await;

    // Nobody builds the branch, and its time passes.
    play.while_down(async |world| is_given_up_by_now(world, branch).await).await;
    let expired = until_says(&mut play, Mark::Ended, "expired: it was not green within").await;
    assert_eq!(expired.id, green.id, "the same message");
    let told = play.until_told("chen", "has expired. Nothing was started.").await;
    assert!(folded(&told.text()).contains(&format!("/deploy staging {branch} goals")), "{}", told.text());

    // When it was typed Eve might ask: what counts is the moment.
    play.rules("holiday", Some(EVE_MAY_NOT));
    play.say("bob", "/release unlock staging").await;
    let refused = until_says(&mut play, Mark::Failed, "deferred deployment refused: Eve is on holiday").await;
    assert_eq!(refused.id, unlocked.id, "the same message");
    let told = play.until_told("eve", "was refused. Nothing was started.").await;
    assert!(told.text().contains("Eve is on holiday."), "{}", told.text());
    assert_eq!(play.cards().len(), 0, "nothing has begun");
    play.say("eve", "/release queue").await;
    play.until_told("eve", "2 for later").await;
}

/// `Tuesday 2026-12-01`, of what is deferred until then.
fn day_in(message: &Seen) -> String {
    let text = folded(&message.text());
    let day = text.split(" on ").nth(1).and_then(|rest| rest.split(" at ").next());
    day.unwrap_or_else(|| panic!("{text}")).to_owned()
}
