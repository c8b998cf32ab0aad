//! Pull requests: how they stand, their reviews, and merges that the rules of the base decide about.

use super::deployments::Permission;
use super::git::GitCommit;
use super::refs::members;
use super::server::{PageQuery, Refusal, Reply, Shared, ok, page};
use super::world::World;
use super::{repository, shapes};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use std::sync::Arc;

const FIRST_PULL_ID: u64 = 2_210_000_000;
const FIRST_REVIEW_ID: u64 = 3_310_000_000;
/// The methods that GitHub knows.
const METHODS: [&str; 3] = ["merge", "squash", "rebase"];
/// Who makes the commits of merges.
const COMMITTER: (&str, &str) = ("GitHub", "noreply@github.com");

/// A pull request to open.
#[derive(Clone, Debug)]
pub struct NewPull {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Who opens it.
    pub author: String,
    /// The branch that it brings.
    pub branch: String,
}

/// A review to write. Its commit is the newest by then.
#[derive(Clone, Debug)]
pub struct NewReview<'a> {
    /// The reviewer.
    pub who: &'a str,
    /// `APPROVED`, `CHANGES_REQUESTED` or `COMMENTED`.
    pub state: &'a str,
    /// How they stand to the repository: `MEMBER`, `NONE`, …
    pub association: &'a str,
}

#[derive(Clone, Debug)]
struct Review {
    who: String,
    state: String,
    association: String,
    commit: String,
}

/// A pull request as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Pull {
    new: NewPull,
    reviews: Vec<Review>,
    draft: bool,
    closed: bool,
    /// Its head at the merge, the commit that came of it, and who merged.
    merged: Option<(String, String, String)>,
    /// The head of which it was found out whether it can be merged: GitHub does that after the first look.
    found_out: Option<String>,
}

/// What decides about merges.
#[derive(Clone, Debug)]
pub(super) struct Merging {
    pub(super) permission: Permission,
    pub(super) methods: Vec<String>,
    /// Of a ruleset.
    pub(super) approvals: usize,
    pub(super) queue: bool,
}

impl Default for Merging {
    fn default() -> Self {
        let methods = METHODS.map(str::to_owned).to_vec();
        Self { permission: Permission::Given, methods, approvals: 0, queue: false }
    }
}

impl super::GitHubSandbox {
    /// Opens a pull request into the default branch.
    pub fn open_pull(&self, new: NewPull) {
        let pull = Pull { new, reviews: vec![], draft: false, closed: false, merged: None, found_out: None };
        self.shared.world().pulls.push(pull);
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Pull)) {
        if let Some(pull) = self.shared.world().pulls.iter_mut().find(|pull| pull.new.number == number) {
            change(pull);
        }
    }

    /// Writes a review.
    ///
    /// # Errors
    /// When git fails, or the pull request is not there.
    pub async fn review(&self, number: u64, review: NewReview<'_>) -> std::io::Result<()> {
        let missing = || std::io::Error::other(format!("there is no pull request {number}"));
        let pull = self.shared.pull(number).ok_or_else(missing)?;
        let commit = self.shared.head_of(&pull).await.map_err(|refusal| std::io::Error::other(refusal.1))?;
        let NewReview { who, state, association } = review;
        let review = Review { who: who.into(), state: state.into(), association: association.into(), commit };
        self.change(number, |pull| pull.reviews.push(review));
        Ok(())
    }

    /// Makes it a draft, or ready.
    pub fn set_draft(&self, number: u64, draft: bool) {
        self.change(number, |pull| pull.draft = draft);
    }

    /// Closes it.
    pub fn close_pull(&self, number: u64) {
        self.change(number, |pull| pull.closed = true);
    }

    /// Somebody merges it on GitHub's own page, whatever the rules say.
    ///
    /// # Errors
    /// When git fails, there are conflicts, or the pull request is not there.
    pub async fn merge_as(&self, number: u64, login: &str) -> std::io::Result<String> {
        let missing = || std::io::Error::other(format!("there is no pull request {number}"));
        let pull = self.shared.pull(number).ok_or_else(missing)?;
        self.shared.squash(&pull, login).await.map_err(|refusal| std::io::Error::other(refusal.1))
    }

    /// The commit that the merge of a pull request made, if it was merged.
    #[must_use]
    pub fn merge_of(&self, number: u64) -> Option<String> {
        self.shared.pull(number)?.merged.map(|(_, commit, _)| commit)
    }

    /// Whether the token may merge from now on.
    pub fn set_merge_access(&self, permission: Permission) {
        self.shared.world().merging.permission = permission;
    }

    /// The methods of merging that the repository allows from now on.
    pub fn set_merge_methods(&self, methods: &[&str]) {
        self.shared.world().merging.methods = methods.iter().map(|method| (*method).to_owned()).collect();
    }

    /// A ruleset of the default branch: how many approvals it requires, and whether merges go through a queue.
    pub fn set_merge_rules(&self, approvals: usize, queue: bool) {
        let mut world = self.shared.world();
        (world.merging.approvals, world.merging.queue) = (approvals, queue);
    }
}

impl Shared {
    fn pull(&self, number: u64) -> Option<Pull> {
        self.world().pulls.iter().find(|pull| pull.new.number == number).cloned()
    }

    async fn head_of(&self, pull: &Pull) -> Result<String, Refusal> {
        if let Some((head, ..)) = &pull.merged {
            return Ok(head.clone());
        }
        let head = self.commit_of(&format!("heads/{}", pull.new.branch)).await?;
        head.ok_or_else(|| Refusal::unprocessable("the branch is gone"))
    }

    async fn base(&self) -> Result<String, Refusal> {
        let base = self.commit_of(&format!("heads/{}", self.default_branch)).await?;
        base.ok_or_else(Refusal::not_found)
    }

    /// One commit of everything, on the default branch as it is now.
    async fn squash(&self, pull: &Pull, by: &str) -> Result<String, Refusal> {
        let (base, head) = (self.base().await?, self.head_of(pull).await?);
        let not_mergeable = || Refusal(StatusCode::METHOD_NOT_ALLOWED, "Pull Request is not mergeable".into());
        let tree = self.git.merged_tree(&base, &head).await?.ok_or_else(not_mergeable)?;
        let GitCommit { author, .. } = self.commit(&head).await?;
        let message = format!("{} (#{})\n", pull.new.title, pull.new.number);
        let commit = self.git.commit_tree(&tree, &base, &message, (&author.name, &author.email), COMMITTER, self.now());
        let commit = commit.await?;
        let mut world = self.world();
        world.overlay.insert(format!("refs/heads/{}", self.default_branch), Some(commit.clone()));
        if let Some(kept) = world.pulls.iter_mut().find(|kept| kept.new.number == pull.new.number) {
            kept.merged = Some((head, commit.clone(), by.to_owned()));
        }
        Ok(commit)
    }

    /// Why the rules of the base do not let it be merged, in GitHub's words.
    fn blocked(&self, pull: &Pull, head: &str) -> Option<String> {
        let world = self.world();
        if world.merging.queue {
            return Some("Changes must be made through the merge queue".into());
        }
        let needed = world.merging.approvals;
        if pull.approvals() < needed {
            let reviews = if needed == 1 { "review is" } else { "reviews are" };
            return Some(format!("At least {needed} approving {reviews} required by reviewers with write access."));
        }
        let required: Vec<_> = world.protection.iter().flatten().chain(&world.rules).map(|(name, _)| name).collect();
        let checks = checks_of(self, &world, head);
        let passes = |name: &String| checks.iter().any(|(known, passed)| known == name && *passed);
        let missing = required.into_iter().find(|name| !passes(name))?;
        Some(format!("Required status check \"{missing}\" is expected."))
    }

    /// GitHub's `mergeable` and `mergeable_state`.
    async fn mergeable(&self, pull: &Pull, head: &str) -> Result<(Option<bool>, &'static str), Refusal> {
        if pull.merged.is_some() || pull.closed {
            return Ok((None, "unknown"));
        }
        if pull.found_out.as_deref() != Some(head) {
            let mut world = self.world();
            if let Some(kept) = world.pulls.iter_mut().find(|kept| kept.new.number == pull.new.number) {
                kept.found_out = Some(head.to_owned());
            }
            return Ok((None, "unknown"));
        }
        let base = self.base().await?;
        if self.git.merged_tree(&base, head).await?.is_none() {
            return Ok((Some(false), "dirty"));
        }
        if pull.draft {
            return Ok((Some(true), "draft"));
        }
        if self.blocked(pull, head).is_some() {
            return Ok((Some(true), "blocked"));
        }
        let strict = self.world().protection.as_ref().is_some_and(|checks| !checks.is_empty());
        if strict && self.git.merge_base(&base, head).await?.as_deref() != Some(&base) {
            return Ok((Some(true), "behind"));
        }
        let all_pass = checks_of(self, &self.world(), head).iter().all(|(_, passed)| *passed);
        Ok((Some(true), if all_pass { "clean" } else { "unstable" }))
    }
}

impl Pull {
    /// Each reviewer's last word counts.
    fn approvals(&self) -> usize {
        let mut last: Vec<(&str, &str)> = Vec::new();
        for review in self.reviews.iter().filter(|review| review.state != "COMMENTED" && review.association != "NONE") {
            last.retain(|(who, _)| *who != review.who);
            last.push((&review.who, &review.state));
        }
        last.iter().filter(|(who, state)| *state == "APPROVED" && *who != self.new.author).count()
    }
}

/// Names of the checks of a commit, and whether each has passed.
fn checks_of(shared: &Shared, world: &World, commit: &str) -> Vec<(String, bool)> {
    let now = shared.now();
    let runs = world.runs.iter().filter(|run| run.commit == commit);
    let of_runs = runs.flat_map(|run| {
        let moment = world.moment_of(run, now, shared.options.pace);
        let names = super::ci::JOBS.into_iter().zip(moment.jobs);
        names.map(|(name, job)| (name.to_owned(), job.conclusion == Some("success"))).collect::<Vec<_>>()
    });
    let of_statuses = world.statuses.iter().filter(|((sha, _), _)| sha == commit);
    of_runs.chain(of_statuses.map(|((_, context), status)| (context.clone(), status.state == "success"))).collect()
}

pub(super) async fn one(State(shared): State<Arc<Shared>>, Path(number): Path<u64>) -> Reply {
    let pull = shared.pull(number).ok_or_else(Refusal::not_found)?;
    let head = shared.head_of(&pull).await?;
    let (mergeable, state) = shared.mergeable(&pull, &head).await?;
    ok(shape(&shared, &pull, &head, &shared.base().await?, (mergeable, state)))
}

fn shape(shared: &Shared, pull: &Pull, head: &str, base: &str, (mergeable, state): (Option<bool>, &str)) -> Value {
    let (api, html, number) = (shared.api(), shared.html(), pull.new.number);
    let (url, page) = (format!("{api}/pulls/{number}"), format!("{html}/pull/{number}"));
    let issue = format!("{api}/issues/{number}");
    let now = shapes::time(shared.now());
    let owner = shared.options.full_name.split('/').next().unwrap_or_default();
    let end = |name: &str, sha: &str| {
        json!({
            "label": format!("{owner}:{name}"), "ref": name, "sha": sha, "user": shapes::user(shared, owner),
            "repo": repository::full(shared),
        })
    };
    let merged = pull.merged.as_ref();
    let closed = pull.closed || merged.is_some();
    let link = |href: String| json!({ "href": href });
    let links = json!({
        "self": link(url.clone()), "html": link(page.clone()), "issue": link(issue.clone()),
        "comments": link(format!("{issue}/comments")), "review_comments": link(format!("{url}/comments")),
        "review_comment": link(format!("{api}/pulls/comments{{/number}}")),
        "commits": link(format!("{url}/commits")), "statuses": link(format!("{api}/statuses/{head}")),
    });
    let addresses = json!({
        "url": url, "html_url": page, "diff_url": format!("{page}.diff"), "patch_url": format!("{page}.patch"),
        "issue_url": issue, "commits_url": format!("{url}/commits"),
        "review_comments_url": format!("{url}/comments"),
        "review_comment_url": format!("{api}/pulls/comments{{/number}}"), "comments_url": format!("{issue}/comments"),
        "statuses_url": format!("{api}/statuses/{head}"), "_links": links,
    });
    let people = json!({
        "user": shapes::user(shared, &pull.new.author), "assignee": null, "assignees": [], "requested_reviewers": [],
        "requested_teams": [], "author_association": "MEMBER",
        "merged_by": merged.map(|(_, _, by)| shapes::user(shared, by)),
    });
    let how = json!({
        "state": if closed { "closed" } else { "open" }, "locked": false, "active_lock_reason": null, "auto_merge": null,
        "draft": pull.draft, "merged": merged.is_some(), "mergeable": mergeable, "rebaseable": mergeable,
        "mergeable_state": state, "merge_commit_sha": merged.map(|(_, commit, _)| commit),
        "created_at": now, "updated_at": now, "closed_at": closed.then_some(&now), "merged_at": merged.map(|_| &now),
        "maintainer_can_modify": false,
    });
    let what = json!({
        "id": FIRST_PULL_ID + number, "node_id": shapes::node_id("PR", &number.to_string()), "number": number,
        "title": pull.new.title, "body": null, "labels": [], "milestone": null,
        "head": end(&pull.new.branch, head), "base": end(&shared.default_branch, base),
        "comments": 0, "review_comments": 0, "commits": 1, "additions": 3, "deletions": 0, "changed_files": 1,
    });
    let parts = [what, how, people, addresses].into_iter().filter_map(|part| part.as_object().cloned());
    Value::Object(parts.flatten().collect())
}

pub(super) async fn reviews(
    State(shared): State<Arc<Shared>>,
    Path(number): Path<u64>,
    Query(query): Query<PageQuery>,
) -> Reply {
    let pull = shared.pull(number).ok_or_else(Refusal::not_found)?;
    let (api, page_of) = (shared.api(), format!("{}/pull/{number}", shared.html()));
    let now = shapes::time(shared.now());
    let one = |(index, review): (u64, &Review)| {
        let id = FIRST_REVIEW_ID + index;
        let html = format!("{page_of}#pullrequestreview-{id}");
        json!({
            "id": id, "node_id": shapes::node_id("PRR", &id.to_string()), "user": shapes::user(&shared, &review.who),
            "body": "", "state": review.state, "html_url": html,
            "pull_request_url": format!("{api}/pulls/{number}"), "author_association": review.association,
            "_links": { "html": { "href": html }, "pull_request": { "href": format!("{api}/pulls/{number}") } },
            "submitted_at": now, "commit_id": review.commit,
        })
    };
    let all: Vec<Value> = (0..).zip(&pull.reviews).map(one).collect();
    let (one_page, links) = page(all, &query, &format!("{api}/pulls/{number}/reviews"));
    Ok((links, Json(one_page)).into_response())
}

pub(super) async fn merge(
    State(shared): State<Arc<Shared>>,
    Path(number): Path<u64>,
    body: Result<Json<Value>, JsonRejection>,
) -> Reply {
    let pull = shared.pull(number).ok_or_else(Refusal::not_found)?;
    shared.world().merging.permission.check()?;
    let members = members(body, &["commit_title", "commit_message", "sha", "merge_method"])?;
    let method = members.get("merge_method").map_or(Some("merge"), Value::as_str);
    let method = method.filter(|method| METHODS.contains(method));
    let method = method.ok_or_else(|| Refusal::unprocessable("Invalid request.\n\n\"merge_method\" is not one."))?;
    let not_allowed = |message: String| Refusal(StatusCode::METHOD_NOT_ALLOWED, message);
    if pull.merged.is_some() || pull.closed {
        return Err(not_allowed("Pull Request is not mergeable".into()));
    }
    if pull.draft {
        return Err(not_allowed("Pull Request is still a draft".into()));
    }
    if !shared.world().merging.methods.iter().any(|allowed| allowed == method) {
        let name = match method {
            "squash" => "Squash merges",
            "rebase" => "Rebase merges",
            _ => "Merge commits",
        };
        return Err(not_allowed(format!("{name} are not allowed on this repository.")));
    }
    let head = shared.head_of(&pull).await?;
    if members.get("sha").is_some_and(|sha| sha.as_str() != Some(&head)) {
        let message = "Head branch was modified. Review and try the merge again.";
        return Err(Refusal(StatusCode::CONFLICT, message.into()));
    }
    if let Some(why) = shared.blocked(&pull, &head) {
        return Err(not_allowed(why));
    }
    if method != "squash" {
        return Err(Refusal::unprocessable("this model squashes only"));
    }
    let commit = shared.squash(&pull, &shared.options.token_login).await?;
    ok(json!({ "sha": commit, "merged": true, "message": "Pull Request successfully merged" }))
}
