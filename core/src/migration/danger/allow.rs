//! What a file allows itself, in comments that are reviewed with it.

use std::collections::BTreeMap;

/// Why a danger is allowed is cut after this many characters.
const REASON_LIMIT_CHARS: usize = 120;
/// Begins a comment that allows something.
const ALLOW: &str = "slipway:allow";

/// What the comments of a file allow, by the name of a rule or kind, each with the reason. One without a reason allows
/// nothing.
pub(in crate::migration) fn allowed(source: &str) -> BTreeMap<String, String> {
    let allow = |line: &str| {
        let said = line.trim().strip_prefix("--")?.trim().strip_prefix(ALLOW)?;
        let (name, reason) = said.strip_prefix(char::is_whitespace)?.trim().split_once(char::is_whitespace)?;
        let reason: String = reason.trim().chars().take(REASON_LIMIT_CHARS).collect();
        (!reason.is_empty()).then(|| (name.to_ascii_lowercase(), reason))
    };
    source.lines().filter_map(allow).collect()
}
