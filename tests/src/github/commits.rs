//! Commits, comparisons, check runs and statuses.

use super::ci::JOBS;
use super::git::{GitCommit, is_hex};
use super::server::{PageQuery, Refusal, Reply, Shared, ok, page};
use super::shapes;
use super::world::CommitStatus;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Commits of a comparison that is not asked for by page.
const COMPARE_COMMITS: usize = 250;
/// Files of a comparison, at most; nothing says that there are more.
const COMPARE_FILES: usize = 300;
/// Commits of a list, at most over all its pages.
const LIST_LIMIT: usize = 1_000;

impl Shared {
    pub(super) async fn commit(&self, sha: &str) -> Result<GitCommit, Refusal> {
        let found = self.git.commits(&[sha.to_owned()]).await?;
        found.into_iter().next().ok_or_else(Refusal::not_found)
    }

    async fn known(&self, name: &str) -> Result<String, Refusal> {
        let missing = || Refusal::unprocessable(format!("No commit found for SHA: {name}"));
        self.commit_of(name).await?.ok_or_else(missing)
    }
}

#[derive(Deserialize)]
pub(super) struct ListQuery {
    sha: Option<String>,
    path: Option<String>,
    #[serde(flatten)]
    page: TextPage,
}

/// Flattened queries arrive as text.
#[derive(Deserialize)]
struct TextPage {
    per_page: Option<String>,
    page: Option<String>,
}

impl TextPage {
    fn numbers(&self) -> PageQuery {
        let number = |text: &Option<String>| text.as_deref().and_then(|t| t.parse().ok());
        PageQuery { per_page: number(&self.per_page), page: number(&self.page), ..PageQuery::default() }
    }
}

pub(super) async fn list(State(shared): State<Arc<Shared>>, Query(query): Query<ListQuery>) -> Reply {
    let name = query.sha.as_deref().unwrap_or(&shared.default_branch);
    let head = shared.commit_of(name).await?.ok_or_else(Refusal::not_found)?;
    let all = match &query.path {
        Some(path) => shared.git.list_touching(&head, path, LIST_LIMIT).await?,
        None => shared.git.list(&head, Some(LIST_LIMIT)).await?,
    };
    let only = query.path.as_ref().map_or(String::new(), |path| format!("&path={}", shapes::encoded(path)));
    let url = format!("{}/commits?sha={}{only}", shared.api(), shapes::encoded(name));
    let (ids, links) = page(all, &query.page.numbers(), &url);
    let commits = shared.git.commits(&ids).await?;
    let body: Vec<Value> = commits.iter().map(|c| shapes::commit(&shared, c)).collect();
    Ok((links, Json(body)).into_response())
}

/// `REF`, `SHA/check-runs`, `SHA/status` and `SHA/branches-where-head`: a ref may have slashes itself.
pub(super) async fn one(
    State(shared): State<Arc<Shared>>,
    Path(rest): Path<String>,
    Query(query): Query<PageQuery>,
) -> Reply {
    if let Some(name) = rest.strip_suffix("/check-runs") {
        return check_runs(&shared, name, &query).await;
    }
    if let Some(name) = rest.strip_suffix("/status") {
        return status(&shared, name, &query).await;
    }
    if let Some(sha) = rest.strip_suffix("/branches-where-head") {
        return branches_where_head(&shared, sha).await;
    }
    let sha = shared.known(&rest).await?;
    ok(shapes::commit(&shared, &shared.commit(&sha).await?))
}

async fn branches_where_head(shared: &Shared, sha: &str) -> Reply {
    let sha = if is_hex(sha, 40) { shared.git.commit_id(sha).await? } else { None };
    let sha = sha.ok_or_else(|| Refusal::unprocessable("No commit found"))?;
    let url = format!("{}/commits/{sha}", shared.api());
    let refs = shared.refs().await?;
    let heads = refs.iter().filter(|r| r.object == sha).filter_map(|r| r.name.strip_prefix("refs/heads/"));
    ok(heads.map(|name| json!({ "name": name, "commit": { "sha": sha, "url": url }, "protected": false })).collect())
}

async fn check_runs(shared: &Shared, name: &str, query: &PageQuery) -> Reply {
    let sha = shared.known(name).await?;
    let at = shared.commit(&sha).await?.committer.at;
    shared.recall(&sha, at);
    let mut all = Vec::new();
    {
        let (world, now) = (shared.world(), shared.now());
        for run in world.runs.iter().rev().filter(|r| r.commit == sha) {
            let moment = world.moment_of(run, now, shared.options.pace);
            all.extend((0..JOBS.len()).map(|i| shapes::check_run(shared, run, i, &moment.jobs[i])));
        }
    }
    let made = shared.world().latest_check_runs(&sha);
    all.splice(0..0, made.iter().map(|made| super::check_runs::shape(shared, made)));
    if let Some(wanted) = &query.check_name {
        all.retain(|run| run["name"] == wanted.as_str());
    }
    let total = all.len();
    let (one_page, links) = page(all, query, &format!("{}/commits/{sha}/check-runs", shared.api()));
    Ok((links, Json(json!({ "total_count": total, "check_runs": one_page }))).into_response())
}

async fn status(shared: &Shared, name: &str, query: &PageQuery) -> Reply {
    let sha = shared.known(name).await?;
    let api = shared.api();
    let states: Vec<(String, CommitStatus)> = {
        let world = shared.world();
        let of_commit = world.statuses.iter().filter(|((commit, _), _)| *commit == sha);
        of_commit.map(|((_, context), status)| (context.clone(), status.clone())).collect()
    };
    let any = |wanted: &[&str]| states.iter().any(|(_, status)| wanted.contains(&status.state.as_str()));
    let state = match () {
        () if any(&["failure", "error"]) => "failure",
        () if states.is_empty() || any(&["pending"]) => "pending",
        () => "success",
    };
    let now = shapes::time(shared.now());
    let one = |(id, (context, status)): (usize, &(String, CommitStatus))| {
        json!({
            "id": id + 1, "node_id": format!("SC_{id}"), "url": format!("{api}/statuses/{sha}"),
            "state": status.state, "context": context, "description": status.description,
            "target_url": status.target_url, "avatar_url": null, "created_at": now,
            "updated_at": now,
        })
    };
    let all: Vec<Value> = states.iter().enumerate().map(one).collect();
    let total = all.len();
    let (one_page, links) = page(all, query, &format!("{api}/commits/{sha}/status"));
    let body = json!({
        "state": state, "statuses": one_page, "sha": sha, "total_count": total,
        "repository": super::repository::minimal(shared), "commit_url": format!("{api}/commits/{sha}"),
        "url": format!("{api}/commits/{sha}/status"),
    });
    Ok((links, Json(body)).into_response())
}

pub(super) async fn compare(
    State(shared): State<Arc<Shared>>,
    Path(basehead): Path<String>,
    Query(query): Query<PageQuery>,
) -> Reply {
    let (base, head) = basehead.split_once("...").ok_or_else(Refusal::not_found)?;
    let base = shared.commit_of(base).await?.ok_or_else(Refusal::not_found)?;
    let head = shared.commit_of(head).await?.ok_or_else(Refusal::not_found)?;
    let no_base = || Refusal(StatusCode::NOT_FOUND, "No common ancestor between the two".into());
    let merge_base = shared.git.merge_base(&base, &head).await?.ok_or_else(no_base)?;
    let mut ahead = shared.git.list(&format!("{base}..{head}"), None).await?;
    let behind = shared.git.list(&format!("{head}..{base}"), None).await?.len();
    let status = match (ahead.len(), behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        _ => "diverged",
    };
    // GitHub lists the oldest first.
    ahead.reverse();
    let total = ahead.len();
    let url = format!("{}/compare/{base}...{head}", shared.api());
    let (ids, links) = if query.per_page.is_none() && query.page.is_none() {
        (ahead.into_iter().take(COMPARE_COMMITS).collect(), HeaderMap::new())
    } else {
        page(ahead, &query, &url)
    };
    let commits = shared.git.commits(&ids).await?;
    // The files are on the first page alone, and of what both come from.
    let mut files = match query.page {
        None | Some(1) => shared.git.changed(&merge_base, &head).await?,
        Some(_) => vec![],
    };
    files.truncate(COMPARE_FILES);
    let files: Vec<_> = files.iter().map(|file| super::pull_lists::file_shape(&shared, &head, file)).collect();
    let html = format!("{}/compare/{base}...{head}", shared.html());
    let body = json!({
        "url": url, "html_url": html, "permalink_url": html, "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"), "base_commit": shapes::commit(&shared, &shared.commit(&base).await?),
        "merge_base_commit": shapes::commit(&shared, &shared.commit(&merge_base).await?), "status": status,
        "ahead_by": total, "behind_by": behind, "total_commits": total,
        "commits": commits.iter().map(|c| shapes::commit(&shared, c)).collect::<Vec<_>>(), "files": files,
    });
    Ok((links, Json(body)).into_response())
}
