//! A strict small model of GitHub over HTTP, served from a real git repository that it never writes to: what merges make
//! is kept in a folder beside it.
//!
//! What git knows (commits, branches, tags, files) is read by running `git`. What GitHub adds (temporary tags,
//! workflow runs, checks) is kept in memory. Time is a clock that is passed in: a run's state is computed
//! when somebody asks, so nothing sleeps.

mod actions;
mod app;
mod check_runs;
mod ci;
mod collaborators;
mod commits;
mod contents;
mod deployments;
mod etag;
mod git;
mod pull_lists;
mod pull_shape;
mod pulls;
mod refs;
mod repository;
pub mod sample;
mod server;
mod shape;
mod shapes;
mod teams;
mod world;

pub use check_runs::MadeCheckRun;
pub use ci::{CiMode, Pace};
pub use collaborators::Role;
pub use deployments::{Deployment, DeploymentStatus, Permission};
pub use pulls::{NewPull, NewReview};
pub use shape::shape_of;
pub use teams::{Account, TeamAccess};
pub use world::{BuiltImage, CommitStatus, Dispatch, DispatchAnswer, Fault, FaultKind};

use crate::traffic::Exchange;
use jiff::Timestamp;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// What time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// Told of each image that a run has built, once.
pub type OnBuildSuccess = Arc<dyn Fn(BuiltImage) + Send + Sync>;

/// What the stand-in serves.
#[derive(Clone)]
pub struct GitHubOptions {
    /// A git repository, with or without working tree.
    pub repository: PathBuf,
    /// `owner/name` under which it is served.
    pub full_name: String,
    /// The one token that is accepted.
    pub token: String,
    /// Whose token it is.
    pub token_login: String,
    /// How fast runs are.
    pub pace: Pace,
    /// What time it is.
    pub clock: Clock,
    /// How dispatched runs end.
    pub ci: CiMode,
    /// Logins by author e-mail. Other authors are unknown to this GitHub (`"author": null`).
    pub logins: HashMap<String, String>,
    /// Commits that were built long ago, with all their ancestors: their checks are green.
    pub built: Vec<String>,
    /// Dispatch also a workflow that the repository does not have, so that any repository can be shown.
    pub any_workflow: bool,
    /// Told of each image that a run has built.
    pub on_build_success: OnBuildSuccess,
}

impl GitHubOptions {
    /// Defaults: fast green runs on the wall clock, nobody known, nothing built.
    pub fn new(repository: impl Into<PathBuf>, full_name: &str, token: &str) -> Self {
        Self {
            repository: repository.into(),
            full_name: full_name.to_owned(),
            token: token.to_owned(),
            token_login: "slipway-bot".into(),
            pace: Pace::default(),
            clock: Arc::new(Timestamp::now),
            ci: CiMode::Green,
            logins: HashMap::new(),
            built: Vec::new(),
            any_workflow: false,
            on_build_success: Arc::new(|_| {}),
        }
    }
}

impl fmt::Debug for GitHubOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHubOptions").field("repository", &self.repository).finish_non_exhaustive()
    }
}

/// A running stand-in. It stops when the last clone is dropped.
#[derive(Clone)]
pub struct GitHubSandbox {
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub api_url: String,
    shared: Arc<server::Shared>,
    _server: Arc<server::Running>,
}

impl fmt::Debug for GitHubSandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHubSandbox").field("api_url", &self.api_url).finish_non_exhaustive()
    }
}

impl GitHubSandbox {
    /// Starts it on a free loopback port.
    ///
    /// # Errors
    /// When the port cannot be had, or the folder is no git repository.
    pub async fn start(options: GitHubOptions) -> io::Result<Self> {
        let (shared, running) = server::start(options).await?;
        Ok(Self { api_url: shared.base.clone(), shared: Arc::clone(&shared), _server: Arc::new(running) })
    }

    /// Every dispatch that took effect, in order.
    #[must_use]
    pub fn dispatches(&self) -> Vec<Dispatch> {
        self.shared.world().dispatches.clone()
    }

    /// Every request so far as `METHOD /path?query`, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.shared.world().requests.clone()
    }

    /// What was asked and answered, but for faults, in order.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.traffic.all()
    }

    /// Tags that exist only here (the temporary ones), without `refs/tags/`.
    #[must_use]
    pub fn temporary_tags(&self) -> Vec<String> {
        let world = self.shared.world();
        let made = world.overlay.iter().filter(|(_, target)| target.is_some());
        made.filter_map(|(name, _)| name.strip_prefix("refs/tags/").map(str::to_owned)).collect()
    }

    /// Makes requests fail from now on.
    pub fn inject(&self, fault: Fault) {
        self.shared.world().faults.push(fault);
    }

    /// No request fails any more that was to. Gives how many were still to.
    pub fn heal(&self) -> u32 {
        self.shared.world().faults.drain(..).map(|fault| fault.times).sum()
    }

    /// Who is in a team of an organisation (`acme/release-managers`) from now on.
    pub fn set_team(&self, team: &str, members: impl IntoIterator<Item = Account>) {
        self.shared.world().teams.insert(team.to_ascii_lowercase(), members.into_iter().collect());
    }

    /// What the token may see of teams from now on.
    pub fn set_team_access(&self, access: TeamAccess) {
        self.shared.world().team_access = access;
    }

    /// How runs end that are dispatched from now on.
    pub fn set_ci(&self, mode: CiMode) {
        self.shared.world().ci = mode;
    }

    /// How often the run of a commit was run, its first time included; 0 where there is none.
    #[must_use]
    pub fn attempts(&self, commit: &str) -> u32 {
        self.shared.world().runs.iter().filter(|run| run.commit == commit).map(|run| run.attempt).sum()
    }

    /// How dispatches are answered from now on: like github.com, or like an older server.
    pub fn set_dispatch_answer(&self, answer: DispatchAnswer) {
        self.shared.world().dispatch_answer = answer;
    }

    /// The commit was built by a push, and everything passed.
    pub fn mark_green(&self, commit: &str) {
        self.shared.mark(commit, CiMode::Green);
    }

    /// The commit was built by a push, and the tests failed.
    pub fn mark_red(&self, commit: &str) {
        self.shared.mark(commit, CiMode::RedTest);
    }

    /// The commit is pushed now: its run goes through its states and ends so. A green one builds the image.
    pub fn pushed(&self, commit: &str, mode: CiMode) {
        self.shared.push(commit, mode);
    }

    /// Runs on the commit do not get beyond their first job until [`GitHubSandbox::let_go`].
    pub fn hold(&self, commit: &str) {
        self.shared.world().held.insert(commit.to_owned());
    }

    /// Ends [`GitHubSandbox::hold`].
    pub fn let_go(&self, commit: &str) {
        self.shared.world().held.remove(commit);
    }

    /// Puts a commit status (`success`, `pending`, `failure`, `error`) on a commit.
    pub fn set_status(&self, commit: &str, context: &str, state: &str) {
        let mut world = self.shared.world();
        let status = CommitStatus { state: state.to_owned(), description: None, target_url: None };
        world.statuses.insert((commit.to_owned(), context.to_owned()), status);
    }

    /// Points a branch or tag (`refs/heads/…`, `refs/tags/…`) elsewhere, or deletes it, in memory only.
    pub fn set_ref(&self, name: &str, target: Option<&str>) {
        self.shared.world().overlay.insert(name.to_owned(), target.map(str::to_owned));
    }

    /// Every deployment so far, in order.
    #[must_use]
    pub fn deployments(&self) -> Vec<Deployment> {
        self.shared.world().deployments.clone()
    }

    /// Every status that was written on a commit over HTTP, in order: context and status.
    #[must_use]
    pub fn said_of(&self, commit: &str) -> Vec<(String, CommitStatus)> {
        let world = self.shared.world();
        let of_commit = world.said.iter().filter(|(sha, ..)| sha == commit);
        of_commit.map(|(_, context, status)| (context.clone(), status.clone())).collect()
    }

    /// Whether the token may write deployments, and statuses on commits, from now on.
    pub fn set_reporting(&self, deployments: Permission, statuses: Permission) {
        let mut world = self.shared.world();
        (world.may_deploy, world.may_say) = (deployments, statuses);
    }

    /// Protects the default branch: the checks that the classic protection requires (`None`: there is none), and those
    /// of rulesets, each with the App that must report it.
    pub fn protect(&self, classic: Option<&[(&str, Option<i64>)]>, rules: &[(&str, Option<i64>)]) {
        let owned =
            |checks: &[(&str, Option<i64>)]| checks.iter().map(|(name, app)| ((*name).to_owned(), *app)).collect();
        let mut world = self.shared.world();
        world.protection = classic.map(owned);
        world.rules = owned(rules);
    }

    /// Whether the token may read the classic protection from now on.
    pub fn set_protection_access(&self, permission: Permission) {
        self.shared.world().may_read_protection = permission;
    }

    /// Installs an App on the repository: its number, its public key (`RSAPublicKey` in DER) and what it may do.
    pub fn install_app(&self, id: u64, public_key: &[u8], permissions: &[(&str, &str)]) {
        self.shared.world().app = Some(app::App::new(id, public_key.to_vec(), permissions));
    }

    /// How many answers were 304 so far: such ones count for no rate limit.
    #[must_use]
    pub fn not_modified(&self) -> usize {
        self.shared.world().not_modified
    }

    /// Every check run that an App has made, in order.
    #[must_use]
    pub fn made_check_runs(&self) -> Vec<MadeCheckRun> {
        self.shared.world().check_runs.clone()
    }

    /// Tells the hook of builds that are over by now. Happens by itself at each request.
    pub fn settle(&self) {
        self.shared.settle();
    }
}
