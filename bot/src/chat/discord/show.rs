//! What goes out to Discord.

use super::intake::Intake;
use super::whisper::{AGAIN_AFTER, Whispers, is_over};
use crate::chat::accounts::{account, accounts};
use crate::chat::place::{ID_SEPARATOR, Place, address, parts, place};
use crate::chat::said::open_the_card;
use crate::chat::{Chat, ChatError, Outgoing};
use crate::clock::Clock;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use slipway_core::message::{Line, Mark, Message, Span};
use slipway_core::person::{Directory, Platform};
use slipway_deploy::discord::{Discord, DiscordError, Posted, Rendered, Route, created_at, render};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How often the elapsed time on a card is brought up to date.
const REFRESH_EVERY: Duration = Duration::from_secs(10);
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

    /// Changes a message. Where Discord takes no more changes of it, it goes on in a new one, as soon as that is written down.
    async fn change(
        &self,
        place: Place<'_>,
        id: &str,
        out: &Outgoing<'_>,
        shown: &Shown<'_>,
    ) -> Result<String, DiscordError> {
        let (channel, message) = parts(place, id).ok_or(DiscordError::MessageGone)?;
        if out.message.leads_on() {
            return match self.edit(channel, message, &render(shown.body, &BTreeMap::new(), "", "")).await {
                // Nobody is there to be led.
                Err(DiscordError::MessageGone) => Ok(id.to_owned()),
                done => done.map(|()| id.to_owned()),
            };
        }
        if let Some(since) = out.unsure_since {
            return self.go_on((channel, message), id, since, out, shown).await;
        }
        let age = created_at(message).map(|at| self.clock.now().duration_since(at));
        if age.is_some_and(|age| age > CHANGES_FOR) {
            return Err(DiscordError::OldMessage);
        }
        self.edit(channel, message, &shown.what).await.map(|()| id.to_owned())
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

    /// Goes on in a new message, unless that was posted before and not recorded: then it is there.
    async fn go_on(
        &self,
        (channel, message): (&str, &str),
        id: &str,
        since: Timestamp,
        out: &Outgoing<'_>,
        shown: &Shown<'_>,
    ) -> Result<String, DiscordError> {
        let key = format!("{}/after/{message}", out.message.key);
        let what = self.rendered(out, shown.body, shown.people, &key);
        let posted = match self.discord.find_posted(channel, &key, since).await? {
            // It shows what it showed then.
            Some(found) => {
                self.edit(&found.channel, &found.id, &what).await?;
                found
            }
            None => self.send(channel, &key, &what, Some(message)).await?,
        };
        Ok(match id.split_once(ID_SEPARATOR) {
            Some(_) => format!("{}{ID_SEPARATOR}{}", posted.channel, posted.id),
            None => posted.id,
        })
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
            None => {
                // One that was deleted is another one for Discord, too.
                let again = out.posted_again;
                let key = if again > 0 { format!("{key}/again/{again}") } else { key.clone() };
                self.send(&channel, &key, what, reply_to.as_deref()).await?
            }
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

    /// News for one person, said where the card is not, leads there.
    fn with_link(&self, out: &Outgoing<'_>, body: &Message) -> Message {
        let mut body = body.clone();
        if out.message.only_for.is_none() || self.taken(out).is_some() {
            return body;
        }
        let card = out.card.as_ref().and_then(|(channel, id)| {
            let (channel, message) = address(channel, id)?;
            self.address_of(channel, message, false)
        });
        if let Some(url) = card {
            body.body.push(open_the_card(url));
        }
        body
    }

    fn address_of(&self, channel: &str, message: &str, direct: bool) -> Option<String> {
        let guild = if direct { "@me".to_owned() } else { self.intake.ours().guild? };
        Some(format!("https://discord.com/channels/{guild}/{channel}/{message}"))
    }

    fn rendered(&self, out: &Outgoing<'_>, body: &Message, people: &Directory, key: &str) -> Rendered {
        render(body, &accounts(people, Platform::Discord), &out.button_key(), key)
    }

    fn failed(&self, out: &Outgoing<'_>, error: &DiscordError) -> ChatError {
        match error {
            DiscordError::MessageGone if out.external_id.is_some() => ChatError::Gone,
            // In an hour it takes some more.
            DiscordError::OldMessage if out.message.leads_on() => {
                ChatError::Later { what: error.to_string(), after_ms: None, maybe_taken: false }
            }
            DiscordError::OldMessage if out.unsure_since.is_none() => ChatError::GoesOn,
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

    fn is_recorded(&self, out: &Outgoing<'_>) {
        if out.message.body.is_none() {
            self.intake.entrance.look_again.notify_one();
        }
    }

    fn left_behind(&self, out: &Outgoing<'_>, id: &str) -> Option<Message> {
        if out.message.only_for.is_some() {
            return None;
        }
        let place = place(&out.message.channel);
        let (channel, new) = parts(place, id)?;
        let mut line = Line::plain("This goes on in a newer message");
        if let Some(url) = self.address_of(channel, new, matches!(place, Place::User(_))) {
            line = line.text(": ");
            line.0.push(Span::Link { url, text: "open it".to_owned() });
        }
        Some(Message { mark: Mark::Ended, ..Message::answer(line.text("."), []) })
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
                    self.promise_kept(out);
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
