//! `/release link`: an account in another chat becomes one person's, when both have said so.

use super::apply::Work;
use super::asked::Asked;
use super::{EngineError, Incoming};
use crate::store::NewMessage;
use serde_json::json;
use slipway_core::command::{self, Command, LinkAct};
use slipway_core::ids::PersonId;
use slipway_core::link::{CODE_CHANCE_BYTES, Claim, Code, Link, Pending, Refusal, TRIES_LIMIT, TRIES_WINDOW_S};
use slipway_core::message::Message;
use slipway_core::message::cards::{answers, link};
use slipway_core::person::{Identity, Platform};

/// What the inbox keeps of a line with a code.
const WITHOUT_CODE: &str = "/release link …";

impl Work<'_> {
    /// A line typed by an account that belongs to nobody. All that it can do is to become somebody's.
    pub(super) async fn typed_by_nobody(
        &mut self,
        delivery: i64,
        who: &Identity,
        channel: &str,
        text: &str,
    ) -> Result<(), EngineError> {
        let answer = match command::parse(text, &self.engine.setup.words()) {
            Ok(Command::Link { act: LinkAct::Claim(code) }) => {
                self.forget_code(delivery, who, channel).await?;
                self.claim(delivery, who, channel, &code).await?
            }
            _ => {
                self.stranger(who, "typed", channel, None).await?;
                answers::unknown_person(who)
            }
        };
        self.answer_identity(delivery, channel, who, answer).await
    }

    /// What somebody who is known does about their accounts.
    pub(super) async fn link(&mut self, asked: &Asked<'_>, act: &LinkAct) -> Result<Message, EngineError> {
        match act {
            LinkAct::Begin => self.begin_link(asked).await,
            // Whether the code is right is not even looked at.
            LinkAct::Claim(_) => {
                self.forget_code(asked.delivery, asked.who, asked.channel).await?;
                self.not_linked(asked.who, Some(&asked.person.id), &Refusal::Taken).await
            }
            LinkAct::Confirm => self.confirm_link(asked).await,
            LinkAct::Refuse => self.refuse_link(asked).await,
            LinkAct::Remove(platform) => self.remove_link(asked, *platform).await,
        }
    }

    async fn begin_link(&mut self, asked: &Asked<'_>) -> Result<Message, EngineError> {
        let mut chance = [0; CODE_CHANCE_BYTES];
        getrandom::fill(&mut chance)?;
        let code = Code::new(chance);
        let (person, channel) = (asked.person.id.clone(), asked.channel.to_owned());
        let pending = Pending::new(person, channel, code.hash(), self.engine.clock.now());
        self.engine.store.link_code_put(self.tx, &pending).await?;
        let body = json!({ "person": pending.person, "from": asked.who, "until": pending.until });
        self.record("link_requested", body, None).await?;
        Ok(link::code(&code, asked.person))
    }

    /// An account that belongs to nobody has typed a code.
    async fn claim(
        &mut self,
        delivery: i64,
        who: &Identity,
        channel: &str,
        code: &Code,
    ) -> Result<Message, EngineError> {
        let (store, now) = (&self.engine.store, self.engine.clock.now());
        let since_ms = now.as_millisecond() - TRIES_WINDOW_S * 1_000;
        if store.link_tries_since(self.tx, who, since_ms).await? >= TRIES_LIMIT {
            // Each of the wrong ones is in the log; that somebody goes on is there once an hour.
            self.stranger(who, "guessed", channel, None).await?;
            return Ok(link::not_done(&Refusal::TooManyTries));
        }
        let found = store.link_code_find(self.tx, &code.hash()).await?;
        let people = self.company().await?.people;
        let claim = Claim { by: who.clone(), channel: channel.to_owned() };
        let claimed = found.ok_or(Refusal::NotValid).and_then(|pending| pending.claimed(claim, &people, now));
        match claimed {
            Ok(pending) => {
                store.link_code_put(self.tx, &pending).await?;
                let body = json!({ "person": pending.person, "who": who, "until": pending.until });
                self.record("link_claimed", body, None).await?;
                let answer = link::claimed(&pending.person);
                self.tell_of_link(delivery, &pending.channel, pending.person, link::to_confirm(who)).await?;
                Ok(answer)
            }
            Err(refusal) => {
                store.link_try_put(self.tx, who, now.as_millisecond()).await?;
                self.not_linked(who, None, &refusal).await
            }
        }
    }

    async fn confirm_link(&mut self, asked: &Asked<'_>) -> Result<Message, EngineError> {
        let Asked { delivery, who, person, .. } = *asked;
        let (store, now) = (&self.engine.store, self.engine.clock.now());
        let pending = store.link_code_of(self.tx, &person.id).await?;
        let people = self.company().await?.people;
        let confirmed = match &pending {
            Some(pending) => pending.confirmed(who, &people, now),
            None => Err(Refusal::NothingToConfirm),
        };
        let linked = match confirmed {
            Ok(linked) => linked,
            Err(refusal) => return self.not_linked(who, Some(&person.id), &refusal).await,
        };
        self.make_room(who, &linked).await?;
        store.link_put(self.tx, &linked).await?;
        store.link_code_forget(self.tx, &person.id).await?;
        self.record("linked", json!(linked), None).await?;
        if let Some(claim) = pending.and_then(|pending| pending.claim) {
            self.tell_account(delivery, &claim, link::linked_here(person)).await?;
        }
        Ok(link::linked(&linked.identity))
    }

    /// Takes away what an account was linked to before and is no more, because that person has left.
    async fn make_room(&mut self, who: &Identity, linked: &Link) -> Result<(), EngineError> {
        let store = &self.engine.store;
        let links = store.links_within(self.tx).await?;
        for old in links.iter().filter(|old| old.identity == linked.identity) {
            store.link_remove(self.tx, &old.person, old.identity.platform()).await?;
            let body = json!({ "link": old, "by": who, "why": "it was nobody's any more" });
            self.record("unlinked", body, None).await?;
        }
        Ok(())
    }

    async fn refuse_link(&mut self, asked: &Asked<'_>) -> Result<Message, EngineError> {
        let Asked { delivery, who, person, .. } = *asked;
        let store = &self.engine.store;
        let pending = store.link_code_of(self.tx, &person.id).await?;
        let waiting = pending.as_ref().and_then(|pending| pending.waiting(self.engine.clock.now()).ok());
        let Some(claim) = waiting else {
            return self.not_linked(who, Some(&person.id), &Refusal::NothingToConfirm).await;
        };
        store.link_code_forget(self.tx, &person.id).await?;
        let why = "refused by the person who asked for the code";
        let body = json!({ "who": claim.by, "person": person.id, "by": who, "why": why });
        self.record("link_refused", body, None).await?;
        self.tell_account(delivery, claim, link::refused_here()).await?;
        Ok(link::refused(&claim.by))
    }

    async fn remove_link(&mut self, asked: &Asked<'_>, platform: Platform) -> Result<Message, EngineError> {
        let Asked { who, person, .. } = *asked;
        let Some(removed) = self.engine.store.link_remove(self.tx, &person.id, platform).await? else {
            return Ok(link::not_linked(platform, person.on(platform)));
        };
        self.record("unlinked", json!({ "link": removed, "by": who }), None).await?;
        Ok(link::removed(&removed.identity))
    }

    /// Writes down why nothing was linked, and says it.
    async fn not_linked(
        &mut self,
        who: &Identity,
        person: Option<&PersonId>,
        refusal: &Refusal,
    ) -> Result<Message, EngineError> {
        let body = json!({ "who": who, "person": person, "why": refusal.to_string() });
        self.record("link_refused", body, None).await?;
        Ok(link::not_done(refusal))
    }

    /// Takes the code out of the delivery: the inbox keeps what it has handled for a while.
    async fn forget_code(&mut self, delivery: i64, who: &Identity, channel: &str) -> Result<(), EngineError> {
        let (who, channel, text) = (who.clone(), channel.to_owned(), WITHOUT_CODE.to_owned());
        let without = Incoming::Typed { who, channel, text };
        Ok(self.engine.store.inbox_rewrite(self.tx, delivery, &without).await?)
    }

    async fn tell_account(&mut self, delivery: i64, claim: &Claim, body: Message) -> Result<(), EngineError> {
        self.tell_of_link(delivery, &claim.channel, PersonId::new(claim.by.id()), body).await
    }

    /// Tells the other side.
    async fn tell_of_link(
        &mut self,
        delivery: i64,
        channel: &str,
        only_for: PersonId,
        body: Message,
    ) -> Result<(), EngineError> {
        let message = NewMessage::said(channel, format!("link/{delivery}"), body).only_for(only_for);
        Ok(self.engine.store.message_put(self.tx, &message).await?)
    }
}
