//! Facts that policies may look at, one file each. A new one needs its file, its line here and its line in the
//! schema's `type Facts`.

mod bypasses;
mod ci;
mod scan;

use crate::facts::Facts;
use cedar_policy::RestrictedExpression;

/// One attribute of `context.facts`.
pub(super) struct Fact {
    /// The attribute's name.
    pub(super) name: &'static str,
    /// As it was observed.
    pub(super) observed: fn(&Facts) -> RestrictedExpression,
    /// As one would wish it: used to find out whether better facts would clear a reason, never to decide.
    pub(super) hoped: fn() -> RestrictedExpression,
}

/// All of them.
pub(super) const FACTS: [Fact; 2] = [ci::FACT, bypasses::FACT];

/// Whether to take the facts as they are or as one would wish them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outlook<'a> {
    Observed(&'a Facts),
    Hoped,
}

/// `context.facts`.
pub(super) fn pairs(outlook: Outlook<'_>) -> Vec<(String, RestrictedExpression)> {
    let value = |fact: &Fact| match outlook {
        Outlook::Observed(facts) => (fact.observed)(facts),
        Outlook::Hoped => (fact.hoped)(),
    };
    let always = FACTS.iter().map(|fact| (fact.name.to_owned(), value(fact)));
    always.chain(scan::pair(outlook)).collect()
}
