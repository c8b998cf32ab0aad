//! Discord: messages, reactions, threads, commands, answers to interactions, and what comes in.
//!
//! Messages, forms and commands are built with serenity's builders. What carries them is ours (`client`, `gateway`), so
//! that a body has a bound, a call ends in time, nothing is sent twice, an event that cannot be read is not lost, and
//! what nobody has stored is not acknowledged.

mod address;
mod buckets;
mod call;
mod channels;
mod client;
mod commands;
mod error;
pub mod gateway;
mod guild;
mod interactions;
mod messages;
pub mod permission;
mod reactions;
mod refusal;
mod registration;
mod render;
mod rendered;
#[cfg(test)]
mod served;
mod signature;
mod snowflake;

pub use buckets::Route;
pub use channels::{Channel, Overwrite};
pub use client::Discord;
pub use error::DiscordError;
pub use gateway::{
    DIRECT_MESSAGE_REACTIONS, DIRECT_MESSAGES, GUILD_MESSAGE_REACTIONS, GUILD_MESSAGES, GUILDS, Gateway,
    GatewayAddress, GatewayBot, GatewayEvent, GatewayPace, NoAddress, Resume,
};
pub use guild::{Application, Guild, Me, Role};
pub use messages::Posted;
pub use permission::{
    ADD_REACTIONS, ADMINISTRATOR, CREATE_PUBLIC_THREADS, EMBED_LINKS, MANAGE_THREADS, READ_MESSAGE_HISTORY,
    SEND_MESSAGES, SEND_MESSAGES_IN_THREADS, VIEW_CHANNEL, permissions,
};
pub use reactions::Reaction;
pub use registration::{Change, CommandChange, changes, registration};
pub use render::{Pressed, custom_id, form_of, modal, pressed, render};
pub use rendered::{Rendered, marker};
pub use signature::{BadSignature, verify};
pub use snowflake::created_at;
