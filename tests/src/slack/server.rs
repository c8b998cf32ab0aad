//! The methods, the gate that every call passes, and the answers' common form.

use super::arguments::Arguments;
use super::fault::FaultKind;
use super::message::Message;
use super::options::SlackOptions;
use super::rate::Tier;
use super::refusal::{Refusal, Reply};
use super::socket::{self, Sockets};
use super::world::World;
use super::{apps, auth, chat, conversations, groups, human_http, reactions, response_url, view};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde_json::{Value, json};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Largest body of a call.
pub(super) const BODY_LIMIT_BYTES: usize = 1024 * 1024;

/// Whose token a method wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Bot,
    App,
    Config,
}

/// A method: its name, whose token and which of some scopes it needs, how often it can be called, and what it does.
struct Entry {
    name: &'static str,
    token: Token,
    scopes: &'static [&'static str],
    tier: Tier,
    call: fn(&Shared, &Arguments) -> Reply,
}

const fn entry(
    name: &'static str,
    scopes: &'static [&'static str],
    tier: u8,
    call: fn(&Shared, &Arguments) -> Reply,
) -> Entry {
    Entry { name, token: Token::Bot, scopes, tier: Tier::Of(tier), call }
}

const READ: &[&str] = &["channels:read", "groups:read", "im:read"];
const HISTORY: &[&str] = &["channels:history", "groups:history", "im:history"];
const WRITE: &[&str] = &["chat:write"];

/// All of them.
const METHODS: [Entry; 17] = [
    Entry { token: Token::Config, ..entry("apps.manifest.export", &[], 3, apps::export_manifest) },
    Entry { token: Token::App, ..entry("apps.connections.open", &["connections:write"], 1, apps::open_connection) },
    entry("auth.test", &[], 4, auth::test),
    entry("chat.delete", WRITE, 3, chat::delete),
    entry("chat.postEphemeral", WRITE, 4, chat::post_ephemeral),
    Entry { tier: Tier::Channel, ..entry("chat.postMessage", WRITE, 4, chat::post) },
    entry("chat.getPermalink", &[], 3, chat::permalink),
    entry("chat.update", WRITE, 3, chat::update),
    entry("conversations.history", HISTORY, 3, conversations::history),
    entry("conversations.info", READ, 3, conversations::info),
    entry("conversations.open", &["im:write"], 3, conversations::open),
    entry("conversations.replies", HISTORY, 3, conversations::replies),
    entry("reactions.get", &["reactions:read"], 3, reactions::get),
    entry("usergroups.users.list", &["usergroups:read"], 2, groups::users),
    entry("views.open", &[], 4, view::open),
    entry("views.publish", &[], 4, view::publish),
    entry("views.update", &[], 4, view::update),
];

pub(super) struct Shared {
    pub(super) options: SlackOptions,
    /// `http://127.0.0.1:PORT/api`.
    pub(super) api_url: String,
    /// `http://127.0.0.1:PORT`.
    pub(super) base: String,
    /// Brings deliveries to the app.
    pub(super) http: reqwest::Client,
    /// The newest place in the order of changes.
    pub(super) changes: watch::Receiver<u64>,
    /// How many deliveries are under way.
    pub(super) busy: watch::Sender<usize>,
    world: Mutex<World>,
    sockets: Mutex<Sockets>,
}

impl Shared {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Never taken while the world is: ask the world first and let it go.
    pub(super) fn sockets(&self) -> MutexGuard<'_, Sockets> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message as the API shows it.
    pub(super) fn shown(&self, world: &World, message: &Message, metadata: bool) -> Value {
        let options = &self.options;
        world.shown(message, &options.team_id, &options.app_id, &options.bot_user, metadata)
    }
}

/// The listener's task; it ends with this value, and so do the connections of Socket Mode.
pub(super) struct Running {
    task: tokio::task::JoinHandle<()>,
    shared: Arc<Shared>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
        self.shared.sockets().close_all();
    }
}

pub(super) async fn start(options: SlackOptions) -> io::Result<(Arc<Shared>, Running)> {
    slipway_deploy::install_crypto_provider();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let base = format!("http://{}", listener.local_addr()?);
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    let (sender, changes) = watch::channel(0);
    let shared = Arc::new(Shared {
        world: Mutex::new(World::new(&options, sender)),
        api_url: format!("{base}/api"),
        base,
        http: http.map_err(io::Error::other)?,
        changes,
        busy: watch::channel(0).0,
        sockets: Mutex::default(),
        options,
    });
    let app = Router::new()
        .route("/api/{method}", any(method))
        .route("/hooks/{kind}/{team}/{number}/{secret}", post(response_url::answer))
        .route("/link/", get(socket::link))
        .merge(human_http::routes())
        .with_state(Arc::clone(&shared));
    let task = tokio::spawn(async move {
        // Ends only with the task.
        let _ = axum::serve(listener, app).await;
    });
    Ok((Arc::clone(&shared), Running { task, shared }))
}

async fn method(State(shared): State<Arc<Shared>>, Path(name): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let fault = {
        let mut world = shared.world();
        world.heard(format!("{} {name}?{query}", parts.method));
        world.fault_for(&name)
    };
    if let Some(fault) = fault.filter(|fault| *fault != FaultKind::AnswerLost) {
        return failing(fault).await;
    }
    let Ok(body) = to_bytes(body, BODY_LIMIT_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let reply = called(&shared, &name, &parts.method, &query, &parts.headers, &body);
    if fault.is_some() {
        return failing(FaultKind::AnswerLost).await;
    }
    let mut response = answered(reply);
    let bot = bearer(&parts.headers) == Some(&shared.options.token);
    if let Ok(scopes) = HeaderValue::from_str(&shared.world().scopes.join(","))
        && bot
    {
        response.headers_mut().insert("x-oauth-scopes", scopes);
    }
    response
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    text(headers, header::AUTHORIZATION).strip_prefix("Bearer ")
}

/// Every call is checked in Slack's order: the method, the token, the scope, the arguments, how often it comes.
fn called(
    shared: &Shared,
    name: &str,
    method: &Method,
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Value, Refusal> {
    let Some(entry) = METHODS.iter().find(|entry| entry.name == name) else {
        return Err(Refusal::with("unknown_method", json!({ "req_method": name })));
    };
    if !matches!(*method, Method::GET | Method::POST) {
        return Err(Refusal::code("invalid_request_method"));
    }
    authorized(shared, entry, bearer(headers))?;
    let arguments = Arguments::read(query, text(headers, header::CONTENT_TYPE), body)?;
    let counter = match entry.tier {
        Tier::Channel => format!("{name} {}", arguments.text("channel")?.unwrap_or_default()),
        Tier::Of(_) => name.to_owned(),
    };
    {
        let mut world = shared.world();
        let (limits, now) = (world.limits.clone(), world.now());
        world.rates.take(&counter, entry.tier, &limits, now).map_err(Refusal::rate_limited)?;
    }
    (entry.call)(shared, &arguments)
}

fn authorized(shared: &Shared, entry: &Entry, token: Option<&str>) -> Result<(), Refusal> {
    let options = &shared.options;
    let known =
        [(&options.token, Token::Bot), (&options.app_token, Token::App), (&options.config_token, Token::Config)];
    let token = token.ok_or_else(|| Refusal::code("not_authed"))?;
    let found = known.iter().find(|(known, _)| *known == token).map(|(_, kind)| *kind);
    let kind = found.ok_or_else(|| Refusal::code("invalid_auth"))?;
    let world = shared.world();
    if kind == Token::Bot && world.revoked {
        return Err(Refusal::code("token_revoked"));
    }
    if kind != entry.token {
        return Err(Refusal::code("not_allowed_token_type"));
    }
    let provided = if kind == Token::App { &world.app_scopes } else { &world.scopes };
    if !entry.scopes.is_empty() && !provided.iter().any(|scope| entry.scopes.contains(&scope.as_str())) {
        return Err(Refusal::missing_scope(&entry.scopes.join(","), provided));
    }
    Ok(())
}

pub(super) fn answered(reply: Reply) -> Response {
    let (ok, mut body, retry_after_s) = match reply {
        Ok(body) => (true, body, None),
        Err(Refusal { code, mut more, retry_after_s }) => {
            more["error"] = json!(code);
            (false, more, retry_after_s)
        }
    };
    body["ok"] = json!(ok);
    let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    let mut response = (json, body.to_string()).into_response();
    if let Some(seconds) = retry_after_s {
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

pub(super) async fn failing(fault: FaultKind) -> Response {
    match fault {
        FaultKind::Timeout => std::future::pending().await,
        FaultKind::Status(status) => {
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
        }
        FaultKind::RateLimited { retry_after_s } => answered(Err(Refusal::rate_limited(retry_after_s.into()))),
        FaultKind::Garbled => "<html>Server Error</html>".into_response(),
        FaultKind::Huge(bytes) => Body::from(" ".repeat(bytes)).into_response(),
        FaultKind::AnswerLost => {
            let lost = futures::stream::once(async { Err::<Vec<u8>, _>(io::Error::other("the answer is lost")) });
            Body::from_stream(lost).into_response()
        }
    }
}
