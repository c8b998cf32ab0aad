//! `context.facts.bypasses`: how many ways lead around the gate.

use super::Fact;
use crate::policy::names::long;

pub(super) const FACT: Fact =
    Fact { name: "bypasses", observed: |facts| long(facts.bypasses().len()), hoped: || long(0_i64) };
