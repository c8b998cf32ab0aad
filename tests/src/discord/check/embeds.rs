//! Embeds, by Discord's limits.

use crate::discord::findings::{Findings, flag, join, list, text, text_within};
use serde_json::{Value, json};

const EMBEDS_LIMIT: usize = 10;
const TITLE_LIMIT_CHARS: usize = 256;
const DESCRIPTION_LIMIT_CHARS: usize = 4_096;
const FIELDS_LIMIT: usize = 25;
const FIELD_NAME_LIMIT_CHARS: usize = 256;
const FIELD_VALUE_LIMIT_CHARS: usize = 1_024;
const FOOTER_LIMIT_CHARS: usize = 2_048;
const AUTHOR_LIMIT_CHARS: usize = 256;
const URL_LIMIT_CHARS: usize = 2_048;
const ALL_LIMIT_CHARS: usize = 6_000;
const COLOR_LIMIT: u64 = 0xFF_FF_FF;
const MEMBERS: [&str; 12] = [
    "type",
    "url",
    "title",
    "color",
    "timestamp",
    "description",
    "author",
    "image",
    "thumbnail",
    "footer",
    "fields",
    "provider",
];

/// The embeds of a body as they are kept.
pub(in crate::discord) fn read(body: &Value, findings: &mut Findings) -> Vec<Value> {
    let embeds = list(body, "embeds", "", findings);
    if embeds.len() > EMBEDS_LIMIT {
        findings.too_long("embeds", EMBEDS_LIMIT);
    }
    let mut all_chars = 0;
    for (number, embed) in embeds.iter().enumerate() {
        all_chars += one(embed, &format!("embeds.{number}"), findings);
    }
    if all_chars > ALL_LIMIT_CHARS {
        let message = format!("Embed size exceeds maximum size of {ALL_LIMIT_CHARS}");
        findings.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", &message);
    }
    embeds.iter().filter(|embed| shows_something(embed)).map(kept).collect()
}

/// An address alone is no embed.
fn shows_something(embed: &Value) -> bool {
    let parts = ["title", "description", "author", "image", "thumbnail", "footer"];
    let words = |part: &str| match &embed[part] {
        Value::String(text) => !text.trim().is_empty(),
        other => other.is_object(),
    };
    parts.into_iter().any(words) || embed["fields"].as_array().is_some_and(|fields| !fields.is_empty())
}

fn kept(embed: &Value) -> Value {
    let mut kept = embed.clone();
    if let Some(members) = kept.as_object_mut() {
        members.retain(|_, value| !value.is_null());
        members.insert("type".to_owned(), json!("rich"));
    }
    for field in kept["fields"].as_array_mut().into_iter().flatten() {
        field["inline"] = json!(field["inline"] == true);
    }
    kept
}

/// Checks one and gives how many of its characters count.
fn one(embed: &Value, path: &str, findings: &mut Findings) -> usize {
    if !embed.is_object() {
        findings.wrong_type(path, "an object");
        return 0;
    }
    findings.unknown_members(path, embed, &MEMBERS);
    let title = text_within(embed, "title", TITLE_LIMIT_CHARS, path, findings);
    let description = text_within(embed, "description", DESCRIPTION_LIMIT_CHARS, path, findings);
    address(embed, "url", path, findings);
    if !embed["color"].is_null() && embed["color"].as_u64().is_none_or(|color| color > COLOR_LIMIT) {
        findings.add(&join(path, "color"), "NUMBER_TYPE_MAX", "int value should be between 0 and 16777215.");
    }
    if let Some(at) = text(embed, "timestamp", path, findings)
        && at.parse::<jiff::Timestamp>().is_err()
    {
        findings.add(&join(path, "timestamp"), "DATE_TIME_TYPE_PARSE", "Could not parse. Should be ISO8601.");
    }
    let footer = named(embed, "footer", "text", FOOTER_LIMIT_CHARS, path, findings);
    let author = named(embed, "author", "name", AUTHOR_LIMIT_CHARS, path, findings);
    for picture in ["image", "thumbnail"] {
        if embed[picture].is_object() {
            address(&embed[picture], "url", &join(path, picture), findings);
        }
    }
    title + description + footer + author + fields(embed, path, findings)
}

/// A part that has to have a text.
fn named(embed: &Value, part: &str, name: &str, limit: usize, path: &str, findings: &mut Findings) -> usize {
    let (value, path) = (&embed[part], join(path, part));
    if value.is_null() {
        return 0;
    }
    let length = text_within(value, name, limit, &path, findings);
    if length == 0 {
        findings.missing(&join(&path, name));
    }
    length
}

fn fields(embed: &Value, path: &str, findings: &mut Findings) -> usize {
    let fields = list(embed, "fields", path, findings);
    if fields.len() > FIELDS_LIMIT {
        findings.too_long(&join(path, "fields"), FIELDS_LIMIT);
    }
    let mut chars = 0;
    for (number, field) in fields.iter().enumerate() {
        let path = format!("{path}.fields.{number}");
        findings.unknown_members(&path, field, &["name", "value", "inline"]);
        flag(field, "inline", &path, findings);
        for (name, limit) in [("name", FIELD_NAME_LIMIT_CHARS), ("value", FIELD_VALUE_LIMIT_CHARS)] {
            chars += text_within(field, name, limit, &path, findings);
            if field[name].as_str().is_none_or(|text| text.trim().is_empty()) {
                findings.missing(&join(&path, name));
            }
        }
    }
    chars
}

fn address(value: &Value, name: &str, path: &str, findings: &mut Findings) {
    let limit = URL_LIMIT_CHARS;
    text_within(value, name, limit, path, findings);
    let Some(url) = value[name].as_str() else { return };
    let web = reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !web {
        findings.add(&join(path, name), "URL_TYPE_INVALID_URL", "Not a well formed URL.");
    }
}
