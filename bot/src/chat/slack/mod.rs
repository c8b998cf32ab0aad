//! Slack. What comes in is `heard`, by HTTP (`web/slack.rs`) or Socket Mode (`socket`), and taken by the `intake`; what
//! goes out is `show`n.

pub mod heard;
mod intake;
mod pace;
mod reread;
mod show;
mod socket;
mod words;

pub use intake::{Intake, Ours, Taken};
pub use reread::SlackReactions;
pub use show::SlackChat;
pub use socket::SocketMode;

use crate::rest;
use slipway_deploy::slack::{Slack, SlackError};
use std::sync::Arc;
use tracing::{info, warn};

/// The longest rest between two questions whose app this is.
const BACKOFF_LIMIT_MS: i64 = 30_000;

/// Asks Slack whose app this is until it answers.
pub async fn introduce(slack: Slack, intake: Arc<Intake>) {
    let fails = |error: SlackError| warn!(%error, "Slack does not say whose app this is");
    let bot = rest::until_told(BACKOFF_LIMIT_MS, || slack.whoami(), fails).await;
    info!(team = bot.team_id, user = bot.user_id, "Slack knows this app");
    intake.introduce(bot.app_id, bot.team_id, bot.user_id);
}
