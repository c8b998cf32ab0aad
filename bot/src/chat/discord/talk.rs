//! What is said and asked beside the inbox: it changes nothing and may be lost.

use super::callback;
use super::heard::THREADS;
use slipway_deploy::discord::Discord;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tracing::warn;

/// Of how many channels it is remembered whether they are threads.
const CHANNELS_LIMIT: usize = 1_000;
/// How long it is waited for to know.
const CHANNEL_WITHIN: Duration = Duration::from_secs(1);
/// How many whispers are under way at once; more are not said.
const WHISPERS_LIMIT: usize = 16;

/// Talks with Discord.
#[derive(Debug)]
pub(super) struct Talk {
    discord: Discord,
    application: String,
    /// The channel that each belongs to.
    parents: Mutex<BTreeMap<String, String>>,
    whispers: Arc<Semaphore>,
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
        if let Some(parent) = self.parents.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            return parent.clone();
        }
        // What comes next waits meanwhile.
        let parent = match tokio::time::timeout(CHANNEL_WITHIN, self.discord.channel(id)).await {
            Ok(Ok(channel)) => channel.parent_id.filter(|_| THREADS.contains(&channel.kind)),
            Ok(Err(error)) => {
                warn!(%error, "it is not known whether a channel is a thread");
                return id.to_owned();
            }
            Err(_) => return id.to_owned(),
        };
        let parent = parent.unwrap_or_else(|| id.to_owned());
        let mut parents = self.parents.lock().unwrap_or_else(PoisonError::into_inner);
        if parents.len() >= CHANNELS_LIMIT {
            parents.clear();
        }
        parents.insert(id.to_owned(), parent.clone());
        parent
    }
}
