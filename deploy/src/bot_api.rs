//! The API of a running bot, for those commands that ask it for something.

use reqwest::Url;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use thiserror::Error;

/// How long the bot may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum BotApiError {
    /// Nobody answers there.
    #[error("the bot does not answer at {address}: {reason}. Is `slipway serve` running there?")]
    Unreachable {
        /// Where.
        address: String,
        /// Why, without the token.
        reason: String,
    },
    /// It was reached, and its answer takes too long.
    #[error(
        "the bot did not answer within {} s; it may still be at it: `slipway policy reload` again tells",
        .limit.as_secs()
    )]
    Slow {
        /// How long it had.
        limit: Duration,
    },
    /// Something answers that is not the bot.
    #[error("what answers at {address} is not the bot: status {status}")]
    NotTheBot {
        /// Where.
        address: String,
        /// Its status.
        status: u16,
    },
}

/// Posts to a path of the API of the bot that listens there. Gives the status and the JSON that it answered.
///
/// # Errors
/// When there is no answer, or none in JSON.
pub async fn post(listen: SocketAddr, token: &str, path: &str) -> Result<(u16, Value), BotApiError> {
    post_within(ANSWER_LIMIT, listen, token, path).await
}

async fn post_within(
    limit: Duration,
    listen: SocketAddr,
    token: &str,
    path: &str,
) -> Result<(u16, Value), BotApiError> {
    crate::install_crypto_provider();
    let address = reachable(listen);
    let unreachable = |error: reqwest::Error| BotApiError::Unreachable {
        address: address.to_string(),
        reason: error.without_url().to_string(),
    };
    let unanswered = |error: reqwest::Error| {
        let is_slow = error.is_timeout() && !error.is_connect();
        if is_slow { BotApiError::Slow { limit } } else { unreachable(error) }
    };
    let url = Url::parse(&format!("http://{address}{path}"))
        .map_err(|error| BotApiError::Unreachable { address: address.to_string(), reason: error.to_string() })?;
    let client = reqwest::Client::builder().timeout(limit).no_proxy().build().map_err(unreachable)?;
    let answer = client.post(url).bearer_auth(token).send().await.map_err(unanswered)?;
    let status = answer.status().as_u16();
    let body = answer.text().await.map_err(unanswered)?;
    let parsed = serde_json::from_str(&body);
    // The API says in plain text that a token is wrong.
    let said =
        parsed.or_else(|error| if status == 401 || status == 403 { Ok(Value::String(body)) } else { Err(error) });
    Ok((status, said.map_err(|_| BotApiError::NotTheBot { address: address.to_string(), status })?))
}

/// Where to call a bot that listens on all addresses of this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bot_that_takes_its_time_is_not_taken_for_one_that_does_not_run() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap();
        let ask =
            async || post_within(Duration::from_millis(300), address, "token", "/x").await.unwrap_err().to_string();
        let said = ask().await;
        assert!(said.starts_with("the bot did not answer within 0 s; it may still be at it"), "{said}");
        drop(silent);
        let said = ask().await;
        assert!(said.contains("Is `slipway serve` running there?"), "{said}");
    }
}
