//! Parts of a plan in words, to say what changed.

use super::{ConfigVersion, Plan, PlannedMigration};
use crate::configuration::{Changed, changes};
use crate::migration::{Danger, Touched, Version};
use crate::together::PlannedWith;
use std::collections::BTreeSet;

/// How many keys of a secret a change of plan names.
const KEYS_NAMED_LIMIT: usize = 12;

pub(super) fn migration_list(plan: &Plan) -> String {
    files_list(&plan.migrations)
}

pub(super) fn back_list(plan: &Plan) -> String {
    files_list(&plan.taken_back)
}

fn files_list(migrations: &[PlannedMigration]) -> String {
    let short =
        |m: &PlannedMigration| -> String { m.down_checksum.as_ref().unwrap_or(&m.checksum).chars().take(8).collect() };
    let list: Vec<_> = migrations.iter().map(|m| format!("{} ({})", m.file, short(m))).collect();
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

/// What a vote about taking a migration back is about.
pub(super) fn essence_back(m: &PlannedMigration) -> (&Version, &str, &str, Option<&str>, Vec<String>) {
    let dangers = m.dangers.iter().map(|danger| format!("{:?}", danger.digested())).collect();
    (&m.version, &m.file, &m.checksum, m.down_checksum.as_deref(), dangers)
}

pub(super) fn danger_list(plan: &Plan) -> String {
    let list: BTreeSet<_> = plan.dangers().filter(|danger| danger.allowed.is_none()).map(Danger::sentence).collect();
    if list.is_empty() { "nothing".to_owned() } else { list.into_iter().collect::<Vec<_>>().join(", ") }
}

pub(super) fn config_list(plan: &Plan) -> String {
    let list: Vec<_> = plan
        .config
        .iter()
        .map(|c| format!("{} {}", c.secret, c.version_id.get(..8).unwrap_or(&c.version_id)))
        .collect();
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

/// The same after a change, with the keys that differ where that is known.
pub(super) fn config_list_after(plan: &Plan, old: &Plan) -> String {
    let named = changes(&old.config, &plan.config).into_iter().filter_map(|change| match change.what {
        Changed::Keys { keys } => Some((change.secret, keys)),
        Changed::Somehow { .. } | Changed::Added => None,
    });
    let keys = named.map(|(secret, keys)| {
        let shown = keys.iter().take(KEYS_NAMED_LIMIT).map(|(name, change)| format!("{name} {}", change.name()));
        let more = keys.len().saturating_sub(KEYS_NAMED_LIMIT);
        let more = (more > 0).then(|| format!("and {more} more"));
        format!("{secret}: {}", shown.chain(more).collect::<Vec<_>>().join(", "))
    });
    let keys: Vec<_> = keys.collect();
    let list = config_list(plan);
    if keys.is_empty() { list } else { format!("{list} ({})", keys.join("; ")) }
}

pub(super) fn with_list(plan: &Plan) -> String {
    let list: Vec<_> = plan.with.iter().map(PlannedWith::words).collect();
    if list.is_empty() { "nothing".to_owned() } else { list.join("; ") }
}

/// What a vote about the configuration is about.
pub(super) fn essence_config(config: &ConfigVersion) -> (&str, &str) {
    (&config.secret, &config.version_id)
}

pub(super) fn target_list(plan: &Plan) -> String {
    plan.targets.iter().map(|t| t.id.as_str()).collect::<Vec<_>>().join(", ")
}

/// The settings of `this` that differ from `other`'s.
pub(super) fn changed_settings(this: &Plan, other: &Plan) -> String {
    let all = |plan: &Plan| -> BTreeSet<String> {
        plan.targets.iter().flat_map(|t| t.settings.iter().map(|(k, v)| format!("{k} = {v}"))).collect()
    };
    let changed: Vec<_> = all(this).difference(&all(other)).cloned().collect();
    if changed.is_empty() { "not set".to_owned() } else { changed.join(", ") }
}

pub(super) fn trial_list(plan: &Plan) -> String {
    let blocked = |touched: &Touched| match touched.rewritten {
        true => format!("{} on {}, rewritten", touched.lock.name(), touched.table),
        false => format!("{} on {}", touched.lock.name(), touched.table),
    };
    let notable = plan.trials().flat_map(|(_, trial)| trial.touched.iter().filter(|t| t.blocks() || t.rewritten));
    let mut list: BTreeSet<_> = notable.map(blocked).collect();
    let failing = plan.trials().filter(|(migration, _)| plan.down_fails(migration));
    list.extend(failing.map(|(migration, _)| format!("no working way back from {}", migration.file)));
    if list.is_empty() { "nothing".to_owned() } else { list.into_iter().collect::<Vec<_>>().join(", ") }
}
