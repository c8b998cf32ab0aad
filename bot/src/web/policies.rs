//! The policy set: what is in force, and reading it again.

use super::Web;
use crate::policies::{PoliciesError, ReloadError, Reloaded};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

/// Who the audit log names: whoever holds the token.
const BY: &str = "api";
/// How long an answer waits until new rules are in force.
const IN_FORCE_LIMIT: Duration = Duration::from_secs(5);

/// What is in force.
pub(super) async fn show(State(web): State<Web>) -> Json<Value> {
    let set = web.policies.in_force();
    let rules: Vec<_> = set.rule_ids().collect();
    Json(json!({ "hash": set.hash(), "source": web.policies.origin().source, "rules": rules }))
}

/// Reads the rules again, and waits a while until they are in force. 422 names every mistake, and 502 says why they
/// cannot be read; the old rules then stay in force.
pub(super) async fn reload(State(web): State<Web>) -> (StatusCode, Json<Value>) {
    match web.policies.reload(BY).await {
        Ok(reloaded) => {
            let in_force = web.policies.come_into_force(reloaded.hash(), IN_FORCE_LIMIT).await;
            (StatusCode::OK, Json(document(&reloaded, in_force)))
        }
        Err(error) => refusal(&error),
    }
}

fn document(reloaded: &Reloaded, in_force: bool) -> Value {
    match reloaded {
        Reloaded::Same { hash } => json!({ "changed": false, "hash": hash, "in_force": in_force }),
        Reloaded::Changed { before, hash, rules } => {
            json!({ "changed": true, "before": before, "hash": hash, "rules": rules, "in_force": in_force })
        }
    }
}

fn refusal(error: &ReloadError) -> (StatusCode, Json<Value>) {
    match error {
        ReloadError::Policies(PoliciesError::Mistakes(mistakes)) => {
            let what = "the policies have mistakes, so those in force stay";
            (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": what, "mistakes": mistakes })))
        }
        ReloadError::Policies(unread) => (StatusCode::BAD_GATEWAY, Json(json!({ "error": unread.to_string() }))),
        ReloadError::Store(error) => {
            tracing::error!(%error, "policies could not be stored");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": "the store does not answer" })))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn what_cannot_be_read_is_no_mistake() {
        let error = io::Error::from(io::ErrorKind::NotFound);
        let unread = PoliciesError::Folder { folder: "rules".to_owned(), error };
        let (status, Json(said)) = refusal(&unread.into());
        assert_eq!((status, &said["mistakes"]), (StatusCode::BAD_GATEWAY, &Value::Null));
        assert!(said["error"].as_str().unwrap().starts_with("the policies in rules cannot be read: "), "{said}");
        let (status, Json(said)) = refusal(&PoliciesError::Mistakes(vec!["a.cedar:1:1: What?".to_owned()]).into());
        assert_eq!((status, &said["mistakes"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(["a.cedar:1:1: What?"])));
    }

    #[test]
    fn whether_new_rules_are_in_force_is_in_the_answer() {
        let changed = Reloaded::Changed { before: "a".to_owned(), hash: "b".to_owned(), rules: 2 };
        let said = json!({ "changed": true, "before": "a", "hash": "b", "rules": 2, "in_force": false });
        assert_eq!(document(&changed, false), said);
    }
}
