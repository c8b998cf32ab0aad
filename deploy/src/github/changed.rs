//! The files that differ between two commits.

use super::error::GitHubError;
use super::http::{GitHub, PAGE_SIZE};
use super::name::RepoName;
use serde::Deserialize;
use slipway_core::ids::CommitSha;
use slipway_core::paths::Changed;

/// A comparison names so many files, on its first page, and says nothing of others.
const FILES_LIMIT: usize = 300;

/// Both are always there: without them nothing is known.
#[derive(Deserialize)]
struct Compared {
    status: String,
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    #[serde(default)]
    previous_filename: Option<String>,
}

impl GitHub {
    /// The files that differ between `base` and a `head` that goes on from there. They are not known where there are 300 or
    /// more, or where `head` lacks something that `base` has: GitHub compares with what both come from.
    ///
    /// # Errors
    /// As for any request.
    pub async fn changed_between(
        &self,
        repo: &RepoName,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Changed, GitHubError> {
        let what = format!("the commits {}…{} of {repo}", base.short(), head.short());
        // The same page as of any other comparison, so that it is asked for once.
        let path = format!("/repos/{repo}/compare/{base}...{head}?per_page={PAGE_SIZE}&page=1");
        match self.get::<Compared>(repo, &what, path).await {
            Ok(compared) => Ok(told(compared, base, head)),
            Err(GitHubError::NotFound { .. }) => Ok(Changed::Unknown("they cannot be compared".to_owned())),
            Err(GitHubError::TooBig { .. }) => Ok(Changed::Unknown("too much lies between them".to_owned())),
            Err(error) => Err(error),
        }
    }
}

fn told(compared: Compared, base: &CommitSha, head: &CommitSha) -> Changed {
    let Compared { status, files } = compared;
    match status.as_str() {
        "ahead" | "identical" if files.len() < FILES_LIMIT => Changed::Files(
            files.into_iter().flat_map(|file| [file.filename].into_iter().chain(file.previous_filename)).collect(),
        ),
        "ahead" | "identical" => Changed::Unknown(format!("{FILES_LIMIT} files or more changed")),
        _ => Changed::Unknown(format!("{} does not go on from {}", head.short(), base.short())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(status: &str, files: serde_json::Value) -> Changed {
        let compared = serde_json::from_value(json!({ "status": status, "files": files })).unwrap();
        let sha = |digit: &str| CommitSha::parse(&digit.repeat(40)).unwrap();
        told(compared, &sha("4"), &sha("5"))
    }

    #[test]
    fn both_names_of_what_was_moved_are_files_that_differ() {
        let files = json!([{ "filename": "web/b", "previous_filename": "api/a" }, { "filename": "x" }]);
        assert_eq!(of("ahead", files), Changed::Files(vec!["web/b".into(), "api/a".into(), "x".into()]));
    }

    #[test]
    fn a_list_that_may_be_cut_and_one_from_elsewhere_say_nothing() {
        let many = |n| serde_json::Value::from(vec![json!({ "filename": "x" }); n]);
        assert!(matches!(of("ahead", many(FILES_LIMIT - 1)), Changed::Files(files) if files.len() == FILES_LIMIT - 1));
        assert_eq!(of("ahead", many(FILES_LIMIT)), Changed::Unknown("300 files or more changed".into()));
        for status in ["diverged", "behind", "anything"] {
            assert_eq!(of(status, json!([])), Changed::Unknown("5555555 does not go on from 4444444".into()));
        }
        assert!(serde_json::from_value::<Compared>(json!({ "status": "ahead" })).is_err(), "half an answer is none");
    }
}
