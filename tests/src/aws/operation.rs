//! The life of an App Runner operation, as a function of the time since it began.

use jiff::Timestamp;
use serde_json::{Value, json};

/// How long each phase of an operation takes, in milliseconds of tokio's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// PENDING.
    pub pending_ms: u64,
    /// IN_PROGRESS.
    pub in_progress_ms: u64,
    /// ROLLBACK_IN_PROGRESS.
    pub rollback_ms: u64,
}

impl Default for Pace {
    /// A release that a person can watch: 3 s forward, 2 s back. App Runner itself takes about 5 and 15 min.
    fn default() -> Self {
        Self { pending_ms: 500, in_progress_ms: 2_500, rollback_ms: 2_000 }
    }
}

/// How a deployment goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureMode {
    /// The new image fails its health check; AWS brings the old one back. Ends ROLLBACK_SUCCEEDED.
    RollsBack,
    /// So does bringing the old one back. Ends ROLLBACK_FAILED.
    RollbackFails,
    /// The new one never comes up. Ends FAILED.
    CreateFails,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Over before the sandbox began.
    Done,
    Succeeds,
    Fails(FailureMode),
}

/// What a service runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Running {
    /// `SourceConfiguration` as AWS has it.
    pub(super) source: Value,
    /// The image's digest, found when it was deployed.
    pub(super) digest: Option<String>,
}

impl Running {
    /// The image as the configuration names it.
    pub(super) fn image(&self) -> &str {
        let app_runner = &self.source["ImageRepository"]["ImageIdentifier"];
        app_runner.as_str().or(self.source["primaryContainer"]["image"].as_str()).unwrap_or_default()
    }
}

#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) kind: &'static str,
    /// On the sandbox's clock, in milliseconds.
    pub(super) began_ms: u64,
    pub(super) started_at: Timestamp,
    pub(super) ending: Ending,
    pub(super) before: Running,
    pub(super) after: Running,
    pub(super) by_hand: bool,
}

impl Operation {
    /// AWS's word for where it stands, and when it ended on the sandbox's clock.
    pub(super) fn status(&self, now_ms: u64, pace: Pace) -> (&'static str, Option<u64>) {
        let Pace { pending_ms, in_progress_ms, rollback_ms } = pace;
        let age_ms = now_ms.saturating_sub(self.began_ms);
        let forward_ms = pending_ms + in_progress_ms;
        if self.ending == Ending::Done {
            return ("SUCCEEDED", Some(self.began_ms));
        }
        if age_ms < pending_ms {
            return ("PENDING", None);
        }
        if age_ms < forward_ms {
            return ("IN_PROGRESS", None);
        }
        let back = |end| {
            let all_ms = forward_ms + rollback_ms;
            if age_ms < all_ms { ("ROLLBACK_IN_PROGRESS", None) } else { (end, Some(self.began_ms + all_ms)) }
        };
        match self.ending {
            Ending::Done | Ending::Succeeds => ("SUCCEEDED", Some(self.began_ms + forward_ms)),
            Ending::Fails(FailureMode::CreateFails) => ("FAILED", Some(self.began_ms + forward_ms)),
            Ending::Fails(FailureMode::RollsBack) => back("ROLLBACK_SUCCEEDED"),
            Ending::Fails(FailureMode::RollbackFails) => back("ROLLBACK_FAILED"),
        }
    }

    /// What serves requests meanwhile and afterwards: the new image only after success.
    pub(super) fn running(&self, now_ms: u64, pace: Pace) -> &Running {
        if self.status(now_ms, pace).0 == "SUCCEEDED" { &self.after } else { &self.before }
    }

    /// What the service says it is configured to run. That it is the new image from the start, and the old one
    /// again from the beginning of a rollback, is an assumption: AWS does not document it.
    pub(super) fn configured(&self, now_ms: u64, pace: Pace) -> &Running {
        match self.status(now_ms, pace).0 {
            "PENDING" | "IN_PROGRESS" | "SUCCEEDED" => &self.after,
            _ => &self.before,
        }
    }

    /// An `OperationSummary`.
    pub(super) fn summary(&self, arn: &str, now_ms: u64, pace: Pace) -> Value {
        let (status, ended_ms) = self.status(now_ms, pace);
        let after = |ms: u64| seconds(self.started_at) + millis_as_seconds(ms.saturating_sub(self.began_ms));
        let mut summary = json!({
            "Id": self.id,
            "Type": self.kind,
            "Status": status,
            "TargetArn": arn,
            "StartedAt": seconds(self.started_at),
            "UpdatedAt": after(ended_ms.unwrap_or(now_ms)),
        });
        if let Some(ended_ms) = ended_ms {
            summary["EndedAt"] = json!(after(ended_ms));
        }
        summary
    }
}

/// A time as AWS's JSON has it: seconds since 1970 with a fraction.
pub(super) fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

fn millis_as_seconds(ms: u64) -> f64 {
    std::time::Duration::from_millis(ms).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { pending_ms: 10, in_progress_ms: 20, rollback_ms: 30 };

    fn states(ending: Ending) -> Vec<String> {
        let running =
            |image: &str| Running { source: json!({ "ImageRepository": { "ImageIdentifier": image } }), digest: None };
        let operation = Operation {
            id: String::new(),
            kind: "UPDATE_SERVICE",
            began_ms: 100,
            started_at: Timestamp::UNIX_EPOCH,
            ending,
            before: running("old"),
            after: running("new"),
            by_hand: false,
        };
        let at = |now_ms| {
            let (status, ended) = operation.status(now_ms, PACE);
            let ended = ended.map_or(String::new(), |ms| format!(" {ms}"));
            format!("{status}{ended} {}", operation.running(now_ms, PACE).image())
        };
        [100, 110, 129, 130, 159, 160, 9999].map(at).to_vec()
    }

    #[test]
    fn operations_go_through_the_states_of_app_runner() {
        let good = ["PENDING old", "IN_PROGRESS old", "IN_PROGRESS old", "SUCCEEDED 130 new"];
        assert_eq!(states(Ending::Succeeds)[..4], good);
        let back = states(Ending::Fails(FailureMode::RollsBack));
        assert_eq!(back[3..6], ["ROLLBACK_IN_PROGRESS old", "ROLLBACK_IN_PROGRESS old", "ROLLBACK_SUCCEEDED 160 old"]);
        assert_eq!(states(Ending::Fails(FailureMode::RollbackFails))[5], "ROLLBACK_FAILED 160 old");
        assert_eq!(states(Ending::Fails(FailureMode::CreateFails))[3], "FAILED 130 old");
    }
}
