//! The name of a policy set by its content.

use super::vocabulary::Vocabulary;
use cedar_policy::{Policy, SchemaFragment};
use sha2::{Digest as _, Sha256};

/// Separates this hash from any other SHA-256, and names the layout of what is hashed.
const HASH_DOMAIN: &str = "slipway-policies-v1";

/// SHA-256 in hex over the schema, the vocabulary and the rules by their `@id`. Which file a rule is in, comments
/// and layout do not count.
pub(super) fn of(schema: &str, vocabulary: &Vocabulary, policies: &mut Vec<&Policy>) -> Result<String, String> {
    // A schema that does not parse is reported by the caller; then nobody looks at the hash.
    let schema = match SchemaFragment::from_cedarschema_str(schema) {
        Ok((fragment, _)) => fragment.to_json_value().map_err(|error| error.to_string())?,
        Err(_) => schema.into(),
    };
    policies.sort_by_key(|policy| policy.id().to_string());
    let mut rules = Vec::new();
    for policy in policies {
        rules.push(policy.to_json().map_err(|error| error.to_string())?);
    }
    let content = serde_json::json!([HASH_DOMAIN, schema, vocabulary, rules]);
    Ok(hex::encode(Sha256::digest(crate::audit::canonical(&content))))
}
