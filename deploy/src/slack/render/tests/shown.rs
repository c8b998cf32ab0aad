//! Blocks as short text, for reading in tests: `*bold*`, `_italic_`, code in backticks, `> quote`, `• item`.

use super::super::spans::Inline;
use slack_morphism::prelude::*;

/// Between two blocks, where Slack leaves room.
const APART: &str = "---\n";

pub(super) fn shown(blocks: &[SlackBlock]) -> String {
    blocks.iter().map(block).collect::<Vec<_>>().join(APART)
}

fn block(block: &SlackBlock) -> String {
    match block {
        SlackBlock::RichText(rich) => rich.elements.iter().map(element).collect(),
        SlackBlock::Divider(_) => "========\n".to_owned(),
        SlackBlock::Actions(actions) => {
            let buttons = actions.elements.iter().map(button).collect::<Vec<_>>();
            buttons.join(" ") + "\n"
        }
        other => panic!("not a block that is made here: {other:?}"),
    }
}

fn button(element: &SlackActionBlockElement) -> String {
    let SlackActionBlockElement::Button(button) = element else { panic!("not a button: {element:?}") };
    let json = serde_json::to_value(button).unwrap();
    let style = json["style"].as_str().map_or(String::new(), |style| format!(" {style}"));
    format!("[{}]({} {}{style})", json["text"]["text"].as_str().unwrap(), button_id(button), json["value"])
}

fn button_id(button: &SlackBlockButtonElement) -> &str {
    button.action_id.as_ref().map_or("", |id| id.0.as_str())
}

fn element(element: &SlackRichTextElement) -> String {
    let lines = |before: &str, text: &str| text.split('\n').map(|line| format!("{before}{line}\n")).collect::<String>();
    match element {
        SlackRichTextElement::Section(section) => inlines(&section.elements) + "\n",
        SlackRichTextElement::Quote(quote) => lines("> ", &inlines(&quote.elements)),
        SlackRichTextElement::Preformatted(pre) => lines("    | ", &inlines(&pre.elements)),
        SlackRichTextElement::List(list) => {
            let item = |item: &SlackRichTextListElement| match item {
                SlackRichTextListElement::Section(section) => {
                    format!("  • {}\n", inlines(&section.elements).replace('\n', "\n    "))
                }
            };
            list.elements.iter().map(item).collect()
        }
    }
}

fn inlines(inlines: &[Inline]) -> String {
    inlines.iter().map(inline).collect()
}

fn inline(inline: &Inline) -> String {
    let json = serde_json::to_value(inline).unwrap();
    let text = match inline {
        Inline::Text(text) => text.text.clone(),
        Inline::Link(link) => format!("{} <{}>", link.text.as_deref().unwrap_or_default(), link.url.0),
        Inline::User(user) => format!("<user {}>", user.user_id.0),
        Inline::Date(date) => format!("<{} {}>", date.format, date.fallback.as_deref().unwrap_or_default()),
        other => panic!("not a piece that is made here: {other:?}"),
    };
    let style = |name: &str, sign: &'static str| if json["style"][name] == true { sign } else { "" };
    let signs = [style("bold", "*"), style("italic", "_"), style("code", "`")];
    let open: String = signs.concat();
    let close: String = signs.into_iter().rev().collect();
    format!("{open}{text}{close}")
}
