//! Whether the application at Discord is what Slipway needs: token, intents, where interactions go, the server, the
//! channels, and the registered commands.

mod app;
mod channels;
mod commands;

use super::ProbeResult;
#[cfg(test)]
use super::asked::shown;
use super::asked::{self, Row};
use crate::config::{Config, Secrets};
use slipway_deploy::discord::{Discord, DiscordError, Guild, Me};

/// What the application has to be allowed in each channel, and what for.
const NEEDED: [(u64, &str, &str); 6] = {
    use slipway_deploy::discord as bits;
    [
        (bits::VIEW_CHANNEL, "View Channel", "to see the channel"),
        (bits::SEND_MESSAGES, "Send Messages", "posts cards"),
        (bits::EMBED_LINKS, "Embed Links", "shows more than a card's first line"),
        (
            bits::READ_MESSAGE_HISTORY,
            "Read Message History",
            "finds a card after a crash, and reactions that were missed",
        ),
        (bits::CREATE_PUBLIC_THREADS, "Create Public Threads", "begins a card's thread"),
        (bits::SEND_MESSAGES_IN_THREADS, "Send Messages in Threads", "posts in it"),
    ]
};

/// The server, and what the application is in it.
struct Standing {
    guild: Guild,
    me: Me,
    roles: Vec<String>,
}

/// Everything about Discord, where it is switched on and there is a token. That one is missing is said with the other
/// variables.
pub async fn discord(config: &Config, secrets: &Secrets, client: Option<&Discord>) -> Vec<Row> {
    let (Some(section), Some(client)) = (&config.discord, client) else { return vec![] };
    let asked = within_limit(async { Ok((client.application().await?, client.me().await?)) });
    let (application, me) = match asked.await {
        Ok(known) => known,
        Err(failed) => return vec![("Discord".to_owned(), failed)],
    };
    let mut rows = app::identity(section, &application, &me);
    rows.extend(app::public_key(section, secrets.discord_public_key.as_ref(), &application));
    rows.push(app::intents(config, &application));
    rows.push(app::interactions(config, section, &application));
    let standing = match &section.guild_id {
        None => {
            let servers = within_limit(client.guilds()).await;
            let only =
                servers.as_ref().ok().and_then(|all| if let [(id, _)] = &all[..] { Some(id.clone()) } else { None });
            rows.push(app::servers(servers));
            match only {
                // The one that the bot takes for its own then.
                Some(guild) => match within_limit(standing(client, &guild, me)).await {
                    Ok(standing) => Some(standing),
                    Err(failed) => {
                        rows.push(("Discord server".to_owned(), failed));
                        None
                    }
                },
                None => None,
            }
        }
        Some(guild) => match within_limit(standing(client, guild, me)).await {
            Ok(standing) => {
                rows.push(("Discord server".to_owned(), ProbeResult::ok(format!("{} ({guild})", standing.guild.name))));
                Some(standing)
            }
            Err(failed) => {
                rows.push(("Discord server".to_owned(), app::not_in(&application.id, failed)));
                // Of its channels and commands nothing can be known either.
                return rows;
            }
        },
    };
    rows.extend(channels::channels(config, client, standing.as_ref()).await);
    rows.push(commands::commands(client, &application.id, section.guild_id.as_deref()).await);
    rows
}

async fn standing(client: &Discord, guild: &str, me: Me) -> Result<Standing, DiscordError> {
    let guild = client.guild(guild).await?;
    let roles = client.member_roles(&guild.id, &me.id).await?;
    Ok(Standing { guild, me, roles })
}

/// The errors say themselves how to mend it.
async fn within_limit<T>(asked: impl Future<Output = Result<T, DiscordError>>) -> Result<T, ProbeResult> {
    asked::within_limit("Discord", |error| ProbeResult::fail(error.for_operators(), ""), asked).await
}
