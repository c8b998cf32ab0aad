//! Rules in a repository on GitHub: read at one commit, with those who changed them since the last one.

use super::{FILE_LIMIT_BYTES, FILES_LIMIT, Origin, PoliciesError, PolicyText, SCHEMA, Source};
use serde::{Deserialize, Serialize};
use slipway_core::ids::CommitSha;
use slipway_deploy::github::{Folder, GitHub, RepoName, Resolution};
use std::collections::BTreeSet;

/// A policy set as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The whole set.
    pub text: PolicyText,
    /// The commit, where it is kept in a repository.
    pub revision: Option<String>,
    /// The GitHub logins of those who changed it since the one that was in force before. Empty where nothing tells.
    pub authors: BTreeSet<String>,
    /// Whether somebody else changed it too, of whom GitHub does not know who they are.
    #[serde(default)]
    pub anonymous: bool,
}

impl Origin {
    /// Reads the rules as they are now, wherever they are kept. `since` is the commit at which those in force were
    /// read.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn fetch(&self, github: Option<&GitHub>, since: Option<&str>) -> Result<Reading, PoliciesError> {
        let Source::Repository { repository, branch, dir } = &self.source else {
            return Ok(Reading { text: self.read()?, revision: None, authors: BTreeSet::new(), anonymous: false });
        };
        let unusable = |what: String| PoliciesError::Repository { kept: self.source.clone(), what };
        let failed = |error| PoliciesError::GitHub { kept: self.source.clone(), error: Box::new(error) };
        let github = github.ok_or_else(|| unusable("there is no client for GitHub".to_owned()))?;
        let repository = RepoName::parse(repository).map_err(|error| unusable(error.to_string()))?;
        let head = match github.resolve(&repository, branch.as_deref()).await.map_err(failed)? {
            Resolution::Resolved(resolved) => resolved.commit,
            Resolution::Unresolved(_) => {
                let branch = branch.as_deref().unwrap_or("the default branch");
                return Err(unusable(format!("there is no branch {branch}; correct [policies] branch")));
            }
        };
        let folder = github.folder_at(&repository, &head, dir).await.map_err(failed)?;
        let (schema, files) = rules(dir, folder).map_err(unusable)?;
        let authors = match since.and_then(|since| CommitSha::parse(since).ok()) {
            Some(since) => github.touching(&repository, &since, &head, dir).await.map_err(failed)?,
            None => vec![],
        };
        Ok(Reading {
            text: PolicyText { schema, files, vocabulary: self.vocabulary.clone() },
            revision: Some(head.to_string()),
            // Somebody must have, if the rules are others than those at `since`.
            anonymous: since.is_some() && authors.iter().all(|commit| commit.author_login.is_none())
                || authors.iter().any(|commit| commit.author_login.is_none()),
            authors: authors.into_iter().filter_map(|commit| commit.author_login).collect(),
        })
    }
}

type Rules = (String, Vec<(String, String)>);

/// The schema and the `.cedar` files of a folder, by name.
fn rules(dir: &str, folder: Folder) -> Result<Rules, String> {
    if !folder.exists {
        return Err(format!("there is no folder {dir}; correct [policies] dir"));
    }
    let (mut schema, mut files) = (None, Vec::new());
    for file in folder.files {
        if file.name != SCHEMA && !file.name.ends_with(".cedar") {
            continue;
        }
        if file.bytes.len() as u64 > FILE_LIMIT_BYTES {
            return Err(format!("{} is larger than {FILE_LIMIT_BYTES} bytes", file.name));
        }
        let text = String::from_utf8(file.bytes).map_err(|_| format!("{} is no text in UTF-8", file.name))?;
        if file.name == SCHEMA {
            schema = Some(text);
        } else {
            files.push((file.name, text));
        }
    }
    if files.len() > FILES_LIMIT {
        return Err(format!("there are more than {FILES_LIMIT} .cedar files"));
    }
    let missing = || format!("there is no {SCHEMA} in {dir}; begin with the one that came with this version");
    Ok((schema.ok_or_else(missing)?, files))
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_deploy::github::FolderFile;

    fn folder(files: &[(&str, &[u8])]) -> Folder {
        let file = |(name, bytes): &(&str, &[u8])| FolderFile { name: (*name).to_owned(), bytes: bytes.to_vec() };
        Folder { exists: true, files: files.iter().map(file).collect(), folders: vec![] }
    }

    #[test]
    fn only_the_schema_and_the_rules_are_read() {
        let files =
            [("README.md", &b"\xff"[..]), ("a.cedar", b"a"), ("schema.cedarschema", b"s"), ("vocabulary.toml", b"v")];
        let (schema, files) = rules("policies", folder(&files)).unwrap();
        assert_eq!((schema.as_str(), files), ("s", vec![("a.cedar".to_owned(), "a".to_owned())]));
    }

    #[test]
    fn what_is_no_policy_folder_is_told() {
        let said = |folder| rules("policies", folder).unwrap_err();
        assert_eq!(
            said(Folder { exists: false, ..folder(&[]) }),
            "there is no folder policies; correct [policies] dir"
        );
        assert!(
            said(folder(&[("a.cedar", b"a")])).starts_with("there is no schema.cedarschema in policies; begin with")
        );
        assert_eq!(said(folder(&[("a.cedar", b"\xff")])), "a.cedar is no text in UTF-8");
        let big = vec![b' '; FILE_LIMIT_BYTES as usize + 1];
        assert!(said(folder(&[("a.cedar", &big)])).contains("larger than"));
        let many: Vec<_> = (0..=FILES_LIMIT).map(|n| format!("{n}.cedar")).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
        assert!(said(folder(&many)).contains("more than 100"));
    }
}
