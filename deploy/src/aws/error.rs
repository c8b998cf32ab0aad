//! What went wrong, short enough for a message, with what to do.

use aws_sdk_apprunner::config::http::HttpResponse;
use aws_sdk_apprunner::error::{ProvideErrorMetadata, SdkError};
use std::error::Error as _;
use std::fmt;

/// How much of AWS's own message is shown, in characters.
pub const MESSAGE_LIMIT_CHARS: usize = 300;
/// How far an error's sources are followed.
const SOURCE_LIMIT: usize = 16;

/// What kind of trouble it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsErrorKind {
    /// The bot's role may not do this.
    Denied,
    /// No credentials, unknown ones, or expired ones.
    Credentials,
    /// Too many calls.
    Throttled,
    /// No such thing.
    NotFound,
    /// AWS says that something runs already, or that the thing is not in a state for this.
    WrongState,
    /// AWS refuses the request for what it says.
    Invalid,
    /// No connection.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// Trouble on AWS's side, or an answer that cannot be read.
    Server,
}

/// A call to AWS that did not work. Displays as one or two sentences for people and never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsError {
    /// What was asked, as IAM names it: `apprunner:UpdateService`.
    pub action: &'static str,
    /// What kind of trouble.
    pub kind: AwsErrorKind,
    /// AWS's name for the error, if it gave one.
    pub code: Option<String>,
    /// What AWS or Slipway says about it, at most [`MESSAGE_LIMIT_CHARS`].
    message: String,
}

impl std::error::Error for AwsError {}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = self.action;
        match self.kind {
            AwsErrorKind::Denied => write!(f, "AWS does not allow {action}. Add it to the policy of the bot's role.")?,
            AwsErrorKind::Credentials => {
                write!(f, "AWS takes no credentials from the bot for {action}. Renew or configure them.")?;
            }
            AwsErrorKind::Throttled => write!(f, "AWS asks for fewer calls of {action}. Try again in a while.")?,
            AwsErrorKind::NotFound => write!(f, "AWS found nothing for {action}. Check the configured name.")?,
            AwsErrorKind::WrongState => write!(f, "AWS does not do {action} in the present state.")?,
            AwsErrorKind::Invalid => write!(f, "AWS refused {action}.")?,
            AwsErrorKind::Unreachable => {
                write!(f, "AWS cannot be reached for {action}. Check the network and AWS_ENDPOINT_URL.")?;
            }
            AwsErrorKind::TimedOut => write!(f, "AWS did not answer {action} in time.")?,
            AwsErrorKind::Server => write!(f, "AWS had trouble with {action}.")?,
        }
        match (&self.code, self.message.is_empty()) {
            (Some(code), true) => write!(f, " ({code})"),
            (Some(code), false) => write!(f, " ({code}: {})", self.message),
            (None, true) => Ok(()),
            (None, false) => write!(f, " ({})", self.message),
        }
    }
}

impl AwsError {
    /// An error of our own making.
    pub(crate) fn new(action: &'static str, kind: AwsErrorKind, message: impl AsRef<str>) -> Self {
        Self { action, kind, code: None, message: tidy(message.as_ref()) }
    }

    /// An answer without what it always has: half of one, from something between AWS and us. The SDK takes such for
    /// "there is none", which would be acted on.
    pub(crate) fn lacks(action: &'static str, what: &str) -> Self {
        Self::new(action, AwsErrorKind::Server, format!("the answer has no {what}"))
    }

    /// An error of the SDK.
    pub(crate) fn from_sdk<E: ProvideErrorMetadata>(
        action: &'static str,
        error: &SdkError<E, HttpResponse>,
        secrets: &[&str],
    ) -> Self {
        let shown = |text: &str| tidy(&without(text, secrets));
        match error {
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                let code = service.err().code().map(|code| tidy(code.rsplit('#').next().unwrap_or(code)));
                let kind = kind_of(code.as_deref(), status);
                let message = service.err().message().map_or_else(|| format!("status {status}"), shown);
                Self { action, kind, code, message }
            }
            SdkError::TimeoutError(_) => Self::new(action, AwsErrorKind::TimedOut, ""),
            SdkError::DispatchFailure(failure) => {
                let connector = failure.as_connector_error();
                let text = connector.map(sources).unwrap_or_default();
                let kind = match connector {
                    _ if speaks_of_credentials(&text) => AwsErrorKind::Credentials,
                    Some(e) if e.is_timeout() => AwsErrorKind::TimedOut,
                    _ => AwsErrorKind::Unreachable,
                };
                Self { action, kind, code: None, message: shown(text.last().map_or("", String::as_str)) }
            }
            SdkError::ResponseError(answer) => {
                // What stands in front of AWS answers in words of its own.
                let status = answer.raw().status();
                let says = match status.is_success() {
                    true => "the answer cannot be read".to_owned(),
                    false => format!("status {}", status.as_u16()),
                };
                let kind = if status.is_success() { AwsErrorKind::Server } else { kind_of(None, status.as_u16()) };
                Self::new(action, kind, says)
            }
            SdkError::ConstructionFailure(failure) => {
                let credentials = speaks_of_credentials(&[format!("{failure:?}")]);
                let kind = if credentials { AwsErrorKind::Credentials } else { AwsErrorKind::Invalid };
                let says = if credentials { "none found" } else { "the request could not be made; is a region set?" };
                Self::new(action, kind, says)
            }
            // The SDK's enum is open: what it adds later is trouble of unknown outcome.
            _ => Self::new(action, AwsErrorKind::Server, "unknown trouble"),
        }
    }

    /// AWS's words, or ours.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the call has certainly had no effect, however it was meant.
    #[must_use]
    pub fn surely_without_effect(&self) -> bool {
        match self.kind {
            AwsErrorKind::Denied
            | AwsErrorKind::Credentials
            | AwsErrorKind::Throttled
            | AwsErrorKind::NotFound
            | AwsErrorKind::WrongState
            | AwsErrorKind::Invalid => true,
            AwsErrorKind::Unreachable | AwsErrorKind::TimedOut | AwsErrorKind::Server => false,
        }
    }

    /// Whether trying again later may help.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self.kind {
            AwsErrorKind::Throttled
            | AwsErrorKind::WrongState
            | AwsErrorKind::Unreachable
            | AwsErrorKind::TimedOut
            | AwsErrorKind::Server => true,
            AwsErrorKind::Denied | AwsErrorKind::Credentials | AwsErrorKind::NotFound | AwsErrorKind::Invalid => false,
        }
    }
}

fn kind_of(code: Option<&str>, status: u16) -> AwsErrorKind {
    match code.unwrap_or_default() {
        "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" | "NotAuthorized" => AwsErrorKind::Denied,
        "ExpiredTokenException"
        | "ExpiredToken"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => AwsErrorKind::Credentials,
        "ThrottlingException"
        | "Throttling"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "RequestThrottled" => AwsErrorKind::Throttled,
        "InvalidStateException" | "UpdateInProgressException" => AwsErrorKind::WrongState,
        "ResourceNotFoundException"
        | "RepositoryNotFoundException"
        | "ImageNotFoundException"
        | "ServiceNotFoundException"
        | "ClusterNotFoundException" => AwsErrorKind::NotFound,
        _ if status == 429 => AwsErrorKind::Throttled,
        _ if status >= 500 || status == 408 => AwsErrorKind::Server,
        _ if status == 401 || status == 403 => AwsErrorKind::Denied,
        _ if status >= 400 => AwsErrorKind::Invalid,
        _ => AwsErrorKind::Server,
    }
}

fn speaks_of_credentials(texts: &[String]) -> bool {
    texts.iter().any(|text| {
        let text = text.to_ascii_lowercase();
        text.contains("credential") || text.contains("identity")
    })
}

fn sources(error: &aws_sdk_apprunner::error::ConnectorError) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut next = error.source();
    while let Some(source) = next.filter(|_| texts.len() < SOURCE_LIMIT) {
        texts.push(source.to_string());
        next = source.source();
    }
    texts
}

/// Takes known secrets out, as they are and as JSON writes them. Before anything is cut off, so that no half of one is left.
pub(super) fn without(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    let as_json = |secret: &&str| {
        let quoted = serde_json::Value::from(*secret).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let mut forms: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
    forms.extend(secrets.iter().map(as_json));
    forms.retain(|form| !form.is_empty());
    // Longest first: one may be part of another.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    for form in forms {
        text = text.replace(&form, "[redacted]");
    }
    text
}

/// One line, bounded.
fn tidy(text: &str) -> String {
    let mut line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.retain(|c| !c.is_control());
    match line.char_indices().nth(MESSAGE_LIMIT_CHARS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_action_is_named() {
        let code = Some("AccessDeniedException".to_owned());
        let kind = kind_of(code.as_deref(), 400);
        let message = tidy("User: arn:aws:sts::123456789012:assumed-role/slipway is not\n authorized");
        let error = AwsError { action: "apprunner:UpdateService", kind, code, message };
        assert_eq!(
            error.to_string(),
            "AWS does not allow apprunner:UpdateService. Add it to the policy of the bot's role. \
             (AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/slipway is not authorized)"
        );
        assert!(error.surely_without_effect() && !error.may_pass());
    }

    #[test]
    fn secrets_go_before_the_cut_and_the_longest_first() {
        let text = without("bad value hunter2-long and hunter2", &["hunter2", "hunter2-long", ""]);
        assert_eq!(text, "bad value [redacted] and [redacted]");
        let long = "x".repeat(MESSAGE_LIMIT_CHARS - 3) + "hunter2";
        assert!(!tidy(&without(&long, &["hunter2"])).contains("hun"));
        assert_eq!(tidy(&long).chars().count(), MESSAGE_LIMIT_CHARS + 1);
    }

    #[test]
    fn an_answer_without_a_name_is_judged_by_its_status() {
        assert_eq!(kind_of(None, 503), AwsErrorKind::Server);
        assert_eq!(kind_of(None, 429), AwsErrorKind::Throttled);
        assert_eq!(kind_of(Some("SomethingNew"), 400), AwsErrorKind::Invalid);
        assert_eq!(kind_of(Some("InternalServiceErrorException"), 500), AwsErrorKind::Server);
        assert!(!AwsError::new("x:Y", AwsErrorKind::Server, "").surely_without_effect());
    }
}
