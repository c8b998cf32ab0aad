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

#[cfg(test)]
mod tests {
    use super::super::{Overwrite, Role};
    use super::*;

    fn guild(everybodys: u64) -> Guild {
        let role = |id: &str, permissions| Role { id: id.into(), name: id.into(), permissions };
        let roles = vec![role("1", everybodys), role("2", EMBED_LINKS), role("3", ADMINISTRATOR), role("4", 0)];
        Guild { id: "1".into(), name: "Acme".into(), owner_id: "9".into(), roles }
    }

    fn over(id: &str, is_role: bool, allow: u64, deny: u64) -> Overwrite {
        Overwrite { id: id.into(), is_role, allow, deny }
    }

    fn channel(overwrites: Vec<Overwrite>) -> Channel {
        let (guild_id, parent_id, name) = (Some("1".into()), None, None);
        Channel { id: "5".into(), kind: 0, guild_id, parent_id, name, overwrites }
    }

    #[test]
    fn a_server_adds_up_the_roles() {
        let guild = guild(VIEW_CHANNEL);
        let cases: [(&str, &[&str], u64); 6] = [
            ("8", &[], VIEW_CHANNEL),
            ("8", &["1"], VIEW_CHANNEL),
            ("8", &["2", "4"], VIEW_CHANNEL | EMBED_LINKS),
            ("8", &["unknown"], VIEW_CHANNEL),
            ("8", &["3"], u64::MAX),
            ("9", &[], u64::MAX),
        ];
        for (member, roles, expected) in cases {
            let roles: Vec<String> = roles.iter().map(|&role| role.into()).collect();
            assert_eq!(permissions(&guild, None, member, &roles), expected, "{member} {roles:?}");
        }
    }

    #[test]
    fn a_channel_changes_it_from_the_general_to_the_particular() {
        const A: u64 = SEND_MESSAGES;
        let guild = guild(VIEW_CHANNEL | A);
        let all = VIEW_CHANNEL | A;
        let cases: [(&str, &[&str], Vec<Overwrite>, u64); 13] = [
            ("8", &[], vec![], all),
            ("8", &[], vec![over("1", true, 0, A)], VIEW_CHANNEL),
            ("8", &[], vec![over("1", true, ADD_REACTIONS, A)], VIEW_CHANNEL | ADD_REACTIONS),
            // A role that the member has not, and another member.
            ("8", &[], vec![over("4", true, 0, A), over("7", false, 0, A)], all),
            // Overwrites of roles come after everybody's, in whatever order they are told.
            ("8", &["4"], vec![over("4", true, A, 0), over("1", true, 0, A)], all),
            ("8", &["4"], vec![over("4", true, 0, A), over("1", true, A, 0)], VIEW_CHANNEL),
            // Among roles what is allowed wins.
            ("8", &["2", "4"], vec![over("2", true, A, 0), over("4", true, 0, A)], all | EMBED_LINKS),
            ("8", &["4", "2"], vec![over("4", true, 0, A), over("2", true, A, 0)], all | EMBED_LINKS),
            // The member's own comes last.
            ("8", &["4"], vec![over("8", false, 0, A), over("4", true, A, 0)], VIEW_CHANNEL),
            ("8", &["4"], vec![over("8", false, A, 0), over("4", true, 0, A)], all),
            // An id is a role's or a member's, whatever it looks like.
            ("8", &["4"], vec![over("8", true, 0, A), over("4", false, 0, A), over("1", false, 0, A)], all),
            ("8", &["3"], vec![over("1", true, 0, A), over("8", false, 0, A)], u64::MAX),
            ("9", &[], vec![over("9", false, 0, A)], u64::MAX),
        ];
        for (member, roles, overwrites, expected) in cases {
            let roles: Vec<String> = roles.iter().map(|&role| role.into()).collect();
            let channel = channel(overwrites);
            let allowed = permissions(&guild, Some(&channel), member, &roles);
            assert_eq!(allowed, expected, "{member} {roles:?} {:?}", channel.overwrites);
        }
    }

    #[test]
    fn an_overwrite_makes_nobody_an_administrator() {
        let channel = channel(vec![over("8", false, ADMINISTRATOR, 0)]);
        assert_eq!(permissions(&guild(0), Some(&channel), "8", &[]), ADMINISTRATOR);
    }
}
