//! What carries slack-morphism's calls: one exchange each, with bounds.

use super::error::SlackError;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{RequestBuilder, StatusCode, Url, header};
use serde::{Deserialize, Serialize};
use slack_morphism::errors::{
    SlackClientApiError, SlackClientError, SlackClientHttpError, SlackClientSystemError, SlackRateLimitError,
    map_serde_error,
};
use slack_morphism::multipart_form::FileMultipartData;
use slack_morphism::{
    ClientResult, SlackApiToken, SlackClientApiCallContext, SlackClientHttpConnector, SlackClientId, SlackClientSecret,
    SlackEnvelopeMessage,
};
use std::time::Duration;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// How long a connection may take to open.
const CONNECT_TIMEOUT_S: u64 = 5;
/// How much of an answer is read.
const BODY_LIMIT_BYTES: usize = 1024 * 1024;
/// How much of a page of messages is read: a hundred cards come near 1 MiB.
const PAGE_LIMIT_BYTES: usize = 8 * 1024 * 1024;

/// An HTTP client that knows where Slack is.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    http: reqwest::Client,
    api_url: String,
    request_timeout: Duration,
}

impl Connector {
    pub(super) fn new(api_url: &str, request_timeout: Duration) -> Result<Self, SlackError> {
        crate::install_crypto_provider();
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(CONNECT_TIMEOUT_S))
            .timeout(request_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("slipway")
            // A connection that becomes a socket cannot be HTTP/2.
            .http1_only()
            .build()
            .map_err(|error| SlackError::Unreachable { detail: error.to_string() })?;
        Ok(Self { http, api_url: api_url.trim_end_matches('/').to_owned(), request_timeout })
    }

    /// Where the API is, as configured.
    pub(super) fn api_url(&self) -> &str {
        &self.api_url
    }

    /// One exchange, whatever the status, but for 429.
    async fn receive(&self, request: RequestBuilder, body_limit_bytes: usize) -> ClientResult<Answer> {
        let mut response = request.send().await.map_err(|error| self.lost(error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.lost(error))? {
            if body.len() + chunk.len() > body_limit_bytes {
                return Err(ours(SlackError::TooBig { detail: format!("over {body_limit_bytes} bytes") }));
            }
            body.extend_from_slice(&chunk);
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(limited(&headers));
        }
        Ok(Answer { status, headers, body })
    }

    async fn exchange<RS>(&self, request: RequestBuilder, token: Option<&SlackApiToken>) -> ClientResult<RS>
    where
        RS: for<'de> Deserialize<'de>,
    {
        let request = match token {
            Some(token) => request.bearer_auth(&token.token_value.0),
            None => request,
        };
        self.receive(request, BODY_LIMIT_BYTES).await?.read()
    }

    /// Asks one of the API's methods, and gives the answer with its headers. Takes bigger answers than the other ways:
    /// a page of messages is one.
    pub(super) async fn get<RS>(
        &self,
        method: &str,
        params: &[(&str, &str)],
        token: &SlackApiToken,
        about: &str,
    ) -> Result<(RS, HeaderMap), SlackError>
    where
        RS: for<'de> Deserialize<'de>,
    {
        let asked = async {
            let mut url = self.create_method_uri_path(method)?;
            if !params.is_empty() {
                url.query_pairs_mut().extend_pairs(params);
            }
            let request = self.http.get(url).bearer_auth(&token.token_value.0);
            let answer = self.receive(request, PAGE_LIMIT_BYTES).await?;
            Ok((answer.read()?, answer.headers))
        };
        asked.await.map_err(|error| SlackError::from_client(about, error))
    }

    /// Posts JSON to an address that need not be the API's, without a token. Gives the status and the body.
    pub(super) async fn post_elsewhere(
        &self,
        url: Url,
        body: &impl Serialize,
        about: &str,
    ) -> Result<(u16, Vec<u8>), SlackError> {
        let received = self.receive(self.http.post(url).json(body), BODY_LIMIT_BYTES).await;
        let answer = received.map_err(|error| SlackError::from_client(about, error))?;
        Ok((answer.status.as_u16(), answer.body))
    }

    /// Turns an HTTP connection to `url` into one that carries a WebSocket. The address alone says who asks.
    pub(super) async fn upgrade(&self, url: Url) -> Result<reqwest::Upgraded, SlackError> {
        let told = |error| SlackError::from_client("app", error);
        let key = generate_key();
        let request = self.http.get(url).header(header::CONNECTION, "Upgrade").header(header::UPGRADE, "websocket");
        let request = request.header(header::SEC_WEBSOCKET_VERSION, "13").header(header::SEC_WEBSOCKET_KEY, &key);
        let response = request.send().await.map_err(|error| told(self.lost(error)))?;
        let agreed = response.headers().get(header::SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
        match response.status() {
            StatusCode::SWITCHING_PROTOCOLS if agreed == Some(derive_accept_key(key.as_bytes()).as_bytes()) => {
                response.upgrade().await.map_err(|error| told(self.lost(error)))
            }
            StatusCode::SWITCHING_PROTOCOLS => {
                Err(SlackError::Unreadable { detail: "it agrees to another connection than was asked for".to_owned() })
            }
            StatusCode::TOO_MANY_REQUESTS => Err(told(limited(response.headers()))),
            other => Err(SlackError::Server { status: other.as_u16() }),
        }
    }

    fn lost(&self, error: reqwest::Error) -> SlackClientError {
        if error.is_timeout() {
            return ours(SlackError::Slow { limit_ms: self.request_timeout.as_millis() });
        }
        let error = error.without_url();
        let mut innermost: &dyn std::error::Error = &error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        ours(SlackError::Unreachable { detail: innermost.to_string() })
    }
}

/// What came back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    /// Slack answers 200 to nearly everything and says in the body whether it did what it was asked.
    fn read<RS: for<'de> Deserialize<'de>>(&self) -> ClientResult<RS> {
        if self.status != StatusCode::OK {
            return Err(SlackClientError::HttpError(SlackClientHttpError::new(self.status)));
        }
        let body = &self.body;
        let envelope: SlackEnvelopeMessage =
            serde_json::from_slice(body).map_err(|error| map_serde_error(error, None))?;
        if envelope.ok && envelope.error.is_none() {
            return serde_json::from_slice(body).map_err(|error| map_serde_error(error, None));
        }
        let code = envelope.error.unwrap_or_else(|| "unknown".to_owned());
        let said = String::from_utf8_lossy(body).into_owned();
        Err(SlackClientError::ApiError(SlackClientApiError::new(code).with_http_response_body(said)))
    }
}

fn limited(headers: &HeaderMap) -> SlackClientError {
    let wait_s = headers.get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let limited = SlackRateLimitError::new().opt_retry_after(wait_s.map(Duration::from_secs));
    SlackClientError::RateLimitError(limited)
}

/// An error of ours, on its way through the crate.
fn ours(error: SlackError) -> SlackClientError {
    SlackClientError::SystemError(SlackClientSystemError::new().with_cause(Box::new(error)))
}

impl SlackClientHttpConnector for Connector {
    fn create_method_uri_path(&self, method_relative_uri: &str) -> ClientResult<Url> {
        Ok(format!("{}/{method_relative_uri}", self.api_url).parse()?)
    }

    fn http_get_uri<'a, RS>(
        &'a self,
        full_uri: Url,
        context: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RS: for<'de> Deserialize<'de> + Send + 'a,
    {
        self.exchange(self.http.get(full_uri), context.token).boxed()
    }

    fn http_get_with_client_secret<'a, RS>(
        &'a self,
        full_uri: Url,
        client_id: &'a SlackClientId,
        client_secret: &'a SlackClientSecret,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RS: for<'de> Deserialize<'de> + Send + 'a,
    {
        self.exchange(self.http.get(full_uri).basic_auth(&client_id.0, Some(&client_secret.0)), None).boxed()
    }

    fn http_post_uri<'a, RQ, RS>(
        &'a self,
        full_uri: Url,
        request_body: &'a RQ,
        context: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RQ: Serialize + Send + Sync,
        RS: for<'de> Deserialize<'de> + Send + 'a,
    {
        self.exchange(self.http.post(full_uri).json(request_body), context.token).boxed()
    }

    fn http_post_uri_multipart_form<'a, 'p, RS, PT, TS>(
        &'a self,
        full_uri: Url,
        file: Option<FileMultipartData<'p>>,
        params: &'p PT,
        context: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RS: for<'de> Deserialize<'de> + Send + 'a,
        PT: IntoIterator<Item = (&'p str, Option<TS>)> + Clone,
        TS: AsRef<str> + 'p + Send,
    {
        // The crate sends files like this alone, and Slack takes plain forms for everything else.
        if file.is_some() {
            let detail = "Slipway uploads no files".to_owned();
            return std::future::ready(Err(ours(SlackError::Unreadable { detail }))).boxed();
        }
        let given = params.clone().into_iter().filter_map(|(name, value)| Some((name, value?)));
        let pairs: Vec<(String, String)> = given.map(|(name, value)| (name.into(), value.as_ref().into())).collect();
        let mut form = full_uri.clone();
        form.query_pairs_mut().clear().extend_pairs(pairs);
        let request = self.http.post(full_uri).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.exchange(request.body(form.query().unwrap_or_default().to_owned()), context.token).boxed()
    }

    fn http_post_uri_binary<'a, 'p, RS>(
        &'a self,
        full_uri: Url,
        content_type: String,
        data: &'a [u8],
        context: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RS: for<'de> Deserialize<'de> + Send + 'a,
    {
        let request = self.http.post(full_uri).header(header::CONTENT_TYPE, content_type);
        self.exchange(request.body(data.to_vec()), context.token).boxed()
    }
}
