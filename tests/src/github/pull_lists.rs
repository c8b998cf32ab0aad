//! Open pull requests and the files that they change.

use super::git::is_hex;
use super::server::{PageQuery, Refusal, Reply, Shared, page};
use super::{repository, shapes};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Nobody looks at when it was opened; what is asked for again has to be the same.
const AT: &str = "2025-11-24T09:00:00Z";
/// GitHub tells of so many files, however many are changed.
const FILES_LIMIT: usize = 3_000;

/// A pull request that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPull {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Who opened it.
    pub author: String,
    /// The branch's name.
    pub branch: String,
    /// Its newest commit: all 40 digits.
    pub head: String,
    /// The branch that it is for.
    pub base: String,
    /// Whose fork it comes from; `None`: the repository itself.
    pub fork_of: Option<String>,
}

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
    let mut open = if query.state.as_deref() == Some("closed") { vec![] } else { shared.world().open_pulls.clone() };
    if query.direction.as_deref() != Some("asc") {
        open.reverse();
    }
    let paging = PageQuery { per_page: query.per_page, page: query.page, ..PageQuery::default() };
    let (one_page, links) = page(open, &paging, &format!("{}/pulls?state=open", shared.api()));
    let mut body = Vec::new();
    for pull in &one_page {
        let base = shared.commit_of(&format!("refs/heads/{}", pull.base)).await?.unwrap_or_default();
        body.push(shape(&shared, pull, &base));
    }
    Ok((links, Json(body)).into_response())
}

pub(super) async fn files(
    State(shared): State<Arc<Shared>>,
    Path(number): Path<u64>,
    Query(query): Query<PageQuery>,
) -> Reply {
    shared.world().may_read_pulls.check()?;
    let pull = shared.world().open_pulls.iter().find(|pull| pull.number == number).cloned();
    let pull = pull.ok_or_else(Refusal::not_found)?;
    let base = shared.commit_of(&format!("refs/heads/{}", pull.base)).await?.ok_or_else(Refusal::not_found)?;
    let from = shared.git.merge_base(&base, &pull.head).await?.ok_or_else(Refusal::not_found)?;
    let mut changed = shared.git.changed(&from, &pull.head).await?;
    changed.truncate(FILES_LIMIT);
    let url = format!("{}/pulls/{number}/files", shared.api());
    let (one_page, links) = page(changed, &query, &url);
    let body: Vec<Value> = one_page.iter().map(|file| file_shape(&shared, &pull.head, file)).collect();
    Ok((links, Json(body)).into_response())
}

/// A file that differs, as it is at `head`.
pub(super) fn file_shape(shared: &Shared, head: &str, file: &super::git::Changed) -> Value {
    let (path, html) = (shapes::encoded(&file.path), shared.html());
    let mut shape = json!({
        "sha": if is_hex(&file.sha, 40) { json!(file.sha) } else { Value::Null }, "filename": file.path,
        "status": file.status, "additions": file.additions, "deletions": file.deletions,
        "changes": file.additions + file.deletions, "blob_url": format!("{html}/blob/{}/{path}", head),
        "raw_url": format!("{html}/raw/{}/{path}", head),
        "contents_url": format!("{}/contents/{path}?ref={}", shared.api(), head),
    });
    if let Some(was) = &file.was {
        shape["previous_filename"] = json!(was);
    }
    shape
}

fn end(shared: &Shared, owner: &str, branch: &str, sha: &str) -> Value {
    json!({
        "label": format!("{owner}:{branch}"), "ref": branch, "sha": sha, "user": shapes::user(shared, owner),
        // A fork is described like what it was made of.
        "repo": repository::full(shared),
    })
}

fn shape(shared: &Shared, pull: &OpenPull, base: &str) -> Value {
    let (api, html, number) = (shared.api(), shared.html(), pull.number);
    let url = format!("{api}/pulls/{number}");
    let issue = format!("{api}/issues/{number}");
    let owner = shared.options.full_name.split('/').next().unwrap_or_default();
    let head = pull.fork_of.as_deref().unwrap_or(owner);
    let links: BTreeMap<&str, Value> = [
        ("self", url.clone()),
        ("html", format!("{html}/pull/{number}")),
        ("issue", issue.clone()),
        ("comments", format!("{issue}/comments")),
        ("review_comments", format!("{url}/comments")),
        ("review_comment", format!("{api}/pulls/comments{{/number}}")),
        ("commits", format!("{url}/commits")),
        ("statuses", format!("{api}/statuses/{}", pull.head)),
    ]
    .map(|(name, href)| (name, json!({ "href": href })))
    .into();
    json!({
        "url": url, "id": 2_000_000_000 + number, "node_id": format!("PR_{number}"), "html_url": format!("{html}/pull/{number}"),
        "diff_url": format!("{html}/pull/{number}.diff"), "patch_url": format!("{html}/pull/{number}.patch"),
        "issue_url": issue, "commits_url": format!("{url}/commits"), "review_comments_url": format!("{url}/comments"),
        "review_comment_url": format!("{api}/pulls/comments{{/number}}"), "comments_url": format!("{issue}/comments"),
        "statuses_url": format!("{api}/statuses/{}", pull.head), "number": number, "state": "open", "locked": false,
        "title": pull.title, "user": shapes::user(shared, &pull.author), "body": null, "labels": [], "milestone": null,
        "active_lock_reason": null, "created_at": AT, "updated_at": AT, "closed_at": null, "merged_at": null,
        "merge_commit_sha": null, "assignee": null, "assignees": [], "requested_reviewers": [], "requested_teams": [],
        "head": end(shared, head, &pull.branch, &pull.head), "base": end(shared, owner, &pull.base, base),
        "_links": links, "author_association": "CONTRIBUTOR", "auto_merge": null, "draft": false,
    })
}
