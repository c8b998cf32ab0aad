//! The repository that is played with: a made-up one, or the user's own.

use super::git::{git, goose_folder, line_of};
use crate::github::sample::{self, SampleOptions};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

/// How many commits staging is behind in the user's own repository.
const OWN_STAGING_BEHIND: usize = 3;
/// How many commits production is behind.
const OWN_PRODUCTION_BEHIND: usize = 5;
/// How long ago the newest commit of the made-up repository was made.
const SAMPLE_AGE: SignedDuration = SignedDuration::from_mins(12);

/// Which repository.
#[derive(Clone, Debug, Default)]
pub enum Repository {
    /// A made-up one.
    #[default]
    Sample,
    /// The user's own.
    Own(PathBuf),
}

/// A repository with what runs of it.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    /// Name of the service.
    pub(super) service: String,
    pub(super) head: String,
    pub(super) staging: String,
    pub(super) production: String,
    pub(super) migrations: Option<String>,
    pub(super) logins: HashMap<String, String>,
    pub(super) own: bool,
    /// Who commits to the made-up one.
    pub(super) authors: Option<SampleOptions>,
    pub(super) remarks: Vec<String>,
}

/// Those of the stand-ins that run are named in its remarks.
pub(super) fn source(repository: &Repository, folder: &Path, stand_ins: &str) -> io::Result<Source> {
    match repository {
        Repository::Sample => made_up(&folder.join("goals"), stand_ins),
        Repository::Own(path) => own(path, stand_ins),
    }
}

fn made_up(folder: &Path, stand_ins: &str) -> io::Result<Source> {
    std::fs::create_dir(folder)?;
    let newest = Timestamp::now().checked_sub(SAMPLE_AGE).map_err(io::Error::other)?;
    let options = SampleOptions::new(newest);
    let sample = sample::build(folder, &options)?;
    Ok(Source {
        path: sample.path,
        service: "goals".to_owned(),
        head: sample.head,
        staging: sample.staging,
        production: sample.production,
        migrations: Some("migrations".to_owned()),
        logins: options.logins(),
        own: false,
        authors: Some(options),
        remarks: vec![format!(
            "A sandbox: a made-up service in a real git repository, stand-ins for {stand_ins} on loopback, real \
             databases, and the real slipway binary between them."
        )],
    })
}

fn own(path: &Path, stand_ins: &str) -> io::Result<Source> {
    let shown = path.display();
    if !path.exists() {
        return Err(io::Error::other(format!("there is no folder {shown}")));
    }
    let path = path.canonicalize()?;
    if git(&path, &["rev-parse", "--git-dir"]).is_err() {
        return Err(io::Error::other(format!("{shown} is no git repository")));
    }
    let line = line_of(&path, OWN_PRODUCTION_BEHIND + 1)
        .map_err(|_| io::Error::other(format!("{shown} has no commits yet: commit something first")))?;
    let Some(head) = line.first().cloned() else {
        return Err(io::Error::other(format!("{shown} has no commits yet: commit something first")));
    };
    let oldest = line.len() - 1;
    let [staging_behind, production_behind] =
        [OWN_STAGING_BEHIND, OWN_PRODUCTION_BEHIND].map(|count| count.min(oldest));
    let behind = |count: usize| line.get(count).cloned().unwrap_or_else(|| head.clone());
    let mut remarks = vec![format!(
        "Your repository {shown}: it is only read. {stand_ins} are stand-ins on loopback; staging is taken to run \
         a commit {staging_behind} back, production {production_behind} back."
    )];
    let migrations = goose_folder(&path, &head)?;
    remarks.push(match &migrations {
        Some(folder) => format!("Migrations: {folder}/ (goose)."),
        None => "No goose migrations were found in it (no .sql file with \"-- +goose Up\"): that step is skipped."
            .to_owned(),
    });
    if line.len() == 1 {
        remarks.push("It has only one commit, so there is nothing newer to deploy.".to_owned());
    }
    Ok(Source {
        service: service_name(&path),
        staging: behind(staging_behind),
        production: behind(production_behind),
        head,
        migrations,
        logins: HashMap::new(),
        own: true,
        authors: None,
        remarks,
        path,
    })
}

/// The folder's name as a service's: lower-case letters, digits and hyphens.
fn service_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect();
    let name = name.trim_matches('-').to_owned();
    if name.is_empty() || name == "all" { "service".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_folder_gives_a_service_name() {
        for (folder, name) in
            [("/a/My.App", "my-app"), ("/a/_x_", "x"), ("/", "service"), ("/a/all", "service"), ("/ü", "service")]
        {
            assert_eq!(service_name(Path::new(folder)), name, "{folder}");
        }
    }

    #[test]
    fn what_cannot_be_used_gets_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| own(path, "GitHub and AWS").expect_err("no repository").to_string();
        assert!(error(&folder.path().join("nowhere")).starts_with("there is no folder "));
        assert!(error(folder.path()).ends_with("is no git repository"));
        git(folder.path(), &["init", "--quiet"]).unwrap();
        assert!(error(folder.path()).ends_with("has no commits yet: commit something first"));
    }
}
