//! The bot: engine, store, chats, web, configuration, command line.

pub mod assemble;
pub mod audit_log;
pub mod by_hand;
mod bypasses;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod config;
pub mod configuration;
pub mod dry;
pub mod engine;
pub mod executor;
pub mod flow;
pub mod logging;
pub mod members;
pub mod outside;
pub mod policies;
pub mod probe;
pub mod readiness;
mod rest;
pub mod serve;
pub mod setup;
pub mod slack_app;
pub mod standing;
pub mod store;
pub mod timekeeper;
pub mod web;
