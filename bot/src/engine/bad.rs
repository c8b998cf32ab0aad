//! `/release bad`: a mark on what a release brought, that the gate and every rollback look at.

use super::EngineError;
use super::apply::Work;
use super::asked::{Asked, key, say_not_found};
use super::lookup::OPEN_LIMIT;
use futures::future::BoxFuture;
use slipway_core::command::WhichRelease;
use slipway_core::ids::{PersonId, ReleaseId};
use slipway_core::message::{Message, cards};
use slipway_core::policy::Act;
use slipway_core::release::{Event, KnownBad, Phase, Release};
use std::collections::BTreeSet;

/// In how many channels a mark's message is looked for.
const CHANNELS_LIMIT: u32 = 100;

/// How many cards of the same commit are drawn anew. The mark counts for all its releases.
const CARDS_LIMIT: u32 = 50;

impl Work<'_> {
    pub(super) fn known_bad<'f>(
        &'f mut self,
        asked: &'f Asked<'f>,
        which: &'f WhichRelease,
        reason: Option<&'f str>,
        undo: bool,
    ) -> BoxFuture<'f, Result<Message, EngineError>> {
        // Boxed here, so that not every command has room for it on its stack.
        Box::pin(self.marks(asked, which, reason, undo))
    }

    async fn marks(
        &mut self,
        asked: &Asked<'_>,
        which: &WhichRelease,
        reason: Option<&str>,
        undo: bool,
    ) -> Result<Message, EngineError> {
        let release = match which {
            WhichRelease::Named(prefix) => match self.find_release(Some(prefix), |_| true).await? {
                Ok(release) => release,
                Err(not_found) => return Ok(say_not_found(&not_found, "")),
            },
            WhichRelease::LiveOn { environment, service } => {
                let key = key(service, environment);
                match self.live_release(&key).await? {
                    Some(release) => release,
                    None => return Ok(cards::nothing_is_live(&key)),
                }
            }
        };
        if let Some(refused) = self.may_act(asked.person, Act::Mark, &release.request.key).await? {
            return Ok(refused);
        }
        let (by, at) = (asked.person.id.clone(), self.engine.clock.now());
        if undo {
            return self.unmarks(&release, by, asked.channel).await;
        }
        let mark = KnownBad { by, reason: reason.map(str::to_owned), at };
        if self.apply(&release.id, Event::MarkedBad { mark: mark.clone() }).await?.is_err() {
            return Ok(cards::cannot_be_marked(&release));
        }
        self.cards_follow(&release).await?;
        // What waits with the same commit stands on it.
        self.judge_all_waiting().await?;
        self.promotions_follow(&release.request.key.service).await?;
        self.proclaim_mark(&release, &mark, asked.channel).await?;
        let mut live_on = Vec::new();
        for key in self.engine.setup.environment_keys(None) {
            let here = self.engine.store.environment_get(self.tx, &key).await?;
            let runs = here.live.as_ref().map(|live| &live.commit) == release.commit.as_ref();
            if key.service == release.request.key.service && runs {
                let way_back = self.has_way_back(&here).await?;
                live_on.push((key.environment, way_back));
            }
        }
        let open = self.engine.store.releases_open(self.tx, OPEN_LIMIT).await?;
        let under_way: Vec<_> = open.into_iter().filter(|other| brings_too(other, &release)).collect();
        Ok(cards::marked(&release, &live_on, &under_way))
    }

    /// Takes a mark away, as openly as it was made. What waits asks for votes again: an approval that stood all the time would
    /// start it the moment the mark is gone.
    async fn unmarks(&mut self, release: &Release, by: PersonId, channel: &str) -> Result<Message, EngineError> {
        let at = self.engine.clock.now();
        if self.apply(&release.id, Event::MarkRemoved { by: by.clone(), at }).await?.is_err() {
            let other = self.marked_like(release).await?;
            return Ok(cards::not_marked(release, other.as_ref()));
        }
        self.cards_follow(release).await?;
        // One of the same commit may have a mark too.
        let again = match self.marked_like(release).await? {
            None => self.asks_again(release, &by).await?,
            Some(_) => Vec::new(),
        };
        self.judge_all_waiting().await?;
        self.promotions_follow(&release.request.key.service).await?;
        if let Some(mark) = &release.known_bad {
            let key = message_key(release, mark);
            let mut channels = self.channels_of_marks(release, channel);
            channels.extend(self.engine.store.message_channels(self.tx, &key, CHANNELS_LIMIT).await?);
            for channel in &channels {
                let was = cards::mark_was(release, mark, &by);
                self.engine.store.message_now(self.tx, channel, &key, &was).await?;
            }
            let news = cards::mark_removed_news(release, &by, &again);
            self.proclaim(&channels, &format!("{key}/undone"), Some(&release.id), &news).await?;
        }
        Ok(cards::mark_removed(release, &again))
    }

    /// What waits with the same commit asks for votes again, and so does whatever leads it: approvals of a group are on its
    /// lead. Gives those that had any.
    async fn asks_again(&mut self, release: &Release, by: &PersonId) -> Result<Vec<Release>, EngineError> {
        let at = Some(self.engine.clock.now());
        let open = self.engine.store.releases_open(self.tx, OPEN_LIMIT).await?;
        let is_same = |waiting: &&Release| {
            waiting.request.key.service == release.request.key.service
                && waiting.commit == release.commit
                && waiting.is_waiting()
        };
        let same = open.iter().filter(is_same);
        let all: BTreeSet<&ReleaseId> =
            same.flat_map(|waiting| [Some(&waiting.id), waiting.follows()]).flatten().collect();
        let mut again = Vec::new();
        for id in all {
            let Some(before) = self.engine.store.release_get(self.tx, id).await? else { continue };
            // A lead that runs is not asked about any more; what follows it remembers that it was unmarked.
            let after = self.apply(id, Event::VotesVoid { by: by.clone(), at }).await?;
            let lead = match before.release.follows() {
                Some(lead) => self.engine.store.release_get(self.tx, lead).await?,
                None => None,
            };
            let through_lead = lead.is_some_and(|lead| !lead.release.is_waiting() && lead.release.is_approved_by_any());
            again.extend(after.ok().filter(|_| through_lead || before.release.is_approved_by_any()));
        }
        Ok(again)
    }

    /// The cards of all releases of the same commit say that it is marked.
    async fn cards_follow(&mut self, release: &Release) -> Result<(), EngineError> {
        let Some(commit) = &release.commit else { return Ok(()) };
        let service = &release.request.key.service;
        Ok(self.engine.store.cards_touch_of(self.tx, service, commit, CARDS_LIMIT).await?)
    }

    /// Every channel that reads of the service's releases, and this one.
    fn channels_of_marks(&self, release: &Release, channel: &str) -> BTreeSet<String> {
        let configured = self.engine.setup.channels(&release.request.key.service).iter().map(String::as_str);
        configured.chain([channel]).map(str::to_owned).collect()
    }

    /// The release of the same commit that has a mark.
    pub(super) async fn marked_like(&mut self, release: &Release) -> Result<Option<Release>, EngineError> {
        let Some(commit) = &release.commit else { return Ok(None) };
        Ok(self.engine.store.known_bad_get(self.tx, &release.request.key.service, commit).await?)
    }

    /// Tells them all.
    async fn proclaim_mark(&mut self, release: &Release, mark: &KnownBad, channel: &str) -> Result<(), EngineError> {
        let channels = self.channels_of_marks(release, channel);
        let message_key = message_key(release, mark);
        self.proclaim(&channels, &message_key, Some(&release.id), &cards::mark_news(release, mark)).await
    }
}

/// Whether a release runs that brings what another one brought.
fn brings_too(running: &Release, marked: &Release) -> bool {
    matches!(running.phase, Phase::Running { .. })
        && running.request.key.service == marked.request.key.service
        && running.commit == marked.commit
        && !running.request.kind.plan_kind().only_migrates()
}

fn message_key(release: &Release, mark: &KnownBad) -> String {
    format!("bad/{}/{}", release.id, mark.at.as_millisecond())
}
