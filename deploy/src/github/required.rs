//! Which checks of a commit have to pass, and how those stand.

use super::checks::{Found, fact, is_ours};
use super::error::GitHubError;
use super::http::{Ask, GitHub, from_json};
use super::name::{RepoName, encode};
use http::StatusCode;
use serde::Deserialize;
use slipway_core::facts::{CiFact, CiState};
use slipway_core::ids::CommitSha;
use std::collections::BTreeSet;

/// What GitHub says of a branch that nothing protects, or whose protection asks for no checks.
const NOT_PROTECTED: [&str; 2] = ["Branch not protected", "Required status checks not enabled"];
/// What reading the protection needs.
const PERMISSION: &str =
    "permission Administration: read; of a classic token: that its owner administers the repository";

/// Which checks of a commit have to pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Required {
    /// All that there are.
    #[default]
    All,
    /// Those of these names. One that has not run is not green.
    Named(Vec<String>),
    /// Those that the protection of the default branch asks for: the classic one, and rulesets.
    Protection,
}

/// One check that has to pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    name: String,
    /// The App that must have reported it, where protection says so. A commit status then does not do.
    app: Option<u64>,
}

/// Without its names an answer is half of one: what it leaves out would not have to pass.
#[derive(Deserialize)]
struct ClassicChecks {
    contexts: Vec<String>,
    #[serde(default)]
    checks: Vec<ClassicCheck>,
}

#[derive(Deserialize)]
struct ClassicCheck {
    context: String,
    /// -1 and null: any App.
    #[serde(default)]
    app_id: Option<i64>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(default)]
    required_status_checks: Vec<RuleCheck>,
}

#[derive(Deserialize)]
struct RuleCheck {
    context: String,
    #[serde(default)]
    integration_id: Option<i64>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    message: String,
}

fn wanted(name: String, app: Option<i64>) -> Wanted {
    Wanted { name, app: app.and_then(|id| u64::try_from(id).ok()) }
}

impl GitHub {
    /// How the required checks of a commit stand. A required one that has not run is named, and is not green.
    ///
    /// # Errors
    /// As for any request; [`GitHubError::Forbidden`] when the protection may not be read, and
    /// [`GitHubError::NoRequiredChecks`] when it asks for no checks.
    pub async fn required_checks(
        &self,
        repo: &RepoName,
        commit: &CommitSha,
        required: &Required,
    ) -> Result<CiFact, GitHubError> {
        let wanted = match required {
            Required::All => return self.checks(repo, commit).await,
            Required::Named(names) => names.iter().map(|name| Wanted { name: name.clone(), app: None }).collect(),
            Required::Protection => self.protection(repo).await?,
        };
        Ok(required_fact(wanted, self.found_checks(repo, commit).await?))
    }

    /// What the protection of the default branch asks for; never nothing.
    async fn protection(&self, repo: &RepoName) -> Result<BTreeSet<Wanted>, GitHubError> {
        let branch = self.repository(repo).await?.default_branch;
        let (classic, rules) = tokio::join!(self.classic_checks(repo, &branch), self.ruled_checks(repo, &branch));
        let all: BTreeSet<_> = classic?.into_iter().chain(rules?).filter(|wanted| !is_ours(&wanted.name)).collect();
        if all.is_empty() {
            return Err(GitHubError::NoRequiredChecks { repository: repo.to_string(), branch });
        }
        Ok(all)
    }

    async fn classic_checks(&self, repo: &RepoName, branch: &str) -> Result<Vec<Wanted>, GitHubError> {
        let what = format!("the protection of the branch {branch} of {repo} ({PERMISSION})");
        let path = format!("/repos/{repo}/branches/{}/protection/required_status_checks", encode(branch));
        let answer = self.answer(repo, &Ask::get(&what, path)).await?;
        if answer.status == StatusCode::NOT_FOUND {
            let message = serde_json::from_slice::<Said>(&answer.body).map(|said| said.message).unwrap_or_default();
            if NOT_PROTECTED.contains(&message.as_str()) {
                return Ok(vec![]);
            }
            // To a token without the permission GitHub says the same as of a branch that is not there.
            return Err(GitHubError::Forbidden { what, message });
        }
        if !answer.status.is_success() {
            return Err(answer.into_error(&what));
        }
        let ClassicChecks { contexts, checks } = from_json(&what, &answer.body)?;
        if checks.is_empty() {
            return Ok(contexts.into_iter().map(|name| wanted(name, None)).collect());
        }
        Ok(checks.into_iter().map(|check| wanted(check.context, check.app_id)).collect())
    }

    async fn ruled_checks(&self, repo: &RepoName, branch: &str) -> Result<Vec<Wanted>, GitHubError> {
        let what = format!("the rules for the branch {branch} of {repo}");
        let path = format!("/repos/{repo}/rules/branches/{}", encode(branch));
        let rules = self.pages(repo, &what, path, |rules: Vec<Rule>| rules).await?;
        let asks = rules.into_iter().filter(|rule| rule.kind == "required_status_checks");
        let mut all = Vec::new();
        for rule in asks {
            // A rule that names no checks is half an answer, for the same reason.
            let lacks = || GitHubError::unreadable(&what, "a rule has no parameters");
            let checks = rule.parameters.ok_or_else(lacks)?.required_status_checks;
            all.extend(checks.into_iter().map(|check| wanted(check.context, check.integration_id)));
        }
        Ok(all)
    }
}

/// Judges only what is wanted. All of one name count: two Apps may report the same name.
fn required_fact(wanted: BTreeSet<Wanted>, found: Vec<Found>) -> CiFact {
    let does =
        |wanted: &Wanted, found: &Found| wanted.name == found.name && (wanted.app.is_none() || wanted.app == found.app);
    let missing: Vec<_> = wanted.iter().filter(|wanted| !found.iter().any(|found| does(wanted, found))).collect();
    let lacking = u32::try_from(missing.len()).unwrap_or(u32::MAX);
    let missing: Vec<_> = missing.into_iter().map(|wanted| wanted.name.clone()).collect();
    let judged = found.into_iter().filter(|found| wanted.iter().any(|wanted| does(wanted, found))).collect();
    let fact = fact(judged);
    let state = match fact.state {
        CiState::Green if lacking > 0 => CiState::Missing,
        state => state,
    };
    let total = fact.total.saturating_add(lacking);
    CiFact { state, total, missing: missing.into_iter().take(CiFact::FAILING_LIMIT).collect(), ..fact }
}

#[cfg(test)]
mod tests {
    use super::super::checks::Verdict;
    use super::*;

    fn found(name: &str, app: Option<u64>, verdict: Verdict) -> Found {
        Found { name: name.into(), app, verdict }
    }

    fn judged(wanted: &[(&str, Option<u64>)], found: Vec<Found>) -> String {
        let wanted = wanted.iter().map(|(name, app)| Wanted { name: (*name).into(), app: *app }).collect();
        let CiFact { state, total, passed, failing, missing } = required_fact(wanted, found);
        format!("{state:?} {passed}/{total} failing {failing:?} missing {missing:?}")
    }

    #[test]
    fn only_what_is_required_counts_and_what_has_not_run_is_not_green() {
        use Verdict::{Failed, Passed, Waiting};
        let build = || found("build", Some(1), Passed);
        let both = [("build", None), ("test", None)];
        let said = [
            judged(&both, vec![build(), found("test", Some(1), Passed), found("flaky", Some(1), Failed)]),
            judged(&both, vec![build(), found("test", None, Waiting), found("flaky", None, Failed)]),
            judged(&both, vec![build(), found("test", None, Failed)]),
            judged(&both, vec![build()]),
            judged(&both, vec![found("build", Some(1), Waiting)]),
            judged(&both, vec![]),
            judged(&[("build", Some(1))], vec![found("build", Some(2), Passed), found("build", None, Passed)]),
            judged(&[("build", None)], vec![build(), found("build", Some(2), Failed)]),
        ];
        expect_test::expect![[r#"
            Green 2/2 failing [] missing []
            Pending 1/2 failing [] missing []
            Red 1/2 failing ["test"] missing []
            Missing 1/2 failing [] missing ["test"]
            Pending 0/2 failing [] missing ["test"]
            Missing 0/2 failing [] missing ["build", "test"]
            Missing 0/1 failing [] missing ["build"]
            Red 1/2 failing ["build"] missing []"#]]
        .assert_eq(&said.join("\n"));
    }

    #[test]
    fn minus_one_is_any_app() {
        assert_eq!(wanted("x".into(), Some(-1)).app, None);
        assert_eq!(wanted("x".into(), Some(15_368)).app, Some(15_368));
    }
}
