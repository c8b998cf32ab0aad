//! Deployments that are to be asked for later: taken, looked at when something may be due of them, begun once, cancelled.
//! When its moment comes one passes the same door as what somebody types at that moment.

use super::EngineError;
use super::apply::Work;
use super::asked::{Asked, asking, say_not_found, whys};
use super::begun::shown_in;
use crate::chat::direct;
use crate::setup::Rules;
use crate::standing::Company;
use crate::store::{NewMessage, StoreError, intent_key};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::json;
use slipway_core::command::When;
use slipway_core::ids::{CommitSha, EnvironmentKey, IntentId, PersonId};
use slipway_core::intent::{
    Condition, Due, Held, Intent, PER_ENVIRONMENT_LIMIT, PER_PERSON_LIMIT, Seen, State, made_up_for_until, settle,
};
use slipway_core::message::cards;
use slipway_core::message::{Message, Verb};
use slipway_core::person::{Identity, Person};
use slipway_core::policy::Act;
use slipway_core::release::{Event, Release, Request, RequestKind};
use tracing::error;

/// How many of those that wait one answer looks at. No more than so many can wait for all environments of a big team.
pub(super) const WAITING_LIMIT: u32 = 500;

/// What has come of one whose moment has come.
enum Beginning {
    /// The release that asks for it.
    Begun(Box<Release>),
    /// It is not to be, for this reason.
    Refused(String),
    /// Nobody can tell yet.
    Held(Held),
}

impl Work<'_> {
    /// Takes a deployment that is to be asked for later. What policy would refuse to ask now is refused now, so that nobody
    /// waits for nothing; it is asked again then.
    pub(super) async fn defer(
        &mut self,
        asked: &Asked<'_>,
        request: Request,
        when: &When,
    ) -> Result<Option<Message>, EngineError> {
        if let Some(refusal) = self.may_not_ask(asked.person, &request).await? {
            return Ok(Some(refusal));
        }
        let (key, now) = (request.key.clone(), self.engine.clock.now());
        if *when == When::Unlocked && self.environment_now(&key).await?.lock(now).is_none() {
            let begun = self.begin(asked, request).await?;
            return Ok(Some(begun.unwrap_or_else(|| cards::begins_now(&key))));
        }
        let setup = self.engine.setup.clone();
        let zone_name = setup.timezone_of(&asked.person.id, &key);
        let zone = TimeZone::get(zone_name).unwrap_or(TimeZone::UTC);
        let expires_at = now + SignedDuration::from_secs(setup.when_expiry_s(&key.service));
        let (condition, note, expires_at) = match (when, settle(when, now, &zone)) {
            (_, Some(Err(why))) => {
                self.cannot(&asked.person.id, "defer", &key, &why.to_string()).await?;
                return Ok(Some(cards::cannot_be_deferred(why)));
            }
            (_, Some(Ok(settled))) => {
                let condition = Condition::At { at: settled.at, timezone: zone_name.to_owned() };
                (condition, settled.note, made_up_for_until(settled.at))
            }
            (When::Unlocked, None) => (Condition::Unlocked, None, expires_at),
            (_, None) => (Condition::Green, None, expires_at),
        };
        let (there, theirs) = self.engine.store.intents_count(self.tx, &key, &asked.person.id).await?;
        let full = if there >= PER_ENVIRONMENT_LIMIT {
            Some(cards::too_many_deferred(Some(&key)))
        } else {
            (theirs >= PER_PERSON_LIMIT).then(|| cards::too_many_deferred(None))
        };
        if let Some(full) = full {
            self.cannot(&asked.person.id, "defer", &key, "too many wait already").await?;
            return Ok(Some(full));
        }
        let intent = Intent {
            id: setup.new_intent_id(now),
            key,
            reference: request.reference,
            requester: request.requester,
            reason: request.reason,
            channel: request.origin.channel,
            condition,
            asked_at: now,
            expires_at,
            state: State::Waiting,
            held: None,
        };
        self.engine.store.intent_put(self.tx, &intent).await?;
        self.record_intent("deferred", &intent, &asked.person.id).await?;
        let channels = shown_in(setup.channels(&intent.key.service), &intent.channel);
        let (body, message_key) = (cards::deferred(&intent, None), intent_key(&intent.id));
        self.proclaim(channels, &message_key, None, &body).await?;
        Ok(Some(cards::deferred_answer(&intent, note, now)))
    }

    /// Something may be due of one. `green`: the commit whose CI was just found green.
    pub(super) async fn intent_due(&mut self, id: &IntentId, green: Option<CommitSha>) -> Result<(), EngineError> {
        self.look_at_intent(id, green).await?;
        self.finish().await
    }

    /// A lock has ended: those that waited for that come now, in the order in which they were asked for.
    pub(super) async fn intents_behind(&mut self, key: &EnvironmentKey) -> Result<(), EngineError> {
        for id in self.engine.store.intents_behind_lock(self.tx, key).await? {
            self.look_at_intent(&id, None).await?;
        }
        Ok(())
    }

    async fn look_at_intent(&mut self, id: &IntentId, green: Option<CommitSha>) -> Result<(), EngineError> {
        let intent = match self.engine.store.intent_get(self.tx, id).await {
            Ok(Some(intent)) => intent,
            Ok(None) => return Ok(()),
            // It stops no other, and no lock from ending.
            Err(error @ StoreError::Unreadable { .. }) => return self.intent_is_unreadable(id, &error).await,
            Err(error) => return Err(error.into()),
        };
        let environment = self.environment_now(&intent.key).await?;
        let now = self.engine.clock.now();
        let seen = Seen { locked: environment.lock(now).is_some(), green };
        match intent.due(&seen, now) {
            // Somebody has locked it again, or the teams are known by now: it waits for what it was to wait for.
            Due::Nothing if intent.held.is_some() => {
                let known = Held::by(&self.company().await?.sources, now).is_none();
                if known || intent.condition == Condition::Unlocked {
                    return self.intent_waits_on(&Intent { held: None, ..intent }, None).await;
                }
                Ok(())
            }
            Due::Nothing => Ok(()),
            Due::Expire(why) => {
                let expired = Intent { state: State::Expired { why, at: now }, ..intent };
                self.intent_ends("deferred_expired", &expired).await
            }
            Due::Begin(commit) => match self.begin_deferred(&intent, commit).await? {
                Beginning::Begun(release) => {
                    let state = State::Begun { release: release.id.clone(), at: now };
                    self.intent_ends("deferred_begun", &Intent { state, ..intent }).await?;
                    // A new release in its first phase takes this event.
                    let _ = self.apply(&release.id, Event::Requested).await?;
                    Ok(())
                }
                Beginning::Refused(why) => {
                    let refused = Intent { state: State::Refused { why, at: now }, ..intent };
                    self.intent_ends("deferred_refused", &refused).await
                }
                Beginning::Held(held) => self.intent_is_held(intent, held).await,
            },
        }
    }

    /// Those whose moment has come while it was not known who is in a team: it may be known now.
    pub(super) async fn intents_held(&mut self) -> Result<(), EngineError> {
        for intent in self.engine.store.intents_waiting(self.tx, WAITING_LIMIT).await? {
            if intent.held.is_some() {
                self.look_at_intent(&intent.id, None).await?;
            }
        }
        Ok(())
    }

    /// Its moment has come, and it waits on: said once, and again where it is for something else.
    async fn intent_is_held(&mut self, intent: Intent, held: Held) -> Result<(), EngineError> {
        let since = intent.held.as_ref().map_or(held.since, |before| before.since);
        let held = Some(Held { since, ..held });
        if intent.held == held {
            return Ok(());
        }
        // Why it is not known may be told in other words each time.
        let teams = |held: &Option<Held>| held.as_ref().map(|held| held.teams.clone());
        let kind = (teams(&intent.held) != teams(&held)).then_some("deferred_held");
        self.intent_waits_on(&Intent { held, ..intent }, kind).await
    }

    async fn intent_waits_on(&mut self, intent: &Intent, kind: Option<&str>) -> Result<(), EngineError> {
        self.engine.store.intent_save(self.tx, intent).await?;
        if let Some(kind) = kind {
            self.record_intent(kind, intent, &intent.requester).await?;
        }
        Ok(self.engine.store.intent_says(self.tx, &intent.id, &cards::deferred(intent, None)).await?)
    }

    /// What it was to deploy nobody can tell any more: that is told, and it is given up.
    async fn intent_is_unreadable(&mut self, id: &IntentId, error: &StoreError) -> Result<(), EngineError> {
        let Some((key, requester)) = self.engine.store.intent_give_up(self.tx, id).await? else { return Ok(()) };
        error!(deferred = %id, environment = %key, %error, "a deferred deployment cannot be read and is given up");
        let body = json!({
            "person": requester, "service": key.service, "environment": key.environment, "deferred": { "id": id },
            "what": error.to_string(),
        });
        self.record("deferred_unreadable", body, None).await?;
        Ok(self.engine.store.intent_says(self.tx, id, &cards::deferred_unreadable(&key, id)).await?)
    }

    /// The release that one asks for now, in the name of whoever typed it, or why it is not to be.
    async fn begin_deferred(&mut self, intent: &Intent, commit: Option<CommitSha>) -> Result<Beginning, EngineError> {
        let setup = self.engine.setup.clone();
        let (key, requester) = (&intent.key, &intent.requester);
        if setup.environment(key).is_none() {
            return Ok(Beginning::Refused(format!("{key} is no longer configured.")));
        }
        let people = self.company().await?.people;
        let Some(person) = people.get(requester) else {
            let why = format!("{requester}, who asked for it, is no longer known to Slipway.");
            return Ok(Beginning::Refused(why));
        };
        let commit = commit.map(|commit| commit.as_str().to_owned());
        let (kind, reason) = (RequestKind::Deploy, intent.reason.clone());
        let request = self.request_of(requester.clone(), &intent.channel, key.clone(), kind, reason);
        let request = Request { reference: commit.or_else(|| intent.reference.clone()), ..request };
        if let Some(held) = self.held_by_sources(person, &request).await? {
            return Ok(Beginning::Held(held));
        }
        if let Some(reasons) = self.forbidden_to_ask(person, &request).await? {
            return Ok(Beginning::Refused(whys(&reasons)));
        }
        Ok(Beginning::Begun(Box::new(self.insert_with_cards(request).await?)))
    }

    /// Whether somebody may not ask for no other reason than that nobody can tell who is in a team: nobody is refused by that
    /// who is not there to try again.
    async fn held_by_sources(&mut self, person: &Person, request: &Request) -> Result<Option<Held>, EngineError> {
        let Company { people, sources } = self.company().await?;
        let Some(held) = Held::by(&sources, self.engine.clock.now()) else { return Ok(None) };
        let Rules { set, changes } = self.engine.setup.rules();
        let may = |person: &Person| set.may_ask_despite(&asking(person, request), &changes).is_allow();
        let people = people.with_teams([(person.id.clone(), held.teams.clone())]);
        let would = !may(person) && people.get(&person.id).is_some_and(may);
        Ok(would.then_some(held))
    }

    /// Writes the end of one down, shows it, and tells whoever asked where it ended without them.
    async fn intent_ends(&mut self, kind: &str, intent: &Intent) -> Result<(), EngineError> {
        let engine = self.engine;
        // It waited a moment ago in this very transaction.
        engine.store.intent_end(self.tx, intent).await?;
        let (by, page) = match &intent.state {
            State::Cancelled { by, .. } => (by, None),
            State::Begun { release, .. } => (&intent.requester, engine.setup.release_page(release)),
            _ => (&intent.requester, None),
        };
        self.record_intent(kind, intent, by).await?;
        let body = cards::deferred(intent, page.as_deref());
        engine.store.intent_says(self.tx, &intent.id, &body).await?;
        let is_news = match &intent.state {
            State::Waiting | State::Begun { .. } => false,
            State::Cancelled { by, .. } => *by != intent.requester,
            State::Expired { .. } | State::Refused { .. } => true,
        };
        if !is_news {
            return Ok(());
        }
        let people = self.company().await?.people;
        let configured = engine.setup.channels(&intent.key.service);
        let Some(person) = people.get(&intent.requester) else { return Ok(()) };
        let Some(channel) = direct::where_to(Some(person), &intent.channel, configured) else { return Ok(()) };
        let news = NewMessage::said(channel, format!("deferred/{}", intent.id), cards::deferred_news(intent));
        Ok(engine.store.message_put(self.tx, &news.only_for(intent.requester.clone())).await?)
    }

    async fn record_intent(&mut self, kind: &str, intent: &Intent, by: &PersonId) -> Result<(), EngineError> {
        let key = &intent.key;
        let body = json!({
            "person": by, "service": key.service, "environment": key.environment, "deferred": intent,
        });
        self.record(kind, body, None).await
    }

    /// `/release cancel`: a release, or what is to become one.
    pub(super) async fn cancel_by_command(
        &mut self,
        asked: &Asked<'_>,
        prefix: Option<&str>,
    ) -> Result<Option<Message>, EngineError> {
        let store = &self.engine.store;
        if let Some(prefix) = prefix {
            let intents = store.intents_by_prefix(self.tx, prefix).await?;
            let releases = store.releases_by_prefix(self.tx, prefix).await?;
            match (&intents[..], &releases[..]) {
                ([], _) => {}
                ([intent], []) => return self.cancel_intent(asked.person, intent).await.map(Some),
                _ => {
                    let releases: Vec<_> = releases.iter().map(|release| &release.id).collect();
                    let intents: Vec<_> = intents.iter().collect();
                    return Ok(Some(cards::cancel_fits_several(prefix, &releases, &intents)));
                }
            }
        }
        match self.find_release(prefix, |_| true).await? {
            Ok(release) => self.cancel(asked.person, &release).await,
            Err(not_found) => {
                let mut answer = say_not_found(&not_found, "could be cancelled");
                let deferred = match prefix {
                    None => self.engine.store.intents_waiting(self.tx, WAITING_LIMIT).await?,
                    Some(_) => vec![],
                };
                answer.body.extend(cards::deferred_could_be_cancelled(&deferred));
                Ok(Some(answer))
            }
        }
    }

    async fn cancel_intent(&mut self, person: &Person, intent: &Intent) -> Result<Message, EngineError> {
        if !intent.waits() {
            self.cannot(&person.id, "cancel", &intent.key, "it has ended").await?;
            return Ok(cards::deferral_ended(intent));
        }
        let act = Act::Cancel { requester: &intent.requester };
        if let Some(refused) = self.may_act(person, act, &intent.key).await? {
            return Ok(refused);
        }
        let state = State::Cancelled { by: person.id.clone(), at: self.engine.clock.now() };
        let cancelled = Intent { state, ..intent.clone() };
        self.intent_ends("deferred_cancelled", &cancelled).await?;
        Ok(cards::deferral_cancelled(&cancelled))
    }

    /// The button of one's message.
    pub(super) async fn pressed_intent(
        &mut self,
        delivery: i64,
        who: &Identity,
        channel: &str,
        id: &IntentId,
        verb: Verb,
    ) -> Result<(), EngineError> {
        let Some(person) = self.known_person(delivery, who, "pressed", channel, None).await? else { return Ok(()) };
        let Some(intent) = self.engine.store.intent_get(self.tx, id).await? else { return Ok(()) };
        // It has no other button.
        let answer = if verb == Verb::Cancel { Some(self.cancel_intent(&person, &intent).await?) } else { None };
        self.answer(delivery, channel, Some(&person), answer).await?;
        self.finish().await
    }
}
