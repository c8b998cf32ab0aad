//! Cases kept beside the policies: a situation in plain words, and what the rules must say about it.
//!
//! A file is read into cases, each with every mistake named by its place (`read`); a case is put before a policy set
//! through the same questions as in the running bot (`scene`); and a whole suite also tells which rules no case
//! would miss (`suite`).

mod clearing;
mod fields;
mod read;
mod scene;
mod suite;
#[cfg(test)]
mod tests;
mod told;

pub use suite::{Policies, Suite, Tried};
pub use told::{explained, failure, summary, undecided};

use crate::policy::{Decision, PolicyMistake, Reason, Vocabulary};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use scene::Scene;
use std::collections::{BTreeMap, BTreeSet};

/// How many cases one file may hold.
pub const CASES_LIMIT: usize = 500;
/// Under which file name mistakes in the `rules` of a case are reported.
pub const EXTRA_RULES: &str = "rules";

/// One case.
#[derive(Clone, Debug)]
pub struct PolicyCase {
    /// Its name: a sentence that says what is right.
    pub name: String,
    /// The file it stands in, as that was named.
    pub file: String,
    /// The line on which it begins, from 1.
    pub line: usize,
    scene: Scene,
    /// Rules that are in force for this case beside those of the folder.
    rules: Option<String>,
    expected: Expected,
}

/// What the rules must say.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Expected {
    Allow,
    Deny {
        /// Exactly these.
        reasons: BTreeSet<String>,
        /// What clears some of them, as `clearing` writes it.
        clears: BTreeMap<String, String>,
    },
    /// The rules are refused with mistakes: each of these texts is part of one, and each mistake has one of them.
    Mistakes(Vec<String>),
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    /// An answer.
    Decision(Decision),
    /// The rules are refused.
    Mistakes(Vec<PolicyMistake>),
}

impl PolicyCase {
    /// All cases of a file, in its order.
    ///
    /// # Errors
    /// Every mistake: unknown keys, names that the vocabulary or the case itself does not have, values that are none.
    pub fn read(file: &str, text: &str, vocabulary: &Vocabulary) -> Result<Vec<Self>, Vec<PolicyMistake>> {
        read::file(file, text, vocabulary)
    }

    /// The moment at which it plays.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.scene.now
    }

    /// Where its environment is.
    #[must_use]
    pub fn timezone(&self) -> &TimeZone {
        &self.scene.timezone
    }

    /// What is asked, for people: `ana's request to deploy goals to production`.
    #[must_use]
    pub fn subject(&self) -> String {
        self.scene.subject()
    }

    /// What differs between what was expected and what came, one sentence each. Empty: the case holds.
    #[must_use]
    pub fn complaints(&self, got: &Got) -> Vec<String> {
        match (&self.expected, got) {
            (Expected::Allow, Got::Decision(Decision::Allow)) => vec![],
            (Expected::Deny { reasons, clears }, Got::Decision(Decision::Deny { reasons: given })) => {
                let mut complaints = different_reasons(reasons, given);
                complaints.extend(self.different_clears(clears, given));
                complaints
            }
            (Expected::Mistakes(parts), Got::Mistakes(mistakes)) => different_mistakes(parts, mistakes),
            (Expected::Allow, _) => vec!["It should be allowed.".to_owned()],
            (Expected::Deny { .. }, _) => vec!["It should be refused.".to_owned()],
            (Expected::Mistakes(_), _) => vec!["The rules should be refused with mistakes.".to_owned()],
        }
    }

    fn different_clears(&self, clears: &BTreeMap<String, String>, given: &[Reason]) -> Vec<String> {
        let wrong = |(id, expected): (&String, &String)| {
            let reason = given.iter().find(|reason| reason.id == *id)?;
            let found = clearing::written(&reason.clears, &self.scene.timezone);
            let fits = clearing::fits(expected, &found);
            (!fits).then(|| format!("{id} should be cleared by \"{expected}\", and is by \"{found}\"."))
        };
        clears.iter().filter_map(wrong).collect()
    }
}

fn different_reasons(expected: &BTreeSet<String>, given: &[Reason]) -> Vec<String> {
    let given: BTreeSet<_> = given.iter().map(|reason| reason.id.clone()).collect();
    let missing = expected.difference(&given).map(|id| format!("{id} should be a reason, and is none."));
    let too_many = given.difference(expected).map(|id| format!("{id} should be no reason, and is one."));
    missing.chain(too_many).collect()
}

fn different_mistakes(parts: &[String], mistakes: &[PolicyMistake]) -> Vec<String> {
    let mistakes: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    let missing = parts.iter().filter(|part| !mistakes.iter().any(|mistake| mistake.contains(part.as_str())));
    let missing = missing.map(|part| format!("No mistake says \"{part}\"."));
    let too_many = mistakes.iter().filter(|mistake| !parts.iter().any(|part| mistake.contains(part.as_str())));
    missing.chain(too_many.map(|mistake| format!("This mistake is not expected: {mistake}"))).collect()
}
