//! The bot: engine, store, chats, web, configuration, command line.

pub mod cli;
pub mod config;
pub mod logging;
pub mod probe;
