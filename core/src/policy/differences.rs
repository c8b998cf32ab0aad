//! What differs between two policy sets, by the names of the rules.

use super::set::{PolicySet, Rule};
use serde::{Deserialize, Serialize};

/// The rules that are not the same, each list in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differences {
    /// There before, and no more.
    pub removed: Vec<String>,
    /// Not there before.
    pub added: Vec<String>,
    /// There before and now, but not the same. A comment makes no difference, its `@why` does.
    pub changed: Vec<String>,
}

impl PolicySet {
    /// What a newer set makes of this one.
    #[must_use]
    pub fn differences(&self, newer: &Self) -> Differences {
        let (old, new) = (&self.0.rules, &newer.0.rules);
        let only = |these: &std::collections::BTreeMap<String, Rule>, those: &std::collections::BTreeMap<_, _>| {
            these.keys().filter(|id| !those.contains_key(*id)).cloned().collect()
        };
        let changed =
            old.iter().filter(|(id, rule)| new.get(*id).is_some_and(|other| other.written() != rule.written()));
        Differences {
            removed: only(old, new),
            added: only(new, old),
            changed: changed.map(|(id, _)| id.clone()).collect(),
        }
    }
}

impl Rule {
    /// The rule in Cedar's JSON form, which knows neither layout nor comments.
    fn written(&self) -> Option<serde_json::Value> {
        self.alone.policies().next()?.to_json().ok()
    }
}
