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
const ABOUT: &str = "the application's commands";

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

#[cfg(test)]
mod tests {
    use super::super::served::{says, served};
    use serde_json::json;

    #[tokio::test]
    async fn commands_are_read_and_replaced_in_a_server_or_everywhere() {
        let deploy = json!({ "id": "46", "name": "deploy", "type": 1 });
        let (discord, seen) =
            served([json!([deploy]), json!([]), json!([deploy]), json!([])].each_ref().map(says)).await;
        assert_eq!(discord.commands("7", Some("1")).await, Ok(vec![deploy]));
        assert_eq!(discord.commands("7", None).await, Ok(vec![]));
        discord.put_commands("7", Some("1"), &[json!({ "name": "deploy" })]).await.unwrap();
        discord.put_commands("7", None, &[]).await.unwrap();
        let lines: Vec<_> = seen.await.unwrap().iter().map(|seen| format!("{} {}", seen.line, seen.body)).collect();
        expect_test::expect![[r#"
            GET /applications/7/guilds/1/commands null
            GET /applications/7/commands null
            PUT /applications/7/guilds/1/commands [{"name":"deploy"}]
            PUT /applications/7/commands []"#]]
        .assert_eq(&lines.join("\n"));
    }
}
