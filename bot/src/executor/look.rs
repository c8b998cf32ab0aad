//! Answering questions about the outside: nothing is changed, and only whoever asked reads the answer.

use super::gather::with_sizes;
use super::migrate::{FolderAndDatabase, folder_and_database};
use super::{Executor, Trouble, no_longer_configured};
use crate::configuration;
use crate::defects::caught;
use crate::rest;
use crate::store::{Lookup, Question};
use slipway_core::ids::{CommitSha, EnvironmentKey};
use slipway_core::message::Message;
use slipway_core::message::cards::{self, ConfigurationView, MigrationsView, PendingView};
use slipway_core::migration::applied_newest_first;
use slipway_core::migration::format::Dialect;
use slipway_deploy::github::Resolution;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::task::JoinSet;
use tracing::{error, warn};

/// How many questions are looked into at once.
const LOOKS_AT_ONCE_LIMIT: usize = 4;
/// How many that wait are read, the oldest first. No more are kept.
const WAITING_LIMIT: u32 = 64;
/// How long one look may take.
const LOOK_LIMIT: Duration = Duration::from_secs(60);

impl Executor {
    /// Answers questions for ever. A question that a crash interrupts is looked into again. One that takes long holds up only
    /// those about the same database.
    pub async fn answer_questions(self) {
        let (mut looks, mut in_hand) = (JoinSet::new(), HashMap::new());
        loop {
            let free = LOOKS_AT_ONCE_LIMIT.saturating_sub(in_hand.len());
            // Without a free place there is nothing to look for.
            let waiting = if free == 0 { Ok(vec![]) } else { self.store.lookups(WAITING_LIMIT).await };
            let waiting = waiting.unwrap_or_else(|error| {
                error!(%error, "questions could not be read");
                vec![]
            });
            for lookup in next(waiting, in_hand.values(), free) {
                let (executor, asked) = (self.clone(), lookup.clone());
                let look = looks.spawn(async move { executor.answer(&asked).await });
                in_hand.insert(look.id(), lookup);
            }
            let (looked, is_stored) = tokio::select! {
                Some(looked) = looks.join_next_with_id() => match looked {
                    Ok((id, is_stored)) => (id, is_stored),
                    Err(error) => (error.id(), false),
                },
                () = rest::until_due(self.signals.lookups.notified(), None, self.clock.now_ms()) => continue,
            };
            if !is_stored {
                tokio::time::sleep(rest::AFTER_FAILURE).await;
            }
            in_hand.remove(&looked);
        }
    }

    /// False: the answer could not be stored.
    async fn answer(&self, lookup: &Lookup) -> bool {
        let looked = match &lookup.question {
            Ok(question) => {
                let look = caught("looking into a question", self.look(question));
                match tokio::time::timeout(LOOK_LIMIT, look).await {
                    Ok(Ok(Ok(answer))) => answer,
                    Ok(Ok(Err(trouble))) => could_not_look(question, &trouble.to_string()),
                    Ok(Err(panicked)) => could_not_look(question, &format!("{panicked}.")),
                    Err(_) => could_not_look(question, &format!("It took more than {} s.", LOOK_LIMIT.as_secs())),
                }
            }
            Err(unreadable) => {
                warn!(id = lookup.id, error = unreadable, "a question cannot be read");
                cards::could_not_look("the migrations", "The question was asked of another version of Slipway.")
            }
        };
        let stored = self.store.lookup_answered(lookup, &looked).await;
        self.signals.messages.notify_one();
        if let Err(error) = &stored {
            error!(%error, "an answer could not be stored");
        }
        stored.is_ok()
    }

    async fn look(&self, question: &Question) -> Result<Message, Trouble> {
        match question {
            Question::MigrationStatus { key } => self.migration_status(key).await,
            Question::MigrationPlan { key, reference } => self.migration_plan(key, reference.as_deref()).await,
            Question::Configuration { environments } => self.configuration(environments).await,
        }
    }

    async fn migration_status(&self, key: &EnvironmentKey) -> Result<Message, Trouble> {
        let live = self.store.environment(key).await?.live.map(|live| live.commit);
        let (commit, runs) = match live {
            Some(commit) => (commit, true),
            None => match self.newest(key, None).await? {
                Ok(commit) => (commit, false),
                Err(not_found) => return Ok(not_found),
            },
        };
        let Some(at_hand) = folder_and_database(self, key, &commit).await? else {
            return Ok(cards::no_migration_files(key, &commit));
        };
        let history = at_hand.history().await?;
        let is_sqlite = at_hand.database.dialect() == Dialect::Sqlite;
        let applied = applied_newest_first(&at_hand.folder, &history);
        let name = |version: &_| {
            let file = at_hand.folder.file(version).map(|file| file.up.file.clone());
            let at = history.row(version).and_then(|row| row.applied_at.clone());
            let at = at.map(|at| if is_sqlite { in_utc(at) } else { at });
            (file.unwrap_or_else(|| format!("{version} (no file)")), at)
        };
        Ok(cards::migration_status(&MigrationsView {
            key,
            commit: &commit,
            runs,
            applied: applied.iter().map(name).collect(),
            pending: self.pending_view(&at_hand).await?,
        }))
    }

    async fn migration_plan(&self, key: &EnvironmentKey, reference: Option<&str>) -> Result<Message, Trouble> {
        let commit = match self.newest(key, reference).await? {
            Ok(commit) => commit,
            Err(not_found) => return Ok(not_found),
        };
        let Some(at_hand) = folder_and_database(self, key, &commit).await? else {
            return Ok(cards::no_migration_files(key, &commit));
        };
        let mut view = self.pending_view(&at_hand).await?;
        with_sizes(&at_hand, &mut view.planned).await?;
        Ok(cards::migration_plan(key, &commit, reference, &view))
    }

    /// The keys of the configuration as they are now. What is found is kept, so that status knows it too.
    async fn configuration(&self, environments: &[EnvironmentKey]) -> Result<Message, Trouble> {
        let mut views = Vec::new();
        for key in environments {
            let secrets = self.setup.environment(key).map(|environment| environment.config.clone()).unwrap_or_default();
            let at = self.clock.now();
            let seen = configuration::look(&self.outside, &secrets).await.map_err(|not_seen| not_seen.to_string());
            let live = self.store.environment(key).await?.live;
            let known = self.store.configuration(key).await?;
            let drift = seen.as_ref().ok().and_then(|seen| known.drift_of(live.as_ref(), seen));
            if let Ok(seen) = &seen {
                let mut tx = self.store.begin().await?;
                self.store.configuration_seen(&mut tx, key, seen, at).await?;
                tx.commit().await.map_err(crate::store::StoreError::from)?;
            }
            views.push(ConfigurationView { key: key.clone(), seen, drift });
        }
        Ok(cards::configuration(&views))
    }

    /// The commit that a reference means, or the answer that there is none.
    async fn newest(
        &self,
        key: &EnvironmentKey,
        reference: Option<&str>,
    ) -> Result<Result<CommitSha, Message>, Trouble> {
        let service = self.setup.service(&key.service).ok_or_else(|| no_longer_configured(key))?;
        Ok(match self.outside.github.resolve(&service.repository, reference).await? {
            Resolution::Resolved(found) => Ok(found.commit),
            Resolution::Unresolved(_) => {
                let typed = reference.unwrap_or("its default branch");
                Err(cards::could_not_look(
                    &format!("the migrations of {key}"),
                    &format!("{} has no branch, tag or commit \"{typed}\".", service.repository),
                ))
            }
        })
    }

    /// What is pending; why nothing can be applied is part of the answer.
    async fn pending_view(&self, at_hand: &FolderAndDatabase) -> Result<PendingView, Trouble> {
        match at_hand.pending().await {
            Ok(pending) => Ok(PendingView {
                planned: pending.planned(&at_hand.lint_options().await?),
                unknown: pending.unknown_applied.iter().map(ToString::to_string).collect(),
                half_done: pending
                    .half_done
                    .iter()
                    .map(|half| {
                        format!("{}: {} of {} statements are known to be done", half.file, half.done, half.total)
                    })
                    .collect(),
                edited: pending.edited,
                refused: None,
            }),
            Err(Trouble::Final(failure)) => Ok(PendingView { refused: Some(failure.what), ..PendingView::default() }),
            Err(trouble) => Err(trouble),
        }
    }
}

/// What to look into next: the oldest, and of those about one database one at a time.
fn next<'a>(waiting: Vec<Lookup>, in_hand: impl Iterator<Item = &'a Lookup>, free: usize) -> Vec<Lookup> {
    let (mut ids, mut busy) = (HashSet::new(), HashSet::new());
    for lookup in in_hand {
        ids.insert(lookup.id);
        busy.extend(database(lookup));
    }
    let can_begin = |lookup: &Lookup| !ids.contains(&lookup.id) && database(lookup).is_none_or(|key| busy.insert(key));
    waiting.into_iter().filter(can_begin).take(free).collect()
}

/// The environment whose database a question is about.
fn database(lookup: &Lookup) -> Option<EnvironmentKey> {
    match &lookup.question {
        Ok(Question::MigrationStatus { key } | Question::MigrationPlan { key, .. }) => Some(key.clone()),
        Ok(Question::Configuration { .. }) | Err(_) => None,
    }
}

fn could_not_look(question: &Question, why: &str) -> Message {
    match question {
        Question::MigrationStatus { key } | Question::MigrationPlan { key, .. } => {
            cards::could_not_look(&format!("the migrations of {key}"), why)
        }
        Question::Configuration { .. } => cards::could_not_look("the secrets", why),
    }
}

/// SQLite writes the time of a row in UTC, without saying so.
fn in_utc(at: String) -> String {
    if at.parse::<jiff::civil::DateTime>().is_ok() && at.parse::<jiff::Timestamp>().is_err() { at + "Z" } else { at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(id: i64, environment: &str) -> Lookup {
        let key = EnvironmentKey { service: "goals".into(), environment: environment.into() };
        let question = Ok(Question::MigrationStatus { key });
        Lookup { id, channel: "terminal:releases".to_owned(), key: format!("answer/{id}"), question }
    }

    fn secrets(id: i64) -> Lookup {
        Lookup { question: Ok(Question::Configuration { environments: vec![] }), ..about(id, "") }
    }

    fn ids(lookups: &[Lookup]) -> Vec<i64> {
        lookups.iter().map(|lookup| lookup.id).collect()
    }

    #[test]
    fn a_database_that_does_not_answer_takes_one_place() {
        let waiting = || vec![about(1, "staging"), about(2, "staging"), about(3, "production"), secrets(4), secrets(5)];
        assert_eq!(ids(&next(waiting(), [].iter(), 4)), [1, 3, 4, 5]);
        assert_eq!(ids(&next(waiting(), [].iter(), 2)), [1, 3], "the oldest first");
        let in_hand = [about(1, "staging"), secrets(4)];
        assert_eq!(ids(&next(waiting(), in_hand.iter(), 2)), [3, 5], "nothing twice");
        assert_eq!(ids(&next(waiting(), in_hand[1..].iter(), 3)), [1, 3, 5], "the place is free again");
    }
}
