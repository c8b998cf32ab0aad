//! Questions to the outside that `slipway check` asks: is a credential good, can a file be written. One file per
//! probe, and a line in [`standard`].

mod actions;
mod asked;
mod discord;
mod flow;
mod members;
mod outside;
mod slack;
mod store;
mod teams;
mod variables;

use crate::config::{Config, Secrets};
use async_trait::async_trait;
use futures::StreamExt;
use std::time::Duration;

pub use actions::actions;
pub use discord::discord;
pub use members::members;
pub use outside::outside;
pub use slack::slack;
pub use store::StoreProbe;
pub use teams::teams;
pub use variables::{VariableProbe, missing_for_chats, short_token, variables};

/// How long one probe may take.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// How many probes run at once.
pub const PROBE_CONCURRENCY_LIMIT: usize = 16;

/// One question about the outside. It changes nothing there.
#[async_trait]
pub trait Probe: Send + Sync {
    /// What is asked about, in a few words: `store`, `GitHub acme/goals`.
    fn name(&self) -> String;

    /// Asks. It needs no timeout of its own: the runner has one.
    async fn run(&self) -> ProbeResult;
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeResult {
    /// Whether all is well.
    pub ok: bool,
    /// What was found, one short sentence without secrets.
    pub says: String,
    /// What to do about it; empty when there is nothing to do. When all is well so far: a warning.
    pub mend: String,
}

impl ProbeResult {
    /// All is well.
    pub fn ok(says: impl Into<String>) -> Self {
        Self { ok: true, says: says.into(), mend: String::new() }
    }

    /// Something is wrong, and this is how to mend it.
    pub fn fail(says: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { ok: false, says: says.into(), mend: mend.into() }
    }
}

/// The probes that need nothing but the configuration and the environment.
#[must_use]
pub fn standard(config: &Config, secrets: &Secrets) -> Vec<Box<dyn Probe>> {
    let mut probes: Vec<Box<dyn Probe>> = vec![Box::new(StoreProbe::new(config.store.path.clone()))];
    probes.extend(variables(config, secrets).into_iter().map(|probe| Box::new(probe) as Box<dyn Probe>));
    probes
}

/// Runs the probes side by side, each for at most `timeout`, and gives name and answer in the order of `probes`.
pub async fn run_all(probes: &[Box<dyn Probe>], timeout: Duration) -> Vec<(String, ProbeResult)> {
    let asked: Vec<_> = probes.iter().map(|probe| ask(probe.as_ref(), timeout)).collect();
    futures::stream::iter(asked).buffered(PROBE_CONCURRENCY_LIMIT).collect().await
}

async fn ask(probe: &dyn Probe, timeout: Duration) -> (String, ProbeResult) {
    let answer = tokio::time::timeout(timeout, probe.run()).await;
    (probe.name(), answer.unwrap_or_else(|_| asked::too_slow(timeout, "it")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::sync::Barrier;

    struct Meets(&'static str, Arc<Barrier>);

    #[async_trait]
    impl Probe for Meets {
        fn name(&self) -> String {
            self.0.to_owned()
        }
        async fn run(&self) -> ProbeResult {
            self.1.wait().await;
            ProbeResult::ok("met")
        }
    }

    struct Hangs;

    #[async_trait]
    impl Probe for Hangs {
        fn name(&self) -> String {
            "hangs".to_owned()
        }
        async fn run(&self) -> ProbeResult {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn probes_run_side_by_side_and_answer_in_order() {
        let barrier = Arc::new(Barrier::new(2));
        let probes: Vec<Box<dyn Probe>> =
            vec![Box::new(Meets("b", barrier.clone())), Box::new(Meets("a", barrier.clone()))];
        let names: Vec<String> = run_all(&probes, PROBE_TIMEOUT)
            .await
            .into_iter()
            .map(|(name, answer)| {
                assert!(answer.ok, "{answer:?}");
                name
            })
            .collect();
        assert_eq!(names, ["b", "a"]);
    }

    #[tokio::test]
    async fn a_probe_that_hangs_fails() {
        let answers = run_all(&[Box::new(Hangs) as Box<dyn Probe>], Duration::from_millis(1)).await;
        assert_eq!(answers[0].0, "hangs");
        assert!(!answers[0].1.ok);
    }
}
