//! Waiting for what the stand-ins of chats show.

use std::time::Duration;
use tokio::time::Instant;

/// How long a test waits for something that must come.
pub(crate) const WAIT_LIMIT: Duration = Duration::from_secs(60);
/// How much of the bot's log is shown when something does not come.
const TAIL_LINES: usize = 25;

/// Looks after every change until something is there; a look also says how far the changes are that it has seen.
/// `missing`: what to say when it does not come.
pub(crate) async fn until<T>(
    look: impl Fn() -> (u64, Option<T>),
    changed: impl AsyncFn(u64),
    missing: impl FnOnce() -> String,
) -> T {
    let deadline = Instant::now() + WAIT_LIMIT;
    loop {
        let (seq, found) = look();
        if let Some(found) = found {
            return found;
        }
        if tokio::time::timeout_at(deadline, changed(seq)).await.is_err() {
            panic!("{}", missing());
        }
    }
}

/// The end of a log.
pub(crate) fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

/// How far a stand-in's changes are, as its state says.
pub(crate) fn seq(state: &serde_json::Value) -> u64 {
    state["seq"].as_u64().unwrap()
}
