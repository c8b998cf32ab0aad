//! Tests of the gate with the policies that Slipway comes with.

mod refused;

use super::*;
use crate::environment::{self, Lock, Waiting};
use crate::facts::{CiFact, CiState, Facts, Observed};
use crate::ids::{EnvironmentKey, PersonId, ReleaseId};
use crate::membership::Source;
use crate::person::{Directory, Person};
use crate::plan::tests::sha;
use crate::plan::{Plan, PlanKind};
use crate::policy::{Past, Stance, Vocabulary, Vote, built_in};
use crate::release::{Failure, GatherProblem, Origin, Request, RequestKind};
use std::sync::LazyLock;

const AGE_MAX_S: i64 = 60;
const ME: &str = "01KE4ABC000000000000000000";
const OTHER: &str = "01KE4XYZ000000000000000000";

static POLICIES: LazyLock<PolicySet> = LazyLock::new(|| policies(&[]));

/// The policies that come with Slipway, and more.
fn policies(more: &[&str]) -> PolicySet {
    let own = built_in::FILES.map(|(_, text)| text);
    let files: Vec<_> =
        own.iter().chain(more).enumerate().map(|(n, text)| (format!("{n}.cedar"), (*text).to_owned())).collect();
    let vocabulary = Vocabulary {
        teams: built_in::TEAMS.map(Into::into).into(),
        environments: ["production".into(), "staging".into()].into(),
    };
    PolicySet::parse(built_in::SCHEMA, &files, &vocabulary).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

/// Monday 2026-01-05 08:00 UTC and so many seconds.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_600_000 + seconds).unwrap()
}

/// All that the gate looks at, ready to be changed.
#[derive(Clone)]
struct Scene {
    release: Release,
    plan: Plan,
    facts: Facts,
    past: Past,
    environment: Environment,
    people: Directory,
    policies: PolicySet,
    changes: Vec<PolicyChange>,
    sources: Vec<SourceState>,
    alongside: Alongside,
    now: i64,
}

impl Scene {
    /// Ana asks for this environment; plan and facts were gathered at second 10, it is second 20.
    fn new(environment: &str) -> Self {
        let key = EnvironmentKey { service: "goals".into(), environment: environment.into() };
        let request = Request {
            key: key.clone(),
            kind: RequestKind::Deploy,
            reference: None,
            requester: "ana".into(),
            reason: None,
            dry_run: false,
            origin: Origin { channel: "terminal:releases".into() },
            at: at(0),
            expires_at: at(86_400),
            together: None,
        };
        let ci = CiFact { state: CiState::Green, total: 3, passed: 3, failing: vec![], missing: vec![] };
        let scene = Self {
            release: Release::new(ME.into(), request),
            plan: Plan { environment: environment.into(), ..crate::plan::tests::plan() },
            facts: Facts::of_ci(Observed { value: ci, at: at(10) }),
            past: Past::default(),
            environment: Environment::new(key),
            people: people(&[("ana", "developers"), ("eve", "developers"), ("bob", "release"), ("cem", "release")]),
            policies: POLICIES.clone(),
            changes: vec![],
            sources: vec![],
            alongside: Alongside::default(),
            now: 20,
        };
        scene.enqueued(ME, PlanKind::Deploy)
    }

    fn happens(mut self, event: &environment::Event) -> Self {
        self.environment = environment::step(&self.environment, event).unwrap_or_else(|i| panic!("{i}")).0;
        self
    }

    fn enqueued(self, release: &str, kind: PlanKind) -> Self {
        let waiting = Waiting {
            release: release.into(),
            requester: "ana".into(),
            kind,
            commit: sha(if release == ME { 3 } else { 77 }),
            contains: [sha(if release == ME { 3 } else { 77 })].into(),
            asked_at: at(0),
            bumped: None,
            passed: 0,
            brings_nothing: false,
        };
        self.happens(&environment::Event::Enqueued(waiting))
    }

    /// Another release gets in front of it.
    fn behind_another(self) -> Self {
        self.enqueued(OTHER, PlanKind::Rollback)
    }

    /// Another release runs.
    fn while_another_runs(self) -> Self {
        let requester = PersonId::from("ana");
        self.behind_another().happens(&environment::Event::Started { release: OTHER.into(), requester, at: at(11) })
    }

    /// Another release ran and has ended at that moment.
    fn after_another(self, seconds: i64) -> Self {
        let ended = environment::Event::Ended { release: OTHER.into(), live: None, at: at(seconds) };
        self.while_another_runs().happens(&ended)
    }

    fn locked(self, owner: &str, until: Option<i64>) -> Self {
        let lock = Lock {
            owner: owner.into(),
            reason: "load test".into(),
            at: at(12),
            until: until.map(at),
            channel: "terminal:releases".into(),
            reminded_at: None,
        };
        self.happens(&environment::Event::Locked(lock))
    }

    fn ci(mut self, state: CiState) -> Self {
        self.facts.ci.value.state = state;
        self
    }

    fn vote(mut self, person: &str, stance: Stance) -> Self {
        self.release.votes.push(Vote { person: person.into(), stance, digest: self.plan.digest(), at: at(15) });
        self
    }

    fn empty(mut self) -> Self {
        self.plan.base = Some(self.plan.commit.clone());
        self.plan.migrations.clear();
        self
    }

    fn could_not_gather(mut self, seconds: i64) -> Self {
        self.release.gather_problem =
            Some(GatherProblem { failure: Failure::new("GitHub does not answer."), at: at(seconds) });
        self
    }

    /// The members of a team are kept in a Slack user group, and were last seen at that moment, if ever.
    fn members_seen(mut self, team: &str, seconds: Option<i64>) -> Self {
        let source = Source::SlackGroup { id: "S0614TZR7".into() };
        let (team, seen_at) = (team.into(), seconds.map(at));
        self.sources.push(SourceState { team, source, seen_at, trouble: None, counts: seen_at.is_some() });
        self
    }

    /// Slack is down since second 12, and is asked again at that moment.
    fn slack_down_until(mut self, seconds: i64) -> Self {
        let what = "Slack does not answer.".to_owned();
        let trouble = Trouble { what, since: at(12), tries: 3, again_at: at(seconds) };
        self.sources.last_mut().unwrap().trouble = Some(trouble);
        self
    }

    /// What was last seen there is too old even for asking.
    fn and_too_old(mut self) -> Self {
        self.sources.last_mut().unwrap().counts = false;
        self
    }

    fn dry(mut self) -> Self {
        self.release.request.dry_run = true;
        self
    }

    fn at(mut self, seconds: i64) -> Self {
        self.now = seconds;
        self
    }

    fn verdict(&self) -> Verdict {
        let case = Case {
            release: &self.release.id,
            requester: self.people.get(&self.release.request.requester),
            plan: &self.plan,
            votes: &self.release.votes,
            waiver: self.release.waiver.as_ref(),
            past: &self.past,
            facts: &self.facts,
            people: &self.people,
            now: at(self.now),
            timezone: "UTC",
        };
        judge(&Question {
            release: &self.release,
            case,
            environment: &self.environment,
            policies: &self.policies,
            changes: &self.changes,
            sources: &self.sources,
            fact_age_max_s: AGE_MAX_S,
            alongside: &self.alongside,
        })
    }

    /// What the gate says: course, ids of the reasons, second of the next look.
    fn says(&self) -> (Course, Vec<String>, Option<i64>) {
        let verdict = self.verdict();
        assert_eq!((verdict.at(), verdict.digest()), (at(self.now), &self.plan.digest()));
        assert_eq!(verdict.policy_hash(), self.policies.hash());
        let ids = verdict.reasons().iter().map(|reason| reason.id.clone()).collect();
        let again = verdict.again_at().map(|again| again.as_second() - at(0).as_second());
        (verdict.course(), ids, again)
    }
}

fn people(all: &[(&str, &str)]) -> Directory {
    let person =
        |(id, team): &(&str, &str)| Person { id: (*id).into(), teams: [(*team).into()].into(), identities: vec![] };
    Directory::new(all.iter().map(person))
}

fn wait(ids: &[&str], again: Option<i64>) -> (Course, Vec<String>, Option<i64>) {
    (Course::Wait, ids.iter().map(|id| (*id).to_owned()).collect(), again)
}

fn plainly(course: Course) -> (Course, Vec<String>, Option<i64>) {
    (course, vec![], None)
}

fn staging() -> Scene {
    Scene::new("staging")
}

fn production() -> Scene {
    Scene::new("production")
}

fn approved() -> Scene {
    production().vote("bob", Stance::Approve)
}

#[test]
fn it_starts_when_nothing_is_in_the_way() {
    assert_eq!(staging().says(), plainly(Course::Start));
    assert_eq!(approved().says(), plainly(Course::Start));
}

/// What can be in the way, alone or two at a time.
#[test]
fn it_starts_only_when_nothing_is_in_the_way() {
    type Obstacle = (&'static str, fn(Scene) -> Scene);
    let obstacles: [Obstacle; 14] = [
        ("locked", |s| s.locked("cem", None)),
        ("locked for a while", |s| s.locked("cem", Some(500))),
        ("behind", |s| s.behind_another()),
        ("red", |s| s.ci(CiState::Red)),
        ("pending", |s| s.ci(CiState::Pending)),
        ("untested", |s| s.ci(CiState::Missing)),
        ("stale", |s| s.at(10 + AGE_MAX_S + 1)),
        ("vetoed", |s| s.vote("eve", Stance::Veto)),
        ("members not seen", |s| s.members_seen("release", None)),
        ("members unreadable", |s| {
            let again_at = s.now + 500;
            s.members_seen("release", Some(-AGE_MAX_S)).slack_down_until(again_at)
        }),
        ("dry", |s| s.dry()),
        ("empty", |s| s.empty().vote("bob", Stance::Approve)),
        ("not gathered", |s| {
            let now = s.now;
            s.could_not_gather(now - 1)
        }),
        ("no approval", |mut s| {
            s.release.votes.retain(|vote| vote.stance == Stance::Veto);
            s
        }),
    ];
    for (first, one) in obstacles {
        for (second, other) in obstacles {
            let verdict = other(one(approved())).verdict();
            assert_ne!(verdict.course(), Course::Start, "{first}, {second}");
            // Somebody or something brings it back to the gate: a person, another release, or a timer.
            let people_or_releases = |reason: &Reason| {
                matches!(
                    reason.clears,
                    Clears::Votes { .. } | Clears::Withdrawal { .. } | Clears::Unlock { .. } | Clears::Release { .. }
                )
            };
            let comes_back = verdict.again_at().is_some_and(|again| again > verdict.at())
                || verdict.reasons().iter().any(people_or_releases);
            assert!(verdict.course() != Course::Wait || comes_back, "{first}, {second}: {verdict:?}");
        }
    }
}

#[test]
fn old_facts_are_gathered_again_before_it_starts() {
    assert_eq!(staging().at(10 + AGE_MAX_S).says(), plainly(Course::Start));
    assert_eq!(staging().at(11 + AGE_MAX_S).says(), plainly(Course::Refresh));
}

#[test]
fn facts_in_the_way_are_gathered_again_when_they_are_old() {
    for state in [CiState::Red, CiState::Pending, CiState::Missing] {
        let scene = staging().ci(state);
        let look_again = 10 + AGE_MAX_S + 1;
        assert_eq!(scene.says(), wait(&["ci-green"], Some(look_again)));
        assert_eq!(scene.verdict().reasons()[0].clears, Clears::Facts);
        let (course, ids, again) = scene.at(look_again).says();
        assert_eq!((course, ids, again), (Course::Refresh, vec!["ci-green".to_owned()], None));
    }
}

#[test]
fn facts_are_not_gathered_while_something_else_is_in_the_way() {
    assert_eq!(staging().locked("cem", None).at(1_000).says(), wait(&["locked"], None));
    let both = production().ci(CiState::Red).at(1_000).says();
    assert_eq!((both.0, both.2), (Course::Wait, None));
}

#[test]
fn what_could_not_be_gathered_waits_half_a_minute() {
    let scene = staging().could_not_gather(100);
    assert_eq!(scene.clone().at(100).says(), wait(&["facts"], Some(130)));
    let verdict = scene.clone().at(129).verdict();
    assert_eq!(verdict.course(), Course::Wait);
    assert_eq!(verdict.reasons()[0].why, "What runs now could not be read again: GitHub does not answer.");
    assert_eq!(scene.clone().at(130).says(), plainly(Course::Refresh));
    assert_eq!(scene.clone().locked("cem", Some(110)).at(105).says(), wait(&["locked", "facts"], Some(110)));
    assert_eq!(scene.locked("cem", Some(900)).at(105).says(), wait(&["locked", "facts"], Some(130)));
}

#[test]
fn a_lock_keeps_others_out_until_it_ends() {
    assert_eq!(staging().locked("cem", Some(50)).says(), wait(&["locked"], Some(50)));
    assert_eq!(staging().locked("cem", Some(50)).at(50).says(), plainly(Course::Start));
    assert_eq!(staging().locked("cem", None).says(), wait(&["locked"], None));
    assert_eq!(staging().locked("ana", None).says(), plainly(Course::Start), "her own lock");
    assert_eq!(staging().locked("cem", None).verdict().reasons()[0].why, "Locked by cem: load test");
}

#[test]
fn one_after_the_other() {
    let running = staging().while_another_runs().verdict();
    assert_eq!((running.course(), running.again_at()), (Course::Wait, None));
    assert_eq!(running.reasons()[0].why, "Release 01KE4XYZ is running here.");
    let behind = staging().behind_another().verdict();
    assert_eq!((behind.course(), behind.again_at()), (Course::Wait, None));
    assert_eq!(behind.reasons()[0].why, "Release 01KE4XYZ was asked for before.");
    assert_eq!(behind.reasons()[0].clears, Clears::Release { id: ReleaseId::from(OTHER) });
}

#[test]
fn what_was_planned_before_a_run_ended_is_planned_again() {
    assert_eq!(staging().after_another(15).says(), plainly(Course::Refresh), "the facts are young, but of before");
    assert_eq!(staging().after_another(10).says(), plainly(Course::Start), "gathered after it");
    // Also when it could not start yet: the votes would be for a plan that is wrong.
    let (course, ids, _) = production().after_another(15).says();
    assert_eq!((course, ids), (Course::Refresh, vec!["production-approval".to_owned()]));
    // But not while the next one runs: that changes it once more.
    let busy = staging().after_another(15).while_another_runs();
    assert_eq!(busy.says(), wait(&["busy"], None));
    // And not without pause when it cannot be gathered.
    assert_eq!(staging().after_another(15).could_not_gather(19).says(), wait(&["facts"], Some(49)));
}

#[test]
fn production_waits_for_one_approval_of_somebody_else() {
    let verdict = production().verdict();
    assert_eq!((verdict.course(), verdict.again_at()), (Course::Wait, None));
    let Clears::Votes { missing } = &verdict.reasons()[0].clears else { panic!("{verdict:?}") };
    assert_eq!((missing[0].team.as_str(), missing[0].missing), ("release", 1));
    assert_eq!(missing[0].who, ["bob".into(), "cem".into()]);
    assert_eq!(production().vote("ana", Stance::Approve).verdict().course(), Course::Wait, "her own request");
    assert_eq!(production().vote("eve", Stance::Approve).verdict().course(), Course::Wait, "her own commit");
    let mut elsewhere = approved();
    elsewhere.plan.image.repository.push('x');
    assert_eq!(elsewhere.verdict().course(), Course::Wait, "a vote on another plan");
}

#[test]
fn ci_that_turns_red_after_the_vote_stops_it() {
    assert_eq!(approved().ci(CiState::Red).says(), wait(&["ci-green"], Some(71)));
    assert_eq!(approved().ci(CiState::Red).at(71).verdict().course(), Course::Refresh);
}

#[test]
fn a_veto_stops_it_until_it_is_withdrawn() {
    let verdict = approved().vote("eve", Stance::Veto).verdict();
    assert_eq!((verdict.course(), verdict.again_at()), (Course::Wait, None));
    assert_eq!(verdict.reasons().len(), 1);
    assert_eq!(verdict.reasons()[0].clears, Clears::Withdrawal { by: vec!["eve".into()] });
}

#[test]
fn whoever_may_not_ask_is_denied() {
    let mut gone = approved();
    gone.people = people(&[("bob", "release")]);
    let (course, ids, again) = gone.says();
    assert_eq!((course, ids.len(), again), (Course::Deny, 1, None));
    let mut strangers = approved();
    strangers.release.request.requester = "zoe".into();
    strangers.people = Directory::new([
        Person { id: "zoe".into(), teams: [].into(), identities: vec![] },
        Person { id: "bob".into(), teams: ["release".into()].into(), identities: vec![] },
    ]);
    assert_eq!(strangers.says().0, Course::Deny);
    // Before anything else is looked at.
    assert_eq!(strangers.dry().says().0, Course::Deny);
    assert_eq!(gone.empty().says().0, Course::Deny);
}

#[test]
fn members_that_were_seen_too_long_ago_are_looked_at_again() {
    assert_eq!(staging().members_seen("release", Some(10)).says(), plainly(Course::Start));
    // The facts are of second 10 too, and both may be 60 seconds old.
    assert_eq!(staging().members_seen("release", Some(20)).at(70).says(), plainly(Course::Start));
    let stale = staging().members_seen("release", Some(-41));
    assert_eq!(stale.says(), plainly(Course::Refresh));
    // One source that is fresh does not speak for another.
    assert_eq!(stale.members_seen("developers", Some(20)).says(), plainly(Course::Refresh));
    assert_eq!(staging().members_seen("release", None).says(), plainly(Course::Refresh));
    // It would not start anyway.
    let approval = production().members_seen("release", Some(-41));
    assert_eq!(approval.says(), wait(&["production-approval"], None));
}

#[test]
fn members_that_cannot_be_seen_mean_no_until_the_next_try() {
    let down = approved().members_seen("release", Some(-41)).slack_down_until(50);
    assert_eq!(down.says(), wait(&["members"], Some(50)));
    let why = &down.verdict().reasons()[0].why.clone();
    expect_test::expect!["Who is in release cannot be read from Slack user group S0614TZR7 since 2026-01-05 08:00 UTC: Slack does not answer."]
        .assert_eq(why);
    assert_eq!(down.at(50).says(), plainly(Course::Refresh));
    // What was seen a moment before the trouble began is as good as any other fact.
    assert_eq!(approved().members_seen("release", Some(10)).slack_down_until(50).says(), plainly(Course::Start));
    let red = approved().members_seen("release", Some(-41)).slack_down_until(50).ci(CiState::Red);
    assert_eq!(red.says(), wait(&["ci-green", "members"], Some(50)));
}

#[test]
fn who_cannot_be_looked_up_is_not_denied() {
    let mut unknown = approved();
    unknown.people = people(&[("ana", "nothing"), ("bob", "nothing")]);
    assert_eq!(unknown.clone().members_seen("developers", Some(10)).says().0, Course::Deny);
    let never = unknown.clone().members_seen("developers", None);
    assert_eq!(never.says(), plainly(Course::Refresh));
    assert_eq!(never.slack_down_until(50).says(), wait(&["members"], Some(50)));
    let old = unknown.members_seen("developers", Some(10)).and_too_old();
    assert_eq!(old.says(), plainly(Course::Refresh));
    // But somebody whom the configuration does not name is nobody.
    let mut stranger = old;
    stranger.people = people(&[("bob", "release")]);
    assert_eq!(stranger.says().0, Course::Deny);
}

#[test]
fn a_dry_run_never_starts_and_says_what_would_be_in_the_way() {
    assert_eq!(staging().dry().says(), plainly(Course::DryRun));
    assert_eq!(staging().dry().at(1_000).says(), plainly(Course::DryRun));
    let (course, ids, again) = production().dry().locked("cem", Some(50)).says();
    assert_eq!((course, ids, again), (Course::DryRun, vec!["locked".into(), "production-approval".into()], None));
}

#[test]
fn nothing_to_do_is_said_only_of_what_stays_so() {
    assert_eq!(staging().empty().says(), plainly(Course::NothingToDo));
    assert_eq!(production().empty().locked("cem", None).says(), plainly(Course::NothingToDo));
    assert_eq!(staging().empty().while_another_runs().says(), wait(&["busy"], None));
    assert_eq!(staging().empty().after_another(15).says(), plainly(Course::Refresh));
    assert_eq!(staging().empty().after_another(10).says(), plainly(Course::NothingToDo));
}

#[test]
fn a_freeze_is_waited_out() {
    let freeze = r#"
        @id("quiet-morning")
        @why("Nothing goes out before nine.")
        forbid (principal, action == Action::"execute", resource)
        when { context.time.minute < 9 * 60 };
    "#;
    let mut frozen = staging();
    frozen.policies = policies(&[freeze]);
    assert_eq!(frozen.says(), wait(&["quiet-morning"], Some(3_600)));
    // The earlier of two moments.
    assert_eq!(frozen.clone().locked("cem", Some(90)).says(), wait(&["locked", "quiet-morning"], Some(90)));
    let open = frozen.at(3_600);
    assert_eq!(open.says(), plainly(Course::Refresh));
}

#[test]
fn a_time_that_nobody_could_compute_is_looked_at_again() {
    let reason = |clears| Reason::new("r", "w", clears);
    let next_quarter = Some(at(900));
    for clears in [Clears::Time { at: None }, Clears::Time { at: Some(at(20)) }, Clears::Time { at: Some(at(3)) }] {
        assert_eq!(first_moment(&[reason(clears)], at(20)), next_quarter);
    }
    let unknown = reason(Clears::Time { at: None });
    assert_eq!(first_moment(std::slice::from_ref(&unknown), at(899)), next_quarter, "the same answer until then");
    assert_eq!(first_moment(std::slice::from_ref(&unknown), at(900)), Some(at(1_800)));
    assert_eq!(first_moment(&[unknown, reason(Clears::Time { at: Some(at(60)) })], at(20)), Some(at(60)));
    assert_eq!(first_moment(&[reason(Clears::Nothing), reason(Clears::Facts)], at(20)), None);
}

#[test]
fn an_endless_age_does_not_overflow() {
    assert_eq!(after(at(0), i64::MAX), Timestamp::MAX);
}

#[test]
fn the_same_answer_at_another_moment_says_the_same() {
    let scene = production().locked("cem", Some(500));
    let (now, later) = (scene.verdict(), scene.clone().at(30).verdict());
    assert!(now != later && now.says_the_same_as(&later));
    assert!(!now.says_the_same_as(&scene.clone().ci(CiState::Red).verdict()));
    assert!(!now.says_the_same_as(&scene.vote("bob", Stance::Approve).verdict()));
}

#[test]
fn who_loosened_the_policies_waits_as_before() {
    let approval = built_in::FILES.iter().find(|(name, _)| *name == "production.cedar").unwrap().1;
    let more: Vec<_> =
        built_in::FILES.iter().filter(|(name, _)| *name != "production.cedar").map(|(_, text)| *text).collect();
    let loosened = {
        let files: Vec<_> =
            more.iter().enumerate().map(|(n, text)| (format!("{n}.cedar"), (*text).to_owned())).collect();
        let vocabulary = Vocabulary {
            teams: built_in::TEAMS.map(Into::into).into(),
            environments: ["production".into(), "staging".into()].into(),
        };
        PolicySet::parse(built_in::SCHEMA, &files, &vocabulary).unwrap()
    };
    assert!(approval.contains("production-approval"));
    let mut scene = production();
    scene.policies = loosened.clone();
    assert_eq!(scene.says(), plainly(Course::Start));
    let by = |who: &str| PolicyChange {
        by: [who.into()].into(),
        by_others: false,
        at: at(0),
        before: Some(POLICIES.clone()),
        after: Some(loosened.clone()),
    };
    scene.changes = vec![by("ana")];
    assert_eq!(scene.says(), wait(&["own-policy-change"], None));
    assert_eq!(scene.clone().vote("bob", Stance::Approve).says(), plainly(Course::Start));
    scene.changes = vec![by("bob")];
    assert_eq!(scene.says(), plainly(Course::Start));
}

#[test]
fn what_stays_untouched_never_starts_whatever_was_brought_by_hand() {
    let (target, image) = ("goals-staging".into(), "goals:latest".into());
    let runs = environment::TargetRuns { target, image, digest: None, commit: None, operation: None };
    let mut scene = staging().empty();
    scene.environment.by_hand = Some(environment::ByHand { runs, noticed_at: at(5) });
    assert_eq!(scene.clone().says(), plainly(Course::Start), "it is brought once more");
    let (paths, since) = ("web/**".into(), scene.plan.commit.clone());
    scene.plan.paths = Some(crate::paths::PathsSeen { paths, since, unknown: None });
    assert_eq!(scene.says(), plainly(Course::NothingToDo));
}

#[test]
fn a_tag_that_was_moved_past_slipway_is_something_to_do_where_releases_move_it() {
    let mut scene = staging().empty();
    let digest = scene.plan.image.digest.clone();
    scene.plan.past_slipway.tag = Some(environment::TagNames { tag: "latest".into(), digest, commit: None });
    assert_eq!(scene.clone().says(), plainly(Course::NothingToDo), "nobody would move it");
    scene.plan.promote = Some("{short}".into());
    assert_eq!(scene.clone().says(), plainly(Course::NothingToDo), "another one is moved");
    scene.plan.promote = Some("latest".into());
    assert_eq!(scene.says(), plainly(Course::Start));
}
