//! A pull request: how it stands, its reviews, the rules of its branch, and its merge.

use super::error::{GitHubError, shortened};
use super::http::{Ask, GitHub, from_json};
use super::name::{RepoName, encode};
use super::wire;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use slipway_core::ids::CommitSha;
use slipway_core::pull::{Access, BranchRules, MERGE_METHOD, Merge, Mergeable, Pull, PullState, Review};

/// How much of a title is kept.
const TITLE_LIMIT_CHARS: usize = 200;
/// What reading needs.
const READS: &str = "permission Pull requests: read";
/// What merging needs.
const MERGES: &str = "permissions Contents: write and Pull requests: write";
/// GitHub's account of a human.
const HUMAN: &str = "User";
/// How somebody stands to the repository who belongs to it.
const BELONGS: [&str; 3] = ["OWNER", "MEMBER", "COLLABORATOR"];

#[derive(Deserialize)]
struct FoundPull {
    number: u64,
    #[serde(default)]
    title: String,
    state: String,
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    merged: bool,
    #[serde(default)]
    merge_commit_sha: Option<String>,
    #[serde(default)]
    merged_by: Option<wire::User>,
    #[serde(default)]
    mergeable: Option<bool>,
    #[serde(default)]
    mergeable_state: String,
    html_url: String,
    #[serde(default)]
    user: Option<wire::User>,
    head: Head,
    base: Base,
}

#[derive(Deserialize)]
struct Head {
    sha: String,
}

#[derive(Deserialize)]
struct Base {
    #[serde(rename = "ref")]
    name: String,
}

#[derive(Deserialize)]
struct FoundReview {
    #[serde(default)]
    user: Option<wire::Member>,
    state: String,
    #[serde(default)]
    commit_id: Option<String>,
    #[serde(default)]
    author_association: String,
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
    required_approving_review_count: Option<u32>,
    #[serde(default)]
    allowed_merge_methods: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Methods {
    #[serde(default)]
    allow_squash_merge: Option<bool>,
    #[serde(default)]
    allow_merge_commit: Option<bool>,
    #[serde(default)]
    allow_rebase_merge: Option<bool>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    message: String,
    #[serde(default)]
    sha: Option<String>,
}

/// How GitHub answered when it was asked to merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MergeAnswer {
    /// The commit that the merge made.
    Merged(CommitSha),
    /// Its rules are not met, or the branch changed at that moment. It says why, and it may be asked again later.
    NotNow(String),
    /// The newest commit of the pull request is another one by now.
    HeadMoved,
    /// It will not do that later either.
    Never(String),
}

impl GitHub {
    /// How a pull request stands; `None`: the repository can be read, and has none of this number.
    ///
    /// # Errors
    /// As for any request; what is forbidden names the permission.
    pub async fn pull(&self, repo: &RepoName, number: u64) -> Result<Option<Pull>, GitHubError> {
        let what = format!("the pull request #{number} of {repo} ({READS})");
        match self.find::<FoundPull>(repo, &what, format!("/repos/{repo}/pulls/{number}")).await? {
            Some(found) => pull(&what, found).map(Some),
            None => self.repository(repo).await.map(|_| None),
        }
    }

    /// Each reviewer's last word on it, in the order in which they came. What was only remarked, or was dismissed, is none.
    /// Whether they can push is not asked: see [`GitHub::reviewers`].
    ///
    /// # Errors
    /// As for any request; [`GitHubError::TooBig`] beyond 1,000 reviews.
    pub async fn reviews(&self, repo: &RepoName, number: u64) -> Result<Vec<Review>, GitHubError> {
        let what = format!("the reviews of #{number} in {repo} ({READS})");
        let path = format!("/repos/{repo}/pulls/{number}/reviews");
        let found = self.pages(repo, &what, path, |reviews: Vec<FoundReview>| reviews).await?;
        Ok(standing(found))
    }

    /// What the rules of a branch say of merges, as far as whoever may read the repository may read them.
    ///
    /// # Errors
    /// As for any request.
    pub async fn merge_rules(&self, repo: &RepoName, branch: &str) -> Result<BranchRules, GitHubError> {
        let what = format!("the rules for the branch {branch} of {repo}");
        let path = format!("/repos/{repo}/rules/branches/{}", encode(branch));
        Ok(ruled(self.pages(repo, &what, path, |rules: Vec<Rule>| rules).await?))
    }

    /// The methods of merging that the repository allows; `None` where the credentials may not know.
    ///
    /// # Errors
    /// As for any request.
    pub async fn merge_methods(&self, repo: &RepoName) -> Result<Option<Vec<String>>, GitHubError> {
        let what = format!("the repository {repo}");
        let Methods { allow_squash_merge, allow_merge_commit, allow_rebase_merge } =
            self.get(repo, &what, format!("/repos/{repo}")).await?;
        let methods = [("squash", allow_squash_merge), ("merge", allow_merge_commit), ("rebase", allow_rebase_merge)];
        if methods.iter().all(|(_, allowed)| allowed.is_none()) {
            return Ok(None);
        }
        let allowed = methods.into_iter().filter(|(_, allowed)| *allowed == Some(true));
        Ok(Some(allowed.map(|(name, _)| name.to_owned()).collect()))
    }

    /// Squashes a pull request into its base, if its newest commit is still `head` and GitHub's rules are met. GitHub
    /// composes the message, so that title, number and co-authors are as its own button makes them.
    ///
    /// The request is sent once. When [`GitHubError::may_have_acted`], look at the pull request.
    ///
    /// # Errors
    /// As for any request; [`GitHubError::Forbidden`] names the permissions that merging takes.
    pub async fn merge_pull(&self, repo: &RepoName, number: u64, head: &CommitSha) -> Result<MergeAnswer, GitHubError> {
        let what = format!("the merge of #{number} in {repo} ({MERGES})");
        let body = json!({ "merge_method": MERGE_METHOD, "sha": head });
        let ask = Ask {
            what: &what,
            method: Method::PUT,
            path: format!("/repos/{repo}/pulls/{number}/merge"),
            body: Some(body),
            raw: false,
            unless: None,
        };
        let answer = self.answer(repo, &ask).await?;
        let said = |body: &[u8]| serde_json::from_slice::<Said>(body).map(|said| said.message).unwrap_or_default();
        match answer.status {
            StatusCode::OK => {
                let sha = from_json::<Said>(&what, &answer.body)?.sha.unwrap_or_default();
                let sha = CommitSha::parse(&sha).map_err(|e| GitHubError::unreadable(&what, e.to_string()))?;
                Ok(MergeAnswer::Merged(sha))
            }
            StatusCode::METHOD_NOT_ALLOWED => Ok(not_allowed(shortened(&said(&answer.body)))),
            StatusCode::CONFLICT => Ok(MergeAnswer::HeadMoved),
            // It could be read a moment ago: to a token without the permission GitHub says that nothing is there.
            StatusCode::NOT_FOUND => {
                let message = shortened(&said(&answer.body));
                Err(GitHubError::Forbidden { what, message })
            }
            _ => Err(answer.into_error(&what)),
        }
    }
}

/// Of a method that is not allowed GitHub uses the same status as of rules that are not met yet.
fn not_allowed(message: String) -> MergeAnswer {
    let of_the_method = message.ends_with("merges are not allowed on this repository");
    if of_the_method { MergeAnswer::Never(message) } else { MergeAnswer::NotNow(message) }
}

fn pull(what: &str, found: FoundPull) -> Result<Pull, GitHubError> {
    let sha = |text: &str| CommitSha::parse(text).map_err(|e| GitHubError::unreadable(what, e.to_string()));
    let state = match (found.merged, found.merge_commit_sha.as_deref(), found.state.as_str()) {
        (true, Some(commit), _) => {
            PullState::Merged(Merge { commit: sha(commit)?, by: found.merged_by.map(|user| user.login) })
        }
        (true, None, _) => return Err(GitHubError::unreadable(what, "merged without a commit")),
        (false, _, "open") => PullState::Open,
        (false, _, _) => PullState::Closed,
    };
    // What this version does not know is not free: the merge would tell, and nothing is tried to find out.
    let mergeable = match (found.mergeable, found.mergeable_state.as_str()) {
        (_, "dirty") | (Some(false), "unstable" | "clean" | "has_hooks") => Mergeable::Conflicts,
        (_, "behind") => Mergeable::Behind,
        (None, _) | (_, "unknown") => Mergeable::Unknown,
        (Some(true), "clean" | "unstable" | "has_hooks") => Mergeable::Free,
        _ => Mergeable::Blocked,
    };
    Ok(Pull {
        number: found.number,
        title: found.title.trim().chars().take(TITLE_LIMIT_CHARS).collect(),
        author: found.user.map(|user| user.login),
        url: found.html_url,
        state,
        draft: found.draft,
        head: sha(&found.head.sha)?,
        base: found.base.name,
        mergeable,
    })
}

fn standing(found: Vec<FoundReview>) -> Vec<Review> {
    let mut last: Vec<Review> = Vec::new();
    for review in found {
        let Some(user) = review.user else { continue };
        let approves = match review.state.as_str() {
            "APPROVED" => Some(true),
            "CHANGES_REQUESTED" => Some(false),
            // Dismissed: it does not stand any more.
            "DISMISSED" => None,
            _ => continue,
        };
        last.retain(|known| known.who != user.login);
        last.extend(approves.map(|approves| Review {
            approves,
            commit: review.commit_id.as_deref().and_then(|sha| CommitSha::parse(sha).ok()),
            human: user.kind == HUMAN,
            belongs: BELONGS.contains(&review.author_association.as_str()),
            access: Access::NotAsked,
            who: user.login,
        }));
    }
    last
}

fn ruled(rules: Vec<Rule>) -> BranchRules {
    let mut all = BranchRules::default();
    for rule in rules {
        match (rule.kind.as_str(), rule.parameters) {
            ("merge_queue", _) => all.merge_queue = true,
            ("pull_request", Some(asks)) => {
                all.approvals = all.approvals.max(asks.required_approving_review_count.unwrap_or(0));
                // All rules hold at once.
                all.methods = match (all.methods, asks.allowed_merge_methods) {
                    (Some(before), Some(allowed)) => {
                        Some(before.into_iter().filter(|method| allowed.contains(method)).collect())
                    }
                    (before, allowed) => allowed.or(before),
                };
            }
            _ => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const MERGED: &str = "cccccccccccccccccccccccccccccccccccccccc";

    fn found(more: serde_json::Value) -> Result<Pull, GitHubError> {
        let mut whole = json!({
            "number": 7, "title": " Likes ", "state": "open", "html_url": "https://github.com/acme/goals/pull/7",
            "user": { "login": "eve" }, "head": { "sha": HEAD }, "base": { "ref": "main" },
            "merge_commit_sha": MERGED, "mergeable": true, "mergeable_state": "clean",
        });
        whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        pull("#7", serde_json::from_value(whole).unwrap())
    }

    #[test]
    fn the_commit_of_a_trial_merge_is_no_merge() {
        let merged = json!({ "merged": true, "state": "closed", "merged_by": { "login": "chen" } });
        let states = [
            found(json!({})),
            found(json!({ "state": "closed" })),
            found(merged),
            found(json!({ "merged": true, "merge_commit_sha": null })),
        ];
        let commit = CommitSha::parse(MERGED).unwrap();
        assert_eq!(states[0].as_ref().unwrap().state, PullState::Open);
        assert_eq!(states[1].as_ref().unwrap().state, PullState::Closed);
        assert_eq!(states[2].as_ref().unwrap().state, PullState::Merged(Merge { commit, by: Some("chen".into()) }));
        assert!(states[3].is_err());
        assert_eq!(states[0].as_ref().unwrap().title, "Likes");
    }

    #[test]
    fn only_what_is_known_to_be_free_is_free() {
        let state =
            |mergeable, word| found(json!({ "mergeable": mergeable, "mergeable_state": word })).unwrap().mergeable;
        for (mergeable, word, meant) in [
            (Some(true), "clean", Mergeable::Free),
            (Some(true), "unstable", Mergeable::Free),
            (Some(true), "has_hooks", Mergeable::Free),
            (Some(true), "blocked", Mergeable::Blocked),
            (Some(true), "something new", Mergeable::Blocked),
            (Some(true), "behind", Mergeable::Behind),
            (Some(false), "dirty", Mergeable::Conflicts),
            (Some(false), "clean", Mergeable::Conflicts),
            (None, "clean", Mergeable::Unknown),
            (None, "unknown", Mergeable::Unknown),
            (Some(true), "unknown", Mergeable::Unknown),
        ] {
            assert_eq!(state(mergeable, word), meant, "{mergeable:?} {word}");
        }
    }

    #[test]
    fn the_last_word_of_each_reviewer_stands() {
        let review = |who: &str, kind: &str, state: &str, association: &str| {
            json!({ "user": { "login": who, "type": kind }, "state": state, "commit_id": HEAD,
                "author_association": association })
        };
        let all = json!([
            review("bob", "User", "CHANGES_REQUESTED", "MEMBER"),
            review("chen", "User", "APPROVED", "COLLABORATOR"),
            review("bob", "User", "APPROVED", "MEMBER"),
            review("chen", "User", "COMMENTED", "COLLABORATOR"),
            review("dora", "User", "APPROVED", "OWNER"),
            review("dora", "User", "DISMISSED", "OWNER"),
            review("mallory", "User", "APPROVED", "CONTRIBUTOR"),
            review("bot[bot]", "Bot", "APPROVED", "MEMBER"),
            json!({ "user": null, "state": "APPROVED" }),
        ]);
        let standing = standing(serde_json::from_value(all).unwrap());
        let said: Vec<_> =
            standing.iter().map(|r| format!("{} {} {} {}", r.who, r.approves, r.human, r.belongs)).collect();
        assert_eq!(
            said,
            ["chen true true true", "bob true true true", "mallory true true false", "bot[bot] true false true"]
        );
    }

    #[test]
    fn all_rules_hold_at_once() {
        let rules = json!([
            { "type": "non_fast_forward" },
            { "type": "pull_request", "parameters": {
                "required_approving_review_count": 2, "allowed_merge_methods": ["squash", "rebase"] } },
            { "type": "pull_request", "parameters": {
                "required_approving_review_count": 1, "allowed_merge_methods": ["merge", "squash"] } },
            { "type": "required_status_checks", "parameters": { "required_status_checks": [] } },
        ]);
        let all = ruled(serde_json::from_value(rules).unwrap());
        assert_eq!(all, BranchRules { approvals: 2, merge_queue: false, methods: Some(vec!["squash".into()]) });
        assert!(ruled(serde_json::from_value(json!([{ "type": "merge_queue" }])).unwrap()).merge_queue);
    }

    #[test]
    fn a_method_that_is_off_stays_off() {
        let said = |message: &str| not_allowed(message.to_owned());
        let off = "Squash merges are not allowed on this repository";
        assert_eq!(said(off), MergeAnswer::Never(off.to_owned()));
        let rules = "At least 1 approving review is required by reviewers with write access";
        assert_eq!(said(rules), MergeAnswer::NotNow(rules.to_owned()));
    }
}
