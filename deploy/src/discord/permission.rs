//! Who may do what where.

use super::{Channel, Guild};

/// To put reactions on messages.
pub const ADD_REACTIONS: u64 = 1 << 6;
/// To do everything everywhere.
pub const ADMINISTRATOR: u64 = 1 << 3;
/// To begin threads.
pub const CREATE_PUBLIC_THREADS: u64 = 1 << 35;
/// To post embeds.
pub const EMBED_LINKS: u64 = 1 << 14;
/// To unarchive threads that are locked.
pub const MANAGE_THREADS: u64 = 1 << 34;
/// To read messages that were posted before.
pub const READ_MESSAGE_HISTORY: u64 = 1 << 16;
/// To post.
pub const SEND_MESSAGES: u64 = 1 << 11;
/// To post in threads.
pub const SEND_MESSAGES_IN_THREADS: u64 = 1 << 38;
/// To see a channel at all.
pub const VIEW_CHANNEL: u64 = 1 << 10;

/// What a member with these roles may do in the channel, or in the server as a whole. A thread has its parent's
/// overwrites: give the parent.
#[must_use]
pub fn permissions(guild: &Guild, channel: Option<&Channel>, member: &str, roles: &[String]) -> u64 {
    if guild.owner_id == member {
        return u64::MAX;
    }
    let has = |id: &str| roles.iter().any(|role| role == id);
    // The role that everybody has is called like the server.
    let held = guild.roles.iter().filter(|role| role.id == guild.id || has(&role.id));
    let base = held.fold(0, |all, role| all | role.permissions);
    if base & ADMINISTRATOR != 0 {
        return u64::MAX;
    }
    let Some(channel) = channel else { return base };
    // Everybody's overwrite comes first, then those of the roles as one, then the member's own.
    let changed = |allowed: u64, applies: &dyn Fn(&str, bool) -> bool| {
        let overwrites = channel.overwrites.iter().filter(|overwrite| applies(&overwrite.id, overwrite.is_role));
        let (allow, deny) = overwrites.fold((0, 0), |(allow, deny), one| (allow | one.allow, deny | one.deny));
        (allowed & !deny) | allow
    };
    let everybodys = changed(base, &|id, is_role| is_role && id == guild.id);
    let of_roles = changed(everybodys, &|id, is_role| is_role && id != guild.id && has(id));
    changed(of_roles, &|id, is_role| !is_role && id == member)
}
