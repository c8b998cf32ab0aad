//! A stand-in with a clock that a test moves, a caller of its API, and an app that answers as it is told.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use slipway_sandbox::discord::{DiscordLimits, DiscordMode, DiscordOptions, DiscordSandbox};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(super) const TOKEN: &str = "MTA.sandbox";
pub(super) const APP: &str = "110000000000000001";
pub(super) const BOT: &str = "110000000000000002";
pub(super) const GUILD: &str = "410000000000000001";
pub(super) const RELEASES: &str = "310000000000000001";
pub(super) const ANA: &str = "210000000000000001";
pub(super) const BOB: &str = "210000000000000002";
/// When the clock begins.
pub(super) const START_S: i64 = 1_790_000_000;
const AGENT: &str = "DiscordBot (https://slipway.invalid, 0)";

/// A request that the app got.
#[derive(Clone, Debug)]
pub(super) struct Got {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Got {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What the app answers next.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Body(u16, String),
    Never,
}

#[derive(Clone, Default)]
pub(super) struct App {
    got: Arc<Mutex<Vec<Got>>>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
}

impl App {
    pub(super) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    pub(super) fn last(&self) -> Value {
        self.got().last().unwrap().json()
    }

    pub(super) fn will(&self, reply: Reply) {
        self.replies.lock().unwrap().push_back(reply);
    }

    pub(super) fn will_say(&self, body: &Value) {
        self.will(Reply::Body(200, body.to_string()));
    }
}

/// Unless it is told otherwise, the app says that it is at it.
async fn take(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    app.got.lock().unwrap().push(Got { headers, body });
    let reply = app.replies.lock().unwrap().pop_front();
    match reply {
        None => json_answer(200, json!({ "type": 5, "data": { "flags": 64 } }).to_string()),
        Some(Reply::Body(status, body)) => json_answer(status, body),
        Some(Reply::Never) => std::future::pending().await,
    }
}

fn json_answer(status: u16, body: String) -> Response {
    (StatusCode::from_u16(status).unwrap(), [("content-type", "application/json")], body).into_response()
}

pub(super) struct Rig {
    pub(super) discord: DiscordSandbox,
    pub(super) app: App,
    /// Where the app listens.
    pub(super) app_url: String,
    now_ms: Arc<AtomicI64>,
    http: reqwest::Client,
}

pub(super) async fn rig() -> Rig {
    rig_with(|_| {}).await
}

/// Limits that no test reaches by accident.
pub(super) async fn rig_with(change: impl FnOnce(&mut DiscordOptions)) -> Rig {
    slipway_deploy::install_crypto_provider();
    let app = App::default();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let app_url = format!("http://{}/discord/interactions", listener.local_addr().unwrap());
    let router = Router::new().fallback(take).with_state(app.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let now_ms = Arc::new(AtomicI64::new(START_S * 1_000));
    let clock = Arc::clone(&now_ms);
    let mut options = DiscordOptions::new(TOKEN);
    options.mode = DiscordMode::Http { url: Some(app_url.clone()) };
    options.clock = Arc::new(move || Timestamp::from_millisecond(clock.load(Ordering::SeqCst)).unwrap());
    options.limits = within(PATIENCE);
    change(&mut options);
    let discord = DiscordSandbox::start(options).await.unwrap();
    Rig { discord, app, app_url, now_ms, http: reqwest::Client::builder().no_proxy().build().unwrap() }
}

/// How long an app may take that answers, however slow the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

fn within(answer_within: Duration) -> DiscordLimits {
    DiscordLimits { answer_within, ..DiscordLimits::unlimited() }
}

impl Rig {
    /// People wait no longer than this from now on, because what they wait for does not come.
    pub(super) fn waits_ms(&self, ms: u64) {
        self.discord.set_limits(within(Duration::from_millis(ms)));
    }

    pub(super) fn pass_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/api/v10/{path}", self.discord.api_url);
        self.http.request(method.parse().unwrap(), url).header("user-agent", AGENT)
    }

    /// Calls with the bot's token: the status, the headers, the body.
    pub(super) async fn raw(&self, method: &str, path: &str, body: Value) -> (u16, HeaderMap, Value) {
        let mut request = self.request(method, path).header("authorization", format!("Bot {TOKEN}"));
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        (status, headers, serde_json::from_str(&text).unwrap_or_default())
    }

    pub(super) async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let (status, _, body) = self.raw(method, path, body).await;
        (status, body)
    }

    /// What a call gives that is not refused.
    pub(super) async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, body) = self.call(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {body}");
        body
    }

    /// The status and the code of a refusal.
    pub(super) async fn refusal(&self, method: &str, path: &str, body: Value) -> (u16, u64) {
        let (status, body) = self.call(method, path, body).await;
        (status, body["code"].as_u64().unwrap_or_else(|| panic!("{method} {path} is not refused: {status} {body}")))
    }

    /// Where a body is wrong, and how: `embeds.0.title BASE_TYPE_MAX_LENGTH`.
    pub(super) async fn wrong(&self, method: &str, path: &str, body: Value) -> Vec<String> {
        let (status, body) = self.call(method, path, body).await;
        assert_eq!((status, body["code"].as_u64()), (400, Some(50_035)), "{body}");
        let mut found = Vec::new();
        errors(&body["errors"], "", &mut found);
        found
    }

    /// Without a token, as who has only an interaction's.
    pub(super) async fn open(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let response = self.request(method, path).json(&body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
    }

    /// With another token, and another name.
    pub(super) async fn as_other(&self, token: Option<&str>, agent: &str) -> u16 {
        let url = format!("{}/api/v10/users/@me", self.discord.api_url);
        let mut request = self.http.get(url).header("user-agent", agent);
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        request.send().await.unwrap().status().as_u16()
    }

    /// Posts a message and gives its id.
    pub(super) async fn post(&self, channel: &str, body: Value) -> String {
        let posted = self.ok("POST", &format!("channels/{channel}/messages"), body).await;
        posted["id"].as_str().unwrap().to_owned()
    }

    /// Registers the commands of the tests in the guild.
    pub(super) async fn register(&self) {
        self.ok("PUT", &format!("applications/{APP}/guilds/{GUILD}/commands"), commands()).await;
    }

    /// Ana types `/deploy staging`, and the app says what is given: the interaction that it got.
    pub(super) async fn deploy(&self, answer: &Value) -> Value {
        self.app.will_say(answer);
        self.discord.type_text(ANA, RELEASES, "/deploy staging").await.unwrap();
        self.app.last()
    }
}

fn errors(value: &Value, path: &str, found: &mut Vec<String>) {
    for error in value["_errors"].as_array().into_iter().flatten() {
        found.push(format!("{path} {}", error["code"].as_str().unwrap()).trim().to_owned());
    }
    for (name, inside) in value.as_object().into_iter().flatten().filter(|(name, _)| *name != "_errors") {
        errors(inside, format!("{path}.{name}").trim_start_matches('.'), found);
    }
}

/// Commands with options of some types.
pub(super) fn commands() -> Value {
    let text =
        |name: &str, required: bool| json!({ "type": 3, "name": name, "description": "x", "required": required });
    let mut environment = text("environment", true);
    environment["autocomplete"] = json!(true);
    json!([
        { "name": "deploy", "description": "deploy something", "options": [environment, text("reference", false)] },
        { "name": "release", "description": "ask about a release", "options": [
            { "type": 1, "name": "status", "description": "what is where" },
            { "type": 1, "name": "lock", "description": "keep others out", "options": [
                text("environment", true), text("reason", false),
                { "type": 4, "name": "hours", "description": "how long", "min_value": 1 },
                { "type": 5, "name": "force", "description": "also now" },
                { "type": 6, "name": "owner", "description": "whose it is" },
            ] },
        ] },
    ])
}

/// Buttons under an embed.
pub(super) fn card() -> Value {
    json!({
        "content": "**goals** → staging", "allowed_mentions": { "parse": [] },
        "embeds": [{
            "title": "release 7", "description": "asked by <@210000000000000001> \\*now\\*", "color": 5,
            "fields": [{ "name": "Checks", "value": "- `build` passed\n- `test` passed" },
                       { "name": "State", "value": "waits since <t:1790000000:R>" }],
            "footer": { "text": "slipway *1*" },
        }],
        "components": [{ "type": 1, "components": [
            { "type": 2, "style": 3, "label": "Approve", "custom_id": "approve|release/1" },
            { "type": 2, "style": 2, "label": "Why", "custom_id": "why|release/1" },
            { "type": 2, "style": 2, "label": "Done", "custom_id": "done", "disabled": true },
            { "type": 2, "style": 5, "label": "Log", "url": "https://example.com/log" },
        ] }],
    })
}
