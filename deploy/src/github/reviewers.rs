//! Who reviewed a pull request: whether they can push, and whose work its newest commit is.

use super::error::GitHubError;
use super::http::GitHub;
use super::name::RepoName;
use super::teams::is_login;
use super::wire;
use serde::Deserialize;
use slipway_core::ids::CommitSha;
use slipway_core::pull::{Access, Pull, Review};

/// Under which account GitHub itself commits what somebody does on its pages: it is nobody's hand.
const WEB_FLOW: &str = "web-flow";
/// Legacy roles that can push. Of custom roles GitHub says which of these they are based on.
const WRITES: [&str; 3] = ["admin", "maintain", "write"];

#[derive(Deserialize)]
struct Found {
    permission: String,
}

#[derive(Deserialize)]
struct Made {
    sha: String,
    #[serde(default)]
    author: Option<wire::Account>,
    #[serde(default)]
    committer: Option<wire::Account>,
}

impl GitHub {
    /// The same reviews with what has to be known of the reviewers, and the logins of whoever made the pull request's
    /// newest commit. Each is asked about once, at most
    /// [`REVIEWERS_ASKED_LIMIT`](slipway_core::pull::REVIEWERS_ASKED_LIMIT), and nobody where no review needs it.
    ///
    /// # Errors
    /// As for any request; that GitHub does not tell about somebody is none.
    pub async fn reviewers(
        &self,
        repo: &RepoName,
        pull: &Pull,
        mut reviews: Vec<Review>,
    ) -> Result<(Vec<Review>, Vec<String>), GitHubError> {
        let asked: Vec<String> = pull.reviewers_to_ask(&reviews).into_iter().map(str::to_owned).collect();
        for who in asked {
            let access = self.access_of(repo, &who).await?;
            reviews.iter_mut().filter(|review| review.who == who).for_each(|review| review.access = access);
        }
        let made_by = match reviews.iter().any(|review| pull.may_count(review)) {
            true => self.made_by(repo, &pull.head).await?,
            false => vec![],
        };
        Ok((reviews, made_by))
    }

    /// Whether somebody can push to the repository.
    async fn access_of(&self, repo: &RepoName, login: &str) -> Result<Access, GitHubError> {
        if !is_login(login) {
            return Ok(Access::NotTold);
        }
        let what =
            format!("what {login} may do with {repo} (permission Metadata: read; of a token: that its owner can push)");
        match self.get::<Found>(repo, &what, format!("/repos/{repo}/collaborators/{login}/permission")).await {
            Ok(found) if WRITES.contains(&found.permission.as_str()) => Ok(Access::Writes),
            Ok(_) => Ok(Access::Reads),
            // The account is gone, or it is not shown.
            Err(GitHubError::Forbidden { .. } | GitHubError::NotFound { .. }) => Ok(Access::NotTold),
            Err(other) => Err(other),
        }
    }

    /// The logins of whoever wrote and committed a commit, as far as their e-mail addresses belong to accounts.
    async fn made_by(&self, repo: &RepoName, commit: &CommitSha) -> Result<Vec<String>, GitHubError> {
        let what = format!("who made the commit {} of {repo} (permission Contents: read)", commit.short());
        // By itself a commit comes with all that it changes; in a list it does not.
        let path = format!("/repos/{repo}/commits?sha={commit}&per_page=1");
        let found: Vec<Made> = self.get(repo, &what, path).await?;
        let made = found.into_iter().find(|made| made.sha == commit.as_str());
        let Made { author, committer, .. } =
            made.ok_or_else(|| GitHubError::unreadable(&what, "another commit is answered"))?;
        let logins = [author, committer].into_iter().flatten().filter_map(|account| account.login);
        Ok(logins.filter(|login| login != WEB_FLOW).collect())
    }
}
