//! The same words in the same order as in the terminal.

use super::super::page::NAMELESS_FIELD;
use super::cards::{deploying, discord_people, live, message, migrating_back, migration_failed, two_rows, waiting};
use super::*;
use crate::text::fixtures::*;
use jiff::Timestamp;
use slipway_core::message::Span;
use slipway_core::message::cards::{announcement, details, history};
use slipway_core::message::terminal::{self, TerminalOptions};
use slipway_core::policy::Clears;
use slipway_core::release::Step;

/// A day on which nothing of the cards was: the terminal shows all dates.
fn other_day() -> Timestamp {
    at(40 * 86_400)
}

/// What is read of a line, wherever it stands: what only sets it apart is no word.
fn words(text: &str) -> Vec<String> {
    let is_word = |word: &&str| !matches!(*word, "│" | "-" | ">" | "–" | "```");
    let words = text.split_whitespace().filter(is_word);
    // Columns that are too narrow for both have the zone at the hour.
    words.map(|word| word.strip_suffix('Z').filter(|hour| hour.contains(':')).unwrap_or(word).to_owned()).collect()
}

fn in_terminal(message: &Message) -> Vec<String> {
    words(&terminal::render(message, &TerminalOptions::new(2_000, false, other_day())).join("\n"))
}

fn in_discord(message: &Message) -> Vec<String> {
    let rendered = render(message, &discord_people(), "key", "key");
    let mut text = rendered.content;
    for embed in rendered.embeds {
        let fields = embed["fields"].as_array().into_iter().flatten();
        let fields = fields.flat_map(|field| [field["name"].clone(), field["value"].clone()]);
        for part in [embed["description"].clone()].into_iter().chain(fields).chain([embed["footer"]["text"].clone()]) {
            let part = part.as_str().unwrap_or_default().to_owned();
            text.push_str(&format!("\n{}", if part == NAMELESS_FIELD { "" } else { &part }));
        }
    }
    let buttons = rendered.components.iter().flat_map(|row| row["components"].as_array().unwrap());
    let buttons = buttons.map(|button| format!("[{}]", button["label"].as_str().unwrap())).collect::<Vec<_>>();
    words(&format!("{}\n{}", undone(&text), buttons.join(" ")))
}

/// The text without its markup.
fn undone(text: &str) -> String {
    let mut text = text.replace("**", "");
    for (person, id) in discord_people() {
        text = text.replace(&format!("<@{id}>"), &format!("@{person}"));
    }
    while let Some(start) = text.find("<t:") {
        let end = start + text[start..].find('>').unwrap();
        let second = text[start + 3..end].split(':').next().unwrap().parse().unwrap();
        let at = Timestamp::from_second(second).unwrap();
        text.replace_range(start..=end, &at.strftime("%Y-%m-%d %H:%M").to_string());
    }
    while let Some(middle) = text.find("](<") {
        text.replace_range(middle..middle + 3, " (");
        let start = text[..middle].rfind('[').unwrap();
        text.remove(start);
    }
    let text = text.replace(">)", ")");
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            '`' => {}
            c => out.push(c),
        }
    }
    out
}

#[track_caller]
fn same(message: &Message) {
    assert_eq!(in_discord(message), in_terminal(message));
}

#[test]
fn releases_read_the_same() {
    let releases = [
        (asked(), 5),
        (waiting(&plan()), 60),
        (waiting(&migrating_back()), 60),
        (running(Step::Migrate), 20),
        (deploying(), 115),
        (migration_failed(), 20),
        (live(), 250),
        (judged("deny", &[reason("no-permit", "No policy permits *it* <@1>.", Clears::Nothing)]), 9),
    ];
    let people = people();
    for (release, seconds) in &releases {
        // A full bar and a bar of tenths differ by a cell.
        let mut card = message(release, *seconds);
        card.progress.iter_mut().for_each(|progress| progress.permille = 500);
        same(&card);
        same(&announcement(&view(release, &people, &approvers(), *seconds), true));
        same(&details(release, &people, at(*seconds)));
    }
    let all: Vec<_> = releases.into_iter().map(|(release, _)| release).collect();
    same(&history(&all, &Default::default(), at(300)));
}

#[test]
fn answers_read_the_same() {
    same(&two_rows());
    let line = Line::default().untrusted("- a_b <@80351110224678912> @here").code("`x`").text(" at ").time(at(0));
    let line = line.mention(&"ana".into()).text(" ").mention(&"eve".into()).strong(" **");
    let link = Span::Link { url: "https://github.com/acme".into(), text: "run_4211".into() };
    same(&Message::answer(line.clone(), [line, Line(vec![link])]));
}
