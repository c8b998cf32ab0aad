//! The config store.

use super::{AwsClients, AwsError, region_of};
pub use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use thiserror::Error;

const DESCRIBE: &str = "secretsmanager:DescribeSecret";
const GET: &str = "secretsmanager:GetSecretValue";
const CURRENT: &str = "AWSCURRENT";

/// Why a secret could not be read. Names secrets and keys, never a value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SecretError {
    /// No secret of that name.
    #[error("Secrets Manager has no secret {0:?}; check its name and region")]
    NoSecret(String),
    /// It is there but has no current version.
    #[error("the secret {0:?} has no current version; store a value in it")]
    NoCurrentVersion(String),
    /// It is about to be deleted.
    #[error("the secret {0:?} is scheduled for deletion; restore it or name another")]
    BeingDeleted(String),
    /// Its value is not a JSON object.
    #[error("the secret {0:?} is not a JSON object of keys and values")]
    NotAnObject(String),
    /// The key is not in it.
    #[error("the secret {secret:?} has no key {key:?}")]
    NoKey {
        /// The secret.
        secret: String,
        /// The key.
        key: String,
    },
    /// The key is there with something that is not text.
    #[error("the key {key:?} of the secret {secret:?} is not text")]
    NotText {
        /// The secret.
        secret: String,
        /// The key.
        key: String,
    },
    /// Neither the secret's name nor the environment says which region to ask.
    #[error("no AWS region for the secret {0:?}; set AWS_REGION")]
    NoRegion(String),
    /// AWS could not be asked.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

/// Secrets Manager. A secret is named by its name, in the default region, or by its ARN.
#[derive(Clone, Debug)]
pub struct Secrets {
    clients: AwsClients,
}

impl Secrets {
    /// With these clients.
    #[must_use]
    pub fn new(clients: AwsClients) -> Self {
        Self { clients }
    }

    /// The id of the version that is current. Reads no value.
    ///
    /// # Errors
    /// When there is no such secret, no current version, or AWS cannot be asked.
    pub async fn current_version(&self, secret: &str) -> Result<String, SecretError> {
        let answer = self.client(secret)?.describe_secret().secret_id(secret).send().await;
        let answer = answer.map_err(|error| match error.as_service_error() {
            Some(e) if e.is_resource_not_found_exception() => SecretError::NoSecret(secret.to_owned()),
            _ => AwsError::from_sdk(DESCRIBE, &error, &[]).into(),
        })?;
        if answer.deleted_date().is_some() {
            return Err(SecretError::BeingDeleted(secret.to_owned()));
        }
        let mut versions = answer.version_ids_to_stages.unwrap_or_default().into_iter();
        versions
            .find_map(|(id, stages)| stages.iter().any(|stage| stage == CURRENT).then_some(id))
            .ok_or_else(|| SecretError::NoCurrentVersion(secret.to_owned()))
    }

    /// The current value of one key. The secret is a JSON object; text is taken as it is, numbers and truth
    /// values as JSON writes them.
    ///
    /// # Errors
    /// When the secret or the key is missing or of another form, or AWS cannot be asked.
    pub async fn value(&self, secret: &str, key: &str) -> Result<SecretString, SecretError> {
        let answer = self.client(secret)?.get_secret_value().secret_id(secret).version_stage(CURRENT).send().await;
        let answer = answer.map_err(|error| match error.as_service_error() {
            Some(e) if e.is_resource_not_found_exception() => SecretError::NoSecret(secret.to_owned()),
            _ => AwsError::from_sdk(GET, &error, &[]).into(),
        })?;
        pick(secret, key, answer.secret_string().unwrap_or_default())
    }

    fn client(&self, secret: &str) -> Result<aws_sdk_secretsmanager::Client, SecretError> {
        match region_of(secret, "secretsmanager") {
            None if self.clients.region().is_none() => Err(SecretError::NoRegion(secret.to_owned())),
            region => Ok(self.clients.secrets(region)),
        }
    }
}

fn pick(secret: &str, key: &str, json: &str) -> Result<SecretString, SecretError> {
    // The parser's own error would quote what it stumbled over.
    let Ok(Value::Object(mut object)) = serde_json::from_str(json) else {
        return Err(SecretError::NotAnObject(secret.to_owned()));
    };
    let named = || (secret.to_owned(), key.to_owned());
    match object.remove(key) {
        Some(Value::String(text)) => Ok(SecretString::from(text)),
        Some(Value::Number(number)) => Ok(SecretString::from(number.to_string())),
        Some(Value::Bool(truth)) => Ok(SecretString::from(truth.to_string())),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) => {
            let (secret, key) = named();
            Err(SecretError::NotText { secret, key })
        }
        None => {
            let (secret, key) = named();
            Err(SecretError::NoKey { secret, key })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_is_picked() {
        let json = r#"{"DSN":"postgres://u:hunter2@db/goals","PORT":5432,"NESTED":{"a":"hunter2"}}"#;
        let value = pick("goals/staging", "DSN", json).unwrap();
        assert_eq!(value.expose_secret(), "postgres://u:hunter2@db/goals");
        assert!(!format!("{value:?}").contains("hunter2"));
        assert_eq!(pick("goals/staging", "PORT", json).unwrap().expose_secret(), "5432");
    }

    #[test]
    fn errors_name_secret_and_key_and_no_value() {
        let json = r#"{"OTHER":"hunter2","NESTED":{"a":"hunter2"}}"#;
        let shown = |key, json| pick("goals/staging", key, json).unwrap_err().to_string();
        assert_eq!(shown("DSN", json), r#"the secret "goals/staging" has no key "DSN""#);
        assert_eq!(shown("NESTED", json), r#"the key "NESTED" of the secret "goals/staging" is not text"#);
        for not in ["hunter2", "[\"hunter2\"]", "", "{\"DSN\": hunter2}"] {
            assert_eq!(shown("DSN", not), r#"the secret "goals/staging" is not a JSON object of keys and values"#);
        }
    }
}
