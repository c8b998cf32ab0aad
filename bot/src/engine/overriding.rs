//! `/release override`: breaking the glass, loudly.

use super::EngineError;
use super::apply::Work;
use super::asked::whys;
use serde_json::json;
use slipway_core::message::Message;
use slipway_core::message::cards::{self, answers};
use slipway_core::person::Person;
use slipway_core::policy::{Case, Decision, Override};
use slipway_core::release::{Event, Illegal, Release};
use slipway_core::together::Alongside;
use std::collections::BTreeSet;

impl Work<'_> {
    /// Sets rules aside for the release's plan, if policy lets this person. It is announced and recorded whether or
    /// not any rule stood in the way.
    pub(super) async fn overriding(
        &mut self,
        person: &Person,
        release: &Release,
        incident: &str,
        reason: &str,
        channel: &str,
    ) -> Result<Message, EngineError> {
        let late = |why| Illegal { phase: release.phase.name(), event: "overridden", why };
        if !release.is_waiting() {
            return self.override_too_late(person, release, &late(None)).await;
        }
        let setup = self.engine.setup.clone();
        let standing = self.standing(release).await?;
        let Some(case) = setup.case(release, &standing, self.engine.clock.now()) else {
            return self.override_too_late(person, release, &late(Some("there is no plan yet"))).await;
        };
        if !self.plan_is_shown(release, channel).await? {
            let why = "the plan has just changed, and this channel did not show it yet. Look again, then override";
            return self.override_too_late(person, release, &late(Some(why))).await;
        }
        let waiver = Override {
            by: person.id.clone(),
            incident: incident.to_owned(),
            reason: reason.to_owned(),
            digest: case.plan.digest(),
            at: case.now,
        };
        let policies = setup.policies();
        if let Decision::Deny { reasons } = policies.may_override(person, &case) {
            let refused = json!({
                "release": release.id, "service": release.request.key.service,
                "environment": release.request.key.environment, "override": waiver, "reasons": reasons,
            });
            self.record("override_refused", refused, Some(policies.hash().to_owned())).await?;
            let again = |person: &Person, people: &_| policies.may_override(person, &Case { people, ..case.clone() });
            return self.refused(&person.id, answers::not_allowed(&whys(&reasons)), again).await;
        }
        let before = policies.may_execute(&case).reasons().to_vec();
        let (others, alongside) = self.overridden_with(person, release).await?;
        let before = alongside.beside(before);
        let event = Event::Overridden { waiver: waiver.clone() };
        if let Err(illegal) = self.apply(&release.id, event).await? {
            return self.override_too_late(person, release, &illegal).await;
        }
        let lock = self.environment_now(&release.request.key).await?.lock;
        let lock = lock.filter(|lock| lock.owner != release.request.requester);
        let body = cards::overridden(release, &others, &waiver, &before, lock.as_ref());
        self.proclaim_override(release, &others, &waiver, &body, channel).await?;
        let aside = before.iter().filter(|reason| reason.overridable).count();
        Ok(cards::override_taken(&release.request.key, aside, lock.as_ref()))
    }

    async fn override_too_late(
        &mut self,
        person: &Person,
        release: &Release,
        illegal: &Illegal,
    ) -> Result<Message, EngineError> {
        self.too_late(&person.id, release, illegal).await?;
        Ok(answers::override_came_late(release, illegal))
    }

    /// The others of its group whose rules an override of a release sets aside, with what is in their way: those whose plans
    /// are in its plan, where policy lets this person.
    async fn overridden_with(
        &mut self,
        person: &Person,
        release: &Release,
    ) -> Result<(Vec<Release>, Alongside), EngineError> {
        let (mut overridden, mut alongside) = (Vec::new(), Alongside::default());
        let Some(together) = release.leads().cloned() else { return Ok((overridden, alongside)) };
        let with = release.plan.as_ref().map_or(&[][..], |plan| &plan.with);
        let is_in_it = |other: &Release| {
            with.iter().any(|with| with.release == other.id && Some(&with.digest) == other.digest().as_ref())
        };
        let setup = self.engine.setup.clone();
        let policies = setup.policies();
        for other in self.members(&together).await?.into_iter().filter(|other| other.is_waiting() && is_in_it(other)) {
            let standing = self.standing(&other).await?;
            let Some(case) = setup.case(&other, &standing, self.engine.clock.now()) else { continue };
            if policies.may_override(person, &case).is_allow() {
                alongside.add(&other.request.key.service, policies.may_execute(&case).reasons());
                overridden.push(other);
            }
        }
        Ok((overridden, alongside))
    }

    /// Tells every channel of each service that it is for, those of the announcements too.
    async fn proclaim_override(
        &mut self,
        release: &Release,
        others: &[Release],
        waiver: &Override,
        body: &Message,
        channel: &str,
    ) -> Result<(), EngineError> {
        let all = [release].into_iter().chain(others);
        let services = all.filter_map(|release| self.engine.setup.service(&release.request.key.service));
        let configured = services.flat_map(|service| service.channels.iter().chain(&service.announce));
        let asked_in = release.request.origin.channel.as_str();
        let channels: BTreeSet<String> =
            configured.map(String::as_str).chain([channel, asked_in]).map(str::to_owned).collect();
        let message_key = format!("override/{}/{}", release.id, waiver.at.as_millisecond());
        self.proclaim(&channels, &message_key, Some(&release.id), body).await
    }
}
