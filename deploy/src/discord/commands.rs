//! The registered commands.

use super::call::{Call, Part};
use super::{Discord, DiscordError};
use reqwest::Method;
use serde_json::Value;

/// The commands of all servers.
const EVERYWHERE: &str = "/applications/{}/commands";
/// The commands of one server.
const IN_GUILD: &str = "/applications/{}/guilds/{}/commands";
/// What errors are about.
const ABOUT: &str = "the app's commands";

impl Discord {
    /// The commands that are registered in a server, or everywhere.
    ///
    /// # Errors
    /// When Discord does not tell.
    pub async fn commands(&self, application: &str, guild: Option<&str>) -> Result<Vec<Value>, DiscordError> {
        let (template, parts) = address(application, guild);
        self.ask(Call::get(template, &parts).about(ABOUT)).await
    }

    /// Registers these commands in a server, or everywhere, and none else. To do it twice is the same as to do it once.
    ///
    /// # Errors
    /// When Discord refuses.
    pub async fn put_commands(
        &self,
        application: &str,
        guild: Option<&str>,
        commands: &[Value],
    ) -> Result<(), DiscordError> {
        let (template, parts) = address(application, guild);
        self.tell(Call::new(Method::PUT, template, &parts).with(commands).about(ABOUT)).await
    }
}

fn address<'a>(application: &'a str, guild: Option<&'a str>) -> (&'static str, Vec<Part<'a>>) {
    match guild {
        Some(guild) => (IN_GUILD, vec![Part::Id(application), Part::Id(guild)]),
        None => (EVERYWHERE, vec![Part::Id(application)]),
    }
}
