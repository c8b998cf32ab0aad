//! Whose releases nobody could approve, found before anybody asks for one.

use super::set::PolicySet;
use super::{Asking, Case, Past, Slot, nobody_can};
use crate::facts::{CiFact, CiState, Facts, Observed};
use crate::ids::{CommitSha, EnvironmentName, ImageDigest, PersonId, ReleaseId, ServiceName};
use crate::person::{Directory, Person};
use crate::plan::{Commit, Plan, PlanKind, PlannedImage};
use jiff::Timestamp;

/// How many pairs of somebody who asks and an author are tried.
pub(super) const PAIRS_LIMIT: usize = 400;

/// Somebody asks for an ordinary release with a commit of somebody's, and there are not enough people to approve it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlock {
    /// Who asks.
    pub requester: PersonId,
    /// Whose commit it is; often the same.
    pub author: PersonId,
    /// The approvals that nobody is left to give; [`Slot::who`] still could.
    pub missing: Vec<Slot>,
}

impl PolicySet {
    /// Asks for everybody who may ask, with a commit of each, until too many have been tried. An ordinary release has
    /// green CI, a known base and no migrations.
    #[must_use]
    pub fn deadlocks(
        &self,
        service: &ServiceName,
        environment: &EnvironmentName,
        timezone: &str,
        people: &Directory,
        now: Timestamp,
    ) -> Vec<Deadlock> {
        let may_ask = |person: &&Person| {
            self.may_ask(&Asking { person, service, environment, kind: PlanKind::Deploy }).is_allow()
        };
        let requesters: Vec<_> = people.iter().filter(may_ask).collect();
        // Most people release what they wrote themselves.
        let own = requesters.iter().map(|&requester| (requester, requester));
        let others = requesters.iter().flat_map(|&requester| {
            let authors = people.iter().filter(|author| author.id != requester.id);
            authors.map(move |author| (requester, author))
        });
        let ci = CiFact { state: CiState::Green, total: 1, passed: 1, failing: vec![], missing: vec![] };
        let facts = Facts::of_ci(Observed { value: ci, at: now });
        let deadlock = |(requester, author): (&Person, &Person)| {
            let plan = ordinary(service, environment, author)?;
            let decision = self.may_execute(&Case {
                release: &ReleaseId::new(""),
                requester: Some(requester),
                plan: &plan,
                votes: &[],
                waiver: None,
                facts: &facts,
                past: &Past::default(),
                people,
                now,
                timezone,
            });
            let missing = nobody_can(&decision)?;
            Some(Deadlock { requester: requester.id.clone(), author: author.id.clone(), missing })
        };
        own.chain(others).take(PAIRS_LIMIT).filter_map(deadlock).collect()
    }
}

/// One commit of somebody's, on top of what runs. `None` never happens: the ids are well formed.
pub(super) fn ordinary(service: &ServiceName, environment: &EnvironmentName, author: &Person) -> Option<Plan> {
    let (base, sha) = (CommitSha::parse(&"0".repeat(40)).ok()?, CommitSha::parse(&"1".repeat(40)).ok()?);
    let commit = Commit {
        sha: sha.clone(),
        title: String::new(),
        author_name: String::new(),
        author_login: None,
        author: Some(author.id.clone()),
        pull_request: None,
    };
    let digest = ImageDigest::parse(&format!("sha256:{}", "0".repeat(64))).ok()?;
    Some(Plan {
        service: service.clone(),
        environment: environment.clone(),
        kind: PlanKind::Deploy,
        base: Some(base),
        base_since: None,
        commit: sha,
        commits: vec![commit],
        commits_total: 1,
        image: PlannedImage { repository: String::new(), digest, tag: String::new(), pushed_at: None },
        migrations: vec![],
        taken_back: vec![],
        workflow: vec![],
        past_slipway: Default::default(),
        with: vec![],
        paths: None,
        takes_out: Default::default(),
        files_from: None,
        goes_on: false,
        between: Default::default(),
        unknown_applied: vec![],
        half_done: vec![],
        edited: vec![],
        rehearsal: None,
        config: vec![],
        drift: None,
        targets: vec![],
        promote: None,
    })
}
