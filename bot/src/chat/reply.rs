//! Where the answer to a delivery goes, where its chat says so itself.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a chat takes the answer to one delivery. It is forgotten once it is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// An address that takes it for a while.
    pub response_url: Option<ResponseUrl>,
    /// The thread in which it was asked, by the chat's id for its first message.
    pub thread: Option<String>,
    /// What it was asked by, where the chat takes answers to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction: Option<Interaction>,
}

/// Something that a person did to which the chat takes answers for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    /// The application that was asked.
    pub application: String,
    /// What its answers are taken with.
    pub token: ResponseUrl,
    /// Until when, in milliseconds since 1970.
    pub until_ms: i64,
    /// Whether the person sees that an answer will come: then one must.
    pub promised: bool,
}

impl Reply {
    /// Whether the person was promised an answer.
    #[must_use]
    pub fn is_promised(&self) -> bool {
        self.interaction.as_ref().is_some_and(|interaction| interaction.promised)
    }
}

/// Whoever holds such an address, or such a token, can post there, so it is shown nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResponseUrl(String);

impl From<String> for ResponseUrl {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl ResponseUrl {
    /// The address, to be used and not to be shown.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ResponseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[an address]")
    }
}
