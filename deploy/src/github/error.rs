//! What can go wrong with GitHub, in sentences for people.

use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use thiserror::Error;

/// Why GitHub did not do or tell what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GitHubError {
    /// 401, or a token or key that cannot be one.
    #[error("GitHub does not accept the credentials. {hint}")]
    BadCredentials {
        /// What to look at.
        hint: String,
    },
    /// 403.
    #[error("GitHub does not allow this: {what}. It says \"{message}\". Give the token the missing permission.")]
    Forbidden {
        /// What was asked for.
        what: String,
        /// GitHub's words, shortened.
        message: String,
    },
    /// 404: GitHub does not tell "is not there" from "you may not see it".
    #[error("GitHub does not show {what}: it is not there, or the token may not see it.")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// 429, or 403 for the same reason.
    #[error("GitHub limits the number of requests{}. Try again then.", until_words(.until.as_ref()))]
    RateLimited {
        /// When it will listen again, if it said so.
        until: Option<Timestamp>,
    },
    /// Another 4xx: GitHub understood and refused. Nothing was done.
    #[error("GitHub refused {what} ({status}): {message}.")]
    Refused {
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
        /// GitHub's words, shortened.
        message: String,
    },
    /// No connection, or it broke.
    #[error("GitHub cannot be reached for {what} ({detail}). Check the network and `[github] api_url`.")]
    Unreachable {
        /// What was asked for.
        what: String,
        /// The innermost reason.
        detail: String,
    },
    /// No complete answer in time.
    #[error("GitHub did not answer in {limit_s} s: {what}. Try again, or look at githubstatus.com.")]
    Slow {
        /// What was asked for.
        what: String,
        /// The limit in seconds.
        limit_s: u64,
    },
    /// 5xx.
    #[error("GitHub has trouble of its own ({status}): {what}. Try again, or look at githubstatus.com.")]
    Server {
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
    },
    /// An answer that is not as documented.
    #[error("GitHub's answer cannot be used: {what}: {detail}.")]
    Unreadable {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
    /// An answer or a folder beyond what Slipway takes.
    #[error("Too big: {what}: {detail}.")]
    TooBig {
        /// What was asked for.
        what: String,
        /// The limit that it breaks.
        detail: String,
    },
    /// Something other than a plain file where only plain files may be.
    #[error("{path} is {kind}. Only plain files can be used there: put the file itself in its place.")]
    NotAFile {
        /// Its path in the repository.
        path: String,
        /// `a symbolic link`, `a submodule`, …
        kind: &'static str,
    },
    /// The temporary tag exists and is on another commit.
    #[error("The tag {tag} already exists on {found}. Delete it, then try again.")]
    TagTaken {
        /// The tag.
        tag: String,
        /// The commit or object it is on.
        found: String,
    },
    /// `checks = "branch-protection"` where protection asks for none.
    #[error(
        "The branch {branch} of {repository} requires no checks, so checks = \"branch-protection\" says nothing. \
         Protect the branch, or name the checks in the configuration."
    )]
    NoRequiredChecks {
        /// `owner/name`.
        repository: String,
        /// The default branch.
        branch: String,
    },
}

fn until_words(until: Option<&Timestamp>) -> String {
    until.map_or_else(String::new, |t| format!(" until {}", t.strftime("%H:%M:%S UTC")))
}

/// How much of GitHub's own words is passed on.
const MESSAGE_LIMIT_CHARS: usize = 200;

#[derive(Deserialize, Default)]
struct ErrorBody {
    #[serde(default)]
    message: String,
}

impl GitHubError {
    /// Whether the request may have been carried out although it failed: before repeating something that
    /// changes anything, look whether it did.
    #[must_use]
    pub fn may_have_acted(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Slow { .. } | Self::Server { .. } | Self::Unreadable { .. } => true,
            Self::BadCredentials { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::RateLimited { .. }
            | Self::Refused { .. }
            | Self::TooBig { .. }
            | Self::NotAFile { .. }
            | Self::TagTaken { .. }
            | Self::NoRequiredChecks { .. } => false,
        }
    }

    pub(super) fn unreadable(what: &str, detail: impl Into<String>) -> Self {
        Self::Unreadable { what: what.to_owned(), detail: detail.into() }
    }

    pub(super) fn bad_token() -> Self {
        Self::BadCredentials {
            hint: "Set GITHUB_TOKEN to a valid token, or check GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY.".into(),
        }
    }

    /// Reads an answer that is not a success.
    pub(super) fn from_answer(what: &str, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let said = serde_json::from_slice::<ErrorBody>(body).unwrap_or_default().message;
        let what = what.to_owned();
        let limited = status == StatusCode::TOO_MANY_REQUESTS
            || (status == StatusCode::FORBIDDEN
                && (header(headers, "x-ratelimit-remaining") == Some("0")
                    || headers.contains_key("retry-after")
                    || said.to_ascii_lowercase().contains("rate limit")));
        if limited {
            return Self::RateLimited { until: listens_again(headers) };
        }
        let message = shortened(&said);
        match status {
            StatusCode::UNAUTHORIZED => Self::bad_token(),
            StatusCode::FORBIDDEN => Self::Forbidden { what, message },
            StatusCode::NOT_FOUND => Self::NotFound { what },
            s if s.is_server_error() => Self::Server { what, status: s.as_u16() },
            s if s.is_client_error() => Self::Refused { what, status: s.as_u16(), message },
            s => Self::Unreadable { what, detail: format!("status {}", s.as_u16()) },
        }
    }

    /// Reads a failure without an answer.
    pub(super) fn from_octocrab(what: &str, error: &octocrab::Error) -> Self {
        if let octocrab::Error::GitHub { source, .. } = error {
            // Only the App's token exchange comes this way.
            let headers = source.headers.clone().unwrap_or_default();
            let body = serde_json::json!({ "message": source.message }).to_string();
            return Self::from_answer(what, source.status_code, &headers, body.as_bytes());
        }
        if matches!(error, octocrab::Error::JWT { .. }) {
            return Self::bad_token();
        }
        let mut innermost: &dyn std::error::Error = error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        Self::Unreachable { what: what.to_owned(), detail: shortened(&innermost.to_string()) }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

/// `Retry-After` counts seconds from now; `X-RateLimit-Reset` is a time by itself.
fn listens_again(headers: &HeaderMap) -> Option<Timestamp> {
    if let Some(wait_s) = header(headers, "retry-after").and_then(|v| v.parse::<i64>().ok()) {
        return Timestamp::now().checked_add(SignedDuration::from_secs(wait_s)).ok();
    }
    let reset_s = header(headers, "x-ratelimit-reset").and_then(|v| v.parse::<i64>().ok())?;
    Timestamp::from_second(reset_s).ok()
}

/// One line, bounded, without the full stop that our sentence adds.
pub(super) fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches('.');
    if line.chars().count() <= MESSAGE_LIMIT_CHARS {
        return line.to_owned();
    }
    let mut cut: String = line.chars().take(MESSAGE_LIMIT_CHARS).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], message: &str) -> GitHubError {
        let headers = headers.iter().map(|(k, v)| ((*k).parse().unwrap(), v.parse().unwrap())).collect();
        let body = serde_json::json!({ "message": message }).to_string();
        GitHubError::from_answer(
            "the branch main of acme/goals",
            StatusCode::from_u16(status).unwrap(),
            &headers,
            body.as_bytes(),
        )
    }

    #[test]
    fn each_status_gets_its_own_sentence() {
        let cases = [
            answer(401, &[], "Bad credentials"),
            answer(403, &[], "Resource not accessible by personal access token"),
            answer(404, &[], "Not Found"),
            answer(
                403,
                &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1790000000")],
                "API rate limit exceeded",
            ),
            answer(429, &[], ""),
            answer(422, &[], "No ref found for: x\n\n"),
            answer(502, &[], ""),
        ];
        let said: Vec<String> = cases.iter().map(ToString::to_string).collect();
        expect_test::expect![[r#"
            GitHub does not accept the credentials. Set GITHUB_TOKEN to a valid token, or check GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY.
            GitHub does not allow this: the branch main of acme/goals. It says "Resource not accessible by personal access token". Give the token the missing permission.
            GitHub does not show the branch main of acme/goals: it is not there, or the token may not see it.
            GitHub limits the number of requests until 14:13:20 UTC. Try again then.
            GitHub limits the number of requests. Try again then.
            GitHub refused the branch main of acme/goals (422): No ref found for: x.
            GitHub has trouble of its own (502): the branch main of acme/goals. Try again, or look at githubstatus.com."#]]
        .assert_eq(&said.join("\n"));
        let unclear: Vec<bool> = cases.iter().map(GitHubError::may_have_acted).collect();
        assert_eq!(unclear, [false, false, false, false, false, false, true]);
    }

    #[test]
    fn a_retry_after_is_counted_from_now() {
        let GitHubError::RateLimited { until: Some(until) } = answer(403, &[("retry-after", "60")], "slow down") else {
            panic!("not taken for a rate limit")
        };
        let wait_s = until.as_second() - Timestamp::now().as_second();
        assert!((50..=61).contains(&wait_s), "{wait_s}");
    }
}
