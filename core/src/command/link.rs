//! `/release link`: two accounts, one person.

use super::args::Args;
use super::words::nearest;
use super::{Command, Definition, LinkAct, Mistake, slots};
use crate::link::Code;
use crate::message::Line;
use crate::person::Platform;

pub(super) static LINK: Definition = Definition {
    path: &["release", "link"],
    usage: "/release link [code], /release link confirm or refuse, /release link remove <slack|discord|terminal>",
    summary: "make your account in another chat one person with you, by a code confirmed from both sides",
    options: &[],
    slots: &[slots::CODE],
    examples: &[
        "/release link",
        "/release link K7QF-2M9X",
        "/release link confirm",
        "/release link refuse",
        "/release link remove discord",
    ],
    build: link,
};

/// What may stand in a code's place.
const WORDS: [&str; 3] = ["confirm", "refuse", "remove"];

/// Nothing that was typed is said back: it may be a code, or most of one.
fn link(mut args: Args<'_>) -> Result<Command, Mistake> {
    let typed = args.rest().unwrap_or_default();
    let words: Vec<_> = typed.split_whitespace().map(str::to_ascii_lowercase).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let act = match words[..] {
        [] => LinkAct::Begin,
        ["confirm"] => LinkAct::Confirm,
        ["refuse"] => LinkAct::Refuse,
        ["remove"] => return Err(args.usage(Line::plain("In which chat?"))),
        ["remove", chat] => LinkAct::Remove(platform(&args, chat)?),
        [first, ..] => match Code::parse(&typed) {
            Some(code) => LinkAct::Claim(code),
            None => return Err(no_code(&args, first)),
        },
    };
    args.end()?;
    Ok(Command::Link { act })
}

fn no_code(args: &Args<'_>, word: &str) -> Mistake {
    match nearest(word, WORDS) {
        Some(near) => {
            let line = Line::plain("That is no code. Did you mean ").code(format!("/release link {near}"));
            Mistake::new(line.text("?"))
        }
        None => args.usage(Line::plain("That is no code. Codes look like ").code("K7QF-2M9X").text(".")),
    }
}

/// The chats that accounts can be linked in: nobody types on GitHub.
fn platform(args: &Args<'_>, word: &str) -> Result<Platform, Mistake> {
    let chats = || Platform::ALL.into_iter().filter(|platform| *platform != Platform::Github);
    if let Some(platform) = chats().find(|platform| platform.key() == word) {
        return Ok(platform);
    }
    let line = Line::plain("That is no chat in which accounts are linked.");
    Err(match nearest(word, chats().map(Platform::key)) {
        Some(near) => {
            let right = format!("/release link remove {near}");
            Mistake::new(line.text(" Did you mean ").code(right).text("?"))
        }
        None => args.usage(line),
    })
}
