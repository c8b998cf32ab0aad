//! The queue of one environment: who waits for what, in which order, and how somebody leaves it.

use super::around::folded;
use super::play::Play;
use jiff::Timestamp;
use slipway_core::release::Phase;
use slipway_sandbox::front::Seen;
use slipway_sandbox::github::sample::{SampleOptions, propose};
use slipway_sandbox::world::ChatOption;

/// A card of another release than these, which says this.
async fn another(play: &mut Play, known: &[&Seen], words: &str) -> Seen {
    let fits =
        |m: &Seen| m.is_card() && known.iter().all(|card| card.key != m.key) && folded(&m.text()).contains(words);
    play.until(&format!("another card with \"{words}\""), fits).await
}

/// The same card, once it says this.
async fn says(play: &mut Play, card: &Seen, words: &str) -> Seen {
    let says = |m: &Seen| m.key == card.key && folded(&m.text()).contains(words);
    play.until(&format!("\"{words}\" on the card"), says).await
}

pub(super) async fn the_queue_says_who_waits_for_what_and_who_has_left_it(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.say("bob", "/release lock staging \"load test\"").await;
    play.until_told("bob", "is locked by bob").await;
    let (older, branch) = (play.world.git(&["rev-parse", "main~1"]), "feature/comment-threads");
    play.say("ana", &format!("/deploy staging {older}")).await;
    let first = another(&mut play, &[], "queued: locked by bob").await;
    play.say("eve", &format!("/deploy staging {branch}")).await;
    let second = another(&mut play, &[&first], "2nd of 2, behind release").await;
    let [one, two] = [play.release(&first).await, play.release(&second).await];
    assert!(second.text().contains("(ana)") && second.text().contains(one.id.short()), "{}", second.text());
    // One that goes out from what runs there, too.
    assert_eq!(play.world.git(&["branch", "feature/page", "v1.8.0"]), "");
    let authors = SampleOptions::new(Timestamp::now());
    propose(&play.world.repository, &authors, "feature/page", ("docs/77.md", "A page\n")).unwrap();
    play.say("chen", "/deploy staging feature/page").await;
    let third = another(&mut play, &[&first, &second], "3rd of 3, behind release").await;
    let three = play.release(&third).await;

    play.say("dora", "/release queue").await;
    let queue = folded(&play.until_told("dora", "3 waiting").await.text());
    let places = [(1, &one, "ana"), (2, &two, "eve"), (3, &three, "chen")].map(|(place, release, person)| {
        let line = format!("{place}. {} {person}, {}", release.id.short(), release.commit.as_ref().unwrap().short());
        queue.find(&line).unwrap_or_else(|| panic!("{line} is missing:\n{queue}"))
    });
    assert!(places.is_sorted() && queue.contains("locked by bob \"load test\" until unlocked"), "{queue}");
    assert_eq!(queue.matches("bob can, with /release unlock").count(), 3, "each says what it waits for: {queue}");

    // What contains the first takes its place at the end.
    play.say("ana", "/deploy staging").await;
    let newest = another(&mut play, &[&first, &second, &third], "3rd of 3, behind release").await;
    let four = play.release(&newest).await;
    let gone = says(&mut play, &first, &format!("superseded by release {}", four.id.short())).await;
    assert!(gone.text().contains("nothing was started"), "{}", gone.text());
    says(&mut play, &second, "1st of 3").await;

    let cancel = format!("/release cancel {}", two.id.short());
    play.say("dora", &cancel).await;
    play.until_told("dora", "Not allowed").await;
    play.say("eve", &cancel).await;
    says(&mut play, &second, "cancelled by eve · nothing was started").await;
    says(&mut play, &third, "1st of 2").await;
    play.say("bob", "/release queue").await;
    let queue = folded(&play.until_told("bob", "2 waiting").await.text());
    assert!(queue.contains(&format!("superseded: {} ana", one.id.short())), "{queue}");
    assert!(queue.contains(&format!("by release {}, which contains it", four.id.short())), "{queue}");

    play.say("bob", "/release unlock staging").await;
    let ended = |m: &Seen| m.key == newest.key && m.has_ended();
    let newest = play.until("the end of the last one", ended).await;
    let last = play.release(&newest).await;
    assert_eq!(last.phase, Phase::Succeeded, "{}\n{}", newest.text(), play.world.bot.log());
    let third = play.until("the end of the one before it", |m| m.key == third.key && m.has_ended()).await;
    let before = play.release(&third).await;
    let one_after_the_other = before.ended_at.is_some_and(|at| last.started_at.is_some_and(|start| start >= at));
    assert!(one_after_the_other, "{}\n{}", third.text(), newest.text());
    for never in [&first, &second] {
        assert_eq!(play.release(never).await.started_at, None, "it has left the queue");
    }
    assert_eq!(play.world.aws.deployment_operations(&play.world.staging_arn).len(), 2);
}
