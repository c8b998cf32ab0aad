//! How one goes on where what a release has brought runs already, well or not. One decision for the failure that the executor
//! records, for cards and their buttons: what is offered does something.

use super::announcement::NO_WAY_BACK;
use super::release::config_command;
use crate::ids::EnvironmentName;
use crate::plan::PlanKind;
use crate::release::{Failure, Release, RequestKind, Step};

/// Which ways there are, beside another commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenWays {
    /// Whether `/rollback` would find something.
    pub back: bool,
    /// Whether the environment has a configuration that can be deployed alone.
    pub configuration: bool,
    /// Whether nothing but settings differs from what was well before. Only asked of a deployment of the configuration.
    pub settings: bool,
}

/// The failure of a verification, with the ways that are open. The same commit deployed again is nothing to do, as it runs:
/// what starts it once more is a deployment of its configuration, where it has one.
#[must_use]
pub fn not_verified(release: &Release, failure: Failure, open: OpenWays) -> Failure {
    let environment = &release.request.key.environment;
    let again = config_command(environment);
    if open.settings && release.request.kind.plan_kind() == PlanKind::Config {
        // An older version would read the same settings.
        return failure
            .next(format!("put the secret back, then {again}"))
            .next(format!("/release retry {}", release.id.short()));
    }
    let failure = match open.back {
        true => failure.next(format!("/rollback {environment}")),
        false => {
            let (command, which) = another_commit(environment);
            failure.detail(NO_WAY_BACK).next(format!("{command} {which}"))
        }
    };
    match open.configuration {
        true => failure.next(format!("{again} starts it once more")),
        false => failure,
    }
}

/// Whether the same request again would have nothing to do: what could not be verified runs. Settings are read once more
/// whatever runs.
pub(super) fn runs_already(release: &Release, step: Option<Step>) -> bool {
    step == Some(Step::Verify) && release.request.kind.plan_kind() != PlanKind::Config
}

/// What is always open: the command, and with what.
pub(super) fn another_commit(environment: &EnvironmentName) -> (String, &'static str) {
    (format!("/deploy {environment}"), "with a commit that mends it")
}

/// The command that starts once more what runs, for whoever tried again what had nothing to do. Where its settings are known
/// to be as they were, there is nothing to start; where they are others, that is said already.
pub(super) fn starts_once_more(release: &Release) -> Option<String> {
    let again = matches!(release.request.kind, RequestKind::Retry { .. });
    release.plan.as_ref().filter(|plan| again && !plan.config.is_empty() && plan.drift.is_none())?;
    Some(config_command(&release.request.key.environment))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{asked, running, sha};
    use super::*;

    fn ways(release: &Release, back: bool, configuration: bool, settings: bool) -> (Vec<String>, Vec<String>) {
        let failure =
            not_verified(release, Failure::new("It is not well."), OpenWays { back, configuration, settings });
        (failure.details, failure.next)
    }

    #[test]
    fn only_ways_that_are_open_are_named() {
        let release = running(Step::Verify);
        let (details, next) = ways(&release, true, true, false);
        assert!(details.is_empty(), "{details:?}");
        assert_eq!(next, ["/rollback production", "/deploy production --config starts it once more"]);
        let (details, next) = ways(&release, false, false, false);
        assert_eq!(details, [NO_WAY_BACK]);
        assert_eq!(next, ["/deploy production with a commit that mends it"]);
    }

    #[test]
    fn an_older_version_is_no_way_out_of_settings() {
        let mut release = asked();
        release.request.kind = RequestKind::Config { commit: sha("9a77d01"), again: None };
        let (details, next) = ways(&release, true, true, true);
        assert!(details.is_empty() && next.iter().all(|way| !way.contains("/rollback")), "{next:?}");
        assert!(!runs_already(&release, Some(Step::Verify)), "it is tried again");
        let (_, next) = ways(&release, true, true, false);
        assert_eq!(
            next,
            ["/rollback production", "/deploy production --config starts it once more"],
            "none has changed"
        );
    }
}
