//! The life of a workflow run as a function of the time since it was created.

/// How fast runs are.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// From the dispatch until a runner takes it.
    pub queued_ms: i64,
    /// How long each job takes.
    pub job_ms: i64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { queued_ms: 20, job_ms: 40 }
    }
}

/// How runs end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CiMode {
    /// Everything passes and the image is pushed.
    Green,
    /// The job `test` fails.
    RedTest,
    /// Everything passes, yet no image arrives in the registry.
    GreenButNoImage,
}

/// The jobs of the workflow, one after the other.
pub(super) const JOBS: [&str; 2] = ["test", "build image"];

/// GitHub's words for a moment of a run or a job, with times in ms since the run was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) status: &'static str,
    pub(super) conclusion: Option<&'static str>,
    pub(super) started_ms: Option<i64>,
    pub(super) completed_ms: Option<i64>,
}

/// A run and its jobs in the order of [`JOBS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunMoment {
    pub(super) run: Moment,
    pub(super) jobs: Vec<Moment>,
}

pub(super) fn moment(elapsed_ms: i64, pace: Pace, mode: CiMode, held: bool) -> RunMoment {
    // A held run stands still in the middle of its first job.
    let elapsed_ms = if held { elapsed_ms.min(pace.queued_ms + pace.job_ms / 2) } else { elapsed_ms };
    let mut jobs = Vec::new();
    let mut start_ms = pace.queued_ms;
    let mut failed_ms = None;
    for name in JOBS {
        let end_ms = start_ms + pace.job_ms;
        let fails = mode == CiMode::RedTest && name == "test";
        jobs.push(match failed_ms {
            Some(at) => job(at, at, elapsed_ms, "skipped"),
            None => job(start_ms, end_ms, elapsed_ms, if fails { "failure" } else { "success" }),
        });
        if fails {
            failed_ms = Some(end_ms);
        }
        start_ms = end_ms;
    }
    let conclusion = if failed_ms.is_some() { "failure" } else { "success" };
    let run = job(pace.queued_ms, failed_ms.unwrap_or(start_ms), elapsed_ms, conclusion);
    RunMoment { run, jobs }
}

fn job(start_ms: i64, end_ms: i64, elapsed_ms: i64, conclusion: &'static str) -> Moment {
    if elapsed_ms < start_ms {
        Moment { status: "queued", conclusion: None, started_ms: None, completed_ms: None }
    } else if elapsed_ms < end_ms {
        Moment { status: "in_progress", conclusion: None, started_ms: Some(start_ms), completed_ms: None }
    } else {
        let (started_ms, completed_ms) = (Some(start_ms), Some(end_ms));
        Moment { status: "completed", conclusion: Some(conclusion), started_ms, completed_ms }
    }
}

/// Steps of a job with the one that fails when the job does.
pub(super) fn steps(job: &str) -> (&'static [&'static str], usize) {
    match job {
        "test" => {
            (&["Set up job", "Check out", "Migrate a throw-away database", "Run go test ./...", "Complete job"], 3)
        }
        _ => (&["Set up job", "Check out", "Build", "Push", "Complete job"], 3),
    }
}

/// What the job wrote, as GitHub serves it: a time before each line, colours, runner commands.
pub(super) fn log(job: &str, conclusion: &str, commit: &str) -> Vec<String> {
    let short = commit.get(..7).unwrap_or(commit);
    let mut lines = vec![
        "##[group]Run actions/checkout@v4".to_owned(),
        format!("HEAD is now at {short}"),
        "##[endgroup]".to_owned(),
    ];
    let more: &[&str] = match (job, conclusion) {
        ("test", "failure") => &[
            "##[group]Run go test ./...",
            "\u{1b}[36;1mgo test ./...\u{1b}[0m",
            "##[endgroup]",
            "ok  \tacme.dev/goals/internal/health\t0.004s",
            "--- FAIL: TestLikesAreCountedOnce (0.02s)",
            "    likes_test.go:41: likes of update 7: got 2, want 1",
            "FAIL",
            "FAIL\tacme.dev/goals/internal/likes\t0.031s",
            "##[error]Process completed with exit code 1.",
            "Post job cleanup.",
            "Cleaning up orphan processes",
        ],
        ("test", _) => &[
            "##[group]Run go test ./...",
            "\u{1b}[36;1mgo test ./...\u{1b}[0m",
            "##[endgroup]",
            "ok  \tacme.dev/goals/internal/health\t0.004s",
            "ok  \tacme.dev/goals/internal/likes\t0.029s",
            "Post job cleanup.",
        ],
        _ => &["##[group]Run docker build", "writing image", "##[endgroup]", "pushed", "Post job cleanup."],
    };
    lines.extend(more.iter().map(|l| (*l).to_owned()));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(elapsed_ms: i64, mode: CiMode, held: bool) -> String {
        let at = moment(elapsed_ms, Pace { queued_ms: 10, job_ms: 100 }, mode, held);
        let word = |m: &Moment| m.conclusion.unwrap_or(m.status);
        format!("{}: {}, {}", word(&at.run), word(&at.jobs[0]), word(&at.jobs[1]))
    }

    #[test]
    fn a_run_goes_through_its_jobs_in_order() {
        assert_eq!(said(0, CiMode::Green, false), "queued: queued, queued");
        assert_eq!(said(10, CiMode::Green, false), "in_progress: in_progress, queued");
        assert_eq!(said(110, CiMode::Green, false), "in_progress: success, in_progress");
        assert_eq!(said(210, CiMode::Green, false), "success: success, success");
        assert_eq!(said(210, CiMode::GreenButNoImage, false), "success: success, success");
        assert_eq!(said(109, CiMode::RedTest, false), "in_progress: in_progress, queued");
        assert_eq!(said(110, CiMode::RedTest, false), "failure: failure, skipped");
        assert_eq!(said(9_999, CiMode::Green, true), "in_progress: in_progress, queued");
        assert_eq!(said(5, CiMode::Green, true), "queued: queued, queued");
    }
}
