//! What the app may do, and where.

/// See a channel at all.
pub const VIEW_CHANNEL: u64 = 1 << 10;
/// Write in it.
pub const SEND_MESSAGES: u64 = 1 << 11;
/// Write what has embeds.
pub const EMBED_LINKS: u64 = 1 << 14;
/// Read what was written.
pub const READ_MESSAGE_HISTORY: u64 = 1 << 16;
/// Put the first emoji of a kind under a message.
pub const ADD_REACTIONS: u64 = 1 << 6;
/// Call everybody.
pub const MENTION_EVERYONE: u64 = 1 << 17;
/// Begin a thread.
pub const CREATE_PUBLIC_THREADS: u64 = 1 << 35;
/// Write in one.
pub const SEND_MESSAGES_IN_THREADS: u64 = 1 << 38;
/// Open and close those of others.
pub const MANAGE_THREADS: u64 = 1 << 34;
/// Everything, whatever a channel says.
pub const ADMINISTRATOR: u64 = 1 << 3;

/// What the app's own role allows it at first.
pub(super) const NEEDED: u64 = VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | READ_MESSAGE_HISTORY
    | ADD_REACTIONS
    | CREATE_PUBLIC_THREADS
    | SEND_MESSAGES_IN_THREADS
    | MANAGE_THREADS;
/// What everybody may.
pub(super) const EVERYONE: u64 = VIEW_CHANNEL | SEND_MESSAGES | READ_MESSAGE_HISTORY | ADD_REACTIONS;
