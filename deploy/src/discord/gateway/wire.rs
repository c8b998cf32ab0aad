//! What carries the gateway's frames: a connection with bounds. It comes from reqwest, so that it goes through a proxy
//! and trusts what the rest of Slipway trusts.

use super::ending::Ending;
use futures::{SinkExt as _, StreamExt as _};
use reqwest::header::{self, HeaderValue};
use reqwest::{StatusCode, Url};
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// How long a frame of ours may take to leave.
const SEND_TIMEOUT_S: u64 = 10;
/// How long a farewell may take to leave.
const CLOSE_TIMEOUT_S: u64 = 1;
/// Largest frame, and largest message of several frames: a big guild with its channels and roles is one.
const MESSAGE_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// How much of ours may wait to leave.
const WAITING_LIMIT_BYTES: usize = 1024 * 1024;
/// Closes a connection of a session that goes on: 1000 and 1001 would end it.
const GOES_ON: u16 = 4000;

/// Makes connections.
#[derive(Debug, Default)]
pub(super) struct Connector {
    http: Option<reqwest::Client>,
}

impl Connector {
    fn client(&mut self, within: Duration) -> Result<reqwest::Client, reqwest::Error> {
        if let Some(http) = &self.http {
            return Ok(http.clone());
        }
        crate::install_crypto_provider();
        let http = reqwest::Client::builder()
            .connect_timeout(within)
            .timeout(within)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("slipway")
            // A connection that becomes a socket cannot be HTTP/2.
            .http1_only()
            .build()?;
        Ok(self.http.insert(http).clone())
    }

    /// Connects to `url`, which [`super::address::socket_url`] made.
    pub(super) async fn connect(&mut self, url: Url, within: Duration) -> Result<Wire, Ending> {
        let client = self.client(within).map_err(lost)?;
        let key = generate_key();
        let request = client.get(url).header(header::CONNECTION, "Upgrade").header(header::UPGRADE, "websocket");
        let request = request.header(header::SEC_WEBSOCKET_VERSION, "13").header(header::SEC_WEBSOCKET_KEY, &key);
        let response = request.send().await.map_err(lost)?;
        let agreed = response.headers().get(header::SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
        match response.status() {
            StatusCode::SWITCHING_PROTOCOLS if agreed == Some(derive_accept_key(key.as_bytes()).as_bytes()) => {}
            other => {
                let wait_s =
                    response.headers().get(header::RETRY_AFTER).and_then(|said| said.to_str().ok()?.parse().ok());
                let ending = Ending::lost(format!("the gateway opens no WebSocket ({})", other.as_u16()));
                return Err(ending.after(wait_s.map(Duration::from_secs)));
            }
        }
        let upgraded = response.upgrade().await.map_err(lost)?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_LIMIT_BYTES))
            .max_frame_size(Some(MESSAGE_LIMIT_BYTES))
            .max_write_buffer_size(WAITING_LIMIT_BYTES);
        Ok(Wire { stream: WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await })
    }
}

/// An open connection.
pub(super) struct Wire {
    stream: WebSocketStream<reqwest::Upgraded>,
}

impl Wire {
    /// The next text. May be given up at any moment without losing anything.
    pub(super) async fn next(&mut self) -> Result<String, Ending> {
        loop {
            match self.stream.next().await.unwrap_or(Err(Error::ConnectionClosed)).map_err(|error| over(&error))? {
                Message::Text(text) => return Ok(text.as_str().to_owned()),
                Message::Binary(_) => return Err(Ending::unusable("Discord sent a binary frame")),
                Message::Close(None) => return Err(Ending::closed(None, "")),
                Message::Close(Some(CloseFrame { code, reason })) => {
                    return Err(Ending::closed(Some(code.into()), reason.as_str()));
                }
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    pub(super) async fn send(&mut self, text: String) -> Result<(), Ending> {
        match timeout(Duration::from_secs(SEND_TIMEOUT_S), self.stream.send(Message::text(text))).await {
            Ok(sent) => sent.map_err(|error| over(&error)),
            Err(_) => Err(Ending::lost(format!("nothing could be sent for {SEND_TIMEOUT_S} s"))),
        }
    }

    /// Ends it in such a way that its session can go on.
    pub(super) async fn close(mut self) {
        let farewell = CloseFrame { code: CloseCode::from(GOES_ON), reason: "".into() };
        // Where nobody hears it the connection is over already.
        let _ = timeout(Duration::from_secs(CLOSE_TIMEOUT_S), self.stream.close(Some(farewell))).await;
    }
}

fn lost(error: reqwest::Error) -> Ending {
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    Ending::lost(format!("Discord's gateway cannot be reached ({innermost})"))
}

fn over(error: &Error) -> Ending {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => Ending::closed(None, ""),
        // The same frame would be as big again.
        Error::Capacity(_) | Error::Utf8(_) => {
            Ending::unusable(format!("a frame of Discord's cannot be read ({error})"))
        }
        other => Ending::lost(format!("the connection broke ({other})")),
    }
}
