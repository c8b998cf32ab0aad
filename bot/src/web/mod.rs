//! HTTP: health, readiness, deliveries, the API, and pages for people.

mod connections;
mod discord;
mod github;
mod health;
mod pages;
mod policies;
mod releases;
mod slack;
mod terminal;
mod whole;

pub use connections::serve;
pub use discord::DiscordDoor;
pub use github::GithubDoor;
pub use slack::SlackDoor;

use crate::clock::Clock;
use crate::engine::Signals;
use crate::policies::Keeper;
use crate::readiness::Readiness;
use crate::store::Store;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Request, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::Notify;

/// The largest body that is read.
const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct Web {
    /// The store.
    pub store: Store,
    /// The clock.
    pub clock: Clock,
    /// Signals to the engine.
    pub signals: Signals,
    /// What cannot be reached.
    pub readiness: Arc<Readiness>,
    /// Reads the policies again.
    pub policies: Arc<Keeper>,
    /// The token that the API asks for; without one the API is closed.
    pub api_token: Option<Arc<str>>,
    /// Signalled at each change of the terminal chat; `None`: there is no terminal chat.
    pub terminal: Option<Arc<Notify>>,
    /// Slack's deliveries over HTTP; `None`: they come otherwise or not at all.
    pub slack: Option<SlackDoor>,
    /// Discord's interactions over HTTP; `None`: they come otherwise or not at all.
    pub discord: Option<DiscordDoor>,
    /// How long a delivery may take to become durable.
    pub ack_budget_ms: u64,
    /// GitHub's webhooks.
    pub github: GithubDoor,
    /// Where it is listened.
    pub listen: SocketAddr,
}

/// All routes.
pub fn router(web: Web) -> Router {
    let mut api = Router::new()
        .route("/api/v1/releases/{id}", get(releases::release))
        .route("/api/v1/policies", get(policies::show))
        .route("/api/v1/policies/reload", post(policies::reload));
    if web.terminal.is_some() {
        api = api
            .route("/api/v1/terminal/commands", post(terminal::command))
            .route("/api/v1/terminal/reactions", post(terminal::reaction))
            .route("/api/v1/terminal/buttons", post(terminal::button))
            .route("/api/v1/terminal/messages", get(terminal::messages));
    }
    // Nothing is read of what has no token.
    let api = api.route_layer(from_fn(|request, next| whole::read(request, next, BODY_LIMIT_BYTES)));
    let api = api.route_layer(from_fn_with_state(web.clone(), bearer));
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .merge(api)
        .merge(people(&web))
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .merge(slack_doors(&web))
        .merge(discord_door(&web))
        .merge(github_door())
        .with_state(web)
}

/// Pages, for who may read them.
fn people(web: &Web) -> Router<Web> {
    let pages = Router::new().route("/", get(pages::home)).route("/releases/{id}", get(pages::release));
    pages.route_layer(from_fn_with_state(web.clone(), pages::guard))
}

fn slack_doors(web: &Web) -> Router<Web> {
    let doors = match web.slack {
        Some(_) => Router::new()
            .route("/slack/commands", post(slack::commands))
            .route("/slack/interactions", post(slack::interactions))
            .route("/slack/events", post(slack::events)),
        None => Router::new(),
    };
    doors.layer(from_fn(|request, next| whole::read(request, next, slack::BODY_LIMIT_BYTES)))
}

fn discord_door(web: &Web) -> Router<Web> {
    let door = match web.discord {
        Some(_) => Router::new().route("/discord/interactions", post(discord::interactions)),
        None => Router::new(),
    };
    door.layer(from_fn(|request, next| whole::read(request, next, discord::BODY_LIMIT_BYTES)))
}

fn github_door() -> Router<Web> {
    let door = Router::new().route("/github/webhooks", post(github::webhooks));
    door.layer(DefaultBodyLimit::max(github::BODY_LIMIT_BYTES))
}

/// Lets only holders of the API token pass.
async fn bearer(State(web): State<Web>, request: Request<axum::body::Body>, next: Next) -> Response {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    match (given, &web.api_token) {
        (Some(given), Some(token)) if same_secret(given, token) => next.run(request).await,
        (_, None) => (StatusCode::FORBIDDEN, "SLIPWAY_API_TOKEN is not set, so the API is closed\n").into_response(),
        _ => (StatusCode::UNAUTHORIZED, "the bearer token is missing or wrong\n").into_response(),
    }
}

/// Compares without telling by its duration how much of the secret was right.
fn same_secret(given: &str, token: &str) -> bool {
    let differs = given.bytes().zip(token.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b));
    given.len() == token.len() && differs == 0
}
