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
use slipway_deploy::slack::Slack;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

/// The longest rest between two questions whose app this is.
const BACKOFF_LIMIT_MS: i64 = 30_000;

/// Asks Slack whose app this is until it answers.
pub async fn introduce(slack: Slack, intake: Arc<Intake>) {
    let mut failures = 0;
    loop {
        match slack.whoami().await {
            Ok(bot) => {
                info!(team = bot.team_id, user = bot.user_id, "Slack knows this app");
                return intake.introduce(bot.app_id, bot.team_id, bot.user_id);
            }
            Err(error) => {
                warn!(%error, "Slack does not say whose app this is");
                let rest_ms = rest::backoff_ms(failures, BACKOFF_LIMIT_MS);
                failures += 1;
                tokio::time::sleep(Duration::from_millis(rest_ms.unsigned_abs())).await;
            }
        }
    }
}
