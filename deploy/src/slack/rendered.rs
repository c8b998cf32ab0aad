//! A message as Slack takes it.

use slack_morphism::blocks::SlackBlock;

/// What is posted: both parts say the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// What notifications and screen readers get, in Slack's mrkdwn with `&`, `<` and `>` escaped.
    pub text: String,
    /// What is shown in the channel; at most 50.
    pub blocks: Vec<SlackBlock>,
}
