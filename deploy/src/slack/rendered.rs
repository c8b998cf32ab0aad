//! A message in Slack's form.

use slack_morphism::prelude::SlackBlock;

/// A message as Slack takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// What notifications show: plain text, escaped.
    pub text: String,
    /// What the channel shows.
    pub blocks: Vec<SlackBlock>,
}
