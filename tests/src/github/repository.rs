//! A repository as GitHub describes it, with all members that its published description requires.

use super::server::Shared;
use super::shapes::{node_id, user};
use serde_json::{Map, Value, json};

const REPOSITORY_ID: u64 = 84_120_517;
/// It was made long ago, and nobody looks at when it was pushed to.
const AT: &str = "2025-01-06T09:00:00Z";

/// Addresses below the repository's own: the member's name without `_url`, and what follows.
const BELOW: &[(&str, &str)] = &[
    ("archive", "/{archive_format}{/ref}"),
    ("assignees", "/assignees{/user}"),
    ("blobs", "/git/blobs{/sha}"),
    ("branches", "/branches{/branch}"),
    ("collaborators", "/collaborators{/collaborator}"),
    ("comments", "/comments{/number}"),
    ("commits", "/commits{/sha}"),
    ("compare", "/compare/{base}...{head}"),
    ("contents", "/contents/{+path}"),
    ("contributors", "/contributors"),
    ("deployments", "/deployments"),
    ("downloads", "/downloads"),
    ("events", "/events"),
    ("forks", "/forks"),
    ("git_commits", "/git/commits{/sha}"),
    ("git_refs", "/git/refs{/sha}"),
    ("git_tags", "/git/tags{/sha}"),
    ("hooks", "/hooks"),
    ("issue_comment", "/issues/comments{/number}"),
    ("issue_events", "/issues/events{/number}"),
    ("issues", "/issues{/number}"),
    ("keys", "/keys{/key_id}"),
    ("labels", "/labels{/name}"),
    ("languages", "/languages"),
    ("merges", "/merges"),
    ("milestones", "/milestones{/number}"),
    ("notifications", "/notifications{?since,all,participating}"),
    ("pulls", "/pulls{/number}"),
    ("releases", "/releases{/id}"),
    ("stargazers", "/stargazers"),
    ("statuses", "/statuses/{sha}"),
    ("subscribers", "/subscribers"),
    ("subscription", "/subscription"),
    ("tags", "/tags"),
    ("teams", "/teams"),
    ("trees", "/git/trees{/sha}"),
];

/// As it is within other answers.
pub(super) fn minimal(shared: &Shared) -> Value {
    let full_name = &shared.options.full_name;
    let (owner, name) = full_name.split_once('/').unwrap_or(("owner", full_name));
    let api = shared.api();
    let own = json!({
        "id": REPOSITORY_ID, "node_id": node_id("R", name), "name": name, "full_name": full_name,
        "owner": user(shared, owner), "private": true, "html_url": shared.html(), "description": null, "fork": false,
        "url": api,
    });
    let below = BELOW.iter().map(|(name, rest)| (format!("{name}_url"), Value::from(format!("{api}{rest}"))));
    joined(own, below.collect())
}

/// As it is asked for by itself.
pub(super) fn full(shared: &Shared) -> Value {
    let html = shared.html();
    let more = json!({
        "default_branch": shared.default_branch, "archived": false, "disabled": false, "visibility": "private",
        "permissions": { "admin": false, "maintain": false, "push": true, "triage": true, "pull": true },
        "clone_url": format!("{html}.git"), "git_url": format!("{html}.git"), "ssh_url": format!("{html}.git"),
        "svn_url": html, "mirror_url": null, "homepage": null, "language": "Go", "license": null,
        "forks": 0, "forks_count": 0, "network_count": 0, "open_issues": 0, "open_issues_count": 0, "size": 120,
        "stargazers_count": 0, "subscribers_count": 3, "watchers": 0, "watchers_count": 0,
        "has_issues": true, "has_projects": false, "has_wiki": false, "has_pages": false, "has_discussions": false,
        "has_downloads": false,
        "created_at": AT, "updated_at": AT, "pushed_at": AT,
    });
    match more {
        Value::Object(more) => joined(minimal(shared), more),
        _ => Value::Null,
    }
}

fn joined(first: Value, second: Map<String, Value>) -> Value {
    match first {
        Value::Object(mut first) => {
            first.extend(second);
            Value::Object(first)
        }
        other => other,
    }
}
