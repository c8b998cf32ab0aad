//! Sending a request and reading its answer, with bounds.

use super::error::GitHubError;
use super::name::RepoName;
use super::wire;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use octocrab::Octocrab;
use octocrab::models::{AppId, InstallationId};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How long a connection may take to open.
const CONNECT_TIMEOUT_S: u64 = 10;
/// How long a whole exchange may take.
const REQUEST_TIMEOUT_S: u64 = 30;
/// How much of an answer is read.
const BODY_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// Entries on a page, the most that GitHub gives.
pub(super) const PAGE_SIZE: usize = 100;
/// What the answers are asked to look like.
const ACCEPT_JSON: &str = "application/vnd.github+json";
const ACCEPT_RAW: &str = "application/vnd.github.raw+json";
const API_VERSION: &str = "2022-11-28";

/// How Slipway shows who it is.
pub enum Auth {
    /// A personal access token.
    Token(SecretString),
    /// A GitHub App: a token for the installation of each repository or organisation is fetched when needed.
    App {
        /// The App's number.
        id: u64,
        /// The RSA key in PEM form.
        private_key: SecretString,
    },
}

/// A client of GitHub's REST API. Cheap to clone.
#[derive(Clone)]
pub struct GitHub {
    inner: Arc<Inner>,
}

struct Inner {
    octocrab: Arc<Octocrab>,
    is_app: bool,
    request_timeout: Duration,
    /// By the path that finds them. Shared and not cloned: a clone would fetch a token of its own for each request.
    installations: Mutex<HashMap<String, Arc<Octocrab>>>,
    blobs: super::folder::BlobCache,
    seen: super::seen::Seen,
}

impl fmt::Debug for GitHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHub").field("is_app", &self.inner.is_app).finish_non_exhaustive()
    }
}

/// One request. `path` is everything after the API's address and already encoded.
pub(super) struct Ask<'a> {
    pub(super) what: &'a str,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Option<serde_json::Value>,
    pub(super) raw: bool,
    /// The ETag of an answer that is known: GitHub then says 304, which counts for no limit, while nothing has changed.
    pub(super) unless: Option<header::HeaderValue>,
}

impl<'a> Ask<'a> {
    pub(super) fn get(what: &'a str, path: String) -> Self {
        Self { what, method: Method::GET, path, body: None, raw: false, unless: None }
    }

    pub(super) fn post(what: &'a str, path: String, body: serde_json::Value) -> Self {
        Self { what, method: Method::POST, path, body: Some(body), raw: false, unless: None }
    }

    fn request(&self) -> Result<Request<String>, GitHubError> {
        let request = Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header(header::ACCEPT, if self.raw { ACCEPT_RAW } else { ACCEPT_JSON })
            .header("x-github-api-version", API_VERSION);
        let request = match &self.unless {
            Some(etag) => request.header(header::IF_NONE_MATCH, etag),
            None => request,
        };
        let request = match &self.body {
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(body.to_string()),
            None => request.body(String::new()),
        };
        request.map_err(|e| GitHubError::unreadable(self.what, format!("cannot be sent: {e}")))
    }
}

/// An answer with its whole body.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl GitHub {
    /// A client of the API at `api_url` (`https://api.github.com`, or `https://HOST/api/v3` of an Enterprise
    /// Server). Call it inside a tokio runtime, after [`crate::install_crypto_provider`]. Nothing is sent yet.
    ///
    /// # Errors
    /// When the address, the token or the key cannot be one.
    pub fn new(api_url: &str, auth: Auth) -> Result<Self, GitHubError> {
        Self::with_request_timeout(api_url, auth, Duration::from_secs(REQUEST_TIMEOUT_S))
    }

    /// As [`GitHub::new`], with another limit for a whole exchange than 30 s.
    ///
    /// # Errors
    /// When the address, the token or the key cannot be one.
    pub fn with_request_timeout(api_url: &str, auth: Auth, request_timeout: Duration) -> Result<Self, GitHubError> {
        let what = "the address in `[github] api_url`";
        let uri: http::Uri = api_url.parse().map_err(|_| GitHubError::unreadable(what, "not an http(s) address"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.authority().is_none() || uri.query().is_some() {
            return Err(GitHubError::unreadable(what, "not an http(s) address"));
        }
        let builder = Octocrab::builder()
            .base_uri(uri)
            .map_err(|e| GitHubError::from_octocrab(what, &e))?
            .set_connect_timeout(Some(Duration::from_secs(CONNECT_TIMEOUT_S)));
        let is_app = matches!(auth, Auth::App { .. });
        let builder = match auth {
            Auth::Token(token) => {
                // octocrab panics on a token that cannot be a header; a line end is what a file leaves behind.
                let token = token.expose_secret().trim();
                if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
                    return Err(GitHubError::bad_token());
                }
                builder.personal_token(token.to_owned())
            }
            Auth::App { id, private_key } => builder
                .app_from_rsa_pem(AppId(id), private_key.expose_secret().as_bytes())
                .map_err(|e| GitHubError::from_octocrab("the App's private key", &e))?,
        };
        let octocrab = builder.build().map_err(|e| GitHubError::from_octocrab(what, &e))?;
        let octocrab = Arc::new(octocrab);
        let installations = Mutex::new(HashMap::new());
        let blobs = super::folder::BlobCache::default();
        let seen = super::seen::Seen::default();
        Ok(Self { inner: Arc::new(Inner { octocrab, is_app, request_timeout, installations, blobs, seen }) })
    }

    pub(super) fn is_app(&self) -> bool {
        self.inner.is_app
    }

    pub(super) fn blobs(&self) -> &super::folder::BlobCache {
        &self.inner.blobs
    }

    /// The App's installation on the repository.
    pub(super) async fn installation(&self, repo: &RepoName) -> Result<wire::Installation, GitHubError> {
        self.installation_at(&installation_on(&repo.to_string()), format!("/repos/{repo}/installation")).await
    }

    async fn installation_at(&self, what: &str, path: String) -> Result<wire::Installation, GitHubError> {
        let answer = self.read(&self.inner.octocrab, Ask::get(what, path)).await?;
        from_json(what, &answer.body)
    }

    /// The client that acts for this repository: an App has a token for each installation.
    async fn client(&self, repo: Option<&RepoName>) -> Result<Arc<Octocrab>, GitHubError> {
        match repo {
            Some(repo) => self.client_at(&repo.to_string(), format!("/repos/{repo}/installation")).await,
            None => Ok(self.inner.octocrab.clone()),
        }
    }

    /// The client that acts for the installation at a path.
    async fn client_at(&self, whose: &str, path: String) -> Result<Arc<Octocrab>, GitHubError> {
        if !self.inner.is_app {
            return Ok(self.inner.octocrab.clone());
        }
        if let Some(known) = self.inner.installations.lock().await.get(&path) {
            return Ok(known.clone());
        }
        let what = installation_on(whose);
        let id = self.installation_at(&what, path.clone()).await?.id;
        let client =
            self.inner.octocrab.installation(InstallationId(id)).map_err(|e| GitHubError::from_octocrab(&what, &e))?;
        let client = Arc::new(client);
        self.inner.installations.lock().await.insert(path, client.clone());
        Ok(client)
    }

    async fn in_time<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, GitHubError>>,
    ) -> Result<T, GitHubError> {
        let limit = self.inner.request_timeout;
        match tokio::time::timeout(limit, work).await {
            Ok(done) => done,
            Err(_) => Err(GitHubError::Slow { what: what.to_owned(), limit_s: limit.as_secs() }),
        }
    }

    async fn read(&self, client: &Octocrab, ask: Ask<'_>) -> Result<Answer, GitHubError> {
        let answer = self.exchange(client, &ask).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(answer.into_error(ask.what)) }
    }

    /// Sends once and gives whatever is answered.
    async fn exchange(&self, client: &Octocrab, ask: &Ask<'_>) -> Result<Answer, GitHubError> {
        self.in_time(ask.what, async {
            let response = client.execute(ask.request()?).await;
            let (parts, body) = response.map_err(|e| GitHubError::from_octocrab(ask.what, &e))?.into_parts();
            let body = match Limited::new(body, BODY_LIMIT_BYTES).collect().await {
                Ok(all) => all.to_bytes().to_vec(),
                Err(e) => return Err(body_error(ask.what, e.as_ref())),
            };
            Ok(Answer { status: parts.status, headers: parts.headers, body })
        })
        .await
    }

    /// Sends once and gives whatever is answered, also a refusal: where its words tell more than its status.
    pub(super) async fn answer(&self, repo: &RepoName, ask: &Ask<'_>) -> Result<Answer, GitHubError> {
        let client = self.client(Some(repo)).await?;
        self.exchange(&client, ask).await
    }

    /// Sends once; anything but a success is an error.
    pub(super) async fn send(&self, repo: Option<&RepoName>, ask: Ask<'_>) -> Result<Answer, GitHubError> {
        let client = self.client(repo).await?;
        self.read(&client, ask).await
    }

    /// The same for what belongs to an organisation and to none of its repositories.
    pub(super) async fn send_as_organisation(&self, organisation: &str, ask: Ask<'_>) -> Result<Answer, GitHubError> {
        let client = self.client_at(organisation, format!("/orgs/{organisation}/installation")).await?;
        self.read(&client, ask).await
    }

    /// A JSON document. Asked again, GitHub sends it only when it has changed.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        repo: &RepoName,
        what: &str,
        path: String,
    ) -> Result<T, GitHubError> {
        let known = self.inner.seen.get(&path);
        let ask = Ask { unless: known.as_ref().map(|(etag, _)| etag.clone()), ..Ask::get(what, path) };
        let answer = self.answer(repo, &ask).await?;
        match known {
            Some((_, body)) if answer.status == StatusCode::NOT_MODIFIED => from_json(what, &body),
            _ if answer.status.is_success() => {
                let found = from_json(what, &answer.body)?;
                self.inner.seen.put(ask.path, &answer.headers, answer.body);
                Ok(found)
            }
            _ => Err(answer.into_error(what)),
        }
    }

    /// A JSON document that may be absent (404).
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        repo: &RepoName,
        what: &str,
        path: String,
    ) -> Result<Option<T>, GitHubError> {
        match self.get(repo, what, path).await {
            Ok(found) => Ok(Some(found)),
            Err(GitHubError::NotFound { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// The last `keep_bytes` of an answer of at most `limit_bytes`, redirects followed.
    pub(super) async fn tail(
        &self,
        repo: &RepoName,
        ask: Ask<'_>,
        keep_bytes: usize,
        limit_bytes: usize,
    ) -> Result<Vec<u8>, GitHubError> {
        let client = self.client(Some(repo)).await?;
        self.in_time(ask.what, async {
            let response = client.execute(ask.request()?).await;
            let (parts, mut body) = response.map_err(|e| GitHubError::from_octocrab(ask.what, &e))?.into_parts();
            let mut kept: Vec<u8> = Vec::new();
            let mut seen = 0_usize;
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|e| GitHubError::from_octocrab(ask.what, &e))?;
                let Some(data) = frame.data_ref() else { continue };
                seen = seen.saturating_add(data.len());
                if seen > limit_bytes {
                    break;
                }
                kept.extend_from_slice(data);
                if kept.len() > keep_bytes.saturating_mul(2) {
                    kept.drain(..kept.len() - keep_bytes);
                }
            }
            let surplus = kept.len().saturating_sub(keep_bytes);
            kept.drain(..surplus);
            let answer = Answer { status: parts.status, headers: parts.headers, body: kept };
            if answer.status.is_success() { Ok(answer.body) } else { Err(answer.into_error(ask.what)) }
        })
        .await
    }
}

fn installation_on(whose: &str) -> String {
    format!("the App's installation on {whose}")
}

impl Answer {
    pub(super) fn into_error(self, what: &str) -> GitHubError {
        GitHubError::from_answer(what, self.status, &self.headers, &self.body)
    }
}

fn body_error(what: &str, error: &(dyn std::error::Error + Send + Sync + 'static)) -> GitHubError {
    if error.is::<http_body_util::LengthLimitError>() {
        return GitHubError::TooBig { what: what.to_owned(), detail: format!("over {BODY_LIMIT_BYTES} bytes") };
    }
    match error.downcast_ref::<octocrab::Error>() {
        Some(error) => GitHubError::from_octocrab(what, error),
        None => GitHubError::Unreachable { what: what.to_owned(), detail: super::error::shortened(&error.to_string()) },
    }
}

/// Reads a JSON body.
pub(super) fn from_json<T: DeserializeOwned>(what: &str, body: &[u8]) -> Result<T, GitHubError> {
    serde_json::from_slice(body).map_err(|e| GitHubError::unreadable(what, e.to_string()))
}
