//! A policy set as it was written.

use super::PoliciesError;
use serde::{Deserialize, Serialize};
use slipway_core::policy::{PolicySet, Vocabulary};

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
        PolicySet::parse(&self.schema, &self.files, &self.vocabulary)
            .map_err(|mistakes| PoliciesError::Mistakes(said(mistakes)))
    }
}
