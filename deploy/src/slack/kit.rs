//! Slack's blocks, views and ids as types, so that whoever makes them needs no crate for it.

pub use slack_morphism::blocks::*;
pub use slack_morphism::{
    SlackActionId, SlackAppId, SlackCallbackId, SlackChannelId, SlackConversationId, SlackDateTime, SlackTeamId,
    SlackTs, SlackUserGroupId, SlackUserId, SlackViewId,
};
