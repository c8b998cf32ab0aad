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

#[cfg(test)]
mod tests {
    use super::super::served::{Says, refuses, says, served};
    use super::*;
    use serde_json::json;

    const TOKEN: &str = "aW50ZXJhY3Rpb246-hunter_3.x=";

    fn nothing() -> Says {
        Says { status: 204, headers: "", body: String::new() }
    }

    #[tokio::test]
    async fn each_answer_goes_to_its_place() {
        let answered = || says(&json!({ "id": "44" }));
        let (discord, seen) = served([nothing(), answered(), answered(), answered(), nothing()]).await;
        let what = Rendered { content: "x".into(), embeds: vec![], components: vec![], notified: vec![] };
        discord.respond("45", TOKEN, &json!({ "type": 5 })).await.unwrap();
        discord.answer("7", TOKEN, &what).await.unwrap();
        discord.follow_up("7", TOKEN, &what, true).await.unwrap();
        discord.follow_up("7", TOKEN, &what, false).await.unwrap();
        discord.drop_answer("7", TOKEN).await.unwrap();
        let seen = seen.await.unwrap();
        let lines: Vec<_> = seen.iter().map(|seen| format!("{} {}", seen.line, seen.body)).collect();
        expect_test::expect![[r#"
            POST /interactions/45/aW50ZXJhY3Rpb246-hunter_3.x=/callback {"type":5}
            PATCH /webhooks/7/aW50ZXJhY3Rpb246-hunter_3.x=/messages/@original {"content":"x","embeds":[],"components":[],"allowed_mentions":{"parse":[],"users":[]}}
            POST /webhooks/7/aW50ZXJhY3Rpb246-hunter_3.x= {"content":"x","embeds":[],"components":[],"allowed_mentions":{"parse":[],"users":[]},"flags":64}
            POST /webhooks/7/aW50ZXJhY3Rpb246-hunter_3.x= {"content":"x","embeds":[],"components":[],"allowed_mentions":{"parse":[],"users":[]}}
            DELETE /webhooks/7/aW50ZXJhY3Rpb246-hunter_3.x=/messages/@original null"#]].assert_eq(&lines.join("\n"));
        assert!(!seen.iter().any(|seen| seen.head.contains("authorization")));
    }

    #[tokio::test]
    async fn what_comes_too_late_is_told_apart_and_the_token_is_not_told() {
        let refusals = [(404, 10_062), (404, 10_015), (401, 50_027), (401, 0), (404, 10_008), (400, 40_060)];
        let (discord, _) = served(refusals.map(|(status, code)| refuses(status, code))).await;
        let mut told = Vec::new();
        for _ in refusals {
            let error = discord.respond("45", TOKEN, &json!({ "type": 5 })).await.unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter"), "{error:?}");
            told.push(error.to_string());
        }
        expect_test::expect![[r#"
            Discord takes the first answer to a command or button within 3 seconds only. Type or press it again.
            Discord takes no more answers to this command or button: it is older than 15 minutes. Type or press it again.
            Discord takes no more answers to this command or button: it is older than 15 minutes. Type or press it again.
            Discord takes no more answers to this command or button: it is older than 15 minutes. Type or press it again.
            The Discord message is not there any more: it was deleted.
            Discord refused this (400, 40060: No)."#]].assert_eq(&told.join("\n"));
    }
}
