//! Other rules come into force.

use super::apply::Work;
use super::{EngineError, lookup};
use serde_json::json;
use slipway_core::policy::PolicySet;
use std::collections::BTreeSet;
use tracing::{error, info};

impl Work<'_> {
    /// Puts a stored policy set in force, and has everything that waits judged by it. Gives the set that was in force
    /// before: it is put back when this transaction is undone.
    pub(super) async fn policies_changed(&mut self, version: i64) -> Result<Option<PolicySet>, EngineError> {
        let (store, setup) = (&self.engine.store, self.engine.setup.clone());
        let Some(stored) = store.policy_version(self.tx, version).await? else { return Ok(None) };
        let set = match stored.text.parse() {
            Ok(set) => set,
            Err(error) => {
                error!(%error, "a stored policy set is not used");
                return Ok(None);
            }
        };
        let ids = |set: &PolicySet| set.rule_ids().map(str::to_owned).collect::<BTreeSet<_>>();
        let (hash, after) = (set.hash().to_owned(), ids(&set));
        store.policy_version_in_force(self.tx, version, self.engine.clock.now_ms()).await?;
        let open = store.releases_open(self.tx, lookup::OPEN_LIMIT).await?;
        let before = setup.replace_policies(set);
        let gone: Vec<_> = ids(&before).difference(&after).cloned().collect();
        let new: Vec<_> = after.difference(&ids(&before)).cloned().collect();
        let body = json!({
            "by": stored.by, "source": stored.source, "before": before.hash(), "after": hash,
            "rules_added": new, "rules_removed": gone, "version": version,
        });
        let judged = async {
            self.record("policies_changed", body, Some(hash.clone())).await?;
            for release in open.iter().filter(|release| release.wants_judgement()) {
                self.judge_later(&release.id);
            }
            self.finish().await
        };
        if let Err(error) = judged.await {
            setup.replace_policies(before);
            return Err(error);
        }
        info!(hash, by = stored.by, "other policies are in force");
        Ok(Some(before))
    }

    /// Rules with mistakes were to come into force: the old ones stay.
    pub(super) async fn policies_refused(&mut self, by: &str, mistakes: &[String]) -> Result<(), EngineError> {
        let hash = self.engine.setup.policies().hash().to_owned();
        self.record("policies_refused", json!({ "by": by, "mistakes": mistakes }), Some(hash)).await
    }
}
