//! GitHub: names to commits, what lies between two commits, how the checks stand, the CI run that builds the
//! image, the files of the migrations folder, who is in a team, and releases shown there. What is asked for again and
//! again is asked for with the ETag of the last answer.
//!
//! The transport and the App's tokens are octocrab's; requests and answers are ours, so that one missing
//! field in an answer cannot lose it, and so that bounds, rate limits and "may have acted" are told apart.
//! Nothing that changes something is ever repeated here, with one exception that is safe: a dispatch that
//! was refused for a field the server does not know.

mod access;
mod changed;
mod checks;
mod commits;
mod deployments;
mod dispatch;
mod error;
mod folder;
mod http;
mod line;
mod log;
mod name;
mod open_pulls;
mod opinion;
mod pulls;
mod reference;
mod required;
mod reviewers;
mod runs;
mod seen;
mod signature;
mod teams;
mod wire;
mod workflows;

pub use access::Access;
pub use commits::{Comparison, ComparisonStatus, RawCommit, pull_request_of};
pub use deployments::Showing;
pub use dispatch::Dispatched;
pub use error::GitHubError;
pub use folder::{Folder, FolderFile};
pub use http::{Auth, GitHub};
pub use line::BranchLine;
pub use name::{BadRepoName, RepoName};
pub use open_pulls::{ChangedFile, PullRequest};
pub use opinion::{Annotation, Opinion, Verdict};
pub use pulls::MergeAnswer;
pub use reference::{References, Resolution, Resolved, Unresolved, WhyUnresolved};
pub use required::Required;
pub use runs::{Conclusion, JobState, Progress, RunState};
pub use signature::{BadWebhook, verify_webhook};
pub use workflows::{WORKFLOW_LIMIT_BYTES, WORKFLOWS_DIR, WORKFLOWS_LIMIT, WorkflowFile};
