//! A situation, and the question that is asked in it.

use crate::environment::{Environment, Live, Stay};
use crate::facts::{CiFact, CiState, Facts, Observed, ScanCounts, ScanFact};
use crate::ids::{CommitSha, EnvironmentKey, EnvironmentName, ImageDigest, PersonId, ReleaseId};
use crate::migration::{Danger, DangerKind, TableSize};
use crate::person::{Directory, Person};
use crate::plan::{Commit, ConfigVersion, Plan, PlanDigest, PlanKind, PlannedImage, PlannedMigration, TakesOut};
use crate::policy::{Act, Action, Asking, Case, Decision, Override, Past, PolicySet, Stance, Vote};
use crate::workflow::{Bypass, BypassKind};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// How long ago an image was replaced that has served and serves no more.
const REPLACED_AGO: SignedDuration = SignedDuration::from_hours(1);

/// A vote or an override, and whether it is for the plan as it is.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) by: PersonId,
    pub(super) on_this_plan: bool,
}

/// What is to be released.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) key: EnvironmentKey,
    pub(super) kind: PlanKind,
    pub(super) authors: Vec<PersonId>,
    pub(super) unknown_authors: usize,
    /// At least as many as there are authors.
    pub(super) commits: usize,
    pub(super) migrations: usize,
    pub(super) base_known: bool,
    pub(super) destructive: bool,
    pub(super) locks: bool,
    pub(super) rewrites_rows: bool,
    pub(super) reversible: bool,
    pub(super) takes_out: usize,
}

/// How an image did in the environment before.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) environment: EnvironmentName,
    pub(super) for_s: i64,
    pub(super) serves: bool,
    pub(super) same_image: bool,
    pub(super) healthy: bool,
}

/// Everything that a case says.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) action: Action,
    /// Who does it.
    pub(super) who: PersonId,
    pub(super) requester: PersonId,
    /// Whose lock it is.
    pub(super) owner: PersonId,
    pub(super) people: Directory,
    pub(super) change: Change,
    pub(super) approvals: Vec<Given>,
    pub(super) vetoes: Vec<Given>,
    pub(super) waiver: Option<Given>,
    pub(super) ci: CiState,
    pub(super) served: Option<Served>,
    pub(super) known_good: bool,
    pub(super) now: Timestamp,
    pub(super) timezone: TimeZone,
    pub(super) timezone_name: String,
    pub(super) known_bad: bool,
    /// How many ways lead around the gate.
    pub(super) bypasses: usize,
    pub(super) scan: Option<ScanCounts>,
}

impl Scene {
    /// What is asked, for people.
    pub(super) fn subject(&self) -> String {
        let Self { who, requester, owner, change, .. } = self;
        let EnvironmentKey { service, environment } = &change.key;
        let release = match change.kind {
            PlanKind::Deploy | PlanKind::Config => format!("the release of {service} to {environment}"),
            PlanKind::Rollback => format!("the rollback of {service} on {environment}"),
            PlanKind::MigrateUp | PlanKind::MigrateDown => format!("the migrations of {service} on {environment}"),
        };
        match self.action {
            Action::Request => format!("{who}'s request to deploy {service} to {environment}"),
            Action::Rollback => format!("{who}'s request to roll {service} back on {environment}"),
            Action::Migrate => format!("{who}'s request to migrate {service} on {environment}"),
            Action::Lock => format!("{who}'s lock on {environment}"),
            Action::Unlock => format!("{who}'s end to {owner}'s lock on {environment}"),
            Action::Cancel => format!("{who}'s cancelling of {requester}'s release to {environment}"),
            Action::Approve => format!("{who}'s approval of {release}"),
            Action::Veto => format!("{who}'s veto of {release}"),
            Action::Override => format!("{who}'s override for {release}"),
            Action::Bump => format!("{who}'s putting {requester}'s release to {environment} first"),
            Action::Execute => format!("The start of {release} that {requester} asked for"),
            Action::Ship => format!("{who}'s request to merge a pull request of {service} for {environment}"),
        }
    }

    /// Puts the question, exactly as the bot does.
    pub(super) fn ask(&self, set: &PolicySet) -> Decision {
        let somebody = Person { id: self.who.clone(), teams: Default::default(), identities: vec![] };
        let person = self.people.get(&self.who).unwrap_or(&somebody);
        let EnvironmentKey { service, environment } = &self.change.key;
        let asking = |kind| set.may_ask(&Asking { person, service, environment, kind });
        let act = |act| set.may_act(person, act, service, environment);
        match self.action {
            Action::Request => asking(PlanKind::Deploy),
            Action::Rollback => asking(PlanKind::Rollback),
            Action::Migrate => asking(PlanKind::MigrateUp),
            Action::Lock => act(Act::Lock),
            Action::Unlock => act(Act::Unlock { owner: &self.owner }),
            Action::Cancel => act(Act::Cancel { requester: &self.requester }),
            Action::Approve => self.with_case(|case| set.may_vote(person, Stance::Approve, case)),
            Action::Veto => self.with_case(|case| set.may_vote(person, Stance::Veto, case)),
            Action::Override => self.with_case(|case| set.may_override(person, case)),
            Action::Execute => self.with_case(|case| set.may_execute(case)),
            Action::Ship => act(Act::Ship),
            Action::Bump => act(Act::Bump { requester: &self.requester }),
        }
    }

    fn with_case<T>(&self, judge: impl FnOnce(&Case<'_>) -> T) -> T {
        let plan = self.change.plan();
        let (votes, waiver, past) = (self.votes(&plan), self.waiver(&plan), self.past(&plan.image.digest));
        let facts = self.facts();
        judge(&Case {
            release: &ReleaseId::new("case"),
            requester: self.people.get(&self.requester),
            plan: &plan,
            votes: &votes,
            waiver: waiver.as_ref(),
            facts: &facts,
            past: &past,
            people: &self.people,
            now: self.now,
            timezone: &self.timezone_name,
        })
    }

    fn facts(&self) -> Facts {
        let passed = u32::from(self.ci == CiState::Green);
        let ci = CiFact {
            state: self.ci,
            total: u32::from(self.ci != CiState::Missing),
            passed,
            failing: vec![],
            missing: vec![],
        };
        let way = Bypass { place: "case".to_owned(), line: None, kind: BypassKind::AutomaticDeployments { tag: None } };
        let bypasses = Observed { value: vec![way; self.bypasses], at: self.now };
        let scan = self.scan.map(|findings| Observed { value: ScanFact::Done { findings }, at: self.now });
        Facts { bypasses: Some(bypasses), scan, ..Facts::of_ci(Observed { value: ci, at: self.now }) }
    }

    fn votes(&self, plan: &Plan) -> Vec<Vote> {
        let (this, another) = (plan.digest(), another(plan).digest());
        let vote = |person: &PersonId, stance, digest: &PlanDigest| Vote {
            person: person.clone(),
            stance,
            digest: digest.clone(),
            at: self.now,
        };
        let given = |given: &Given, stance| {
            let digest = if given.on_this_plan { &this } else { &another };
            vote(&given.by, stance, digest)
        };
        let approvals = self.approvals.iter().map(|approval| given(approval, Stance::Approve));
        approvals.chain(self.vetoes.iter().map(|veto| given(veto, Stance::Veto))).collect()
    }

    fn waiver(&self, plan: &Plan) -> Option<Override> {
        let given = self.waiver.as_ref()?;
        Some(Override {
            by: given.by.clone(),
            incident: "case".to_owned(),
            reason: "case".to_owned(),
            digest: if given.on_this_plan { plan.digest() } else { another(plan).digest() },
            at: self.now,
        })
    }

    /// The past as Slipway works it out from what it remembers of two environments.
    fn past(&self, image: &ImageDigest) -> Past {
        let mut here = Environment::new(self.change.key.clone());
        if self.known_good {
            let live = live(image, self.now - REPLACED_AGO - REPLACED_AGO, true);
            here.stays.push(Stay { live, until: self.now - REPLACED_AGO });
        }
        let before = self.served.as_ref().map(|served| {
            let service = self.change.key.service.clone();
            let key = EnvironmentKey { service, environment: served.environment.clone() };
            let mut before = Environment::new(key);
            let until = if served.serves { self.now } else { self.now - REPLACED_AGO };
            let since = until - SignedDuration::from_secs(served.for_s);
            let another = image_of(1);
            let live = live(if served.same_image { image } else { &another }, since, served.healthy);
            if served.serves {
                before.live = Some(live);
            } else {
                before.stays.push(Stay { live, until });
            }
            before
        });
        Past { known_bad: self.known_bad, ..Past::of(image, &here, before.as_ref()) }
    }
}

fn live(image: &ImageDigest, since: Timestamp, verified: bool) -> Live {
    Live {
        release: ReleaseId::new("before"),
        commit: sha(0),
        image: image.clone(),
        by: "before".into(),
        since,
        verified,
    }
}

/// The same plan after something that a vote is about has changed.
fn another(plan: &Plan) -> Plan {
    let changed = ConfigVersion::new("changed", "1");
    Plan { config: vec![changed], ..plan.clone() }
}

fn sha(n: usize) -> CommitSha {
    CommitSha::parse(&format!("{n:040x}")).expect("40 digits of hex are a commit")
}

fn image_of(n: usize) -> ImageDigest {
    ImageDigest::parse(&format!("sha256:{n:064x}")).expect("64 digits of hex are a digest")
}

impl Change {
    fn plan(&self) -> Plan {
        let listed = self.commits.min(Plan::COMMITS_LIMIT);
        let known =
            (0..listed.saturating_sub(self.unknown_authors)).map(|n| self.authors.get(n).or(self.authors.first()));
        let authors = known.map(|author| author.cloned()).chain((0..self.unknown_authors).map(|_| None));
        let commits: Vec<_> = authors.zip(1..).map(|(author, n)| commit(author, n)).collect();
        let image =
            PlannedImage { repository: String::new(), digest: image_of(2), tag: String::new(), pushed_at: None };
        Plan {
            base: self.base_known.then(|| sha(0)),
            commits_total: u32::try_from(self.commits).unwrap_or(u32::MAX),
            commits,
            migrations: (1..).take(self.migrations).map(|version| self.migration(version)).collect(),
            takes_out: TakesOut { commits: vec![], total: u32::try_from(self.takes_out).unwrap_or(u32::MAX) },
            ..Plan::bare(&self.key, self.kind, sha(Plan::COMMITS_LIMIT + 1), image)
        }
    }

    /// One migration; the first has all the dangers.
    fn migration(&self, version: u64) -> PlannedMigration {
        let small = Some(TableSize { rows: Some(1), bytes: 1 });
        let dangers = [
            (self.destructive, DangerKind::DropColumn, small),
            (self.locks, DangerKind::BlockingIndex, None),
            (self.rewrites_rows, DangerKind::UpdateAll, small),
        ];
        let dangers = dangers.into_iter().filter(|(is, ..)| *is && version == 1);
        PlannedMigration {
            version: version.into(),
            file: format!("{version}.sql"),
            checksum: String::new(),
            down_checksum: None,
            reversible: self.reversible,
            transactional: true,
            summary: String::new(),
            dangers: dangers.map(|(_, kind, size)| Danger { size, ..Danger::new(kind, None) }).collect(),
            down_loses_data: false,
            late: false,
            not_run: None,
            statements: String::new(),
            ignored: vec![],
        }
    }
}

fn commit(author: Option<PersonId>, n: usize) -> Commit {
    Commit {
        sha: sha(n),
        title: String::new(),
        author_name: String::new(),
        author_login: None,
        author,
        pull_request: None,
    }
}
