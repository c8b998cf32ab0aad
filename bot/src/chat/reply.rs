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
}

/// Whoever holds such an address can post there, so it is shown nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResponseUrl(String);

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
