//! What buttons are called among programs.

use slipway_core::message::Verb;

/// As the verb is written everywhere: `approve`.
pub(crate) fn name(verb: Verb) -> &'static str {
    match verb {
        Verb::Approve => "approve",
        Verb::Veto => "veto",
        Verb::Cancel => "cancel",
        Verb::Retry => "retry",
        Verb::Why => "why",
        Verb::Details => "details",
        Verb::Lock => "lock",
        Verb::Unlock => "unlock",
        Verb::Rerun => "rerun",
        Verb::Promote => "promote",
        Verb::NotNow => "not_now",
        Verb::Resume => "resume",
    }
}
