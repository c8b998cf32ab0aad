//! Secrets Manager: `DescribeSecret`, `GetSecretValue`.

use super::members::{only, optional_text, text};
use super::server::Refusal;
use super::{ACCOUNT, REGION};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Secrets by name, each with its versions, oldest first.
#[derive(Debug, Default)]
pub(super) struct Vault {
    secrets: BTreeMap<String, Vec<Version>>,
}

#[derive(Debug)]
struct Version {
    id: String,
    value: String,
}

impl Vault {
    pub(super) fn put(&mut self, name: &str, value: &str) -> String {
        let versions = self.secrets.entry(name.to_owned()).or_default();
        let id = format!("00000000-0000-4000-8000-{:012}", versions.len() + 1);
        versions.push(Version { id: id.clone(), value: value.to_owned() });
        id
    }

    fn find(&self, id: &str) -> Result<(&str, &[Version]), Refusal> {
        let named = |name: &str| id == name || id.starts_with(&arn(name));
        let found = self.secrets.iter().find(|(name, _)| named(name));
        let what = "Secrets Manager can't find the specified secret.";
        found
            .map(|(name, versions)| (name.as_str(), versions.as_slice()))
            .ok_or_else(|| Refusal::new(400, "ResourceNotFoundException", what))
    }
}

fn arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-a1B2c3")
}

pub(super) fn describe(vault: &Vault, body: &Value) -> Result<Value, Refusal> {
    let request = only(body, &["SecretId"])?;
    let (name, versions) = vault.find(text(request, "SecretId")?)?;
    let stage = |(index, version): (usize, &Version)| {
        let stages = match versions.len() - 1 - index {
            0 => vec!["AWSCURRENT"],
            1 => vec!["AWSPREVIOUS"],
            _ => return None,
        };
        Some((version.id.clone(), json!(stages)))
    };
    let stages: serde_json::Map<_, _> = versions.iter().enumerate().filter_map(stage).collect();
    Ok(json!({ "ARN": arn(name), "Name": name, "VersionIdsToStages": stages }))
}

pub(super) fn value(vault: &Vault, body: &Value) -> Result<Value, Refusal> {
    let request = only(body, &["SecretId", "VersionId", "VersionStage"])?;
    let (name, versions) = vault.find(text(request, "SecretId")?)?;
    let back = match optional_text(request, "VersionStage")? {
        None | Some("AWSCURRENT") => 0,
        Some("AWSPREVIOUS") => 1,
        Some(_) => usize::MAX,
    };
    let wanted = optional_text(request, "VersionId")?;
    let by_stage = versions.len().checked_sub(1 + back.min(versions.len())).and_then(|index| versions.get(index));
    let version = match wanted {
        Some(id) => versions.iter().find(|version| version.id == id),
        None => by_stage,
    };
    let none =
        || Refusal::new(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value.");
    let version = version.ok_or_else(none)?;
    Ok(json!({
        "ARN": arn(name), "Name": name, "VersionId": version.id, "SecretString": version.value,
        "VersionStages": ["AWSCURRENT"],
    }))
}
