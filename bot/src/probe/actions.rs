//! What the policies cannot say because their schema is of an earlier version.

use super::ProbeResult;
use slipway_core::policy::{LackingAction, PolicySet};

/// A warning for each action that the schema lacks; nothing where it lacks none.
pub fn actions(set: &PolicySet) -> Vec<(String, ProbeResult)> {
    let warning = |LackingAction { action, command, rule }: LackingAction| {
        let says = format!("the schema is of an earlier version, without action {action}: nobody may {command}");
        let mend = format!(
            "copy \"action {action}\" from policies/schema.cedarschema of this version into yours, and the rule {rule} from \
             policies/who.cedar, or write your own"
        );
        (format!("policies {action}"), ProbeResult { ok: true, says, mend })
    };
    set.lacking_actions().into_iter().map(warning).collect()
}
