//! A world and everybody in its chat, whichever chat that is.

use crate::support::{GLANCE, is_noted_as_shown};
use slipway_core::message::Verb;
use slipway_core::release::Release;
use slipway_sandbox::demo::Fail;
use slipway_sandbox::front::{Front, Seen};
use slipway_sandbox::world::{API_TOKEN, ChatOption, Options, Pace, Promotion, World};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// How long a scenario waits for something that must come.
const WAIT_LIMIT: Duration = Duration::from_secs(60);

/// Types for each person, and sees all that the channels show.
pub(super) struct Play {
    pub(super) world: World,
    front: Front,
    /// The newest state of each message, by where and what it is.
    messages: BTreeMap<(String, String), Seen>,
}

impl Play {
    pub(super) async fn new(chat: ChatOption, fail: Option<Fail>) -> Self {
        Self::of(Options { fail, chat, ..Options::default() }).await
    }

    /// The newest version is not healthy, and what is not healthy is rolled back by setting.
    pub(super) async fn going_back_by_setting(chat: ChatOption) -> Self {
        Self::of(Options { fail: Some(Fail::Health), rolls_back: true, chat, ..Options::default() }).await
    }

    /// What staging has served for long enough goes on.
    pub(super) async fn promoting(chat: ChatOption, promotion: Promotion) -> Self {
        Self::of(Options { promotion, chat, ..Options::default() }).await
    }

    /// What is merged into main goes to staging by itself.
    pub(super) async fn following_main(chat: ChatOption) -> Self {
        Self::of(Options { auto_deploy: true, chat, ..Options::default() }).await
    }

    pub(super) async fn of(options: Options) -> Self {
        // PostgreSQL has its turn in the terminal.
        let sqlite = options.chat != ChatOption::Terminal;
        Self::within(World::new(Options { sqlite, pace: Pace::Fast, ..options }).await.unwrap())
    }

    /// A world that is there already.
    pub(super) fn within(world: World) -> Self {
        let front = world.front("play");
        Self { world, front, messages: BTreeMap::new() }
    }

    pub(super) async fn say(&self, person: &str, text: &str) {
        self.front.say(person, text).await.unwrap();
    }

    pub(super) async fn react(&self, person: &str, card: &Seen, reaction: &str) {
        self.front.react(person, card, reaction).await.unwrap();
    }

    pub(super) async fn press(&self, person: &str, card: &Seen, button: Verb) {
        self.front.press(person, card, button).await.unwrap();
    }

    /// Looks until a message is as it should be.
    pub(super) async fn until(&mut self, what: &str, fits: impl Fn(&Seen) -> bool) -> Seen {
        self.until_times(1, what, fits).await
    }

    /// Looks until so many messages are as they should be, and gives one of them.
    async fn until_times(&mut self, times: usize, what: &str, fits: impl Fn(&Seen) -> bool) -> Seen {
        let deadline = Instant::now() + WAIT_LIMIT;
        loop {
            let mut fitting = self.messages.values().filter(|message| fits(message));
            if let Some(found) = fitting.nth(times.saturating_sub(1)) {
                return found.clone();
            }
            assert!(Instant::now() < deadline, "{what} did not come; there is:\n{}", self.everything());
            self.look().await;
        }
    }

    /// The next card that shows an end and is none of `known`.
    pub(super) async fn until_end_of_another(&mut self, known: &[&Seen]) -> Seen {
        let keys: Vec<_> = known.iter().map(|card| card.key.clone()).collect();
        self.until("the end of the release", |m| m.is_card() && m.has_ended() && !keys.contains(&m.key)).await
    }

    pub(super) async fn until_end(&mut self) -> Seen {
        self.until_end_of_another(&[]).await
    }

    /// The card of a release that asks for approval. Nobody has read it before the bot knows that it is there.
    pub(super) async fn until_asked_for_approval(&mut self) -> Seen {
        let asks = |m: &Seen| m.is_card() && m.has_buttons() && m.text().contains("waiting for approval");
        let card = self.until("a card that waits for approval", asks).await;
        let deadline = Instant::now() + WAIT_LIMIT;
        while !is_noted_as_shown(self.world.folder(), card.key.trim_start_matches("release/")).await {
            assert!(Instant::now() < deadline, "it is not noted as shown; there is:\n{}", self.everything());
            // That is no news in the chat.
            let _ = tokio::time::timeout(GLANCE, self.look()).await;
        }
        card
    }

    /// Waits a while for news.
    async fn look(&mut self) {
        for message in self.front.news().await.unwrap() {
            self.messages.insert((message.channel.clone(), message.id.clone()), message);
        }
    }

    /// Something that only this person is told.
    pub(super) async fn until_told(&mut self, person: &str, words: &str) -> Seen {
        self.until_told_times(1, person, words).await
    }

    /// The same, said so many times.
    pub(super) async fn until_told_times(&mut self, times: usize, person: &str, words: &str) -> Seen {
        let told = |m: &Seen| m.only_for.as_deref() == Some(person) && m.text().contains(words);
        self.until_times(times, &format!("{times} times \"{words}\" for {person}"), told).await
    }

    /// The releases that have a card.
    pub(super) fn cards(&self) -> BTreeSet<&str> {
        self.messages.values().filter(|m| m.is_card()).map(|m| m.key.as_str()).collect()
    }

    /// How many messages that were seen are so by now.
    pub(super) fn count(&self, fits: impl Fn(&Seen) -> bool) -> usize {
        self.messages.values().filter(|message| fits(message)).count()
    }

    /// Looks for a while, whatever comes.
    pub(super) async fn watch_for(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while let Ok(news) = tokio::time::timeout_at(deadline, self.front.news()).await {
            for message in news.unwrap() {
                self.messages.insert((message.channel.clone(), message.id.clone()), message);
            }
        }
    }

    /// The state of the release whose card a message is.
    pub(super) async fn release(&self, card: &Seen) -> Release {
        let url = format!("{}/api/v1/releases/{}", self.world.url, card.key.strip_prefix("release/").unwrap());
        reqwest::Client::new().get(url).bearer_auth(API_TOKEN).send().await.unwrap().json().await.unwrap()
    }

    fn everything(&self) -> String {
        let all = self.messages.values().map(|m| format!("[{} {} {:?}]\n{}\n", m.channel, m.key, m.only_for, m.text()));
        all.collect::<String>() + &self.world.bot.log()
    }
}
