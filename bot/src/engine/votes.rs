//! Votes, by command, button or reaction: all the same.

use super::EngineError;
use super::apply::Work;
use super::asked::Asked;
use crate::chat::direct;
use crate::config::Reactions;
use crate::store::{CARD_KEY_PREFIX, NewMessage, SeenReaction};
use serde_json::json;
use slipway_core::ids::{EnvironmentKey, IntentId, ReleaseId};
use slipway_core::intent::MESSAGE_KEY_PREFIX;
use slipway_core::message::cards::answers;
use slipway_core::message::{Message, Verb};
use slipway_core::person::{Identity, Person};
use slipway_core::plan::PlanDigest;
use slipway_core::policy::{Case, Clears, Decision, Reason, Slot, Stance, Vote};
use slipway_core::release::{Event, Illegal, Release};

/// A pressed button.
pub(super) struct Button<'a> {
    /// The message that carries it.
    pub(super) message: &'a str,
    /// What it does.
    pub(super) verb: Verb,
    /// What the message asked about that it was beside, as the release's `asked_about`, where that is known.
    pub(super) plan: Option<&'a str>,
}

/// How a reaction came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It happens now; the chat has no time of its own.
    Now,
    /// The chat says when it was.
    Timed,
    /// It was found when the message was looked at.
    Found,
}

/// Why somebody has to look again.
const PLAN_JUST_CHANGED: &str = "the plan has just changed. Look again, then vote";
/// Why somebody has to look again at the same plan.
const MARK_WAS_TAKEN_AWAY: &str = "a mark of known bad was taken away since. Look again, then vote";
/// Why a vote on one of a group is none while its message is about another.
const NOT_ITS_TURN: &str =
    "the message of all of them is about another one now. Vote there, or when it is about this one";
/// Why a vote under an earlier message is none.
const GOES_ON: &str = "this message goes on in a newer one. Vote there";
/// How much of a digest a button carries at least: not every chat has room for all of it.
const DIGEST_LEAST_CHARS: usize = 32;
/// How long a reaction may be under way where the chat does not say when it was made.
const COMES_WITHIN_MS: i64 = 3_000;
/// How far the chat's clock may be behind ours.
const CLOCKS_DIFFER_MS: i64 = 1_000;
/// An approval of a reaction that is told later than this is none: it may be gone since. What is there still is found
/// when the message is looked at.
const TOLD_LATE_US: i64 = 60_000_000;

impl Work<'_> {
    /// A button of a release's message.
    pub(super) async fn pressed(
        &mut self,
        delivery: i64,
        who: &Identity,
        channel: &str,
        button: &Button<'_>,
    ) -> Result<(), EngineError> {
        let Button { message, verb, .. } = *button;
        if let Some(key) = self.engine.setup.environment_of_button(message) {
            return self.pressed_environment(delivery, who, channel, key, verb).await;
        }
        if let Some(intent) = message.strip_prefix(MESSAGE_KEY_PREFIX) {
            return Box::pin(self.pressed_intent(delivery, who, channel, &IntentId::new(intent), verb)).await;
        }
        if let Some(stored) = self.engine.store.promotion_of_message(self.tx, message).await? {
            return self.pressed_promotion(delivery, who, channel, stored, button).await;
        }
        let Some(id) = self.release_of_button(channel, message).await? else { return Ok(()) };
        let Some((person, release)) = self.person_and_release(delivery, who, "pressed", channel, &id).await? else {
            return Ok(());
        };
        let release = self.shown_on_card(release).await?;
        let asked = Asked { delivery, who, channel, person: &person };
        if matches!(verb, Verb::Approve | Verb::Veto) && is_about_another_plan(button, &release) {
            let illegal = Illegal { phase: release.phase.name(), event: "voted", why: Some(why_again(&release)) };
            let answer = self.vote_too_late(&person, &release, &illegal).await?;
            return self.answer(delivery, channel, Some(&person), answer).await;
        }
        let answer = match verb {
            Verb::Approve => self.vote(&person, &release, Stance::Approve, channel).await?,
            Verb::Veto => self.vote(&person, &release, Stance::Veto, channel).await?,
            Verb::Cancel => self.cancel(&person, &release).await?,
            Verb::Retry => self.retry(&asked, &release, false).await?,
            Verb::Rerun => self.retry(&asked, &release, true).await?,
            Verb::Why => Some(self.why_release(&release).await?),
            Verb::Details => Some(self.details(&release).await?),
            Verb::Lock => Some(answers::lock_needs_a_reason(&release.request.key)),
            Verb::Unlock => self.unlock(&asked, release.request.key.clone()).await?,
            Verb::Promote => self.promote(&asked, &release).await?,
            Verb::NotNow => None,
            Verb::Resume => Some(self.resume_at(&person, &release.request.key).await?),
        };
        self.answer(delivery, channel, Some(&person), answer).await?;
        self.finish().await
    }

    /// A button beside an environment.
    async fn pressed_environment(
        &mut self,
        delivery: i64,
        who: &Identity,
        channel: &str,
        key: EnvironmentKey,
        verb: Verb,
    ) -> Result<(), EngineError> {
        let Some(person) = self.known_person(delivery, who, "pressed", channel, None).await? else { return Ok(()) };
        let answer = match verb {
            Verb::Unlock => self.unlock(&Asked { delivery, who, channel, person: &person }, key).await?,
            Verb::Lock => Some(answers::lock_needs_a_reason(&key)),
            Verb::Resume => Some(self.resume_at(&person, &key).await?),
            Verb::Approve
            | Verb::Veto
            | Verb::Cancel
            | Verb::Retry
            | Verb::Why
            | Verb::Details
            | Verb::Rerun
            | Verb::Promote
            | Verb::NotNow => None,
        };
        self.answer(delivery, channel, Some(&person), answer).await?;
        self.finish().await
    }

    /// A reaction that stands for a vote. Taking it away withdraws the vote. News that comes late or twice changes nothing.
    pub(super) async fn reacted(
        &mut self,
        delivery: i64,
        reaction: &SeenReaction<'_>,
        told: Told,
    ) -> Result<(), EngineError> {
        let SeenReaction { channel, message, who, stance, added, .. } = *reaction;
        let store = &self.engine.store;
        let Some(id) = store.message_release(self.tx, channel, message).await? else { return Ok(()) };
        if told != Told::Now && !self.is_news(reaction, told, &id).await? {
            return Ok(());
        }
        let Some((person, release)) = self.person_and_release(delivery, who, "reacted", channel, &id).await? else {
            return Ok(());
        };
        self.about = Some(id.clone());
        let release = self.shown_on_card(release).await?;
        let means = self.engine.setup.environment(&release.request.key).map(|environment| environment.reactions);
        // Nobody knows which plan the card showed when somebody reacted who was only found to have done so.
        let may_be_old = release.voided.is_some() || release.follows().is_some();
        let unsure = told == Told::Found && stance == Stance::Approve && may_be_old;
        let answer = match (means.unwrap_or_default(), added) {
            (Reactions::Ignore, _) => None,
            (Reactions::Confirm, true) => {
                return self.ask_to_confirm(delivery, channel, &person, &release, stance).await;
            }
            (Reactions::Vote, true) if unsure => {
                return self.ask_to_confirm(delivery, channel, &person, &release, stance).await;
            }
            (Reactions::Vote, true) if told == Told::Timed && self.is_before_its_plan(reaction, &release).await? => {
                let illegal = Illegal { phase: release.phase.name(), event: "voted", why: Some(why_again(&release)) };
                self.vote_too_late(&person, &release, &illegal).await?
            }
            (Reactions::Vote, true) if stance == Stance::Approve && self.is_earlier(reaction).await? => {
                let illegal = Illegal { phase: release.phase.name(), event: "voted", why: Some(GOES_ON) };
                self.vote_too_late(&person, &release, &illegal).await?
            }
            (Reactions::Vote, true) if stance == Stance::Approve && self.stands(&person, &id, Stance::Veto).await? => {
                Some(answers::veto_stands(&release))
            }
            (Reactions::Vote, true) => self.vote(&person, &release, stance, channel).await?,
            // Taking away ❌ does not take back an approval.
            (Reactions::Vote | Reactions::Confirm, false) => {
                // A veto from two chats stands while one of them is there; an approval is taken back by either.
                let withdrawn = stance == Stance::Approve || !self.stands(&person, &id, stance).await?;
                if withdrawn { self.take_back(&person, &release, Some(stance)).await? } else { None }
            }
        };
        self.answer(delivery, channel, Some(&person), answer).await?;
        self.finish().await
    }

    /// Whether something may follow from a reaction of which the chat says when it was.
    async fn is_news(
        &mut self,
        reaction: &SeenReaction<'_>,
        told: Told,
        release: &ReleaseId,
    ) -> Result<bool, EngineError> {
        let store = &self.engine.store;
        let approves = reaction.stance == Stance::Approve && reaction.added;
        if approves && told == Told::Timed {
            let now_us = self.engine.clock.now().as_microsecond();
            // Not even noted: looked at, the message says what is there.
            if now_us - reaction.at_us > TOLD_LATE_US {
                return Ok(false);
            }
        }
        if !store.reaction_seen(self.tx, reaction).await? {
            return Ok(false);
        }
        // Under what runs or is over, ✅ is applause.
        let Some(stored) = store.release_get(self.tx, release).await? else { return Ok(!approves) };
        Ok(!approves || self.shown_on_card(stored.release).await?.may_be_voted_on())
    }

    /// Whether somebody approved before the card showed the plan that it shows. Where the chat does not say when that was,
    /// it may have been a while before it came: that matters when the card has shown another plan, or another of its group.
    async fn is_before_its_plan(
        &mut self,
        reaction: &SeenReaction<'_>,
        release: &Release,
    ) -> Result<bool, EngineError> {
        let shown = self.engine.store.message_shown_plan(self.tx, reaction.channel, card_of(release)).await?;
        let is_dated = direct::dates_reactions(reaction.channel);
        let was_another = release.voided.is_some() || release.follows().is_some();
        let after_ms = if is_dated || !was_another { -CLOCKS_DIFFER_MS } else { COMES_WITHIN_MS };
        let before = shown.is_some_and(|shown| reaction.at_us / 1_000 < shown.since_ms + after_ms);
        Ok(reaction.stance == Stance::Approve && before)
    }

    /// Whether a reaction of somebody, from whichever of their accounts, is under a card of a release. An approval that comes
    /// later, or late, does not undo a ❌.
    async fn stands(&mut self, person: &Person, release: &ReleaseId, stance: Stance) -> Result<bool, EngineError> {
        for account in &person.identities {
            if self.engine.store.reaction_stands(self.tx, release, account, stance).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a message goes on in another one: what it shows may be old.
    async fn is_earlier(&mut self, reaction: &SeenReaction<'_>) -> Result<bool, EngineError> {
        Ok(self.engine.store.message_is_earlier(self.tx, reaction.channel, reaction.message).await?)
    }

    /// Where a reaction alone is no vote, it opens a button that is one.
    async fn ask_to_confirm(
        &mut self,
        delivery: i64,
        channel: &str,
        person: &Person,
        release: &Release,
        stance: Stance,
    ) -> Result<(), EngineError> {
        let body = answers::confirm_vote(release, stance);
        // What was asked about is in the key, so that the button is no vote on another plan; and the release, because it may
        // be pressed in a conversation with one person.
        let digest = release.asked_about();
        let digest: String = digest.as_ref().map_or("", PlanDigest::as_str).chars().take(DIGEST_LEAST_CHARS).collect();
        let asked = NewMessage::said(channel, format!("{CONFIRM_KEY_PREFIX}{}/{digest}/{delivery}", release.id), body);
        let asked = asked.about(card_of(release));
        let asked = asked.only_for(person.id.clone());
        Ok(self.engine.store.message_put_for(self.tx, &asked, Some(delivery)).await?)
    }

    /// The release that a button is about: the message's that carries it or, where only one person sees it, the named one's.
    async fn release_of_button(&mut self, channel: &str, message: &str) -> Result<Option<ReleaseId>, EngineError> {
        let store = &self.engine.store;
        if let Some(id) = store.message_about(self.tx, channel, message).await? {
            return Ok(Some(id));
        }
        let named = message.strip_prefix(CARD_KEY_PREFIX).or_else(|| asked_about(message).map(|(release, _)| release));
        Ok(named.map(ReleaseId::new))
    }

    /// Whoever is not known is told so.
    pub(super) async fn known_person(
        &mut self,
        delivery: i64,
        who: &Identity,
        did: &str,
        channel: &str,
        about: Option<&ReleaseId>,
    ) -> Result<Option<Person>, EngineError> {
        let person = self.person(who).await?;
        if person.is_none() {
            self.stranger(who, did, channel, about).await?;
            self.answer_identity(delivery, channel, who, answers::unknown_person(who)).await?;
        }
        Ok(person)
    }

    /// Somebody who is known, with the release that they mean.
    async fn person_and_release(
        &mut self,
        delivery: i64,
        who: &Identity,
        did: &str,
        channel: &str,
        id: &ReleaseId,
    ) -> Result<Option<(Person, Release)>, EngineError> {
        let Some(person) = self.known_person(delivery, who, did, channel, Some(id)).await? else { return Ok(None) };
        let stored = self.engine.store.release_get(self.tx, id).await?;
        Ok(stored.map(|stored| (person, stored.release)))
    }

    /// Asks policy whether this vote counts, and counts it. The answer is for the voter alone; a vote that counts
    /// shows on the card and needs none.
    pub(super) async fn vote(
        &mut self,
        person: &Person,
        release: &Release,
        stance: Stance,
        channel: &str,
    ) -> Result<Option<Message>, EngineError> {
        self.about = Some(card_of(release).clone());
        let setup = self.engine.setup.clone();
        let standing = self.standing(release).await?;
        let Some(case) = setup.case(release, &standing, self.engine.clock.now()) else {
            let illegal = Illegal { phase: release.phase.name(), event: "voted", why: Some("there is no plan yet") };
            return self.vote_too_late(person, release, &illegal).await;
        };
        if !release.is_waiting() {
            let illegal = Illegal { phase: release.phase.name(), event: "voted", why: None };
            return self.vote_too_late(person, release, &illegal).await;
        }
        let policies = setup.policies();
        let decision = policies.may_vote(person, stance, &case);
        if let Decision::Deny { reasons } = decision
            && !self.may_vote_for_a_follower(person, stance, release).await?
        {
            let refused = json!({
                "release": release.id, "service": release.request.key.service,
                "environment": release.request.key.environment,
                "person": person.id, "stance": stance, "plan": case.plan.digest(), "reasons": reasons,
                "standing": self.recorded_standing(release, Some(&person.id)).await?,
            });
            self.record("vote_refused", refused, Some(policies.hash().to_owned())).await?;
            let why: Vec<_> = reasons.iter().map(|reason| reason.why.trim_end_matches('.')).collect();
            let missing = missing_slots(policies.may_execute(&case).reasons());
            let refusal = answers::vote_does_not_count(release, &why.join("; "), &missing);
            let again =
                |person: &Person, people: &_| policies.may_vote(person, stance, &Case { people, ..case.clone() });
            return self.refused(&person.id, refusal, again).await.map(Some);
        }
        if stance == Stance::Approve && !self.plan_is_shown(release, channel).await? {
            let why = match self.is_its_turn(release).await? {
                true if was_unmarked(release) => MARK_WAS_TAKEN_AWAY,
                true => "the plan has just changed, and this channel did not show it yet. Look again, then vote",
                false => NOT_ITS_TURN,
            };
            let illegal = Illegal { phase: release.phase.name(), event: "voted", why: Some(why) };
            return self.vote_too_late(person, release, &illegal).await;
        }
        let vote = Vote { person: person.id.clone(), stance, digest: case.plan.digest(), at: self.engine.clock.now() };
        match self.apply(&release.id, Event::Voted { vote }).await? {
            Ok(_) => {
                if stance == Stance::Approve {
                    self.objects_no_more(person, release).await?;
                }
                Ok(None)
            }
            Err(illegal) => self.vote_too_late(person, release, &illegal).await,
        }
    }

    pub(super) async fn vote_too_late(
        &mut self,
        person: &Person,
        release: &Release,
        illegal: &Illegal,
    ) -> Result<Option<Message>, EngineError> {
        self.about = Some(card_of(release).clone());
        self.too_late(&person.id, release, illegal).await?;
        Ok(Some(answers::vote_came_late(release, illegal)))
    }

    /// Whether somebody in this channel can have seen the plan: the card shows this one and no earlier one, nor that of
    /// another of its group. Where there is no card they have named the release from somewhere else.
    pub(super) async fn plan_is_shown(&mut self, release: &Release, channel: &str) -> Result<bool, EngineError> {
        let shown = self.engine.store.message_shown_plan(self.tx, channel, card_of(release)).await?;
        let plan = release.asked_about();
        Ok(shown.is_none_or(|shown| plan.is_some_and(|plan| shown.digest == plan.as_str())))
    }
}

/// The release that has the card on which one is shown: of a group, the lead.
pub(super) fn card_of(release: &Release) -> &ReleaseId {
    release.follows().unwrap_or(&release.id)
}

/// What the keys of questions begin with; the release that is asked about comes next, and how the digest of its plan begins.
const CONFIRM_KEY_PREFIX: &str = "confirm/";

/// The release that a question is about, and how the digest of its plan begins.
fn asked_about(key: &str) -> Option<(&str, &str)> {
    let mut parts = key.strip_prefix(CONFIRM_KEY_PREFIX)?.split('/');
    Some((parts.next()?, parts.next()?))
}

/// Whether a button is about a plan that is no longer the release's: an old card's, or one of a question about it. A veto
/// is against the release, whatever its plan, unless it answers a question.
fn is_about_another_plan(button: &Button<'_>, release: &Release) -> bool {
    let question = asked_about(button.message).map(|(_, digest)| digest);
    let beside = button.plan.filter(|_| button.verb == Verb::Approve);
    let is_this =
        |digest: &PlanDigest, asked: &str| asked.len() >= DIGEST_LEAST_CHARS && digest.as_str().starts_with(asked);
    question.or(beside).is_some_and(|asked| release.asked_about().is_none_or(|digest| !is_this(&digest, asked)))
}

/// Whether it is asked about again with the plan that it had.
fn was_unmarked(release: &Release) -> bool {
    let voided = release.voided.as_ref();
    voided.is_some_and(|voided| voided.at.is_some() && Some(&voided.digest) == release.digest().as_ref())
}

/// Why a vote on what was shown before is none.
fn why_again(release: &Release) -> &'static str {
    if was_unmarked(release) { MARK_WAS_TAKEN_AWAY } else { PLAN_JUST_CHANGED }
}

/// The approvals that are missing, over all reasons.
fn missing_slots(reasons: &[Reason]) -> Vec<Slot> {
    let missing = reasons.iter().filter_map(|reason| match &reason.clears {
        Clears::Votes { missing } => Some(missing.clone()),
        _ => None,
    });
    missing.flatten().collect()
}
