//! Going back: what to, and that it is asked for by itself where a deployment cannot be verified and the configuration
//! says so.

use super::EngineError;
use super::apply::Work;
use super::asked::{Asked, whys};
use crate::config::RollbackBy;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use slipway_core::environment::{Environment, Live};
use slipway_core::ids::{CommitSha, EnvironmentKey, ReleaseId};
use slipway_core::message::cards::{self, answers};
use slipway_core::message::{Line, Message};
use slipway_core::plan::PlanKind;
use slipway_core::release::{AutomaticRollback, Event, Phase, Release, Request, RequestKind, Step};

/// How far back a rollback looks for a good release.
const ROLLBACK_LOOK_BACK_LIMIT: u32 = 20;

/// What somebody wants of a rollback.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// To what this release brought; `None` for the last good one.
    pub(super) release: Option<&'a str>,
    /// Take migrations back too.
    pub(super) migrations: bool,
}

/// What there is to go back to.
enum Back {
    To(ReleaseId, CommitSha),
    /// Nothing; so many that would do but for their mark.
    Nothing(usize),
    /// It did not run there before what runs now.
    NotBefore(Box<Release>),
    Ambiguous(Vec<Release>),
    /// It is known to be bad, as the other one says.
    Bad(Box<Release>, Box<Release>),
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
        let (to, commit) = match self.find_back(&here, wanted.release).await? {
            Back::To(to, commit) => (to, commit),
            Back::Nothing(bad) => return Ok(Some(nothing_to_roll_back_to(&key, wanted.release, bad))),
            Back::NotBefore(newer) => return Ok(Some(not_before_what_runs(&key, &newer))),
            Back::Ambiguous(found) => {
                let prefix = wanted.release.unwrap_or_default();
                return Ok(Some(answers::ambiguous_release(prefix, &found.iter().collect::<Vec<_>>())));
            }
            Back::Bad(release, marked) => return Ok(Some(cards::goes_back_to_nothing_bad(&release, &marked))),
        };
        let from = here.live.filter(|_| here.by_hand.is_none()).map(|live| live.release);
        let kind = RequestKind::Rollback { to, commit, from, migrations: wanted.migrations, because_of: None };
        let request = self.request(asked, key, kind, reason);
        self.begin(asked, request).await
    }

    async fn find_back(&mut self, here: &Environment, asked_for: Option<&str>) -> Result<Back, EngineError> {
        let good = self.engine.store.releases_succeeded(self.tx, &here.key, ROLLBACK_LOOK_BACK_LIMIT).await?;
        let brought_by = match &here.live {
            Some(live) => Some(self.brought_by(&good, live).await?),
            None => None,
        };
        let before = match (&brought_by, &here.by_hand) {
            (Some(id), None) => before_what_runs(&good, id).to_vec(),
            // What somebody brought past Slipway is left for what Slipway had brought last.
            (Some(id), Some(_)) => good.iter().skip_while(|release| release.id != *id).cloned().collect(),
            (None, _) => good.clone(),
        };
        let commit = match &here.by_hand {
            Some(by_hand) => by_hand.runs.commit.as_ref(),
            None => here.live.as_ref().map(|live| &live.commit),
        };
        let fits = |r: &Release| match asked_for {
            Some(prefix) => r.id.as_str().starts_with(&prefix.to_ascii_uppercase()),
            None => r.commit.is_some() && r.commit.as_ref() != commit,
        };
        // What is known to be good is spared approvals because it is older: a rollback never goes forward.
        let mut found: Vec<_> = before.into_iter().filter(|r| fits(r) && r.commit.is_some()).collect();
        if found.is_empty() {
            let newer = good.into_iter().find(|r| asked_for.is_some() && fits(r));
            return Ok(newer.map_or(Back::Nothing(0), |newer| Back::NotBefore(Box::new(newer))));
        }
        // A prefix must mean one release; without one the newest that is not known to be bad is meant.
        if asked_for.is_some() && found.len() > 1 {
            return Ok(Back::Ambiguous(found));
        }
        let count = found.len();
        for release in found.drain(..) {
            match self.marked_like(&release).await? {
                None => return Ok(release.commit.clone().map_or(Back::Nothing(0), |c| Back::To(release.id, c))),
                Some(marked) if asked_for.is_some() => return Ok(Back::Bad(Box::new(release), Box::new(marked))),
                Some(_) => {}
            }
        }
        Ok(Back::Nothing(count))
    }

    /// The release that brought what is live there.
    pub(super) async fn live_release(&mut self, key: &EnvironmentKey) -> Result<Option<Release>, EngineError> {
        let store = &self.engine.store;
        let Some(live) = store.environment_get(self.tx, key).await?.live else { return Ok(None) };
        Ok(store.release_get(self.tx, &live.release).await?.map(|stored| stored.release))
    }

    /// From which release on it is looked for earlier ones. A rollback that is live without having succeeded stands for the
    /// one that it went back to.
    async fn brought_by(&mut self, good: &[Release], live: &Live) -> Result<ReleaseId, EngineError> {
        if good.iter().any(|release| release.id == live.release) {
            return Ok(live.release.clone());
        }
        let stored = self.engine.store.release_get(self.tx, &live.release).await?;
        let of_the_same = || good.iter().find(|release| release.commit.as_ref() == Some(&live.commit));
        Ok(match stored.map(|stored| stored.release.request.kind) {
            Some(RequestKind::Rollback { to, .. }) => to,
            // It brought again what an earlier one had brought.
            Some(RequestKind::Config { .. }) => {
                of_the_same().map_or(live.release.clone(), |release| release.id.clone())
            }
            _ => live.release.clone(),
        })
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
            let rollback = match self.ask_back(&stored.release).await? {
                Ok((release, commit)) => AutomaticRollback::Asked { release, commit },
                Err(why) => AutomaticRollback::Not { why },
            };
            // The release has failed just now, and takes this.
            let _ = self.apply(id, Event::AutomaticRollback { rollback }).await?;
            Ok(())
        })
    }

    async fn ask_back(&mut self, failed: &Release) -> Result<Result<(ReleaseId, CommitSha), String>, EngineError> {
        let key = failed.request.key.clone();
        if failed.plan.as_ref().is_some_and(|plan| plan.base.as_ref() == Some(&plan.commit)) {
            return Ok(Err("the same commit ran before, so that going back would bring nothing.".to_owned()));
        }
        let here = self.engine.store.environment_get(self.tx, &key).await?;
        let (to, commit) = match self.find_back(&here, None).await? {
            Back::To(to, commit) => (to, commit),
            Back::Nothing(0) => return Ok(Err("no earlier release has succeeded there.".to_owned())),
            _ => return Ok(Err("every earlier release there is known to be bad.".to_owned())),
        };
        let requester = failed.request.requester.clone();
        let setup = self.engine.setup.clone();
        let people = self.company().await?.people;
        let Some(person) = people.get(&requester) else {
            return Ok(Err(format!("{requester}, who asked for the release, is no longer known to Slipway.")));
        };
        let because_of = Some(failed.id.clone());
        let from = Some(failed.id.clone());
        let kind = RequestKind::Rollback { to, commit: commit.clone(), from, migrations: false, because_of };
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
        let release = self.insert_with_cards(request).await?;
        // A new release in its first phase takes this event.
        let _ = self.apply(&release.id, Event::Requested).await?;
        Ok(Ok((release.id, commit)))
    }
}

/// The releases before the one that brought what runs. After a rollback that is the one it went back to, so that
/// rolling back twice goes further back and never forward to what was just left.
fn before_what_runs<'a>(newest_first: &'a [Release], live: &ReleaseId) -> &'a [Release] {
    let mut brought_by = live;
    let mut rest = newest_first;
    while let Some(at) = rest.iter().position(|release| release.id == *brought_by) {
        let release = &rest[at];
        rest = &rest[at + 1..];
        match &release.request.kind {
            RequestKind::Rollback { to, .. } => brought_by = to,
            // It brought again what an earlier one had brought, unless that one never succeeded.
            RequestKind::Config { .. } => {
                match rest.iter().find(|earlier| !earlier.request.kind.plan_kind().only_migrates()) {
                    Some(earlier) if earlier.commit == release.commit => brought_by = &earlier.id,
                    _ => break,
                }
            }
            RequestKind::Deploy
            | RequestKind::Retry { .. }
            | RequestKind::Migrate { .. }
            | RequestKind::Ship { .. } => break,
        }
    }
    rest
}

fn not_before_what_runs(key: &EnvironmentKey, release: &Release) -> Message {
    let line = Line::plain("Release ").code(release.id.short());
    let line = line.text(format!(" did not run on {key} before what runs there now. Nothing was started."));
    let commit = release.commit.as_ref().map_or("", CommitSha::short);
    let deploy = Line::plain("To go forward: ").code(format!("/deploy {} {commit}", key.environment));
    Message::answer(line, [deploy])
}

fn nothing_to_roll_back_to(key: &EnvironmentKey, to: Option<&str>, bad: usize) -> Message {
    let line = match (to, bad) {
        (Some(prefix), _) => Line::plain("No release ").untrusted(prefix).text(format!(" has succeeded on {key}.")),
        (None, 0) => Line::plain(format!("There is nothing to go back to: no earlier release has succeeded on {key}.")),
        (None, 1) => {
            Line::plain(format!("There is nothing to go back to: the one earlier release on {key} is known to be bad."))
        }
        (None, n) => {
            let all = format!("There is nothing to go back to: all {n} earlier releases on {key} are known to be bad.");
            Line::plain(all)
        }
    };
    let history = Line::plain("See ").code(format!("/release history {}", key.environment)).text(".");
    Message::answer(line.text(" Nothing was started."), [history])
}
