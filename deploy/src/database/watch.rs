//! Looking at a statement of PostgreSQL while it runs, and breaking it off. Both go through a second connection, which is
//! made only when the statement takes long enough, or somebody wants it to stop.

use super::run::{RunNews, Step};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _, raw_sql};
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// How often a statement that runs is looked at, and after what time first.
const LOOK_MS: u64 = 1_000;
/// A statement that waits for a lock is looked at after this part of its lock timeout: afterwards nobody knows any more whom
/// it waited for.
const LOCK_LOOK_PART: u32 = 4;
/// How long making the second connection, or a question on it, may take.
const ANSWER_LIMIT_S: u64 = 5;
/// How often the server is asked to break a statement off before its session is ended.
const CANCEL_LIMIT: u32 = 20;
/// How often it may stay without an answer, beyond that, before the session is given up.
const UNANSWERED_LIMIT: u32 = 10;
/// The pause between two of those.
const CANCEL_PAUSE_MS: u64 = 500;

/// The progress views: what the server does, since which version, and the view. Each gives `phase`, `done` and `total`, the
/// session that is waited for in `locker`.
const PROGRESS: [(&str, u32, &str); 5] = [
    (
        "building an index",
        12,
        "SELECT phase, CASE WHEN blocks_total > 0 THEN blocks_done WHEN tuples_total > 0 THEN tuples_done ELSE \
         lockers_done END AS done, CASE WHEN blocks_total > 0 THEN blocks_total WHEN tuples_total > 0 THEN tuples_total \
         ELSE lockers_total END AS total, nullif(current_locker_pid, 0)::integer AS locker FROM \
         pg_stat_progress_create_index",
    ),
    (
        "writing the table anew",
        12,
        "SELECT phase, heap_blks_scanned AS done, heap_blks_total AS total, NULL::integer AS locker FROM \
         pg_stat_progress_cluster",
    ),
    (
        "vacuuming",
        10,
        "SELECT phase, heap_blks_scanned AS done, heap_blks_total AS total, NULL::integer AS locker FROM \
         pg_stat_progress_vacuum",
    ),
    (
        "analyzing",
        13,
        "SELECT phase, sample_blks_scanned AS done, sample_blks_total AS total, NULL::integer AS locker FROM \
         pg_stat_progress_analyze",
    ),
    (
        "copying",
        14,
        "SELECT NULL AS phase, bytes_processed AS done, bytes_total AS total, NULL::integer AS locker FROM \
         pg_stat_progress_copy",
    ),
];

/// Whom a statement waits for, as it was last seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LockWait {
    /// The table, as the search path of a new session has it.
    pub(super) table: Option<String>,
    /// Who holds it: `pid 4711 (ana, psql, idle in transaction since 09:12:30 UTC)`.
    pub(super) holders: Vec<String>,
}

/// Somebody whom a statement waits for: `pid 4711 (ana, psql, idle in transaction since 09:12:30 UTC)`. What a user may not see
/// of another one is left out.
const HOLDER: &str = "'pid ' || b.pid || ' (' || concat_ws(', ', b.usename::text, nullif(b.application_name, ''), b.state || \
    coalesce(' since ' || to_char(b.state_change AT TIME ZONE 'UTC', CASE WHEN b.state_change > now() - interval '12 hours' \
    THEN 'HH24:MI:SS' ELSE 'YYYY-MM-DD HH24:MI' END) || ' UTC', '')) || ')'";

/// Who is watched, and from where.
pub(super) struct Watch<'a> {
    /// The address of the database.
    pub(super) options: &'a PgConnectOptions,
    /// The server's process that runs the statement.
    pub(super) pid: i32,
    /// The statement.
    pub(super) step: &'a Step<'a>,
}

/// Waits for a statement, tells what it does, and has it broken off when somebody wants that. The second value says whether
/// the server was asked to: such a request may still be on its way when the statement has ended by itself, so the session
/// has to ask something harmless before it does anything else. No outcome: neither the statement nor the server answers, so
/// the session is to be given up. The last value says whom it waited for.
pub(super) async fn watched<T>(statement: impl Future<Output = T>, watch: &Watch<'_>) -> (Option<T>, bool, LockWait) {
    let mut statement = pin!(statement);
    let begun = Instant::now();
    let mut cancel = watch.step.run.cancel.clone();
    let mut observer = Observer { watch, connection: None };
    let usual = Duration::from_millis(LOOK_MS);
    let mut pause = usual.min(watch.step.run.options.lock_timeout / LOCK_LOOK_PART);
    let mut waits = LockWait::default();
    loop {
        tokio::select! {
            biased;
            outcome = &mut statement => return (Some(outcome), false, waits),
            () = cancel.asked() => break,
            () = sleep(pause) => {}
        }
        let is_long = begun.elapsed() >= usual;
        let look = async {
            let seen = observer.look().await;
            if is_long {
                watch.step.run.journal.news(news(watch.step, begun.elapsed(), seen.phase, seen.permille)).await;
            }
            seen.waits
        };
        tokio::select! {
            biased;
            outcome = &mut statement => return (Some(outcome), false, waits),
            () = cancel.asked() => break,
            seen = look => waits = seen,
        }
        pause = if is_long { usual } else { usual.saturating_sub(begun.elapsed()) };
    }
    // The look that was perhaps under way has left its connection in the middle of an answer.
    observer.connection = None;
    let (mut asked, mut unanswered) = (0_u32, 0_u32);
    while asked <= CANCEL_LIMIT || unanswered < UNANSWERED_LIMIT {
        // This is not dropped half way: whether the request was sent must be known.
        unanswered = if observer.break_off(asked >= CANCEL_LIMIT).await { 0 } else { unanswered + 1 };
        asked += 1;
        tokio::select! {
            biased;
            outcome = &mut statement => return (Some(outcome), true, waits),
            () = sleep(Duration::from_millis(CANCEL_PAUSE_MS)) => {}
        }
    }
    (None, true, waits)
}

/// Waits for a statement and tells from time to time for how long it runs.
pub(super) async fn timed<T>(statement: impl Future<Output = T>, step: &Step<'_>) -> T {
    let mut statement = pin!(statement);
    let begun = Instant::now();
    loop {
        tokio::select! {
            biased;
            outcome = &mut statement => return outcome,
            () = sleep(Duration::from_millis(LOOK_MS)) => step.run.journal.news(news(step, begun.elapsed(), None, None)).await,
        }
    }
}

fn news(step: &Step<'_>, running: Duration, phase: Option<String>, permille: Option<u16>) -> RunNews {
    let (version, index, total) = (step.migration.version.clone(), step.index, step.total);
    RunNews::Statement { version, index, total, running, phase, permille }
}

/// What is seen of a statement.
#[derive(Default)]
struct Looked {
    phase: Option<String>,
    permille: Option<u16>,
    waits: LockWait,
}

/// The second connection.
struct Observer<'a> {
    watch: &'a Watch<'a>,
    connection: Option<(PgConnection, u32)>,
}

impl Observer<'_> {
    /// What the statement does and how far it is, as far as can be seen.
    async fn look(&mut self) -> Looked {
        let limit = Duration::from_secs(ANSWER_LIMIT_S);
        match timeout(limit, self.see()).await {
            Ok(Ok(seen)) => seen,
            Ok(Err(_)) | Err(_) => {
                self.connection = None;
                let phase = "what it does cannot be seen: there is no second connection to the database".to_owned();
                Looked { phase: Some(phase), ..Looked::default() }
            }
        }
    }

    async fn see(&mut self) -> Result<Looked, sqlx::Error> {
        let pid = self.watch.pid;
        let (connection, version) = self.connected().await?;
        let version = *version;
        let parts = PROGRESS.iter().filter(|(_, since, _)| version >= *since);
        let parts: Vec<_> = parts
            .map(|(does, _, view)| format!("SELECT '{does}' AS does, v.* FROM ({view} WHERE pid = {pid}) v"))
            .collect();
        let query = format!(
            "SELECT p.does, p.phase::text, p.done::bigint, p.total::bigint, (SELECT string_agg('pid ' || b.pid || ' (' || \
             concat_ws(', ', b.usename::text, nullif(b.application_name, '')) || ')', ', ' ORDER BY b.pid) FROM \
             pg_stat_activity b WHERE b.pid = p.locker OR b.pid = ANY (pg_blocking_pids({pid}))) AS holders, (SELECT \
             l.relation::regclass::text FROM pg_locks l WHERE l.pid = {pid} AND NOT l.granted AND l.relation IS NOT NULL \
             LIMIT 1) AS waits_on, (SELECT string_agg({HOLDER}, E'\\n' ORDER BY b.pid) FROM pg_stat_activity b WHERE b.pid = \
             ANY (pg_blocking_pids({pid}))) AS held_by FROM (SELECT 1) one LEFT JOIN ({}) p ON true",
            parts.join(" UNION ALL ")
        );
        let rows = raw_sql(AssertSqlSafe(query)).fetch_all(&mut *connection).await?;
        rows.first().map_or_else(|| Ok(Looked::default()), seen)
    }

    async fn connected(&mut self) -> Result<&mut (PgConnection, u32), sqlx::Error> {
        if self.connection.is_none() {
            let mut connection = self.watch.options.clone().application_name("slipway watch").connect().await?;
            let row = raw_sql("SELECT current_setting('server_version_num')::integer / 10000")
                .fetch_one(&mut connection)
                .await?;
            let version: i32 = row.try_get(0)?;
            self.connection = Some((connection, u32::try_from(version).unwrap_or(0)));
        }
        self.connection.as_mut().ok_or(sqlx::Error::WorkerCrashed)
    }

    /// Asks the server to break the statement off, or to end its session. Whether it answered; it is asked again.
    async fn break_off(&mut self, for_good: bool) -> bool {
        let function = if for_good { "pg_terminate_backend" } else { "pg_cancel_backend" };
        let pid = self.watch.pid;
        let ask = async {
            let (connection, _) = self.connected().await?;
            raw_sql(AssertSqlSafe(format!("SELECT {function}({pid})"))).execute(connection).await
        };
        let asked = timeout(Duration::from_secs(ANSWER_LIMIT_S), ask).await;
        let answered = matches!(asked, Ok(Ok(_)));
        if !answered {
            tracing::warn!(pid, "the statement could not be broken off yet");
            self.connection = None;
        }
        answered
    }
}

/// What a row says: `building an index: waiting for writers before build, waits for pid 4711 (ana, psql)`.
fn seen(row: &PgRow) -> Result<Looked, sqlx::Error> {
    let (does, phase): (Option<String>, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
    let (done, total): (Option<i64>, Option<i64>) = (row.try_get(2)?, row.try_get(3)?);
    let holders: Option<String> = row.try_get(4)?;
    let does = does.map(|does| phase.map_or_else(|| does.clone(), |phase| format!("{does}: {phase}")));
    let waits = holders.map(|holders| format!("waits for {holders}"));
    let words: Vec<_> = does.into_iter().chain(waits).collect();
    let permille = match (done, total) {
        (Some(done), Some(total)) if total > 0 => u16::try_from(done.clamp(0, total).saturating_mul(1000) / total).ok(),
        _ => None,
    };
    let held_by: Option<String> = row.try_get(6)?;
    let holders = held_by.unwrap_or_default().lines().map(str::to_owned).collect();
    let waits = LockWait { table: row.try_get(5)?, holders };
    Ok(Looked { phase: (!words.is_empty()).then(|| words.join(", ")), permille, waits })
}
