//! Every way in which an execution can begin passes the same gate.
//!
//! Each way is walked twice, up to the moment before the run would begin: once under the default rules, where it
//! begins, which shows that the way is one; and once with one more rule in force, of which the way knows nothing.

use super::chat::CONFIG;
use super::flow::{following, looks, sees};
use super::members::{TEAM, release_managers};
use super::*;
use crate::engine::Incoming;
use slipway_core::facts::CiState;
use slipway_core::ids::ReleaseId;
use slipway_core::message::Verb;
use slipway_core::plan::{Plan, PlanKind};
use slipway_core::policy::Stance;

/// A rule that no part of the engine has heard of.
const CLOSED: &str = r#"
@id("closed")
@why("Nothing starts today.")
forbid (principal, action == Action::"execute", resource);
"#;

/// One that holds without refusing: an override would set it aside.
const CLOSED_YESTERDAY: &str = r#"
@id("closed-yesterday")
@why("Nothing starts today.")
forbid (principal, action == Action::"execute", resource)
unless { context.overridden };
"#;

/// What follows from an effect that began, and from nothing else.
const RUNS: [&str; 6] = ["observe_ci", "observe_image", "migrate", "deploy", "follow", "verify"];

/// How an execution begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// `/deploy` where no approval is needed.
    Deploy,
    /// `/rollback`.
    Rollback,
    RetryByCommand,
    /// The button on the card of a failed release.
    RetryByButton,
    /// The last approval that was missing.
    ApprovalByCommand,
    ApprovalByButton,
    ApprovalByReaction,
    /// The veto that held it is taken back.
    VetoWithdrawnByCommand,
    VetoWithdrawnByReaction,
    /// Somebody breaks the glass.
    Override,
    /// The one before it in the queue has ended.
    Queue,
    QueueAfterFailure,
    QueueAfterCancel,
    Unlock,
    /// A lock becomes that of the one who waits behind it.
    HandOver,
    /// Its time is over.
    LockRanOut,
    /// The end of a lock, of a freeze or of a soak time: a timer has the gate asked again.
    Timer,
    /// What was known had become too old, and has been read again.
    FreshFacts,
    /// The process starts again, and all that waits is judged.
    Restart,
    /// Other rules come into force.
    PolicyReload,
    /// Who is in a team can be read again.
    MembersBack,
    /// The one before it has waited for too long.
    QueueAfterExpiry,
    /// Fresh facts were stored, and the process was killed before anybody looked at them.
    ResumeAfterCrash,
    /// A deployment could not be verified, and the environment is set to go back then.
    BackBySetting,
    /// `/deploy --config`.
    Config,
    /// A pull request was merged for it.
    Ship,
    /// The moment comes for which somebody has deferred it.
    Deferred,
    /// What waited for the end of a lock.
    DeferredUntilUnlocked,
    /// Somebody puts it before the one that is in its way.
    Bump,
    /// What staging runs goes on, and the environment is set to begin it by itself.
    PromotedBySetting,
    /// The button of a suggestion.
    Suggestion,
    /// The button on the card of a release that is live.
    PromotedByButton,
    /// A merged commit has settled.
    ByItselfInTime,
    /// It is seen again after it has.
    ByItselfOnSight,
}

const WAYS: [Way; 34] = [
    Way::Deploy,
    Way::Rollback,
    Way::RetryByCommand,
    Way::RetryByButton,
    Way::ApprovalByCommand,
    Way::ApprovalByButton,
    Way::ApprovalByReaction,
    Way::VetoWithdrawnByCommand,
    Way::VetoWithdrawnByReaction,
    Way::Override,
    Way::Queue,
    Way::QueueAfterFailure,
    Way::QueueAfterCancel,
    Way::Unlock,
    Way::HandOver,
    Way::LockRanOut,
    Way::Timer,
    Way::FreshFacts,
    Way::Restart,
    Way::PolicyReload,
    Way::MembersBack,
    Way::QueueAfterExpiry,
    Way::ResumeAfterCrash,
    Way::BackBySetting,
    Way::Config,
    Way::Ship,
    Way::Deferred,
    Way::DeferredUntilUnlocked,
    Way::Bump,
    Way::PromotedBySetting,
    Way::Suggestion,
    Way::PromotedByButton,
    Way::ByItselfInTime,
    Way::ByItselfOnSight,
];

/// The ways that come in like this. There is no wildcard: whoever lets something else come in has to say here which
/// executions it can begin, and to walk them.
fn ways_in(incoming: &Incoming) -> &'static [Way] {
    match incoming {
        Incoming::Typed { .. } => &[
            Way::Deploy,
            Way::Rollback,
            Way::RetryByCommand,
            Way::ApprovalByCommand,
            Way::VetoWithdrawnByCommand,
            Way::Override,
            Way::Unlock,
            Way::HandOver,
            Way::Config,
            Way::Ship,
            Way::DeferredUntilUnlocked,
            Way::Bump,
        ],
        Incoming::Pressed { .. } => {
            &[Way::RetryByButton, Way::ApprovalByButton, Way::QueueAfterCancel, Way::Suggestion, Way::PromotedByButton]
        }
        Incoming::Reacted { .. } => &[Way::ApprovalByReaction, Way::VetoWithdrawnByReaction],
        Incoming::Happened { .. } => &[
            Way::Queue,
            Way::QueueAfterFailure,
            Way::FreshFacts,
            Way::QueueAfterExpiry,
            Way::ResumeAfterCrash,
            Way::BackBySetting,
        ],
        Incoming::PoliciesChanged { .. } => &[Way::PolicyReload],
        Incoming::PoliciesRefused { .. } => &[],
        Incoming::Started { .. } | Incoming::AnchorDue { .. } | Incoming::StrangersDue { .. } => &[],
        Incoming::MembersSeen { .. } => &[Way::MembersBack],
        Incoming::MembersUnseen { .. } => &[],
        Incoming::Judge { .. } => &[Way::Timer, Way::Restart],
        Incoming::LockDue { .. } => &[Way::LockRanOut],
        Incoming::GithubSpoke { .. } => &[],
        // Whoever waits is planned again before it may begin.
        Incoming::TargetsSeen { .. } => &[],
        Incoming::IntentDue { .. } => &[Way::Deferred],
        Incoming::PromotionDue { .. } => &[Way::PromotedBySetting],
        Incoming::FlowSeen { .. } => &[Way::ByItselfOnSight],
        Incoming::FlowDue { .. } => &[Way::ByItselfInTime],
    }
}

/// Where a story stands the moment before a run would begin.
struct Brink {
    /// What would run; `None`: it will have been asked for by the last step.
    release: Option<ReleaseId>,
    /// The one that stands in its way, or that is tried again.
    other: Option<ReleaseId>,
    /// What will be read as what would ship.
    plan: Plan,
}

/// Tells the story up to that moment.
#[expect(clippy::too_many_lines, reason = "one arm a way")]
async fn brink(chat: &mut Chat, way: Way) -> Brink {
    let (staging, production) = (plan("staging", 1, 3), plan("production", 1, 3));
    let mut brink = Brink { release: None, other: None, plan: staging.clone() };
    match way {
        Way::Deploy | Way::Ship => {}
        Way::Rollback => {
            for (base, commit) in [(1, 3), (3, 4)] {
                let earlier = chat.planned("ana", &plan("staging", base, commit)).await;
                chat.runs_to_its_end(&earlier).await;
                chat.wait_s(1);
            }
            brink.plan = Plan { kind: PlanKind::Rollback, base: Some(sha(4)), ..plan("staging", 3, 3) };
        }
        Way::RetryByCommand | Way::RetryByButton => {
            let failed = chat.planned("ana", &staging).await;
            fails(chat, &failed).await;
            chat.wait_s(1);
            brink.other = Some(failed);
        }
        Way::ApprovalByCommand | Way::ApprovalByButton | Way::ApprovalByReaction => {
            brink.release = Some(chat.planned("ana", &production).await);
        }
        Way::Override => {
            chat.wait_s(4 * 24 * 3_600 + 8 * 3_600);
            let frozen = chat.planned("ana", &production).await;
            chat.presses("bob", &frozen, Verb::Approve).await;
            brink.release = Some(frozen);
        }
        Way::VetoWithdrawnByCommand | Way::VetoWithdrawnByReaction => {
            let held = chat.planned("ana", &production).await;
            chat.reacts("eve", &held, Stance::Veto, true).await;
            chat.presses("bob", &held, Verb::Approve).await;
            brink.release = Some(held);
        }
        Way::Queue | Way::QueueAfterFailure => {
            brink.other = Some(chat.planned("ana", &staging).await);
            chat.wait_s(1);
            brink.release = Some(chat.planned("bob", &plan("staging", 1, 4)).await);
            chat.wait_s(1);
            brink.plan = plan("staging", if way == Way::Queue { 3 } else { 1 }, 4);
        }
        Way::QueueAfterCancel | Way::QueueAfterExpiry | Way::Bump => {
            brink.other = Some(chat.planned("ana", &plan("production", 1, 4)).await);
            chat.wait_s(1);
            let behind = chat.planned("ana", &production).await;
            chat.presses("bob", &behind, Verb::Approve).await;
            (brink.release, brink.plan) = (Some(behind), production);
        }
        Way::Unlock | Way::HandOver => {
            chat.says("bob", "/release lock staging \"moving\"").await;
            brink.release = Some(chat.planned("ana", &staging).await);
        }
        Way::Timer | Way::LockRanOut => {
            chat.says("bob", "/release lock staging \"moving\" --for 2h").await;
            brink.release = Some(chat.planned("ana", &staging).await);
            chat.wait_s(2 * 3_600);
        }
        Way::FreshFacts | Way::ResumeAfterCrash => {
            let old = chat.planned("ana", &production).await;
            chat.wait_s(600);
            chat.presses("bob", &old, Verb::Approve).await;
            (brink.release, brink.plan) = (Some(old), production);
        }
        Way::Restart => {
            // A rule held it that is in force no more.
            chat.adds_rule(CLOSED_YESTERDAY);
            brink.release = Some(chat.planned("ana", &staging).await);
            chat.configure(CONFIG);
        }
        Way::PolicyReload => {
            chat.adds_rule(CLOSED_YESTERDAY);
            brink.release = Some(chat.planned("ana", &staging).await);
        }
        Way::BackBySetting => {
            let sick = nearly_verified(chat).await;
            brink.other = Some(sick);
            brink.plan = Plan { kind: PlanKind::Rollback, base: Some(sha(4)), ..plan("production", 3, 3) };
        }
        Way::Config => {
            brink.release = Some(asked_for_config(chat).await);
            brink.plan = Plan { kind: PlanKind::Config, base: Some(sha(3)), ..plan("staging", 3, 3) };
        }
        Way::Deferred => {
            chat.says("ana", "/deploy staging --when 9:30").await;
            chat.wait_s(90 * 60);
        }
        Way::DeferredUntilUnlocked => {
            chat.says("bob", "/release lock staging \"moving\"").await;
            chat.says("ana", "/deploy staging --when unlocked").await;
        }
        Way::ByItselfInTime | Way::ByItselfOnSight => {
            chat.configure(&following(CONFIG));
            chat.deliver(&sees(None, &[(3, CiState::Green)])).await;
            chat.wait_s(5);
        }
        Way::MembersBack => {
            chat.cannot_see_members(&release_managers(), 60).await;
            chat.configure(&format!("{CONFIG}{TEAM}"));
            brink.release = Some(chat.planned("ana", &staging).await);
            chat.configure(CONFIG);
        }
        Way::PromotedBySetting | Way::Suggestion | Way::PromotedByButton => {
            brink.release = Some(goes_on_to_staging(chat, way).await);
        }
    }
    if let Some(waiting) = &brink.release {
        assert_eq!(runs(chat, waiting).await, [""; 0], "{way:?} has begun before its time");
    }
    brink
}

/// The last step. Gives the release that would run.
#[expect(clippy::too_many_lines, reason = "one arm a way")]
async fn step(mut chat: Chat, way: Way, brink: Brink) -> (Chat, ReleaseId) {
    let Brink { release, other, plan } = brink;
    let waiting = release.clone();
    let waiting = || waiting.clone().unwrap();
    match way {
        Way::Deploy => chat.says("ana", "/deploy staging").await,
        Way::Rollback => chat.says("ana", "/rollback staging").await,
        Way::RetryByCommand => chat.says("ana", "/release retry").await,
        Way::RetryByButton => chat.presses("ana", &other.unwrap(), Verb::Retry).await,
        Way::ApprovalByCommand => chat.says("bob", "/release approve").await,
        Way::ApprovalByButton => chat.presses("bob", &waiting(), Verb::Approve).await,
        Way::ApprovalByReaction => chat.reacts("bob", &waiting(), Stance::Approve, true).await,
        Way::VetoWithdrawnByCommand => chat.says("eve", "/release withdraw").await,
        Way::VetoWithdrawnByReaction => chat.reacts("eve", &waiting(), Stance::Veto, false).await,
        Way::Override => {
            let id = waiting();
            chat.says("bob", &format!("/release override {} --incident INC-7 --reason \"down\"", id.short())).await
        }
        Way::Queue => {
            chat.runs_to_its_end(&other.unwrap()).await;
            String::new()
        }
        Way::QueueAfterFailure => {
            fails(&mut chat, &other.unwrap()).await;
            String::new()
        }
        Way::QueueAfterCancel => chat.presses("ana", &other.unwrap(), Verb::Cancel).await,
        Way::Unlock => chat.says("bob", "/release unlock staging").await,
        Way::HandOver => chat.says("bob", "/release lock staging --to ana").await,
        Way::LockRanOut => {
            chat.looks().await;
            String::new()
        }
        Way::Timer => {
            let judge_at = chat.lease(&waiting(), "judge_at").await;
            let judge = Incoming::Judge { release: waiting() };
            chat.store.effect_done(&judge_at, &judge, &chat.engine.clock.clone()).await.unwrap();
            chat.handle_all().await;
            String::new()
        }
        Way::FreshFacts | Way::Config => String::new(),
        Way::Restart => {
            chat.starts().await;
            String::new()
        }
        Way::QueueAfterExpiry => {
            let at = chat.now();
            chat.happened(&other.unwrap(), Event::TimedOut { at }).await;
            String::new()
        }
        Way::ResumeAfterCrash => {
            chat.gathers_unseen(&waiting(), &plan).await;
            chat = chat.restarts().await;
            String::new()
        }
        Way::PolicyReload => {
            chat.reloads().await.unwrap();
            String::new()
        }
        Way::BackBySetting => {
            let failure = Failure::new("It answers 503.");
            let event = Event::StepFailed { step: Step::Verify, failure, rolled_back: false, at: chat.now() };
            chat.outcome(&other.unwrap(), "verify", event).await;
            String::new()
        }
        Way::Deferred => {
            chat.looks().await;
            String::new()
        }
        Way::DeferredUntilUnlocked => chat.says("bob", "/release unlock staging").await,
        Way::Bump => chat.says("bob", &format!("/release queue --bump {}", waiting().short())).await,
        Way::ByItselfInTime => {
            looks(&chat).await;
            String::new()
        }
        Way::ByItselfOnSight => {
            chat.deliver(&sees(None, &[(3, CiState::Green), (2, CiState::Red)])).await;
            String::new()
        }
        Way::MembersBack => {
            chat.sees_members(&release_managers(), &[]).await;
            String::new()
        }
        Way::Ship => {
            let answer = chat.says("ana", "/release ship 7 staging").await;
            let (release, at) = (chat.newest().await, chat.now());
            let ready = Event::PullReady { pull: shipping::shipped(false), at };
            chat.outcome(&release, "await_pull", ready).await;
            let merged = Event::PullMerged { pull: shipping::shipped(true), at };
            chat.outcome(&release, "merge_pull", merged).await;
            answer
        }
        Way::PromotedBySetting | Way::Suggestion | Way::PromotedByButton => {
            let resolved = Event::Resolved { commit: plan.commit.clone(), branch: None };
            chat.outcome(&waiting(), "resolve", resolved).await;
            chat.outcome(&waiting(), "await_build", Event::BuildReady).await;
            String::new()
        }
    };
    let release = match release {
        Some(release) => release,
        None => {
            let release = chat.newest().await;
            if chat.effects(&release).await.contains(&"resolve".to_owned()) {
                let resolved = Event::Resolved { commit: plan.commit.clone(), branch: None };
                chat.outcome(&release, "resolve", resolved).await;
            }
            if chat.effects(&release).await.contains(&"await_build".to_owned()) {
                chat.outcome(&release, "await_build", Event::BuildReady).await;
            }
            release
        }
    };
    if chat.effects(&release).await.contains(&"gather".to_owned()) {
        chat.gathers(&release, &plan).await;
    }
    (chat, release)
}

/// What production runs has gone on to staging, which comes after it here because it needs no approval, and is not planned.
async fn goes_on_to_staging(chat: &mut Chat, way: Way) -> ReleaseId {
    let staging = "[service.goals.environment.staging]\n";
    let automatic = way == Way::PromotedBySetting;
    let after = format!("{staging}after = \"production\"\nauto_promote = {automatic}\n");
    chat.configure(&CONFIG.replacen(staging, &after, 1));
    let before = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.presses("bob", &before, Verb::Approve).await;
    chat.wait_s(1);
    chat.runs_to_its_end(&before).await;
    chat.wait_s(3_600);
    promoting::looks(chat).await;
    match way {
        Way::Suggestion => promoting::presses(chat, "ana", Verb::Promote).await,
        Way::PromotedByButton => chat.presses("ana", &before, Verb::Promote).await,
        _ => String::new(),
    };
    let release = chat.newest().await;
    assert_ne!(release, before, "{way:?}");
    release
}

/// A release to production is live and about to be verified; the one before it was well.
async fn nearly_verified(chat: &mut Chat) -> ReleaseId {
    let good = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.presses("bob", &good, Verb::Approve).await;
    chat.runs_to_its_end(&good).await;
    chat.wait_s(1);
    let sick = chat.planned("ana", &plan("production", 3, 4)).await;
    chat.presses("bob", &sick, Verb::Approve).await;
    chat.succeeds(&sick, "observe_ci", Step::Ci).await;
    chat.succeeds(&sick, "observe_image", Step::Image).await;
    chat.outcome(&sick, "deploy", Event::DeployStarted { target: 0, operation: "op-1".into() }).await;
    chat.succeeds(&sick, "follow", Step::Deploy).await;
    chat.wait_s(1);
    sick
}

/// The configuration alone is asked for, of what runs on staging.
async fn asked_for_config(chat: &mut Chat) -> ReleaseId {
    let section = "[service.goals.environment.staging]\n";
    let secret = format!("{section}config = [\"goals/staging\"]\n");
    chat.configure(&CONFIG.replacen(section, &secret, 1));
    let earlier = chat.planned("ana", &plan("staging", 1, 3)).await;
    chat.runs_to_its_end(&earlier).await;
    chat.wait_s(1);
    chat.says("ana", "/deploy staging --config").await;
    let asked = chat.newest().await;
    chat.outcome(&asked, "resolve", Event::Resolved { commit: sha(3), branch: None }).await;
    asked
}

async fn fails(chat: &mut Chat, release: &ReleaseId) {
    let event = Event::StepFailed { step: Step::Ci, failure: Failure::new("Red."), rolled_back: false, at: chat.now() };
    chat.outcome(release, "observe_ci", event).await;
}

/// The effects of a run that are under way.
async fn runs(chat: &Chat, release: &ReleaseId) -> Vec<String> {
    chat.effects(release).await.into_iter().filter(|effect| RUNS.contains(&effect.as_str())).collect()
}

#[tokio::test]
async fn each_begins_an_execution_where_nothing_is_in_the_way() {
    for way in WAYS {
        let mut chat = Chat::open().await;
        let brink = Box::pin(brink(&mut chat, way)).await;
        if way == Way::PolicyReload {
            chat.writes_rule("");
        }
        let (chat, release) = Box::pin(step(chat, way, brink)).await;
        let reasons = chat.release(&release).await.verdict.unwrap();
        assert_eq!(chat.phase(&release).await, "running(ci)", "{way:?}: {reasons:?}");
        assert_eq!(runs(&chat, &release).await, ["observe_ci"], "{way:?}");
        let environment = chat.release(&release).await.request.key.environment;
        assert_eq!(chat.environment(environment.as_str()).await.running, Some(release), "{way:?}");
    }
}

#[tokio::test]
async fn the_same_gate_refuses_each() {
    for way in WAYS {
        let mut chat = Chat::open().await;
        let brink = Box::pin(brink(&mut chat, way)).await;
        // A reload is what brings the rule; for all others it is there already.
        if way == Way::PolicyReload {
            chat.writes_rule(CLOSED);
        } else {
            chat.adds_rule(CLOSED);
        }
        if matches!(way, Way::ByItselfInTime | Way::ByItselfOnSight) {
            let config = following(&chat.config_with_folder());
            chat.configure(&config);
        }
        let (chat, release) = Box::pin(step(chat, way, brink)).await;
        assert_eq!(runs(&chat, &release).await, [""; 0], "{way:?}");
        assert_eq!(chat.release(&release).await.started_at, None, "{way:?}");
        assert!(chat.refused_by(&release).await.contains(&"closed".to_owned()), "{way:?}");
        let environment = chat.release(&release).await.request.key.environment;
        assert_eq!(chat.environment(environment.as_str()).await.running, None, "{way:?}");
        let judged = chat.audit_of("judged").await.pop().unwrap();
        assert_eq!(judged.policy_hash.as_deref(), Some(chat.engine.setup.policies().hash()), "{way:?}");
    }
}

#[test]
fn whatever_comes_in_says_what_it_can_begin() {
    let incoming = audit::one_of_each(&ReleaseId::new("r"));
    let said: Vec<_> = incoming.iter().flat_map(ways_in).collect();
    for way in &WAYS {
        assert_eq!(said.iter().filter(|said| **said == way).count(), 1, "{way:?}");
    }
}
