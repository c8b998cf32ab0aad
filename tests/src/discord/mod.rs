//! A strict small model of Discord: its REST API, its gateway, interactions to the app, and the side of the people.
//! What it knows of is kept in memory.
//!
//! One file a family of calls and a line in `rest::routes::ROUTES`; one file a kind of body in `check`.

mod check;
mod delivery;
mod draft;
mod events;
mod fault;
mod findings;
pub mod gateway;
mod hooks;
mod http_delivery;
mod human_http;
mod interaction;
mod look;
mod message;
mod notified;
mod options;
mod payload;
mod people;
pub mod permission;
mod place;
mod plain;
mod rate;
mod refusal;
mod rest;
mod server;
mod shapes;
mod signing;
mod snowflake;
mod state;
mod transcript;
mod world;

pub use crate::deliveries::Order;
pub use delivery::{Delivery, DeliveryAnswer, Mischief};
pub use fault::{Fault, FaultKind};
pub use notified::Notified;
pub use options::{
    Clock, DiscordChannel, DiscordLimits, DiscordMode, DiscordOptions, DiscordRole, DiscordUser, Window,
};
pub use people::{Did, Refused};

use std::fmt;
use std::io;
use std::sync::Arc;

/// A running stand-in. It stops when the last clone is dropped.
#[derive(Clone)]
pub struct DiscordSandbox {
    /// Where its API is: `http://127.0.0.1:PORT`, without `/api/v10`.
    pub api_url: String,
    /// Where its gateway is: `ws://127.0.0.1:PORT/gateway`.
    pub gateway_url: String,
    shared: Arc<server::Shared>,
    /// None: for use inside of the server itself, which must not keep itself running.
    _server: Option<Arc<server::Running>>,
}

impl fmt::Debug for DiscordSandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiscordSandbox").field("api_url", &self.api_url).finish_non_exhaustive()
    }
}

impl DiscordSandbox {
    /// Starts it on a free loopback port.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start(options: DiscordOptions) -> io::Result<Self> {
        let (shared, running) = server::start(options).await?;
        Ok(Self { _server: Some(Arc::new(running)), ..Self::inside(shared) })
    }

    fn inside(shared: Arc<server::Shared>) -> Self {
        Self { api_url: shared.base.clone(), gateway_url: shared.gateway_url.clone(), shared, _server: None }
    }

    /// Where the page of the people is: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn page_url(&self) -> &str {
        &self.shared.base
    }
}
