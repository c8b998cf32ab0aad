//! Which calls there are, which can go wrong how, and what has to come of it.

use super::ship_calls::PERMISSION;
use slipway_core::release::{Outcome, Phase, Release, Step};
use slipway_sandbox::{aws, github};
use std::fmt;

/// Of faults that last: more often than anything is tried.
pub(super) const LASTING: u32 = 1_000;

/// In which way a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// No answer comes, once.
    Timeout,
    /// Nothing but 5xx, until it is lifted.
    Storm,
    /// Asked for fewer calls in the provider's own words, twice.
    Throttle,
    /// The answer breaks off in its middle, and once more lacks what it must have.
    Half,
    /// Each entry of the answer's lists is there twice, always.
    Doubled,
    /// It was done, and the answer is lost.
    Lost,
    /// The permission is gone, until it is lifted.
    Denied,
}

impl Kind {
    pub(super) const ALL: [Self; 7] =
        [Self::Timeout, Self::Storm, Self::Throttle, Self::Half, Self::Doubled, Self::Lost, Self::Denied];

    /// Whether it goes on until it is lifted, so that a release may have to end without what it needs.
    pub(super) fn lasts(self) -> bool {
        matches!(self, Self::Storm | Self::Denied)
    }

    /// As the stand-in for AWS plays it; what acts is done once, and so goes wrong once.
    pub(super) fn at_aws(self, row: &Row) -> Vec<(aws::FaultKind, u32)> {
        use aws::FaultKind as F;
        match self {
            Self::Timeout => vec![(F::Timeout, 1)],
            Self::Storm => vec![(F::Status503, LASTING)],
            Self::Throttle => vec![(F::Throttle, 2)],
            Self::Half if row.acts => vec![(F::Hollow, 1)],
            Self::Half => vec![(F::CutOff, 1), (F::Hollow, 1)],
            Self::Doubled => vec![(F::Doubled, 1)],
            Self::Lost => vec![(F::LostAnswerAfterAct, 1)],
            Self::Denied => vec![(F::Denied, LASTING)],
        }
    }

    /// The same at GitHub.
    pub(super) fn at_github(self, row: &Row) -> Vec<(github::FaultKind, u32)> {
        use github::FaultKind as F;
        match self {
            Self::Timeout => vec![(F::Timeout, 1)],
            Self::Storm => vec![(F::Status(502), LASTING)],
            Self::Throttle => vec![(F::RateLimited { retry_after: 1 }, 1)],
            Self::Half if row.acts => vec![(F::Hollow, 1)],
            Self::Half if row.once => vec![(F::CutOff, 1)],
            Self::Half => vec![(F::CutOff, 1), (F::Hollow, 1)],
            Self::Doubled => vec![(F::Doubled, 1)],
            Self::Lost => vec![(F::LostAnswerAfterAct, 1)],
            Self::Denied => vec![(F::Denied, LASTING)],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "timeout",
            Self::Storm => "storm",
            Self::Throttle => "throttle",
            Self::Half => "half",
            Self::Doubled => "doubled",
            Self::Lost => "lost",
            Self::Denied => "denied",
        })
    }
}

/// What is played so that a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Story {
    /// The newest commit, which has to be built.
    Deploy,
    /// A commit that is no branch's head any more, so that only a tag can be dispatched.
    OldCommit,
    /// A test fails.
    RedCi,
    /// A test has failed, and its job is run again.
    RerunJobs,
    /// The new version does not start, and AWS puts the old one back.
    RollsBack,
    /// A branch that there is not.
    Misspelt,
    /// The newest commit by its tag, which is an object of its own.
    Tagged,
    /// A setting was edited, and is brought alone.
    Settings,
    /// A pull request that nothing is missing of.
    Ships,
}

impl Story {
    /// How it ends when nothing goes wrong for long.
    pub(super) fn end(self) -> End {
        match self {
            Self::Deploy | Self::OldCommit | Self::RerunJobs | Self::Tagged | Self::Settings | Self::Ships => End::Live,
            Self::RedCi => End::Failed(Some(Step::Ci)),
            Self::RollsBack => End::RolledBack,
            Self::Misspelt => End::Failed(None),
        }
    }
}

/// How a release ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Live,
    RolledBack,
    Failed(Option<Step>),
    Otherwise(Phase),
}

impl End {
    pub(super) fn of(release: &Release) -> Self {
        match &release.outcome {
            Some(Outcome::Live) => Self::Live,
            Some(Outcome::RolledBack { .. }) => Self::RolledBack,
            Some(Outcome::Failed { step, .. }) => Self::Failed(*step),
            _ => Self::Otherwise(release.phase.clone()),
        }
    }
}

/// One call.
pub(super) struct Row {
    /// `AppRunner.UpdateService`, or as [`github::shape_of`] gives it.
    pub(super) call: &'static str,
    pub(super) story: Story,
    /// Whether it changes something.
    pub(super) acts: bool,
    /// Whether it is also made while a deployment is under way: then the permission is lost in that moment.
    pub(super) in_the_middle: bool,
    /// Whether its answer has a list.
    pub(super) lists: bool,
    /// Whether it is asked once only: what it tells is a courtesy.
    pub(super) once: bool,
}

impl Row {
    pub(super) const fn reads(call: &'static str) -> Self {
        Self { call, story: Story::Deploy, acts: false, in_the_middle: false, lists: false, once: false }
    }

    pub(super) const fn acts(call: &'static str) -> Self {
        Self { acts: true, ..Self::reads(call) }
    }

    pub(super) const fn lists(call: &'static str) -> Self {
        Self { lists: true, ..Self::reads(call) }
    }

    pub(super) const fn when(self, story: Story) -> Self {
        Self { story, ..self }
    }

    pub(super) const fn in_the_middle(self) -> Self {
        Self { in_the_middle: true, ..self }
    }

    pub(super) const fn once(self) -> Self {
        Self { once: true, ..self }
    }

    pub(super) fn is_of_github(&self) -> bool {
        self.call.contains(' ')
    }

    /// Why a kind makes no sense for this call.
    pub(super) fn senseless(&self, kind: Kind) -> Option<&'static str> {
        match kind {
            Kind::Lost if !self.acts => Some("it changes nothing: a lost answer is one that broke off"),
            Kind::Denied if self.call == PERMISSION => Some("the approval does not count, and another is waited for"),
            Kind::Storm if self.story == Story::Ships => Some("a pull request is looked at again for an hour"),
            Kind::Storm if self.call == "DELETE /git/refs/{}" => {
                Some("it is tried again for an hour, and holds nothing up")
            }
            Kind::Doubled if !self.lists => Some("its answer has no list, and an answer belongs to one request"),
            _ => None,
        }
    }
}
