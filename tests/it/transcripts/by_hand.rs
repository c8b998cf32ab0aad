//! Somebody deploys from AWS's console while a team works with Slipway, as it is read in every chat.

use super::play::Play;
use slipway_core::release::Outcome;
use slipway_sandbox::front::Seen;
use slipway_sandbox::world::ChatOption;

pub(super) async fn what_is_deployed_past_slipway_is_told_and_gone_back_from(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.world.watch_targets().await.unwrap();
    play.say("ana", "/deploy staging").await;
    let first = play.until_end().await;
    let (head, other) = (play.world.head[..7].to_owned(), play.world.git(&["rev-parse", "main~2"]));
    play.world.bring_by_hand(&other);
    let words = format!("{} was deployed past Slipway, which had brought {head}", &other[..7]);
    let told = |m: &Seen| m.only_for.is_none() && !m.is_card() && m.text().contains(&words);
    let message = play.until("the news in the channel", told).await;
    for part in ["UPDATE_SERVICE", "The next plan starts from what runs there", "/rollback staging"] {
        assert!(message.text().contains(part), "{part} is missing:\n{}", message.text());
    }
    play.say("bob", "/release status").await;
    play.until_told("bob", &format!("Slipway had brought {head}")).await;

    play.say("ana", "/rollback staging").await;
    let back = play.until_end_of_another(&[&first]).await;
    let release = play.release(&back).await;
    assert_eq!(release.outcome, Some(Outcome::Live), "{}\n{}", back.text(), play.world.bot.log());
    assert_eq!(release.commit.unwrap().as_str(), play.world.head, "to what Slipway had brought");
    let gone = |m: &Seen| m.key == message.key && m.text().contains(", deployed past Slipway, is gone");
    play.until("the same message, which says that it is over", gone).await;
}
