//! What could go on from one environment to the next, as one transaction sees it. The timekeeper asks in one that only
//! reads; the engine asks again in the one in which it acts.

use super::why::{Inquiry, brought_on};
use crate::standing::{Company, Standing};
use crate::store::{StoreError, StoredPromotion};
use slipway_core::environment::Environment;
use slipway_core::ids::{CommitSha, EnvironmentKey, PersonId};
use slipway_core::person::{Directory, Person};
use slipway_core::plan::{Plan, PlanKind};
use slipway_core::policy::{Asking, Decision, NO_PERMIT, Reason};
use slipway_core::promotion::{
    Act, Candidate, Known, Lineage, Outlook, Promotion, Seen, Standing as PromotionStanding, Way, asked_for, decide,
};
use slipway_core::release::{KnownBad, Release};
use slipway_core::together::Alongside;

/// How many promotions of one environment are looked at. More than one or two are open only after changes by hand.
const PROMOTIONS_LIMIT: u32 = 20;
/// How many releases are looked through for one that was asked for, and for what was brought before.
const RELEASES_LIMIT: u32 = 20;

/// A promotion with what has come of it.
#[derive(Debug)]
struct Followed {
    stored: StoredPromotion,
    mark: Option<KnownBad>,
    asked: Option<Release>,
    begun: Option<Release>,
}

/// What the environment before runs, as if somebody had asked for it.
#[derive(Debug)]
pub(super) struct Hopeful {
    mark: Option<KnownBad>,
    asked: Option<Release>,
    pub(super) lineage: Lineage,
    by_itself: Outlook,
    by_somebody: Outlook,
    way: Way,
    /// What would ship.
    pub(super) plan: Plan,
    /// What the gate misses.
    pub(super) reasons: Vec<Reason>,
    /// For how many seconds its image has served there.
    pub(super) soaked_s: i64,
}

/// What could go on to one environment.
#[derive(Debug)]
pub(crate) struct Prospect {
    pub(super) before: Environment,
    pub(super) here: Environment,
    followed: Vec<Followed>,
    pub(super) hopeful: Option<Hopeful>,
    suggests: bool,
    automatic: bool,
}

impl Prospect {
    /// What is to be done next.
    pub(crate) fn decide(&self) -> Option<Act> {
        let known: Vec<_> = self.followed.iter().map(Followed::known).collect();
        decide(&Seen {
            before: &self.before,
            here: &self.here,
            known: &known,
            candidate: self.hopeful.as_ref().map(Hopeful::candidate),
            suggests: self.suggests,
            automatic: self.automatic,
        })
    }

    /// The promotion of a commit.
    pub(super) fn of(&self, commit: &CommitSha) -> Option<&StoredPromotion> {
        let found = self.followed.iter().find(|followed| followed.stored.promotion.commit == *commit);
        found.map(|followed| &followed.stored)
    }
}

impl Followed {
    fn known(&self) -> Known<'_> {
        Known {
            promotion: &self.stored.promotion,
            mark: self.mark.as_ref(),
            asked: self.asked.as_ref(),
            begun: self.begun.as_ref(),
        }
    }
}

impl Hopeful {
    fn candidate(&self) -> Candidate<'_> {
        Candidate {
            mark: self.mark.as_ref(),
            asked: self.asked.as_ref(),
            lineage: self.lineage,
            by_itself: self.by_itself,
            by_somebody: self.by_somebody,
            way: &self.way,
        }
    }

    /// How it stands for people who ask: nothing where it is on its way, or is not to go on.
    fn outlook(&self) -> Outlook {
        let open = self.mark.is_none() && self.asked.is_none() && self.lineage != Lineage::Older;
        if open { self.by_somebody } else { Outlook::Closed }
    }
}

impl Inquiry<'_> {
    /// What could go on to an environment; `None` where none comes before it.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn prospect(&mut self, key: &EnvironmentKey) -> Result<Option<Prospect>, StoreError> {
        let (Some(before_key), Some(setup)) = (self.setup.environment_before(key), self.setup.environment(key)) else {
            return Ok(None);
        };
        let (suggests, automatic) = (setup.suggest, setup.auto_promote);
        let before = self.store.environment_get(self.tx, &before_key).await?;
        let here = self.store.environment_get(self.tx, key).await?;
        let commit = before.live.as_ref().map(|live| live.commit.clone());
        let stored = self.store.promotions_of(self.tx, key, commit.as_ref(), PROMOTIONS_LIMIT).await?;
        let mut followed = Vec::with_capacity(stored.len());
        for stored in stored {
            followed.push(self.follow(stored).await?);
        }
        let is_done = |followed: &Followed| {
            let Promotion { commit: of, standing, .. } = &followed.stored.promotion;
            Some(of) == commit.as_ref() && standing.is_settled()
        };
        // What is expensive is asked only where something could follow from it.
        let wanted = (suggests || automatic) && !followed.iter().any(is_done);
        let hopeful = if wanted { self.hopeful(key, &before, &here).await? } else { None };
        Ok(Some(Prospect { before, here, followed, hopeful, suggests, automatic }))
    }

    /// How what an environment runs stands for each that comes after it.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn outlook_of(&mut self, key: &EnvironmentKey) -> Result<Option<Outlook>, StoreError> {
        let Some(before_key) = self.setup.environment_before(key) else { return Ok(None) };
        let before = self.store.environment_get(self.tx, &before_key).await?;
        let here = self.store.environment_get(self.tx, key).await?;
        Ok(self.hopeful(key, &before, &here).await?.map(|hopeful| hopeful.outlook()))
    }

    async fn follow(&mut self, stored: StoredPromotion) -> Result<Followed, StoreError> {
        let mut followed = Followed { stored, mark: None, asked: None, begun: None };
        let StoredPromotion { key, promotion, .. } = &followed.stored;
        match &promotion.standing {
            PromotionStanding::Begun { release } => {
                followed.begun = self.store.release_get(self.tx, release).await?.map(|stored| stored.release);
            }
            PromotionStanding::Suggested | PromotionStanding::Held { .. } | PromotionStanding::Closed { .. } => {
                let newest = self.store.releases_newest(self.tx, key, RELEASES_LIMIT).await?;
                let asked = asked_for(&promotion.commit, &newest).cloned();
                followed.mark = self.mark(key, &promotion.commit).await?;
                followed.asked = asked;
            }
            PromotionStanding::Left { .. }
            | PromotionStanding::Taken { .. }
            | PromotionStanding::Declined { .. }
            | PromotionStanding::Stopped { .. }
            | PromotionStanding::Over { .. } => {}
        }
        Ok(followed)
    }

    async fn mark(&mut self, key: &EnvironmentKey, commit: &CommitSha) -> Result<Option<KnownBad>, StoreError> {
        let marked = self.store.known_bad_get(self.tx, &key.service, commit).await?;
        Ok(marked.and_then(|release| release.known_bad))
    }

    /// The gate is asked about what the environment before runs: exactly this commit and image.
    async fn hopeful(
        &mut self,
        key: &EnvironmentKey,
        before: &Environment,
        here: &Environment,
    ) -> Result<Option<Hopeful>, StoreError> {
        let store = self.store;
        let Some(live) = before.live.as_ref() else { return Ok(None) };
        if here.live.as_ref().is_some_and(|here| here.commit == live.commit) {
            return Ok(None);
        }
        let Some(stored) = store.release_get(self.tx, &live.release).await? else { return Ok(None) };
        let succeeded = store.releases_succeeded(self.tx, &before.key, RELEASES_LIMIT).await?;
        let running = match &here.live {
            Some(live) => store.release_get(self.tx, &live.release).await?.map(|stored| stored.release),
            None => None,
        };
        let lineage = Lineage::of(before, here, &succeeded, running.as_ref());
        let newest = store.releases_newest(self.tx, key, RELEASES_LIMIT).await?;
        let asked = asked_for(&live.commit, &newest).cloned();
        let mark = self.mark(key, &live.commit).await?;
        let Some(like) = brought_on(stored.release, key, here, &succeeded) else { return Ok(None) };
        let mut like = like.as_if_asked_now(PersonId::slipway());
        let standing = Standing::within(store, self.tx, self.setup, &like, self.now).await?;
        let company = Company::within(store, self.tx, self.setup, self.now).await?;
        let people = &company.people;
        let slipway = Some(PersonId::slipway()).filter(|slipway| self.may_ask(people, slipway, key));
        let mut asks = |who: Option<&PersonId>| {
            like.request.requester = who?.clone();
            self.verdict(&like, here, &standing, &Alongside::default())
        };
        let by_itself = asks(slipway.as_ref());
        let somebody = match &slipway {
            Some(_) => None,
            None => people.iter().map(|person| &person.id).find(|who| self.may_ask(people, who, key)),
        };
        let verdict = by_itself.clone().or_else(|| asks(somebody));
        let outlook = |verdict: Option<&_>| verdict.map_or(Outlook::Closed, Outlook::of);
        let (by_itself, by_somebody) = (outlook(by_itself.as_ref()), outlook(verdict.as_ref()));
        let way = match &verdict {
            Some(verdict) => Way::of(verdict, here.lock(self.now)),
            None if slipway.is_none() && somebody.is_none() => self.refused(&company, key),
            None => Way::Unknown,
        };
        let reasons = verdict.map_or_else(Vec::new, |verdict| verdict.reasons().to_vec());
        let soaked_s = standing.past.soak.as_ref().map_or(0, |soak| soak.seconds(self.now));
        let Some(plan) = like.plan else { return Ok(None) };
        let plan = as_is_known_here(plan, here);
        Ok(Some(Hopeful { mark, asked, lineage, by_itself, by_somebody, way, plan, reasons, soaked_s }))
    }

    fn may_ask(&self, people: &Directory, who: &PersonId, key: &EnvironmentKey) -> bool {
        people.get(who).is_some_and(|person| self.asks_for(person, key).is_allow())
    }

    fn asks_for(&self, person: &Person, key: &EnvironmentKey) -> Decision {
        let EnvironmentKey { service, environment } = key;
        let asking = Asking { person, service, environment, kind: PlanKind::Deploy };
        self.rules.set.may_ask_despite(&asking, &self.rules.changes)
    }

    /// Nobody may ask. Whoever was in a team that cannot be looked up now is not known to have left it.
    fn refused(&self, company: &Company, key: &EnvironmentKey) -> Way {
        if company.sources.iter().any(|source| !source.counts) {
            return Way::Unknown;
        }
        let forbids = |reason: &Reason| reason.id != NO_PERMIT;
        let forbidding = company.people.iter().find_map(|person| match self.asks_for(person, key) {
            Decision::Deny { reasons } if reasons.iter().any(forbids) => Some(reasons),
            Decision::Deny { .. } | Decision::Allow => None,
        });
        let forbidding: Vec<_> = forbidding.into_iter().flatten().filter(forbids).collect();
        Way::refused(&forbidding)
    }
}

/// The plan of the environment before, without what was found in that environment alone.
fn as_is_known_here(plan: Plan, here: &Environment) -> Plan {
    let base = plan.base.clone().filter(|_| here.live.is_some());
    Plan {
        base,
        base_since: here.live.as_ref().map(|live| live.since),
        rehearsal: None,
        unknown_applied: vec![],
        half_done: vec![],
        edited: vec![],
        config: vec![],
        drift: None,
        ..plan
    }
}
