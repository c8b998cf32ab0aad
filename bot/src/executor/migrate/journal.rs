//! What the run tells while it goes on: how far it has come, kept with the effect, and news for the card.

use crate::engine::Incoming;
use crate::executor::{Job, Trouble};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use slipway_core::migration::{Migration, Version};
use slipway_core::release::{Event, Step};
use slipway_deploy::database::{JournalError, RunJournal, RunNews};
use std::sync::{Mutex, PoisonError};

/// News of a statement that runs are told no more often than this: a card shows no more.
const NEWS_EVERY_MS: i64 = 3_000;
/// While more than this waits in the inbox, news of a statement is left out: the next will tell more.
const NEWS_INBOX_LIMIT: i64 = 20;

/// Recorded before the first statement, and again as the run goes on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct MigrateIntent {
    /// What this release has applied, or taken back.
    pub(super) applied: Vec<Version>,
    /// Whether a run has begun that goes on with what an earlier one left half done.
    #[serde(default)]
    pub(super) goes_on: bool,
}

/// What was told last.
#[derive(Default)]
struct Shown {
    at_ms: i64,
    detail: String,
    told: u64,
}

/// Keeps in the effect's intent how far the run has come, so that it survives the process.
pub(super) struct Journal<'a> {
    job: &'a Job<'a>,
    total: usize,
    intent: Mutex<MigrateIntent>,
    shown: Mutex<Shown>,
}

impl<'a> Journal<'a> {
    pub(super) fn new(job: &'a Job<'a>, total: usize, intent: MigrateIntent) -> Self {
        Self { job, total, intent: Mutex::new(intent), shown: Mutex::default() }
    }

    pub(super) fn read(&self) -> MigrateIntent {
        self.intent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut MigrateIntent)) -> serde_json::Value {
        let mut intent = self.intent.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut intent);
        serde_json::json!(*intent)
    }

    /// Something is begun: the run, or a file.
    pub(super) async fn begin(&self, change: impl FnOnce(&mut MigrateIntent)) -> Result<(), Trouble> {
        let intent = self.change(change);
        self.job.intend(&intent).await
    }

    /// How far it has come.
    async fn write_down(&self, change: impl FnOnce(&mut MigrateIntent)) -> Result<(), JournalError> {
        let intent = self.change(change);
        self.job.note(&intent).await.map_err(journal_error)
    }

    /// Shows how far it has come. A courtesy: without it the run goes on.
    async fn tell(&self, key: &str, detail: String, permille: Option<u16>) {
        let event = Event::Progress { step: Step::Migrate, detail, permille };
        let news = Incoming::Happened { release: self.job.release.id.clone(), event };
        let key = format!("effect/{}/{key}", self.job.row.id);
        let executor = self.job.executor;
        if let Err(error) = executor.store.deliver(&key, &news, &executor.clock).await {
            tracing::warn!(%error, "progress was not stored");
        }
        executor.signals.inbox.notify_one();
    }

    /// Whether this is to be told now, and under which number: not too often, and not the same again.
    fn is_due(&self, detail: &str) -> Option<u64> {
        let now_ms = self.job.executor.clock.now_ms();
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.detail == detail || (shown.told > 0 && now_ms - shown.at_ms < NEWS_EVERY_MS) {
            return None;
        }
        *shown = Shown { at_ms: now_ms, detail: detail.to_owned(), told: shown.told + 1 };
        Some(shown.told)
    }
}

fn journal_error(trouble: Trouble) -> JournalError {
    JournalError(trouble.to_string())
}

#[async_trait]
impl RunJournal for Journal<'_> {
    async fn starting(&self, _migration: &Migration) -> Result<(), JournalError> {
        self.begin(|_| {}).await.map_err(journal_error)
    }

    async fn done(&self, migration: &Migration, _millis: u64) -> Result<(), JournalError> {
        self.write_down(|intent| intent.applied.push(migration.version.clone())).await?;
        let done = self.read().applied.len();
        let permille = permille(done, self.total, 0);
        self.tell(&format!("applied/{}", migration.version), format!("{done} of {}", self.total), permille).await;
        Ok(())
    }

    async fn news(&self, news: RunNews) {
        let done = self.read().applied.len();
        let (what, of_one) = words(&news);
        let detail = match &news {
            RunNews::AnotherRun { .. } => what,
            RunNews::Retry { .. } | RunNews::Statement { .. } => format!("{} of {} · {what}", done + 1, self.total),
        };
        let executor = self.job.executor;
        let waiting = executor.store.inbox_waiting().await.unwrap_or(i64::MAX);
        if waiting > NEWS_INBOX_LIMIT {
            return;
        }
        if let Some(number) = self.is_due(&detail) {
            // Another process that takes this over later counts from the beginning again.
            let key = format!("news/{}/{number}", executor.clock.now_ms());
            self.tell(&key, detail, permille(done, self.total, of_one.unwrap_or(0))).await;
        }
    }
}

fn permille(done: usize, total: usize, of_one: u16) -> Option<u16> {
    u16::try_from((done * 1000 + usize::from(of_one)) / total.max(1)).ok()
}

/// News in a few words, and how far the statement is.
fn words(news: &RunNews) -> (String, Option<u16>) {
    match news {
        RunNews::AnotherRun { waited } => {
            (format!("another migration run holds the lock, waiting for {} s", waited.as_secs()), None)
        }
        RunNews::Retry { retry, holders, .. } => {
            let times = if *retry == 1 { "once".to_owned() } else { format!("{retry} times") };
            match holders.as_slice() {
                [] => (format!("its locks are not to be had, tried again {times}"), None),
                // What a line has no room for is cut at its end.
                holders => (format!("tried again {times}, waits for {}", holders.join(", ")), None),
            }
        }
        RunNews::Statement { index, total, running, phase, permille, .. } => {
            let what = match phase {
                Some(phase) => phase.clone(),
                None => format!("statement {index} of {total}, running for {} s", running.as_secs()),
            };
            match permille {
                Some(permille) => (format!("{what}, {} %", permille / 10), Some(*permille)),
                None => (what, None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn news_is_told_in_a_few_words() {
        let statement = |phase: Option<&str>, permille| RunNews::Statement {
            version: 5.into(),
            index: 2,
            total: 3,
            running: Duration::from_secs(40),
            phase: phase.map(str::to_owned),
            permille,
        };
        let retry = |retry, holders: &[&str]| RunNews::Retry {
            version: 5.into(),
            retry,
            holders: holders.iter().map(|holder| (*holder).to_owned()).collect(),
            table: None,
        };
        let told = [
            RunNews::AnotherRun { waited: Duration::from_secs(20) },
            retry(1, &[]),
            retry(3, &["pid 4711 (ana, psql)"]),
            statement(Some("building index: scanning table"), Some(437)),
            statement(Some("waits for pid 4711 (ana, psql)"), None),
            statement(None, None),
        ]
        .map(|news| words(&news).0);
        expect_test::expect![[r#"
            another migration run holds the lock, waiting for 20 s
            its locks are not to be had, tried again once
            tried again 3 times, waits for pid 4711 (ana, psql)
            building index: scanning table, 43 %
            waits for pid 4711 (ana, psql)
            statement 2 of 3, running for 40 s"#]]
        .assert_eq(&told.join("\n"));
        assert_eq!([permille(1, 4, 500), permille(0, 0, 0), permille(4, 4, 0)], [Some(375), Some(0), Some(1000)]);
    }
}
