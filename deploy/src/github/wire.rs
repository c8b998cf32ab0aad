//! The parts of GitHub's answers that are used, and nothing more: a field that GitHub adds, drops or nulls
//! elsewhere cannot break anything here.

use jiff::Timestamp;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Repository {
    pub(super) default_branch: String,
    #[serde(default)]
    pub(super) private: bool,
    #[serde(default)]
    pub(super) permissions: Permissions,
}

#[derive(Deserialize, Default)]
pub(super) struct Permissions {
    #[serde(default)]
    pub(super) pull: bool,
    #[serde(default)]
    pub(super) push: bool,
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) login: String,
}

/// A member of a team.
#[derive(Deserialize)]
pub(super) struct Member {
    pub(super) login: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

#[derive(Deserialize)]
pub(super) struct Ref {
    #[serde(rename = "ref")]
    pub(super) name: String,
    pub(super) object: Object,
}

#[derive(Deserialize)]
pub(super) struct Object {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) sha: String,
}

#[derive(Deserialize)]
pub(super) struct Tag {
    pub(super) object: Object,
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct Commit {
    pub(super) sha: String,
    pub(super) commit: CommitBody,
    /// Null or `{}` when GitHub knows no account for the e-mail.
    #[serde(default)]
    pub(super) author: Option<Account>,
    /// The first one is what its branch was at before.
    #[serde(default)]
    pub(super) parents: Vec<Parent>,
}

#[derive(Deserialize)]
pub(super) struct Parent {
    pub(super) sha: String,
}

#[derive(Deserialize)]
pub(super) struct Account {
    #[serde(default)]
    pub(super) login: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CommitBody {
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) author: Option<Signature>,
    #[serde(default)]
    pub(super) committer: Option<Signature>,
}

#[derive(Deserialize)]
pub(super) struct Signature {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) date: Option<Timestamp>,
}

#[derive(Deserialize)]
pub(super) struct Compare {
    pub(super) status: String,
    pub(super) total_commits: u32,
    pub(super) commits: Vec<Commit>,
}

#[derive(Deserialize)]
pub(super) struct CheckRuns {
    pub(super) check_runs: Vec<CheckRun>,
}

#[derive(Deserialize)]
pub(super) struct CheckRun {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) conclusion: Option<String>,
    pub(super) started_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) app: Option<App>,
}

#[derive(Deserialize)]
pub(super) struct App {
    pub(super) id: u64,
}

#[derive(Deserialize)]
pub(super) struct CombinedStatus {
    pub(super) statuses: Vec<Status>,
}

#[derive(Deserialize)]
pub(super) struct Status {
    pub(super) context: String,
    pub(super) state: String,
}

#[derive(Deserialize)]
pub(super) struct RunDetails {
    pub(super) workflow_run_id: u64,
}

#[derive(Deserialize)]
pub(super) struct Runs {
    pub(super) workflow_runs: Vec<Run>,
}

#[derive(Deserialize)]
pub(super) struct Run {
    pub(super) id: u64,
    pub(super) run_number: u64,
    pub(super) head_sha: String,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) conclusion: Option<String>,
    pub(super) html_url: String,
    pub(super) created_at: Timestamp,
    #[serde(default = "first_attempt")]
    pub(super) run_attempt: u32,
    #[serde(default)]
    pub(super) display_title: Option<String>,
    #[serde(default)]
    pub(super) name: Option<String>,
}

/// Of a server that does not count attempts.
fn first_attempt() -> u32 {
    1
}

#[derive(Deserialize)]
pub(super) struct Jobs {
    pub(super) jobs: Vec<Job>,
}

#[derive(Deserialize)]
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) conclusion: Option<String>,
    #[serde(default)]
    pub(super) html_url: Option<String>,
    #[serde(default)]
    pub(super) started_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) completed_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) steps: Vec<Step>,
}

#[derive(Deserialize)]
pub(super) struct Step {
    pub(super) name: String,
    #[serde(default)]
    pub(super) conclusion: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Tree {
    pub(super) tree: Vec<TreeEntry>,
    #[serde(default)]
    pub(super) truncated: bool,
}

#[derive(Deserialize)]
pub(super) struct TreeEntry {
    pub(super) path: String,
    pub(super) mode: String,
    pub(super) sha: String,
    #[serde(default)]
    pub(super) size: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Installation {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) app_slug: Option<String>,
    #[serde(default)]
    pub(super) permissions: std::collections::BTreeMap<String, String>,
}
