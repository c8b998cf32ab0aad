//! What the shipped rules promise, over teams, authors and votes at random.

use super::fixture::{Scene, defaults, person, scene};
use crate::facts::CiState;
use crate::ids::PersonId;
use crate::person::Directory;
use crate::policy::{PolicySet, Stance, Vote};
use proptest::prelude::*;
use std::sync::LazyLock;

const PEOPLE: [&str; 5] = ["ana", "bob", "chen", "dan", "eve"];
const TEAMS: [&[&str]; 4] = [&[], &["developers"], &["release"], &["developers", "release"]];

static POLICIES: LazyLock<PolicySet> = LazyLock::new(defaults);

/// Who voted how: (person, a veto, on another plan).
type Ballot = Vec<(usize, bool, bool)>;

fn at_random(teams: &[usize], authors: &[usize], ballot: &Ballot, green: bool) -> Scene {
    let mut scene = scene().authors(&authors.iter().map(|&author| PEOPLE[author]).collect::<Vec<_>>());
    scene.people = Directory::new(PEOPLE.iter().zip(teams).map(|(name, &of)| person(name, TEAMS[of])));
    scene.facts.ci.value.state = if green { CiState::Green } else { CiState::Red };
    let mut other = scene.plan.clone();
    other.image.repository.push('x');
    scene.votes = ballot
        .iter()
        .map(|&(who, veto, elsewhere)| Vote {
            person: PEOPLE[who].into(),
            stance: if veto { Stance::Veto } else { Stance::Approve },
            digest: if elsewhere { other.digest() } else { scene.plan.digest() },
            at: scene.now,
        })
        .collect();
    scene
}

/// The promise in Rust, written without a look at the rules.
fn promised(scene: &Scene, production: bool, green: bool) -> bool {
    let requester = PersonId::from("ana");
    let in_team = |id: &PersonId, team: &str| scene.people.get(id).is_some_and(|p| p.teams.contains(&team.into()));
    let asked_rightly = in_team(&requester, "developers") || in_team(&requester, "release");
    let objection = scene.votes.iter().any(|vote| vote.stance == Stance::Veto);
    let second_person = scene.votes.iter().any(|vote| {
        vote.stance == Stance::Approve
            && vote.digest == scene.plan.digest()
            && vote.person != requester
            && !scene.plan.authors().contains(&vote.person)
            && in_team(&vote.person, "release")
    });
    green && asked_rightly && !objection && (second_person || !production)
}

proptest! {
    #[test]
    fn a_release_runs_exactly_when_the_promise_holds(
        teams in proptest::collection::vec(0..TEAMS.len(), PEOPLE.len()),
        authors in proptest::collection::vec(0..PEOPLE.len(), 0..3),
        ballot in proptest::collection::vec((0..PEOPLE.len(), prop::bool::weighted(0.1), prop::bool::weighted(0.2)), 0..5),
        green in prop::bool::weighted(0.8),
        production in prop::bool::weighted(0.8),
    ) {
        let environment = if production { "production" } else { "staging" };
        let mut scene = at_random(&teams, &authors, &ballot, green);
        if !production {
            scene = scene.to(environment);
        }
        let decision = POLICIES.may_execute(&scene.case());
        prop_assert_eq!(decision.is_allow(), promised(&scene, production, green), "{:?}", decision);
        prop_assert_eq!(decision.is_allow(), decision.reasons().is_empty());
    }
}
