//! GitHub's JSON for a pull request: the same in a list and by itself, where more is known of it.

use super::pulls::Pull;
use super::server::Shared;
use super::{repository, shapes};
use serde_json::{Map, Value, json};

const FIRST_PULL_ID: u64 = 2_210_000_000;
/// Nobody looks at when it was opened; what is asked for again has to be the same.
const AT: &str = "2025-11-24T09:00:00Z";

/// Its newest commit, and that of its base.
pub(super) struct Ends {
    pub(super) head: String,
    pub(super) base: String,
}

/// As it is in a list.
pub(super) fn listed(shared: &Shared, pull: &Pull, ends: &Ends) -> Map<String, Value> {
    let parts = [what(shared, pull, ends), how(pull), people(shared, pull), addresses(shared, pull, ends)];
    parts.into_iter().filter_map(|part| part.as_object().cloned()).flatten().collect()
}

/// As it is by itself, with GitHub's `mergeable` and `mergeable_state`.
pub(super) fn whole(shared: &Shared, pull: &Pull, ends: &Ends, mergeable: (Option<bool>, &str)) -> Value {
    let mut shape = listed(shared, pull, ends);
    let merge = pull.merged.as_ref();
    let more = json!({
        "merged": merge.is_some(), "mergeable": mergeable.0, "rebaseable": mergeable.0, "mergeable_state": mergeable.1,
        "merged_by": merge.map(|merge| shapes::user(shared, &merge.by)), "maintainer_can_modify": false, "comments": 0,
        "review_comments": 0, "commits": 1, "additions": 3, "deletions": 0, "changed_files": 1,
    });
    shape.extend(more.as_object().cloned().unwrap_or_default());
    Value::Object(shape)
}

fn what(shared: &Shared, pull: &Pull, ends: &Ends) -> Value {
    let number = pull.new.number;
    let owner = shared.options.full_name.split('/').next().unwrap_or_default();
    let end = |owner: &str, name: &str, sha: &str| {
        json!({
            "label": format!("{owner}:{name}"), "ref": name, "sha": sha, "user": shapes::user(shared, owner),
            // A fork is described like what it was made of.
            "repo": repository::full(shared),
        })
    };
    json!({
        "id": FIRST_PULL_ID + number, "node_id": shapes::node_id("PR", &number.to_string()), "number": number,
        "title": pull.new.title, "body": null, "labels": [], "milestone": null,
        "head": end(pull.fork_of.as_deref().unwrap_or(owner), &pull.new.branch, &ends.head),
        "base": end(owner, &shared.default_branch, &ends.base),
    })
}

fn how(pull: &Pull) -> Value {
    let merge = pull.merged.as_ref();
    let closed_at = merge.map(|merge| merge.at).or(pull.closed).map(shapes::time);
    json!({
        "state": if pull.is_open() { "open" } else { "closed" }, "locked": false, "active_lock_reason": null,
        "auto_merge": null, "draft": pull.draft, "merge_commit_sha": merge.map(|merge| &merge.commit),
        "created_at": AT, "updated_at": AT, "closed_at": closed_at, "merged_at": merge.map(|merge| shapes::time(merge.at)),
    })
}

fn people(shared: &Shared, pull: &Pull) -> Value {
    let author = &pull.new.author;
    json!({
        "user": shapes::user(shared, author), "assignee": null, "assignees": [], "requested_reviewers": [],
        "requested_teams": [], "author_association": if shared.may_push(author) { "MEMBER" } else { "CONTRIBUTOR" },
    })
}

fn addresses(shared: &Shared, pull: &Pull, ends: &Ends) -> Value {
    let (api, html, number, head) = (shared.api(), shared.html(), pull.new.number, &ends.head);
    let (url, page) = (format!("{api}/pulls/{number}"), format!("{html}/pull/{number}"));
    let issue = format!("{api}/issues/{number}");
    let link = |href: String| json!({ "href": href });
    json!({
        "url": url, "html_url": page, "diff_url": format!("{page}.diff"), "patch_url": format!("{page}.patch"),
        "issue_url": issue, "commits_url": format!("{url}/commits"),
        "review_comments_url": format!("{url}/comments"),
        "review_comment_url": format!("{api}/pulls/comments{{/number}}"), "comments_url": format!("{issue}/comments"),
        "statuses_url": format!("{api}/statuses/{head}"),
        "_links": {
            "self": link(url.clone()), "html": link(page.clone()), "issue": link(issue.clone()),
            "comments": link(format!("{issue}/comments")), "review_comments": link(format!("{url}/comments")),
            "review_comment": link(format!("{api}/pulls/comments{{/number}}")),
            "commits": link(format!("{url}/commits")), "statuses": link(format!("{api}/statuses/{head}")),
        },
    })
}
