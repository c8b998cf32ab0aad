//! The client: one exchange each, with bounds.

use super::buckets::{Buckets, Route, Told};
use super::call::Call;
use super::{DiscordError, Me};
use crate::loopback::is_plain_loopback;
use reqwest::{StatusCode, Url, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

/// How long a connection may take to open.
const CONNECT_TIMEOUT_S: u64 = 5;
/// How long a whole exchange may take.
const REQUEST_TIMEOUT_S: u64 = 10;
/// How much of an answer is read: a page of a hundred cards or a thousand members is more than a mebibyte.
const BODY_LIMIT_BYTES: usize = 8 * 1024 * 1024;
/// The part of the address that names the version of the API.
const VERSION: [&str; 2] = ["api", "v10"];
/// Discord wants bots to call themselves so.
const USER_AGENT: &str = concat!("DiscordBot (https://slipway.invalid, ", env!("CARGO_PKG_VERSION"), ")");

/// A client of Discord's REST API. Cheap to clone.
#[derive(Clone)]
pub struct Discord {
    inner: Arc<Inner>,
    request_timeout: Duration,
}

struct Inner {
    http: reqwest::Client,
    /// With the version.
    api: Url,
    /// As the header has it.
    token: header::HeaderValue,
    buckets: Mutex<Buckets>,
    me: OnceCell<Me>,
    /// The direct conversations that were opened, by person.
    direct: Mutex<HashMap<String, String>>,
}

impl fmt::Debug for Discord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discord").finish_non_exhaustive()
    }
}

impl Discord {
    /// A client of the API at `api_url` (`https://discord.com`) with a bot token. Nothing is sent yet.
    ///
    /// # Errors
    /// When the address or the token cannot be one, or no HTTP client can be made.
    pub fn new(api_url: &str, token: &SecretString) -> Result<Self, DiscordError> {
        crate::install_crypto_provider();
        let mut api =
            api_address(api_url).ok_or(DiscordError::NotDiscords { what: "The address in `[discord] api_url`" })?;
        if let Ok(mut path) = api.path_segments_mut() {
            path.pop_if_empty().extend(VERSION);
        }
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(CONNECT_TIMEOUT_S))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(USER_AGENT)
            .build()
            .map_err(|error| DiscordError::Unreachable { detail: error.to_string() })?;
        let token = token_header(token).ok_or(DiscordError::BadToken)?;
        let inner =
            Inner { http, api, token, buckets: Mutex::default(), me: OnceCell::new(), direct: Mutex::default() };
        Ok(Self { inner: Arc::new(inner), request_timeout: Duration::from_secs(REQUEST_TIMEOUT_S) })
    }

    /// The same client with another limit for a whole exchange than 10 s.
    #[must_use]
    pub fn with_request_timeout(self, request_timeout: Duration) -> Self {
        Self { request_timeout, ..self }
    }

    /// Whether the API is on this machine and spoken to without TLS, as stand-ins are. Only then may a token go anywhere
    /// in the clear.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_plain_loopback(&self.inner.api, "http")
    }

    /// How long to wait before such a call, as far as the answers until now tell; none when it may be made.
    #[must_use]
    pub fn wait(&self, route: Route<'_>) -> Option<Duration> {
        self.buckets().wait(&route.kind(), Instant::now()).map(|wait| wait.length)
    }

    /// Asks for something.
    pub(super) async fn ask<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, DiscordError> {
        let body = self.exchange(call).await?;
        // The crate's words may hold parts of the answer.
        serde_json::from_slice(&body).map_err(|error| DiscordError::Unreadable {
            detail: format!("it has another form than documented, at line {} column {}", error.line(), error.column()),
        })
    }

    /// Has something done, whatever the answer tells of it.
    pub(super) async fn tell(&self, call: Call<'_>) -> Result<(), DiscordError> {
        self.exchange(call).await.map(drop)
    }

    async fn exchange(&self, call: Call<'_>) -> Result<Vec<u8>, DiscordError> {
        let url = call.url(&self.inner.api)?;
        let kind = call.kind();
        self.buckets()
            .begin(&kind, Instant::now())
            .map_err(|wait| DiscordError::RateLimited { retry_after: wait.length, is_global: wait.is_global })?;
        let mut request = self.inner.http.request(call.method().clone(), url).timeout(self.request_timeout);
        if !call.is_answer() {
            request = request.header(header::AUTHORIZATION, self.inner.token.clone());
        }
        if let Some(body) = call.body() {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| self.lost(error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = self.body(response).await;
        let told = Told::read(status, &headers, body.as_deref().unwrap_or_default());
        self.buckets().learn(&kind, &told, Instant::now());
        if let Some(limited) = told.error() {
            return Err(limited);
        }
        if status.is_success() { body } else { Err(refusal(&call, status, &body?)) }
    }

    async fn body(&self, mut response: reqwest::Response) -> Result<Vec<u8>, DiscordError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.lost(error))? {
            if body.len() + chunk.len() > BODY_LIMIT_BYTES {
                return Err(DiscordError::TooBig { detail: format!("over {BODY_LIMIT_BYTES} bytes") });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn lost(&self, error: reqwest::Error) -> DiscordError {
        if error.is_timeout() && !error.is_connect() {
            return DiscordError::Slow { limit_ms: self.request_timeout.as_millis() };
        }
        // The address may hold the token of an interaction.
        let error = error.without_url();
        let mut innermost: &dyn std::error::Error = &error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        DiscordError::Unreachable { detail: innermost.to_string() }
    }

    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.inner.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn direct(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.inner.direct.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose token it is, asked once: a token does not change its owner.
    pub(super) async fn myself(&self) -> Result<&Me, DiscordError> {
        self.inner.me.get_or_try_init(|| self.me()).await
    }
}

fn refusal(call: &Call<'_>, status: StatusCode, body: &[u8]) -> DiscordError {
    match DiscordError::from_answer(call.place(), status, body) {
        // No token of ours was sent with it.
        DiscordError::BadToken if call.is_answer() => DiscordError::AnswersUsedUp,
        other => other,
    }
}

/// The API's origin, as configured.
fn api_address(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let possible = matches!(url.scheme(), "http" | "https") && url.fragment().is_none();
    (plain && possible).then_some(url)
}

/// A token as it is sent, if it can be one. A line end is what a file leaves behind.
fn token_header(token: &SecretString) -> Option<header::HeaderValue> {
    let token = token.expose_secret().trim();
    let possible = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    let mut value = header::HeaderValue::from_str(&format!("Bot {token}")).ok().filter(|_| possible)?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::super::call::Part;
    use super::super::served::{Says, TOKEN, refuses, says, served};
    use super::*;
    use serde_json::{Value, json};

    fn said(status: u16, headers: &'static str, body: &str) -> Says {
        Says { status, headers, body: body.to_owned() }
    }

    #[tokio::test]
    async fn a_call_says_who_asks_and_an_answer_does_not() {
        let (discord, seen) = served([says(&json!({})), says(&Value::Null)]).await;
        let done = discord.ask::<Value>(Call::get("/gateway/bot", &[]).query("a b", "&=")).await;
        assert_eq!(done, Ok(json!({})));
        let parts = [Part::Id("41"), Part::Token("hunter3")];
        discord.tell(Call::post("/webhooks/{}/{}", &parts, json!({ "a": 1 }))).await.unwrap();
        let seen = seen.await.unwrap();
        assert_eq!([&*seen[0].line, &seen[1].line], ["GET /gateway/bot?a+b=%26%3D", "POST /webhooks/41/hunter3"]);
        assert!(seen[0].head.contains(&format!("authorization: bot {}", TOKEN.to_lowercase())), "{}", seen[0].head);
        assert!(seen[0].head.contains("user-agent: discordbot (https://"), "{}", seen[0].head);
        assert!(!seen[1].head.contains("authorization"), "{}", seen[1].head);
        assert_eq!(seen[1].body, json!({ "a": 1 }));
    }

    #[tokio::test]
    async fn what_was_refused_once_is_not_sent_again_before_its_time() {
        let limited = said(429, "retry-after: 3600\r\n", r#"{"message":"x","retry_after":3599.5,"global":false}"#);
        let (discord, seen) = served([limited, says(&json!({}))]).await;
        let parts = [Part::Id("41")];
        let post = || discord.tell(Call::post("/channels/{}/messages", &parts, json!({})));
        let first = post().await.unwrap_err();
        let retry_after = Duration::from_millis(3_599_500);
        assert_eq!(first, DiscordError::RateLimited { retry_after, is_global: false });
        let second = post().await.unwrap_err().retry_after().unwrap();
        assert!(second <= retry_after && second > retry_after / 2, "{second:?}");
        assert_eq!(discord.clone().wait(Route::Post("41")).map(|wait| wait > retry_after / 2), Some(true));
        assert_eq!(discord.wait(Route::Edit("41")), None);
        // The server takes this one as the second.
        discord.tell(Call::post("/channels/{}/messages", &[Part::Id("42")], json!({}))).await.unwrap();
        assert_eq!(seen.await.unwrap()[1].line, "POST /channels/42/messages");
    }

    #[tokio::test]
    async fn a_failed_call_is_made_once_and_redirects_lead_nowhere() {
        let answers = [
            said(302, "location: https://evil.example/\r\n", ""),
            said(503, "", "<html>"),
            said(200, "", "<html>hunter3"),
            refuses(401, 0),
        ];
        let (discord, seen) = served(answers).await;
        let mut told = Vec::new();
        for _ in 0..4 {
            told.push(discord.ask::<Value>(Call::get("/users/@me", &[])).await.unwrap_err().to_string());
        }
        expect_test::expect![[r#"
            Discord refused this (302, 0: Found).
            Discord has trouble of its own (503). Try again, or look at discordstatus.com.
            Discord's answer cannot be used: it has another form than documented, at line 1 column 1.
            Discord does not accept the token. Set DISCORD_TOKEN to the bot token of the application (Developer Portal, Bot)."#]].assert_eq(&told.join("\n"));
        assert_eq!(seen.await.unwrap().len(), 4);
    }

    #[tokio::test]
    async fn who_does_not_answer_is_not_waited_for_and_who_says_too_much_is_not_heard() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", silent.local_addr().unwrap());
        let discord = Discord::new(&origin, &TOKEN.into()).unwrap().with_request_timeout(Duration::from_millis(50));
        let parts = [Part::Id("41"), Part::Token("hunter3")];
        let ask = || discord.tell(Call::post("/webhooks/{}/{}", &parts, Value::Null));
        assert_eq!(ask().await, Err(DiscordError::Slow { limit_ms: 50 }));
        drop(silent);
        let error = ask().await.unwrap_err();
        assert!(matches!(error, DiscordError::Unreachable { .. }), "{error:?}");
        assert!(!format!("{error} {error:?} {discord:?}").contains("hunter"), "{error:?} {discord:?}");
        let (discord, _) = served([says(&"x".repeat(BODY_LIMIT_BYTES).into())]).await;
        let error = discord.tell(Call::get("/users/@me", &[])).await.unwrap_err();
        assert!(matches!(error, DiscordError::TooBig { .. }), "{error:?}");
    }

    #[test]
    fn only_what_is_on_this_machine_and_in_the_clear_is_local() {
        let is_local = |url: &str| Discord::new(url, &TOKEN.into()).unwrap().is_local();
        for url in ["http://127.0.0.1:4010", "http://[::1]:4010/", "http://localhost"] {
            assert!(is_local(url), "{url}");
        }
        for url in ["https://127.0.0.1:4010", "http://10.0.0.1", "http://localhost.example", "https://discord.com"] {
            assert!(!is_local(url), "{url}");
        }
    }

    #[test]
    fn an_address_or_a_token_that_can_be_none_is_refused_at_once() {
        let made =
            |url: &str, token: &str| Discord::new(url, &token.into()).map(|discord| discord.inner.api.to_string());
        assert_eq!(made("https://discord.com", TOKEN).as_deref(), Ok("https://discord.com/api/v10"));
        assert_eq!(made("http://127.0.0.1:4010/\n", "a\n").as_deref(), Ok("http://127.0.0.1:4010/api/v10"));
        let urls = [
            "",
            "discord.com",
            "ftp://discord.com",
            "https://u:hunter2@discord.com",
            "https://discord.com?a",
            "data:x",
        ];
        for url in urls {
            let error = made(url, TOKEN).unwrap_err();
            assert!(matches!(error, DiscordError::NotDiscords { .. }), "{url}");
            assert!(!error.to_string().contains("hunter2"));
        }
        for token in ["", " \n", "a b", "ä", "a\r\nx: y"] {
            assert_eq!(made("https://discord.com", token), Err(DiscordError::BadToken), "{token}");
        }
    }
}
