//! The files of a folder at a commit: the migrations.

use super::error::GitHubError;
use super::http::{Ask, GitHub};
use super::name::{RepoName, encode};
use super::wire;
use futures::StreamExt as _;
use slipway_core::ids::CommitSha;
use std::collections::HashMap;
use std::sync::Mutex;

/// How many files a folder may have.
const FILES_LIMIT: usize = 2_000;
/// How big one file may be.
const FILE_LIMIT_BYTES: u64 = 1024 * 1024;
/// How big all files together may be.
const FOLDER_LIMIT_BYTES: u64 = 16 * 1024 * 1024;
/// How deep a folder may be.
const DEPTH_LIMIT: usize = 16;
/// How many files are fetched at a time. GitHub allows 100 requests at once over everything.
const FETCHES_LIMIT: usize = 8;
/// How much of the files' contents is remembered between calls.
const CACHE_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// A folder at a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Whether there is such a folder at all.
    pub exists: bool,
    /// Its files, by name.
    pub files: Vec<FolderFile>,
    /// Names of the folders in it. They are not read.
    pub folders: Vec<String>,
}

/// A file of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderFile {
    /// Its name without the folder.
    pub name: String,
    /// Its bytes, exactly.
    pub bytes: Vec<u8>,
}

/// Contents of files by their git id. The id names the contents, so nothing here can be out of date.
#[derive(Default)]
pub(super) struct BlobCache {
    kept: Mutex<(usize, HashMap<String, Vec<u8>>)>,
}

impl BlobCache {
    pub(super) fn get(&self, id: &str) -> Option<Vec<u8>> {
        self.kept.lock().ok()?.1.get(id).cloned()
    }

    pub(super) fn put(&self, id: &str, bytes: &[u8]) {
        let Ok(mut kept) = self.kept.lock() else { return };
        if kept.0 + bytes.len() > CACHE_LIMIT_BYTES {
            *kept = (0, HashMap::new());
        }
        if kept.1.insert(id.to_owned(), bytes.to_vec()).is_none() {
            kept.0 += bytes.len();
        }
    }
}

impl GitHub {
    /// The files directly in `dir` (`migrations`, `db/migrations`; empty or `.` for the root) at a commit.
    ///
    /// # Errors
    /// [`GitHubError::NotAFile`] for a symbolic link or a submodule in it or on the way to it,
    /// [`GitHubError::TooBig`] beyond 2,000 files, 1 MiB a file or 16 MiB in all.
    pub async fn folder_at(&self, repo: &RepoName, commit: &CommitSha, dir: &str) -> Result<Folder, GitHubError> {
        let what = format!("the folder {dir} at {} of {repo}", commit.short());
        let Some(entries) = self.folder_entries(repo, commit, dir, &what).await? else {
            return Ok(Folder { exists: false, files: Vec::new(), folders: Vec::new() });
        };
        let (folders, files) = sorted_entries(dir, &what, entries)?;
        let fetches = files.into_iter().map(|entry| self.file(repo, dir, entry));
        let fetched: Vec<_> = futures::stream::iter(fetches).buffered(FETCHES_LIMIT).collect().await;
        let mut files = fetched.into_iter().collect::<Result<Vec<_>, _>>()?;
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Folder { exists: true, files, folders })
    }

    pub(super) async fn folder_entries(
        &self,
        repo: &RepoName,
        commit: &CommitSha,
        dir: &str,
        what: &str,
    ) -> Result<Option<Vec<wire::TreeEntry>>, GitHubError> {
        let mut id = commit.to_string();
        let mut walked = String::new();
        let parts: Vec<&str> = dir.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
        if parts.contains(&"..") || parts.len() > DEPTH_LIMIT {
            return Err(GitHubError::unreadable(what, "a folder is named from the repository's root, without \"..\""));
        }
        let mut parts = parts.into_iter();
        loop {
            // Step by step, because GitHub has no tree by path and the whole tree may be cut off.
            let tree: wire::Tree = self.get(repo, what, format!("/repos/{repo}/git/trees/{}", encode(&id))).await?;
            if tree.truncated {
                return Err(GitHubError::TooBig {
                    what: what.to_owned(),
                    detail: "GitHub does not list all of it".into(),
                });
            }
            let Some(part) = parts.next() else { return Ok(Some(tree.tree)) };
            if !walked.is_empty() {
                walked.push('/');
            }
            walked.push_str(part);
            match tree.tree.into_iter().find(|e| e.path == part) {
                None => return Ok(None),
                Some(entry) if entry.mode == "040000" => id = entry.sha,
                Some(entry) => return Err(GitHubError::NotAFile { path: walked, kind: kind_of(&entry.mode) }),
            }
        }
    }

    pub(super) async fn file(
        &self,
        repo: &RepoName,
        dir: &str,
        entry: wire::TreeEntry,
    ) -> Result<FolderFile, GitHubError> {
        if let Some(bytes) = self.blobs().get(&entry.sha) {
            return Ok(FolderFile { name: entry.path, bytes });
        }
        let what = format!("the file {dir}/{} of {repo}", entry.path);
        let path = format!("/repos/{repo}/git/blobs/{}", encode(&entry.sha));
        let ask = Ask { raw: true, ..Ask::get(&what, path) };
        let bytes = self.send(Some(repo), ask).await?.body;
        if entry.size.is_some_and(|size| size != bytes.len() as u64) {
            return Err(GitHubError::unreadable(&what, "its size is not the one that was listed"));
        }
        self.blobs().put(&entry.sha, &bytes);
        Ok(FolderFile { name: entry.path, bytes })
    }
}

type Sorted = (Vec<String>, Vec<wire::TreeEntry>);

/// Folders and files, when there is nothing else and not too much.
fn sorted_entries(dir: &str, what: &str, entries: Vec<wire::TreeEntry>) -> Result<Sorted, GitHubError> {
    let too_big = |detail: String| GitHubError::TooBig { what: what.to_owned(), detail };
    let (mut folders, mut files, mut total) = (Vec::new(), Vec::new(), 0_u64);
    for entry in entries {
        match entry.mode.as_str() {
            "040000" => folders.push(entry.path),
            "100644" | "100755" | "100664" => {
                let size = entry.size.unwrap_or(0);
                total = total.saturating_add(size);
                if size > FILE_LIMIT_BYTES {
                    return Err(too_big(format!("{} is over {FILE_LIMIT_BYTES} bytes", entry.path)));
                }
                files.push(entry);
            }
            mode => {
                let path = format!("{}/{}", dir.trim_end_matches('/'), entry.path);
                return Err(GitHubError::NotAFile { path, kind: kind_of(mode) });
            }
        }
    }
    if files.len() > FILES_LIMIT {
        return Err(too_big(format!("over {FILES_LIMIT} files")));
    }
    if total > FOLDER_LIMIT_BYTES {
        return Err(too_big(format!("over {FOLDER_LIMIT_BYTES} bytes in all")));
    }
    folders.sort();
    Ok((folders, files))
}

fn kind_of(mode: &str) -> &'static str {
    match mode {
        "120000" => "a symbolic link",
        "160000" => "a submodule",
        "040000" => "a folder",
        "100644" | "100755" | "100664" => "a file",
        _ => "neither a file nor a folder",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, mode: &str, size: u64) -> wire::TreeEntry {
        wire::TreeEntry { path: path.into(), mode: mode.into(), sha: "0".repeat(40), size: Some(size) }
    }

    #[test]
    fn only_plain_files_of_bearable_size_are_taken() {
        let sorted = |entries| sorted_entries("migrations", "the folder", entries).map(|(f, e)| (f, e.len()));
        assert_eq!(sorted(vec![entry("a.sql", "100644", 1), entry("old", "040000", 0)]), Ok((vec!["old".into()], 1)));
        let link = sorted(vec![entry("a.sql", "120000", 1)]).unwrap_err();
        assert_eq!(
            link.to_string(),
            "migrations/a.sql is a symbolic link. Only plain files can be used there: put the file itself in its place."
        );
        assert!(sorted(vec![entry("lib", "160000", 0)]).unwrap_err().to_string().contains("submodule"));
        assert!(sorted(vec![entry("a.sql", "100644", FILE_LIMIT_BYTES + 1)]).is_err());
        assert!(sorted((0..17).map(|n| entry(&n.to_string(), "100644", FILE_LIMIT_BYTES)).collect()).is_err());
        assert!(sorted((0..=FILES_LIMIT).map(|n| entry(&n.to_string(), "100644", 1)).collect()).is_err());
    }

    #[test]
    fn the_cache_stays_bounded() {
        let cache = BlobCache::default();
        for n in 0..20 {
            cache.put(&n.to_string(), &vec![0; 1024 * 1024]);
        }
        let held = cache.kept.lock().unwrap();
        assert!(held.0 <= CACHE_LIMIT_BYTES && held.1.len() == held.0 / (1024 * 1024), "{}", held.0);
    }
}
