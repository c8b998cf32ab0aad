//! One person fills one slot: which approvals count for which team.

use super::{Clears, Decision, Slot};
use crate::ids::{PersonId, TeamName};
use crate::person::Person;
use std::collections::{BTreeMap, BTreeSet};

/// How many different results of assigning voters to teams are looked at. Beyond it, each further voter counts
/// for the first of their teams: a release may then wait although a cleverer assignment exists, never the reverse.
pub const ASSIGNMENT_LIMIT: usize = 512;

/// How many approvals of one team are tried out when looking for what is missing. A larger quorum still decides
/// correctly; only what is missing is then not told.
pub(super) const QUORUM_LIMIT: u32 = 16;

/// Approvals by team, in the order of the policy set's counted teams.
pub(super) type Counts = Vec<u32>;

/// Every distinct result of letting each voter count for one of the teams they belong to, in a fixed order.
pub(super) fn assignments(voters: &[&Person], teams: &[TeamName]) -> Vec<Counts> {
    let mut results = BTreeSet::from([vec![0; teams.len()]]);
    for voter in voters {
        let mut choices: Vec<_> = (0..teams.len()).filter(|&team| voter.teams.contains(&teams[team])).collect();
        if results.len() * choices.len() > ASSIGNMENT_LIMIT {
            choices.truncate(1);
        }
        if choices.is_empty() {
            continue;
        }
        let with_one_more = |counts: &Counts, team: usize| {
            let mut counts = counts.clone();
            counts[team] += 1;
            counts
        };
        results = results.iter().flat_map(|counts| choices.iter().map(|&team| with_one_more(counts, team))).collect();
    }
    results.into_iter().collect()
}

/// Fills slots with people, each person one slot: for each slot, given who could fill it, whether it gets somebody.
/// As many slots as possible are filled (augmenting paths, as in any bipartite matching).
fn fill<P: Ord + Clone>(slots: &[Vec<P>]) -> Vec<bool> {
    let mut taken: BTreeMap<P, usize> = BTreeMap::new();
    for slot in 0..slots.len() {
        place(slot, slots, &mut taken, &mut BTreeSet::new());
    }
    let filled: BTreeSet<_> = taken.into_values().collect();
    (0..slots.len()).map(|slot| filled.contains(&slot)).collect()
}

/// Finds somebody for the slot, moving others to other slots where that helps. Recursion is bounded by the number
/// of people, because nobody is tried twice.
fn place<P: Ord + Clone>(
    slot: usize,
    slots: &[Vec<P>],
    taken: &mut BTreeMap<P, usize>,
    tried: &mut BTreeSet<P>,
) -> bool {
    for person in &slots[slot] {
        if !tried.insert(person.clone()) {
            continue;
        }
        let free = match taken.get(person).copied() {
            None => true,
            Some(other) => place(other, slots, taken, tried),
        };
        if free {
            taken.insert(person.clone(), slot);
            return true;
        }
    }
    false
}

/// Those of the slots that stay open however the people are placed, each with how many.
pub(super) fn unfillable(slots: &[Slot]) -> Vec<Slot> {
    let expanded: Vec<(usize, Vec<PersonId>)> = slots
        .iter()
        .enumerate()
        .flat_map(|(index, slot)| {
            let times = slot.missing.min(QUORUM_LIMIT) as usize;
            std::iter::repeat_n((index, slot.who.clone()), times)
        })
        .collect();
    let who: Vec<_> = expanded.iter().map(|(_, who)| who.clone()).collect();
    let mut open: BTreeMap<usize, u32> = BTreeMap::new();
    for ((index, _), filled) in expanded.iter().zip(fill(&who)) {
        if !filled {
            *open.entry(*index).or_default() += 1;
        }
    }
    open.into_iter().map(|(index, missing)| Slot { missing, ..slots[index].clone() }).collect()
}

/// The missing approvals of all reasons together, one slot per team.
pub(super) fn merged(decision: &Decision) -> Vec<Slot> {
    let mut by_team: BTreeMap<&TeamName, Slot> = BTreeMap::new();
    for reason in decision.reasons() {
        let Clears::Votes { missing } = &reason.clears else { continue };
        for slot in missing {
            let entry = by_team.entry(&slot.team).or_insert_with(|| slot.clone());
            entry.missing = entry.missing.max(slot.missing);
            // What does for one rule need not do for the other.
            if entry.or != slot.or {
                entry.or.clear();
            }
        }
    }
    by_team.into_values().collect()
}

/// The approvals that nobody is left to give, if the decision waits for such: `Slot::missing` says how many of them.
/// Then waiting is pointless, and whoever plans the release should be told at once.
#[must_use]
pub fn nobody_can(decision: &Decision) -> Option<Vec<Slot>> {
    let open = unfillable(&merged(decision));
    (!open.is_empty()).then_some(open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn person(id: &str, teams: &[&str]) -> Person {
        Person { id: id.into(), teams: teams.iter().map(|&team| team.into()).collect(), identities: vec![] }
    }

    fn slot(team: &str, missing: u32, who: &[&str]) -> Slot {
        Slot { team: team.into(), missing, who: who.iter().map(|&id| id.into()).collect(), or: vec![] }
    }

    #[test]
    fn one_person_counts_once() {
        let teams = ["release".into(), "sre".into()];
        let (both, one, none) = (person("a", &["release", "sre"]), person("b", &["sre", "x"]), person("c", &["x"]));
        assert_eq!(assignments(&[], &teams), [[0, 0]]);
        assert_eq!(assignments(&[&both], &teams), [[0, 1], [1, 0]]);
        assert_eq!(assignments(&[&both, &one, &none], &teams), [[0, 2], [1, 1]]);
        assert_eq!(assignments(&[&both], &[]), [[0_u32; 0]]);
    }

    #[test]
    fn the_search_is_bounded_and_stays_honest() {
        let teams: Vec<TeamName> = (0..6).map(|n| TeamName::new(format!("t{n}"))).collect();
        let names: Vec<_> = teams.iter().map(TeamName::as_str).collect();
        let voters: Vec<_> = (0..40).map(|n| person(&format!("p{n}"), &names)).collect();
        let found = assignments(&voters.iter().collect::<Vec<_>>(), &teams);
        assert!(found.len() <= ASSIGNMENT_LIMIT && found.len() > 1, "{}", found.len());
        assert!(found.iter().all(|counts| counts.iter().sum::<u32>() == 40), "each voter counts exactly once");
    }

    /// Every assignment there is, by trying every choice of every voter.
    fn all(voters: &[&Person], teams: &[TeamName], counts: Counts, found: &mut BTreeSet<Counts>) {
        let Some((voter, others)) = voters.split_first() else {
            found.insert(counts);
            return;
        };
        let choices: Vec<_> = (0..teams.len()).filter(|&team| voter.teams.contains(&teams[team])).collect();
        if choices.is_empty() {
            all(others, teams, counts.clone(), found);
        }
        for team in choices {
            let mut counts = counts.clone();
            counts[team] += 1;
            all(others, teams, counts, found);
        }
    }

    proptest! {
        #[test]
        fn the_search_finds_every_assignment(memberships in proptest::collection::vec(0_u8..8, 0..7)) {
            let teams: Vec<TeamName> = ["a", "b", "c"].map(TeamName::from).to_vec();
            let of = |bits: u8| (0..3).filter(|team| bits & (1 << team) != 0).map(|team| ["a", "b", "c"][team]).collect();
            let people: Vec<_> = memberships.iter().map(|bits| {
                let member_of: Vec<&str> = of(*bits);
                person("p", &member_of)
            }).collect();
            let voters: Vec<_> = people.iter().collect();
            let mut expected = BTreeSet::new();
            all(&voters, &teams, vec![0; 3], &mut expected);
            prop_assert_eq!(assignments(&voters, &teams), expected.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn slots_are_filled_by_moving_people_around() {
        assert!(unfillable(&[slot("release", 1, &["a", "b"]), slot("sre", 1, &["a"])]).is_empty());
        assert_eq!(unfillable(&[slot("release", 1, &["a"]), slot("sre", 1, &["a"])]), [slot("sre", 1, &["a"])]);
        assert_eq!(unfillable(&[slot("release", 3, &["a", "b"])]), [slot("release", 1, &["a", "b"])]);
        assert_eq!(unfillable(&[slot("release", 1, &[])]), [slot("release", 1, &[])]);
        assert!(unfillable(&[]).is_empty());
    }
}
