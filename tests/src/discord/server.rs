//! The server: what it holds, and what it answers where.

use super::gateway::Hub;
use super::options::DiscordOptions;
use super::world::World;
use super::{human_http, rest, shapes, signing};
use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{any, get};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The privileged intent of members.
pub(super) const GUILD_MEMBERS: u64 = 1 << 1;

pub(super) struct Shared {
    pub(super) options: DiscordOptions,
    /// `http://127.0.0.1:PORT`.
    pub(super) base: String,
    /// `ws://127.0.0.1:PORT/gateway`.
    pub(super) gateway_url: String,
    /// Brings interactions to the app.
    pub(super) http: reqwest::Client,
    pub(super) key: signing::Key,
    /// The newest place in the order of changes.
    pub(super) changes: watch::Receiver<u64>,
    /// How many deliveries are under way.
    pub(super) busy: watch::Sender<usize>,
    pub(super) hub: Arc<Hub>,
    world: Mutex<World>,
}

impl Shared {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The listener's task; it ends with this value, and so do the gateway's connections.
pub(super) struct Running {
    task: tokio::task::JoinHandle<()>,
    shared: Arc<Shared>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
        self.shared.hub.drop_connections(None);
    }
}

pub(super) async fn start(options: DiscordOptions) -> io::Result<(Arc<Shared>, Running)> {
    slipway_deploy::install_crypto_provider();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    let (sender, changes) = watch::channel(0);
    let gateway_url = format!("ws://{address}/gateway");
    let mut world = World::new(&options, sender);
    let hub = Arc::new(Hub::new(
        options.token.clone(),
        options.application_id.clone(),
        options.bot_user.clone(),
        vec![shapes::whole_guild(&world)],
        options.clock.clone(),
    ));
    hub.resume_at(&gateway_url);
    hub.allow(if options.members_intent { GUILD_MEMBERS } else { 0 });
    world.set_hub(Arc::clone(&hub));
    let shared = Arc::new(Shared {
        world: Mutex::new(world),
        base: format!("http://{address}"),
        gateway_url,
        http: http.map_err(io::Error::other)?,
        key: signing::Key::fresh()?,
        changes,
        busy: watch::channel(0).0,
        hub,
        options,
    });
    let app = routes().with_state(Arc::clone(&shared));
    let task = tokio::spawn(async move {
        // Ends only with the task.
        let _ = axum::serve(listener, app).await;
    });
    Ok((Arc::clone(&shared), Running { task, shared }))
}

/// All that is answered; the one place where routers are put together.
fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/api/v10/{*path}", any(rest::call))
        .route("/gateway", get(gateway))
        .route("/gateway/", get(gateway))
        .merge(human_http::routes())
}

/// `GET /gateway/?v=10&encoding=json`.
async fn gateway(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<BTreeMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    Arc::clone(&shared.hub).upgrade(&query, upgrade)
}
