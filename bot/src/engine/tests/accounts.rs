//! One person in several chats, and messages that go on in others.

use super::*;
use crate::chat::{Interaction, Reply};
use crate::engine::Incoming;
use slipway_core::ids::ReleaseId;
use slipway_core::person::Identity;
use slipway_core::policy::Stance;

const TERMINAL: &str = "terminal:releases";
const DISCORD: &str = "discord:1032011029";
const BOB_IN_DISCORD: &str = "80351110224678912";

async fn waiting() -> (Chat, ReleaseId) {
    let config = chat::CONFIG
        .replace("[terminal]\n", "[discord]\napplication_id = \"845027738276462632\"\n[terminal]\n")
        .replace("\"terminal:ops\"]", &format!("\"{DISCORD}\"]"))
        .replace("terminal = \"bob\"\n", &format!("terminal = \"bob\"\ndiscord = \"{BOB_IN_DISCORD}\"\n"));
    let mut chat = Chat::with(&config).await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.publishes().await;
    (chat, release)
}

impl Chat {
    /// Somebody adds a reaction to a message, or takes it away. Gives what they are answered.
    async fn reacts_under(&mut self, who: Identity, at: (&str, &str), stance: Stance, added: bool) -> String {
        let (channel, message) = (at.0.to_owned(), at.1.to_owned());
        self.wait_s(1);
        let at_us = Some(self.now().as_microsecond());
        let name = "x".to_owned();
        let reacted = Incoming::Reacted { who, channel, message, stance, added, at_us, name, found: false };
        let delivery = self.deliver(&reacted).await;
        self.answer(delivery).await
    }

    async fn voters(&self, release: &ReleaseId) -> Vec<(String, Stance)> {
        let votes = self.release(release).await.votes;
        votes.into_iter().map(|vote| (vote.person.to_string(), vote.stance)).collect()
    }
}

#[tokio::test]
async fn the_same_veto_from_two_chats_is_one_until_both_are_gone() {
    let (mut chat, release) = waiting().await;
    let card = format!("release/{release}");
    let (here, there) = (Identity::Terminal("bob".into()), Identity::Discord(BOB_IN_DISCORD.into()));
    let vetoed = [("bob".to_owned(), Stance::Veto)];
    chat.reacts_under(here.clone(), (TERMINAL, &card), Stance::Veto, true).await;
    chat.reacts_under(there.clone(), (DISCORD, &card), Stance::Veto, true).await;
    assert_eq!(chat.voters(&release).await, vetoed);
    chat.reacts_under(here, (TERMINAL, &card), Stance::Veto, false).await;
    assert_eq!(chat.voters(&release).await, vetoed, "it stands in the other chat");
    // An approval from one account does not undo the veto of the other.
    let answer = chat.reacts_under(Identity::Terminal("bob".into()), (TERMINAL, &card), Stance::Approve, true).await;
    assert_eq!(chat.voters(&release).await, vetoed, "{answer}");
    chat.reacts_under(there, (DISCORD, &card), Stance::Veto, false).await;
    assert_eq!(chat.voters(&release).await, []);
}

#[tokio::test]
async fn under_a_message_that_goes_on_elsewhere_nobody_approves_and_anybody_takes_back() {
    let (mut chat, release) = waiting().await;
    let card = format!("release/{release}");
    let bob = || Identity::Discord(BOB_IN_DISCORD.into());
    chat.execute(format!("UPDATE messages SET external_id = '2' WHERE channel = '{DISCORD}' AND key = '{card}'")).await;
    chat.execute(format!("INSERT INTO earlier_messages VALUES ('{DISCORD}', '1', '{card}')")).await;
    let answer = chat.reacts_under(bob(), (DISCORD, "1"), Stance::Approve, true).await;
    assert!(answer.contains("goes on in a newer one"), "{answer}");
    assert_eq!(chat.voters(&release).await, []);
    chat.reacts_under(bob(), (DISCORD, "1"), Stance::Veto, true).await;
    assert_eq!(chat.voters(&release).await, [("bob".to_owned(), Stance::Veto)]);
    chat.reacts_under(bob(), (DISCORD, "1"), Stance::Veto, false).await;
    assert_eq!(chat.voters(&release).await, []);
    let cards = chat.store.cards_waiting("discord", 10).await.unwrap();
    let at = |id: &str| (DISCORD.to_owned(), id.to_owned());
    assert!(cards.contains(&at("1")) && cards.contains(&at("2")), "{cards:?}");
}

#[tokio::test]
async fn whoever_was_promised_an_answer_gets_one() {
    let (chat, release) = waiting().await;
    let who = || Identity::Discord(BOB_IN_DISCORD.into());
    let reply = |n: u8, promised| {
        let (application, token) = ("845027738276462632".to_owned(), format!("token-{n}").into());
        let interaction = Interaction { application, token, until_ms: i64::MAX, promised };
        Some(Reply { interaction: Some(interaction), ..Reply::default() })
    };
    let answers = "SELECT count(*) FROM messages WHERE reply IS NOT NULL AND body LIKE $1";
    for (n, promised, text, answered) in [
        (1, false, format!("/release veto {release}"), 0),
        (2, true, format!("/release withdraw {release}"), 0),
        (3, true, format!("/release veto {release}"), 1),
    ] {
        let typed = Incoming::Typed { who: who(), channel: DISCORD.to_owned(), text };
        let (clock, reply) = (chat.engine.clock.clone(), reply(n, promised));
        chat.store.deliver_with_reply(&format!("promise/{n}"), &typed, reply.as_ref(), &clock).await.unwrap();
        chat.handle_all().await;
        assert_eq!(chat.count(answers, "%Done: the card shows it%").await, answered, "{n}");
    }
}

/// Discord does not say when somebody reacted: it may have been before the card showed another plan.
#[tokio::test]
async fn a_moment_after_another_plan_nobody_approves_where_reactions_have_no_date() {
    let (mut chat, release) = waiting().await;
    let card = format!("release/{release}");
    let bob = || Identity::Discord(BOB_IN_DISCORD.into());
    let mut other = plan("production", 1, 3);
    other.image.digest = slipway_core::ids::ImageDigest::parse(&format!("sha256:{}", "ef".repeat(32))).unwrap();
    chat.wait_s(600);
    chat.says("bob", "/release approve").await;
    chat.gathers(&release, &other).await;
    chat.publishes().await;
    let digest = chat.release(&release).await.digest().unwrap();
    let now_ms = chat.now().as_millisecond();
    let shown = format!("external_id = '2', shown_plan = '{digest}', shown_at = {now_ms}");
    chat.execute(format!("UPDATE messages SET {shown} WHERE channel = '{DISCORD}' AND key = '{card}'")).await;
    let answer = chat.reacts_under(bob(), (DISCORD, "2"), Stance::Approve, true).await;
    assert!(answer.contains("the plan has just changed"), "{answer}");
    assert_eq!(chat.voters(&release).await, []);
    chat.reacts_under(bob(), (DISCORD, "2"), Stance::Approve, false).await;
    chat.wait_s(3);
    chat.reacts_under(bob(), (DISCORD, "2"), Stance::Approve, true).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}
