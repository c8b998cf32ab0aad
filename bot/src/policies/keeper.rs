//! Replaces the policy set of a running bot.

use super::{Origin, PoliciesError, PolicyText};
use crate::clock::Clock;
use crate::engine::{Incoming, Signals};
use crate::setup::Setup;
use crate::store::{NewPolicyVersion, Store, StoreError};
use slipway_core::policy::PolicySet;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::Mutex;

/// How many mistakes of a refused set are written into the audit log.
const MISTAKES_LIMIT: usize = 20;

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
    setup: Arc<Setup>,
    store: Store,
    clock: Clock,
    signals: Signals,
    /// One reload at a time.
    busy: Mutex<()>,
}

impl Keeper {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(origin: Origin, setup: Arc<Setup>, store: Store, clock: Clock, signals: Signals) -> Self {
        Self { origin, setup, store, clock, signals, busy: Mutex::default() }
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

    /// Reads the rules again. When they have no mistake and are others than those in force, they are stored and will
    /// be in force before anything that comes in later; else the old ones stay.
    ///
    /// # Errors
    /// The mistakes, which are also written into the audit log; or that of the store.
    pub async fn reload(&self, by: &str) -> Result<Reloaded, ReloadError> {
        let _one = self.busy.lock().await;
        let read = self.origin.read().and_then(|text| text.parse().map(|set| (text, set)));
        let (text, set) = match read {
            Ok(read) => read,
            Err(error) => {
                self.refused(by, &error).await?;
                return Err(error.into());
            }
        };
        let (before, hash) = (self.setup.policies().hash().to_owned(), set.hash().to_owned());
        if before == hash {
            return Ok(Reloaded::Same { hash });
        }
        self.put(&text, &hash, by).await?;
        Ok(Reloaded::Changed { before, hash, rules: set.rule_ids().count() })
    }

    /// At the start: if other rules are in force than at the last time, that is a change like any other.
    ///
    /// # Errors
    /// When the rules cannot be read any more, or the store fails.
    pub async fn started(&self) -> Result<(), ReloadError> {
        let hash = self.setup.policies().hash().to_owned();
        if self.store.policy_hash_in_force().await?.is_some_and(|last| last == hash) {
            return Ok(());
        }
        let text = self.origin.read()?;
        let hash = text.parse()?.hash().to_owned();
        self.put(&text, &hash, "start").await?;
        Ok(())
    }

    async fn put(&self, text: &PolicyText, hash: &str, by: &str) -> Result<(), StoreError> {
        let source = self.origin.source.clone();
        let version = NewPolicyVersion { hash: hash.to_owned(), text: text.clone(), source, by: by.to_owned() };
        let version = self.store.policy_version_put(&version, self.clock.now_ms()).await?;
        let changed = Incoming::PoliciesChanged { version };
        self.store.deliver(&format!("policies/{version}"), &changed, &self.clock).await?;
        self.signals.inbox.notify_one();
        Ok(())
    }

    async fn refused(&self, by: &str, error: &PoliciesError) -> Result<(), StoreError> {
        let mut mistakes = match error {
            PoliciesError::Mistakes(mistakes) => mistakes.clone(),
            PoliciesError::Folder { .. } => vec![error.to_string()],
        };
        mistakes.truncate(MISTAKES_LIMIT);
        let refused = Incoming::PoliciesRefused { by: by.to_owned(), mistakes };
        let key = format!("policies/refused/{}", self.clock.now_ms());
        self.store.deliver(&key, &refused, &self.clock).await?;
        self.signals.inbox.notify_one();
        Ok(())
    }
}
