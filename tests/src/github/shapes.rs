//! GitHub's JSON for the things that occur in several answers, with the members that typed clients require.

use super::ci::{JOBS, Moment, steps};
use super::git::{GitCommit, Signature};
use super::repository;
use super::server::Shared;
use super::world::Run;
use jiff::{SignedDuration, Timestamp, Unit};
use serde_json::{Value, json};

const WORKFLOW_ID: u64 = 61_204;
const APP_ID: u64 = 15_368;
/// Under which GitHub itself commits what somebody does on its pages, as this account.
pub(super) const GITHUBS_EMAIL: &str = "noreply@github.com";

/// GitHub's times have whole seconds.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(super) fn node_id(kind: &str, id: &str) -> String {
    format!("{kind}_{id}")
}

pub(super) fn user(shared: &Shared, login: &str) -> Value {
    let base = &shared.base;
    let api = format!("{base}/users/{login}");
    // Any number does, as long as it is the same each time.
    let id = login.bytes().fold(7_u64, |n, b| (n * 31 + u64::from(b)) % 90_000_000 + 1_000);
    json!({
        "login": login, "id": id, "node_id": node_id("U", login), "avatar_url": format!("{base}/avatars/{id}"),
        "gravatar_id": "", "url": api, "html_url": format!("{base}/{login}"),
        "followers_url": format!("{api}/followers"), "following_url": format!("{api}/following"),
        "gists_url": format!("{api}/gists"), "starred_url": format!("{api}/starred"),
        "subscriptions_url": format!("{api}/subscriptions"), "organizations_url": format!("{api}/orgs"),
        "repos_url": format!("{api}/repos"), "events_url": format!("{api}/events"),
        "received_events_url": format!("{api}/received_events"), "type": "User", "site_admin": false,
    })
}

fn signature(signature: &Signature) -> Value {
    json!({ "name": signature.name, "email": signature.email, "date": time(signature.at) })
}

pub(super) fn commit(shared: &Shared, commit: &GitCommit) -> Value {
    let (api, html, sha) = (shared.api(), shared.html(), &commit.sha);
    let account = |by: &Signature| match by.email.as_str() {
        GITHUBS_EMAIL => Some(user(shared, "web-flow")),
        email => shared.options.logins.get(email).map(|login| user(shared, login)),
    };
    let parent = |sha: &String| json!({ "sha": sha, "url": format!("{api}/commits/{sha}"), "html_url": format!("{html}/commit/{sha}") });
    json!({
        "sha": sha, "node_id": node_id("C", sha), "url": format!("{api}/commits/{sha}"),
        "html_url": format!("{html}/commit/{sha}"), "comments_url": format!("{api}/commits/{sha}/comments"),
        "commit": {
            "url": format!("{api}/git/commits/{sha}"), "author": signature(&commit.author),
            "committer": signature(&commit.committer), "message": commit.message, "comment_count": 0,
            "tree": { "sha": commit.tree, "url": format!("{api}/git/trees/{}", commit.tree) },
            "verification": {
                "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null,
            },
        },
        "author": account(&commit.author), "committer": account(&commit.committer),
        "parents": commit.parents.iter().map(parent).collect::<Vec<_>>(),
    })
}

pub(super) fn reference(shared: &Shared, name: &str, sha: &str, kind: &str) -> Value {
    let (api, kinds) = (shared.api(), format!("{kind}s"));
    json!({
        "ref": name, "node_id": node_id("REF", name), "url": format!("{api}/git/{}", encoded(name)),
        "object": { "sha": sha, "type": kind, "url": format!("{api}/git/{kinds}/{sha}") },
    })
}

/// Enough for an address: git's names have no spaces or control characters.
pub(super) fn encoded(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn at(run: &Run, offset_ms: Option<i64>) -> Option<String> {
    let at = run.attempt_at.checked_add(SignedDuration::from_millis(offset_ms?)).ok()?;
    Some(time(at.round(Unit::Millisecond).unwrap_or(at)))
}

pub(super) fn run(shared: &Shared, run: &Run, now: &Moment, head: &GitCommit) -> Value {
    let (api, html, id) = (shared.api(), shared.html(), run.id);
    let url = format!("{api}/actions/runs/{id}");
    let created = time(run.created_at);
    let who = user(shared, &shared.options.token_login);
    let person = |by: &Signature| json!({ "name": by.name, "email": by.email });
    json!({
        "id": id, "name": "build", "node_id": node_id("WFR", &id.to_string()), "head_branch": run.reference,
        "head_sha": run.commit, "path": format!(".github/workflows/{}", run.workflow),
        "display_title": run.title.as_deref().or(head.message.lines().next()).unwrap_or_default(), "run_number": run.number, "run_attempt": run.attempt,
        "event": run.event, "status": now.status, "conclusion": now.conclusion, "workflow_id": WORKFLOW_ID,
        "check_suite_id": id, "check_suite_node_id": node_id("CS", &id.to_string()), "url": url,
        "html_url": format!("{html}/actions/runs/{id}"), "pull_requests": [], "created_at": created,
        "updated_at": at(run, now.completed_ms.or(now.started_ms)).unwrap_or_else(|| created.clone()),
        "actor": who, "triggering_actor": who, "run_started_at": time(run.attempt_at), "jobs_url": format!("{url}/jobs"),
        "logs_url": format!("{url}/logs"), "check_suite_url": format!("{api}/check-suites/{id}"),
        "artifacts_url": format!("{url}/artifacts"), "cancel_url": format!("{url}/cancel"),
        "rerun_url": format!("{url}/rerun"), "workflow_url": format!("{api}/actions/workflows/{WORKFLOW_ID}"),
        "head_commit": {
            "id": head.sha, "tree_id": head.tree, "message": head.message, "timestamp": time(head.committer.at),
            "author": person(&head.author), "committer": person(&head.committer),
        },
        "repository": repository::minimal(shared), "head_repository": repository::minimal(shared),
    })
}

pub(super) fn job(shared: &Shared, run: &Run, index: usize, now: &Moment) -> Value {
    let (api, html) = (shared.api(), shared.html());
    let id = run.job_id(index);
    let created = time(run.created_at);
    let (names, failing) = steps(JOBS[index]);
    let step = |(number, name): (usize, &&str)| {
        let conclusion = match now.conclusion {
            Some("failure") if number < failing => Some("success"),
            Some("failure") if number == failing => Some("failure"),
            Some("failure") => Some("skipped"),
            other => other,
        };
        json!({
            "name": name, "status": now.status, "conclusion": conclusion, "number": number + 1,
            "started_at": at(run, now.started_ms), "completed_at": at(run, now.completed_ms),
        })
    };
    let began = now.status != "queued" && now.conclusion != Some("skipped");
    let steps: Vec<Value> = if began { names.iter().enumerate().map(step).collect() } else { Vec::new() };
    json!({
        "id": id, "run_id": run.id, "workflow_name": "build", "head_branch": run.reference,
        "run_url": format!("{api}/actions/runs/{}", run.id), "run_attempt": run.attempt,
        "node_id": node_id("CR", &id.to_string()), "head_sha": run.commit, "url": format!("{api}/actions/jobs/{id}"),
        "html_url": format!("{html}/actions/runs/{}/job/{id}", run.id), "status": now.status,
        "conclusion": now.conclusion, "created_at": created,
        "started_at": at(run, now.started_ms).unwrap_or(created), "completed_at": at(run, now.completed_ms),
        "name": JOBS[index], "steps": steps, "check_run_url": format!("{api}/check-runs/{id}"),
        "labels": ["ubuntu-latest"], "runner_id": null, "runner_name": null, "runner_group_id": null,
        "runner_group_name": null,
    })
}

fn actions_app(shared: &Shared) -> Value {
    let at = "2018-07-30T09:30:17Z";
    json!({
        "id": APP_ID, "slug": "github-actions", "name": "GitHub Actions", "node_id": node_id("A", "actions"),
        "owner": user(shared, "github"), "description": "Automate your workflow", "created_at": at, "updated_at": at,
        "external_url": format!("{}/features/actions", shared.base), "events": ["check_run", "workflow_run"],
        "html_url": format!("{}/apps/github-actions", shared.base), "permissions": { "checks": "write" },
    })
}

/// The App that is installed on the repository.
pub(super) fn own_app(shared: &Shared) -> Value {
    let at = "2025-01-06T09:00:00Z";
    let id = shared.world().app.as_ref().map_or(0, super::app::App::id);
    json!({
        "id": id, "slug": "slipway", "name": "Slipway", "node_id": node_id("A", "slipway"),
        "owner": user(shared, "acme"), "description": null, "created_at": at, "updated_at": at,
        "external_url": shared.base, "events": [], "html_url": format!("{}/apps/slipway", shared.base),
        "permissions": { "checks": "write" },
    })
}

/// The check that GitHub Actions reports for a job.
pub(super) fn check_run(shared: &Shared, run: &Run, index: usize, now: &Moment) -> Value {
    let (api, html) = (shared.api(), shared.html());
    let id = run.job_id(index);
    let page = format!("{html}/actions/runs/{}/job/{id}", run.id);
    json!({
        "id": id, "name": JOBS[index], "node_id": node_id("CR", &id.to_string()), "head_sha": run.commit,
        "external_id": id.to_string(), "url": format!("{api}/check-runs/{id}"), "html_url": page, "details_url": page,
        "status": now.status, "conclusion": now.conclusion, "started_at": at(run, now.started_ms),
        "completed_at": at(run, now.completed_ms),
        "output": {
            "title": null, "summary": null, "text": null, "annotations_count": 0,
            "annotations_url": format!("{api}/check-runs/{id}/annotations"),
        },
        "check_suite": { "id": run.id },
        "app": actions_app(shared),
        "pull_requests": [],
    })
}
