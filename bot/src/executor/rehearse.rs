//! Rehearsing what is pending while a plan is made. A plan may be made again and again; a rehearsal is repeated only
//! when something has changed.

use super::migrate::FolderAndDatabase;
use super::{Job, Trouble};
use crate::config::Rehearse;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use slipway_core::ids::EnvironmentKey;
use slipway_core::migration::format::Dialect;
use slipway_core::migration::{HalfDoneMigration, History, Migration, Pending, Rehearsal, Version};
use slipway_core::release::Failure;
use slipway_deploy::database::{DatabaseUrl, RehearsalError, RehearsalOptions, rehearse, rehearse_back};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

/// How many rehearsals are remembered.
const KEPT_LIMIT: usize = 64;
/// For how long what a whole one showed is good. Somebody may change the schema by hand meanwhile.
const KEPT_S: i64 = 3_600;
/// For how long it is not tried again after it failed or could not be held.
const KEPT_AFTER_FAILURE_S: i64 = 60;
/// What a plan says where there is no server to rehearse on.
const NOT_CONFIGURED: &str = "no rehearsal server is configured";

/// What the last rehearsals showed.
#[derive(Debug, Default)]
pub struct Rehearsals(Mutex<VecDeque<Kept>>);

#[derive(Debug)]
struct Kept {
    what: What,
    until: Timestamp,
    shown: Shown,
}

/// What was rehearsed where. Equal ones would show the same.
#[derive(Clone, Debug, PartialEq, Eq)]
struct What {
    environment: EnvironmentKey,
    on: Option<Rehearse>,
    applied: Vec<Version>,
    /// Version, checksum of what applies it, hash of what takes it back.
    pending: Vec<(Version, String, u64)>,
}

/// What it showed: a plan's word, or why there must be no plan.
type Shown = Result<Rehearsal, Failure>;

impl Rehearsals {
    fn find(&self, what: &What, now: Timestamp) -> Option<Shown> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.until > now);
        kept.iter().find(|kept| kept.what == *what).map(|kept| kept.shown.clone())
    }

    fn keep(&self, what: What, shown: Shown, now: Timestamp) {
        let whole = matches!(shown, Ok(Rehearsal::Done { .. }));
        let until = now + SignedDuration::from_secs(if whole { KEPT_S } else { KEPT_AFTER_FAILURE_S });
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.what != what);
        kept.push_back(Kept { what, until, shown });
        while kept.len() > KEPT_LIMIT {
            kept.pop_front();
        }
    }
}

/// Rehearses what is pending; nothing to say when nothing is. A failure is for the plan: what fails on a copy of the
/// schema would fail on the database too.
pub(super) async fn rehearsal(
    job: &Job<'_>,
    at_hand: &FolderAndDatabase,
    history: &History,
    pending: &Pending,
) -> Result<Result<Option<Rehearsal>, Failure>, Trouble> {
    let to_run = pending.to_run();
    if to_run.is_empty() {
        return Ok(Ok(None));
    }
    if let Some(not) = left_half_done(&pending.half_done) {
        return Ok(Ok(Some(not)));
    }
    let on = job.environment()?.rehearse.clone();
    if on.is_none() && at_hand.database.dialect() == Dialect::Postgres {
        return Ok(Ok(Some(Rehearsal::Not { why: NOT_CONFIGURED.to_owned() })));
    }
    let what = What {
        environment: job.release.request.key.clone(),
        on,
        applied: history.versions().cloned().collect(),
        pending: to_run.iter().map(|m| (m.version.clone(), m.checksum.clone(), hash_of_way_back(m))).collect(),
    };
    let rehearsals = &job.executor.rehearsals;
    if let Some(shown) = rehearsals.find(&what, job.now()) {
        return Ok(shown.map(Some));
    }
    let shown = match hold(job, at_hand, &to_run, what.on.as_ref()).await {
        Ok(rehearsal) => Ok(rehearsal),
        Err(RehearsalError::Unavailable(why)) => Ok(Rehearsal::Not { why }),
        Err(failed @ RehearsalError::Failed(_)) => {
            let failure = Failure::new(format!("{failed}."));
            Err(failure.detail("Nothing was run on the database itself.").next("mend the migration and push"))
        }
    };
    rehearsals.keep(what, shown.clone(), job.now());
    Ok(shown.map(Some))
}

/// The same for what is applied and is to be taken back, in this order.
pub(super) async fn rehearsal_back(
    job: &Job<'_>,
    at_hand: &FolderAndDatabase,
    history: &History,
    back: &[Migration],
) -> Result<Rehearsal, Trouble> {
    let on = job.environment()?.rehearse.clone();
    if on.is_none() && at_hand.database.dialect() == Dialect::Postgres {
        return Ok(Rehearsal::Not { why: NOT_CONFIGURED.to_owned() });
    }
    // What is pending is never applied, so that one is not taken for the other.
    let what = What {
        environment: job.release.request.key.clone(),
        on,
        applied: history.versions().cloned().collect(),
        pending: back.iter().map(|m| (m.version.clone(), m.checksum.clone(), hash_of_way_back(m))).collect(),
    };
    let rehearsals = &job.executor.rehearsals;
    if let Some(Ok(shown)) = rehearsals.find(&what, job.now()) {
        return Ok(shown);
    }
    let held = match place(job, at_hand, what.on.as_ref()).await {
        Ok((url, options)) => rehearse_back(&at_hand.url, &url, back, &options).await,
        Err(error) => Err(error),
    };
    let shown = match held {
        Ok(trials) => Rehearsal::Done { trials },
        Err(error) => Rehearsal::Not { why: error.to_string() },
    };
    rehearsals.keep(what, Ok(shown.clone()), job.now());
    Ok(shown)
}

/// From its first statement on such a file fails, as it would not where it is continued.
fn left_half_done(half_done: &[HalfDoneMigration]) -> Option<Rehearsal> {
    let file = &half_done.first()?.file;
    Some(Rehearsal::Not { why: format!("an earlier run left {file} half done") })
}

async fn hold(
    job: &Job<'_>,
    at_hand: &FolderAndDatabase,
    pending: &[Migration],
    on: Option<&Rehearse>,
) -> Result<Rehearsal, RehearsalError> {
    let (url, options) = place(job, at_hand, on).await?;
    let trials = rehearse(&*at_hand.database, &at_hand.url, &url, &at_hand.folder, pending, &options).await?;
    Ok(Rehearsal::Done { trials })
}

/// Where it is held.
async fn place(
    job: &Job<'_>,
    at_hand: &FolderAndDatabase,
    on: Option<&Rehearse>,
) -> Result<(DatabaseUrl, RehearsalOptions), RehearsalError> {
    let mut options = RehearsalOptions::default();
    let Some(Rehearse { server, same_server }) = on else { return Ok((at_hand.url.clone(), options)) };
    options.same_server = *same_server;
    let url = job.executor.outside.secrets.value(&server.secret, &server.key).await;
    let url = url.map_err(|error| RehearsalError::Unavailable(error.to_string()))?;
    let url = DatabaseUrl::parse(url.expose_secret());
    let url = url.map_err(|error| RehearsalError::Unavailable(format!("the rehearsal server: {error}")))?;
    Ok((url, options))
}

fn hash_of_way_back(migration: &Migration) -> u64 {
    let mut hasher = DefaultHasher::new();
    for statement in &migration.down {
        statement.text.hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(version: u64) -> What {
        What {
            environment: EnvironmentKey {
                service: slipway_core::ids::ServiceName::new("goals"),
                environment: slipway_core::ids::EnvironmentName::new("staging"),
            },
            on: None,
            applied: vec![],
            pending: vec![(Version::from(version), "checksum".to_owned(), 0)],
        }
    }

    #[test]
    fn what_is_half_done_is_not_tried_from_the_beginning() {
        assert_eq!(left_half_done(&[]), None);
        let file = "2_add_index.sql".to_owned();
        let half = HalfDoneMigration { version: Version::from(2), file, done: 1, total: 3, error: None, outlook: None };
        let why = "an earlier run left 2_add_index.sql half done".to_owned();
        assert_eq!(left_half_done(&[half]), Some(Rehearsal::Not { why }));
    }

    #[test]
    fn what_was_shown_is_good_for_a_time_and_for_the_same_only() {
        let rehearsals = Rehearsals::default();
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        let after = |seconds| now + SignedDuration::from_secs(seconds);
        let done = Ok(Rehearsal::Done { trials: vec![] });
        rehearsals.keep(what(1), done.clone(), now);
        assert_eq!(rehearsals.find(&what(1), after(KEPT_S - 1)), Some(done.clone()));
        assert_eq!(rehearsals.find(&what(2), now), None);
        assert_eq!(rehearsals.find(&what(1), after(KEPT_S)), None);
        for short in [Ok(Rehearsal::Not { why: "no answer".to_owned() }), Err(Failure::new("failed"))] {
            rehearsals.keep(what(1), short.clone(), now);
            assert_eq!(rehearsals.find(&what(1), after(KEPT_AFTER_FAILURE_S - 1)), Some(short));
            assert_eq!(rehearsals.find(&what(1), after(KEPT_AFTER_FAILURE_S)), None);
        }
        for version in 0..=KEPT_LIMIT as u64 {
            rehearsals.keep(what(version), done.clone(), now);
        }
        assert_eq!(rehearsals.find(&what(0), now), None, "the oldest has made room");
        assert_eq!(rehearsals.find(&what(1), now), Some(done));
    }
}
