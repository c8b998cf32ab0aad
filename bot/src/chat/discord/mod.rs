//! Discord. What comes in is `heard`, by HTTP (`web/discord.rs`) or over the `gateway`, and taken by the `intake`; what
//! goes out is `show`n.

mod callback;
mod gateway;
pub mod heard;
mod intake;
mod references;
mod reread;
mod session;
mod show;
mod suggest;
mod talk;
mod underway;
mod whisper;

pub use gateway::GatewayListener;
pub use intake::{Intake, Ours, Place};
pub use reread::DiscordReactions;
pub use show::DiscordChat;
pub use suggest::Suggestions;

use crate::rest;
use slipway_deploy::discord::{Discord, DiscordError};
use tracing::{info, warn};

/// The longest rest between two questions whose application this is.
const BACKOFF_LIMIT_MS: i64 = 30_000;

/// Asks Discord who the application is and where, until it answers.
pub async fn introduce(discord: &Discord, intake: &Intake) {
    let fails = |error: DiscordError| warn!(%error, "Discord does not say whose application this is");
    let (user, guilds) = rest::until_told(BACKOFF_LIMIT_MS, || who_and_where(discord), fails).await;
    info!(user, "Discord knows this application");
    intake.introduce(user, &guilds);
}

async fn who_and_where(discord: &Discord) -> Result<(String, Vec<String>), DiscordError> {
    let me = discord.me().await?;
    Ok((me.id, discord.guilds().await?.into_iter().map(|(id, _)| id).collect()))
}
