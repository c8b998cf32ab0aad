//! One message as lines of text.

use super::SlackSandbox;
use super::blocks;
use serde_json::Value;

impl SlackSandbox {
    /// What a message of [`SlackSandbox::state`] shows, line by line.
    #[must_use]
    pub fn lines(&self, message: &Value) -> Vec<String> {
        let world = self.shared.world();
        let name = |id: &str| world.name(id).to_owned();
        match message["blocks"].as_array() {
            Some(shown) if !shown.is_empty() => blocks::lines(&message["blocks"], &name),
            _ => {
                let text = message["text"].as_str().unwrap_or_default();
                blocks::plain(text, &name).lines().map(str::to_owned).collect()
            }
        }
    }
}
