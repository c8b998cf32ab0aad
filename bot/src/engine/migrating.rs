//! `/migrate`: what changes something is a release; what only looks is answered by somebody who may look outside.

use super::EngineError;
use super::apply::Work;
use super::asked::Asked;
use super::lookup::only_for;
use crate::store::{NewMessage, Question};
use slipway_core::command::MigrateAct;
use slipway_core::ids::{EnvironmentKey, ReleaseId};
use slipway_core::message::Message;
use slipway_core::message::cards::answers;
use slipway_core::plan::Plan;
use slipway_core::release::{MigrateWay, Release, Request, RequestKind};

/// How many questions may wait for an answer from outside.
const LOOKUPS_LIMIT: i64 = 50;

impl Work<'_> {
    pub(super) async fn migrate(
        &mut self,
        asked: &Asked<'_>,
        key: EnvironmentKey,
        act: &MigrateAct,
        reason: Option<String>,
    ) -> Result<Option<Message>, EngineError> {
        let setup = &self.engine.setup;
        let has_files = setup.service(&key.service).is_some_and(|service| service.migrations.is_some());
        let has_database = setup.environment(&key).is_some_and(|environment| environment.database.is_some());
        if !has_files || !has_database {
            return Ok(Some(answers::no_migrations(&key, has_files)));
        }
        let (way, reference) = match act {
            MigrateAct::Status => return self.look(asked, Question::MigrationStatus { key }).await,
            MigrateAct::Plan { reference } => {
                return self.look(asked, Question::MigrationPlan { key, reference: reference.clone() }).await;
            }
            MigrateAct::Up { reference, goes_on } => (MigrateWay::Up { goes_on: *goes_on }, reference.clone()),
            MigrateAct::Down { count } => (MigrateWay::Down { count: *count, of: vec![] }, None),
        };
        let request = self.request(asked, key, RequestKind::Migrate { way, commit: None, again: None }, reason);
        self.begin(asked, Request { reference, ..request }).await
    }

    /// The answer comes from outside, to whoever asks alone.
    pub(super) async fn look(&mut self, asked: &Asked<'_>, question: Question) -> Result<Option<Message>, EngineError> {
        let place = NewMessage {
            channel: asked.channel.to_owned(),
            key: format!("answer/{}", asked.delivery),
            release: None,
            only_for: Some(only_for(asked.person)),
            body: None,
            thread_of: None,
        };
        let bound = (LOOKUPS_LIMIT, self.engine.clock.now_ms());
        let kept = self.engine.store.lookup_put(self.tx, &place, asked.delivery, &question, bound).await?;
        self.engine.signals.lookups.notify_one();
        Ok((!kept).then(answers::too_many_questions))
    }
}

/// The same request once more. What is to be taken back is what the earlier one had planned and has not taken back: asked
/// for by number it would go further.
pub(super) fn again(release: &Release) -> Option<RequestKind> {
    let RequestKind::Migrate { way, commit, .. } = &release.request.kind else { return None };
    let way = match (way, &release.plan) {
        (MigrateWay::Down { count, .. }, Some(Plan { taken_back, .. })) if !taken_back.is_empty() => {
            let of = taken_back.iter().map(|migration| migration.version.clone()).collect();
            MigrateWay::Down { count: *count, of }
        }
        (way, _) => way.clone(),
    };
    let commit = release.commit.clone().or_else(|| commit.clone());
    let again: ReleaseId = release.id.clone();
    Some(RequestKind::Migrate { way, commit, again: Some(again) })
}
