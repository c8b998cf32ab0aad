//! What is asked for later, and the queue: as they are typed and read in every chat.

use super::play::Play;
use slipway_core::message::{Mark, Verb};
use slipway_core::release::{Outcome, Phase};
use slipway_sandbox::front::Seen;
use slipway_sandbox::world::ChatOption;

/// The message of a deployment that waits for its moment, for everybody.
async fn waiting(play: &mut Play, words: &str) -> Seen {
    let waits =
        |m: &Seen| m.only_for.is_none() && !m.is_card() && m.mark() == Mark::Waiting && m.text().contains(words);
    play.until(&format!("\"{words}\" for everybody"), waits).await
}

/// The same message, once it says this.
async fn says(play: &mut Play, message: &Seen, mark: Mark, words: &str) -> Seen {
    let says = |m: &Seen| m.id == message.id && m.mark() == mark && m.text().contains(words);
    let seen = play.until(&format!("\"{words}\" in the same message"), says).await;
    assert!(!seen.has_buttons(), "{}", seen.text());
    seen
}

pub(super) async fn what_is_deferred_waits_for_its_moment(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.say("ana", "/deploy staging --when monday").await;
    play.until_told("ana", "At what time?").await;
    play.say("ana", "/deploy staging --when \"monday 9:00\"").await;
    play.until_told("ana", "Deploys goals to staging at 9:00 (Mon").await;
    let monday = waiting(&mut play, "deploys the newest of the default branch on Monday").await;
    assert!(monday.text().contains("goals → staging · waits for 9:00 (Mon"), "{}", monday.text());
    assert!(monday.text().contains("at 9:00") && monday.text().contains("asked by ana"), "{}", monday.text());
    play.say("bob", "/release queue").await;
    play.until_told("bob", "1 for later").await;
    let text = monday.text();
    let id = text.split("deferred ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    let cancel = format!("/release cancel {id}");
    play.say("dora", &cancel).await;
    play.until_told("dora", "Not allowed").await;
    // Discord asks whether one is sure: `discord_chat/pressing.rs`.
    match chat {
        ChatOption::Discord => play.say("ana", &cancel).await,
        _ => play.press("ana", &monday, Verb::Cancel).await,
    }
    play.until_told("ana", "Cancelled: the deferred deployment to goals → staging.").await;
    says(&mut play, &monday, Mark::Ended, "deferred deployment cancelled by ana").await;

    play.say("bob", "/release lock staging \"load test\"").await;
    play.until_told("bob", "is locked by bob").await;
    play.say("eve", "/deploy staging --when unlocked --reason \"after the load test\"").await;
    play.until_told("eve", "Deploys goals to staging when it is unlocked.").await;
    let unlocked = waiting(&mut play, "waits until it is unlocked").await;
    assert!(unlocked.text().contains("after the load test"), "{}", unlocked.text());
    assert_eq!(play.cards().len(), 0, "nothing has begun");
    play.say("bob", "/release unlock staging").await;
    let ended = play.until_end().await;
    let release = play.release(&ended).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", ended.text(), play.world.bot.log());
    assert_eq!(release.request.requester.as_str(), "eve");
    let began = says(&mut play, &unlocked, Mark::Live, "deferred deployment began: release").await;
    assert!(began.text().contains(release.id.short()), "{}", began.text());
    play.say("eve", "/deploy staging --when unlocked").await;
    play.until_told("eve", "is not locked, so the deployment is asked for now.").await;
    let again = play.until_end_of_another(&[&ended]).await;
    assert_eq!(play.release(&again).await.outcome, Some(Outcome::NothingToDo), "{}", again.text());
}

pub(super) async fn what_is_to_be_green_is_asked_for_once_it_is(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.say("ana", "/deploy production main --when green").await;
    play.until_told("ana", "Deploys goals to production when its CI is green.").await;
    let green = waiting(&mut play, "goals → production · waits for green CI of main").await;
    assert_eq!(play.cards().len(), 0, "nobody has built it yet");
    play.say("eve", "/deploy staging").await;
    let staging = play.until_end().await;
    assert_eq!(play.release(&staging).await.phase, Phase::Succeeded, "{}", staging.text());
    let card = play.until_asked_for_approval().await;
    let release = play.release(&card).await;
    assert_eq!(release.request.reference.as_deref(), Some(play.world.head.as_str()), "exactly what was green");
    assert_eq!(release.request.requester.as_str(), "ana");
    let began = says(&mut play, &green, Mark::Live, "deferred deployment began: release").await;
    assert!(began.text().contains(release.id.short()), "{}", began.text());
    assert_eq!(play.world.aws.deployment_operations(&play.world.production_arn).len(), 0, "the gate holds it");
    assert_eq!(play.cards().len(), 2);
}

pub(super) async fn one_that_waits_is_put_before_another(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.say("bob", "/release lock staging \"load test\"").await;
    play.until_told("bob", "is locked by bob").await;
    play.say("eve", "/deploy staging feature/comment-threads").await;
    let first = play.until("a card that waits", |m| m.is_card() && m.text().contains("queued: locked by bob")).await;
    play.say("ana", "/deploy staging").await;
    let second = |m: &Seen| m.is_card() && m.key != first.key && m.text().contains("2nd of 2, behind");
    let second = play.until("a card behind it", second).await;
    let [one, two] = [play.release(&first).await, play.release(&second).await];
    let bump = format!("/release queue --bump {}", two.id.short());
    play.say("ana", "/release queue").await;
    play.until_told("ana", "2 waiting").await;
    play.say("eve", &bump).await;
    play.until_told("eve", "No rule lets eve put a release first on staging.").await;
    play.say("bob", &bump).await;
    play.until_told("bob", "goes before 1 other now.").await;
    play.until_told("eve", "first on goals → staging.").await;
    let shows = |of: &Seen, words: &'static str| {
        let key = of.key.clone();
        move |m: &Seen| m.key == key && m.text().contains(words)
    };
    play.until("the card of the first", shows(&second, "1st of 2 · put first by bob")).await;
    play.until("the card of the one that was passed", shows(&first, "passed once")).await;
    play.say("bob", "/release unlock staging").await;
    let ended = |of: &Seen| {
        let key = of.key.clone();
        move |m: &Seen| m.key == key && m.has_ended()
    };
    let (first, second) = (play.until("its end", ended(&first)).await, play.until("its end", ended(&second)).await);
    let [one, two] = [play.release(&first).await, play.release(&second).await].map(|release| {
        assert!(release.id == one.id || release.id == two.id);
        release
    });
    assert_eq!(two.phase, Phase::Succeeded, "{}\n{}", second.text(), play.world.bot.log());
    assert!(one.started_at.is_none_or(|at| at >= two.ended_at.unwrap()), "{}\n{}", first.text(), second.text());
}
