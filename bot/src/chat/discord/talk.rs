//! What is said and asked beside the inbox: it changes nothing and may be lost.

use super::callback;
use super::heard::THREADS;
use slipway_deploy::discord::Discord;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::warn;

/// Of how many channels it is remembered whether they are threads.
const CHANNELS_LIMIT: usize = 1_000;
/// How long it is waited for to know.
const CHANNEL_WITHIN: Duration = Duration::from_secs(1);
/// How long one is then taken for no thread, so that not every mention there waits for a Discord that does not say.
const UNKNOWN_FOR: Duration = Duration::from_secs(60);
/// How many whispers are under way at once; more are not said.
const WHISPERS_LIMIT: usize = 16;

/// Talks with Discord.
#[derive(Debug)]
pub(super) struct Talk {
    discord: Discord,
    application: String,
    parents: Mutex<BTreeMap<String, Parent>>,
    whispers: Arc<Semaphore>,
}

/// The channel that one belongs to.
#[derive(Debug)]
struct Parent {
    id: String,
    /// Until when that is believed, where Discord did not say it.
    until: Option<Instant>,
}

impl Talk {
    pub(super) fn new(discord: Discord, application: String) -> Self {
        let whispers = Arc::new(Semaphore::new(WHISPERS_LIMIT));
        Self { discord, application, parents: Mutex::default(), whispers }
    }

    /// Tells somebody alone why nothing came of what they said.
    pub(super) fn whisper_later(&self, user: &str, why: &str) {
        let Ok(permit) = self.whispers.clone().try_acquire_owned() else { return };
        let (discord, user, what) = (self.discord.clone(), user.to_owned(), callback::said(why));
        let key = format!("{}/whisper/{user}/{why}", self.application);
        tokio::spawn(async move {
            let _permit = permit;
            let told = async {
                let channel = discord.direct_channel(&user).await?;
                discord.post(&channel, &key, &what, None).await
            };
            if let Err(error) = told.await {
                warn!(%error, "an answer could not be given");
            }
        });
    }

    /// Of a thread the channel that it belongs to; else the channel itself.
    pub(super) async fn channel_of(&self, id: &str) -> String {
        if let Some(parent) = self.known(id, Instant::now()) {
            return parent;
        }
        // What the same person says next waits meanwhile.
        let (parent, until) = match tokio::time::timeout(CHANNEL_WITHIN, self.discord.channel(id)).await {
            Ok(Ok(channel)) => (channel.parent_id.filter(|_| THREADS.contains(&channel.kind)), None),
            Ok(Err(error)) => {
                warn!(%error, "it is not known whether a channel is a thread");
                (None, Some(Instant::now() + UNKNOWN_FOR))
            }
            Err(_) => (None, Some(Instant::now() + UNKNOWN_FOR)),
        };
        let parent = parent.unwrap_or_else(|| id.to_owned());
        self.remember(id, Parent { id: parent.clone(), until });
        parent
    }

    fn known(&self, id: &str, now: Instant) -> Option<String> {
        let parents = self.parents.lock().unwrap_or_else(PoisonError::into_inner);
        let parent = parents.get(id)?;
        parent.until.is_none_or(|until| now < until).then(|| parent.id.clone())
    }

    fn remember(&self, id: &str, parent: Parent) {
        let mut parents = self.parents.lock().unwrap_or_else(PoisonError::into_inner);
        if parents.len() >= CHANNELS_LIMIT {
            parents.clear();
        }
        parents.insert(id.to_owned(), parent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_discord_that_does_not_say_is_not_asked_with_every_mention() {
        slipway_deploy::install_crypto_provider();
        // Nobody listens there.
        let discord = Discord::new("http://127.0.0.1:9", &"token".into()).unwrap();
        let talk = Talk::new(discord, "1".to_owned());
        assert_eq!(talk.channel_of("7").await, "7");
        let now = Instant::now();
        assert_eq!(talk.known("7", now).as_deref(), Some("7"));
        assert_eq!(talk.known("7", now + UNKNOWN_FOR), None, "then it is asked again");
        talk.remember("8", Parent { id: "9".to_owned(), until: None });
        assert_eq!(talk.known("8", now + UNKNOWN_FOR).as_deref(), Some("9"));
    }
}
