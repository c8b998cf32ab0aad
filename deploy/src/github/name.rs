//! Repository names, and what may be put into a path.

use std::fmt;
use thiserror::Error;

/// `owner/name` of a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoName {
    owner: String,
    name: String,
}

/// Why a text is not a repository's name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a repository is written \"owner/name\", not {0:?}")]
pub struct BadRepoName(String);

impl RepoName {
    /// GitHub's limit for an owner.
    const OWNER_LIMIT_BYTES: usize = 39;
    /// GitHub's limit for a name.
    const NAME_LIMIT_BYTES: usize = 100;

    /// Checks `owner/name`.
    ///
    /// # Errors
    /// When it is anything else: GitHub takes letters, digits and `-` (and `_` in managed accounts) for an
    /// owner, and those with `.` for a name.
    pub fn parse(text: &str) -> Result<Self, BadRepoName> {
        let bad = || BadRepoName(text.chars().take(Self::NAME_LIMIT_BYTES).collect());
        let (owner, name) = text.split_once('/').ok_or_else(bad)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let owner_ok = !owner.is_empty() && owner.len() <= Self::OWNER_LIMIT_BYTES && owner.bytes().all(plain);
        let name_ok = !name.is_empty()
            && name.len() <= Self::NAME_LIMIT_BYTES
            && name != "."
            && name != ".."
            && name.bytes().all(|b| plain(b) || b == b'.');
        if owner_ok && name_ok { Ok(Self { owner: owner.to_owned(), name: name.to_owned() }) } else { Err(bad()) }
    }

    /// The part before the slash.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The part after the slash.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for RepoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// How long a branch or tag may be.
const REFERENCE_LIMIT_BYTES: usize = 255;

/// Whether git would take the text as the name of a branch or a tag (the rules of `git check-ref-format`).
/// What fails here is never sent.
pub(super) fn is_reference_name(text: &str) -> bool {
    let bad_part = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    !text.is_empty()
        && text.len() <= REFERENCE_LIMIT_BYTES
        && !text.starts_with('-')
        && !text.ends_with('.')
        && text != "@"
        && !text.contains("..")
        && !text.contains("@{")
        && !text.chars().any(|c| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c))
        && !text.split('/').any(bad_part)
}

/// Percent-encodes for a path or a query. Slashes are kept, so each part between them is encoded by itself.
pub(super) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_owner_and_name() {
        let repo = RepoName::parse("acme/goals.api_2").unwrap();
        assert_eq!((repo.owner(), repo.name(), repo.to_string().as_str()), ("acme", "goals.api_2", "acme/goals.api_2"));
        for bad in ["", "goals", "/goals", "acme/", "acme/..", "a/b/c", "acme/go als", "acme/go%61ls", "a.b/c", "a?/c"]
        {
            assert!(RepoName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_what_git_takes_is_a_reference() {
        for good in ["main", "feature/likes", "v1.8.0", "a%2e%2eb", "größe", "fix-#41"] {
            assert!(is_reference_name(good), "{good}");
        }
        for bad in [
            "", "..", "a..b", "a b", "/main", "main/", "a//b", "-x", "a~1", "a^", "a:b", "a?b", "a*", "a[b", "a\\b",
            "@", "a@{1}", "a.lock", ".a", "a/.b", "a.", "a\nb", "a\u{0}b", "a\u{a0}b",
        ] {
            assert!(!is_reference_name(bad), "{bad:?}");
        }
        assert!(!is_reference_name(&"a".repeat(256)));
    }

    #[test]
    fn nothing_in_a_name_can_leave_its_place_in_a_path() {
        assert_eq!(encode("feature/a?b#c&d=e%2f"), "feature/a%3Fb%23c%26d%3De%252f");
        assert_eq!(encode("größe"), "gr%C3%B6%C3%9Fe");
    }
}
