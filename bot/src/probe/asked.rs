//! What probes have in common: a line for each thing that was asked, and answers that do not come.

use super::{PROBE_TIMEOUT, ProbeResult};
use std::time::Duration;

/// A line of the answer: what it is about, and what was found.
pub(super) type Row = (String, ProbeResult);

/// What was asked of the outside, or the line that says why not: that nothing came in time, or what `failed` makes of an
/// error.
pub(super) async fn within_limit<T, E>(
    whom: &str,
    failed: impl FnOnce(E) -> ProbeResult,
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, ProbeResult> {
    let answer = tokio::time::timeout(PROBE_TIMEOUT, asked).await;
    answer.map_or_else(|_| Err(too_slow(PROBE_TIMEOUT, whom)), |answer| answer.map_err(failed))
}

/// The line about whoever does not answer.
pub(super) fn too_slow(limit: Duration, whom: &str) -> ProbeResult {
    let says = format!("no answer within {} seconds", limit.as_secs());
    ProbeResult::fail(says, format!("check that this machine reaches {whom}, then try again"))
}

/// Rows as `slipway check` shows them.
#[cfg(test)]
pub(super) fn shown(rows: &[Row]) -> String {
    let line = |(name, ProbeResult { ok, says, mend }): &Row| {
        let mark = match (ok, mend.is_empty()) {
            (true, true) => "ok  ",
            (true, false) => "warn",
            (false, _) => "FAIL",
        };
        let mend = if mend.is_empty() { String::new() } else { format!("\n      → {mend}") };
        format!("{mark}  {name}  {says}{mend}")
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
