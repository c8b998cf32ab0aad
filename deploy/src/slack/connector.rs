//! What carries slack-morphism's calls: one exchange each, with bounds.

use super::error::SlackError;
use futures::FutureExt as _;
use futures::future::BoxFuture;
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

/// How long a connection may take to open.
const CONNECT_TIMEOUT_S: u64 = 5;
/// How much of an answer is read.
const BODY_LIMIT_BYTES: usize = 1024 * 1024;

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
            .build()
            .map_err(|error| SlackError::Unreachable { detail: error.to_string() })?;
        Ok(Self { http, api_url: api_url.trim_end_matches('/').to_owned(), request_timeout })
    }

    async fn exchange<RS>(&self, request: RequestBuilder, token: Option<&SlackApiToken>) -> ClientResult<RS>
    where
        RS: for<'de> Deserialize<'de>,
    {
        let request = match token {
            Some(token) => request.bearer_auth(&token.token_value.0),
            None => request,
        };
        let mut response = request.send().await.map_err(|error| self.lost(error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.lost(error))? {
            if body.len() + chunk.len() > BODY_LIMIT_BYTES {
                return Err(ours(SlackError::TooBig { detail: format!("over {BODY_LIMIT_BYTES} bytes") }));
            }
            body.extend_from_slice(&chunk);
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            let wait_s = headers.get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
            let limited = SlackRateLimitError::new().opt_retry_after(wait_s.map(Duration::from_secs));
            return Err(SlackClientError::RateLimitError(limited));
        }
        if status != StatusCode::OK {
            return Err(SlackClientError::HttpError(SlackClientHttpError::new(status)));
        }
        read(&body)
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

/// Slack answers 200 to nearly everything and says in the body whether it did what it was asked.
fn read<RS: for<'de> Deserialize<'de>>(body: &[u8]) -> ClientResult<RS> {
    let envelope: SlackEnvelopeMessage = serde_json::from_slice(body).map_err(|error| map_serde_error(error, None))?;
    if envelope.ok && envelope.error.is_none() {
        return serde_json::from_slice(body).map_err(|error| map_serde_error(error, None));
    }
    let code = envelope.error.unwrap_or_else(|| "unknown".to_owned());
    let said = String::from_utf8_lossy(body).into_owned();
    Err(SlackClientError::ApiError(SlackClientApiError::new(code).with_http_response_body(said)))
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
