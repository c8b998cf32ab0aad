//! The reactions under a message, as Discord tells them.

use super::heard::reaction_name;
use super::intake::Intake;
use super::show::DiscordChat;
use crate::chat::entrance::Entrance;
use crate::chat::place::address;
use crate::chat::reread::{LookError, Reactions, There};
use async_trait::async_trait;
use slipway_core::person::Identity;
use slipway_deploy::discord::{Discord, DiscordError};
use std::sync::Arc;

/// Discord, asked for reactions.
#[derive(Debug)]
pub struct DiscordReactions {
    discord: Discord,
    intake: Arc<Intake>,
}

impl DiscordReactions {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(discord: Discord, intake: Arc<Intake>) -> Self {
        Self { discord, intake }
    }
}

#[async_trait]
impl Reactions for DiscordReactions {
    fn platform(&self) -> &'static str {
        DiscordChat::PLATFORM
    }

    fn entrance(&self) -> &Entrance {
        &self.intake.entrance
    }

    /// Discord says no time of reactions: ours is that of their arrival.
    fn clocks_differ_us(&self) -> i64 {
        0
    }

    async fn there(&self, channel: &str, message: &str) -> Result<There, LookError> {
        let Some((channel, id)) = address(channel, message) else {
            return Err(LookError::Never("nobody knows where in Discord it is".to_owned()));
        };
        let mut there = There::default();
        for reaction in self.discord.message_reactions(channel, id).await.map_err(failed)? {
            let name = reaction_name(&reaction.emoji);
            let Some(stance) = self.intake.stance(&name) else { continue };
            let users = match self.discord.reactors(channel, id, &reaction.emoji).await {
                Ok(users) => users,
                Err(DiscordError::TooBig { .. }) => {
                    there.incomplete.insert(name);
                    continue;
                }
                Err(error) => return Err(failed(error)),
            };
            there.votes.extend(users.into_iter().map(|user| (Identity::Discord(user), stance, name.clone())));
        }
        Ok(there)
    }
}

fn failed(error: DiscordError) -> LookError {
    let what = error.to_string();
    if error.is_passing() { LookError::Later(what) } else { LookError::Never(what) }
}
