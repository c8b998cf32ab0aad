//! Where the gateway is, and how often one may begin there.

use crate::loopback::is_loopback;
use async_trait::async_trait;
use reqwest::Url;
use std::time::Duration;
use thiserror::Error;

/// What `GET /gateway/bot` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayBot {
    /// `wss://gateway.discord.gg`.
    pub url: String,
    /// How many sessions may still be begun.
    pub remaining: u32,
    /// After so long there are all of them again.
    pub reset_after: Duration,
    /// How many sessions may be begun in 5 s.
    pub max_concurrency: u32,
}

/// Why there is no address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct NoAddress {
    /// A sentence for people, without secrets.
    pub reason: String,
    /// When Discord will listen again, if it said so.
    pub retry_after: Option<Duration>,
    /// Whether it can go by itself. A wrong token does not.
    pub is_passing: bool,
}

/// Whoever knows where the gateway is.
#[async_trait]
pub trait GatewayAddress: Send + Sync {
    /// Asks Discord.
    ///
    /// # Errors
    /// When it does not say.
    async fn gateway(&self) -> Result<GatewayBot, NoAddress>;

    /// Whether the API itself is at a plain loopback address, as the stand-in is. Only then may the gateway be, too.
    fn is_local(&self) -> bool {
        false
    }
}

/// The address to connect to, in the form of HTTP. None: a token must not be sent there.
pub(super) fn socket_url(given: &str, local: bool) -> Option<Url> {
    let mut url = Url::parse(given).ok()?;
    let scheme = match url.scheme() {
        "wss" => "https",
        "ws" if local && is_loopback(&url) => "http",
        _ => return None,
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.host_str().is_some();
    if !plain || url.set_scheme(scheme).is_err() {
        return None;
    }
    url.set_fragment(None);
    url.query_pairs_mut().clear().append_pair("v", "10").append_pair("encoding", "json");
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_encrypted_unless_all_is_on_this_machine() {
        let with = |url, local| socket_url(url, local).map(String::from);
        let asked = "?v=10&encoding=json";
        for (given, local, expected) in [
            ("wss://gateway.discord.gg", false, "https://gateway.discord.gg/"),
            (
                "wss://gateway-us-east1-b.discord.gg/?v=9&compress=zlib-stream#x",
                true,
                "https://gateway-us-east1-b.discord.gg/",
            ),
            ("ws://127.0.0.1:4010/gateway", true, "http://127.0.0.1:4010/gateway"),
            ("ws://[::1]:4010/gateway", true, "http://[::1]:4010/gateway"),
            ("ws://localhost/", true, "http://localhost/"),
        ] {
            assert_eq!(with(given, local), Some(format!("{expected}{asked}")), "{given}");
        }
        for (given, local) in [
            ("ws://gateway.discord.gg", false),
            ("ws://gateway.discord.gg", true),
            ("ws://127.0.0.1:4010/gateway", false),
            ("ws://127.0.0.1.discord.example/", true),
            ("https://gateway.discord.gg", true),
            ("wss://u:p@gateway.discord.gg", false),
            ("wss://", false),
            ("", true),
        ] {
            assert_eq!(with(given, local), None, "{given}");
        }
    }
}
