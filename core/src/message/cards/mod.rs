//! The cards: what the channel shows of a release, an environment or an answer, as [`Message`](super::Message)s.
//!
//! Every card is a pure function of values. What people outside Slipway wrote (titles, reasons, the outside's
//! own words) leaves here as [`Span::Untrusted`](super::Span::Untrusted) or, for ids and file names, as
//! [`Span::Code`](super::Span::Code); never as Slipway's own words.

mod anchor;
mod announcement;
pub mod answers;
mod bad;
mod by_hand;
mod configuration;
mod deferred;
mod first;
mod flow;
mod history;
pub mod home;
pub mod link;
mod lock;
mod lock_said;
mod migrations;
mod overriding;
mod policies;
mod promotion;
mod queue;
mod release;
mod replay;
mod ship;
mod show;
mod status;
mod tag;
mod ways_out;
mod why;
mod words;

#[cfg(test)]
mod tests;

pub use anchor::audit_anchor;
pub use announcement::{NO_WAY_BACK, announcement, shipped};
pub use bad::{
    cannot_be_marked, goes_back_to_nothing_bad, mark_news, mark_removed, mark_removed_news, mark_was, marked,
    not_marked, nothing_is_live,
};
pub use by_hand::{brought_by_hand, by_hand_is_over};
pub use configuration::{ConfigurationView, configuration};
pub use deferred::{
    QueueIntents, begins_now, bumped, bumped_before, cancel_fits_several, cannot_be_deferred, deferral_cancelled,
    deferral_ended, deferred, deferred_answer, deferred_brief, deferred_could_be_cancelled, deferred_news,
    deferred_unreadable, note_deferred, too_many_deferred,
};
pub use flow::{
    flow_cannot_be_resumed, flow_goes_on, flow_is_not_paused, flow_is_not_set, flow_paused, flow_phrase, flow_resumed,
    flow_which, note_flow,
};
pub use history::{brief, history};
pub use home::HomeRelease;
pub use lock::{lock_news, lock_reminder, lock_taken_away};
pub use lock_said::{lock_is_over, lock_said};
pub use migrations::{
    MigrationsView, PendingView, could_not_look, migration_plan, migration_status, no_migration_files,
};
pub use overriding::{overridden, override_taken};
pub use policies::{PolicyOrigin, policies_changed};
pub use promotion::{
    SuggestionView, asked_for_already, declined, goes_nowhere, no_longer_suggested, promotion, soaked_for, suggestion,
};
pub use queue::{QueueView, queue};
pub use release::{action, release_card, together_card};
pub use replay::replayed;
pub use ship::{another_repository, no_such_environment, ships_already, which_service};
pub use show::details;
pub use status::{StatusRow, status};
pub use tag::{tag_is_back, tag_moved};
pub use ways_out::{OpenWays, not_verified};
pub use why::{MIGRATIONS_UNSEEN, MIGRATIONS_UNSURE, fine, soaked, why, why_unplanned};
pub use words::services_in;

use crate::environment::Environment;
use crate::ids::{EnvironmentName, PersonId, TeamName};
use crate::person::Directory;
use crate::release::Release;
use jiff::Timestamp;

/// A release with what its card says around it.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseView<'a> {
    /// The release.
    pub release: &'a Release,
    /// Its environment, for the place in the queue.
    pub environment: Option<&'a Environment>,
    /// Everybody, for the teams beside the votes.
    pub people: &'a Directory,
    /// Who could approve the plan, by team; empty when policy asks for no approval.
    pub approvers: &'a [ApproverLine],
    /// The moment that the card shows.
    pub now: Timestamp,
    /// How long such a run usually takes, in seconds, when that is known.
    pub expected_s: Option<u64>,
    /// How long its deploy step usually takes, in seconds, when that is known.
    pub expected_deploy_s: Option<u64>,
    /// The environment that comes after this one.
    pub next: Option<&'a EnvironmentName>,
    /// The release of the same commit that somebody has marked as known to be bad; it may be this one.
    pub marked: Option<&'a Release>,
}

/// Who of a team can approve a plan, and who cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApproverLine {
    /// The team.
    pub team: TeamName,
    /// Those whose approval would count and has not been given.
    pub can: Vec<PersonId>,
    /// Those whose approval would not count, each with why in a few words ("asked for it"). Untrusted.
    pub cannot: Vec<(PersonId, String)>,
    /// How many approvals of this team are still missing.
    pub missing: u32,
    /// Whether they would do instead of those of the team before.
    pub instead: bool,
}

impl ApproverLine {
    /// Joins the lines of one plan with one of another that the same votes are for: of a team, those can approve whom
    /// neither refuses.
    #[must_use]
    pub fn and(mut lines: Vec<Self>, other: Self) -> Vec<Self> {
        let Some(known) = lines.iter_mut().find(|line| line.team == other.team) else {
            lines.push(other);
            return lines;
        };
        let refused = |line: &Self, person: &PersonId| line.cannot.iter().any(|(refused, _)| refused == person);
        if known.missing == 0 {
            *known = other;
        } else if other.missing > 0 {
            known.missing = known.missing.max(other.missing);
            known.instead &= other.instead;
            known.can.retain(|person| !refused(&other, person));
            let new: Vec<_> = other.cannot.into_iter().filter(|(who, _)| !refused(known, who)).collect();
            known.cannot.extend(new);
        }
        lines
    }
}
