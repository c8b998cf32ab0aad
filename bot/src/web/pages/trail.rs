//! What the audit log says of one release.

use crate::audit_log::ROWS_PER_PAGE;
use crate::store::{AuditRow, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use slipway_core::audit::Record;
use slipway_core::ids::ReleaseId;
use slipway_core::message::Line;

/// How many records after the request are looked through; `slipway audit export` has all.
const LOOKED_THROUGH_LIMIT: usize = 20_000;
/// How many records of a release are shown.
const SHOWN_LIMIT: usize = 300;
/// How much earlier than the request its first record may say that it is: clocks are put right now and then.
const SLACK: SignedDuration = SignedDuration::from_mins(10);

/// The records of a release, oldest first: when, who, what.
pub(super) struct Trail {
    /// The cells.
    pub(super) rows: Vec<Vec<Line>>,
    /// Whether there may be more.
    pub(super) cut: bool,
}

/// Reads the trail of a release that was asked for at a moment.
pub(super) async fn of(store: &Store, id: &ReleaseId, asked: Timestamp) -> Result<Trail, StoreError> {
    let mut trail = Trail { rows: Vec::new(), cut: false };
    let mut next = begins(store, asked.checked_sub(SLACK).unwrap_or(asked)).await?;
    let mut looked = 0;
    loop {
        let page = store.audit_rows(next, ROWS_PER_PAGE).await?;
        let Some(last) = page.last() else { return Ok(trail) };
        let Some(after) = last.seq.checked_add(1) else { return Ok(trail) };
        next = after;
        looked += page.len();
        trail.rows.extend(page.iter().filter_map(|row| of_release(row, id)).map(|record| cells(&record)));
        if trail.rows.len() > SHOWN_LIMIT || looked >= LOOKED_THROUGH_LIMIT {
            trail.rows.truncate(SHOWN_LIMIT);
            trail.cut = true;
            return Ok(trail);
        }
    }
}

/// The number of the first record that is not older than a moment. Records are in the order of their time, so a few looks
/// find it however long the log is.
async fn begins(store: &Store, at: Timestamp) -> Result<i64, StoreError> {
    let is_older = async |number: i64| {
        let rows = store.audit_rows(number, 1).await?;
        Ok::<_, StoreError>(rows.first().map(|row| read(row).is_some_and(|record| record.at < at)))
    };
    let (mut older, mut step) = (0_i64, 1_i64);
    while is_older(older.saturating_add(step)).await? == Some(true) {
        older = older.saturating_add(step);
        step = step.saturating_mul(2);
    }
    let mut newer = older.saturating_add(step);
    while newer - older > 1 {
        let middle = older + (newer - older) / 2;
        match is_older(middle).await? {
            Some(true) => older = middle,
            Some(false) | None => newer = middle,
        }
    }
    Ok(newer)
}

fn read(row: &AuditRow) -> Option<Record> {
    serde_json::from_slice(&row.text).ok()
}

fn of_release(row: &AuditRow, id: &ReleaseId) -> Option<Record> {
    // Most are of others, and need not be taken apart.
    let named = std::str::from_utf8(&row.text).is_ok_and(|text| text.contains(id.as_str()));
    let record = named.then(|| read(row)).flatten()?;
    (record.columns().release == id.as_str()).then_some(record)
}

fn cells(record: &Record) -> Vec<Line> {
    let who = record.columns().person;
    let who = if who.is_empty() { Line::plain("–") } else { Line::default().untrusted(who) };
    vec![Line::default().time(record.at), who, what(record)]
}

/// `step succeeded: deploy · plan 5b3e91`.
fn what(record: &Record) -> Line {
    let text = |pointer: &str| record.body.pointer(pointer).and_then(Value::as_str);
    let mut line = Line::default().untrusted(record.kind.replace('_', " "));
    let more = ["/event/step", "/event/vote/stance", "/effect", "/act"].iter().find_map(|pointer| text(pointer));
    if let Some(more) = more {
        line = line.text(": ").untrusted(more.replace('_', " "));
    }
    for pointer in ["/event/failure/what", "/why", "/what", "/error"] {
        if let Some(said) = text(pointer) {
            line = line.text(" · ").untrusted(said);
        }
    }
    if let Some(phase) = text("/phase") {
        line = line.text(" → ").untrusted(phase.replace('_', " "));
    }
    match text("/plan").and_then(|plan| plan.get(..6)) {
        Some(plan) => line.text(" · plan ").code(plan),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use slipway_core::audit::Draft;

    const ID: &str = "01JD7Q4N5V0000000000000000";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    async fn store(records: impl IntoIterator<Item = (i64, &'static str, Value)>) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("s.db")).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        for (second, kind, body) in records {
            let draft = Draft { at: at(second), kind: kind.to_owned(), body, policy_hash: None };
            store.audit_append(&mut tx, draft).await.unwrap();
        }
        tx.commit().await.unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn the_records_of_a_release_are_found_in_a_long_log() {
        let others = (0..700).map(|n| (n * 60, "requested", json!({ "release": "01JD7Q4N6X0000000000000000" })));
        let own = [
            (42_000, "requested", json!({ "release": ID, "person": "ana", "phase": "planning" })),
            (42_001, "told", json!({ "release": "other", "text": ID })),
            (
                42_002,
                "step_failed",
                json!({ "release": ID, "plan": "5b3e91aa", "event": { "step": "deploy", "failure": { "what": "<b>" } } }),
            ),
        ];
        let (_folder, store) = store(others.chain(own)).await;
        let first = begins(&store, at(30_000)).await.unwrap();
        assert_eq!(first, 501, "the record of minute 500");
        assert_eq!(begins(&store, at(-1)).await.unwrap(), 1);
        assert_eq!(begins(&store, at(99_999)).await.unwrap(), 704, "behind the newest");
        let trail = of(&store, &ReleaseId::new(ID), at(42_000)).await.unwrap();
        let failed =
            Line::default().untrusted("step failed").text(": ").untrusted("deploy").text(" · ").untrusted("<b>");
        let asked = Line::default().untrusted("requested").text(" → ").untrusted("planning");
        assert_eq!(
            trail.rows,
            [
                vec![Line::default().time(at(42_000)), Line::default().untrusted("ana"), asked],
                vec![Line::default().time(at(42_002)), Line::plain("–"), failed.text(" · plan ").code("5b3e91")],
            ]
        );
        assert!(!trail.cut);
    }

    #[tokio::test]
    async fn a_long_trail_says_that_it_is_cut() {
        let many = (0..=i64::try_from(SHOWN_LIMIT).unwrap()).map(|n| (n, "told", json!({ "release": ID })));
        let (_folder, store) = store(many).await;
        let trail = of(&store, &ReleaseId::new(ID), at(0)).await.unwrap();
        assert_eq!((trail.rows.len(), trail.cut), (SHOWN_LIMIT, true));
    }
}
