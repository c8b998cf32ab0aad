//! What a message shows at a moment.

use super::direct::{HOME_KEY, whose_home};
use super::home;
use crate::engine::approver_lines;
use crate::executor::DURATIONS_LIMIT;
use crate::setup::{Setup, usual_s};
use crate::standing::Standing;
use crate::store::{MessageRow, Store, StoreError};
use jiff::Timestamp;
use slipway_core::ids::{EnvironmentName, ReleaseId};
use slipway_core::message::Message;
use slipway_core::message::cards::{ApproverLine, ReleaseView, details, release_card, together_card};
use slipway_core::person::Directory;
use slipway_core::plan::PlanDigest;
use slipway_core::release::Release;
use slipway_core::together::{TOGETHER_LIMIT, Together, current};

/// What is drawn.
#[derive(Debug)]
pub(super) enum Drawn {
    /// A message.
    Message {
        /// What it says.
        body: Box<Message>,
        /// The plan that it shows, if it is the card of a release that has one.
        plan: Option<PlanDigest>,
    },
    /// The page of one person: parts, each with the key that its buttons are about.
    Home(Vec<(String, Message)>),
}

impl Drawn {
    pub(super) fn plan(&self) -> Option<&PlanDigest> {
        match self {
            Self::Message { plan, .. } => plan.as_ref(),
            Self::Home(_) => None,
        }
    }

    fn message(body: Message, plan: Option<PlanDigest>) -> Self {
        Self::Message { body: Box::new(body), plan }
    }
}

/// What is drawn from.
pub(super) struct Drawing<'a> {
    pub(super) store: &'a Store,
    pub(super) setup: &'a Setup,
    pub(super) now: Timestamp,
}

impl Drawing<'_> {
    /// `None`: there is nothing to draw.
    pub(super) async fn of(&self, row: &MessageRow, people: &Directory) -> Result<Option<Drawn>, StoreError> {
        let message = &row.message;
        if let Some(body) = &message.body {
            return Ok(Some(Drawn::message(body.clone(), None)));
        }
        if message.key == HOME_KEY {
            let Some((platform, account)) = whose_home(&message.channel) else { return Ok(None) };
            return Ok(Some(Drawn::Home(home::parts(self, people, platform, account).await?)));
        }
        match (&message.release, &message.thread_of) {
            (Some(release), None) => self.card(release).await,
            (Some(release), Some(_)) => self.details(release, people).await,
            (None, _) => Ok(None),
        }
    }

    /// A release's card as of now.
    pub(super) async fn card(&self, id: &ReleaseId) -> Result<Option<Drawn>, StoreError> {
        let Some(stored) = self.store.release(id).await? else { return Ok(None) };
        let release = stored.release;
        if let Some(together) = release.leads() {
            return self.together(together).await;
        }
        let key = &release.request.key;
        let environment = self.store.environment(key).await?;
        let durations = self.store.release_durations_ms(key, DURATIONS_LIMIT).await?;
        let standing = Standing::shown(self.store, self.setup, &release, self.now).await?;
        let approvers = approver_lines(self.setup, &standing, &release, self.now);
        let marked = self.marked(&release).await?;
        let card = release_card(&ReleaseView {
            release: &release,
            environment: Some(&environment),
            people: &standing.people,
            approvers: &approvers,
            now: self.now,
            expected_s: usual_s(&durations),
            expected_deploy_s: None,
            next: self.setup.next_environment(key),
            marked: marked.as_ref(),
        });
        Ok(Some(Drawn::message(card, release.asked_about())))
    }

    /// One card for several releases as of now: that of the one which it is about at the moment, with the others in it.
    async fn together(&self, together: &Together) -> Result<Option<Drawn>, StoreError> {
        let mut members = Vec::new();
        for id in together.all.iter().take(TOGETHER_LIMIT) {
            members.extend(self.store.release(id).await?.map(|stored| stored.release));
        }
        let Some(release) = current(&members) else { return Ok(None) };
        let key = &release.request.key;
        let environment = self.store.environment(key).await?;
        let durations = self.store.release_durations_ms(key, DURATIONS_LIMIT).await?;
        let standing = Standing::shown(self.store, self.setup, release, self.now).await?;
        let mut approvers = approver_lines(self.setup, &standing, release, self.now);
        // A vote on the lead is one on all of them.
        for other in members.iter().filter(|other| release.leads().is_some() && other.id != release.id) {
            let standing = Standing::shown(self.store, self.setup, other, self.now).await?;
            let lines = approver_lines(self.setup, &standing, other, self.now);
            approvers = lines.into_iter().fold(approvers, ApproverLine::and);
        }
        let marked = self.marked(release).await?;
        let card = together_card(
            &ReleaseView {
                release,
                environment: Some(&environment),
                people: &standing.people,
                approvers: &approvers,
                now: self.now,
                expected_s: usual_s(&durations),
                expected_deploy_s: None,
                next: self.next_of_all(&members),
                marked: marked.as_ref(),
            },
            &members,
        );
        Ok(Some(Drawn::message(card, release.asked_about())))
    }

    /// The release with the mark on what another one brings.
    async fn marked(&self, release: &Release) -> Result<Option<Release>, StoreError> {
        let Some(commit) = &release.commit else { return Ok(None) };
        self.store.known_bad(&release.request.key.service, commit).await
    }

    /// The environment that comes after the one in which several are, where it is the same for all of them.
    fn next_of_all(&self, members: &[Release]) -> Option<&EnvironmentName> {
        let mut next = members.iter().map(|member| self.setup.next_environment(&member.request.key));
        let first = next.next()??;
        next.all(|other| other == Some(first)).then_some(first)
    }

    /// All of a release as of now.
    pub(super) async fn details(&self, id: &ReleaseId, people: &Directory) -> Result<Option<Drawn>, StoreError> {
        let stored = self.store.release(id).await?;
        Ok(stored.map(|stored| Drawn::message(details(&stored.release, people, self.now), None)))
    }
}
