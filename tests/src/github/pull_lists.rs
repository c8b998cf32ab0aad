//! Lists of pull requests, and the files that they change.

use super::git::is_hex;
use super::pulls::Pull;
use super::server::{PageQuery, Refusal, Reply, Shared, page};
use super::{pull_shape, shapes};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// GitHub tells of so many files, however many are changed.
const FILES_LIMIT: usize = 3_000;

#[derive(Deserialize)]
pub(super) struct ListQuery {
    state: Option<String>,
    sort: Option<String>,
    direction: Option<String>,
    per_page: Option<usize>,
    page: Option<usize>,
}

pub(super) async fn list(State(shared): State<Arc<Shared>>, Query(query): Query<ListQuery>) -> Reply {
    let one_of = |given: &Option<String>, known: &[&str], name: &str| match given.as_deref() {
        Some(given) if !known.contains(&given) => {
            Err(Refusal::unprocessable(format!("Validation Failed: {name} {given:?} is not one of {known:?}")))
        }
        _ => Ok(()),
    };
    one_of(&query.state, &["open", "closed", "all"], "state")?;
    one_of(&query.sort, &["created", "updated", "popularity", "long-running"], "sort")?;
    one_of(&query.direction, &["asc", "desc"], "direction")?;
    shared.world().may_read_pulls.check()?;
    let state = query.state.as_deref().unwrap_or("open");
    let mut all: Vec<Pull> = shared.world().pulls.clone();
    all.retain(|pull| state == "all" || pull.is_open() == (state == "open"));
    let sort = query.sort.as_deref().unwrap_or("created");
    match sort {
        "created" => all.sort_by_key(|pull| pull.new.number),
        // They are kept in the order in which they were touched.
        "updated" => {}
        other => return Err(Refusal::unprocessable(format!("this model does not sort by {other}"))),
    }
    // What was opened last comes first where nothing is said, and else what was touched last comes last.
    let ascending = query.direction.as_deref().map_or(sort != "created", |direction| direction == "asc");
    if !ascending {
        all.reverse();
    }
    let paging = PageQuery { per_page: query.per_page, page: query.page, ..PageQuery::default() };
    let (one_page, links) = page(all, &paging, &format!("{}/pulls?state={state}", shared.api()));
    let mut body = Vec::new();
    for pull in &one_page {
        body.push(Value::Object(pull_shape::listed(&shared, pull, &shared.ends_of(pull).await?)));
    }
    Ok((links, Json(body)).into_response())
}

pub(super) async fn files(
    State(shared): State<Arc<Shared>>,
    Path(number): Path<u64>,
    Query(query): Query<PageQuery>,
) -> Reply {
    let pull = shared.shown(number)?;
    let ends = shared.ends_of(&pull).await?;
    let from = shared.git.merge_base(&ends.base, &ends.head).await?.ok_or_else(Refusal::not_found)?;
    let mut changed = shared.git.changed(&from, &ends.head).await?;
    changed.truncate(FILES_LIMIT);
    let url = format!("{}/pulls/{number}/files", shared.api());
    let (one_page, links) = page(changed, &query, &url);
    let body: Vec<Value> = one_page.iter().map(|file| file_shape(&shared, &ends.head, file)).collect();
    Ok((links, Json(body)).into_response())
}

/// A file that differs, as it is at `head`.
pub(super) fn file_shape(shared: &Shared, head: &str, file: &super::git::Changed) -> Value {
    let (path, html) = (shapes::encoded(&file.path), shared.html());
    let mut shape = json!({
        "sha": if is_hex(&file.sha, 40) { json!(file.sha) } else { Value::Null }, "filename": file.path,
        "status": file.status, "additions": file.additions, "deletions": file.deletions,
        "changes": file.additions + file.deletions, "blob_url": format!("{html}/blob/{head}/{path}"),
        "raw_url": format!("{html}/raw/{head}/{path}"),
        "contents_url": format!("{}/contents/{path}?ref={head}", shared.api()),
    });
    if let Some(was) = &file.was {
        shape["previous_filename"] = json!(was);
    }
    shape
}
