//! Blocks as lines of text, for transcripts.

use serde_json::Value;

/// What a reader sees of blocks; `name` gives the name of a user's id.
pub(crate) fn lines(blocks: &Value, name: &dyn Fn(&str) -> String) -> Vec<String> {
    let mut lines = Vec::new();
    for block in blocks.as_array().into_iter().flatten() {
        match kind(block) {
            "rich_text" => items(block, "elements").for_each(|part| rich_text(part, name, &mut lines)),
            "header" => push(&mut lines, "", &words(&block["text"], name)),
            "section" => {
                push(&mut lines, "", &words(&block["text"], name));
                items(block, "fields").for_each(|field| push(&mut lines, "", &words(field, name)));
                push(&mut lines, "", &label(&block["accessory"]));
            }
            "context" => {
                let all: Vec<_> = items(block, "elements").map(|element| words(element, name)).collect();
                push(&mut lines, "", &all.join("  "));
            }
            "divider" => lines.push("———".to_owned()),
            "actions" => {
                let all: Vec<_> = items(block, "elements").map(label).collect();
                lines.push(all.join(" "));
            }
            "input" => push(&mut lines, "", &format!("{}: {}", words(&block["label"], name), label(&block["element"]))),
            "image" => push(&mut lines, "", &format!("[{}]", text(block, "alt_text"))),
            _ => {}
        }
    }
    lines
}

fn kind(value: &Value) -> &str {
    text(value, "type")
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn items<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value.get(field).and_then(Value::as_array).into_iter().flatten()
}

/// Each line of a text, with something before it. No text makes no line, an empty line in it does.
fn push(lines: &mut Vec<String>, before: &str, text: &str) {
    lines.extend(text.lines().map(|line| format!("{before}{line}")));
}

fn words(object: &Value, name: &dyn Fn(&str) -> String) -> String {
    match kind(object) {
        "mrkdwn" => plain(text(object, "text"), name),
        "image" => format!("[{}]", text(object, "alt_text")),
        _ => text(object, "text").to_owned(),
    }
}

/// Slack's markup with its references resolved and its entities undone.
pub(crate) fn plain(markup: &str, name: &dyn Fn(&str) -> String) -> String {
    let mut pieces = markup.split('<');
    let mut shown = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let Some((inside, rest)) = piece.split_once('>') else {
            shown.push_str(piece);
            continue;
        };
        let (target, label) = inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
        match (target.chars().next(), label) {
            (Some('@'), _) => shown.push_str(&format!("@{}", name(&target[1..]))),
            (_, Some(label)) => shown.push_str(label),
            (Some('!'), None) => shown.push_str(&format!("@{}", &target[1..])),
            _ => shown.push_str(target),
        }
        shown.push_str(rest);
    }
    shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn label(element: &Value) -> String {
    match kind(element) {
        "" => String::new(),
        "button" => format!("[{}]", text(&element["text"], "text")),
        "plain_text_input" | "number_input" => "[…]".to_owned(),
        "image" => format!("[{}]", text(element, "alt_text")),
        _ => {
            let options: Vec<_> = items(element, "options").map(|option| text(&option["text"], "text")).collect();
            format!("[{}]", if options.is_empty() { kind(element).to_owned() } else { options.join(" / ") })
        }
    }
}

fn rich_text(part: &Value, name: &dyn Fn(&str) -> String, lines: &mut Vec<String>) {
    let inline = |part: &Value| items(part, "elements").map(|element| piece(element, name)).collect::<String>();
    match kind(part) {
        "rich_text_list" => {
            let indent = usize::try_from(part["indent"].as_u64().unwrap_or(0)).unwrap_or(0);
            for (number, item) in items(part, "elements").enumerate() {
                let mark = if text(part, "style") == "ordered" { format!("{}.", number + 1) } else { "•".to_owned() };
                lines.push(format!("{}{mark} {}", "  ".repeat(indent), inline(item)));
            }
        }
        "rich_text_quote" => push(lines, "> ", &inline(part)),
        "rich_text_preformatted" => push(lines, "| ", &inline(part)),
        _ => push(lines, "", &inline(part)),
    }
}

fn piece(element: &Value, name: &dyn Fn(&str) -> String) -> String {
    match kind(element) {
        "user" => format!("@{}", name(text(element, "user_id"))),
        "usergroup" => format!("@{}", text(element, "usergroup_id")),
        "broadcast" => format!("@{}", text(element, "range")),
        "channel" => format!("#{}", text(element, "channel_id")),
        "emoji" => format!(":{}:", text(element, "name")),
        "color" => text(element, "value").to_owned(),
        "date" => match text(element, "fallback") {
            "" => format!("<{} {}>", element["timestamp"], text(element, "format")),
            fallback => fallback.to_owned(),
        },
        "link" => match text(element, "text") {
            "" => text(element, "url").to_owned(),
            label => label.to_owned(),
        },
        _ => text(element, "text").to_owned(),
    }
}
