//! Socket Mode: a connection over which Slack says what happens, for a bot that nobody can reach over HTTP.
//!
//! Nothing is acknowledged by itself. Whoever reads an envelope stores it first and acknowledges it then, so that none
//! is lost between; what cannot be read stays with Slack, which sends it again.

use super::envelope::{acknowledgement, bad, read};
use super::refusal::shortened;
use super::{Slack, SlackError, SocketMessage, api_token};
use crate::loopback::is_plain_loopback;
use futures::{SinkExt as _, StreamExt as _};
use reqwest::Url;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// After so long without a frame the connection is dead: Slack pings every few seconds.
const SILENCE_LIMIT_S: u64 = 60;
/// How long a frame of ours may take to leave.
const SEND_TIMEOUT_S: u64 = 10;
/// Largest frame, and largest message of several frames.
const MESSAGE_LIMIT_BYTES: usize = 1024 * 1024;
/// How much of ours may wait to leave.
const WAITING_LIMIT_BYTES: usize = 2 * 1024 * 1024;

/// What a connection runs over.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// An open Socket Mode connection. It ends when it is dropped.
pub struct Socket {
    stream: WebSocketStream<Box<dyn Wire>>,
    heard: Instant,
    silence_limit: Duration,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Deserialize)]
struct Opened {
    url: String,
}

impl Slack {
    /// Opens a Socket Mode connection with an app-level token (`xapp-…`, scope `connections:write`). Slack says
    /// [`SocketMessage::Hello`] first. An app may have 10 at a time.
    ///
    /// # Errors
    /// When Slack gives no address, gives one that is not encrypted (unless the API itself is at a plain loopback
    /// address, as the stand-in is), or the connection does not come about in time.
    pub async fn open_socket(&self, app_token: &SecretString) -> Result<Socket, SlackError> {
        let refused = |code: &str| SlackError::BadAppToken { code: code.to_owned() };
        let token = api_token(app_token).ok_or_else(|| refused("not a token"))?;
        let session = self.client.open_session(&token);
        let opened = session.http_session_api.http_post("apps.connections.open", &Nothing {}, None).await;
        let Opened { url } = opened.map_err(|error| match SlackError::from_client("app", error) {
            SlackError::BadCredentials { code } => refused(&code),
            SlackError::MissingScope { .. } => refused("missing_scope"),
            other => other,
        })?;
        let stream = self.connector().upgrade(socket_url(&url, self.connector().api_url())?).await?;
        Ok(Socket::over(Box::new(stream), Duration::from_secs(SILENCE_LIMIT_S)).await)
    }
}

impl Socket {
    /// `wire` is a connection that both sides have agreed to use as a WebSocket.
    async fn over(wire: Box<dyn Wire>, silence_limit: Duration) -> Self {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_LIMIT_BYTES))
            .max_frame_size(Some(MESSAGE_LIMIT_BYTES))
            .max_write_buffer_size(WAITING_LIMIT_BYTES);
        let stream = WebSocketStream::from_raw_socket(wire, Role::Client, Some(config)).await;
        Self { stream, heard: Instant::now(), silence_limit }
    }

    /// The next thing that Slack says. May be given up at any moment without losing anything; Slack's pings are
    /// answered only while somebody waits here, so wait again soon.
    ///
    /// # Errors
    /// [`SlackError::BadEnvelope`] for what cannot be read: it is not acknowledged, and the connection goes on. With
    /// any other error the connection is over, after a minute without a sign of life too.
    pub async fn next(&mut self) -> Result<SocketMessage, SlackError> {
        loop {
            let Ok(frame) = timeout_at(self.heard + self.silence_limit, self.stream.next()).await else {
                let reason = format!("nothing came for {} s", self.silence_limit.as_secs());
                return Err(SlackError::SocketClosed { reason });
            };
            let frame = frame.unwrap_or(Err(Error::ConnectionClosed)).map_err(|error| over(&error))?;
            self.heard = Instant::now();
            match frame {
                Message::Text(text) => return read(&text),
                Message::Binary(_) => return Err(bad("a binary frame")),
                Message::Close(close) => {
                    let reason = close.map_or_else(String::new, |close| format!(", {} {}", close.code, close.reason));
                    return Err(SlackError::SocketClosed { reason: shortened(&format!("Slack closed it{reason}")) });
                }
                // A ping is answered when the next frame is waited for.
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Acknowledges an envelope, with an answer where the envelope takes one. Must not be given up halfway.
    ///
    /// # Errors
    /// When it does not get away; the connection is over then, and Slack sends the envelope again.
    pub async fn acknowledge(&mut self, envelope_id: &str, payload: Option<Value>) -> Result<(), SlackError> {
        let text = acknowledgement(envelope_id, payload)?;
        match timeout(Duration::from_secs(SEND_TIMEOUT_S), self.stream.send(Message::text(text))).await {
            Ok(sent) => sent.map_err(|error| over(&error)),
            Err(_) => Err(SlackError::SocketClosed { reason: format!("nothing could be sent for {SEND_TIMEOUT_S} s") }),
        }
    }
}

fn over(error: &Error) -> SlackError {
    let reason = match error {
        Error::ConnectionClosed | Error::AlreadyClosed => "Slack closed it".to_owned(),
        other => shortened(&other.to_string()),
    };
    SlackError::SocketClosed { reason }
}

/// The address to connect to, in the form of HTTP. It holds a ticket and is a secret.
fn socket_url(given: &str, api_url: &str) -> Result<Url, SlackError> {
    let refused = || SlackError::NotSlacks { what: "The address of the Socket Mode connection".to_owned() };
    let mut url = Url::parse(given).map_err(|_| refused())?;
    let local = Url::parse(api_url).is_ok_and(|api| is_plain_loopback(&api, "http"));
    let scheme = match url.scheme() {
        "wss" => "https",
        "ws" if local && is_plain_loopback(&url, "ws") => "http",
        _ => return Err(refused()),
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.host_str().is_some();
    if !plain || url.set_scheme(scheme).is_err() {
        return Err(refused());
    }
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::super::Envelope;
    use super::*;
    use tokio::io::DuplexStream;

    const LOCAL: &str = "http://127.0.0.1:4010/api";

    /// Slack's end of a connection, and ours.
    async fn pair(silence_limit: Duration) -> (WebSocketStream<DuplexStream>, Socket) {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let slack = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
        (slack, Socket::over(Box::new(ours), silence_limit).await)
    }

    fn long() -> Duration {
        Duration::from_secs(SILENCE_LIMIT_S)
    }

    fn closed(result: Result<SocketMessage, SlackError>) -> String {
        match result {
            Err(SlackError::SocketClosed { reason }) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_comes_is_acknowledged_when_it_is_asked_for_and_not_before() {
        let (mut slack, mut socket) = pair(long()).await;
        slack.send(Message::text(r#"{"type":"hello"}"#)).await.unwrap();
        slack.send(Message::text(r#"{"type":"interactive","envelope_id":"bad"}"#)).await.unwrap();
        slack.send(Message::text(r#"{"type":"events_api","envelope_id":"e1","payload":{}}"#)).await.unwrap();
        assert_eq!(socket.next().await, Ok(SocketMessage::Hello));
        assert!(matches!(socket.next().await, Err(SlackError::BadEnvelope { .. })));
        let Ok(SocketMessage::Envelope(Envelope { id, .. })) = socket.next().await else { panic!("no envelope") };
        socket.acknowledge(&id, None).await.unwrap();
        assert_eq!(slack.next().await.unwrap().unwrap(), Message::text(r#"{"envelope_id":"e1"}"#));
    }

    #[tokio::test]
    async fn a_ping_is_answered_while_something_is_waited_for() {
        let (mut slack, mut socket) = pair(long()).await;
        let theirs = async {
            slack.send(Message::Ping("Ping from applink-1".into())).await.unwrap();
            let answer = slack.next().await.unwrap().unwrap();
            slack.send(Message::text(r#"{"type":"disconnect","reason":"refresh_requested"}"#)).await.unwrap();
            answer
        };
        let (answer, said) = tokio::join!(theirs, socket.next());
        assert_eq!(answer, Message::Pong("Ping from applink-1".into()));
        assert_eq!(said, Ok(SocketMessage::Disconnect { reason: "refresh_requested".into() }));
    }

    #[tokio::test]
    async fn silence_is_noticed_and_asking_often_does_not_hide_it() {
        let (_slack, mut socket) = pair(Duration::from_millis(20)).await;
        let asked_often = async {
            loop {
                if let Ok(result) = timeout(Duration::from_millis(2), socket.next()).await {
                    break result;
                }
            }
        };
        let result = timeout(Duration::from_secs(5), asked_often).await.expect("silence was not noticed");
        assert_eq!(closed(result), "nothing came for 0 s");
    }

    #[tokio::test]
    async fn what_waits_is_read_even_when_nobody_asked_for_long() {
        let (mut slack, mut socket) = pair(Duration::ZERO).await;
        slack.send(Message::text(r#"{"type":"hello"}"#)).await.unwrap();
        assert_eq!(socket.next().await, Ok(SocketMessage::Hello));
    }

    #[tokio::test]
    async fn the_end_is_told() {
        let (mut slack, mut socket) = pair(long()).await;
        slack.close(None).await.unwrap();
        assert_eq!(closed(socket.next().await), "Slack closed it");
        let (slack, mut socket) = pair(long()).await;
        drop(slack);
        assert!(!closed(socket.next().await).is_empty());
        assert!(socket.acknowledge("e", None).await.is_err());
    }

    #[tokio::test]
    async fn too_big_a_message_is_not_read() {
        let (mut slack, mut socket) = pair(long()).await;
        let big = Message::text("x".repeat(MESSAGE_LIMIT_BYTES + 1));
        let result = tokio::select! {
            result = socket.next() => result,
            sent = slack.send(big) => panic!("it was taken: {sent:?}"),
        };
        assert!(closed(result).contains("too long"));
        let (mut slack, mut socket) = pair(long()).await;
        slack.send(Message::binary(vec![1])).await.unwrap();
        slack.send(Message::text(r#"{"type":"hello"}"#)).await.unwrap();
        assert!(matches!(socket.next().await, Err(SlackError::BadEnvelope { .. })));
        assert_eq!(socket.next().await, Ok(SocketMessage::Hello));
    }

    #[test]
    fn the_address_is_encrypted_unless_all_is_on_this_machine() {
        let with = |url, api| socket_url(url, api).map(String::from);
        let given = "wss://wss-primary.slack.com/link/?ticket=hunter2&app_id=A1";
        let expected = "https://wss-primary.slack.com/link/?ticket=hunter2&app_id=A1";
        assert_eq!(with(given, "https://slack.com/api").as_deref(), Ok(expected));
        assert_eq!(with("ws://127.0.0.1:4010/link", LOCAL).as_deref(), Ok("http://127.0.0.1:4010/link"));
        assert_eq!(with("ws://[::1]:4010/link", "http://localhost:1/api").as_deref(), Ok("http://[::1]:4010/link"));
        let refused = [
            ("ws://wss-primary.slack.com/link/?ticket=hunter2", "https://slack.com/api"),
            ("ws://127.0.0.1:4010/link", "https://slack.com/api"),
            ("ws://127.0.0.1:4010/link", "http://slack.example/api"),
            ("ws://127.0.0.1:4010/link", "https://127.0.0.1:4010/api"),
            ("ws://slack.example/link?ticket=hunter2", LOCAL),
            ("ws://127.0.0.1.slack.example/link", LOCAL),
            ("https://slack.com/link", LOCAL),
            ("wss://u:hunter2@slack.com/link", LOCAL),
            ("wss://", LOCAL),
            ("", LOCAL),
        ];
        for (url, api) in refused {
            let error = with(url, api).unwrap_err();
            assert!(matches!(error, SlackError::NotSlacks { .. }), "{url}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}
