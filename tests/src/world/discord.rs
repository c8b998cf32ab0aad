//! The Discord of a world.

use super::build::{ChatOption, Pace};
use super::chats::ANSWER_WHEN_FAST;
use crate::bot::Bot;
use crate::discord::{DiscordMode, DiscordOptions, DiscordSandbox, Window};
use std::collections::BTreeMap;
use std::io;

/// How many messages of a channel are taken in a fast world. At Discord it is five times as long; its headers say it anew
/// with each answer, so nobody may know it beforehand.
const WINDOW_WHEN_FAST: Window = Window { calls: 5, per_ms: 1_000 };
const BOT_TOKEN: &str = "sandbox-discord-token";

/// A Discord that has not heard of the bot yet.
///
/// # Errors
/// When it cannot be started.
pub(super) async fn start(chat: ChatOption, pace: Pace) -> io::Result<Option<DiscordSandbox>> {
    let mode = match chat {
        ChatOption::Terminal | ChatOption::SlackHttp | ChatOption::SlackSocket => return Ok(None),
        ChatOption::Discord | ChatOption::Both => DiscordMode::Gateway,
        ChatOption::DiscordHttp => DiscordMode::Http { url: None },
    };
    let mut options = DiscordOptions::new(BOT_TOKEN);
    options.mode = mode;
    if pace == Pace::Fast {
        options.limits.answer_within = ANSWER_WHEN_FAST;
        (options.limits.post, options.limits.edit) = (WINDOW_WHEN_FAST, WINDOW_WHEN_FAST);
    }
    DiscordSandbox::start(options).await.map(Some)
}

/// Registers the commands: Discord offers people only what somebody registered.
///
/// # Errors
/// When the bot cannot do it.
pub(super) fn register(bot: &Bot) -> io::Result<()> {
    let registered = bot.run(&["discord", "register"])?;
    if registered.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&registered.stderr).trim().to_owned();
    Err(io::Error::other(format!("the commands could not be registered in Discord: {said}")))
}

/// Tells Discord where commands and presses are to be sent. It tries the address, so the bot must be there.
///
/// # Errors
/// When the bot does not answer there as Discord wants it.
pub(super) async fn save_url(discord: &DiscordSandbox, bot: &str) -> io::Result<()> {
    let url = format!("{bot}/discord/interactions");
    discord.save_interactions_url(&url).await.map_err(|refused| io::Error::other(refused.to_string()))
}

/// The bot's variables.
pub(super) fn environment(discord: &DiscordSandbox) -> BTreeMap<String, String> {
    let variables = [("DISCORD_TOKEN", BOT_TOKEN.to_owned()), ("DISCORD_PUBLIC_KEY", discord.public_key())];
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The section of the configuration.
pub(super) fn section(chat: ChatOption, api_url: &str) -> String {
    let options = DiscordOptions::new(BOT_TOKEN);
    let mode = if chat == ChatOption::DiscordHttp { "http" } else { "gateway" };
    format!(
        "[discord]\nmode = \"{mode}\"\napplication_id = \"{}\"\nguild_id = \"{}\"\napi_url = \"{api_url}\"\n",
        options.application_id, options.guild
    )
}

/// The id of somebody. None: nobody is called so.
pub(super) fn account(name: &str) -> Option<String> {
    let users = DiscordOptions::new(BOT_TOKEN).users;
    users.into_iter().find(|user| user.name == name).map(|user| user.id)
}
