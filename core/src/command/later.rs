//! What later versions will understand, so that typing it gives an honest answer and the way that there is now.

use super::{Mistake, SlashCommand};
use crate::message::Line;

/// A command that is not in this version.
struct Later {
    /// As it is typed, in lower case, without slash.
    name: &'static str,
    /// What can be done now.
    instead: &'static str,
    /// A command that does that, if one line does.
    command: Option<&'static str>,
}

const COMMANDS: [Later; 1] =
    [Later { name: "release stats", instead: "see how releases ended: ", command: Some("/release history") }];

impl Later {
    fn instead(&self) -> Line {
        let line = Line::plain(self.instead);
        self.command.into_iter().fold(line, Line::code)
    }
}

/// The answer, if the first two words are a command of a later version.
pub(super) fn command(first: &str, second: Option<&str>) -> Option<Mistake> {
    let typed = second.map_or(first.to_lowercase(), |second| format!("{first} {second}").to_lowercase());
    let later = COMMANDS.iter().find(|later| later.name == typed || later.name.eq_ignore_ascii_case(first))?;
    Some(Mistake::not_yet(Line::default().code(format!("/{}", later.name)), later.instead()))
}

/// Those of them that a chat has to know before somebody can type them and get the answer.
pub(super) fn slash_commands() -> impl Iterator<Item = SlashCommand> {
    let alone = COMMANDS.iter().filter(|later| !later.name.contains(' '));
    alone.map(|later| SlashCommand {
        name: format!("/{}", later.name),
        description: format!("not in this version yet: {}{}", later.instead, later.command.unwrap_or_default()),
        usage_hint: String::new(),
    })
}

/// The answer to `all` in a service's place, where it is not understood.
pub(super) fn all_services() -> Mistake {
    let line = Line::default().code("all").text(" goes with ").code("/deploy").text(" alone, without ");
    let line = line.code("--when").text(" and ").code("--config").text(".");
    Mistake::new(line).hint(Line::plain("Name one service, and ask once for each."))
}
