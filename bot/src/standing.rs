//! What policy has to know beside a release itself: who belongs to which team, and what the image did before.

use crate::setup::Setup;
use crate::store::{Store, StoreError, Tx};
use jiff::Timestamp;
use slipway_core::environment::Environment;
use slipway_core::ids::{CommitSha, EnvironmentKey};
use slipway_core::link::Link;
use slipway_core::membership::{Muster, Roll, Source, SourceState, muster};
use slipway_core::person::Directory;
use slipway_core::plan::PlanKind;
use slipway_core::policy::{Override, Past, Vote, has_passed};
use slipway_core::release::Release;
use slipway_core::together;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Through how many releases to the environment before it is looked for what they have brought.
const BROUGHT_LIMIT: u32 = 20;

/// Everybody with the teams that count at a moment. A link that cannot be read gives nobody an account, and a source of which
/// something is kept that cannot be read gives nobody a team.
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
            let roll = store.membership_get(tx, source).await?.unwrap_or_else(|| Roll::unreadable(now));
            rolls.insert(source.clone(), roll);
        }
        let links = store.links_within(tx).await?;
        Ok(Self::of(setup, &links, &rolls, now))
    }

    /// As last committed: for cards, never for a decision.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn shown(store: &Store, setup: &Setup, now: Timestamp) -> Result<Self, StoreError> {
        let mut rolls = BTreeMap::new();
        for source in setup.sources() {
            let roll = store.membership(source).await?.unwrap_or_else(|| Roll::unreadable(now));
            rolls.insert(source.clone(), roll);
        }
        let links = store.links().await?;
        Ok(Self::of(setup, &links, &rolls, now))
    }

    fn of(setup: &Setup, links: &[Link], rolls: &BTreeMap<Source, Roll>, now: Timestamp) -> Self {
        // The accounts that people have linked themselves come first: a source may know them by these.
        let people = with_links(setup, links);
        if setup.rosters.is_empty() {
            return Self { people, sources: vec![] };
        }
        let age_max_s = setup.membership_age_max_s();
        let Muster { people, sources } = muster(&people, &setup.rosters, rolls, now, age_max_s);
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
    /// Of a release that another one leads: the votes that count, those on the lead too.
    pub shared: Option<Shared>,
}

/// The votes that count for a release that another one leads.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// The votes, each on this release's plan.
    pub votes: Vec<Vote>,
    /// Rules set aside for it.
    pub waiver: Option<Override>,
}

impl Shared {
    /// Without a lead only what it has itself counts.
    fn of(release: &Release, lead: Option<&Release>) -> Self {
        let own = || (release.votes.clone(), release.waiver.clone());
        let (votes, waiver) = lead.map_or_else(own, |lead| together::counted(release, lead));
        Self { votes, waiver }
    }
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
        let before = match soaks_in(setup, release) {
            Some(before) => Some(store.environment_get(tx, &before).await?),
            None => None,
        };
        let mut past = past(release, |image| Past::of(image, &here, before.as_ref()));
        if let (Some(soak), Some(before)) = (&mut past.soak, &before) {
            soak.ahead = ahead(store, tx, release, before).await?;
        }
        if let Some(commit) = may_be_bad(release) {
            past.known_bad = store.known_bad_get(tx, &key.service, commit).await?.is_some();
        }
        let shared = match release.follows() {
            Some(lead) => {
                Some(Shared::of(release, store.release_get(tx, lead).await?.map(|lead| lead.release).as_ref()))
            }
            None => None,
        };
        let Company { people, sources } = Company::within(store, tx, setup, now).await?;
        Ok(Self { people, sources, past, shared })
    }

    /// As last committed: for cards, never for a decision.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn shown(store: &Store, setup: &Setup, release: &Release, now: Timestamp) -> Result<Self, StoreError> {
        let key = &release.request.key;
        let here = store.environment(key).await?;
        let before = match soaks_in(setup, release) {
            Some(before) => Some(store.environment(&before).await?),
            None => None,
        };
        let mut past = past(release, |image| Past::of(image, &here, before.as_ref()));
        if let Some(commit) = may_be_bad(release) {
            past.known_bad = store.known_bad(&key.service, commit).await?.is_some();
        }
        let shared = match release.follows() {
            Some(lead) => Some(Shared::of(release, store.release(lead).await?.map(|lead| lead.release).as_ref())),
            None => None,
        };
        let Company { people, sources } = Company::shown(store, setup, now).await?;
        Ok(Self { people, sources, past, shared })
    }
}

/// Where an image has to have served before: nowhere, for what runs already, and for what ran here before Slipway's first
/// release.
fn soaks_in(setup: &Setup, release: &Release) -> Option<EnvironmentKey> {
    let is_new = release.request.kind.plan_kind() != PlanKind::Config && !release.brings_what_ran_before();
    setup.environment_before(&release.request.key).filter(|_| is_new)
}

/// What runs in the environment before, where that has gone past the commit that a release would bring.
async fn ahead(
    store: &Store,
    tx: &mut Tx,
    release: &Release,
    before: &Environment,
) -> Result<Option<CommitSha>, StoreError> {
    let plan = release.plan.as_ref().filter(|plan| plan.kind == PlanKind::Deploy);
    let live = before.live.as_ref().filter(|_| before.by_hand.is_none());
    let (Some(plan), Some(live)) = (plan, live) else { return Ok(None) };
    if live.commit == plan.commit {
        return Ok(None);
    }
    let brought = store.releases_succeeded(tx, &before.key, BROUGHT_LIMIT).await?;
    Ok(has_passed(&plan.commit, &live.commit, &brought).then(|| live.commit.clone()))
}

/// Everybody with all their accounts, those that they have linked themselves too.
fn with_links(setup: &Setup, links: &[Link]) -> Arc<Directory> {
    if links.is_empty() {
        return setup.people.clone();
    }
    Arc::new(setup.people.with_links(links.iter().map(|link| (&link.identity, &link.person))))
}

fn past(release: &Release, of: impl FnOnce(&slipway_core::ids::ImageDigest) -> Past) -> Past {
    release.plan.as_ref().map(|plan| of(&plan.image.digest)).unwrap_or_default()
}

/// The commit that the release would bring. Taking migrations back with a commit's files brings nothing of it.
fn may_be_bad(release: &Release) -> Option<&CommitSha> {
    let plan = release.plan.as_ref()?;
    (plan.kind != PlanKind::MigrateDown).then_some(&plan.commit)
}
