//! From a typed line to a command, and the help.

use super::lexer::{self, Word};
use super::words::nearest;
use super::{Args, Command, DEFINITIONS, Definition, Mistake, Words, later};
use crate::message::{Block, Line, Mark, Message};

/// How a mention of Slipway is typed where the chat has no markup for it.
const OWN_NAME: &str = "slipway";

/// What a typed line means: `/deploy staging`, or the same after a mention. A mention in a chat's markup
/// (`<@U123>`) is taken for Slipway's: the chat adapter knows its own id and passes on no other. A name is
/// read here, and `@bob deploy production` is said to bob.
///
/// # Errors
/// When it is no command, with the nearest correct spelling. A line with a mistake never starts anything.
pub fn parse(text: &str, known: &Words) -> Result<Command, Mistake> {
    let mut words = lexer::words(text)?;
    if words.first().is_some_and(is_mention) {
        words.remove(0);
    }
    let Some(first) = words.first_mut() else { return Err(what_to_type()) };
    if let Some(name) = first.text.strip_prefix('/') {
        first.text = name.to_owned();
    }
    let (definition, rest) = find(&words)?;
    if let [word] = rest
        && !word.quoted
        && ["help", "--help"].iter().any(|help| word.text.eq_ignore_ascii_case(help))
    {
        return Ok(Command::Help { topic: Some(definition.path.join(" ")) });
    }
    (definition.build)(Args::new(definition, known, rest.to_vec())?)
}

fn is_mention(word: &Word) -> bool {
    let text = word.text.trim_end_matches([',', ':']);
    let is_own = text.strip_prefix('@').is_some_and(|name| name.eq_ignore_ascii_case(OWN_NAME));
    is_own || (text.starts_with("<@") && text.ends_with('>'))
}

fn what_to_type() -> Mistake {
    Mistake::new(
        Line::plain("Type a command, such as ").code("/deploy staging").text(" or ").code("/release help").text("."),
    )
}

/// The definition that the first words name, and the words after them.
fn find(words: &[Word]) -> Result<(&'static Definition, &[Word]), Mistake> {
    let starts = |definition: &&&Definition| {
        let path = definition.path;
        words.len() >= path.len() && path.iter().zip(words).all(|(path, word)| path.eq_ignore_ascii_case(&word.text))
    };
    if let Some(definition) = DEFINITIONS.iter().find(starts) {
        return Ok((definition, &words[definition.path.len()..]));
    }
    let first = words[0].text.to_lowercase();
    let second = words.get(1).map(|word| word.text.to_lowercase());
    if first == "help" {
        return Ok((&super::ask::HELP, &words[1..]));
    }
    if let Some(later) = later::command(&first, second.as_deref()) {
        return Err(later);
    }
    Err(match second {
        None if first == "release" => Mistake::new(Line::plain("What about releases?")).hint(see_help()),
        Some(second) if first == "release" => unknown_release_command(&second),
        _ => unknown_command(&first, words),
    })
}

fn see_help() -> Line {
    Line::plain("What there is: ").code("/release help")
}

fn unknown_release_command(second: &str) -> Mistake {
    let line = Line::plain("There is no command ").untrusted(format!("/release {second}")).text(".");
    let names = DEFINITIONS.iter().filter(|definition| definition.path[0] == "release").map(|d| d.path[1]);
    match nearest(second, names) {
        Some(near) => Mistake::new(line.text(" Did you mean ").code(format!("/release {near}")).text("?")),
        None => Mistake::new(line).hint(see_help()),
    }
}

fn unknown_command(first: &str, words: &[Word]) -> Mistake {
    let line = Line::plain("There is no command ").untrusted(format!("/{first}")).text(".");
    // `status` alone is most likely `/release status`.
    if let Some(definition) = DEFINITIONS.iter().find(|definition| definition.path.last() == Some(&first)) {
        return Mistake::new(line.text(" Did you mean ").code(definition.line()).text("?"));
    }
    match nearest(first, ["deploy", "rollback", "migrate", "release"]) {
        Some(near) => {
            let rest: String = words[1..].iter().map(|word| format!(" {}", word.text)).collect();
            Mistake::new(line.text(" Did you mean ").code(format!("/{near}{rest}")).text("?"))
        }
        None => Mistake::new(line).hint(see_help()),
    }
}

/// What can be typed, or more about one command.
#[must_use]
pub fn help(topic: Option<&str>, known: &Words) -> Message {
    let wanted = topic.unwrap_or_default().trim_start_matches('/').to_lowercase();
    let (first, second) = wanted.split_once(' ').unwrap_or((&wanted, ""));
    let Some(topic) = topic.filter(|_| !matches!(wanted.as_str(), "" | "release")) else { return overview(known) };
    if let Some(later) = later::command(first, Some(second)).or_else(|| later::command("release", Some(first))) {
        return later.message();
    }
    let named = |definition: &&&Definition| {
        definition.path.last() == Some(&wanted.as_str()) || definition.path.join(" ") == wanted
    };
    match DEFINITIONS.iter().find(named) {
        Some(definition) => about(definition),
        None => {
            let line = Line::plain("There is no command ").untrusted(topic).text(".");
            let names = DEFINITIONS.iter().filter_map(|definition| definition.path.last().copied());
            let near = nearest(&wanted, names);
            let line = near.map_or(line.clone(), |near| {
                line.text(" Did you mean ").code(format!("/release help {near}")).text("?")
            });
            Message::answer(line, [see_help()])
        }
    }
}

fn about(definition: &Definition) -> Message {
    let examples = definition.examples.iter().map(|example| Line::default().text("  ").code(*example));
    let lines = [Line::plain(definition.summary), Line::plain("For example:")];
    Message::answer(Line::default().code(definition.usage), lines.into_iter().chain(examples))
}

fn overview(known: &Words) -> Message {
    let row = |definition: &&Definition| vec![Line::default().code(definition.line()), Line::plain(definition.summary)];
    let environments = known.all_environments().join(", ");
    Message {
        mark: Mark::None,
        headline: Line::plain("What you can type"),
        progress: None,
        body: vec![
            Block::Table { head: vec![], rows: DEFINITIONS.iter().map(row).collect() },
            Block::Gap,
            Block::Line(
                Line::plain(format!("Environments: {environments}. More about one command: "))
                    .code("/release help deploy"),
            ),
        ],
        actions: vec![],
    }
}
