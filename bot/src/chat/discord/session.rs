//! The session with Discord, written down beside what comes in: a store that is slow holds up no answer.

use super::show::DiscordChat;
use crate::rest;
use crate::store::{GatewaySession, Store, StoreError};
use slipway_deploy::discord::{Gateway, Resume};
use tokio::sync::watch;
use tracing::error;

/// Writes down how far the session is. Only the newest counts: what was not yet written of an older one never is.
pub(super) struct SessionKeeper(watch::Sender<Option<GatewaySession>>);

impl SessionKeeper {
    /// Begins to write, until it is dropped.
    pub(super) fn start(store: Store, application: String) -> Self {
        let (newest, seen) = watch::channel(None);
        tokio::spawn(write_each(store, application, seen));
        Self(newest)
    }

    /// What the gateway has acknowledged so far is to be kept.
    pub(super) fn keep(&self, gateway: &Gateway) {
        let Some(Resume { session_id: session, seq, resume_url }) = gateway.session() else { return };
        let Ok(seq) = i64::try_from(seq) else { return };
        self.0.send_replace(Some(GatewaySession { session, seq, resume_url }));
    }

    /// There is no session any more.
    pub(super) fn over(&self) {
        self.0.send_replace(None);
    }
}

async fn write_each(store: Store, application: String, mut seen: watch::Receiver<Option<GatewaySession>>) {
    while seen.changed().await.is_ok() {
        loop {
            let newest = seen.borrow_and_update().clone();
            let Err(error) = write(&store, &application, newest).await else { break };
            error!(%error, "the session with Discord could not be kept");
            tokio::time::sleep(rest::AFTER_FAILURE).await;
        }
    }
}

async fn write(store: &Store, application: &str, session: Option<GatewaySession>) -> Result<(), StoreError> {
    match session {
        Some(session) => store.gateway_session_put(DiscordChat::PLATFORM, application, &session).await,
        None => store.gateway_session_over(DiscordChat::PLATFORM).await,
    }
}
