//! The demo with a person at the keyboard.

use super::{DemoError, Stage};
use crate::front::{CallError, Seen};
use crate::screen::Screen;
use crate::world::World;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::time::Instant;

/// How long answers are waited for once nobody types any more.
const ANSWERS_LIMIT: Duration = Duration::from_secs(30);
/// How long nothing has to come after the last answer: a release goes on being shown while it moves.
const QUIET: Duration = Duration::from_millis(1_500);

/// The people one can be.
const PEOPLE: [&str; 5] = ["ana", "bob", "chen", "dora", "eve"];

const HELP: &str = "\
You are ana. Type what she would type in the channel:
  /deploy staging          /deploy production       /release help
  /release status          /release why deploy production
Be somebody else for one line by beginning with a name, and react to the newest card with ✅ or ❌ (or yes and no):
  bob ✅                   bob /release lock production \"load test\" --for 2h
as bob changes who you are; quit ends it.";

/// The same where a command has options with names.
const HELP_WITH_OPTIONS: &str = "\
You are ana. Type what she would type in the channel:
  /deploy environment:staging    /deploy environment:production         /release help
  /release status                /release why environment:production
Be somebody else for one line by beginning with a name, and react to the newest card with ✅ or ❌ (or yes and no):
  bob ✅                         bob /release lock environment:production reason:\"load test\" for:2h
as bob changes who you are; quit ends it.";

/// Lets a person type commands and reactions until they leave.
///
/// # Errors
/// When the bot cannot be reached.
pub async fn interactive(world: &World, screen: Screen) -> Result<(), DemoError> {
    let mut stage = Stage::new(world, screen);
    for remark in &world.remarks {
        stage.screen.note(remark);
    }
    let help = if stage.front.has_options() { HELP_WITH_OPTIONS } else { HELP };
    stage.screen.note(help);
    if let Some(page) = world.page() {
        stage.screen.note(&format!("The same in a browser, as the chat would show it, for everybody: {page}"));
    }
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut me = "ana".to_owned();
    let mut awaited = Awaited::default();
    loop {
        // Reading news is cut off when a line comes; the next call gives what it would have given.
        let line = tokio::select! {
            line = lines.next_line() => line.ok().flatten(),
            news = stage.front.news() => {
                show(&mut stage, news?, &mut awaited);
                continue;
            }
        };
        let Some(line) = line else { return hear_out(&mut stage, awaited).await };
        stage.screen.echoed(&line);
        match heard(line.trim(), &me) {
            Heard::Nothing => {}
            Heard::Quit => return hear_out(&mut stage, awaited).await,
            Heard::Become(person) => {
                stage.screen.note(&format!("You are {person} now."));
                me = person;
            }
            Heard::Nobody(name) => {
                stage.screen.note(&format!("There is no {name} here. There are {}.", PEOPLE.join(", ")));
            }
            Heard::Help => stage.screen.note(help),
            Heard::Said { person, text } => {
                let said = stage.front.say(&person, &text).await;
                awaited.asked(said.is_ok());
                note_slip(&mut stage.screen, said)?;
            }
            Heard::Reacted { person, reaction } => react(&mut stage, &person, reaction).await?,
        }
    }
}

fn show(stage: &mut Stage<'_>, news: Vec<Seen>, awaited: &mut Awaited) {
    for message in news {
        let is_new = stage.seen.iter().all(|seen| seen.key != message.key);
        awaited.seen(is_new);
        stage.screen.show(&message);
        stage.seen.push(message);
    }
}

/// Nobody types any more, as at the end of what was piped in: what was asked is answered before it ends.
async fn hear_out(stage: &mut Stage<'_>, mut awaited: Awaited) -> Result<(), DemoError> {
    let end = Instant::now() + ANSWERS_LIMIT;
    while let Some(wait) = awaited.wait(end.saturating_duration_since(Instant::now())) {
        match tokio::time::timeout(wait, stage.front.news()).await {
            Ok(news) => {
                let news = news?;
                awaited.quiet = news.is_empty();
                show(stage, news, &mut awaited);
            }
            Err(_) => awaited.quiet = true,
        }
    }
    Ok(())
}

/// What was asked and not answered yet.
#[derive(Debug, Default)]
struct Awaited {
    open: usize,
    /// Whether nothing came when it was last waited for.
    quiet: bool,
}

impl Awaited {
    /// Something was said; what was refused at once is answered.
    fn asked(&mut self, was_taken: bool) {
        self.open += usize::from(was_taken);
    }

    /// A message came: a new one answers what was asked first.
    fn seen(&mut self, is_new: bool) {
        self.open = self.open.saturating_sub(usize::from(is_new));
    }

    /// For how long to wait for more, with so much time left; `None` where there is nothing to wait for.
    fn wait(&self, left: Duration) -> Option<Duration> {
        match (self.open, self.quiet) {
            _ if left.is_zero() => None,
            (0, true) => None,
            (0, false) => Some(left.min(QUIET)),
            _ => Some(left),
        }
    }
}

async fn react(stage: &mut Stage<'_>, person: &str, reaction: &str) -> Result<(), DemoError> {
    match stage.seen.iter().rev().find(|message| message.is_card()).cloned() {
        Some(card) => {
            let reacted = stage.front.react(person, &card, reaction).await;
            note_slip(&mut stage.screen, reacted)
        }
        None => {
            stage.screen.note("There is no card to react to yet: type /deploy staging first.");
            Ok(())
        }
    }
}

/// A slip is told, and the session goes on.
fn note_slip(screen: &mut Screen, done: Result<(), CallError>) -> Result<(), DemoError> {
    if let Some(what) = slip(done)? {
        screen.note(&what);
    }
    Ok(())
}

/// What is to be said of something that was not taken, such as a command that there is not.
fn slip(done: Result<(), CallError>) -> Result<Option<String>, CallError> {
    match done {
        Err(CallError::Refused(what)) => Ok(Some(format!("This was not taken: {what}"))),
        done => done.map(|()| None),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Nothing,
    Quit,
    Help,
    Become(String),
    Nobody(String),
    Said { person: String, text: String },
    Reacted { person: String, reaction: &'static str },
}

/// What a typed line means.
fn heard(line: &str, me: &str) -> Heard {
    let (first, rest) = line.split_once(' ').map_or((line, ""), |(first, rest)| (first, rest.trim()));
    let (person, text) = if PEOPLE.contains(&first) && !rest.is_empty() { (first, rest) } else { (me, line) };
    let person = person.to_owned();
    match text {
        "" => Heard::Nothing,
        "quit" | "exit" => Heard::Quit,
        "help" | "?" => Heard::Help,
        "✅" | "yes" => Heard::Reacted { person, reaction: "✅" },
        "❌" | "no" => Heard::Reacted { person, reaction: "❌" },
        _ if first == "as" && PEOPLE.contains(&rest) => Heard::Become(rest.to_owned()),
        "as" => Heard::Help,
        _ if first == "as" => Heard::Nobody(rest.to_owned()),
        _ if is_somebody_else(first, rest) => Heard::Nobody(first.to_owned()),
        _ => Heard::Said { person, text: text.to_owned() },
    }
}

/// Whether a line is what somebody would say whom there is not.
fn is_somebody_else(first: &str, rest: &str) -> bool {
    let is_name = !PEOPLE.contains(&first) && first.chars().all(char::is_alphabetic);
    is_name && (rest.starts_with('/') || ["✅", "❌", "yes", "no"].contains(&rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_ends_nothing() {
        let refused = Err(CallError::Refused("/deploi is not a command here.".into()));
        assert_eq!(slip(refused).unwrap().unwrap(), "This was not taken: /deploi is not a command here.");
        assert!(slip(Ok(())).unwrap().is_none());
        assert!(slip(Err(CallError::Unreachable("it is gone".into()))).is_err());
    }

    #[test]
    fn what_was_asked_is_heard_out_and_not_for_ever() {
        let mut awaited = Awaited::default();
        let long = ANSWERS_LIMIT;
        awaited.asked(true);
        awaited.asked(true);
        awaited.asked(false);
        awaited.quiet = true;
        assert_eq!(awaited.wait(long), Some(long), "two are open");
        awaited.seen(true);
        awaited.seen(false);
        assert_eq!(awaited.wait(long), Some(long), "a message that only changed answers nothing");
        awaited.seen(true);
        awaited.quiet = false;
        assert_eq!(awaited.wait(long), Some(QUIET), "something may still move");
        awaited.quiet = true;
        assert_eq!(awaited.wait(long), None);
        awaited.asked(true);
        assert_eq!(awaited.wait(Duration::ZERO), None, "not for ever");
    }

    #[test]
    fn lines_are_for_whom_they_name() {
        let said = |person: &str, text: &str| Heard::Said { person: person.into(), text: text.into() };
        assert_eq!(heard("/deploy staging", "ana"), said("ana", "/deploy staging"));
        assert_eq!(heard("bob /release status", "ana"), said("bob", "/release status"));
        assert_eq!(heard("bob ✅", "ana"), Heard::Reacted { person: "bob".into(), reaction: "✅" });
        assert_eq!(heard("no", "eve"), Heard::Reacted { person: "eve".into(), reaction: "❌" });
        assert_eq!(heard("as chen", "ana"), Heard::Become("chen".into()));
        assert_eq!(heard("as frank", "ana"), Heard::Nobody("frank".into()));
        assert_eq!(heard("mallory /deploy staging", "ana"), Heard::Nobody("mallory".into()));
        assert_eq!(heard("frank ✅", "ana"), Heard::Nobody("frank".into()));
        assert_eq!(heard("@slipway /deploy staging", "ana"), said("ana", "@slipway /deploy staging"));
        assert_eq!(heard("as", "ana"), Heard::Help);
        assert_eq!(heard("", "ana"), Heard::Nothing);
        assert_eq!(heard("quit", "ana"), Heard::Quit);
    }
}
