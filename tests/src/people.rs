//! The people's side of a chat, as far as all chats have it: what is refused, and the looks that wait for news.

use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use tokio::sync::watch;

/// How long a look may wait for news, in milliseconds.
const WAIT_LIMIT_MS: u64 = 20_000;

/// The chat, or the app, did not do what a person wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// `channel_not_found`, `unknown_channel`, `operation_timeout`, …
    pub error: String,
    /// What the person reads.
    pub shown: Option<String>,
    /// What is wrong with a form, by block id or the input's custom id; or with a command, by the option's name.
    pub errors: BTreeMap<String, String>,
}

impl Refused {
    pub(crate) fn code(error: &str) -> Self {
        Self { error: error.to_owned(), ..Self::default() }
    }

    pub(crate) fn shown(error: &str, shown: &str) -> Self {
        Self { shown: Some(shown.to_owned()), ..Self::code(error) }
    }

    pub(crate) fn of(error: &str, part: &str, what: &str) -> Self {
        Self { errors: BTreeMap::from([(part.to_owned(), what.to_owned())]), ..Self::code(error) }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown.as_deref().unwrap_or(&self.error))?;
        self.errors.iter().try_for_each(|(part, error)| write!(f, " {part}: {error}"))
    }
}

impl std::error::Error for Refused {}

/// Done, or why not.
pub type Did = Result<(), Refused>;

/// The answer to a page.
pub(crate) fn answer(did: Did) -> Json<Value> {
    let Err(Refused { error, shown, errors }) = did else { return Json(json!({ "ok": true })) };
    let mut answer = json!({ "ok": false, "error": error });
    if let Some(shown) = shown {
        answer["shown"] = json!(shown);
    }
    if !errors.is_empty() {
        answer["errors"] = json!(errors);
    }
    Json(answer)
}

/// A page's look at what has changed.
#[derive(Debug, Deserialize)]
pub(crate) struct Since {
    #[serde(default)]
    pub(crate) after: u64,
    #[serde(default)]
    wait_ms: u64,
}

impl Since {
    /// Waits for news, as long as the page has time. Without any the answer is the same as before.
    pub(crate) async fn news(&self, mut changes: watch::Receiver<u64>) {
        let wait = Duration::from_millis(self.wait_ms.min(WAIT_LIMIT_MS));
        let _ = tokio::time::timeout(wait, changes.wait_for(|seq| *seq > self.after)).await;
    }
}
