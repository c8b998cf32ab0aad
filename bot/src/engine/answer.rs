//! Answers to one person, and cards for channels.

use super::EngineError;
use super::apply::Work;
use super::lookup::only_for;
use crate::store::NewMessage;
use slipway_core::ids::{PersonId, ReleaseId};
use slipway_core::message::Message;
use slipway_core::person::{Identity, Person};

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
        let message = NewMessage {
            channel: channel.to_owned(),
            key: format!("answer/{delivery}"),
            release: None,
            only_for: person.map(only_for),
            body: Some(body),
        };
        Ok(self.engine.store.message_put(self.tx, &message).await?)
    }

    /// Answers somebody who is not known to Slipway, by the name they have in their chat.
    pub(super) async fn answer_identity(
        &mut self,
        delivery: i64,
        channel: &str,
        who: &Identity,
        body: Message,
    ) -> Result<(), EngineError> {
        let (Identity::Slack(id) | Identity::Discord(id) | Identity::Github(id) | Identity::Terminal(id)) = who;
        let message = NewMessage {
            channel: channel.to_owned(),
            key: format!("answer/{delivery}"),
            release: None,
            only_for: Some(PersonId::new(id.clone())),
            body: Some(body),
        };
        Ok(self.engine.store.message_put(self.tx, &message).await?)
    }

    /// Puts a release's card into the channels of its service, and into the one where it was asked for.
    pub(super) async fn post_card(
        &mut self,
        release: &ReleaseId,
        channels: &[String],
        asked_in: &str,
    ) -> Result<(), EngineError> {
        let mut channels: Vec<&str> = channels.iter().map(String::as_str).collect();
        if !channels.contains(&asked_in) {
            channels.push(asked_in);
        }
        for channel in channels {
            let card = NewMessage {
                channel: channel.to_owned(),
                key: format!("release/{release}"),
                release: Some(release.clone()),
                only_for: None,
                body: None,
            };
            self.engine.store.message_put(self.tx, &card).await?;
        }
        Ok(())
    }
}
