//! Trees, blobs and contents.

use super::git::{Entry, is_hex};
use super::server::{Refusal, Reply, Shared, ok};
use super::shapes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// GitHub breaks base64 into lines.
const BASE64_LINE: usize = 60;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = usize::try_from(word >> (18 - 6 * i) & 63).unwrap_or(0);
            out.push(if i > chunk.len() { '=' } else { char::from(ALPHABET[digit]) });
        }
    }
    let lines = out.as_bytes().chunks(BASE64_LINE).map(|line| String::from_utf8_lossy(line).into_owned());
    lines.map(|line| line + "\n").collect()
}

fn wants_raw(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    accept.contains("vnd.github") && accept.contains("raw")
}

#[derive(Deserialize)]
pub(super) struct TreeQuery {
    recursive: Option<String>,
}

pub(super) async fn tree(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    Query(query): Query<TreeQuery>,
) -> Reply {
    let id = if is_hex(&name, 40) { Some(name) } else { shared.commit_of(&name).await? };
    let id = id.ok_or_else(Refusal::not_found)?;
    let sha = shared.git.tree_id(&id).await?.ok_or_else(Refusal::not_found)?;
    let entries = shared.git.tree(&sha, query.recursive.is_some()).await?.ok_or_else(Refusal::not_found)?;
    let api = shared.api();
    let entry = |e: &Entry| {
        let mut value = json!({ "path": e.path, "mode": e.mode, "type": e.kind, "sha": e.sha });
        if e.kind != "commit" {
            value["url"] = format!("{api}/git/{}s/{}", e.kind, e.sha).into();
        }
        if let Some(size) = e.size {
            value["size"] = size.into();
        }
        value
    };
    let url = format!("{api}/git/trees/{sha}");
    ok(json!({ "sha": sha, "url": url, "tree": entries.iter().map(entry).collect::<Vec<_>>(), "truncated": false }))
}

pub(super) async fn blob(State(shared): State<Arc<Shared>>, Path(sha): Path<String>, headers: HeaderMap) -> Reply {
    let bytes = if is_hex(&sha, 40) { shared.git.blob(&sha).await? } else { None };
    let bytes = bytes.ok_or_else(Refusal::not_found)?;
    if wants_raw(&headers) {
        return Ok(([(header::CONTENT_TYPE, "application/vnd.github.raw+json; charset=utf-8")], bytes).into_response());
    }
    ok(json!({
        "sha": sha, "node_id": format!("B_{sha}"), "size": bytes.len(), "encoding": "base64",
        "url": format!("{}/git/blobs/{sha}", shared.api()), "content": base64(&bytes),
    }))
}

#[derive(Deserialize)]
pub(super) struct ContentsQuery {
    #[serde(rename = "ref")]
    reference: Option<String>,
}

pub(super) async fn contents(
    State(shared): State<Arc<Shared>>,
    Path(path): Path<String>,
    Query(query): Query<ContentsQuery>,
    headers: HeaderMap,
) -> Reply {
    let name = query.reference.as_deref().unwrap_or(&shared.default_branch);
    let commit = shared.commit_of(name).await?.ok_or_else(Refusal::not_found)?;
    let mut tree = shared.git.tree_id(&commit).await?.ok_or_else(Refusal::not_found)?;
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let (last, folders) = parts.split_last().ok_or_else(Refusal::not_found)?;
    for folder in folders {
        tree = shared.entry(&tree, folder).await?.sha;
    }
    let found = shared.entry(&tree, last).await?;
    if found.kind == "tree" {
        let entries = shared.git.tree(&found.sha, false).await?.ok_or_else(Refusal::not_found)?;
        return ok(entries.iter().map(|e| described(&shared, e, &format!("{}/{}", path, e.path), name)).collect());
    }
    let mut value = described(&shared, &found, &path, name);
    if found.kind == "blob" {
        let bytes = shared.git.blob(&found.sha).await?.ok_or_else(Refusal::not_found)?;
        if wants_raw(&headers) {
            return Ok(bytes.into_response());
        }
        value["encoding"] = "base64".into();
        value["content"] = base64(&bytes).into();
    }
    ok(value)
}

impl Shared {
    async fn entry(&self, tree: &str, name: &str) -> Result<Entry, Refusal> {
        let entries = self.git.tree(tree, false).await?.ok_or_else(Refusal::not_found)?;
        entries.into_iter().find(|e| e.path == name).ok_or_else(Refusal::not_found)
    }
}

fn described(shared: &Shared, entry: &Entry, path: &str, reference: &str) -> Value {
    let (api, html) = (shared.api(), shared.html());
    let kind = match entry.mode.as_str() {
        "120000" => "symlink",
        "160000" => "submodule",
        "040000" => "dir",
        _ => "file",
    };
    let name = entry.path.rsplit('/').next().unwrap_or_default();
    let (path_url, reference) = (shapes::encoded(path), shapes::encoded(reference));
    let url = format!("{api}/contents/{path_url}?ref={reference}");
    let git_url = format!("{api}/git/{}s/{}", entry.kind, entry.sha);
    let html_url = format!("{html}/blob/{reference}/{path_url}");
    json!({
        "type": kind, "name": name, "path": path, "sha": entry.sha, "size": entry.size.unwrap_or(0), "url": url,
        "git_url": git_url, "html_url": html_url, "download_url": null,
        "_links": { "self": url, "git": git_url, "html": html_url },
    })
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_the_usual_one() {
        assert_eq!(base64(b"Man"), "TWFu\n");
        assert_eq!(base64(b"Ma"), "TWE=\n");
        assert_eq!(base64(b"M"), "TQ==\n");
        assert_eq!(base64(b""), "");
        assert_eq!(base64(&[0xff; 48]).lines().map(str::len).collect::<Vec<_>>(), [60, 4]);
    }
}
