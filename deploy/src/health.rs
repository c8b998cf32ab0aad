//! Health checks: is the service that was just deployed well, and which commit does it say it is?

use crate::redact::excerpt;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use serde_json::Value;
use std::time::{Duration, Instant};
use thiserror::Error;

/// A whole check with its redirects, in milliseconds.
pub const CHECK_LIMIT_MS: u64 = 5_000;
/// How much of a body is read, in bytes.
pub const BODY_LIMIT_BYTES: usize = 64 * 1024;
/// How much of a body is shown, in characters.
pub const EXCERPT_LIMIT_CHARS: usize = 200;
/// How long a version may be, in characters.
pub const VERSION_LIMIT_CHARS: usize = 100;
/// How many redirects are followed, all on the host that was asked.
pub const REDIRECT_LIMIT: usize = 3;

/// Members of a JSON body that say which version runs, the most exact first.
const VERSION_MEMBERS: [&str; 4] = ["commit", "sha", "revision", "version"];

/// Types of bodies that are for people.
const PAGES: [&str; 2] = ["text/html", "application/xhtml+xml"];

/// What a service answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Whether the status is one of 200 to 299.
    pub healthy: bool,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// The beginning of the body on one line, at most [`EXCERPT_LIMIT_CHARS`], without what looks like a secret.
    pub excerpt: String,
    /// Which version it says it is: the member `commit`, `sha`, `revision` or `version` of a JSON body.
    pub version: Option<String>,
    /// The path of the address that answered, where that redirected there.
    pub redirected_to: Option<String>,
    /// Whether the body is a web page: a service that wants a login may answer so to everything.
    pub is_page: bool,
}

/// Why there is no answer. Each text is for people.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HealthError {
    /// The configured address is none.
    #[error("{0:?} is not a health address; expected something like https://goals.acme.dev/healthz")]
    BadUrl(String),
    /// No connection.
    #[error("{host} cannot be reached: {reason}")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// Why, in the system's words.
        reason: String,
    },
    /// No answer in time.
    #[error("{host} did not answer within {limit_ms} ms")]
    TimedOut {
        /// Who was asked.
        host: String,
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// No client can be made on this machine.
    #[error("no HTTP client can be made: {0}")]
    NoClient(String),
}

/// Asks health addresses.
#[derive(Clone, Debug)]
pub struct HealthChecker {
    client: reqwest::Client,
    limit_ms: u64,
}

impl HealthChecker {
    /// A checker that waits at most `limit_ms` for each answer.
    ///
    /// # Errors
    /// When the machine's certificates cannot be used.
    pub fn new(limit_ms: u64) -> Result<Self, HealthError> {
        crate::install_crypto_provider();
        let client = reqwest::Client::builder()
            .timeout(Duration::from_millis(limit_ms))
            .redirect(same_origin())
            // Each check is a new connection: an old one may lead to the instance that is being replaced.
            .pool_max_idle_per_host(0)
            .user_agent("slipway")
            .build()
            .map_err(|e| HealthError::NoClient(e.to_string()))?;
        Ok(Self { client, limit_ms })
    }

    /// Asks once. Any status is an answer; a redirect to another host is not followed and counts as unhealthy.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn check(&self, url: &str) -> Result<HealthAnswer, HealthError> {
        let bad = || HealthError::BadUrl(excerpt(url, EXCERPT_LIMIT_CHARS));
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(bad)?;
        let host = url.host_str().ok_or_else(bad)?.to_owned();
        let started = Instant::now();
        let asked = url.clone();
        let mut response = self.client.get(url).send().await.map_err(|e| self.error(&host, &e))?;
        let status = response.status();
        let redirected_to = (*response.url() != asked).then(|| excerpt(response.url().path(), EXCERPT_LIMIT_CHARS));
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_page = PAGES.iter().any(|page| kind.to_ascii_lowercase().starts_with(page));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.error(&host, &e))? {
            let room = BODY_LIMIT_BYTES - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() >= room {
                break;
            }
        }
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let text = String::from_utf8_lossy(&body);
        Ok(HealthAnswer {
            status: status.as_u16(),
            healthy: status.is_success(),
            millis,
            excerpt: excerpt(&text, EXCERPT_LIMIT_CHARS),
            version: version(&body),
            redirected_to,
            is_page,
        })
    }

    fn error(&self, host: &str, error: &reqwest::Error) -> HealthError {
        let host = host.to_owned();
        if error.is_timeout() {
            return HealthError::TimedOut { host, limit_ms: self.limit_ms };
        }
        // The innermost source is the system's own words, and has no address with a password in it.
        let mut inner: &dyn std::error::Error = error;
        while let Some(source) = inner.source() {
            inner = source;
        }
        let reason = excerpt(&inner.to_string(), EXCERPT_LIMIT_CHARS);
        HealthError::Unreachable { host, reason }
    }
}

/// One check with the usual limit. A caller with many makes a [`HealthChecker`].
///
/// # Errors
/// When there is no answer.
pub async fn check(url: &str) -> Result<HealthAnswer, HealthError> {
    HealthChecker::new(CHECK_LIMIT_MS)?.check(url).await
}

fn same_origin() -> Policy {
    Policy::custom(|attempt| {
        let origin = attempt.previous().first().map(Url::origin);
        let stays = origin == Some(attempt.url().origin());
        if stays && attempt.previous().len() <= REDIRECT_LIMIT { attempt.follow() } else { attempt.stop() }
    })
}

fn version(body: &[u8]) -> Option<String> {
    let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
        return None;
    };
    let texts = VERSION_MEMBERS.iter().filter_map(|name| members.get(*name)?.as_str());
    // Shown in chat and compared with a commit: only what a version is written with.
    let plain = |text: &&str| {
        !text.is_empty()
            && text.len() <= VERSION_LIMIT_CHARS
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-/:".contains(&b))
    };
    texts.filter(plain).map(str::to_owned).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_most_exact_one() {
        let seen = |json: &str| version(json.as_bytes());
        assert_eq!(seen(r#"{"version":"1.4","commit":"4c1f9e2"}"#).as_deref(), Some("4c1f9e2"));
        assert_eq!(seen(r#"{"version":"1.4"}"#).as_deref(), Some("1.4"));
        for none in ["", "ok", "[]", r#"{"version":14}"#, r#"{"commit":"<!channel>"}"#, r#"{"commit":""}"#] {
            assert_eq!(seen(none), None, "{none}");
        }
    }

    #[tokio::test]
    async fn what_is_no_address_is_not_asked() {
        for bad in ["", "healthz", "ftp://goals.acme.dev/healthz", "file:///etc/passwd"] {
            assert!(matches!(check(bad).await, Err(HealthError::BadUrl(_))), "{bad}");
        }
    }
}
