//! All cases of a folder before its rules.

use super::{EXTRA_RULES, Expected, Got, PolicyCase};
use crate::policy::{PolicyMistake, PolicySet, Vocabulary};

/// Rules as they were written.
#[derive(Clone, Copy, Debug)]
pub struct Policies<'a> {
    /// The schema without teams and environments.
    pub schema: &'a str,
    /// File names and texts.
    pub files: &'a [(String, String)],
    /// Teams and environments.
    pub vocabulary: &'a Vocabulary,
}

/// A case that was put before the rules.
#[derive(Clone, Debug)]
pub struct Tried<'c> {
    /// The case.
    pub case: &'c PolicyCase,
    /// What came.
    pub got: Got,
    /// What is wrong with that; empty when nothing is.
    pub complaints: Vec<String>,
}

/// What became of all cases.
#[derive(Clone, Debug)]
pub struct Suite<'c> {
    /// The cases in order.
    pub tried: Vec<Tried<'c>>,
    /// How many rules there are.
    pub rules: usize,
    /// The rules that could be deleted without any case noticing.
    pub undecided: Vec<String>,
}

impl Suite<'_> {
    /// The cases that do not hold.
    pub fn failed(&self) -> impl Iterator<Item = &Tried<'_>> {
        self.tried.iter().filter(|tried| !tried.complaints.is_empty())
    }
}

impl<'a> Policies<'a> {
    /// The rules, and one file more of them where there is one.
    ///
    /// # Errors
    /// Every mistake in them.
    pub fn parse(&self, more: Option<&str>) -> Result<PolicySet, Vec<PolicyMistake>> {
        let more = more.map(|text| (EXTRA_RULES.to_owned(), text.to_owned()));
        let files: Vec<_> = self.files.iter().cloned().chain(more).collect();
        PolicySet::of_folder(self.schema, &files, self.vocabulary)
    }

    /// Puts every case before the rules, then looks for rules that no case would miss.
    ///
    /// # Errors
    /// The mistakes in the rules of the folder themselves.
    pub fn run<'c>(&self, cases: &'c [PolicyCase]) -> Result<Suite<'c>, Vec<PolicyMistake>> {
        let set = self.parse(None)?;
        let tried: Vec<_> = cases.iter().map(|case| self.tries(&set, case)).collect();
        let undecided = set.rule_ids().filter(|rule| !is_missed(&set, rule, &tried)).map(str::to_owned).collect();
        Ok(Suite { tried, rules: set.rule_ids().count(), undecided })
    }

    fn tries<'c>(&self, set: &PolicySet, case: &'c PolicyCase) -> Tried<'c> {
        let got = self.ask(set, case);
        Tried { case, complaints: case.complaints(&got), got }
    }

    /// The answer to a case: that of the folder's rules, which are parsed already, and of its own beside them.
    #[must_use]
    pub fn ask(&self, set: &PolicySet, case: &PolicyCase) -> Got {
        match &case.rules {
            None => Got::Decision(case.scene.ask(set)),
            Some(rules) => match self.parse(Some(rules)) {
                Ok(set) => Got::Decision(case.scene.ask(&set)),
                Err(mistakes) => Got::Mistakes(mistakes),
            },
        }
    }
}

/// Whether some case that holds would no longer hold without this rule. Cases with rules of their own are about those.
fn is_missed(set: &PolicySet, rule: &str, tried: &[Tried<'_>]) -> bool {
    let without = set.without(rule);
    let mut cases: Vec<_> =
        tried.iter().filter(|tried| tried.complaints.is_empty() && tried.case.rules.is_none()).collect();
    // Those that name the rule first, then those that are answered fastest.
    cases.sort_by_key(|tried| match &tried.case.expected {
        Expected::Deny { reasons, .. } if reasons.contains(rule) => 0,
        Expected::Allow => 1,
        Expected::Deny { .. } | Expected::Mistakes(_) => 2,
    });
    cases.iter().any(|tried| {
        let got = Got::Decision(tried.case.scene.ask(&without));
        !tried.case.complaints(&got).is_empty()
    })
}
