//! Pull requests: how they stand, their reviews, and merges that the rules of the base decide about.

use super::deployments::Permission;
use super::git::GitCommit;
use super::pull_shape::{self, Ends};
use super::refs::members;
use super::server::{PageQuery, Refusal, Reply, Shared, ok, page};
use super::shapes;
use super::world::World;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

const FIRST_REVIEW_ID: u64 = 3_310_000_000;
/// The methods that GitHub knows.
const METHODS: [&str; 3] = ["merge", "squash", "rebase"];
/// Who makes the commits of merges.
const COMMITTER: (&str, &str) = ("GitHub", shapes::GITHUBS_EMAIL);

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

/// A merge.
#[derive(Clone, Debug)]
pub(super) struct Merge {
    /// The head that was merged.
    head: String,
    /// The commit that came of it.
    pub(super) commit: String,
    pub(super) by: String,
    pub(super) at: Timestamp,
}

/// A pull request as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Pull {
    pub(super) new: NewPull,
    /// Whose fork it comes from; `None`: the repository itself. What is pushed to a fork is pushed here all the same.
    pub(super) fork_of: Option<String>,
    reviews: Vec<Review>,
    pub(super) draft: bool,
    /// When it was closed without a merge.
    pub(super) closed: Option<Timestamp>,
    pub(super) merged: Option<Merge>,
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
    /// Opens a pull request into the default branch. Its newest commit is at any time what its branch is at.
    pub fn open_pull(&self, new: NewPull) {
        let pull =
            Pull { new, fork_of: None, reviews: vec![], draft: false, closed: None, merged: None, found_out: None };
        self.shared.world().pulls.push(pull);
    }

    /// The same from somebody's fork.
    pub fn open_pull_of_fork(&self, new: NewPull, owner: &str) {
        let number = new.number;
        self.open_pull(new);
        self.change(number, |pull| pull.fork_of = Some(owner.to_owned()));
    }

    /// Changes one, which is then the one that was touched last.
    fn change(&self, number: u64, change: impl FnOnce(&mut Pull)) {
        let mut world = self.shared.world();
        if let Some(at) = world.pulls.iter().position(|pull| pull.new.number == number) {
            let mut pull = world.pulls.remove(at);
            change(&mut pull);
            world.pulls.push(pull);
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
        let now = self.shared.now();
        self.change(number, |pull| pull.closed = Some(now));
    }

    /// Whether the token may see pull requests from now on.
    pub fn set_pull_access(&self, permission: Permission) {
        self.shared.world().may_read_pulls = permission;
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
        self.shared.pull(number)?.merged.map(|merge| merge.commit)
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

    /// One that the token may see.
    pub(super) fn shown(&self, number: u64) -> Result<Pull, Refusal> {
        self.world().may_read_pulls.check()?;
        self.pull(number).ok_or_else(Refusal::not_found)
    }

    pub(super) async fn ends_of(&self, pull: &Pull) -> Result<Ends, Refusal> {
        Ok(Ends { head: self.head_of(pull).await?, base: self.base().await? })
    }

    async fn head_of(&self, pull: &Pull) -> Result<String, Refusal> {
        if let Some(merge) = &pull.merged {
            return Ok(merge.head.clone());
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
        let (at, mut world) = (self.now(), self.world());
        world.overlay.insert(format!("refs/heads/{}", self.default_branch), Some(commit.clone()));
        if let Some(kept) = world.pulls.iter_mut().find(|kept| kept.new.number == pull.new.number) {
            kept.merged = Some(Merge { head, commit: commit.clone(), by: by.to_owned(), at });
        }
        Ok(commit)
    }

    /// Why the rules of the base do not let it be merged, in GitHub's words.
    fn blocked(&self, pull: &Pull, head: &str) -> Option<String> {
        let approvals = self.approvals(pull);
        let world = self.world();
        if world.merging.queue {
            return Some("Changes must be made through the merge queue".into());
        }
        let needed = world.merging.approvals;
        if approvals < needed {
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
        if !pull.is_open() {
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
    pub(super) fn is_open(&self) -> bool {
        self.closed.is_none() && self.merged.is_none()
    }
}

impl Shared {
    /// Each reviewer's last word counts, of those with write access.
    fn approvals(&self, pull: &Pull) -> usize {
        let mut last: Vec<(&str, &str)> = Vec::new();
        for review in pull.reviews.iter().filter(|review| review.state != "COMMENTED") {
            last.retain(|(who, _)| *who != review.who);
            last.push((&review.who, &review.state));
        }
        let counts = |who: &str| who != pull.new.author && self.may_push(who);
        last.iter().filter(|(who, state)| *state == "APPROVED" && counts(who)).count()
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
    let pull = shared.shown(number)?;
    let ends = shared.ends_of(&pull).await?;
    let mergeable = shared.mergeable(&pull, &ends.head).await?;
    ok(pull_shape::whole(&shared, &pull, &ends, mergeable))
}

pub(super) async fn reviews(
    State(shared): State<Arc<Shared>>,
    Path(number): Path<u64>,
    Query(query): Query<PageQuery>,
) -> Reply {
    let pull = shared.shown(number)?;
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
    if !pull.is_open() {
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
