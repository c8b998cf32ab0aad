//! Whether the repositories are as releases need them: what the credentials may do, which checks are required, and
//! whether the workflows can do what they say.

use super::{PROBE_TIMEOUT, ProbeResult};
use crate::executor::workflows;
use crate::outside::Outside;
use crate::setup::{ServiceSetup, Setup};
use futures::future::join_all;
use slipway_core::ids::ServiceName;
use slipway_deploy::github::{Required, Resolution, Resolved};

/// Of each service, what is wrong; nothing where nothing is. That GitHub cannot be reached at all is said elsewhere.
pub async fn github(setup: &Setup, outside: &Outside) -> Vec<(String, ProbeResult)> {
    let asked = setup.services().map(|(name, service)| async move {
        tokio::time::timeout(PROBE_TIMEOUT, of_service(setup, outside, name, service)).await.unwrap_or_default()
    });
    join_all(asked).await.into_iter().flatten().collect()
}

async fn of_service(
    setup: &Setup,
    outside: &Outside,
    name: &ServiceName,
    service: &ServiceSetup,
) -> Vec<(String, ProbeResult)> {
    let mut found = permissions(setup, outside, service).await;
    found.extend(super::flow::of_service(setup, outside, name, service).await);
    let Ok(Resolution::Resolved(Resolved { commit: head, .. })) =
        outside.github.resolve(&service.repository, None).await
    else {
        return found;
    };
    let protected = service.environments.iter().any(|environment| environment.checks == Required::Protection);
    if protected
        && let Err(error) = outside.github.required_checks(&service.repository, &head, &Required::Protection).await
    {
        found.push((format!("required checks of {}", service.repository), ProbeResult::fail(error.to_string(), "")));
    }
    let workflows = workflows::of_commit(&outside.github, &service.repository, &service.workflow, &head).await;
    for finding in workflows.unwrap_or_default() {
        let says = format!("{}:{}: {}", finding.file, finding.line, finding.what);
        let mend = "mend the workflow: it can never do this as it is written";
        found.push((format!("workflows of {name}"), ProbeResult { ok: true, says, mend: mend.into() }));
    }
    found
}

/// What is known to be missing to show releases on GitHub.
async fn permissions(setup: &Setup, outside: &Outside, service: &ServiceSetup) -> Vec<(String, ProbeResult)> {
    let repo = &service.repository;
    let Ok(access) = outside.github.check_access(repo).await else { return vec![] };
    let to_show =
        if setup.deployments { outside.github.missing_to_show(repo).await.unwrap_or_default() } else { vec![] };
    let name = format!("permissions for {repo}");
    let lacks = |what: &String| format!("{} lacks {what}", access.who);
    let mend = "give it that permission, or set deployments = false in [github]";
    let wanted =
        to_show.iter().map(|what| (name.clone(), ProbeResult { ok: true, says: lacks(what), mend: mend.into() }));
    wanted.collect()
}
