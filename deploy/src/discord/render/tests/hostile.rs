//! Messages made to break the limits, or to reach people.

use super::super::escape::length;
use super::super::page::NAMELESS_FIELD;
use super::*;
use crate::text::anything::{any_key, any_message, verbs};
use proptest::prelude::*;
use slipway_core::message::Action;
use slipway_core::message::hidden::is_invisible;
use std::collections::BTreeSet;

/// The ids of those who may be mentioned.
const PEOPLE: [(&str, &str); 2] = [("ana", "80351110224678912"), ("bob", "53908232506183680")];

fn people() -> People {
    PEOPLE.map(|(id, user)| (id.into(), user.to_owned())).into()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_is_within_the_limits_and_reaches_nobody_else(message in any_message(), key in any_key()) {
        let rendered = render(&message, &people(), &key, "key");
        check(&rendered);
        let again = render(&message, &people(), &key, "key");
        prop_assert_eq!(rendered, again);
    }
}

#[test]
fn thousands_of_everything_still_make_a_message() {
    let branch = "feature/".to_owned() + &"@everyone <@1>\u{202e}".repeat(1_000);
    let line = Line::default().untrusted(branch.as_str()).text(" ").code(branch.as_str());
    let lines = vec![Line::default().untrusted("<@80351110224678912> *x*").code(":x:"); 2_000];
    let verbs = verbs();
    let action = |n: usize| Action { verb: verbs[n % verbs.len()], label: branch.clone() };
    for part in [
        Block::Line(line.clone()),
        Block::Warning(line.clone()),
        Block::Field { label: branch.clone(), lines: lines.clone() },
        Block::Code(branch.clone() + &"\n``` and more words".repeat(5_000)),
        Block::Table { head: vec![branch.clone(); 50], rows: vec![lines[..20].to_vec(); 200] },
    ] {
        for mark in [Mark::Waiting, Mark::None] {
            let message = Message {
                mark,
                headline: line.clone(),
                progress: Some(Progress { permille: 500, label: line.clone() }),
                body: (0..60).flat_map(|_| [Block::Gap, part.clone()]).collect(),
                actions: (0..500).map(action).collect(),
            };
            let rendered = render(&message, &people(), "key", "key");
            check(&rendered);
            assert!(rendered.content.contains(r"feature/\@everyone \<\@1\>\@everyone"), "{}", rendered.content);
            assert_eq!(rendered.embeds[0]["footer"]["text"], "Shortened here: Details shows the rest.");
            let said = rendered.embeds[0].to_string();
            assert!(said.contains("…") || said.contains(" more"), "{said}");
        }
    }
}

#[track_caller]
fn check(rendered: &Rendered) {
    text(&rendered.content, 2_000);
    assert!(rendered.embeds.len() <= 1 && rendered.components.len() <= 5);
    rendered.embeds.iter().for_each(embed);
    let mut ids = BTreeSet::new();
    for row in &rendered.components {
        assert_eq!(row["type"], 1);
        let buttons = row["components"].as_array().unwrap();
        assert!((1..=5).contains(&buttons.len()));
        for button in buttons {
            let (label, id) = (button["label"].as_str().unwrap(), button["custom_id"].as_str().unwrap());
            assert!((1..=80).contains(&length(label)) && !label.contains(is_bad), "{label:?}");
            assert!(length(id) <= 100 && pressed(id).is_some() && ids.insert(id.to_owned()), "{id:?}");
        }
    }
    for user in &rendered.notified {
        assert!(rendered.content.contains(&format!("<@{user}>")), "{user} is told of nothing");
    }
    let named: BTreeSet<_> = rendered.notified.iter().collect();
    assert_eq!(named.len(), rendered.notified.len(), "each once");
    let mentioned = PEOPLE.iter().filter(|(_, user)| rendered.content.contains(&format!("<@{user}>"))).count();
    assert_eq!(mentioned, named.len());
}

fn embed(embed: &Value) {
    let mut whole = 0;
    if let Some(description) = embed["description"].as_str() {
        text(description, 4_096);
        whole += length(description);
    }
    let fields: Vec<_> = embed["fields"].as_array().into_iter().flatten().collect();
    assert!(fields.len() <= 25, "{} fields", fields.len());
    for field in &fields {
        let (name, value) = (field["name"].as_str().unwrap(), field["value"].as_str().unwrap());
        whole += length(name) + length(value);
        text(value, 1_024);
        if name != NAMELESS_FIELD {
            text(name, 256);
        }
    }
    assert!(!fields.is_empty() || embed["description"].is_string(), "an empty embed");
    if let Some(footer) = embed["footer"]["text"].as_str() {
        assert!(length(footer) <= 2_048 && footer.starts_with("Shortened here"), "{footer}");
        whole += length(footer);
    }
    assert!(whole <= 6_000, "{whole} in all");
    assert!(embed.get("title").is_none() && embed.get("image").is_none() && embed.get("author").is_none());
    assert_eq!(embed["url"], marker("key"));
}

fn is_bad(c: char) -> bool {
    (c.is_control() && c != '\n') || is_invisible(c)
}

/// What may stand in a text: signs that mean something are those that the renderer puts there.
#[track_caller]
fn text(text: &str, limit: usize) {
    assert!((1..=limit).contains(&length(text)), "{} of {limit}: {text:?}", length(text));
    assert!(!text.contains(is_bad) && !text.trim().is_empty(), "{text:?}");
    let mut is_framed = false;
    for line in text.lines() {
        if line == "```" {
            is_framed = !is_framed;
        } else if is_framed {
            assert!(!line.contains('`') && !line.contains("<@"), "{line:?}");
        } else {
            self::line(line);
        }
    }
    assert!(!is_framed, "an open frame: {text:?}");
}

fn line(line: &str) {
    let line = line.strip_prefix("> ").unwrap_or(line);
    let line = line.strip_prefix("- ").unwrap_or(line).trim_start();
    let begins = |sign: &str| line.starts_with(sign);
    assert!(!["#", "-", "+", ">", "* "].into_iter().any(begins), "{line:?}");
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    assert!(digits.len() == line.len() || !digits.starts_with(['.', ')']), "a numbered line: {line:?}");
    let left = meant(&without_escapes(line));
    assert!(!left.contains(['<', '>', '@', '`', '*', '_', '~', '|', '[', ']', '\\']), "{left:?} of {line:?}");
    assert!(!left.contains("://") && !left.contains(".gg/"), "{left:?} of {line:?}");
    for word in left.split_whitespace() {
        let parts: Vec<_> = word.split(':').collect();
        let names = parts.get(1..parts.len() - 1).unwrap_or_default();
        assert!(!names.iter().any(|name| is_name(name)), "an emoji in {left:?}");
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '+' | '-'))
}

/// The line with a blank for each escaped sign and for code.
fn without_escapes(line: &str) -> String {
    let (mut out, mut chars, mut is_code) = (String::new(), line.chars(), false);
    while let Some(c) = chars.next() {
        match c {
            '`' => {
                is_code = !is_code;
                out.push(' ');
            }
            _ if is_code => {}
            '\\' => {
                let sign = chars.next().unwrap();
                assert!(sign.is_ascii_punctuation(), "{sign} is escaped in {line:?}");
                out.push(' ');
            }
            c => out.push(c),
        }
    }
    assert!(!is_code, "open code in {line:?}");
    out
}

/// The line without the mentions, times, links and bold signs that are meant.
fn meant(line: &str) -> String {
    let mut line = line.to_owned();
    for (_, user) in PEOPLE {
        line = line.replace(&format!("<@{user}>"), " ");
    }
    while let Some(start) = line.find("<t:") {
        let end = start + line[start..].find('>').unwrap();
        let inside = &line[start + 3..end];
        let (second, style) = inside.split_once(':').unwrap();
        assert!(second.parse::<u64>().is_ok() && matches!(style, "R" | "f"), "{inside}");
        line.replace_range(start..=end, " ");
    }
    while let Some(end) = line.find("](<http") {
        let start = line[..end].rfind('[').unwrap();
        let close = end + line[end..].find(">)").unwrap();
        line.replace_range(close..close + 2, " ");
        address(&line[end + 3..close]);
        line.replace_range(end..close, "");
        line.replace_range(start..=start, " ");
    }
    while let Some(start) = line.find("<http") {
        let end = start + line[start..].find('>').unwrap();
        address(&line[start + 1..end]);
        line.replace_range(start..=end, " ");
    }
    assert_eq!(line.matches("**").count() % 2, 0, "bold is open: {line:?}");
    assert!(!line.contains("***"), "{line:?}");
    line.replace("**", " ")
}

fn address(url: &str) {
    assert!(url.starts_with("https://") || url.starts_with("http://"), "{url}");
    assert!(url.is_ascii() && !url.contains(['(', ')', '<', '>', ' ', '\\', '*', '`']), "{url}");
}
