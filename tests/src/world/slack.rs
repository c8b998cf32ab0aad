//! The Slack of a world.

use super::build::{ChatOption, Pace};
use super::chats::ANSWER_WHEN_FAST;
use crate::slack::{SlackMode, SlackOptions, SlackSandbox};
use std::collections::BTreeMap;
use std::io;

const BOT_TOKEN: &str = "xoxb-sandbox-token";
/// What deliveries are signed with: 32 hex digits, as Slack's are.
const SIGNING_SECRET: &str = "8f742231b10e8888abcd99eee00085a5";

/// A Slack that has not heard of the bot yet.
///
/// # Errors
/// When it cannot be started.
pub(super) async fn start(chat: ChatOption, pace: Pace) -> io::Result<Option<SlackSandbox>> {
    let mode = match chat {
        ChatOption::Terminal | ChatOption::Discord | ChatOption::DiscordHttp => return Ok(None),
        ChatOption::SlackHttp => SlackMode::Http,
        ChatOption::SlackSocket | ChatOption::Both => SlackMode::Socket,
    };
    let mut options = SlackOptions::new(BOT_TOKEN);
    options.signing_secret = SIGNING_SECRET.to_owned();
    options.mode = mode;
    if pace == Pace::Fast {
        options.limits.answer_within = ANSWER_WHEN_FAST;
    }
    SlackSandbox::start(options).await.map(Some)
}

/// The bot's variables.
pub(super) fn environment() -> BTreeMap<String, String> {
    let options = SlackOptions::new(BOT_TOKEN);
    let variables = [
        ("SLACK_BOT_TOKEN", BOT_TOKEN.to_owned()),
        ("SLACK_SIGNING_SECRET", SIGNING_SECRET.to_owned()),
        ("SLACK_APP_TOKEN", options.app_token),
    ];
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
