//! What the policies cannot say because their schema is of an earlier version.

use super::ProbeResult;
use slipway_core::policy::{LackingAction, PolicySet};

/// A warning for each action that the schema lacks; nothing where it lacks none.
pub fn actions(set: &PolicySet) -> Vec<(String, ProbeResult)> {
    let warning = |LackingAction { action, command, rule }: LackingAction| {
        let says = format!("the schema is of an earlier version, without action {action}: nobody may use {command}");
        let mend = format!(
            "copy \"action {action}\" from policies/schema.cedarschema of this version into yours, and the rule {rule} from \
             policies/who.cedar, or write your own"
        );
        (format!("policies {action}"), ProbeResult { ok: true, says, mend })
    };
    set.lacking_actions().into_iter().map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::policy::{Vocabulary, built_in};

    #[test]
    fn a_schema_of_an_earlier_version_is_a_warning_with_what_to_copy() {
        let vocabulary = Vocabulary {
            teams: built_in::TEAMS.iter().map(|&team| team.into()).collect(),
            environments: built_in::ENVIRONMENTS.iter().map(|&name| name.into()).collect(),
        };
        let rule = ("rules.cedar".to_owned(), "@id(\"all\") permit (principal, action, resource);".to_owned());
        let set = |schema: &str| PolicySet::parse(schema, std::slice::from_ref(&rule), &vocabulary).unwrap();
        assert_eq!(actions(&set(built_in::SCHEMA)), []);
        let (before, rest) = built_in::SCHEMA.split_once("action ship ").unwrap();
        let (_, after) = rest.split_once("};\n").unwrap();
        let found = actions(&set(&format!("{before}{after}")));
        let [(about, lacks)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((about.as_str(), lacks.ok), ("policies ship", true));
        assert!(lacks.says.ends_with("without action ship: nobody may use /release ship"), "{lacks:?}");
        assert!(lacks.mend.contains("the rule ship-developers from policies/who.cedar"), "{lacks:?}");
    }
}
