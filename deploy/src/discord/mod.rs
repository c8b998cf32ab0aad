//! Discord: messages, reactions, threads, commands, answers to interactions, and what comes in.
//!
//! Messages, forms and commands are built with serenity's builders. What carries them is ours (`client`, `gateway`), so
//! that a body has a bound, a call ends in time, nothing is sent twice, an event that cannot be read is not lost, and
//! what nobody has stored is not acknowledged.

mod buckets;
mod channels;
mod client;
mod commands;
mod error;
pub mod gateway;
mod guild;
mod interactions;
mod messages;
mod reactions;
mod render;
mod rendered;
mod signature;

pub use gateway::{Gateway, GatewayAddress, GatewayBot, GatewayEvent, GatewayPace, NoAddress, Resume};
