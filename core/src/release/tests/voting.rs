//! Verdicts, votes and plans that change while a release waits.

use super::*;
use crate::plan::PlanChange;
use crate::release::{GatherProblem, Outcome, PlanningStage, Voided};

fn voters(life: &Life) -> Vec<(&str, Stance)> {
    life.release.votes.iter().map(|vote| (vote.person.as_str(), vote.stance)).collect()
}

/// A plan that differs from the usual one in the image.
fn other_plan() -> Plan {
    let mut other = plan();
    other.image.digest = crate::ids::ImageDigest::parse(&format!("sha256:{}", "ef".repeat(32))).unwrap();
    other
}

fn voted() -> Life {
    Life::awaiting(&plan()).then(vote("bob", Stance::Approve, &plan(), 30)).then(vote("cem", Stance::Veto, &plan(), 31))
}

#[test]
fn a_person_has_one_vote() {
    let life = voted();
    assert_eq!(voters(&life), [("bob", Stance::Approve), ("cem", Stance::Veto)]);
    let life = life.then(vote("bob", Stance::Veto, &plan(), 32));
    assert_eq!(voters(&life), [("cem", Stance::Veto), ("bob", Stance::Veto)]);
    let life = life.then(Event::Withdrawn { person: "cem".into() });
    assert_eq!(voters(&life), [("bob", Stance::Veto)]);
    assert!(life.refuses(&Event::Withdrawn { person: "cem".into() }).why.is_some());
}

#[test]
fn a_vote_on_another_plan_is_refused() {
    let refused = Life::awaiting(&plan()).refuses(&vote("bob", Stance::Approve, &other_plan(), 30));
    assert_eq!(refused.why, Some("the plan has changed since"));
}

#[test]
fn nobody_votes_before_the_card_or_after_the_start() {
    for life in [Life::new(), Life::planned(&plan()), Life::started(&plan())] {
        life.refuses(&vote("bob", Stance::Approve, &plan(), 30));
    }
    let queued = Life::planned(&plan()).judged("wait", &[somebody_runs()]);
    assert_eq!(voters(&queued.then(vote("bob", Stance::Veto, &plan(), 30))), [("bob", Stance::Veto)]);
}

#[test]
fn a_changed_plan_voids_the_votes_and_tells_the_voters() {
    let life = voted().judged("refresh", &[]).then(planned(&other_plan(), 100));
    assert_eq!(voters(&life), [("cem", Stance::Veto)], "who objects need not object again");
    assert!(!life.release.gathering);
    assert_eq!(life.release.digest(), Some(other_plan().digest()));
    let Some(Effect::Tell { people, what }) = life.effects.last() else { panic!("{:?}", life.effects.last()) };
    assert_eq!(*people, ["bob".into()]);
    assert_eq!(what, "The plan of goals → production changed, your vote is void.");
    let image = |plan: &Plan| plan.image.digest.short();
    let changes = vec![PlanChange { what: "image".into(), from: image(&plan()), to: image(&other_plan()) }];
    let voided = Voided { digest: plan().digest(), voters: vec!["bob".into()], override_by: None, changes, at: None };
    assert_eq!(life.release.voided, Some(voided));
    life.refuses(&vote("bob", Stance::Approve, &plan(), 101));
}

#[test]
fn a_changed_plan_without_votes_disturbs_nobody() {
    let life = Life::awaiting(&plan()).judged("refresh", &[]).then(planned(&other_plan(), 100));
    assert_eq!(life.effect_names().last(), Some(&"gather"));
    assert_eq!(life.release.voided.unwrap().voters, []);
}

#[test]
fn votes_stand_when_the_plan_does_less() {
    let mut less = plan();
    less.base = Some(sha(2));
    less.commits.truncate(1);
    less.migrations.clear();
    let life = voted().judged("refresh", &[]).then(planned(&less, 100));
    assert_eq!(voters(&life), [("bob", Stance::Approve), ("cem", Stance::Veto)]);
    assert!(life.release.votes.iter().all(|vote| vote.digest == less.digest()));
    assert_eq!(life.release.voided, None);
    // And approvals are void when it does more again.
    let life = life.judged("refresh", &[]).then(planned(&plan(), 200));
    assert_eq!(voters(&life), [("cem", Stance::Veto)]);
}

#[test]
fn the_same_plan_again_changes_facts_only() {
    let life = voted().judged("refresh", &[]).then(planned(&plan(), 100));
    assert_eq!(voters(&life).len(), 2);
    assert_eq!((life.release.facts, life.release.gathered), (Some(facts(100)), 1));
    assert_eq!(life.effects.last(), Some(&Effect::Gather));
}

#[test]
fn approvals_are_void_once_a_mark_was_taken_away_and_objections_stand() {
    let life = voted().then(Event::VotesVoid { by: "ana".into(), at: None });
    assert_eq!(voters(&life), [("cem", Stance::Veto)]);
    let voided = life.release.voided.clone().unwrap();
    assert_eq!((voided.digest, voided.voters, voided.changes), (plan().digest(), vec!["bob".into()], vec![]));
    let told = life.effects.last().cloned();
    assert!(matches!(told, Some(Effect::Tell { people, .. }) if people == ["bob".into()]), "{:?}", life.effects);
    // Whose vote is void votes again, and nothing is void twice.
    life.refuses(&Event::VotesVoid { by: "ana".into(), at: None });
    let life = life.then(vote("bob", Stance::Approve, &plan(), 101));
    assert_eq!(voters(&life), [("cem", Stance::Veto), ("bob", Stance::Approve)]);
}

#[test]
fn what_is_asked_again_is_asked_under_another_name_also_where_nobody_had_approved_it() {
    let (before, void) = (Life::awaiting(&plan()), |s| Event::VotesVoid { by: "ana".into(), at: Some(at(s)) });
    assert_eq!(before.release.asked_about(), Some(plan().digest()));
    let life = before.then(void(40));
    let again = life.release.asked_about().unwrap();
    assert_eq!((life.release.unmarked_at(), life.release.digest()), (Some(at(40)), Some(plan().digest())));
    assert_ne!(again.as_str()[..32], plan().digest().as_str()[..32], "chats cut it");
    assert_eq!(life.effect_names().last(), Life::awaiting(&plan()).effect_names().last(), "nobody is told");
    let life = life.then(vote("bob", Stance::Approve, &plan(), 41)).then(void(50));
    assert_eq!(voters(&life), []);
    assert_ne!(life.release.asked_about(), Some(again));
    let unmarked = life.judged("refresh", &[]).then(planned(&other_plan(), 100)).release.unmarked_at();
    assert_eq!(unmarked, Some(at(50)), "another plan makes nothing of it undone");
}

#[test]
fn a_verdict_about_another_plan_is_refused() {
    for life in [Life::planned(&plan()), Life::awaiting(&plan())] {
        for course in ["start", "deny", "wait"] {
            let refused = life.refuses(&judged(course, &other_plan(), &[], 30));
            assert_eq!(refused.why, Some("the verdict is about another plan"));
        }
    }
}

#[test]
fn nothing_is_judged_while_it_is_planned_again() {
    let life = Life::awaiting(&plan()).judged("refresh", &[]);
    assert!(!life.release.wants_judgement());
    life.refuses(&judged("start", &plan(), &[], 30));
    let life = life.then(planned(&plan(), 31));
    assert!(life.release.wants_judgement());
    life.refuses(&planned(&plan(), 32));
}

#[test]
fn approvers_are_asked_once_also_when_the_first_plan_was_too_old() {
    let asked = |life: &Life| -> Vec<_> {
        let told = |effect: &Effect| match effect {
            Effect::Tell { people, .. } => Some(people.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")),
            _ => None,
        };
        life.effects.iter().filter_map(told).collect()
    };
    let life = Life::planned(&plan()).judged("refresh", &[]);
    assert_eq!(life.release.phase, Phase::Planning { stage: PlanningStage::Judging });
    assert!(asked(&life).is_empty());
    let life = life.then(planned(&plan(), 40)).judged("wait", &[vote_is_missing(), somebody_runs()]);
    assert_eq!(asked(&life), ["bob cem"]);
    let life = life.judged("refresh", &[]).then(planned(&plan(), 80)).judged("wait", &[vote_is_missing()]);
    assert_eq!(asked(&life), ["bob cem"]);
}

#[test]
fn it_awaits_approval_only_while_votes_would_help() {
    let veto = Reason { clears: Clears::Withdrawal { by: vec!["bob".into()] }, ..vote_is_missing() };
    let frozen = Reason { clears: Clears::Time { at: Some(at(900)) }, ..vote_is_missing() };
    let phase = |reasons: &[Reason]| Life::planned(&plan()).judged("wait", reasons).release.phase;
    assert_eq!(phase(&[vote_is_missing()]), Phase::AwaitingApproval);
    assert_eq!(phase(&[frozen.clone(), veto]), Phase::AwaitingApproval);
    assert_eq!(phase(&[somebody_runs()]), Phase::Queued);
    assert_eq!(phase(&[frozen]), Phase::Queued);
}

#[test]
fn a_moment_to_look_again_becomes_a_timer() {
    let verdict = verdict("wait", &plan().digest(), &[somebody_runs()], 20, Some(900));
    let life = Life::planned(&plan()).then(Event::Judged { verdict: Box::new(verdict) });
    assert_eq!(life.effects.last(), Some(&Effect::JudgeAt { at: at(900) }));
}

#[test]
fn what_cannot_be_gathered_again_is_said_and_waited_out() {
    let failure = Failure::new("GitHub does not answer.");
    let failed = Event::PlanningFailed { step: None, failure: failure.clone(), at: at(50) };
    for life in [Life::planned(&plan()), voted()] {
        let phase = life.release.phase.clone();
        let votes = life.release.votes.clone();
        let life = life.judged("refresh", &[]).then(failed.clone());
        assert_eq!(life.release.phase, phase);
        assert!(life.release.wants_judgement());
        assert_eq!(life.release.gather_problem, Some(GatherProblem { failure: failure.clone(), at: at(50) }));
        assert_eq!(life.release.votes, votes);
        let life = life.judged("refresh", &[]).then(planned(&plan(), 90));
        assert_eq!(life.release.gather_problem, None);
    }
}

#[test]
fn a_request_that_has_become_wrong_fails() {
    let wrong = Failure::new("A newer commit runs there.").final_for_request();
    let failed = Event::PlanningFailed { step: None, failure: wrong.clone(), at: at(50) };
    let life = voted().judged("refresh", &[]).then(failed);
    assert_eq!(life.release.outcome, Some(Outcome::Failed { step: None, failure: wrong }));
}

#[test]
fn it_is_given_up_when_it_was_planned_too_often() {
    let mut life = Life::awaiting(&plan());
    for round in 0..500 {
        life = life.judged("refresh", &[]).then(planned(&plan(), round));
    }
    assert_eq!(life.release.gathered, 500);
    let life = life.judged("refresh", &[]);
    assert_eq!(life.release.phase, Phase::Failed);
}

#[test]
fn other_verdicts_end_it() {
    for (course, phase, outcome) in [
        ("deny", Phase::Denied, Outcome::Denied),
        ("nothing_to_do", Phase::Cancelled, Outcome::NothingToDo),
        ("dry_run", Phase::Cancelled, Outcome::DryRun),
    ] {
        for life in [Life::planned(&plan()), Life::awaiting(&plan())] {
            let life = life.judged(course, &[]);
            assert_eq!((&life.release.phase, &life.release.outcome), (&phase, &Some(outcome.clone())));
            assert_eq!(life.release.ended_at, Some(at(20)));
        }
    }
}
