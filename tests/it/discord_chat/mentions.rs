//! Mentions that are commands and mentions that are none, and what is said to the bot alone. They come over the gateway
//! always, and are answered in the conversation with the person: Discord lets nobody else not see an answer to a message.

use super::{ANA, BOB, BOT, DORA, EVE, RELEASES, Server};

const ADVICE: &str = "Begin the message with @slipway. Nothing was started.";

impl Server {
    /// The newest message of a person in a place.
    fn last_of(&self, user: &str, channel: &str) -> String {
        let all = self.messages(channel);
        all.iter().rfind(|m| m["author"] == user).unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// How often somebody was told how a mention becomes a command.
    fn advised(&self, user: &str) -> usize {
        self.written_to(user).iter().filter(|text| text.contains(ADVICE)).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_that_is_edited_later_starts_nothing() {
    let there = Server::gateway().await;
    there.says(ANA, "@slipway queue").await;
    there.until_written_to(ANA, "nothing waits").await;
    there.says(BOB, "let us see").await;
    for user in [ANA, BOB] {
        let said = there.last_of(user, RELEASES);
        there.discord.edit_text(user, RELEASES, &said, "@slipway deploy staging").unwrap();
    }
    there.caught_up(ANA).await;
    assert_eq!(there.cards().len(), 0, "{:?}", there.discord.transcript(RELEASES));
    assert_eq!(there.written_to(BOB), [""; 0], "nobody is told off for a correction");
    // Written anew it is a command.
    there.says(BOB, "@slipway deploy staging").await;
    there.until_card("is live").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_is_one_command_however_often_it_comes() {
    let there = Server::gateway().await;
    // The connection breaks off beside it: what came last may come again.
    for _ in 0..3 {
        there.says(BOB, "let us see").await;
        there.discord.gateway().drop_connections(None);
    }
    there.says(ANA, "@slipway deploy staging").await;
    there.discord.gateway().drop_connections(None);
    there.until_connected(true).await;
    there.until_card("is live").await;
    there.caught_up(ANA).await;
    assert_eq!((there.advised(EVE), there.cards().len()), (0, 1));
    // The same words in another message.
    there.says(ANA, "@slipway deploy staging").await;
    there.until_card("nothing to do").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_in_mid_sentence_starts_nothing_and_is_told_so() {
    let there = Server::gateway().await;
    there.says(ANA, "do not @slipway deploy staging").await;
    there.until_written_to(ANA, ADVICE).await;
    there.says(BOB, "> @slipway deploy staging").await;
    there.until_written_to(BOB, ADVICE).await;
    there.caught_up(ANA).await;
    assert_eq!((there.advised(ANA), there.advised(BOB), there.cards().len()), (1, 1, 0));
    there.says(ANA, "Hi @bob @slipway deploy staging").await;
    let card = there.until_card("is live").await;
    // Whoever answers the bot is not speaking to it.
    let id = card["id"].as_str().unwrap();
    there.discord.reply(EVE, RELEASES, id, "deploy staging").unwrap();
    let thread = there.until_thread(&card).await;
    there.discord.type_text(DORA, &thread, "ask @slipway status").await.unwrap();
    there.until_written_to(DORA, ADVICE).await;
    assert_eq!(there.cards().len(), 1);
    assert_eq!(there.discord.all_notified(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_as_long_as_a_message_call_nobody_and_break_nothing() {
    let there = Server::gateway().await;
    let fill = |what: &str| what.chars().cycle().take(1_900).collect::<String>();
    for name in [fill("x"), fill("@everyone "), fill("\u{202e}\u{1f680}*_~`|"), fill("@here\u{300}\u{300}")] {
        there.says(ANA, &format!("@slipway deploy staging {name}")).await;
        there.says(ANA, &format!("@slipway {name}")).await;
        there.says(ANA, &format!("{name} @slipway deploy staging")).await;
    }
    there.discord.type_text(ANA, BOT, &fill("@everyone <@&1> ")).await.unwrap();
    there.caught_up(BOB).await;
    // Discord refuses what is too long, and the stand-in does too.
    there.says(BOB, "@slipway deploy staging").await;
    there.until_card("is live").await;
    assert_eq!(there.discord.all_notified(), []);
    let log = there.world.bot.log();
    assert!(!log.contains("ERROR"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_words_to_the_bot_alone_are_commands() {
    let there = Server::gateway().await;
    let says = async |text: &str| there.discord.type_text(BOB, BOT, text).await.unwrap();
    says("status").await;
    there.until_written_to(BOB, "2 environments").await;
    let asked = there.last_of(BOB, BOB);
    says("@slipway deploy staging").await;
    there.until_card("is live").await;
    there.until_written_to(BOB, "is live").await;
    says("good morning").await;
    there.until_written_to(BOB, "/deploy").await;
    let conversation = there.discord.direct_of(BOB).unwrap();
    there.discord.edit_text(BOB, &conversation, &asked, "deploy production").unwrap();
    there.caught_up(BOB).await;
    assert_eq!(there.cards().len(), 1, "an edit is no command there either");
    // It does not talk to itself.
    assert!(there.written_to(BOB).len() <= 5, "{:?}", there.discord.transcript(&conversation));
}
