//! What there is to go back to. One decision for `/rollback`, for the setting that goes back by itself, and for everything
//! that names a rollback as the way out: what is offered is there.

use crate::store::{Store, StoreError, Tx};
use slipway_core::environment::{Environment, Live};
use slipway_core::ids::{CommitSha, EnvironmentKey, ReleaseId};
use slipway_core::release::{Release, RequestKind};
use tracing::warn;

/// How far back a rollback looks for a good release.
const ROLLBACK_LOOK_BACK_LIMIT: u32 = 20;

/// What there is to go back to.
pub(crate) enum Back {
    /// What this release brought.
    To(ReleaseId, CommitSha),
    /// What ran before this one, the first of Slipway's.
    Before(ReleaseId, CommitSha),
    /// Nothing; so many that would do but for their mark.
    Nothing(usize),
    /// It did not run there before what runs now.
    NotBefore(Box<Release>),
    Ambiguous(Vec<Release>),
    /// It is known to be bad, as the other one says.
    Bad(Box<Release>, Box<Release>),
}

/// Whether `/rollback` would find something once this release is live.
///
/// # Errors
/// When the store fails.
pub(crate) async fn is_there_after(store: &Store, release: &Release) -> Result<bool, StoreError> {
    let mut tx = store.begin_to_read().await?;
    let mut here = store.environment_get(&mut tx, &release.request.key).await?;
    if let Some(plan) = &release.plan {
        here.by_hand = None;
        here.live = Some(Live {
            release: release.id.clone(),
            commit: plan.commit.clone(),
            image: plan.image.digest.clone(),
            by: release.request.requester.clone(),
            since: release.started_at.unwrap_or(release.request.at),
            verified: false,
        });
    }
    is_there_at(store, &mut tx, &here).await
}

/// Whether `/rollback` finds something as of now.
///
/// # Errors
/// When the store fails.
pub(crate) async fn is_there(store: &Store, key: &EnvironmentKey) -> Result<bool, StoreError> {
    let mut tx = store.begin_to_read().await?;
    let here = store.environment_get(&mut tx, key).await?;
    is_there_at(store, &mut tx, &here).await
}

/// The same within a transaction. All who ask this name a way back beside something else that has to be told. So where
/// what is stored cannot be read back, none is known: that must not keep the rest from being recorded.
///
/// # Errors
/// When the store fails.
pub(crate) async fn is_there_at(store: &Store, tx: &mut Tx, here: &Environment) -> Result<bool, StoreError> {
    Ok(leads_to(store, tx, here).await?.is_some())
}

/// What `/rollback` would go back to, for whoever names it beside something else.
///
/// # Errors
/// When the store fails.
pub(crate) async fn leads_to(store: &Store, tx: &mut Tx, here: &Environment) -> Result<Option<CommitSha>, StoreError> {
    match find(store, tx, here, None).await {
        Ok(Back::To(_, commit) | Back::Before(_, commit)) => Ok(Some(commit)),
        Ok(Back::Nothing(_) | Back::NotBefore(_) | Back::Ambiguous(_) | Back::Bad(..)) => Ok(None),
        Err(error @ StoreError::Unreadable { .. }) => {
            warn!(%error, "whether there is a way back could not be read: none is named");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// What a rollback goes back to: what the release with this prefix brought, or without one the newest that is good.
///
/// # Errors
/// When the store fails.
pub(crate) async fn find(
    store: &Store,
    tx: &mut Tx,
    here: &Environment,
    asked_for: Option<&str>,
) -> Result<Back, StoreError> {
    let good = store.releases_succeeded(tx, &here.key, ROLLBACK_LOOK_BACK_LIMIT).await?;
    let good_count = good.len();
    let live = match &here.live {
        Some(live) => store.release_get(tx, &live.release).await?.map(|stored| stored.release),
        None => None,
    };
    // One that succeeded is among the others, and comes before what somebody brought since.
    let back_before_all = live
        .as_ref()
        .is_some_and(|live| live.brings_what_ran_before() && good.iter().all(|release| release.id != live.id));
    let before = match (&here.live, &here.by_hand) {
        // What somebody brought past Slipway is left for what Slipway had brought last.
        (Some(_), Some(_)) if back_before_all => vec![],
        (Some(live_on), Some(_)) => {
            let id = brought_by(&good, live_on, live.as_ref());
            good.iter().skip_while(|release| release.id != id).cloned().collect()
        }
        (Some(_), None) if live.as_ref().is_some_and(Release::brings_what_ran_before) => vec![],
        (Some(live_on), None) => before_what_runs(&good, live_on, live.as_ref()).to_vec(),
        (None, _) => good.clone(),
    };
    let commit = match &here.by_hand {
        Some(by_hand) => by_hand.runs.commit.as_ref(),
        None => here.live.as_ref().map(|live| &live.commit),
    };
    let fits = |r: &Release| match asked_for {
        Some(prefix) => r.id.as_str().starts_with(&prefix.to_ascii_uppercase()),
        None => r.commit.is_some() && r.commit.as_ref() != commit,
    };
    // What is known to be good is spared approvals because it is older: a rollback never goes forward.
    let found: Vec<_> = before.into_iter().filter(|r| fits(r) && r.commit.is_some()).collect();
    if found.is_empty() && asked_for.is_some() {
        let newer = good.into_iter().find(fits);
        return Ok(newer.map_or(Back::Nothing(0), |newer| Back::NotBefore(Box::new(newer))));
    }
    // A prefix must mean one release; without one the newest that is not known to be bad is meant.
    if asked_for.is_some() && found.len() > 1 {
        return Ok(Back::Ambiguous(found));
    }
    let mut bad = 0;
    for release in found {
        let Some(commit) = release.commit.clone() else { continue };
        match store.known_bad_get(tx, &here.key.service, &commit).await? {
            None => return Ok(Back::To(release.id, commit)),
            Some(marked) if asked_for.is_some() => return Ok(Back::Bad(Box::new(release), Box::new(marked))),
            Some(_) => bad += 1,
        }
    }
    // Older ones than were looked at may be good: what ran before all of them is not next.
    if u32::try_from(good_count).is_ok_and(|count| count >= ROLLBACK_LOOK_BACK_LIMIT) && !back_before_all {
        return Ok(Back::Nothing(bad));
    }
    let Some((first, before)) = before_the_first(store, tx, here).await?.filter(|(_, it)| Some(it) != commit) else {
        return Ok(Back::Nothing(bad));
    };
    Ok(match store.known_bad_get(tx, &here.key.service, &before).await? {
        None => Back::Before(first, before),
        Some(_) => Back::Nothing(bad + 1),
    })
}

/// The first release that told a target something, and what ran before it where its plan knows that.
async fn before_the_first(
    store: &Store,
    tx: &mut Tx,
    here: &Environment,
) -> Result<Option<(ReleaseId, CommitSha)>, StoreError> {
    let first = store.release_first_deployed(tx, &here.key).await?;
    Ok(first.and_then(|first| Some((first.id.clone(), first.ran_before()?.clone()))))
}

/// From which release on it is looked for earlier ones. A rollback that is live without having succeeded stands for the
/// one that it went back to.
fn brought_by(good: &[Release], live: &Live, release: Option<&Release>) -> ReleaseId {
    if good.iter().any(|release| release.id == live.release) {
        return live.release.clone();
    }
    let of_the_same = || good.iter().find(|release| release.commit.as_ref() == Some(&live.commit));
    match release.map(|release| &release.request.kind) {
        Some(RequestKind::Rollback { to, .. }) => to.clone(),
        // It brought again what an earlier one had brought.
        Some(RequestKind::Config { .. }) => of_the_same().map_or(live.release.clone(), |release| release.id.clone()),
        _ => live.release.clone(),
    }
}

/// The releases before the one that brought what runs. After a rollback that is the one it went back to, so that
/// rolling back twice goes further back and never forward to what was just left: where that one is older than all that were
/// looked at, so are those before it.
fn before_what_runs<'a>(newest_first: &'a [Release], live: &Live, release: Option<&Release>) -> &'a [Release] {
    let first = brought_by(newest_first, live, release);
    let (mut brought_by, mut rest) = (&first, newest_first);
    loop {
        let Some(at) = rest.iter().position(|release| release.id == *brought_by) else {
            // What is live without having succeeded is newer than all that have.
            return if *brought_by == live.release { rest } else { &[] };
        };
        let release = &rest[at];
        rest = &rest[at + 1..];
        match &release.request.kind {
            // Nothing of Slipway's is before what ran before its first release.
            RequestKind::Rollback { before: true, .. } => return &[],
            RequestKind::Rollback { to, .. } => brought_by = to,
            // It brought again what an earlier one had brought, unless that one never succeeded.
            RequestKind::Config { .. } => {
                match rest.iter().find(|earlier| !earlier.request.kind.plan_kind().only_migrates()) {
                    Some(earlier) if earlier.commit == release.commit => brought_by = &earlier.id,
                    _ => break,
                }
            }
            RequestKind::Deploy
            | RequestKind::Retry { .. }
            | RequestKind::Migrate { .. }
            | RequestKind::Ship { .. } => break,
        }
    }
    rest
}
