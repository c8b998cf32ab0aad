//! Nobody profits from loosening a rule: what somebody's change of the policies no longer forbids stays forbidden for
//! what they do themselves. A change of which nobody can tell whose it is counts as everybody's.

use super::{Asking, Case, Clears, Decision, OWN_POLICY_CHANGE, POLICY_ERROR, PolicySet, Reason};
use crate::ids::PersonId;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// How many changes of the policies are looked at, newest first. What somebody changed several times in a row is one
/// change, so that nobody pushes their own one out by many small ones.
pub const OWN_CHANGES_LIMIT: usize = 20;

/// A change of the policies, with the set before it and the set after it.
#[derive(Clone, Debug)]
pub struct PolicyChange {
    /// Who made it, of those whom Slipway knows.
    pub by: BTreeSet<PersonId>,
    /// Whether others took part of whom nobody knows who they are.
    pub by_others: bool,
    /// When it came into force.
    pub at: Timestamp,
    /// What was in force before; `None` when this version cannot read it any more.
    pub before: Option<PolicySet>,
    /// What it made of that.
    pub after: Option<PolicySet>,
}

impl PolicyChange {
    fn may_be_by(&self, person: &PersonId) -> bool {
        self.by_others || self.by.contains(person)
    }
}

/// What one set forbids and another does not, by the name of the rule and by what it says: a rule that was only
/// renamed is the same.
fn lost(before: &Decision, after: &Decision) -> Vec<Reason> {
    let still: BTreeSet<_> = after.reasons().iter().flat_map(|reason| [&reason.id, &reason.why]).collect();
    let gone = before.reasons().iter().filter(|reason| !still.contains(&reason.id) && !still.contains(&reason.why));
    gone.cloned().collect()
}

/// Changes that may be this person's, each as the places of its first and its last one: those in a row are one.
fn in_rows(person: &PersonId, changes: &[PolicyChange]) -> Vec<(usize, usize)> {
    let mut rows: Vec<(usize, usize)> = Vec::new();
    for (place, _) in changes.iter().enumerate().filter(|(_, change)| change.may_be_by(person)) {
        match rows.last_mut() {
            Some((_, last)) if *last + 1 == place => *last = place,
            _ => rows.push((place, place)),
        }
    }
    rows
}

/// The reasons against, found by asking the sets before and after what this person changed. A set that could not be
/// evaluated before the change says nothing about it, so the one before that is asked; where none can be, nobody can tell
/// what was forbidden, and that is a no.
pub(super) fn against(
    person: &PersonId,
    changes: &[PolicyChange],
    ask: impl Fn(&PolicySet) -> Decision,
) -> Vec<Reason> {
    let fails = |decision: &Decision| decision.reasons().iter().any(|reason| reason.id == POLICY_ERROR);
    let mut found: Vec<Reason> = Vec::new();
    for (first, last) in in_rows(person, changes).into_iter().rev().take(OWN_CHANGES_LIMIT) {
        let who = match changes[first..=last].iter().any(|change| change.by.contains(person)) {
            true => person.to_string(),
            false => "somebody whom Slipway does not know".to_owned(),
        };
        let earlier = changes[..=first].iter().rev().take(OWN_CHANGES_LIMIT).flat_map(|change| &change.before);
        let before = earlier.map(&ask).find(|decision| !fails(decision));
        let (Some(before), Some(after)) = (before, changes[last].after.as_ref().map(&ask)) else {
            let why = format!("What the policies forbade before {who} changed them cannot be told any more.");
            found.push(Reason::new(OWN_POLICY_CHANGE, why, Clears::Nothing));
            continue;
        };
        for reason in lost(&before, &after) {
            if !found.iter().any(|known| known.why.ends_with(&reason.why)) {
                found.push(Reason {
                    why: format!("{who} changed the policies since, and before that: {}", reason.why),
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
    against(&asking.person.id, changes, |set| set.may_ask(asking))
}

/// What keeps a release from running because whoever asked for it changed the policies. Each reason clears as it did
/// under the rules before the change.
#[must_use]
pub fn against_running(case: &Case<'_>, changes: &[PolicyChange]) -> Vec<Reason> {
    let Some(requester) = case.requester else { return vec![] };
    against(&requester.id, changes, |set| set.may_execute(case))
}
