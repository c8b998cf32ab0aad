//! The migrations of open pull requests, linted and shown on GitHub before anybody merges them. It holds nothing up, and
//! nothing is remembered of it but what saves requests: what was said is found at GitHub.

mod failing;
mod words;

use super::{Executor, migrate};
use crate::defects::{Panicked, caught};
use crate::rest;
use crate::setup::ServiceSetup;
use failing::Failing;
use slipway_core::ids::{CommitSha, ServiceName};
use slipway_core::migration::format::{self, Format};
use slipway_core::migration::{Folder, FolderError, LintOptions, Review, review};
use slipway_deploy::github::{ChangedFile, GitHubError, Opinion, PullRequest};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tracing::{error, info, warn};
use words::Looked;

/// Between two looks at the open pull requests, unless `[pace]` says otherwise.
const LOOK_EVERY_MS: i64 = 60_000;
/// The same where GitHub has lately told by webhooks that there is something to see.
const LOOK_HEARD_MS: i64 = 5 * 60_000;
/// For how long webhooks that came are taken for a sign that others will.
const HEARD_LIMIT_MS: i64 = 24 * 60 * 60 * 1_000;
/// How long is waited after a webhook: they come in bunches, and GitHub lags behind them.
const AFTER_WEBHOOK: Duration = Duration::from_millis(500);
/// How many pull requests of a service are looked into by one look. GitHub takes 80 writes a minute.
const LOOKED_INTO_LIMIT: usize = 20;
/// The rest between two such bunches.
const BETWEEN_BUNCHES_MS: i64 = 20_000;
/// How many services are looked at beside each other.
const SERVICES_AT_ONCE_LIMIT: usize = 3;
/// How long one pull request may take.
const LOOK_LIMIT: Duration = Duration::from_secs(60);
/// The rest after GitHub has not allowed it, and the longest after failures.
const NOT_ALLOWED_MS: i64 = 10 * 60 * 1_000;
/// The longest rest that GitHub can ask for.
const ASKED_REST_LIMIT_MS: i64 = 3_660_000;

/// What is known of a service's pull requests since the start.
#[derive(Default)]
struct Seen {
    /// By number: the head and the head of the branch that it is for, as they were when it was shown.
    shown: HashMap<u64, (CommitSha, Option<CommitSha>)>,
    /// What was logged last, so that it is not logged each time.
    logged: Option<String>,
    failures: i64,
    /// What could not be shown.
    failing: Failing,
    /// Before this moment there is no use in looking, in milliseconds since 1970.
    rests_until_ms: i64,
}

impl Executor {
    /// Lints pull requests for ever, where a service wants it.
    pub async fn lint_pull_requests(self) {
        let wanted: Vec<ServiceName> = self
            .setup
            .services()
            .filter(|(_, service)| service.lint_pull_requests && service.migrations.is_some())
            .map(|(name, _)| name.clone())
            .collect();
        if wanted.is_empty() || !self.outside.has_github {
            return std::future::pending().await;
        }
        let (tell, heard) = watch::channel(());
        let tells = async {
            loop {
                self.signals.pull_requests.notified().await;
                tell.send_replace(());
            }
        };
        // Each at its own pace: one that takes long holds up no other.
        let at_once = Semaphore::new(SERVICES_AT_ONCE_LIMIT);
        let services = wanted.iter().map(|name| self.lint_those_of(name, &at_once, heard.clone()));
        futures::future::join(tells, futures::future::join_all(services)).await.0
    }

    /// Lints those of one service for ever.
    async fn lint_those_of(&self, name: &ServiceName, at_once: &Semaphore, mut heard: watch::Receiver<()>) {
        let mut seen = Seen::default();
        loop {
            // What comes while it is looked is looked at once more.
            heard.mark_unchanged();
            let turn = at_once.acquire().await;
            let rest_ms = self.look_at_pull_requests(name, &mut seen).await;
            drop(turn);
            let rest = Duration::from_millis(rest_ms.max(1).unsigned_abs());
            if let Ok(Ok(())) = tokio::time::timeout(rest, heard.changed()).await {
                tokio::time::sleep(AFTER_WEBHOOK).await;
            }
        }
    }

    /// One look at the pull requests of a service. In how many milliseconds the next one is due.
    async fn look_at_pull_requests(&self, name: &ServiceName, seen: &mut Seen) -> i64 {
        let now_ms = self.clock.now_ms();
        if now_ms < seen.rests_until_ms {
            return seen.rests_until_ms - now_ms;
        }
        let Some(service) = self.setup.service(name) else { return LOOK_HEARD_MS };
        match self.show_all(name, service, seen).await {
            Ok(more) => {
                (seen.failures, seen.logged) = (0, None);
                if more {
                    return BETWEEN_BUNCHES_MS;
                }
                let rest_ms = self.rest_ms(service).await;
                let again_ms = seen.failing.first_ms().map(|first_ms| first_ms - self.clock.now_ms());
                again_ms.map_or(rest_ms, |again_ms| rest_ms.min(again_ms.max(rest::BACKOFF_FIRST_MS)))
            }
            Err(error) => {
                let said = error.to_string();
                if seen.logged.as_ref() != Some(&said) {
                    warn!(service = %name, error = said, "the migrations of pull requests are not shown");
                    seen.logged = Some(said);
                }
                let rest_ms = match error {
                    GitHubError::RateLimited { until: Some(until) } => until.as_millisecond() - now_ms,
                    error if is_refused(&error) => NOT_ALLOWED_MS,
                    _ => rest::backoff_ms(seen.failures, NOT_ALLOWED_MS),
                };
                seen.failures += 1;
                let rest_ms = rest_ms.clamp(rest::backoff_ms(0, NOT_ALLOWED_MS), ASKED_REST_LIMIT_MS);
                seen.rests_until_ms = now_ms + rest_ms;
                rest_ms
            }
        }
    }

    /// Webhooks are for speed, polling for the truth.
    async fn rest_ms(&self, service: &ServiceSetup) -> i64 {
        let heard_ms = self.store.github_heard_ms(&service.repository.to_string()).await.ok().flatten();
        let hears = heard_ms.is_some_and(|heard_ms| self.clock.now_ms() - heard_ms < HEARD_LIMIT_MS);
        self.setup.pace.poll_ms(if hears { LOOK_HEARD_MS } else { LOOK_EVERY_MS })
    }

    /// Looks into those that are not as they were. Whether some are left for the next time. What is wrong with one of them
    /// is its own, but for what GitHub would say of all.
    async fn show_all(&self, name: &ServiceName, service: &ServiceSetup, seen: &mut Seen) -> Result<bool, GitHubError> {
        let github = &self.outside.github;
        let open = github.open_pull_requests(&service.repository).await?;
        seen.shown.retain(|number, _| open.iter().any(|pull| pull.number == *number));
        seen.failing.keep(&open);
        // A branch that could not be looked at has none.
        let mut bases: HashMap<String, Option<Option<CommitSha>>> = HashMap::new();
        let mut looked_into = 0;
        for pull in open {
            if seen.failing.rests(pull.number, self.clock.now_ms()) {
                continue;
            }
            let base = match bases.get(&pull.base) {
                Some(known) => known.clone(),
                None => match github.head_of(&service.repository, &pull.base).await {
                    Ok(head) => Some(head),
                    Err(error) if concerns_all(&error) => return Err(error),
                    Err(error) => {
                        self.not_shown(name, &pull, &error, seen);
                        None
                    }
                },
            };
            bases.insert(pull.base.clone(), base.clone());
            let Some(base) = base else { continue };
            let now = (pull.head.clone(), base.clone());
            if seen.shown.get(&pull.number) == Some(&now) {
                continue;
            }
            if looked_into == LOOKED_INTO_LIMIT {
                return Ok(true);
            }
            looked_into += 1;
            // A defect that panics, and what takes too long, is one pull request's own.
            let shown = caught("showing a pull request's migrations", self.show(name, service, &pull, base.as_ref()));
            match tokio::time::timeout(LOOK_LIMIT, shown).await {
                Ok(Ok(Ok(sent))) => {
                    if sent {
                        info!(service = %name, number = pull.number, "the migrations of a pull request were linted");
                    }
                    seen.failing.succeeded(pull.number);
                    seen.shown.insert(pull.number, now);
                }
                Ok(Ok(Err(error))) if concerns_all(&error) => return Err(error),
                Ok(Ok(Err(error))) => self.not_shown(name, &pull, &error, seen),
                Ok(Err(Panicked)) => {
                    error!(service = %name, number = pull.number, "a pull request is given up until it changes");
                    seen.shown.insert(pull.number, now);
                }
                Err(_) => {
                    let (what, limit_s) = (format!("pull request {}", pull.number), LOOK_LIMIT.as_secs());
                    self.not_shown(name, &pull, &GitHubError::Slow { what, limit_s }, seen);
                }
            }
        }
        Ok(false)
    }

    /// It is tried again after a rest of its own.
    fn not_shown(&self, name: &ServiceName, pull: &PullRequest, error: &GitHubError, seen: &mut Seen) {
        // GitHub's API lags behind itself: what is not there may be there in a moment.
        let rest_ms = |times| match error {
            GitHubError::Refused { .. } => NOT_ALLOWED_MS,
            _ => rest::backoff_ms(times, NOT_ALLOWED_MS),
        };
        if seen.failing.failed(pull, error.to_string(), self.clock.now_ms(), rest_ms) {
            warn!(service = %name, number = pull.number, %error, "the migrations of a pull request are not shown");
        }
    }

    /// Whether anything was sent: what GitHub shows already is not said again.
    async fn show(
        &self,
        name: &ServiceName,
        service: &ServiceSetup,
        pull: &PullRequest,
        base: Option<&CommitSha>,
    ) -> Result<bool, GitHubError> {
        let github = &self.outside.github;
        let opinion = match self.opinion(name, service, pull, base).await {
            Ok(opinion) => opinion,
            // What will not be otherwise the next time is said there.
            Err(error) if is_lasting(&error) => words::not_looked(self.looked(name, service, pull), &error.to_string()),
            Err(error) => return Err(error),
        };
        github.show_opinion(&service.repository, &pull.head, &opinion).await
    }

    async fn opinion(
        &self,
        name: &ServiceName,
        service: &ServiceSetup,
        pull: &PullRequest,
        base: Option<&CommitSha>,
    ) -> Result<Opinion, GitHubError> {
        let (github, looked) = (&self.outside.github, self.looked(name, service, pull));
        let changed: Vec<ChangedFile> = github.changed_files(&service.repository, pull.number).await?;
        let touched = words::touched(&changed, looked.dir);
        if touched.is_empty() {
            return Ok(words::nothing(looked));
        }
        let after = github.folder_at(&service.repository, &pull.head, looked.dir).await?;
        let before = match base {
            Some(base) => Some(github.folder_at(&service.repository, base, looked.dir).await),
            None => None,
        };
        // A branch whose folder cannot be read is what this may mend: then its order is not judged.
        let before = match before {
            Some(Err(error)) if !is_lasting(&error) => return Err(error),
            Some(Ok(before)) => Some(files(before)),
            _ => None,
        };
        let (options, formats) = migrate::runs_on(self, name).await;
        let there = after.files.iter().map(|file| file.name.clone()).collect();
        let looked = Looked { options, there, ..looked };
        let after = files(after);
        let configured = service.migrations.as_ref().map_or(format::AUTO, |migrations| migrations.format);
        let format = match format_of(configured, &after, &formats) {
            Ok(format) => format,
            Err(why) => return Ok(words::not_looked(looked, &why)),
        };
        let read = |files| Folder::read(format, files, &|_| None);
        let reviewed = match read(after) {
            Err(error) => Review::unreadable(&error),
            Ok(after) => {
                let before: Option<Result<Folder<'_>, FolderError>> = before.map(read);
                review(before.and_then(Result::ok).as_ref(), &after, &touched, &pull.base, &options)
            }
        };
        Ok(words::found(looked, &reviewed))
    }

    fn looked<'a>(&self, name: &ServiceName, service: &'a ServiceSetup, pull: &'a PullRequest) -> Looked<'a> {
        Looked {
            about: self.setup.shown_migrations(name),
            dir: service.migrations.as_ref().map_or(".", |migrations| &migrations.dir),
            branch: &pull.base,
            there: std::collections::BTreeSet::new(),
            options: LintOptions::default(),
            page: self.setup.home_page(),
        }
    }
}

fn files(folder: slipway_deploy::github::Folder) -> Vec<(String, Vec<u8>)> {
    folder.files.into_iter().map(|file| (file.name, file.bytes)).collect()
}

fn format_of(
    configured: &str,
    files: &[(String, Vec<u8>)],
    formats: &[&'static dyn Format],
) -> Result<&'static dyn Format, String> {
    match format::by_name(configured) {
        Some(format) => Ok(format),
        None => format::detect(files, formats).map_err(|error| error.to_string()),
    }
}

/// Whether GitHub will say the same of the same commits.
fn is_lasting(error: &GitHubError) -> bool {
    matches!(error, GitHubError::TooBig { .. } | GitHubError::NotAFile { .. })
}

/// Whether GitHub would say the same of every other pull request.
fn concerns_all(error: &GitHubError) -> bool {
    matches!(
        error,
        GitHubError::RateLimited { .. } | GitHubError::BadCredentials { .. } | GitHubError::Forbidden { .. }
    )
}

/// Whether only somebody can mend it.
fn is_refused(error: &GitHubError) -> bool {
    matches!(
        error,
        GitHubError::Forbidden { .. }
            | GitHubError::NotFound { .. }
            | GitHubError::BadCredentials { .. }
            | GitHubError::Refused { .. }
    )
}
