//! What goes out to Discord.

use super::intake::Intake;
use super::whisper::{AGAIN_AFTER, Whispers, is_over};
use crate::chat::accounts::{account, accounts};
use crate::chat::{Chat, ChatError, Outgoing};
use crate::clock::Clock;
use async_trait::async_trait;
use jiff::SignedDuration;
use slipway_core::message::{Block, Line, Mark, Message, Span};
use slipway_core::person::{Directory, Platform};
use slipway_deploy::discord::{Discord, DiscordError, Posted, Rendered, Route, created_at, render};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How often the elapsed time on a card is brought up to date.
const REFRESH_EVERY: Duration = Duration::from_secs(10);
/// Between the parts of the id of a message that is not in its channel itself but in a thread or a conversation.
const ID_SEPARATOR: char = '/';
/// A message that is older takes few changes: it goes on in a new one. Discord says an hour.
const CHANGES_FOR: SignedDuration = SignedDuration::from_secs(59 * 60);

/// Discord, as messages see it.
#[derive(Debug)]
pub struct DiscordChat {
    pub(super) discord: Discord,
    pub(super) clock: Clock,
    pub(super) intake: Arc<Intake>,
    pub(super) whispers: Whispers,
}

/// Where a message goes.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// A channel.
    Channel(&'a str),
    /// The conversation with a user.
    User(&'a str),
}

/// What is shown, in Slipway's form and in Discord's.
struct Shown<'a> {
    people: &'a Directory,
    body: &'a Message,
    what: Rendered,
}

impl DiscordChat {
    /// The name before the colon.
    pub const PLATFORM: &'static str = "discord";

    /// A chat over a client.
    #[must_use]
    pub fn new(discord: Discord, clock: Clock, intake: Arc<Intake>) -> Self {
        Self { discord, clock, intake, whispers: Whispers::default() }
    }

    /// Changes a message, or goes on in a new one where Discord takes no more changes of it.
    async fn change(
        &self,
        place: Place<'_>,
        id: &str,
        out: &Outgoing<'_>,
        shown: &Shown<'_>,
    ) -> Result<String, DiscordError> {
        let (channel, message) = parts(place, id).ok_or(DiscordError::MessageGone)?;
        let age = created_at(message).map(|at| self.clock.now().duration_since(at));
        if age.is_some_and(|age| age > CHANGES_FOR) {
            return self.go_on(channel, message, id, out, shown).await;
        }
        match self.edit(channel, message, &shown.what).await {
            Err(DiscordError::OldMessage) => self.go_on(channel, message, id, out, shown).await,
            done => done.map(|()| id.to_owned()),
        }
    }

    /// Changes a message; a thread that nobody used for a while is opened first.
    async fn edit(&self, channel: &str, message: &str, what: &Rendered) -> Result<(), DiscordError> {
        match self.discord.edit(channel, message, what).await {
            Err(DiscordError::ThreadArchived) => {
                self.discord.unarchive(channel).await?;
                self.discord.edit(channel, message, what).await
            }
            done => done,
        }
    }

    /// Goes on in a new message, to which the old one leads.
    async fn go_on(
        &self,
        channel: &str,
        message: &str,
        id: &str,
        out: &Outgoing<'_>,
        shown: &Shown<'_>,
    ) -> Result<String, DiscordError> {
        let key = format!("{}/after/{message}", out.message.key);
        let what = self.rendered(out, shown.body, shown.people, &key);
        // It may be there: this may have been begun before.
        let since = created_at(message).unwrap_or(self.clock.now());
        let posted = match self.discord.find_posted(channel, &key, since).await? {
            Some(posted) => {
                self.edit(&posted.channel, &posted.id, &what).await?;
                posted
            }
            None => self.send(channel, &key, &what, Some(message)).await?,
        };
        let leads_on = render(&self.leads_on(&posted), &BTreeMap::new(), "", &out.message.key);
        // What it says now is in the new one, and that is what matters.
        if let Err(error) = self.edit(channel, message, &leads_on).await {
            tracing::warn!(%error, "an old message could not be made to lead to the new one");
        }
        Ok(match id.split_once(ID_SEPARATOR) {
            Some(_) => format!("{}{ID_SEPARATOR}{}", posted.channel, posted.id),
            None => posted.id,
        })
    }

    fn leads_on(&self, posted: &Posted) -> Message {
        let mut line = Line::plain("This goes on in a newer message");
        if let Some(url) = self.address_of(&posted.channel, &posted.id) {
            line = line.text(": ");
            line.0.push(Span::Link { url, text: "open it".to_owned() });
        }
        Message { mark: Mark::Ended, ..Message::answer(line.text("."), []) }
    }

    /// Posts a message, unless it is there already.
    pub(super) async fn post(
        &self,
        place: Place<'_>,
        out: &Outgoing<'_>,
        what: &Rendered,
    ) -> Result<String, DiscordError> {
        let (channel, reply_to) = self.destination(place, out).await?;
        let key = &out.message.key;
        let found = match out.unsure_since {
            Some(since) => self.discord.find_posted(&channel, key, since).await?,
            None => None,
        };
        let posted = match found {
            // It shows what it showed then.
            Some(found) => {
                self.edit(&found.channel, &found.id, what).await?;
                found
            }
            None => self.send(&channel, key, what, reply_to.as_deref()).await?,
        };
        Ok(match (place, out.thread) {
            (Place::Channel(_), None) => posted.id,
            _ => format!("{}{ID_SEPARATOR}{}", posted.channel, posted.id),
        })
    }

    async fn send(
        &self,
        channel: &str,
        key: &str,
        what: &Rendered,
        reply_to: Option<&str>,
    ) -> Result<Posted, DiscordError> {
        match self.discord.post(channel, key, what, reply_to).await {
            Err(DiscordError::ThreadArchived) => {
                self.discord.unarchive(channel).await?;
                self.discord.post(channel, key, what, reply_to).await
            }
            done => done,
        }
    }

    /// The channel, thread or conversation where a message is posted, and what it is a reply to. A conversation has no
    /// threads: there it is a reply.
    async fn destination(
        &self,
        place: Place<'_>,
        out: &Outgoing<'_>,
    ) -> Result<(String, Option<String>), DiscordError> {
        match (place, out.thread.and_then(|card| parts(place, card))) {
            (Place::Channel(channel), Some((_, card))) => {
                let name = out.message.release.as_ref().map_or("Release".to_owned(), |id| format!("Release {id}"));
                Ok((self.discord.thread_of(channel, card, &name).await?, None))
            }
            (Place::User(_), Some((conversation, card))) => Ok((conversation.to_owned(), Some(card.to_owned()))),
            (Place::Channel(channel), None) => Ok((channel.to_owned(), None)),
            (Place::User(user), None) => Ok((self.discord.direct_channel(user).await?, None)),
        }
    }

    /// News for one person leads to the card.
    fn with_link(&self, out: &Outgoing<'_>, body: &Message) -> Message {
        let mut body = body.clone();
        let card = out.card.as_ref().and_then(|(channel, id)| {
            let (channel, message) = address(channel, id)?;
            self.address_of(channel, message)
        });
        if let Some(url) = card {
            body.body.push(Block::Line(Line(vec![Span::Link { url, text: "Open the card".to_owned() }])));
        }
        body
    }

    fn address_of(&self, channel: &str, message: &str) -> Option<String> {
        let guild = self.intake.ours().guild?;
        Some(format!("https://discord.com/channels/{guild}/{channel}/{message}"))
    }

    fn rendered(&self, out: &Outgoing<'_>, body: &Message, people: &Directory, key: &str) -> Rendered {
        render(body, &accounts(people, Platform::Discord), &out.button_key(), key)
    }

    fn failed(&self, out: &Outgoing<'_>, error: &DiscordError) -> ChatError {
        match error {
            DiscordError::MessageGone if out.external_id.is_some() => ChatError::Gone,
            error if error.retry_after().is_some() => {
                let after_ms = error.retry_after().and_then(|after| i64::try_from(after.as_millis()).ok());
                ChatError::Later { what: error.to_string(), after_ms, maybe_taken: false }
            }
            // What was asked is so new that its first answer is still on its way.
            error if is_over(error) => {
                let after_ms = i64::try_from(AGAIN_AFTER.as_millis()).ok();
                ChatError::Later { what: error.to_string(), after_ms, maybe_taken: false }
            }
            // It cannot be looked for, and posting it a second time would be worse than not at all.
            error if out.unsure_since.is_some() && !error.is_passing() && out.external_id.is_none() => {
                ChatError::Never(error.to_string())
            }
            error if error.is_passing() || is_mended_outside(error) => {
                let maybe_taken = error.is_passing();
                ChatError::Later { what: error.to_string(), after_ms: None, maybe_taken }
            }
            error => ChatError::Never(error.to_string()),
        }
    }
}

/// Whether somebody may mend it without touching the message.
fn is_mended_outside(error: &DiscordError) -> bool {
    matches!(error, DiscordError::BadToken) || is_closed(error)
}

/// Whether the app may not post there: somebody may invite it, or allow it.
fn is_closed(error: &DiscordError) -> bool {
    matches!(
        error,
        DiscordError::MissingAccess { .. } | DiscordError::MissingPermissions { .. } | DiscordError::ChannelGone
    )
}

#[async_trait]
impl Chat for DiscordChat {
    fn platform(&self) -> &'static str {
        Self::PLATFORM
    }

    fn refresh_every(&self) -> Duration {
        REFRESH_EVERY
    }

    fn admit(&self, out: &Outgoing<'_>) -> Result<(), Duration> {
        if out.message.only_for.is_some() {
            return Ok(());
        }
        let place = place(&out.message.channel);
        let wait = match (place, out.external_id) {
            (_, Some(id)) => parts(place, id).and_then(|(channel, _)| self.discord.wait(Route::Edit(channel))),
            (Place::Channel(channel), None) => self.discord.wait(Route::Post(channel)),
            (Place::User(_), None) => None,
        };
        wait.map_or(Ok(()), Err)
    }

    async fn show(&self, out: &Outgoing<'_>, body: &Message, people: &Directory) -> Result<String, ChatError> {
        let message = out.message;
        let place = place(&message.channel);
        let linked = self.with_link(out, body);
        let what = self.rendered(out, &linked, people, &message.key);
        let shown = Shown { people, body: &linked, what };
        let done = match (&message.only_for, out.external_id) {
            (Some(person), _) => {
                let user = match place {
                    Place::User(user) => Some(user.to_owned()),
                    Place::Channel(_) => account(people, person, Platform::Discord),
                };
                self.whisper(place, user.as_deref(), out, &shown.what).await
            }
            (None, Some(id)) => self.change(place, id, out, &shown).await,
            (None, None) => self.post(place, out, &shown.what).await,
        };
        match done {
            Ok(id) => {
                if message.only_for.is_none() {
                    self.promise_kept(out).await;
                }
                Ok(id)
            }
            Err(error) => {
                let failed = self.failed(out, &error);
                if matches!(failed, ChatError::Never(_)) || out.is_first_try && is_closed(&error) {
                    self.excuse(out, &error).await;
                }
                Err(failed)
            }
        }
    }
}

pub(super) fn place(channel: &str) -> Place<'_> {
    let id = channel.split_once(':').map_or(channel, |(_, id)| id);
    id.strip_prefix('@').map_or(Place::Channel(id), Place::User)
}

/// Channel and message of a message that is posted. `None`: it was posted into a conversation that nobody knows.
fn parts<'a>(place: Place<'a>, id: &'a str) -> Option<(&'a str, &'a str)> {
    match (id.split_once(ID_SEPARATOR), place) {
        (Some((channel, message)), _) => Some((channel, message)),
        (None, Place::Channel(channel)) => Some((channel, id)),
        (None, Place::User(_)) => None,
    }
}

/// Where Discord has a message, by the names that the store has for channel and message.
pub(super) fn address<'a>(channel: &'a str, message: &'a str) -> Option<(&'a str, &'a str)> {
    parts(place(channel), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_by_the_names_of_the_store() {
        assert_eq!(address("discord:1", "2"), Some(("1", "2")));
        assert_eq!(address("discord:1", "3/2"), Some(("3", "2")));
        assert_eq!(address("discord:@9", "3/2"), Some(("3", "2")));
        assert_eq!(address("discord:@9", "2"), None);
    }
}
