//! What one person is told alone: where they asked, while Discord takes answers there; else in the conversation with them.

use super::intake::ANSWERS_MS;
use super::show::DiscordChat;
use crate::chat::place::Place;
use crate::chat::said::no_card_here;
use crate::chat::{Interaction, Outgoing};
use crate::clock::Clock;
use slipway_core::ids::PersonId;
use slipway_core::message::{Line, Message, Span};
use slipway_deploy::discord::{Discord, DiscordError, Rendered, render};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tracing::warn;

/// Of how many promises it is remembered that they were kept.
const KEPT_LIMIT: usize = 1_000;
/// How long Discord may know nothing yet of the first answer to what was asked, and refuses every other one as if it
/// were too late: it waits three seconds for that answer, which may still be on its way.
const EARLY_MS: i64 = 4_000;
/// How soon after that it is tried again.
pub(super) const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Of how many people it is remembered that they take no messages.
const CLOSED_LIMIT: usize = 1_000;
/// How long that is remembered: asked again and again, Discord would shut the bot out.
const CLOSED_FOR_MS: i64 = 10 * 60_000;

/// Which promises of an answer were kept. After a restart none is known: then a second answer takes the place of the first.
#[derive(Default)]
pub(super) struct Whispers {
    /// By what answers are taken with, which is shown nowhere.
    kept: Mutex<BTreeSet<String>>,
    /// Who takes no messages and was told so where everybody reads it, and until when that is enough.
    closed: Mutex<BTreeMap<String, i64>>,
}

impl fmt::Debug for Whispers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Whispers").finish_non_exhaustive()
    }
}

impl Whispers {
    /// Whether a promise is still to be kept; from now on it is kept.
    fn keeps(&self, interaction: &Interaction) -> bool {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_LIMIT {
            kept.clear();
        }
        interaction.promised && kept.insert(interaction.token.expose().to_owned())
    }

    /// Whether somebody was found to take no messages a while ago.
    fn is_closed(&self, user: &str, now_ms: i64) -> bool {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.get(user).is_some_and(|until_ms| now_ms < *until_ms)
    }

    fn closes(&self, user: &str, now_ms: i64) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.retain(|_, until_ms| now_ms < *until_ms);
        if closed.len() < CLOSED_LIMIT {
            closed.insert(user.to_owned(), now_ms + CLOSED_FOR_MS);
        }
    }

    fn breaks(&self, interaction: &Interaction) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(interaction.token.expose());
    }
}

impl DiscordChat {
    /// Says something to one person alone. Gives the chat's id for it.
    pub(super) async fn whisper(
        &self,
        place: Place<'_>,
        user: Option<&str>,
        out: &Outgoing<'_>,
        what: &Rendered,
    ) -> Result<String, DiscordError> {
        let key = || out.message.key.clone();
        if let Some(interaction) = self.taken(out) {
            match self.answer(interaction, what).await {
                Err(error) if is_over(&error) && !is_early(&self.clock, interaction) => {}
                done => return done.map(|()| key()),
            }
        }
        let Some(user) = user else { return Err(DiscordError::CannotDirect) };
        if self.whispers.is_closed(user, self.clock.now_ms()) {
            warn!(user, "somebody takes no messages and was told so a while ago: an answer is not given");
            return Ok(key());
        }
        match (self.post(Place::User(user), out, what).await, place) {
            (Err(DiscordError::CannotDirect), Place::Channel(channel)) => {
                self.whispers.closes(user, self.clock.now_ms());
                self.hint(channel, user, out).await.map(|()| key())
            }
            (told, Place::User(_)) => told,
            // It is not in the channel.
            (told, Place::Channel(_)) => told.map(|_| key()),
        }
    }

    /// Where whoever asked takes answers, while they do.
    pub(super) fn taken<'a>(&self, out: &Outgoing<'a>) -> Option<&'a Interaction> {
        let interaction = out.reply?.interaction.as_ref()?;
        (self.clock.now_ms() < interaction.until_ms).then_some(interaction)
    }

    async fn answer(&self, interaction: &Interaction, what: &Rendered) -> Result<(), DiscordError> {
        let (application, token) = (&interaction.application, interaction.token.expose());
        if !self.whispers.keeps(interaction) {
            return self.discord.follow_up(application, token, what, true).await;
        }
        let answered = self.discord.answer(application, token, what).await;
        if answered.is_err() {
            self.whispers.breaks(interaction);
        }
        answered
    }

    /// Where somebody takes no messages, the channel says that there is one, and not what it says.
    async fn hint(&self, channel: &str, user: &str, out: &Outgoing<'_>) -> Result<(), DiscordError> {
        let person = PersonId::new(user);
        let line = Line(vec![Span::Mention(person.clone())]);
        let line = line.text(" I cannot write to you: allow direct messages from this server, then ask again.");
        let status = Line::plain("Commands are answered here: ").code("/release status").text(".");
        let people = BTreeMap::from([(person, user.to_owned())]);
        let key = format!("{}/hint", out.message.key);
        let what = render(&Message::answer(line, [status]), &people, "", &key);
        self.discord.post(channel, &key, &what, None).await.map(|_| ())
    }

    /// Whoever was promised an answer and sees a new message in the channel needs none. No other message waits for that.
    pub(super) fn promise_kept(&self, out: &Outgoing<'_>) {
        let Some(interaction) = self.taken(out).filter(|interaction| self.whispers.keeps(interaction)) else { return };
        let (discord, clock, interaction) = (self.discord.clone(), self.clock.clone(), interaction.clone());
        tokio::spawn(async move {
            while !take_back(&discord, &clock, &interaction).await {
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        });
    }

    /// Tells whoever asked in a place where the app cannot post that it cannot.
    pub(super) async fn excuse(&self, out: &Outgoing<'_>, error: &DiscordError) {
        let Some(interaction) = self.taken(out) else { return };
        let said = no_card_here(&error.to_string());
        if let Err(error) = self.answer(interaction, &render(&said, &BTreeMap::new(), "", "")).await {
            warn!(%error, "an excuse could not be made");
        }
    }
}

/// Takes a promise back. False: Discord does not know of it yet.
async fn take_back(discord: &Discord, clock: &Clock, interaction: &Interaction) -> bool {
    match discord.drop_answer(&interaction.application, interaction.token.expose()).await {
        Ok(()) => {}
        Err(error) if is_over(&error) && is_early(clock, interaction) => return false,
        Err(error) => warn!(%error, "a promise of an answer could not be taken back"),
    }
    true
}

/// Whether Discord may not know yet that this was answered at all.
fn is_early(clock: &Clock, interaction: &Interaction) -> bool {
    clock.now_ms() < interaction.until_ms - ANSWERS_MS + EARLY_MS
}

/// Whether no more answers are taken there.
pub(super) fn is_over(error: &DiscordError) -> bool {
    // Whoever puts "is thinking" away has no place for an answer there either.
    matches!(error, DiscordError::AnswersUsedUp | DiscordError::UnknownInteraction | DiscordError::MessageGone)
}
