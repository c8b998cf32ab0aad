//! What is known to be bad is refused when it is planned, before anybody is asked.

use super::*;
use crate::policy::{POLICY_ERROR, Soak};
use crate::release::{Event, step};
use crate::together::Together;

const CLOSED: &str = "@id(\"closed\") @why(\"The shop is closed.\")
forbid (principal, action == Action::\"execute\", resource);";

const CLOSED_UNLESS_OVERRIDDEN: &str = "@id(\"closed\") @why(\"The shop is closed.\")
forbid (principal, action == Action::\"execute\", resource) unless { context.overridden };";

const BROKEN: &str = "@id(\"broken\") @why(\"It cannot be evaluated.\")
forbid (principal, action == Action::\"execute\", resource) when { 9223372036854775807 + resource.commits > 0 };";

fn refused(ids: &[&str]) -> (Course, Vec<String>, Option<i64>) {
    (Course::Deny, ids.iter().map(|id| (*id).to_owned()).collect(), None)
}

fn known_bad(mut scene: Scene) -> Scene {
    scene.past.known_bad = true;
    scene
}

fn under(more: &'static str) -> Scene {
    let mut scene = production();
    scene.policies = policies(&[more]);
    scene
}

/// It waits for people already.
fn waiting(mut scene: Scene) -> Scene {
    scene.release.phase = Phase::AwaitingApproval;
    scene
}

#[test]
fn what_is_known_to_be_bad_is_refused_before_anybody_is_asked() {
    assert_eq!(known_bad(production()).says(), refused(&["known-bad"]), "the missing approval is no reason of its own");
    assert_eq!(known_bad(staging()).says(), refused(&["known-bad"]));
    assert_eq!(known_bad(production().behind_another()).says(), refused(&["known-bad"]), "it does not queue");
    let (course, ids, _) = known_bad(production().dry()).says();
    assert_eq!((course, ids.len()), (Course::DryRun, 2), "a dry run tells everything");
}

#[test]
fn what_waits_already_goes_on_waiting() {
    assert_eq!(waiting(known_bad(production())).says(), wait(&["known-bad", "production-approval"], None));
}

#[test]
fn of_other_rules_it_is_not_known_that_nothing_clears_them() {
    assert_eq!(under(CLOSED).says(), wait(&["closed", "production-approval"], None));
    assert_eq!(under(CLOSED_UNLESS_OVERRIDDEN).says(), wait(&["closed", "production-approval"], None));
    let (course, ids, _) = under(BROKEN).says();
    assert_eq!((course, ids), (Course::Wait, vec![POLICY_ERROR.to_owned()]), "the rules may be mended");
}

#[test]
fn a_plan_that_is_known_to_be_wrong_is_made_again_first() {
    assert_eq!(known_bad(production().after_another(15)).says().0, Course::Refresh);
}

#[test]
fn of_a_group_the_lead_is_refused() {
    let mut follower = known_bad(production());
    follower.release.request.together = Some(Together { all: vec![OTHER.into(), ME.into()] });
    assert_eq!(follower.says().0, Course::Wait);
    let mut lead = production();
    lead.alongside.add(&"web".into(), follower.verdict().reasons());
    assert_eq!(lead.says(), refused(&["web/known-bad"]));
}

#[test]
fn nobody_is_asked_while_a_soak_cannot_end_and_all_are_once_it_is_overridden_or_has() {
    let mut scene = production();
    scene.past.soak = Some(Soak { environment: "staging".into(), served_s: 60, since: None, ahead: Some(sha(9)) });
    let verdict = scene.verdict();
    assert_eq!(verdict.course(), Course::Wait);
    let soak = verdict.reasons().iter().find(|reason| reason.id == "soak-30m").unwrap();
    assert!(soak.needs_mending() && soak.overridable, "{soak:?}");
    let judged = |release: &Release, verdict| step(release, &Event::Judged { verdict: Box::new(verdict) }).unwrap();
    scene.release.phase = Phase::Planning { stage: crate::release::PlanningStage::Judging };
    scene.release.plan = Some(scene.plan.clone());
    let (held, effects) = judged(&scene.release, verdict);
    assert_eq!(held.phase, Phase::Queued);
    assert!(!effects.iter().any(|effect| effect.name() == "tell"), "{effects:?}");
    // Staging was rolled back to just this image, and it has soaked since.
    scene.past.soak = Some(Soak { environment: "staging".into(), served_s: 0, since: Some(at(-7_200)), ahead: None });
    scene.release = held;
    let (asks, effects) = judged(&scene.release, scene.verdict());
    assert_eq!(asks.phase, Phase::AwaitingApproval);
    assert!(effects.iter().any(|effect| effect.name() == "tell"), "{effects:?}");
}
