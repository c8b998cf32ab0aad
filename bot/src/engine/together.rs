//! Several services deployed together: all begin in one transaction, one card shows them, and what happens to one has
//! its consequences for the others.

use super::EngineError;
use super::apply::Work;
use super::asked::{Asked, key, whys};
use super::why::Inquiry;
use crate::setup::Rules;
use crate::standing::Standing;
use jiff::SignedDuration;
use serde_json::json;
use slipway_core::gate::Verdict;
use slipway_core::ids::{EnvironmentName, ReleaseId, ServiceName};
use slipway_core::message::Message;
use slipway_core::message::cards::answers;
use slipway_core::person::Person;
use slipway_core::policy::{Asking, Clears, Decision, Stance};
use slipway_core::release::{Event, Outcome, Phase, Release, Request, RequestKind};
use slipway_core::replay::RecordedStanding;
use slipway_core::together::{self, Alongside, FOLLOWERS_WAIT_S, TOGETHER_LIMIT, Together};
use slipway_core::{ids::PersonId, plan::PlanKind};
use std::collections::BTreeSet;

/// What is to be deployed together.
pub(super) struct All<'a> {
    pub(super) environment: &'a EnvironmentName,
    pub(super) services: &'a [ServiceName],
    pub(super) reference: Option<&'a str>,
    pub(super) dry_run: bool,
}

impl Work<'_> {
    /// Begins one release for each service, unless policy forbids even to ask for one of them: then none.
    pub(super) async fn begin_together(
        &mut self,
        asked: &Asked<'_>,
        all: &All<'_>,
        reason: Option<String>,
    ) -> Result<Option<Message>, EngineError> {
        let setup = self.engine.setup.clone();
        let services = setup.ordered_services().into_iter().filter(|name| all.services.contains(name));
        let services: Vec<_> = services.take(TOGETHER_LIMIT).cloned().collect();
        for service in &services {
            let request = self.one_of(asked, all, service, reason.clone());
            if let Some(refusal) = self.refused_for(asked, &request).await? {
                return Ok(Some(refusal));
            }
        }
        let now = self.engine.clock.now();
        let ids: Vec<_> = services.iter().map(|_| setup.new_release_id(now)).collect();
        let mut releases = Vec::new();
        for (service, id) in services.iter().zip(&ids) {
            let mut request = self.one_of(asked, all, service, reason.clone());
            if releases.is_empty() {
                request.expires_at = self.first_expiry(asked, all, &services);
            } else {
                let wait = SignedDuration::from_secs(FOLLOWERS_WAIT_S);
                request.expires_at =
                    self.first_expiry(asked, all, &services).checked_add(wait).unwrap_or(request.expires_at);
            }
            request.together = Some(Together { all: ids.clone() });
            let release = Release::new(id.clone(), request);
            self.engine.store.release_insert(self.tx, &release).await?;
            releases.push(release);
        }
        let Some(lead) = releases.first().cloned() else { return Ok(None) };
        let channels: BTreeSet<_> = services.iter().flat_map(|service| setup.channels(service)).cloned().collect();
        let channels: Vec<_> = channels.into_iter().collect();
        self.post_card(&lead.id, &channels, asked.channel, asked.delivery).await?;
        for release in &releases {
            // A new release in its first phase takes this event.
            let _ = self.apply(&release.id, Event::Requested).await?;
        }
        // Where it was asked in a thread, the card is not to be seen.
        let reply = self.engine.store.inbox_reply(self.tx, asked.delivery).await?;
        let in_thread = reply.is_some_and(|reply| reply.thread.is_some());
        Ok(in_thread.then(|| answers::card_is_in_the_channel(&lead)))
    }

    fn one_of(&self, asked: &Asked<'_>, all: &All<'_>, service: &ServiceName, reason: Option<String>) -> Request {
        let request = self.request(asked, key(service, all.environment), RequestKind::Deploy, reason);
        Request { reference: all.reference.map(str::to_owned), dry_run: all.dry_run, ..request }
    }

    /// Approvals are waited for as long as the most impatient of the services allows.
    fn first_expiry(&self, asked: &Asked<'_>, all: &All<'_>, services: &[ServiceName]) -> jiff::Timestamp {
        let expiries = services.iter().map(|service| self.one_of(asked, all, service, None).expires_at);
        expiries.min().unwrap_or(self.engine.clock.now())
    }

    /// Why somebody may not ask for one of them, if they may not.
    async fn refused_for(&mut self, asked: &Asked<'_>, request: &Request) -> Result<Option<Message>, EngineError> {
        let setup = self.engine.setup.clone();
        let Rules { set: policies, changes } = setup.rules();
        let (service, environment) = (&request.key.service, &request.key.environment);
        let asking = Asking { person: asked.person, service, environment, kind: PlanKind::Deploy };
        let Decision::Deny { reasons } = policies.may_ask_despite(&asking, &changes) else { return Ok(None) };
        let people = self.company().await?.people;
        let standing = RecordedStanding::of_people([&asked.person.id], &people, setup.timezone(&request.key));
        let refused = json!({ "request": request, "reasons": reasons, "standing": standing });
        self.record("request_refused", refused, Some(policies.hash().to_owned())).await?;
        let refusal = answers::not_allowed(&format!("{service}: {}", whys(&reasons)));
        let again = |person: &Person, _: &_| policies.may_ask(&Asking { person, ..asking.clone() });
        self.refused(&asked.person.id, refusal, again).await.map(Some)
    }

    /// The releases of a group that are there, in their order.
    pub(super) async fn members(&mut self, together: &Together) -> Result<Vec<Release>, EngineError> {
        let mut members = Vec::new();
        for id in together.all.iter().take(TOGETHER_LIMIT) {
            members.extend(self.engine.store.release_get(self.tx, id).await?.map(|stored| stored.release));
        }
        Ok(members)
    }

    /// What follows from an event of one of them for the others.
    pub(super) async fn together_follows(
        &mut self,
        before: &Release,
        after: &Release,
        event: &Event,
    ) -> Result<(), EngineError> {
        let Some(together) = after.request.together.clone() else { return Ok(()) };
        self.places_are_reserved(before, after).await?;
        if let Some(lead) = after.follows() {
            self.engine.store.cards_touch(self.tx, lead, !event.is_progress()).await?;
        }
        if event.is_progress() {
            return Ok(());
        }
        let ends = after.phase.is_end() && !before.phase.is_end();
        if ends && after.stopped_its_group() {
            let (why, by) = (together::how_it_ended(after), who_stopped(after));
            let at = self.engine.clock.now();
            for other in together.others(&after.id) {
                let left = Event::LeftOut { because_of: after.id.clone(), why: why.clone(), by: by.clone(), at };
                self.happens_later(other, left);
            }
        } else if ends {
            for other in together.others(&after.id) {
                self.judge_later(other);
            }
        } else if let Some(lead) = after.follows() {
            self.judge_later(lead);
        } else if !after.is_waiting() && matches!(event, Event::Withdrawn { .. }) {
            // Nobody judges it any more, and what it held is judged by itself.
            for other in together.others(&after.id) {
                self.judge_later(other);
            }
        }
        Ok(())
    }

    /// When nothing but the age of what is known keeps a lead from starting, its followers are looked at again too.
    pub(super) fn followers_are_read_too(&mut self, lead: &Release, verdict: &Verdict) {
        let Some(together) = lead.leads() else { return };
        if verdict.reasons().iter().all(|reason| matches!(reason.clears, Clears::Facts)) {
            for follower in together.others(&lead.id) {
                self.judge_later(follower);
            }
        }
    }

    /// The release that a button on a card is about: of a group, the one that its first line is about.
    pub(super) async fn shown_on_card(&mut self, release: Release) -> Result<Release, EngineError> {
        let Some(together) = release.leads().cloned() else { return Ok(release) };
        let members = self.members(&together).await?;
        Ok(together::current(&members).cloned().unwrap_or(release))
    }

    /// Whether the card on which a release is shown is about it.
    pub(super) async fn is_its_turn(&mut self, release: &Release) -> Result<bool, EngineError> {
        let Some(together) = release.request.together.clone() else { return Ok(true) };
        let members = self.members(&together).await?;
        Ok(together::current(&members).is_some_and(|current| current.id == release.id))
    }

    /// Whether a vote on a lead is one that policy lets somebody give for one of its followers.
    pub(super) async fn may_vote_for_a_follower(
        &mut self,
        person: &Person,
        stance: Stance,
        lead: &Release,
    ) -> Result<bool, EngineError> {
        let Some(together) = lead.leads().cloned() else { return Ok(false) };
        let setup = self.engine.setup.clone();
        for follower in self.members(&together).await?.iter().filter(|member| member.id != lead.id) {
            let standing = self.standing(follower).await?;
            let case = setup.case(follower, &standing, self.engine.clock.now()).filter(|_| follower.is_waiting());
            if case.is_some_and(|case| setup.policies().may_vote(person, stance, &case).is_allow()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is cancelled where somebody says that of a release: when it has ended, whichever of its group runs, or is next.
    pub(super) async fn meant_to_cancel(&mut self, release: &Release) -> Result<Release, EngineError> {
        let Some(together) = release.request.together.clone().filter(|_| release.phase.is_end()) else {
            return Ok(release.clone());
        };
        let members = self.members(&together).await?;
        let runs = |member: &&Release| matches!(member.phase, Phase::Running { .. });
        let meant = members.iter().find(runs).or_else(|| members.iter().find(|member| !member.phase.is_end()));
        Ok(meant.unwrap_or(release).clone())
    }

    /// The others of its group that have not started: they do not start any more when it is cancelled.
    pub(super) async fn would_be_left_out(&mut self, release: &Release) -> Result<Vec<Release>, EngineError> {
        let Some(together) = release.request.together.clone() else { return Ok(vec![]) };
        let mut others = self.members(&together).await?;
        others.retain(|other| {
            other.id != release.id && !other.phase.is_end() && !matches!(other.phase, Phase::Running { .. })
        });
        Ok(others)
    }

    /// Somebody stops a group whose running release may go on all the same.
    pub(super) fn leave_out(&mut self, others: &[Release], person: &Person, stopped: &Release) {
        let (by, at) = (&person.id, self.engine.clock.now());
        for other in others {
            let why = format!("{} was cancelled by {by}", stopped.request.key.service);
            let left = Event::LeftOut { because_of: stopped.id.clone(), why, by: by.clone(), at };
            self.happens_later(&other.id, left);
        }
    }
}

/// Whoever cancelled it, else Slipway.
fn who_stopped(release: &Release) -> PersonId {
    match &release.outcome {
        Some(Outcome::Cancelled { by, .. }) => by.clone(),
        _ => PersonId::slipway(),
    }
}

/// Members of a group count once where somebody names none: by the lead, else by the first that is open.
pub(super) fn one_of_each_group(open: Vec<Release>) -> Vec<Release> {
    let is_open: BTreeSet<ReleaseId> = open.iter().map(|release| release.id.clone()).collect();
    let stands_for_its_group = |release: &Release| {
        let together = release.request.together.as_ref();
        together.is_none_or(|together| together.all.iter().find(|id| is_open.contains(*id)) == Some(&release.id))
    };
    open.into_iter().filter(stands_for_its_group).collect()
}

impl Inquiry<'_> {
    /// What the gate has to know of the others of a release's group.
    pub(super) async fn alongside(&mut self, release: &Release) -> Result<Alongside, EngineError> {
        let Some(together) = &release.request.together else { return Ok(Alongside::default()) };
        let mut members = Vec::new();
        for id in together.others(&release.id).take(TOGETHER_LIMIT) {
            members.extend(self.store.release_get(self.tx, id).await?.map(|stored| stored.release));
        }
        if release.follows().is_some() {
            return Ok(Alongside::of_follower(release, &members));
        }
        let mut judged = Vec::new();
        for member in members {
            let verdict = if member.phase.is_end() || member.gathering {
                None
            } else {
                let environment = self.store.environment_get(self.tx, &member.request.key).await?;
                let standing = Standing::within(self.store, self.tx, self.setup, &member, self.now).await?;
                self.verdict(&member, &environment, &standing, &Alongside::default())
            };
            judged.push((member, verdict));
        }
        Ok(Alongside::of_lead(release, &judged))
    }
}
