//! Replaces the policy set of a running bot.

use super::{HISTORY_LIMIT, Origin, PoliciesError, Reading, Source};
use crate::clock::Clock;
use crate::engine::{Incoming, Signals};
use crate::setup::Setup;
use crate::store::{NewPolicyVersion, PolicyVersion, Store, StoreError};
use slipway_core::audit::content_hash;
use slipway_core::ids::EnvironmentName;
use slipway_core::policy::{PolicySet, built_in};
use slipway_deploy::github::GitHub;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{sleep, timeout};

/// How many mistakes of a refused set are written into the audit log.
const MISTAKES_LIMIT: usize = 20;
/// How often it is looked whether new rules are in force.
const IN_FORCE_POLL: Duration = Duration::from_millis(50);
/// How long reading the rules again may take: whoever asked for it still gets the answer.
const RELOAD_LIMIT: Duration = Duration::from_secs(20);
/// Who wanted the rules read that the bot started with.
const AT_START: &str = "start";

/// What became of a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// The rules say what they said before.
    Same {
        /// Their hash.
        hash: String,
    },
    /// Other rules are stored; the engine puts them in force with the next thing it does.
    Changed {
        /// The hash until now.
        before: String,
        /// The new one.
        hash: String,
        /// How many rules there are.
        rules: usize,
    },
}

impl Reloaded {
    /// The hash of the rules that were read.
    #[must_use]
    pub fn hash(&self) -> &str {
        match self {
            Self::Same { hash } | Self::Changed { hash, .. } => hash,
        }
    }
}

/// Why the rules stay as they are.
#[derive(Debug, Error)]
pub enum ReloadError {
    /// They cannot be read or have mistakes.
    #[error(transparent)]
    Policies(#[from] PoliciesError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Knows where the rules are kept.
#[derive(Debug)]
pub struct Keeper {
    origin: Origin,
    github: Option<GitHub>,
    setup: Arc<Setup>,
    store: Store,
    clock: Clock,
    signals: Signals,
    /// One reload at a time.
    busy: Mutex<()>,
    /// What was wrong at the last try.
    problem: RwLock<Option<String>>,
}

impl Keeper {
    /// Nothing is read yet. `github` is for rules in a repository.
    #[must_use]
    pub fn new(
        origin: Origin,
        github: Option<GitHub>,
        setup: Arc<Setup>,
        store: Store,
        clock: Clock,
        signals: Signals,
    ) -> Self {
        Self { origin, github, setup, store, clock, signals, busy: Mutex::default(), problem: RwLock::default() }
    }

    /// Where the rules are kept.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The rules that are in force.
    #[must_use]
    pub fn in_force(&self) -> PolicySet {
        self.setup.policies()
    }

    /// What was wrong when the rules were last read, if anything was.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.problem.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As [`Self::reload`], unless somebody is at it.
    ///
    /// # Errors
    /// As [`Self::reload`].
    pub async fn reload_unless_busy(&self, by: &str) -> Result<Option<Reloaded>, ReloadError> {
        let Ok(one) = self.busy.try_lock() else { return Ok(None) };
        self.reload_alone(by, &one).await.map(Some)
    }

    /// Reads the rules again. When they have no mistake and are others than those in force, they are stored and will
    /// be in force before anything that comes in later; else the old ones stay.
    ///
    /// # Errors
    /// The mistakes, which are also written into the audit log; or that of the store.
    pub async fn reload(&self, by: &str) -> Result<Reloaded, ReloadError> {
        let one = self.busy.lock().await;
        self.reload_alone(by, &one).await
    }

    async fn reload_alone(&self, by: &str, _one: &MutexGuard<'_, ()>) -> Result<Reloaded, ReloadError> {
        let result = match timeout(RELOAD_LIMIT, self.reload_now(by)).await {
            Ok(result) => result,
            Err(_) => {
                Err(PoliciesError::Slow { kept: self.origin.source.clone(), limit_s: RELOAD_LIMIT.as_secs() }.into())
            }
        };
        let problem = result.as_ref().err().map(ToString::to_string);
        *self.problem.write().unwrap_or_else(PoisonError::into_inner) = problem;
        result
    }

    /// Waits until the rules of this hash are in force, at most so long. Whether they are.
    pub async fn come_into_force(&self, hash: &str, limit: Duration) -> bool {
        let in_force = async {
            while self.setup.policies().hash() != hash {
                sleep(IN_FORCE_POLL).await;
            }
        };
        timeout(limit, in_force).await.is_ok()
    }

    async fn reload_now(&self, by: &str) -> Result<Reloaded, ReloadError> {
        let last = self.last().await?;
        let since = last.and_then(|last| last.version.reading.revision);
        let reading = match self.origin.fetch(self.github.as_ref(), since.as_deref()).await {
            Ok(reading) => reading,
            Err(error) => {
                self.refused(by, None, &error).await?;
                return Err(error.into());
            }
        };
        let set = match reading.text.parse() {
            Ok(set) => set,
            Err(error) => {
                self.refused(by, reading.revision.as_deref(), &error).await?;
                return Err(error.into());
            }
        };
        let (before, hash) = (self.setup.policies().hash().to_owned(), set.hash().to_owned());
        // The same rules from elsewhere are written down too: their next change is told from there. And so are the same
        // rules again where others are on their way to the engine.
        if before == hash && self.is_newest(&hash).await? {
            return Ok(Reloaded::Same { hash });
        }
        self.put(reading, &hash, by).await?;
        Ok(Reloaded::Changed { before, hash, rules: set.rule_ids().count() })
    }

    /// Whether nothing else was kept since a set from where the rules are kept now.
    async fn is_newest(&self, hash: &str) -> Result<bool, StoreError> {
        let newest = self.store.policy_version_newest().await?;
        Ok(newest.is_some_and(|kept| kept.version.hash == hash && kept.version.source == self.origin.source))
    }

    /// The set that came into force last, if it was read where the rules are kept now.
    async fn last(&self) -> Result<Option<PolicyVersion>, StoreError> {
        let mut tx = self.store.begin_to_read().await?;
        let last = self.store.policy_versions(&mut tx, 1).await?.pop();
        Ok(last.filter(|last| last.version.source == self.origin.source))
    }

    /// Rules of the built-in ones may name an environment that nobody has: then they guard nothing.
    fn warn_of_rules_without_their_environment(&self) {
        let (set, keys) = (self.setup.policies(), self.setup.environment_keys(None));
        for guarded in built_in::ENVIRONMENTS.map(EnvironmentName::from) {
            if set.speaks_of(&guarded) && keys.iter().all(|key| key.environment != guarded) {
                tracing::warn!("rules speak of {guarded}, and no environment is called so: they guard nothing");
            }
        }
    }

    /// At the start: rules in a repository are those that were in force before, until it has been read; others than
    /// those in force before are a change like any other.
    ///
    /// # Errors
    /// When the rules cannot be read any more, or the store fails.
    pub async fn started(&self) -> Result<(), ReloadError> {
        let last = self.last().await?;
        if let (Source::Repository { .. }, Some(last)) = (&self.origin.source, &last) {
            let mut text = last.version.reading.text.clone();
            text.vocabulary = self.origin.vocabulary.clone();
            match text.parse() {
                Ok(set) => self.in_force_from_the_start(set).await?,
                // Then nothing is allowed until the repository has been read.
                Err(error) => tracing::error!(%error, "the policies of before the start fit no more"),
            }
            return Ok(());
        }
        self.in_force_from_the_start(self.setup.policies()).await?;
        self.warn_of_rules_without_their_environment();
        let hash = self.setup.policies().hash().to_owned();
        if matches!(self.origin.source, Source::Repository { .. }) || last.is_some_and(|last| last.version.hash == hash)
        {
            return Ok(());
        }
        let reading = self.origin.fetch(None, None).await?;
        let hash = reading.text.parse()?.hash().to_owned();
        self.put(reading, &hash, AT_START).await?;
        Ok(())
    }

    async fn in_force_from_the_start(&self, set: PolicySet) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        let versions = self.store.policy_versions(&mut tx, HISTORY_LIMIT).await?;
        self.setup.replace_rules(self.setup.rules_with(set, &versions));
        Ok(())
    }

    async fn put(&self, reading: Reading, hash: &str, by: &str) -> Result<(), StoreError> {
        let source = self.origin.source.clone();
        let version = NewPolicyVersion { hash: hash.to_owned(), reading, source, asked_by: by.to_owned() };
        let version = self.store.policy_version_put(&version, self.clock.now_ms()).await?;
        let changed = Incoming::PoliciesChanged { version };
        self.store.deliver(&format!("policies/{version}"), &changed, &self.clock).await?;
        self.signals.inbox.notify_one();
        Ok(())
    }

    /// Has the mistakes written into the audit log, once for the same ones of a commit. That a repository cannot be
    /// reached is no mistake of anybody's.
    async fn refused(&self, by: &str, revision: Option<&str>, error: &PoliciesError) -> Result<(), StoreError> {
        if matches!(error, PoliciesError::GitHub { .. } | PoliciesError::Slow { .. }) {
            return Ok(());
        }
        let mut mistakes = error.mistakes();
        mistakes.truncate(MISTAKES_LIMIT);
        let refused = Incoming::PoliciesRefused { by: by.to_owned(), mistakes };
        // Somebody who asks once more is told once more; a repository is looked at again and again.
        let which = match (&self.origin.source, revision) {
            (Source::Repository { .. }, revision) => {
                let said = content_hash(error.to_string().as_bytes());
                format!("{}/{said}", revision.unwrap_or_default())
            }
            _ => self.clock.now_ms().to_string(),
        };
        self.store.deliver(&format!("policies/refused/{which}"), &refused, &self.clock).await?;
        self.signals.inbox.notify_one();
        Ok(())
    }
}
