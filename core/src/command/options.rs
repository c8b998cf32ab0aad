//! The commands as forms that a chat shows while one types, and the line that a filled-in form stands for. What a form
//! says takes the same way as what is typed: through the grammar.

use super::lexer::{self, Word};
use super::slots::{Place, Slot};
use super::{DEFINITIONS, Definition, Mistake, TEXT_LIMIT_CHARS, quoted, slash_commands};
use crate::message::Line;
use std::collections::BTreeMap;

/// The longest description of a command or an option, in characters.
pub const DESCRIPTION_LIMIT_CHARS: usize = 100;
/// The digits that an account's id has in a chat where ids are numbers.
const ACCOUNT_DIGITS: std::ops::RangeInclusive<usize> = 15..=20;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// An environment's name.
    Environment,
    /// A service's name.
    Service,
    /// A branch, a tag or a commit.
    Reference,
    /// A release's id, or its beginning.
    Release,
    /// Any text.
    Text,
    /// `true` or `false`.
    Flag,
    /// Somebody: the id of their account in the chat, or their name.
    Person,
    /// `2h`, `1h30m`.
    Duration,
    /// A whole number.
    Count,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A service's name, or `all` for every one that has the environment.
    ServiceOrAll,
}

/// One thing that a command takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandOption {
    /// In lower case.
    pub name: String,
    /// At most [`DESCRIPTION_LIMIT_CHARS`].
    pub description: String,
    /// What it is.
    pub kind: OptionKind,
    /// Whether the command says nothing without it.
    pub required: bool,
}

/// A command with what it takes: options or sub-commands, never both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandForm {
    /// In lower case, without a slash.
    pub name: String,
    /// At most [`DESCRIPTION_LIMIT_CHARS`].
    pub description: String,
    /// Those that are required come first; the others in the order in which they are typed.
    pub options: Vec<CommandOption>,
    /// `status` of `/release`, and the others of a second word.
    pub sub_commands: Vec<CommandForm>,
}

/// Every first word that the grammar answers, in the order of the help, also those of later versions.
#[must_use]
pub fn forms() -> Vec<CommandForm> {
    let form = |command: super::SlashCommand| {
        let name = command.name.trim_start_matches('/').to_owned();
        let of_it = DEFINITIONS.into_iter().filter(|definition| definition.path[0] == name);
        let (alone, below): (Vec<_>, Vec<_>) = of_it.partition(|definition| definition.path.len() == 1);
        let below = below.into_iter().map(|definition| CommandForm {
            name: definition.path[1..].join("-"),
            description: cut(definition.summary),
            options: options(definition),
            sub_commands: vec![],
        });
        CommandForm {
            description: cut(&command.description),
            options: alone.into_iter().flat_map(options).collect(),
            sub_commands: below.collect(),
            name,
        }
    };
    slash_commands().into_iter().map(form).collect()
}

/// What an option of a command asks for. `None`: there is no such option.
#[must_use]
pub fn option_kind(command: &str, sub: Option<&str>, option: &str) -> Option<OptionKind> {
    let path: Vec<&str> = [command].into_iter().chain(sub).collect();
    let definition = DEFINITIONS.into_iter().find(|definition| definition.path == path)?;
    definition.slots.iter().find(|slot| slot.name == option).map(|slot| slot.kind)
}

fn options(definition: &Definition) -> Vec<CommandOption> {
    let option = |slot: &Slot| CommandOption {
        name: slot.name.to_owned(),
        description: cut(slot.about),
        kind: slot.kind,
        required: slot.required,
    };
    let (needed, others): (Vec<_>, Vec<_>) = definition.slots.iter().map(option).partition(|option| option.required);
    needed.into_iter().chain(others).collect()
}

fn cut(text: &str) -> String {
    if text.chars().count() <= DESCRIPTION_LIMIT_CHARS {
        return text.to_owned();
    }
    let kept: String = text.chars().take(DESCRIPTION_LIMIT_CHARS - 1).collect();
    kept.trim_end().to_owned() + "…"
}

/// The line that somebody could have typed instead of filling a form in: `values` by the names of its options. Each
/// value is one word of it, whatever it holds; it is never an option, a second word, or another command. A value of white
/// space is none. In a text, quotation marks become apostrophes and line ends spaces; all else stays as it is.
///
/// # Errors
/// When there is no such command or option, something is missing, or a line cannot say it.
pub fn line_of(command: &str, sub: Option<&str>, values: &BTreeMap<String, String>) -> Result<String, Mistake> {
    let path: Vec<&str> = [command].into_iter().chain(sub).collect();
    let head = format!("/{}", path.join(" "));
    let Some(definition) = DEFINITIONS.into_iter().find(|definition| definition.path == path) else {
        // One of a later version is answered by the grammar, which knows what to do now.
        let is_known = sub.is_none() && values.is_empty() && slash_commands().iter().any(|known| known.name == head);
        let line = Line::plain("There is no command ").untrusted(head.as_str()).text(".");
        return if is_known { Ok(head) } else { Err(Mistake::new(line)) };
    };
    if let Some(name) = values.keys().find(|name| definition.slots.iter().all(|slot| slot.name != *name)) {
        return Err(Mistake::new(
            Line::default().code(head).text(" has no option ").untrusted(name.as_str()).text("."),
        ));
    }
    let mut words: Vec<Word> = path.iter().map(|word| bare(word)).collect();
    for slot in definition.slots {
        match values.get(slot.name).map(|value| value.trim()).filter(|value| !is_blank(slot, value)) {
            Some(value) => words.extend(said(slot, value)?),
            None if slot.required => return Err(wrong(slot, " is missing.")),
            None => {}
        }
    }
    words[0].text.insert(0, '/');
    as_line(&words)
}

/// Whether nothing is said. Of a text that holds for what no line can show, too.
fn is_blank(slot: &Slot, value: &str) -> bool {
    let is_nothing = |c: char| c.is_whitespace() || (slot.kind == OptionKind::Text && c.is_control());
    value.chars().all(is_nothing)
}

/// The words that say one value.
fn said(slot: &Slot, value: &str) -> Result<Vec<Word>, Mistake> {
    let option = || bare(&format!("--{}", slot.name));
    if slot.kind == OptionKind::Flag {
        return match value {
            "true" => Ok(vec![option()]),
            "false" => Ok(vec![]),
            _ => Err(wrong(slot, " is either true or false.")),
        };
    }
    let before = match slot.place {
        Place::Word => None,
        Place::WordAfter(word) => Some(bare(word)),
        Place::Option => Some(option()),
    };
    Ok(before.into_iter().chain([word(slot, value)?]).collect())
}

/// The value as one word. What may be taken for something else stands in quotation marks.
fn word(slot: &Slot, value: &str) -> Result<Word, Mistake> {
    let quotation = quoted(value);
    let inner = &quotation[1..quotation.len() - 1];
    let is_account = ACCOUNT_DIGITS.contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
    match slot.kind {
        OptionKind::Text => Ok(Word { text: inner.to_owned(), quoted: true }),
        // A name with something else in its place is another name.
        _ if inner != value => Err(wrong(slot, " holds what no line can say: quotation marks or control characters.")),
        // A word in its place would be a service.
        OptionKind::Count if value.bytes().any(|b| !b.is_ascii_digit()) => Err(wrong(slot, " is a whole number.")),
        OptionKind::Choice(words) if !words.contains(&value) => Err(wrong(slot, " is none of what there is.")),
        OptionKind::Environment
        | OptionKind::Service
        | OptionKind::Duration
        | OptionKind::Count
        | OptionKind::Choice(_)
        | OptionKind::ServiceOrAll
            if is_plain(value) =>
        {
            Ok(bare(value))
        }
        OptionKind::Person if is_account => Ok(Word { text: format!("<@{value}>"), quoted: true }),
        // Alone and without quotation marks a branch could be a service: see `Args::only_a_service_is_left`.
        _ => Ok(Word { text: value.to_owned(), quoted: true }),
    }
}

fn bare(text: &str) -> Word {
    Word { text: text.to_owned(), quoted: false }
}

/// Whether it is the same without quotation marks. `help` after a command asks about it.
fn is_plain(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !value.eq_ignore_ascii_case("help")
}

/// Joins the words. What does not come apart into the same words again is not said.
fn as_line(words: &[Word]) -> Result<String, Mistake> {
    let written = |word: &Word| if word.quoted { format!("\"{}\"", word.text) } else { word.text.clone() };
    let line = words.iter().map(written).collect::<Vec<_>>().join(" ");
    if lexer::words(&line)? == words {
        return Ok(line);
    }
    let unsaid = format!("That cannot be said in a line of at most {TEXT_LIMIT_CHARS} characters.");
    Err(Mistake::new(Line::plain(unsaid)))
}

fn wrong(slot: &Slot, what: &str) -> Mistake {
    Mistake::new(Line::default().code(slot.name).text(what))
}
