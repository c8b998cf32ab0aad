//! What policy costs: `cargo bench -p slipway-core`. The rules that Slipway comes with, a company of 200 people.

use jiff::{SignedDuration, Timestamp};
use slipway_core::facts::{CiFact, CiState, Facts, Observed};
use slipway_core::ids::{CommitSha, EnvironmentKey, ImageDigest, PersonId, ReleaseId};
use slipway_core::person::{Directory, Person};
use slipway_core::plan::{Commit, Plan, PlanKind, PlannedImage};
use slipway_core::policy::{Asking, Case, Past, PolicySet, Soak, Stance, Vocabulary, Vote, built_in};
use std::hint::black_box;

fn main() {
    divan::main();
}

const PEOPLE: usize = 200;

/// Everything that a decision looks at.
struct Company {
    policies: PolicySet,
    people: Directory,
    plan: Plan,
    votes: Vec<Vote>,
    facts: Facts,
    past: Past,
    release: ReleaseId,
    now: Timestamp,
}

impl Company {
    /// 200 people, of whom 40 are of the release team and 10 each of two others; a plan with 30 commits by 15 of
    /// them. Tuesday at noon, CI is green, the image has served on staging for an hour.
    fn new() -> Self {
        let name = |n: usize| PersonId::new(format!("person-{n}"));
        let teams = |n: usize| {
            let mut teams = vec!["developers"];
            teams.extend((n.is_multiple_of(5)).then_some("release"));
            teams.extend((n % 20 == 1).then_some("sre"));
            teams.extend((n % 20 == 2).then_some("dba"));
            teams.into_iter().map(Into::into).collect()
        };
        let person = |n: usize| Person { id: name(n), teams: teams(n), identities: vec![] };
        let sha = |n: usize| CommitSha::parse(&format!("{n:040x}")).expect("40 hex digits");
        let commit = |n: usize| Commit {
            sha: sha(n),
            title: format!("Change {n}"),
            author_name: String::new(),
            author_login: None,
            author: Some(name(n % 15)),
            pull_request: None,
        };
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().expect("a moment");
        let digest = ImageDigest::parse(&format!("sha256:{}", "ab".repeat(32))).expect("a digest");
        let key = EnvironmentKey { service: "goals".into(), environment: "production".into() };
        let image = PlannedImage { repository: "goals".into(), digest, tag: "30".into(), pushed_at: None };
        let plan = Plan {
            base: Some(sha(1_000)),
            commits: (1..=30).map(commit).collect(),
            commits_total: 30,
            ..Plan::bare(&key, PlanKind::Deploy, sha(30), image)
        };
        let vote = |n: usize| Vote { person: name(n), stance: Stance::Approve, digest: plan.digest(), at: now };
        let votes = [20, 25].map(vote).to_vec();
        let ci = CiFact { state: CiState::Green, total: 3, passed: 3, failing: vec![], missing: vec![] };
        let vocabulary = Vocabulary {
            teams: built_in::TEAMS.map(Into::into).into(),
            environments: ["production".into(), "staging".into()].into(),
        };
        let files = built_in::FILES.map(|(file, text)| (file.to_owned(), text.to_owned()));
        Self {
            policies: PolicySet::parse(built_in::SCHEMA, &files, &vocabulary).expect("the shipped rules are right"),
            people: Directory::new((0..PEOPLE).map(person)),
            votes,
            facts: Facts::of_ci(Observed { value: ci, at: now }),
            past: past(now, 3_600),
            release: "01KAR2Y3Z4A5B6C7D8E9F0G1H2".into(),
            plan,
            now,
        }
    }

    /// The same on a Friday evening: nobody has voted, nothing can be told of what runs, CI has not ended, and the
    /// image has served for ten minutes.
    fn with_everything_in_the_way() -> Self {
        let mut company = Self::new();
        company.now = "2026-11-28T02:00:00Z".parse().expect("a moment");
        company.past = past(company.now, 600);
        company.votes.clear();
        company.plan.base = None;
        company.facts.ci.value.state = CiState::Pending;
        company
    }

    fn case(&self) -> Case<'_> {
        Case {
            release: &self.release,
            requester: self.people.get(&"person-3".into()),
            plan: &self.plan,
            votes: &self.votes,
            waiver: None,
            facts: &self.facts,
            past: &self.past,
            people: &self.people,
            now: self.now,
            timezone: "America/Los_Angeles",
        }
    }
}

fn past(now: Timestamp, soak_s: i64) -> Past {
    let since = Some(now - SignedDuration::from_secs(soak_s));
    let soak = Some(Soak { environment: "staging".into(), served_s: 0, since, ahead: None });
    Past { soak, known_good: false, known_bad: false }
}

/// May somebody ask? The question that each command begins with.
#[divan::bench]
fn may_ask(bencher: divan::Bencher<'_, '_>) {
    let company = Company::new();
    let person = company.people.get(&"person-3".into()).expect("one of 200");
    let (service, environment) = ("goals".into(), "production".into());
    let asking = Asking { person, service: &service, environment: &environment, kind: PlanKind::Deploy };
    bencher.bench_local(|| assert!(black_box(company.policies.may_ask(&asking)).is_allow()));
}

/// The decision in the transaction that starts a run: two votes are counted, all rules are asked.
#[divan::bench]
fn decision(bencher: divan::Bencher<'_, '_>) {
    let company = Company::new();
    let case = company.case();
    bencher.bench_local(|| assert!(black_box(company.policies.may_execute(&case)).is_allow()));
}

/// The complete why as it is most often: nobody has voted yet, and the image has served for ten minutes only.
#[divan::bench]
fn why(bencher: divan::Bencher<'_, '_>) {
    let mut company = Company::new();
    company.votes.clear();
    company.past = past(company.now, 600);
    let case = company.case();
    bencher.bench_local(|| assert_eq!(black_box(company.policies.may_execute(&case)).reasons().len(), 2));
}

/// The complete why at its worst: five reasons, each with what clears it, who can, and the first moment.
#[divan::bench]
fn why_with_everything_in_the_way(bencher: divan::Bencher<'_, '_>) {
    let company = Company::with_everything_in_the_way();
    let case = company.case();
    bencher.bench_local(|| assert_eq!(black_box(company.policies.may_execute(&case)).reasons().len(), 5));
}

/// Who of the 200 can approve, and who cannot and why: what the card shows.
#[divan::bench]
fn voters(bencher: divan::Bencher<'_, '_>) {
    let company = Company::with_everything_in_the_way();
    let case = company.case();
    bencher.bench_local(|| assert!(!black_box(company.policies.voters(&case)).is_empty()));
}

/// Reading and checking the rules: at start and at each reload.
#[divan::bench]
fn load(bencher: divan::Bencher<'_, '_>) {
    bencher.bench_local(|| black_box(Company::new().policies.hash().len()));
}
