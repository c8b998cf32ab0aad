use super::*;
use crate::ids::EnvironmentKey;
use crate::plan::Plan;
use crate::plan::tests::{plan, sha};
use crate::release::{Failure, Origin, Request, RequestKind, Step};
use jiff::Timestamp;
use std::collections::BTreeMap;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_600_000 + seconds).unwrap()
}

/// Api, web and jobs, each with a plan; api's holds those of the others.
fn group() -> Vec<Release> {
    let all: Vec<ReleaseId> = ["01A", "01B", "01C"].map(Into::into).into();
    let release = |(service, id): (&str, &ReleaseId)| {
        let request = Request {
            key: EnvironmentKey { service: service.into(), environment: "production".into() },
            kind: RequestKind::Deploy,
            reference: None,
            requester: "ana".into(),
            reason: None,
            dry_run: false,
            origin: Origin { channel: "terminal:releases".into() },
            at: at(0),
            expires_at: at(60),
            together: Some(Together { all: all.clone() }),
        };
        let mut release = Release::new(id.clone(), request);
        release.plan = Some(Plan { service: service.into(), ..plan() });
        release.phase = Phase::AwaitingApproval;
        release
    };
    let mut members: Vec<_> = ["api", "web", "jobs"].into_iter().zip(&all).map(release).collect();
    let with = members[1..].iter().filter_map(PlannedWith::of).collect();
    members[0].plan.as_mut().unwrap().with = with;
    members
}

fn vote(person: &str, stance: Stance, on: &Release) -> Vote {
    Vote { person: person.into(), stance, digest: on.digest().unwrap(), at: at(1) }
}

#[test]
fn services_come_after_those_that_they_name_else_by_name() {
    let order = |after: &[(&str, &[&str])], names: &[&str]| {
        let after: BTreeMap<ServiceName, Vec<ServiceName>> = after
            .iter()
            .map(|(name, before)| ((*name).into(), before.iter().map(|before| (*before).into()).collect()))
            .collect();
        let names: Vec<ServiceName> = names.iter().map(|name| (*name).into()).collect();
        let ordered = ordered(&names, |name| after.get(name).map_or(&[], Vec::as_slice));
        ordered.into_iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(order(&[], &["web", "api", "jobs"]), "api jobs web");
    assert_eq!(order(&[("api", &["web"]), ("jobs", &["api"])], &["web", "api", "jobs"]), "web api jobs");
    assert_eq!(order(&[("api", &["web", "jobs"])], &["web", "api", "jobs"]), "jobs web api");
    assert_eq!(order(&[("api", &["gone"])], &["web", "api"]), "api web");
    assert_eq!(order(&[("a", &["b"]), ("b", &["a"])], &["b", "a", "c"]), "c a b", "a circle ends too");
}

#[test]
fn a_vote_on_the_lead_counts_for_exactly_the_plan_that_it_holds() {
    let mut members = group();
    let bob = vote("bob", Stance::Approve, &members[0]);
    members[0].votes = vec![bob.clone()];
    let (votes, _) = counted(&members[1], &members[0]);
    assert_eq!(votes, [vote("bob", Stance::Approve, &members[1]).clone()], "on the follower's own plan");

    let mut changed = members[1].clone();
    changed.plan.as_mut().unwrap().commit = sha(9);
    assert_eq!(counted(&changed, &members[0]).0, [], "that is not the plan that bob has seen");
    let mut unplanned = members[1].clone();
    unplanned.plan = None;
    assert_eq!(counted(&unplanned, &members[0]).0, []);
    // An approval of an earlier plan of the lead, which held this one too, is none of the lead's by now.
    let mut old = members[0].clone();
    old.plan.as_mut().unwrap().commit = sha(9);
    old.votes = vec![bob];
    assert_eq!(counted(&members[1], &old).0, []);
    // Nor does one count for a follower of the same plan that is another release.
    let twin = Release { id: "01X".into(), ..members[1].clone() };
    assert_eq!(counted(&twin, &members[0]).0, []);
}

#[test]
fn a_veto_is_against_all_of_them_and_an_own_vote_comes_first() {
    let mut members = group();
    members[0].votes = vec![vote("eve", Stance::Veto, &members[0]), vote("bob", Stance::Approve, &members[0])];
    let mut changed = members[1].clone();
    changed.plan.as_mut().unwrap().commit = sha(9);
    let (votes, _) = counted(&changed, &members[0]);
    assert_eq!(votes.iter().map(|vote| vote.stance).collect::<Vec<_>>(), [Stance::Veto]);
    members[1].votes = vec![vote("bob", Stance::Veto, &members[1])];
    let (votes, _) = counted(&members[1], &members[0]);
    let bobs: Vec<_> = votes.iter().filter(|vote| vote.person == "bob".into()).map(|vote| vote.stance).collect();
    assert_eq!(bobs, [Stance::Veto]);
}

#[test]
fn an_override_is_for_exactly_the_plans_as_well() {
    let mut members = group();
    let waiver = |on: &Release| Override {
        by: "bob".into(),
        incident: "INC-7".into(),
        reason: "down".into(),
        digest: on.digest().unwrap(),
        at: at(1),
    };
    members[0].waiver = Some(waiver(&members[0]));
    assert_eq!(counted(&members[1], &members[0]).1, Some(waiver(&members[1])));
    members[1].plan.as_mut().unwrap().commit = sha(9);
    assert_eq!(counted(&members[1], &members[0]).1, None);
}

#[test]
fn the_digest_covers_the_plans_of_the_others_and_nothing_of_a_plan_without_them() {
    let members = group();
    let plan = members[0].plan.clone().unwrap();
    let alone = Plan { with: vec![], ..plan.clone() };
    assert_ne!(plan.digest(), alone.digest());
    let mut shown = plan.clone();
    (shown.with[0].commits, shown.with[0].migrations, shown.with[0].commit) = (99, 9, sha(8));
    assert_eq!(shown.digest(), plan.digest(), "what is only shown does not count");
    let mut other = plan.clone();
    other.with[0].digest = alone.digest();
    assert_ne!(other.digest(), plan.digest());
    assert!(!other.shrinks(&plan), "the votes are void");
    assert_eq!(other.changes_from(&plan).iter().map(|c| c.what.as_str()).collect::<Vec<_>>(), ["together with"]);
    let fewer = Plan { with: plan.with[..1].to_vec(), ..plan.clone() };
    assert!(fewer.shrinks(&plan), "one of them has nothing to do any more");
    assert!(!plan.shrinks(&fewer));
    // Stored before there were such plans.
    let mut old = serde_json::to_value(&alone).unwrap();
    assert!(old.as_object_mut().unwrap().remove("with").is_none(), "it is not written where there is none");
    assert_eq!(serde_json::from_value::<Plan>(old).unwrap(), alone);
}

#[test]
fn a_follower_waits_for_the_first_before_it_that_has_not_ended_well() {
    let mut members = group();
    let held = |members: &[Release], n: usize| {
        let alongside = Alongside::of_follower(&members[n], members);
        alongside.held.first().map(|reason| reason.clears.clone())
    };
    let behind = |id: &str| Some(Clears::Release { id: id.into() });
    assert_eq!(held(&members, 2), behind("01A"));
    members[0].outcome = Some(Outcome::Live);
    assert_eq!((held(&members, 1), held(&members, 2)), (None, behind("01B")));
    members[1].outcome = Some(Outcome::NothingToDo);
    assert_eq!(held(&members, 2), None);
    let failure = Failure::new("Red.");
    members[1].outcome = Some(Outcome::Failed { step: Some(Step::Ci), failure });
    assert_eq!(held(&members, 2), behind("01B"), "never behind one that failed");
    assert_eq!(held(&members[2..], 0), behind("01A"), "nor behind one that cannot be read");
}

#[test]
fn a_plan_that_the_lead_does_not_hold_makes_its_own_wrong() {
    let mut members = group();
    let alongside = |members: &[Release]| {
        let verdict = |release: &Release| {
            let verdict = serde_json::json!({
                "course": "start", "reasons": [], "digest": release.digest(), "policy_hash": "p", "at": at(2), "again_at": null,
            });
            serde_json::from_value::<Verdict>(verdict).unwrap()
        };
        let followers: Vec<_> = members[1..].iter().map(|member| (member.clone(), Some(verdict(member)))).collect();
        Alongside::of_lead(&members[0], &followers)
    };
    assert_eq!(alongside(&members), Alongside::default());
    members[2].plan.as_mut().unwrap().commit = sha(9);
    assert!(alongside(&members).outdated);
    // While it is read again nobody knows yet.
    members[2].gathering = true;
    let waits = alongside(&members);
    assert_eq!((waits.outdated, waits.reasons.len()), (false, 1));
    assert_eq!(waits.reasons[0].why, "jobs: what would ship is being read.");
    // It has nothing to do any more, and is in the plan all the same.
    let mut members = group();
    members[1].outcome = Some(Outcome::NothingToDo);
    assert!(alongside(&members).outdated);
}

#[test]
fn one_approval_for_all_is_asked_for_once() {
    let missing = |team: &str| Clears::Votes {
        missing: vec![crate::policy::Slot { team: team.into(), missing: 1, who: vec!["bob".into()], or: vec![] }],
    };
    let own = Reason::new("production-approval", "An approval.", missing("release"));
    let mut alongside = Alongside::default();
    alongside.add(&"web".into(), std::slice::from_ref(&own));
    alongside.add(&"web".into(), &[Reason::new("dba-approval", "A dba.", missing("dba"))]);
    alongside.add(&"jobs".into(), &[Reason::new("ci-green", "CI must be green.", Clears::Facts)]);
    let all = alongside.beside(vec![own]);
    let ids: Vec<_> = all.iter().map(|reason| (reason.id.as_str(), is_of_another(reason))).collect();
    assert_eq!(ids, [("production-approval", false), ("web/dba-approval", true), ("jobs/ci-green", true)]);
    assert_eq!(all[1].why, "web: A dba.");
}

#[test]
fn an_objection_outlasts_a_lead_and_nothing_else() {
    use crate::release::{Event, step};
    let mut members = group();
    members[0].votes = vec![vote("eve", Stance::Veto, &members[0]), vote("bob", Stance::Approve, &members[0])];
    let takes_back = |release: &Release, person: &str| step(release, &Event::Withdrawn { person: person.into() });
    for phase in [Phase::Running { step: Step::Deploy }, Phase::Succeeded, Phase::Cancelled] {
        let lead = Release { phase, ..members[0].clone() };
        assert!(lead.objection_outlasts_it(&"eve".into()));
        let (after, effects) = takes_back(&lead, "eve").unwrap();
        assert_eq!((after.votes, effects), (vec![lead.votes[1].clone()], vec![]));
        assert!(takes_back(&lead, "bob").is_err(), "what was approved has run");
        assert!(takes_back(&lead, "cem").is_err());
        let mut alone = lead.clone();
        alone.request.together = None;
        assert!(takes_back(&alone, "eve").is_err(), "nobody waits for it");
        let follower = Release { phase: lead.phase.clone(), votes: lead.votes.clone(), ..members[1].clone() };
        assert!(takes_back(&follower, "eve").is_err());
    }
    assert!(!members[0].objection_outlasts_it(&"eve".into()), "it waits itself");
    assert_eq!(takes_back(&members[0], "eve").unwrap().0.votes.len(), 1);
}
