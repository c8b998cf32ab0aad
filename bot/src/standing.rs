//! What policy has to know beside a release itself: who belongs to which team, and what the image did before.

use crate::setup::Setup;
use crate::store::{Store, StoreError, Tx};
use jiff::Timestamp;
use slipway_core::ids::EnvironmentKey;
use slipway_core::membership::{Muster, Roll, Source, SourceState, muster};
use slipway_core::person::Directory;
use slipway_core::policy::Past;
use slipway_core::release::Release;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everybody with the teams that count at a moment.
#[derive(Clone, Debug, Default)]
pub struct Company {
    /// Everybody.
    pub people: Arc<Directory>,
    /// How the places stand where members of teams are kept outside of the configuration.
    pub sources: Vec<SourceState>,
}

impl Company {
    /// As a transaction sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn within(store: &Store, tx: &mut Tx, setup: &Setup, now: Timestamp) -> Result<Self, StoreError> {
        let mut rolls = BTreeMap::new();
        for source in setup.sources() {
            rolls.insert(source.clone(), store.membership_get(tx, source).await?);
        }
        Ok(Self::of(setup, &rolls, now))
    }

    /// As last committed: for cards, never for a decision.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn shown(store: &Store, setup: &Setup, now: Timestamp) -> Result<Self, StoreError> {
        let mut rolls = BTreeMap::new();
        for source in setup.sources() {
            rolls.insert(source.clone(), store.membership(source).await?);
        }
        Ok(Self::of(setup, &rolls, now))
    }

    fn of(setup: &Setup, rolls: &BTreeMap<Source, Roll>, now: Timestamp) -> Self {
        if setup.rosters.is_empty() {
            return Self { people: setup.people.clone(), sources: vec![] };
        }
        let age_max_s = setup.membership_age_max_s();
        let Muster { people, sources } = muster(&setup.people, &setup.rosters, rolls, now, age_max_s);
        Self { people: Arc::new(people), sources }
    }
}

/// The surroundings of a planned release.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Everybody, with the teams that count for this release.
    pub people: Arc<Directory>,
    /// How the places stand where members of teams are kept outside of the configuration.
    pub sources: Vec<SourceState>,
    /// The past of its image.
    pub past: Past,
}

impl Standing {
    /// As a transaction sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn within(
        store: &Store,
        tx: &mut Tx,
        setup: &Setup,
        release: &Release,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let key = &release.request.key;
        let here = store.environment_get(tx, key).await?;
        let before = match before(setup, key) {
            Some(before) => Some(store.environment_get(tx, &before).await?),
            None => None,
        };
        let past = past(release, |image| Past::of(image, &here, before.as_ref()));
        let Company { people, sources } = Company::within(store, tx, setup, now).await?;
        Ok(Self { people, sources, past })
    }

    /// As last committed: for cards, never for a decision.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn shown(store: &Store, setup: &Setup, release: &Release, now: Timestamp) -> Result<Self, StoreError> {
        let key = &release.request.key;
        let here = store.environment(key).await?;
        let before = match before(setup, key) {
            Some(before) => Some(store.environment(&before).await?),
            None => None,
        };
        let past = past(release, |image| Past::of(image, &here, before.as_ref()));
        let Company { people, sources } = Company::shown(store, setup, now).await?;
        Ok(Self { people, sources, past })
    }
}

/// The environment that comes before one.
fn before(setup: &Setup, key: &EnvironmentKey) -> Option<EnvironmentKey> {
    let environment = setup.environment(key)?.after.clone()?;
    Some(EnvironmentKey { service: key.service.clone(), environment })
}

fn past(release: &Release, of: impl FnOnce(&slipway_core::ids::ImageDigest) -> Past) -> Past {
    release.plan.as_ref().map(|plan| of(&plan.image.digest)).unwrap_or_default()
}
