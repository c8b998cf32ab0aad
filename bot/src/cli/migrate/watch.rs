//! Shows a run while it goes on, and stops it when somebody presses Ctrl-C.

use super::out::{Out, clean, duration, note};
use async_trait::async_trait;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use slipway_core::migration::{Migration, Version};
use slipway_deploy::database::{Cancel, CancelSwitch, JournalError, RunJournal, RunNews};
use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often the bar is drawn while nothing is heard.
const TICK_MS: u64 = 200;

/// Who is told what a run does: people at the terminal, and the document for `--json`.
pub(super) struct Watch {
    out: Out,
    bar: ProgressBar,
    done: Mutex<Vec<Value>>,
    /// What was said last of a long statement or of another run, so that a pipe does not fill with the same line.
    last: Mutex<String>,
}

impl Watch {
    pub(super) fn new(out: Out, total: usize) -> Self {
        let shows = !out.json && std::io::stderr().is_terminal() && std::io::stdout().is_terminal();
        let target = if shows { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} {elapsed} {wide_msg}") {
            bar.set_style(style.progress_chars("▰▰▱"));
        }
        if shows {
            bar.enable_steady_tick(Duration::from_millis(TICK_MS));
        }
        Self { out, bar, done: Mutex::default(), last: Mutex::default() }
    }

    /// Takes the bar away and gives what was done, for the document.
    pub(super) fn finish(&self) -> Vec<Value> {
        self.bar.finish_and_clear();
        self.done.lock().map(|done| done.clone()).unwrap_or_default()
    }

    fn line(&self, text: &str) {
        self.bar.suspend(|| self.out.line(text));
    }

    /// Says something that may come again and again: on a terminal beside the bar, elsewhere once.
    fn passing(&self, kind: &str, text: &str) {
        if !self.bar.is_hidden() {
            self.bar.set_message(text.to_owned());
            return;
        }
        let Ok(mut last) = self.last.lock() else { return };
        if *last != kind {
            kind.clone_into(&mut last);
            self.out.line(text);
        }
    }
}

#[async_trait]
impl RunJournal for Watch {
    async fn starting(&self, migration: &Migration) -> Result<(), JournalError> {
        self.bar.set_message(clean(&migration.file));
        Ok(())
    }

    async fn done(&self, migration: &Migration, millis: u64) -> Result<(), JournalError> {
        let took = duration(Duration::from_millis(millis));
        self.line(&format!("{} {}  {took}", self.out.paint.good("✔"), clean(&migration.file)));
        self.bar.inc(1);
        self.bar.set_message("");
        if let Ok(mut done) = self.done.lock() {
            done.push(json!({ "version": migration.version, "file": migration.file, "milliseconds": millis }));
        }
        Ok(())
    }

    async fn news(&self, news: RunNews) {
        match news {
            RunNews::AnotherRun { waited } => {
                self.passing("run", &format!("Another run holds the lock; waiting for {}.", duration(waited)));
            }
            RunNews::Retry { version, retry, holders, table } => {
                let waits = waits(table.as_deref(), &holders);
                self.line(&clean(&format!("◐ {version} {waits}; trying again ({retry})")));
            }
            RunNews::Statement { version, index, total, running, phase, permille } => {
                let kind = kind(&version, index, phase.as_deref());
                let phase = phase.map_or(String::new(), |phase| format!(", {phase}"));
                let percent = permille.map_or(String::new(), |permille| format!(", {} %", permille / 10));
                let running = duration(running);
                self.passing(
                    &kind,
                    &clean(&format!("◐ {version}, statement {index} of {total}: {running}{phase}{percent}")),
                );
            }
        }
    }
}

/// For what, and for whom.
fn waits(table: Option<&str>, holders: &[String]) -> String {
    let on = table.map_or(String::new(), |table| format!(" on {table}"));
    let by = if holders.is_empty() { String::new() } else { format!(", held by {}", holders.join(" and ")) };
    format!("waits for a lock{on}{by}")
}

fn kind(version: &Version, index: usize, phase: Option<&str>) -> String {
    format!("{version} {index} {}", phase.unwrap_or_default())
}

/// Ctrl-C (and a request to end) breaks the statement off and ends the run in order; a second one ends the process.
pub(super) struct Stopper(JoinHandle<()>);

impl Drop for Stopper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What stops a run, and whoever listens for it.
pub(super) fn stopper() -> (Stopper, Cancel) {
    let (switch, cancel) = CancelSwitch::new();
    let listener = tokio::spawn(async move {
        asked_to_end().await;
        switch.ask();
        note("Stopping: the statement that runs is broken off. Ctrl-C again leaves at once.");
        asked_to_end().await;
        note("Left at once. slipway migrate status shows how things stand.");
        std::process::exit(1);
    });
    (Stopper(listener), cancel)
}

async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_told_with_its_table_and_whoever_holds_it_as_far_as_that_is_known() {
        let pid = |pid: u32| format!("pid {pid} (ana, psql, idle in transaction since 09:12:30 UTC)");
        assert_eq!(waits(None, &[]), "waits for a lock");
        assert_eq!(
            waits(Some("likes"), &[pid(7), pid(8)]),
            "waits for a lock on likes, held by pid 7 (ana, psql, idle in transaction since 09:12:30 UTC) and pid 8 (ana, \
             psql, idle in transaction since 09:12:30 UTC)"
        );
    }
}
