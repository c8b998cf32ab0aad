//! The page of a release: its card as the chat has it, then all that the store holds of it.

use super::super::Web;
use super::html::Html;
use super::markup::{self, Links};
use super::{elsewhere, frame, trail};
use crate::chat::on_page;
use crate::store::{Store, StoreError};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use slipway_core::message::cards::HomeRelease;
use slipway_core::message::cards::home;
use slipway_core::message::{Line, Message};
use slipway_core::release::{Release, Step};
use slipway_core::together::TOGETHER_LIMIT;

/// The lengths that an id may have: from what chats show to all of it.
const ID_CHARS: std::ops::RangeInclusive<usize> = 8..=26;

/// `GET /releases/{id}`, the whole id or its beginning as chats show it.
pub(in super::super) async fn page(State(web): State<Web>, Path(id): Path<String>) -> Response {
    let found = match found(&web.store, &id).await {
        Ok(found) => found,
        Err(error) => return failed(&error),
    };
    match &found[..] {
        [] => {
            let way_out = Line::plain("The id of a release stands on its card; ").code("/release history");
            frame::refusal(StatusCode::NOT_FOUND, "There is no such release.", way_out.text(" in the chat lists them."))
        }
        [release] => shown(&web, release).await.unwrap_or_else(|error| failed(&error)),
        several => ambiguous(several, web.clock.now()),
    }
}

fn failed(error: &StoreError) -> Response {
    tracing::error!(%error, "the page of a release could not be made");
    frame::store_failed()
}

/// The releases whose ids begin so: none, one, or two for several.
async fn found(store: &Store, id: &str) -> Result<Vec<Release>, StoreError> {
    if !ID_CHARS.contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(vec![]);
    }
    let mut tx = store.begin_to_read().await?;
    store.releases_by_prefix(&mut tx, id).await
}

fn ambiguous(several: &[Release], now: Timestamp) -> Response {
    let mut page = Html::default();
    frame::way_home(&mut page);
    page.words("h1", "", "Several releases begin so.");
    others(&mut page, several, now);
    frame::respond(StatusCode::NOT_FOUND, "Several releases", page)
}

async fn shown(web: &Web, release: &Release) -> Result<Response, StoreError> {
    let (setup, now) = (web.readiness.setup(), web.clock.now());
    let Some((card, details)) = on_page::of_release(&web.store, setup, &release.id, now).await? else {
        return Ok(frame::refusal(StatusCode::NOT_FOUND, "There is no such release.", Line::default()));
    };
    let mut group = Vec::new();
    for id in release.request.together.iter().flat_map(|together| together.others(&release.id)).take(TOGETHER_LIMIT) {
        group.extend(web.store.release(id).await?.map(|stored| stored.release));
    }
    let links = elsewhere::links(setup, release);
    let trail = trail::of(&web.store, &release.id, release.request.at).await?;
    let mut page = Html::default();
    frame::way_home(&mut page);
    markup::message(&mut page, &card, &links);
    if !group.is_empty() {
        page.words("h2", "", "Together with");
        others(&mut page, &group, now);
    }
    let elsewhere = elsewhere::lines(setup, release);
    if !elsewhere.is_empty() {
        page.words("h2", "", "Elsewhere");
        elsewhere.iter().for_each(|line| page.element("p", |p| markup::line(p, line, &links)));
    }
    page.words("h2", "", "When");
    markup::table(&mut page, &["", "began", "ended"].map(str::to_owned), &times(release), &links);
    in_full(&mut page, &details, &links);
    page.words("h2", "", "Audit log");
    markup::table(&mut page, &["when", "who", "what"].map(str::to_owned), &trail.rows, &links);
    if trail.cut {
        let more = Line::plain("There may be more: ").code("slipway audit export").text(" has all of it.");
        page.element("p", |p| markup::line(p, &more, &links));
    }
    page.element("footer", |footer| {
        footer.text("As of ");
        footer.time(now);
        footer.text(". Votes and commands are for the chat; a page only shows.");
    });
    Ok(frame::respond(StatusCode::OK, &markup::title(&card), page))
}

/// All that `/release show` has.
fn in_full(page: &mut Html, details: &Message, links: &Links) {
    page.words("h2", "", "In full");
    page.element("p", |p| markup::line(p, &details.headline, links));
    markup::blocks(page, &details.body, links);
}

/// Other releases, each with where it goes and how it stands.
fn others(page: &mut Html, releases: &[Release], now: Timestamp) {
    let links = releases.iter().map(|release| (release.id.short().to_owned(), format!("/releases/{}", release.id)));
    let mut links: Links = links.collect();
    // Those whose beginnings are the same are told apart by all of it.
    let whole = links.len() < releases.len();
    links.extend(releases.iter().map(|release| (release.id.to_string(), format!("/releases/{}", release.id))));
    let row = |release: &Release| {
        let id = if whole { release.id.as_str() } else { release.id.short() };
        vec![Line::default().code(id), home::release(release, HomeRelease::Waiting, now).headline]
    };
    markup::table(page, &[String::new(), String::new()], &releases.iter().map(row).collect::<Vec<_>>(), &links);
}

/// When it was asked for, when each step began and ended, when it was over.
fn times(release: &Release) -> Vec<Vec<Line>> {
    let moment = |at: Option<Timestamp>| at.map_or_else(|| Line::plain("–"), |at| Line::default().time(at));
    let step = |step: Step| {
        let record = release.steps.get(step);
        let began = record.started_at.or(record.ended_at);
        began.map(|began| vec![Line::plain(step.name()), moment(Some(began)), moment(record.ended_at)])
    };
    let whole = vec![Line::plain("the release"), moment(Some(release.request.at)), moment(release.ended_at)];
    [whole].into_iter().chain(release.order().into_iter().filter_map(step)).collect()
}
