//! Taking what looks like a secret out of text that the outside sent, before it is shown.
//!
//! A guess by form: it cannot know every secret. What is known to be one (a setting, a token) must be taken
//! out by value, where it is known.

use serde_json::Value;

const REDACTED: &str = "[redacted]";

/// Parts of names whose values are not shown.
const TELLING_NAMES: [&str; 13] = [
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "credential",
    "authorization",
    "dsn",
    "private",
    "cookie",
];

/// Beginnings of well-known tokens.
const TELLING_STARTS: [&str; 14] = [
    "xoxb-",
    "xoxp-",
    "xapp-",
    "xoxe",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "AKIA",
    "ASIA",
    "eyJ",
    "sk-",
    "glpat-",
];

/// A token goes on for at least so long after its beginning.
const TOKEN_REST_LEAST_CHARS: usize = 6;

/// One line of at most `limit_chars` characters, without control characters and without what looks like a secret.
#[must_use]
pub fn excerpt(text: &str, limit_chars: usize) -> String {
    let clean = match serde_json::from_str::<Value>(text) {
        Ok(mut value @ (Value::Object(_) | Value::Array(_))) => {
            redact_json(&mut value);
            value.to_string()
        }
        _ => redact_line(text),
    };
    let clean: String = clean.chars().filter(|c| !c.is_control()).collect();
    match clean.char_indices().nth(limit_chars) {
        Some((at, _)) => format!("{}…", &clean[..at]),
        None => clean,
    }
}

/// Takes what looks like a secret out of every text in our own data, whose names are ours and tell nothing. A text
/// that holds none stays exactly as it is.
pub fn scrub(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(scrub),
        Value::Array(items) => items.iter_mut().for_each(scrub),
        Value::String(text) => {
            let clean = redact_words(text, redact_own_word);
            if clean.contains(REDACTED) {
                *text = clean;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn redact_json(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if is_telling_name(name) {
                    *member = Value::String(REDACTED.to_owned());
                } else {
                    redact_json(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact_json),
        Value::String(text) => *text = redact_line(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn redact_line(text: &str) -> String {
    redact_words(text, redact_word)
}

fn redact_words(text: &str, redact_word: impl Fn(&str) -> String) -> String {
    let mut words = Vec::new();
    // `password: x` and `Bearer x`: the word after a telling one goes too.
    let mut follows = false;
    for word in text.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let scheme = bare.eq_ignore_ascii_case("bearer") || bare.eq_ignore_ascii_case("basic");
        if scheme {
            words.push(word.to_owned());
            follows = true;
            continue;
        }
        words.push(if follows { REDACTED.to_owned() } else { redact_word(word) });
        follows = word.ends_with([':', '=']) && is_telling_name(word);
    }
    words.join(" ")
}

fn redact_word(word: &str) -> String {
    let bare = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    if TELLING_STARTS.iter().any(|start| bare.starts_with(start)) {
        return REDACTED.to_owned();
    }
    redact_value(word)
}

/// As [`redact_word`], for data in which images are named `acme/token-service@sha256:…` and a title may begin with
/// ASIA.
fn redact_own_word(word: &str) -> String {
    let bare = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    let token = |start: &&str| bare.strip_prefix(*start).is_some_and(|rest| rest.len() >= TOKEN_REST_LEAST_CHARS);
    if TELLING_STARTS.iter().any(token) {
        return REDACTED.to_owned();
    }
    if word.contains("@sha256:") { word.to_owned() } else { redact_value(word) }
}

fn redact_value(word: &str) -> String {
    if let Some(at) = word.find(['=', ':'])
        && is_telling_name(&word[..at])
        && at + 1 < word.len()
    {
        return format!("{}{REDACTED}", &word[..=at]);
    }
    if let Some(start) = word.find("://")
        && let Some(at) = word[start..].rfind('@')
    {
        return format!("{}://{REDACTED}{}", &word[..start], &word[start + at..]);
    }
    word.to_owned()
}

fn is_telling_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TELLING_NAMES.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let cases = [
            (r#"{"status":"ok","db":{"Password":"hunter2"}}"#, r#"{"status":"ok","db":{"Password":"[redacted]"}}"#),
            (r#"["postgres://u:hunter2@db/x down"]"#, r#"["postgres://[redacted]@db/x down"]"#),
            ("cannot reach postgres://u:hunter2@db:5432/x", "cannot reach postgres://[redacted]@db:5432/x"),
            ("password=hunter2 host=db", "password=[redacted] host=db"),
            ("Authorization: hunter2 is wrong", "Authorization: [redacted] is wrong"),
            ("Bearer hunter2", "Bearer [redacted]"),
            ("token ghp_hunter2 refused", "token [redacted] refused"),
            ("(xoxb-hunter2)", "[redacted]"),
            ("all\u{7} is\r\nwell", "all is well"),
        ];
        for (text, expected) in cases {
            assert_eq!(excerpt(text, 200), expected, "{text}");
        }
    }

    #[test]
    fn our_own_data_loses_secrets_and_nothing_else() {
        let mut data = serde_json::json!({
            "secret": "goals/staging", "image": "acme/token-service@sha256:ab", "title": "ASIA first,\n  then sk-",
            "reason": "use ghp_hunter2\nplease", "failure": ["cannot reach postgres://u:hunter2@db/x", "password=hunter2"],
        });
        let clean = serde_json::json!({
            "secret": "goals/staging", "image": "acme/token-service@sha256:ab", "title": "ASIA first,\n  then sk-",
            "reason": "use [redacted] please", "failure": ["cannot reach postgres://[redacted]@db/x", "password=[redacted]"],
        });
        scrub(&mut data);
        assert_eq!(data, clean);
    }

    #[test]
    fn redaction_comes_before_the_cut() {
        let text = format!("{} postgres://u:hunter2@db/x", "a".repeat(20));
        assert_eq!(excerpt(&text, 36), format!("{} postgres://[red…", "a".repeat(20)));
        assert_eq!(excerpt("äöü", 2), "äö…");
    }
}
