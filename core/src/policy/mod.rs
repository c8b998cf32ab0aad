//! Who may ask, who may approve, what may run: Cedar decides, this module puts the questions and counts votes.

mod load;
mod question;
pub use load::PolicySet;

pub use question::{Asking, Case, Clears, Decision, Reason, Slot, Stance, Vote};
