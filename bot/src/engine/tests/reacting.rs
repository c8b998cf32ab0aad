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
    // Where it is asked in a conversation it is pressed there, and not where the card is.
    let (who, channel) = (Identity::Terminal("bob".into()), "terminal:elsewhere".to_owned());
    chat.deliver(&Incoming::Pressed { who, channel, message: question, verb: Verb::Veto, plan: None }).await;
    assert_eq!(votes(&chat, &release).await, [("bob".to_owned(), Stance::Veto)], "the button of a question about it");
    // Taking the reaction away takes back what it stood for, and nothing else.
    assert_eq!(chat.reacts("bob", &release, Stance::Approve, false).await, "");
    assert_eq!(votes(&chat, &release).await.len(), 1);
    chat.reacts("bob", &release, Stance::Veto, false).await;
    assert_eq!(votes(&chat, &release).await, []);
}

/// A reaction with a time.
struct Timed {
    stance: Stance,
    name: &'static str,
    added: bool,
    at_us: i64,
    found: bool,
}

fn told(stance: Stance, added: bool, at_us: i64) -> Timed {
    Timed { stance, name: "x", added, at_us, found: false }
}

impl Chat {
    async fn reacts_with(&mut self, who: &str, release: &ReleaseId, timed: Timed) -> i64 {
        let who = Identity::Terminal(who.to_owned());
        let (channel, message) = (CHANNEL.to_owned(), format!("release/{release}"));
        let Timed { stance, name, added, at_us, found } = timed;
        let (at_us, name) = (Some(at_us), name.to_owned());
        self.deliver(&Incoming::Reacted { who, channel, message, stance, added, at_us, name, found }).await
    }

    async fn reacts_at(&mut self, who: &str, release: &ReleaseId, stance: Stance, added: bool, at_us: i64) -> i64 {
        self.reacts_with(who, release, told(stance, added, at_us)).await
    }

    fn now_us(&self) -> i64 {
        self.now().as_microsecond()
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

#[tokio::test]
async fn a_veto_is_not_undone_by_an_approval_that_comes_after_it() {
    let (mut chat, release) = waiting("vote").await;
    let now = chat.now_us();
    chat.reacts_at("bob", &release, Stance::Veto, true, now - 10).await;
    // It was first, and comes second; and also when it really is second: both are under the card.
    for at_us in [now - 20, now] {
        let name = "ok";
        let approval = Timed { stance: Stance::Approve, name, added: true, at_us, found: false };
        chat.reacts_with("bob", &release, approval).await;
        assert_eq!(votes(&chat, &release).await, [("bob".to_owned(), Stance::Veto)]);
        let gone = Timed { stance: Stance::Approve, name, added: false, at_us: at_us + 1, found: false };
        chat.reacts_with("bob", &release, gone).await;
    }
    chat.reacts_at("bob", &release, Stance::Veto, false, now + 2).await;
    chat.reacts_at("bob", &release, Stance::Approve, true, now + 3).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn the_vote_stands_while_one_of_two_reactions_for_it_does() {
    let (mut chat, release) = waiting("vote").await;
    let with = |name, added, at_us| Timed { stance: Stance::Veto, name, added, at_us, found: false };
    chat.reacts_with("bob", &release, with("x", true, 1)).await;
    chat.reacts_with("bob", &release, with("no_entry", true, 2)).await;
    chat.reacts_with("bob", &release, with("no_entry", false, 3)).await;
    assert_eq!(votes(&chat, &release).await, [("bob".to_owned(), Stance::Veto)]);
    chat.reacts_with("bob", &release, with("x", false, 4)).await;
    assert_eq!(votes(&chat, &release).await, []);
}

#[tokio::test]
async fn an_approval_that_is_told_late_counts_when_it_is_found() {
    let (mut chat, release) = waiting("vote").await;
    let now = chat.now_us();
    let approval = |at_us, found| Timed { stance: Stance::Approve, name: "ok", added: true, at_us, found };
    chat.reacts_with("bob", &release, approval(now - 90_000_000, false)).await;
    assert_eq!(votes(&chat, &release).await, [], "it may be gone since");
    chat.reacts_with("bob", &release, approval(now - 300_000_000, true)).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn one_that_is_found_after_the_plan_has_changed_is_asked_about() {
    let (mut chat, release) = waiting("vote").await;
    // The image was pushed again: another plan.
    let mut other = plan("production", 1, 3);
    other.image.digest = slipway_core::ids::ImageDigest::parse(&format!("sha256:{}", "ef".repeat(32))).unwrap();
    chat.wait_s(600);
    assert_eq!(chat.says("bob", "/release approve").await, "");
    chat.gathers(&release, &other).await;
    chat.publishes().await;
    assert!(chat.release(&release).await.voided.is_some());
    let found = Timed { stance: Stance::Approve, name: "ok", added: true, at_us: 1, found: true };
    chat.reacts_with("bob", &release, found).await;
    assert_eq!(votes(&chat, &release).await, []);
    let asked = "SELECT count(*) FROM messages WHERE only_for = 'bob' AND key LIKE $1";
    assert_eq!(chat.scalar::<i64>(asked, "confirm/%").await, Some(1));
    // And one that was made before the card showed the plan is told so.
    let early = chat.now_us() - 50_000_000;
    let told = Timed { stance: Stance::Approve, name: "ok2", added: true, at_us: early, found: false };
    chat.reacts_with("bob", &release, told).await;
    assert_eq!(votes(&chat, &release).await, []);
}

#[tokio::test]
async fn a_button_counts_for_the_plan_beside_it() {
    let (mut chat, release) = waiting("vote").await;
    let press = |plan: String| {
        let (who, channel) = (Identity::Terminal("bob".into()), CHANNEL.to_owned());
        let message = format!("release/{release}");
        Incoming::Pressed { who, channel, message, verb: Verb::Approve, plan: Some(plan) }
    };
    chat.deliver(&press("ab".repeat(32))).await;
    assert_eq!(votes(&chat, &release).await, []);
    let digest = chat.release(&release).await.digest().unwrap().as_str().to_owned();
    chat.deliver(&press(digest)).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}
