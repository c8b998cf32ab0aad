//! A message as short text, for reading in tests: the text, `---` and the embed, `[label](name style)`.

use super::super::page::NAMELESS_FIELD;
use super::*;

pub(super) fn shown(rendered: &Rendered) -> String {
    let mut out = format!("{}\n", rendered.content);
    for embed in &rendered.embeds {
        out.push_str(&self::embed(embed));
    }
    for row in &rendered.components {
        let buttons = row["components"].as_array().unwrap().iter().map(button).collect::<Vec<_>>();
        out.push_str(&(buttons.join(" ") + "\n"));
    }
    out
}

fn embed(embed: &Value) -> String {
    let colour = embed["color"].as_u64().map_or("no colour".to_owned(), |colour| format!("{colour:06x}"));
    let mut out = format!("--- {colour}\n");
    if let Some(text) = embed["description"].as_str() {
        out.push_str(&format!("{text}\n"));
    }
    for field in embed["fields"].as_array().into_iter().flatten() {
        assert_eq!(field["inline"], false);
        let name = field["name"].as_str().unwrap();
        let name = if name == NAMELESS_FIELD { "" } else { name };
        out.push_str(&format!("[[{name}]]\n{}\n", field["value"].as_str().unwrap()));
    }
    if let Some(text) = embed["footer"]["text"].as_str() {
        out.push_str(&format!("({text})\n"));
    }
    out
}

fn button(button: &Value) -> String {
    let style = ["", "primary", "secondary", "success", "danger"];
    let style = style[usize::try_from(button["style"].as_u64().unwrap()).unwrap()];
    format!("[{}]({} {style})", button["label"].as_str().unwrap(), button["custom_id"].as_str().unwrap())
}
