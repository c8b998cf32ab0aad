//! Answers to interactions. Their token is good for 15 minutes and says by itself who answers, so no token of ours goes
//! with them; it is a secret.

use super::call::{Call, Part};
use super::{Discord, DiscordError, Rendered};
use reqwest::Method;
use serde_json::Value;

/// Only the person who asked sees the message.
const EPHEMERAL: u64 = 1 << 6;
/// What errors are about.
const ABOUT: &str = "an answer";

impl Discord {
    /// Gives the first answer to an interaction, within 3 seconds of it: a message, a promise of one, a form, choices.
    ///
    /// # Errors
    /// When Discord refuses; [`DiscordError::UnknownInteraction`] when it is too late.
    pub async fn respond(&self, interaction_id: &str, token: &str, callback: &Value) -> Result<(), DiscordError> {
        let parts = [Part::Id(interaction_id), Part::Token(token)];
        let call = Call::post("/interactions/{}/{}/callback", &parts, callback.clone());
        self.tell(call.about(ABOUT)).await
    }

    /// Replaces the first answer, or makes good a promised one. To do it twice is the same as to do it once.
    ///
    /// # Errors
    /// When Discord refuses; [`DiscordError::AnswersUsedUp`] after 15 minutes.
    pub async fn answer(&self, application: &str, token: &str, what: &Rendered) -> Result<(), DiscordError> {
        let parts = [Part::Id(application), Part::Token(token)];
        self.tell(Call::patch("/webhooks/{}/{}/messages/@original", &parts, what.body()).about(ABOUT)).await
    }

    /// Gives one more answer.
    ///
    /// # Errors
    /// When Discord refuses; [`DiscordError::AnswersUsedUp`] after 15 minutes. When no answer comes the message may
    /// have been posted nevertheless.
    pub async fn follow_up(
        &self,
        application: &str,
        token: &str,
        what: &Rendered,
        ephemeral: bool,
    ) -> Result<(), DiscordError> {
        let mut body = what.body();
        if ephemeral {
            body.insert("flags".to_owned(), EPHEMERAL.into());
        }
        let parts = [Part::Id(application), Part::Token(token)];
        self.tell(Call::post("/webhooks/{}/{}", &parts, body).about(ABOUT)).await
    }

    /// Takes the first answer back, a promised one too.
    ///
    /// # Errors
    /// When Discord refuses; [`DiscordError::AnswersUsedUp`] after 15 minutes.
    pub async fn drop_answer(&self, application: &str, token: &str) -> Result<(), DiscordError> {
        let parts = [Part::Id(application), Part::Token(token)];
        self.tell(Call::new(Method::DELETE, "/webhooks/{}/{}/messages/@original", &parts).about(ABOUT)).await
    }
}
