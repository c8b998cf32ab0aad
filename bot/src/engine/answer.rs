//! Answers to one person, cards for channels, and news for several channels.

use super::EngineError;
use super::apply::Work;
use super::lookup::only_for;
use crate::chat::direct;
use crate::store::NewMessage;
use slipway_core::ids::{PersonId, ReleaseId};
use slipway_core::message::Message;
use slipway_core::message::cards::answers;
use slipway_core::person::{Identity, Person};
use slipway_core::release::{Event, Outcome, Release};

impl Work<'_> {
    /// Answers the sender of a delivery, for them alone where they are known.
    pub(super) async fn answer(
        &mut self,
        delivery: i64,
        channel: &str,
        person: Option<&Person>,
        answer: Option<Message>,
    ) -> Result<(), EngineError> {
        let Some(body) = answer else { return Ok(()) };
        let (only_for, release) = (person.map(only_for), self.about.take());
        let message = NewMessage { only_for, release, ..NewMessage::said(channel, format!("answer/{delivery}"), body) };
        Ok(self.engine.store.message_put_for(self.tx, &message, Some(delivery)).await?)
    }

    /// Answers somebody who is not known to Slipway, by the name they have in their chat.
    pub(super) async fn answer_identity(
        &mut self,
        delivery: i64,
        channel: &str,
        who: &Identity,
        body: Message,
    ) -> Result<(), EngineError> {
        let message = NewMessage::said(channel, format!("answer/{delivery}"), body);
        let message = message.only_for(PersonId::new(who.id()));
        Ok(self.engine.store.message_put_for(self.tx, &message, Some(delivery)).await?)
    }

    /// Answers whoever was promised an answer and has none: what they did is to be seen elsewhere.
    pub(super) async fn keep_promise(
        &mut self,
        delivery: i64,
        who: &Identity,
        channel: &str,
    ) -> Result<(), EngineError> {
        let unanswered = self.engine.store.inbox_unanswered(self.tx, delivery).await?;
        if !unanswered.is_some_and(|reply| reply.is_promised()) {
            return Ok(());
        }
        match self.person(who).await? {
            Some(person) => self.answer(delivery, channel, Some(&person), Some(answers::done())).await,
            None => self.answer_identity(delivery, channel, who, answers::done()).await,
        }
    }

    /// Puts a release's card into the channels of its service, and into the one where it was asked for.
    pub(super) async fn post_card(
        &mut self,
        release: &ReleaseId,
        channels: &[String],
        asked_in: &str,
        delivery: i64,
    ) -> Result<(), EngineError> {
        let store = &self.engine.store;
        for channel in channels.iter().filter(|channel| *channel != asked_in) {
            store.message_put(self.tx, &NewMessage::card(channel.as_str(), release)).await?;
        }
        Ok(store.message_put_for(self.tx, &NewMessage::card(asked_in, release), Some(delivery)).await?)
    }

    /// Puts all of a release into the threads of its cards, in chats that have threads, once there is something to read.
    pub(super) async fn post_details(&mut self, release: &Release, event: &Event) -> Result<(), EngineError> {
        let worth_it = matches!(event, Event::Planned { .. }) || (has_log(release));
        // A release that another one leads has no card of its own.
        if !worth_it || release.follows().is_some() {
            return Ok(());
        }
        let asked_in = &release.request.origin.channel;
        let configured = self.engine.setup.channels(&release.request.key.service);
        let channels = configured.iter().chain([asked_in].into_iter().filter(|asked| !configured.contains(*asked)));
        for channel in channels.filter(|channel| direct::has_threads(channel)) {
            self.engine.store.message_put(self.tx, &NewMessage::details(channel.as_str(), &release.id)).await?;
        }
        Ok(())
    }

    /// Says the same in several channels, once in each.
    pub(super) async fn proclaim<'c>(
        &mut self,
        channels: impl IntoIterator<Item = &'c String>,
        key: &str,
        release: Option<&ReleaseId>,
        body: &Message,
    ) -> Result<(), EngineError> {
        for channel in channels {
            let said = NewMessage::said(channel.as_str(), key, body.clone());
            let message = NewMessage { release: release.cloned(), ..said };
            self.engine.store.message_put(self.tx, &message).await?;
        }
        Ok(())
    }
}

/// Whether there is a log to read of how it failed.
fn has_log(release: &Release) -> bool {
    let Some(Outcome::Failed { failure, .. } | Outcome::RolledBack { failure }) = &release.outcome else {
        return false;
    };
    failure.log_tail.is_some()
}
