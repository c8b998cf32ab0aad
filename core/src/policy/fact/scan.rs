//! `context.facts.scan`: what the registry's scan of the image found. It is there only when a scan is done, so that a rule
//! that wants one says so.

use super::Outlook;
use crate::facts::{ScanCounts, ScanFact};
use crate::policy::names::long;
use cedar_policy::RestrictedExpression;

pub(super) fn pair(outlook: Outlook<'_>) -> Option<(String, RestrictedExpression)> {
    let ScanCounts { critical, high, medium, low } = match outlook {
        Outlook::Observed(facts) => facts.scan.as_ref().map(|seen| &seen.value).and_then(ScanFact::findings)?,
        Outlook::Hoped => ScanCounts::default(),
    };
    let counts = [("critical", critical), ("high", high), ("medium", medium), ("low", low)];
    let counts = counts.map(|(name, count)| (name.to_owned(), long(count)));
    // Fails for a name that is there twice alone.
    let record = RestrictedExpression::new_record(counts).ok()?;
    Some(("scan".to_owned(), record))
}
