//! How long the loops of the bot rest: between looks, and after failures.

use std::time::Duration;

/// The longest rest before a loop looks by itself, should a signal have been lost.
pub(crate) const LOOK_ANYWAY_MS: u64 = 1_000;
/// The rest after the store has failed.
pub(crate) const AFTER_FAILURE: Duration = Duration::from_millis(500);
/// The rest after the first failure of a thing that is tried again; it doubles with each.
pub(crate) const BACKOFF_FIRST_MS: i64 = 500;
/// How often it doubles at most.
const BACKOFF_DOUBLINGS_LIMIT: i64 = 16;

/// Rests until a signal, until something is due, or a second at most.
pub(crate) async fn until_due(signal: impl Future, due_ms: Option<i64>, now_ms: i64) {
    let wait_ms =
        due_ms.map_or(LOOK_ANYWAY_MS, |due| u64::try_from(due - now_ms).unwrap_or(0).clamp(1, LOOK_ANYWAY_MS));
    // Both are fine: a signal, or the time to look.
    let _ = tokio::time::timeout(Duration::from_millis(wait_ms), signal).await;
}

/// Asks until there is an answer; each failure is told to `fails` first.
pub(crate) async fn until_told<T, E, A: Future<Output = Result<T, E>>>(
    limit_ms: i64,
    asks: impl Fn() -> A,
    fails: impl Fn(E),
) -> T {
    let mut failures = 0;
    loop {
        match asks().await {
            Ok(told) => return told,
            Err(error) => {
                fails(error);
                tokio::time::sleep(Duration::from_millis(backoff_ms(failures, limit_ms).unsigned_abs())).await;
                failures += 1;
            }
        }
    }
}

/// The rest after so many failures in a row and one more.
pub(crate) fn backoff_ms(failures: i64, limit_ms: i64) -> i64 {
    backoff_from_ms(BACKOFF_FIRST_MS, failures, limit_ms)
}

/// The same where the first rest is another.
pub(crate) fn backoff_from_ms(first_ms: i64, failures: i64, limit_ms: i64) -> i64 {
    (first_ms << failures.clamp(0, BACKOFF_DOUBLINGS_LIMIT)).min(limit_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_its_limit() {
        let rests: Vec<_> = [-1, 0, 1, 2, 7, 63].map(|failures| backoff_ms(failures, 60_000)).into();
        assert_eq!(rests, [500, 500, 1_000, 2_000, 60_000, 60_000]);
    }
}
