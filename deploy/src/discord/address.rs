//! Where the gateway is, as the REST API says it.

use super::{Discord, DiscordError, Gateway, GatewayAddress, GatewayBot, NoAddress, Resume};
use async_trait::async_trait;
use secrecy::SecretString;

impl Discord {
    /// Listens to Discord for as long as what is given is held. Must be called inside of a Tokio runtime.
    #[must_use]
    pub fn open_gateway(&self, token: &SecretString, intents: u64, resume: Option<Resume>) -> Gateway {
        Gateway::open(self.clone(), token, intents, resume)
    }
}

#[async_trait]
impl GatewayAddress for Discord {
    async fn gateway(&self) -> Result<GatewayBot, NoAddress> {
        Self::gateway(self).await.map_err(|error| NoAddress {
            reason: error.to_string(),
            retry_after: error.retry_after(),
            // Only somebody who runs the bot can put a token right.
            is_passing: !matches!(error, DiscordError::BadToken),
        })
    }

    fn is_local(&self) -> bool {
        self.is_on_this_machine()
    }
}
