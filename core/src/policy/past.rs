//! What Slipway itself knows of an image's past: where exactly this image has served, and for how long.

use crate::environment::Environment;
use crate::ids::{CommitSha, EnvironmentName, ImageDigest};
use crate::plan::PlanKind;
use crate::release::Release;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The past of a plan's image, read in the transaction that judges it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// How it did in the environment that comes before the plan's; `None` where none does.
    pub soak: Option<Soak>,
    /// Whether it has served in the plan's own environment, and was found healthy there.
    pub known_good: bool,
    /// Whether somebody has marked a release of the plan's commit as known to be bad. Not looked at where migrations of it
    /// are only taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub known_bad: bool,
}

/// How long an image has served, healthy, in an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Soak {
    /// Which environment.
    pub environment: EnvironmentName,
    /// For how many seconds, in stays that are over.
    pub served_s: i64,
    /// Since when it serves now, if it does.
    pub since: Option<Timestamp>,
    /// What serves there instead, where it contains the plan's commit: a deployment of that would go backwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<CommitSha>,
}

impl Soak {
    /// For how many seconds it will have served at a moment, if nothing replaces it until then.
    #[must_use]
    pub fn seconds(&self, now: Timestamp) -> i64 {
        let now_s = self.since.map_or(0, |since| (now.as_second() - since.as_second()).max(0));
        self.served_s.saturating_add(now_s)
    }
}

impl Past {
    /// The past of an image that is to go to `here`; `before` is the environment that comes before it.
    #[must_use]
    pub fn of(image: &ImageDigest, here: &Environment, before: Option<&Environment>) -> Self {
        let stays = here.stays.iter().map(|stay| &stay.live).chain(&here.live);
        let known_good = stays.into_iter().any(|live| live.verified && live.image == *image);
        Self { soak: before.map(|before| soak(image, before)), known_good, known_bad: false }
    }
}

/// Whether what an environment runs contains a commit already, as far as the plans tell that brought it there, so that no
/// deployment brings the commit there any more. `brought`: releases that went live there, the newest first.
#[must_use]
pub fn has_passed(commit: &CommitSha, live: &CommitSha, brought: &[Release]) -> bool {
    let mut at = live;
    for release in brought {
        let plan = release.plan.as_ref().filter(|plan| plan.kind == PlanKind::Deploy && plan.commit == *at);
        // What went back stands for what had brought it first.
        let Some(plan) = plan else { continue };
        if plan.commits.iter().any(|contained| contained.sha == *commit) {
            return true;
        }
        // What ran before is contained in it, unless it is of another branch.
        match &plan.base {
            Some(base) if plan.takes_out.is_empty() => at = base,
            _ => return false,
        }
        if at == commit {
            return true;
        }
    }
    false
}

fn soak(image: &ImageDigest, environment: &Environment) -> Soak {
    let serves = |live: &crate::environment::Live| live.verified && live.image == *image;
    let over = environment.stays.iter().filter(|stay| serves(&stay.live)).map(|stay| (&stay.live, stay.until));
    let live = environment.live.as_ref().filter(|live| serves(live));
    // Where somebody brought something else past Slipway, it served until that was noticed.
    let (until_then, since) = match &environment.by_hand {
        Some(by_hand) => (live.map(|live| (live, by_hand.noticed_at)), None),
        None => (None, live.map(|live| live.since)),
    };
    let served_s =
        |(live, until): (&crate::environment::Live, Timestamp)| (until.as_second() - live.since.as_second()).max(0);
    Soak {
        environment: environment.key.environment.clone(),
        served_s: over.chain(until_then).map(served_s).sum(),
        since,
        ahead: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::{Event, Live, Waiting, step};
    use crate::plan::tests::{plan, sha};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_767_600_000 + seconds).unwrap()
    }

    fn image(n: u8) -> ImageDigest {
        ImageDigest::parse(&format!("sha256:{}", format!("{n:02x}").repeat(32))).unwrap()
    }

    /// A release brings an image, and is over at this moment.
    fn brought(environment: &Environment, n: u8, verified: bool, seconds: i64) -> Environment {
        let release: crate::ids::ReleaseId = format!("R{seconds}").as_str().into();
        let waiting = Waiting {
            release: release.clone(),
            requester: "ana".into(),
            kind: PlanKind::Deploy,
            commit: sha(n),
            contains: [sha(n)].into(),
            asked_at: at(seconds),
            bumped: None,
            passed: 0,
            brings_nothing: false,
        };
        let live = Live {
            release: release.clone(),
            commit: sha(n),
            image: image(n),
            by: "ana".into(),
            since: at(seconds),
            verified,
        };
        let events = [
            Event::Enqueued(waiting),
            Event::Started { release: release.clone(), requester: "ana".into(), at: at(seconds) },
            Event::Ended { release, live: Some(live), at: at(seconds) },
        ];
        events.iter().fold(environment.clone(), |now, event| step(&now, event).unwrap().0)
    }

    fn environment(name: &str) -> Environment {
        Environment::new(crate::ids::EnvironmentKey { service: "goals".into(), environment: name.into() })
    }

    #[test]
    fn an_image_soaks_while_it_serves_and_all_its_stays_count() {
        let here = environment("production");
        let soak = |staging: &Environment, n| Past::of(&image(n), &here, Some(staging)).soak.unwrap();
        let first = brought(&environment("staging"), 1, true, 0);
        assert_eq!(soak(&first, 1).seconds(at(600)), 600);
        assert_eq!(soak(&first, 2).seconds(at(600)), 0, "another image has not soaked");
        let replaced = brought(&first, 2, true, 700);
        assert_eq!(soak(&replaced, 1).seconds(at(9_000)), 700, "it stopped when it was replaced");
        assert_eq!(soak(&replaced, 1).since, None);
        let again = brought(&replaced, 1, true, 1_000);
        assert_eq!(soak(&again, 1).seconds(at(1_060)), 760);
        assert_eq!(soak(&again, 1).seconds(at(0)), 700, "a clock that went back adds nothing");
        assert_eq!(Past::of(&image(1), &here, None).soak, None);
    }

    #[test]
    fn what_was_not_found_healthy_neither_soaks_nor_is_known_to_be_good() {
        let sick = brought(&environment("staging"), 1, false, 0);
        let past = Past::of(&image(1), &sick, Some(&sick));
        assert_eq!(past.soak.unwrap().seconds(at(6_000)), 0);
        assert!(!past.known_good);
    }

    #[test]
    fn known_good_is_exactly_this_image_in_exactly_this_environment() {
        let production = brought(&brought(&environment("production"), 1, true, 0), 2, true, 50);
        let known = |image| Past::of(&image, &production, None).known_good;
        assert!(known(image(1)) && known(image(2)));
        assert!(!known(image(3)));
        assert_ne!(plan().image.digest, image(1));
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut production = environment("production");
        for n in 0..60 {
            production = brought(&production, n, true, i64::from(n));
        }
        assert_eq!(production.stays.len(), crate::environment::STAYS_LIMIT);
        assert!(!Past::of(&image(1), &production, None).known_good, "what is forgotten is not known");
        assert!(Past::of(&image(30), &production, None).known_good);
    }

    /// A deployment that went live: from a base, with what it shipped, and so many commits taken out.
    fn deployed(base: u8, shipped: &[u8], takes_out: u32) -> Release {
        let request: crate::release::Request = serde_json::from_value(serde_json::json!({
            "key": { "service": "goals", "environment": "staging" }, "kind": { "kind": "deploy" }, "reference": null,
            "requester": "ana", "reason": null, "dry_run": false, "origin": { "channel": "terminal:releases" },
            "at": at(0), "expires_at": at(60),
        }))
        .unwrap();
        let commits: Vec<_> = shipped.iter().map(|seed| crate::plan::tests::commit(*seed, None)).collect();
        let mut brought = plan();
        (brought.base, brought.commit, brought.commits) = (Some(sha(base)), sha(shipped[0]), commits);
        brought.takes_out.total = takes_out;
        Release { plan: Some(brought), ..Release::new("R".into(), request) }
    }

    #[test]
    fn what_an_environment_has_passed_is_told_by_the_plans_that_brought_it() {
        // 2 on 1; then 3 and 4; then 5, newest first.
        let brought = [deployed(4, &[5], 0), deployed(2, &[4, 3], 0), deployed(1, &[2], 0)];
        let passed = |commit, live| has_passed(&sha(commit), &sha(live), &brought);
        for contained in [1, 2, 3, 4] {
            assert!(passed(contained, 5), "{contained}");
        }
        assert!(!passed(6, 5), "it may come yet");
        assert!(passed(2, 4) && !passed(5, 4), "after a rollback to 4 what came later is newer");
    }

    #[test]
    fn a_commit_of_another_branch_has_passed_only_what_it_ships() {
        let brought = [deployed(4, &[9, 8], 2), deployed(2, &[4, 3], 0)];
        let passed = |commit| has_passed(&sha(commit), &sha(9), &brought);
        assert!(passed(8));
        assert!(!passed(4) && !passed(3), "they can be deployed there again");
    }
}
