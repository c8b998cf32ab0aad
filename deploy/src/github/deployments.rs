//! Releases shown on GitHub: a deployment with its statuses, and a status on the commit.
//!
//! Nothing here is sent twice by itself. Whoever shows a release looks first what is there already: a deployment is found
//! again by the release's id in its payload, and a status by its words.

use super::checks::OWN_CONTEXTS;
use super::error::GitHubError;
use super::http::{Ask, GitHub, PAGE_SIZE, from_json};
use super::name::{RepoName, encode};
use serde::Deserialize;
use serde_json::{Value, json};
use slipway_core::ids::{CommitSha, ReleaseId};
use slipway_core::release::ReportState;

/// The longest description that GitHub takes.
const DESCRIPTION_LIMIT_CHARS: usize = 140;

/// One release as GitHub shows it.
#[derive(Clone, Copy, Debug)]
pub struct Showing<'a> {
    /// Its repository.
    pub repo: &'a RepoName,
    /// Its commit.
    pub commit: &'a CommitSha,
    /// Its id.
    pub release: &'a ReleaseId,
    /// The environment as GitHub names it: `staging`.
    pub environment: &'a str,
    /// Where it stands.
    pub state: ReportState,
    /// The same in a few words.
    pub words: &'a str,
    /// Its page.
    pub page: Option<&'a str>,
    /// Where the environment answers.
    pub environment_url: Option<&'a str>,
}

#[derive(Deserialize)]
struct Deployment {
    id: u64,
    /// An object, or what an older server makes of it: a text.
    #[serde(default)]
    payload: Value,
}

#[derive(Deserialize)]
struct Said {
    state: String,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Deserialize)]
struct Combined {
    statuses: Vec<Context>,
}

#[derive(Deserialize)]
struct Context {
    context: String,
    #[serde(flatten)]
    said: Said,
}

impl Showing<'_> {
    fn deployment_state(&self) -> &'static str {
        match self.state {
            ReportState::Waiting => "pending",
            ReportState::Queued => "queued",
            ReportState::Running => "in_progress",
            ReportState::Live => "success",
            ReportState::Failed => "failure",
            ReportState::Withdrawn => "inactive",
        }
    }

    fn commit_state(&self) -> &'static str {
        match self.state {
            ReportState::Waiting | ReportState::Queued | ReportState::Running => "pending",
            ReportState::Live => "success",
            ReportState::Failed | ReportState::Withdrawn => "failure",
        }
    }

    /// Begins with the release, so that it can be told whose words these are.
    fn description(&self) -> String {
        let text = format!("{} {}", self.release.short(), self.words);
        text.chars().take(DESCRIPTION_LIMIT_CHARS).collect()
    }

    /// Whether other words are those of a release that was asked for after this one.
    fn is_older_than(&self, said: &Said) -> bool {
        let whose = said.description.as_deref().and_then(|words| words.split(' ').next()).unwrap_or_default();
        // Short ids begin with the time, so they are in order.
        whose.len() == self.release.short().len() && whose > self.release.short()
    }

    fn is_said_by(&self, said: &Said, state: &str) -> bool {
        said.state == state && said.description.as_deref() == Some(&self.description())
    }
}

fn belongs_to(deployment: &Deployment, release: &ReleaseId) -> bool {
    let parsed = match &deployment.payload {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        other => other.clone(),
    };
    parsed.get("slipway_release").and_then(Value::as_str) == Some(release.as_str())
}

impl GitHub {
    /// The release's deployment, if it has one.
    ///
    /// # Errors
    /// As for any request.
    pub async fn deployment_of(&self, showing: &Showing<'_>) -> Result<Option<u64>, GitHubError> {
        let Showing { repo, commit, environment, .. } = showing;
        let what = format!("the deployments of {repo}");
        let path = format!(
            "/repos/{repo}/deployments?sha={commit}&environment={}&per_page={PAGE_SIZE}",
            encode(environment).replace('/', "%2F")
        );
        let found: Vec<Deployment> = self.get(repo, &what, path).await?;
        // The newest come first, so one page is enough for a release that is under way.
        Ok(found.into_iter().find(|found| belongs_to(found, showing.release)).map(|found| found.id))
    }

    /// Makes the release's deployment. Sent once: look for it with [`GitHub::deployment_of`] before.
    ///
    /// # Errors
    /// As for any request.
    pub async fn create_deployment(&self, showing: &Showing<'_>) -> Result<u64, GitHubError> {
        let Showing { repo, commit, environment, release, .. } = showing;
        let what = format!("a deployment of {repo} (permission Deployments: write)");
        let body = json!({
            "ref": commit,
            "environment": environment,
            "description": format!("Release {} by Slipway", release.short()),
            "auto_merge": false,
            // Slipway has judged the checks itself.
            "required_contexts": [],
            "payload": { "slipway_release": release },
        });
        let answer = self.send(Some(repo), Ask::post(&what, format!("/repos/{repo}/deployments"), body)).await?;
        from_json::<Deployment>(&what, &answer.body).map(|made| made.id)
    }

    /// Whether the newest status of a deployment says this already.
    ///
    /// # Errors
    /// As for any request.
    pub async fn deployment_says(&self, showing: &Showing<'_>, deployment: u64) -> Result<bool, GitHubError> {
        let repo = showing.repo;
        let what = format!("the statuses of deployment {deployment} of {repo}");
        let path = format!("/repos/{repo}/deployments/{deployment}/statuses?per_page=1");
        let newest: Vec<Said> = self.get(repo, &what, path).await?;
        Ok(newest.first().is_some_and(|said| showing.is_said_by(said, showing.deployment_state())))
    }

    /// Says of a deployment where its release stands.
    ///
    /// # Errors
    /// As for any request.
    pub async fn say_of_deployment(&self, showing: &Showing<'_>, deployment: u64) -> Result<(), GitHubError> {
        let repo = showing.repo;
        let what = format!("a deployment status of {repo} (permission Deployments: write)");
        let mut body = json!({ "state": showing.deployment_state(), "description": showing.description() });
        if let Some(page) = showing.page {
            body["log_url"] = json!(page);
        }
        if let Some(url) = showing.environment_url {
            body["environment_url"] = json!(url);
        }
        let path = format!("/repos/{repo}/deployments/{deployment}/statuses");
        self.send(Some(repo), Ask::post(&what, path, body)).await.map(drop)
    }

    /// Whether the commit's status for the environment says this already, or is a later release's, or there is none
    /// that would have to be taken back.
    ///
    /// # Errors
    /// As for any request.
    pub async fn commit_says(&self, showing: &Showing<'_>) -> Result<bool, GitHubError> {
        let Showing { repo, commit, .. } = showing;
        let what = format!("the statuses of {} in {repo}", commit.short());
        let path = format!("/repos/{repo}/commits/{commit}/status");
        let all = self.pages(repo, &what, path, |page: Combined| page.statuses).await?;
        let context = showing.context();
        let found = all.into_iter().find(|status| status.context == context);
        Ok(match found {
            Some(Context { said, .. }) => {
                showing.is_older_than(&said) || showing.is_said_by(&said, showing.commit_state())
            }
            None => showing.state == ReportState::Withdrawn,
        })
    }

    /// Says on the commit where its release stands: the status `slipway/ENVIRONMENT`.
    ///
    /// # Errors
    /// As for any request.
    pub async fn say_of_commit(&self, showing: &Showing<'_>) -> Result<(), GitHubError> {
        let Showing { repo, commit, .. } = showing;
        let what = format!("a commit status of {repo} (permission Commit statuses: write)");
        let mut body = json!({
            "state": showing.commit_state(), "description": showing.description(), "context": showing.context(),
        });
        if let Some(page) = showing.page {
            body["target_url"] = json!(page);
        }
        self.send(Some(repo), Ask::post(&what, format!("/repos/{repo}/statuses/{commit}"), body)).await.map(drop)
    }
}

impl Showing<'_> {
    fn context(&self) -> String {
        format!("{OWN_CONTEXTS}{}", self.environment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_known_by_its_payload_in_either_form() {
        let release = ReleaseId::from("01JDE5Q7ZK3V8H2M4N6P8R0T2W");
        let belongs = |payload: Value| belongs_to(&Deployment { id: 1, payload }, &release);
        assert!(belongs(json!({ "slipway_release": release })));
        assert!(belongs(json!(format!("{{\"slipway_release\":\"{release}\"}}"))));
        assert!(!belongs(json!({ "slipway_release": "01JDE5Q7ZK3V8H2M4N6P8R0T2X" })));
        assert!(!belongs(json!("deploy")) && !belongs(json!({})) && !belongs(Value::Null));
    }
}
