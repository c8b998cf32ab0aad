//! The people's side over HTTP: JSON in, JSON out, and the pages.

use super::DiscordSandbox;
use super::server::Shared;
use crate::people::{Since, answer};
use axum::extract::{Query, State};
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(async || Html(include_str!("page.html"))))
        .route("/both", get(async || Html(include_str!("both.html"))))
        .route("/sandbox/state", get(state))
        .route("/sandbox/type", post(type_text))
        .route("/sandbox/press", post(press))
        .route("/sandbox/react", post(react))
        .route("/sandbox/submit", post(submit))
        .route("/sandbox/dismiss", post(dismiss))
        .route("/sandbox/autocomplete", post(autocomplete))
        .route("/sandbox/delete", post(delete))
}

/// What a person wants; each route has its own fields.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wish {
    user: String,
    channel: String,
    message: Option<String>,
    text: String,
    button: String,
    emoji: String,
    added: bool,
    values: Value,
    command: String,
    option: String,
    typed: String,
}

async fn state(State(shared): State<Arc<Shared>>, Query(since): Query<Since>) -> Json<Value> {
    since.news(shared.changes.clone()).await;
    Json(DiscordSandbox::inside(shared).state(since.after))
}

type Shares = State<Arc<Shared>>;

async fn type_text(State(shared): Shares, Json(wish): Json<Wish>) -> Json<Value> {
    answer(DiscordSandbox::inside(shared).type_text(&wish.user, &wish.channel, &wish.text).await)
}

async fn press(State(shared): Shares, Json(wish): Json<Wish>) -> Json<Value> {
    let message = wish.message.unwrap_or_default();
    answer(DiscordSandbox::inside(shared).press(&wish.user, &wish.channel, &message, &wish.button).await)
}

async fn react(State(shared): Shares, Json(wish): Json<Wish>) -> Json<Value> {
    let message = wish.message.unwrap_or_default();
    answer(DiscordSandbox::inside(shared).react(&wish.user, &wish.channel, &message, &wish.emoji, wish.added))
}

async fn submit(State(shared): Shares, Json(wish): Json<Wish>) -> Json<Value> {
    answer(DiscordSandbox::inside(shared).submit(&wish.user, &wish.values).await)
}

/// A message that only they see, or the form before them.
async fn dismiss(State(shared): Shares, Json(wish): Json<Wish>) -> Json<Value> {
    let discord = DiscordSandbox::inside(shared);
    answer(match &wish.message {
        Some(message) => discord.dismiss_message(&wish.user, &wish.channel, message),
        None => discord.dismiss(&wish.user),
    })
}

async fn autocomplete(State(shared): Shares, Json(wish): Json<Wish>) -> Json<Value> {
    let discord = DiscordSandbox::inside(shared);
    match discord.autocomplete(&wish.user, &wish.channel, &wish.command, &wish.option, &wish.typed).await {
        Ok(choices) => {
            let shown = choices.iter().map(|(name, value)| json!({ "name": name, "value": value }));
            Json(json!({ "ok": true, "choices": shown.collect::<Vec<_>>() }))
        }
        Err(refused) => answer(Err(refused)),
    }
}

async fn delete(State(shared): Shares, Json(wish): Json<Wish>) -> Json<Value> {
    answer(DiscordSandbox::inside(shared).delete(&wish.channel, &wish.message.unwrap_or_default()))
}
