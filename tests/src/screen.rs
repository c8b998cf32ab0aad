//! The channel on a terminal: messages change in place on a TTY; elsewhere each change is a line.

use crate::front::{Seen, Shown};
use jiff::Timestamp;
use slipway_core::message::terminal::{TerminalOptions, render};
use slipway_core::message::{Block, Line, Mark, Span};
use std::collections::HashMap;
use std::io::{IsTerminal as _, Write};

/// The widest a message is drawn.
const WIDTH_LIMIT: usize = 110;
/// The width where the terminal does not tell.
const WIDTH_DEFAULT: usize = 100;
/// The height where the terminal does not tell.
const HEIGHT_DEFAULT: usize = 40;
/// With what a progress bar begins.
const BAR: [char; 2] = ['▰', '▱'];

/// Something drawn: a message, or what somebody typed.
struct Drawn {
    key: String,
    lines: Vec<String>,
}

/// The screen.
pub struct Screen {
    out: Box<dyn Write + Send>,
    tty: bool,
    width: usize,
    height: usize,
    drawn: Vec<Drawn>,
    last: HashMap<String, Seen>,
    heads: HashMap<String, String>,
    names_chats: bool,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen").field("tty", &self.tty).finish_non_exhaustive()
    }
}

impl Screen {
    /// The process's standard output.
    #[must_use]
    pub fn stdout() -> Self {
        let tty = std::io::stdout().is_terminal();
        let size = terminal_size::terminal_size();
        let width = size.map_or(WIDTH_DEFAULT, |(w, _)| usize::from(w.0)).min(WIDTH_LIMIT);
        let height = size.map_or(HEIGHT_DEFAULT, |(_, h)| usize::from(h.0));
        Self {
            out: Box::new(std::io::stdout()),
            tty,
            width,
            height,
            drawn: Vec::new(),
            last: HashMap::new(),
            heads: HashMap::new(),
            names_chats: false,
        }
    }

    /// From now on each message says in which chat it is.
    pub fn name_chats(&mut self) {
        self.names_chats = true;
    }

    /// A line of the demo's own, outside of the channel.
    pub fn note(&mut self, text: &str) {
        let lines = text.lines().flat_map(|line| wrapped(line, self.width));
        let lines = lines.map(|line| if self.tty { format!("\x1b[2m{line}\x1b[0m") } else { line });
        let lines: Vec<_> = if text.is_empty() { vec![String::new()] } else { lines.collect() };
        self.draw(String::new(), lines);
    }

    /// A line that the terminal itself has shown while it was typed.
    pub fn echoed(&mut self, line: &str) {
        let shown = wrapped(line, self.width);
        self.drawn
            .push(Drawn { key: String::new(), lines: if shown.is_empty() { vec![String::new()] } else { shown } });
    }

    /// Something that a person typed or clicked.
    pub fn typed(&mut self, person: &str, text: &str) {
        let text = if self.tty { format!("\x1b[1m{person:<5}\x1b[0m {text}") } else { format!("{person:<5} {text}") };
        self.draw(String::new(), vec![String::new(), text]);
    }

    /// A message of the bot, new or changed.
    pub fn show(&mut self, seen: &Seen) {
        let lines = self.render(seen);
        let key = format!("{} {}#{}", seen.chat, seen.channel, seen.key);
        let before = self.last.insert(key.clone(), seen.clone());
        match before {
            None => self.draw(key, lines),
            Some(_) if self.tty => self.redraw(&key, lines),
            Some(before) => self.change(&key, &before, seen, lines),
        }
    }

    fn render(&self, seen: &Seen) -> Vec<String> {
        let mut head = match &seen.only_for {
            Some(person) => format!("slipway → {person} only"),
            None => format!("slipway in {}", seen.channel),
        };
        if self.names_chats {
            head.push_str(&format!(" on {}", seen.chat));
        }
        let head = if self.tty { format!("\x1b[1;36m{head}\x1b[0m") } else { head };
        let width = self.width.saturating_sub(2);
        let body = match &seen.shown {
            Shown::Message(message) => render(message, &TerminalOptions::new(width, self.tty, Timestamp::now())),
            Shown::Lines(lines) => lines.iter().flat_map(|line| wrapped(line, width)).collect(),
        };
        let body = body.into_iter().map(|line| format!("  {line}").trim_end().to_owned());
        std::iter::once(head).chain(body).collect()
    }

    /// Without a TTY: the whole message when its mark changes, else one line when its first line does.
    fn change(&mut self, key: &str, before: &Seen, after: &Seen, lines: Vec<String>) {
        // The plan is there: what has to be read before anything else.
        let planned = !has_plan(before) && has_plan(after);
        let waits = after.mark() == Mark::Waiting && body(before) != body(after);
        if planned || before.mark() != after.mark() || waits {
            return self.draw(key.to_owned(), lines);
        }
        let head = gist(after);
        if self.heads.insert(key.to_owned(), head.clone()).as_ref() == Some(&head) || gist(before) == head {
            return;
        }
        // After who says it comes the headline, over one line or more, and the progress bar where there is one.
        let bar = lines.iter().position(|line| line.trim_start().starts_with(BAR)).filter(|_| has_progress(after));
        let lines = lines.into_iter().skip(1).take(bar.unwrap_or(1)).collect();
        self.draw(key.to_owned(), lines);
    }

    fn draw(&mut self, key: String, lines: Vec<String>) {
        for line in &lines {
            self.line(line);
        }
        let _ = self.out.flush();
        self.drawn.push(Drawn { key, lines });
    }

    /// On a TTY: goes up to the message, clears from there and draws it and all below again. One that has
    /// scrolled out of sight is drawn anew.
    fn redraw(&mut self, key: &str, lines: Vec<String>) {
        let Some(at) = self.drawn.iter().rposition(|drawn| drawn.key == key) else {
            return self.draw(key.to_owned(), lines);
        };
        let up: usize = self.drawn[at..].iter().map(|drawn| drawn.lines.len()).sum();
        if up + 1 >= self.height {
            self.drawn[at].key.clear();
            return self.draw(key.to_owned(), lines);
        }
        self.drawn[at].lines = lines;
        let _ = write!(self.out, "\x1b[{up}A\x1b[0J");
        let again: Vec<String> = self.drawn[at..].iter().flat_map(|drawn| drawn.lines.clone()).collect();
        for line in &again {
            self.line(line);
        }
        let _ = self.out.flush();
    }

    fn line(&mut self, line: &str) {
        // A reader who has gone away is no reason to stop the demo half-way.
        let _ = writeln!(self.out, "{line}");
    }
}

/// A text broken at spaces. Our own words: no piece is wider than a line.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_inclusive(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.trim_end().chars().count() <= width => line.push_str(word),
            _ => lines.push(word.to_owned()),
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Whether the plan is shown.
fn has_plan(seen: &Seen) -> bool {
    match &seen.shown {
        Shown::Message(message) => message.body.iter().any(|block| matches!(block, Block::Field { .. })),
        Shown::Lines(lines) => lines.iter().any(|line| line.starts_with("What ships") || line.starts_with("Image")),
    }
}

/// Everything below the first line.
fn body(seen: &Seen) -> String {
    match &seen.shown {
        Shown::Message(message) => format!("{:?}", message.body),
        Shown::Lines(lines) => lines.iter().skip(1).map(String::as_str).collect::<Vec<_>>().join("\n"),
    }
}

fn has_progress(seen: &Seen) -> bool {
    match &seen.shown {
        Shown::Message(message) => message.progress.is_some(),
        Shown::Lines(lines) => lines.get(1).is_some_and(|line| line.starts_with(BAR)),
    }
}

/// The first line and the progress label without durations, to tell whether something happened.
fn gist(seen: &Seen) -> String {
    let text = |line: &Line| -> String { line.0.iter().map(span_text).collect() };
    let gist = match &seen.shown {
        Shown::Message(message) => {
            let progress = message.progress.as_ref().map(|progress| text(&progress.label)).unwrap_or_default();
            format!("{}{progress}", text(&message.headline))
        }
        Shown::Lines(lines) => lines.iter().take(if has_progress(seen) { 2 } else { 1 }).cloned().collect(),
    };
    let timeless = gist.split(" · ").filter(|part| !is_duration(part));
    timeless.collect::<Vec<_>>().join(" · ")
}

/// `1m 50s, usually 4m 10s`, `12s`.
fn is_duration(part: &str) -> bool {
    let first = part.split([',', ' ']).next().unwrap_or_default();
    first.ends_with(['s', 'm', 'h']) && first.starts_with(|c: char| c.is_ascii_digit())
}

fn span_text(span: &Span) -> String {
    match span {
        Span::Plain(text) | Span::Untrusted(text) | Span::Strong(text) | Span::Code(text) => text.clone(),
        Span::Person(person) | Span::Mention(person) => person.to_string(),
        Span::Time(at) => at.to_string(),
        Span::Link { text, .. } => text.clone(),
    }
}
