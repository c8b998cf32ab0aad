//! What targets read from Parameter Store: nobody looks whether that is there, so it is said.

use super::Plan;

/// How the settings of a target are called that it reads from elsewhere when it starts.
pub const SECRET_SETTING: &str = "secret.";

/// Whether a reference is to a parameter of Parameter Store: by its ARN, or by its name alone, as ECS takes it.
#[must_use]
pub fn is_parameter(reference: &str) -> bool {
    reference.contains(":ssm:") || !reference.starts_with("arn:")
}

impl Plan {
    /// Of each target that reads some: its name, and the names of what it reads from Parameter Store. Untrusted text.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&str, Vec<&str>)> {
        let of = self.targets.iter().map(|target| {
            let reads = target.settings.iter().filter(|(_, reference)| is_parameter(reference));
            let names = reads.filter_map(|(name, _)| name.strip_prefix(SECRET_SETTING));
            (target.name.as_str(), names.collect::<Vec<_>>())
        });
        of.filter(|(_, names)| !names.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::is_parameter;

    #[test]
    fn parameters_are_known_by_their_arn_or_by_having_none() {
        assert!(is_parameter("arn:aws:ssm:us-west-2:123456789012:parameter/goals/dsn"));
        assert!(is_parameter("goals-dsn") && is_parameter("/goals/dsn"));
        assert!(!is_parameter("arn:aws:secretsmanager:us-west-2:123456789012:secret:goals/staging-AbCdEf:DSN::"));
    }
}
