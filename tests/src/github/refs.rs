//! Branches, tags and refs: git's own, and those that exist only in memory.

use super::git::{GitRef, is_hex};
use super::server::{PageQuery, Refusal, Reply, Shared, ok, page};
use super::shapes;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;

impl Shared {
    /// All refs as GitHub sees them now, by name.
    pub(super) async fn refs(&self) -> io::Result<Vec<GitRef>> {
        let mut refs = self.git.refs().await?.unwrap_or_default();
        let overlay = self.world().overlay.clone();
        refs.retain(|r| !overlay.contains_key(&r.name));
        for (name, target) in overlay {
            let Some(object) = target else { continue };
            let kind = self.git.kind(&object).await?.unwrap_or_else(|| "commit".into());
            let peeled = if kind == "tag" { self.git.commit_id(&object).await? } else { None };
            refs.push(GitRef { name, object, kind, peeled });
        }
        refs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(refs)
    }

    /// The commit of a branch, a tag or a commit id, in GitHub's order.
    pub(super) async fn commit_of(&self, name: &str) -> io::Result<Option<String>> {
        if is_hex(name, 40) {
            return self.git.commit_id(name).await;
        }
        let refs = self.refs().await?;
        let tries = ["", "refs/heads/", "refs/tags/", "refs/"].map(|before| format!("{before}{name}"));
        let found = tries.iter().find_map(|full| refs.iter().find(|r| r.name == *full));
        match found {
            Some(found) => Ok(Some(found.peeled.clone().unwrap_or_else(|| found.object.clone()))),
            None if is_hex(name, 4) => self.git.commit_id(name).await,
            None => Ok(None),
        }
    }
}

fn peeled(found: &GitRef) -> &str {
    found.peeled.as_deref().unwrap_or(&found.object)
}

fn short_commit(shared: &Shared, sha: &str) -> Value {
    json!({ "sha": sha, "url": format!("{}/commits/{sha}", shared.api()) })
}

pub(super) async fn branches(State(shared): State<Arc<Shared>>, Query(query): Query<PageQuery>) -> Reply {
    let refs = shared.refs().await?;
    let branch = |r: &GitRef| {
        let name = r.name.strip_prefix("refs/heads/")?;
        Some(json!({ "name": name, "commit": short_commit(&shared, &r.object), "protected": false }))
    };
    let all: Vec<Value> = refs.iter().filter_map(branch).collect();
    let (one_page, links) = page(all, &query, &format!("{}/branches", shared.api()));
    Ok((links, Json(one_page)).into_response())
}

pub(super) async fn branch(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Reply {
    if let Some(branch) = name.strip_suffix("/protection/required_status_checks") {
        return super::deployments::protection(&shared, branch).await;
    }
    let refs = shared.refs().await?;
    let full = format!("refs/heads/{name}");
    let missing = || Refusal(StatusCode::NOT_FOUND, "Branch not found".into());
    let found = refs.iter().find(|r| r.name == full).ok_or_else(missing)?;
    let commits = shared.git.commits(std::slice::from_ref(&found.object)).await?;
    let head = commits.first().ok_or_else(missing)?;
    let url = format!("{}/branches/{}", shared.api(), shapes::encoded(&name));
    let html = format!("{}/tree/{}", shared.html(), shapes::encoded(&name));
    ok(json!({
        "name": name, "commit": shapes::commit(&shared, head), "protected": false,
        "_links": { "self": url, "html": html },
        "protection": { "enabled": false, "required_status_checks": { "enforcement_level": "off", "contexts": [], "checks": [] } },
        "protection_url": format!("{url}/protection"),
    }))
}

pub(super) async fn tags(State(shared): State<Arc<Shared>>, Query(query): Query<PageQuery>) -> Reply {
    let refs = shared.refs().await?;
    let tag = |r: &GitRef| {
        let name = r.name.strip_prefix("refs/tags/")?;
        let ball = |kind: &str| format!("{}/{kind}/refs/tags/{}", shared.api(), shapes::encoded(name));
        Some(json!({
            "name": name, "commit": short_commit(&shared, peeled(r)), "node_id": format!("REF_{name}"),
            "zipball_url": ball("zipball"), "tarball_url": ball("tarball"),
        }))
    };
    let all: Vec<Value> = refs.iter().rev().filter_map(tag).collect();
    let (one_page, links) = page(all, &query, &format!("{}/tags", shared.api()));
    Ok((links, Json(one_page)).into_response())
}

pub(super) async fn one(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Reply {
    let full = format!("refs/{name}");
    let refs = shared.refs().await?;
    let found = refs.iter().find(|r| r.name == full).ok_or_else(Refusal::not_found)?;
    ok(shapes::reference(&shared, &found.name, &found.object, &found.kind))
}

pub(super) async fn matching(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Reply {
    let prefix = format!("refs/{name}");
    let refs = shared.refs().await?;
    let found = refs.iter().filter(|r| r.name.starts_with(&prefix));
    ok(found.map(|r| shapes::reference(&shared, &r.name, &r.object, &r.kind)).collect())
}

/// The members of a JSON object, when it has no others than these.
pub(super) fn members(
    body: Result<Json<Value>, JsonRejection>,
    known: &[&str],
) -> Result<serde_json::Map<String, Value>, Refusal> {
    let Ok(Json(Value::Object(members))) = body else {
        return Err(Refusal(StatusCode::BAD_REQUEST, "Problems parsing JSON".into()));
    };
    if let Some(unknown) = members.keys().find(|k| !known.contains(&k.as_str())) {
        return Err(Refusal::unprocessable(format!("Invalid request.\n\n\"{unknown}\" is not a permitted key.")));
    }
    Ok(members)
}

pub(super) async fn create(State(shared): State<Arc<Shared>>, body: Result<Json<Value>, JsonRejection>) -> Reply {
    let members = members(body, &["ref", "sha"])?;
    let text = |name: &str| {
        let value = members.get(name).and_then(Value::as_str);
        value.ok_or_else(|| Refusal::unprocessable(format!("Invalid request.\n\n\"{name}\" wasn't supplied.")))
    };
    let (name, sha) = (text("ref")?, text("sha")?);
    let in_place = (name.starts_with("refs/tags/") || name.starts_with("refs/heads/")) && !name.ends_with('/');
    if !in_place || name.contains("..") || name.chars().any(|c| c.is_control() || " ~^:?*[\\".contains(c)) {
        return Err(Refusal::unprocessable("Reference name must be a well-formed ref starting with 'refs/'"));
    }
    let kind = if is_hex(sha, 40) { shared.git.kind(sha).await? } else { None };
    let kind = kind.ok_or_else(|| Refusal::unprocessable("Object does not exist"))?;
    let refs = shared.refs().await?;
    let mut world = shared.world();
    // Looked at again under the lock: two requests can come at once.
    let made = world.overlay.get(name).is_some_and(Option::is_some);
    if made || refs.iter().any(|r| r.name == name) {
        return Err(Refusal::unprocessable("Reference already exists"));
    }
    world.overlay.insert(name.to_owned(), Some(sha.to_owned()));
    drop(world);
    Ok((StatusCode::CREATED, Json(shapes::reference(&shared, name, sha, &kind))).into_response())
}

pub(super) async fn remove(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Reply {
    let full = format!("refs/{name}");
    if !shared.refs().await?.iter().any(|r| r.name == full) {
        return Err(Refusal::unprocessable("Reference does not exist"));
    }
    shared.world().overlay.insert(full, None);
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn tag_object(State(shared): State<Arc<Shared>>, Path(sha): Path<String>) -> Reply {
    let text = if is_hex(&sha, 40) { shared.git.tag(&sha).await? } else { None };
    let text = text.ok_or_else(Refusal::not_found)?;
    let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
    let field = |name: &str| head.lines().find_map(|l| l.strip_prefix(name)).map(str::trim).unwrap_or_default();
    let (object, kind) = (field("object "), field("type "));
    let tagger = field("tagger ");
    let (name, rest) = tagger.split_once(" <").unwrap_or((tagger, ""));
    let (email, when) = rest.split_once("> ").unwrap_or((rest, "0"));
    let at = when.split(' ').next().and_then(|s| s.parse().ok()).unwrap_or(0);
    let at = jiff::Timestamp::from_second(at).unwrap_or_default();
    let api = shared.api();
    ok(json!({
        "node_id": format!("TAG_{sha}"), "sha": sha, "url": format!("{api}/git/tags/{sha}"), "tag": field("tag "),
        "message": message, "tagger": { "name": name, "email": email, "date": shapes::time(at) },
        "object": { "sha": object, "type": kind, "url": format!("{api}/git/{kind}s/{object}") },
        "verification": { "verified": false, "reason": "unsigned", "signature": null, "payload": null },
    }))
}
