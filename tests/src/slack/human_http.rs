//! The people's side over HTTP: JSON in, JSON out, and the page.

use super::SlackSandbox;
use super::server::Shared;
use crate::people::{Since, answer};
use axum::extract::{Query, State};
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(async || Html(include_str!("page.html"))))
        .route("/sandbox/state", get(state))
        .route("/sandbox/type", post(type_text))
        .route("/sandbox/edit", post(edit))
        .route("/sandbox/press", post(press))
        .route("/sandbox/react", post(react))
        .route("/sandbox/submit", post(submit))
        .route("/sandbox/dismiss", post(dismiss))
        .route("/sandbox/home", post(home))
        .route("/sandbox/delete", post(delete))
}

/// What a person wants; each route has its own fields.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wish {
    user: String,
    channel: String,
    ts: String,
    thread_ts: Option<String>,
    text: String,
    action_id: String,
    name: String,
    added: bool,
    view_id: Option<String>,
    values: Value,
    home: bool,
}

async fn state(State(shared): State<Arc<Shared>>, Query(since): Query<Since>) -> Json<Value> {
    since.news(shared.changes.clone()).await;
    Json(super::state::state(&shared, since.after))
}

type Shares = State<Arc<Shared>>;

async fn type_text(State(shared): Shares, Json(wish): Json<Wish>) -> Json<Value> {
    let slack = SlackSandbox::inside(shared);
    answer(slack.type_text(&wish.user, &wish.channel, &wish.text, wish.thread_ts.as_deref()).await)
}

async fn edit(State(shared): Shares, Json(wish): Json<Wish>) -> Json<Value> {
    answer(SlackSandbox::inside(shared).edit_text(&wish.user, &wish.channel, &wish.ts, &wish.text))
}

async fn press(State(shared): Shares, Json(wish): Json<Wish>) -> Json<Value> {
    let slack = SlackSandbox::inside(shared);
    answer(match &wish.view_id {
        _ if wish.home => slack.press_home(&wish.user, &wish.action_id).await,
        Some(view_id) => slack.press_modal(&wish.user, view_id, &wish.action_id).await,
        None => slack.press(&wish.user, &wish.channel, &wish.ts, &wish.action_id).await,
    })
}

async fn react(State(shared): Shares, Json(wish): Json<Wish>) -> Json<Value> {
    let slack = SlackSandbox::inside(shared);
    answer(slack.react(&wish.user, &wish.channel, &wish.ts, &wish.name, wish.added))
}

async fn submit(State(shared): Shares, Json(wish): Json<Wish>) -> Json<Value> {
    let slack = SlackSandbox::inside(shared);
    answer(slack.submit(&wish.user, wish.view_id.as_deref().unwrap_or_default(), &wish.values).await)
}

async fn dismiss(State(shared): Shares, Json(wish): Json<Wish>) -> Json<Value> {
    let slack = SlackSandbox::inside(shared);
    answer(slack.dismiss(&wish.user, wish.view_id.as_deref().unwrap_or_default()).await)
}

async fn home(State(shared): Shares, Json(wish): Json<Wish>) -> Json<Value> {
    answer(SlackSandbox::inside(shared).home(&wish.user))
}

async fn delete(State(shared): Shares, Json(wish): Json<Wish>) -> Json<Value> {
    answer(SlackSandbox::inside(shared).delete(&wish.user, &wish.channel, &wish.ts))
}
