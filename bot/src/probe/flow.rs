//! What continuous delivery needs and lacks: its branch, and leave to release what is on it.

use super::ProbeResult;
use crate::clock::Clock;
use crate::outside::Outside;
use crate::setup::{EnvironmentSetup, ServiceSetup, Setup};
use slipway_core::ids::{EnvironmentKey, ServiceName};
use slipway_core::policy::AgainstSlipway;

/// The rule that lets Slipway release what nobody asked for, and where it is kept.
const BY_ITSELF: &str = "where a rule forbids it, change that or take the setting out; where none permits it, copy the rule \
     by-itself from policies/who.cedar into yours, or write one that permits Person::\"slipway\" to request and execute there";

/// Of each environment that follows a branch or is promoted to by itself, what is wrong; nothing where nothing is.
pub(super) async fn of_service(
    setup: &Setup,
    outside: &Outside,
    name: &ServiceName,
    service: &ServiceSetup,
) -> Vec<(String, ProbeResult)> {
    let mut found = Vec::new();
    for environment in &service.environments {
        let key = EnvironmentKey { service: name.clone(), environment: environment.name.clone() };
        if let Some(auto) = &environment.auto_deploy {
            let about = format!("auto_deploy of {key}");
            match outside.github.head_of(&service.repository, &auto.branch).await {
                Ok(Some(_)) => {}
                Ok(None) => {
                    let says = format!("{} has no branch {}", service.repository, auto.branch);
                    found.push((about.clone(), ProbeResult::fail(says, "name a branch that there is, or push it")));
                }
                Err(error) => found.push((about.clone(), ProbeResult::fail(error.to_string(), ""))),
            }
        }
        found.extend(leave(setup, &key, environment));
    }
    found
}

/// Whether the rules let Slipway release there, for what the environment sets; and what does not work without.
fn leave(setup: &Setup, key: &EnvironmentKey, environment: &EnvironmentSetup) -> Vec<(String, ProbeResult)> {
    let promotes = environment.auto_promote && environment.after.is_some();
    if environment.auto_deploy.is_none() && !promotes {
        return vec![];
    }
    // What the rules say is not known then, and that is told.
    if crate::policies::are_unread(&setup.policies()) {
        return vec![];
    }
    let now = Clock::System.now();
    let against = setup.policies().against_slipway(key, &environment.timezone, &setup.people, now);
    let Some(against) = against else { return vec![] };
    let (AgainstSlipway::Asking(whys) | AgainstSlipway::Running(whys)) = &against;
    let says = |so: &str| format!("the policies do not let Slipway release there, {so}: {}", whys.join(" "));
    let mut found = Vec::new();
    if environment.auto_deploy.is_some() {
        let says = says("so nothing starts by itself");
        found.push((format!("auto_deploy of {key}"), ProbeResult::fail(says, BY_ITSELF)));
    }
    if promotes {
        // People can still ask for what is suggested.
        let is_suggested = environment.suggest && matches!(against, AgainstSlipway::Asking(_));
        let so = match is_suggested {
            true => "so what is ready is suggested and does not start by itself",
            false => "so nothing starts by itself, and nothing is suggested either",
        };
        let lacks = ProbeResult { ok: is_suggested, ..ProbeResult::fail(says(so), BY_ITSELF) };
        found.push((format!("auto_promote of {key}"), lacks));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use expect_test::expect;
    use slipway_core::policy::built_in;
    use std::path::Path;

    /// The default rules, of which one is another.
    fn setup(edit: (&str, &str), sets: &str) -> Setup {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("schema.cedarschema"), built_in::SCHEMA).unwrap();
        for (name, text) in built_in::FILES {
            std::fs::write(folder.path().join(name), text.replace(edit.0, edit.1)).unwrap();
        }
        let people = "[person.zoe]\nterminal = \"zoe\"\nteams = [\"developers\", \"release\", \"sre\", \"dba\"]\n";
        let file = format!("[store]\nurl = \"sqlite://x.db\"\n[policies]\ndir = {:?}\n{people}", folder.path());
        let service = "[service.goals]\nrepository = \"acme/goals\"\nworkflow = \"build.yaml\"\n\
             image = \"123456789012.dkr.ecr.us-west-2.amazonaws.com/goals\"\nchannels = []\n\
             [service.goals.environment.staging]\ntarget = { kind = \"dry\", name = \"goals-staging\" }\n\
             [service.goals.environment.production]\nafter = \"staging\"\ntarget = { kind = \"dry\", name = \"goals\" }\n";
        let file = format!("{file}{service}{sets}");
        let (config, _) = Config::check(file.as_bytes(), Path::new("slipway.toml")).unwrap();
        crate::assemble::setup(&config).unwrap()
    }

    /// What production lacks.
    fn lacks(edit: (&str, &str), sets: &str) -> String {
        let key = EnvironmentKey { service: "goals".into(), environment: "production".into() };
        let setup = setup(edit, sets);
        let found = leave(&setup, &key, setup.environment(&key).unwrap());
        assert!(found.iter().all(|(_, lacks)| lacks.mend.contains("by-itself")), "{found:?}");
        let line = |(about, lacks): &(String, ProbeResult)| {
            format!("{} {about}: {}", if lacks.ok { "warn" } else { "FAIL" }, lacks.says)
        };
        found.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn rules_that_do_not_let_slipway_are_named_before_anything_is_merged() {
        let others = ("principal == Person::\"slipway\"", "principal == Person::\"zoe\"");
        let (deploys, promotes) = ("auto_deploy = \"main\"\n", "auto_promote = true\n");
        for (edit, sets) in [(("", ""), deploys), (("", ""), promotes), (others, "")] {
            assert_eq!(lacks(edit, sets), "", "{sets}");
        }
        let no_run = (
            "action in [Action::\"request\", Action::\"rollback\", Action::\"execute\"],\n    resource",
            "action in [Action::\"request\", Action::\"rollback\"],\n    resource",
        );
        let unasked = format!("{promotes}suggest = false\n");
        let all = [(others, deploys), (others, promotes), (others, &unasked), (no_run, deploys), (no_run, promotes)];
        expect![[r#"
            FAIL auto_deploy of goals → production: the policies do not let Slipway release there, so nothing starts by itself: No rule lets slipway ask for a release to production.
            warn auto_promote of goals → production: the policies do not let Slipway release there, so what is ready is suggested and does not start by itself: No rule lets slipway ask for a release to production.
            FAIL auto_promote of goals → production: the policies do not let Slipway release there, so nothing starts by itself, and nothing is suggested either: No rule lets slipway ask for a release to production.
            FAIL auto_deploy of goals → production: the policies do not let Slipway release there, so nothing starts by itself: No rule lets a release run that slipway asked for.
            FAIL auto_promote of goals → production: the policies do not let Slipway release there, so nothing starts by itself, and nothing is suggested either: No rule lets a release run that slipway asked for."#]].assert_eq(&all.map(|(edit, sets)| lacks(edit, sets)).join("\n"));
    }
}
