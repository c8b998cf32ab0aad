//! Going back: what to, and that it is asked for by itself where a deployment cannot be verified and the configuration
//! says so.

use super::EngineError;
use super::apply::Work;
use super::asked::{Asked, whys};
use crate::config::RollbackBy;
use crate::store::StoreError;
use crate::way_back::{self, Back};
use futures::future::BoxFuture;
use jiff::SignedDuration;
use slipway_core::environment::Environment;
use slipway_core::ids::{CommitSha, EnvironmentKey, ReleaseId};
use slipway_core::message::cards::{self, answers};
use slipway_core::message::{Line, Message};
use slipway_core::plan::PlanKind;
use slipway_core::release::{AutomaticRollback, Event, Phase, Release, Request, RequestKind, Step};
use tracing::error;

/// Why nothing goes back by itself where the store holds what this version cannot read.
const UNREADABLE: &str = "the earlier releases there cannot be read, so that no way back is known. See Slipway's log.";

/// What somebody wants of a rollback.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// To what this release brought; `None` for the last good one.
    pub(super) release: Option<&'a str>,
    /// Take migrations back too.
    pub(super) migrations: bool,
}

impl Work<'_> {
    pub(super) fn rollback<'f>(
        &'f mut self,
        asked: &'f Asked<'f>,
        key: EnvironmentKey,
        wanted: Wanted<'f>,
        reason: Option<String>,
    ) -> BoxFuture<'f, Result<Option<Message>, EngineError>> {
        Box::pin(self.rolls_back(asked, key, wanted, reason))
    }

    async fn rolls_back(
        &mut self,
        asked: &Asked<'_>,
        key: EnvironmentKey,
        wanted: Wanted<'_>,
        reason: Option<String>,
    ) -> Result<Option<Message>, EngineError> {
        let here = self.engine.store.environment_get(self.tx, &key).await?;
        let (to, commit, before) = match self.find_back(&here, wanted.release).await? {
            Back::To(to, commit) => (to, commit, false),
            Back::Before(first, commit) => (first, commit, true),
            Back::Nothing(bad) => return Ok(Some(nothing_to_roll_back_to(&key, wanted.release, bad))),
            Back::NotBefore(newer) => {
                let back = self.has_way_back(&here).await?;
                return Ok(Some(not_before_what_runs(&here, &newer, back)));
            }
            Back::Ambiguous(found) => {
                let prefix = wanted.release.unwrap_or_default();
                return Ok(Some(answers::ambiguous_release(prefix, &found.iter().collect::<Vec<_>>())));
            }
            Back::Bad(release, marked) => return Ok(Some(cards::goes_back_to_nothing_bad(&release, &marked))),
        };
        let from = here.live.filter(|_| here.by_hand.is_none()).map(|live| live.release);
        let kind = RequestKind::Rollback { to, commit, from, migrations: wanted.migrations, because_of: None, before };
        let request = self.request(asked, key, kind, reason);
        self.begin(asked, request).await
    }

    async fn find_back(&mut self, here: &Environment, asked_for: Option<&str>) -> Result<Back, EngineError> {
        Ok(way_back::find(&self.engine.store, self.tx, here, asked_for).await?)
    }

    /// Whether there is a way back, as this transaction sees it.
    pub(super) async fn has_way_back(&mut self, here: &Environment) -> Result<bool, EngineError> {
        Ok(way_back::is_there_at(&self.engine.store, self.tx, here).await?)
    }

    /// The release that brought what is live there.
    pub(super) async fn live_release(&mut self, key: &EnvironmentKey) -> Result<Option<Release>, EngineError> {
        let store = &self.engine.store;
        let Some(live) = store.environment_get(self.tx, key).await?.live else { return Ok(None) };
        Ok(store.release_get(self.tx, &live.release).await?.map(|stored| stored.release))
    }

    /// Whether the configuration has this failure rolled back. A rollback that fails is not rolled back: there is no chain.
    pub(super) fn goes_back_by_setting(&self, after: &Release, event: &Event) -> bool {
        let environment = self.engine.setup.environment(&after.request.key);
        matches!(event, Event::StepFailed { step: Step::Verify, .. })
            && after.phase == Phase::Failed
            && after.request.kind.plan_kind() == PlanKind::Deploy
            && environment.is_some_and(|environment| environment.rollback == RollbackBy::Automatic)
    }

    /// Asks for a rollback in the name of whoever asked for the release, or says why there is none. Policy is asked about
    /// that person as if they had typed it.
    pub(super) fn go_back_by_setting<'f>(&'f mut self, id: &'f ReleaseId) -> BoxFuture<'f, Result<(), EngineError>> {
        // Boxed here, so that not every delivery has room for it on its stack.
        Box::pin(async move {
            let Some(stored) = self.engine.store.release_get(self.tx, id).await? else { return Ok(()) };
            let rollback = match self.goes_back_how(&stored.release).await {
                Ok(Ok((request, commit))) => {
                    let release = self.insert_with_cards(request).await?.id;
                    // A new release in its first phase takes this event.
                    let _ = self.apply(&release, Event::Requested).await?;
                    AutomaticRollback::Asked { release, commit }
                }
                Ok(Err(why)) => AutomaticRollback::Not { why },
                // Nothing has been written for it yet, and it is no reason to undo that the release has failed.
                Err(EngineError::Store(error @ StoreError::Unreadable { .. })) => {
                    error!(release = %id, %error, "it cannot be seen whether there is a way back");
                    AutomaticRollback::Not { why: UNREADABLE.to_owned() }
                }
                Err(error) => return Err(error),
            };
            // The release has failed just now, and takes this.
            let _ = self.apply(id, Event::AutomaticRollback { rollback }).await?;
            Ok(())
        })
    }

    /// What is asked for, or why nothing is. What is forbidden is recorded; nothing else is written.
    async fn goes_back_how(&mut self, failed: &Release) -> Result<Result<(Request, CommitSha), String>, EngineError> {
        let key = failed.request.key.clone();
        if failed.plan.as_ref().is_some_and(|plan| plan.base.as_ref() == Some(&plan.commit)) {
            return Ok(Err("the same commit ran before, so that going back would bring nothing.".to_owned()));
        }
        let here = self.engine.store.environment_get(self.tx, &key).await?;
        let (to, commit, before) = match self.find_back(&here, None).await? {
            Back::To(to, commit) => (to, commit, false),
            Back::Before(first, commit) => (first, commit, true),
            Back::Nothing(0) => {
                let why = "no earlier release has succeeded there, and nothing that ran before is known.";
                return Ok(Err(why.to_owned()));
            }
            _ => return Ok(Err("every earlier version there is known to be bad.".to_owned())),
        };
        let requester = failed.request.requester.clone();
        let setup = self.engine.setup.clone();
        let people = self.company().await?.people;
        let Some(person) = people.get(&requester) else {
            return Ok(Err(format!("{requester}, who asked for the release, is no longer known to Slipway.")));
        };
        let because_of = Some(failed.id.clone());
        let from = Some(failed.id.clone());
        let kind = RequestKind::Rollback { to, commit: commit.clone(), from, migrations: false, because_of, before };
        let now = self.engine.clock.now();
        let request = Request {
            kind,
            reference: None,
            reason: None,
            dry_run: false,
            at: now,
            expires_at: now + SignedDuration::from_secs(setup.vote_expiry_s(&key.service)),
            together: None,
            ..failed.request.clone()
        };
        if let Some(reasons) = self.forbidden_to_ask(person, &request).await? {
            return Ok(Err(whys(&reasons)));
        }
        Ok(Ok((request, commit)))
    }
}

fn not_before_what_runs(here: &Environment, release: &Release, back: bool) -> Message {
    let key = &here.key;
    if let (Some(live), Some(commit)) = (&here.live, &release.commit)
        && live.commit == *commit
        && here.by_hand.is_none()
    {
        let line =
            Line::plain("What release ").code(release.id.short()).text(" brought runs there: ").code(commit.short());
        let command = format!("/rollback {} {}", key.environment, key.service);
        let way = back.then(|| Line::plain("To go back to what ran before: ").code(command));
        return Message::answer(line.text(". Nothing was started."), way);
    }
    let line = Line::plain("Release ").code(release.id.short());
    let line = line.text(format!(" did not run on {key} before what runs there now. Nothing was started."));
    let commit = release.commit.as_ref().map_or("", CommitSha::short);
    let deploy = Line::plain("To go forward: ").code(format!("/deploy {} {commit}", key.environment));
    Message::answer(line, [deploy])
}

fn nothing_to_roll_back_to(key: &EnvironmentKey, to: Option<&str>, bad: usize) -> Message {
    let line = match (to, bad) {
        (Some(prefix), _) => Line::plain("No release ").untrusted(prefix).text(format!(" has succeeded on {key}.")),
        (None, 0) => Line::plain(format!(
            "There is nothing to go back to: no earlier release has succeeded on {key}, and nothing that ran before is known."
        )),
        (None, 1) => {
            Line::plain(format!("There is nothing to go back to: the one earlier version on {key} is known to be bad."))
        }
        (None, n) => {
            let all = format!("There is nothing to go back to: all {n} earlier versions on {key} are known to be bad.");
            Line::plain(all)
        }
    };
    let history = Line::plain("See ").code(format!("/release history {}", key.environment)).text(".");
    Message::answer(line.text(" Nothing was started."), [history])
}
