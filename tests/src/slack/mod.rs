//! A strict small model of Slack: its Web API, Block Kit, deliveries to the app over HTTP and Socket Mode, and the side
//! of the people. What it knows of is kept in memory.
//!
//! One file a family of methods and a line in `server::METHODS`; one file a kind of block and a line in `blocks::KINDS`.

mod apps;
mod arguments;
mod auth;
mod blocks;
mod chat;
mod conversations;
mod delivery;
mod fault;
mod form;
mod groups;
mod hooks;
mod http_delivery;
mod human;
mod human_http;
mod lines;
mod look;
mod message;
mod notified;
mod options;
mod outcome;
mod payload;
mod rate;
mod reactions;
mod refusal;
mod response_url;
mod server;
mod signing;
mod socket;
mod state;
mod time;
mod transcript;
mod view;
mod world;
mod written;

pub use crate::deliveries::Order;
pub use delivery::{Delivery, DeliveryAnswer, DeliveryKind, Mischief};
pub use fault::{Fault, FaultKind};
pub use human::{Did, Refused};
pub use notified::Notified;
pub use options::{Clock, SlackChannel, SlackCommand, SlackLimits, SlackMode, SlackOptions, SlackUser};
pub use signing::signature;

use std::fmt;
use std::io;
use std::sync::Arc;

/// The app as a bot.
const BOT_ID: &str = "B0SLIPWAY";
/// Who speaks when Slack itself does.
const SLACKBOT: &str = "USLACKBOT";

/// A running stand-in. It stops when the last clone is dropped.
#[derive(Clone)]
pub struct SlackSandbox {
    /// Where its API is: `http://127.0.0.1:PORT/api`.
    pub api_url: String,
    shared: Arc<server::Shared>,
    /// None: for use inside of the server itself, which must not keep itself running.
    _server: Option<Arc<server::Running>>,
}

impl fmt::Debug for SlackSandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlackSandbox").field("api_url", &self.api_url).finish_non_exhaustive()
    }
}

impl SlackSandbox {
    /// Starts it on a free loopback port.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start(options: SlackOptions) -> io::Result<Self> {
        let (shared, running) = server::start(options).await?;
        Ok(Self { api_url: shared.api_url.clone(), shared, _server: Some(Arc::new(running)) })
    }

    fn inside(shared: Arc<server::Shared>) -> Self {
        Self { api_url: shared.api_url.clone(), shared, _server: None }
    }

    /// Where the page of the people is: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn page_url(&self) -> &str {
        &self.shared.base
    }
}
