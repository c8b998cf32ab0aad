//! `/release link`: two accounts, one person.

use super::args::Args;
use super::words::nearest;
use super::{Command, Definition, LinkAct, Mistake};
use crate::link::Code;
use crate::message::Line;
use crate::person::Platform;

pub(super) static LINK: Definition = Definition {
    path: &["release", "link"],
    usage: "/release link [code], /release link confirm or refuse, /release link remove <slack|discord|terminal>",
    summary: "make your account in another chat one person with you, by a code confirmed from both sides",
    options: &[],
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

fn link(mut args: Args<'_>) -> Result<Command, Mistake> {
    let Some(word) = args.name()? else { return Ok(Command::Link { act: LinkAct::Begin }) };
    let act = match word.to_ascii_lowercase().as_str() {
        "confirm" => LinkAct::Confirm,
        "refuse" => LinkAct::Refuse,
        "remove" => LinkAct::Remove(chat(&mut args)?),
        lower => match Code::parse(&word) {
            Some(code) => LinkAct::Claim(code),
            None => return Err(no_code(&args, lower)),
        },
    };
    args.end()?;
    Ok(Command::Link { act })
}

/// What was typed may be most of a code, so it is not said back.
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
fn chat(args: &mut Args<'_>) -> Result<Platform, Mistake> {
    let chats = || Platform::ALL.into_iter().filter(|platform| *platform != Platform::Github);
    let Some(word) = args.name()? else { return Err(args.usage(Line::plain("In which chat?"))) };
    if let Some(platform) = chats().find(|platform| platform.key().eq_ignore_ascii_case(&word)) {
        return Ok(platform);
    }
    let line = Line::plain("No account is linked on \"").untrusted(&*word).text("\".");
    Err(match nearest(&word, chats().map(Platform::key)) {
        Some(near) => {
            let right = format!("/release link remove {near}");
            Mistake::new(line.text(" Did you mean ").code(right).text("?"))
        }
        None => args.usage(line),
    })
}
