//! The reactions under a message, as Slack tells them.

use super::SlackChat;
use super::intake::Intake;
use crate::chat::entrance::Entrance;
use crate::chat::place::address;
use crate::chat::reread::{LookError, Reactions, There};
use async_trait::async_trait;
use slipway_core::person::Identity;
use slipway_deploy::slack::{Slack, SlackError};
use std::sync::Arc;

/// How far Slack's clock may be behind ours.
const CLOCKS_DIFFER_US: i64 = 300_000_000;

/// Slack, asked for reactions.
#[derive(Debug)]
pub struct SlackReactions {
    slack: Slack,
    intake: Arc<Intake>,
}

impl SlackReactions {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(slack: Slack, intake: Arc<Intake>) -> Self {
        Self { slack, intake }
    }
}

#[async_trait]
impl Reactions for SlackReactions {
    fn platform(&self) -> &'static str {
        SlackChat::PLATFORM
    }

    fn entrance(&self) -> &Entrance {
        &self.intake.entrance
    }

    fn clocks_differ_us(&self) -> i64 {
        CLOCKS_DIFFER_US
    }

    async fn there(&self, channel: &str, message: &str) -> Result<There, LookError> {
        let Some((id, ts)) = address(channel, message) else {
            return Err(LookError::Never("nobody knows where in Slack it is".to_owned()));
        };
        let mut there = There::default();
        for reaction in self.slack.reactions(id, ts).await.map_err(failed)? {
            let Some(stance) = self.intake.stance(&reaction.name) else { continue };
            if reaction.count > reaction.users.len() as u64 {
                there.incomplete.insert(reaction.name.clone());
            }
            let vote = |user| (Identity::Slack(user), stance, reaction.name.clone());
            there.votes.extend(reaction.users.into_iter().map(vote));
        }
        Ok(there)
    }
}

fn failed(error: SlackError) -> LookError {
    let what = error.to_string();
    if error.is_passing() { LookError::Later(what) } else { LookError::Never(what) }
}
