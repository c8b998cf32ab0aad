//! The executor: leases what is due, records the intent, observes the outside, acts if still needed, and puts
//! the outcome in the inbox. Never inside a transaction.

mod announce;
mod bypasses;
pub(crate) use aftermath::named as operation_named;
pub(crate) use announce::DURATIONS_LIMIT;
pub use rehearse::Rehearsals;

#[cfg(test)]
pub(crate) use paths::no_image as no_image_of_one;
mod aftermath;
mod audited;
mod between;
mod build;
mod build_tag;
mod by_hand;
mod configured;
mod deploy;
mod gather;
mod green;
mod hands;
mod held;
mod look;
mod migrate;
mod observe;
mod paths;
mod promote;
mod pull_requests;
mod rehearse;
mod report;
mod rerun;
mod resolve;
mod ship;
mod taken_out;
mod together;
mod trouble;
mod verify;
pub(crate) mod workflows;

use crate::clock::Clock;
use crate::defects::caught;
use crate::engine::{Incoming, Signals};
use crate::members::Members;
use crate::outside::Outside;
use crate::rest;
use crate::setup::{EnvironmentSetup, ServiceSetup, Setup};
use crate::store::{EffectRow, IntentRefused, Store, StoreError, UnreadableEffect};
use hands::{Hands, InHand};
use serde_json::json;
use slipway_core::ids::{CommitSha, EnvironmentKey};
use slipway_core::plan::Plan;
use slipway_core::release::{Effect, Event, Failure, Release, Step};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tracing::{Instrument as _, error, info, info_span, warn};

/// How many effects are worked on at once.
const EFFECTS_AT_ONCE_LIMIT: usize = 16;
/// How long a lease is; it is renewed at a third of that while the work goes on.
const LEASE_MS: i64 = 30_000;
/// How often in a row an effect may fail for reasons that pass before its step fails.
const FAILURES_LIMIT: i64 = 8;
/// The same for following an operation, about an hour: it goes on whether or not it can be seen, and its own word is
/// the only one that counts. So it is for a pull request, whose merge may have happened, and which people review for hours,
/// and for a tag that nobody else takes away.
const FOLLOW_FAILURES_LIMIT: i64 = 66;
/// The longest rest after a failure.
const BACKOFF_LIMIT_MS: i64 = 60_000;

/// The longest rest that the outside may ask for: GitHub counts its requests by the hour.
const NAMED_REST_LIMIT_MS: i64 = 3_660_000;

/// How an effect went.
pub(crate) enum Done {
    /// It is over, and this happened.
    Event(Event),
    /// It is over, and nothing follows for the release: only this is recorded.
    Recorded {
        /// Its kind in the audit log.
        kind: &'static str,
        /// What was done.
        body: serde_json::Value,
    },
    /// The gate should look at the release.
    Judge,
    /// Look again later; there may be news meanwhile.
    Again {
        /// In how many milliseconds.
        after_ms: i64,
        /// What to show meanwhile, when it changed.
        news: Option<Event>,
    },
}

/// Why an effect did not come to an end.
#[derive(Debug, Error)]
pub(crate) enum Trouble {
    /// It may work later: a timeout, a throttle, an outage.
    #[error("{0}")]
    Passing(String),
    /// It will not work later either.
    #[error("{}", .0.what)]
    Final(Box<Failure>),
    /// Nobody wants it any more.
    #[error("no longer wanted")]
    Abandoned,
    /// Our own store failed; the lease will run out and it is tried again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It will not work before a moment that the outside has named.
    #[error("{what}")]
    Limited {
        /// What was said.
        what: String,
        /// The moment.
        at: jiff::Timestamp,
    },
}

impl From<IntentRefused> for Trouble {
    fn from(refused: IntentRefused) -> Self {
        match refused {
            IntentRefused::Abandoned => Self::Abandoned,
            IntentRefused::Store(error) => Self::Store(error),
        }
    }
}

/// The executor with all it needs.
#[derive(Clone, Debug)]
pub struct Executor {
    /// The store.
    pub store: Store,
    /// Configuration and people.
    pub setup: Arc<Setup>,
    /// GitHub, AWS, databases.
    pub outside: Arc<Outside>,
    /// Who is in the teams.
    pub members: Arc<Members>,
    /// What the last rehearsals showed.
    pub rehearsals: Arc<Rehearsals>,
    /// The clock.
    pub clock: Clock,
    /// Signals.
    pub signals: Signals,
    /// This process, as the owner of leases.
    pub owner: String,
}

/// One effect being worked on.
pub(crate) struct Job<'a> {
    pub(crate) executor: &'a Executor,
    pub(crate) row: &'a EffectRow,
    pub(crate) release: &'a Release,
}

impl Executor {
    /// Works for ever.
    pub async fn run(self) {
        let hands = Hands::new(EFFECTS_AT_ONCE_LIMIT);
        loop {
            match self.lease(&hands).await {
                Ok(leased) if !leased.is_empty() => {
                    for (row, in_hand) in leased {
                        let executor = self.clone();
                        let span = info_span!("effect", release = %row.release, kind = row.effect.name(), id = row.id);
                        tokio::spawn(
                            async move {
                                executor.work(row).await;
                                drop(in_hand);
                                executor.signals.effects.notify_one();
                            }
                            .instrument(span),
                        );
                    }
                }
                Ok(_) => self.rest(&hands).await,
                Err(error) => {
                    error!(%error, "effects could not be leased");
                    tokio::time::sleep(rest::AFTER_FAILURE).await;
                }
            }
        }
    }

    async fn lease(&self, hands: &Hands) -> Result<Vec<(EffectRow, InHand)>, StoreError> {
        let free = hands.free();
        if free == 0 {
            return Ok(vec![]);
        }
        let rows = self.store.effects_lease(&self.owner, self.clock.now_ms(), LEASE_MS, free, &hands.held()).await?;
        let mut leased = Vec::new();
        for row in rows {
            match row {
                Ok(row) => leased.extend(hands.take(row.id).map(|in_hand| (row, in_hand))),
                // What was leased beside it would rest until its lease has run out.
                Err(row) => {
                    if let Err(error) = self.give_up(&row).await {
                        error!(%error, id = row.id, "an effect that cannot be read could not be given up");
                    }
                }
            }
        }
        Ok(leased)
    }

    /// An effect that cannot be read will never have an outcome: the release that waits for it fails.
    async fn give_up(&self, row: &UnreadableEffect) -> Result<(), StoreError> {
        error!(release = %row.release, id = row.id, error = row.error, "an effect cannot be read and is given up");
        let failure = Failure::new(format!("{}.", row.error)).next("/release retry");
        let release = self.store.release(&row.release).await.ok().flatten().map(|stored| stored.release);
        let record = self.record_of_unreadable(row, release.as_ref());
        let outcome = release.and_then(|release| Incoming::failure(&release, failure, self.clock.now()));
        self.store.effect_given_up(row, outcome.as_ref(), record, &self.clock).await?;
        self.signals.inbox.notify_one();
        Ok(())
    }

    /// Rests until a signal, until the next effect is due, or a second at most. While all hands are full, what is
    /// due must wait for one of them, and each gives a signal.
    async fn rest(&self, hands: &Hands) {
        let due = match hands.free() {
            0 => None,
            _ => self.store.effect_next_due_ms(&hands.held()).await.ok().flatten(),
        };
        rest::until_due(self.signals.effects.notified(), due, self.clock.now_ms()).await;
    }

    pub(crate) async fn work(&self, row: EffectRow) {
        // A defect that panics counts as a failure; otherwise its lease would run out and it would panic for ever.
        let perform = caught(row.effect.name(), Box::pin(self.perform(&row)));
        let result = tokio::select! {
            result = perform => result.unwrap_or_else(|panicked| Err(Trouble::Passing(format!("{panicked}.")))),
            () = self.keep_lease(&row) => Err(Trouble::Abandoned),
        };
        let settled = match result {
            Ok(done) => self.settle(&row, done).await,
            Err(trouble) => self.settle_trouble(&row, trouble).await,
        };
        if let Err(error) = settled {
            // The lease runs out and somebody looks again.
            error!(%error, "the outcome of an effect could not be stored");
        }
        self.signals.inbox.notify_one();
    }

    /// Renews the lease while the work goes on; returns when it is lost.
    async fn keep_lease(&self, row: &EffectRow) {
        let mut ticks = tokio::time::interval(Duration::from_millis(u64::try_from(LEASE_MS / 3).unwrap_or(1)));
        ticks.tick().await;
        loop {
            ticks.tick().await;
            match self.store.effect_renew(row, self.clock.now_ms() + LEASE_MS).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => warn!(%error, "a lease could not be renewed"),
            }
        }
    }

    async fn perform(&self, row: &EffectRow) -> Result<Done, Trouble> {
        let Some(stored) = self.store.release(&row.release).await? else { return Err(Trouble::Abandoned) };
        let release = stored.release;
        if release.phase.is_end() && row.effect.ends_with_release() {
            return Err(Trouble::Abandoned);
        }
        let job = Job { executor: self, row, release: &release };
        match &row.effect {
            Effect::Resolve => resolve::resolve(&job).await,
            Effect::AwaitBuild => build::await_build(&job).await,
            Effect::Dispatch => build::dispatch(&job).await,
            Effect::Gather => gather::gather(&job).await,
            Effect::ObserveCi => observe::ci(&job).await,
            Effect::ObserveImage => observe::image(&job).await,
            Effect::Migrate => migrate::migrate(&job).await,
            Effect::Deploy { target } => deploy::start(&job, *target).await,
            Effect::Follow { target, operation } => deploy::follow(&job, *target, operation).await,
            Effect::Verify => verify::verify(&job).await,
            Effect::JudgeAt { .. } => Ok(Done::Judge),
            Effect::ExpireAt { at } => Ok(Done::Event(Event::TimedOut { at: *at })),
            Effect::Tell { people, what } => announce::tell(&job, people, what).await,
            Effect::Announce => announce::announce(&job).await,
            Effect::Promote { tag } => promote::promote(&job, tag).await,
            Effect::Report => report::report(&job).await,
            Effect::AwaitPull => ship::await_pull(&job).await,
            Effect::MergePull => Box::pin(ship::merge_pull(&job)).await,
            Effect::RemoveTag { tag } => Box::pin(build_tag::remove(&job, tag)).await,
        }
    }

    async fn settle(&self, row: &EffectRow, done: Done) -> Result<(), StoreError> {
        let happened = |event| Incoming::Happened { release: row.release.clone(), event };
        match done {
            Done::Event(event) => self.store.effect_done(row, &happened(event), &self.clock).await,
            Done::Recorded { kind, body } => {
                let record = self.record_of(row, kind, body).await;
                self.store.effect_closed(row, record, &self.clock).await
            }
            Done::Judge => {
                let judge = Incoming::Judge { release: row.release.clone() };
                self.store.effect_done(row, &judge, &self.clock).await
            }
            Done::Again { after_ms, news } => {
                let news = news.map(happened);
                let at = self.clock.now_ms() + after_ms;
                self.store.effect_again(row, at, 0, news.as_ref(), &self.clock).await
            }
        }
    }

    /// The rest after so many failures in a row and one more.
    fn backoff_ms(&self, failures: i64) -> i64 {
        rest::backoff_from_ms(self.setup.pace.retry_ms(rest::BACKOFF_FIRST_MS), failures, BACKOFF_LIMIT_MS)
    }

    pub(crate) async fn settle_trouble(&self, row: &EffectRow, trouble: Trouble) -> Result<(), StoreError> {
        match trouble {
            Trouble::Abandoned => {
                info!("no longer wanted");
                self.settle(row, Done::Recorded { kind: audited::ABANDONED, body: json!({}) }).await
            }
            Trouble::Store(error) => Err(error),
            Trouble::Final(failure) => {
                warn!(what = failure.what, "this cannot work");
                self.settle(row, failing(&row.effect, *failure, self.clock.now())).await
            }
            Trouble::Passing(what) if row.failures + 1 >= failures_limit(&row.effect) => {
                let tries = row.failures + 1;
                warn!(%what, tries, "given up");
                let failure = Failure::new(what).detail(format!("Tried {tries} times.")).next("/release retry");
                self.settle(row, failing(&row.effect, failure, self.clock.now())).await
            }
            Trouble::Limited { what, at } if row.failures + 1 < failures_limit(&row.effect) => {
                warn!(%what, failures = row.failures + 1, "tried again when it is listened to again");
                let now = self.clock.now_ms();
                let named = at.as_millisecond().clamp(now, now + NAMED_REST_LIMIT_MS);
                let at = named.max(now + self.backoff_ms(row.failures));
                let news = self.held_up(row, &what).await;
                self.store.effect_again(row, at, row.failures + 1, news.as_ref(), &self.clock).await
            }
            Trouble::Limited { what, .. } => Box::pin(self.settle_trouble(row, Trouble::Passing(what))).await,
            Trouble::Passing(what) => {
                warn!(%what, failures = row.failures + 1, "tried again later");
                let at = self.clock.now_ms() + self.backoff_ms(row.failures);
                let news = self.held_up(row, &what).await;
                self.store.effect_again(row, at, row.failures + 1, news.as_ref(), &self.clock).await
            }
        }
    }
}

impl Job<'_> {
    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.executor.clock.now()
    }

    /// The release's service, as configured now.
    pub(crate) fn service(&self) -> Result<&ServiceSetup, Trouble> {
        let name = &self.release.request.key.service;
        self.executor.setup.service(name).ok_or_else(|| no_longer_configured(&self.release.request.key))
    }

    /// The release's environment, as configured now.
    pub(crate) fn environment(&self) -> Result<&EnvironmentSetup, Trouble> {
        let key = &self.release.request.key;
        self.executor.setup.environment(key).ok_or_else(|| no_longer_configured(key))
    }

    /// The plan. Every effect that asks for it comes after planning; the release waits, so its lack is a failure.
    pub(crate) fn plan(&self) -> Result<&Plan, Trouble> {
        self.release.plan.as_ref().ok_or_else(|| Trouble::lasting(&"The release has no plan."))
    }

    /// The commit. Every effect that asks for it comes after the reference was resolved.
    pub(crate) fn commit(&self) -> Result<&CommitSha, Trouble> {
        self.release.commit.as_ref().ok_or_else(|| Trouble::lasting(&"The release has no commit."))
    }

    /// What was recorded before an earlier try of this effect.
    pub(crate) fn intent<T: serde::de::DeserializeOwned>(&self) -> Result<Option<T>, Trouble> {
        let intent = self.row.intent.clone().unwrap_or_default();
        // Trying again would not make it readable, and acting without it could act twice.
        serde_json::from_value(intent).map_err(|error| {
            let error = StoreError::Unreadable { what: "an intent", error: error.to_string() };
            Trouble::Final(Box::new(Failure::new(error.to_string()).detail("It may have been acted on already.")))
        })
    }

    pub(crate) fn succeeded(&self, step: Step, detail: impl Into<String>) -> Done {
        Done::Event(Event::StepSucceeded { step, detail: detail.into(), at: self.now() })
    }

    pub(crate) fn failed(&self, step: Step, failure: Failure) -> Done {
        Done::Event(Event::StepFailed { step, failure, rolled_back: false, at: self.now() })
    }

    pub(crate) fn planning_failed(&self, step: Option<Step>, failure: Failure) -> Done {
        Done::Event(Event::PlanningFailed { step, failure, at: self.now() })
    }

    /// News of the running step, unless the card shows just that already.
    pub(crate) fn progress(&self, step: Step, detail: String, permille: Option<u16>) -> Option<Event> {
        let shown = self.release.steps.get(step);
        let changed = shown.detail.as_deref() != Some(&detail) || shown.permille != permille;
        changed.then_some(Event::Progress { step, detail, permille })
    }
}

fn no_longer_configured(key: &EnvironmentKey) -> Trouble {
    let what = format!("{key} is no longer in the configuration.");
    Trouble::Final(Box::new(Failure::new(what).final_for_request()))
}

fn failures_limit(effect: &Effect) -> i64 {
    if matches!(effect, Effect::Follow { .. } | Effect::AwaitPull | Effect::MergePull | Effect::RemoveTag { .. }) {
        FOLLOW_FAILURES_LIMIT
    } else {
        FAILURES_LIMIT
    }
}

/// What an effect's failure is for its release, if it is anything.
fn failing(effect: &Effect, failure: Failure, at: jiff::Timestamp) -> Done {
    let step = match effect {
        Effect::MergePull => {
            let failure = failure.detail(slipway_core::pull::UNCLEAR);
            return Done::Event(Event::PlanningFailed { step: None, failure, at });
        }
        Effect::Resolve | Effect::Gather | Effect::AwaitPull => {
            return Done::Event(Event::PlanningFailed { step: None, failure, at });
        }
        Effect::AwaitBuild | Effect::Dispatch => {
            return Done::Event(Event::PlanningFailed { step: Some(Step::Ci), failure, at });
        }
        Effect::ObserveCi => Step::Ci,
        Effect::ObserveImage => Step::Image,
        Effect::Migrate => Step::Migrate,
        Effect::Deploy { .. } | Effect::Follow { .. } => Step::Deploy,
        Effect::Verify => Step::Verify,
        Effect::Promote { tag } => {
            let problem = Some(failure.what);
            return Done::Event(Event::Promoted { tag: tag.clone(), problem, at });
        }
        Effect::JudgeAt { .. }
        | Effect::ExpireAt { .. }
        | Effect::Tell { .. }
        | Effect::Announce
        | Effect::Report
        | Effect::RemoveTag { .. } => {
            return Done::Recorded { kind: audited::GIVEN_UP, body: json!({ "failure": failure }) };
        }
    };
    Done::Event(Event::StepFailed { step, failure, rolled_back: false, at })
}
