//! `/release bad`: a mark on what a release brought, that the gate and every rollback look at.

use super::EngineError;
use super::apply::Work;
use super::asked::{Asked, key, say_not_found};
use futures::future::BoxFuture;
use slipway_core::command::WhichRelease;
use slipway_core::message::{Message, cards};
use slipway_core::policy::Act;
use slipway_core::release::{Event, KnownBad, Release};
use std::collections::BTreeSet;

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
            if self.apply(&release.id, Event::MarkRemoved { by, at }).await?.is_err() {
                let other = self.marked_like(&release).await?;
                return Ok(cards::not_marked(&release, other.as_ref()));
            }
            self.judge_all_waiting().await?;
            self.promotions_follow(&release.request.key.service).await?;
            return Ok(cards::mark_removed(&release));
        }
        let mark = KnownBad { by, reason: reason.map(str::to_owned), at };
        if self.apply(&release.id, Event::MarkedBad { mark: mark.clone() }).await?.is_err() {
            return Ok(cards::cannot_be_marked(&release));
        }
        // What waits with the same commit stands on it.
        self.judge_all_waiting().await?;
        self.promotions_follow(&release.request.key.service).await?;
        self.proclaim_mark(&release, &mark, asked.channel).await?;
        let mut live_on = Vec::new();
        for key in self.engine.setup.environment_keys(None) {
            let live = self.engine.store.environment_get(self.tx, &key).await?.live;
            if key.service == release.request.key.service && live.map(|live| live.commit) == release.commit {
                live_on.push(key.environment);
            }
        }
        Ok(cards::marked(&release, &live_on))
    }

    /// The release of the same commit that has a mark.
    pub(super) async fn marked_like(&mut self, release: &Release) -> Result<Option<Release>, EngineError> {
        let Some(commit) = &release.commit else { return Ok(None) };
        Ok(self.engine.store.known_bad_get(self.tx, &release.request.key.service, commit).await?)
    }

    /// Tells every channel that reads of the service's releases.
    async fn proclaim_mark(&mut self, release: &Release, mark: &KnownBad, channel: &str) -> Result<(), EngineError> {
        let configured = self.engine.setup.channels(&release.request.key.service).iter().map(String::as_str);
        let channels: BTreeSet<String> = configured.chain([channel]).map(str::to_owned).collect();
        let message_key = format!("bad/{}/{}", release.id, mark.at.as_millisecond());
        self.proclaim(&channels, &message_key, Some(&release.id), &cards::mark_news(release, mark)).await
    }
}
