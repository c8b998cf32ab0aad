//! The loaded policies, and one evaluation of them.

use super::check::Uses;
use super::names::Action;
use crate::ids::TeamName;
use cedar_policy::{Authorizer, Context, Entities, EntityUid, PolicySet as Cedar, Request, Schema};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// A checked set of policies. Cheap to clone; never changes: a reload makes another one.
#[derive(Clone)]
pub struct PolicySet(pub(super) Arc<Inner>);

impl fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicySet").field("hash", &self.0.hash).field("rules", &self.0.rules.keys()).finish()
    }
}

pub(super) struct Inner {
    pub(super) schema: Schema,
    pub(super) all: Cedar,
    /// Only what permits: tells whether anything would allow it if nothing forbade it.
    pub(super) permits: Cedar,
    /// By `@id`.
    pub(super) rules: BTreeMap<String, Rule>,
    /// The teams whose approvals some rule counts. A vector of counts is in this order.
    pub(super) counted: Vec<TeamName>,
    /// All teams that rules can speak of.
    pub(super) teams: BTreeSet<TeamName>,
    /// The people whom some rule names.
    pub(super) named: BTreeSet<String>,
    pub(super) hash: String,
    /// Whether the schema has `takesOut` of a release. One of an earlier version does not.
    pub(super) declares_takes_out: bool,
}

#[derive(Clone)]
pub(super) struct Rule {
    pub(super) why: String,
    pub(super) uses: Uses,
    /// Just this rule.
    pub(super) alone: Cedar,
}

/// One question, ready for Cedar.
pub(super) struct Question {
    pub(super) principal: EntityUid,
    pub(super) action: Action,
    pub(super) resource: EntityUid,
    pub(super) context: Context,
}

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Allowed, and nothing failed to evaluate.
    pub(super) allow: bool,
    /// Whether some permit matches.
    pub(super) permitted: bool,
    /// The ids of the matching forbids, sorted.
    pub(super) forbids: BTreeSet<String>,
    /// What could not be evaluated, for people.
    pub(super) errors: Vec<String>,
}

impl PolicySet {
    /// SHA-256 in hex (64 digits) over the schema, the vocabulary and the rules. Comments, layout and the
    /// distribution over files do not count.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.0.hash
    }

    /// The same rules without one of them, to find out what that one decides. Never in force: nothing but its hash, which
    /// is that of the whole set, tells it from one that was read.
    pub(crate) fn without(&self, rule: &str) -> Self {
        let Inner { schema, all, permits, rules, counted: _, teams, named, hash, declares_takes_out } = &*self.0;
        let others = |set: &Cedar| {
            let mut others = set.clone();
            // A set without that rule needs nothing.
            let _ = others.remove_static(cedar_policy::PolicyId::new(rule));
            others
        };
        let rules: BTreeMap<_, _> =
            rules.iter().filter(|(id, _)| *id != rule).map(|(id, rule)| (id.clone(), rule.clone())).collect();
        let counted: BTreeSet<_> = rules.values().flat_map(|rule| rule.uses.teams.clone()).collect();
        Self(Arc::new(Inner {
            schema: schema.clone(),
            all: others(all),
            permits: others(permits),
            counted: counted.into_iter().collect(),
            rules,
            teams: teams.clone(),
            named: named.clone(),
            hash: hash.clone(),
            declares_takes_out: *declares_takes_out,
        }))
    }

    /// The teams that some rule speaks of: to be in another one gives nobody anything.
    #[must_use]
    pub fn teams_spoken_of(&self) -> BTreeSet<TeamName> {
        let of_rule = |rule: &Rule| rule.uses.teams.iter().chain(&rule.uses.asked_teams).cloned().collect::<Vec<_>>();
        self.0.rules.values().flat_map(of_rule).collect()
    }

    /// The teams whose approvals some rule counts, in order.
    #[must_use]
    pub fn counted_teams(&self) -> &[TeamName] {
        &self.0.counted
    }

    /// The `@id` of every rule, in order.
    pub fn rule_ids(&self) -> impl Iterator<Item = &str> {
        self.0.rules.keys().map(String::as_str)
    }
}

impl Inner {
    /// Whether the schema knows of it. One of an earlier version may not.
    pub(super) fn declares(&self, action: Action) -> bool {
        !action.may_be_missing() || self.schema.actions().any(|known| *known == action.uid())
    }

    /// Asks every rule. What Cedar skips because it cannot be evaluated is a no here.
    pub(super) fn ask(&self, question: Question, entities: &Entities) -> Verdict {
        let request = match self.request(question) {
            Ok(request) => request,
            Err(error) => return Verdict { errors: vec![error], ..Verdict::default() },
        };
        let response = Authorizer::new().is_authorized(&request, &self.all, entities);
        let errors: Vec<_> = response.diagnostics().errors().map(ToString::to_string).collect();
        let allow = errors.is_empty() && response.decision() == cedar_policy::Decision::Allow;
        if allow {
            return Verdict { allow, permitted: true, ..Verdict::default() };
        }
        let permits = Authorizer::new().is_authorized(&request, &self.permits, entities);
        let forbids = match response.decision() {
            cedar_policy::Decision::Allow => BTreeSet::new(),
            cedar_policy::Decision::Deny => response.diagnostics().reason().map(ToString::to_string).collect(),
        };
        Verdict { allow, permitted: permits.decision() == cedar_policy::Decision::Allow, forbids, errors }
    }

    /// Asks one forbid by itself. What cannot be evaluated forbids.
    pub(super) fn forbids(&self, rule: &str, request: &Request, entities: &Entities) -> bool {
        let Some(rule) = self.rules.get(rule) else { return true };
        let response = Authorizer::new().is_authorized(request, &rule.alone, entities);
        response.diagnostics().reason().next().is_some() || response.diagnostics().errors().next().is_some()
    }

    /// The request for a question of the same shape as one that was checked before. For what might be, never for
    /// what is.
    pub(super) fn supposed(question: Question) -> Result<Request, String> {
        let Question { principal, action, resource, context } = question;
        Request::new(principal, action.uid(), resource, context, None).map_err(|error| error.to_string())
    }

    /// The request, checked against the schema: an environment it does not know is an error, not just a no.
    fn request(&self, question: Question) -> Result<Request, String> {
        let Question { principal, action, resource, context } = question;
        Request::new(principal, action.uid(), resource, context, Some(&self.schema)).map_err(|error| error.to_string())
    }
}
