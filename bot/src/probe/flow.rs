//! What continuous delivery needs and lacks: its branch, and leave to release what is on it.

use super::ProbeResult;
use crate::outside::Outside;
use crate::setup::{ServiceSetup, Setup};
use slipway_core::ids::{EnvironmentKey, PersonId, ServiceName};
use slipway_core::plan::PlanKind;
use slipway_core::policy::Asking;

/// Of each environment that follows a branch, what is wrong; nothing where nothing is.
pub(super) async fn of_service(
    setup: &Setup,
    outside: &Outside,
    name: &ServiceName,
    service: &ServiceSetup,
) -> Vec<(String, ProbeResult)> {
    let mut found = Vec::new();
    for environment in &service.environments {
        let Some(auto) = &environment.auto_deploy else { continue };
        let key = EnvironmentKey { service: name.clone(), environment: environment.name.clone() };
        let about = format!("auto_deploy of {key}");
        match outside.github.head_of(&service.repository, &auto.branch).await {
            Ok(Some(_)) => {}
            Ok(None) => {
                let says = format!("{} has no branch {}", service.repository, auto.branch);
                found.push((about.clone(), ProbeResult::fail(says, "name a branch that there is, or push it")));
            }
            Err(error) => found.push((about.clone(), ProbeResult::fail(error.to_string(), ""))),
        }
        found.extend(leave(setup, &key).map(|lacks| (about, lacks)));
    }
    found
}

/// Whether the rules let Slipway ask for a release there.
fn leave(setup: &Setup, key: &EnvironmentKey) -> Option<ProbeResult> {
    let slipway = setup.people.get(&PersonId::slipway())?;
    let (service, environment) = (&key.service, &key.environment);
    let asking = Asking { person: slipway, service, environment, kind: PlanKind::Deploy };
    let decision = setup.policies().may_ask(&asking);
    let why = decision.reasons().iter().map(|reason| reason.why.as_str()).collect::<Vec<_>>().join(" ");
    (!decision.is_allow()).then(|| {
        let mend = "permit Person::\"slipway\" to request and execute there, as the rule by-itself of who.cedar does";
        ProbeResult::fail(format!("the policies do not let Slipway release there: {why}"), mend)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use slipway_core::policy::built_in;
    use std::path::Path;

    /// The default rules, of which one is another.
    fn setup(edit: (&str, &str)) -> Setup {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("schema.cedarschema"), built_in::SCHEMA).unwrap();
        for (name, text) in built_in::FILES {
            std::fs::write(folder.path().join(name), text.replace(edit.0, edit.1)).unwrap();
        }
        let people = "[person.zoe]\nterminal = \"zoe\"\nteams = [\"developers\", \"release\", \"sre\", \"dba\"]\n";
        let file = format!("[store]\nurl = \"sqlite://x.db\"\n[policies]\ndir = {:?}\n{people}", folder.path());
        let service = "[service.goals]\nrepository = \"acme/goals\"\nworkflow = \"build.yaml\"\n\
             image = \"123456789012.dkr.ecr.us-west-2.amazonaws.com/goals\"\nchannels = []\n\
             [service.goals.environment.production]\ntarget = { kind = \"dry\", name = \"goals\" }\nauto_deploy = \"main\"\n";
        let (config, _) = Config::check(format!("{file}{service}").as_bytes(), Path::new("slipway.toml")).unwrap();
        crate::assemble::setup(&config).unwrap()
    }

    #[test]
    fn rules_that_do_not_let_slipway_are_named_before_anything_is_merged() {
        let key = EnvironmentKey { service: "goals".into(), environment: "production".into() };
        assert!(leave(&setup(("", "")), &key).is_none());
        let lacks = leave(&setup(("principal == Person::\"slipway\"", "principal == Person::\"zoe\"")), &key).unwrap();
        assert!(!lacks.ok && lacks.says.starts_with("the policies do not let Slipway release there: "), "{lacks:?}");
        assert!(lacks.mend.contains("by-itself"), "{lacks:?}");
    }
}
