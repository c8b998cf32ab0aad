//! Where the answer to a delivery goes, where its chat says so itself.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a chat takes the answer to one delivery. Whoever holds the address can post there, so it is in no log, and is
/// forgotten once it is used.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// An address that takes it for a while.
    pub response_url: Option<String>,
    /// The thread in which it was asked, by the chat's id for its first message.
    pub thread: Option<String>,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let response_url = self.response_url.as_ref().map(|_| "[kept]");
        f.debug_struct("Reply").field("response_url", &response_url).field("thread", &self.thread).finish()
    }
}
