//! `usergroups.*`: who is in a user group.

use super::arguments::Arguments;
use super::refusal::{Refusal, Reply};
use super::server::Shared;
use serde_json::json;

pub(super) fn users(shared: &Shared, arguments: &Arguments) -> Reply {
    let group = arguments.need("usergroup")?;
    // A disabled group is shown to those who ask for such, and the stand-in has none.
    arguments.flag("include_disabled")?;
    match shared.world().groups.get(group) {
        Some(users) => Ok(json!({ "users": users })),
        None => Err(Refusal::code("no_such_subteam")),
    }
}
