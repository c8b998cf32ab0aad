//! What a policies folder of one's own lacks for what this version can do, found before anybody needs it.

use super::names::Action;
use super::set::PolicySet;
use super::{Asking, Case, NO_PERMIT, POLICY_ERROR, Past, Reason, deadlock};
use crate::facts::{CiFact, CiState, Facts, Observed};
use crate::ids::{EnvironmentKey, PersonId, ReleaseId};
use crate::person::Directory;
use crate::plan::PlanKind;
use jiff::Timestamp;

/// An action that the schema, of an earlier version, does not have. Nobody may do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LackingAction {
    /// Its name in the schema.
    pub action: &'static str,
    /// What nobody can type.
    pub command: &'static str,
    /// The `@id` of a rule of the built-in ones that permits it.
    pub rule: &'static str,
}

/// Why Slipway itself brings nothing to an environment, at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgainstSlipway {
    /// It may not ask for a release there. Each reason is a sentence, partly untrusted.
    Asking(Vec<String>),
    /// It may ask, and what it asks for would not run.
    Running(Vec<String>),
}

impl PolicySet {
    /// The actions of this version that the schema does not have.
    #[must_use]
    pub fn lacking_actions(&self) -> Vec<LackingAction> {
        Action::ALL.into_iter().filter(|action| !self.0.declares(*action)).filter_map(lacking).collect()
    }

    /// What keeps Slipway from releasing there: a request that is refused, and a run that no rule permits. What forbids a run
    /// depends on the release and its moment, and is no such thing.
    #[must_use]
    pub fn against_slipway(
        &self,
        key: &EnvironmentKey,
        timezone: &str,
        people: &Directory,
        now: Timestamp,
    ) -> Option<AgainstSlipway> {
        let EnvironmentKey { service, environment } = key;
        let slipway = people.get(&PersonId::slipway())?;
        let asked = self.may_ask(&Asking { person: slipway, service, environment, kind: PlanKind::Deploy });
        if !asked.is_allow() {
            return Some(AgainstSlipway::Asking(whys(asked.reasons(), |_| true)));
        }
        let ci = CiFact { state: CiState::Green, total: 1, passed: 1, failing: vec![], missing: vec![] };
        let runs = self.may_execute(&Case {
            release: &ReleaseId::new(""),
            requester: Some(slipway),
            plan: &deadlock::ordinary(service, environment, slipway)?,
            votes: &[],
            waiver: None,
            facts: &Facts::of_ci(Observed { value: ci, at: now }),
            past: &Past::default(),
            people,
            now,
            timezone,
        });
        let whys = whys(runs.reasons(), |reason| [NO_PERMIT, POLICY_ERROR].contains(&reason.id.as_str()));
        (!whys.is_empty()).then_some(AgainstSlipway::Running(whys))
    }
}

fn whys(reasons: &[Reason], counts: impl Fn(&Reason) -> bool) -> Vec<String> {
    reasons.iter().filter(|reason| counts(reason)).map(|reason| reason.why.clone()).collect()
}

/// `None` for an action without which no schema is accepted.
fn lacking(action: Action) -> Option<LackingAction> {
    let (command, rule) = match action {
        Action::Ship => ("/release ship", "ship-developers"),
        Action::Bump => ("/release queue --bump", "bump-release"),
        Action::Request
        | Action::Rollback
        | Action::Migrate
        | Action::Lock
        | Action::Unlock
        | Action::Cancel
        | Action::Approve
        | Action::Veto
        | Action::Override
        | Action::Execute => return None,
    };
    Some(LackingAction { action: action.name(), command, rule })
}

#[cfg(test)]
mod tests {
    use super::super::{Vocabulary, built_in};
    use super::*;

    /// The built-in rules after an edit of each file: file name, text.
    fn set(edit: impl Fn(&str, &str) -> String) -> PolicySet {
        let vocabulary = Vocabulary {
            teams: built_in::TEAMS.iter().map(|&team| team.into()).collect(),
            environments: ["production", "staging"].iter().map(|&name| name.into()).collect(),
        };
        let files: Vec<_> = built_in::FILES.iter().map(|(name, text)| ((*name).to_owned(), edit(name, text))).collect();
        PolicySet::parse(&edit("schema", built_in::SCHEMA), &files, &vocabulary).unwrap()
    }

    /// Without the rules whose name begins so.
    fn without_rules(text: &str, prefix: &str) -> String {
        let rules = text.split_inclusive(";\n").filter(|rule| !rule.contains(&format!("@id(\"{prefix}")));
        rules.collect()
    }

    fn without_action(schema: &str, action: &str) -> String {
        let (before, rest) = schema.split_once(&format!("action {action} ")).unwrap();
        let (_, after) = rest.split_once("};\n").unwrap();
        format!("{before}{after}")
    }

    fn against(set: &PolicySet) -> Option<AgainstSlipway> {
        let key = EnvironmentKey { service: "goals".into(), environment: "staging".into() };
        set.against_slipway(&key, "UTC", &Directory::new([]), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn each_action_that_may_be_lacking_is_named_with_a_rule_that_there_is() {
        let may_lack: Vec<_> = Action::ALL.into_iter().filter(|action| action.may_be_missing()).collect();
        assert!(may_lack.len() > 1);
        for action in may_lack {
            let name = action.name();
            let earlier = set(|file, text| match file {
                "schema" => without_action(text, name),
                _ => without_rules(text, name),
            });
            let found = earlier.lacking_actions();
            assert_eq!(found.iter().map(|one| one.action).collect::<Vec<_>>(), [name]);
            let rules = set(|_, text| text.to_owned());
            assert!(rules.rule_ids().any(|id| id == found[0].rule), "{found:?}");
            assert_eq!(rules.lacking_actions(), []);
        }
    }

    #[test]
    fn slipway_needs_leave_to_ask_and_leave_to_run() {
        assert_eq!(against(&set(|_, text| text.to_owned())), None);
        let none = set(|_, text| without_rules(text, "by-itself"));
        assert_eq!(
            against(&none),
            Some(AgainstSlipway::Asking(vec!["No rule lets slipway ask for a release to staging.".to_owned()]))
        );
        let asks = "action in [Action::\"request\", Action::\"rollback\", Action::\"execute\"],\n    resource\n);";
        let only_asks = set(|_, text| match text.split_once("@id(\"by-itself\")") {
            Some((before, rest)) => {
                let rest = rest.replacen(asks, "action in [Action::\"request\", Action::\"rollback\"], resource);", 1);
                format!("{before}@id(\"by-itself\"){rest}")
            }
            None => text.to_owned(),
        });
        assert_eq!(
            against(&only_asks),
            Some(AgainstSlipway::Running(vec!["No rule lets a release run that slipway asked for.".to_owned()]))
        );
    }
}
