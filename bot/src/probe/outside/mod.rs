//! Whether GitHub, AWS and the databases are what the configuration says, and what there leads around the gate.

mod aws;
mod database;
mod github;

use super::asked::{self, Row};
use super::{PROBE_CONCURRENCY_LIMIT, ProbeResult};
use crate::outside::Outside;
use crate::setup::{EnvironmentSetup, ServiceSetup, Setup};
use futures::StreamExt as _;
use futures::future::{BoxFuture, FutureExt as _};
use slipway_core::workflow::Bypass;
use slipway_deploy::target::Observed;
use std::collections::BTreeSet;

/// One look; it may have more to say than a line.
type Look<'a> = BoxFuture<'a, Vec<Row>>;

/// Everything about every service, in the order of the configuration.
pub async fn outside(setup: &Setup, outside: &Outside) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut secrets = BTreeSet::new();
    for (name, service) in setup.services() {
        let environments = || service.environments.iter().map(|environment| (name.as_str(), environment));
        let targets = environments().flat_map(|(service_name, environment)| {
            environment.targets.iter().map(move |target| aws::observe(outside, service_name, environment, target))
        });
        let seen: Vec<aws::Seen> =
            futures::stream::iter(targets.collect::<Vec<_>>()).buffered(PROBE_CONCURRENCY_LIMIT).collect().await;
        let observed: Vec<Observed> = seen.iter().filter_map(|seen| seen.target.clone().ok()).collect();
        let mut looks: Vec<Look<'_>> = vec![
            github::look(setup, outside, service, observed).boxed(),
            super::flow::of_service(setup, outside, name, service).boxed(),
            aws::registry(outside, &service.image).boxed(),
        ];
        for (service_name, environment) in environments() {
            let named = environment.config.iter().chain(environment.database.as_ref().map(|(secret, _)| secret));
            for secret in named.filter(|secret| secrets.insert((*secret).clone())) {
                looks.push(aws::secret(outside, secret).boxed());
            }
            looks.push(database::look(outside, service_name, environment).boxed());
            looks.push(health(outside, service_name, environment).boxed());
        }
        let mut looks = futures::stream::iter(looks).buffered(PROBE_CONCURRENCY_LIMIT);
        let mut others = Vec::new();
        while let Some(more) = looks.next().await {
            others.extend(more);
        }
        rows.extend(others);
        rows.extend(seen.iter().map(|seen| seen.row(service)));
    }
    rows
}

/// What a service says of itself. Before its first release that need not be good.
async fn health(outside: &Outside, service: &str, environment: &EnvironmentSetup) -> Vec<Row> {
    let Some(url) = &environment.health_url else { return vec![] };
    let answer = match within_limit(outside.health.check(url)).await {
        Ok(answer) if answer.healthy => ProbeResult::ok(format!("answers {}", answer.status)),
        Ok(answer) => doubtful(
            format!("answers {}", answer.status),
            "a release has to be healthy there: see that health_url is the right one",
        ),
        Err(failed) => doubtful(failed.says, "see that health_url is the right one, and that this machine reaches it"),
    };
    vec![(format!("health {service} {}", environment.name), answer)]
}

/// All is well so far, but this should be mended.
fn doubtful(says: impl Into<String>, mend: impl Into<String>) -> ProbeResult {
    ProbeResult { ok: true, says: says.into(), mend: mend.into() }
}

/// A line for a way around the gate.
fn bypass_row(bypass: &Bypass) -> Row {
    let place = match bypass.line {
        Some(_) => format!("workflow {}", bypass.place_with_line()),
        None => bypass.place.clone(),
    };
    (place, doubtful(bypass.says(), bypass.mend()))
}

/// The errors say themselves how to mend it.
async fn within_limit<T, E: ToString>(asked: impl Future<Output = Result<T, E>>) -> Result<T, ProbeResult> {
    asked::within_limit("it", |error| ProbeResult::fail(error.to_string(), ""), asked).await
}

/// The tags that are moved after releases of a service, each with the environment that does. A tag with the commit in it
/// is followed by nobody.
fn promoted(service: &ServiceSetup) -> impl Iterator<Item = (String, &EnvironmentSetup)> {
    service.environments.iter().filter_map(|environment| Some((environment.promote.as_ref()?.to_string(), environment)))
}
