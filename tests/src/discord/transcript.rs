//! A channel as lines of text.

use super::message::Message;
use super::plain::{self, Names};
use super::world::World;
use serde_json::Value;

const INDENT: &str = "    ";
/// What stands instead of an answer.
pub(super) const THINKING: &str = "thinking…";
/// Between a field's name and what is beside it.
const GAP: &str = "  ";
/// How lines begin that stand below the name: items, code.
const BELOW: [char; 2] = ['•', '|'];

impl Names for World {
    fn user(&self, id: &str) -> String {
        self.name(id).to_owned()
    }

    fn channel(&self, id: &str) -> String {
        self.place(id).map_or_else(|| id.to_owned(), |place| place.name)
    }

    fn role(&self, id: &str) -> String {
        self.roles.iter().find(|role| role.id == id).map_or_else(|| id.to_owned(), |role| role.name.clone())
    }
}

/// What is in a channel now, oldest first, threads under what they began at.
pub(super) fn transcript(world: &World, channel: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for message in world.messages.iter().filter(|m| m.channel == channel && !m.deleted) {
        show(world, message, "", &mut lines);
        // A thread has the id of the message that it began at.
        for inside in world.messages.iter().filter(|m| m.channel == message.id && !m.deleted) {
            show(world, inside, INDENT, &mut lines);
        }
    }
    lines
}

/// What a reader sees of a message: its text, its embeds, its buttons.
pub(super) fn content(world: &World, text: &str, embeds: &[Value], components: &[Value]) -> Vec<String> {
    let mut lines = plain::lines(text, world);
    for embed in embeds {
        let mut part = |value: &Value| lines.extend(plain::lines(value.as_str().unwrap_or_default(), world));
        part(&embed["author"]["name"]);
        part(&embed["title"]);
        part(&embed["description"]);
        for field in embed["fields"].as_array().into_iter().flatten() {
            lines.extend(self::field(world, field));
        }
        // A footer knows no markup.
        let footer = embed["footer"]["text"].as_str().unwrap_or_default();
        lines.extend(footer.lines().map(str::to_owned));
    }
    for row in components {
        let labels = row["components"].as_array().into_iter().flatten().map(label);
        lines.push(labels.collect::<Vec<_>>().join(" "));
    }
    lines
}

/// A field as Slack's lines have it: what is beside the name stands in its line, a list below.
fn field(world: &World, field: &Value) -> Vec<String> {
    let shown = |part: &str| plain::lines(field[part].as_str().unwrap_or_default(), world);
    let mut lines = shown("value");
    let name = shown("name").join(" ");
    if name.is_empty() {
        return lines;
    }
    match lines.first_mut().filter(|first| !first.starts_with(BELOW)) {
        Some(first) => first.insert_str(0, &format!("{name}{GAP}")),
        None => lines.insert(0, name),
    }
    lines
}

fn label(component: &Value) -> String {
    let options = component["options"].as_array().into_iter().flatten();
    let options: Vec<_> = options.filter_map(|option| option["label"].as_str()).collect();
    let label = component["label"].as_str().or_else(|| component["emoji"]["name"].as_str());
    let label = label.or_else(|| component["placeholder"].as_str()).unwrap_or_default();
    format!("[{}]", if options.is_empty() { label.to_owned() } else { options.join(" / ") })
}

/// What a reader sees of a message now.
pub(super) fn shown(world: &World, message: &Message) -> Vec<String> {
    if message.is_thinking() {
        return vec![THINKING.to_owned()];
    }
    content(world, &message.said.content, &message.said.embeds, &message.said.components)
}

fn show(world: &World, message: &Message, before: &str, lines: &mut Vec<String>) {
    let name = |id: &str| world.name(id).to_owned();
    let mut author = name(&message.author);
    if let Some(only) = &message.ephemeral_for {
        author = format!("→ {} only: {author}", name(only));
    }
    if message.edits > 0 {
        author.push_str(&format!(" (edited {})", message.edits));
    }
    let mut shown = shown(world, message).into_iter();
    lines.push(format!("{before}{author}: {}", shown.next().unwrap_or_default()));
    lines.extend(shown.map(|line| format!("{before}{INDENT}{line}").trim_end().to_owned()));
    let reactions = message.reactions.iter().map(|reaction| {
        let users: Vec<_> = reaction.users.iter().map(|user| name(user)).collect();
        let emoji = match reaction.emoji.id {
            Some(_) => format!(":{}:", reaction.emoji.name),
            None => reaction.emoji.name.clone(),
        };
        format!("{emoji}: {}", users.join(", "))
    });
    let reactions: Vec<_> = reactions.collect();
    if !reactions.is_empty() {
        lines.push(format!("{before}{INDENT}{}", reactions.join("  ")));
    }
}
