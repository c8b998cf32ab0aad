//! The page that a chat keeps for one person: what waits for them, their releases, the environments.

use super::drawing::Drawing;
use crate::engine::approver_lines;
use crate::setup::environment_button;
use crate::standing::Standing;
use crate::store::{StoreError, card_key};
use slipway_core::ids::PersonId;
use slipway_core::message::cards::{HomeRelease, answers, flow_phrase, home};
use slipway_core::message::{Block, Message};
use slipway_core::person::{Directory, Platform};
use slipway_core::release::Release;

/// How many releases of each kind are listed.
const RELEASES_LIMIT: usize = 10;
/// How many open releases are looked through.
const OPEN_LIMIT: u32 = 200;
/// How many of the newest releases of each environment are looked through for the person's own.
const NEWEST_LIMIT: u32 = 10;

/// The parts of the page of one account, each with the key that its buttons are about.
pub(super) async fn parts(
    drawing: &Drawing<'_>,
    people: &Directory,
    platform: Platform,
    account: &str,
) -> Result<Vec<(String, Message)>, StoreError> {
    let identity = platform.account(account);
    let Some(person) = people.by_identity(&identity) else {
        return Ok(vec![(String::new(), answers::unknown_person(&identity))]);
    };
    let Drawing { store, setup, now } = *drawing;
    let mut tx = store.begin_to_read().await?;
    let open = store.releases_open(&mut tx, OPEN_LIMIT).await?;
    let (mut waiting, mut newest) = (Vec::new(), Vec::new());
    for key in setup.environment_keys(None) {
        newest.extend(store.releases_newest(&mut tx, &key, NEWEST_LIMIT).await?);
    }
    drop(tx);
    for release in &open {
        if waits_for(drawing, release, &person.id).await? {
            waiting.push(release);
        }
    }
    newest.sort_by_key(|release| std::cmp::Reverse(release.request.at));
    let own: Vec<_> = newest.iter().filter(|release| release.request.requester == person.id).collect();
    let mut parts = vec![(String::new(), home::waiting_title(waiting.len()))];
    let part = |release: &&Release, which| (card_key(&release.id), home::release(release, which, now));
    parts.extend(waiting.iter().take(RELEASES_LIMIT).map(|release| part(release, HomeRelease::Waiting)));
    parts.push((String::new(), home::own_title(own.len())));
    parts.extend(own.iter().take(RELEASES_LIMIT).map(|release| part(release, HomeRelease::Own)));
    parts.push((String::new(), home::environments_title()));
    for key in setup.environment_keys(None) {
        let environment = store.environment(&key).await?;
        let mut part = home::environment(&key, &environment, now);
        if let Some(auto) = setup.environment(&key).and_then(|environment| environment.auto_deploy.as_ref()) {
            let flow = store.flow(&key).await?;
            part.body.push(Block::Line(flow_phrase(flow.as_ref(), &auto.branch, now)));
        }
        parts.push((environment_button(&key), part));
    }
    Ok(parts)
}

/// Whether a release waits for this person's approval.
async fn waits_for(drawing: &Drawing<'_>, release: &Release, person: &PersonId) -> Result<bool, StoreError> {
    if !release.is_waiting() || release.votes.iter().any(|vote| vote.person == *person) {
        return Ok(false);
    }
    let standing = Standing::shown(drawing.store, drawing.setup, release, drawing.now).await?;
    let lines = approver_lines(drawing.setup, &standing, release, drawing.now);
    Ok(lines.iter().any(|line| line.missing > 0 && line.can.contains(person)))
}
