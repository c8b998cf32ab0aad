//! Answers that came to harm: cut off, hollow, doubled. The same for every stand-in.

use axum::body::Body;
use serde_json::{Value, json};
use std::io;

/// A body of which the first half comes, and then the connection breaks.
pub(crate) fn cut(whole: &[u8]) -> Body {
    let half = whole[..whole.len() / 2].to_vec();
    let broken = io::Error::other("the connection broke");
    Body::from_stream(futures::stream::iter([Ok(half), Err(broken)]))
}

/// JSON of the same kind that has none of its members.
pub(crate) fn hollow(whole: &Value) -> Value {
    match whole {
        Value::Array(_) => json!([{}]),
        _ => json!({}),
    }
}

/// The same with each entry of its lists twice.
pub(crate) fn doubled(whole: Value) -> Value {
    let twice = |list: Vec<Value>| list.into_iter().flat_map(|entry| [entry.clone(), entry]).collect();
    match whole {
        Value::Array(list) => Value::Array(twice(list)),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| match value {
                Value::Array(list) => (name, Value::Array(twice(list))),
                other => (name, other),
            });
            Value::Object(members.collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_doubled_and_their_entries_are_not() {
        let whole = json!({ "total": 2, "list": [{ "inner": [1] }, 2] });
        assert_eq!(doubled(whole), json!({ "total": 2, "list": [{ "inner": [1] }, { "inner": [1] }, 2, 2] }));
        assert_eq!(doubled(json!([1])), json!([1, 1]));
        assert_eq!((hollow(&json!([1, 2])), hollow(&json!({ "a": 1 }))), (json!([{}]), json!({})));
    }
}
