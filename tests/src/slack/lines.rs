//! One message as lines of text.

use super::SlackSandbox;
use super::transcript::content;
use serde_json::Value;

impl SlackSandbox {
    /// What a message of [`SlackSandbox::state`] shows, line by line.
    #[must_use]
    pub fn lines(&self, message: &Value) -> Vec<String> {
        let world = self.shared.world();
        let blocks = message["blocks"].as_array().filter(|blocks| !blocks.is_empty());
        content(&world, message["text"].as_str().unwrap_or_default(), blocks.map(|_| &message["blocks"]))
    }
}
