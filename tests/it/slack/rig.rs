//! A stand-in with a clock that a test moves, a caller of its methods, and an app that answers as it is told.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use slipway_sandbox::slack::{SlackLimits, SlackMode, SlackOptions, SlackSandbox};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(super) const TOKEN: &str = "xoxb-sandbox";
pub(super) const RELEASES: &str = "C0RELEASES";
pub(super) const ANA: &str = "U0ANA0001";
/// When the clock begins.
pub(super) const START_S: i64 = 1_790_000_000;

/// What the app answers next.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Body(u16, String),
    NoRetry(u16),
    Never,
}

/// A request that the app got.
#[derive(Clone, Debug)]
pub(super) struct Got {
    pub(super) path: String,
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

    /// A form's fields.
    pub(super) fn form(&self) -> Value {
        let url = format!("http://form.invalid/?{}", std::str::from_utf8(&self.body).unwrap());
        let url = reqwest::Url::parse(&url).unwrap();
        url.query_pairs()
            .map(|(name, value)| (name.into_owned(), json!(value)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// The JSON in a press's form.
    pub(super) fn payload(&self) -> Value {
        serde_json::from_str(self.form()["payload"].as_str().unwrap()).unwrap()
    }
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

    pub(super) fn will(&self, reply: Reply) {
        self.replies.lock().unwrap().push_back(reply);
    }

    pub(super) fn will_say(&self, body: &Value) {
        self.will(Reply::Body(200, body.to_string()));
    }
}

async fn take(State(app): State<App>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    app.got.lock().unwrap().push(Got { path: uri.path().to_owned(), headers, body });
    let reply = app.replies.lock().unwrap().pop_front();
    match reply {
        None => StatusCode::OK.into_response(),
        Some(Reply::Body(status, body)) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Some(Reply::NoRetry(status)) => {
            (StatusCode::from_u16(status).unwrap(), [("x-slack-no-retry", "1")]).into_response()
        }
        Some(Reply::Never) => std::future::pending().await,
    }
}

pub(super) struct Rig {
    pub(super) slack: SlackSandbox,
    pub(super) app: App,
    now_ms: Arc<AtomicI64>,
    http: reqwest::Client,
}

pub(super) async fn rig() -> Rig {
    rig_with(|_| {}).await
}

/// Limits that no test reaches by accident, and short rests between deliveries.
pub(super) async fn rig_with(change: impl FnOnce(&mut SlackOptions)) -> Rig {
    slipway_deploy::install_crypto_provider();
    let app = App::default();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let bot_url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(take).with_state(app.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let now_ms = Arc::new(AtomicI64::new(START_S * 1_000));
    let clock = Arc::clone(&now_ms);
    let mut options = SlackOptions::new(TOKEN);
    options.bot_url = Some(bot_url);
    options.mode = SlackMode::Http;
    options.clock = Arc::new(move || Timestamp::from_millisecond(clock.load(Ordering::SeqCst)).unwrap());
    options.limits = within(PATIENCE);
    change(&mut options);
    let slack = SlackSandbox::start(options).await.unwrap();
    Rig { slack, app, now_ms, http: reqwest::Client::builder().no_proxy().build().unwrap() }
}

/// How long an app may take that answers, however slow the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

fn within(answer_within: Duration) -> SlackLimits {
    let retry_after = [Duration::ZERO, Duration::from_millis(5), Duration::from_millis(10)];
    SlackLimits { answer_within, retry_after, ..SlackLimits::unlimited() }
}

impl Rig {
    /// Slack waits no longer than this for an answer from now on, because none comes.
    pub(super) fn waits_ms(&self, ms: u64) {
        self.slack.set_limits(within(Duration::from_millis(ms)));
    }

    pub(super) fn pass_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Calls a method with the bot's token.
    pub(super) async fn call(&self, method: &str, arguments: Value) -> Value {
        self.call_as(TOKEN, method, arguments).await
    }

    pub(super) async fn call_as(&self, token: &str, method: &str, arguments: Value) -> Value {
        let request = self.http.post(format!("{}/{method}", self.slack.api_url)).bearer_auth(token).json(&arguments);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// The answer with its status and headers, or None when the connection broke.
    pub(super) async fn raw(&self, method: &str, arguments: Value) -> Option<(u16, HeaderMap, String)> {
        let request = self.http.post(format!("{}/{method}", self.slack.api_url)).bearer_auth(TOKEN).json(&arguments);
        let response = request.send().await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Some((status, headers, response.text().await.ok()?))
    }

    /// Why a method refuses, with what it says of the place.
    pub(super) async fn refusal(&self, method: &str, arguments: Value) -> String {
        let answer = self.call(method, arguments).await;
        assert_eq!(answer["ok"], false, "{answer}");
        let code = answer["error"].as_str().unwrap().to_owned();
        let said =
            answer["response_metadata"]["messages"].as_array().into_iter().flatten().map(|m| m.as_str().unwrap());
        [code.as_str()].into_iter().chain(said).collect::<Vec<_>>().join(" ")
    }

    /// Posts a text and gives its time.
    pub(super) async fn post(&self, channel: &str, more: Value) -> String {
        let mut arguments = json!({ "channel": channel });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = self.call("chat.postMessage", arguments).await;
        assert_eq!(answer["ok"], true, "{answer}");
        answer["ts"].as_str().unwrap().to_owned()
    }

    /// Sends something to any address: the status and the answer.
    pub(super) async fn post_to(&self, url: &str, body: &Value) -> (u16, String) {
        let response = self.http.post(url).json(body).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// The people's side over HTTP.
    pub(super) async fn person(&self, what: &str, wish: Value) -> Value {
        let (_, text) = self.post_to(&format!("{}/sandbox/{what}", self.slack.page_url()), &wish).await;
        serde_json::from_str(&text).unwrap()
    }

    pub(super) async fn look(&self, query: &str) -> Value {
        let url = format!("{}/sandbox/state?{query}", self.slack.page_url());
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }
}

/// Buttons under a line.
pub(super) fn card() -> Value {
    json!([
        { "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [
            { "type": "text", "text": "goals to staging\n", "style": { "bold": true } },
            { "type": "text", "text": "waits for " }, { "type": "user", "user_id": ANA },
        ] }] },
        { "type": "actions", "block_id": "verbs", "elements": [
            { "type": "button", "action_id": "approve", "value": "release/1", "style": "primary",
              "text": { "type": "plain_text", "text": "Approve" } },
            { "type": "button", "action_id": "veto", "value": "release/1",
              "text": { "type": "plain_text", "text": "Veto" } },
        ] },
    ])
}

/// A form with a text and a choice.
pub(super) fn form() -> Value {
    json!({
        "type": "modal", "callback_id": "veto", "private_metadata": "release/1",
        "title": { "type": "plain_text", "text": "Veto" }, "submit": { "type": "plain_text", "text": "Send" },
        "blocks": [
            { "type": "input", "block_id": "reason", "label": { "type": "plain_text", "text": "Reason" },
              "element": { "type": "plain_text_input", "action_id": "text", "max_length": 20 } },
            { "type": "input", "block_id": "kind", "optional": true,
              "label": { "type": "plain_text", "text": "Kind" },
              "element": { "type": "static_select", "action_id": "choice", "options": [
                  { "text": { "type": "plain_text", "text": "Too risky" }, "value": "risk" }] } },
        ],
    })
}
