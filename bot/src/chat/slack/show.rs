//! What goes out to Slack.

use super::pace::Pace;
use crate::chat::accounts::{account, accounts};
use crate::chat::direct::whose_home;
use crate::chat::place::{ID_SEPARATOR, Place, place};
use crate::chat::said::{no_card_here, open_the_card};
use crate::chat::{Chat, ChatError, Outgoing};
use crate::clock::Clock;
use async_trait::async_trait;
use slipway_core::message::Message;
use slipway_core::person::{Directory, Platform};
use slipway_deploy::slack::{Rendered, Slack, SlackError, home_blocks, render};
use std::collections::BTreeMap;
use std::time::Duration;
use tracing::warn;

/// How often the elapsed time on a card is brought up to date: Slack takes about 50 changes a minute of a workspace.
const REFRESH_EVERY: Duration = Duration::from_secs(20);

/// Slack, as messages see it.
#[derive(Debug)]
pub struct SlackChat {
    slack: Slack,
    clock: Clock,
    pace: Pace,
}

impl SlackChat {
    /// The name before the colon.
    pub const PLATFORM: &'static str = "slack";

    /// A chat over a client.
    #[must_use]
    pub fn new(slack: Slack, clock: Clock) -> Self {
        Self { slack, clock, pace: Pace::default() }
    }

    /// Changes a message.
    async fn update(&self, place: &Place<'_>, id: &str, key: &str, what: &Rendered) -> Result<String, SlackError> {
        let (channel, ts) = match (place, id.split_once(ID_SEPARATOR)) {
            (Place::User(_), Some((conversation, ts))) => (conversation, ts),
            (Place::User(user), None) => (*user, id),
            (Place::Channel(channel), _) => (*channel, id),
        };
        self.slack.update(channel, ts, key, what).await?;
        Ok(id.to_owned())
    }

    /// Posts a message, unless it is there already.
    async fn post(&self, place: &Place<'_>, out: &Outgoing<'_>, what: &Rendered) -> Result<String, SlackError> {
        let (Place::Channel(to) | Place::User(to)) = place;
        let thread = out.thread.map(|thread| thread.rsplit(ID_SEPARATOR).next().unwrap_or(thread));
        let found = match out.unsure_since {
            Some(since) => self.slack.find_posted(to, thread, &out.message.key, since).await?,
            None => None,
        };
        let posted = match found {
            // It shows what it showed then.
            Some(found) => {
                self.slack.update(&found.channel, &found.ts, &out.message.key, what).await?;
                found
            }
            None => self.slack.post(to, thread, &out.message.key, what).await?,
        };
        Ok(match place {
            Place::Channel(_) => posted.ts,
            Place::User(_) => format!("{}{ID_SEPARATOR}{}", posted.channel, posted.ts),
        })
    }

    /// Says something to one person alone: where the delivery wants its answer, else in the channel, else, when they are
    /// not in it, in the conversation with them.
    async fn whisper(&self, channel: &str, user: &str, out: &Outgoing<'_>, what: &Rendered) -> Result<(), SlackError> {
        if let Some(url) = out.reply.and_then(|reply| reply.response_url.as_ref()) {
            match self.slack.respond(&url.expose().into(), what).await {
                Err(SlackError::AnswersUsedUp | SlackError::NotSlacks { .. }) => {}
                done => return done,
            }
        }
        if channel == user {
            return self.slack.post(user, None, &out.message.key, what).await.map(|_| ());
        }
        let thread = out.reply.and_then(|reply| reply.thread.as_deref());
        match self.slack.post_ephemeral(channel, user, thread, what).await {
            Err(
                SlackError::UserNotInChannel { .. } | SlackError::NotInChannel { .. } | SlackError::NoChannel { .. },
            ) => self.slack.post(user, None, &out.message.key, what).await.map(|_| ()),
            done => done,
        }
    }

    /// Tells whoever asked in a place where the app cannot post that it cannot.
    async fn excuse(&self, out: &Outgoing<'_>, error: &SlackError) {
        let Some(url) = out.reply.and_then(|reply| reply.response_url.as_ref()) else { return };
        let said = render(&no_card_here(&error.to_string()), &BTreeMap::new(), "");
        if let Err(error) = self.slack.respond(&url.expose().into(), &said).await {
            warn!(%error, "an excuse could not be made");
        }
    }

    /// News for one person, said where the card is not, leads there.
    async fn with_link(&self, place: &Place<'_>, out: &Outgoing<'_>, body: &Message) -> Message {
        let mut body = body.clone();
        let (Place::User(_), Some((channel, ts))) = (place, &out.card) else { return body };
        let id = channel.split_once(':').map_or(channel.as_str(), |(_, id)| id);
        // The news matters more than the way there.
        match self.slack.permalink(id, ts).await {
            Ok(url) => body.body.push(open_the_card(url)),
            Err(error) => warn!(%error, "the address of a card is not known"),
        }
        body
    }

    fn failed(&self, out: &Outgoing<'_>, error: &SlackError) -> ChatError {
        match error {
            SlackError::MessageGone | SlackError::NotEditable { .. } if out.external_id.is_some() => ChatError::Gone,
            SlackError::RateLimited { .. } => {
                let wait = self.pace.limited(out, error.retry_after(), self.clock.now());
                let after_ms = i64::try_from(wait.as_millis()).ok();
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
fn is_mended_outside(error: &SlackError) -> bool {
    matches!(error, SlackError::BadCredentials { .. } | SlackError::MissingScope { .. }) || is_closed(error)
}

/// Whether the app may not post there: somebody may invite it, or allow it.
fn is_closed(error: &SlackError) -> bool {
    matches!(
        error,
        SlackError::NotInChannel { .. } | SlackError::NoChannel { .. } | SlackError::PostingRestricted { .. }
    )
}

#[async_trait]
impl Chat for SlackChat {
    fn platform(&self) -> &'static str {
        Self::PLATFORM
    }

    fn refresh_every(&self) -> Duration {
        REFRESH_EVERY
    }

    fn admit(&self, what: &Outgoing<'_>) -> Result<(), Duration> {
        self.pace.admit(what)
    }

    async fn show(&self, out: &Outgoing<'_>, body: &Message, people: &Directory) -> Result<String, ChatError> {
        let message = out.message;
        let place = place(&message.channel);
        let body = &self.with_link(&place, out, body).await;
        let what = render(body, &accounts(people, Platform::Slack), &out.button_key());
        let can_answer = out.reply.is_some_and(|reply| reply.response_url.is_some());
        let whispered = match (&place, &message.only_for) {
            (Place::User(user), Some(_)) if can_answer => {
                Some(self.whisper(user, user, out, &what).await.map(|()| message.key.clone()))
            }
            (Place::Channel(channel), Some(person)) => {
                let Some(user) = account(people, person, Platform::Slack) else {
                    return Err(ChatError::Never(format!("{person} has no account in Slack")));
                };
                Some(self.whisper(channel, &user, out, &what).await.map(|()| message.key.clone()))
            }
            _ => None,
        };
        let shown = match (whispered, out.external_id) {
            (Some(whispered), _) => whispered,
            (None, Some(id)) => self.update(&place, id, &message.key, &what).await,
            (None, None) => self.post(&place, out, &what).await,
        };
        match shown {
            Ok(id) => Ok(id),
            Err(error) => {
                let failed = self.failed(out, &error);
                if matches!(failed, ChatError::Never(_)) || out.is_first_try && is_closed(&error) {
                    self.excuse(out, &error).await;
                }
                Err(failed)
            }
        }
    }

    async fn show_home(
        &self,
        out: &Outgoing<'_>,
        parts: &[(String, Message)],
        people: &Directory,
    ) -> Result<String, ChatError> {
        let Some((_, user)) = whose_home(&out.message.channel) else {
            return Err(ChatError::Never(format!("{} is nobody's page", out.message.channel)));
        };
        let shown = self.slack.publish_home(user, home_blocks(parts, &accounts(people, Platform::Slack))).await;
        shown.map(|()| out.message.key.clone()).map_err(|error| self.failed(out, &error))
    }
}
