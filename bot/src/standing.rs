//! What policy has to know beside a release itself: who belongs to which team, and what the image did before.

use crate::setup::Setup;
use crate::store::{Store, StoreError, Tx};
use slipway_core::ids::EnvironmentKey;
use slipway_core::link::Link;
use slipway_core::person::Directory;
use slipway_core::policy::Past;
use slipway_core::release::Release;
use std::sync::Arc;

/// The surroundings of a planned release.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Everybody, with the teams that count for this release.
    pub people: Arc<Directory>,
    /// The past of its image.
    pub past: Past,
}

impl Standing {
    /// As a transaction sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn within(store: &Store, tx: &mut Tx, setup: &Setup, release: &Release) -> Result<Self, StoreError> {
        let key = &release.request.key;
        let here = store.environment_get(tx, key).await?;
        let before = match before(setup, key) {
            Some(before) => Some(store.environment_get(tx, &before).await?),
            None => None,
        };
        let past = past(release, |image| Past::of(image, &here, before.as_ref()));
        Ok(Self { people: people_within(store, tx, setup).await?, past })
    }

    /// As last committed: for cards, never for a decision.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn shown(store: &Store, setup: &Setup, release: &Release) -> Result<Self, StoreError> {
        let key = &release.request.key;
        let here = store.environment(key).await?;
        let before = match before(setup, key) {
            Some(before) => Some(store.environment(&before).await?),
            None => None,
        };
        let past = past(release, |image| Past::of(image, &here, before.as_ref()));
        Ok(Self { people: with_links(setup, &store.links().await?), past })
    }
}

/// Everybody with all their accounts, those that they have linked themselves too, as a transaction sees it.
///
/// # Errors
/// When the store fails.
pub async fn people_within(store: &Store, tx: &mut Tx, setup: &Setup) -> Result<Arc<Directory>, StoreError> {
    Ok(with_links(setup, &store.links_within(tx).await?))
}

fn with_links(setup: &Setup, links: &[Link]) -> Arc<Directory> {
    if links.is_empty() {
        return setup.people.clone();
    }
    Arc::new(setup.people.with_links(links.iter().map(|link| (&link.identity, &link.person))))
}

/// The environment that comes before one.
fn before(setup: &Setup, key: &EnvironmentKey) -> Option<EnvironmentKey> {
    let environment = setup.environment(key)?.after.clone()?;
    Some(EnvironmentKey { service: key.service.clone(), environment })
}

fn past(release: &Release, of: impl FnOnce(&slipway_core::ids::ImageDigest) -> Past) -> Past {
    release.plan.as_ref().map(|plan| of(&plan.image.digest)).unwrap_or_default()
}
