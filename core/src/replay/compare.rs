//! A recorded release before other policies.

use super::tale::{Moment, RefusedRequest, Tale, What};
use super::{Difference, Differing, Lack, Question, RecordedStanding};
use crate::gate::Course;
use crate::ids::{EnvironmentKey, PersonId};
use crate::person::{Directory, Person};
use crate::policy::{Asking, Case, Clears, Decision, MEMBERS, OWN_POLICY_CHANGE, Reason, Stance};
use crate::release::{Event, Phase, Release, Request, step};
use crate::together;
use jiff::Timestamp;

/// A verdict so soon after an event is taken for the one on it: the gate is asked in the same transaction, however slow
/// the disk. One that says the same as the verdict before is not recorded.
const JUDGED_WITHIN_S: i64 = 60;

/// What the other policies say at one moment.
enum Answer {
    Starts,
    /// It could not even be asked for.
    Denied(Vec<Reason>),
    Waits(Vec<Reason>),
}

/// Whether a release would have gone otherwise.
pub(super) fn release(question: &Question<'_>, tale: &Tale, log_ends_at: Timestamp) -> Result<Option<Differing>, Lack> {
    let request = tale.request.clone()?;
    known(question, &request.key)?;
    let mut play = Play {
        question,
        release: Release::new(tale.id.clone(), request),
        standing: tale.moments.first().and_then(|moment| moment.standing.clone()).ok_or(Lack::NotEnoughRecorded)?,
        log_ends_at,
        differences: Vec::new(),
        decided: false,
    };
    play.request();
    for (at, moment) in tale.moments.iter().enumerate() {
        play.moment(moment, tale.moments.get(at + 1))?;
    }
    let Play { release, differences, .. } = play;
    Ok((!differences.is_empty()).then_some(Differing {
        release: Some(release.id),
        key: release.request.key,
        requester: release.request.requester,
        asked_at: tale.asked_at,
        started_at: release.started_at,
        outcome: release.outcome,
        differences,
    }))
}

/// Whether a refused request would have been allowed.
pub(super) fn request(question: &Question<'_>, refused: &RefusedRequest) -> Result<Option<Differing>, Lack> {
    let request = refused.request.clone()?;
    known(question, &request.key)?;
    let people = refused.standing.as_ref().ok_or(Lack::NotEnoughRecorded)?.directory();
    let person = people.get(&request.requester).ok_or(Lack::NotEnoughRecorded)?;
    let differs = !refused.by_own_change && may_ask(question, person, &request).is_allow();
    Ok(differs.then(|| Differing {
        release: None,
        key: request.key.clone(),
        requester: request.requester.clone(),
        asked_at: refused.at,
        started_at: None,
        outcome: None,
        differences: vec![Difference::RequestAllowed],
    }))
}

fn known(question: &Question<'_>, key: &EnvironmentKey) -> Result<(), Lack> {
    if question.vocabulary.environments.contains(&key.environment) {
        return Ok(());
    }
    Err(Lack::UnknownEnvironment { key: key.clone() })
}

fn may_ask(question: &Question<'_>, person: &Person, request: &Request) -> Decision {
    let EnvironmentKey { service, environment } = &request.key;
    question.policies.may_ask(&Asking { person, service, environment, kind: request.kind.plan_kind() })
}

/// A release while it is put together again.
struct Play<'a> {
    question: &'a Question<'a>,
    release: Release,
    /// As it was recorded last.
    standing: RecordedStanding,
    /// What comes later nobody knows.
    log_ends_at: Timestamp,
    differences: Vec<Difference>,
    /// Under the other policies it has started or cannot start any more: what comes later did not happen there.
    decided: bool,
}

impl Play<'_> {
    fn request(&mut self) {
        let people = self.standing.directory();
        let request = &self.release.request;
        if let Some(person) = people.get(&request.requester)
            && let Decision::Deny { reasons } = may_ask(self.question, person, request)
        {
            self.decide(Difference::RequestRefused { reasons });
        }
    }

    fn decide(&mut self, difference: Difference) {
        self.differences.push(difference);
        self.decided = true;
    }

    fn moment(&mut self, moment: &Moment, next: Option<&Moment>) -> Result<(), Lack> {
        let event = match &moment.what {
            What::Happened(event) => event,
            What::VoteRefused { person, stance } => return self.refused_vote(moment, person, *stance),
            What::Unreadable(error) => return Err(Lack::Unreadable { error: error.clone() }),
        };
        let (after, _) =
            step(&self.release, event).map_err(|illegal| Lack::Unreadable { error: illegal.to_string() })?;
        self.release = after;
        if let Some(standing) = &moment.standing {
            self.standing = standing.clone();
        }
        if self.decided || self.release.request.dry_run {
            return Ok(());
        }
        match &**event {
            Event::Judged { verdict } => match &moment.standing {
                Some(_) if matches!(self.release.phase, Phase::Running { .. }) => self.started(verdict.at()),
                Some(_) => self.waited(verdict.at(), next),
                None => return Err(Lack::NotEnoughRecorded),
            },
            _ if self.release.is_waiting() && !is_verdict_on(next, moment.at) => self.waited(moment.at, next),
            _ => {}
        }
        Ok(())
    }

    /// It started here.
    fn started(&mut self, at: Timestamp) {
        let reasons = match self.ask(at) {
            Answer::Starts => return self.decided = true,
            Answer::Denied(reasons) | Answer::Waits(reasons) => reasons,
        };
        let then = opening(&reasons).filter(|then| *then < self.release.request.expires_at && self.starts(*then));
        self.decide(match then {
            Some(then) => Difference::StartedLater { at, then, reasons },
            None => Difference::Stopped { at, reasons },
        });
    }

    /// It did not start here: because of the policies that were in force, or of something else.
    fn waited(&mut self, at: Timestamp, next: Option<&Moment>) {
        let Some(verdict) = self.release.verdict.clone() else { return };
        let (of_host, of_policy): (Vec<_>, Vec<_>) = verdict.reasons().iter().cloned().partition(is_of_host);
        let was_denied = verdict.course() == Course::Deny;
        if !of_host.is_empty() || (of_policy.is_empty() && !was_denied) {
            return;
        }
        match self.ask(at) {
            Answer::Starts => self.decide(Difference::Started { then: at }),
            Answer::Waits(_) if was_denied => self.decide(Difference::NotDenied),
            Answer::Waits(reasons) => {
                let until = next.map_or(self.log_ends_at, |next| next.at);
                let opens = opening(&reasons).filter(|then| *then < until);
                // Where both wait for the same moment they start at the same moment.
                let then = opens.filter(|then| opening(&of_policy) != Some(*then) && self.starts(*then));
                if let Some(then) = then.filter(|then| *then < self.release.request.expires_at) {
                    self.decide(Difference::Started { then });
                }
            }
            Answer::Denied(_) => {}
        }
    }

    fn starts(&self, at: Timestamp) -> bool {
        matches!(self.ask(at), Answer::Starts)
    }

    fn ask(&self, now: Timestamp) -> Answer {
        let people = self.standing.directory();
        let request = &self.release.request;
        let allowed = people.get(&request.requester).map(|person| may_ask(self.question, person, request));
        if let Some(Decision::Deny { reasons }) = allowed {
            return Answer::Denied(reasons);
        }
        match self.case(&people, now).map(|case| self.question.policies.may_execute(&case)) {
            Some(Decision::Allow) => Answer::Starts,
            Some(Decision::Deny { reasons }) => Answer::Waits(reasons),
            // Without a plan nothing starts, whatever the policies say.
            None => Answer::Waits(vec![]),
        }
    }

    fn case<'a>(&'a self, people: &'a Directory, now: Timestamp) -> Option<Case<'a>> {
        let release = &self.release;
        Some(Case {
            release: &release.id,
            requester: people.get(&release.request.requester),
            plan: release.plan.as_ref()?,
            votes: if release.follows().is_some() { &self.standing.votes } else { &release.votes },
            waiver: self.standing.waiver.as_ref().or(release.waiver.as_ref()),
            facts: release.facts.as_ref()?,
            past: &self.standing.past,
            people,
            now,
            timezone: &self.standing.timezone,
        })
    }

    fn refused_vote(&mut self, moment: &Moment, person: &PersonId, stance: Stance) -> Result<(), Lack> {
        let standing = moment.standing.as_ref().ok_or(Lack::NotEnoughRecorded)?;
        let people = standing.directory();
        let (Some(voter), Some(case)) = (people.get(person), self.case(&people, moment.at)) else { return Ok(()) };
        if !self.decided && self.question.policies.may_vote(voter, stance, &case).is_allow() {
            self.differences.push(Difference::VoteCounts { person: person.clone(), stance, at: moment.at });
        }
        Ok(())
    }
}

/// Whether the next thing that is recorded is the verdict on what happened at this moment.
fn is_verdict_on(next: Option<&Moment>, at: Timestamp) -> bool {
    next.is_some_and(|next| {
        let judged = matches!(&next.what, What::Happened(event) if matches!(**event, Event::Judged { .. }));
        judged && next.at.as_second() - at.as_second() <= JUDGED_WITHIN_S
    })
}

/// Locks, other releases, facts that could not be gathered, members who could not be read and what somebody's own change
/// of the policies keeps from them: reasons of the host's own.
fn is_of_host(reason: &Reason) -> bool {
    if [MEMBERS, OWN_POLICY_CHANGE].contains(&reason.id.as_str()) || together::is_of_another(reason) {
        return true;
    }
    let gathering = reason.id == crate::gate::FACTS && reason.clears == Clears::Facts;
    gathering || matches!(reason.clears, Clears::Unlock { .. } | Clears::Release { .. })
}

/// The moment at which all these reasons have ended by themselves, if all do.
fn opening(reasons: &[Reason]) -> Option<Timestamp> {
    let moments = reasons.iter().map(|reason| match &reason.clears {
        Clears::Time { at } => *at,
        _ => None,
    });
    moments.collect::<Option<Vec<_>>>()?.into_iter().max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_767_600_000 + minute * 60).unwrap()
    }

    fn reason(clears: Clears) -> Reason {
        Reason::new("x", "X.", clears)
    }

    #[test]
    fn what_ends_by_itself_ends_with_the_last_of_its_reasons() {
        let until = |minute| reason(Clears::Time { at: Some(at(minute)) });
        assert_eq!(opening(&[until(5), until(9), until(7)]), Some(at(9)));
        assert_eq!(opening(&[until(5), reason(Clears::Time { at: None })]), None);
        assert_eq!(opening(&[until(5), reason(Clears::Facts)]), None);
        assert_eq!(opening(&[]), None, "nothing is waited for");
    }

    #[test]
    fn locks_other_releases_and_what_could_not_be_gathered_are_not_for_policies() {
        let lock = Clears::Unlock { owner: "bob".into(), until: None };
        assert!(is_of_host(&reason(lock)));
        assert!(is_of_host(&reason(Clears::Release { id: "r".into() })));
        assert!(is_of_host(&Reason::new("facts", "F.", Clears::Facts)));
        for id in [MEMBERS, OWN_POLICY_CHANGE] {
            assert!(is_of_host(&Reason::new(id, "H.", Clears::Facts)), "{id}");
        }
        assert!(!is_of_host(&reason(Clears::Facts)));
        assert!(!is_of_host(&reason(Clears::Nothing)));
    }
}
