//! Who may ask, who may approve, what may run: Cedar decides, this module puts the questions and counts votes.
//!
//! A question becomes a Cedar request with only the entities that matter (`world`), one evaluation becomes a
//! verdict (`set`), votes become counts per team (`ballot`, `slots`), and a no is explained by asking again under
//! other circumstances (`explain`). Everything that cannot be evaluated means no.

mod ballot;
pub mod built_in;
mod check;
mod clock;
mod clockwork;
mod deadlock;
mod differences;
mod evaluate;
mod explain;
mod fact;
mod hash;
mod lacking;
mod load;
mod mistake;
mod names;
pub mod own_change;
mod past;
mod question;
mod set;
mod shipped;
mod slots;
mod stack;
mod vocabulary;
mod voters;
mod whatever;
mod world;

#[cfg(test)]
mod tests;

pub use deadlock::Deadlock;
pub use differences::Differences;
pub use evaluate::Act;
pub use lacking::{AgainstSlipway, LackingAction};
pub use mistake::PolicyMistake;
pub(crate) use names::Action;
pub use own_change::PolicyChange;
pub use past::{Past, Soak, has_passed};
pub use question::{Ahead, Asking, Case, Clears, Decision, Override, Reason, Slot, Stance, Vote};
pub use set::PolicySet;
pub use slots::{ASSIGNMENT_LIMIT, nobody_can};
pub use vocabulary::Vocabulary;
pub use voters::{Panel, Refused};

/// The reason's id when no `permit` matches.
pub const NO_PERMIT: &str = "no-permit";
/// The reason's id when the policy could not be evaluated.
pub const POLICY_ERROR: &str = "policy-error";
/// The reason's id when whoever asked or votes is not (or no longer) a known person.
pub const UNKNOWN_PERSON: &str = "unknown-person";
/// The reason's id when whoever asked has loosened a rule that would have said no.
pub const OWN_POLICY_CHANGE: &str = "own-policy-change";
/// The reason's id when it cannot be read who is in a team.
pub const MEMBERS: &str = "members";
/// Ids that rules may not take, because the host gives reasons under them.
pub const RESERVED_IDS: [&str; 8] =
    [NO_PERMIT, POLICY_ERROR, UNKNOWN_PERSON, OWN_POLICY_CHANGE, MEMBERS, "locked", "busy", "facts"];
