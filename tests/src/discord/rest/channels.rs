//! Channels, and conversations with one person.

use super::call::Call;
use crate::discord::findings::Findings;
use crate::discord::refusal::{Answer, Refusal, Reply};
use crate::discord::server::Shared;
use crate::discord::shapes;
use std::sync::Arc;

pub(super) fn get(shared: &Arc<Shared>, call: &Call) -> Reply {
    let world = shared.world();
    let place = world.seen_by_bot(call.at("channel"))?;
    Ok(Answer::ok(shapes::channel(&world, &place)))
}

/// Opens one also with whom nothing can be sent: only sending shows that.
pub(super) fn direct(shared: &Arc<Shared>, call: &Call) -> Reply {
    let mut world = shared.world();
    let mut findings = Findings::default();
    findings.unknown_members("", &call.body, &["recipient_id"]);
    let user = call.body["recipient_id"].as_str().unwrap_or_default().to_owned();
    if user.is_empty() {
        findings.missing("recipient_id");
    }
    findings.done()?;
    if user == world.bot_user {
        return Err(Refusal::new(403, 50_007, "Cannot send messages to this user"));
    }
    let id = world.direct(&user).ok_or_else(|| Refusal::unknown(10_013))?;
    let place = world.place(&id).ok_or_else(Refusal::channel)?;
    Ok(Answer::ok(shapes::channel(&world, &place)))
}
