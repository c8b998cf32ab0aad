//! A strict small model of Slack's Web API over HTTP. What it knows of is kept in memory.
//!
//! One file a family of methods, and a line in `server::METHODS`.

mod arguments;
mod auth;
mod groups;
mod server;
mod world;

pub use world::{Fault, FaultKind};

use std::fmt;
use std::io;
use std::sync::Arc;

/// What the stand-in serves.
#[derive(Clone, Debug)]
pub struct SlackOptions {
    /// The one token that is accepted.
    pub token: String,
    /// The workspace.
    pub team_id: String,
    /// The app.
    pub app_id: String,
    /// The app's user in the workspace.
    pub bot_user: String,
    /// What the app may do at first.
    pub scopes: Vec<String>,
}

impl SlackOptions {
    /// An app that was given what Slipway needs.
    #[must_use]
    pub fn new(token: &str) -> Self {
        Self {
            token: token.to_owned(),
            team_id: "T9TK3CUKW".to_owned(),
            app_id: "A0KRD7HC3".to_owned(),
            bot_user: "U0SLIPWAY".to_owned(),
            scopes: vec!["chat:write".to_owned(), "usergroups:read".to_owned()],
        }
    }
}

/// A running stand-in. It stops when the last clone is dropped.
#[derive(Clone)]
pub struct SlackSandbox {
    /// Where its API is: `http://127.0.0.1:PORT/api`.
    pub api_url: String,
    shared: Arc<server::Shared>,
    _server: Arc<server::Running>,
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
        Ok(Self { api_url: shared.api_url.clone(), shared, _server: Arc::new(running) })
    }

    /// Every call so far as `METHOD name?arguments`, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.shared.world().calls.clone()
    }

    /// Who is in a user group from now on, by user ids.
    pub fn set_group(&self, id: &str, users: &[&str]) {
        let users = users.iter().map(|user| (*user).to_owned()).collect();
        self.shared.world().groups.insert(id.to_owned(), users);
    }

    /// Nobody finds the user group any more.
    pub fn disable_group(&self, id: &str) {
        self.shared.world().groups.remove(id);
    }

    /// What the app may do from now on.
    pub fn set_scopes(&self, scopes: &[&str]) {
        self.shared.world().scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    }

    /// The app is taken out of the workspace.
    pub fn revoke_token(&self) {
        self.shared.world().revoked = true;
    }

    /// Makes calls fail from now on.
    pub fn inject(&self, fault: Fault) {
        self.shared.world().faults.push(fault);
    }

    /// No call fails any more that was to.
    pub fn heal(&self) {
        self.shared.world().faults.clear();
    }
}
