//! A terminal front end of the bot: types, reacts and reads through the API, as any person's program could.

use super::CallError;
use reqwest::{Client, StatusCode};
use serde_json::json;
use slipway::store::TerminalMessage;
use slipway_core::message::Verb;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long one read waits for news.
const WAIT_MS: u64 = 2_000;
/// How long a call may take; the bot may just be starting again.
const CALL_LIMIT: Duration = Duration::from_secs(25);
/// How often something is sent that the bot does not confirm in time, as one does on a busy machine.
const SENDS_LIMIT: u32 = 10;

/// A connection to the bot's terminal chat.
#[derive(Debug)]
pub struct Terminal {
    http: Client,
    base: String,
    token: String,
    session: String,
    seq: i64,
    deliveries: AtomicU64,
}

impl Terminal {
    /// A terminal for the bot at `base`. The session's name makes its deliveries unique.
    ///
    /// # Panics
    /// When no TLS implementation was installed.
    #[must_use]
    pub fn new(base: &str, token: &str, session: &str) -> Self {
        let http = Client::builder().timeout(CALL_LIMIT).build().expect("a client without special options");
        Self {
            http,
            base: base.to_owned(),
            token: token.to_owned(),
            session: session.to_owned(),
            seq: 0,
            deliveries: AtomicU64::new(0),
        }
    }

    /// Types a line as a person.
    ///
    /// # Errors
    /// When the bot did not confirm it.
    pub async fn say(&self, person: &str, channel: &str, text: &str) -> Result<(), CallError> {
        self.post("commands", json!({ "person": person, "channel": channel, "text": text })).await
    }

    /// Reacts to a message as a person.
    ///
    /// # Errors
    /// When the bot did not confirm it.
    pub async fn react(&self, person: &str, channel: &str, message: &str, reaction: &str) -> Result<(), CallError> {
        let body = json!({ "person": person, "channel": channel, "message": message, "reaction": reaction });
        self.post("reactions", body).await
    }

    /// Presses a button as a person.
    ///
    /// # Errors
    /// When the bot did not confirm it.
    pub async fn press(&self, person: &str, channel: &str, message: &str, button: Verb) -> Result<(), CallError> {
        let body = json!({ "person": person, "channel": channel, "message": message, "button": button });
        self.post("buttons", body).await
    }

    async fn post(&self, what: &str, mut body: serde_json::Value) -> Result<(), CallError> {
        let number = self.deliveries.fetch_add(1, Ordering::Relaxed);
        body["delivery"] = json!(format!("{}-{number}", self.session));
        let url = format!("{}/api/v1/terminal/{what}", self.base);
        let mut sends = 0;
        loop {
            sends += 1;
            let answer = self.http.post(&url).bearer_auth(&self.token).json(&body).send().await?;
            let status = answer.status();
            if status.is_success() {
                return Ok(());
            }
            // It may have been written down after all: the same delivery counts once.
            if status != StatusCode::SERVICE_UNAVAILABLE || sends == SENDS_LIMIT {
                return Err(CallError::Refused(format!("{status} {}", answer.text().await.unwrap_or_default())));
            }
        }
    }

    /// Messages that are new or changed since the last call; waits up to two seconds for some.
    ///
    /// # Errors
    /// When the bot cannot be reached. What was missed comes with the next call.
    pub async fn news(&mut self) -> Result<Vec<TerminalMessage>, CallError> {
        let url = format!("{}/api/v1/terminal/messages?after={}&wait_ms={WAIT_MS}", self.base, self.seq);
        let answer = self.http.get(url).bearer_auth(&self.token).send().await?;
        let status = answer.status();
        if !status.is_success() {
            return Err(CallError::Refused(status.to_string()));
        }
        let news: Vec<TerminalMessage> = answer.json().await?;
        if let Some(last) = news.last() {
            self.seq = last.seq;
        }
        Ok(news)
    }
}
