//! Addresses that a link may lead to.

use super::clean;
use reqwest::Url;

/// The longest address that becomes a link.
const URL_LIMIT_CHARS: usize = 1_000;

/// The address in ASCII, when a browser may be sent there.
pub(crate) fn web_address(url: &str) -> Option<String> {
    // A parser would drop these, and what is read would not be where it goes.
    if url.len() > URL_LIMIT_CHARS || url.chars().any(char::is_whitespace) || !clean(url).eq(url.chars()) {
        return None;
    }
    let url = Url::parse(url).ok()?;
    let is_web = matches!(url.scheme(), "https" | "http") && url.has_host();
    let is_plain = url.username().is_empty() && url.password().is_none();
    (is_web && is_plain && url.as_str().len() <= URL_LIMIT_CHARS).then(|| url.into())
}
