//! The GitHub client against the stand-in.

mod actions;
mod app;
mod changed;
mod ci;
mod line;
mod names;
mod opinions;
mod required;
mod reviewers;
mod showing;
mod teams;
mod typed;

use jiff::{SignedDuration, Timestamp};
use slipway_core::ids::CommitSha;
use slipway_deploy::github::{Auth, GitHub, RepoName};
use slipway_sandbox::github::sample::{self, Sample, SampleOptions};
use slipway_sandbox::github::{BuiltImage, FaultKind, GitHubOptions, GitHubSandbox, Pace};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TOKEN: &str = "ghp_sandbox";
const PACE: Pace = Pace { queued_ms: 1_000, job_ms: 10_000 };
/// How long a client waits for the answer that is never given. It is long enough for those on the way to it.
const HASTY: Duration = Duration::from_secs(3);
/// The same for answers that come.
const PATIENT: Duration = Duration::from_secs(60);

/// A sample repository, the stand-in that serves it, and a client; time stands until it is moved.
struct Rig {
    sample: Sample,
    sandbox: GitHubSandbox,
    github: GitHub,
    repo: RepoName,
    now: Arc<Mutex<Timestamp>>,
    built: Arc<Mutex<Vec<BuiltImage>>>,
    _folder: tempfile::TempDir,
}

fn sha(text: &str) -> CommitSha {
    CommitSha::parse(text).unwrap()
}

fn client(api_url: &str, token: &str, timeout: Duration) -> GitHub {
    slipway_deploy::install_crypto_provider();
    GitHub::with_request_timeout(api_url, Auth::Token(token.into()), timeout).unwrap()
}

async fn rig() -> Rig {
    rig_of("").await
}

/// `extra` is more for `git fast-import`; it may point at `refs/heads/main`.
async fn rig_of(extra: &str) -> Rig {
    let start: Timestamp = "2025-11-24T10:00:00Z".parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = SampleOptions::new(start);
    let sample = sample::build(folder.path(), &options).unwrap();
    if !extra.is_empty() {
        sample::import(folder.path(), extra).unwrap();
    }
    let now = Arc::new(Mutex::new(start));
    let built = Arc::new(Mutex::new(Vec::new()));
    let (clock, images) = (Arc::clone(&now), Arc::clone(&built));
    let sandbox = GitHubSandbox::start(GitHubOptions {
        pace: PACE,
        clock: Arc::new(move || *clock.lock().unwrap()),
        logins: options.logins(),
        built: vec![sample.staging.clone()],
        on_build_success: Arc::new(move |image| images.lock().unwrap().push(image)),
        ..GitHubOptions::new(folder.path(), "acme/goals", TOKEN)
    })
    .await
    .unwrap();
    let github = client(&sandbox.api_url, TOKEN, PATIENT);
    let repo = RepoName::parse("acme/goals").unwrap();
    Rig { sample, sandbox, github, repo, now, built, _folder: folder }
}

impl Rig {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn pass_ms(&self, ms: i64) {
        let mut now = self.now.lock().unwrap();
        *now = now.checked_add(SignedDuration::from_millis(ms)).unwrap();
    }

    /// Who asks where something goes wrong: nobody waits long where nobody answers, and as long as it takes elsewhere.
    fn client_for(&self, fault: FaultKind) -> GitHub {
        let limit = if fault == FaultKind::Timeout { HASTY } else { PATIENT };
        client(&self.sandbox.api_url, TOKEN, limit)
    }

    /// How many requests had this in `METHOD /path?query`.
    fn requests(&self, fragment: &str) -> usize {
        self.sandbox.requests().iter().filter(|r| r.contains(fragment)).count()
    }
}
