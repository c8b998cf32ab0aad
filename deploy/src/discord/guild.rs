//! Guilds: members, roles, and the app itself.
