//! What runs where, what is under way or waits, and who holds what.

use super::super::Web;
use super::frame;
use super::html::Html;
use super::markup::{self, Links};
use crate::store::StoreError;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use slipway_core::environment::Environment;
use slipway_core::message::Line;
use slipway_core::message::cards::{HomeRelease, home};
use slipway_core::release::Release;

/// How many releases that have not ended are looked at.
const OPEN_LIMIT: u32 = 200;
/// How many of them are listed at one environment.
const LISTED_LIMIT: usize = 10;
/// How many pieces of a first line of core's say which environment it is about.
const KEY_SPANS: usize = 2;

/// `GET /`.
pub(in super::super) async fn page(State(web): State<Web>) -> Response {
    made(&web).await.unwrap_or_else(|error| {
        tracing::error!(%error, "the page of what runs where could not be made");
        frame::store_failed()
    })
}

async fn made(web: &Web) -> Result<Response, StoreError> {
    let (setup, now) = (web.readiness.setup(), web.clock.now());
    let mut tx = web.store.begin_to_read().await?;
    let open = web.store.releases_open(&mut tx, OPEN_LIMIT).await?;
    drop(tx);
    let (mut rows, mut links) = (Vec::new(), Links::default());
    for key in setup.environment_keys(None) {
        let environment = web.store.environment(&key).await?;
        let here: Vec<_> = open.iter().filter(|release| release.request.key == key).collect();
        let ran = environment.live.as_ref().map(|live| (live.commit.short(), &live.release));
        links.extend(ran.map(|(commit, id)| (commit.to_owned(), format!("/releases/{id}"))));
        links.extend(here.iter().map(|open| (open.id.short().to_owned(), format!("/releases/{}", open.id))));
        rows.push(row(&environment, &here, now));
    }
    let mut page = Html::default();
    page.words("h1", "", "What runs where");
    if rows.is_empty() {
        page.words("p", "", "No environment is configured.");
    } else {
        let head = ["environment", "runs", "since", "under way", "lock"].map(str::to_owned);
        markup::table(&mut page, &head, &rows, &links);
    }
    page.element("footer", |footer| {
        footer.text("As of ");
        footer.time(now);
        footer.text(".");
    });
    Ok(frame::respond(StatusCode::OK, "What runs where", page))
}

fn row(environment: &Environment, open: &[&Release], now: Timestamp) -> Vec<Line> {
    let without_key = |line: Line| Line(line.0.into_iter().skip(KEY_SPANS).collect());
    let none = || Line::plain("–");
    let runs = without_key(home::environment(&environment.key, environment, now).headline);
    let since = environment.live.as_ref().filter(|_| environment.by_hand.is_none()).map(|live| live.since);
    let stands = |release: &&Release| {
        let stands = without_key(home::release(release, HomeRelease::Waiting, now).headline);
        Line::default().code(release.id.short()).text(" ").join(stands)
    };
    let listed = open.iter().take(LISTED_LIMIT).map(stands);
    let mut under_way = listed.reduce(|all, one| all.text("; ").join(one)).unwrap_or_else(none);
    if open.len() > LISTED_LIMIT {
        under_way = under_way.text(format!("; and {} more", open.len() - LISTED_LIMIT));
    }
    let lock = environment.lock(now).map(|lock| {
        let line = Line::plain("by ").person(&lock.owner).text(" since ").time(lock.at);
        let line = lock.until.into_iter().fold(line, |line, until| line.text(" until ").time(until));
        line.text(": ").untrusted(lock.reason.as_str())
    });
    vec![
        Line::plain(environment.key.to_string()),
        runs,
        since.map_or_else(none, |since| Line::default().time(since)),
        under_way,
        lock.unwrap_or_else(none),
    ]
}
