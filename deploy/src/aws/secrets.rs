//! The config store.

use super::{AwsClients, AwsError, AwsErrorKind, region_of, timestamp};
use crate::config_store::{ConfigStore, ConfigStoreError, FingerprintKey, Fingerprinted, Wanted, Which, fingerprints};
use async_trait::async_trait;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use secrecy::SecretSlice;
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
    /// It has no version with this label or id.
    #[error("the secret {secret:?} has no version {version:?}; name one that it has")]
    NoVersion {
        /// The secret.
        secret: String,
        /// The label or id.
        version: String,
    },
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
    #[error(
        "no AWS region for the secret {0:?}: the images and targets of the configuration are not all in one; set AWS_REGION"
    )]
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
        self.staged(secret, CURRENT).await
    }

    /// The id of the version with a label. Reads no value.
    async fn staged(&self, secret: &str, wanted: &str) -> Result<String, SecretError> {
        let answer = self.client(secret)?.describe_secret().secret_id(secret).send().await;
        let answer = answer.map_err(|error| match error.as_service_error() {
            Some(e) if e.is_resource_not_found_exception() => SecretError::NoSecret(secret.to_owned()),
            _ => AwsError::from_sdk(DESCRIBE, &error, &[]).into(),
        })?;
        if answer.arn().is_none() {
            return Err(AwsError::lacks(DESCRIBE, "secret").into());
        }
        if answer.deleted_date().is_some() {
            return Err(SecretError::BeingDeleted(secret.to_owned()));
        }
        let mut versions = answer.version_ids_to_stages.unwrap_or_default().into_iter();
        versions.find_map(|(id, stages)| stages.iter().any(|stage| stage == wanted).then_some(id)).ok_or_else(|| {
            match wanted {
                CURRENT => SecretError::NoCurrentVersion(secret.to_owned()),
                _ => SecretError::NoVersion { secret: secret.to_owned(), version: wanted.to_owned() },
            }
        })
    }

    /// The current value of one key. The secret is a JSON object; text is taken as it is, numbers and truth
    /// values as JSON writes them.
    ///
    /// # Errors
    /// When the secret or the key is missing or of another form, or AWS cannot be asked.
    pub async fn value(&self, secret: &str, key: &str) -> Result<SecretString, SecretError> {
        let answer = self.get(secret, &Which::Current).await?;
        pick(secret, key, answer.secret_string().unwrap_or_default())
    }

    async fn get(&self, secret: &str, which: &Which) -> Result<GetSecretValueOutput, SecretError> {
        let request = self.client(secret)?.get_secret_value().secret_id(secret);
        let request = match which {
            Which::Current => request.version_stage(CURRENT),
            Which::Stage(stage) => request.version_stage(stage),
            Which::Version(id) => request.version_id(id),
        };
        let answer = request.send().await.map_err(|error| match (error.as_service_error(), which) {
            (Some(e), Which::Current) if e.is_resource_not_found_exception() => {
                SecretError::NoSecret(secret.to_owned())
            }
            (Some(e), Which::Stage(version) | Which::Version(version)) if e.is_resource_not_found_exception() => {
                SecretError::NoVersion { secret: secret.to_owned(), version: version.clone() }
            }
            _ => SecretError::from(AwsError::from_sdk(GET, &error, &[])),
        })?;
        match answer.arn() {
            Some(_) => Ok(answer),
            None => Err(AwsError::lacks(GET, "secret").into()),
        }
    }

    fn client(&self, secret: &str) -> Result<aws_sdk_secretsmanager::Client, SecretError> {
        match region_of(secret, "secretsmanager") {
            None if self.clients.region().is_none() => Err(SecretError::NoRegion(secret.to_owned())),
            region => Ok(self.clients.secrets(region)),
        }
    }
}

#[async_trait]
impl ConfigStore for Secrets {
    async fn current_version(&self, secret: &str) -> Result<String, ConfigStoreError> {
        Ok(Self::current_version(self, secret).await?)
    }

    async fn fingerprints(
        &self,
        secret: &str,
        version: Option<&str>,
        key: &FingerprintKey,
    ) -> Result<Fingerprinted, ConfigStoreError> {
        let which = version.map_or(Which::Current, |id| Which::Version(id.to_owned()));
        let mut answer = self.get(secret, &which).await?;
        let stored_at = answer.created_date().and_then(timestamp);
        let version_id = answer.version_id.take().unwrap_or_default();
        // Both are wiped when they are dropped, at the end of this function.
        let text = answer.secret_string.take().map(SecretString::from);
        let binary = answer.secret_binary.take().map(|blob| SecretSlice::from(blob.into_inner()));
        let value = match (&text, &binary) {
            (Some(text), _) => text.expose_secret().as_bytes(),
            (None, Some(binary)) => binary.expose_secret(),
            (None, None) => return Err(SecretError::NoCurrentVersion(secret.to_owned()).into()),
        };
        Ok(Fingerprinted { version_id, stored_at, fingerprints: fingerprints(secret, value, key) })
    }

    async fn has_key(&self, wanted: &Wanted) -> Result<(), ConfigStoreError> {
        let Wanted { secret, key, which } = wanted;
        match (key, which) {
            (None, Which::Current) => drop(Self::current_version(self, secret).await?),
            (None, Which::Stage(stage)) => drop(self.staged(secret, stage).await?),
            // A version without a label is listed nowhere and can be read all the same.
            (None, Which::Version(_)) => drop(self.get(secret, which).await?),
            (Some(key), _) => {
                let mut answer = self.get(secret, which).await?;
                let text = SecretString::from(answer.secret_string.take().unwrap_or_default());
                // A key with an object in it is there, too: App Runner gives the service its JSON.
                match pick(secret, key, text.expose_secret()) {
                    Ok(_) | Err(SecretError::NotText { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
}

impl From<SecretError> for ConfigStoreError {
    fn from(error: SecretError) -> Self {
        let text = error.to_string();
        match error {
            SecretError::NoSecret(_)
            | SecretError::NoCurrentVersion(_)
            | SecretError::NoVersion { .. }
            | SecretError::BeingDeleted(_)
            | SecretError::NotAnObject(_)
            | SecretError::NoKey { .. }
            | SecretError::NotText { .. } => Self::Missing(text),
            SecretError::Aws(error) if error.kind == AwsErrorKind::Denied => Self::Denied(text),
            SecretError::Aws(error) if error.may_pass() => Self::Unavailable(text),
            SecretError::NoRegion(_) | SecretError::Aws(_) => Self::Refused(text),
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
