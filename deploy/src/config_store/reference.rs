//! What a service asks for: a secret, or one key of it.

/// A version of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The current one.
    Current,
    /// The one with this label.
    Stage(String),
    /// The one with this id.
    Version(String),
}

/// Something that must be there for a service to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The secret's name or ARN.
    pub secret: String,
    /// One key of it; `None` is all of it.
    pub key: Option<String>,
    /// Of which version.
    pub which: Which,
}

impl Wanted {
    /// A key of the current version.
    #[must_use]
    pub fn key(secret: impl Into<String>, key: impl Into<String>) -> Self {
        Self { secret: secret.into(), key: Some(key.into()), which: Which::Current }
    }

    /// As App Runner and ECS write it: the ARN of a secret, and perhaps `:KEY:STAGE:VERSION` after it, of which each may
    /// be empty. `None` for anything else, such as a parameter of Systems Manager.
    #[must_use]
    pub fn from_arn(text: &str) -> Option<Self> {
        let parts: Vec<_> = text.split(':').collect();
        let is_secret = parts.len() >= ARN_PARTS && parts[0] == "arn" && parts[2] == "secretsmanager";
        if !is_secret || parts.len() > ARN_PARTS + 3 || parts[5] != "secret" || parts[6].is_empty() {
            return None;
        }
        let more = |at: usize| parts.get(ARN_PARTS + at).filter(|part| !part.is_empty()).map(|part| (*part).to_owned());
        let which = match (more(1), more(2)) {
            (_, Some(version)) => Which::Version(version),
            (Some(stage), None) => Which::Stage(stage),
            (None, None) => Which::Current,
        };
        Some(Self { secret: parts[..ARN_PARTS].join(":"), key: more(0), which })
    }
}

/// `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME`.
const ARN_PARTS: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:us-west-2:123456789012:secret:goals/staging-AbCdEf";

    #[test]
    fn references_are_read_as_aws_reads_them() {
        let wanted =
            |key: Option<&str>, which| Some(Wanted { secret: ARN.to_owned(), key: key.map(str::to_owned), which });
        assert_eq!(Wanted::from_arn(ARN), wanted(None, Which::Current));
        assert_eq!(Wanted::from_arn(&format!("{ARN}:SMTP_HOST::")), wanted(Some("SMTP_HOST"), Which::Current));
        let stage = Which::Stage("AWSPREVIOUS".to_owned());
        assert_eq!(Wanted::from_arn(&format!("{ARN}:SMTP_HOST:AWSPREVIOUS:")), wanted(Some("SMTP_HOST"), stage));
        assert_eq!(Wanted::from_arn(&format!("{ARN}:::v1")), wanted(None, Which::Version("v1".to_owned())));
    }

    #[test]
    fn what_is_no_secret_of_secrets_manager_is_left_alone() {
        for other in [
            "",
            "SMTP_HOST",
            "arn:aws:ssm:us-west-2:123456789012:parameter/smtp",
            "arn:aws:secretsmanager:us-west-2:123456789012:secret:",
            &format!("{ARN}:a:b:c:d"),
        ] {
            assert_eq!(Wanted::from_arn(other), None, "{other}");
        }
    }
}
