//! From staging to production without a typed command, as it is read and pressed in every chat.

use super::play::Play;
use slipway_core::message::{Mark, Verb};
use slipway_core::release::{Outcome, Phase};
use slipway_sandbox::front::Seen;
use slipway_sandbox::world::{ChatOption, Promotion};

/// The newest commit is live on staging. Gives the card of the release that brought it.
async fn on_staging(play: &mut Play) -> Seen {
    play.say("ana", "/deploy staging").await;
    let card = play.until_end().await;
    assert_eq!(play.release(&card).await.phase, Phase::Succeeded, "{}\n{}", card.text(), play.world.bot.log());
    card
}

async fn suggestion(play: &mut Play) -> Seen {
    let is_one = |m: &Seen| m.mark() == Mark::Waiting && m.has_buttons() && m.text().contains("ready to deploy");
    play.until("the suggestion", is_one).await
}

pub(super) async fn what_has_soaked_is_suggested_asked_for_approved_and_announced(chat: ChatOption) {
    let mut play = Play::promoting(chat, Promotion::Suggested).await;
    let staging = on_staging(&mut play).await;
    assert!(staging.text().contains("next: production"), "{}", staging.text());
    let suggested = suggestion(&mut play).await;
    let short = play.world.head[..7].to_owned();
    for part in [
        &format!("goals → production · {short} is ready to deploy · "),
        " on staging · ",
        "commits, 1 migration",
        "Likes on updates",
        "as planned for staging",
        "Deploy to production",
        "Not now",
    ] {
        assert!(suggested.text().contains(part), "{part} is missing:\n{}", suggested.text());
    }
    // Dora is in no team that asks.
    play.press("dora", &suggested, Verb::Promote).await;
    play.until_told("dora", "No rule lets dora").await;
    play.press("ana", &suggested, Verb::Promote).await;
    let card = play.until_asked_for_approval().await;
    let asked = play.release(&card).await.request;
    assert_eq!((asked.requester.as_str(), asked.reference.as_deref()), ("ana", Some(play.world.head.as_str())));
    let taken =
        play.until("who took it", |m| m.id == suggested.id && m.channel == suggested.channel && !m.has_buttons());
    let taken = taken.await;
    assert!(taken.text().contains(&format!("{short} asked for by ana: release")), "{}", taken.text());
    play.react("bob", &card, "✅").await;
    play.react("dora", &card, "✅").await;
    let production = play.until_end_of_another(&[&staging]).await;
    assert_eq!(play.release(&production).await.outcome, Some(Outcome::Live), "{}", production.text());
    play.until("the announcement", |m| m.channel == "#announcements").await;
    assert_eq!(play.cards().len(), 2);
}

pub(super) async fn what_is_declined_or_known_bad_stays_where_it_is(chat: ChatOption) {
    let mut play = Play::promoting(chat, Promotion::Suggested).await;
    let staging = on_staging(&mut play).await;
    let suggested = suggestion(&mut play).await;
    play.say("bob", "/release bad staging \"slow\"").await;
    let words = "is held: known bad, marked by bob";
    play.until("that it is held", |m| m.id == suggested.id && m.text().contains(words)).await;
    play.say("bob", "/release bad staging --undo").await;
    let again = suggestion(&mut play).await;
    assert_eq!(again.id, suggested.id, "the same message");
    play.press("eve", &again, Verb::NotNow).await;
    play.until_told("eve", "is not suggested again").await;
    let declined = play.until("that it is declined", |m| m.id == suggested.id && !m.has_buttons()).await;
    assert!(declined.text().contains("not now, says eve"), "{}", declined.text());
    // The card of the release on staging still leads on.
    play.press("ana", &staging, Verb::Promote).await;
    let card = play.until_asked_for_approval().await;
    assert_eq!(play.release(&card).await.request.key.environment.as_str(), "production");
}

pub(super) async fn by_setting_production_begins_by_itself_and_waits_for_people(chat: ChatOption) {
    let mut play = Play::promoting(chat, Promotion::Automatic).await;
    let staging = on_staging(&mut play).await;
    let card = play.until_asked_for_approval().await;
    let release = play.release(&card).await;
    assert!(release.request.requester.is_slipway(), "{:?}", release.request);
    assert_eq!(release.commit.as_ref().map(|commit| commit.as_str()), Some(play.world.head.as_str()));
    let short = play.world.head[..7].to_owned();
    let words = format!("started by itself: {short} has run on staging for");
    assert!(card.text().contains(&words), "{}", card.text());
    play.say("bob", &format!("/release cancel {}", release.id.short())).await;
    play.until_end_of_another(&[&staging]).await;
    let stopped = play.until("that it does not go on", |m| m.text().contains("does not start by itself again")).await;
    assert!(stopped.text().contains(&format!("{short} was cancelled · ")), "{}", stopped.text());
    assert!(stopped.text().contains(&format!("Release {}", release.id.short())), "{}", stopped.text());
    assert_eq!(play.cards().len(), 2);
}

pub(super) async fn what_may_not_go_on_any_more_says_so_and_comes_back_in_the_same_message(chat: ChatOption) {
    let mut play = Play::promoting(chat, Promotion::Suggested).await;
    on_staging(&mut play).await;
    let suggested = suggestion(&mut play).await;
    let short = play.world.head[..7].to_owned();
    play.say("bob", "/release lock production \"schema work\"").await;
    let words = format!("goals → production · {short} not now: locked by bob");
    let closed = play.until("why not now", |m| m.id == suggested.id && m.text().contains(&words)).await;
    let said = closed.text();
    assert!(said.contains("schema work") && said.contains("Suggested again here, by itself"), "{said}");
    assert!(!closed.has_buttons() && closed.mark() == Mark::Waiting, "{said}");
    play.say("bob", "/release unlock production").await;
    let again = suggestion(&mut play).await;
    assert_eq!((&again.id, &again.channel), (&suggested.id, &suggested.channel), "the same message");
    assert_eq!(play.count(|m| m.text().contains("is ready to deploy")), 1, "and no other one");
    play.press("ana", &suggested, Verb::Promote).await;
    play.until_asked_for_approval().await;
}
