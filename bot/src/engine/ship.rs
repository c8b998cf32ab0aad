//! `/release ship`: which pull request, for which environment, and whether this person may have it merged.

use super::EngineError;
use super::apply::Work;
use super::asked::{Asked, whys};
use super::lookup::OPEN_LIMIT;
use crate::setup::{EnvironmentSetup, Rules, ServiceSetup};
use serde_json::json;
use slipway_core::ids::{EnvironmentKey, EnvironmentName, ReleaseId, ServiceName};
use slipway_core::message::Message;
use slipway_core::message::cards;
use slipway_core::policy::{Act, Decision};
use slipway_core::pull::{MISSING_LIMIT, Shipped};
use slipway_core::release::{Event, Failure, Release, Request, RequestKind};
use std::collections::BTreeSet;

/// What somebody wants shipped, as they said it.
pub(super) struct Wanted<'a> {
    pub(super) pull: u64,
    pub(super) repository: Option<&'a str>,
    pub(super) environment: Option<&'a EnvironmentName>,
    pub(super) service: Option<&'a ServiceName>,
    pub(super) dry_run: bool,
    pub(super) reason: Option<String>,
}

impl Work<'_> {
    pub(super) async fn ship(&mut self, asked: &Asked<'_>, wanted: Wanted<'_>) -> Result<Option<Message>, EngineError> {
        let key = match self.ships_to(&wanted) {
            Ok(key) => key,
            Err(mistake) => return Ok(Some(*mistake)),
        };
        if let Some(refused) = self.may_act(asked.person, Act::Ship, &key).await? {
            return Ok(Some(refused));
        }
        if let Some(first) = self.ships_already(&key.service, wanted.pull).await? {
            return Ok(Some(cards::ships_already(&first, wanted.pull)));
        }
        let kind = RequestKind::Ship { pull: wanted.pull, again: None };
        let request = self.request(asked, key, kind, wanted.reason);
        self.begin(asked, Request { dry_run: wanted.dry_run, ..request }).await
    }

    /// Asks for the same pull request once more, as if it were typed.
    pub(super) async fn ship_again(
        &mut self,
        asked: &Asked<'_>,
        release: &Release,
        kind: RequestKind,
    ) -> Result<Option<Message>, EngineError> {
        let key = release.request.key.clone();
        if let Some(refused) = self.may_act(asked.person, Act::Ship, &key).await? {
            return Ok(Some(refused));
        }
        if let RequestKind::Ship { pull, .. } = &kind
            && let Some(first) = self.ships_already(&key.service, *pull).await?
        {
            return Ok(Some(cards::ships_already(&first, *pull)));
        }
        let request = self.request(asked, key, kind, release.request.reason.clone());
        self.begin(asked, Request { dry_run: release.request.dry_run, ..request }).await
    }

    /// Which environment of which service is meant.
    fn ships_to(&self, wanted: &Wanted<'_>) -> Result<EnvironmentKey, Box<Message>> {
        let setup = &self.engine.setup;
        let is_there = |service: &ServiceSetup| {
            wanted.repository.is_none_or(|name| service.repository.to_string().eq_ignore_ascii_case(name))
        };
        let fits: Vec<_> = setup
            .services()
            .filter(|(name, service)| wanted.service.is_none_or(|wanted| *name == wanted) && is_there(service))
            .collect();
        let (name, service) = match fits[..] {
            [one] => one,
            [] => {
                let known: BTreeSet<_> = setup.services().map(|(_, service)| service.repository.to_string()).collect();
                let known: Vec<_> = known.into_iter().collect();
                return Err(Box::new(cards::another_repository(wanted.repository.unwrap_or_default(), &known)));
            }
            _ => {
                let names: Vec<_> = fits.iter().map(|(name, _)| (*name).clone()).collect();
                return Err(Box::new(cards::which_service(wanted.pull, &names)));
            }
        };
        let environment = match wanted.environment {
            Some(named) => service.environments.iter().find(|environment| environment.name == *named),
            None => first_stop(service),
        };
        match environment {
            Some(environment) => Ok(EnvironmentKey { service: name.clone(), environment: environment.name.clone() }),
            None => {
                let has: Vec<_> = service.environments.iter().map(|environment| environment.name.clone()).collect();
                Err(Box::new(cards::no_such_environment(wanted.pull, name, wanted.environment, &has)))
            }
        }
    }

    /// The release that ships the same pull request and has not ended: services of one repository have the same ones.
    async fn ships_already(&mut self, service: &ServiceName, pull: u64) -> Result<Option<Release>, EngineError> {
        let setup = self.engine.setup.clone();
        let repository = |service: &ServiceName| setup.service(service).map(|service| service.repository.to_string());
        let here = repository(service);
        let open = self.engine.store.releases_open(self.tx, OPEN_LIMIT).await?;
        let same = |release: &Release| match release.request.kind {
            RequestKind::Ship { pull: other, .. } => {
                other == pull && !release.request.dry_run && repository(&release.request.key.service) == here
            }
            _ => false,
        };
        Ok(open.into_iter().find(same))
    }

    /// Reviews take hours, so policy is asked once more in the very transaction that lets the merge begin.
    pub(super) async fn before_merge(&mut self, id: &ReleaseId, event: Event) -> Result<Event, EngineError> {
        let Event::PullReady { pull, at } = event else { return Ok(event) };
        let Some(stored) = self.engine.store.release_get(self.tx, id).await? else {
            return Ok(Event::PullReady { pull, at });
        };
        let request = stored.release.request;
        let company = self.company().await?;
        if !request.dry_run && !company.sources.iter().all(|source| source.counts) {
            let mut missing = pull.missing.clone();
            missing.insert(0, "it cannot be told now who is in which team".to_owned());
            missing.truncate(MISSING_LIMIT);
            let refusals = pull.refusals.saturating_add(1);
            return Ok(Event::PullWaits { pull: Box::new(Shipped { missing, refusals, ..*pull }), at });
        }
        let Rules { set: policies, changes } = self.engine.setup.rules();
        let why = match company.people.get(&request.requester) {
            None => format!("{}, who asked for it, is no longer known to Slipway.", request.requester),
            Some(person) => match policies.may_act_despite(person, Act::Ship, &request.key, &changes) {
                Decision::Allow => return Ok(Event::PullReady { pull, at }),
                Decision::Deny { reasons } => {
                    let refused =
                        json!({ "person": person.id, "act": "ship", "environment": request.key, "reasons": reasons });
                    self.record("refused", refused, Some(policies.hash().to_owned())).await?;
                    whys(&reasons)
                }
            },
        };
        let what = format!("#{} is ready, and {} may not have it merged any more.", pull.number, request.requester);
        let failure = Failure::new(what).detail(why).detail(pull.url.clone()).final_for_request();
        Ok(Event::PlanningFailed { step: None, failure, at })
    }
}

/// Where what is merged goes first: the environment that follows a branch, else the one that comes after none. Where
/// several may be meant, none is: it could be production.
fn first_stop(service: &ServiceSetup) -> Option<&EnvironmentSetup> {
    let only = |is_it: fn(&EnvironmentSetup) -> bool| {
        let mut fitting = service.environments.iter().filter(|environment| is_it(environment));
        fitting.next().filter(|_| fitting.next().is_none())
    };
    let follows = |environment: &EnvironmentSetup| environment.auto_deploy.is_some();
    if service.environments.iter().any(follows) {
        return only(follows);
    }
    only(|environment| environment.after.is_none())
}
