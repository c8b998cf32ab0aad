//! The outside: GitHub, Slack, Discord, the image registry, what runs the image, configuration secrets, databases and health
//! checks. One trait per kind of thing, with an `observe` beside each `apply`. No decisions are made here.

pub mod aws;
pub mod bot_api;
pub mod config_store;
pub mod database;
pub mod discord;
pub mod github;
pub mod health;
mod loopback;
pub mod redact;
pub mod slack;
pub mod target;
mod text;

/// What is logged unless somebody asks for more. Where the AWS SDK looks for credentials and does not find them it tells at
/// length each time; the request that lacks them says so in a sentence.
pub const LOG_FILTER: &str = "aws_config=error,info";

/// Chooses the TLS implementation for the whole process: the dependency graph has two and rustls refuses to
/// pick one by itself. Call it first thing in `main` and in each test that builds a client; more calls do nothing.
pub fn install_crypto_provider() {
    // An error means that another call was first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
