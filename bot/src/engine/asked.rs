//! What people ask for: commands become releases, votes, locks and answers.

use super::EngineError;
use super::apart::apart;
use super::apply::Work;
use super::back::Wanted;
use super::locks::Change;
use super::lookup::NotFound;
use super::together::All;
use super::{configuration, migrating, ship};
use crate::setup::Rules;
use futures::future::BoxFuture;
use serde_json::json;
use slipway_core::command::{self, Command, WhyAbout};
use slipway_core::ids::{EnvironmentKey, EnvironmentName, ServiceName};
use slipway_core::message::cards::answers;
use slipway_core::message::{Line, Message};
use slipway_core::person::{Identity, Person};
use slipway_core::plan::PlanKind;
use slipway_core::policy::{Act, Asking, Decision, Reason, Stance};
use slipway_core::release::{Event, Illegal, Outcome, Phase, PlanningStage, Release, Request, RequestKind, Step};
use slipway_core::replay::RecordedStanding;

/// How far back `retry` looks for a failed release.
const RETRY_LOOK_BACK_LIMIT: u32 = 20;

/// A typed command with what is known of its sender.
pub(super) struct Asked<'a> {
    pub(super) delivery: i64,
    pub(super) who: &'a Identity,
    pub(super) channel: &'a str,
    pub(super) person: &'a Person,
}

impl Work<'_> {
    /// A typed command.
    pub(super) async fn typed(
        &mut self,
        delivery: i64,
        who: &Identity,
        channel: &str,
        text: &str,
    ) -> Result<(), EngineError> {
        let Some(person) = self.person(who).await? else {
            return self.typed_by_nobody(delivery, who, channel, text).await;
        };
        let command = match command::parse(text, &self.engine.setup.words()) {
            Ok(command) => command,
            Err(mistake) => {
                self.mistaken(&person, channel, &mistake).await?;
                return self.answer(delivery, channel, Some(&person), Some(mistake.message())).await;
            }
        };
        let asked = Asked { delivery, who, channel, person: &person };
        let answer = self.command(&asked, &command).await?;
        self.answer(delivery, channel, Some(&person), answer).await?;
        self.finish().await
    }

    fn command<'f>(
        &'f mut self,
        asked: &'f Asked<'f>,
        command: &'f Command,
    ) -> BoxFuture<'f, Result<Option<Message>, EngineError>> {
        // Boxed here, so that not every caller has room for it on its stack.
        Box::pin(async move {
            match command {
                Command::Deploy { environment, service, reference, dry_run, reason } => {
                    let key = key(service, environment);
                    let request = self.request(asked, key, RequestKind::Deploy, reason.clone());
                    apart(|| self.begin(asked, Request { reference: reference.clone(), dry_run: *dry_run, ..request }))
                        .await
                }
                Command::Rollback { environment, service, release, reason, migrations } => {
                    let wanted = Wanted { release: release.as_deref(), migrations: *migrations };
                    apart(|| self.rollback(asked, key(service, environment), wanted, reason.clone())).await
                }
                Command::Migrate { environment, service, act, reason } => {
                    apart(|| self.migrate(asked, key(service, environment), act, reason.clone())).await
                }
                Command::Approve { release } => {
                    apart(|| self.vote_by_command(asked, release.as_deref(), Stance::Approve)).await
                }
                Command::Veto { release } => {
                    apart(|| self.vote_by_command(asked, release.as_deref(), Stance::Veto)).await
                }
                Command::Withdraw { release } => apart(|| self.withdraw_by_command(asked, release.as_deref())).await,
                Command::Cancel { release } => apart(|| self.cancel_by_command(asked, release.as_deref())).await,
                Command::Retry { release, rerun } => {
                    apart(|| self.retry_by_command(asked, release.as_deref(), *rerun)).await
                }
                Command::Lock { environment, service, reason, for_s } => {
                    apart(|| self.lock(asked, key(service, environment), reason, *for_s)).await
                }
                Command::Unlock { environment, service } => {
                    apart(|| self.unlock(asked, key(service, environment))).await
                }
                Command::HandOver { environment, service, to, reason, for_s } => {
                    let change = Change { reason: reason.as_deref(), for_s: *for_s };
                    apart(|| self.hand_over(asked, key(service, environment), to, change)).await.map(Some)
                }
                Command::Link { act } => apart(|| self.link(asked, act)).await.map(Some),
                Command::Override { release, incident, reason } => {
                    match apart(|| self.find_release(Some(release), |_| true)).await? {
                        Ok(release) => {
                            apart(|| self.overriding(asked.person, &release, incident, reason, asked.channel))
                                .await
                                .map(Some)
                        }
                        Err(not_found) => Ok(Some(say_not_found(&not_found, ""))),
                    }
                }
                Command::Why { about } => apart(|| self.why(asked, about)).await.map(Some),
                Command::Show { release } => {
                    Ok(Some(match apart(|| self.find_release(Some(release), |_| true)).await? {
                        Ok(release) => apart(|| self.details(&release)).await?,
                        Err(not_found) => say_not_found(&not_found, ""),
                    }))
                }
                Command::Status { environment } => apart(|| self.status(environment.as_ref())).await.map(Some),
                Command::History { environment } => apart(|| self.history(environment.as_ref())).await.map(Some),
                Command::Queue { environment } => apart(|| self.queue(environment.as_ref())).await.map(Some),
                Command::Config { environment } => apart(|| self.configuration(asked, environment.as_ref())).await,
                Command::DeployConfig { environment, service, dry_run, reason } => {
                    apart(|| self.deploy_config(asked, key(service, environment), *dry_run, reason.clone())).await
                }
                Command::Bad { which, reason, undo } => {
                    apart(|| self.known_bad(asked, which, reason.as_deref(), *undo)).await.map(Some)
                }
                Command::Ship { pull, repository, environment, service, dry_run, reason } => {
                    let wanted = ship::Wanted {
                        pull: *pull,
                        repository: repository.as_deref(),
                        environment: environment.as_ref(),
                        service: service.as_ref(),
                        dry_run: *dry_run,
                        reason: reason.clone(),
                    };
                    apart(|| self.ship(asked, wanted)).await
                }
                Command::DeployWhen { environment, service, reference, when, reason } => {
                    let key = key(service, environment);
                    let request = self.request(asked, key, RequestKind::Deploy, reason.clone());
                    apart(|| self.defer(asked, Request { reference: reference.clone(), ..request }, when)).await
                }
                Command::Bump { release } => match apart(|| self.find_release(Some(release), |_| true)).await? {
                    Ok(release) => apart(|| self.bump(asked.person, &release)).await.map(Some),
                    Err(not_found) => Ok(Some(say_not_found(&not_found, ""))),
                },
                Command::Resume { environment, service } => {
                    apart(|| self.resume(asked, environment.as_ref(), service.as_ref())).await.map(Some)
                }
                Command::DeployAll { environment, services, reference, dry_run, reason } => {
                    let all = All { environment, services, reference: reference.as_deref(), dry_run: *dry_run };
                    apart(|| self.begin_together(asked, &all, reason.clone())).await
                }
                Command::Help { topic } => Ok(Some(command::help(topic.as_deref(), &self.engine.setup.words()))),
            }
        })
    }

    pub(super) fn request(
        &self,
        asked: &Asked<'_>,
        key: EnvironmentKey,
        kind: RequestKind,
        reason: Option<String>,
    ) -> Request {
        self.request_of(asked.person.id.clone(), asked.channel, key, kind, reason)
    }

    /// Begins a release, unless policy forbids even to ask.
    pub(super) fn begin<'f>(
        &'f mut self,
        asked: &'f Asked<'f>,
        request: Request,
    ) -> BoxFuture<'f, Result<Option<Message>, EngineError>> {
        // Boxed here, so that not every caller has room for it on its stack.
        Box::pin(async move {
            let setup = self.engine.setup.clone();
            if let Some(refusal) = self.may_not_ask(asked.person, &request).await? {
                return Ok(Some(refusal));
            }
            let release = Release::new(self.engine.setup.new_release_id(self.engine.clock.now()), request);
            self.engine.store.release_insert(self.tx, &release).await?;
            let channels = setup.channels(&release.request.key.service);
            self.post_card(&release.id, channels, asked.channel, asked.delivery).await?;
            // A new release in its first phase takes this event.
            let _ = self.apply(&release.id, Event::Requested).await?;
            // Where it was asked in a thread, the card is not to be seen.
            let reply = self.engine.store.inbox_reply(self.tx, asked.delivery).await?;
            let in_thread = reply.is_some_and(|reply| reply.thread.is_some());
            Ok(in_thread.then(|| answers::card_is_in_the_channel(&release)))
        })
    }

    /// The answer when policy forbids to ask; `None` when it does not.
    pub(super) async fn may_not_ask(
        &mut self,
        person: &Person,
        request: &Request,
    ) -> Result<Option<Message>, EngineError> {
        let Some(reasons) = self.forbidden_to_ask(person, request).await? else { return Ok(None) };
        let policies = self.engine.setup.policies();
        let refusal = answers::not_allowed(&whys(&reasons));
        let again = |person: &Person, _: &_| policies.may_ask(&asking(person, request));
        self.refused(&person.id, refusal, again).await.map(Some)
    }

    /// Why policy forbids to ask, on record; `None` when it does not.
    pub(super) async fn forbidden_to_ask(
        &mut self,
        person: &Person,
        request: &Request,
    ) -> Result<Option<Vec<Reason>>, EngineError> {
        let setup = self.engine.setup.clone();
        let Rules { set: policies, changes } = setup.rules();
        let Decision::Deny { reasons } = policies.may_ask_despite(&asking(person, request), &changes) else {
            return Ok(None);
        };
        let timezone = setup.timezone(&request.key);
        let people = self.company().await?.people;
        let standing = RecordedStanding::of_people([&person.id], &people, timezone);
        let refused = json!({ "request": request, "reasons": reasons, "standing": standing });
        self.record("request_refused", refused, Some(policies.hash().to_owned())).await?;
        Ok(Some(reasons))
    }

    pub(super) async fn retry(
        &mut self,
        asked: &Asked<'_>,
        release: &Release,
        rerun: bool,
    ) -> Result<Option<Message>, EngineError> {
        if !release.phase.is_end() {
            return Ok(Some(still_under_way(release)));
        }
        if rerun && !release.failed_in_ci() {
            return Ok(Some(no_jobs_failed(release)));
        }
        // Before the merge it is shipped again, after it the merge commit is deployed.
        if let Some(kind) = release.ships_again() {
            return Box::pin(self.ship_again(asked, release, kind)).await;
        }
        let kind = match &release.request.kind {
            // Where it leads is looked at again: what runs may be another version by now.
            RequestKind::Rollback { to, migrations, before, .. } => {
                let to = (!before).then_some(to.as_str());
                let wanted = Wanted { release: to, migrations: *migrations };
                let reason = release.request.reason.clone();
                return self.rollback(asked, release.request.key.clone(), wanted, reason).await;
            }
            RequestKind::Migrate { .. } => migrating::again(release).unwrap_or_else(|| release.request.kind.clone()),
            RequestKind::Config { .. } => configuration::again(release).unwrap_or_else(|| release.request.kind.clone()),
            RequestKind::Deploy | RequestKind::Retry { .. } | RequestKind::Ship { .. } => {
                RequestKind::Retry { of: release.id.clone(), commit: release.commit.clone(), rerun }
            }
        };
        let request = self.request(asked, release.request.key.clone(), kind, release.request.reason.clone());
        // What was only to be planned is not run by asking again.
        let Request { reference, dry_run, .. } = release.request.clone();
        self.begin(asked, Request { reference, dry_run, ..request }).await
    }

    async fn retry_by_command(
        &mut self,
        asked: &Asked<'_>,
        prefix: Option<&str>,
        rerun: bool,
    ) -> Result<Option<Message>, EngineError> {
        let found = match prefix {
            Some(_) => self.find_release(prefix, |_| true).await?,
            None => self.newest_failed().await?.ok_or(NotFound::NoneOpen),
        };
        match found {
            Ok(release) => self.retry(asked, &release, rerun).await,
            Err(not_found) => Ok(Some(say_not_found(&not_found, "has failed lately"))),
        }
    }

    async fn newest_failed(&mut self) -> Result<Option<Release>, EngineError> {
        let mut failed = Vec::new();
        for key in self.engine.setup.environment_keys(None) {
            let newest = self.engine.store.releases_newest(self.tx, &key, RETRY_LOOK_BACK_LIMIT).await?;
            // What came live since has made up for it.
            let mut since = newest.into_iter().take_while(|release| !brings_a_version_live(release));
            failed.extend(since.find(Release::has_failed));
        }
        Ok(failed.into_iter().max_by_key(|r| r.ended_at))
    }

    async fn vote_by_command(
        &mut self,
        asked: &Asked<'_>,
        prefix: Option<&str>,
        stance: Stance,
    ) -> Result<Option<Message>, EngineError> {
        let waits = |r: &Release| r.phase == Phase::AwaitingApproval;
        match self.find_release(prefix, waits).await? {
            Ok(release) => self.vote(asked.person, &release, stance, asked.channel).await,
            Err(not_found) => Ok(Some(say_not_found(&not_found, "waits for approval"))),
        }
    }

    /// Cancels a release, if policy lets this person and the point of no return is not passed.
    pub(super) async fn cancel(&mut self, person: &Person, release: &Release) -> Result<Option<Message>, EngineError> {
        let release = &self.meant_to_cancel(release).await?;
        if release.phase.is_end() {
            let illegal = Illegal { phase: release.phase.name(), event: "cancel_requested", why: None };
            self.too_late(&person.id, release, &illegal).await?;
            return Ok(Some(answers::cancel_came_late(release, &illegal)));
        }
        let act = Act::Cancel { requester: &release.request.requester };
        if let Some(refused) = self.may_act(person, act, &release.request.key).await? {
            return Ok(Some(refused));
        }
        let others = self.would_be_left_out(release).await?;
        for other in &others {
            let act = Act::Cancel { requester: &other.request.requester };
            if let Some(refused) = self.may_act(person, act, &other.request.key).await? {
                return Ok(Some(refused));
            }
        }
        self.leave_out(&others, person, release);
        let begun = match release.phase {
            Phase::Running { step: Step::Migrate } => {
                self.engine.store.effect_begun(self.tx, &release.id, "migrate").await?
            }
            Phase::Running { step: Step::Deploy } => {
                self.engine.store.effect_begun(self.tx, &release.id, "deploy").await?
            }
            Phase::Planning { stage: PlanningStage::Merging } => {
                self.engine.store.effect_begun(self.tx, &release.id, "merge_pull").await?
            }
            _ => false,
        };
        let event = Event::CancelRequested { by: person.id.clone(), begun, at: self.engine.clock.now() };
        Ok(Some(match self.apply(&release.id, event).await? {
            Err(illegal) => {
                self.too_late(&person.id, release, &illegal).await?;
                answers::and_not_started(answers::cancel_came_late(release, &illegal), &others)
            }
            Ok(after) => answers::cancelled(&after),
        }))
    }

    /// `None` when policy allows it, else the answer.
    pub(super) async fn may_act(
        &mut self,
        person: &Person,
        act: Act<'_>,
        key: &EnvironmentKey,
    ) -> Result<Option<Message>, EngineError> {
        let Rules { set: policies, changes } = self.engine.setup.rules();
        let verb = verb(&act);
        let Decision::Deny { reasons } = policies.may_act_despite(person, act, key, &changes) else {
            return self.must_be_known(person, act).await;
        };
        let refused = json!({ "person": person.id, "act": verb, "environment": key, "reasons": reasons });
        self.record("refused", refused, Some(policies.hash().to_owned())).await?;
        let again = |person: &Person, _: &_| policies.may_act(person, act, &key.service, &key.environment);
        self.refused(&person.id, answers::not_allowed(&whys(&reasons)), again).await.map(Some)
    }

    /// What is somebody else's is not touched while it cannot be told who is in which team: nothing asks again later.
    async fn must_be_known(&mut self, person: &Person, act: Act<'_>) -> Result<Option<Message>, EngineError> {
        let own = match act {
            Act::Lock => true,
            Act::Mark | Act::Ship | Act::Bump { .. } => false,
            Act::Cancel { requester: whose } | Act::Unlock { owner: whose } => *whose == person.id,
        };
        let sources = self.company().await?.sources;
        if own || sources.iter().all(|source| source.counts) {
            return Ok(None);
        }
        let body = json!({ "person": person.id, "act": verb(&act), "why": "it cannot be told who is in a team" });
        self.record("refused", body, None).await?;
        let refusal = answers::not_allowed("It cannot be told now who is in which team.");
        Ok(Some(answers::members_unknown(refusal, &sources)))
    }

    async fn why(&mut self, asked: &Asked<'_>, about: &WhyAbout) -> Result<Message, EngineError> {
        match about {
            WhyAbout::Release(prefix) => match self.find_release(Some(prefix), |_| true).await? {
                Ok(release) => self.why_release(&release).await,
                Err(not_found) => Ok(say_not_found(&not_found, "")),
            },
            WhyAbout::Deploy { environment, service } => {
                self.why_deploy(asked.person, &key(service, environment)).await
            }
        }
    }
}

pub(super) fn asking<'a>(person: &'a Person, request: &'a Request) -> Asking<'a> {
    let (service, environment) = (&request.key.service, &request.key.environment);
    Asking { person, service, environment, kind: request.kind.plan_kind() }
}

fn verb(act: &Act<'_>) -> &'static str {
    match act {
        Act::Cancel { .. } => "cancel",
        Act::Lock => "lock",
        Act::Unlock { .. } => "unlock",
        Act::Mark => "mark",
        Act::Ship => "ship",
        Act::Bump { .. } => "bump",
    }
}

pub(super) fn key(service: &ServiceName, environment: &EnvironmentName) -> EnvironmentKey {
    EnvironmentKey { service: service.clone(), environment: environment.clone() }
}

pub(super) fn say_not_found(not_found: &NotFound, wanted: &'static str) -> Message {
    match not_found {
        NotFound::Unknown(prefix) => answers::no_such_release(prefix),
        NotFound::Ambiguous(prefix, releases) => {
            answers::ambiguous_release(prefix, &releases.iter().collect::<Vec<_>>())
        }
        NotFound::NoneOpen => answers::no_release(wanted),
        NotFound::SeveralOpen(releases) => answers::which_release(wanted, &releases.iter().collect::<Vec<_>>()),
    }
}

/// The reasons of a no, as one text.
pub(super) fn whys(reasons: &[Reason]) -> String {
    reasons.iter().map(|reason| reason.why.as_str()).collect::<Vec<_>>().join(" ")
}

fn no_jobs_failed(release: &Release) -> Message {
    let line =
        Line::plain("Release ").code(release.id.short()).text(" did not fail in CI: there are no jobs to run again.");
    let way = Line::plain("To ask for the same commit again: ").code(format!("/release retry {}", release.id.short()));
    Message::answer(line.text(" Nothing was started."), [way])
}

fn still_under_way(release: &Release) -> Message {
    let line = Line::plain("Release ").code(release.id.short()).text(" has not ended yet.");
    let way = Line::plain("To stop it first: ").code(format!("/release cancel {}", release.id.short()));
    Message::answer(line.text(" Nothing was started."), [way])
}

/// Whether it has brought a version, and not only settings.
fn brings_a_version_live(release: &Release) -> bool {
    release.outcome == Some(Outcome::Live) && release.request.kind.plan_kind() != PlanKind::Config
}
