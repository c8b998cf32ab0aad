//! A channel as lines of text.

use super::blocks;
use super::message::Message;
use super::world::World;
use serde_json::Value;

const INDENT: &str = "    ";

/// What is in a channel now, oldest first, answers under what they answer.
pub(super) fn transcript(world: &World, channel: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let here = || world.messages.iter().filter(|m| m.channel == channel && !m.deleted);
    let first_of = |m: &Message| m.thread_ts.as_ref().filter(|_| m.is_reply()).cloned();
    for message in here() {
        let alone = first_of(message).is_none_or(|thread| !here().any(|first| first.ts == thread));
        if !alone {
            continue;
        }
        show(world, message, "", &mut lines);
        for reply in here().filter(|reply| first_of(reply).as_deref() == Some(&message.ts)) {
            show(world, reply, INDENT, &mut lines);
        }
    }
    lines
}

/// What a reader sees of a message's content: of its text only when there are no blocks.
pub(super) fn content(world: &World, text: &str, blocks: Option<&Value>) -> Vec<String> {
    let name = |id: &str| world.name(id).to_owned();
    match blocks {
        Some(blocks) => blocks::lines(blocks, &name),
        None => blocks::plain(text, &name).lines().map(str::to_owned).collect(),
    }
}

fn show(world: &World, message: &Message, before: &str, lines: &mut Vec<String>) {
    let name = |id: &str| world.name(id).to_owned();
    let shown = content(world, &message.text, message.blocks.as_ref());
    let mut author = name(&message.user);
    if let Some(only) = &message.ephemeral_for {
        author = format!("→ {} only: {author}", name(only));
    }
    if message.edits > 0 {
        author.push_str(&format!(" (edited {})", message.edits));
    }
    let mut shown = shown.into_iter();
    lines.push(format!("{before}{author}: {}", shown.next().unwrap_or_default()));
    lines.extend(shown.map(|line| format!("{before}{INDENT}{line}").trim_end().to_owned()));
    let reactions = message.reactions.iter().map(|reaction| {
        let users: Vec<_> = reaction.users.iter().map(|user| name(user)).collect();
        format!(":{}: {}", reaction.name, users.join(", "))
    });
    let reactions: Vec<_> = reactions.collect();
    if !reactions.is_empty() {
        lines.push(format!("{before}{INDENT}{}", reactions.join("  ")));
    }
}
