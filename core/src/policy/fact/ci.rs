//! `context.facts.ci`: how the checks of the commit stand.

use super::Fact;
use crate::facts::CiState;
use crate::policy::names::{Type, reference};

pub(super) const FACT: Fact = Fact {
    name: "ci",
    observed: |facts| {
        let state = match facts.ci.value.state {
            CiState::Green => "green",
            CiState::Pending => "pending",
            CiState::Red => "red",
            CiState::Missing => "missing",
        };
        reference(Type::Ci, state)
    },
    hoped: || reference(Type::Ci, "green"),
};
