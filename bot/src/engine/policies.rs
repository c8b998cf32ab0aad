//! Other rules come into force.

use super::EngineError;
use super::apply::Work;
use crate::policies::{HISTORY_LIMIT, known};
use crate::setup::Rules;
use crate::store::PolicyVersion;
use serde_json::json;
use slipway_core::message::cards::{self, PolicyOrigin};
use slipway_core::policy::{Differences, PolicySet};
use std::collections::BTreeSet;
use tracing::{error, info};

impl Work<'_> {
    /// Puts a stored policy set in force, and has everything that waits judged by it. Gives the rules that were in
    /// force before: they are put back when this transaction is undone.
    pub(super) async fn policies_changed(&mut self, version: i64) -> Result<Option<Rules>, EngineError> {
        let (store, setup) = (&self.engine.store, self.engine.setup.clone());
        let stored = store.policy_version(self.tx, version).await?;
        // One that was read before the start is of no account when the rules are kept elsewhere since.
        let stored = stored.filter(|stored| stored.version.source == setup.policy_origin().source);
        let Some(stored) = stored else {
            self.policies_refused("engine", &["A set that was read before is of no account any more.".to_owned()])
                .await?;
            return Ok(None);
        };
        let set = match stored.version.reading.text.parse() {
            Ok(set) => set,
            Err(error) => {
                error!(%error, "a stored policy set is not used");
                self.policies_refused(&stored.version.asked_by, &error.mistakes()).await?;
                return Ok(None);
            }
        };
        let last = store.policy_versions(self.tx, 1).await?.pop();
        store.policy_version_in_force(self.tx, version, self.engine.clock.now_ms()).await?;
        let versions = store.policy_versions(self.tx, HISTORY_LIMIT).await?;
        let before = setup.replace_rules(setup.rules_with(set.clone(), &versions));
        let judged = async {
            self.policies_recorded(&stored, last.as_ref(), &set).await?;
            self.judge_all_waiting().await?;
            self.flows_under_other_rules().await?;
            self.finish().await
        };
        if let Err(error) = judged.await {
            setup.replace_rules(before);
            return Err(error);
        }
        info!(hash = set.hash(), by = stored.version.asked_by, "other policies are in force");
        Ok(Some(before))
    }

    /// Writes the change into the audit log, and tells every channel of it. The first set of all changes nothing.
    async fn policies_recorded(
        &mut self,
        stored: &PolicyVersion,
        last: Option<&PolicyVersion>,
        set: &PolicySet,
    ) -> Result<(), EngineError> {
        let version = &stored.version;
        let earlier = last.and_then(|last| last.version.reading.text.parse().ok());
        let differences = earlier.as_ref().map(|earlier| earlier.differences(set)).unwrap_or_default();
        let body = json!({
            "by": version.asked_by, "source": version.source, "revision": version.reading.revision,
            "authors": version.reading.authors, "version": stored.seq, "differences": differences,
            "before": last.map(|last| &last.version.hash), "after": version.hash,
        });
        self.record("policies_changed", body, Some(version.hash.clone())).await?;
        match last {
            Some(last) => self.policies_announced(stored, &last.version.hash, &differences).await,
            None => Ok(()),
        }
    }

    async fn policies_announced(
        &mut self,
        stored: &PolicyVersion,
        before: &str,
        differences: &Differences,
    ) -> Result<(), EngineError> {
        let (setup, version) = (self.engine.setup.clone(), &stored.version);
        let is_known = |login: &&String| !known(&BTreeSet::from([(*login).clone()]), &setup.people).is_empty();
        let by: Vec<_> = known(&version.reading.authors, &setup.people).into_iter().collect();
        let by_others: Vec<_> = version.reading.authors.iter().filter(|login| !is_known(login)).cloned().collect();
        let origin = PolicyOrigin {
            by: &by,
            by_others: &by_others,
            source: &version.source.to_string(),
            revision: version.reading.revision.as_deref(),
        };
        let message = cards::policies_changed(differences, &origin, before, &version.hash);
        let channels: BTreeSet<_> = setup.services().flat_map(|(_, service)| service.channels.clone()).collect();
        self.proclaim(&channels, &format!("policies/{}", stored.seq), None, &message).await
    }

    /// Rules with mistakes were to come into force: the old ones stay.
    pub(super) async fn policies_refused(&mut self, by: &str, mistakes: &[String]) -> Result<(), EngineError> {
        let hash = self.engine.setup.policies().hash().to_owned();
        self.record("policies_refused", json!({ "by": by, "mistakes": mistakes }), Some(hash)).await
    }
}
