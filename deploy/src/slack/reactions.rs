//! Who reacted to a message.

use super::{Slack, SlackError};
use serde::Deserialize;

/// One emoji on a message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Reaction {
    /// Its name without colons: `white_check_mark`, `+1::skin-tone-2`.
    pub name: String,
    /// The ids of those who reacted. Slack may leave some out: compare with `count`.
    #[serde(default)]
    pub users: Vec<String>,
    /// How many reacted.
    #[serde(default)]
    pub count: u64,
}

#[derive(Deserialize)]
struct Answer {
    message: Message,
}

/// Without a reaction Slack leaves the list out.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    reactions: Vec<Reaction>,
}

impl Slack {
    /// The reactions to a message, with all who reacted. Needs the scope `reactions:read`.
    ///
    /// # Errors
    /// When Slack does not tell; [`SlackError::MessageGone`] of a message that was deleted.
    pub async fn reactions(&self, channel: &str, ts: &str) -> Result<Vec<Reaction>, SlackError> {
        let params = [("channel", channel), ("timestamp", ts), ("full", "true")];
        let answer: Answer = self.ask("reactions.get", &params, channel).await?;
        Ok(answer.message.reactions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_with_and_without_reactions_is_read() {
        let read = |text| serde_json::from_str::<Answer>(text).unwrap().message.reactions;
        let with = r#"{"ok":true,"type":"message","channel":"C1","message":{"type":"message","text":"x","reactions":
            [{"name":"white_check_mark","users":["U1","U2"],"count":3,"new":1}]}}"#;
        let expected = Reaction { name: "white_check_mark".into(), users: vec!["U1".into(), "U2".into()], count: 3 };
        assert_eq!(read(with), [expected]);
        assert_eq!(read(r#"{"ok":true,"message":{"text":"x"}}"#), []);
    }
}
