//! The sessions with the gateways of chats.

use super::{Store, StoreError, sql};
use sqlx::Row as _;

/// Where a session goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewaySession {
    /// Its id, as the chat names it.
    pub session: String,
    /// The newest event that is durable.
    pub seq: i64,
    /// Where it is taken up again.
    pub resume_url: String,
}

impl Store {
    /// The session of an application with the gateway of a chat.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn gateway_session(
        &self,
        platform: &str,
        application: &str,
    ) -> Result<Option<GatewaySession>, StoreError> {
        let row = sqlx::query(sql::GATEWAY_SESSION).bind(platform).bind(application).fetch_optional(&self.read).await?;
        Ok(row.map(|row| GatewaySession { session: row.get(0), seq: row.get(1), resume_url: row.get(2) }))
    }

    /// Keeps it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn gateway_session_put(
        &self,
        platform: &str,
        application: &str,
        session: &GatewaySession,
    ) -> Result<(), StoreError> {
        let GatewaySession { session, seq, resume_url } = session;
        let put = sqlx::query(sql::GATEWAY_SESSION_PUT).bind(platform).bind(application).bind(session);
        put.bind(seq).bind(resume_url).execute(&self.write).await?;
        Ok(())
    }

    /// It cannot be taken up again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn gateway_session_over(&self, platform: &str) -> Result<(), StoreError> {
        sqlx::query(sql::GATEWAY_SESSION_OVER).bind(platform).execute(&self.write).await?;
        Ok(())
    }
}
