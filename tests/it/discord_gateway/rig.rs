//! A gateway alone, and clients of it.

use async_trait::async_trait;
use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use serde_json::json;
use slipway_deploy::discord::gateway::{GUILD_MESSAGES, GUILDS};
use slipway_deploy::discord::{Gateway, GatewayAddress, GatewayBot, GatewayEvent, GatewayPace, NoAddress, Resume};
use slipway_sandbox::discord::gateway::Hub;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::timeout;

pub(super) const TOKEN: &str = "bot-token-hunter2";
/// When the clock begins.
const START_S: i64 = 1_790_000_000;
/// What should happen happens in so long, on a machine that is busy with other things too.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Rig {
    pub(super) hub: Arc<Hub>,
    pub(super) url: String,
    /// How many sessions may still begin, as `GET /gateway/bot` says.
    pub(super) remaining: Arc<AtomicU32>,
    now_s: Arc<AtomicI64>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct At {
    url: String,
    remaining: Arc<AtomicU32>,
}

#[async_trait]
impl GatewayAddress for At {
    async fn gateway(&self) -> Result<GatewayBot, NoAddress> {
        let remaining = self.remaining.load(Ordering::SeqCst);
        let reset_after = Duration::from_secs(3_600);
        Ok(GatewayBot { url: self.url.clone(), remaining, reset_after, max_concurrency: 1 })
    }

    fn is_local(&self) -> bool {
        true
    }
}

async fn gateway(
    State(hub): State<Arc<Hub>>,
    Query(query): Query<BTreeMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    hub.upgrade(&query, upgrade)
}

pub(super) async fn rig() -> Rig {
    let now_s = Arc::new(AtomicI64::new(START_S));
    let read = Arc::clone(&now_s);
    let clock = Arc::new(move || Timestamp::from_second(read.load(Ordering::SeqCst)).unwrap());
    let guilds = ["101", "102"].map(|id| json!({ "id": id, "name": "acme", "channels": [], "roles": [] }));
    let hub = Arc::new(Hub::new(TOKEN.into(), "201".into(), "202".into(), guilds.into(), clock));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("ws://{}/gateway", listener.local_addr().unwrap());
    hub.resume_at(&url);
    let app = Router::new().route("/gateway", get(gateway)).with_state(Arc::clone(&hub));
    let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    Rig { hub, url, remaining: Arc::new(AtomicU32::new(1_000)), now_s, task }
}

/// Times that nobody has to wait for.
pub(super) fn quick() -> GatewayPace {
    let ms = Duration::from_millis;
    GatewayPace {
        short_rest: ms(1),
        first_rest: ms(2),
        longest_rest: ms(20),
        mend_rest: Duration::from_secs(3_600),
        new_session_rest: (ms(1), ms(5)),
        identify_every: ms(1),
        ..GatewayPace::default()
    }
}

impl Rig {
    pub(super) fn advance(&self, seconds: i64) {
        self.now_s.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(super) fn open(&self, resume: Option<Resume>) -> Client {
        self.open_with(TOKEN, GUILDS | GUILD_MESSAGES, resume, quick())
    }

    pub(super) fn open_with(&self, token: &str, intents: u64, resume: Option<Resume>, pace: GatewayPace) -> Client {
        let at = At { url: self.url.clone(), remaining: Arc::clone(&self.remaining) };
        Client(Gateway::open_at_pace(at, &token.into(), intents, resume, pace))
    }

    /// A client whose session has begun, with what is said at its beginning.
    pub(super) async fn begun(&self) -> Client {
        let mut client = self.open(None);
        assert!(matches!(client.next().await, GatewayEvent::Ready { .. }));
        for guild in ["101", "102"] {
            let (kind, data, _) = client.dispatch().await;
            assert_eq!((kind.as_str(), &data["id"]), ("GUILD_CREATE", &json!(guild)));
        }
        client
    }

    /// Something happens, with a number of its own.
    pub(super) fn happen(&self, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            self.hub.dispatch(GUILD_MESSAGES, "MESSAGE_CREATE", json!({ "n": number }));
        }
    }

    pub(super) async fn until(&self, is_so: impl Fn(&Hub) -> bool) {
        timeout(PATIENCE, self.hub.until(is_so)).await.expect("it did not come about");
    }
}

pub(super) struct Client(pub(super) Gateway);

impl Client {
    pub(super) async fn next(&mut self) -> GatewayEvent {
        timeout(PATIENCE, self.0.next()).await.expect("nothing came").expect("the gateway's loop has failed")
    }

    /// The next event, which must be one, acknowledged: its kind, what it says, and whether it was missed before.
    pub(super) async fn dispatch(&mut self) -> (String, serde_json::Value, bool) {
        match self.next().await {
            GatewayEvent::Dispatch { seq, kind, data, replayed, .. } => {
                self.0.acknowledge(seq);
                (kind, data, replayed)
            }
            other => panic!("{other:?}"),
        }
    }

    /// The numbers of so many of the rig's happenings, whatever else comes between. Acknowledges them if it is told to.
    pub(super) async fn numbers(&mut self, count: usize, acknowledged: bool) -> Vec<u64> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            match self.next().await {
                GatewayEvent::Dispatch { seq, data, .. } => {
                    if acknowledged {
                        self.0.acknowledge(seq);
                    }
                    numbers.extend(data["n"].as_u64());
                }
                GatewayEvent::Ready { .. } | GatewayEvent::Resumed => {}
                GatewayEvent::InvalidSession => panic!("the session is lost after {numbers:?}"),
            }
        }
        numbers
    }

    /// That nothing comes for a while in which much could.
    pub(super) async fn hears_nothing(&mut self) {
        if let Ok(event) = timeout(Duration::from_millis(200), self.0.next()).await {
            panic!("{event:?}");
        }
    }
}
