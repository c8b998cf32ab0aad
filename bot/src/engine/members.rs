//! Who is in the teams whose members are kept elsewhere was looked up, or could not be.

use super::EngineError;
use super::apply::Work;
use crate::standing::Company;
use jiff::Timestamp;
use serde_json::json;
use slipway_core::ids::PersonId;
use slipway_core::membership::Source;
use slipway_core::message::Message;
use slipway_core::message::cards::answers;
use slipway_core::person::{Directory, Person};
use slipway_core::policy::Decision;
use std::collections::BTreeSet;
use tracing::{info, warn};

impl Work<'_> {
    /// Everybody with the teams that count now, for asking.
    pub(super) async fn company(&mut self) -> Result<Company, EngineError> {
        let engine = self.engine;
        Ok(Company::within(&engine.store, self.tx, &engine.setup, engine.clock.now()).await?)
    }

    /// A refusal says so when it may be for no other reason than that nobody can tell who is in a team: `again` asks
    /// policy as if the person were in each of those teams.
    pub(super) async fn refused(
        &mut self,
        person: &PersonId,
        refusal: Message,
        again: impl Fn(&Person, &Directory) -> Decision,
    ) -> Result<Message, EngineError> {
        let Company { people, sources } = self.company().await?;
        let unknown: BTreeSet<_> = sources.iter().filter(|s| !s.counts).map(|s| s.team.clone()).collect();
        if unknown.is_empty() {
            return Ok(refusal);
        }
        let people = people.with_teams([(person.clone(), unknown)]);
        let would_be_allowed = people.get(person).is_some_and(|person| again(person, &people).is_allow());
        Ok(if would_be_allowed { answers::members_unknown(refusal, &sources) } else { refusal })
    }

    /// The members of a source were seen. When other people are among them than before, or those did not count any
    /// more or could not be seen until now, everything that waits is judged again.
    pub(super) async fn members_seen(
        &mut self,
        source: &Source,
        members: BTreeSet<String>,
        at: Timestamp,
    ) -> Result<(), EngineError> {
        let (store, setup) = (&self.engine.store, &self.engine.setup);
        let before = store.membership_get(self.tx, source).await?.unwrap_or_default().as_of(self.engine.clock.now());
        let Some(after) = before.read(members, at) else { return Ok(()) };
        store.membership_put(self.tx, source, &after).await?;
        let everybody = Company::within(store, self.tx, setup, self.engine.clock.now()).await?.people;
        let people = |members: &BTreeSet<String>| source.known(members, &everybody);
        let was = before.seen.as_ref().map_or_else(BTreeSet::new, |seen| people(&seen.value));
        let is = after.seen.as_ref().map_or_else(BTreeSet::new, |seen| people(&seen.value));
        if before.trouble.is_some() {
            self.record("membership_readable", json!({ "source": source, "seen_at": at }), None).await?;
        }
        if was != is {
            let less = |from: &BTreeSet<PersonId>, these| from.difference(these).cloned().collect::<Vec<_>>();
            let (came, went) = (less(&is, &was), less(&was, &is));
            info!(%source, ?came, ?went, "other people are in a team");
            let body = json!({ "source": source, "seen_at": at, "came": came, "went": went });
            self.record("membership_changed", body, None).await?;
        } else if before.trouble.is_none() && before.counts(self.engine.clock.now(), setup.membership_age_max_s()) {
            return Ok(());
        }
        self.judge_all_waiting().await?;
        Box::pin(self.intents_held()).await?;
        self.finish().await
    }

    /// The members of a source could not be seen. Those that were seen before count for a while; nothing has changed
    /// for what waits, because it could not have started without a look.
    pub(super) async fn members_unseen(
        &mut self,
        source: &Source,
        what: String,
        at: Timestamp,
        again_at: Timestamp,
    ) -> Result<(), EngineError> {
        let store = &self.engine.store;
        let before = store.membership_get(self.tx, source).await?.unwrap_or_default().as_of(self.engine.clock.now());
        let Some(after) = before.failed(what, at, again_at) else { return Ok(()) };
        if let (None, Some(trouble)) = (&before.trouble, &after.trouble) {
            warn!(%source, what = trouble.what, "who is in a team cannot be read");
            let body = json!({ "source": source, "what": trouble.what });
            self.record("membership_unreadable", body, None).await?;
        }
        store.membership_put(self.tx, source, &after).await?;
        Ok(())
    }
}
