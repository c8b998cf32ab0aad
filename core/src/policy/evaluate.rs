//! The questions and their answers.

use super::ballot::Trial;
use super::explain;
use super::names::Action;
use super::set::{Inner, PolicySet, Verdict};
use super::slots::assignments;
use super::stack::with_room;
use super::{
    Asking, Case, Clears, Decision, NO_PERMIT, POLICY_ERROR, PolicyChange, Reason, Stance, UNKNOWN_PERSON, own_change,
    world,
};
use crate::ids::{EnvironmentKey, EnvironmentName, PersonId, ServiceName};
use crate::person::Person;
use crate::plan::PlanKind;

/// What is to be done about a schema that lacks an action.
const MEND: &str = "take schema.cedarschema of this version, and a rule that permits it.";

/// What somebody does to an environment or to a release, whether or not there is a plan.
#[derive(Clone, Copy, Debug)]
pub enum Act<'a> {
    /// Stop a release.
    Cancel {
        /// Who asked for it.
        requester: &'a PersonId,
    },
    /// Take the environment's lock.
    Lock,
    /// End a lock.
    Unlock {
        /// Who holds it.
        owner: &'a PersonId,
    },
    /// Mark what a release brought as known to be bad, or take the mark away: allowed to whoever may roll back there.
    Mark,
    /// Merge a pull request, to bring it there.
    Ship,
    /// Put a release before others that wait.
    Bump {
        /// Who asked for it.
        requester: &'a PersonId,
    },
}

impl PolicySet {
    /// Whether somebody may ask for a release or rollback. A no is final: nothing that happens to the release
    /// clears it.
    #[must_use]
    pub fn may_ask(&self, asking: &Asking<'_>) -> Decision {
        let Asking { person, service, environment, kind } = asking;
        let (action, what) = match kind {
            PlanKind::Deploy | PlanKind::Config => (Action::Request, "ask for a release to"),
            PlanKind::Rollback => (Action::Rollback, "ask for a rollback of"),
            PlanKind::MigrateUp | PlanKind::MigrateDown => (Action::Migrate, "ask for migrations of"),
        };
        with_room(|| self.0.beside_a_plan(person, action, service, environment, None, what))
    }

    /// As [`Self::may_ask`], for somebody who may have changed the policies themselves.
    #[must_use]
    pub fn may_ask_despite(&self, asking: &Asking<'_>, changes: &[PolicyChange]) -> Decision {
        match self.may_ask(asking) {
            Decision::Allow => match own_change::against_asking(asking, changes) {
                reasons if reasons.is_empty() => Decision::Allow,
                reasons => Decision::Deny { reasons },
            },
            deny => deny,
        }
    }

    /// Whether somebody may cancel, lock, unlock, mark or ship.
    #[must_use]
    pub fn may_act(
        &self,
        person: &Person,
        act: Act<'_>,
        service: &ServiceName,
        environment: &EnvironmentName,
    ) -> Decision {
        let (action, about, what) = match act {
            Act::Cancel { requester } => {
                (Action::Cancel, Some(("requester", requester)), "cancel somebody else's release to")
            }
            Act::Lock => (Action::Lock, None, "lock"),
            Act::Unlock { owner } => (Action::Unlock, Some(("owner", owner)), "end somebody else's lock on"),
            Act::Mark => (Action::Rollback, None, "say what is bad on"),
            Act::Ship => (Action::Ship, None, "ship pull requests to"),
            Act::Bump { requester } => (Action::Bump, Some(("requester", requester)), "put a release first on"),
        };
        if !self.0.declares(action) {
            let why = format!(
                "The policies' schema is of an earlier version and has no action \"{0}\": {MEND}",
                action.name()
            );
            return deny(vec![reason(NO_PERMIT, why)]);
        }
        with_room(|| self.0.beside_a_plan(person, action, service, environment, about, what))
    }

    /// As [`Self::may_act`], for somebody who may have changed the policies themselves.
    #[must_use]
    pub fn may_act_despite(
        &self,
        person: &Person,
        act: Act<'_>,
        key: &EnvironmentKey,
        changes: &[PolicyChange],
    ) -> Decision {
        let ask = |set: &Self| set.may_act(person, act, &key.service, &key.environment);
        match ask(self) {
            Decision::Allow => match own_change::against(&person.id, changes, ask) {
                reasons if reasons.is_empty() => Decision::Allow,
                reasons => Decision::Deny { reasons },
            },
            deny => deny,
        }
    }

    /// Whether this person may vote so on this release. The answer is about the person's right, not about
    /// whether they have voted already. Somebody who is not in `case.people` may not.
    #[must_use]
    pub fn may_vote(&self, voter: &Person, stance: Stance, case: &Case<'_>) -> Decision {
        let Some(requester) = case.requester else { return requester_unknown() };
        // The directory knows today's teams; whatever the caller holds may be older.
        let Some(voter) = case.people.get(&voter.id) else {
            let why = format!("{} is not somebody Slipway knows.", voter.id);
            return deny(vec![reason(UNKNOWN_PERSON, why)]);
        };
        let what = match stance {
            Stance::Approve => "approve",
            Stance::Veto => "veto",
        };
        let answer = with_room(|| {
            let trial = Trial::new(&self.0, case, requester)?;
            let verdict = trial.votes([voter], stance)?.pop().map(|(_, verdict)| verdict).unwrap_or_default();
            let clears = |rule: &str| (explain::vote(&trial, rule, voter, stance), false);
            Ok(self.0.decision(verdict, format!("No rule lets {} {what} this release.", voter.id), clears))
        });
        answer.unwrap_or_else(|error: String| deny(vec![not_evaluated(&error)]))
    }

    /// Whether this person may set rules aside for this release.
    #[must_use]
    pub fn may_override(&self, person: &Person, case: &Case<'_>) -> Decision {
        let Some(requester) = case.requester else { return requester_unknown() };
        let Some(person) = case.people.get(&person.id) else {
            return deny(vec![reason(UNKNOWN_PERSON, format!("{} is not somebody Slipway knows.", person.id))]);
        };
        let answer = with_room(|| {
            let trial = Trial::new(&self.0, case, requester)?;
            let vetoes = trial.ballot()?.objectors.len();
            let verdict = trial.overriding(person, vetoes)?;
            let no_permit = format!("No rule lets {} override the policies for this release.", person.id);
            Ok(self.0.decision(verdict, no_permit, |_| (Clears::Nothing, false)))
        });
        answer.unwrap_or_else(|error: String| deny(vec![not_evaluated(&error)]))
    }

    /// Whether the release may run now: the votes are counted, and every assignment of voters to teams is tried
    /// until one is allowed. A no comes with every reason and what would clear it, found by asking again.
    #[must_use]
    pub fn may_execute(&self, case: &Case<'_>) -> Decision {
        let Some(requester) = case.requester else { return requester_unknown() };
        let answer = with_room(|| judge(&Trial::new(&self.0, case, requester)?, requester));
        answer.unwrap_or_else(|error: String| deny(vec![not_evaluated(&error)]))
    }
}

fn judge(trial: &Trial<'_>, requester: &Person) -> Result<Decision, String> {
    let ballot = trial.ballot()?;
    let mut refused = Vec::new();
    for counts in assignments(&ballot.approvers, &trial.set.counted) {
        let verdict = trial.execute(&trial.as_it_is(counts.clone(), &ballot))?;
        if verdict.allow {
            return Ok(Decision::Allow);
        }
        if !verdict.errors.is_empty() {
            // It does not matter what another assignment says: what cannot be evaluated means no.
            return Ok(trial.set.decision(verdict, String::new(), |_| (Clears::Nothing, false)));
        }
        refused.push((counts, verdict));
    }
    let explained = explain::execution(trial, &ballot, refused)?;
    let no_permit = format!("No rule lets a release run that {} asked for.", requester.id);
    let clears = |rule: &str| explained.clears.get(rule).cloned().unwrap_or((Clears::Nothing, false));
    Ok(trial.set.decision(explained.verdict, no_permit, clears))
}

impl Inner {
    fn beside_a_plan(
        &self,
        person: &Person,
        action: Action,
        service: &ServiceName,
        environment: &EnvironmentName,
        about: Option<(&str, &PersonId)>,
        what: &str,
    ) -> Decision {
        let answer = world::beside_a_plan(&person.id, action, service, environment, about).and_then(|question| {
            let entities = world::entities([world::person(person, &self.teams)], &self.schema)?;
            let verdict = self.ask(question, &entities);
            let no_permit = format!("No rule lets {} {what} {environment}.", person.id);
            Ok(self.decision(verdict, no_permit, |_| (Clears::Nothing, false)))
        });
        answer.unwrap_or_else(|error: String| deny(vec![not_evaluated(&error)]))
    }

    /// The verdict in words. `clears` tells what clears a rule, and whether an override sets it aside.
    fn decision(&self, verdict: Verdict, no_permit: String, clears: impl Fn(&str) -> (Clears, bool)) -> Decision {
        let Verdict { allow, permitted, forbids, errors } = verdict;
        if allow {
            return Decision::Allow;
        }
        if !errors.is_empty() {
            // Whatever else was found rests on rules of which some were skipped.
            return deny(errors.iter().map(|error| not_evaluated(error)).collect());
        }
        let mut reasons = Vec::new();
        if !permitted {
            reasons.push(reason(NO_PERMIT, no_permit));
        }
        for id in forbids {
            let (why, (clears, overridable)) = (self.why(&id), clears(&id));
            reasons.push(Reason { id, why, clears, overridable });
        }
        deny(reasons)
    }

    /// The `@why` of a rule.
    pub(super) fn why(&self, id: &str) -> String {
        self.rules.get(id).map(|rule| rule.why.clone()).unwrap_or_default()
    }
}

fn deny(mut reasons: Vec<Reason>) -> Decision {
    if reasons.is_empty() {
        // Cannot be: a verdict that does not allow has an error, a forbid or no permit.
        reasons.push(not_evaluated("the policy said no without a reason"));
    }
    Decision::Deny { reasons }
}

fn reason(id: &str, why: String) -> Reason {
    Reason::new(id, why, Clears::Nothing)
}

fn requester_unknown() -> Decision {
    deny(vec![reason(UNKNOWN_PERSON, "Whoever asked for this release is no longer known.".to_owned())])
}

fn not_evaluated(error: &str) -> Reason {
    reason(POLICY_ERROR, format!("The policy could not be evaluated, which means no: {error}."))
}
