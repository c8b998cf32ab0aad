//! Promotion: what an environment runs is suggested for the next, or begins there by itself. What is decided comes from
//! `core`; here it is done, in one transaction.

use super::EngineError;
use super::apply::Work;
use super::asked::{Asked, whys};
use super::outlook::{Hopeful, Prospect};
use super::votes::Button;
use crate::setup::Rules;
use crate::store::{NewMessage, StoredPromotion, promotion_key};
use futures::future::BoxFuture;
use serde_json::json;
use slipway_core::environment::Live;
use slipway_core::ids::{CommitSha, EnvironmentKey, EnvironmentName, PersonId, ReleaseId, ServiceName};
use slipway_core::message::cards::{self, SuggestionView, answers};
use slipway_core::message::{Message, Verb};
use slipway_core::person::{Identity, Person};
use slipway_core::plan::PlanKind;
use slipway_core::policy::{Asking, Decision};
use slipway_core::promotion::{Act, Lineage, Promotion, Standing, asked_for};
use slipway_core::release::{Event, Outcome, Release, Request, RequestKind};

/// How much may be done for one environment in one go. Each open promotion changes once, and one more may come.
const ACTS_LIMIT: usize = 25;
/// How many releases are looked through for one that was asked for already.
const ASKED_LOOK_BACK_LIMIT: u32 = 20;

impl Work<'_> {
    /// Something may be due of what could go on to an environment.
    pub(super) async fn promotion_due(&mut self, key: &EnvironmentKey) -> Result<(), EngineError> {
        self.promotions(key).await?;
        self.finish().await
    }

    /// The same for every environment of a service, because of something that is said of a commit.
    pub(super) async fn promotions_follow(&mut self, service: &ServiceName) -> Result<(), EngineError> {
        let keys = self.engine.setup.environment_keys(None);
        for key in keys.into_iter().filter(|key| key.service == *service) {
            self.promotions(&key).await?;
        }
        Ok(())
    }

    /// Does all that is to be done now of what could go on to an environment.
    fn promotions<'f>(&'f mut self, key: &'f EnvironmentKey) -> BoxFuture<'f, Result<(), EngineError>> {
        // Boxed here, so that not every delivery has room for it on its stack.
        Box::pin(async move {
            for _ in 0..ACTS_LIMIT {
                let Some(prospect) = self.inquiry().prospect(key).await? else { return Ok(()) };
                let Some(act) = prospect.decide() else { return Ok(()) };
                self.act(key, &prospect, act).await?;
            }
            Ok(())
        })
    }

    async fn act(&mut self, key: &EnvironmentKey, prospect: &Prospect, act: Act) -> Result<(), EngineError> {
        match (act, &prospect.before.live, &prospect.hopeful) {
            (Act::Change { standing: Standing::Suggested, .. } | Act::Suggest, Some(live), Some(hopeful)) => {
                self.suggest(key, prospect, live, hopeful).await
            }
            (Act::Change { commit, standing }, _, _) => match prospect.of(&commit) {
                Some(stored) => self.stands_now(key, &stored.promotion.clone(), standing).await,
                None => Ok(()),
            },
            (Act::Begin, Some(live), Some(hopeful)) => self.promote_by_itself(key, prospect, live, hopeful).await,
            (Act::Suggest | Act::Begin, _, _) => Ok(()),
        }
    }

    async fn suggest(
        &mut self,
        key: &EnvironmentKey,
        prospect: &Prospect,
        live: &Live,
        hopeful: &Hopeful,
    ) -> Result<(), EngineError> {
        let runs = prospect.here.live.as_ref().map(|live| &live.commit);
        let migrates = self.engine.setup.service(&key.service).is_some_and(|service| service.migrations.is_some());
        let body = cards::suggestion(&SuggestionView {
            key,
            before: &prospect.before.key.environment,
            live,
            soaked_s: hopeful.soaked_s,
            plan: &hopeful.plan,
            reasons: &hopeful.reasons,
            unrelated: runs.filter(|_| hopeful.lineage == Lineage::Unknown),
            migrates,
        });
        let promotion = self.promotion(live, Standing::Suggested);
        let id = self.keep(key, &promotion).await?;
        self.say(key, id, &body, true).await
    }

    fn promotion(&self, live: &Live, standing: Standing) -> Promotion {
        let (commit, brought_by) = (live.commit.clone(), live.release.clone());
        Promotion { commit, brought_by, standing, at: self.engine.clock.now() }
    }

    /// Asks for a release that nobody has asked for. Policy was asked whether Slipway may; the gate is asked again.
    async fn promote_by_itself(
        &mut self,
        key: &EnvironmentKey,
        prospect: &Prospect,
        live: &Live,
        hopeful: &Hopeful,
    ) -> Result<(), EngineError> {
        let setup = self.engine.setup.clone();
        let channel = setup.channels(&key.service).first().cloned().unwrap_or_default();
        let reason = cards::soaked_for(&live.commit, &prospect.before.key.environment, hopeful.soaked_s);
        let (slipway, kind) = (PersonId::slipway(), RequestKind::Deploy);
        let request = self.request_of(slipway, &channel, key.clone(), kind, Some(reason));
        let reference = Some(live.commit.to_string());
        let release = self.insert_with_cards(Request { reference, ..request }).await?;
        // A new release in its first phase takes this event.
        let _ = self.apply(&release.id, Event::Requested).await?;
        let promotion = self.promotion(live, Standing::Begun { release: release.id.clone() });
        self.stands_now(key, &promotion.clone(), promotion.standing).await
    }

    /// A promotion stands otherwise than before: it is kept, recorded, and its message says so.
    async fn stands_now(
        &mut self,
        key: &EnvironmentKey,
        promotion: &Promotion,
        standing: Standing,
    ) -> Result<(), EngineError> {
        // What was asked for by itself has a card; that it is not tried again is news.
        let is_news = matches!(standing, Standing::Stopped { .. });
        let promotion = Promotion { standing, at: self.engine.clock.now(), ..promotion.clone() };
        let id = self.keep(key, &promotion).await?;
        let Some(before) = self.before(key) else { return Ok(()) };
        let page = promotion.standing.led_to().and_then(|release| self.engine.setup.release_page(release));
        let body = cards::promotion(key, &promotion, &before, page.as_deref());
        self.say(key, id, &body, is_news).await
    }

    fn before(&self, key: &EnvironmentKey) -> Option<EnvironmentName> {
        self.engine.setup.environment_before(key).map(|before| before.environment)
    }

    async fn keep(&mut self, key: &EnvironmentKey, promotion: &Promotion) -> Result<i64, EngineError> {
        let id = self.engine.store.promotion_save(self.tx, key, promotion).await?;
        let person = match &promotion.standing {
            Standing::Taken { by, .. } | Standing::Declined { by } | Standing::Held { by } => Some(by),
            Standing::Begun { .. }
            | Standing::Suggested
            | Standing::Left { .. }
            | Standing::Stopped { .. }
            | Standing::Over { .. }
            | Standing::Closed { .. } => None,
        };
        let body = json!({
            "service": key.service, "environment": key.environment, "person": person, "promotion": promotion,
        });
        self.record("promotion", body, None).await?;
        Ok(id)
    }

    /// The one message of a promotion in each channel says this. `post`: also where it is not there yet.
    async fn say(&mut self, key: &EnvironmentKey, id: i64, body: &Message, post: bool) -> Result<(), EngineError> {
        let (store, message_key) = (&self.engine.store, promotion_key(id));
        for channel in self.engine.setup.channels(&key.service) {
            if post {
                let said = NewMessage::said(channel.as_str(), message_key.as_str(), body.clone());
                store.message_put(self.tx, &said).await?;
            }
            store.message_replace(self.tx, channel, &message_key, body).await?;
        }
        Ok(())
    }

    /// A button of a suggestion.
    pub(super) fn pressed_promotion<'f>(
        &'f mut self,
        delivery: i64,
        who: &'f Identity,
        channel: &'f str,
        stored: StoredPromotion,
        button: &'f Button<'f>,
    ) -> BoxFuture<'f, Result<(), EngineError>> {
        Box::pin(async move {
            let Some(person) = self.known_person(delivery, who, "pressed", channel, None).await? else { return Ok(()) };
            let asked = Asked { delivery, who, channel, person: &person };
            let answer = match button.verb {
                Verb::Promote => self.takes(&asked, stored).await?,
                Verb::NotNow => self.declines(&person, stored).await?,
                Verb::Approve
                | Verb::Veto
                | Verb::Cancel
                | Verb::Retry
                | Verb::Why
                | Verb::Details
                | Verb::Lock
                | Verb::Unlock
                | Verb::Rerun
                | Verb::Resume => None,
            };
            self.answer(delivery, channel, Some(&person), answer).await?;
            self.finish().await
        })
    }

    /// What a suggestion is by now: `Err` says what has become of it.
    async fn still_suggested(
        &mut self,
        stored: StoredPromotion,
    ) -> Result<Result<StoredPromotion, Message>, EngineError> {
        self.promotions(&stored.key).await?;
        let again = self.engine.store.promotion_of_message(self.tx, &promotion_key(stored.id)).await?;
        let now = again.unwrap_or(stored);
        let Some(before) = self.before(&now.key) else {
            return Ok(Err(cards::no_longer_suggested(&now.key, &now.promotion, &now.key.environment)));
        };
        Ok(match now.promotion.standing {
            Standing::Suggested => Ok(now),
            _ => Err(cards::no_longer_suggested(&now.key, &now.promotion, &before)),
        })
    }

    async fn takes(&mut self, asked: &Asked<'_>, stored: StoredPromotion) -> Result<Option<Message>, EngineError> {
        let StoredPromotion { key, promotion, .. } = match self.still_suggested(stored).await? {
            Ok(stored) => stored,
            Err(over) => return Ok(Some(over)),
        };
        let (begun, answer) = self.ask_for(asked, &key, &promotion.commit).await?;
        if let Some(release) = begun {
            let by = asked.person.id.clone();
            self.stands_now(&key, &promotion, Standing::Taken { release, by }).await?;
        }
        Ok(answer)
    }

    async fn declines(&mut self, person: &Person, stored: StoredPromotion) -> Result<Option<Message>, EngineError> {
        let StoredPromotion { key, promotion, .. } = match self.still_suggested(stored).await? {
            Ok(stored) => stored,
            Err(over) => return Ok(Some(over)),
        };
        let EnvironmentKey { service, environment } = &key;
        let asking = Asking { person, service, environment, kind: PlanKind::Deploy };
        let Rules { set: policies, changes } = self.engine.setup.rules();
        if let Decision::Deny { reasons } = policies.may_ask_despite(&asking, &changes) {
            let refused = json!({ "person": person.id, "act": "decline", "environment": key, "reasons": reasons });
            self.record("refused", refused, Some(policies.hash().to_owned())).await?;
            let again = |person: &Person, _: &_| policies.may_ask(&Asking { person, ..asking.clone() });
            return self.refused(&person.id, answers::not_allowed(&whys(&reasons)), again).await.map(Some);
        }
        self.stands_now(&key, &promotion, Standing::Declined { by: person.id.clone() }).await?;
        Ok(Some(cards::declined(&key, &promotion.commit)))
    }

    /// The button on the card of a release that is live: the same commit in the environment that comes next.
    pub(super) fn promote<'f>(
        &'f mut self,
        asked: &'f Asked<'f>,
        release: &'f Release,
    ) -> BoxFuture<'f, Result<Option<Message>, EngineError>> {
        Box::pin(async move {
            let next = self.engine.setup.next_environment(&release.request.key).cloned();
            let (Some(environment), Some(commit), Some(Outcome::Live)) = (next, &release.commit, &release.outcome)
            else {
                return Ok(Some(cards::goes_nowhere(release)));
            };
            let key = EnvironmentKey { environment, ..release.request.key.clone() };
            let (_, answer) = self.ask_for(asked, &key, commit).await?;
            self.promotions(&key).await?;
            Ok(answer)
        })
    }

    /// Asks for exactly this commit in the name of a person, unless that was done and has not ended. Gives the release, if
    /// one was begun, and what the person is answered.
    async fn ask_for(
        &mut self,
        asked: &Asked<'_>,
        key: &EnvironmentKey,
        commit: &CommitSha,
    ) -> Result<(Option<ReleaseId>, Option<Message>), EngineError> {
        let newest = self.engine.store.releases_newest(self.tx, key, ASKED_LOOK_BACK_LIMIT).await?;
        if let Some(known) = asked_for(commit, &newest).filter(|known| !known.phase.is_end()) {
            return Ok((None, Some(cards::asked_for_already(known, commit))));
        }
        let request = self.request(asked, key.clone(), RequestKind::Deploy, None);
        let answer = self.begin(asked, Request { reference: Some(commit.to_string()), ..request }).await?;
        let begun = self.engine.store.releases_newest(self.tx, key, 1).await?.pop().map(|release| release.id);
        Ok((begun.filter(|id| newest.iter().all(|known| known.id != *id)), answer))
    }
}
