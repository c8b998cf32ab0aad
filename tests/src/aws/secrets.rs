//! Secrets Manager: `DescribeSecret`, `GetSecretValue`.

use super::answer::{Answer, Refusal};
use super::operation::seconds;
use super::state::{State, uuid};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// A secret. Its `Debug` shows no value.
pub(super) struct Secret {
    name: String,
    arn: String,
    created_at: Timestamp,
    /// Oldest first; the last is current, the one before previous.
    versions: Vec<Version>,
}

struct Version {
    id: String,
    value: String,
    created_at: Timestamp,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Secret {
    pub(super) fn new(prefix: &str, name: &str, at: Timestamp) -> Self {
        // AWS adds six characters, so that a secret made again is another one.
        let arn = format!("{prefix}:secret:{name}-{}", &uuid(name)[..6]);
        Self { name: name.to_owned(), arn, created_at: at, versions: Vec::new() }
    }

    /// Stores a value and gives the new version's id.
    pub(super) fn put(&mut self, value: String, at: Timestamp) -> String {
        let id = uuid(&format!("{} version {}", self.arn, self.versions.len()));
        self.versions.push(Version { id: id.clone(), value, created_at: at });
        id
    }

    pub(super) fn arn(&self) -> &str {
        &self.arn
    }

    fn stages(&self, index: usize) -> Vec<&'static str> {
        match self.versions.len() - index {
            1 => vec![CURRENT],
            2 => vec![PREVIOUS],
            _ => Vec::new(),
        }
    }
}

fn find<'a>(state: &'a State, request: &Value) -> Result<&'a Secret, Refusal> {
    let id = request["SecretId"].as_str().unwrap_or_default();
    state
        .secrets
        .values()
        .find(|secret| secret.name == id || secret.arn == id)
        .ok_or_else(|| Refusal::new("ResourceNotFoundException", "Secrets Manager can't find the specified secret."))
}

pub(super) fn describe(state: &mut State, request: &Value) -> Answer {
    let secret = find(state, request)?;
    // Versions without a stage are deprecated and not listed.
    let stages: Map<String, Value> = secret
        .versions
        .iter()
        .enumerate()
        .map(|(n, version)| (version.id.clone(), json!(secret.stages(n))))
        .filter(|(_, stages)| stages != &json!([]))
        .collect();
    let changed = secret.versions.last().map_or(secret.created_at, |version| version.created_at);
    Ok(json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "CreatedDate": seconds(secret.created_at),
        "LastChangedDate": seconds(changed),
        "VersionIdsToStages": stages,
    }))
}

pub(super) fn value(state: &mut State, request: &Value) -> Answer {
    let secret = find(state, request)?;
    let (id, stage) = (request["VersionId"].as_str(), request["VersionStage"].as_str());
    let wanted = |(n, version): &(usize, &Version)| {
        let stages = secret.stages(*n);
        match (id, stage) {
            (None, None) => stages.contains(&CURRENT),
            (id, stage) => id.is_none_or(|id| id == version.id) && stage.is_none_or(|stage| stages.contains(&stage)),
        }
    };
    let found = secret.versions.iter().enumerate().find(wanted).ok_or_else(|| {
        let text = "Secrets Manager can't find the specified secret value for the staging label or version.";
        Refusal::new("ResourceNotFoundException", text)
    })?;
    Ok(json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": found.1.id,
        "SecretString": found.1.value,
        "VersionStages": secret.stages(found.0),
        "CreatedDate": seconds(found.1.created_at),
    }))
}
