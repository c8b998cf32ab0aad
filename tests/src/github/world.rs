//! What GitHub knows beyond git, in memory.

use super::app::App;
use super::check_runs::MadeCheckRun;
use super::ci::{CiMode, JOBS, Pace, RunMoment, moment};
use super::collaborators::Role;
use super::deployments::{Deployment, Permission};
use super::pulls::{Merging, Pull};
use super::shape::shape_of;
use super::teams::{Account, TeamAccess};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashSet};

/// An image that a run has built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltImage {
    /// `owner/name`.
    pub repository: String,
    /// All 40 digits.
    pub commit: String,
}

/// A dispatch that took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// The workflow's file name.
    pub workflow: String,
    /// The branch or tag.
    pub reference: String,
    /// The commit it stood for.
    pub commit: String,
    /// The run that it started.
    pub run_id: u64,
}

/// How a server answers a dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DispatchAnswer {
    /// As github.com does since February 2026: 200 with the run's id when asked, else 204.
    Details,
    /// The field is taken and ignored: always 204.
    NoContent,
    /// The field is refused with 422, as Enterprise Server 3.19 does.
    RefusesField,
}

/// A failure to come.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Part of `METHOD /path?query`, or what [`super::shape_of`] makes of it.
    pub route: String,
    /// What happens.
    pub kind: FaultKind,
    /// How many times.
    pub times: u32,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// No answer ever comes, and nothing is done.
    Timeout,
    /// Nothing is done; this status is answered.
    Status(u16),
    /// 200 with something that is no JSON.
    Garbled,
    /// It is done, and the connection breaks before the answer is through.
    LostAnswerAfterAct,
    /// Nothing is done; 403 with `Retry-After`.
    RateLimited {
        /// What the header says, in seconds.
        retry_after: u32,
    },
    /// Nothing is done; 403 for want of a permission.
    Denied,
    /// It is done, and the answer breaks off in its middle.
    CutOff,
    /// It is done, and what is answered has no members.
    Hollow,
    /// It is done, and each entry of the answer's lists is there twice.
    Doubled,
}

#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) id: u64,
    pub(super) number: u64,
    pub(super) workflow: String,
    pub(super) commit: String,
    pub(super) reference: String,
    pub(super) event: &'static str,
    pub(super) created_at: Timestamp,
    pub(super) mode: CiMode,
    /// The hook has been told, or has nothing to be told of.
    pub(super) told: bool,
    /// From 1.
    pub(super) attempt: u32,
    /// When this attempt began.
    pub(super) attempt_at: Timestamp,
    /// What the workflow calls it; none: the commit's title.
    pub(super) title: Option<String>,
    /// It takes its time although nobody dispatched it: its commit was pushed just now.
    pub(super) takes_time: bool,
}

impl Run {
    pub(super) fn job_id(&self, index: usize) -> u64 {
        self.id * 100 + u64::from(self.attempt) * 10 + index as u64
    }
}

/// Runs are numbered from here, so that their ids look like GitHub's.
const FIRST_RUN_ID: u64 = 19_250_000_001;
/// Requests are remembered for assertions, up to here.
const REQUESTS_LIMIT: usize = 10_000;

pub(super) struct World {
    /// Refs that differ from the repository's; `None` is a deleted one.
    pub(super) overlay: BTreeMap<String, Option<String>>,
    pub(super) runs: Vec<Run>,
    pub(super) held: HashSet<String>,
    /// The newest by commit and context.
    pub(super) statuses: BTreeMap<(String, String), CommitStatus>,
    pub(super) dispatches: Vec<Dispatch>,
    pub(super) requests: Vec<String>,
    pub(super) faults: Vec<Fault>,
    pub(super) ci: CiMode,
    pub(super) dispatch_answer: DispatchAnswer,
    /// Members by `organisation/slug` in lower case.
    pub(super) teams: BTreeMap<String, Vec<Account>>,
    pub(super) team_access: TeamAccess,
    pub(super) deployments: Vec<Deployment>,
    /// Every status that was written on a commit: commit, context, status.
    pub(super) said: Vec<(String, String, CommitStatus)>,
    pub(super) may_deploy: Permission,
    pub(super) may_say: Permission,
    pub(super) may_read_protection: Permission,
    /// Required checks of the classic protection of the default branch, with their Apps; `None`: not protected.
    pub(super) protection: Option<Vec<RequiredCheck>>,
    /// Required checks of rulesets.
    pub(super) rules: Vec<RequiredCheck>,
    /// How many answers were 304.
    pub(super) not_modified: usize,
    pub(super) app: Option<App>,
    pub(super) may_read_pulls: Permission,
    /// Those that an App has made, in order.
    pub(super) check_runs: Vec<MadeCheckRun>,
    pub(super) pulls: Vec<Pull>,
    pub(super) merging: Merging,
    /// Logins and roles, by login in lower case.
    pub(super) roles: BTreeMap<String, (String, Role)>,
}

/// A check's name and the App that must report it.
pub(super) type RequiredCheck = (String, Option<i64>);

/// A status on a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitStatus {
    /// `success`, `pending`, `failure` or `error`.
    pub state: String,
    /// What was said.
    pub description: Option<String>,
    /// Where it leads.
    pub target_url: Option<String>,
}

impl World {
    pub(super) fn new(ci: CiMode) -> Self {
        Self {
            overlay: BTreeMap::new(),
            runs: Vec::new(),
            held: HashSet::new(),
            statuses: BTreeMap::new(),
            dispatches: Vec::new(),
            requests: Vec::new(),
            faults: Vec::new(),
            ci,
            dispatch_answer: DispatchAnswer::Details,
            teams: BTreeMap::new(),
            team_access: TeamAccess::Visible,
            deployments: Vec::new(),
            said: Vec::new(),
            may_deploy: Permission::Given,
            may_say: Permission::Given,
            may_read_protection: Permission::Given,
            protection: None,
            rules: Vec::new(),
            not_modified: 0,
            app: None,
            may_read_pulls: Permission::Given,
            check_runs: Vec::new(),
            pulls: Vec::new(),
            merging: Merging::default(),
            roles: BTreeMap::new(),
        }
    }

    pub(super) fn heard(&mut self, request: &str) {
        if self.requests.len() < REQUESTS_LIMIT {
            self.requests.push(request.to_owned());
        }
    }

    /// The next fault for a request, used up by one.
    pub(super) fn fault_for(&mut self, request: &str) -> Option<FaultKind> {
        let shape = shape_of(request);
        let hit = |f: &&mut Fault| f.times > 0 && (request.contains(&f.route) || shape == f.route);
        let fault = self.faults.iter_mut().find(hit)?;
        fault.times -= 1;
        Some(fault.kind)
    }

    pub(super) fn add_run(
        &mut self,
        workflow: &str,
        commit: &str,
        reference: &str,
        event: &'static str,
        created_at: Timestamp,
        mode: CiMode,
    ) -> Run {
        let number = self.runs.len() as u64 + 1;
        let run = Run {
            id: FIRST_RUN_ID + number,
            number,
            workflow: workflow.to_owned(),
            commit: commit.to_owned(),
            reference: reference.to_owned(),
            event,
            created_at,
            mode,
            told: event != "workflow_dispatch" || mode != CiMode::Green,
            attempt: 1,
            attempt_at: created_at,
            title: None,
            takes_time: event == "workflow_dispatch",
        };
        self.runs.push(run.clone());
        run
    }

    pub(super) fn moment_of(&self, run: &Run, now: Timestamp, pace: Pace) -> RunMoment {
        if !run.takes_time && run.attempt == 1 {
            return moment(i64::MAX, pace, run.mode, self.held.contains(&run.commit));
        }
        let elapsed_ms = now.as_millisecond() - run.attempt_at.as_millisecond();
        moment(elapsed_ms, pace, run.mode, self.held.contains(&run.commit))
    }

    /// Commits whose image has been built since the last time, each once.
    pub(super) fn newly_built(&mut self, now: Timestamp, pace: Pace) -> Vec<String> {
        let done = |run: &Run| !run.told && self.moment_of(run, now, pace).run.conclusion == Some("success");
        let ids: HashSet<u64> = self.runs.iter().filter(|r| done(r)).map(|r| r.id).collect();
        let finished = self.runs.iter_mut().filter(|r| ids.contains(&r.id));
        finished
            .map(|run| {
                run.told = true;
                run.commit.clone()
            })
            .collect()
    }

    pub(super) fn job(&self, job_id: u64) -> Option<(&Run, usize)> {
        self.runs.iter().find_map(|run| (0..JOBS.len()).find(|i| run.job_id(*i) == job_id).map(|i| (run, i)))
    }
}
