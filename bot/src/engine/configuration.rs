//! What is kept of the configuration, and asking for a release of it alone.

use super::EngineError;
use super::apply::{Work, live};
use super::asked::Asked;
use crate::store::Question;
use slipway_core::configuration::RanWith;
use slipway_core::ids::{EnvironmentKey, EnvironmentName};
use slipway_core::message::{Line, Message};
use slipway_core::release::{Event, Release, Request, RequestKind};

impl Work<'_> {
    /// Keeps what a plan saw, and what a release was started with once it is live: in the transaction that says so.
    pub(super) async fn configuration_follows(
        &mut self,
        before: &Release,
        after: &Release,
        event: &Event,
    ) -> Result<(), EngineError> {
        let (store, key) = (&self.engine.store, &after.request.key);
        if let Event::Planned { plan, facts } = event
            && !plan.kind.only_migrates()
        {
            store.configuration_seen(self.tx, key, &plan.config, facts.ci.at).await?;
        }
        // What is said of a release after its end is nothing that it was started with.
        if before.phase.is_end() || !after.phase.is_end() {
            return Ok(());
        }
        if let (Some(live), Some(plan)) = (live(after), &after.plan) {
            let (release, commit, secrets) = (live.release, live.commit, plan.config.clone());
            let ran = RanWith { release, commit, at: live.since, secrets };
            store.configuration_ran(self.tx, key, &ran).await?;
        }
        Ok(())
    }

    /// What runs, once more.
    pub(super) async fn deploy_config(
        &mut self,
        asked: &Asked<'_>,
        key: EnvironmentKey,
        dry_run: bool,
        reason: Option<String>,
    ) -> Result<Option<Message>, EngineError> {
        if self.engine.setup.environment(&key).is_none_or(|environment| environment.config.is_empty()) {
            return Ok(Some(no_secrets(&key)));
        }
        let Some(live) = self.engine.store.environment_get(self.tx, &key).await?.live else {
            return Ok(Some(nothing_to_bring_again(&key)));
        };
        let request = self.request(asked, key, RequestKind::Config { commit: live.commit, again: None }, reason);
        self.begin(asked, Request { dry_run, ..request }).await
    }

    /// The keys of the configuration, looked up now.
    pub(super) async fn configuration(
        &mut self,
        asked: &Asked<'_>,
        only: Option<&EnvironmentName>,
    ) -> Result<Option<Message>, EngineError> {
        let environments = self.engine.setup.environment_keys(only);
        self.look(asked, Question::Configuration { environments }).await
    }
}

/// The same request once more: what runs by now, whatever ran then.
pub(super) fn again(release: &Release) -> Option<RequestKind> {
    let RequestKind::Config { commit, .. } = &release.request.kind else { return None };
    Some(RequestKind::Config { commit: commit.clone(), again: Some(release.id.clone()) })
}

fn no_secrets(key: &EnvironmentKey) -> Message {
    let line = Line::plain(format!("No secret is named for {key}, so its configuration cannot be compared."));
    let way = Line::plain("Name its secrets in slipway.toml: ").code("config = [\"…\"]").text(".");
    Message::answer(line.text(" Nothing was started."), [way])
}

fn nothing_to_bring_again(key: &EnvironmentKey) -> Message {
    let line = Line::plain(format!("Slipway has brought nothing to {key} yet, so there is nothing to bring again."));
    let way = Line::plain("Deploy a commit first: ").code(format!("/deploy {}", key.environment));
    Message::answer(line.text(" Nothing was started."), [way])
}
