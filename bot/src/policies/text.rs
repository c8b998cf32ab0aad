//! A policy set as it was written.

use super::PoliciesError;
use serde::{Deserialize, Serialize};
use slipway_core::policy::{PolicySet, Vocabulary, built_in};

/// Schema, rule files, and the names they may speak of: what a [`PolicySet`] is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyText {
    /// The Cedar schema without teams and environments.
    pub schema: String,
    /// File names and texts, in order.
    pub files: Vec<(String, String)>,
    /// Teams and environments.
    pub vocabulary: Vocabulary,
}

impl PolicyText {
    /// The rules, checked.
    ///
    /// # Errors
    /// Every mistake with its place.
    pub fn parse(&self) -> Result<PolicySet, PoliciesError> {
        let said = |mistakes: Vec<_>| mistakes.iter().map(ToString::to_string).collect();
        PolicySet::of_folder(&self.schema, &self.files, &self.vocabulary)
            .map_err(|mistakes| PoliciesError::Mistakes(said(mistakes)))
    }

    /// The rules of a set that was stored: one that was written for the schema of an earlier version of Slipway is
    /// tried with today's.
    ///
    /// # Errors
    /// Every mistake with its place, by today's schema.
    pub fn parse_stored(&self) -> Result<PolicySet, PoliciesError> {
        let today = || Self { schema: built_in::SCHEMA.to_owned(), ..self.clone() }.parse();
        self.parse().or_else(|_| today())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_set_of_an_earlier_schema_is_tried_with_todays() {
        let rule = "@id(\"closed\")\n@why(\"Nothing starts.\")\nforbid (principal, action, resource);\n";
        let files = vec![("closed.cedar".to_owned(), rule.to_owned())];
        let vocabulary = Vocabulary { teams: ["release".into()].into(), environments: ["staging".into()].into() };
        let text = PolicyText { schema: "entity Bygone;".to_owned(), files, vocabulary };
        assert!(text.parse().is_err());
        assert_eq!(text.parse_stored().unwrap().rule_ids().count(), 1);
    }
}
