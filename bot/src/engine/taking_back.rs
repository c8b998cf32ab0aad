//! Votes that are taken back: of a group also those that have come to stand on another of it than its card is about now.

use super::EngineError;
use super::apply::Work;
use super::asked::{Asked, say_not_found};
use super::lookup::OPEN_LIMIT;
use super::votes::card_of;
use slipway_core::ids::{PersonId, ReleaseId};
use slipway_core::message::Message;
use slipway_core::message::cards::answers;
use slipway_core::person::Person;
use slipway_core::policy::Stance;
use slipway_core::release::{Event, Illegal, Release};
use std::collections::BTreeSet;

impl Work<'_> {
    /// The only open release of which somebody has said something, or that an objection of theirs holds.
    pub(super) async fn withdraw_by_command(
        &mut self,
        asked: &Asked<'_>,
        prefix: Option<&str>,
    ) -> Result<Option<Message>, EngineError> {
        let person = asked.person;
        let held = self.held_by_an_objection_of(&person.id).await?;
        let said = |release: &Release| release.votes.iter().any(|vote| vote.person == person.id);
        match self.find_release(prefix, |release| held.contains(&release.id) || said(release)).await? {
            Ok(release) => self.withdraw(person, &release).await,
            Err(not_found) => Ok(Some(say_not_found(&not_found, "has a vote of yours"))),
        }
    }

    /// Takes back what somebody has said of a release, and of the lead of its group. Whoever has said nothing is told so.
    async fn withdraw(&mut self, person: &Person, release: &Release) -> Result<Option<Message>, EngineError> {
        self.about = Some(card_of(release).clone());
        if let Some(taken_back) = self.take_back(person, release, None).await? {
            return Ok(Some(taken_back));
        }
        let illegal = match self.apply(&release.id, withdrawn(person)).await? {
            Ok(after) => return Ok(Some(answers::vote_withdrawn(&after))),
            Err(illegal) => illegal,
        };
        self.vote_too_late(person, release, &illegal).await
    }

    /// The same of votes of one kind, if one is given; `None` where there is none.
    pub(super) async fn take_back(
        &mut self,
        person: &Person,
        release: &Release,
        stance: Option<Stance>,
    ) -> Result<Option<Message>, EngineError> {
        let mut given = vec![release.clone()];
        if let Some(lead) = release.follows() {
            given.extend(self.engine.store.release_get(self.tx, lead).await?.map(|stored| stored.release));
        }
        let counts = |stance_of: Stance| stance.is_none_or(|stance| stance == stance_of);
        given.retain(|given| given.votes.iter().any(|vote| vote.person == person.id && counts(vote.stance)));
        let (mut taken_back, mut late) = (None, None);
        for given in given {
            match self.take_back_one(person, &given).await? {
                Ok(after) => taken_back = Some(after),
                Err(illegal) => late = Some((given, illegal)),
            }
        }
        match (taken_back, late) {
            (Some(after), _) => Ok(Some(answers::vote_withdrawn(&after))),
            (None, Some((given, illegal))) => self.vote_too_late(person, &given, &illegal).await,
            (None, None) => Ok(None),
        }
    }

    async fn take_back_one(
        &mut self,
        person: &Person,
        given: &Release,
    ) -> Result<Result<Release, Illegal>, EngineError> {
        if given.phase.is_end() && !self.is_waited_for(given).await? {
            return Ok(Err(Illegal { phase: given.phase.name(), event: "withdrawn", why: None }));
        }
        self.apply(&given.id, withdrawn(person)).await
    }

    /// Whether others of its group have not ended yet.
    async fn is_waited_for(&mut self, release: &Release) -> Result<bool, EngineError> {
        let Some(together) = release.request.together.clone() else { return Ok(false) };
        Ok(self.members(&together).await?.iter().any(|member| !member.phase.is_end()))
    }

    /// Somebody approves a release who has objected to all of its group before: that objection is over.
    pub(super) async fn objects_no_more(&mut self, person: &Person, release: &Release) -> Result<(), EngineError> {
        let Some(lead) = release.follows() else { return Ok(()) };
        let Some(lead) = self.engine.store.release_get(self.tx, lead).await?.map(|stored| stored.release) else {
            return Ok(());
        };
        if lead.objection_outlasts_it(&person.id) {
            // It has just been found to be one that can be taken back.
            let _ = self.apply(&lead.id, withdrawn(person)).await?;
        }
        Ok(())
    }

    /// The open releases that an objection of somebody holds which stands on a lead that waits no more.
    async fn held_by_an_objection_of(&mut self, person: &PersonId) -> Result<BTreeSet<ReleaseId>, EngineError> {
        let store = &self.engine.store;
        let mut held = BTreeSet::new();
        for open in store.releases_open(self.tx, OPEN_LIMIT).await? {
            let Some(lead) = open.follows() else { continue };
            let lead = store.release_get(self.tx, lead).await?.map(|stored| stored.release);
            if lead.is_some_and(|lead| lead.objection_outlasts_it(person)) {
                held.insert(open.id);
            }
        }
        Ok(held)
    }
}

fn withdrawn(person: &Person) -> Event {
    Event::Withdrawn { person: person.id.clone() }
}
