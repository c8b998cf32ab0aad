//! Reactions: what they mean where, and news of them that comes late, twice or in the wrong order.

use super::*;
use crate::engine::Incoming;
use slipway_core::ids::ReleaseId;
use slipway_core::message::Verb;
use slipway_core::person::Identity;
use slipway_core::policy::Stance;

const CHANNEL: &str = "terminal:releases";

async fn waiting(reactions: &str) -> (Chat, ReleaseId) {
    let line = format!("[service.goals.environment.production]\nreactions = \"{reactions}\"\n");
    let mut chat = Chat::with(&chat::CONFIG.replace("[service.goals.environment.production]\n", &line)).await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.publishes().await;
    (chat, release)
}

async fn votes(chat: &Chat, release: &ReleaseId) -> Vec<(String, Stance)> {
    let votes = chat.release(release).await.votes;
    votes.into_iter().map(|vote| (vote.person.to_string(), vote.stance)).collect()
}

#[tokio::test]
async fn where_they_are_ignored_only_buttons_count() {
    let (mut chat, release) = waiting("ignore").await;
    for added in [true, false] {
        assert_eq!(chat.reacts("bob", &release, Stance::Approve, added).await, "");
        assert_eq!(votes(&chat, &release).await, []);
    }
    assert_eq!(chat.presses("bob", &release, Verb::Approve).await, "");
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn where_they_are_to_be_confirmed_the_button_is_the_vote() {
    let (mut chat, release) = waiting("confirm").await;
    let asked = chat.reacts("bob", &release, Stance::Approve, true).await;
    assert!(asked.contains("A reaction is no vote on goals → production: this button approves plan"), "{asked}");
    assert!(asked.contains("[Approve]"), "{asked}");
    assert_eq!(votes(&chat, &release).await, []);
    let question: String =
        chat.scalar("SELECT key FROM messages WHERE key LIKE $1 AND only_for = 'bob'", "confirm/%").await.unwrap();
    let (who, channel) = (Identity::Terminal("bob".into()), CHANNEL.to_owned());
    chat.deliver(&Incoming::Pressed { who, channel, message: question, verb: Verb::Veto }).await;
    assert_eq!(votes(&chat, &release).await, [("bob".to_owned(), Stance::Veto)], "the button of a question about it");
    // Taking the reaction away takes back what it stood for, and nothing else.
    assert_eq!(chat.reacts("bob", &release, Stance::Approve, false).await, "");
    assert_eq!(votes(&chat, &release).await.len(), 1);
    chat.reacts("bob", &release, Stance::Veto, false).await;
    assert_eq!(votes(&chat, &release).await, []);
}

impl Chat {
    async fn reacts_at(&mut self, who: &str, release: &ReleaseId, stance: Stance, added: bool, at_us: i64) -> i64 {
        let who = Identity::Terminal(who.to_owned());
        let (channel, message) = (CHANNEL.to_owned(), format!("release/{release}"));
        self.deliver(&Incoming::Reacted { who, channel, message, stance, added, at_us: Some(at_us) }).await
    }
}

#[tokio::test]
async fn news_that_is_late_or_known_changes_nothing() {
    let (mut chat, release) = waiting("vote").await;
    let veto = Stance::Veto;
    chat.reacts_at("bob", &release, veto, true, 10).await;
    assert_eq!(votes(&chat, &release).await.len(), 1);
    chat.reacts_at("bob", &release, veto, false, 30).await;
    assert_eq!(votes(&chat, &release).await, []);
    // That it was added at 20 comes after that it was taken away at 30.
    chat.reacts_at("bob", &release, veto, true, 20).await;
    assert_eq!(votes(&chat, &release).await, []);
    chat.reacts_at("bob", &release, veto, true, 40).await;
    chat.says("bob", "/release withdraw").await;
    // It is there still, and was read again: whoever has withdrawn by command has withdrawn.
    chat.reacts_at("bob", &release, veto, true, 50).await;
    assert_eq!(votes(&chat, &release).await, []);
    // What was taken away before it was ever seen keeps its older news out.
    chat.reacts_at("cem", &release, veto, false, 8).await;
    chat.reacts_at("cem", &release, veto, true, 7).await;
    assert_eq!(votes(&chat, &release).await, []);
    chat.reacts_at("cem", &release, veto, true, 9).await;
    assert_eq!(votes(&chat, &release).await, [("cem".to_owned(), veto)]);
}
