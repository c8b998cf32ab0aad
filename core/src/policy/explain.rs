//! What would clear a no: found by asking the same rules again under other circumstances.

use super::ballot::{Ballot, Circumstances, Trial};
use super::clock::first_opening;
use super::fact::Outlook;
use super::set::{Inner, Verdict};
use super::slots::{Counts, QUORUM_LIMIT, unfillable};
use super::world::Moment;
use super::{Ahead, Clears, Slot, Stance};
use crate::person::Person;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// How many assignments are compared to find the one of which least is missing.
const EXPLAINED_ASSIGNMENTS_LIMIT: usize = 64;

/// The verdict to show, and for each of its forbids what clears it and whether an override sets it aside.
pub(super) struct Explained {
    pub(super) verdict: Verdict,
    pub(super) clears: BTreeMap<String, (Clears, bool)>,
}

/// A way to fill what is missing.
struct Filling {
    slots: Vec<Slot>,
    /// How many of them nobody is left for.
    unfillable: usize,
    total: u32,
}

/// Explains a refused execution. `refused` has at least one assignment with its verdict.
pub(super) fn execution(
    trial: &Trial<'_>,
    ballot: &Ballot<'_>,
    mut refused: Vec<(Counts, Verdict)>,
) -> Result<Explained, String> {
    let Some((first, _)) = refused.first() else {
        return Err("no way to count the votes was found".to_owned());
    };
    let with_votes = Circumstances { counts: plenty(first), ..trial.as_it_is(first.clone(), ballot) };
    let blocking: BTreeSet<_> = refused.iter().flat_map(|(_, verdict)| verdict.forbids.clone()).collect();
    let by_votes: BTreeSet<_> = blocking.into_iter().filter(|rule| !trial.forbids(rule, &with_votes)).collect();
    let inquiry = Inquiry { trial, ballot, candidates: candidates(trial, ballot)?, by_votes };

    refused.truncate(EXPLAINED_ASSIGNMENTS_LIMIT);
    let several = if refused.len() > 1 { 0..refused.len() } else { 0..0 };
    let nearest = several.min_by_key(|&index| {
        let (counts, verdict) = &refused[index];
        let rules: Vec<_> = verdict.forbids.intersection(&inquiry.by_votes).map(String::as_str).collect();
        let filling = inquiry.missing(&trial.as_it_is(counts.clone(), ballot), &rules);
        (filling.unfillable, filling.total, verdict.forbids.len())
    });
    let (counts, verdict) = refused.swap_remove(nearest.unwrap_or_default());
    let now = trial.as_it_is(counts, ballot);
    let overridden = Circumstances { overridden: true, ..now.clone() };
    let clears = |rule: &String| {
        let yields = !now.overridden && !trial.forbids(rule, &overridden);
        (rule.clone(), (inquiry.clears(rule, &now), yields))
    };
    let clears = verdict.forbids.iter().map(clears).collect();
    Ok(Explained { verdict, clears })
}

/// What would clear a refused vote: better facts, a later hour, or nothing.
pub(super) fn vote(trial: &Trial<'_>, rule: &str, voter: &Person, stance: Stance) -> Clears {
    let case = trial.case;
    let Ok(entities) = trial.entities(&[voter], &trial.no_counts()) else { return Clears::Nothing };
    let forbidden = |moment: Moment<'_>| {
        let request = trial.vote(voter, stance, moment).and_then(Inner::supposed);
        request.map_or(true, |request| trial.set.forbids(rule, &request, &entities))
    };
    let observed = trial.as_observed();
    if !forbidden(Moment { outlook: Outlook::Hoped, ..observed }) {
        return Clears::Facts;
    }
    if let Some(at) = opening(trial, rule, case.now, |now| forbidden(Moment { now, ..observed })) {
        return Clears::Time { at: Some(at) };
    }
    match soak(trial) {
        Some(soak) if !forbidden(Moment { soaked: true, ..observed }) => soak,
        _ => Clears::Nothing,
    }
}

/// The first moment at which the rule no longer forbids.
fn opening(
    trial: &Trial<'_>,
    rule: &str,
    now: Timestamp,
    forbidden: impl FnMut(Timestamp) -> bool,
) -> Option<Timestamp> {
    let clockwork = &trial.set.rules.get(rule)?.uses.clockwork;
    first_opening(now, &trial.timezone, clockwork, trial.case.past.soak.as_ref(), forbidden)
}

fn looks_at_the_clock(trial: &Trial<'_>, rule: &str) -> bool {
    trial.set.rules.get(rule).is_some_and(|rule| rule.uses.clockwork.looks)
}

/// What would let the image soak, where one has to.
fn soak(trial: &Trial<'_>) -> Option<Clears> {
    let soak = trial.case.past.soak.as_ref()?;
    let to = &trial.case.plan.environment;
    let ahead = soak.ahead.as_ref().map(|commit| Ahead { commit: commit.clone(), to: to.clone() });
    Some(Clears::Soak { environment: soak.environment.clone(), ahead })
}

/// The people whose approval would be allowed and who have not voted yet.
fn candidates<'a>(trial: &Trial<'a>, ballot: &Ballot<'_>) -> Result<Vec<&'a Person>, String> {
    let countable = |person: &&Person| trial.set.counted.iter().any(|team| person.teams.contains(team));
    let people = trial.case.people.iter().filter(countable).filter(|person| !ballot.voted.contains(&person.id));
    let verdicts = trial.votes(people, Stance::Approve)?;
    Ok(verdicts.into_iter().filter(|(_, verdict)| verdict.allow).map(|(person, _)| person).collect())
}

fn plenty(counts: &Counts) -> Counts {
    counts.iter().map(|count| count + QUORUM_LIMIT).collect()
}

struct Inquiry<'a> {
    trial: &'a Trial<'a>,
    ballot: &'a Ballot<'a>,
    candidates: Vec<&'a Person>,
    /// The blocking rules that enough approvals alone would clear.
    by_votes: BTreeSet<String>,
}

impl Inquiry<'_> {
    /// One thing that alone clears the rule, in the order approvals, withdrawal, facts, time, soaking. Where only
    /// several together do, the first of them that is needed: once it has happened, the next answer names the next.
    fn clears(&self, rule: &str, now: &Circumstances<'_>) -> Clears {
        let allowed = |circumstances: &Circumstances<'_>| !self.trial.forbids(rule, circumstances);
        let withdrawn = Circumstances { vetoes: 0, ..now.clone() };
        let hoped = Circumstances { outlook: Outlook::Hoped, ..now.clone() };
        if self.by_votes.contains(rule) {
            return Clears::Votes { missing: self.asked_for(now, rule) };
        }
        if allowed(&withdrawn) {
            return self.withdrawal();
        }
        if allowed(&hoped) {
            return Clears::Facts;
        }
        if let Some(opening) = self.opening(rule, now) {
            return opening;
        }
        match soak(self.trial) {
            Some(soak) if allowed(&Circumstances { soaked: true, ..now.clone() }) => soak,
            _ => self.together(rule, now),
        }
    }

    fn together(&self, rule: &str, now: &Circumstances<'_>) -> Clears {
        let forbidden = |circumstances: &Circumstances<'_>| self.trial.forbids(rule, circumstances);
        let all = Circumstances {
            counts: plenty(&now.counts),
            vetoes: 0,
            outlook: Outlook::Hoped,
            soaked: true,
            ..now.clone()
        };
        if !forbidden(&all) {
            let without_votes = Circumstances { counts: now.counts.clone(), ..all.clone() };
            if forbidden(&without_votes) {
                return Clears::Votes { missing: self.asked_for(&without_votes, rule) };
            }
            let without_withdrawal = Circumstances { vetoes: now.vetoes, ..all.clone() };
            if forbidden(&without_withdrawal) {
                return self.withdrawal();
            }
            let without_facts = Circumstances { outlook: now.outlook, ..all };
            return match soak(self.trial) {
                Some(soak) if !forbidden(&without_facts) => soak,
                _ => Clears::Facts,
            };
        }
        if looks_at_the_clock(self.trial, rule) {
            return self.opening(rule, &all).unwrap_or(Clears::Time { at: None });
        }
        Clears::Nothing
    }

    fn withdrawal(&self) -> Clears {
        Clears::Withdrawal { by: self.ballot.objectors.clone() }
    }

    fn opening(&self, rule: &str, circumstances: &Circumstances<'_>) -> Option<Clears> {
        let at = opening(self.trial, rule, circumstances.now, |moment| {
            self.trial.forbids(rule, &Circumstances { now: moment, ..circumstances.clone() })
        })?;
        Some(Clears::Time { at: Some(at) })
    }

    /// The fewest further approvals with which none of these rules forbids, preferring those that somebody can
    /// give, then those of teams that have not approved yet: another pair of eyes sees more. Each rotation of the
    /// teams gives one least filling; where a rule leaves a choice between teams, they differ. The rules must be such
    /// that enough approvals clear them.
    fn missing(&self, now: &Circumstances<'_>, rules: &[&str]) -> Filling {
        let fillings = self.fillings(now, rules).into_iter();
        let fewest = fillings.min_by_key(|(filling, again)| (filling.unfillable, filling.total, *again));
        fewest.map(|(filling, _)| filling).unwrap_or_else(|| self.filling(&Vec::new()))
    }

    /// One least filling for each rotation of the teams, with how many of it are of teams that have approved already.
    fn fillings(&self, now: &Circumstances<'_>, rules: &[&str]) -> Vec<(Filling, u32)> {
        let teams = self.counted_by(rules);
        let filling = |first: usize| {
            let order = teams[first..].iter().chain(&teams[..first]).copied();
            let more = self.fewest(now, rules, order);
            let again: u32 = now.counts.iter().zip(&more).map(|(given, more)| given.saturating_mul(*more)).sum();
            (self.filling(&more), again)
        };
        (0..teams.len()).map(filling).collect()
    }

    /// What one rule misses, with what would do instead: approvals of another team that people are there for.
    fn asked_for(&self, now: &Circumstances<'_>, rule: &str) -> Vec<Slot> {
        let mut fillings = self.fillings(now, &[rule]);
        let nearness = |index: &usize| {
            let (filling, again) = &fillings[*index];
            (filling.unfillable, filling.total, *again)
        };
        let Some(nearest) = (0..fillings.len()).min_by_key(nearness) else { return Vec::new() };
        let (Filling { mut slots, .. }, _) = fillings.swap_remove(nearest);
        let [only] = slots.as_mut_slice() else { return slots };
        for (other, _) in fillings {
            let [slot] = other.slots.as_slice() else { continue };
            if other.unfillable == 0 && slot.team != only.team && only.or.iter().all(|known| known.team != slot.team) {
                only.or.push(slot.clone());
            }
        }
        slots
    }

    /// The teams whose approvals these rules count, by their place among all that are counted. No other approval makes
    /// a difference to them.
    fn counted_by(&self, rules: &[&str]) -> Vec<usize> {
        let set = self.trial.set;
        let counts =
            |team| rules.iter().any(|rule| set.rules.get(*rule).is_none_or(|rule| rule.uses.teams.contains(team)));
        let counted = set.counted.iter().enumerate().filter(|(_, team)| counts(*team));
        counted.map(|(place, _)| place).collect()
    }

    /// Lowers each of these teams in turn to the least with which the rules still do not forbid.
    fn fewest(&self, now: &Circumstances<'_>, rules: &[&str], order: impl Iterator<Item = usize>) -> Counts {
        let allowed = |more: &Counts| {
            let counts = now.counts.iter().zip(more).map(|(count, more)| count + more).collect();
            let then = Circumstances { counts, ..now.clone() };
            !rules.iter().any(|rule| self.trial.forbids(rule, &then))
        };
        let mut more = vec![0; now.counts.len()];
        let order: Vec<_> = order.collect();
        for &team in &order {
            more[team] = QUORUM_LIMIT;
        }
        for team in order {
            // A rule that is content with n approvals is so with n + 1, and most want one or two.
            let enough = (0..QUORUM_LIMIT).find(|&n| {
                more[team] = n;
                allowed(&more)
            });
            more[team] = enough.unwrap_or(QUORUM_LIMIT);
        }
        more
    }

    fn filling(&self, more: &Counts) -> Filling {
        let teams = self.trial.set.counted.iter().zip(more).filter(|(_, missing)| **missing > 0);
        let slots: Vec<_> = teams
            .map(|(team, &missing)| {
                let members = self.candidates.iter().filter(|person| person.teams.contains(team));
                let who = members.map(|person| person.id.clone()).collect();
                Slot { team: team.clone(), missing, who, or: vec![] }
            })
            .collect();
        let unfillable = unfillable(&slots).iter().map(|slot| slot.missing as usize).sum();
        Filling { unfillable, total: more.iter().sum(), slots }
    }
}
