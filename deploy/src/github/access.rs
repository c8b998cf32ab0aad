//! Who the credentials are and what they may do, for `slipway check`.

use super::error::GitHubError;
use super::http::{Ask, GitHub, from_json};
use super::name::RepoName;
use super::wire;

/// What the App's installation must allow, and what for.
const APP_PERMISSIONS: [(&str, &str, &str); 5] = [
    ("actions", "write", "start builds"),
    ("checks", "read", "read checks"),
    ("contents", "write", "read files, and put temporary tags on commits"),
    ("metadata", "read", "see the repository"),
    ("statuses", "read", "read commit statuses"),
];

/// The same for showing releases on GitHub.
const SHOWING_PERMISSIONS: [(&str, &str, &str); 2] =
    [("deployments", "write", "show releases as deployments"), ("statuses", "write", "show releases on commits")];

/// The same for linting the migrations of pull requests.
const LINTING_PERMISSIONS: [(&str, &str, &str); 2] =
    [("checks", "write", "show the lint of migrations"), ("pull_requests", "read", "find pull requests")];
/// The same for shipping pull requests.
const MERGING_PERMISSIONS: [(&str, &str, &str); 1] = [("pull_requests", "write", "ship pull requests")];

/// What the credentials may do with a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// `@login` of the token's owner, or the App's name.
    pub who: String,
    /// The repository's default branch.
    pub default_branch: String,
    /// Whether the repository is private.
    pub private: bool,
    /// What is missing, each with what it is needed for. Empty when nothing is known to be. GitHub does not
    /// list what a fine-grained token may do: for those only reading and writing as such are known.
    pub missing: Vec<String>,
}

impl GitHub {
    /// Asks who the credentials are and what they may do with the repository. Changes nothing.
    ///
    /// # Errors
    /// As for any request: [`GitHubError::BadCredentials`] and [`GitHubError::NotFound`] are the common ones.
    pub async fn check_access(&self, repo: &RepoName) -> Result<Access, GitHubError> {
        let (who, mut missing) = if self.is_app() { self.app_access(repo).await? } else { self.token_access().await? };
        let wire::Repository { default_branch, private, permissions } = self.repository(repo).await?;
        if !self.is_app() {
            if !permissions.pull {
                missing.push("read access to the repository".into());
            }
            if !permissions.push {
                missing.push("write access to the repository, to start builds".into());
            }
        }
        Ok(Access { who, default_branch, private, missing })
    }

    /// What an App's installation lacks for showing releases on GitHub, as in [`Access::missing`]. Of tokens it is not
    /// known: those that may push can do it, unless they are fine-grained.
    ///
    /// # Errors
    /// As for any request.
    pub async fn missing_to_show(&self, repo: &RepoName) -> Result<Vec<String>, GitHubError> {
        if !self.is_app() {
            return Ok(vec![]);
        }
        Ok(missing_permissions(&self.installation(repo).await?, &SHOWING_PERMISSIONS))
    }

    /// What an App's installation lacks for linting the migrations of pull requests, as in [`Access::missing`].
    ///
    /// # Errors
    /// As for any request.
    pub async fn missing_to_lint(&self, repo: &RepoName) -> Result<Vec<String>, GitHubError> {
        if !self.is_app() {
            return Ok(vec![]);
        }
        Ok(missing_permissions(&self.installation(repo).await?, &LINTING_PERMISSIONS))
    }

    /// What an App's installation lacks for shipping pull requests, as in [`Access::missing`]. Of tokens no more is known than
    /// that.
    ///
    /// # Errors
    /// As for any request.
    pub async fn missing_to_merge(&self, repo: &RepoName) -> Result<Vec<String>, GitHubError> {
        if !self.is_app() {
            return Ok(vec![]);
        }
        Ok(missing_permissions(&self.installation(repo).await?, &MERGING_PERMISSIONS))
    }

    async fn app_access(&self, repo: &RepoName) -> Result<(String, Vec<String>), GitHubError> {
        let found = self.installation(repo).await?;
        let missing = missing_permissions(&found, &APP_PERMISSIONS);
        Ok((found.app_slug.unwrap_or_else(|| "the App".into()), missing))
    }

    async fn token_access(&self) -> Result<(String, Vec<String>), GitHubError> {
        let what = "the token's owner";
        let answer = self.send(None, Ask::get(what, "/user".into())).await?;
        let user: wire::User = from_json(what, &answer.body)?;
        let scopes = answer.headers.get("x-oauth-scopes").and_then(|v| v.to_str().ok());
        Ok((format!("@{}", user.login), scopes.map(missing_scopes).unwrap_or_default()))
    }
}

fn missing_permissions(found: &wire::Installation, needed: &[(&str, &str, &str)]) -> Vec<String> {
    let missing = needed.iter().filter(|(name, needed, _)| {
        let given = found.permissions.get(*name).map(String::as_str);
        !(given == Some("write") || given == Some("admin") || given == Some(*needed))
    });
    missing.map(|(name, needed, why)| format!("permission {name}: {needed}, to {why}")).collect()
}

/// Classic tokens list their scopes; `repo` covers all that Slipway does.
fn missing_scopes(scopes: &str) -> Vec<String> {
    let has = scopes.split(',').any(|s| s.trim() == "repo" || s.trim() == "public_repo");
    if has || scopes.trim().is_empty() { Vec::new() } else { vec!["scope repo of the classic token".into()] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_classic_token_needs_the_repo_scope() {
        assert!(missing_scopes("gist, repo").is_empty());
        assert!(missing_scopes("").is_empty(), "a fine-grained token sends none");
        assert_eq!(missing_scopes("gist"), ["scope repo of the classic token"]);
    }
}
