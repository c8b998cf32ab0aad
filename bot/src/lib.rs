//! The bot: engine, store, chats, web, configuration, command line.

pub mod config;
