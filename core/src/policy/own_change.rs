//! Nobody profits from loosening a rule: what somebody's change of the policies no longer forbids stays forbidden for
//! the releases that they ask for themselves.

use super::{Asking, Case, Decision, OWN_POLICY_CHANGE, POLICY_ERROR, PolicySet, Reason};
use crate::ids::PersonId;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// How many changes of the policies by one person are looked at, newest first.
pub const OWN_CHANGES_LIMIT: usize = 20;

/// A change of the policies, with the set before it and the set after it.
#[derive(Clone, Debug)]
pub struct PolicyChange {
    /// Who made it.
    pub by: BTreeSet<PersonId>,
    /// When it came into force.
    pub at: Timestamp,
    /// What was in force before.
    pub before: PolicySet,
    /// What it made of that.
    pub after: PolicySet,
}

/// What one set forbids and another does not, by the name of the rule and by what it says: a rule that was only
/// renamed is the same.
fn lost(before: &Decision, after: &Decision) -> Vec<Reason> {
    let still: BTreeSet<_> = after.reasons().iter().flat_map(|reason| [&reason.id, &reason.why]).collect();
    let gone = before.reasons().iter().filter(|reason| !still.contains(&reason.id) && !still.contains(&reason.why));
    gone.cloned().collect()
}

/// The reasons against, found by asking the sets before and after each change of this person. A set that could not be
/// evaluated before the change says nothing about it, so the one before that change is asked.
fn reasons(person: &PersonId, changes: &[PolicyChange], ask: impl Fn(&PolicySet) -> Decision) -> Vec<Reason> {
    let fails = |decision: &Decision| decision.reasons().iter().any(|reason| reason.id == POLICY_ERROR);
    let mut found: Vec<Reason> = Vec::new();
    let own = changes.iter().enumerate().rev().filter(|(_, change)| change.by.contains(person));
    for (index, change) in own.take(OWN_CHANGES_LIMIT) {
        let earlier = changes[..=index].iter().rev().take(OWN_CHANGES_LIMIT).map(|earlier| ask(&earlier.before));
        let Some(before) = earlier.into_iter().find(|decision| !fails(decision)) else { continue };
        for reason in lost(&before, &ask(&change.after)) {
            if !found.iter().any(|known| known.why.ends_with(&reason.why)) {
                found.push(Reason {
                    why: format!("{person} changed the policies since, and before that: {}", reason.why),
                    id: OWN_POLICY_CHANGE.to_owned(),
                    ..reason
                });
            }
        }
    }
    found
}

/// What keeps somebody from asking for a release because they themselves changed the policies.
#[must_use]
pub fn against_asking(asking: &Asking<'_>, changes: &[PolicyChange]) -> Vec<Reason> {
    reasons(&asking.person.id, changes, |set| set.may_ask(asking))
}

/// What keeps a release from running because whoever asked for it changed the policies. Each reason clears as it did
/// under the rules before the change.
#[must_use]
pub fn against_running(case: &Case<'_>, changes: &[PolicyChange]) -> Vec<Reason> {
    let Some(requester) = case.requester else { return vec![] };
    reasons(&requester.id, changes, |set| set.may_execute(case))
}
