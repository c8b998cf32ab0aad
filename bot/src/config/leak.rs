//! Secrets that were written into the file. They are recognised by their shape or by the key's name, and no
//! message ever repeats one.

use toml::Spanned;
use toml::de::DeValue;

/// Longest piece of a value that a message repeats, in characters.
const SHOWN_LIMIT_CHARS: usize = 60;

/// Beginnings by which the services' own scanners know their tokens, with the variable that takes each.
const PREFIXES: &[(&str, &str, &str)] = &[
    ("xoxb-", "a Slack bot token", "SLACK_BOT_TOKEN"),
    ("xapp-", "a Slack app token", "SLACK_APP_TOKEN"),
    ("xoxp-", "a Slack user token", "SLACK_BOT_TOKEN"),
    ("xoxe.xoxp-", "a Slack app configuration token", "SLACK_CONFIG_TOKEN"),
    ("xoxe", "a Slack refresh token", "SLACK_BOT_TOKEN"),
    ("ghp_", "a GitHub token", "GITHUB_TOKEN"),
    ("gho_", "a GitHub token", "GITHUB_TOKEN"),
    ("ghu_", "a GitHub token", "GITHUB_TOKEN"),
    ("ghs_", "a GitHub token", "GITHUB_TOKEN"),
    ("ghr_", "a GitHub token", "GITHUB_TOKEN"),
    ("github_pat_", "a GitHub token", "GITHUB_TOKEN"),
    ("-----BEGIN", "a private key", "GITHUB_APP_PRIVATE_KEY"),
];

/// What a text that looks like a secret is, and the sentence that says where it belongs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Leak {
    pub(super) what: &'static str,
    pub(super) mend: String,
}

/// Whether the text looks like a secret.
pub(super) fn looks_secret(text: &str) -> Option<Leak> {
    let text = text.trim();
    for (prefix, what, variable) in PREFIXES {
        if text.starts_with(prefix) {
            return Some(Leak { what, mend: belongs_in(variable) });
        }
    }
    if is_aws_key_id(text) {
        let mend = "remove it; AWS credentials come from AWS's standard chain (AWS_ACCESS_KEY_ID, a profile, a role)";
        return Some(Leak { what: "an AWS access key", mend: mend.to_owned() });
    }
    if is_discord_token(text) {
        return Some(Leak { what: "a Discord bot token", mend: belongs_in("DISCORD_TOKEN") });
    }
    if has_password(text) {
        let mend = "remove it; keep the address in Secrets Manager and name that secret here";
        return Some(Leak { what: "an address with a password", mend: mend.to_owned() });
    }
    None
}

fn belongs_in(variable: &str) -> String {
    format!("remove it and replace the secret, it was readable here; secrets come from the environment ({variable})")
}

fn is_aws_key_id(text: &str) -> bool {
    let rest = text.strip_prefix("AKIA").or_else(|| text.strip_prefix("ASIA"));
    rest.is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()))
}

/// `<base64 of a snowflake>.<6 characters>.<27 or more>`.
fn is_discord_token(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let plain = |part: &&str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    matches!(parts[..], [id, time, mac] if (23..=30).contains(&id.len()) && time.len() == 6 && mac.len() >= 27)
        && parts.iter().all(plain)
}

fn has_password(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return text.contains("password=") };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    authority.rsplit_once('@').is_some_and(|(user, _)| user.split_once(':').is_some_and(|(_, pass)| !pass.is_empty()))
        || rest.contains("password=")
}

/// Whether a key's name says that its value is a secret, or comes with one.
pub(super) fn speaks_of_secret(key: &str) -> bool {
    const WORDS: &[&str] =
        &["token", "password", "passwd", "secret", "private_key", "public_key", "api_key", "access_key", "credential"];
    let key = plain_key(key);
    WORDS.iter().any(|word| key.contains(word))
}

fn plain_key(key: &str) -> String {
    key.to_ascii_lowercase().replace('-', "_")
}

/// Where the value of a key such as `token` in `[slack]` belongs instead; none when the key's name does not speak
/// of a secret.
pub(super) fn belongs_elsewhere(section: &str, key: &str) -> Option<String> {
    let key = plain_key(key);
    if !speaks_of_secret(&key) && (section, key.as_str()) != ("github", "app_id") {
        return None;
    }
    let variable = match section.split('.').next().unwrap_or(section) {
        "slack" if key.contains("config") => "SLACK_CONFIG_TOKEN",
        "slack" if key.contains("app_token") => "SLACK_APP_TOKEN",
        "slack" if key.contains("sign") => "SLACK_SIGNING_SECRET",
        "slack" => "SLACK_BOT_TOKEN",
        "discord" if key.contains("public_key") => "DISCORD_PUBLIC_KEY",
        "discord" => "DISCORD_TOKEN",
        "github" if key == "app_id" => "GITHUB_APP_ID",
        "github" if key.contains("private_key") => "GITHUB_APP_PRIVATE_KEY",
        "github" if key.contains("webhook") => "GITHUB_WEBHOOK_SECRET",
        "github" => "GITHUB_TOKEN",
        "server" => "SLIPWAY_API_TOKEN",
        "service" => {
            let mend = "remove it; keep it in Secrets Manager and name that secret in database or config";
            return Some(mend.to_owned());
        }
        _ => return Some("remove it; secrets come from the environment".to_owned()),
    };
    Some(format!("remove it; secrets come from the environment ({variable})"))
}

/// Every text in the file that looks like a secret: its byte offset, its key path, and what it is.
pub(super) fn scan(value: &Spanned<DeValue<'_>>, path: &str, found: &mut Vec<(usize, String, Leak)>) {
    match value.get_ref() {
        DeValue::String(text) => {
            if let Some(leak) = looks_secret(text) {
                found.push((value.span().start, path.to_owned(), leak));
            }
        }
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                scan(item, &format!("{path}[{index}]"), found);
            }
        }
        DeValue::Table(table) => {
            for (key, item) in table.iter() {
                scan(item, &super::section::join(path, key.get_ref()), found);
            }
        }
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

/// The text in quotes for a message: shortened, control characters escaped, nothing of a secret.
pub(super) fn shown(text: &str) -> String {
    if looks_secret(text).is_some() {
        return "(a secret, not shown)".to_owned();
    }
    let short: String = text.chars().take(SHOWN_LIMIT_CHARS).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{:?}", format!("{short}{more}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_shape_and_never_shown() {
        let discord = format!("{}.{}.{}", "M".repeat(24), "G1a2b3", "x".repeat(27));
        for text in [
            "xoxb-1-2-3",
            " ghp_abc",
            "AKIAIOSFODNN7EXAMPLE",
            "postgres://ana:hunter2@db/goals",
            "host=db password=hunter2",
            "https://ana:hunter2@example.com/x?y#z",
            "-----BEGIN RSA PRIVATE KEY-----",
            &discord,
        ] {
            assert!(looks_secret(text).is_some(), "{text}");
            assert_eq!(shown(text), "(a secret, not shown)");
        }
        for text in ["", "acme/goals", "AKIA", "https://acme.dev/a@b:c", "goals.staging.acme", "sqlite://slipway.db"] {
            assert_eq!(looks_secret(text), None, "{text}");
        }
        assert_eq!(shown("a\nb"), r#""a\nb""#);
        assert_eq!(shown(&"é".repeat(61)), format!("\"{}…\"", "é".repeat(60)));
    }
}
