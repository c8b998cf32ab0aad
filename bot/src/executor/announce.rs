//! Telling people and channels, once each: the message's key is its identity.

use super::{Done, Job, Trouble, audited};
use crate::engine::approver_lines;
use crate::standing::Standing;
use crate::store::NewMessage;
use serde_json::json;
use slipway_core::ids::PersonId;
use slipway_core::message::cards::{self, ReleaseView};
use slipway_core::message::{Line, Message};

/// How many earlier runs the expected duration is taken from.
pub(crate) const DURATIONS_LIMIT: u32 = 5;

pub(super) async fn tell(job: &Job<'_>, people: &[PersonId], what: &str) -> Result<Done, Trouble> {
    let store = &job.executor.store;
    let mut tx = store.begin().await?;
    for person in people {
        let line = Line::plain(what).text(" Release ").code(job.release.id.short()).text(".");
        let message = NewMessage {
            channel: job.release.request.origin.channel.clone(),
            key: format!("tell/{}/{person}", job.row.id),
            release: Some(job.release.id.clone()),
            only_for: Some(person.clone()),
            body: Some(Message::answer(line, [])),
        };
        store.message_put(&mut tx, &message).await?;
    }
    tx.commit().await.map_err(crate::store::StoreError::from)?;
    job.executor.signals.messages.notify_one();
    Ok(Done::Recorded { kind: audited::TOLD, body: json!({ "people": people, "what": what }) })
}

pub(super) async fn announce(job: &Job<'_>) -> Result<Done, Trouble> {
    let setup = &job.executor.setup;
    let key = &job.release.request.key;
    let channels = setup.announce_channels(key);
    let announced = Done::Recorded { kind: audited::ANNOUNCED, body: json!({ "channels": channels }) };
    if channels.is_empty() {
        return Ok(announced);
    }
    let store = &job.executor.store;
    let durations = store.release_durations_ms(key, DURATIONS_LIMIT).await?;
    let standing = Standing::shown(store, setup, job.release).await?;
    let approvers = approver_lines(setup, &standing, job.release, job.now());
    let body = cards::announcement(&ReleaseView {
        release: job.release,
        environment: None,
        people: &setup.people,
        approvers: &approvers,
        now: job.now(),
        expected_s: crate::setup::usual_s(&durations),
        expected_deploy_s: None,
        next: None,
    });
    let mut tx = store.begin().await?;
    for channel in channels {
        let message = NewMessage {
            channel: channel.clone(),
            key: format!("announcement/{}", job.release.id),
            release: Some(job.release.id.clone()),
            only_for: None,
            body: Some(body.clone()),
        };
        store.message_put(&mut tx, &message).await?;
    }
    tx.commit().await.map_err(crate::store::StoreError::from)?;
    job.executor.signals.messages.notify_one();
    Ok(announced)
}
