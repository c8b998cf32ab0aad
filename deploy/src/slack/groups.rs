//! Who is in a user group.

use super::{Slack, SlackError};
use slack_morphism::SlackUserGroupId;
use slack_morphism::api::SlackApiUserGroupsUsersListRequest;
use std::collections::BTreeSet;

/// Most members of a group: Slack gives them all at once.
const MEMBERS_LIMIT: usize = 1_000;
/// Longest id of a user.
const ID_LIMIT_BYTES: usize = 20;

impl Slack {
    /// The ids of the users in a user group (`S0614TZR7`), all of them. Needs the scope `usergroups:read`. A disabled
    /// group is one that is not there.
    ///
    /// # Errors
    /// When Slack does not tell; [`SlackError::TooBig`] beyond 1,000 members.
    pub async fn group_members(&self, group: &str) -> Result<BTreeSet<String>, SlackError> {
        let request = SlackApiUserGroupsUsersListRequest::new(SlackUserGroupId(group.to_owned()));
        let answer = self.session().usergroups_users_list(&request).await;
        let users = answer.map_err(|error| SlackError::from_client(&format!("user group {group}"), error))?.users;
        if users.len() > MEMBERS_LIMIT {
            return Err(SlackError::TooBig { detail: format!("over {MEMBERS_LIMIT} members of user group {group}") });
        }
        let members: BTreeSet<_> = users.into_iter().map(|user| user.0).collect();
        match members.iter().find(|id| !is_id(id)) {
            Some(_) => Err(SlackError::Unreadable { detail: format!("user group {group} has a member without an id") }),
            None => Ok(members),
        }
    }
}

fn is_id(text: &str) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    plain && (1..=ID_LIMIT_BYTES).contains(&text.len())
}
