//! Telling people and channels, once each: the message's key is its identity.

use super::{Done, Job, Trouble, audited};
use crate::chat::direct;
use crate::engine::approver_lines;
use crate::standing::Standing;
use crate::store::NewMessage;
use crate::way_back;
use serde_json::json;
use slipway_core::ids::PersonId;
use slipway_core::message::cards::{self, ReleaseView};
use slipway_core::message::{Line, Message, Verb};
use slipway_core::plan::PlanKind;
use slipway_core::release::Release;
use std::collections::BTreeSet;

/// How many earlier runs the expected duration is taken from.
pub(crate) const DURATIONS_LIMIT: u32 = 5;

pub(super) async fn tell(job: &Job<'_>, people: &[PersonId], what: &str) -> Result<Done, Trouble> {
    let release = job.release;
    let line = Line::plain(what).text(" Release ").code(release.id.short()).text(".");
    let actions = [Verb::Why, Verb::Details].map(cards::action);
    let body = Message { actions: actions.into(), ..Message::answer(line, []) };
    let told = people.iter().map(|person| (person, format!("tell/{}/{person}", job.row.id), body.clone()));
    tell_each(job, told).await?;
    Ok(Done::Recorded { kind: audited::TOLD, body: json!({ "people": people, "what": what }) })
}

/// Tells each of them alone, where they can be told: whom, under which key, what.
async fn tell_each(job: &Job<'_>, told: impl Iterator<Item = (&PersonId, String, Message)>) -> Result<(), Trouble> {
    let (store, setup, release) = (&job.executor.store, &job.executor.setup, job.release);
    let everybody = Standing::shown(store, setup, release, job.now()).await?.people;
    let configured = setup.channels(&release.request.key.service);
    let mut tx = store.begin().await?;
    for (person, message_key, body) in told {
        let asked_in = &release.request.origin.channel;
        let Some(channel) = direct::where_to(everybody.get(person), asked_in, configured) else { continue };
        let said = NewMessage::said(channel, message_key, body);
        store.message_put(&mut tx, &said.about(&release.id).only_for(person.clone())).await?;
    }
    tx.commit().await.map_err(crate::store::StoreError::from)?;
    job.executor.signals.messages.notify_one();
    Ok(())
}

pub(super) async fn announce(job: &Job<'_>) -> Result<Done, Trouble> {
    let setup = &job.executor.setup;
    let key = &job.release.request.key;
    let channels = setup.announce_channels(key);
    let announced = Done::Recorded { kind: audited::ANNOUNCED, body: json!({ "channels": channels }) };
    if setup.next_environment(key).is_some() {
        return Ok(announced);
    }
    tell_authors(job).await?;
    let store = &job.executor.store;
    let durations = store.release_durations_ms(key, DURATIONS_LIMIT).await?;
    let standing = Standing::shown(store, setup, job.release, job.now()).await?;
    let approvers = approver_lines(setup, &standing, job.release, job.now());
    // What another release leads has been approved with that one.
    let votes = standing.shared.as_ref().map_or_else(|| job.release.votes.clone(), |shared| shared.votes.clone());
    let approved = Release { votes, ..job.release.clone() };
    let way_back = way_back::is_there_after(store, job.release).await?;
    let marked = match &job.release.commit {
        Some(commit) => store.known_bad(&key.service, commit).await?,
        None => None,
    };
    let view = ReleaseView {
        release: &approved,
        environment: None,
        people: &standing.people,
        approvers: &approvers,
        now: job.now(),
        expected_s: crate::setup::usual_s(&durations),
        expected_deploy_s: None,
        next: None,
        marked: marked.as_ref(),
    };
    let body = cards::announcement(&view, way_back);
    let mut tx = store.begin().await?;
    for channel in channels {
        let said = NewMessage::said(channel.as_str(), format!("announcement/{}", job.release.id), body.clone());
        store.message_put(&mut tx, &said.about(&job.release.id)).await?;
    }
    tx.commit().await.map_err(crate::store::StoreError::from)?;
    job.executor.signals.messages.notify_one();
    Ok(announced)
}

/// Whoever wrote what is live now learns it, once a release, but for who asked for it.
async fn tell_authors(job: &Job<'_>) -> Result<(), Trouble> {
    let release = job.release;
    let Some(plan) = release.plan.as_ref().filter(|plan| plan.kind == PlanKind::Deploy) else { return Ok(()) };
    let authors: BTreeSet<_> = plan.commits.iter().filter_map(|commit| commit.author.clone()).collect();
    let others = authors.iter().filter(|author| **author != release.request.requester);
    let told = others
        .map(|author| (author, format!("shipped/{}/{author}", release.id), cards::shipped(release, plan, author)));
    tell_each(job, told).await
}
